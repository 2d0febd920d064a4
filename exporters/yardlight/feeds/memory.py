"""What is kept of a feed from one collection to the next, as one JSON-able object. Ids of vendors stay in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from yardlight.feeds import logbook
from yardlight.feeds.logbook import Log
from yardlight.feeds.record import Breach
from yardlight.intervals import Interval
from yardlight.moment import Moment

# A truck of which nothing was told for so long is not counted any more, and forgotten once no answer lists it.
FORGOTTEN_AFTER = 7 * 86400.0
# What a truck did when, by `motion.Kind`.
Stretches = dict[str, list[Interval]]
# What an ELD told of what does not work in it, by its kind: when last, and since when it does not (None: it does).
Broken = dict[str, tuple[float, float | None]]


@dataclass(slots=True)
class Seen:
    """What was last told of one id: when, whether it moved, when it last did, what it said (a digest), its values.

    `speed` is in meters per second.
    """

    last: float
    moving: bool | None = None
    moved: float | None = None
    digest: str = ""
    truck: str = ""
    values: dict[str, float] = field(default_factory=dict)
    listed: float = 0.0
    engine: bool | None = None
    speed: float | None = None


_SEEN = len(fields(Seen))


@dataclass(slots=True)
class Memory:
    """What the collections before have seen. Instants are unix seconds.

    `accepted` changes when all is taken for right as it is; None where nobody knows.
    `newest` is that of the last answer and `highest` of all, `marks` are the records of the last answers, `lively` is
    the usual share of records that say something new under a new time. `levels` are those of numbers in the last answer
    that kept its contract, by field. `breaches` are those of the last answer that had a record. `holes` are positions
    that are missing while engines ran: when the next one came, and after how many seconds.
    `listed` are those that never had a time that can be true: the roster's name, and when they were last in an answer;
    `answered` is when the last one came. `motion` is what trucks did lately, by the roster's names; `log` are drivers'
    logs, watched from `log_since` on. `elds` are those of which anything was told, by trucks as the vendor calls them.
    `paces` are the seconds between two words of a truck on the road, as `motion.paced` knows them, by the same.
    """

    description: str = ""
    accepted: str | None = None
    newest: float | None = None
    highest: float | None = None
    received: float | None = None
    moving_since: float | None = None
    moving_until: float | None = None
    unchanged_since: float | None = None
    lively: float = 0.0
    repeated: int = 0
    stamp: str = ""
    seen: dict[str, Seen] = field(default_factory=dict)
    listed: dict[str, tuple[str, float]] = field(default_factory=dict)
    answered: float | None = None
    marks: list[str] = field(default_factory=list)
    steady: dict[str, int] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    levels: dict[str, float] = field(default_factory=dict)
    hours: dict[str, list[float]] = field(default_factory=dict)
    holes: list[tuple[float, float]] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    motion: dict[str, Stretches] = field(default_factory=dict)
    log: Log = field(default_factory=dict)
    log_since: float | None = None
    elds: dict[str, Broken] = field(default_factory=dict)
    paces: dict[str, float] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        """Drop what was not told of for long, and what is not listed any more either."""
        self.seen = {
            id_: each for id_, each in self.seen.items() if now - max(each.last, each.listed) < FORGOTTEN_AFTER
        }
        self.listed = {id_: each for id_, each in self.listed.items() if now - each[1] < FORGOTTEN_AFTER}
        self.paces = {id_: pace for id_, pace in self.paces.items() if id_ in self.seen}

    def lately(self, now: float) -> list[Seen]:
        """What was told of not long ago."""
        return [each for each in self.seen.values() if now - each.last < FORGOTTEN_AFTER]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        whole = asdict(self)
        whole["seen"] = {id_: list(each.values()) for id_, each in whole["seen"].items()}
        return whole


def recalled(value: Any) -> Memory:
    """What `to_json` wrote; nothing for None."""
    if value is None:
        return Memory()
    seen = {id_: Seen(*each[:_SEEN]) for id_, each in value["seen"].items()}
    breaches = [Breach(**each) for each in value.get("breaches", ())]
    log = logbook.recalled(value.get("log", {}))
    motion = {truck: stretches(there) for truck, there in value.get("motion", {}).items()}
    elds = {
        truck: {kind: (told, since) for kind, (told, since) in there.items()}
        for truck, there in value.get("elds", {}).items()
    }
    # An older state file has behind each what is apart now: since when its ELD does not work.
    for id_, (last, *_, broken) in ((id_, each) for id_, each in value["seen"].items() if len(each) > _SEEN):
        if broken is not None:
            elds.setdefault(id_, {"": (last, broken)})
    return Memory(**{**value, "seen": seen, "breaches": breaches, "motion": motion, "log": log, "elds": elds})


def stretches(value: Mapping[str, Iterable[tuple[float, float]]]) -> Stretches:
    """What JSON made of them."""
    return {kind: [(start, end) for start, end in times] for kind, times in value.items()}


def instants(moments: Iterable[Moment]) -> list[float]:
    """Those that are instants."""
    return [each for each in moments if isinstance(each, float)]

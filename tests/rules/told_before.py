"""Scenarios in which a lesser fault is told first and a worse one explains it later.

Whoever was told of the first hears that it is over when it is, and not when something worse begins: closing it would
say that it was mended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.rules import archives, cellular, feeds, tablets
from tests.rules.archives import Archives, eld
from tests.rules.cellular import NEWEST, heading, many
from tests.rules.feeds import Feeds, stands, status_page
from tests.rules.scenarios import (
    CUT,
    DARK,
    EVERYWHERE,
    HEAL,
    MISSING,
    NO_STANDBY,
    PLATFORM,
    UNREACHABLE,
    Scenario,
    yard,
)  # fmt: skip
from tests.rules.tablets import Tablets, counts, now, one, sets_out, truck
from tests.rules.yard import FIBER, LTE, Centre, Host, Read, Series, Service, Yard

HOUR = tablets.HOUR
# When the worse fault begins, in scenarios of accounts.
LATER = 1800.0
SLOW = "ticket ServiceSlow fontana dispatch"
SILENT_TABLET = "ticket TabletSilentWhileMoving 112"
CLOCK = "ticket ClockSkewed fontana"
THROTTLED, CAPPED = "ticket SimThrottled thingspace//T7", "ticket CapReached thingspace/tablets"
ARCHIVE_STALE = "ticket ArchiveStale eld"


@dataclass(frozen=True)
class Several:
    """Accounts beside each other."""

    accounts: tuple[Feeds, ...]
    moved: float | None = None

    def series(self, centre: Centre, end: float) -> Series:
        for account in self.accounts:
            yield from account.series(centre, end)


def grows(few: float, many: float) -> Iterator[tuple[str, dict[str, str], Read]]:
    """Silent tablets of the group: some from the beginning of the trouble on, more later."""

    def stale(at: float) -> float:
        if not tablets.BEGIN <= at < tablets.OVER:
            return 0.0
        return many if at >= LATER else few

    for name, labels, read in counts(stale=1):
        kinds: dict[str, Read] = {"stale": stale, "fresh": lambda at: 100 - stale(at)}
        yield name, labels, kinds.get(labels["state"], read)


def one_of_many(count: int) -> tuple[Yard, ...]:
    """Terminals whose LTE, all of one carrier, dies; that of the first a quarter of an hour before the others'."""
    first, *others = many(count)
    early = replace(LTE, dead=((cellular.BEGIN, cellular.OVER),))
    late = replace(LTE, dead=((cellular.BEGIN + 900, cellular.OVER),))
    return (
        replace(first, lines={"fiber": FIBER, "lte": early}),
        *(replace(each, lines={"fiber": FIBER, "lte": late}) for each in others),
    )


_DEAD = ((LATER, 2700.0),)
_M11 = (*counts(stale=1), *one("T112", "stale", -13 * HOUR), *truck("112", sets_out, now))
_FAILS = {path: spans for path, spans in EVERYWHERE.items() if path != "centre"}

TOLD_BEFORE = (
    tablets.case(
        "told-tablet-then-dark", "a truck's tablet is told as silent, and then its yard goes dark",
        Tablets(_M11),
        (
            (0, tablets.BEGIN - 60, ()), (tablets.BEGIN + 60, LATER - 60, (SILENT_TABLET,)),
            (LATER + 120, 2640, (SILENT_TABLET, *DARK)), (2820, tablets.OVER - 60, (SILENT_TABLET,)),
            (tablets.OVER + 60, tablets.END, ()),
        ),
        yards=(yard(_DEAD, _DEAD),),
    ),
    tablets.case(
        "told-tablet-then-group", "a truck's tablet is told as silent, and then its whole group is",
        Tablets((*grows(1, 12), *one("T112", "stale", -13 * HOUR), *truck("112", sets_out, now))),
        (
            (0, tablets.BEGIN - 60, ()), (tablets.BEGIN + 60, LATER - 60, (SILENT_TABLET,)),
            (LATER + 60, tablets.OVER - 60, (SILENT_TABLET, tablets.SILENT)), (tablets.OVER + 60, tablets.END, ()),
        ),
    ),
    tablets.case(
        "told-nothing-with-carrier", "a truck on the road is cut off with its carrier: its tablet is not told besides",
        Tablets(_M11), ((0, tablets.END, (tablets.DEGRADED,)),), history=tablets.dark_with_carrier("112"),
    ),
    cellular.case(
        "told-standby-then-carrier", "one yard's LTE is told as dead, and then its carrier is down for all yards",
        cellular.Platform((NEWEST,)),
        (
            (0, cellular.BEGIN + 90, ()), (cellular.BEGIN + 180, cellular.BEGIN + 870, NO_STANDBY),
            (cellular.BEGIN + 1200, cellular.OVER - 30, (*NO_STANDBY, "ticket CarrierDegraded Verizon")),
            (cellular.OVER + 60, cellular.END, ()),
        ),
        yards=one_of_many(4), moved=None,
    ),
    cellular.case(
        "told-throttled-then-capped", "a SIM is told as throttled, and then the cap of its pool is reached",
        replace(
            heading(lambda _: None, lambda _: 561e9, lambda at: 503e9 if 1200 <= at < cellular.OVER else 391e9),
            samples=(
                *heading(
                    lambda _: None, lambda _: 561e9, lambda at: 503e9 if 1200 <= at < cellular.OVER else 391e9
                ).samples,
                ("sim_throttled", {"sim": "T7"}, cellular.then(1, 0)),
            ),
        ),
        (
            (0, cellular.BEGIN - 30, ()), (cellular.BEGIN + 60, 1170, (THROTTLED,)),
            (1230, cellular.OVER - 30, (THROTTLED, CAPPED)), (cellular.OVER + 120, cellular.END, ()),
        ),
        moved=None,
    ),
    feeds.case(
        "told-account-then-platform", "one fleet's account is told as failing, and then the platform, for all fleets",
        Several(
            (
                Feeds(answers=feeds.DOWN),
                Feeds(answers=((0.0, LATER), (feeds.OVER, 1e9)), fleets=("valley-freight", "mesa-lines")),
            )
        ),
        (
            (0, feeds.BEGIN + 60, ()), (feeds.BEGIN + 240, LATER - 30, (feeds.FAILING,)),
            (LATER + 240, feeds.OVER - 60, (feeds.FAILING, feeds.OUTAGE)), (feeds.OVER + 90, feeds.END, ()),
        ),
        yards=(yard(), yard(fleet="valley-freight"), yard(fleet="mesa-lines")),
    ),
    feeds.case(
        "told-stale-then-declared", "positions are told as old, and then the vendor declares an outage",
        Feeds(stands(feeds.BEGIN), more=status_page((LATER, "major_outage"), (feeds.OVER, "operational"))),
        (
            (0, feeds.BEGIN, ()), (feeds.BEGIN + 390, LATER - 30, (feeds.STALE,)),
            (LATER + 60, feeds.OVER - 60, (feeds.STALE, feeds.DECLARED)), (feeds.OVER + 90, feeds.END, ()),
        ),
    ),
    Scenario(
        "told-service-then-platform", "dispatch fails at a yard, which is paged, and then from the center as well",
        (yard(service=Service(fails=_FAILS)),), HEAL + 180,
        (
            (0, CUT + 85, ()), (CUT + 100, CUT + 145, UNREACHABLE), (CUT + 175, HEAL + 5, (*UNREACHABLE, *PLATFORM)),
            (HEAL + 30, HEAL + 180, ()),
        ),
        centre=Centre(service=Service(fails={"centre": ((CUT + 150, HEAL),)})),
    ),
    Scenario(
        "told-slow-then-failing", "dispatch is told as slow, and then does not answer at all",
        (yard(service=Service(slow=((CUT, CUT + 700),), fails=dict.fromkeys(_FAILS, ((CUT + 400, CUT + 700),)))),),
        CUT + 1200,
        (
            (0, CUT + 295, ()), (CUT + 320, CUT + 480, (SLOW,)), (CUT + 510, CUT + 700, (SLOW, *UNREACHABLE)),
            (CUT + 1060, CUT + 1200, ()),
        ),
        centre=Centre(service=Service()),
    ),
    Scenario(
        "told-clock-then-cut-off", "the box's clock is told as wrong, and then nothing is heard of it for a while",
        (yard(skew=((CUT, 7200.0), (1200.0, 0.0)), hosts=(Host(runs=((0, 400.0), (900.0, 1e9))),)),), 1500.0,
        (
            (0, CUT + 100, ()), (CUT + 140, 450, (CLOCK,)), (470, 890, (CLOCK, *MISSING)), (930, 1195, (CLOCK,)),
            (1260, 1500, ()),
        ),
    ),
    archives.case(
        "told-stale-then-unreadable", "nothing new has come, and then the archive cannot be checked any more",
        Archives(
            (eld("new_due_timestamp_seconds", archives.BEGIN, 172800.0),),
            answers=((0.0, 1790.0), (archives.OVER, 1e9)),
        ),
        (
            (0, archives.BEGIN - 60, ()), (archives.BEGIN + 60, 1790, (ARCHIVE_STALE,)),
            (3420, archives.OVER - 60, (ARCHIVE_STALE, archives.UNREADABLE)), (archives.OVER + 60, archives.END, ()),
        ),
        None,
    ),
)  # fmt: skip

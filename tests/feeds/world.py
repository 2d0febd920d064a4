"""Feeds of an inventory as written, vendors on loopback and a clock that is ours: collected as the exporter does it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.vendor import Answer, Asked, Vendor
from yardlight.collection import Session, open_memory, pack_memory
from yardlight.exposition import pack, page
from yardlight.feeds import domain
from yardlight.inventory.load import load

TOKEN = "very-secret-token"
GPS = """\
account: vendor, path: /positions, records: "data[]", truck: unit, time: time, moving: speed, values: {odometer: odo},
       shows: GPS positions, while_old: Do not quote ETAs., max_age: 5m, expected: when_moving, movers: 2"""


def iso(at: float) -> str:
    """An instant as most vendors write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def position(unit: int, at: float, speed: float = 60.0, **more: Any) -> dict[str, Any]:
    """A truck's position, at another place each second that it moves."""
    where = at % 86400 / 1e4 if speed > 3 else 0.0
    return {"unit": f"{unit}", "time": iso(at), "speed": speed, "lat": 34.0 + where, "odo": 250_000 + unit, **more}


class World:
    """Feeds named as in `feeds`; each `path` of the vendor answers what `replies` has for it."""

    def __init__(
        self, folder: Path, url: str, replies: dict[str, Any], feeds: dict[str, str], account: str, more: str
    ) -> None:
        self.folder, self.replies, self.url = folder, replies, url
        self.asked: list[Asked] = []
        self._memory: dict[str, bytes] = {}
        self._left: dict[str, tuple[float, bytes] | None] = {}
        self._pages: dict[str, str] = {}
        self.at = 0.0
        (folder / "secret").write_text(TOKEN + "\n", encoding="utf-8")
        rows = [f"{number},fontana" for number in range(100, 120)]
        (folder / "trucks.csv").write_text("\n".join(["truck,terminal", *rows]) + "\n", encoding="utf-8")
        self.write(feeds, account, more)

    def write(self, feeds: dict[str, str], account: str = "", more: str = "") -> None:
        """The inventory, with these feeds."""
        lines = [f"  {name}: {{{section}}}" for name, section in feeds.items()]
        self.load(
            f"""\
fleet: inland
timezone: America/Los_Angeles
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00", holidays: US}}}}
roster: {{trucks: trucks.csv}}
accounts:
  vendor: {{platform: generic, url: "{self.url}", auth: {{bearer_file: secret}}, rate: 1000/s, {account}}}
feeds:
{chr(10).join(lines)}
{more}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
"""
        )

    def load(self, text: str) -> None:
        """The inventory, as this text."""
        (self.folder / "fleet.yml").write_text(text, encoding="utf-8")
        self.fleet = load(self.folder / "fleet.yml").fleet
        self._planned = {each.collection.source.name: each for each in domain.planned(self.fleet, self.folder)}

    def answer(self, asked: Asked) -> Answer:
        """What the vendor says: what is in `replies` for the path, called with the request if that can be."""
        self.asked.append(asked)
        reply = self.replies[asked.path]
        reply = reply(asked) if callable(reply) else reply
        return reply if isinstance(reply, Answer) else Answer(reply)

    def collect(self, at: float, *feeds: str) -> None:
        """One collection of these feeds, or of all, and a look at all flows, at this instant. Raises `PollError`."""
        self.at = at
        for name in feeds or tuple(self.fleet.feeds):
            poll = f"feeds/{name}"
            memory = open_memory(self._memory.get(name, b""))
            session = Session(time.monotonic() + 60.0, memory=memory, clock=lambda: at)
            blocks = self._planned[poll].collection(session)
            self._memory[name] = pack_memory(session.memory)
            self._pages[name] = page(pack(blocks), openmetrics=False).decode()
            self._left[poll] = (at, self._memory[name])
        for each in domain.joined(self.fleet, self.folder):
            if (name := each.collection.source.name).startswith("flows/"):
                session = Session(time.monotonic() + 60.0, clock=lambda: at)
                session.memory = open_memory(self._memory.get(name, b""))
                blocks = each.collection.with_left(self._left)(session)
                self._memory[name] = pack_memory(session.memory)
                self._pages[name] = page(pack(blocks), openmetrics=False).decode()

    @property
    def text(self) -> str:
        """What is on the page."""
        return "".join(self._pages.values())

    def value(self, name: str, **labels: str) -> float | None:
        """A sample of the page by its labels; None if there is none."""
        found = [
            sample.value
            for text in self._pages.values()
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"yardlight_{name}" and labels.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, f"{name} {labels} is {len(found)} samples"
        return found[0] if found else None

    def odd(self, feed: str = "gps") -> set[str]:
        """What is odd about a feed."""
        kinds = ("empty", "cursor_stuck", "backwards", "future", "vanished", "volume", "repeated")
        return {kind for kind in kinds if self.value("feed_anomaly", feed=feed, kind=kind)}


@contextmanager
def world(
    folder: Path, replies: dict[str, Any], feeds: dict[str, str] | None = None, account: str = "", more: str = ""
) -> Iterator[World]:
    """A world while its vendor runs."""
    here: list[World] = []
    with Vendor(lambda asked: here[0].answer(asked)) as vendor:
        here.append(World(folder, vendor.url, replies, feeds or {"gps": GPS}, account, more))
        yield here[0]

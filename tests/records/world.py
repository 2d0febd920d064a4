"""A fleet with archives of records on this disk, and a clock that is ours."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client.parser import text_string_to_metric_families

from tests.ringing import ringing
from yardlight import centre
from yardlight.collection import Session
from yardlight.demo.eld_files import Shape, eld_file
from yardlight.exposition import pack, page
from yardlight.inventory.load import load
from yardlight.records import domain
from yardlight.records.check import Check
from yardlight.records.index import Entry, Index

LA = ZoneInfo("America/Los_Angeles")
HOUR, DAY = 3600.0, 86400.0
# A Wednesday; the six months before it have a leap day.
TODAY = date(2028, 3, 15)
FIRST = date(2027, 9, 16)
ELD = 'eld: {path: eld, pattern: "{driver}/{date:%Y-%m-%d}.csv", rule: rods, format: eld, calendar: weekdays'
DRIVERS = ("d101", "d102", "d103")


def today() -> date:
    """The day it really is where the fleet is, for commands that go by the real clock."""
    return datetime.now(LA).date()


def noon(day: date) -> float:
    return datetime(day.year, day.month, day.day, 12, tzinfo=LA).timestamp()


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]


class World:
    """The archive `eld` of three drivers, each day to yesterday; `check` moves the clock."""

    def __init__(self, folder: Path, archives: str = ELD + "}", drivers: str = "", fill: bool = True) -> None:
        self.folder = folder
        self.at, self.text = noon(TODAY), ""
        self._before: dict[str, str] = {}
        (folder / "eld").mkdir(exist_ok=True)
        (folder / "trucks.csv").write_text("truck,terminal\n112,fontana\n", encoding="utf-8")
        self.write(archives, drivers or "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
        if fill:
            for driver in DRIVERS:
                for day in days(FIRST, TODAY - timedelta(days=1)):
                    self.put(driver, day)

    def write(self, archives: str, drivers: str, more: str = "") -> None:
        """The inventory with these archives and drivers, and with more parts."""
        (self.folder / "drivers.csv").write_text("code,hired,left,logs\n" + drivers, encoding="utf-8")
        lines = "".join(f"  {line}\n" for line in archives.splitlines())
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: inland
timezone: America/Los_Angeles
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00"}}}}
roster: {{trucks: trucks.csv, drivers: drivers.csv}}
archives:
{lines}{more}terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
""",
            encoding="utf-8",
        )
        self.fleet = load(self.folder / "fleet.yml").fleet

    def path(self, driver: str, day: date, root: str = "eld") -> Path:
        return self.folder / root / driver / f"{day}.csv"

    def put(self, driver: str, day: date, root: str = "eld", content: bytes | None = None) -> Path:
        """A day's file, exported the morning after."""
        path = self.path(driver, day, root)
        path.parent.mkdir(parents=True, exist_ok=True)
        # As exports do it: whole or not at all.
        part = self.folder / "part"
        part.write_bytes(eld_file(Shape(user=driver, day=day)) if content is None else content)
        part.replace(path)
        self.stamp(path, noon(day) + 18 * HOUR)
        return path

    def stamp(self, path: Path, at: float) -> None:
        os.utime(path, (at, at))

    def job(self, name: str = "eld") -> Check:
        return domain.check_of(self.fleet, name, self.folder, self.folder / "yardlight.db")

    def check(self, at: float | None = None, name: str = "eld", seconds: float = 60.0) -> Session:
        """One check at this instant. Raises `PollError`, and what was on the page stays."""
        self.at = self.at if at is None else at
        session = Session(time.monotonic() + seconds, clock=lambda: self.at)
        self._before[name] = page(pack(self.job(name)(session)), openmetrics=False).decode()
        self.text = "".join(_once(self._before.values()))
        return session

    def value(self, metric: str, **labels: str) -> float | None:
        """A sample of the page; None if there is none."""
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                if sample.name == f"yardlight_{metric}" and labels.items() <= sample.labels.items():
                    return sample.value
        return None

    def counts(self, metric: str) -> dict[str, float]:
        """The samples by kind that are not 0."""
        return {
            sample.labels["kind"]: sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == f"yardlight_{metric}" and sample.value
        }

    def wrong(self, name: str = "eld") -> list[Entry]:
        """Files with which something is wrong."""
        index = Index(self.job(name).index_path)
        try:
            return list(index.find("file.copy = 0 AND kind != ''", ()))
        finally:
            index.close()

    def alerts(self) -> set[tuple[str, str]]:
        """What rings for the page as it stands, and about which archive: by the shipped rules, all else being well."""
        said = page(pack(centre.Said().blocks(self.fleet, self.at)), openmetrics=False).decode()
        well = {f'yardlight_poll_success{{fleet="inland",poll="records/{name}"}}': 1.0 for name in self.fleet.archives}
        return ringing(self.text + said, self.at, self.folder, well, "records.yml", hours=1)


def _once(pages: Iterable[str]) -> Iterable[str]:
    """Several pages as one: each family's header once."""
    seen: set[str] = set()
    samples: dict[str, list[str]] = {}
    for text in pages:
        for line in text.splitlines(keepends=True):
            if line.startswith("#"):
                seen.add(line)
            else:
                samples.setdefault(line.partition("{")[0], []).append(line)
    for name, lines in samples.items():
        yield from sorted((each for each in seen if f" {name} " in each), reverse=True)
        yield from lines


@contextmanager
def being_written(path: Path, eventually: Callable[..., object]) -> Iterator[None]:
    """Somebody writes to this file a byte each 50 ms, and has begun."""
    done = threading.Event()

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            while not done.wait(0.05):
                file.write(b"x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        eventually(lambda: path.exists() and path.stat().st_size)
        yield
    finally:
        done.set()
        writer.join()

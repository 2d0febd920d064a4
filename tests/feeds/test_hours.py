"""Where trucks were and what drivers' logs say: over real HTTP, polls as they run, the shipped rules."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

from tests.feeds.days import LA, Days
from tests.feeds.eld import ACCOUNT, FEED, Eld
from tests.feeds.test_end_to_end import at
from tests.living import HOUR, MINUTE
from yardlight.collection import Session
from yardlight.exposition import pack
from yardlight.movement import days_moved
from yardlight.records.domain import check_of
from yardlight.state import Reader

# A Monday before dawn.
MONDAY = at("2026-01-05", "00:00")


class Shifts(Days):
    """The same fleet with an ELD, and drivers d101, d102, ... in trucks 101, 102, ..."""

    def __init__(self, folder: Path, start: float, trucks: int = 4, every: int = 10) -> None:
        super().__init__(folder, start, trucks=trucks, step=every * MINUTE)
        self.poll = f"{every}m"
        self.gps = self.gps.replace("max_age: 5m", "max_age: 90m, speed_unit: mph")
        self.eld = Eld(self.units, self.clock.time, LA)
        self.faces["eld"] = self.eld
        self.paper: set[str] = set()
        self.archives = ""

    def write(self) -> None:
        rows = [f"d{each.unit},{'paper' if f'd{each.unit}' in self.paper else 'eld'}" for each in self.units]
        (self.folder / "drivers.csv").write_text("\n".join(["code,logs", *rows]) + "\n", encoding="utf-8")
        self.accounts = ACCOUNT.format(url=self.vendor.url)
        self.more = FEED.format(poll="1h") + self.archives
        super().write()
        inventory = self.folder / "fleet.yml"
        text = inventory.read_text(encoding="utf-8")
        text = text.replace("roster: {trucks: trucks.csv}", "roster: {trucks: trucks.csv, drivers: drivers.csv}")
        inventory.write_text(text, encoding="utf-8")


def test_records_are_missed_of_drivers_who_drove_and_of_no_others(tmp_path: Path) -> None:
    with Shifts(tmp_path, MONDAY - 2 * HOUR, every=15) as days:
        tuesday = date(2026, 1, 6)
        days.units[1].off = {tuesday}
        days.eld.silent.add("d102")
        days.archives = (
            '\narchives: {eld: {path: eld, pattern: "{driver}/{date:%Y-%m-%d}.csv", rule: rods, expected: when_moving,'
            " arrives_within: 1}}"
        )
        # Of Tuesday nobody has a file.
        for driver in ("d101", "d102", "d103", "d104"):
            (tmp_path / "eld" / driver).mkdir(parents=True)
            for day in (date(2026, 1, 5), date(2026, 1, 7)):
                (tmp_path / "eld" / driver / f"{day}.csv").write_text("a day\n", encoding="utf-8")
        days.until(at("2026-01-09", "02:00"))
        days.state.close()
        days.state = type(days.state)(tmp_path / "state.db")
        reader = Reader(tmp_path / "state.db")
        told = days_moved(reader, "inland")
        reader.close()
        check = check_of(days._fleet, "eld", tmp_path, tmp_path / "state.db")
        session = Session(time.monotonic() + 60, clock=days.clock.time)
        found = b"".join(each.body for each in pack(check(session))).decode()
    assert sorted(told) == [date(2026, 1, 5) + timedelta(days=number) for number in range(4)]
    assert told[tuesday].trucks == {"101", "103", "104"}
    assert told[tuesday].drivers == {"d101", "d103", "d104"}
    assert told[tuesday].unknown == frozenset()
    assert told[date(2026, 1, 8)].trucks == {"101", "102", "103", "104"}
    # Logs of the last two days have not settled.
    assert [day.day for day in sorted(told) if told[day].drivers is not None] == [5, 6]
    values = {line.partition("{")[0]: line.split()[-1] for line in found.splitlines()}
    assert values["yardlight_archive_gaps"] == "3.0"
    assert float(values["yardlight_archive_dates_not_known"]) > 100

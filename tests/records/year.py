"""A year of an archive kept as it should be: hires, leavers, Sundays, late exports, corrections, deletions in time.

`python -m tests.records.year` runs the whole of it; the tests run two weeks.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from tests.records.world import HOUR, World, days, noon
from yardlight.inventory.retention import RULES, keep_until

START, END = date(2027, 9, 1), date(2028, 8, 31)
# Code, hired, left.
DRIVERS = (
    ("d1", None, None),
    ("d2", date(2027, 10, 15), None),
    ("d3", None, date(2027, 11, 30)),
    ("d4", date(2028, 2, 29), None),
    ("d5", date(2027, 12, 24), date(2028, 2, 29)),
    ("d6", None, date(2028, 2, 28)),
)
ARCHIVE = (
    'eld: {path: eld, pattern: "{driver}/{date:%Y-%m-%d}.csv", rule: rods, calendar: weekdays, second_copy: copy, '
    "copied_within: 4d, settles_after: 8d, retrieval_test: 500d}"
)


def write(world: World, today: date) -> None:
    """The roster as it is on this day: who is not hired yet is not on it."""
    rows = [
        f"{code},{hired or '2020-01-01'},{left if left and left <= today else ''},eld\n"
        for code, hired, left in DRIVERS
        if hired is None or hired <= today
    ]
    world.write(ARCHIVE, "".join(rows))


def employed(day: date) -> list[str]:
    return [code for code, hired, left in DRIVERS if (not hired or hired <= day) and (not left or day <= left)]


def simulate(folder: Path, start: date, end: date, chance: random.Random) -> list[tuple[date, str]]:
    """What would ring on which day, of all days from `start` to `end`; nothing should."""
    world = World(folder, ARCHIVE, "d1,2020-01-01,,eld\n", fill=False)
    late: list[tuple[str, date]] = []
    for day in days(start - timedelta(days=200), start - timedelta(days=1)):
        for code in employed(day):
            for root in ("eld", "copy"):
                world.put(code, day, root, content=f"{code} {day}\n".encode())
    found = []
    for today in days(start, end):
        write(world, today)
        yesterday = today - timedelta(days=1)
        # Some days come later than the next morning, nothing comes on a Sunday; each is exported within 12 days.
        late += [(code, yesterday) for code in employed(yesterday)]
        if today.weekday() != 6:
            due = [each for each in late if chance.random() < 0.8 or (today - each[1]).days > 10]
            late = [each for each in late if each not in due]
            for code, day in due:
                content = f"{code} {day}\n".encode()
                for root in ("eld", "copy"):
                    world.stamp(world.put(code, day, root, content=content), noon(today) - 6 * HOUR)
        # A correction within eight days of its day.
        corrected = today - timedelta(days=chance.randrange(2, 8))
        if chance.random() < 0.1 and world.path("d1", corrected).exists():
            for root in ("eld", "copy"):
                world.stamp(world.put("d1", corrected, root, content=b"corrected\n"), noon(today) - 6 * HOUR)
        _purge(world, today)
        world.check(noon(today))
        found += [(today, each) for each in _rings(world)]
    return found


def _purge(world: World, today: date) -> None:
    """What may be deleted is, on the first day on which it may be."""
    for root in ("eld", "copy"):
        for path in (world.folder / root).rglob("*.csv"):
            if keep_until(RULES["rods"], None, date.fromisoformat(path.stem)) <= today:
                path.unlink()


def _rings(world: World) -> list[str]:
    """What the shipped rules compare: a year of days is too much for promtool."""
    over = [
        name
        for name in ("archive_gaps", "archive_deleted_early_files", "archive_second_copy_missing_files")
        if world.value(name)
    ]
    over += [name for name in ("archive_corrupt_files", "archive_unreadable_files") if world.counts(name)]
    due = world.value("archive_new_due_timestamp_seconds")
    return over + (["archive_new_due_timestamp_seconds"] if due is not None and due < world.at else [])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        began = time.monotonic()
        alarms = simulate(Path(name), START, END, random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
        print(
            f"{(END - START).days + 1} days, {len(alarms)} false alarms, {time.monotonic() - began:.0f} s {alarms[:5]}"
        )

"""What is kept of drivers' logs from one answer to the next. Pure: the clock is given.

Some vendors tell all lines of the last days again and again, others each line and each change of it once. Of the first
an answer replaces what it tells again of a driver: a line that is not in it any more was edited away. Of the second
each line has an id, and the last word on it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from yardlight.feeds.duty import Entry, Status, clears, is_event, status_of
from yardlight.feeds.record import Record

if TYPE_CHECKING:
    from yardlight.feeds.plan import Plan

# When it begins and ends (None: with the next one), the status, the truck, the vendor's id of it.
Row = tuple[float, float | None, str, str, str]
# By driver; without one it is what an ELD noted while nobody was logged in.
Log = dict[str, list[Row]]


def noted(records: Sequence[Record], before: Log, plan: Plan, now: float) -> Log:
    """The logs with what an answer tells of them."""
    told: Log = {}
    for record in sorted(records, key=_start):
        if isinstance(record.time, float):
            told.setdefault(plan.driver(record.driver), []).append(_row(record, record.time, plan, now))
    if plan.log_by_id:
        again = {row[-1] for rows in told.values() for row in rows}
        kept = {driver: [row for row in rows if row[-1] not in again] for driver, rows in before.items()}
    else:
        begin = {driver: rows[0][0] for driver, rows in told.items()}
        kept = {driver: [row for row in rows if row[0] < begin.get(driver, now)] for driver, rows in before.items()}
    every = {driver: kept.get(driver, []) + told.get(driver, []) for driver in kept.keys() | told.keys()}
    found = {driver: _young(sorted(rows, key=_first), now - plan.log_for) for driver, rows in sorted(every.items())}
    return {driver: rows for driver, rows in found.items() if rows}


def _row(record: Record, start: float, plan: Plan, now: float) -> Row:
    end = record.until if isinstance(record.until, float) and record.until < now else None
    truck = plan.name(record.truck) or record.truck.casefold()
    return start, end, record.duty, truck, record.id if plan.log_by_id else ""


def _young(rows: list[Row], begin: float) -> list[Row]:
    """Without what is older; the last line of that holds until the next one."""
    old = sum(row[0] < begin for row in rows)
    return rows[max(old - 1, 0) :]


def entries(log: Log) -> Iterator[Entry]:
    """The logs as they are judged. What is no change of a status is none of its lines."""
    for driver, rows in log.items():
        status: Status | None = None
        for start, end, word, truck, _ in rows:
            if is_event(word):
                continue
            status = ("off_duty" if status == "personal" else "on_duty") if clears(word) else status_of(word)
            yield Entry(driver, status, start, end, truck)


def recalled(value: dict[str, Iterable[Sequence[object]]]) -> Log:
    """What JSON made of it."""
    return {driver: [tuple(row) for row in rows] for driver, rows in value.items()}  # type: ignore[misc]


def _start(record: Record) -> float:
    return record.time if isinstance(record.time, float) else 0.0


def _first(row: Row) -> float:
    return row[0]

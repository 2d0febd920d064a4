"""From the pages of a reply to records, by what the stream says about them. Pure: no network, no clock."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.feeds.places import at, there
from yardlight.feeds.record import Breach, Record
from yardlight.inventory.feeds import SPEED_UNITS, SpeedUnit, Stream
from yardlight.moment import Moment, judged, moment

# A page without content: what some answer where there is nothing new (status 204).
NOTHING = object()
# Slower is standing: GPS receivers at rest show a walking pace.
_MOVING_ABOVE = 3.0
# As spreadsheets and reports write thousands.
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
# Words of vendors for an engine that runs, and one that does not; others say nothing.
_ENGINES = {**dict.fromkeys(("on", "idle", "running", "1"), True), **dict.fromkeys(("off", "stopped", "0"), False)}

# Words for an ELD that does not work, and for one that does again. What is only a data diagnostic event is neither.
_MALFUNCTIONS = {
    **dict.fromkeys(("malfunction", "malfunctionmanualposition"), True),
    **dict.fromkeys(("userclear", "usermalfunctionclear", "systemclear", "systemcleardriving"), False),
}


def extract(pages: Iterable[Any], stream: Stream, zone: ZoneInfo, by: float | None = None) -> Iterator[Record | Breach]:
    """The records of all pages, as they were `by` then, and what the description names and no record has."""
    count = 0
    absent = dict.fromkeys(("id", "time", "truck"), 0)
    for page in pages:
        found = _records(page, stream.records)
        if isinstance(found, Breach):
            yield found
            continue
        for raw in found:
            count += 1
            record = _record(raw, stream, zone, by)
            for field in absent:
                absent[field] += at(getattr(stream, field), raw) is None
            yield record
    for field, times in absent.items():
        expression = getattr(stream, field)
        if expression is not None and count and times == count:
            yield Breach("missing", expression, count)


def _records(page: Any, steps: tuple[str, ...]) -> list[Any] | Breach:
    """The records of a page; inner ones know the outer one as `parent`."""
    if page is NOTHING:
        return []
    if not steps:
        return page if isinstance(page, list) else [page]
    found = at(steps[0], page)
    if found is None:
        # Some write an empty list as null.
        return [] if there(steps[0], page) else Breach("missing", steps[0])
    if not isinstance(found, list):
        return Breach("type", steps[0], found=f"{type(found).__name__} where a list should be")
    for step in steps[1:]:
        found = [_within(inner, outer) for outer in found for inner in _several(at(step, outer))]
    return found


def records_in(page: Any, steps: tuple[str, ...]) -> int:
    """How many records a page has."""
    found = _records(page, steps)
    return 0 if isinstance(found, Breach) else len(found)


def _within(inner: Any, outer: Any) -> Any:
    return {**inner, "parent": outer} if isinstance(inner, dict) else inner


def _several(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [] if found is None else [found]


def _record(raw: Any, stream: Stream, zone: ZoneInfo, by: float | None) -> Record:
    stamp, truck = at(stream.time, raw), _name(at(stream.truck, raw))
    return Record(
        id=_name(at(stream.id, raw)) or truck,
        time=instant(stamp, stream.time_format, zone, by),
        stamp=stamp,
        received=instant(at(stream.received, raw), stream.time_format, zone, by),
        truck=truck,
        moving=_moving(at(stream.moving, raw)),
        values={name: at(expression, raw) for name, expression in stream.values.items()},
        raw=raw,
        engine=_engine(at(stream.engine, raw)),
        speed=_speed(at(stream.moving, raw), stream.speed_unit),
        driver=_name(at(stream.driver, raw)),
        duty=_name(at(stream.duty, raw)),
        until=instant(at(stream.until, raw), stream.time_format, zone, by),
        malfunction=_malfunction(at(stream.malfunction, raw)),
        malfunction_kind=_name(at(stream.malfunction_kind, raw)),
    )


def instant(raw: Any, form: str, zone: ZoneInfo, by: float | None = None) -> Moment:
    """The instant in a vendor's value: of any form, of seconds or milliseconds, or as a pattern of strptime says."""
    if form == "auto" or raw is None:
        return moment(raw, zone, by)
    if form in ("s", "ms"):
        number = number_of(raw)
        # Read as what it should be: milliseconds that are seconds are in 1970, and no instant at all.
        return None if number is None else judged(number / 1000 if form == "ms" else number)
    try:
        parsed = datetime.strptime(str(raw).strip(), form)
    except ValueError:
        return None
    if parsed.tzinfo is None and "%Z" in form and str(raw).strip().upper().endswith(("GMT", "UTC", "Z")):
        # Python reads the name and forgets it.
        parsed = parsed.replace(tzinfo=UTC)
    return moment(parsed.isoformat(), zone, by)


def number_of(raw: Any) -> float | None:
    """A number, also one that is written as text, 1,234.5 too; None for anything else, NaN and infinity."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        number = float(raw.replace(",", "") if isinstance(raw, str) and _GROUPED.fullmatch(raw.strip()) else raw)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _name(raw: Any) -> str:
    return "" if raw is None or isinstance(raw, bool | dict | list) else str(raw).strip()


def _engine(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else _ENGINES.get(str(raw).casefold())


def _malfunction(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else _MALFUNCTIONS.get(str(raw).casefold())


def _speed(raw: Any, unit: SpeedUnit | None) -> float | None:
    number = None if isinstance(raw, bool) else number_of(raw)
    return None if number is None or unit is None else number * SPEED_UNITS[unit]


def _moving(raw: Any) -> bool | None:
    if isinstance(raw, bool):
        return raw
    speed = number_of(raw)
    return None if speed is None else speed > _MOVING_ABOVE

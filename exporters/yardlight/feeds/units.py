"""Values that are suddenly told in another unit: miles as kilometers, milliseconds as seconds. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from yardlight.feeds.extract import number_of
from yardlight.feeds.memory import Memory, Seen
from yardlight.feeds.record import Breach, Record
from yardlight.moment import NEVER

# What a value is multiplied by where its unit changes: miles and kilometers, meters, feet, gallons and liters, pounds
# and kilograms, hours, minutes and seconds, thousandths and the like.
_FACTORS = (1.609344, 1609.344, 3.28084, 3.785412, 2.204623, 3.6, 60.0, 3600.0, 10.0, 100.0, 1000.0, 1e6)
_SAME = 0.02
_LEAST_TRUCKS, _MOST = 3, 0.8
# So often a value has to be nearly what it was before a jump of it means anything: speeds never are.
_STEADY = 5
# A number of seconds or milliseconds that stands for an instant, read in whatever unit.
_NO_ZERO = 1e8


def factor_of(ratio: float) -> float | None:
    """The change of unit that this ratio is; None if it is none."""
    for factor in _FACTORS:
        for each in (factor, 1 / factor):
            if abs(ratio / each - 1) <= _SAME:
                return each
    return None


def changed_units(records: Sequence[Record], before: Mapping[str, Seen], memory: Memory) -> Iterator[Breach]:
    """Fields whose values jumped by the same factor for most trucks, until they jump back."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for record in records:
        known = before.get(record.truck or record.id)
        for name, value in record.values.items():
            old, new = known.values.get(name) if known else None, number_of(value)
            if old and new:
                ratios[name].append(new / old)
    for name, found in ratios.items():
        if len(found) < _LEAST_TRUCKS:
            continue
        same = sum(abs(ratio - 1) <= _SAME for ratio in found)
        factor, times = Counter(factor_of(ratio) for ratio in found).most_common(1)[0]
        if same >= _MOST * len(found):
            memory.steady[name] = memory.steady.get(name, 0) + 1
        elif factor is not None and times >= _MOST * len(found) and memory.steady.get(name, 0) >= _STEADY:
            scale = memory.scale.get(name, 1.0) * factor
            memory.scale[name] = 1.0 if abs(scale - 1) <= 2 * _SAME else scale
        else:
            memory.steady[name] = 0
    for name, scale in memory.scale.items():
        if scale != 1.0:
            yield Breach("unit", name, max(1, len(records)), f"{scale:g} times what it was")


def shape(stamp: Any) -> str:
    """How a time is written: s, ms, iso, iso without a zone, date, us; empty for what is none."""
    number = number_of(stamp)
    if number is not None:
        return "" if number <= 0 else "ms" if number >= 1e11 else "s"
    text = str(stamp).strip() if isinstance(stamp, str) else ""
    if re.match(r"\d{4}-\d\d-\d\d[T ]+\d", text):
        return "iso" if re.search(r"(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)$", text, re.IGNORECASE) else "iso without a zone"
    if re.match(r"\d{4}-\d\d-\d\d$", text):
        return "date"
    return "us" if re.match(r"\d{1,2}/\d{1,2}/\d{4}", text) else ""


def changed_times(records: Sequence[Record], field: str, adds_up: bool, memory: Memory) -> Iterator[Breach]:
    """The field of the time, if most records write it in another way than before, or none in one that can be read."""
    stamped = [each for each in records if each.stamp is not None]
    # Trucks with a broken clock are nobody's contract; where only news are told, they may be all that there is.
    of_all = len(stamped) >= _LEAST_TRUCKS and not (adds_up and memory.highest is not None)
    if of_all and all(_unread(each) for each in stamped):
        yield Breach("time_unit", field, len(stamped), "no time that can be read")
        return
    shapes = Counter(found for each in records if (found := shape(each.stamp)))
    if not shapes:
        return
    most, times = shapes.most_common(1)[0]
    memory.stamp = memory.stamp or most
    if most != memory.stamp:
        yield Breach("time_unit", field, times, f"{most} where it was {memory.stamp}")


def _unread(record: Record) -> bool:
    """Whether its time is no instant, and not one of the zeros that stand for never."""
    number = number_of(record.stamp)
    return record.time is None or (record.time == NEVER and number is not None and number > _NO_ZERO)

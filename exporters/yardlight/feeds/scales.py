"""Whether numbers are in the unit they were in: their distribution against the one that was learned.

For each known change of unit it is asked how much better the numbers fit when the change is undone (a logarithm of
likelihoods). A distribution with a wide spread needs many numbers for a small factor; for a thousand, a few say enough.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median

from yardlight.feeds.shape import decimals, sample

KNOTS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
# Of fewer numbers no distribution is learned.
EVIDENCE = 30
# Of fewer numbers than that only changes by large factors are judged.
_PLENTY, _LARGE = 200, math.log(8)
# Numbers of one reply that are looked at.
_LOOK_AT = 300
# How much more likely the change must make the numbers (natural logarithm), and what it counts that they have more
# decimals than there ever were. A factor of which nobody knows a unit must do better by so much.
_ENOUGH, _FINER, _NAMELESS = 16.0, 10.0, 10.0
# Numbers of one reply vary together: what replies that were learned from reached by themselves counts so many times.
_NOISE = 2.0
_SMALLEST = math.log(1.25)
# More decimals than that are nobody's choice.
_CHOSEN = 8
# A change of unit shows so much of itself (in logarithms) in the median from one answer to the next.
_MOST_OF_IT = 0.6
# An epoch in these units lies between 2001 and 2052.
_EPOCH = (1.0e9, 2.6e9)
EPOCHS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}


@dataclass(frozen=True)
class Change:
    """A change of unit: new = factor * old + offset."""

    name: str
    factor: float
    offset: float = 0.0

    def undone(self, number: float) -> float:
        return (number - self.offset) / self.factor

    def is_step(self, before: float, now: float) -> bool:
        """Whether levels that were so large one after the other tell of this change; seasons go step by step."""
        return before > 0 and now > 0 and math.log(now / before) / math.log(self.factor) > _MOST_OF_IT


def _both_ways(one: str, other: str, factor: float) -> list[Change]:
    return [Change(f"{one} to {other}", factor), Change(f"{other} to {one}", 1 / factor)]


CHANGES = [
    *_both_ways("miles", "kilometers", 1.609344),
    *_both_ways("m/s", "km/h", 3.6),
    *_both_ways("m/s", "mph", 2.236936),
    *_both_ways("knots", "km/h", 1.852),
    *_both_ways("gallons", "liters", 3.785412),
    *_both_ways("meters", "feet", 3.28084),
    *_both_ways("kilograms", "pounds", 2.204623),
    *_both_ways("inches", "centimeters", 2.54),
    *_both_ways("psi", "kPa", 6.894757),
    *_both_ways("miles", "meters", 1609.344),
    *_both_ways("tens", "ones", 10.0),
    *_both_ways("shares", "percent", 100.0),
    *_both_ways("kilo-", "base units", 1e3),
    *_both_ways("millions", "ones", 1e6),
    *_both_ways("minutes", "seconds", 60.0),
    *_both_ways("hours", "seconds", 3600.0),
    *_both_ways("days", "hours", 24.0),
    Change("Celsius to Fahrenheit", 1.8, 32.0),
    Change("Fahrenheit to Celsius", 1 / 1.8, -32.0 / 1.8),
]
# How exactly vendors know a mile: numbers with few decimals come out even only by the factor they were made with.
_SPELLED = [
    *(Change("miles to kilometers", each) for each in (1.6, 1.609, 1.6093, 1.60934)),
    *(Change("kilometers to miles", each) for each in (0.62, 0.621, 0.6214, 0.62137, 0.621371)),
    *(Change("gallons to liters", each) for each in (3.785, 3.7854)),
    *(Change("liters to gallons", each) for each in (0.264, 0.2642, 0.264172)),
    *(Change("meters to feet", each) for each in (3.28, 3.281)),
    *(Change("m/s to mph", each) for each in (2.237, 2.23694)),
    *(Change("mph to m/s", each) for each in (0.447, 0.44704)),
    *(Change("kilograms to pounds", each) for each in (2.2, 2.205, 2.2046)),
    *(Change("pounds to kilograms", each) for each in (0.4536, 0.453592)),
    *(Change("km/h to m/s", each) for each in (0.2778, 0.277778)),
    *(Change("km/h to knots", each) for each in (0.54, 0.539957)),
    *CHANGES,
]


@dataclass(frozen=True)
class Scale:
    """A learned distribution: its values at `KNOTS`, of how many numbers, with at most how many decimals.

    `noise` is how much a change of unit seemed likely in the replies that were learned from.
    """

    knots: tuple[float, ...]
    count: int
    decimals: int
    noise: float = 0.0

    def covers(self, numbers: Sequence[float]) -> bool:
        """Whether the numbers could come from this distribution, for one that is looked for under another name."""
        numbers = [each for each in numbers if each]
        low, high = self.knots[0], self.knots[-1]
        room = 0.25 * (high - low) or 0.05 * abs(high)
        return sum(low - room <= each <= high + room for each in numbers) >= 0.8 * len(numbers)

    def change(self, numbers: Sequence[float]) -> Change | None:
        """The change of unit that the numbers went through, if that is beyond doubt."""
        numbers = sample([each for each in numbers if each], _LOOK_AT)
        gain, change = self.gain(numbers, finer=self._finer(numbers))
        if change is None or (self.count < _PLENTY and abs(math.log(change.factor)) < _LARGE):
            return None
        return change if gain > _ENOUGH + _NOISE * self.noise else None

    def gain(self, numbers: Sequence[float], *, finer: bool = False) -> tuple[float, Change | None]:
        """How much better the numbers fit without the change that explains them best, and which that is.

        `finer` numbers have more decimals than there ever were: some change of unit gave them these.
        """
        best: tuple[float, Change | None] = (0.0, None)
        if not numbers or not (candidates := [*self._candidates(numbers), *(_SPELLED if finer else ())]):
            return best
        base = [self._log_mass(each, 1.0, each) for each in numbers]
        for change in candidates:
            fit = sum(
                self._log_mass(change.undone(each), change.factor, each) - before
                for each, before in zip(numbers, base, strict=True)
            )
            fit -= 0.0 if change.name else _NAMELESS
            if finer:
                fit += _FINER + self._evened(numbers, change)
            if fit > best[0]:
                best = (fit, change)
        return best

    def _candidates(self, numbers: Sequence[float]) -> Iterator[Change]:
        """Changes that bring some quantile near to what it was; the ratio itself for a factor without a name."""
        ordered = sorted(numbers)
        ratios = []
        for one, other in ((7, None), (11, 3), (12, None)):
            was = self.knots[one] - (self.knots[other] if other is not None else 0.0)
            now = _at(ordered, KNOTS[one]) - (_at(ordered, KNOTS[other]) if other is not None else 0.0)
            if was and now / was > 0:
                ratios.append(now / was)
        logs = [math.log(each) for each in ratios if abs(math.log(each)) > _SMALLEST / 2]
        middle, was = _at(ordered, 0.5), self.knots[7]
        for change in CHANGES:
            if change.offset:
                if abs(change.undone(middle) - was) < abs(middle - was):
                    yield change
            elif any(abs(math.log(change.factor) - each) < 0.5 for each in logs):
                yield change
        yield from (Change("", math.exp(each)) for each in logs if abs(each) > _SMALLEST)

    def _log_mass(self, number: float, factor: float, found: float) -> float:
        """The logarithm of the chance of a number within its resolution; `found` is as it stands in the reply."""
        half = self._half / factor
        inside = self._below(number + half) - self._below(number - half)
        # What fits nowhere is as likely on each order of magnitude, over 20 of them in base e.
        astray = min(1.0, 2 * self._half / (20 * abs(found)))
        doubt = 1 / (self.count + 2)
        return math.log((1 - doubt) * inside + doubt * astray)

    @cached_property
    def _half(self) -> float:
        spread = self.knots[11] - self.knots[3]
        return max(0.5 * 10.0**-self.decimals, 0.01 * spread, 1e-6 * abs(self.knots[7]))

    def _below(self, number: float) -> float:
        """The learned share of numbers up to this one."""
        knots = self.knots
        if number < knots[0]:
            return 0.0
        index = bisect_right(knots, number) - 1
        if index >= len(knots) - 1:
            return 1.0
        low, high = knots[index], knots[index + 1]
        return KNOTS[index] + (number - low) / (high - low) * (KNOTS[index + 1] - KNOTS[index])

    def _finer(self, numbers: Sequence[float]) -> bool:
        return self.decimals <= _CHOSEN and sum(decimals(each) > self.decimals for each in numbers) > len(numbers) / 2

    def _evened(self, numbers: Sequence[float], change: Change) -> float:
        """How unlikely it is that without the change the numbers have no more decimals than there ever were.

        As a natural logarithm; 0 if they have. A factor that evens their neighbors as well, as ten does, says nothing.
        """
        step = 10.0 ** -max(map(decimals, numbers))
        if not all(_even(change.undone(each), self.decimals, step / change.factor) for each in numbers):
            return 0.0
        # Of numbers with more decimals than anybody chose, the neighbors are as near as tells them apart.
        near = max(step, 0.01 * change.factor * 10.0**-self.decimals)
        others = [each + shift * near for each in numbers for shift in (-17, -13, -7, -3, 3, 7, 13, 17)]
        evened = sum(_even(change.undone(each), self.decimals, step / change.factor) for each in others)
        return -len(numbers) * math.log((1 + evened) / (1 + len(others)))


def learned(replies: Sequence[Sequence[float]]) -> Scale | None:
    """The distribution of the numbers of these replies; None of too few."""
    scale = _distribution(replies)
    if scale.count < EVIDENCE:
        return None
    return replace(scale, noise=max(_noise(replies[half::2], replies[1 - half :: 2]) for half in (0, 1)))


def _distribution(replies: Sequence[Sequence[float]]) -> Scale:
    numbers = sorted(each for reply in replies for each in reply if each)
    finest = max(map(decimals, sample(numbers, 5000)), default=0)
    if not finest and not all(isinstance(each, int) for each in numbers):
        # 40.0 is not counted in whole numbers; it only happens to be one.
        finest = _CHOSEN + 1
    return Scale(tuple(_at(numbers, share) for share in KNOTS) if numbers else (), len(numbers), finest)


def _noise(replies: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    """How far the replies seem to be in another unit than the others, which they are not."""
    scale = _distribution(others)
    if scale.count < EVIDENCE:
        return 0.0
    tried = [sample([each for each in reply if each], _LOOK_AT) for reply in sample(replies, 20)]
    return max((scale.gain(each)[0] for each in tried if each), default=0.0)


def level(numbers: Sequence[float]) -> float:
    """The median size of the numbers that are not zero; 0 if there are none."""
    sizes = [abs(each) for each in numbers if each]
    return median(sizes) if sizes else 0.0


def epoch(numbers: Sequence[float]) -> str | None:
    """The unit in which these numbers, but for a few, are times since 1970; None if they are none."""
    said = [each for each in numbers if each]
    for unit, per_second in EPOCHS.items():
        if said and sum(_EPOCH[0] <= each / per_second <= _EPOCH[1] for each in said) >= 0.8 * len(said):
            return unit
    return None


def _at(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def _even(number: float, places: int, step: float) -> bool:
    """Whether a number has so many decimals at most, but for what rounding to `step` may have done to it."""
    shifted, rounded = number * 10.0**places, 0.5001 * step * 10.0**places
    off = abs(shifted - round(shifted))
    return off <= max(1e-6, min(rounded, 0.2), 1e-14 * abs(shifted)) and abs(shifted) < 1e13

"""What a feed's records look like, learned from its replies: which fields, of which type, how often, in which unit.

A contract says only what there was evidence for. A field that was missing once may be missing; of what was seen a few
times nothing is said but that it exists.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yardlight.feeds import scales, shares
from yardlight.feeds.scales import Scale
from yardlight.feeds.shape import ANY, ITEM, Found, Path, Shape, shape
from yardlight.feeds.shares import Share

# Words that are about equally frequent show all of them early: so many values of each say enough then.
_EVEN, _PER_EVEN_WORD = 0.3, 15
# More different texts are no enumeration, nor are those of which many were seen once only.
_MOST_WORDS = 40
_PER_WORD = 4
# In so many replies a field must have been to be missed, and of so many values a rule is made; or in this part of all
# that there were, where they were few.
_REPLIES, _VALUES, _PART = 20, 200, 0.8
# Numbers of things are no measurements: they grow, and nothing is said about their size.
_IDENTIFIER = re.compile(r"(^|_)(ids?|number|version|cursor|seq|sequence)$|(I[dD]s?|Number|Version|Cursor|Sequence)$")
_UNIT = re.compile(r"unit|uom|currency", re.IGNORECASE)


@dataclass(frozen=True)
class Expected:
    """What is known of a field. `of` are the places where it could have been, in `replies` replies.

    An `open` object may have other fields than those that are known. `missing` and `nothing` (null, or a spelling of
    it) are None where nothing is said about how often; `firm` says that there was enough to miss it.
    """

    types: frozenset[str]
    of: int
    replies: int
    missing: Share | None = None
    firm: bool = False
    nothing: Share | None = None
    words: frozenset[str] | None = None
    epoch: str | None = None
    scale: Scale | None = None
    open: bool = False

    @property
    def values(self) -> int:
        """How many values there were that are something."""
        return self.of if self.nothing is None else self.nothing.of - self.nothing.count

    @property
    def required(self) -> bool:
        """Whether it must be there in each record."""
        return self.firm and self.missing is not None and self.missing.count == 0 and self.of >= shares.EVIDENCE


@dataclass(frozen=True)
class Contract:
    """The fields by their path, and from how much they were learned."""

    fields: Mapping[Path, Expected]
    replies: int
    records: int
    about: Mapping[str, Any] = field(default_factory=dict)


def learn(replies: Iterable[Any]) -> Contract:
    """The contract that these replies, each a list of records, keep."""
    shapes = [shape(reply) for reply in replies]
    paths = sorted({path for each in shapes for path in each})
    fields = {path: _expected(path, shapes) for path in paths}
    records = sum(each[()].total for each in shapes if () in each)
    return Contract(fields, len(shapes), records)


def places(path: Path, found: Shape) -> int:
    """In how many objects a field could have been."""
    parent = found.get(path[:-1]) if path else None
    return parent.types["object"] if parent else 0


def can_miss(path: Path) -> bool:
    """Whether it is a field that an object may lack; an element of a list cannot be missing."""
    return bool(path) and path[-1] not in (ITEM, ANY)


def _expected(path: Path, shapes: Sequence[Shape]) -> Expected:
    here = [(each, each[path]) for each in shapes if path in each]
    found = [each for _, each in here]
    missing, firm = None, False
    of, replies = sum(each.total for each in found), len(found)
    if can_miss(path):
        spots = [(places(path, each), each[path].total if path in each else 0) for each in shapes]
        missing = shares.learned([(spot - total, spot) for spot, total in spots])
        of, replies = missing.of, missing.replies
        # A field may be in all records of a reply or in none: a few replies with all do not say that it must be there.
        firm = missing.count > 0 or replies >= min(_REPLIES, _PART * len(shapes))
    nothing = shares.learned([(each.types["null"], each.total) for each in found])
    types = frozenset(name for each in found for name in each.types if name != "null")
    measured = bool(path) and not _IDENTIFIER.search(_name(path))
    numbers = [each.numbers for each in found]
    if types == {"integer"} and sum(bool(number) for each in numbers for number in each) < scales.EVIDENCE:
        # Of zeros alone nobody knows whether they are counted or measured: what stands at night moves by day.
        types = frozenset({"number"})
    epoch = scales.epoch([number for each in numbers for number in each]) if measured else None
    records = sum(each[()].total for each in shapes if () in each)
    rule = sum(each.said for each in found) >= max(scales.EVIDENCE, min(_VALUES, _PART * records))
    return Expected(
        types=types,
        of=of,
        replies=replies,
        missing=missing,
        firm=firm,
        nothing=nothing,
        words=_words(path, found, rule),
        epoch=epoch,
        scale=scales.learned(numbers) if measured and epoch is None else None,
    )


def _name(path: Path) -> str:
    """The last name on a path that is one."""
    return next((part for part in reversed(path) if part not in (ITEM, ANY)), "")


def _words(path: Path, found: Sequence[Found], plenty: bool) -> frozenset[str] | None:
    """The words of an enumeration; None for texts that are free, dates, or names of things, and of too few values."""
    if any(each.types["date-time"] for each in found):
        return None
    counts = Counter(text for each in found for text in each.texts)
    if not counts or len(counts) > _MOST_WORDS or counts.total() < _PER_WORD * len(counts):
        return None
    if len(counts) == 1 and not _UNIT.search(_name(path)):
        # Of a constant nobody knows whether it is a word of the vendor's or the customer's own name.
        return None
    mean = counts.total() / len(counts)
    if not plenty and (mean < _PER_EVEN_WORD or min(counts.values()) < _EVEN * mean):
        return None
    if _still_growing(found) or _names_of_things(counts) or not _repeats(found):
        return None
    return frozenset(counts)


def _still_growing(found: Sequence[Found]) -> bool:
    """Whether one half of what there was has words that the other one does not have."""
    texts = [each.texts for each in found] if len(found) > 1 else [[text] for text in found[0].texts]
    halves = [{text for each in texts[half::2] for text in each} for half in (0, 1)]
    return halves[0] != halves[1]


def _names_of_things(words: Iterable[str]) -> bool:
    """Whether the words differ by their numbers: T-101, T-102."""
    words = list(words)
    templates = Counter(re.sub(r"\d+", "9", each) for each in words)
    alike = sum(count for template, count in templates.items() if "9" in template and count > 1)
    numbers = sum(each.replace(".", "").isdigit() for each in words)
    return alike > len(words) / 3 or numbers == len(words)


def _repeats(found: Sequence[Found]) -> bool:
    """Whether words stand in more than one record of a reply, as names of things do not."""
    several = [each.texts for each in found if len(each.texts) >= 8]
    return not several or any(len(set(each)) <= 0.7 * len(each) for each in several)

"""How surprising it is that something is missing so often: fields come and go, by the record and by the reply.

What was learned is a share and how much of its variation lies between replies (`clustering`: 0 when each record is on
its own, 1 when a field is in all records of a reply or in none). The chance of a count is beta-binomial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Of fewer places in which something was always there it is not said that it must be.
EVIDENCE = 50
# What never happened in so many places is a rule: one record without it says enough. (What is missing in 2 % of them
# would have been missing once by then, but for 2 in 1 000 such fields.)
CERTAIN = 300
# So unlikely must a count be to be told; and where what never happened now happens everywhere.
_UNLIKELY, _UNLIKELY_EVERYWHERE = 1e-5, 5e-5
# So many records of one reply are worth as evidence as one of their own each.
_PER_REPLY = 10
_DOUBT = 0.5
_MOST = 500


@dataclass(frozen=True, slots=True)
class Share:
    """Something happened `count` times in `of` places of `replies` replies."""

    count: int
    of: int
    replies: int
    clustering: float = 0.0

    def chance(self, count: int, of: int) -> float:
        """How likely it is to happen as often as `count` times in `of` places, or more often."""
        if count <= 0 or of <= 0:
            return 1.0
        if of > _MOST:
            count, of = math.ceil(count * _MOST / of), _MOST
        weight = min(float(self.of), float(_PER_REPLY * self.replies))
        # A few replies do not say how much lies between them.
        clustering = max(self.clustering, _DOUBT / self.replies if self.count and self.replies else 0.0)
        if clustering > 0:
            weight = min(weight, (1 - clustering) / clustering)
        weight = max(weight, 1e-3)
        share = (self.count + 0.5) / (self.of + 1)
        yes, no = share * weight, (1 - share) * weight
        return min(1.0, sum(math.exp(_log_chance(each, of, yes, no)) for each in range(count, of + 1)))

    def refutes(self, count: int, of: int) -> bool:
        """Whether so many times say that something changed."""
        if self.of < EVIDENCE or not 0 < count <= of:
            return False
        if count == of and self.count == 0:
            return self.of >= CERTAIN or self.chance(count, of) < _UNLIKELY_EVERYWHERE
        return self.chance(count, of) < _UNLIKELY


def learned(counts: Sequence[tuple[int, int]]) -> Share:
    """The share in replies of (count, of) each."""
    counts = [(count, of) for count, of in counts if of]
    total, of_all = sum(count for count, _ in counts), sum(of for _, of in counts)
    return Share(total, of_all, len(counts), _clustering(counts, total, of_all))


def _clustering(counts: Sequence[tuple[int, int]], total: int, of_all: int) -> float:
    """The intraclass correlation, by the analysis of variance."""
    if len(counts) < 2 or total in (0, of_all) or of_all == len(counts):
        return 0.0
    share = total / of_all
    between = sum(of * (count / of - share) ** 2 for count, of in counts) / (len(counts) - 1)
    within = sum(count * (of - count) / of for count, of in counts) / (of_all - len(counts))
    size = (of_all - sum(of * of for _, of in counts) / of_all) / (len(counts) - 1)
    whole = between + (size - 1) * within
    return min(1.0, max(0.0, (between - within) / whole)) if whole > 0 else 0.0


def _log_chance(count: int, of: int, yes: float, no: float) -> float:
    """The logarithm of the beta-binomial probability of `count`."""
    ways = math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
    return ways + _log_beta(count + yes, of - count + no) - _log_beta(yes, no)


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)

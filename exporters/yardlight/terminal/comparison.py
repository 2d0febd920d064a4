"""The router's word against what is observed: do they name the same uplink? Pure; times are monotonic seconds.

A word counts only if it was asked for after the yard had been carried by the observed uplink for a moment, since a
router may be busy moving. It takes the same answer twice, some seconds apart, to change what is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# What is observed may be this much behind or ahead of the router's own tables.
SETTLE = 3.0
# A second word sooner than this is the same word.
APART = 8.0


@dataclass(slots=True)
class Comparison:
    """What is believed: they differ, they agree, or it is not known (None). `word` and `observed` are what differ."""

    differ: bool | None = None
    word: str | None = None
    observed: str | None = None
    observed_since: float = field(default=float("-inf"))
    _doubted: float | None = None

    def see(self, observed: str | None, now: float) -> bool:
        """What is observed now; True if that is news, so that a new word is wanted."""
        if observed == self.observed:
            return False
        self.observed, self.observed_since, self._doubted = observed, now, None
        if observed is None:
            self.differ = None
        return observed is not None

    def hear(self, word: str | None, asked: float) -> float | None:
        """The router's word, asked for at `asked`, None if it has none; in how many seconds to ask again, if soon."""
        self.word = word
        if word is None or self.observed is None:
            self.differ = self._doubted = None
            return None
        if asked < self.observed_since + SETTLE:
            return self.observed_since + SETTLE - asked
        differ = word != self.observed
        if differ == self.differ or (self.differ is None and not differ):
            self.differ, self._doubted = differ, None
            return None
        if self._doubted is None:
            self._doubted = asked
        if asked < self._doubted + APART:
            return self._doubted + APART - asked
        self.differ, self._doubted = differ, None
        return None

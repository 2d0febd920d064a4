"""What is remembered of calls: which ones came already, and which numbers were skipped. Bounded, whatever comes."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable

# So many calls are known again: at a thousand a second those of the last minute and a half, at one a second of a day.
REMEMBERED = 100_000
# Runs of skipped numbers; of more than these the oldest are given up.
HOLES = 200
# A number that lies so far back is no late call: the vendor counts anew.
ANEW = 100_000


class Remembered:
    """The last calls by their names, each as eight bytes."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._known: set[int] = set()
        self._order: deque[int] = deque()

    def seen(self, name: bytes) -> bool:
        """Whether a call of this name came already; from now on it did."""
        digest = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())
        if digest in self._known:
            return True
        if len(self._order) >= self._size:
            self._known.discard(self._order.popleft())
        self._known.add(digest)
        self._order.append(digest)
        return False


class Numbers:
    """Numbers that a vendor counts its calls with: those that were skipped and have not come since."""

    def __init__(self, highest: int | None = None, holes: Iterable[tuple[int, int]] = ()) -> None:
        """As `kept` told them: the highest number, and runs of missing ones, first and last, in their order."""
        self.highest = highest
        self._holes: deque[tuple[int, int]] = deque((first, last) for first, last in holes)

    @property
    def kept(self) -> tuple[int | None, list[tuple[int, int]]]:
        """All of it, JSON-able."""
        return self.highest, list(self._holes)

    @property
    def missing(self) -> int:
        """How many are missing now."""
        return sum(last - first + 1 for first, last in self._holes)

    def came(self, number: int) -> None:
        """A call of this number came."""
        if self.highest is None or number <= self.highest - ANEW:
            self.highest = number
            self._holes.clear()
        elif number > self.highest:
            if number > self.highest + 1:
                self._holes.append((self.highest + 1, number - 1))
            self.highest = number
            while len(self._holes) > HOLES:
                self._holes.popleft()
        else:
            self._fill(number)

    def _fill(self, number: int) -> None:
        for index, (first, last) in enumerate(self._holes):
            if first <= number <= last:
                left = [run for run in ((first, number - 1), (number + 1, last)) if run[0] <= run[1]]
                del self._holes[index]
                for run in reversed(left):
                    self._holes.insert(index, run)
                return

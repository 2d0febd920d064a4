"""Bytes as decisions: the same bytes always lead to the same input, so a finding is a file that can be tried again."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

# What vendors, spreadsheets and other people's bugs have put where something else belonged.
STRANGE: tuple[Any, ...] = (
    None, "", "n/a", "0", "-1", -1, 0, 1, 1.5, 1e308, -1e308, float("inf"), float("nan"), True, False, [], {}, ["x"],
    {"x": 1}, "12", "1e999", 10**30, -(10**30), 10**400, 253402300800, 99999999999999, "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z", "2026-02-30", "25:61", "NaN", "Infinity", "\x00", "<html>", "a" * 3000, "\U0001f4a5", "٣",
    "2026-11-01T01:30:00", [[[]]], [None], "8901260000000000001", "{iccid}", "../../etc/passwd", "=1+1", "\ud800",
)  # fmt: skip
_MOST = 4


class Choices:
    """Decisions out of bytes; when they are used up, always the first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, number: int) -> int:
        """A number from 0 to one less than this."""
        taken = self._data[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(taken, "little") % number if number else 0

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def text(self) -> str:
        """The bytes that are left, as text."""
        left, self._at = self._data[self._at :], len(self._data)
        return left.decode("utf-8", "replace")

    def strange(self) -> Any:
        """Something that does not belong where it is put."""
        number = self.below(len(STRANGE) + 1)
        return copy.deepcopy(STRANGE[number]) if number < len(STRANGE) else self.text()


def spoiled(content: Any, choices: Choices) -> Any:
    """A copy of JSON that was changed in up to four places: another value, one more, one less, another name."""
    content = copy.deepcopy(content)
    for _ in range(choices.below(_MOST + 1)):
        places = list(_places(content))
        if not places:
            return content
        within, key = choices.one_of(places)
        act = choices.below(5)
        if act == 1:
            del within[key]
        elif act == 2 and isinstance(within, dict):
            within[f"{key}X"] = within.pop(key)
        elif act == 2:
            within.insert(key, copy.deepcopy(within[key]))
        elif act == 3 and isinstance(within, list):
            within.reverse()
        else:
            within[key] = choices.strange()
    return content


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield content, key
        yield from _places(content[key])

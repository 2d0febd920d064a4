"""How a page leads to the next one, in the styles that vendors have. An empty page is not the end where they say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from yardlight.errors import IncompleteError
from yardlight.feeds.extract import number_of, records_in
from yardlight.feeds.places import at
from yardlight.inventory.feeds import Paging, Stream

# Each link of a Link header with its parameters, in which commas may stand in quotes; and what it leads to.
_LINK = re.compile(r"""<([^>]*)>((?:"[^"]*"|'[^']*'|[^,<])*)""")
_REL = re.compile(r""";\s*rel\s*=\s*["']?([^"';]*)""", re.IGNORECASE)
# How flags are written that are none in JSON.
_FLAGS = {**dict.fromkeys(("true", "yes", "y", "1"), True), **dict.fromkeys(("false", "no", "n", "0"), False)}
# Rows come and go while pages are read.
_COUNT_DIFFERS = 0.02


class Pager:
    """Follows the pages of one collection. `cursor` is the last one that was given, `count` the records so far."""

    def __init__(self, stream: Stream, cursor: Any = None) -> None:
        self._stream, self._paging = stream, stream.paging
        self._sent: Any = cursor
        self.cursor: Any = cursor
        self.count = self._listed = 0
        self._page = self._paging.first if self._paging else 0

    def first(self) -> dict[str, Any]:
        """The parameters of the first page."""
        paging = self._paging
        if paging is None:
            return {}
        if paging.page is not None:
            return {paging.page: paging.first}
        if paging.offset is not None:
            return {paging.offset: 0}
        return {paging.param: self.cursor} if paging.param is not None and self.cursor is not None else {}

    def step(self, content: Any, headers: Mapping[str, str]) -> str | Mapping[str, Any] | None:
        """What leads from this page to the next one; None at the end."""
        self.count += records_in(content, self._stream.records)
        # What vendors count are the outer ones, where records lie in each other.
        here = records_in(content, self._stream.records[:1])
        self._listed += here
        paging = self._paging
        if paging is None:
            return None
        if paging.header is not None:
            return _linked(headers.get("link", ""))
        if paging.next is not None:
            link = at(paging.next, content)
            return link if isinstance(link, str) and link and self._more(paging, content) is not False else None
        if paging.cursor is not None:
            return self._by_cursor(paging, content, here)
        if not self._goes_on(paging, content, here):
            return None
        self._page += 1
        return {paging.page: self._page} if paging.page is not None else {str(paging.offset): self._listed}

    def check(self, content: Any) -> None:
        """Raises `IncompleteError` if the last page counts more records than came."""
        total = number_of(at(self._paging.total, content)) if self._paging else None
        if total is not None and self._listed < total - max(5, total * _COUNT_DIFFERS):
            raise IncompleteError(f"{self._listed} records, where the vendor counts {total:.0f}")

    def _by_cursor(self, paging: Paging, content: Any, here: int) -> Mapping[str, Any] | None:
        given, more = at(paging.cursor, content), self._more(paging, content)
        # False and 0 are how some write that there is none.
        if given in (None, "", 0):
            return None
        same, self.cursor, self._sent = given == self._sent, given, given
        if more is None:
            # Nothing says whether there is another page: one that is not full is the last, and where cursors are kept
            # one that leads to itself.
            more = not (same and paging.keep) and here > 0 and (paging.size is None or here >= paging.size)
        return {str(paging.param): given} if more else None

    def _goes_on(self, paging: Paging, content: Any, here: int) -> bool:
        if (more := self._more(paging, content)) is not None:
            return more
        total = number_of(at(paging.total, content))
        if total is not None and here:
            return self._listed < total
        return here > 0 and (paging.size is None or here >= paging.size)

    def _more(self, paging: Paging, content: Any) -> bool | None:
        said = at(paging.more, content)
        return said if isinstance(said, bool) else _FLAGS.get(str(said).casefold())


def _linked(header: str) -> str | None:
    """The next page by a Link header (RFC 8288); some write <None> for none."""
    for target, parameters in _LINK.findall(header):
        rel = _REL.search(parameters)
        if rel and "next" in rel[1].lower().split():
            return target if target not in ("", "None") else None
    return None

"""Asks for the records of a stream as it is described: page by page, or file by file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from yardlight import drop
from yardlight.client import Client, Reply, merged
from yardlight.collection import Session
from yardlight.errors import ApiError, BadReplyError, IncompleteError
from yardlight.feeds.extract import NOTHING, extract
from yardlight.feeds.paging import Pager
from yardlight.feeds.places import at
from yardlight.feeds.record import About, Told
from yardlight.feeds.strict import read as read_json
from yardlight.inventory.feeds import PLACEHOLDER, Stream

# How far back the first collection of all looks.
_FIRST_LOOK = 86400.0
_ERROR_SHOWN = 80
_CHARSET = re.compile(r"charset=\"?([\w-]+)", re.IGNORECASE)
# Clocks of vendors are ahead by so much, and nobody minds.
_AHEAD = 60.0


@dataclass(frozen=True)
class Fetched:
    """The pages of one collection, what else is known of them, and by when they were all there (unix seconds)."""

    pages: list[Any]
    about: About
    by: float | None = None


def told(fetched: Fetched, stream: Stream, zone: ZoneInfo) -> Iterator[Told]:
    """What was fetched, as records. Pure."""
    yield fetched.about
    yield from extract(fetched.pages, stream, zone, fetched.by)


def read(stream: Stream, client: Client, session: Session, zone: ZoneInfo) -> Fetched:
    """All pages of a stream now. Raises `PollError`."""
    memory, now = session.memory or {}, session.clock()
    cursor = memory.get("cursor") if stream.paging is not None and stream.paging.keep else None
    try:
        fetched, pager = _pages(stream, client, session, zone, cursor)
    except BadReplyError:
        if cursor is None:
            raise
        # Cursors end after a while (Samsara: 30 days).
        fetched, pager = _pages(stream, client, session, zone, None)
    stuck = memory.get("stuck", 0) + 1 if cursor is not None and pager.cursor == cursor and pager.count else 0
    session.memory = {"since": now, "cursor": pager.cursor, "stuck": stuck}
    return Fetched(fetched.pages, About(stuck, fetched.about.headers, session.tls_ends), session.clock() + _AHEAD)


def _pages(stream: Stream, client: Client, session: Session, zone: ZoneInfo, cursor: Any) -> tuple[Fetched, Pager]:
    pager, fill = Pager(stream, cursor), _filler(stream, session, zone)
    headers: dict[str, str] = {}
    in_body = stream.paging is not None and stream.paging.into == "body"

    def into(step: Any) -> Any:
        return _nested(step) if in_body and isinstance(step, dict) else step

    def following(content: Any, reply: Reply) -> Any:
        headers.clear()
        headers.update({name.lower(): value for name, value in reply.headers.items()})
        return into(pager.step(content, headers))

    def content_of(reply: Reply) -> Any:
        if session.raw is not None:
            session.raw.append(reply.body)
        if reply.status == 204:
            return NOTHING
        if stream.format == "csv":
            return _rows(_text(reply), stream, reply.what)
        content = read_json(reply.body, reply.what)
        if (error := at(stream.error, content)) not in (None, False, "", [], {}):
            raise ApiError(f"{reply.what}: {str(error)[:_ERROR_SHOWN]}")
        return content

    pages = list(
        client.pages(
            fill(stream.path, quoted=True),
            {**{name: fill(value) for name, value in stream.params.items()}, **({} if in_body else pager.first())},
            following,
            read=content_of,
            limit=stream.max_pages,
            method=stream.method,
            what=f"{stream.method} {stream.path.partition('?')[0] or '/'}",
            headers={name: fill(value) for name, value in stream.headers.items()},
            json=merged(fill(stream.body), into(pager.first())) if in_body else fill(stream.body),
            in_json=in_body,
        )
    )
    pager.check(pages[-1])
    return Fetched(pages, About(headers=headers)), pager


def _text(reply: Reply) -> str:
    """A table in the letters that its answer says, or that it seems to be in."""
    said = next((value for name, value in reply.headers.items() if name.lower() == "content-type"), "")
    charset = _CHARSET.search(said)
    try:
        return reply.body.decode(charset[1] if charset else drop.encoding_of(reply.body), "replace").removeprefix(
            "\ufeff"
        )
    except LookupError:
        return reply.body.decode("utf-8-sig", "replace")


def _nested(step: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with dots in their names as objects in each other."""
    found: dict[str, Any] = {}
    for name, value in step.items():
        *outer, last = name.split(".")
        inner: dict[str, Any] = {last: value}
        for each in reversed(outer):
            inner = {each: inner}
        found = merged(found, inner)
    return found


def instants(stream: Stream, session: Session, zone: ZoneInfo) -> dict[str, float]:
    """The instants that a description may name: `since`, `now` and `today`, in unix seconds."""
    now = session.clock()
    last = (session.memory or {}).get("since")
    midnight = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    return {"since": now - _FIRST_LOOK if last is None else last - stream.overlap, "now": now, "today": midnight}


def _filler(stream: Stream, session: Session, zone: ZoneInfo) -> Any:
    """Fills instants in wherever a description has them."""
    known = instants(stream, session, zone)

    def fill(value: Any, quoted: bool = False) -> Any:
        def made(match: re.Match[str]) -> str:
            text = _written(known[match[1]], match[2] or "", zone)
            return quote(text, safe="") if quoted else text

        if isinstance(value, str):
            return PLACEHOLDER.sub(made, value)
        if isinstance(value, dict):
            return {key: fill(each) for key, each in value.items()}
        return [fill(each) for each in value] if isinstance(value, list) else value

    return fill


def _written(instant: float, form: str, zone: ZoneInfo) -> str:
    """An instant as an API wants it: ISO 8601 unless `form` is s, ms or one of strftime's."""
    if form in ("s", "ms"):
        return str(int(instant * (1000 if form == "ms" else 1)))
    if form:
        return datetime.fromtimestamp(instant, zone).strftime(form)
    return datetime.fromtimestamp(int(instant), UTC).isoformat().replace("+00:00", "Z")


def read_folder(stream: Stream, session: Session) -> Fetched:
    """The newest whole file of the folder. Raises `PollError`."""
    assert stream.folder is not None
    for path, stat in reversed(drop.files(session.base / stream.folder, stream.files)):
        age, table = session.clock() - stat.st_mtime, stream.format == "csv"
        text = drop.content(path, age, lines=table)
        if text is None:
            continue
        try:
            return Fetched([_rows(text, stream, path.name) if table else read_json(text.encode(), path.name)], About())
        except BadReplyError:
            # Of JSON only its end shows that it is whole.
            if table or age >= drop.ABANDONED:
                raise
    raise IncompleteError(f"{stream.folder}: no whole file {stream.files} yet")


def _rows(text: str, stream: Stream, what: str) -> list[dict[str, str]]:
    """The rows of a table, by heading."""
    own = (stream.id, stream.time, stream.received, stream.truck, stream.moving, stream.engine)
    named = [each.strip('"') for each in (*own, *stream.values.values()) if each]
    heading, rows = drop.table(text, named, what)
    return [dict(zip(heading, cells, strict=False)) for _, cells in rows]

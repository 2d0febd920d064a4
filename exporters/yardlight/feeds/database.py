"""Asks a database one question, by SQLAlchemy (an optional extra), and changes nothing in it.

SQLite files are opened read-only; PostgreSQL is asked in a read-only transaction with a limit of time of its own. What
else SQLAlchemy knows has no such switch here, and only what the user may do protects it; whatever happens in the
transaction is rolled back. A query that takes too long ends with its worker at the latest.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from yardlight.collection import Session
from yardlight.errors import (
    AuthError,
    BadReplyError,
    ForbiddenError,
    IncompleteError,
    PollError,
    PollTimeoutError,
    SecretError,
    ServerError,
    UnreachableError,
)
from yardlight.inventory.queries import parameters
from yardlight.inventory.values import Secret

Row = dict[str, Any]
# The question ends before the collection does, so that its own reason is told.
_RESERVE_SECONDS = 1.0
# SQLite asks this often, in steps of its machine, whether it shall go on.
_STEPS = 10_000
# By SQLSTATE, of which the first two characters are the class.
_STATES: tuple[tuple[str, type[PollError]], ...] = (
    ("28", AuthError), ("42501", ForbiddenError), ("57014", PollTimeoutError), ("08", UnreachableError),
    ("25006", ForbiddenError), ("42", BadReplyError), ("22", BadReplyError), ("53", ServerError), ("57", ServerError),
)  # fmt: skip


def rows(url_file: str, query: str, at: Mapping[str, float], most: int, zone: ZoneInfo, session: Session) -> list[Row]:
    """The rows of a query at the database whose URL is in a file, with these instants. Raises `PollError`."""
    secret = session.secret(url_file)
    try:
        url = make_url(secret.reveal())
        if url.password:
            session.hide(Secret(str(url.password)))
        engine = _engine(url, session)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        # Their texts have what was written.
        what = f" ({error.name} is not installed)" if isinstance(error, ImportError) and error.name else ""
        raise SecretError(f"{url_file!r} has no address of a database that can be used here{what}") from None
    try:
        return _asked(engine, query, at, most, zone, session)
    except DBAPIError as error:
        raise _mapped(error, session) from None
    except SQLAlchemyError as error:
        raise BadReplyError(session.mask(f"the database: {type(error).__name__}")) from None
    finally:
        engine.dispose()


def _engine(url: URL, session: Session) -> sa.Engine:
    limits: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        path = (session.base / (url.database or "")).absolute()
        if not path.is_file():
            raise UnreachableError(f"there is no file {Path(url.database or '').name!r}")
        url = url.set(database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    elif url.get_backend_name() == "postgresql":
        limits = {"connect_timeout": max(1, int(session.left() - _RESERVE_SECONDS))}
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args=limits, hide_parameters=True)


def _asked(
    engine: sa.Engine, query: str, at: Mapping[str, float], most: int, zone: ZoneInfo, session: Session
) -> list[Row]:
    backend = engine.dialect.name
    with engine.connect() as connection:
        connection = connection.execution_options(postgresql_readonly=True)
        seconds = max(0.1, session.left() - _RESERVE_SECONDS)
        if backend == "postgresql":
            connection.execute(sa.text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
        elif backend == "sqlite":
            ends = time.monotonic() + seconds
            own: Any = connection.connection.dbapi_connection
            own.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        values = {name: _instant(name, at, zone, backend) for name in parameters(query)}
        session.spend()
        result = connection.execute(sa.text(query), values, execution_options={"stream_results": True})
        names = list(result.keys())
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadReplyError(f"two columns are called {twice[0]!r}; give one another name with AS")
        found = result.fetchmany(most + 1)
        result.close()
        connection.rollback()
    session.settle("sql")
    if len(found) > most:
        raise IncompleteError(f"more than {most} rows; ask for less, with :since, or raise max_rows")
    return [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in found]


def _instant(name: str, at: Mapping[str, float], zone: ZoneInfo, backend: str) -> Any:
    """What stands for a parameter: local time as databases without zones have it, or as the end of its name says."""
    what, _, form = name.partition("_")
    if form == "s":
        return int(at[what])
    moment = datetime.fromtimestamp(int(at[what]), UTC if form == "utc" else zone)
    if backend == "sqlite":
        # Text, as its own functions write it.
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    return moment if form == "utc" else moment.replace(tzinfo=None)


def _plain(value: Any) -> Any:
    """A value as JSON could have it; what is no text, number or time is left out."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value if isinstance(value, str | int | float | bool) else None


def _mapped(error: DBAPIError, session: Session) -> PollError:
    """What a driver raised, by its SQLSTATE where it has one; without the query, its values and the address."""
    own = error.orig
    state = str(getattr(own, "sqlstate", None) or "")
    kind = next((kind for begins, kind in _STATES if state.startswith(begins)), None)
    text = str(own)
    if kind is None:
        kind = _by_text(text, error)
    said = text.strip().splitlines()[0][:200] if text.strip() else type(own).__name__
    return kind(session.mask(f"the database: {said}"))


def _by_text(text: str, error: DBAPIError) -> type[PollError]:
    """Of errors without a state: drivers write it, or SQLite does."""
    low = text.lower()
    for words, kind in (
        (("password authentication failed", "no password supplied", "role "), AuthError),
        (("interrupted", "timeout"), PollTimeoutError),
        (("readonly", "read-only"), ForbiddenError),
        (("no such", "syntax error", "not a database", "ambiguous"), BadReplyError),
    ):
        if any(each in low for each in words):
            return kind
    return UnreachableError if isinstance(error, sa.exc.OperationalError) else ServerError

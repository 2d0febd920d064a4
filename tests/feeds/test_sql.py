"""Feeds of databases: real SQLite files and a real PostgreSQL server, asked and never changed."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from yardlight.collection import Session
from yardlight.errors import (
    AuthError,
    BadReplyError,
    ForbiddenError,
    IncompleteError,
    PollTimeoutError,
    SecretError,
    UnreachableError,
)
from yardlight.feeds.platforms import sql
from yardlight.feeds.record import Record
from yardlight.inventory.queries import checked_query

# 2026-11-20 15:00 UTC, 09:00 in Chicago, where the dispatchers sit.
NOW = 1795186800.0
PASSWORD = "very-secret-password"
# As in the setup guide.
MOVEMENTS = """\
SELECT m.id, m.tractor, m.status, m.miles, m.updated
FROM movement m
WHERE m.updated >= :since
"""
STREAM = {
    "query": MOVEMENTS, "id": "id", "time": "updated", "truck": "tractor", "moving": "status == 'P'",
    "values": {"miles": "miles"},
}  # fmt: skip
TABLE = "CREATE TABLE movement (id TEXT, tractor TEXT, status TEXT, miles NUMERIC(9, 1), updated TIMESTAMP)"
# In the local time of the dispatchers, as such back ends write them.
ROWS = (
    ("M-1", "112", "P", 412.5, "2026-11-20 08:55:00"),
    ("M-2", "113", "D", 88, "2026-11-20 08:40:30"),
    ("M-3", "114", "D", 10, "2026-11-18 12:00:00"),
)


@dataclass(frozen=True)
class Postgres:
    """A server on loopback; `run` are statements of its owner."""

    port: int
    folder: Path

    def run(self, *statements: str) -> None:
        joined = ";\n".join(statements)
        command = ["psql", "-h", str(self.folder), "-p", str(self.port), "-d", "postgres", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run([*as_owner(), *command, "-q"], input=joined, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def url(self, user: str = "reader", password: str = PASSWORD) -> str:
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/postgres"


def as_owner() -> list[str]:
    """What goes before a command for a user that a server of PostgreSQL may be run by: not root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """Debian's server in a folder of its own, with the table `movement` and a user who may read it."""
    with tempfile.TemporaryDirectory(prefix="yardlight-pg-") as folder:
        port = free_port()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        owner = "postgres" if os.geteuid() == 0 else getpass.getuser()
        initdb = ["initdb", "-D", f"{folder}/data", "-U", owner, "--auth-local=peer", "--auth-host=scram-sha-256", "-N"]
        subprocess.run([*as_owner(), *initdb], check=True, capture_output=True)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        command = ["postgres", "-D", f"{folder}/data", "-p", str(port), *options]
        with (Path(folder) / "log").open("wb") as log, subprocess.Popen([*as_owner(), *command], stderr=log) as server:
            made = Postgres(port, Path(folder))
            try:
                wait_for(["pg_isready", "-h", folder, "-p", str(port), "-q"], Path(folder) / "log")
                values = ", ".join(str(row) for row in ROWS)
                made.run(
                    TABLE,
                    f"INSERT INTO movement VALUES {values}",
                    f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
                    "GRANT SELECT ON movement TO reader",
                    "CREATE TABLE payroll (driver TEXT)",
                    f"CREATE ROLE writer LOGIN PASSWORD '{PASSWORD}'",
                    "GRANT ALL ON movement TO writer",
                )
                yield made
            finally:
                server.terminate()


def wait_for(command: Sequence[str], log: Path) -> None:
    deadline = time.monotonic() + 60
    while subprocess.run(command, check=False).returncode != 0:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@pytest.fixture
def lite(tmp_path: Path) -> str:
    """The same as a file of SQLite."""
    with sqlite3.connect(tmp_path / "tms.db") as made:
        made.execute(TABLE)
        made.executemany("INSERT INTO movement VALUES (?, ?, ?, ?, ?)", ROWS)
    return "sqlite:///tms.db"


def collect(
    folder: Path, url: str, memory: Any = None, seconds: float = 60.0, zone: str = "America/Chicago", **stream: Any
) -> list[Record]:
    """What one collection gives."""
    (folder / "url").write_text(url + "\n", encoding="utf-8")
    options = {"url_file": "url", "timezone": zone, "feed": {**STREAM, **stream}}
    config = sql.Config.model_validate(options)
    session = Session(time.monotonic() + seconds, folder, memory=memory, clock=lambda: NOW)
    items = list(sql.parse(sql.fetch(config, session), config))
    assert (session.memory, session.requests) == ({"since": NOW}, {"sql": 1})
    return [each for each in items if isinstance(each, Record)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs("initdb", "psql"))])
def url(request: pytest.FixtureRequest) -> str:
    """A database of either kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("lite"))
    return Postgres.url(request.getfixturevalue("postgres"))


def test_rows_become_records_with_their_local_times(url: str, tmp_path: Path) -> None:
    first, second = sorted(collect(tmp_path, url), key=lambda record: record.id)
    assert (first.id, first.truck, first.moving, first.values["miles"]) == ("M-1", "112", True, 412.5)
    assert (first.time, second.time) == (NOW - 300, NOW - 1170)
    assert (second.moving, second.values["miles"]) == (False, 88)


def test_since_is_the_last_collection_less_the_overlap(url: str, tmp_path: Path) -> None:
    assert [each.id for each in collect(tmp_path, url, {"since": NOW - 100})] == ["M-1"]
    assert collect(tmp_path, url, {"since": NOW}, overlap="1m") == []


def test_the_day_and_instants_in_other_forms_can_be_asked_for(url: str, tmp_path: Path) -> None:
    today = "SELECT id, tractor, updated FROM movement WHERE updated >= :today AND updated < :now"
    assert {each.id for each in collect(tmp_path, url, query=today, values={})} == {"M-1", "M-2"}
    seconds = "SELECT 'M-9' AS id, 'x' AS tractor, :since_s AS updated"
    [record] = collect(tmp_path, url, query=seconds, values={}, time_format="s")
    assert record.time == NOW - 86400


def test_a_column_is_found_whatever_it_is_called(url: str, tmp_path: Path) -> None:
    query = 'SELECT id AS "Load No", tractor, updated FROM movement WHERE updated >= :since'
    assert {each.id for each in collect(tmp_path, url, query=query, id='"Load No"', values={})} == {"M-1", "M-2"}


def test_more_rows_than_allowed_are_incomplete_and_as_many_are_not(url: str, tmp_path: Path) -> None:
    assert len(collect(tmp_path, url, max_rows=2)) == 2
    with pytest.raises(IncompleteError, match=r"^more than 1 rows; ask for less, with :since, or raise max_rows$"):
        collect(tmp_path, url, max_rows=1)


def test_a_query_that_takes_too_long_is_ended_by_the_database(url: str, tmp_path: Path) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
    began = time.monotonic()
    with pytest.raises(PollTimeoutError):
        collect(tmp_path, url, seconds=1.5, query=f"{numbers} SELECT max(i) AS id FROM n")
    assert time.monotonic() - began < 60


def test_two_columns_of_one_name_are_told_and_not_guessed(url: str, tmp_path: Path) -> None:
    query = "SELECT a.id, b.id, a.updated FROM movement a JOIN movement b ON a.id = b.id"
    with pytest.raises(BadReplyError, match=r"^two columns are called 'id'; give one another name with AS$"):
        collect(tmp_path, url, query=query)


def test_a_table_that_is_not_there_is_named_and_nothing_else_is(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadReplyError, match="movment") as raised:
        collect(tmp_path, url, query="SELECT id, updated FROM movment WHERE updated >= :since")
    assert "SELECT" not in str(raised.value)
    assert "2026" not in str(raised.value)


def test_a_file_of_sqlite_is_opened_read_only_and_never_made(lite: str, tmp_path: Path) -> None:
    # What the inventory refuses, past it: the database itself must refuse it, too.
    writes = "DELETE FROM movement RETURNING id, tractor, updated"
    config = sql.Config.model_validate({"url_file": "url", "feed": STREAM})
    changed = config.model_copy(update={"feed": config.feed.model_copy(update={"query": writes})})
    (tmp_path / "url").write_text(lite)
    with pytest.raises(ForbiddenError, match="readonly"):
        sql.fetch(changed, Session(time.monotonic() + 60, tmp_path, clock=lambda: NOW))
    with sqlite3.connect(tmp_path / "tms.db") as made:
        assert made.execute("SELECT count(*) FROM movement").fetchone() == (3,)
    with pytest.raises(UnreachableError, match=r"^there is no file 'other.db'$"):
        collect(tmp_path, "sqlite:///other.db")
    assert not (tmp_path / "other.db").exists()


@pytest.mark.needs("initdb", "psql")
def test_postgresql_is_asked_in_a_read_only_transaction_whoever_asks(postgres: Postgres, tmp_path: Path) -> None:
    postgres.run("CREATE SEQUENCE IF NOT EXISTS counter", "GRANT ALL ON counter TO writer")
    # A SELECT that writes, which no reading of its text finds out.
    with pytest.raises(ForbiddenError, match=r"cannot execute nextval\(\) in a read-only transaction"):
        collect(tmp_path, postgres.url("writer"), query="SELECT nextval('counter') AS id")
    assert len(collect(tmp_path, postgres.url("writer"))) == 2


@pytest.mark.needs("initdb", "psql")
def test_what_postgresql_refuses_has_its_reason(postgres: Postgres, tmp_path: Path) -> None:
    with pytest.raises(AuthError, match="password authentication failed") as raised:
        collect(tmp_path, postgres.url(password="another-secret"))
    assert "another-secret" not in str(raised.value)
    with pytest.raises(ForbiddenError, match="permission denied for table payroll"):
        collect(tmp_path, postgres.url(), query="SELECT driver AS id FROM payroll")
    with pytest.raises(UnreachableError):
        collect(tmp_path, f"postgresql+psycopg://reader:{PASSWORD}@127.0.0.1:9/postgres")


@pytest.mark.needs("initdb", "psql")
def test_times_with_a_zone_are_asked_for_with_theirs(postgres: Postgres, tmp_path: Path) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS stop",
        "CREATE TABLE stop (id INT, at TIMESTAMPTZ)",
        "INSERT INTO stop VALUES (1, '2026-11-20 14:59:00+00'), (2, '2026-11-20 14:40:00+00')",
        "GRANT SELECT ON stop TO reader",
    )
    query = "SELECT id, at FROM stop WHERE at >= :since_utc"
    stream = {"query": query, "time": "at", "truck": None, "moving": None, "values": {}}
    [record] = collect(tmp_path, postgres.url(), {"since": NOW}, zone="America/Los_Angeles", **stream)
    assert (record.id, record.time) == ("1", NOW - 60)


@pytest.mark.parametrize("text", ["nonsense", "oracle+nothing://a:very-secret-password@b/c", "mysql+oops://x"])
def test_an_address_that_is_none_is_told_without_its_text(text: str, tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"^'url' has no address of a database that can be used here") as raised:
        collect(tmp_path, text)
    assert text not in str(raised.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "select a from b;",
        "WITH x AS (SELECT 1 AS id) SELECT * FROM x",
        "SELECT 'drop table; delete' AS id -- update it later\nFROM a /* insert */",
        'SELECT "update", [delete], `drop` FROM a',
        "SELECT updated, deleted_at, replace(a, 'x', 'y') FROM t WHERE a::date > :today AND b = '12:30'",
    ],
)
def test_what_only_asks_is_taken(query: str) -> None:
    assert checked_query(query) == query


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "'' is no question; write one SELECT"),
        ("DELETE FROM a", "'DELETE' is no question; write one SELECT"),
        ("-- SELECT\nDROP TABLE a", "'DROP' is no question; write one SELECT"),
        ("SELECT 1; DELETE FROM a", "there are several statements; write one SELECT"),
        (
            "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x",
            "'DELETE' is not for reading; put it in quotes if it is the name of a column",
        ),
        ("SELECT * INTO b FROM a", "'INTO' is not for reading; put it in quotes if it is the name of a column"),
        ("SELECT * FROM a FOR UPDATE", "'UPDATE' is not for reading; put it in quotes if it is the name of a column"),
        ("SELECT $$'$$; DELETE FROM a; SELECT $$'$$", "'$$' in a query hides what it does; write it without"),
        ("SELECT 1 /*! ; DELETE */", "'/*!' in a query hides what it does; write it without"),
        (
            "SELECT :sinse",
            "there is no :sinse; known here: :since, :since_utc, :since_s, :now, :now_utc, :now_s, :today, :today_utc, "
            ":today_s",
        ),
    ],
)
def test_what_does_more_is_refused_and_the_reason_said(query: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        checked_query(query)

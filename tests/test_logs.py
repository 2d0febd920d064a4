"""One line a record, in logfmt or JSON, with nothing secret and nothing that breaks the line."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.vendor import Answer, Vendor
from yardlight.client import Client
from yardlight.collection import Session
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.values import Secret
from yardlight.logs import kv, setup


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_addresses_that_are_asked_for_are_in_no_log() -> None:
    stream = io.StringIO()
    setup("logfmt", "debug", stream)
    with Vendor(lambda asked: Answer({})) as vendor:
        config = AccountConfig.model_validate({"url": vendor.url, "rate": "1000/s"})
        client = Client(Session(time.monotonic() + 30.0), config, vendor.url)
        client.get("/sims/{iccid}", values={"iccid": "89001000000000070013"})
    assert vendor.asked[0].path == "/sims/89001000000000070013"
    assert "0007001" not in stream.getvalue()


ASKING = """
import logging, socket, sys, threading, time
from yardlight import logs
logs.setup("logfmt", "debug")
from yardlight.client import Client
from yardlight.collection import Session
from yardlight.inventory.accounts import AccountConfig

vendor = socket.create_server(("127.0.0.1", 0))
def answer():
    line, _ = vendor.accept()
    line.recv(65536)
    line.sendall(b"HTTP/1.1 200 OK\\r\\nproxied by gw7\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{}")
    line.close()
threading.Thread(target=answer, daemon=True).start()
config = AccountConfig.model_validate({"url": f"http://127.0.0.1:{vendor.getsockname()[1]}", "rate": "1000/s"})
Client(Session(time.monotonic() + 30.0), config, config.url).get("/sims/89001000000000070013")
logging.getLogger("yardlight").warning("asked")
"""


def test_no_address_is_logged_of_an_answer_with_broken_headers_whichever_is_imported_first() -> None:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True, timeout=60)
    assert "asked" in done.stderr
    assert "0007001" not in done.stderr


def test_a_logfmt_line_has_time_level_logger_sentence_and_fields() -> None:
    stream = io.StringIO()
    setup("logfmt", "info", stream)
    logging.getLogger("yardlight.serve").info("the inventory is in use", extra=kv(fleet="inland-haul", terminals=3))
    stamp, rest = stream.getvalue().split(" ", 1)
    assert stamp.startswith("ts=20")
    assert stamp.endswith("Z")
    assert rest == 'level=info logger=serve msg="the inventory is in use" fleet=inland-haul terminals=3\n'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "x=plain"),
        ("", 'x=""'),
        ("two words", 'x="two words"'),
        ('a "quote"', 'x="a \\"quote\\""'),
        ("line\nbreak\x1b[31m", 'x="line\\nbreak\\u001b[31m"'),
        ("a=b", 'x="a=b"'),
        ("Zürich", "x=Zürich"),
        (1.5, "x=1.5"),
        (None, "x=None"),
    ],
)
def test_a_value_that_would_break_the_line_is_quoted(value: object, shown: str) -> None:
    stream = io.StringIO()
    setup("logfmt", "info", stream)
    logging.getLogger("yardlight").info("m", extra=kv(x=value))
    assert stream.getvalue().endswith(f"msg=m {shown}\n")


def test_json_lines_keep_numbers_and_hold_the_same_fields() -> None:
    stream = io.StringIO()
    setup("json", "info", stream)
    logging.getLogger("yardlight.poll").warning("poll failed", extra=kv(account="graph", seconds=1.5))
    line = json.loads(stream.getvalue())
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "poll",
        "msg": "poll failed",
        "account": "graph",
        "seconds": 1.5,
    }


@pytest.mark.parametrize("format_", ["logfmt", "json"])
def test_a_secret_prints_as_stars(format_: str) -> None:
    stream = io.StringIO()
    setup(format_, "info", stream)
    logging.getLogger("yardlight").info("m", extra=kv(token=Secret("hunter2")))
    assert "hunter2" not in stream.getvalue()
    assert "***" in stream.getvalue()


@pytest.mark.parametrize("format_", ["logfmt", "json"])
def test_a_traceback_stays_on_the_line_of_its_record(format_: str) -> None:
    stream = io.StringIO()
    setup(format_, "info", stream)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("yardlight").exception("a bug")
    assert stream.getvalue().count("\n") == 1
    assert "ValueError: broken" in stream.getvalue()


def test_records_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    setup("logfmt", "warning", stream)
    logging.getLogger("yardlight").info("quiet")
    assert stream.getvalue() == ""


def test_the_newest_warnings_are_remembered_for_the_landing_page() -> None:
    recent = setup("logfmt", "info", io.StringIO())
    logging.getLogger("yardlight").info("not kept")
    for number in range(25):
        logging.getLogger("yardlight").warning("w%d", number, extra=kv(terminal="fontana"))
    lines = recent.lines()
    assert len(lines) == 20
    assert lines[0][1:] == ("warning", "w24 terminal=fontana")

"""Logs on stderr: logfmt for people and Loki, JSON for collectors; one line a record, newest fields last.

Modules log with the standard library and give their fields apart from the sentence, so that both formats keep
them: `log.warning("uplink is down", extra=kv(terminal="fontana", uplink="fiber"))`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

_BARE = re.compile(r"[^\s\"=\\\x00-\x1f\x7f]+")


def kv(**fields: Any) -> dict[str, Any]:
    """Fields of a record, for the `extra` of a logging call."""
    return {"kv": fields}


def setup(format_: str, level: str, stream: TextIO = sys.stderr) -> Recent:
    """Send every log of the process to `stream`; returns the memory of recent warnings."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if format_ == "json" else LogfmtFormatter())
    recent = Recent()
    logging.basicConfig(level=level.upper(), handlers=[handler, recent], force=True)
    # It writes whole addresses, and some vendors have the numbers of SIMs and devices in theirs.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return recent


class LogfmtFormatter(logging.Formatter):
    """`ts=2026-01-05T08:15:00.123Z level=info logger=serve msg="listening" address=:10480`."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_quote(value)}" for key, value in _fields(record))


class JsonFormatter(logging.Formatter):
    """The same fields as one JSON object; numbers and truth values keep their type."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(dict(_fields(record)), default=str, ensure_ascii=False)


class Recent(logging.Handler):
    """Remembers the newest warnings and errors for the landing page."""

    def __init__(self, size: int = 20) -> None:
        super().__init__(logging.WARNING)
        self.records: deque[logging.LogRecord] = deque(maxlen=size)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def lines(self) -> list[tuple[float, str, str]]:
        """Newest first: wall-clock time in seconds, level, sentence with its fields."""
        return [
            (record.created, _level(record), " ".join([record.getMessage(), *_pairs(record)]))
            for record in reversed(self.records.copy())
        ]


def _pairs(record: logging.LogRecord) -> list[str]:
    return [f"{key}={_quote(value)}" for key, value in getattr(record, "kv", {}).items()]


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    yield "ts", moment.replace("+00:00", "Z")
    yield "level", _level(record)
    yield "logger", record.name.removeprefix("yardlight.")
    yield "msg", record.getMessage()
    yield from getattr(record, "kv", {}).items()
    if record.exc_info and record.exc_info[0] is not None:
        yield "trace", logging.Formatter().formatException(record.exc_info)


def _level(record: logging.LogRecord) -> str:
    return record.levelname.lower()


def _quote(value: Any) -> str:
    text = str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)

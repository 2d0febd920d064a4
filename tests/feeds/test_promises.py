"""What headers say about the life of an API: its version, since when it is deprecated, when it will be gone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.feeds.test_review import NOW, positions
from tests.feeds.world import world
from tests.vendor import Answer
from yardlight.feeds import promises

GONE = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("@1688169599", 1688169599.0),
        ("true", None),
        ("Wed, 30 Jun 2027 23:59:59 GMT", GONE),
        ("soon", None),
        ("", None),
    ],
)
def test_deprecation_in_its_spellings(said: str, expected: float | None) -> None:
    assert promises.deprecated({"deprecation": said}) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Wed, 30 Jun 2027 23:59:59 GMT", GONE),
        ("2027-06-30T23:59:59Z", GONE),
        ("2027-06-30", GONE - 86399),
        ("never", None),
    ],
)
def test_sunset_is_a_date(said: str, expected: float | None) -> None:
    assert promises.sunset({"sunset": said}) == expected


def test_what_headers_say_is_exported(tmp_path: Path) -> None:
    headers = {
        "X-Api-Version": "2026-01-01",
        "Deprecation": "@1688169599",
        "Sunset": "Wed, 30 Jun 2027 23:59:59 GMT",
    }
    with world(tmp_path, {"/positions": Answer(positions(), headers=headers)}) as here:
        here.collect(NOW)
        assert here.value("feed_api_info", feed="gps", version="2026-01-01") == 1
        assert here.value("feed_api_deprecated_timestamp_seconds", feed="gps") == 1688169599.0
        assert here.value("feed_api_sunset_timestamp_seconds", feed="gps") == GONE
    with world(tmp_path, {"/positions": positions()}) as here:
        here.collect(NOW)
        assert "feed_api" not in here.text

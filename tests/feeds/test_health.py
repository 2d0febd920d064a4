"""The limits of vendors in all their spellings, and when credentials and certificates end."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.feeds.world import GPS, position, world
from tests.vendor import Answer, Vendor, encrypted
from yardlight import catalogue as m
from yardlight.feeds import domain
from yardlight.feeds.health import Limit, limit

NOW = 1_767_816_000.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-ratelimit-limit": "100", "x-ratelimit-remaining": "40"}, Limit(100, 40)),
        ({"x-rate-limit-limit": "1m", "x-rate-limit-remaining": "7"}, Limit(None, 7)),
        ({"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "0"}, Limit(100, 0)),
        ({"ratelimit": "limit=50, remaining=12, reset=3"}, Limit(50, 12)),
        ({"ratelimit": '"default";r=9;t=30', "ratelimit-policy": '"default";q=60;w=60'}, Limit(60, 9)),
        ({"x-ratelimit-remaining": "-1"}, Limit()),
        ({"x-ratelimit-remaining": "plenty"}, Limit()),
        ({}, Limit()),
    ],
)
def test_a_limit_is_read_as_vendors_spell_it(headers: dict[str, str], expected: Limit) -> None:
    assert limit(headers) == expected


def test_what_is_left_of_the_limit_is_told_and_nothing_where_nobody_says(tmp_path: Path) -> None:
    headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "40"}
    replies = {"/positions": Answer({"data": [position(100, NOW)]}, headers=headers)}
    with world(tmp_path, replies) as here:
        here.collect(NOW)
        assert here.value("feed_rate_limit_requests", feed="gps") == 100
        assert here.value("feed_rate_limit_remaining_requests", feed="gps") == 40
        replies["/positions"] = Answer({"data": [position(100, NOW)]})
        here.collect(NOW + 60)
        assert here.value("feed_rate_limit_remaining_requests", feed="gps") is None


def test_a_credential_whose_end_the_inventory_knows_is_told(tmp_path: Path) -> None:
    with world(tmp_path, {}, {"gps": GPS}, "credential_ends: 2026-03-01") as here:
        said = domain.said(here.fleet, NOW)
        # The end of that day where the fleet is.
        assert said[m.CREDENTIALS_END] == {("vendor", "inventory"): datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()}


@pytest.mark.needs("openssl")
def test_when_the_vendors_certificate_ends_is_told_and_nothing_where_it_has_none(tmp_path: Path) -> None:
    answer = {"data": [position(100, NOW)]}
    with world(tmp_path, {"/positions": answer}) as here, Vendor(lambda asked: Answer(answer)) as vendor:
        here.collect(NOW)
        assert here.value("feed_tls_end_timestamp_seconds", feed="gps") is None
        here.url = encrypted(vendor, tmp_path)
        here.write({"gps": GPS}, "ca_file: server.pem")
        here.collect(NOW + 60)
        ends = here.value("feed_tls_end_timestamp_seconds", feed="gps")
        assert ends == pytest.approx(time.time() + 2 * 86400, abs=300)

"""What a feed knows of single trucks, for rosters and truck pages."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from tests.feeds.world import GPS, position, world
from yardlight.collection import Session
from yardlight.feeds import domain
from yardlight.things import Fact, Thing, unpack

NOW = datetime(2026, 1, 7, 20, tzinfo=UTC).timestamp()


def told(folder: Path, feed: str) -> list[Thing]:
    positions = [position(100, NOW - 60), position(500, NOW - 3600, speed=0.0)]
    with world(folder, {"/positions": {"data": positions}}, {"gps": feed}) as here:
        [planned] = domain.planned(here.fleet, folder)
        session = Session(time.monotonic() + 60.0, clock=lambda: NOW)
        planned.collection(session)
    at, things = unpack(session.things)
    assert at == NOW
    return list(things)


def test_each_truck_is_told_with_its_last_record_and_when_it_moved(tmp_path: Path) -> None:
    stranger, known = told(tmp_path, GPS)
    assert (known.kind, known.name, known.called) == ("truck", "100", "100")
    assert known.facts == (
        Fact("last record of gps", at=NOW - 60), Fact("moving", "yes", NOW - 60), Fact("last moved", at=NOW - 60),
    )  # fmt: skip
    assert (stranger.name, stranger.called) == ("", "500")
    assert stranger.facts[1:] == (Fact("moving", "no", NOW - 3600),)


def test_a_feed_without_trucks_tells_none(tmp_path: Path) -> None:
    assert told(tmp_path, GPS.replace("truck: unit, ", "id: unit, ").replace("movers: 2", "movers: 1")) == []

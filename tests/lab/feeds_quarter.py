"""False alarms of feeds that are well, over a quarter: nights, weekends, holidays, both changes of the clocks.

Positions (expected while trucks move) and loads (on weekdays, holidays left out) of twenty trucks, four of which drive
by night and on weekends. Trucks lose coverage for minutes, one has a clock in 2031, one in 2005, a collection fails now
and then. Nothing is wrong, so that whatever rings is a false alarm, information included. HTTP is left out: the vendors
are asked in this process. All else is as shipped, on a clock that jumps.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import holidays
import pytest

from tests.feeds.days import LA, Days
from tests.living import DAY, MINUTE
from yardlight.client import Client
from yardlight.collection import Session
from yardlight.demo.faces import SECRET, Ask, iso
from yardlight.errors import ServerError
from yardlight.feeds.platforms import generic
from yardlight.feeds.reader import Fetched
from yardlight.feeds.record import About
from yardlight.inventory.feeds import Stream

STEP = 5 * MINUTE
# One collection in so many fails.
_FAILS = 293
# The quarter with the spring's change of the clocks, and a fortnight around the autumn's.
SPANS = ((date(2026, 1, 12), 90), (date(2026, 10, 25), 14))


def spans(start: date, days: int, parts: int) -> Iterator[tuple[float, float]]:
    """The span in parts, each from a local midnight to another."""
    edges = [start + timedelta(days=days * part // parts) for part in range(parts + 1)]
    moments = [datetime(each.year, each.month, each.day, tzinfo=LA).timestamp() for each in edges]
    yield from itertools.pairwise(moments)


def lived(folder: Path, begin: float, end: float) -> tuple[int, list[str]]:
    """How many collections there were, and what rang."""
    asked = 0
    off = frozenset(holidays.country_holidays("US", years=datetime.fromtimestamp(begin, LA).year))
    with Days(folder, begin, trucks=20, nights=4, step=STEP) as days, pytest.MonkeyPatch.context() as patched:
        for truck in days.units[4:]:
            truck.off = off
        days.poll = "5m"
        days.gps = days.gps.replace("max_age: 5m", "max_age: 15m")
        days.telematics.wrong_clocks = {"107": 5 * 365 * DAY, "109": -21 * 365 * DAY}

        def read(stream: Stream, client: Client, session: Session, zone: Any) -> Fetched:
            nonlocal asked
            asked += 1
            if asked % _FAILS == 0:
                raise ServerError("GET /: status 503")
            memory = session.memory or {"since": session.clock() - DAY}
            session.memory = {"since": session.clock()}
            vendor = client.url.rpartition("/")[2]
            since = iso(memory["since"] - stream.overlap)
            headers = {"authorization": f"Bearer {SECRET}"}
            said = days.faces[vendor](Ask("GET", f"{stream.path}?updated_since={since}", headers))
            return Fetched([said.content], About(), session.clock() + 60)

        patched.setattr(generic, "read", read)
        days.until(end)
        told, _ = days.told()
    return asked, sorted(f"{alert.what}: {datetime.fromtimestamp(each.first, LA)}" for alert, each in told.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", type=int, default=6, help="into how many parts the quarter is cut")
    parser.add_argument("--only", type=int, help="one of them")
    options = parser.parse_args()
    parts = [each for start, days in SPANS for each in spans(start, days, options.parts if days > 30 else 1)]
    chosen = parts if options.only is None else [parts[options.only]]
    began, total, rang = time.monotonic(), 0, []
    for begin, end in chosen:
        with tempfile.TemporaryDirectory() as folder:
            asked, alarms = lived(Path(folder), begin, end)
        total, rang = total + asked, rang + alarms
        first, last = (f"{datetime.fromtimestamp(each, LA):%Y-%m-%d}" for each in (begin, end))
        print(f"  {first} to {last}: {asked} collections, {len(alarms)} alarms {' '.join(alarms)}", flush=True)
    print(f"{total} collections, {len(rang)} false alarms (bar 0); {time.monotonic() - began:.0f} s")
    return 1 if rang else 0


if __name__ == "__main__":
    sys.exit(main())

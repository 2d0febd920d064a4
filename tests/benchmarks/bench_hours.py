"""Hours of service against GPS: a made-up quarter of 200 drivers, through feeds and join, against its own truth.

The quarter (`tests/feeds/logbook.py`) has every duty status, teams, slip seats, paper logs, personal use, yard moves,
logs that come up to forty hours late, homes by four clocks, and drivers who hide an hour. Its seed is given: --seed 7.
Vendors tell it as they would: positions each minute to each quarter of an hour, some of them lost, some of parked
trucks that jump, and every line of the logs of the last three days again each time. What they say goes through the
shipped descriptions, feeds, join and judge; HTTP is left out.

Printed: precision and recall of HosGpsMismatch by driver, truck and day, where a case counts that was ever open; the
same of unassigned driving by truck and day; how much CPU the slowest look of the join took.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.feeds.logbook import DAY, HOMES, HOUR, MINUTE, ZONE, Quarter, quarter

from yardlight.collection import Collection, Join
from yardlight.feeds import cases, domain
from yardlight.feeds.extract import extract
from yardlight.feeds.hos import Movement
from yardlight.inventory.feeds import Stream
from yardlight.inventory.load import load

PRECISION, RECALL = 0.98, 0.95
# Positions are taken over by the join within six hours; logs are read more seldom, each time all of three days.
EVERY, LOGS_EVERY = 5 * HOUR, 3
# Shares of words: of trucks on the road those that are lost, of jumpy ones at rest those of a creep and of a jump.
LOST, CREEPS, JUMPS = 0.02, 0.02, 0.005
START = date(2026, 1, 1)
FLEET = """\
fleet: inland
timezone: America/Chicago
roster: {trucks: trucks.csv, drivers: drivers.csv}
accounts: {vendor: {platform: generic, url: "https://telematics.example.com"}}
feeds:
  gps: {account: vendor, path: "/p?since={since}", time: at, truck: unit, moving: speed, speed_unit: m/s}
  logs:
    {account: vendor, path: "/l?since={since}", id: driver, time: at, until: end, truck: unit, driver: driver,
     duty: status, on_change: true}
terminals:
"""
TERMINAL = '  %s: {timezone: %s, targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}\n'


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--drivers", type=int, default=200)
    parser.add_argument("--days", type=int, default=90)
    given = parser.parse_args()
    made = quarter(given.seed, given.drivers, START, given.days)
    with tempfile.TemporaryDirectory() as folder:
        found, slowest = through(made, Path(folder))
    mismatches = {(case.driver, case.truck, date.fromisoformat(case.day)) for case in found if case.kind == "mismatch"}
    alone = {(case.truck, date.fromisoformat(case.day)) for case in found if case.kind == "unassigned"}
    print(f"seed {given.seed}, {given.drivers} drivers, {given.days} days")
    good = [
        report("HosGpsMismatch", mismatches - (made.grey - made.wrong), made.wrong),
        report("unassigned driving", alone - made.paper, made.nobody),
    ]
    print(f"the join took {slowest:.2f} s of CPU at most")
    return 0 if all(good) else 1


def report(what: str, found: set[Any], truth: set[Any]) -> bool:
    """Print how good it is; whether that is good enough."""
    hits = len(found & truth)
    precision, recall = hits / len(found) if found else 0.0, hits / len(truth) if truth else 0.0
    print(f"{what}: {len(truth)} true, {len(found)} found; precision {precision:.4f}, recall {recall:.4f}")
    return precision >= PRECISION and recall >= RECALL


def through(made: Quarter, folder: Path) -> tuple[list[cases.Case], float]:
    """Every case that was ever open, and how much CPU the slowest look of the join took."""
    trucks = sorted({each.truck for each in made.movements})
    drivers = sorted({entry.driver for _, entry in made.entries if entry.driver})
    (folder / "trucks.csv").write_text(
        "\n".join(["truck,terminal", *(f"{each},{made.homes[each]}" for each in trucks)]) + "\n", encoding="utf-8"
    )
    rows = [f"{each},{'paper' if each in made.elsewhere else 'eld'},{made.homes[each]}" for each in drivers]
    (folder / "drivers.csv").write_text("\n".join(["code,logs,terminal", *rows]) + "\n", encoding="utf-8")
    yards = "".join(TERMINAL % home for home in HOMES.items())
    (folder / "fleet.yml").write_text(FLEET + yards, encoding="utf-8")
    fleet = load(folder / "fleet.yml").fleet
    feeds = {each.collection.source.name: each.collection for each in domain.planned(fleet, folder)}
    [join] = [each.collection for each in domain.joined(fleet, folder)]
    positions, log = words(made), sorted(made.entries, key=lambda each: each[1].start)
    instants, starts = [at for at, _ in positions], [entry.start for _, entry in log]
    memory: dict[str, Any] = {}
    ever: dict[str, cases.Case] = {}
    slowest, begin = 0.0, datetime.combine(START, datetime.min.time(), ZONE).timestamp()
    logs_at = begin
    for number in range(int((made.end - begin) // EVERY) + LOGS_EVERY):
        now = begin + number * EVERY
        told = [said for _, said in positions[bisect_right(instants, now - EVERY) : bisect_right(instants, now)]]
        look(feeds["feeds/gps"], told, memory, now)
        if number % LOGS_EVERY == 0:
            lines = log[bisect_left(starts, now - LOGS_EVERY * EVERY - 3 * DAY) : bisect_right(starts, now)]
            look(feeds["feeds/logs"], [row(entry) for arrives, entry in lines if arrives <= now], memory, now)
            logs_at = now
        began = time.process_time()
        put_together(join, memory, {"feeds/gps": now, "feeds/logs": logs_at}, now)
        slowest = max(slowest, time.process_time() - began)
        ever |= cases.recalled(memory["movement"]["cases"])
    return list(ever.values()), slowest


def words(made: Quarter) -> list[tuple[float, dict[str, Any]]]:
    """What trucks tell, and when: each in its rhythm, not all of it arrives, and GPS at rest may jump."""
    random, found = Random(0), []
    moved: dict[str, list[Movement]] = defaultdict(list)
    for each in made.movements:
        moved[each.truck].append(each)
    for truck, movements in moved.items():
        every, since = made.every[truck], float("-inf")
        for each in sorted(movements, key=lambda each: each.start):
            if since > float("-inf"):
                found += [(at, truck, speed) for at, speed in _parked(random, made, truck, since, each.start)]
            at = each.start
            while at < each.end:
                if random.random() > LOST:
                    found.append((at, truck, each.speed or 0.0))
                at += every * random.uniform(0.95, 1.05)
            since = each.end
    told = ((at, {"unit": truck, "at": iso(at), "speed": speed}) for at, truck, speed in found)
    return sorted(told, key=lambda pair: pair[0])


def _parked(random: Random, made: Quarter, truck: str, since: float, until: float) -> Iterator[tuple[float, float]]:
    every = made.every[truck]
    at = since + random.uniform(0, every)
    while at < until - MINUTE:
        odd = random.random() if truck in made.jumpy else 1.0
        yield at, 25.0 if odd < JUMPS else 2.0 if odd < JUMPS + CREEPS else 0.0
        at += 4 * HOUR if truck in made.silent else max(every, 5 * MINUTE) * random.uniform(0.97, 1.03)


def row(entry: Any) -> dict[str, Any]:
    """A line of a log as the vendor tells it."""
    end = None if entry.end is None else iso(entry.end)
    return {"driver": entry.driver, "unit": entry.truck, "at": iso(entry.start), "end": end, "status": entry.status}


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def look(feed: Collection, page: list[dict[str, Any]], memory: dict[str, Any], now: float) -> None:
    """One collection of a feed, its answer given."""
    stream = feed.options["feed"]
    assert isinstance(stream, Stream)
    name = feed.source.name
    told = feed.show(feed.source, list(extract([page], stream, ZONE, now)), memory.get(name), now)
    memory[name] = kept(told.memory)


def put_together(join: Join, memory: dict[str, Any], as_of: dict[str, float], now: float) -> None:
    """One look of the join at what the feeds left."""
    left = {name: (as_of[name], memory[name]) for name in join.of}
    memory["movement"] = kept(join.show(join.source, left, memory.get("movement"), now).memory)


def kept(memory: Any) -> Any:
    """As the state file gives it back."""
    return json.loads(json.dumps(memory))


if __name__ == "__main__":
    sys.exit(main())

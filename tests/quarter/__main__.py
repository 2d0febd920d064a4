"""`python -m tests.quarter`: the simulated quarter, window by window, and what of what was told nobody called for.

Two hours around each fault and 200 random windows without any take hours of CPU; `--around 30` is four times as fast.
Prometheus' own engine in promtool evaluates, terminals each 15 seconds and vendors each minute. It refuses queries of
more than 10 000 samples there, so that a window of vendors has about a hundred trucks with their tablets, and is judged
alone. `--day 2026-12-09` is a whole day of all terminals, and of 3 000 trucks through a real Prometheus.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import date, datetime
from datetime import time as clock
from pathlib import Path

from tests.quarter import day, judge, vendors, yards
from tests.quarter.inbox import messages, routes
from tests.quarter.judge import Found
from tests.quarter.script import BEGIN, DAY, END, LA, MDM, MINUTE, TERMINALS, VENDORS, Script, written
from tests.quarter.yards import Window

TRUCKS = 3_000
PARTS = ("faults", "quiet", "vendors", "calm")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quiet", type=int, default=200, help="random windows without a fault, of either kind")
    parser.add_argument("--trucks", type=int, default=96, help="how many trucks with a tablet there are in a window")
    parser.add_argument("--batch", type=int, default=24, help="windows that are judged at a time")
    parser.add_argument("--part", choices=PARTS, action="append", help="one of them; default: all")
    parser.add_argument("--around", type=float, default=120.0, metavar="MINUTES", help="before and after each fault")
    parser.add_argument("--day", type=date.fromisoformat, help="instead: this whole day")
    options = parser.parse_args()
    script = written(options.seed)
    print(f"{len(script.faults)} faults, {len(script.events) - len(script.faults)} things nobody should hear of")
    if options.day is not None:
        return _day(script, options.day)
    rng, around = random.Random(options.seed), options.around * MINUTE
    windows = [each for of in (yards, vendors) for each in of.windows(script, options.quiet, around, rng)]
    all_told: list[Found] = []
    wrong: list[Found] = []
    missed: list[str] = []
    for part in options.part or PARTS:
        chosen = [each for each in windows if each.part == part]
        print(f"{part}: {len(chosen)} windows, {sum(len(each.where) for each in chosen)} terminals or accounts in them")
        began = time.monotonic()
        for number, batch in enumerate(_batches(chosen, options.batch)):
            with tempfile.TemporaryDirectory() as folder:
                found = judge.told(script, batch, options.trucks, Path(folder))
            unjust = [each for each in found if not each.called_for(script)]
            all_told += found
            wrong, missed = wrong + unjust, missed + judge.missed(script, batch, found)
            print(f"  {number}: {len(batch)} windows, {len(found)} told, {len(unjust)} of it not called for; "
                  f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
            for each in unjust:
                print(f"    {each}", flush=True)
    print(f"not told: {', '.join(missed) or 'nothing'}")
    return _judged(wrong, all_told, (END - BEGIN) / DAY) or bool(missed)


def _day(script: Script, which: date) -> int:
    begin = datetime.combine(which, clock.min, LA).timestamp()
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        window = Window("calm", "vendors", begin, begin + DAY, (*VENDORS, MDM))
        found, series = day.told(script, window, TRUCKS, Path(folder))
        print(f"{TRUCKS} trucks: {series} series, {len(found)} told; {time.monotonic() - began:.0f} s", flush=True)
        _print_found(script, found)
        window = Window("quiet", "yards", begin, begin + DAY, TERMINALS)
        of_yards = judge.told(script, [window], 0, Path(folder))
        print(f"{len(TERMINALS)} terminals: {len(of_yards)} told; {time.monotonic() - began:.0f} s", flush=True)
        _print_found(script, of_yards)
    found += of_yards
    return _judged([each for each in found if not each.called_for(script)], found, 1.0)


def _print_found(script: Script, found: list[Found]) -> None:
    for each in found:
        print(f"  {'' if each.called_for(script) else 'not called for: '}{each}", flush=True)


def _judged(wrong: list[Found], all_told: list[Found], days: float) -> int:
    counts = Counter(each.told["severity"] for each in wrong)
    print(f"not called for: {counts['page']} pages (bar 0), {counts['ticket']} tickets (bar 10), {counts['info']} info")
    _print_messages(all_told, days)
    return int(counts["page"] > 0 or counts["ticket"] > 10)


def _print_messages(found: list[Found], of_days: float) -> None:
    """How many messages there were a day: each fault has a window of its own, in which nothing else is told."""
    sent = messages([each for one in found for each in one.firing()], routes())
    days = Counter(f"{datetime.fromtimestamp(each.at, LA):%Y-%m-%d}" for each in sent if each.receiver != "drill")
    most = ", ".join(f"{day}: {count}" for day, count in days.most_common(3))
    print(f"messages a day: {sum(days.values()) / of_days:.1f} (bar 15), on the worst days {most}")
    for receiver in sorted({each.receiver for each in sent}):
        ours = [each for each in sent if each.receiver == receiver]
        news = sum(bool(each.firing) for each in ours)
        print(f"  {receiver}: {len(ours)}, {news} of something that is wrong, {len(ours) - news} of all that is over")


def _batches(windows: list[Window], size: int) -> list[list[Window]]:
    """So many at a time, those of a length together."""
    ordered = sorted(windows, key=lambda each: (each.length, each.name))
    if ordered and ordered[0].of_vendors:
        size = 1
    return [ordered[index : index + size] for index in range(0, len(ordered), size)]


if __name__ == "__main__":
    sys.exit(main())

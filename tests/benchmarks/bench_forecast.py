"""The forecast of a cycle's use on generated fleets, against Prometheus' `predict_linear`, pro-rata and an oracle.

Median error on day 10 of the cycle, how often the total falls between 0.1 and 0.9, and F1 of "the cap will be exceeded"
five days before it is (of those that are not exceeded, on days drawn from the same), for each shape of `fleets`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleets import BEFORE, CYCLE, LENGTH, SHAPES, Sim, fleet

from yardlight.cellular.forecast import Days, Fit, Fleet, learn, project

DAY_10 = BEFORE + 10
AHEAD = 5
# A day's use comes between 6 and 20 o'clock.
HOURS = [min(1.0, max(0.0, (hour - 6) / 14)) for hour in range(1, 25)]


def linear(sim: Sim, day: int, window: int) -> float:
    """`predict_linear` over so many days of hourly totals, at the midnight that begins `day`, to the end."""
    hours = window * 24
    total = sim.total(day - window) if day - window > BEFORE else 0.0
    samples = []
    for back in range(max(day - window, BEFORE), day):
        use = sim.used[back] or 0.0
        samples += [total + use * share for share in HOURS]
        total += use
    xs = range(-len(samples) + 1, 1)
    if len(samples) < 2 or len(samples) < hours // 2:
        return total
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(samples)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, samples, strict=True)) / sum(
        (x - mean_x) ** 2 for x in xs
    )
    return mean_y - slope * mean_x + slope * (LENGTH - day) * 24


def pro_rata(sim: Sim, day: int) -> float:
    known = sum(used is not None for used in sim.used[BEFORE:day])
    return sim.total(day) * (1 + (LENGTH - day) / known) if known else 0.0


@dataclass
class Forecasts:
    """Ours of a whole fleet on one day."""

    fleet: Fleet
    fits: list[Fit | None]
    first: int
    day: int

    def of(self, index: int, sim: Sim) -> tuple[float, ...] | None:
        fit = self.fits[index]
        days = [(self.first + day, 1.0) for day in range(self.day, LENGTH)]
        return project(fit, self.fleet, sim.total(self.day), days) if fit else None


def forecasts(first: int, sims: Sequence[Sim], day: int) -> Forecasts:
    known = [trimmed(sim.used[:day]) for sim in sims]
    return Forecasts(*learn([Days(first + day - 1, used) for used in known]), first, day)


def trimmed(used: list[float | None]) -> list[float | None]:
    began = next((index for index, each in enumerate(used) if each is not None), len(used))
    return used[max(began, len(used) - 63) :]


def oracle(sim: Sim, day: int) -> float:
    return sim.total(day) + sum(sim.expected[day:])


def exhausted(sim: Sim) -> int | None:
    """The day on which the cap is reached."""
    total = 0.0
    for day in range(BEFORE, LENGTH):
        total += sim.used[day] or 0.0
        if total >= sim.cap:
            return day
    return None


def f1(hits: Sequence[tuple[bool, bool]]) -> float:
    """Of pairs (said, came)."""
    right = sum(said and came for said, came in hits)
    wrong = sum(said != came for said, came in hits)
    return 2 * right / (2 * right + wrong) if right or wrong else 1.0


def alarms(sims: Sequence[Sim], seed: int) -> Iterator[tuple[int, int, bool]]:
    """Which SIM is looked at on which day, and whether its cap is exceeded: five days before, or as many days in."""
    days = [day - AHEAD for sim in sims if (day := exhausted(sim)) is not None and day - AHEAD >= BEFORE]
    for index, sim in enumerate(sims):
        reached = exhausted(sim)
        if reached is None and days:
            yield index, days[(index * 7919 + seed) % len(days)], False
        elif reached is not None and reached - AHEAD >= BEFORE:
            yield index, reached - AHEAD, True


@dataclass
class Result:
    """One fleet."""

    errors: dict[str, float]
    covered: float
    ours: float
    best: float
    seconds: float
    forecast: int

    @property
    def ratio(self) -> float:
        peers = [error for name, error in self.errors.items() if name not in ("ours", "oracle")]
        return self.errors["ours"] / min(peers)


def measure(shape: str, seed: int, count: int) -> Result:
    first, sims = fleet(shape, seed, count)
    started = time.process_time()
    by_day = {DAY_10: forecasts(first, sims, DAY_10)}
    seconds = time.process_time() - started
    errors: dict[str, list[float]] = {}
    covered = []
    for index, sim in enumerate(sims):
        said = by_day[DAY_10].of(index, sim)
        total = sim.total()
        if said is None or total <= 0:
            continue
        covered.append(said[0] <= total <= said[2])
        guesses = {f"{window}d": linear(sim, DAY_10, window) for window in (1, 3, 7)}
        guesses |= {"pro-rata": pro_rata(sim, DAY_10), "oracle": oracle(sim, DAY_10), "ours": said[1]}
        for name, guess in guesses.items():
            errors.setdefault(name, []).append(abs(guess - total) / total)
    ours, best = [], []
    for index, day, came in alarms(sims, seed):
        if day not in by_day:
            by_day[day] = forecasts(first, sims, day)
        sim = sims[index]
        said = by_day[day].of(index, sim)
        ours.append((said is not None and said[1] >= sim.cap, came))
        best.append((oracle(sim, day) >= sim.cap, came))
    medians = {name: statistics.median(each) for name, each in errors.items()}
    return Result(medians, statistics.fmean(covered), f1(ours), f1(best), seconds, len(covered))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--sims", type=int, default=300)
    parser.add_argument("--shape", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    options = parser.parse_args()
    print(f"{options.sims} SIMs, seeds {', '.join(map(str, options.seed))}; day 10 of {CYCLE}, {BEFORE} days before it")
    print(f"{'shape':20}  error  best peer  oracle  ratio  0.1-0.9     F1  oracle  ratio")
    bad = False
    for shape in options.shape:
        results = [measure(shape, seed, options.sims) for seed in options.seed]
        for seed, each in [*zip(options.seed, results, strict=True), ("median", None)]:
            line, missed = report(results if each is None else [each])
            bad = bad or (each is None and missed)
            if each is None or len(results) < 4:
                print(f"{shape if each is None else f'  seed {seed}':20}  {line}")
    first, cost = fleet("ordinary", 1, 1000)
    started = time.process_time()
    forecasts(first, cost, DAY_10)
    print(f"1000 SIMs learned and fitted in {time.process_time() - started:.2f} s of CPU")
    sys.exit(bad)


def report(results: Sequence[Result]) -> tuple[str, bool]:
    ours = statistics.median(each.errors["ours"] for each in results)
    peer = statistics.median(each.errors["ours"] / each.ratio for each in results)
    oracle_ = statistics.median(each.errors["oracle"] for each in results)
    ratio = statistics.median(each.ratio for each in results)
    covered = statistics.fmean(each.covered for each in results)
    f_ours, f_best = statistics.fmean(each.ours for each in results), statistics.fmean(each.best for each in results)
    missed = ratio > 0.5 or not 0.75 <= covered <= 0.9 or f_ours < 0.9 * f_best
    line = f"{ours:5.1%}  {peer:9.1%}  {oracle_:6.1%}  {ratio:5.2f}  {covered:7.1%}  {f_ours:5.3f}  {f_best:6.3f}"
    line += f"  {f_ours / f_best:5.3f}"
    return line + ("  <- misses" if missed else ""), missed


if __name__ == "__main__":
    main()

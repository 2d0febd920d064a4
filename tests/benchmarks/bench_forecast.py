"""The forecast of a cycle's use on generated fleets, against Prometheus' `predict_linear`, pro-rata and an oracle.

Median error on day 10 of the cycle, how often the total falls between 0.1 and 0.9, and F1 of "the cap will be exceeded"
five days before it is (of those that are not exceeded, on days drawn from the same), for each shape of `fleets`.

An error is how far the middle of the forecast is from the total at the cycle's end, in parts of that total. The bar is
on `ratio`: the median error of a fleet against that of whichever peer has the smallest there, and of several fleets the
middle one. Beside it the same of all their SIMs as one fleet (`pooled`), the middle of the kinds of SIMs (`kinds`), of
errors in parts of what was still to come (`rest`), and of pools of `POOL` SIMs instead of SIMs, where nothing ran away
(`pools`; elsewhere one SIM is most of a pool).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from fleets import BEFORE, CYCLE, LENGTH, SHAPES, Sim, fleet

from yardlight.cellular.forecast import Days, Fit, Fleet, learn, project

DAY_10 = BEFORE + 10
AHEAD = 5
POOL = 10
PEERS = ("1d", "3d", "7d", "pro-rata")
# A day's use comes between 6 and 20 o'clock.
HOURS = np.clip((np.arange(1, 25) - 6) / 14, 0.0, 1.0)


def linear(sim: Sim, day: int, window: int) -> float:
    """`predict_linear` over so many days of hourly totals, at the midnight that begins `day`, to the end."""
    begin = max(day - window, BEFORE)
    uses = np.array([sim.used[each] or 0.0 for each in range(begin, day)])
    before = sim.total(begin) + np.cumsum(uses) - uses
    samples = (before[:, None] + uses[:, None] * HOURS).ravel()
    if len(samples) < window * 12:
        return sim.total(day)
    hours = np.arange(len(samples)) - (len(samples) - 1) / 2
    slope = float(hours @ samples / (hours @ hours))
    return float(samples.mean()) + slope * ((len(samples) - 1) / 2 + (LENGTH - day) * 24)


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


def forecasts(first: int, sims: Sequence[Sim], day: int, history: int) -> Forecasts:
    known = [active(sim.used[BEFORE - history : day]) for sim in sims]
    return Forecasts(*learn([Days(first + day - 1, used) for used in known]), first, day)


def active(used: list[float | None]) -> list[float | None]:
    return used[next((index for index, each in enumerate(used) if each is not None), len(used)) :]


def exhausted(sim: Sim) -> int | None:
    """The day on which the cap is reached."""
    total = 0.0
    for day in range(BEFORE, LENGTH):
        total += sim.used[day] or 0.0
        if total >= sim.cap_on(day):
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


Errors = dict[str, list[float]]


@dataclass
class Result:
    """One fleet: every error by whose it is, how often the total was in the range, and F1 of ours and the oracle.

    Of each SIM in `errors` also its kind, and what part of the total was still to come.
    """

    errors: Errors
    kinds: list[str]
    rests: list[float]
    of_pools: Errors
    covered: float
    ours: float
    best: float


def guesses(sim: Sim) -> dict[str, float]:
    """What everybody else says on day 10."""
    return {
        **{f"{window}d": linear(sim, DAY_10, window) for window in (1, 3, 7)},
        "pro-rata": pro_rata(sim, DAY_10),
        "oracle": sim.foreseen(DAY_10),
    }


def of_pools(first: int, sims: Sequence[Sim], history: int) -> Errors:
    """Errors on day 10 of pools that are made of those SIMs."""
    calm = [index for index, sim in enumerate(sims) if sim.kind != "runaway"]
    members = [calm[begin : begin + POOL] for begin in range(0, len(calm) - POOL + 1, POOL)]
    pools = [added([sims[index] for index in each]) for each in members]
    known = [active(sim.used[BEFORE - history : DAY_10]) for sim in (*sims, *pools)]
    places = {len(sims) + index: each for index, each in enumerate(members)}
    learned, fits = learn([Days(first + DAY_10 - 1, used) for used in known], places)
    days, errors = [(first + day, 1.0) for day in range(DAY_10, LENGTH)], Errors()
    for pool, fit in zip(pools, fits[len(sims) :], strict=True):
        total = pool.total()
        if fit is not None and total > 0:
            said = guesses(pool) | {"ours": project(fit, learned, pool.total(DAY_10), days)[1]}
            for name, guess in said.items():
                errors.setdefault(name, []).append(abs(guess - total) / total)
    return errors


def added(sims: Sequence[Sim]) -> Sim:
    """What they use together."""
    return Sim(
        [sum(each or 0.0 for each in day) for day in zip(*(sim.used for sim in sims), strict=True)],
        [sum(day) for day in zip(*(sim.expected for sim in sims), strict=True)],
    )


def measure(shape: str, seed: int, count: int, history: int) -> Result:
    first, sims = fleet(shape, seed, count)
    by_day = {DAY_10: forecasts(first, sims, DAY_10, history)}
    errors: Errors = {}
    kinds, rests, covered = list[str](), list[float](), list[bool]()
    for index, sim in enumerate(sims):
        said = by_day[DAY_10].of(index, sim)
        total = sim.total()
        if said is None or total <= 0:
            continue
        covered.append(said[0] <= total <= said[2])
        kinds.append(sim.kind)
        rests.append(max(1e-3, 1 - sim.total(DAY_10) / total))
        for name, guess in (guesses(sim) | {"ours": said[1]}).items():
            errors.setdefault(name, []).append(abs(guess - total) / total)
    ours, best = [], []
    for index, day, came in alarms(sims, seed):
        if day not in by_day:
            by_day[day] = forecasts(first, sims, day, history)
        sim = sims[index]
        said = by_day[day].of(index, sim)
        ours.append((said is not None and said[1] >= sim.cap_on(day), came))
        best.append((sim.foreseen(day) >= sim.cap_on(day), came))
    pools = of_pools(first, sims, history)
    return Result(errors, kinds, rests, pools, statistics.fmean(covered), f1(ours), f1(best))


def ratio(errors: Errors, whose: str) -> float:
    """The median error against that of the best peer."""
    medians = {name: statistics.median(each) for name, each in errors.items()}
    return medians[whose] / min(medians[name] for name in PEERS)


def _joined(each: Sequence[Errors]) -> Errors:
    return {name: [error for errors in each for error in errors[name]] for name in each[0]}


@dataclass
class Line:
    """What is printed of some fleets of one shape: medians and means over them, and their SIMs as one fleet."""

    error: float
    ratio: float
    oracle: float
    pooled: float
    kinds: float
    rest: float
    pools: float
    covered: float
    f1: float
    f1_oracle: float

    @classmethod
    def of(cls, results: Sequence[Result]) -> Line:
        every, of_pools = (
            _joined(errors) for errors in zip(*((each.errors, each.of_pools) for each in results), strict=True)
        )
        kinds = [kind for each in results for kind in each.kinds]
        rests = [rest for each in results for rest in each.rests]
        by_kind = [
            {
                name: [error for error, each in zip(errors, kinds, strict=True) if each == kind]
                for name, errors in every.items()
            }
            for kind in sorted(set(kinds))
        ]
        of_rest = {
            name: [error / rest for error, rest in zip(errors, rests, strict=True)] for name, errors in every.items()
        }
        return cls(
            statistics.median(every["ours"]),
            statistics.median(ratio(each.errors, "ours") for each in results),
            statistics.median(ratio(each.errors, "oracle") for each in results),
            ratio(every, "ours"),
            statistics.median(ratio(each, "ours") for each in by_kind),
            ratio(of_rest, "ours"),
            ratio(of_pools, "ours"),
            statistics.fmean(each.covered for each in results),
            statistics.fmean(each.ours for each in results),
            statistics.fmean(each.best for each in results),
        )

    @property
    def good(self) -> bool:
        return self.ratio <= 0.5 and 0.75 <= self.covered <= 0.9 and self.f1 >= 0.9 * self.f1_oracle

    def __str__(self) -> str:
        told = f"{self.error:6.1%}  {self.ratio:5.2f}  {self.pooled:6.2f}  {self.kinds:5.2f}  {self.rest:4.2f}"
        told += f"  {self.pools:5.2f}  {self.oracle:6.2f}  {self.covered:7.1%}"
        told += f"  {self.f1:5.3f}  {self.f1 / self.f1_oracle:9.3f}"
        return told if self.good else told + "  <- misses"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--sims", type=int, default=240)
    parser.add_argument("--history", type=int, default=BEFORE, help="days before the cycle that are known")
    parser.add_argument("--shape", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    options = parser.parse_args()
    print(
        f"{options.sims} SIMs, seeds {', '.join(map(str, options.seed))}; day 10 of {CYCLE}, {options.history} before"
    )
    print(f"{'shape':20}   error  ratio  pooled  kinds  rest  pools  oracle  0.1-0.9     F1  of oracle")
    good = True
    for shape in options.shape:
        results = [measure(shape, seed, options.sims, options.history) for seed in options.seed]
        line = Line.of(results)
        good = good and line.good
        print(f"{shape:20}  {line}", flush=True)
    first, sims = fleet("ordinary", 1, 1000)
    started = time.process_time()
    forecasts(first, sims, DAY_10, BEFORE)
    print(f"1000 SIMs learned and fitted in {time.process_time() - started:.2f} s of CPU")
    sys.exit(not good)


if __name__ == "__main__":
    main()

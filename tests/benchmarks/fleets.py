"""Generated fleets of SIMs for the backtest: what is used on each day, and what one who knows the generator expects.

Each shape draws its SIMs in a way of its own, so that a forecast which only fits one of them shows. All amounts are
bytes; a day in `expected` is its mean given all that was decided before it, which nobody but the generator knows.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from yardlight.cellular.levels import typical as middle_count

FIRST = 738_158  # the ordinal of 2022-01-03, a Monday
BEFORE, CYCLE = 90, 30
LENGTH = BEFORE + CYCLE


@dataclass
class Sim:
    """One SIM: bytes of each day (None: not active yet), what to expect of each, and the cap.

    Bursts of `burst` bytes come `often` a day. The plan may change: until the day `replaced` the cap is `old_cap`.
    """

    used: list[float | None]
    expected: list[float]
    cap: float = 0.0
    kind: str = "plain"
    often: float = 0.0
    burst: float = 0.0
    replaced: int = 0
    old_cap: float = 0.0

    def total(self, end: int = LENGTH) -> float:
        return sum(used or 0.0 for used in self.used[BEFORE:end])

    def cap_on(self, day: int) -> float:
        return self.cap if day >= self.replaced else self.old_cap

    def foreseen(self, day: int) -> float:
        """The total at the end for one who knows the generator; of bursts as many as come as often as not."""
        bursts = float(middle_count(np.array(self.often * (LENGTH - day)))) * self.burst
        return self.total(day) + sum(self.expected[day:]) + bursts


Noise = Callable[[random.Random], float]


@dataclass
class Scene:
    """What all SIMs of a fleet share: on which weekday the days begin, and what multiplies the mean of each."""

    weekday: int
    shocks: list[float]

    def weekend(self, day: int) -> bool:
        return (self.weekday + day) % 7 > 4


Shape = Callable[[random.Random, int, Scene], Sim]


def gamma(cv: float) -> Noise:
    shape = 1.0 / cv**2
    return lambda rng: rng.gammavariate(shape, 1.0 / shape)


def lognormal(sigma: float) -> Noise:
    return lambda rng: rng.lognormvariate(-(sigma**2) / 2, sigma)


def week(rng: random.Random, kind: str) -> list[float]:
    """Weights of Monday to Sunday: a yard that rests at weekends, mostly, never, or on days of its own."""
    if kind == "office":
        weekend = rng.uniform(0.02, 0.3)
        days = [rng.uniform(0.9, 1.1) for _ in range(5)] + [weekend, weekend * rng.uniform(0.3, 1.0)]
    elif kind == "truck stop":
        saturday = rng.uniform(0.2, 0.5)
        days = [rng.uniform(0.9, 1.1) for _ in range(5)] + [saturday, saturday * rng.uniform(0.5, 1.0)]
    elif kind == "always":
        days = [rng.uniform(0.85, 1.15) for _ in range(7)]
    else:
        days = [rng.choice((0.2, 1.0, 1.0, 1.5)) for _ in range(7)]
    mean = sum(days) / 7
    return [day / mean for day in days]


def draw(rng: random.Random, level: list[float], weights: list[float], scene: Scene, noise: Noise) -> Sim:
    """Days of a level that is given for each of them."""
    expected = [level[day] * weights[(scene.weekday + day) % 7] * scene.shocks[day] for day in range(LENGTH)]
    return Sim([mean * noise(rng) for mean in expected], expected)


def size(rng: random.Random) -> float:
    return rng.lognormvariate(math.log(120e6), 0.8)


def office(rng: random.Random) -> str:
    return rng.choices(("office", "always", "own"), (0.7, 0.2, 0.1))[0]


def level_of(rng: random.Random, kind: str, season: str = "turn") -> list[float]:
    base = size(rng)
    if kind == "growth":
        rate = rng.uniform(0.003, 0.012)
        return [base * math.exp(rate * (day - BEFORE)) for day in range(LENGTH)]
    if kind == "growth by the day":
        rate = rng.uniform(0.003, 0.02)
        return [base * (1 + rate * day) for day in range(LENGTH)]
    if kind == "seasonal":
        return [base * factor for factor in SEASONS[season](rng)]
    return [base] * LENGTH


def turn(rng: random.Random) -> list[float]:
    """Other routes from some day on, within a week, before the cycle or in it."""
    at, factor = rng.randrange(BEFORE - 25, LENGTH - 8), rng.choice((0.4, 0.6, 1.6, 2.2))
    return [1 + (factor - 1) / (1 + math.exp((at - day) / 2.0)) for day in range(LENGTH)]


def weeks(rng: random.Random) -> list[float]:
    """Other routes for some weeks, from one day to the next."""
    begin, count, factor = rng.randrange(LENGTH - 10), rng.randrange(3, 9), rng.choice((0.5, 0.7, 1.5, 1.8, 2.2))
    return [factor if begin <= day < begin + 7 * count else 1.0 for day in range(LENGTH)]


def wave(rng: random.Random) -> list[float]:
    """More and less in the course of months."""
    height, length, phase = rng.uniform(0.2, 0.5), rng.uniform(60, 180), rng.uniform(0, 2 * math.pi)
    return [1 + height * math.sin(2 * math.pi * day / length + phase) for day in range(LENGTH)]


def year(rng: random.Random) -> list[float]:
    """More in one half of the year than in the other."""
    height, phase = rng.uniform(0.15, 0.5), rng.uniform(0, 2 * math.pi)
    return [1 + height * math.sin(2 * math.pi * day / 365 + phase) for day in range(LENGTH)]


SEASONS = {"turn": turn, "weeks": weeks, "wave": wave, "year": year}


def ordinary(rng: random.Random, index: int, scene: Scene) -> Sim:
    """What the bar names: weekdays, growth, seasonal routes, bursts, new SIMs, runaways, plan changes."""
    kinds = ("plain", "growth", "seasonal", "bursts", "new", "runaway", "plan change")
    kind = rng.choices(kinds, (46, 15, 12, 12, 7, 3, 5))[0]
    noise = gamma(rng.uniform(0.15, 0.45))
    sim = draw(rng, level_of(rng, kind), week(rng, office(rng)), scene, noise)
    return special(rng, sim, kind)


def tidy(rng: random.Random, index: int, scene: Scene) -> Sim:
    """The same with calm days, weekends off for all, and fewer surprises."""
    kind = rng.choices(("plain", "growth", "bursts", "new", "runaway"), (70, 15, 8, 5, 2))[0]
    noise = gamma(rng.uniform(0.1, 0.25))
    return special(rng, draw(rng, level_of(rng, kind), week(rng, "office"), scene, noise), kind)


def named(rng: random.Random, scene: Scene, sigmas: tuple[float, float], season: str, odds: Sequence[int]) -> Sim:
    """The kinds that the bar names, each by itself, with lognormal days and lower weekends."""
    kinds = ("plain", "growth", "growth by the day", "seasonal", "bursts", "new", "runaway", "plan change")
    kind = rng.choices(kinds, odds)[0]
    noise = lognormal(rng.uniform(*sigmas))
    return special(rng, draw(rng, level_of(rng, kind, season), week(rng, "truck stop"), scene, noise), kind)


def typical(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Most do nothing special; routes change for some weeks."""
    return named(rng, scene, (0.15, 0.25), "weeks", (35, 8, 7, 15, 12, 10, 5, 8))


def equal(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Every kind as often as the others."""
    return named(rng, scene, (0.1, 0.3), "weeks", (2, 1, 1, 2, 2, 2, 2, 2))


def waves(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Seasons that come and go slowly."""
    return named(rng, scene, (0.1, 0.3), "wave", (35, 8, 7, 15, 12, 10, 5, 8))


def seasons(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Most follow the seasons of a year, each those of its own routes."""
    return named(rng, scene, (0.1, 0.3), "year", (10, 8, 7, 50, 8, 7, 3, 7))


def loud(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Typical, with days that differ a lot."""
    return named(rng, scene, (0.25, 0.45), "weeks", (35, 8, 7, 15, 12, 10, 5, 8))


def together(rng: random.Random, index: int, scene: Scene) -> Sim:
    """All at once: every SIM grows or shrinks a little, and many have a season, bursts or a runaway beside."""
    growth, level = rng.gauss(0.0, 0.004), level_of(rng, "seasonal" if rng.random() < 0.25 else "plain", "weeks")
    noise = lognormal(rng.uniform(0.1, 0.3))
    level = [each * math.exp(growth * (day - BEFORE)) for day, each in enumerate(level)]
    sim = draw(rng, level, week(rng, "truck stop"), scene, noise)
    for kind, chance in (("bursts", 0.3), ("new", 0.1), ("runaway", 0.04)):
        if rng.random() < chance:
            special(rng, sim, kind)
    return sim


def growing(rng: random.Random, index: int, scene: Scene) -> Sim:
    """A whole fleet that grows, some SIMs faster than others."""
    base, rate = size(rng), rng.gauss(0.006, 0.002)
    level = [base * math.exp(rate * (day - BEFORE)) for day in range(LENGTH)]
    kind = rng.choices(("growth", "bursts", "new", "runaway"), (75, 12, 10, 3))[0]
    return special(rng, draw(rng, level, week(rng, "truck stop"), scene, lognormal(rng.uniform(0.1, 0.3))), kind)


def additive(rng: random.Random, index: int, scene: Scene) -> Sim:
    """One weekday pattern for all, and noise that is as large on a Sunday as on a Monday."""
    kinds = ("plain", "growth", "growth by the day", "seasonal", "bursts", "new", "runaway", "plan change")
    kind = rng.choices(kinds, (30, 8, 7, 15, 15, 10, 5, 10))[0]
    level, share = level_of(rng, kind, "weeks"), rng.uniform(0.1, 0.25)
    sim = draw(rng, level, [each / 0.886 for each in (1.1, 1.15, 1.15, 1.1, 1.0, 0.45, 0.25)], scene, lambda _: 1.0)
    sim.used = [max(0.0, mean + rng.gauss(0.0, share * each)) for mean, each in zip(sim.expected, level, strict=True)]
    return special(rng, sim, kind)


def swaying(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Each grows a little and has a season of its own beside it, of a month to a year."""
    base, height, rate = size(rng), rng.uniform(0.1, 0.4), rng.uniform(0.0, 0.01)
    length, phase = rng.choice((30, 60, 90, 180, 365)), rng.uniform(0, 2 * math.pi)
    level = [
        base * (1 + rate * day) * (1 + height * math.sin(2 * math.pi * day / length + phase)) for day in range(LENGTH)
    ]
    kind = rng.choices(("seasonal", "bursts", "new", "runaway", "plan change"), (66, 15, 10, 3, 6))[0]
    return special(rng, draw(rng, level, week(rng, "truck stop"), scene, lognormal(rng.uniform(0.1, 0.3))), kind)


def special(rng: random.Random, sim: Sim, kind: str) -> Sim:
    """What happens to a SIM of this kind beside its level. With another plan people often use more, or less."""
    sim.kind = kind
    mean = sum(sim.expected) / LENGTH
    if kind == "bursts":
        often, size_ = rng.uniform(0.02, 0.08), rng.uniform(3.0, 8.0) * mean
        for day in range(LENGTH):
            if rng.random() < often:
                sim.used[day] = (sim.used[day] or 0.0) + size_ * rng.uniform(0.7, 1.3)
        sim.often, sim.burst = often, size_
    elif kind == "new":
        began = BEFORE + rng.randrange(-15, 5)
        sim.used[:began] = [None] * began
    elif kind == "runaway":
        began = BEFORE + rng.randrange(3, 20)
        for day in range(began, LENGTH):
            factor = rng.uniform(8.0, 25.0)
            sim.used[day], sim.expected[day] = (sim.used[day] or 0.0) * factor, sim.expected[day] * 16.5
    elif kind == "plan change":
        sim.replaced, factor = rng.randrange(BEFORE - 20, LENGTH - 10), rng.choice((0.6, 1.0, 1.0, 1.6, 2.2))
        for day in range(sim.replaced, LENGTH):
            sim.used[day], sim.expected[day] = (sim.used[day] or 0.0) * factor, sim.expected[day] * factor
    return sim


def lognormal_days(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Long tails on every day, and less of a weekend."""
    noise = lognormal(rng.uniform(0.4, 0.8))
    kind = rng.choices(("plain", "growth", "seasonal", "bursts", "new"), (60, 15, 10, 10, 5))[0]
    return special(
        rng, draw(rng, level_of(rng, kind), week(rng, "office" if index % 2 else "always"), scene, noise), kind
    )


def hurried(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Growth, a season by amounts and bursts of all sizes in each; some lay in stock before, told as nothing used."""
    base, growth, height = size(rng), rng.gauss(0.03, 0.06), rng.uniform(0.0, 0.35)
    length, phase = rng.uniform(60, 180), rng.uniform(0, 2 * math.pi)
    level = [
        base * (1 + growth) ** (day / 30) * (1 + height * math.sin(2 * math.pi * day / length + phase))
        for day in range(LENGTH)
    ]
    week = [rng.gauss(1.0, 0.1) * each for each in (1.0, 1.0, 1.0, 1.0, 0.95, 0.5, 0.35)]
    sim = draw(rng, level, week, scene, lognormal(rng.uniform(0.1, 0.35)))
    sim.often, sim.burst = 0.03, 4 * base
    begin = rng.randrange(20, BEFORE - 5) if index % 8 == 0 else 0
    for day, used in enumerate(sim.used):
        burst = base * rng.expovariate(0.25) if rng.random() < sim.often else 0.0
        # Apps and maps on the first two days.
        loaded = base * rng.uniform(1.0, 3.0) if begin and begin <= day < begin + 2 else 0.0
        sim.used[day] = 0.0 if day < begin else (used or 0.0) + burst + loaded
    return sim


def trucks(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Away for days, then parked for days: a chain of two states, at home more often at weekends."""
    base, weights = size(rng), week(rng, "always")
    stay, leave = rng.uniform(0.7, 0.92), rng.uniform(0.25, 0.6)
    noise = gamma(0.35)
    away, used, expected = True, list[float | None](), list[float]()
    for day in range(LENGTH):
        chance = stay if away else leave
        away = rng.random() < (chance * 0.4 if scene.weekend(day) else chance)
        mean = base * weights[(scene.weekday + day) % 7] * scene.shocks[day]
        used.append(mean * noise(rng) if away else mean * 0.02 * rng.random())
        share = leave / (leave + 1 - stay)
        expected.append(mean * (share * (0.5 if scene.weekend(day) else 1.0)))
    return Sim(used, expected, kind="truck")


def trips(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Use comes with trips: none to a few a day, each of a size of its own, so that many days have nothing at all."""
    kinds = ("plain", "growth", "growth by the day", "seasonal", "bursts", "new", "runaway", "plan change")
    kind = rng.choices(kinds, (35, 8, 7, 15, 12, 10, 5, 8))[0]
    count, noise = rng.uniform(0.8, 4.0), gamma(rng.uniform(0.3, 0.7))

    def day_of_trips(rng: random.Random) -> float:
        left, made = rng.expovariate(1.0), 0
        while left < count:
            left, made = left + rng.expovariate(1.0), made + 1
        return sum(noise(rng) for _ in range(made)) / count

    sim = draw(rng, level_of(rng, kind, "weeks"), week(rng, office(rng)), scene, day_of_trips)
    return special(rng, sim, kind)


def duty(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Weeks on the road, then days at home; nobody knows beforehand when a stint ends."""
    base, away, home = size(rng), rng.randrange(10, 25), rng.randrange(2, 8)
    levels, share = list[float](), away / (away + home)
    while len(levels) < LENGTH + 40:
        levels += [base] * rng.randrange(away - 4, away + 5) + [base * 0.03] * rng.randrange(max(1, home - 2), home + 3)
    begin = rng.randrange(30)
    weights, noise = week(rng, "always"), gamma(rng.uniform(0.15, 0.4))
    sim = draw(rng, levels[begin : begin + LENGTH], weights, scene, noise)
    sim.kind, sim.expected = "duty", draw(rng, [base * share] * LENGTH, weights, scene, noise).expected
    return sim


def steps(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Levels that jump when an app or a camera is switched on or off, half of them once, some often."""
    level, at = size(rng), 0
    levels = list[float]()
    every = rng.choice((25, 60, 200))
    while len(levels) < LENGTH:
        at = max(3, int(rng.expovariate(1 / every)))
        levels += [level] * at
        level *= rng.choice((0.4, 0.6, 1.7, 2.5))
    noise = gamma(rng.uniform(0.15, 0.4))
    return draw(rng, levels[:LENGTH], week(rng, office(rng)), scene, noise)


def routes(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Routes that stay alike for a while: the logarithm of the level wanders and comes back."""
    base, memory, wander = size(rng), rng.uniform(0.7, 0.95), rng.uniform(0.1, 0.25)
    log, levels = 0.0, list[float]()
    for _ in range(LENGTH):
        log = memory * log + rng.gauss(0.0, wander)
        levels.append(base * math.exp(log))
    noise = gamma(0.2)
    return draw(rng, levels, week(rng, office(rng)), scene, noise)


def calm(rng: random.Random) -> list[float]:
    return [1.0] * LENGTH


def holidays(rng: random.Random) -> list[float]:
    """A holiday before the cycle, one in it, a week between the years, and days on which the whole fleet does more."""
    shocks = [rng.lognormvariate(0.0, 0.1) for _ in range(LENGTH)]
    for day in (
        rng.randrange(7, BEFORE - 7),
        rng.randrange(BEFORE + 2, BEFORE + 9),
        rng.randrange(BEFORE + 12, LENGTH),
    ):
        shocks[day] *= 0.15
    quiet = rng.randrange(BEFORE - 40, BEFORE - 14)
    for day in range(quiet, quiet + 5):
        shocks[day] *= 0.4
    return shocks


def updates(rng: random.Random) -> list[float]:
    """Days on which every SIM of the fleet loads new firmware: two or three before the cycle, and one in it."""
    shocks = [1.0] * LENGTH
    for day in (*rng.sample(range(7, BEFORE), rng.randrange(2, 4)), rng.randrange(BEFORE, LENGTH)):
        shocks[day] = rng.uniform(2.5, 5.0)
    return shocks


def one_season(rng: random.Random) -> list[float]:
    """More freight in some weeks or months than in others, for all of the fleet alike."""
    height, length, phase = rng.uniform(0.15, 0.4), rng.uniform(45, 365), rng.uniform(0, 2 * math.pi)
    return [1 + height * math.sin(2 * math.pi * day / length + phase) for day in range(LENGTH)]


SHAPES: dict[str, tuple[Shape, Callable[[random.Random], list[float]]]] = {
    "typical": (typical, calm),
    "every kind alike": (equal, calm),
    "all at once": (together, calm),
    "growing fleet": (growing, calm),
    "waves": (waves, calm),
    "seasons": (seasons, calm),
    "growth and seasons": (swaying, calm),
    "one season": (typical, one_season),
    "additive noise": (additive, calm),
    "loud": (loud, calm),
    "ordinary": (ordinary, calm),
    "tidy yards": (tidy, calm),
    "holidays": (ordinary, holidays),
    "firmware": (typical, updates),
    "trips": (trips, calm),
    "weeks on duty": (duty, calm),
    "lognormal days": (lognormal_days, calm),
    "bursts of all sizes": (hurried, calm),
    "intermittent trucks": (trucks, calm),
    "step changes": (steps, calm),
    "wandering routes": (routes, calm),
}


def fleet(shape: str, seed: int, sims: int) -> tuple[int, list[Sim]]:
    """The ordinal of the first day, and so many SIMs of this shape; a third end within 15 % of their cap."""
    rng = random.Random(f"{shape} {seed}")
    make, shocks_of = SHAPES[shape]
    scene = Scene(rng.randrange(7), shocks_of(rng))
    made = [make(rng, index, scene) for index in range(sims)]
    for index, sim in enumerate(made):
        near = rng.uniform(1 / 1.15, 1 / 0.85)
        far = rng.uniform(1.3, 4.0) if index % 2 else rng.uniform(0.45, 0.85)
        sim.cap = max(1.0, sim.total()) * (near if index % 3 == 0 else far)
        sim.old_cap = sim.cap * rng.choice((0.6, 1.6))
    return FIRST + scene.weekday, made

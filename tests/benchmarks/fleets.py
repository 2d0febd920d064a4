"""Generated fleets of SIMs for the backtest: what is used on each day, and what one who knows the generator expects.

Each shape draws its SIMs in a way of its own, so that a forecast which only fits one of them shows. All amounts are
bytes; a day in `expected` is its mean given all that was decided before it, which nobody but the generator knows.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST = 738_158  # the ordinal of 2022-01-03, a Monday
BEFORE, CYCLE = 56, 30
LENGTH = BEFORE + CYCLE


@dataclass
class Sim:
    """One SIM: bytes of each day, what to expect of each and its spread, and the cap. None: not active yet."""

    used: list[float | None]
    expected: list[float]
    spread: list[float]
    cap: float = 0.0
    caps: list[float] = field(default_factory=list)
    kind: str = "plain"

    def total(self, end: int = LENGTH) -> float:
        return sum(used or 0.0 for used in self.used[BEFORE:end])


Noise = Callable[[random.Random], float]


@dataclass
class Scene:
    """What all SIMs of a fleet share: on which weekday the days begin, and what multiplies the mean of each."""

    weekday: int
    shocks: list[float]

    def weekend(self, day: int) -> bool:
        return (self.weekday + day) % 7 > 4


Shape = Callable[[random.Random, int, Scene], Sim]


def gamma(cv: float) -> tuple[Noise, float]:
    shape = 1.0 / cv**2
    return (lambda rng: rng.gammavariate(shape, 1.0 / shape)), cv


def lognormal(sigma: float) -> tuple[Noise, float]:
    return (lambda rng: rng.lognormvariate(-(sigma**2) / 2, sigma)), math.sqrt(math.expm1(sigma**2))


def week(rng: random.Random, kind: str) -> list[float]:
    """Weights of Monday to Sunday: a yard that rests at weekends, one that never does, one with its own days."""
    if kind == "office":
        weekend = rng.uniform(0.02, 0.3)
        days = [rng.uniform(0.9, 1.1) for _ in range(5)] + [weekend, weekend * rng.uniform(0.3, 1.0)]
    elif kind == "always":
        days = [rng.uniform(0.85, 1.15) for _ in range(7)]
    else:
        days = [rng.choice((0.2, 1.0, 1.0, 1.5)) for _ in range(7)]
    mean = sum(days) / 7
    return [day / mean for day in days]


def draw(rng: random.Random, level: list[float], weights: list[float], scene: Scene, noise: Noise, cv: float) -> Sim:
    """Days of a level that is given for each of them."""
    expected = [level[day] * weights[(scene.weekday + day) % 7] * scene.shocks[day] for day in range(LENGTH)]
    return Sim([mean * noise(rng) for mean in expected], expected, [mean * cv for mean in expected])


def size(rng: random.Random) -> float:
    return rng.lognormvariate(math.log(120e6), 0.8)


def office(rng: random.Random) -> str:
    return rng.choices(("office", "always", "own"), (0.7, 0.2, 0.1))[0]


def level_of(rng: random.Random, kind: str) -> list[float]:
    base = size(rng)
    if kind == "growth":
        rate = rng.uniform(0.003, 0.012)
        return [base * math.exp(rate * (day - BEFORE)) for day in range(LENGTH)]
    if kind == "seasonal":
        turn, factor = rng.randrange(BEFORE - 25, LENGTH - 8), rng.choice((0.4, 0.6, 1.6, 2.2))
        return [base * (1 + (factor - 1) / (1 + math.exp((turn - day) / 2.0))) for day in range(LENGTH)]
    return [base] * LENGTH


def ordinary(rng: random.Random, index: int, scene: Scene) -> Sim:
    """What the acceptance bar names: weekdays, growth, seasonal routes, bursts, new SIMs, runaways, plan changes."""
    kinds = ("plain", "growth", "seasonal", "bursts", "new", "runaway", "plan change")
    kind = rng.choices(kinds, (46, 15, 12, 12, 7, 3, 5))[0]
    noise, cv = gamma(rng.uniform(0.15, 0.45))
    sim = draw(rng, level_of(rng, kind), week(rng, office(rng)), scene, noise, cv)
    return special(rng, sim, kind)


def tidy(rng: random.Random, index: int, scene: Scene) -> Sim:
    """The same with calm days, weekends off for all, and fewer surprises."""
    kind = rng.choices(("plain", "growth", "bursts", "new", "runaway"), (70, 15, 8, 5, 2))[0]
    noise, cv = gamma(rng.uniform(0.1, 0.25))
    return special(rng, draw(rng, level_of(rng, kind), week(rng, "office"), scene, noise, cv), kind)


def special(rng: random.Random, sim: Sim, kind: str) -> Sim:
    sim.kind = kind
    mean = sum(sim.expected) / LENGTH
    if kind == "bursts":
        often, size_ = rng.uniform(0.03, 0.08), rng.uniform(3.0, 8.0) * mean
        for day in range(LENGTH):
            if rng.random() < often:
                sim.used[day] = (sim.used[day] or 0.0) + size_ * rng.uniform(0.7, 1.3)
            sim.expected[day] += often * size_
            sim.spread[day] = math.hypot(sim.spread[day], size_ * math.sqrt(often))
    elif kind == "new":
        began = BEFORE + rng.randrange(-15, 5)
        sim.used[:began] = [None] * began
    elif kind == "runaway":
        began = BEFORE + rng.randrange(3, 20)
        for day in range(began, LENGTH):
            factor = rng.uniform(8.0, 25.0)
            sim.used[day], sim.expected[day] = (sim.used[day] or 0.0) * factor, sim.expected[day] * 16.5
            sim.spread[day] *= 18.0
    return sim


def lognormal_days(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Long tails on every day, and less of a weekend."""
    noise, cv = lognormal(rng.uniform(0.4, 0.8))
    kind = rng.choices(("plain", "growth", "seasonal", "bursts", "new"), (60, 15, 10, 10, 5))[0]
    return special(
        rng, draw(rng, level_of(rng, kind), week(rng, "office" if index % 2 else "always"), scene, noise, cv), kind
    )


def trucks(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Away for days, then parked for days: a chain of two states, at home more often at weekends."""
    base, weights = size(rng), week(rng, "always")
    stay, leave = rng.uniform(0.7, 0.92), rng.uniform(0.25, 0.6)
    noise, _ = gamma(0.35)
    away, used, expected, spread = True, list[float | None](), list[float](), list[float]()
    for day in range(LENGTH):
        chance = stay if away else leave
        away = rng.random() < (chance * 0.4 if scene.weekend(day) else chance)
        mean = base * weights[(scene.weekday + day) % 7] * scene.shocks[day]
        used.append(mean * noise(rng) if away else mean * 0.02 * rng.random())
        share = leave / (leave + 1 - stay)
        expected.append(mean * (share * (0.5 if scene.weekend(day) else 1.0)))
        spread.append(mean * math.sqrt(share * (1 - share)) * 1.5)
    return Sim(used, expected, spread, kind="truck")


def steps(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Levels that jump when an app or a camera is switched on or off, half of them once, some often."""
    level, at = size(rng), 0
    levels = list[float]()
    every = rng.choice((25, 60, 200))
    while len(levels) < LENGTH:
        at = max(3, int(rng.expovariate(1 / every)))
        levels += [level] * at
        level *= rng.choice((0.4, 0.6, 1.7, 2.5))
    noise, cv = gamma(rng.uniform(0.15, 0.4))
    return draw(rng, levels[:LENGTH], week(rng, office(rng)), scene, noise, cv)


def routes(rng: random.Random, index: int, scene: Scene) -> Sim:
    """Routes that stay alike for a while: the logarithm of the level wanders and comes back."""
    base, memory, wander = size(rng), rng.uniform(0.7, 0.95), rng.uniform(0.1, 0.25)
    log, levels = 0.0, list[float]()
    for _ in range(LENGTH):
        log = memory * log + rng.gauss(0.0, wander)
        levels.append(base * math.exp(log))
    noise, cv = gamma(0.2)
    return draw(rng, levels, week(rng, office(rng)), scene, noise, cv)


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


SHAPES: dict[str, tuple[Shape, Callable[[random.Random], list[float]]]] = {
    "ordinary": (ordinary, calm),
    "tidy yards": (tidy, calm),
    "holidays": (ordinary, holidays),
    "lognormal days": (lognormal_days, calm),
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
        sim.caps = [sim.cap] * LENGTH
        if sim.kind == "plan change":
            changed = BEFORE + rng.randrange(4, 25)
            sim.caps[:changed] = [sim.cap / rng.choice((2.0, 1.5))] * changed
    return FIRST + scene.weekday, made

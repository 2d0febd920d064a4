"""What the series of an account do together: seasons, peaks before holidays, a year that goes badly.

Of one series nobody can tell growth from a season that is about to turn; of a hundred that share it one can. Weeks, as
logarithms beside each series' own level, are told by one course, of which each series has more, less or nothing: both
are found by turns. How the course goes on is told by curves (flat, growth, seasons of all lengths, as shares or as
amounts, each with a walk beside it), weighed by how well they explain it: Gaussian processes of a dozen weeks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from yardlight.cellular.changes import Floats
from yardlight.cellular.history import KEEP_DAYS

_WEEK = 7
# Fewer do nothing together, or nobody can tell.
_LEAST_SERIES, _LEAST_WEEKS = 20, 4
# So many have to move with a course, or it is theirs and not the account's.
_LEAST_MOVING = 10
# Of a week less than so many usual days are not enough.
_LEAST_DAYS = 2.0
_TURNS = 4
# A course explains so many times as much as one would by chance.
_BEYOND_CHANCE = 2.0
# Nothing is further from its level, as a logarithm.
_FARTHEST = 1.5
# As if half of all weeks had shown that a series has nothing of the course.
_NOTHING = 0.5
# What weeks of a series differ (squared) of its own, at least, and how wrong the course itself is.
_OWN, _WRONG = 0.02, 0.015
# Of curves: growth a day and its damping in days, how high seasons are, how far a walk goes in a week.
_GROWTH, _DAMPING, _HEIGHT = 0.005, 90.0, 0.25
# Evenly by how many there are in a year: two beside each other differ by a fifteenth of a turn in a hundred days.
_SEASONS = tuple(365.0 / (1 + step / 4) for step in range(49))
_WALKS = (0.0, 0.02, 0.06)
_FLAT, _GROWING, _SEASONAL = 0.35, 0.25, 0.4
_LEAST = 0.1


def course(used: Floats, weight: Floats, spread: Floats, ahead: int) -> Floats | None:
    """The course of all these series (rows) on each of `KEEP_DAYS` until now and so many days ahead.

    As a logarithm; None where they have none, or are too few to tell. Arguments as in `courses.explained`.
    """
    use, days = _weeks(used), _weeks(weight)
    told = (days > _LEAST_DAYS).sum(axis=1) >= _LEAST_WEEKS
    if told.sum() < _LEAST_SERIES:
        return None
    use, days, spread = use[told], days[told], spread[told]
    level = use.sum(axis=1, keepdims=True) / days.sum(axis=1, keepdims=True)
    known = (days > _LEAST_DAYS) & (level > 0)
    logs = np.log(np.clip(use / np.where(known, days * level, 1.0), np.exp(-_FARTHEST), np.exp(_FARTHEST)))
    noise = spread[:, None] / np.where(known, days, 1.0)
    shared = _shared(np.where(known, logs, 0.0), known, noise)
    if shared is None:
        return None
    found, error = shared
    at = np.arange(use.shape[1]) * _WEEK - used.shape[1] + used.shape[1] % _WEEK + (_WEEK + 1) / 2
    return _continued(found, error + _WRONG**2, at, np.arange(1 - KEEP_DAYS, ahead + 1, dtype=float))


def _weeks(days: Floats) -> Floats:
    """Of which the last one ends with the last day."""
    weeks: Floats = days[:, days.shape[1] % _WEEK :].reshape(len(days), -1, _WEEK).sum(axis=2)
    return weeks


def _shared(logs: Floats, known: Floats, noise: Floats) -> tuple[Floats, Floats] | None:
    """The course on each week, and the square of its error; None of what may be chance."""
    moves, own = np.ones((len(logs), 1)), np.full((len(logs), 1), _OWN)
    for _ in range(_TURNS):
        sure = known / (noise + own)
        logs = logs - _mean(logs, sure)
        weights = sure * moves
        found = (weights * logs).sum(axis=0) / np.maximum((weights * moves).sum(axis=0), 1e-9)
        found -= found.mean()
        beside = found - _mean(found, sure)
        ridge = _NOTHING * np.median(sure.sum(axis=1)) * (found**2).mean() + 1e-9
        moves = ((sure * beside * logs).sum(axis=1) / ((sure * beside**2).sum(axis=1) + ridge))[:, None]
        moves /= np.sqrt((moves**2).mean()) + 1e-9
        rest = logs - moves * found
        own = np.maximum(_OWN, _mean(rest**2 - noise, known))
    weights = sure * moves
    error = (weights**2 * rest**2).sum(axis=0) / np.maximum((weights * moves).sum(axis=0), 1e-9) ** 2
    # What the course that explains most explains of noise (Marchenko and Pastur, 1967).
    chance = (1 / np.sqrt(len(found)) + 1 / np.sqrt(len(logs))) ** 2
    explained = 1 - (sure * rest**2).sum() / max((sure * logs**2).sum(), 1e-9)
    moving = (moves**2).sum() ** 2 / max((moves**4).sum(), 1e-9)
    return (found, error) if explained > _BEYOND_CHANCE * chance and moving >= _LEAST_MOVING else None


def _mean(values: Floats, sure: Floats) -> Floats:
    mean: Floats = (values * sure).sum(axis=1, keepdims=True) / np.maximum(sure.sum(axis=1, keepdims=True), 1e-9)
    return mean


def _curves(days: Floats) -> Iterator[tuple[float, Floats]]:
    """How common each kind is, and what it is made of."""
    one, growth = np.ones_like(days), _GROWTH * np.where(days > 0, days / (1 + np.maximum(days, 0) / _DAMPING), days)
    yield _FLAT, np.stack([one])
    yield _GROWING, np.stack([one, growth])
    for season in _SEASONS:
        angle = 2 * np.pi * days / season
        wave = _HEIGHT * np.stack([np.sin(angle), np.cos(angle)])
        share = _SEASONAL / len(_SEASONS) / 2
        yield share, np.stack([one, *wave])
        yield share, np.stack([one, growth, *wave])


def _continued(found: Floats, error: Floats, at: Floats, days: Floats) -> Floats:
    """What is known of these days, of a course that was found at these places."""
    count, every = len(at), np.concatenate([at, days])
    walks = np.square(_WALKS)[:, None, None] * np.maximum(0.0, np.minimum(every[:, None], at) - at[0]) / _WEEK
    factor = np.exp(found)
    # As shares, and as amounts: a curve of the one is none of the other.
    told = ((found, error, 0.0), (factor - 1, error * factor**2, found.sum()))
    evidence, said = [], []
    # One curve at a time: all together take more memory than all else that a forecast does.
    for share, basis in _curves(every):
        both = basis.T @ basis[:, :count] + walks
        for amounts, (values, errors, scale) in enumerate(told):
            matrix = both[:, :count] + np.diag(errors)
            solved = np.linalg.solve(matrix, np.broadcast_to(values[:, None], (len(matrix), count, 1)))
            evidence.append(np.log(share) + scale - (values @ solved)[:, 0] / 2 - np.linalg.slogdet(matrix)[1] / 2)
            ahead = (both[:, count:] @ solved)[:, :, 0]
            said.append(np.log(np.maximum(1 + ahead, _LEAST)) if amounts else ahead)
    likely = np.exp(np.concatenate(evidence) - np.max(evidence))
    expected: Floats = likely @ np.concatenate(said) / likely.sum()
    return expected

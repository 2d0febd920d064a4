"""Made-up feeds in the shapes that vendors use, and what vendors do to them: the ground truth for contracts.

A feed has a schema drawn by chance: identifiers, names, enumerations, numbers of every spread, times as text and as
epochs, nested objects, lists; fields that are rare, that come and go with the reply, that are null. A mutation is what
an update of the vendor does to every record of a reply.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Path = tuple[str, ...]
Make = Callable[[random.Random, int], Any]
ITEM = "[]"
BEGIN = 1_790_000_000.0
WORDS = [
    "active", "idle", "parked", "driving", "onDuty", "offDuty", "sleeperBed", "yardMove", "healthy", "unplugged",
    "pending", "completed", "cancelled", "late", "minor", "major", "critical", "none", "North", "South", "low",
    "medium", "high", "Connected", "Disconnected", "OUT_OF_SERVICE", "IN_SHOP", "SOLD", "diesel",
]  # fmt: skip
NAMES = [
    "speed", "heading", "odometer", "fuel", "status", "state", "driver", "unit", "battery", "voltage", "level",
    "location", "vendor", "meter", "hours", "distance", "altitude", "accuracy", "signal", "group", "make",
    "model", "year", "severity", "priority", "engine", "temperature", "pressure", "load", "stop", "duration",
]  # fmt: skip


@dataclass
class Column:
    """A field: how a value is made, in which share of records and of replies it is, and how often it is null."""

    kind: str
    make: Make | None = None
    columns: dict[str, Column] = field(default_factory=dict)
    present: float = 1.0
    in_replies: float = 1.0
    null: float = 0.0


class Feed:
    """A feed with a schema by chance. `reply` makes its next one."""

    def __init__(self, rng: random.Random, trucks: int | None = None) -> None:
        self.rng = rng
        self.trucks = trucks or rng.choice([12, 40, 150])
        self.now = BEGIN
        self.columns = _columns(rng, self.trucks, depth=0)
        # Every feed tells whose record it is and since when.
        self.columns["id"] = Column("id", _id(rng))
        self.columns["updatedAt"] = Column("time", _iso(self, rng))

    def reply(self) -> list[dict[str, Any]]:
        """Records of trucks, an hour or a day after those before."""
        self.now += self.rng.choice([60.0, 3600.0, 86400.0])
        count = self.rng.randint(max(5, self.trucks // 2), self.trucks * 2)
        absent = {path for path, column in self.leaves() if self.rng.random() >= column.in_replies}
        return [_record(self.rng, self.columns, self.rng.randrange(self.trucks), (), absent) for _ in range(count)]

    def leaves(self) -> Iterator[tuple[Path, Column]]:
        """Every field and its path."""
        yield from _leaves(self.columns, ())


@dataclass(frozen=True)
class Mutation:
    """What was done to which field, and the kind of finding that this must be."""

    kind: str
    expected: str
    field: str
    detail: str
    reply: list[dict[str, Any]]


KINDS = ("drop", "rename", "retype", "rescale", "enum", "nullify", "nest")
EXPECTED = {"drop": "missing", "rename": "renamed", "retype": "type", "rescale": "unit", "enum": "enum",
            "nullify": "nulls", "nest": "moved"}  # fmt: skip


def mutation(rng: random.Random, feed: Feed, kind: str) -> Mutation | None:
    """A reply of the feed with one mutation of this kind, in a field that it has often enough; None if it has none."""
    for _ in range(20):
        reply = feed.reply()
        often = max(5, len(reply) // 10)
        fields = [each for each in feed.leaves() if _eligible(kind, each[1]) and len(_at(reply, each[0])) >= often]
        if not fields:
            continue
        path, column = rng.choice(fields)
        detail = _MUTATE[kind](rng, reply, path, column)
        if detail is None:
            continue
        expected = "time_unit" if kind == "rescale" and column.kind == "epoch" else EXPECTED[kind]
        return Mutation(kind, expected, ".".join(path).replace(".[]", "[]"), detail, reply)
    return None


def _columns(rng: random.Random, trucks: int, depth: int) -> dict[str, Column]:
    names = rng.sample(NAMES, rng.randint(3, 10) if depth else rng.randint(8, 16))
    columns: dict[str, Column] = {}
    for name in names:
        nested = depth < 2 and rng.random() < 0.2
        column = _nested(rng, trucks, depth) if nested else _column(rng, trucks)
        draw = rng.random()
        if draw < 0.3:
            column.present = rng.choice([0.02, 0.1, 0.5, 0.9, 0.98])
        elif draw < 0.4:
            column.in_replies = rng.choice([0.2, 0.5, 0.8])
        if rng.random() < 0.2:
            column.null = rng.choice([0.02, 0.2, 0.6])
        style = {"number": ["", "Meters", "Value", "_mph"], "time": ["Time", "At"], "epoch": ["Ms", "_ts"]}
        columns[name + rng.choice(style.get(column.kind, [""]))] = column
    return columns


def _nested(rng: random.Random, trucks: int, depth: int) -> Column:
    columns = _columns(rng, trucks, depth + 1)
    if rng.random() < 0.3:
        return Column("list", columns=columns)
    return Column("object", columns=columns)


def _column(rng: random.Random, trucks: int) -> Column:
    kind = rng.choice(["enum", "enum", "number", "number", "number", "bool", "text", "time", "epoch", "words", "name"])
    return Column(kind, _MAKERS[kind](rng, trucks))


def _enum(rng: random.Random, trucks: int) -> Make:
    words = rng.sample(WORDS, rng.randint(2, 9))
    weights = [rng.choice([1, 3, 10]) for _ in words]
    return lambda rng, truck: rng.choices(words, weights)[0]


def _number(rng: random.Random, trucks: int) -> Make:
    center = 10 ** rng.uniform(-1, 6)
    places = rng.choice([0, 1, 2, 3, 6])
    kind = rng.choice(["uniform", "normal", "lognormal", "wide", "count", "coordinate", "per truck", "idle", "mixed"])
    sizes = [center * math.exp(rng.gauss(0, 1)) for _ in range(trucks)]

    def make(rng: random.Random, truck: int) -> Any:
        if kind == "uniform":
            value = rng.uniform(0, center)
        elif kind == "normal":
            value = rng.gauss(center, center / 10)
        elif kind == "lognormal":
            value = center * math.exp(rng.gauss(0, 0.5))
        elif kind == "wide":
            value = center * 10 ** rng.uniform(0, 2)
        elif kind == "count":
            return rng.randint(0, 20)
        elif kind == "coordinate":
            return round(rng.uniform(-118.0, -114.0), 6)
        elif kind == "per truck":
            value = sizes[truck] * rng.uniform(1.0, 1.05)
        elif kind == "idle":
            value = rng.choice([0, 0, rng.uniform(1, 75)])
        else:
            value = rng.choice([12.0, 12, 13.5, rng.uniform(5, 30)])
            return round(value, 1)
        value = round(value, places)
        return int(value) if places == 0 else value

    return make


def _text(rng: random.Random, trucks: int) -> Make:
    return lambda rng, truck: " ".join(rng.choices(WORDS + NAMES, k=rng.randint(2, 6)))


def _iso(feed: Feed, rng: random.Random) -> Make:
    style = rng.choice(["seconds", "milliseconds", "microseconds"])

    def make(rng: random.Random, truck: int) -> str:
        at = datetime.fromtimestamp(feed.now - rng.uniform(0, 3600), UTC)
        return at.isoformat(timespec=style).replace("+00:00", "Z")

    return make


def _id(rng: random.Random) -> Make:
    kind = rng.choice(["uuid", "long", "truck", "number"])
    made = {
        "uuid": lambda rng, truck: f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4000-8000-{truck:012x}",
        "long": lambda rng, truck: str(281474976710656 + rng.getrandbits(30)),
        "truck": lambda rng, truck: f"T-{100 + truck}",
        "number": lambda rng, truck: 1000 + truck,
    }
    return made[kind]


def _named(rng: random.Random, trucks: int) -> Make:
    return lambda rng, truck: f"{NAMES[truck % len(NAMES)].title()} {WORDS[truck % 7].title()} {truck // 30}"


def _clock(rng: random.Random, trucks: int) -> Make:
    return lambda rng, truck: datetime.fromtimestamp(BEGIN + rng.uniform(0, 1e6), UTC).isoformat()


def _epoch(rng: random.Random, trucks: int) -> Make:
    unit = rng.choice([1, 1000])
    return lambda rng, truck: int((BEGIN + rng.uniform(0, 1e6)) * unit)


_MAKERS: dict[str, Callable[[random.Random, int], Make]] = {
    "enum": _enum,
    "number": _number,
    "bool": lambda rng, trucks: lambda rng, truck: rng.random() < 0.4,
    "text": _text,
    "time": _clock,
    "epoch": _epoch,
    "words": lambda rng, trucks: lambda rng, truck: rng.sample(WORDS[:5], rng.randint(0, 3)),
    "name": _named,
}


def _record(
    rng: random.Random, columns: dict[str, Column], truck: int, path: Path, absent: set[Path]
) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, column in columns.items():
        here = (*path, name)
        if here in absent or rng.random() >= column.present:
            continue
        if rng.random() < column.null:
            record[name] = None
        elif column.make is not None:
            record[name] = column.make(rng, truck)
        elif column.kind == "list":
            count = rng.randint(0, 4)
            record[name] = [_record(rng, column.columns, truck, (*here, ITEM), absent) for _ in range(count)]
        else:
            record[name] = _record(rng, column.columns, truck, here, absent)
    return record


def _leaves(columns: dict[str, Column], path: Path) -> Iterator[tuple[Path, Column]]:
    for name, column in columns.items():
        here = (*path, name)
        yield here, column
        yield from _leaves(column.columns, (*here, ITEM) if column.kind == "list" else here)


def _eligible(kind: str, column: Column) -> bool:
    shown = column.present >= 0.5 and column.in_replies == 1.0
    if kind in ("drop", "rename", "nest"):
        return shown
    if kind == "rescale":
        return column.kind in ("number", "epoch")
    if kind == "enum":
        return column.kind == "enum"
    if kind == "nullify":
        return column.null <= 0.2
    return column.kind != "words"


def _at(reply: list[dict[str, Any]], path: Path) -> list[tuple[dict[str, Any], str]]:
    """Every object with the field, and its name; only where it is not null."""
    found: list[Any] = list(reply)
    for part in path[:-1]:
        if part == ITEM:
            found = [each for several in found for each in several]
        else:
            found = [each[part] for each in found if isinstance(each, dict) and each.get(part) is not None]
    return [(each, path[-1]) for each in found if isinstance(each, dict) and each.get(path[-1]) is not None]


def _everywhere(reply: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    """Every object with the field, null or not."""
    last = path[-1]
    holders: list[Any] = list(reply)
    for part in path[:-1]:
        if part == ITEM:
            holders = [each for several in holders for each in several]
        else:
            holders = [each[part] for each in holders if isinstance(each, dict) and each.get(part) is not None]
    return [each for each in holders if isinstance(each, dict) and last in each]


def _drop(rng: random.Random, reply: list[dict[str, Any]], path: Path, column: Column) -> str:
    for holder in _everywhere(reply, path):
        del holder[path[-1]]
    return ""


def _rename(rng: random.Random, reply: list[dict[str, Any]], path: Path, column: Column) -> str:
    old = path[-1]
    snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in old)
    new = rng.choice([snake + "_v2", old + "Value", old.upper(), "current" + old.title(), "zulu"])
    for holder in _everywhere(reply, path):
        holder[new] = holder.pop(old)
    return new


def _retype(rng: random.Random, reply: list[dict[str, Any]], path: Path, column: Column) -> str:
    way = rng.choice(["text", "list", "object", "number"])
    for holder in _everywhere(reply, path):
        value = holder[path[-1]]
        if value is None:
            continue
        if isinstance(value, dict):
            holder[path[-1]] = [value] if way == "list" else str(value)
        elif isinstance(value, list):
            holder[path[-1]] = str(value) if way == "text" else len(value)
        elif isinstance(value, str):
            holder[path[-1]] = [value] if way == "list" else len(value) if way == "number" else {"raw": [value]}
        elif isinstance(value, bool):
            holder[path[-1]] = int(value) if way == "number" else str(value).lower()
        else:
            holder[path[-1]] = str(value)
    return way


def _rescale(rng: random.Random, reply: list[dict[str, Any]], path: Path, column: Column) -> str | None:
    factor = rng.choice([1.609344, 1.609, 1 / 1.609344, 3.6, 1 / 3.6, 1000, 0.001, 100, 0.01, 60, 2.2])
    if column.kind == "epoch":
        factor = rng.choice([1000, 0.001])
    places = rng.choice([None, None, 1, 3])
    changed = 0
    for holder in _everywhere(reply, path):
        value = holder[path[-1]]
        if value is not None:
            scaled = value * factor
            # Nobody rounds to fewer digits than say anything.
            coarse = places is None or abs(scaled) < 10.0 ** (1 - places)
            holder[path[-1]] = scaled if coarse else round(scaled, places)
            changed += bool(value)
    # Where everything was zero, no unit changed.
    return f"x {factor:.4g} to {places} decimals" if changed >= 5 else None


def _new_word(rng: random.Random, reply: list[dict[str, Any]], path: Path, column: Column) -> str:
    holders = _at(reply, path)
    some = rng.sample(holders, max(1, int(len(holders) * rng.choice([0.0, 0.1, 0.5]))))
    for holder, name in some:
        holder[name] = "quarantined"
    return f"{len(some)} of {len(holders)}"


def _nullify(rng: random.Random, reply: list[dict[str, Any]], path: Path, column: Column) -> str:
    share = rng.choice([1.0, 1.0, 0.7])
    for holder in _everywhere(reply, path):
        if rng.random() < share:
            holder[path[-1]] = None
    return f"{share:.0%}"


def _nest(rng: random.Random, reply: list[dict[str, Any]], path: Path, column: Column) -> str:
    way, old = rng.choice(["into", "wrap"]), path[-1]
    for holder in _everywhere(reply, path):
        value = holder.pop(old)
        if way == "into":
            holder["details"] = {old: value}
        else:
            holder[old] = {"value": value}
    return way


_MUTATE: dict[str, Callable[[random.Random, list[dict[str, Any]], Path, Column], str | None]] = {
    "drop": _drop,
    "rename": _rename,
    "retype": _retype,
    "rescale": _rescale,
    "enum": _new_word,
    "nullify": _nullify,
    "nest": _nest,
}

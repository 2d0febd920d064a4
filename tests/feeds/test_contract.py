"""Contracts of feeds: what is learned from replies, and what of a changed one is named."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.mutations import KINDS, Feed, mutation
from yardlight.feeds import contract_file, contracts
from yardlight.feeds.contract import Contract, learn
from yardlight.feeds.judge import check
from yardlight.feeds.record import Breach, Record

RNG = random.Random(8)
Raw = dict[str, Any]


def vehicle(number: int) -> Raw:
    """A record as telematics vendors write it: some fields rare, some null, an object, a list of objects."""
    raw: Raw = {
        "id": f"28147497671{number:04}",
        "name": f"T-{100 + number}",
        "gps": {
            "time": f"2026-11-20T15:{number % 60:02}:00Z",
            "speedMilesPerHour": RNG.choice([0, RNG.uniform(1, 70)]),
            "latitude": round(RNG.uniform(33, 36), 6),
        },
        "engineState": RNG.choice(["On", "Off", "Idle"]),
        "odometerMeters": RNG.randint(1_000_000, 900_000_000),
        "connected": RNG.random() < 0.9,
        "tags": [{"id": str(each), "kind": RNG.choice(["group", "site"])} for each in range(number % 3)],
        "lastSeenMs": 1_790_000_000_000 + RNG.randrange(10**8),
        "driver": None if RNG.random() < 0.3 else {"id": str(number)},
        "fuelPercent": RNG.choice([12.0, 12, 13.5]),
        "distance": {"time": f"2026-11-20T15:{number % 60:02}:30Z", "value": 1000 + number},
        "external": {"serial": f"G9{number:04}"},
        "openIssues": number % 4,
        "rate": {"amount": 1200 + number, "currency": "USD"},
    }
    if RNG.random() < 0.02:
        raw["note"] = "rare"
    return raw


def reply(count: int = 60) -> list[Raw]:
    return [vehicle(number) for number in range(count)]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return learn(reply() for _ in range(40))


def changed(change: Callable[[Raw], Any], records: list[Raw] | None = None) -> list[Raw]:
    """A reply with this done to each record."""
    records = reply() if records is None else records
    for record in records:
        change(record)
    return records


def rename(record: Raw, old: str, new: str) -> None:
    record[new] = record.pop(old)


def scale(record: Raw, field: str, factor: float) -> None:
    record[field] *= factor


CHANGES: dict[str, tuple[Callable[[Raw], Any], str, str]] = {
    "dropped": (lambda raw: raw.pop("engineState"), "missing", "engineState"),
    "dropped inside": (lambda raw: raw["gps"].pop("time"), "missing", "gps.time"),
    "object dropped": (lambda raw: raw.pop("gps"), "missing", "gps"),
    "dropped in a list": (lambda raw: [tag.pop("kind") for tag in raw["tags"]], "missing", "tags[].kind"),
    "renamed": (lambda raw: rename(raw, "engineState", "engine_state"), "renamed", "engineState"),
    "object renamed": (lambda raw: rename(raw, "gps", "position"), "renamed", "gps"),
    "nested": (lambda raw: raw.update(engine={"engineState": raw.pop("engineState")}), "moved", "engineState"),
    "wrapped": (lambda raw: raw.update(connected={"value": raw["connected"]}), "moved", "connected"),
    "object wrapped": (lambda raw: raw.update(last={"gps": raw.pop("gps")}), "moved", "gps"),
    "object with a value wrapped": (lambda raw: raw.update(distance={"value": raw["distance"]}), "moved", "distance"),
    "object of one field wrapped": (lambda raw: raw.update(external={"data": raw["external"]}), "moved", "external"),
    "the only field dropped": (lambda raw: raw["external"].pop("serial"), "missing", "external.serial"),
    "mostly zero and renamed": (lambda raw: rename(raw, "openIssues", "open_issues"), "renamed", "openIssues"),
    "mostly zero and wrapped": (lambda raw: raw.update(openIssues={"total": raw["openIssues"]}), "moved", "openIssues"),
    "currency": (lambda raw: raw["rate"].update(currency="CAD"), "enum", "rate.currency"),
    "number as text": (lambda raw: raw.update(odometerMeters=str(raw["odometerMeters"])), "type", "odometerMeters"),
    "flag as number": (lambda raw: raw.update(connected=int(raw["connected"])), "type", "connected"),
    "time as number": (lambda raw: raw["gps"].update(time=1_790_000_000), "type", "gps.time"),
    "time in another form": (lambda raw: raw["gps"].update(time="11/20/2026 3:05 PM"), "type", "gps.time"),
    "object as text": (lambda raw: raw.update(gps="34.1,-117.2"), "type", "gps"),
    "miles": (lambda raw: scale(raw["gps"], "speedMilesPerHour", 1.609344), "unit", "gps.speedMilesPerHour"),
    "thousandth": (lambda raw: scale(raw, "odometerMeters", 0.001), "unit", "odometerMeters"),
    "seconds": (lambda raw: raw.update(lastSeenMs=raw["lastSeenMs"] // 1000), "time_unit", "lastSeenMs"),
    "new word": (lambda raw: raw.update(engineState="Unplugged") if raw["name"] == "T-107" else None, "enum",
                 "engineState"),
    "null": (lambda raw: raw.update(odometerMeters=None), "nulls", "odometerMeters"),
    "empty text": (lambda raw: raw.update(engineState=""), "nulls", "engineState"),
    "all null": (lambda raw: raw.update(driver=None), "nulls", "driver"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_one_breach_of_its_kind_at_its_field(contract: Contract, name: str) -> None:
    change, kind, field = CHANGES[name]
    assert [(each.kind, each.field) for each in check(changed(change), contract)] == [(kind, field)]


def test_where_a_field_went_is_told(contract: Contract) -> None:
    [breach] = check(changed(lambda raw: rename(raw, "engineState", "engine_state")), contract)
    assert (breach.to, breach.found) == ("engine_state", "now engine_state")


def test_a_change_of_unit_is_told_by_its_name(contract: Contract) -> None:
    [breach] = check(changed(lambda raw: scale(raw["gps"], "speedMilesPerHour", 1.609344)), contract)
    assert breach.found.startswith("1.609 times what it was, as from miles to kilometers")


def test_a_field_that_nobody_knew_breaks_nothing(contract: Contract) -> None:
    [breach] = check(changed(lambda raw: raw.update(color="red")), contract)
    assert breach == Breach("new_field", "color", 60, "a string", "no such field")
    assert not breach.broken


def test_a_new_object_is_one_new_field(contract: Contract) -> None:
    [breach] = check(changed(lambda raw: raw.update(weather={"temperature": 4, "wind": {"speed": 3}})), contract)
    assert (breach.kind, breach.field) == ("new_field", "weather")


def test_records_under_another_roof_are_one_breach(contract: Contract) -> None:
    [breach] = check([{"vehicle": each} for each in reply()], contract)
    assert (breach.kind, breach.field, breach.to) == ("moved", "the record", "vehicle")


@pytest.mark.parametrize("records", [[], [{}], [None], ["text"], [[]], {"data": 1}, [float("nan")]])
def test_replies_of_any_kind_are_judged_without_an_error(contract: Contract, records: Any) -> None:
    check(records, contract)


def test_no_records_break_nothing(contract: Contract) -> None:
    assert check([], contract) == []


def test_what_was_seen_a_few_times_is_optional() -> None:
    thin = learn([reply(4)])
    assert check(changed(lambda raw: (raw.pop("engineState"), raw.update(odometerMeters=7)), reply(4)), thin) == []


def test_zeros_of_a_night_say_nothing_about_decimals_by_day() -> None:
    night = [[{"speed": 0, "stops": number % 5} for number in range(60)] for _ in range(20)]
    known = contract_file.load(contract_file.dump(learn(night)), "gps.json")
    assert check([{"speed": 45.2, "stops": 3}] * 60, known) == []
    assert [each.kind for each in check([{"speed": 0, "stops": 3.5}] * 60, known)] == ["type"]


def test_a_rare_new_field_is_no_new_name_of_one_that_is_not_there_just_now() -> None:
    day = [[{"id": "1", "load": f"L{number}"} if number % 2 else {"id": "1"} for number in range(20)] for _ in range(3)]
    night = [{"id": "1"}] * 19 + [{"id": "1", "note": "hello"}]
    assert [(each.kind, each.field) for each in check(night, learn(day))] == [("new_field", "note")]


def test_keys_that_are_identifiers_are_one_field() -> None:
    known = learn([[{"byVehicle": {f"{2814749 + each}": {"miles": 5}}} for each in range(60)] for _ in range(5)])
    assert check([{"byVehicle": {"9999999": {"miles": 6}}}], known) == []
    assert [each.field for each in check([{"byVehicle": {"9999999": {"miles": "x"}}}] * 30, known)] == [
        "byVehicle.*.miles"
    ]


def test_names_of_things_are_no_enumeration() -> None:
    known = learn([[{"truck": f"T-{100 + number % 9}"} for number in range(60)] for _ in range(10)])
    assert check([{"truck": "T-222"}] * 30, known) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_mutations_by_chance_are_named_and_replies_without_one_are_silent(seed: int) -> None:
    """A small share of what `bench_contract.py` does; fields with next to no evidence are among them."""
    rng = random.Random(seed)
    feeds = [Feed(rng, trucks=40) for _ in range(3)]
    contracts = [learn([feed.reply() for _ in range(40)]) for feed in feeds]
    alarms = [
        breach for _ in range(10) for feed, known in zip(feeds, contracts, strict=True)
        for breach in check(feed.reply(), known) if breach.broken
    ]  # fmt: skip
    assert alarms == []
    wrong = []
    for number in range(42):
        which = number % len(feeds)
        each = mutation(rng, feeds[which], KINDS[number % len(KINDS)])
        assert each is not None
        broken = [breach for breach in check(each.reply, contracts[which]) if breach.broken]
        if [(breach.kind, breach.field) for breach in broken] != [(each.expected, each.field)]:
            wrong.append((each.kind, each.field, each.detail, broken))
    assert len(wrong) <= 2, wrong


def working_day(number: int, hour: int, rng: random.Random) -> list[Raw]:
    """Ten trucks: parked at night and on weekends, warmer each week, with odometers that grow."""
    works = 5 <= hour < 20 and number % 7 < 5
    celsius = 2.0 + number / 4 + 6 * math.sin((hour - 9) / 24 * 2 * math.pi)
    raws = []
    for truck in range(10):
        rolls = works and rng.random() < 0.7
        raws.append(
            {
                "id": f"28147497671{truck:04}",
                "speed": round(rng.uniform(3, 70), 1) if rolls else 0,
                "odometerMeters": 900_000 * (truck + 1) + 600_000 * number + 25_000 * hour,
                "engineHours": round(40.0 * (truck + 1) + 9.5 * number, 1),
                "airTemperatureMilliC": round(1000 * (celsius + rng.gauss(0, 1))),
                "latitude": round(34 + rng.uniform(0, 3), 5),
                "fuelPercent": rng.randint(20, 100),
                "driver": {"id": str(truck)} if rolls else None,
                "engineState": "On" if rolls else "Off" if rng.random() < 0.9 else "Idle",
                "time": f"2026-01-05T{hour:02}:00:00Z",
            }
        )
    return raws


def test_a_quarter_with_nights_weekends_and_spring_breaks_nothing(tmp_path: Path) -> None:
    """Learned on one day; asked each hour of the 90 days after it."""
    rng = random.Random(5)
    file = tmp_path / "gps.json"
    file.write_text(contract_file.dump(learn(working_day(0, hour, rng) for hour in range(24))), encoding="utf-8")
    levels: dict[str, float] = {}
    wrong = []
    for at in range(24, 90 * 24):
        records = [Record(raw["id"], None, raw=raw) for raw in working_day(at // 24, at % 24, rng)]
        wrong += [(at, *map(str, each)) for each in [contracts.breaches([str(file)], records, levels)] if each]
    assert wrong == []
    for raw in (miles := working_day(90, 9, rng)):
        raw["odometerMeters"] /= 1609.344
    found = contracts.breaches([str(file)], [Record(raw["id"], None, raw=raw) for raw in miles], levels)
    assert [(each.kind, each.field) for each in found] == [("unit", "odometerMeters")]

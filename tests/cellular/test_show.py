"""Records to samples over days of a clock that is ours: every row of cellular.yml that is not an alert's alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from yardlight.catalogue import METRICS
from yardlight.cellular.cycle import UTC, Cycle, EveryDays, MonthDay
from yardlight.cellular.history import KEEP_DAYS, Track, ordinal
from yardlight.cellular.oddities import largest_day
from yardlight.cellular.plan import Place, Terms
from yardlight.cellular.pools import add_up
from yardlight.cellular.show import show
from yardlight.cellular.usage import AllDays, Count, Directory, Left, Plan, Record, Refused, Sim, Usage, Used
from yardlight.collection import Source, Told
from yardlight.errors import IncompleteError
from yardlight.exposition import block
from yardlight.inventory.cellular import CellularSource, Runaway
from yardlight.things import Fact, unpack

DAY = 86400.0
HOUR = 3600.0
MB, GB = 10**6, 10**9
MONTH = MonthDay(UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


def at(day: float, hour: float = 12.0) -> float:
    """An instant of March 2026: `day` 1 is the first; below that it is February."""
    return MARCH + (day - 1) * DAY + hour * HOUR


def terms(**more: Any) -> Terms:
    written = {key: more.pop(key) for key in list(more) if key in CellularSource.model_fields}
    source = CellularSource.model_validate({"account": "carrier", "cycle": "month", **written})
    said = {"zone": "UTC", "network": "", "places": {}, "counted": (), "counts": False}
    return Terms(source=source, **{**said, **more})


class Account:
    """A source that is collected again and again; its memory goes through JSON as it does in the kernel."""

    def __init__(self, **more: Any) -> None:
        self.terms = terms(**more)
        self.memory: Any = None
        self.told: Told | None = None

    def collect(self, now: float, *records: Record) -> Told:
        source = Source("f", "carrier", "cellular/sims", self.terms, Path())
        self.told = show(source, records, json.loads(json.dumps(self.memory)), now)
        for metric, samples in self.told.families.items():
            block(metric, "f", samples)
        self.memory = self.told.memory
        return self.told

    def value(self, name: str, *labels: str) -> float | None:
        assert self.told is not None
        key = ("carrier", *labels) if "account" in METRICS[f"yardlight_{name}"].labels else labels
        return self.told.families.get(METRICS[f"yardlight_{name}"], {}).get(key)


def sim(name: str, now: float, **more: Any) -> Sim:
    return Sim(name, now, **{"state": "active", **more})


def total(name: str, used: float, as_of: float, **more: Any) -> Usage:
    return Usage(Used(round(used)), as_of, sim=name, **more)


def days(account: Account, per_day: Sequence[tuple[str, float]], first: int, last: int, lag: float = HOUR) -> None:
    """Collect each evening the totals of SIMs that use so much a day, weekends half, with some noise."""
    rng = random.Random(7)
    used = dict.fromkeys([name for name, _ in per_day], 0.0)
    for day in range(first, last + 1):
        now, records = at(day, 23.5), list[Record]()
        if day == 1:
            used = dict.fromkeys(used, 0.0)
        for name, amount in per_day:
            weight = 0.5 if (day % 7) in (0, 1) else 1.2
            used[name] += amount * weight * rng.gauss(1.0, 0.1)
            records += [sim(name, now), total(name, used[name], now - lag)]
        account.collect(now, *records)


def test_c01_a_pool_that_heads_for_its_cap_is_seen_at_least_five_days_before() -> None:
    """The cap is reached on about day 26; it is told nine days before the cycle ends, on day 22."""
    account = Account(pools={"tablets": {"cap": "25 GB", "cycle": {"day": 1}}})
    days(account, [(f"T{number}", 100 * MB) for number in range(10)], -20, 19)
    exhausted = account.value("cap_exhaustion_timestamp_seconds", "tablets", "")
    assert exhausted is not None
    assert at(24) < exhausted < at(28)
    assert exhausted - at(19, 23.5) > 5 * DAY
    assert account.value("pool_usage_bytes", "tablets") == pytest.approx(19 * GB, rel=0.1)
    low, middle, high = (account.value("usage_projected_bytes", "tablets", "", each) for each in ("0.1", "0.5", "0.9"))
    assert low is not None
    assert middle is not None
    assert high is not None
    assert 25 * GB < low < middle < high < 40 * GB


def test_a_pool_that_is_added_up_ends_where_its_sims_do() -> None:
    """Half of them are new: in the sum, that is a change of which it is not sure yet."""
    account, rng = Account(pools={"tablets": {"cap": "1 TB"}}), random.Random(5)
    began = {f"T{number}": 1 - 40 * (number < 10) for number in range(20)}
    account.collect(
        at(6, 23),
        *(sim(name, at(6, 23)) for name in began),
        *(daily(name, rng.gauss(100, 20) * MB, day) for name, first in began.items() for day in range(first, 7)),
    )
    ends = [account.value("usage_projected_bytes", "", name, "0.5") or 0.0 for name in began]
    assert account.value("usage_projected_bytes", "tablets", "", "0.5") == pytest.approx(sum(ends), rel=0.02)


def test_c02_eighty_percent_two_days_before_the_end_is_no_reason() -> None:
    account = Account(cap="3.4 GB")
    days(account, [("T1", 100 * MB)], -20, 29)
    used, cap = account.value("sim_usage_bytes", "T1"), account.value("sim_cap_bytes", "T1")
    assert used is not None
    assert cap is not None
    assert used / cap > 0.75
    assert account.value("cap_exhaustion_timestamp_seconds", "", "T1") is None


def test_c03_c23_a_cap_that_is_exceeded_and_a_negative_rest_are_shown_as_they_are() -> None:
    account = Account()
    plan = Plan(cap=1 * GB)
    account.collect(
        at(10),
        sim("T1", at(10), plan=plan), total("T1", 1.2 * GB, at(10)),
        sim("T2", at(10), plan=plan), Usage(Left(-50 * MB), at(10), sim="T2"),
    )  # fmt: skip
    assert account.value("sim_usage_bytes", "T1") == 1.2 * GB
    assert account.value("sim_usage_bytes", "T2") == 1.05 * GB
    assert account.value("sim_cap_bytes", "T2") == 1 * GB


def test_c05_data_thirty_hours_late_is_late_where_six_hours_are_usual_and_the_projection_is_wider() -> None:
    account = Account(cap="10 GB")
    days(account, [("T1", 100 * MB)], -20, 15, lag=6 * HOUR)
    narrow = spread(account)
    limit = account.value("usage_late_after_seconds")
    assert limit is not None
    assert 12 * HOUR < limit < 30 * HOUR
    as_of = account.value("usage_as_of_timestamp_seconds", "", "")
    # The platform answers, with the figures of before.
    account.collect(at(16, 23.5), sim("T1", at(16, 23.5)))
    assert account.value("usage_as_of_timestamp_seconds", "", "") == as_of
    assert as_of is not None
    assert at(16, 23.5) - as_of == 30 * HOUR > limit
    assert spread(account) == pytest.approx(narrow)
    fresh = Account(cap="10 GB")
    days(fresh, [("T1", 100 * MB)], -20, 16, lag=6 * HOUR)
    assert spread(account) > spread(fresh)
    late, known = (each.value("usage_projected_bytes", "", "T1", "0.5") for each in (account, fresh))
    assert late == pytest.approx(known, rel=0.1)


def spread(account: Account) -> float:
    low, high = (account.value("usage_projected_bytes", "", "T1", each) for each in ("0.1", "0.9"))
    assert low is not None
    assert high is not None
    return high - low


def test_c05_what_is_late_does_not_become_usual() -> None:
    account = Account()
    days(account, [("T1", 100 * MB)], -20, 10, lag=6 * HOUR)
    limit = account.value("usage_late_after_seconds")
    for day in range(11, 25):
        account.collect(at(day, 23.5), sim("T1", at(day, 23.5)))
    assert account.value("usage_late_after_seconds") == limit


def test_what_a_sim_loads_each_monday_is_no_runaway_and_twice_as_much_is() -> None:
    account, told = Account(cycle="lifetime"), []
    for day in range(1, 50):
        # March 2 is a Monday.
        used = 500 * MB if day % 7 == 2 else MB
        account.collect(at(day, 23), sim("T1", at(day, 23)), day_row("T1", day, used, at(day, 23)))
        if account.value("sim_runaway_above_bytes", "T1") is not None:
            told.append(
                (account.value("sim_largest_day_bytes", "T1") or 0)
                > (account.value("sim_runaway_above_bytes", "T1") or 0)
            )
    assert not any(told[-20:])
    account.collect(
        at(51, 23), sim("T1", at(51, 23)), day_row("T1", 50, MB, at(51, 23)), day_row("T1", 51, 1200 * MB, at(51, 23))
    )
    assert (account.value("sim_largest_day_bytes", "T1") or 0) > (account.value("sim_runaway_above_bytes", "T1") or 0)


def test_who_used_most_of_a_pool_is_told_for_the_pools_own_cycle() -> None:
    account = Account(cycle="month", pools={"tablets": {"cap": "10 GB", "cycle": {"day": 10}}})
    for day in range(1, 21):
        # T1 did it before the pool's cycle, T2 in it.
        rows = [day_row("T1", day, 9 * MB if day < 10 else MB, at(day, 23)), day_row("T2", day, 3 * MB, at(day, 23))]
        account.collect(at(day, 23), sim("T1", at(day, 23)), sim("T2", at(day, 23)), *rows)
    assert account.value("pool_biggest_usage_bytes", "tablets", "T1") == 11 * MB
    assert account.value("pool_biggest_usage_bytes", "tablets", "T2") == 33 * MB


def test_c06_a_restatement_by_forty_percent_is_no_runaway() -> None:
    account = Account()
    for day in range(-20, 11):
        account.collect(at(day, 23.0), daily("T1", 50 * MB, day), daily("T1", 70 * MB, day - 1))
    day, above = account.value("sim_largest_day_bytes", "T1"), account.value("sim_runaway_above_bytes", "T1")
    assert day is not None
    assert above is not None
    assert day == 70 * MB < above


def daily(name: str, used: float, day: int) -> Usage:
    return Usage(Used(round(used)), at(day, 22.9), sim=name, day=ordinal(at(day), UTC))


def test_c07_the_new_cycle_is_unknown_until_something_is_told_of_it_and_the_old_total_stays() -> None:
    account = Account(cap="10 GB")
    days(account, [("T1", 100 * MB)], 1, 31)
    old = account.value("sim_usage_bytes", "T1")
    assert old is not None
    # April has begun; the platform is back, but has told nothing of it yet.
    account.collect(at(32, 10), sim("T1", at(32, 10)))
    assert account.value("sim_usage_bytes", "T1") is None
    assert account.value("usage_projected_bytes", "", "T1", "0.5") is None
    assert account.value("usage_last_cycle_bytes", "", "T1") == old
    assert account.value("cycle_start_timestamp_seconds", "", "T1") == at(32, 0)
    account.collect(at(34), sim("T1", at(34)), total("T1", 250 * MB, at(34)))
    assert account.value("sim_usage_bytes", "T1") == 250 * MB
    assert account.value("usage_last_cycle_bytes", "", "T1") == old


def test_c08_the_cycle_of_the_account_is_in_its_own_zone() -> None:
    account = Account(cycle={"day": 31, "timezone": "America/New_York"}, zone="America/New_York")
    now = datetime(2026, 2, 27, 21, 30, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
    account.collect(now, sim("T1", now), total("T1", 5, now))
    new_york = ZoneInfo("America/New_York")
    start, end = datetime(2026, 2, 28, tzinfo=new_york), datetime(2026, 3, 31, tzinfo=new_york)
    assert account.value("cycle_start_timestamp_seconds", "", "T1") == start.timestamp()
    # The clocks went forward in between.
    assert account.value("cycle_end_timestamp_seconds", "", "T1") == end.timestamp()


def test_c09_each_sim_has_its_own_end_and_the_pool_the_calendar_months() -> None:
    account = Account(cycle={"days": 30}, pools={"tablets": {"cap": "30 GB", "cycle": "month"}})
    activated = {"T1": at(-30, 9), "T2": at(-10, 15)}
    used = dict.fromkeys(activated, 0)
    for day in range(-10, 13):
        now = at(day, 23.5)
        records = list[Record]()
        for name, since in activated.items():
            start = EveryDays(since).at(now)
            if start is None:
                continue
            before = EveryDays(since).at(now - DAY)
            used[name] = (used[name] if before == start else 0) + 100 * MB
            records += [sim(name, now, activated=since), total(name, used[name], now)]
        account.collect(now, *records)
    for name, since in activated.items():
        cycle = EveryDays(since).at(at(12, 23.5))
        assert cycle is not None
        assert account.value("cycle_end_timestamp_seconds", "", name) == cycle.end
    assert account.value("cycle_end_timestamp_seconds", "tablets", "") == at(32, 0)
    # Twelve days of March of both, whatever their own cycles say.
    assert account.value("pool_usage_bytes", "tablets") == pytest.approx(2400 * MB, rel=0.05)


def test_c09_cycles_of_days_count_from_the_day_that_the_inventory_says_of_sims_and_of_a_pool() -> None:
    every = {"days": 30, "since": "2026-02-10"}
    account = Account(cycle=every, pools={"yards": {"cap": "30 GB", "cycle": every}}, zone="America/New_York")
    new_york = ZoneInfo("America/New_York")
    now = datetime(2026, 3, 13, 12, tzinfo=new_york).timestamp()
    account.collect(now, sim("T1", now), total("T1", 5, now))
    for labels in (("", "T1"), ("yards", "")):
        # The clocks went forward on the eighth.
        start, end = datetime(2026, 3, 12, tzinfo=new_york), datetime(2026, 4, 11, tzinfo=new_york)
        assert account.value("cycle_start_timestamp_seconds", *labels) == start.timestamp()
        assert account.value("cycle_end_timestamp_seconds", *labels) == end.timestamp()


def test_c10_a_lifetime_plan_runs_out_before_it_expires_and_no_end_is_made_up() -> None:
    account = Account(cycle="lifetime")
    plan = Plan(cap=500 * MB)
    for day in range(-30, 11):
        left = 500 * MB - (day + 31) * 10 * MB
        now = at(day, 23.5)
        account.collect(now, sim("T1", now, plan=plan, expires=at(300)), Usage(Left(left), now, sim="T1"))
    assert account.value("cycle_end_timestamp_seconds", "", "T1") is None
    exhausted = account.value("cap_exhaustion_timestamp_seconds", "", "T1")
    assert exhausted is not None
    assert at(18) < exhausted < at(23)
    assert account.value("plan_expiry_timestamp_seconds", "T1") == at(300)


def test_c11_a_day_of_twenty_times_the_middle_one_is_above_what_is_usual() -> None:
    account = Account()
    for day in range(-15, 11):
        account.collect(at(day, 23.5), sim("T1", at(day, 23.5)), daily("T1", 1000 * MB if day == 10 else 50 * MB, day))
    day_used, above = account.value("sim_largest_day_bytes", "T1"), account.value("sim_runaway_above_bytes", "T1")
    assert (day_used, above) == (1000 * MB, 500 * MB)


class Watched(Track):
    """A track that counts how often it is asked for a day."""

    __slots__ = ("asked",)

    def day(self, ordinal: int) -> int | None:
        self.asked = getattr(self, "asked", 0) + 1
        return Track.day(self, ordinal)


def test_a_sim_of_which_no_day_is_known_costs_no_walk_through_all_days_since_the_year_one() -> None:
    now = at(10)
    bare, known = Watched(UTC), Watched(UTC)
    bare.take(total("T1", 70 * MB, now), Cycle(None, at(31)))
    assert (bare.as_of, len(bare.days)) == (now, 0)
    assert largest_day(bare, Runaway()) is None
    known.take(daily("T2", 10 * MB, 9), None)
    pool = add_up({"T1": bare, "T2": known}, ["T1", "T2"], None, UTC, now)
    assert pool.track.days.tolist() == [10 * MB]
    assert getattr(bare, "asked", 0) + known.asked < 10


def test_two_sims_with_years_between_their_days_make_no_longer_a_pool_than_is_kept() -> None:
    old, new = Track(UTC), Track(UTC)
    old.take(daily("T1", 10 * MB, -3000), None)
    new.take(daily("T2", 10 * MB, 9), None)
    old.as_of = at(9)
    pool = add_up({"T1": old, "T2": new}, ["T1", "T2"], None, UTC, at(10))
    assert pool.track.days[-1] == 10 * MB
    assert len(pool.track.days) <= KEEP_DAYS


def test_a_figure_as_of_next_year_is_no_figure_and_hides_none_that_follows() -> None:
    account = Account()
    account.collect(at(9), sim("T1", at(9)), total("T1", 50 * MB, at(9)))
    account.collect(at(10), sim("T1", at(10)), total("T1", 990 * MB, at(400)))
    assert account.value("sim_usage_bytes", "T1") == 50 * MB
    account.collect(at(11), sim("T1", at(11)), total("T1", 60 * MB, at(11)))
    assert account.value("sim_usage_bytes", "T1") == 60 * MB


def test_c12_c13_a_sim_that_is_silent_says_until_when_it_was_used_and_whose_it_is() -> None:
    account = Account(places={"T1": Place(truck="112", terminal="barstow")})
    for day in range(1, 11):
        account.collect(at(day, 23.5), sim("T1", at(day, 23.5)), total("T1", min(day, 7) * 10 * MB, at(day, 23.0)))
    assert account.value("sim_last_use_timestamp_seconds", "T1") == at(8, 0)
    assert account.value("sim_info", "T1", "", "", "112", "barstow", "") == 1


def test_c14_after_an_upgrade_the_projection_is_against_the_new_cap() -> None:
    account = Account()
    for day in range(-20, 16):
        cap = 5 * GB if day < 15 else 10 * GB
        now = at(day, 23.5)
        used = (day if day > 0 else day + 28) * 200 * MB
        account.collect(now, sim("T1", now, plan=Plan(cap=cap)), total("T1", used, now))
        if day == 14:
            assert account.value("cap_exhaustion_timestamp_seconds", "", "T1") is not None
    assert account.value("sim_cap_bytes", "T1") == 10 * GB
    assert account.value("cap_exhaustion_timestamp_seconds", "", "T1") is None


def test_c15_the_sum_of_a_pool_says_how_many_sims_are_in_it() -> None:
    account = Account(pools={"tablets": {"cap": "100 GB"}})
    names = [f"T{number}" for number in range(40)]
    records: list[Record] = [sim(name, at(5)) for name in names]
    records += [total(name, 100 * MB, at(5)) for name in names[:37]]
    records += [Refused(name) for name in names[37:]]
    account.terms = replace_pools(account, names)
    account.collect(at(5), *records)
    assert account.value("pool_usage_bytes", "tablets") == 3700 * MB
    assert account.value("pool_sims", "tablets") == 40
    assert account.value("pool_sims_counted", "tablets") == 37
    assert account.value("sim_usage_bytes", "T38") is None


def replace_pools(account: Account, names: Sequence[str]) -> Terms:
    pool = account.terms.source.pools["tablets"].model_copy(update={"sims": tuple(names)})
    return account.terms.model_copy(
        update={"source": account.terms.source.model_copy(update={"pools": {"tablets": pool}})}
    )


def test_c15_a_sim_that_cannot_be_read_any_more_is_missing_in_the_sum_and_is_not_zero() -> None:
    account = Account(pools={"tablets": {"cap": "100 GB"}})
    account.collect(at(5), sim("T1", at(5)), total("T1", 100, at(5)), sim("T2", at(5)), total("T2", 50, at(5)))
    account.collect(at(5, 13), sim("T1", at(5, 13)), total("T1", 110, at(5, 13)), sim("T2", at(5, 13)), Refused("T2"))
    assert account.value("pool_usage_bytes", "tablets") == 110
    assert account.value("pool_sims_counted", "tablets") == 1
    assert account.value("sim_usage_bytes", "T2") == 50
    # What it used before it used all the same, and what was told of the cap stays true.
    assert account.value("pool_known_usage_bytes", "tablets") == 160


def test_the_forecast_of_a_pool_is_not_lower_for_a_sim_that_cannot_be_read_once() -> None:
    account = Account(pools={"tablets": {"cap": "100 GB"}}, cap="50 GB")
    names = ["T1", "T2", "T3"]
    for day in range(1, 20):
        account.collect(
            at(day), *(sim(each, at(day)) for each in names), *(total(each, day * GB, at(day)) for each in names)
        )
    before = account.value("usage_projected_bytes", "tablets", "", "0.5")
    assert before is not None
    read = [total(each, 19 * GB, at(19, 13)) for each in names[:2]]
    account.collect(at(19, 13), *(sim(each, at(19, 13)) for each in names), *read, Refused("T3"))
    assert account.value("usage_projected_bytes", "tablets", "", "0.5") == pytest.approx(before, rel=0.03)
    assert account.value("pool_usage_bytes", "tablets") == 38 * GB


def test_a_sim_that_is_activated_in_the_middle_of_a_cycle_is_counted_from_its_first_day() -> None:
    account = Account(pools={"tablets": {"cap": "1 GB"}})
    for day in range(12, 16):
        told = [day_row("T1", day, 7, at(day, 20)), AllDays("T1", at(day, 0))]
        account.collect(at(day, 20), sim("T1", at(day, 20), activated=at(12, 9)), *told)
    assert account.value("usage_counted_since_timestamp_seconds", "", "T1") is None
    assert account.value("pool_sims_counted", "tablets") == 1
    assert account.value("pool_usage_bytes", "tablets") == 28


def test_what_is_not_told_of_a_sim_that_is_refused_is_as_it_was() -> None:
    account = Account()
    account.collect(at(5), sim("T1", at(5), throttled=True, roaming=True), total("T1", 5, at(5)))
    account.collect(at(6), sim("T1", at(6)), Refused("T1"))
    assert (account.value("sim_throttled", "T1"), account.value("sim_roaming", "T1")) == (1, 1)
    account.collect(at(7), sim("T1", at(7)), total("T1", 5, at(7)))
    assert account.value("sim_throttled", "T1") is None


def test_a_sim_that_is_refused_once_has_the_plan_and_the_end_that_it_had() -> None:
    account = Account()
    account.collect(at(5), sim("T1", at(5), plan=Plan("", 500 * MB), expires=at(9)), total("T1", 5, at(5)))
    account.collect(at(6), sim("T1", at(6)), Refused("T1"))
    assert account.value("sim_cap_bytes", "T1") == 500 * MB
    assert account.value("plan_expiry_timestamp_seconds", "T1") == at(9)
    account.collect(at(7), sim("T1", at(7)), total("T1", 5, at(7)))
    assert account.value("sim_cap_bytes", "T1") is None
    assert account.value("plan_expiry_timestamp_seconds", "T1") is None


def test_a_sim_that_roams_is_shown_of_however_many() -> None:
    account = Account(series_limit=1)
    told = [sim(f"T{n}", at(5), roaming=n == 4) for n in range(5)]
    account.collect(at(5), *told, *(total(f"T{n}", 5, at(5)) for n in range(5)))
    assert account.value("sim_roaming", "T4") == 1
    assert account.value("sim_roaming", "T3") is None


def test_a_sim_whose_plan_ends_soon_is_shown_of_however_many() -> None:
    account = Account(series_limit=1)
    told = [sim(f"T{n}", at(5), expires=at(5) + (13 + 2 * n) * DAY) for n in range(5)]
    account.collect(at(5), *told, *(total(f"T{n}", 5, at(5)) for n in range(5)))
    assert account.value("plan_expiry_timestamp_seconds", "T0") == at(5) + 13 * DAY
    assert account.value("plan_expiry_timestamp_seconds", "T1") is None


def test_a_cap_of_nothing_is_no_cap() -> None:
    account = Account()
    account.collect(at(5), sim("T1", at(5), plan=Plan("flex", 0)), total("T1", 5, at(5)))
    assert account.value("sim_cap_bytes", "T1") is None


def test_c16_a_router_that_wraps_and_reboots_never_jumps() -> None:
    account = Account(cycle="month", counts=True)
    readings = [
        (2**31 - 1000, 10 * DAY), (500, 10 * DAY + HOUR), (2500, 10 * DAY + 2 * HOUR), (700, 60.0), (900, HOUR + 60),
    ]  # fmt: skip
    before = 0.0
    for index, (value, uptime) in enumerate(readings):
        now = at(1, 1 + index)
        account.collect(now, Count("lte", value, now, uptime, "received"), Count("lte", 0, now, uptime, "sent"))
        used = account.value("sim_usage_bytes", "lte") or 0.0
        assert before <= used <= before + 2000
        before = used
    assert before == 1500 + 2000 + 700 + 200
    # Counted from the first reading on, not from the start of the month.
    assert account.value("usage_counted_since_timestamp_seconds", "", "lte") == at(1, 1)


def test_c17_router_and_carrier_are_compared_over_a_week_that_both_have_told() -> None:
    router, carrier = Account(counted=("lte",), counts=True), Account(counted=("lte",))
    for day in range(-5, 16):
        carrier.collect(at(day, 23), sim("lte", at(day, 23)), daily("lte", 371.4 * MB, day))
        router.collect(at(day, 23), sim("lte", at(day, 23)), daily("lte", 271.4 * MB, day))
    assert carrier.value("sim_settled_bytes", "lte", "carrier") == pytest.approx(2.6 * GB, rel=0.001)
    assert router.value("sim_settled_bytes", "lte", "router") == pytest.approx(1.9 * GB, rel=0.001)
    # Of figures that stopped in the middle of a day nothing is settled from then on.
    for day in range(16, 20):
        carrier.collect(at(day, 23), sim("lte", at(day, 23)))
    assert carrier.value("sim_settled_bytes", "lte", "carrier") is None


def sessions(now: float, dark: Sequence[str] = (), parked: bool = False) -> Iterator[Record]:
    """Ten trucks of Barstow on each of two carriers."""
    for carrier in ("verizon", "att"):
        for number in range(10):
            name = f"{carrier}-{number}"
            yield sim(name, now, carrier=carrier, in_session=name not in dark and not parked)


def barstow() -> Account:
    names = [f"{carrier}-{number}" for carrier in ("verizon", "att") for number in range(10)]
    account = Account(places={name: Place(truck=f"truck-{name}", terminal="barstow") for name in names})
    for day in range(2, 14):
        account.collect(at(day), *sessions(at(day), dark=[f"att-{day % 10}"]))
    return account


def test_c18_a_carrier_that_drops_six_trucks_of_a_home_is_below_its_habit_and_the_other_is_not() -> None:
    account = barstow()
    account.collect(at(16), *sessions(at(16), dark=[f"verizon-{number}" for number in range(6)]))
    least = account.value("carrier_sims_in_session_least", "verizon", "barstow")
    in_session = account.value("carrier_sims_in_session", "verizon", "barstow")
    assert least is not None
    assert in_session is not None
    assert in_session == 4 < least
    other, others_least = (account.value(f"carrier_sims_in_session{each}", "att", "barstow") for each in ("", "_least"))
    assert other is not None
    assert others_least is not None
    assert other >= others_least


def test_c18_an_outage_does_not_become_a_habit() -> None:
    account = barstow()
    least = account.value("carrier_sims_in_session_least", "verizon", "barstow")
    for day in (16, 17, 18, 19, 20):
        account.collect(at(day), *sessions(at(day), dark=[f"verizon-{number}" for number in range(9)]))
    assert account.value("carrier_sims_in_session_least", "verizon", "barstow") == least


def test_t30_a_standby_that_idles_is_not_among_the_trucks_and_a_platform_without_sessions_says_nothing() -> None:
    account = Account(places={"lte": Place(terminal="barstow", uplink="lte")})
    account.collect(at(5), sim("lte", at(5), in_session=False), sim("T1", at(5)))
    assert not account.told or METRICS["yardlight_carrier_sims"] not in account.told.families


def test_c19_throttled_is_the_platforms_word_and_its_speed_is_there_to_be_measured_against() -> None:
    account = Account(places={"lte": Place(terminal="fontana", uplink="lte")})
    plan = Plan(cap=1 * GB, after="throttle", throttle_speed=128_000)
    account.collect(at(5), sim("lte", at(5), throttled=True, plan=plan), total("lte", 1.1 * GB, at(5)))
    assert account.value("sim_throttled", "lte") == 1
    assert account.value("sim_throttle_speed_bytes_per_second", "lte") == 16_000
    account.collect(at(5, 13), sim("lte", at(5, 13), plan=plan))
    # A cap that is used up is no measurement of a speed.
    assert account.value("sim_throttled", "lte") is None


def test_c22_a_cycle_that_was_counted_in_part_is_said_to_be_and_not_projected() -> None:
    account = Account(cap="10 GB")
    for day in range(12, 20):
        account.collect(at(day, 23), sim("T1", at(day, 23)), daily("T1", 50 * MB, day))
    assert account.value("sim_usage_bytes", "T1") == 400 * MB
    assert account.value("usage_counted_since_timestamp_seconds", "", "T1") == at(12, 0)
    assert account.value("usage_projected_bytes", "", "T1", "0.5") is None


def test_c24_the_age_of_each_sim_is_visible_and_those_in_trouble_are_asked_first() -> None:
    account = Account(cap="1 GB")
    records: list[Record] = [sim(name, at(5)) for name in ("T1", "T2", "T3")]
    records += [total("T1", 950 * MB, at(5)), total("T2", 100 * MB, at(4)), total("T3", 1100 * MB, at(3))]
    told = account.collect(at(5), *records)
    assert sorted(told.first) == ["T1", "T3"]
    ages = [account.value("usage_as_of_timestamp_seconds", "", name) for name in ("T1", "T2", "T3")]
    assert ages == [at(5), at(4), at(3)]


def test_t29_c04_what_is_left_for_a_standby_is_the_less_of_its_own_cap_and_its_pools() -> None:
    account = Account(
        places={"fontana-standby": Place(terminal="fontana", uplink="lte")},
        pools={"yards": {"cap": "12 GB", "sims": ["fontana-standby", "ontario-standby"]}},
    )
    both = [sim("fontana-standby", at(5), plan=Plan(cap=10 * GB)), sim("ontario-standby", at(5))]
    used = [total("fontana-standby", 1 * GB, at(5)), total("ontario-standby", 7 * GB, at(5))]
    account.collect(at(5), *both, *used)
    assert account.value("standby_left_bytes", "fontana", "lte") == 4 * GB


def test_a_pool_whose_sims_cycles_are_over_is_unknown_until_the_next_one_is_told() -> None:
    account = Account(cycle=None, pools={"tablets": {"cap": "1 GB"}})
    old, new = Cycle(at(1, 0), at(6, 0)), Cycle(at(6, 0), at(36, 0))
    account.collect(at(5), sim("T1", at(5)), total("T1", 900 * MB, at(5), cycle=old))
    assert account.value("pool_usage_bytes", "tablets") == 900 * MB
    account.collect(at(6, 1), sim("T1", at(6, 1)), total("T1", 900 * MB, at(6, 0) - 1, cycle=old))
    assert account.value("pool_usage_bytes", "tablets") is None
    assert account.value("pool_sims_counted", "tablets") == 0
    account.collect(at(6, 9), sim("T1", at(6, 9)), total("T1", 2 * MB, at(6, 8), cycle=new))
    assert account.value("pool_usage_bytes", "tablets") == 2 * MB


def test_figures_that_come_in_a_lump_after_a_sim_was_suspended_are_no_use_while_suspended() -> None:
    account = Account()
    for day in range(1, 16):
        state = "suspended" if day >= 10 else "active"
        # They stop on the 8th, and come on the 13th.
        known = 8 if 8 < day < 13 else min(day, 10)
        until = at(8) if 8 < day < 13 else at(day)
        account.collect(at(day), sim("T1", at(day), state=state), total("T1", known * 100 * MB, until))
    assert account.value("sim_used_while_suspended_bytes", "T1") == 0
    account.collect(at(16), sim("T1", at(16), state="suspended"), total("T1", 1007 * MB, at(16)))
    assert account.value("sim_used_while_suspended_bytes", "T1") == pytest.approx(7 * MB)


def test_use_while_suspended_counts_from_the_second_day_on() -> None:
    account = Account()
    for day in range(1, 11):
        state = "suspended" if day >= 5 else "active"
        used = min(day, 6) if day < 9 else 6 + (day - 8) * 3
        account.collect(at(day, 23), sim("T1", at(day, 23), state=state), total("T1", used * MB, at(day, 22)))
    assert account.value("sim_used_while_suspended_bytes", "T1") == pytest.approx(6 * MB, rel=0.1)
    account.collect(at(11), sim("T1", at(11)))
    assert account.value("sim_used_while_suspended_bytes", "T1") is None


def test_another_device_is_an_event_without_its_number() -> None:
    account = Account()
    account.collect(at(1), sim("T1", at(1), device="mark-a"))
    account.collect(at(2), sim("T1", at(2), device="mark-a"))
    assert account.value("sim_device_changed_timestamp_seconds", "T1") is None
    account.collect(at(3), sim("T1", at(3), device="mark-b"))
    account.collect(at(4), sim("T1", at(4)))
    assert account.value("sim_device_changed_timestamp_seconds", "T1") == at(3)


def test_a_device_whose_mark_an_older_version_made_of_other_digits_has_not_changed() -> None:
    account, now = Account(), Directory({}, "key").device("35-209900-176148-1")
    account.collect(at(1), sim("T1", at(1), device=Directory({}, "key").mark("352099001761481")))
    account.collect(at(2), sim("T1", at(2), device=now))
    assert account.value("sim_device_changed_timestamp_seconds", "T1") is None
    account.collect(at(3), sim("T1", at(3), device=Directory({}, "key").device("35-209900-176149-9")))
    assert account.value("sim_device_changed_timestamp_seconds", "T1") == at(3)


def test_above_the_limit_only_sims_in_trouble_are_shown_and_for_as_long_as_rules_look_back() -> None:
    account = Account(series_limit=2, cap="1 GB")
    names = ("T1", "T2", "T3")
    account.collect(at(5), *[sim(each, at(5)) for each in names], total("T1", 1.5 * GB, at(5)), total("T2", 5, at(5)))
    assert account.value("sim_usage_bytes", "T1") == 1.5 * GB
    assert account.value("sim_usage_bytes", "T2") is None
    assert account.value("sims_not_shown") == 2
    assert account.value("sims", "active") == 3
    account.terms = terms(series_limit=1, cap="100 GB")
    account.collect(at(5, 12.5), *[sim(each, at(5, 12.5)) for each in names])
    assert account.value("sim_usage_bytes", "T1") == 1.5 * GB
    account.collect(at(5, 13.5), *[sim(each, at(5, 13.5)) for each in names])
    assert account.value("sim_usage_bytes", "T1") is None


def test_above_the_limit_the_biggest_sims_of_a_pool_that_gets_short_are_shown_to_be_named() -> None:
    account = Account(series_limit=2, pools={"tablets": {"cap": "1 GB", "sims": [f"T{n}" for n in range(6)]}})
    for day, each in ((1, 10), (2, 50)):
        now = at(day)
        told = [total(f"T{n}", each * n * MB, now) for n in range(8)]
        account.collect(now, *[sim(f"T{n}", now) for n in range(8)], *told)
        shown = [n for n in range(8) if account.value("sim_usage_bytes", f"T{n}") is not None]
        assert shown == []
    account.collect(
        at(3), *[sim(f"T{n}", at(3)) for n in range(8)], *[total(f"T{n}", n * GB / 9, at(3)) for n in range(8)]
    )
    shown = [n for n in range(8) if account.value("sim_usage_bytes", f"T{n}") is not None]
    assert shown == [3, 4, 5]
    assert account.value("sims_not_shown") == 5


def test_a_sim_that_nobody_listed_is_counted_and_adds_to_its_pool_and_has_no_series() -> None:
    account = Account(pools={"tablets": {"cap": "1 GB"}})
    told = account.collect(
        at(5), sim("#0a1b", at(5)), total("#0a1b", 70, at(5)), sim("T1", at(5)), total("T1", 7, at(5))
    )
    assert account.value("sims_unlisted") == 1
    assert account.value("pool_usage_bytes", "tablets") == 77
    assert not [labels for samples in told.families.values() for labels in samples if "#0a1b" in labels]


def test_a_sim_that_gets_a_name_or_another_one_counts_once_from_then_on() -> None:
    account = Account(pools={"tablets": {"cap": "1 GB"}}, cap="100 B")
    for day, name in ((5, "#0a1b"), (6, "T1"), (7, "T2")):
        account.collect(at(day), sim(name, at(day)), total(name, 100 * day, at(day)))
        assert account.value("pool_usage_bytes", "tablets") == 100 * day
        assert account.value("pool_sims", "tablets") == 1
        assert account.value("sims_unlisted") == (day == 5)
    assert account.value("sim_usage_bytes", "T1") is None
    assert account.value("sim_usage_bytes", "T2") == 700


def test_a_sim_that_neither_platform_nor_inventory_has_keeps_no_series_and_one_of_the_inventory_keeps_its_own() -> None:
    both = {"T1": Place(truck="112"), "T2": Place(truck="113")}
    account = Account(places=both, pools={"tablets": {"cap": "1 GB", "plans": ["Fleet"]}})
    plan = Plan("Fleet", cap=50 * MB)
    told = [each for name in ("T1", "T2") for each in (sim(name, at(5), plan=plan), total(name, 60 * MB, at(5)))]
    account.collect(at(5), *told, sim("T3", at(5), plan=plan), total("T3", 70 * MB, at(5)))
    # The platform lists one only; the roster has two.
    account.collect(at(6), *told[:2])
    assert account.value("sim_usage_bytes", "T3") is None
    assert account.value("sim_usage_bytes", "T2") == 60 * MB
    assert account.value("sim_cap_bytes", "T2") == 50 * MB
    assert account.value("sim_state", "T2", "active") is None
    assert (account.value("pool_sims", "tablets"), account.value("pool_usage_bytes", "tablets")) == (2, 120 * MB)
    account.terms = terms(places={"T1": both["T1"]}, pools={"tablets": {"cap": "1 GB", "plans": ["Fleet"]}})
    account.collect(at(7), *told[:2])
    assert account.value("sim_usage_bytes", "T2") is None
    # What it lacked by mistake has its days still.
    account.collect(at(8), *told, sim("T3", at(8), plan=plan))
    assert account.value("sim_usage_bytes", "T3") == 70 * MB


@pytest.mark.parametrize("places", [{}, {"gone": Place(truck="112")}])
def test_a_sim_that_the_platform_has_no_more_is_forgotten_a_cycle_after_its_last_figures(places: Any) -> None:
    account = Account(cap="1 GB", places=places)
    account.collect(at(1), sim("gone", at(1), state="suspended", device="a"), total("gone", 5, at(1)))
    account.collect(at(9), sim("gone", at(9), state="suspended"), total("gone", 50 * MB, at(9)), sim("T1", at(9)))
    for day in (40, 42):
        assert (account.value("sim_used_while_suspended_bytes", "gone") is not None) == (day == 40 or bool(places))
        account.collect(at(day), sim("T1", at(day)))
        assert ("gone" in json.dumps(account.memory)) == (day == 40)
    assert account.value("sim_used_while_suspended_bytes", "gone") is None


def test_an_export_may_list_some_sims_only_and_the_others_are_there_as_they_were() -> None:
    account = Account(partial=True, pools={"tablets": {"cap": "1 GB"}})
    account.collect(at(5), sim("T1", at(5), plan=Plan(cap=9)), total("T1", 5, at(5)), sim("T2", at(5)))
    account.collect(at(6), sim("T2", at(6)), total("T2", 7, at(6)))
    assert account.value("pool_usage_bytes", "tablets") == 12
    assert account.value("sim_cap_bytes", "T1") == 9
    account.collect(at(41), sim("T2", at(41)))
    assert "T1" not in json.dumps(account.memory)


def test_what_a_router_counted_is_forgotten_with_its_line() -> None:
    router = Account(counts=True, places={"gone": Place(terminal="fontana", uplink="lte")})
    for day in (1, 2):
        router.collect(at(day), *(Count(name, day * MB, at(day), part="sent") for name in ("gone", "kept")))
    router.collect(at(3), Refused("gone"), Count("kept", 3 * MB, at(3), part="sent"))
    assert list(router.memory["meters"]) == ["gone sent", "kept sent"]
    router.collect(at(4), Count("kept", 4 * MB, at(4), part="sent"))
    assert list(router.memory["meters"]) == ["kept sent"]
    assert list(router.memory["sims"]) == ["kept"]
    assert router.value("sim_usage_bytes", "gone") is None


@pytest.mark.parametrize("still", [[sim("T1", at(60))], [Refused("T1")]])
def test_a_sim_whose_use_is_not_told_for_long_is_not_forgotten(still: list[Record]) -> None:
    account = Account(places={"T1": Place(truck="112")})
    account.collect(at(5), sim("T1", at(5)), total("T1", 7, at(5)), sim("T2", at(5)))
    account.collect(at(60), *still, sim("T2", at(60)))
    assert "T1" in account.memory["sims"]


def day_row(name: str, day: int, used: int, now: float) -> Usage:
    """What was used on a day of March."""
    return Usage(Used(used), min(at(day + 1, 0), now), sim=name, day=ordinal(at(day), UTC))


def test_a_day_that_is_left_out_where_all_are_told_had_no_use_and_one_of_which_nobody_told_is_not_known() -> None:
    account = Account(cap="1 GB")
    # Others have figures of each day; T1 was used on two, could not be read from the 6th to the 10th, and is new.
    for day in range(1, 16):
        now = at(day, 20)
        records: list[Record] = [sim("T2", now), day_row("T2", day, 9 * MB, now), AllDays("T2", at(day - 4, 0))]
        if day >= 3:
            since = at(day - 4 if day != 11 else 8, 0)
            used = [day_row("T1", day, 5 * MB, now)] if day in (3, 5) else []
            records += [sim("T1", now), *([Refused("T1")] if 6 <= day <= 10 else [*used, AllDays("T1", since)])]
        account.collect(now, *records)
    first, known = account.memory["sims"]["T1"][:2]
    assert first == ordinal(at(3), UTC)
    assert known == f"{5 * MB},0,{5 * MB},?,?,0,0,0,0,0,0,0"
    assert account.value("sim_last_use_timestamp_seconds", "T1") == at(6, 0)
    assert account.value("usage_as_of_timestamp_seconds", "", "T1") == at(15, 20)
    # A row that comes late is believed.
    account.collect(at(16), sim("T1", at(16)), day_row("T1", 14, 3 * MB, at(16)), AllDays("T1", at(11, 0)))
    assert account.memory["sims"]["T1"][1].split(",")[-1] == str(3 * MB)


def test_a_sim_without_any_row_is_one_without_use_from_when_it_was_first_there() -> None:
    account = Account(cap="1 GB")
    for day in range(1, 11):
        now = at(day, 20)
        rows = [day_row("T2", day, 9 * MB, now), AllDays("T2", at(-50)), AllDays("T1", at(-50))]
        account.collect(now, sim("T1", now), sim("T2", now), *rows)
    assert account.memory["sims"]["T1"][:2] == [ordinal(at(1), UTC), "0,0,0,0,0,0,0,0,0"]
    assert account.value("sim_usage_bytes", "T1") == 0
    assert account.value("sim_last_use_timestamp_seconds", "T1") is None


def test_the_usual_day_of_a_sim_that_is_used_now_and_then_is_one_with_use() -> None:
    account = Account()
    for day in range(1, 30):
        now = at(day, 20)
        used = {0: 500 * MB, 3: 400 * MB}.get(day % 7, 0) if day < 28 else 6 * GB
        account.collect(now, sim("T1", now), day_row("T1", day, used, now))
        known = account.value("sim_runaway_above_bytes", "T1")
        assert known is None if day < 9 else known in (4 * GB, 4.5 * GB, 5 * GB)
    assert account.value("sim_largest_day_bytes", "T1") == 6 * GB


def test_a_single_peak_makes_no_other_peak_usual() -> None:
    account = Account()
    for day in range(1, 20):
        now = at(day, 20)
        used = {5: 5 * GB, 19: 5 * GB}.get(day, 0)
        account.collect(now, sim("T1", now), day_row("T1", day, used, now))
    assert account.value("sim_runaway_above_bytes", "T1") == 100 * MB


def test_less_than_nothing_that_was_used_is_no_figure_and_no_zero() -> None:
    account = Account(pools={"tablets": {"cap": "1 GB"}})
    for day in (1, 2):
        now, more = at(day, 20), [AllDays("T1", at(day, 0)), AllDays("T2", at(day, 0))]
        rows = [day_row("T1", day, 7, now), day_row("T2", day, 9 if day == 1 else -9, now)]
        account.collect(now, sim("T1", now), sim("T2", now), *rows, *more)
    assert account.memory["sims"]["T2"][1] == "9"
    assert (account.value("pool_sims", "tablets"), account.value("pool_sims_counted", "tablets")) == (2, 1)
    told = [sim("T1", at(4)), day_row("T1", 4, 1, at(4)), sim("T2", at(4))]
    account.collect(at(4), *told, AllDays("T2", at(3, 0)))
    assert account.memory["sims"]["T2"][1] == "9,?,0"
    account.collect(at(5), *told, total("T2", -50, at(5)), Usage(Used(-9), at(5), pool="tablets"))
    assert account.memory["sims"]["T2"][1] == "9,?,0"
    assert account.value("pool_usage_bytes", "tablets") == 15


def test_where_nobody_has_figures_no_day_is_without_use() -> None:
    account = Account()
    account.collect(at(9), sim("T1", at(9)), AllDays("T1", at(-50)))
    assert account.value("sim_usage_bytes", "T1") is None
    assert account.value("usage_as_of_timestamp_seconds", "", "T1") is None


def test_a_platforms_own_total_of_a_pool_is_believed() -> None:
    account = Account(pools={"tablets": {"cap": "1 GB"}})
    account.collect(at(5), sim("T1", at(5)), total("T1", 7, at(5)), Usage(Used(99), at(5), pool="tablets"))
    assert account.value("pool_usage_bytes", "tablets") == 99
    assert account.value("pool_sims", "tablets") is None


def test_the_vendors_own_cycle_wins_over_the_inventorys_and_one_with_an_end_only_starts_where_the_last_ended() -> None:
    account = Account()
    account.collect(at(5), sim("T1", at(5)), total("T1", 7, at(5), cycle=Cycle(None, at(10, 0))))
    assert account.value("cycle_start_timestamp_seconds", "", "T1") is None
    account.collect(at(12), sim("T1", at(12)), total("T1", 2, at(12), cycle=Cycle(None, at(38, 0))))
    assert account.value("cycle_start_timestamp_seconds", "", "T1") == at(10, 0)
    assert account.value("cycle_end_timestamp_seconds", "", "T1") == at(38, 0)


def test_without_a_cycle_from_anybody_there_is_no_projection() -> None:
    account = Account(cycle=None, cap="1 GB")
    for day in range(1, 12):
        account.collect(at(day, 23), sim("T1", at(day, 23)), total("T1", day * 90 * MB, at(day, 23)))
    assert account.value("sim_usage_bytes", "T1") == 990 * MB
    assert account.value("usage_projected_bytes", "", "T1", "0.5") is None
    assert account.value("cap_exhaustion_timestamp_seconds", "", "T1") is None


def test_no_sim_at_all_where_there_were_some_is_not_an_answer() -> None:
    account = Account()
    account.collect(at(5), sim("T1", at(5)), total("T1", 7, at(5)))
    with pytest.raises(IncompleteError, match="no SIM at all, where 1 were"):
        account.collect(at(5, 13))


def test_each_sim_is_told_with_its_numbers_and_its_use_as_of_the_carriers_figures() -> None:
    account = Account(cap="2 GB", pools={"tablets": {"cap": "5 GB"}})
    said = sim("T1", at(9), iccid="8910000000000001234", imei="350000000000006", called="Truck 1", in_session=False)
    stranger = Sim("#1a2b", at(9), iccid="8910000000000009999", state="active")
    made = account.collect(at(9), said, total("T1", 1.5 * GB, at(8)), stranger)
    known, unlisted = unpack(made.things)[1]
    assert (known.kind, known.name, known.called) == ("sim", "T1", "Truck 1")
    assert known.numbers == (("iccid", "8910000000000001234"), ("imei", "350000000000006"))
    assert known.facts[:3] == (
        Fact("state", "active", at(9)),
        Fact("session", "not in session", at(9)),
        Fact("used", "1.5 GB of 2 GB", at(8)),
    )
    assert Fact("cycle ends", at=at(32, 0)) in known.facts
    assert [each.label for each in known.facts if each.label.startswith("pool")] == [
        "pool tablets used", "pool tablets cycle ends", "pool tablets cap likely reached",
    ]  # fmt: skip
    assert (unlisted.name, unlisted.all("iccid")) == ("", ["8910000000000009999"])


def test_how_many_sims_of_the_roster_the_platform_has_is_told_and_a_router_is_none() -> None:
    account = Account(in_trucks=frozenset({"T1", "T2", "T3"}))
    others = [sim("fontana-standby", at(9)), Sim("#1a2b", at(9))]
    account.collect(at(8), sim("T1", at(8)), total("T1", MB, at(7)), sim("T2", at(8)), *others)
    assert account.value("roster_sims_listed") == 2
    account.collect(at(9), sim("T2", at(9)), *others)
    assert account.value("roster_sims_listed") == 1
    assert account.value("sims_unlisted") == 1
    router = Account(in_trucks=frozenset({"T1"}), counts=True)
    router.collect(at(9), sim("T1", at(9)))
    assert router.value("roster_sims_listed") is None

"""The byte budget of a metered uplink cannot be overdrawn."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.budget import MARGIN, SERVICE_CEILING
from yardlight.inventory.models import Metered
from yardlight.terminal.metering import Account, Purse, period_start

requests = st.lists(st.tuples(st.floats(0, 3600), st.integers(1, 5000), st.booleans()), max_size=300)


@given(requests, st.integers(1_000, 300_000), st.floats(0, 1))
def test_whatever_is_asked_for_the_period_stays_within_its_budget(
    asked: list[tuple[float, int, bool]], budget: int, reserve: float
) -> None:
    metered = Metered.model_construct(budget=budget, per=86400.0, reserve=reserve)
    now, account = 86400.0 * 10, Account(Metered.model_construct(budget=budget, per=86400.0, reserve=reserve), 864000.0)
    spent: dict[float, int] = {}
    for wait, size, urgent in asked:
        now += wait
        if (account.reserve if urgent else account.routine)(size, now):
            start = period_start(metered, now)
            spent[start] = spent.get(start, 0) + size
    assert all(total <= budget for total in spent.values())


@given(requests)
def test_a_restart_in_the_middle_changes_nothing(asked: list[tuple[float, int, bool]]) -> None:
    metered = Metered.model_construct(budget=50_000, per=86400.0, reserve=0.3)
    now, spent = 864000.0, 0
    account = Account(metered, now)
    for wait, size, urgent in asked:
        now = min(now + wait, 864000.0 + 86399.0)
        account = Account(metered, now, account.ledger)
        if (account.reserve if urgent else account.routine)(size, now):
            spent += size
    assert spent <= 50_000


def test_routine_probing_never_touches_the_reserve() -> None:
    metered = Metered.model_construct(budget=100_000, per=86400.0, reserve=0.5)
    account, now = Account(metered, 864000.0), 864000.0
    for _ in range(86_399):
        now += 1
        account.routine(100, now)
    assert account.reserve(20_000, now)


def test_a_new_month_begins_with_a_full_budget() -> None:
    metered = Metered()
    january = datetime(2026, 1, 31, 23, 59, tzinfo=UTC).timestamp()
    account = Account(metered, january)
    while account.reserve(100_000, january):
        pass
    assert not account.reserve(100_000, january)
    assert account.reserve(100_000, datetime(2026, 2, 1, 0, 1, tzinfo=UTC).timestamp())


probes = st.lists(
    st.tuples(st.floats(0, 3600), st.sampled_from(["services", "urgent"]), st.integers(0, 80_000)), max_size=300
)


@given(probes, requests, st.integers(100_000, 3_000_000), st.floats(0, 0.5), st.floats(0, 0.5))
def test_probes_of_services_stay_within_the_budget_too(
    asked: list[tuple[float, Purse, int]],
    echoes: list[tuple[float, int, bool]],
    budget: int,
    reserve: float,
    share: float,
) -> None:
    metered = Metered.model_construct(budget=budget, per=86400.0, reserve=reserve)
    now, account = 864000.0, Account(metered, 864000.0, None, share)
    spent: dict[float, int] = {}
    for index, (wait, purse, used) in enumerate(asked):
        now += wait
        start = period_start(metered, now)
        if account.take(purse, SERVICE_CEILING, now):
            account.give_back(purse, SERVICE_CEILING - used, now)
            spent[start] = spent.get(start, 0) + used
        _, size, urgent = echoes[index % len(echoes)] if echoes else (0, 1, False)
        if (account.reserve if urgent else account.routine)(size, now):
            spent[start] = spent.get(start, 0) + size
    assert all(total <= budget for total in spent.values())


def test_services_leave_half_of_the_reserve_to_failovers() -> None:
    metered = Metered.model_construct(budget=10_000_000, per=86400.0, reserve=0.5)
    account, now = Account(metered, 864000.0, None, 0.2), 864000.0
    while account.take("urgent", SERVICE_CEILING, now):
        pass
    assert account.reserve(1_000_000, now)


def test_what_a_probe_did_not_need_is_there_for_the_next() -> None:
    account = Account(Metered(), 864000.0, None, 0.2)
    assert account.take("services", SERVICE_CEILING, 864000.0)
    assert not account.take("services", SERVICE_CEILING, 864000.0)
    account.give_back("services", SERVICE_CEILING - 8000, 864000.0)
    assert account.ledger.services == 8000
    assert not account.take("services", SERVICE_CEILING, 864001.0)
    assert account.take("services", SERVICE_CEILING, 864000.0 + 8000 / (0.97 * 10_000_000 / (31 * 86400)) + 1)


def test_a_drill_may_look_closely_as_long_as_half_of_the_reserve_at_hand_is_left() -> None:
    account = Account(Metered.model_construct(budget=1_000_000, per=86400.0, reserve=0.4), 864000.0)
    assert account.half_left(864000.0)
    taken = 0
    while account.half_left(864000.0):
        assert account.reserve(1000, 864000.0)
        taken += 1000
    assert taken == pytest.approx(1_000_000 * MARGIN * 0.4 / 2 / 2, abs=1000)
    assert account.reserve(1000, 864000.0), "an incident has the other half"


def test_what_passed_is_counted_by_period_and_survives_a_restart() -> None:
    account = Account(Metered.model_construct(budget=1_000_000, per=300.0), 600.0)
    account.count(120)
    account.count(80)
    assert account.passed(700.0) == 200
    assert Account(Metered.model_construct(budget=1_000_000, per=300.0), 710.0, account.ledger).passed(720.0) == 200
    assert account.passed(900.0) == 0

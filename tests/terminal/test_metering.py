"""The byte budget of a metered uplink cannot be overdrawn."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from yardlight.inventory.models import Metered
from yardlight.terminal.metering import Account, period_start

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

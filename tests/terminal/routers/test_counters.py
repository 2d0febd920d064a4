"""Byte counters as Prometheus may have them: they grow, or begin anew, and never lose or invent four gigabytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yardlight.terminal.routers.counters import Counters

BOOT = 1000.0
WRAP = 2**32


def test_a_counter_of_32_bits_that_wraps_goes_on() -> None:
    counters = Counters()
    assert [counters.expose("a", raw, False, BOOT) for raw in (WRAP - 100, 50, 80, WRAP - 1, 3)] == [
        WRAP - 100, WRAP + 50, WRAP + 80, 2 * WRAP - 1, 2 * WRAP + 3,
    ]  # fmt: skip


def test_a_router_that_starts_anew_begins_anew() -> None:
    counters = Counters()
    counters.expose("a", WRAP - 100, False, BOOT)
    counters.expose("a", 50, False, BOOT)
    assert counters.expose("a", 10, False, BOOT + 5000) == 10


def test_an_interface_that_begins_anew_is_a_reset_and_no_wrap() -> None:
    counters = Counters()
    assert [counters.expose("a", raw, False, BOOT) for raw in (1_000_000, 10, 20)] == [1_000_000, 10, 20]
    assert [counters.expose("b", raw, True, BOOT) for raw in (2**40, 10)] == [2**40, 10]


def test_an_agent_that_stumbles_backwards_is_held_until_it_has_caught_up() -> None:
    counters = Counters()
    said = [counters.expose("a", raw, True, BOOT) for raw in (10**12, 10**12 - 500, 10**12 - 1, 10**12 + 1)]
    assert said == [10**12, 10**12, 10**12, 10**12 + 1]


def test_wraps_outlive_our_own_restart_unless_the_router_restarted_meanwhile() -> None:
    counters = Counters()
    counters.expose("a", WRAP - 1, False, BOOT)
    counters.expose("a", 5, False, BOOT)
    assert counters.wraps == {"a": (BOOT, 1)}
    assert Counters(counters.wraps).expose("a", 9, False, BOOT + 3.0) == WRAP + 9
    assert Counters(counters.wraps).expose("a", 9, False, BOOT + 9000.0) == 9


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=50), st.integers(0, 2**32 - 1))
def test_whatever_flows_is_counted_exactly_through_any_number_of_wraps(steps: list[int], start: int) -> None:
    counters, truth = Counters(), start
    first = counters.expose("a", start, False, BOOT)
    for step in steps:
        truth += step
        exposed = counters.expose("a", truth % WRAP, False, BOOT)
        assert exposed - first == truth - start

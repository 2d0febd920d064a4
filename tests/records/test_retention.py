"""The retention rules: each with its citation, and what they mean for a day."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from yardlight.inventory.retention import RULES, Period, keep_until, longer, parse_period, window_start


@pytest.mark.parametrize(
    ("rule", "section", "day", "until"),
    [
        ("rods", "395.8", date(2026, 1, 5), date(2026, 7, 18)),
        ("supporting-documents", "395.11", date(2026, 1, 5), date(2026, 7, 18)),
        ("dvir", "396.11", date(2026, 1, 5), date(2026, 4, 6)),
        ("roadside-inspection", "396.9", date(2026, 1, 5), date(2027, 1, 20)),
        ("maintenance", "396.3", date(2026, 1, 5), date(2027, 1, 5)),
        ("annual-inspection", "396.21", date(2026, 1, 5), date(2027, 3, 5)),
        ("drug-alcohol-5-years", "382.401", date(2026, 1, 5), date(2031, 1, 5)),
        ("drug-alcohol-2-years", "382.401", date(2026, 1, 5), date(2028, 1, 5)),
        ("drug-alcohol-1-year", "382.401", date(2026, 1, 5), date(2027, 1, 5)),
        ("drug-alcohol-training", "382.401", date(2026, 1, 5), date.max),
        ("ifta", "IFTA", date(2026, 1, 5), date(2030, 5, 8)),
    ],
)
def test_a_record_is_kept_for_as_long_as_its_rule_says(rule: str, section: str, day: date, until: date) -> None:
    assert section in RULES[rule].citation
    assert keep_until(RULES[rule], None, day) == until


def test_every_rule_has_its_test_and_says_where_it_stands() -> None:
    [cases] = [mark.args[1] for mark in test_a_record_is_kept_for_as_long_as_its_rule_says.pytestmark]  # type: ignore[attr-defined]
    assert {case[0] for case in cases} == set(RULES)
    assert all(re.search(r"CFR \d+\.\d+|IFTA", rule.citation) for rule in RULES.values())


def test_a_record_counts_from_its_receipt_where_that_is_known_but_never_from_later_than_the_rule_allows() -> None:
    day = date(2026, 1, 5)
    assert keep_until(RULES["rods"], None, day, received=day + timedelta(days=1)) == date(2026, 7, 6)
    assert keep_until(RULES["rods"], None, day, received=day + timedelta(days=400)) == date(2026, 7, 18)
    assert keep_until(RULES["rods"], None, day, received=day - timedelta(days=400)) == date(2026, 7, 5)


def test_a_maintenance_file_is_kept_for_six_months_after_its_vehicle_left() -> None:
    rule, day = RULES["maintenance"], date(2026, 1, 5)
    assert keep_until(rule, None, day, gone=date(2026, 12, 1)) == date(2027, 6, 1)
    assert keep_until(rule, None, day, gone=date(2026, 2, 1)) == date(2027, 1, 5)
    assert keep_until(rule, None, day, gone=date(2025, 2, 1)) == date(2027, 1, 5)


def test_training_records_are_kept_for_two_years_after_the_driver_left() -> None:
    assert keep_until(RULES["drug-alcohol-training"], None, date(2020, 1, 5), gone=date(2026, 3, 1)) == date(2028, 3, 1)


def test_the_users_own_floor_wins() -> None:
    assert keep_until(RULES["rods"], Period(months=24), date(2026, 1, 5)) == date(2028, 1, 18)


@pytest.mark.parametrize("today", [date(2027, 2, 28), date(2028, 2, 29), date(2026, 8, 31), date(2026, 3, 1)])
@pytest.mark.parametrize("rule", sorted(set(RULES) - {"drug-alcohol-training"}))
def test_no_day_of_the_required_window_may_have_been_deleted(rule: str, today: date) -> None:
    first = window_start(RULES[rule], None, today)
    assert RULES[rule].keep.after(first) > today
    assert RULES[rule].keep.after(first - timedelta(days=1)) <= today


@pytest.mark.parametrize(
    ("text", "period"),
    [("6 months", Period(months=6)), ("2 years", Period(months=24)), ("1 day", Period(days=1))],
)
def test_a_period_is_read_as_people_write_it(text: str, period: Period) -> None:
    assert parse_period(text) == period


@pytest.mark.parametrize("text", ["6", "half a year", "0 days", 6, "-1 months"])
def test_what_is_no_period_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="write like 6 months"):
        parse_period(text)


def test_a_hundred_and_eighty_three_days_are_not_always_six_months() -> None:
    assert not longer(Period(days=183), Period(months=6))
    assert longer(Period(days=184), Period(months=6))

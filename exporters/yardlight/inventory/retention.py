"""How long each class of records is kept, as data: the rule, where it stands, as of when it was read.

This is a check, not legal advice. States, contracts, insurers and a pending claim may ask for more, which the
inventory says with `keep` and `holds`; `keep` may not be shorter than the rule.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

# When the sections below were last read.
AS_OF = date(2026, 11, 1)
_PERIOD = re.compile(r"(\d{1,4}) ?(day|month|year)s?")
# Four years have every length of a month.
_DAYS = tuple(date(2023, 1, 1) + timedelta(days=each) for each in range(1461))


@dataclass(frozen=True)
class Period:
    """A length of time as a regulation has it: calendar months, or days."""

    months: int = 0
    days: int = 0

    def after(self, day: date) -> date:
        """The day on which it is over; in a month that is too short, its last one."""
        return _months_from(day, self.months) + timedelta(days=self.days)

    def before(self, day: date) -> date:
        """The day from which it takes until `day`."""
        return _months_from(day - timedelta(days=self.days), -self.months)

    def __str__(self) -> str:
        parts = []
        if self.months:
            whole, rest = divmod(self.months, 12)
            parts.append(f"{self.months} months" if rest or whole == 1 else f"{whole} years")
        if self.days:
            parts.append(f"{self.days} days")
        return " and ".join(parts)


@dataclass(frozen=True)
class Rule:
    """One class of records.

    `keep` counts from the day of the record, `arrives_within` days later at most, where the rule counts from receipt.
    `after_disposal` begins when the vehicle leaves the carrier's control, `after_leaving` when the driver does.
    `copy_apart`: a second copy on another device is asked for. `new_within` is how many working days may pass without
    a new record, None where they do not come daily. `confidential` is the section that says to whom they may be given.
    """

    title: str
    citation: str
    keep: Period
    arrives_within: int = 0
    after_disposal: Period | None = None
    after_leaving: Period | None = None
    copy_apart: bool = False
    new_within: int | None = None
    confidential: str = ""


Name = Literal[
    "rods", "supporting-documents", "dvir", "roadside-inspection", "maintenance", "annual-inspection",
    "drug-alcohol-5-years", "drug-alcohol-2-years", "drug-alcohol-1-year", "drug-alcohol-training", "ifta",
]  # fmt: skip
RULES: dict[str, Rule] = {
    "rods": Rule(
        "Records of duty status (ELD)", "49 CFR 395.8(k)(1), 395.22(i)", Period(months=6), arrives_within=13,
        copy_apart=True, new_within=2,
    ),
    "supporting-documents": Rule(
        "Supporting documents", "49 CFR 395.8(k)(1), 395.11", Period(months=6), arrives_within=13, new_within=None,
    ),
    "dvir": Rule(
        "Driver vehicle inspection reports", "49 CFR 396.11(a)(4)", Period(months=3), arrives_within=1,
    ),
    "roadside-inspection": Rule(
        "Roadside inspection forms", "49 CFR 396.9(d)(3)", Period(months=12), arrives_within=15
    ),
    "maintenance": Rule(
        "Maintenance files", "49 CFR 396.3(c)", Period(months=12), after_disposal=Period(months=6),
    ),
    "annual-inspection": Rule("Periodic (annual) inspection reports", "49 CFR 396.21(b)", Period(months=14)),
    "drug-alcohol-5-years": Rule(
        "Drug and alcohol: results of 0.02 and more, verified positives, refusals, evaluations, calibration, summaries",
        "49 CFR 382.401(b)(1)", Period(months=60), confidential="49 CFR 382.405",
    ),
    "drug-alcohol-2-years": Rule(
        "Drug and alcohol: the collection process", "49 CFR 382.401(b)(2)", Period(months=24),
        confidential="49 CFR 382.405",
    ),
    "drug-alcohol-1-year": Rule(
        "Drug and alcohol: negative and canceled results, below 0.02", "49 CFR 382.401(b)(3)", Period(months=12),
        confidential="49 CFR 382.405",
    ),
    "drug-alcohol-training": Rule(
        "Drug and alcohol: education and training", "49 CFR 382.401(b)(4)", Period(months=24),
        after_leaving=Period(months=24),
    ),
    "ifta": Rule(
        "IFTA distance and fuel records", "IFTA Procedures Manual P510", Period(months=48), arrives_within=123,
    ),
}  # fmt: skip


def keep_until(
    rule: Rule, keep: Period | None, day: date, gone: date | None = None, received: date | None = None
) -> date:
    """The first day on which a record of `day` need not be kept any more.

    `keep` is the inventory's own longer floor; `gone` when the record's vehicle or driver left, None while it is here.
    Where the rule counts from receipt and that is not known, the latest receipt that it allows is meant.
    """
    latest = day + timedelta(days=rule.arrives_within)
    last = (keep or rule.keep).after(min(max(received or latest, day), latest))
    if rule.after_disposal is not None and gone is not None and day <= gone:
        last = max(last, rule.after_disposal.after(gone))
    if rule.after_leaving is not None:
        last = max(last, rule.after_leaving.after(gone) if gone is not None else date.max)
    return last


def window_start(rule: Rule, keep: Period | None, today: date) -> date:
    """The first day whose records are required today, even of those that were received on the day itself."""
    period = keep or rule.keep
    first = period.before(today)
    while period.after(first) <= today:
        first += timedelta(days=1)
    return first


def parse_period(raw: object) -> Period:
    """'6 months', '2 years' or '400 days', as an inventory has it. Raises `ValueError`."""
    if isinstance(raw, str) and (match := _PERIOD.fullmatch(raw.strip())):
        count, unit = int(match[1]), match[2]
        if count:
            return Period(days=count) if unit == "day" else Period(months=count * (12 if unit == "year" else 1))
    raise ValueError(f"{raw!r} is not a period; write like 6 months, 2 years or 400 days")


def longer(one: Period, other: Period) -> bool:
    """Whether `one` is never over before `other`."""
    return all(one.after(day) >= other.after(day) for day in _DAYS)


def _months_from(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= date.max.year:
        return date.min if year < 1 else date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

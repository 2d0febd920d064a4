"""Availability over a month: what a platform's own trouble costs of its error budget, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.rules.promtool import judged

RULES = Path(__file__).parents[2] / "alert_rules" / "availability.yml"
# Ten hours, a sample a minute.
HOURS = 600
pytestmark = pytest.mark.needs("promtool")


def series(reason: str, values: str, instance: str = "centre:10480") -> list[dict[str, str]]:
    """The account tms as an exporter shows it: a feed of which collections fail for this reason, and another one."""
    of = f'fleet="inland",account="tms",instance="{instance}"'
    return [
        {"series": f'yardlight_poll_failed{{{of},poll="feeds/loads",reason="{reason}"}}', "values": values},
        {"series": f'yardlight_poll_failed{{{of},poll="feeds/bills",reason="server_error"}}', "values": f"0x{HOURS}"},
        {"series": f'yardlight_poll_success{{{of},poll="feeds/bills"}}', "values": f"1x{HOURS}"},
        {"series": f"yardlight_account_availability_target_ratio{{{of}}}", "values": f"0.95x{HOURS}"},
    ]


def verdict(folder: Path, *given: dict[str, str], available: float, left: float) -> str:
    """What promtool says of these values after ten hours; nothing if they are so."""
    labels = '{account="tms",fleet="inland"}'
    asked: list[dict[str, Any]] = [
        {
            "expr": f"round({name}, 0.0001)",
            "eval_time": f"{HOURS}m",
            "exp_samples": [{"labels": labels, "value": value}],
        }
        for name, value in (
            ("yardlight:account_available:avg30d", available),
            ("yardlight:account_error_budget_left:ratio30d", left),
        )
    ]
    test = {"interval": "1m", "input_series": list(given), "promql_expr_test": asked}
    (folder / "test.yml").write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]})
    )
    right, said = judged(folder / "test.yml")
    return "" if right else said


# One feed of two fails for fifteen minutes of the 601: half of the 5 % that it may.
FIFTEEN = "0x99 1x14 0x485"


def test_a_platform_that_answers_has_all_of_its_budget(tmp_path: Path) -> None:
    assert not verdict(tmp_path, *series("server_error", f"0x{HOURS}"), available=1, left=1)


def test_what_the_platform_fails_is_taken_from_its_budget(tmp_path: Path) -> None:
    assert not verdict(tmp_path, *series("server_error", FIFTEEN), available=0.975, left=0.5008)


def test_what_is_our_own_fault_is_not(tmp_path: Path) -> None:
    assert not verdict(tmp_path, *series("auth", FIFTEEN), available=1, left=1)


def test_while_nobody_asked_for_a_reason_of_ours_nothing_is_known(tmp_path: Path) -> None:
    # Ten hours without the fifteen minutes; all that is known is that it answered.
    assert not verdict(tmp_path, *series("budget", FIFTEEN), available=1, left=1)
    values = f"0x99 1x{HOURS - 100}"
    known = [*series("budget", values), *series("server_error", "0x49 1x49 0x500")[:1]]
    assert not verdict(tmp_path, *known, available=0.5, left=-9)


def test_a_target_that_is_exported_twice_and_an_exporter_that_moved_change_nothing(tmp_path: Path) -> None:
    moved = series("server_error", "_x299 0x300", "other:10480")
    assert not verdict(tmp_path, *series("server_error", FIFTEEN), *moved, available=0.975, left=0.5008)


def test_time_in_which_nobody_asked_is_not_counted(tmp_path: Path) -> None:
    asked = [{**each, "values": "0x99 1x14 _x485"} for each in series("server_error", FIFTEEN)[:1]]
    others = series("server_error", FIFTEEN)[3:]
    # A hundred minutes and fifteen, and five for which Prometheus takes the last word: 20 of 120, where 6 might.
    assert not verdict(tmp_path, *asked, *others, available=0.8333, left=-2.3333)


def test_a_platform_without_a_target_has_no_budget(tmp_path: Path) -> None:
    given = series("server_error", FIFTEEN)[:3]
    assert "got:[]" in verdict(tmp_path, *given, available=1, left=1).replace(" ", "").replace("nil", "[]")

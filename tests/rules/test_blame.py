"""Whose fault each row of the acceptance scenarios says it is, read from the row itself, and what rules say of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.rules.promtool import DOMAINS, ROOT, firing_of, names
from tests.rules.verdicts import VERDICTS

ROWS = [
    row
    for path in sorted((ROOT / "tests" / "faults").glob("*.yml"))
    for row in yaml.safe_load(path.read_text(encoding="utf-8"))
]
# A row's words for what is one of the domains.
WORDS = {"probe box": "probe_box", "off or out of coverage": "unknown"}
JUDGED = {row["id"]: WORDS.get(said, said) for row in ROWS if (said := row["expect"].get("verdict"))}


def named(row: dict[str, Any]) -> str:
    return str(row["id"])


def test_rows_with_a_verdict_are_there_and_name_a_domain() -> None:
    assert len(ROWS) >= 141
    assert len(JUDGED) >= 9
    assert set(JUDGED.values()) <= set(DOMAINS)


@pytest.mark.parametrize(("row", "domain"), sorted(JUDGED.items()))
def test_promtool_asks_for_the_verdict_of_the_row_and_for_no_other(row: str, domain: str) -> None:
    assert [verdict.split()[0] for verdict in VERDICTS[row]] == [domain]


@pytest.mark.parametrize(("row", "domain"), sorted(JUDGED.items()))
def test_every_alert_of_the_row_says_the_same(row: str, domain: str) -> None:
    assert {labels["domain"] for labels in firing_of(row)} == {domain}


@pytest.mark.parametrize("row", [row for row in ROWS if f"{row['id']}.yml" in names()], ids=named)
def test_nobody_is_left_unblamed_but_where_the_row_says_that_nobody_can_tell(row: dict[str, Any]) -> None:
    unknown = {labels["alertname"] for labels in firing_of(row["id"]) if labels["domain"] == "unknown"}
    assert not unknown or JUDGED.get(row["id"]) == "unknown"

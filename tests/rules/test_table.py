"""The table of acceptance rows in alert_rules/README.md is what the tests are."""

from __future__ import annotations

from dataclasses import replace

from tests.rules.table import README, rows, table, written


def test_the_table_of_rows_is_current() -> None:
    page = README.read_text(encoding="utf-8")
    assert page == written(page, table(rows())), "rewrite it with `python -m tests.rules.table`"


def test_every_row_is_proven_by_promtool_or_on_fakes_and_enough_of_them_end_to_end() -> None:
    every = rows()
    assert len(every) >= 141
    assert not [row.id for row in every if not (row.promtool or row.fakes or row.whole)]
    assert sum(bool(row.whole) for row in every) >= 25
    assert {row.id[0] for row in every if row.whole} == set("TCMFRD")


def test_a_proof_that_is_taken_away_makes_the_table_stale() -> None:
    every = rows()
    for at, row in enumerate(every):
        for kind in ("promtool", "fakes", "whole"):
            for name in getattr(row, kind):
                left = replace(row, **{kind: tuple(each for each in getattr(row, kind) if each != name)})
                assert table([*every[:at], left, *every[at + 1 :]]) != table(every)

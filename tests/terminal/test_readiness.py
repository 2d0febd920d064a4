"""What is proven of a standby, from answers to what is asked over it."""

from __future__ import annotations

import pytest

from yardlight.terminal.readiness import Finding, Record, asked, path, radio

GOOD = Finding(works=True, secure=True, named=True, elsewhere=True)
NO_NAMES = Finding(works=False, secure=True, named=False, elsewhere=True)
NO_TLS = Finding(works=False, secure=True, named=True, elsewhere=True)
DOWN_EVERYWHERE = Finding(works=False, secure=True, named=True, elsewhere=False)
PLAIN = Finding(works=True, secure=False, named=None, elsewhere=True)
PROOF = Finding(works=True, secure=True, named=True, elsewhere=False, work=False)


@pytest.mark.parametrize(
    ("findings", "checks"),
    [
        ([], {}),
        ([GOOD], {"dns": True, "https": True, "service": True}),
        ([NO_NAMES], {"dns": False, "https": False, "service": False}),
        ([NO_TLS], {"dns": True, "https": False, "service": False}),
        ([NO_TLS, PLAIN], {"dns": True, "https": False, "service": True}),
        ([PLAIN], {"service": True}),
        ([PROOF], {"dns": True, "https": True}),
    ],
)
def test_a_check_is_what_the_answers_show(findings: list[Finding], checks: dict[str, bool]) -> None:
    assert asked(findings) == checks


def test_what_fails_everywhere_says_nothing_about_the_standby() -> None:
    assert asked([DOWN_EVERYWHERE]) == {"dns": True}


def test_one_service_that_works_is_enough() -> None:
    assert asked([NO_TLS, GOOD]) == {"dns": True, "https": True, "service": True}


@pytest.mark.parametrize(
    ("state", "checks"),
    [("up", {"path": True}), ("degraded", {"path": True}), ("down", {"path": False}), ("unknown", {})],
)
def test_a_path_that_is_not_judged_is_not_ready_and_not_unready(state: str, checks: dict[str, bool]) -> None:
    assert path(state) == checks


def test_a_proof_is_never_older_than_it_was() -> None:
    record = Record()
    record.prove(None, 1000.0)
    assert record.proven is None
    for at in (100.0, 90.0):
        record.prove(at, 1000.0)
    assert record.proven == 1100.0


LEAST = {"rsrp": -115.0, "sinr": -3.0}


@pytest.mark.parametrize(
    ("signal", "weak", "strong"),
    [
        ({}, False, None),
        ({"rssi": -60.0}, False, None),
        ({"rsrp": -115.0, "sinr": 4.0}, False, True),
        ({"rsrp": -116.0, "sinr": 4.0}, False, False),
        ({"rsrp": -90.0, "sinr": -4.0}, False, False),
        ({"rsrp": -113.0}, True, False),
        ({"rsrp": -112.0}, True, True),
    ],
)
def test_the_weakest_value_counts_and_a_weak_signal_must_recover(
    signal: dict[str, float], weak: bool, strong: bool | None
) -> None:
    assert radio(signal, LEAST, weak) is strong

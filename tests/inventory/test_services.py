"""Services in an inventory: short and long, from a class and from the terminal, and what their probes cost."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from yardlight import budget
from yardlight.inventory import check
from yardlight.inventory.load import load
from yardlight.inventory.models import Metered, Terminal

FLEET = """\
fleet: inland-haul
classes:
  yard:
    targets: [198.51.100.1, 198.51.100.2, 203.0.113.53]
    services: {dispatch: "https://dispatch.example.com/health", portal: "http://eld.example.com"}
terminals:
  fontana:
    class: yard
    services:
      dispatch: {slow_after: 2s, ca_file: certs/own.pem}
      names: {dns: dispatch.example.com, answer: 203.0.113.7}
    uplinks:
      fiber: {bind: 10.10.0.21}
      lte: {bind: wwan0}
  stockton:
    targets: [198.51.100.1]
    uplinks: {fiber: {}}
"""


@pytest.fixture
def fontana(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificate: bytes) -> Terminal:
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "own.pem").write_bytes(certificate)
    (tmp_path / "fleet.yml").write_text(FLEET)
    monkeypatch.chdir(tmp_path)
    return load(tmp_path / "fleet.yml").fleet.terminals["fontana"]


@pytest.fixture
def certificate() -> bytes:
    """One that this machine trusts; which does not matter."""
    [first, *_] = ssl.create_default_context().get_ca_certs(binary_form=True)
    return ssl.DER_cert_to_PEM_cert(first).encode()


def test_a_terminal_adds_to_what_its_class_says_of_a_service(fontana: Terminal) -> None:
    dispatch = fontana.services["dispatch"]
    assert (dispatch.url, dispatch.slow_after) == ("https://dispatch.example.com/health", 2.0)
    assert list(fontana.services) == ["dispatch", "portal", "names"]


def test_a_single_value_is_a_list_of_one(fontana: Terminal) -> None:
    assert fontana.services["names"].answer == ("203.0.113.7",)


def test_certificates_are_looked_for_beside_the_inventory(fontana: Terminal, tmp_path: Path) -> None:
    assert fontana.services["dispatch"].ca_file == str(tmp_path / "certs" / "own.pem")


def test_services_take_their_share_of_a_metered_budget_and_no_more(fontana: Terminal) -> None:
    lte = fontana.uplinks["lte"]
    assert isinstance(lte.metered, Metered)
    plan = budget.plan(fontana, lte)
    per_month = sum(map(budget.service_bytes, fontana.services.values())) / plan.service_interval * budget.MONTH_SECONDS
    echoes = plan.rate * budget.MONTH_SECONDS
    reserve = lte.metered.budget * lte.metered.reserve
    assert per_month <= lte.metered.budget * lte.metered.for_services
    assert per_month + echoes + reserve <= lte.metered.budget
    assert 1800 < plan.service_interval < 4000


def test_a_terminal_without_services_spends_nothing_on_them(tmp_path: Path, fontana: Terminal) -> None:
    without = fontana.model_copy(update={"services": {}})
    lte = fontana.uplinks["lte"]
    assert budget.plan(without, lte).service_interval == 0
    assert budget.plan(without, lte).interval < budget.plan(fontana, lte).interval


def test_the_check_prints_how_often_services_are_probed(
    fontana: Terminal, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert check.check(Path("fleet.yml"), None, as_json=False) == 0
    printed = capsys.readouterr().out
    head, fiber, lte, stockton = printed.splitlines()[2:6]
    column = head.index("services every")
    assert [line[column:].split()[0] for line in (fiber, lte)] == ["30s", "49m43s"]
    assert stockton[column:].startswith(" ")
    check.check(Path("fleet.yml"), None, as_json=True)
    costs = json.loads(capsys.readouterr().out)["costs"]["inland-haul"]
    assert [cost["service_interval_seconds"] for cost in costs][2] is None


def test_a_fleet_without_services_has_no_column_for_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fleet.yml").write_text(
        "fleet: f\nterminals: {fontana: {targets: [198.51.100.1], uplinks: {fiber: {}}}}"
    )
    check.check(tmp_path / "fleet.yml", None, as_json=False)
    assert "services every" not in capsys.readouterr().out

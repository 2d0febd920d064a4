"""What a standby must prove: by default what can be proven, else what the inventory says."""

from __future__ import annotations

from pathlib import Path

import pytest

from yardlight import budget
from yardlight.inventory.load import load
from yardlight.inventory.models import PROOF, Terminal

FLEET = """\
fleet: inland-haul
classes:
  yard: {{targets: [198.51.100.1], standby: {{max_proof_age: 12h}}}}
terminals:
  fontana:
    class: yard
    {more}
    uplinks: {{fiber: {{bind: 10.10.0.21}}, lte: {{bind: wwan0}}}}
"""


def terminal(folder: Path, more: str = "") -> Terminal:
    (folder / "fleet.yml").write_text(FLEET.format(more=more))
    return load(folder / "fleet.yml").fleet.terminals["fontana"]


@pytest.mark.parametrize(
    ("more", "required"),
    [
        ("", ("path",)),
        ('services: {dispatch: "https://dispatch.example.com"}', ("path", "dns", "https")),
        ('services: {dispatch: "https://203.0.113.7"}', ("path", "https")),
        ('services: {dispatch: "http://dispatch.example.com"}', ("path", "dns", "service")),
        ("services: {names: {dns: dispatch.example.com}}", ("path", "dns", "service")),
        ('standby: {proof: "https://www.example.com/ok"}', ("path", "dns", "https")),
        ('standby: {proof: "https://www.example.com/ok", required: [path, https]}', ("path", "https")),
    ],
)
def test_a_standby_must_pass_what_can_be_asked_there(tmp_path: Path, more: str, required: tuple[str, ...]) -> None:
    assert terminal(tmp_path, more).required == required


def test_a_class_says_how_old_a_proof_may_be_and_the_terminal_what_it_is(tmp_path: Path) -> None:
    standby = terminal(tmp_path, 'standby: {proof: {url: "https://www.example.com/ok", body: fine}}').standby
    assert standby.max_proof_age == 12 * 3600
    assert standby.proof is not None
    assert (standby.proof.url, standby.proof.body) == ("https://www.example.com/ok", "fine")


def test_a_proof_is_paid_from_the_same_share_as_services(tmp_path: Path) -> None:
    without = terminal(tmp_path, 'services: {dispatch: "https://dispatch.example.com"}')
    more = terminal(
        tmp_path, 'services: {dispatch: "https://d.example.com"}\n    standby: {proof: "https://www.example.com/ok"}'
    )
    assert PROOF not in more.services
    once, twice = (budget.plan(each, each.uplinks["lte"]).service_interval for each in (without, more))
    assert twice == pytest.approx(2 * once)

"""`yardlight probe router` and `check`: what a person who sets a router up is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.snmp.agent import FakeAgent, serving, values

from yardlight.cli import main
from yardlight.inventory.values import Secret
from yardlight.snmp import Usm

USER = Usm("noc", "sha", Secret("auth passphrase"), "aes", Secret("priv passphrase"))
ROUTER: dict[str, Any] = {
    "1.3.6.1.2.1.1.1.0": b"RouterOS RB912R-2nD",
    "1.3.6.1.2.1.1.2.0": (1, 3, 6, 1, 4, 1, 14988, 1),
    "1.3.6.1.2.1.1.3.0": 8640000,
    "1.3.6.1.2.1.2.2.1.2.1": b"ether1",
    "1.3.6.1.2.1.2.2.1.2.3": b"lte1",
    "1.3.6.1.2.1.2.2.1.8.1": 1,
    "1.3.6.1.2.1.2.2.1.8.3": 2,
    "1.3.6.1.2.1.4.20.1.2.100.64.1.9": 1,
    "1.3.6.1.2.1.4.20.1.3.100.64.1.9": "255.255.255.0",
    "1.3.6.1.2.1.4.21.1.2.0.0.0.0": 0,
    "1.3.6.1.2.1.4.21.1.7.0.0.0.0": "100.64.1.1",
    "1.3.6.1.4.1.14988.1.1.16.1.1.2.3": -70,
    "1.3.6.1.4.1.14988.1.1.16.1.1.4.3": -101,
    "1.3.6.1.4.1.14988.1.1.16.1.1.14.3": b"LTE",
}


def inventory(folder: Path, port: int, snmp: str = "version: 3, user: noc, auth_file: auth, priv_file: priv") -> Path:
    (folder / "auth").write_text("auth passphrase\n")
    (folder / "priv").write_text("priv passphrase\n")
    (folder / "fleet.yml").write_text(
        f"""fleet: inland-haul
terminals:
  fontana:
    targets: [tcp://198.51.100.1:443]
    uplinks: {{fiber: {{bind: 127.0.0.1}}, lte: {{bind: 127.0.0.2}}}}
    router:
      address: 127.0.0.1
      snmp: {{{snmp}, port: {port}, timeout: 300ms}}
      interfaces: {{fiber: ether1, lte: lte1}}
"""
    )
    return folder / "fleet.yml"


def test_a_router_that_answers_is_shown_with_what_its_parts_are_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(FakeAgent(values(ROUTER), users=[USER])) as agent:
        assert main(["probe", "router", "fontana", "--inventory", str(inventory(tmp_path, agent.port))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "MikroTik RouterOS, RB912R-2nD, up for 1d"
    assert lines[1] == "claims fiber: its default route goes to 100.64.1.1 by ether1"
    assert lines[3:6] == [
        "interface  works  uplink  addresses",
        "ether1     yes    fiber   100.64.1.9",
        "lte1       no     lte",
    ]
    assert lines[8] == "lte1   lte     LTE       unknown     unknown    RSRP -101 dBm, RSSI -70 dBm"


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (Usm("other", "sha", USER.auth_key, "aes", USER.priv_key), "the router does not know this user"),
        (Usm("noc", "sha", Secret("another one"), "aes", USER.priv_key), "auth or auth_file is wrong"),
        (Usm("noc", "sha", USER.auth_key, "aes", Secret("another one")), "priv or priv_file is wrong"),
        (Usm("noc", "sha", USER.auth_key), "refuses this level of security"),
    ],
)
def test_what_is_wrong_with_a_user_is_said(
    user: Usm, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(FakeAgent(values(ROUTER), users=[user])) as agent:
        assert main(["probe", "router", "fontana", "--inventory", str(inventory(tmp_path, agent.port))]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "passphrase\n" not in error


def test_a_wrong_community_is_a_silence_that_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "community").write_text("wrong\n")
    with serving(FakeAgent(values(ROUTER))) as agent:
        path = inventory(tmp_path, agent.port, "community_file: community")
        assert main(["probe", "router", "fontana", "--inventory", str(path)]) == 1
    assert "no SNMP there, a firewall, or a wrong community" in capsys.readouterr().err


def test_a_missing_secret_and_a_terminal_without_a_router_are_said_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = inventory(tmp_path, 161, "community_file: nowhere")
    assert main(["probe", "router", "fontana", "--inventory", str(path)]) == 1
    assert "cannot read the secret file" in capsys.readouterr().err
    assert main(["probe", "router", "fontna", "--inventory", str(path)]) == 1
    assert "fleet.yml:2:1 terminals: there is no terminal 'fontna'; did you mean 'fontana'?" in capsys.readouterr().err
    path.write_text(path.read_text().partition("    router:")[0])
    assert main(["probe", "router", "fontana", "--inventory", str(path)]) == 1
    assert "fleet.yml:3:3 terminals.fontana.router.snmp: is missing" in capsys.readouterr().err


def test_check_says_which_routers_are_read_and_which_secrets_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = inventory(tmp_path, 161)
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out
    assert "router of fontana (127.0.0.1): auto over SNMP 3 as noc with auth and priv, every 30s" in out
    (tmp_path / "priv").write_text("short")
    assert main(["check", str(path), "--terminal", "fontana"]) == 1
    error = capsys.readouterr().err
    assert "fleet.yml:8:54 terminals.fontana.router.snmp.priv_file: the passphrase in" in error
    assert "is shorter than 8 characters" in error

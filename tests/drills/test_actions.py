"""Each way to cut and to undo, against something real."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.snmp.agent import FakeAgent, serving, values

from yardlight.drills.actions import Action, Done, action_of, fingerprint
from yardlight.errors import InventoryError
from yardlight.inventory.load import load
from yardlight.inventory.models import Terminal
from yardlight.snmp.ber import oid

ADMIN_STATUS = "1.3.6.1.2.1.2.2.1.7.3"


def terminal(folder: Path, cut: str, more: str = "") -> Terminal:
    (folder / "fleet.yml").write_text(f"""
fleet: acme
terminals:
  fontana:
    targets: [198.51.100.1]
    uplinks: {{fiber: {{bind: 10.10.0.21}}, lte: {{bind: 10.10.0.22}}}}
    drill: {{playbook: quarterly-wan-failover, cut: {{{cut}}}}}
{more}""")
    return load(folder / "fleet.yml").fleet.terminals["fontana"]


def acted(place: Terminal, undo: bool = False) -> Done:
    action = action_of(place)
    assert isinstance(action, Action)
    return asyncio.run(action.act(undo))


def test_a_command_runs_without_a_shell_and_says_how_it_ended(tmp_path: Path) -> None:
    place = terminal(tmp_path, 'command: {do: [echo, "$HOME; ls"], undo: [sh, -c, "echo no >&2; exit 3"]}')
    done = acted(place)
    assert (done.worked, done.text) == (True, "echo ended with 0: $HOME; ls")
    assert done.begin <= done.end
    undone = acted(place, undo=True)
    assert (undone.worked, undone.text) == (False, "sh ended with 3: no")


def test_a_command_that_hangs_or_is_not_there_is_told_and_never_waited_for_long(tmp_path: Path) -> None:
    place = terminal(tmp_path, "command: {do: [sleep, '60'], undo: [no-such-program]}, timeout: 300ms")
    assert acted(place).text == "was not done within 0.3 s"
    assert "no-such-program" in acted(place, undo=True).text
    assert not acted(place, undo=True).worked


@pytest.fixture
def router() -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """A router's web interface: takes what comes with the right key, and remembers it."""
    seen: list[tuple[str, str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            seen.append((self.command, self.path, body, self.headers.get("X-Key", "")))
            self.send_response(204 if self.headers.get("X-Key") == "s3cret" else 401)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", seen
    server.shutdown()
    server.server_close()


def test_a_request_carries_its_secret_from_a_file_beside_the_inventory(
    tmp_path: Path, router: tuple[str, list[tuple[str, str, str, str]]]
) -> None:
    base, seen = router
    (tmp_path / "key").write_text("X-Key: s3cret\n")
    call = f"url: '{base}/wan/1', method: PUT, headers_file: key"
    place = terminal(tmp_path, f"http: {{do: {{{call}, body: down}}, undo: {{{call}, body: up}}}}")
    assert acted(place).worked
    assert acted(place, undo=True).worked
    assert seen == [("PUT", "/wan/1", "down", "s3cret"), ("PUT", "/wan/1", "up", "s3cret")]
    (tmp_path / "key").write_text("X-Key: other\n")
    refused = acted(place)
    assert (refused.worked, refused.text) == (False, f"PUT {base}/wan/1 was answered with 401")
    assert "s3cret" not in repr(place)


def test_one_number_is_written_to_the_router_and_written_back(tmp_path: Path) -> None:
    (tmp_path / "write").write_text("private\n")
    with serving(FakeAgent(values({ADMIN_STATUS: 1}), community="private")) as agent:
        snmp = f"{{version: 2c, community_file: write, port: {agent.port}, timeout: 1s}}"
        cut = f"snmp_set: {{oid: {ADMIN_STATUS}, do: 2, undo: 1, snmp: {snmp}}}"
        place = terminal(tmp_path, cut, "    router: {address: 127.0.0.1}\n")
        done = acted(place)
        assert (done.worked, done.text) == (True, f"the router took 2 for {ADMIN_STATUS}")
        assert agent.written == {oid(ADMIN_STATUS): 2}
        assert acted(place, undo=True).worked
        assert agent.written == {oid(ADMIN_STATUS): 1}
        (tmp_path / "write").write_text("wrong\n")
        assert not acted(place).worked


def test_an_snmp_set_needs_a_router_and_a_way_to_write(tmp_path: Path) -> None:
    cut = f"snmp_set: {{oid: {ADMIN_STATUS}, do: 2, undo: 1}}"
    with pytest.raises(InventoryError, match="there is no router to write to"):
        terminal(tmp_path, cut)
    with pytest.raises(InventoryError, match="nothing says how to write to the router"):
        terminal(tmp_path, cut, "    router: {address: 127.0.0.1}\n")
    with pytest.raises(InventoryError, match="'ifAdminStatus' is no object identifier"):
        terminal(tmp_path, cut.replace(ADMIN_STATUS, "ifAdminStatus"), "    router: {address: 127.0.0.1}\n")


def test_two_inventories_with_the_same_action_have_the_same_fingerprint(tmp_path: Path) -> None:
    one = terminal(tmp_path, "command: {do: [a], undo: [b]}")
    same = terminal(tmp_path, "command: {undo: [b], do: [a]}")
    other = terminal(tmp_path, "command: {do: [a], undo: [c]}")
    prints = [fingerprint(place.drill.cut if place.drill else None) for place in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]
    assert fingerprint(None) == ""


def test_where_a_machine_keeps_its_secrets_makes_no_other_action_of_it(tmp_path: Path) -> None:
    prints = set()
    for machine in ("here", "there"):
        (tmp_path / machine).mkdir()
        call = "{url: 'http://10.10.0.1/wan', headers_file: key}"
        place = terminal(tmp_path / machine, f"http: {{do: {call}, undo: {call}}}")
        assert place.drill is not None
        assert place.drill.cut is not None
        assert place.drill.cut.http is not None
        assert place.drill.cut.http.do.headers_file == str(tmp_path / machine / "key")
        prints.add(fingerprint(place.drill.cut))
    assert len(prints) == 1

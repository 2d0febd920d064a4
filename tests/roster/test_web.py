"""A truck's page: found by name, numbers only after a password, and what it looks like on a phone."""

from __future__ import annotations

import base64
import http.client
import zlib
from pathlib import Path

import bcrypt
import pytest

from tests.roster.conftest import Garage
from tests.roster.world import iccid
from yardlight.collection import pack_memory
from yardlight.server import Server


def ask(port: int, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return found


SECRETS = ("R112", iccid(112), "Maria", "guid-R112")


def test_without_a_password_to_ask_for_numbers_are_veiled(port: int) -> None:
    status, text, headers = ask(port, "/truck/112")
    assert status == 200
    assert not [secret for secret in SECRETS if secret in text]
    assert "Numbers are veiled" in text
    assert iccid(112)[-4:] in text
    assert headers["cache-control"] == "no-store"
    assert "script-src" not in headers["content-security-policy"]
    assert "<script" not in text


def test_after_the_password_numbers_and_the_mdms_page_are_there_and_before_it_nothing(
    garage: Garage, tmp_path: Path
) -> None:
    config = tmp_path / "web.yml"
    hash_ = bcrypt.hashpw(b"hunter2", bcrypt.gensalt(4)).decode()
    config.write_text(f"basic_auth_users: {{help: '{hash_}'}}\n")
    server = Server(garage, "127.0.0.1:0", config, trucks=garage)
    server.start()
    try:
        for path in ("/truck", "/truck/112", "/truck?q=112"):
            assert ask(server.port, path)[:2] == (401, "Unauthorized\n")
        password = base64.b64encode(b"help:hunter2").decode()
        status, text, _ = ask(server.port, "/truck/112", Authorization=f"Basic {password}")
    finally:
        server.stop()
    assert status == 200
    assert all(secret in text for secret in ("R112", iccid(112), "guid-R112"))
    assert "&lt;b&gt;Maria&lt;/b&gt;" in text
    assert 'href="https://intune.microsoft.com/#view/' in text


def test_a_name_leads_to_its_truck_and_part_of_one_to_a_list(port: int) -> None:
    status, _, headers = ask(port, "/truck?q=t112")
    assert (status, headers["location"]) == (303, "truck/112")
    status, text, _ = ask(port, "/truck?q=11")
    assert (status, 'href="truck/112"' in text, 'href="truck/118"' in text) == (200, True, True)
    assert "No truck, tablet or SIM is called R112." in ask(port, "/truck?q=R112")[1]
    assert "2 trucks are on the roster" in ask(port, "/truck")[1]
    status, text, _ = ask(port, "/truck/115")
    assert status == 404
    assert 'action="../truck"' in text


def test_what_is_typed_is_text_and_never_markup(port: int) -> None:
    assert "<b>" not in ask(port, "/truck?q=%3Cb%3E")[1]


def test_trucks_of_one_name_in_two_fleets_are_told_apart(garage: Garage, port: int) -> None:
    garage.fleets = 2
    text = ask(port, "/truck?q=112")[1]
    assert 'href="truck/112?fleet=inland"' in text
    assert ask(port, "/truck/112")[1].count("<h1>") == 2
    assert ask(port, "/truck/112?fleet=other")[0] == 404


@pytest.mark.parametrize(
    "kept", [b"no stream", zlib.compress(b'0 1.0\n[["tablet","R118"]]\n'), zlib.compress(b"1.0\n[]\n")]
)
def test_what_another_version_kept_breaks_no_page(garage: Garage, port: int, kept: bytes) -> None:
    garage.kept_instead = pack_memory({}, kept)
    status, text, _ = ask(port, "/truck/118")
    assert status == 200
    assert "mdm/tablets was not read yet, so nothing is known of it" in text


def test_a_source_that_was_never_read_is_not_empty(garage: Garage, port: int) -> None:
    garage.told.clear()
    text = ask(port, "/truck/112")[1]
    assert "mdm/tablets was not read yet, so nothing is known of it" in text
    assert "Not asked: the inventory has no links: to alertmanager or prometheus." in text
    assert "None." not in text

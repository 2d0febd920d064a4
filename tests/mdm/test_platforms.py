"""Each MDM's own fixture becomes exactly these records, with questions asked as its documents want them."""

from __future__ import annotations

import re
import tempfile
from importlib import import_module
from pathlib import Path

import pytest

from tests.mdm.talk import FIXTURES, SECRET, collect, devices, fixture
from yardlight.errors import PollError
from yardlight.mdm.device import Device, Record, Tenant
from yardlight.mdm.platforms import PLATFORMS
from yardlight.mdm.support import CANNOT

# The column of the support matrix -> whether a record tells it.
TELLS = {
    "compliance": lambda each: isinstance(each, Device) and each.compliance in ("compliant", "noncompliant", "grace"),
    "no policy": lambda each: isinstance(each, Device) and each.compliance == "no_policy",
    "group": lambda each: isinstance(each, Device) and each.group != "",
    "app versions": lambda each: isinstance(each, Device) and bool(each.apps),
    "unapproved apps": lambda each: isinstance(each, Device) and bool(each.unapproved),
    "pending actions": lambda each: (
        isinstance(each, Device) and any(it.progress == "pending" for it in each.orders or ())
    ),
    "tenant settings": lambda each: isinstance(each, Tenant) and each.unassigned_is_compliant is not None,
    "credential's end": lambda each: isinstance(each, Tenant) and bool(each.credentials_end),
}


def golden_of(platform: str, folder: Path) -> str:
    """What a fixture becomes: its records, one a line."""
    records, told, _ = collect(platform, folder)
    assert told.unknown == []
    return "".join(f"{record!r}\n" for record in records)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_fixture_of_a_platform_becomes_exactly_these_records(platform: str, tmp_path: Path) -> None:
    assert golden_of(platform, tmp_path) == (FIXTURES / f"{platform}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_support_matrix_says_what_the_fixture_of_a_platform_shows(platform: str, tmp_path: Path) -> None:
    records: list[Record] = collect(platform, tmp_path)[0]
    claims = import_module(PLATFORMS[platform]).SUPPORT
    shown = {column: any(map(tells, records)) for column, tells in TELLS.items()}
    assert shown == {column: claims[column] != CANNOT for column in TELLS}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_device_of_the_fixture_never_spoke_and_one_says_when_it_last_did(platform: str, tmp_path: Path) -> None:
    said = {type(device.checkin) for device in devices(collect(platform, tmp_path)[0])}
    assert {float, str} <= said


@pytest.mark.parametrize("platform", PLATFORMS)
def test_only_reads_are_sent_but_for_a_token(platform: str, tmp_path: Path) -> None:
    asked = collect(platform, tmp_path)[2]
    acting = [one for one in asked if one.method != "GET"]
    assert all("token" in one.path and "grant_type" in one.form for one in acting)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_error_has_a_secret_or_a_serial_number(platform: str, tmp_path: Path) -> None:
    """Each answer of the fixture in turn is one that breaks the collection, or it goes on without."""
    told = fixture(platform)
    serials = {device.serial for device in devices(collect(platform, tmp_path)[0]) if device.serial}
    assert serials
    said = []
    for broken in range(len(told["exchanges"])):
        spoiled = {**told, "exchanges": [dict(each) for each in told["exchanges"]]}
        spoiled["exchanges"][broken] |= {"say": f"<html>{SECRET}", "status": 200}
        try:
            collect(platform, tmp_path, spoiled)
        except PollError as error:
            said.append(str(error))
    assert len(said) >= (1 if told["exchanges"] else 0)
    hidden = "|".join(map(re.escape, [SECRET, *serials]))
    assert not [text for text in said if re.search(hidden, text)]


if __name__ == "__main__":
    for each in PLATFORMS:
        with tempfile.TemporaryDirectory() as made:
            (FIXTURES / f"{each}.txt").write_text(golden_of(each, Path(made)), encoding="utf-8")

"""Every profile by a router of our own invention, played over UDP, with its golden; and what profiles must not do."""

from __future__ import annotations

import asyncio
import math
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snmp.agent import FakeAgent, snmprec
from tests.terminal.routers.facts import FAKES, facts_of, golden, read

from yardlight.inventory.models import ROUTER_MODELS
from yardlight.inventory.values import Secret
from yardlight.snmp import Missing, Session, Usm, Value, oid
from yardlight.snmp.ber import Oid
from yardlight.terminal import routers
from yardlight.terminal.routers import PROFILES, asking, profiles, standard
from yardlight.terminal.routers.interpret import columns_of, parse, understand
from yardlight.terminal.routers.reading import Device, Modem, Wan
from yardlight.terminal.routers.tables import Column, Profile, number

RECORDINGS = sorted(FAKES.glob("*.snmprec"))
FIELDS = {"device": Device, "modem": Modem, "wan": Wan}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_a_router_is_found_out_and_read_to_its_golden(recording: Path) -> None:
    assert golden(recording) == recording.with_suffix(".golden").read_text(encoding="utf-8")


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_it_says_the_same_over_version_3(recording: Path) -> None:
    user = Usm("noc", "sha256", Secret("a passphrase"), "aes256", Secret("another one"))
    v2c, v3 = asyncio.run(read(recording)), asyncio.run(read(recording, user))
    assert facts_of(v3[0]) == facts_of(v2c[0])


def test_every_profile_has_a_router_of_our_own_and_is_a_model_of_the_inventory() -> None:
    assert {path.stem.removesuffix("-old") for path in RECORDINGS} == set(PROFILES)
    assert set(ROUTER_MODELS) == {*PROFILES, "auto"}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_column_is_a_fact_that_a_reading_has(profile: Profile) -> None:
    for table, column, _ in columns_of(profile):
        if table.subject != "setting":
            assert column.fact in FIELDS[table.subject].__dataclass_fields__
            assert column.zero_needs in (None, *(each.fact for each in table.columns))


def test_no_profile_reads_a_number_that_names_a_person_or_a_phone_except_as_a_secret() -> None:
    """IMSI, IMEI and telephone numbers have no field at all; an ICCID is a secret."""
    assert not {"imsi", "imei", "msisdn", "serial"} & set(Modem.__dataclass_fields__)
    assert {
        column.kind for profile in PROFILES.values() for _, column, _ in columns_of(profile) if column.fact == "iccid"
    } == {"secret"}
    reading, _, _ = asyncio.run(read(FAKES / "cisco.snmprec"))
    assert "89000000000000000012" not in repr(reading)


def test_of_the_owners_scripts_only_those_are_run_that_are_known() -> None:
    """Reading the output of a script on RouterOS runs it."""

    async def ask() -> None:
        async with FakeAgent(snmprec(FAKES / "mikrotik.snmprec")) as agent, Session(agent.client()) as session:
            known = await asking.discover(session, "mikrotik")
            await asking.look(session, known)
            outputs = oid("1.3.6.1.4.1.14988.1.1.18")
            asked = {name for pdu in agent.asked for name, _ in pdu.varbinds if name[: len(outputs)] == outputs}
            assert asked == {oid("1.3.6.1.4.1.14988.1.1.18.1.1.2.2")}

    asyncio.run(ask())


def test_a_profile_of_somebody_else_is_used_and_ours_win(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Profile("acme", "Acme", says="route", evidence="theirs")
    points = [
        EntryPoint("acme", f"{__name__}:THEIRS", "yardlight.routers"),
        EntryPoint("teltonika", f"{__name__}:THEIRS", "yardlight.routers"),
        EntryPoint("broken", f"{__name__}:FIELDS", "yardlight.routers"),
    ]
    monkeypatch.setattr(EntryPoint, "load", lambda self: theirs if self.value.endswith("THEIRS") else FIELDS)
    monkeypatch.setattr(routers, "entry_points", lambda group: points if group == "yardlight.routers" else [])
    profiles.cache_clear()
    try:
        assert profiles()["acme"] is theirs
        assert profiles()["teltonika"] is PROFILES["teltonika"]
        assert "broken" not in profiles()
    finally:
        profiles.cache_clear()


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        (b"16.1", 16.1), (b"-65 dBm", -65), (b"1%", 1), (b" -7.5 dB ", -7.5), (b"+3", 3), (-9999, None),
        (b"-9999", None), (float("nan"), None),
        (b"n/a", None), (b"", None), (b"12abc", None), (b"\xff\xfe", None), (None, None), (b"41 \xc2\xb0C", 41),
        ("10.0.0.1", None), (Missing.NO_INSTANCE, None), (b"9" * 400, None), (b"9" * 5000, None),
    ],
)  # fmt: skip
def test_a_number_is_understood_with_its_unit_and_nothing_else_is_one(wire: Value, value: float | None) -> None:
    assert understand(number("rssi", "1", 1, -9999), wire) == value


@pytest.mark.parametrize(
    ("wire", "value"),
    [(b"Orange\xe9", "Orangeé"), ("Telef\u00f3nica".encode(), "Telefónica"), (b"AT&T\0\0", "AT&T"), (b"N/A", None),
     (b"a\x1b[31mb", "a[31mb"), (b"---", None), (7, "7")],
)  # fmt: skip
def test_text_is_readable_whatever_its_encoding(wire: Value, value: str | None) -> None:
    assert understand(Column("operator", "1", "text"), wire) == value


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_zero_where_nothing_is_measured_is_no_signal(profile: Profile) -> None:
    """A modem without a network says 0 in every column: nobody has 0 dBm, and 0 dB beside nothing is nothing."""
    signals = {"rssi", "rssi_3g", "rsrp", "rsrq", "sinr", "snr", "ec_io"}
    said: dict[Oid, Value] = {
        (*name, 0 if table.scalars else 1): 0
        for table, column, name in columns_of(profile)
        if table.subject == "modem" and column.fact in signals
    }
    assert [getattr(modem, each) for modem in parse(profile, said).modems for each in signals] == []


@pytest.mark.parametrize(
    ("sim", "pin", "ready"),
    [(b"inserted", b"OK", True), (b"not inserted", b"SIM not inserted", False), (b"not inserted", b"Unknown", False),
     (b"inserted", b"Required PIN", False), (b"inserted", b"SIM failure", False), (b"inserted", b"SIM busy", None),
     (b"inserted", b"Required network subset personalization unlocking password", False)],
)  # fmt: skip
def test_a_teltonika_without_a_usable_sim_says_so(sim: bytes, pin: bytes, ready: bool | None) -> None:
    row = {oid("1.3.6.1.4.1.48690.2.2.1.9.1"): sim, oid("1.3.6.1.4.1.48690.2.2.1.10.1"): pin}
    scalars = {oid("1.3.6.1.4.1.48690.2.1.0"): sim, oid("1.3.6.1.4.1.48690.2.2.0"): pin}
    assert [modem.sim_ready for said in (row, scalars) for modem in parse(PROFILES["teltonika"], said).modems] == [
        ready,
        ready,
    ]


COLUMNS = [name for profile in PROFILES.values() for _, _, name in columns_of(profile)]
COLUMNS += [*standard.NAMES, *standard.STATES, *standard.COUNTERS, *standard.ADDRESSES]
COLUMNS += [(*entry, column) for entry, *_ in standard.ROUTES.values() for column in range(1, 18)]
NAMES = st.builds(
    lambda column, index: (*column, *index), st.sampled_from(COLUMNS), st.lists(st.integers(0, 300), max_size=14)
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.integers(-(2**63), 2**64), st.binary(max_size=20), st.none(), st.sampled_from(list(Missing)),
    st.ip_addresses(v=4).map(str), st.lists(st.integers(0, 99), max_size=20).map(tuple),
    st.floats(allow_nan=True), st.sampled_from([b"n/a", b"-9999", b"0.000", b"1%", b"9" * 5000, b"Registered, home"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(PROFILES.values())), st.dictionaries(NAMES, VALUES, max_size=40))
def test_whatever_a_router_says_is_read_and_nothing_negative_is_counted(
    profile: Profile, said: dict[Oid, Value]
) -> None:
    reading = parse(profile, said)
    for interface in reading.interfaces:
        assert interface.received is None or interface.received >= 0
    for modem in reading.modems:
        assert modem.received is None or modem.received >= 0
        assert modem.rssi is None or math.isfinite(modem.rssi)

"""Recordings of real routers, played over UDP: every fact in ground-truth.csv is reported, and nothing else is.

The recordings are not ours to give away; they are read where they lie, and without them this says so. What is judged
is what `parse` returned after discovery and a second poll, never what was on the wire.
"""

from __future__ import annotations

import asyncio
import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.snmp.agent import snmprec
from tests.terminal.routers.facts import facts_of, read

from yardlight.inventory.values import Secret
from yardlight.snmp import Usm, Value
from yardlight.snmp.ber import Oid, Reader
from yardlight.terminal.routers import asking
from yardlight.terminal.routers.interpret import parse
from yardlight.terminal.routers.reading import Modem, RouterReading, Said, Wan

RECORDINGS = Path(__file__).parent.parent.parent.parent / "shared" / "snmp-recordings"
TRUTH = RECORDINGS / "ground-truth.csv"
FILES = sorted(path.name for path in RECORDINGS.glob("*.snmprec")) or ["none"]
USER = Usm("noc", "sha", Secret("a passphrase"), "aes", Secret("another one"))

pytestmark = pytest.mark.skipif(
    not TRUTH.is_file(), reason=f"NOT TESTED HERE: no recordings of routers in {RECORDINGS}"
)


@dataclass(frozen=True)
class Fact:
    """One line of the ground truth."""

    file: str
    entity: str
    fact: str
    expected: str

    @property
    def absent(self) -> bool:
        """The wire has something, and it is no value."""
        text = f"{self.fact} {self.expected}"
        return bool(re.search(r"no value|\(none\)|unknown", text)) and not self.expected.startswith("unknown or")


def truth() -> list[Fact]:
    with TRUTH.open(encoding="utf-8", newline="") as lines:
        return [Fact(row["file"], row["entity"], row["fact"], row["expected"]) for row in csv.DictReader(lines)]


# What of a reading a line of the ground truth speaks of: by the words it begins with.
FIELDS: tuple[tuple[str, str], ...] = (
    ("signal strength", "rssi"), ("rssi", "rssi"), ("rsrp", "rsrp"), ("rsrq", "rsrq"), ("sinr", "sinr"), ("snr", "snr"),
    ("temperature", "temperature"), ("operator", "operator"), ("plmn", "plmn"), ("technology", "technology"),
    ("band", "band"), ("rx channel", "channel"), ("cell id", "cell"), ("lte cell id", "lte_cell"),
    ("apn", "apn"), ("iccid", "iccid"), ("ip address", "address"), ("bytes sent, total", "transmitted"),
    ("bytes received, total", "received"), ("bytes sent today", "transmitted_today"), ("data connection", "connected"),
    ("data session", "connected"), ("registered", "registered"), ("sim stat", "sim"), ("modem status", "status"),
    ("status", "status"), ("roaming", "roam"), ("roam code", "roam"), ("connection uptime", "uptime"),
    ("signal", "rssi"), ("wan state", "state"), ("state", "state"), ("packet loss", "loss"), ("latency", "latency"),
    ("jitter", "jitter"), ("interface", "interface"), ("name", "name"),
)  # fmt: skip


def shown(value: Any, fact: Fact) -> str:
    """A value of a reading in the words of the ground truth."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Said):
        if fact.fact.startswith("roam code"):
            return str(value.code)
        return value.word if fact.expected == value.word else str(value)
    if isinstance(value, bool):
        return "up" if value else "down"
    return str(value)


def reported(reading: RouterReading, fact: Fact) -> Any:
    """What the reading says to this line: None for nothing."""
    if special := SPECIAL.get((fact.entity.split(" ")[0], fact.fact.split(" ")[0])):
        return special(reading, fact)
    rows = list(rows_of(reading, fact.entity))
    field = next(field for words, field in FIELDS if fact.fact.startswith(words))
    if fact.fact.startswith("rsrp, rsrq, sinr"):
        signals = [getattr(row, each, None) for row in rows for each in ("rsrp", "rsrq", "sinr")]
        return next((each for each in signals if each is not None), None)
    found = [getattr(row, field) for row in rows if getattr(row, field, None) is not None]
    assert len({shown(each, fact) for each in found}) <= 1, f"two answers to {fact}"
    if field == "registered" and found:
        [row] = rows
        assert isinstance(row, Modem)
        return f"{'yes' if row.registered else 'no'}, {'roaming' if row.roaming else 'home'}"
    return shown(found[0], fact) if found else None


def rows_of(reading: RouterReading, entity: str) -> Iterator[Modem | Wan]:
    """The modems and WANs that a line means: by name, by number, or by interface."""
    number = re.search(r"ifIndex (\d+)", entity)
    key = entity.removeprefix("modem").strip()
    for modem in reading.modems:
        named = entity in (modem.name, modem.wan) or (entity.startswith("modem") and key in ("", modem.key))
        if named or entity.startswith("script") or (number is not None and modem.interface == int(number[1])):
            yield modem
    yield from (wan for wan in reading.wans if wan.name == entity)


def carries(reading: RouterReading, fact: Fact) -> str | None:
    """Which address an interface has."""
    match = re.search(r"if (\d+)|ifIndex (\d+)", fact.entity)
    assert match
    interface = reading.interface(int(match[1] or match[2]))
    assert interface is not None
    assert interface.names[0] in fact.entity
    return next(iter(reading.addresses_of(interface.index)), None)


def route(reading: RouterReading, fact: Fact) -> Any:
    assert reading.default is not None
    if fact.fact.startswith("next hop"):
        return reading.default.next_hop
    if fact.fact.startswith("ifIndex"):
        return reading.default.if_index
    if fact.fact.startswith("metric1"):
        return reading.default.metric
    interface = reading.interface(reading.default.interface)
    return f"{interface.index} ({interface.names[0]})" if interface else None


SPECIAL: Mapping[tuple[str, str], Callable[[RouterReading, Fact], Any]] = {
    ("device", "model"): lambda reading, _: reading.device.model,
    ("device", "firmware"): lambda reading, _: reading.device.firmware,
    ("device", "connection"): lambda reading, _: reading.device.connection_uptime,
    ("modem", "connection"): lambda reading, _: (
        reading.device.connection_uptime if reading.modems[0].uptime is None else reading.modems[0].uptime
    ),
    ("modem", "row"): lambda reading, _: len(reading.modems),
    ("modem", "connected"): lambda reading, _: sum(modem.connected is True for modem in reading.modems),
    ("modem", "ifIndex"): lambda reading, _: reading.modems[0].interface,
    ("if", "carries"): carries,
    ("dialer1", "carries"): carries,
    ("lte1", "has"): lambda reading, _: "yes" if reading.addresses_of(reading.modems[0].interface or 0) else "no",
    ("lte1", "oper"): lambda reading, _: {True: "up", False: "down"}.get(
        getattr(reading.interface(reading.modems[0].interface), "up", None)  # type: ignore[arg-type]
    ),
    ("default", "next"): route,
    ("default", "ifIndex"): route,
    ("default", "metric1"): route,
    ("default", "interface"): route,
}


def fits(said: Any, fact: Fact) -> bool:
    if fact.absent or fact.expected.startswith("unknown or"):
        return said is None
    if said is None:
        return False
    try:
        return float(said) == float(fact.expected)
    except ValueError:
        return str(said) == fact.expected


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("version", ["2c", "3"])
def test_every_fact_of_a_recording_is_reported(file: str, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    reading, known, _ = asyncio.run(read(RECORDINGS / file, USER if version == "3" else None))
    facts = [fact for fact in truth() if fact.file == file]
    wrong = [f"{fact.entity}, {fact.fact}: {fact.expected!r}, not {said!r}" for fact in facts
             if not fits(said := reported(reading, fact), fact)]  # fmt: skip
    with capsys.disabled():
        print(f"\n{file} by SNMP {version} as {reading.profile}: {len(facts) - len(wrong)} of {len(facts)} facts")
    assert not wrong
    assert known.stopped == ()
    assert facts


def fewest(known: asking.Known, values: dict[Oid, Value], place: str, fact: str) -> dict[Oid, Value]:
    """The least part of these values from which this fact still follows."""
    size = len(values)
    while size := size // 2:
        start = 0
        while start < len(values):
            names = [*values]
            kept = {name: values[name] for name in names[:start] + names[start + size :]}
            if facts_of(parse(known.profile, kept)).get(place) == fact:
                values = kept
            else:
                start += size
    return values


# Our own words: what a row is called for want of a name, and which way a counter is read.
OURS = re.compile(r"profile|default\.table|.*\.(key|name|index|wide|wan|interface|address)(\.\w+)?$")


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_reported_that_the_recording_does_not_hold(file: str) -> None:
    """Each fact is gone or another without one of the values of the recording."""
    _, known, values = asyncio.run(read(RECORDINGS / file, None))
    wire = {name: Reader(element).value() for name, element in snmprec(RECORDINGS / file).items()}
    assert {name: value for name, value in values.items() if name in wire} == {
        name: wire[name] for name in values if name in wire
    }
    whole = facts_of(parse(known.profile, values))
    unexplained = {place for place in whole if not OURS.fullmatch(place)}
    for name in values:
        without = facts_of(parse(known.profile, {each: value for each, value in values.items() if each != name}))
        unexplained -= {place for place in unexplained if without.get(place) != whole[place]}
    # What two values tell alike is there without either of them: look for the few that it cannot be without.
    for place in tuple(unexplained):
        if 0 < len(fewest(known, values, place, whole[place])) <= 4:
            unexplained.remove(place)
    assert not unexplained
    assert set(facts_of(parse(known.profile, {}))) == {"profile"}

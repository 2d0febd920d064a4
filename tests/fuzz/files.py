"""Bytes that come as they are: from the network, from a drop folder, from an archive, from whoever edits a file."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Collection
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import bcrypt

from tests.fuzz.choices import Choices
from yardlight import drop, journal, moment, webconfig
from yardlight.client import retry_after
from yardlight.demo.eld_files import Shape, eld_file
from yardlight.drills import playbook
from yardlight.errors import ContractError, DrillError, InventoryError, PollError, SnmpError, WebConfigError
from yardlight.feeds import contract_file, contracts
from yardlight.inventory.archives import Archive
from yardlight.inventory.check import check
from yardlight.inventory.load import load
from yardlight.inventory.roster import read_drivers, read_revoked_elds, read_trucks
from yardlight.inventory.values import Secret
from yardlight.records.index import Entry
from yardlight.records.reading import Content, Whose, wrong_with
from yardlight.snmp import ber, usm
from yardlight.snmp.usm import Keys, Usm
from yardlight.terminal import packets
from yardlight.terminal.routers import profiles
from yardlight.terminal.routers.interpret import parse as understood
from yardlight.webhooks.receiver import Receiver

Target = Callable[[bytes], None]
HERE = Path(__file__).parents[1]
ZONE = ZoneInfo("America/Los_Angeles")
_MOST = 20
_DAY = Shape().day.toordinal()


@dataclass(frozen=True)
class Parser:
    """What is fed, and bytes that are nearly right."""

    target: Target
    seeds: tuple[bytes, ...]


def parsers(folder: Path) -> dict[str, Parser]:
    """One for each parser of bytes; files that they need are laid in the folder."""
    config = HERE / "config"
    inventories = tuple(
        path.read_bytes() for path in (config / "everything.yml", *sorted((config / "bad").glob("*.yml")))
    )
    shipped = sorted(Path(playbook.__file__).parents[1].glob("playbooks/*.yml"))
    # One that is not named like its file is refused before anything else is looked at.
    playbooks = tuple(b"playbook: drill\n" + path.read_bytes().partition(b"\n")[2] for path in shipped)
    hashed = bcrypt.hashpw(b"x", bcrypt.gensalt(4))
    web = b"tls_server_config: {min_version: TLS12}\nbasic_auth_users: {a: %s}\n" % hashed
    trucks = b"truck,terminal,tablet,status,until,sims\n101,fontana,tab-101,active,2026-02-01,sim-1\n"
    trap = ber.encode_v2c(b"public", ber.encode_pdu(0xA2, 7, ber.encode_varbinds([((1, 3, 6, 1), b"\x05\x00")])))
    # The answers to ours: a reply to an echo in its packet, and a binding's address as XOR-MAPPED-ADDRESS.
    echoed = b"\x45" + b"\0" * 20 + packets.EchoTemplate(1, v6=False).build(2)[1:]
    bound = b"\x01\x01\x00\x0c" + packets.build_stun(b"0" * 12)[4:] + b"\x00\x20\x00\x08\x00\x01" + b"\x21" * 6
    waits = (b"3", b"Wed, 21 Oct 2026 07:28:00 GMT")
    export = "Name,Serial,Last check-in\ntab-1,ABC,11/20/2026 3:04 PM\n"
    return {
        "inventory": Parser(_file(folder / "fleet.yml", _inventory, InventoryError), inventories),
        "playbook": Parser(_file(folder / "drill.yml", playbook.load, InventoryError, DrillError), playbooks),
        "web config": Parser(_file(folder / "web.yml", webconfig.load, WebConfigError), (web,)),
        "roster of trucks": Parser(_file(folder / "trucks.csv", _trucks, InventoryError), (trucks,)),
        "roster of drivers": Parser(
            _file(folder / "drivers.csv", lambda path: read_drivers(path, ["fontana"], []), InventoryError),
            (b"driver,terminal,exempt\nann,fontana,no\n",),
        ),
        "revoked ELDs": Parser(
            _file(folder / "revoked.csv", lambda path: read_revoked_elds(path, []), InventoryError),
            (b"model,revoked\nX1,2026-01-02\n",),
        ),
        "contract": Parser(_contract, tuple(path.read_bytes() for path in sorted(contracts.SHIPPED.glob("*.json")))),
        "drop folder": Parser(_export, (export.encode(), export.replace(",", ";").encode("utf-16"))),
        "ELD file": Parser(_record, (eld_file(Shape()),)),
        "journal": Parser(_journal, (_two_lines(folder / "journal"),)),
        "instant": Parser(_instant, (b"2026-11-01T01:30:00.5Z", b"/Date(1795186800000+0100)/", b"1/2/2026 3:04:05 PM")),
        "Retry-After": Parser(lambda data: _nothing(retry_after(_text(data), 0.0)), waits),
        "SNMP version 2c": Parser(_v2c, (trap,)),
        "SNMP version 3": Parser(_v3(), (_sealed(),)),
        "ICMP": Parser(_icmp, (echoed,)),
        "STUN": Parser(lambda data: _nothing(packets.parse_stun(data)), (bound,)),
        "webhook": Parser(_webhook(folder), (b'{"eventId": "e1", "sequence": 4}', b'{"eventId": [[1]]}')),
    }


def near(seeds: Collection[bytes], data: bytes) -> bytes:
    """One of the seeds, changed where the data says; or the data itself."""
    choices = Choices(data)
    number = choices.below(len(seeds) + 1)
    if number == len(seeds):
        return choices.text().encode()
    made = bytearray(list(seeds)[number])
    for _ in range(choices.below(_MOST)):
        at, act = choices.below(len(made) + 1), choices.below(4)
        if act == 0:
            made[at : at + 1] = bytes([choices.below(256)])
        elif act == 1:
            del made[at : at + 1 + choices.below(8)]
        elif act == 2:
            made[at:at] = made[choices.below(len(made) + 1) :][: choices.below(64)]
        else:
            made[at:at] = str(choices.strange()).encode("utf-8", "replace")
    return bytes(made)


def _file(path: Path, read: Callable[[Path], Any], *allowed: type[Exception]) -> Target:
    def target(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(*allowed):
            read(path)

    return target


def _inventory(path: Path) -> None:
    load(path)
    with redirect_stdout(StringIO()):
        check(path, None, as_json=True)


def _trucks(path: Path) -> None:
    read_trucks(path, ["fontana"], [])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _nothing(_: object) -> None:
    """What came out is of no interest; that something did is."""


def _contract(data: bytes) -> None:
    with suppress(ContractError):
        contract_file.dump(contract_file.load(_text(data), "contract.yml"))


def _export(data: bytes) -> None:
    text = data.decode(drop.encoding_of(data), "replace")
    with suppress(PollError):
        for _, row in drop.rows(text, {"name": "Name", "seen": "Last check-in"}, "export.csv"):
            moment.moment(drop.dated(drop.bare(row.get("seen", "")), None), ZONE)


def _record(data: bytes) -> None:
    for form in ("eld", "pdf", "csv"):
        wrong_as(data, form)


def wrong_as(data: bytes, form: str) -> tuple[str, str]:
    """What is wrong with the record; of a driver and a truck that are on the roster."""
    content = Content(hashlib.sha256(data).digest(), len(data), data)
    archive = Archive.model_validate({"path": "x", "pattern": "{driver}/{date}.csv", "rule": "rods", "format": form})
    entry = Entry(1, "d101/2026-01-05.csv", len(data), "0", "d101", _DAY, None, None, "", "")
    return wrong_with(content, archive, entry, Whose(frozenset({"d101"}), frozenset({"112"})))


def _journal(data: bytes) -> None:
    with suppress(ValueError):
        journal.entries(data)


def _two_lines(path: Path) -> bytes:
    """A journal that fits."""
    kept = journal.Journal(path)
    kept.write("begun", 1.0, who="ann")
    kept.write("ended", 2.0)
    kept.close()
    return path.read_bytes()


def _instant(data: bytes) -> None:
    moment.moment(_text(data), ZONE, by=1795186800.0)
    with suppress(ValueError):
        moment.moment(json.loads(data), ZONE)


def _v2c(data: bytes) -> None:
    pdu = None
    with suppress(SnmpError):
        _, pdu = ber.decode_v2c(data)
    for profile in profiles().values() if pdu is not None else ():
        understood(profile, dict(pdu.varbinds))


_USER = Usm("monitor", "sha", Secret("authentication"), "aes", Secret("privacy-phrase"))


def _sealed() -> bytes:
    pdu = ber.encode_pdu(0xA2, 7, ber.encode_varbinds([((1, 3, 6, 1), b"\x05\x00")]))
    return usm.seal(_USER, usm.localize(_USER, b"engine"), b"engine", 3, 100, 5, pdu)


def _v3() -> Target:
    known = usm.localize(_USER, b"engine")

    def target(data: bytes) -> None:
        for keys in (known, Keys()):
            with suppress(SnmpError):
                usm.unseal(data, _USER, lambda _, keys=keys: keys)  # type: ignore[misc]

    return target


def _icmp(data: bytes) -> None:
    packets.parse_icmp4(data)
    packets.parse_icmp6(data)


def _webhook(folder: Path) -> Target:
    key = b"0123456789abcdef"
    (folder / "hook").write_bytes(b64encode(key))
    (folder / "token").write_text("t", encoding="utf-8")
    lines = [
        "fleet: inland",
        "accounts: {samsara: {platform: samsara, token_file: token}}",
        "webhooks:",
        "  plain: {account: samsara, secret_files: hook}",
        "  counted: {account: samsara, secret_files: hook, id: 'max(items)', sequence: 'length(eventId)'}",
        'terminals: {fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}}',
    ]
    path = folder / "hooked.yml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    receivers = [Receiver("inland", name, None, lambda: 1e9) for name in ("plain", "counted")]
    for receiver in receivers:
        receiver.use(load(path).fleet)

    def target(data: bytes) -> None:
        digest = hmac.new(key, b"v1:1000000000:" + data, hashlib.sha256).hexdigest()
        signed = {"X-Samsara-Timestamp": "1000000000", "X-Samsara-Signature": f"v1={digest}"}
        for receiver in receivers:
            receiver.take(data, signed)
            receiver.take(data, {"X-Samsara-Timestamp": _text(data), "X-Samsara-Signature": _text(data)})

    return target

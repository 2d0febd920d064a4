"""A fleet with an MDM and a carrier, and what was collected of them, as `serve` leaves it in the state file."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from yardlight.collection import pack_memory
from yardlight.state import State
from yardlight.things import Fact, Number, Thing, pack

INVENTORY = """\
fleet: inland
timezone: America/Los_Angeles
accounts:
  graph: {platform: intune, tenant: contoso, client_id: abc, client_secret_file: secret}
  kore: {platform: super_sim, client_id: me, client_secret_file: secret}
mdm: {tablets: {account: graph}}
cellular: {sims: {account: kore, cycle: month}}
terminals:
  fontana: {timezone: America/Denver, targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}
"""
MINUTE = 60.0


def iccid(number: int) -> str:
    """Made up: 89 is telecom, 1 the country, the rest no issuer's."""
    return f"891{number:015}"


def imei(number: int) -> str:
    return f"35{number:012}0"


def tablet(serial: str, called: str = "", *more: tuple[Number, str], facts: Iterable[Fact] = (), **rest: str) -> Thing:
    numbers: tuple[tuple[Number, str], ...] = (("serial", serial),) if serial else ()
    return Thing(
        "tablet",
        f"unlisted-{crc32(serial.encode()):08x}",
        called,
        f"guid-{serial}",
        numbers=(*numbers, *more),
        facts=tuple(facts),
        **rest,
    )


def sim(number: int, called: str = "", *more: tuple[Number, str], name: str = "", facts: Iterable[Fact] = ()) -> Thing:
    return Thing("sim", name, called, numbers=(("iccid", iccid(number)), *more), facts=tuple(facts))


def vehicle(called: str, *numbers: tuple[Number, str]) -> Thing:
    return Thing("truck", called, called, numbers=numbers)


class World:
    """The folder with the inventory, a roster if `trucks` are given, and a state file."""

    def __init__(self, folder: Path, trucks: str = "", inventory: str = INVENTORY) -> None:
        self.folder, self.now = folder, time.time()
        (folder / "secret").write_text("s3cret\n", encoding="utf-8")
        if trucks:
            (folder / "trucks.csv").write_text(trucks, encoding="utf-8")
            inventory = inventory.replace("accounts:", "roster: {trucks: trucks.csv}\naccounts:", 1)
        (folder / "fleet.yml").write_text(inventory, encoding="utf-8")

    def collected(self, source: str, *things: Thing, ago: float = 5 * MINUTE, of: float = 0.0) -> None:
        """This source was complete so many seconds ago, and knew these, as they were `of` seconds before that."""
        at = self.now - ago
        state = State(self.folder / "yardlight.db")
        packed = pack_memory({"platform": None, "domain": None, "first": []}, pack(things, at - of))
        state.keep_blocks("inland", source, at, b"", packed)
        state.close()

"""A platform of tablets that is collected again and again by the kernel's own poll, and what is on the page then."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from tests.mdm.talk import Script, account, lay, session
from tests.vendor import Told, Vendor
from yardlight.collection import Collection, Result, Source, open_memory, pack_memory
from yardlight.exposition import pack, page
from yardlight.inventory.mdm import MdmSource
from yardlight.inventory.models import Fleet
from yardlight.mdm.plan import Plan, resolved
from yardlight.mdm.show import show
from yardlight.poll import Poll

FLEET = Fleet.model_validate({"fleet": "f", "timezone": "America/Los_Angeles", "terminals": {}})
PLAN: Plan = resolved(FLEET, MdmSource.model_validate({"account": "mdm"}))


class Polled:
    """A platform that is collected again and again, as its fixture says or as `spoil` does."""

    def __init__(self, platform: str, folder: Path, said: dict[str, Any]) -> None:
        self.platform, self.folder, self.seconds = platform, folder, 60.0
        self.said, self.told = said, Told(said)
        self.script: Script = self.told
        for name, text in said.get("files", {}).items():
            lay(folder / name, text)
        self.poll = Poll("f", "mdm", self._work, 900.0, 60.0, name="mdm/tablets")

    async def _work(self, deadline: float, memory: bytes) -> Result:
        with Vendor(lambda asked: self.script(asked)) as vendor:
            self.told.base = vendor.url
            module, options = account(self.platform, vendor.url, self.said)
            where = Source("f", "mdm", "mdm/tablets", PLAN, self.folder)
            under_way = session(self.folder, self.seconds, memory=open_memory(memory))
            blocks = Collection(where, module, options, show)(under_way)
            return Result(blocks, pack_memory(under_way.memory), under_way.requests)

    def once(self) -> dict[str, float]:
        """The page after one more collection."""
        asyncio.run(self.poll.once())
        lines = page(pack(self.poll.blocks()), openmetrics=False).decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[0] != "#"}


def failed(found: dict[str, float]) -> set[str]:
    return {
        match[1]
        for name, value in found.items()
        if value and (match := re.fullmatch(r'yardlight_poll_failed\{.*reason="(\w+)"\}', name))
    }


def of_devices(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if name.startswith("yardlight_device")}

"""What the kernel asks of this domain: its platforms, what is to be collected, what the inventory says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from yardlight.catalogue import ROSTER_SIMS, SIM_SILENT_AFTER, USAGE_DRIFT, Metric
from yardlight.cellular.account import Cost
from yardlight.cellular.plan import in_trucks, resolved
from yardlight.cellular.platforms import PLATFORMS as PLATFORMS
from yardlight.cellular.rounds import room
from yardlight.cellular.usage import Record
from yardlight.collection import Collection, Families, Source, Told
from yardlight.domains import Asks, Planned, platforms
from yardlight.inventory.models import Account, Fleet


def show(source: Source, records: Sequence[Record], memory: Any, now: float) -> Told:
    """As in the module `show`, which only a worker that has SIMs to show loads: numpy takes memory in each process."""
    from yardlight.cellular.show import show as made

    return made(source, records, memory, now)


def planned(fleet: Fleet, base: Path) -> Iterator[Planned]:
    """One collection for each source of `cellular:`."""
    for name, source in fleet.cellular.items():
        account = fleet.accounts[source.account]
        where = Source(fleet.fleet, account.name, f"cellular/{name}", resolved(fleet, source), Path(account.folder))
        collection = Collection(where, account.module, _options(fleet, account), show)
        yield Planned(collection, source.poll, source.deadline, asks=_asks(fleet, account, source.deadline))


def _asks(fleet: Fleet, account: Account, deadline: float) -> Asks | None:
    """What a collection takes if the account has all SIMs that the inventory names; somebody else's may not tell."""
    platform = platforms("cellular")[account.platform]
    cost: Cost | None = getattr(import_module(platform.module), "COST", None)
    if cost is None:
        return None
    sims = {sim.name for truck in fleet.roster.trucks for sim in truck.sims}
    sims |= {up.sim for terminal in fleet.terminals.values() for up in terminal.uplinks.values() if up.sim}
    rate = platform.config.model_validate(account.options).rate
    named = f"{len(sims)} SIM{'s' * (len(sims) != 1)} of the inventory"
    return Asks(cost.of(len(sims), room(rate, deadline)), named)


def _options(fleet: Fleet, account: Account) -> dict[str, Any]:
    """The account's options, and the roster's names of SIMs for a platform that knows them by their numbers."""
    if "names" not in platforms("cellular")[account.platform].config.model_fields:
        return account.options
    names = {sim.iccid: sim.name for truck in fleet.roster.trucks for sim in truck.sims}
    return {**account.options, "names": {**names, **account.options.get("names", {})}}


def said(fleet: Fleet, now: float) -> Families:
    """The thresholds of each account, and how many SIMs the roster has."""
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    if fleet.cellular and fleet.roster.trucks:
        families[ROSTER_SIMS][()] = len(in_trucks(fleet))
    for source in fleet.cellular.values():
        families[SIM_SILENT_AFTER][source.account,] = source.silent_after
        families[USAGE_DRIFT][source.account,] = source.drift
    return families

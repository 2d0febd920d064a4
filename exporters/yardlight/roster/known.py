"""What each source of a fleet knows: as its last complete collection left it in the state file, or asked just now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from yardlight.accounts import spent_lately, spent_name
from yardlight.collection import Session, open_memory, opened, pack_memory
from yardlight.domains import Planned, domains
from yardlight.errors import PollError, StartError, StateError
from yardlight.history import History
from yardlight.inventory.load import Inventory
from yardlight.lookback import ago
from yardlight.things import Kind, Thing, search, unpack

_DOMAINS: Mapping[Kind, str] = {"tablet": "mdm", "sim": "cellular", "truck": "feeds", "driver": "feeds"}


@dataclass(frozen=True)
class Known:
    """One source. `at` is the instant that it stands for (unix seconds), None if it never was complete.

    `due` is when it should have been complete again, `wrong` why it could not be asked just now, `plan` how it is
    collected.
    """

    source: str
    account: str
    at: float | None = None
    due: float | None = None
    things: Sequence[Thing] = ()
    wrong: str = ""
    plan: Planned | None = None

    def console(self, thing: Thing) -> str:
        """Where the vendor's own console shows it; empty where it has no address for that, or none that is known."""
        if self.plan is None or not thing.id:
            return ""
        platform = import_module(self.plan.collection.platform)
        link: Callable[[Any, str], str] | None = getattr(platform, "console", None)
        return link(platform.Config.model_validate(self.plan.collection.options), thing.id) if link is not None else ""

    def old(self, now: float) -> bool:
        """Whether two collections were missed since."""
        return self.due is not None and now > self.due

    def may_know(self, kind: Kind) -> bool:
        """Whether it is a source of what could have this kind."""
        return self.source.startswith(f"{_DOMAINS[kind]}/")

    def of(self, kind: Kind) -> list[Thing]:
        """What it knows of this kind."""
        return [thing for thing in self.things if thing.kind == kind]


def planned(inventory: Inventory) -> Iterator[Planned]:
    """Everything that is collected of a fleet."""
    for part in domains():
        yield from part.planned(inventory.fleet, inventory.path.parent)


# When a poll was complete last (unix seconds), and what it left.
Left = tuple[float, bytes]


def known(plan: Planned, kept: Left | None, wrong: str = "", words: Collection[str] | None = None) -> Known:
    """A source from what was kept of it; with `words` only what has one of them, among others."""
    source = plan.collection.source
    things = opened(kept[1])[1] if kept is not None else b""
    if kept is None or not things:
        return Known(source.name, source.account, wrong=wrong, plan=plan)
    try:
        at, lines = unpack(things) if words is None else search(things, words)
        found = tuple(lines)
    except ValueError:
        # Written by another version; the next collection writes it anew.
        return Known(source.name, source.account, wrong=wrong or "what was kept of it cannot be read", plan=plan)
    # An export that somebody made yesterday may be all there is, and as new as it should be.
    return Known(source.name, source.account, at, _due(plan, kept[0]), found, wrong, plan)


def _due(plan: Planned, at: float) -> float:
    return at + 2 * plan.interval + plan.deadline


def collected(inventory: Inventory, history: History, words: Collection[str] | None = None) -> list[Known]:
    """Every source as it was collected last; nobody is asked. `words`: as in `known`."""
    return [known(plan, _kept(inventory, history, plan), words=words) for plan in planned(inventory)]


def asked(inventory: Inventory, history: History | None) -> Iterator[Known]:
    """Every source as it answers now; as it was kept, with the reason, where it does not. Nothing is remembered.

    No more is asked than the accounts' budgets leave of the last 24 hours.
    """
    spent: Counter[str] = Counter()
    for plan in planned(inventory):
        account = plan.collection.source.account
        kept = _kept(inventory, history, plan) if history is not None else None
        left = _allowance(inventory, history, account)
        memory = open_memory(kept[1]) if kept is not None else None
        left = left - spent[account] if left is not None else None
        session = Session(time.monotonic() + plan.deadline, memory=memory, allowance=left)
        if isinstance(session.memory, dict):
            # All of it, and not only what is watched between two whole collections.
            session.memory.pop("watched", None)
        try:
            plan.collection(session)
        except PollError as error:
            yield known(plan, kept, f"{error.reason}: {session.mask(str(error))}")
        except Exception as error:
            # What it says may have numbers in it; `serve` keeps the whole story in its log.
            yield known(plan, kept, f"crashed: {type(error).__name__}")
        else:
            yield known(plan, (time.time(), pack_memory({}, session.things)))
        spent[account] += session.requests.total()


def _allowance(inventory: Inventory, history: History | None, account: str) -> int | None:
    """How many requests the account's budget leaves; None without one."""
    budget = inventory.fleet.accounts[account].requests_per_day
    if budget is None or history is None:
        return budget
    kept = history.recall(inventory.fleet.fleet, spent_name(account))
    return budget - sum(spent_lately(each, time.time()) for each in kept)


def _kept(inventory: Inventory, history: History, plan: Planned) -> Left | None:
    return history.memory(inventory.fleet.fleet, plan.collection.source.name)


def gathered(inventory: Inventory, states: Sequence[Path], live: bool) -> list[Known]:
    """Every source. Raises `StartError` if there is none, `StateError` if nothing was ever collected here."""
    if not any(planned(inventory)):
        raise StartError(f"{inventory.path}: nothing is collected: there is no part mdm:, cellular: or feeds:")
    try:
        with History(states) as history:
            return list(asked(inventory, history)) if live else collected(inventory, history)
    except StateError:
        if not live:
            raise
        return list(asked(inventory, None))


def yards(inventory: Inventory) -> frozenset[str]:
    """Names of SIMs that belong to terminals."""
    return frozenset(
        uplink.sim
        for terminal in inventory.fleet.terminals.values()
        for uplink in terminal.uplinks.values()
        if uplink.sim is not None
    )


def as_of(each: Known, now: float) -> str:
    """As of when a source is known, and what is wrong with it."""
    wrong = f" (asked now in vain: {each.wrong})" if each.wrong else ""
    if each.at is None:
        return f"{each.source}: not collected yet, so nothing is known of it{wrong}"
    old = "OLD, " if each.old(now) else ""
    count = "1 thing" if len(each.things) == 1 else f"{len(each.things)} things"
    return f"{each.source}: {old}complete {ago(each.at, now)}, {count}{wrong}"

"""`yardlight contract`: a contract is learned from a vendor's answers, compared with them, and brought up to date.

Each command asks the vendor as the exporter does, with the account of the inventory. The file lies beside the
inventory, for the same review; accepting notes who did and when.
"""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Collection as Some
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from yardlight.collection import Collection, Session
from yardlight.errors import ContractError, PollError
from yardlight.feeds import contract_file, contracts, domain
from yardlight.feeds.contract import Contract, Expected, learn
from yardlight.feeds.judge import check
from yardlight.feeds.plan import Plan
from yardlight.feeds.record import Breach, Record
from yardlight.feeds.shape import Path as Place
from yardlight.feeds.shape import shape, written
from yardlight.inventory import words
from yardlight.inventory.load import load

_DEADLINE = 300.0
# Of fewer it is said that they are few.
_REPLIES, _RECORDS = 10, 200
# So many acceptances are kept in a file; the others are in its history.
_ACCEPTED = 20


@dataclass(frozen=True)
class Feed:
    """A feed and how it is collected."""

    name: str
    collection: Collection

    @property
    def own(self) -> Path:
        """The file of its own contract."""
        return Path(self._plan.contracts[0])

    @property
    def described(self) -> set[str]:
        """What the inventory calls values and times of its records."""
        stream = self.collection.options["feed"]
        return {*stream.values, stream.time}

    def contract(self) -> Contract:
        """Its contract. Raises `ContractError` if there is none."""
        file = contracts.first_of(self._plan.contracts)
        if file is None:
            raise ContractError(
                f"{self.name} has no contract yet; yardlight contract learn {self.name} writes {self.own}"
            )
        return contract_file.read(Path(file))

    def records(self) -> list[Any]:
        """The records of an answer now. Raises `ContractError`, and `PollError` with nothing secret in it."""
        platform = import_module(self.collection.platform)
        session = Session(time.monotonic() + _DEADLINE, base=self.collection.source.base)
        config = platform.Config.model_validate(self.collection.options)
        try:
            found = list(platform.parse(platform.fetch(config, session), config))
        except PollError as error:
            raise ContractError(f"{self.name}: {session.mask(str(error))}") from None
        return contracts.outermost(each for each in found if isinstance(each, Record))

    @property
    def _plan(self) -> Plan:
        assert isinstance(self.collection.source.section, Plan)
        return self.collection.source.section


def find(inventory: Path, name: str) -> Feed:
    """The feed of this name. Raises `InventoryError` and `ContractError`."""
    fleet = load(inventory).fleet
    for each in domain.planned(fleet, inventory.parent):
        if each.collection.source.name == f"feeds/{name}":
            return Feed(name, each.collection)
    raise ContractError(f"there is no feed {name!r}; {words.choice(name, fleet.feeds, 'feeds')}")


def learn_feed(inventory: Path, name: str, replies: int, every: float, again: bool, by: str | None) -> int:
    """Write the contract that so many answers keep, asked for so many seconds apart."""
    feed = find(inventory, name)
    if feed.own.exists() and not again:
        raise ContractError(f"{feed.own} is there; contract accept takes over what changed, --again learns it anew")
    learned: list[list[Any]] = []
    for number in range(1, replies + 1):
        if number > 1:
            time.sleep(every)
        try:
            learned.append(feed.records())
        except ContractError as error:
            # A day of answers is not lost for one that did not come.
            if not learned:
                raise
            print(f"{number} of {replies}: {error}", file=sys.stderr)
        else:
            print(f"{number} of {replies}: {len(learned[-1])} records", file=sys.stderr)
    if not any(learned):
        raise ContractError(f"{name}: no records, nothing to learn from")
    contract = learn(learned)
    said = {"title": name, "x-learned": _note(by, replies=len(learned), records=contract.records)}
    _write(feed.own, replace(contract, about=said))
    required = sum(each.required for each in contract.fields.values())
    print(f"{feed.own}: {len(contract.fields) - 1} fields, {required} of them required. Read it before you commit it.")
    if len(learned) < _REPLIES or contract.records < _RECORDS:
        print(
            f"{contract.records} records of {len(learned)} answers are few: what is rare is not known, and fields that "
            f"come and go may look required. --replies {_REPLIES} --every 10m learns more."
        )
    return 0


def diff(inventory: Path, name: str, as_json: bool) -> int:
    """Tell what the vendor's answer breaks of the contract, and what is new; 1 if anything is broken."""
    feed = find(inventory, name)
    breaches = check(feed.records(), feed.contract())
    if as_json:
        print(json.dumps([{**asdict(each), "broken": each.broken} for each in breaches], indent=2, ensure_ascii=False))
    else:
        _show(breaches)
    return int(any(each.broken for each in breaches))


def accept(inventory: Path, name: str, fields: Some[str], by: str | None) -> int:
    """Take over into the contract what changed, all of it or in these fields only.

    What only those see who know the answers before, another unit or form of times, is taken for right with all of it
    or by its name in the inventory.
    """
    feed = find(inventory, name)
    records, contract = feed.records(), feed.contract()
    breaches = check(records, contract)
    changed = {each.field for each in breaches}
    if unknown := sorted(set(fields) - changed - feed.described):
        hint = words.choice(unknown[0], sorted(changed), "changed fields")
        raise ContractError(f"nothing changed in {unknown[0]!r}; {hint}")
    taken = [each for each in breaches if not fields or each.field in fields]
    as_is = not fields or not changed.issuperset(fields)
    what = [f"{each.field}: {each.kind}, {each.found}" for each in taken]
    note = _note(by, what=what or ["units and forms of times"], as_is=as_is)
    before = contract.about.get("x-accepted", [])
    about = {"title": name, **contract.about, "x-accepted": [*before, note][-_ACCEPTED:]}
    _write(feed.own, replace(accepted(contract, records, taken), about=about))
    _show(taken)
    if as_is:
        print("Units and forms of times are taken for right as they are now.")
    print(f"{feed.own}: accepted.")
    return 0


def accepted(contract: Contract, records: list[Any], breaches: Some[Breach]) -> Contract:
    """The contract with what changed taken over as the records have it now."""
    now = learn([records]).fields
    fields = dict(contract.fields)
    for each in breaches:
        path = _path(each.field, fields, now)
        if each.kind == "enum":
            before, added = fields[path].words or frozenset(), _words(records, path)
            fields[path] = replace(fields[path], words=before | added)
            continue
        old = _subtree(path, fields)
        for below in old:
            del fields[below]
        if each.to:
            to = _path(each.to, now, now)
            # What was known of it holds on under its new name.
            fields.update(_subtree(to, now))
            fields.update({(*to, *below[len(path) :]): known for below, known in old.items()})
            path = to
        elif each.kind != "missing":
            fields.update(_subtree(path, now))
        for length in range(len(path)):
            if path[:length] in now and each.kind != "missing":
                fields.setdefault(path[:length], now[path[:length]])
    return replace(contract, fields=fields)


def _subtree(path: Place, fields: Mapping[Place, Expected]) -> dict[Place, Expected]:
    return {each: known for each, known in fields.items() if each[: len(path)] == path}


def _path(field: str, *known: Mapping[Place, Expected]) -> Place:
    return next(path for fields in known for path in fields if written(path) == field)


def _words(records: list[Any], path: Place) -> frozenset[str]:
    return frozenset(shape(records)[path].texts)


def _note(by: str | None, **said: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"at": at, "by": by or getpass.getuser(), **said}


def _write(file: Path, contract: Contract) -> None:
    """Raises `ContractError`."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".json.new")
        half.write_text(contract_file.dump(contract), encoding="utf-8")
        half.replace(file)
    except OSError as error:
        raise ContractError(f"{file}: cannot be written: {(error.strerror or 'error').lower()}") from None


def _show(breaches: Some[Breach]) -> None:
    console = Console(highlight=False)
    if not breaches:
        console.print("The answer keeps the contract, and nothing in it is new.")
        return
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("field", "what", "now", "in the contract"):
        table.add_column(heading, overflow="fold")
    for each in breaches:
        table.add_row(each.field, each.kind.replace("_", " "), each.found, each.expected)
    console.print(table)
    console.print(_sum(breaches))


def _sum(breaches: Some[Breach]) -> str:
    broken = sum(each.broken for each in breaches)
    return f"{broken} broken, {len(breaches) - broken} new."

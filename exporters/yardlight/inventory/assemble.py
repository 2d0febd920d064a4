"""From one tree to one `Fleet`: classes and defaults merged, the unwritten filled in, every piece validated.

Field by field, what a terminal says wins over its class, and the class over `defaults`. Each piece is
validated alone, and one with a mistake goes on without the wrong field, so that no mistake hides another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from yardlight.domains import DOMAINS, platforms
from yardlight.errors import Problem
from yardlight.inventory import (
    archive_rules,
    cellular_rules,
    complain,
    contact_rules,
    drill_rules,
    feed_rules,
    flow_rules,
    mdm_rules,
    router_rules,
    rules,
    service_rules,
    webhook_rules,
)
from yardlight.inventory.models import METERED_MEDIA, Fleet, Medium, RosterFiles, Service, Terminal, Uplink
from yardlight.inventory.roster import Roster, read_drivers, read_revoked_elds, read_trucks
from yardlight.inventory.source import Node, describe, merge, plain
from yardlight.inventory.words import choice

M = TypeVar("M", bound=BaseModel)

_MEDIA = get_args(Medium)
_FLAGS: dict[str, Any] = {"false": False, "no": False, "off": False, "true": {}, "yes": {}, "on": {}}
_SHARED = ("classes", "defaults", "include")


def assemble(root: Node, problems: list[Problem]) -> tuple[Fleet | None, Node]:
    """The fleet and the merged tree. Mistakes are added to `problems`; then the fleet is not to be used."""
    return _Assembly(root, problems).fleet()


class _Assembly:
    def __init__(self, root: Node, problems: list[Problem]) -> None:
        self._root = root
        self._problems = problems
        self._classes = self._mapping(root, "classes")
        self._defaults = self._mapping(root, "defaults")
        self._timezone = "UTC"

    def fleet(self) -> tuple[Fleet | None, Node]:
        entries = self._root.entries
        own = {key: plain(node) for key, node in entries.items() if key not in (*_SHARED, "terminals")}
        if "terminals" in entries:
            own["terminals"] = {}
        own["accounts"] = {**self._accounts(), **self._implied()}
        own["roster"] = self._roster()
        self._sections(own["accounts"])
        fleet, _ = self._lenient(Fleet, own, self._root)
        self._timezone = fleet.timezone if fleet else "UTC"
        self._problems.extend(rules.fleet_problems(self._root))
        self._problems.extend(cellular_rules.fleet_problems(self._root, own["accounts"]))
        self._problems.extend(mdm_rules.fleet_problems(self._root))
        self._problems.extend(feed_rules.fleet_problems(self._root, own["accounts"]))
        self._problems.extend(flow_rules.fleet_problems(self._root, own["accounts"]))
        self._problems.extend(webhook_rules.fleet_problems(self._root, own["accounts"]))
        self._problems.extend(archive_rules.fleet_problems(self._root))
        self._check_shared()
        merged = {name: self._merged(node) for name, node in self._mapping(self._root, "terminals").items()}
        if "terminals" in entries:
            terminals_node = replace(entries["terminals"], value=merged)
            self._root = replace(self._root, value={**entries, "terminals": terminals_node})
            if terminals_node.value == {} == plain(entries["terminals"]):
                self._say(terminals_node, "there is no terminal; write one entry per terminal")
        terminals = {name: self._terminal(name, node) for name, node in merged.items()}
        self._problems.extend(service_rules.fleet_problems(merged, terminals))
        self._problems.extend(contact_rules.fleet_problems(self._root, merged))
        return (fleet.model_copy(update={"terminals": terminals}) if fleet else None), self._root

    def _say(self, node: Node, message: str, *below: str) -> None:
        self._problems.append(node.problem(message, *below))

    def _mapping(self, parent: Node, key: str) -> dict[str, Node]:
        """The entries of a mapping below `parent`; something else there is a problem, nothing is not."""
        node = parent.entries.get(key)
        if node and node.value is not None and not isinstance(node.value, dict):
            self._say(node, f"{describe(node.value)} is not a mapping")
        return node.entries if node else {}

    def _lenient(self, model: type[M], data: Any, node: Node, partial: bool = False) -> tuple[M | None, set[str]]:
        """The model without the fields that are wrong, and these; None when it cannot be without them."""
        try:
            return model.model_validate(data), set()
        except ValidationError as error:
            self._problems.extend(complain.problems(error, data, node, model, partial))
            broken = complain.broken_fields(error)
        try:
            return model.model_validate({key: data[key] for key in data.keys() - broken}), broken
        except ValidationError:
            return None, broken

    def _accounts(self) -> dict[str, Any]:
        """The accounts, each with its options checked by its platform."""
        return {
            name: made
            for name, node in self._mapping(self._root, "accounts").items()
            if (made := self._account(name, node))
        }

    def _implied(self) -> dict[str, Any]:
        """Accounts of feeds that are whole addresses, and need no other."""
        known, generic = self._mapping(self._root, "accounts"), platforms()["generic"]
        return {
            name: {
                "name": name, "platform": "generic", "module": generic.module,
                "folder": str(Path(node.place.file).parent), "options": {},
            }
            for name, node in self._mapping(self._root, "feeds").items()
            if "account" not in node.entries and name not in known and {"url", "folder"} & node.entries.keys()
        }  # fmt: skip

    def _account(self, name: str, node: Node) -> dict[str, Any] | None:
        if not isinstance(node.value, dict):
            self._say(node, f"{describe(node.value)} is not a mapping")
            return None
        options = plain(node)
        platform = options.pop("platform", None)
        if platform is None:
            self._say(node, f"is missing; write one of {', '.join(sorted(platforms()))}", "platform")
            return None
        if not isinstance(platform, str):
            self._say(node.entries["platform"], f"{describe(platform)} is not the name of a platform")
            return None
        if platform not in platforms():
            hint = choice(platform, platforms(), "platforms")
            self._say(node.entries["platform"], f"there is no platform {platform!r}; {hint}")
            return None
        entry = platforms(self._reader(name)).get(platform) or platforms()[platform]
        # Seen by the model without the key that it does not know.
        own = replace(node, value={key: each for key, each in node.entries.items() if key != "platform"})
        config, _ = self._lenient(entry.config, options, own)
        folder = str(Path(node.place.file).parent)
        account = {"name": name, "platform": platform, "module": entry.module, "folder": folder, "options": options}
        if config is None:
            return account
        known = ("requests_per_day", "credential_warning", "owner", "contact", "availability")
        return account | {key: getattr(config, key) for key in known}

    def _roster(self) -> Roster:
        """What the user's lists say; they lie beside the file that names them."""
        node = self._root.entries.get("roster")
        if node is None:
            return Roster()
        files, _ = self._lenient(RosterFiles, plain(node), node)
        if files is None:
            return Roster()
        folder, terminals = Path(node.place.file).parent, self._mapping(self._root, "terminals")
        trucks = read_trucks(folder / files.trucks, terminals, self._problems)
        drivers = read_drivers(folder / files.drivers, terminals, self._problems) if files.drivers else ()
        listed = files.revoked_elds
        return Roster(trucks, drivers, read_revoked_elds(folder / listed, self._problems) if listed else ())

    def _sections(self, accounts: Mapping[str, Any]) -> None:
        """What a part of the inventory collects from must be an account of a platform that this domain knows."""
        for domain in DOMAINS:
            for source in self._mapping(self._root, domain).values():
                named = source.entries.get("account")
                if named is None or not isinstance(named.value, str):
                    continue
                if named.value not in accounts:
                    known = self._mapping(self._root, "accounts")
                    if named.value not in known:
                        self._say(
                            named, f"there is no account {named.value!r}; {choice(named.value, known, 'accounts')}"
                        )
                elif (platform := accounts[named.value]["platform"]) not in platforms(domain):
                    ours = ", ".join(sorted(platforms(domain)))
                    self._say(named, f"{named.value!r} is an account of {platform}; {domain} takes {ours}")
                elif platforms(domain)[platform].module != accounts[named.value]["module"]:
                    reader = self._reader(named.value)
                    self._say(named, f"{named.value!r} is read for {reader}; {platform} takes an account for each part")

    def _reader(self, account: str) -> str | None:
        """The first part of the inventory that collects from this account."""
        for domain in DOMAINS:
            for source in self._mapping(self._root, domain).values():
                named = source.entries.get("account")
                if named is not None and named.value == account:
                    return domain
        return None

    def _check_shared(self) -> None:
        """Classes and defaults on their own, so that a mistake in one that no terminal uses is found too."""
        for key, node in self._defaults.items():
            if key == "terminal":
                self._terminal("default", node, partial=True)
            elif key == "uplink":
                self._uplink("default", node, _uplink_data("default", node), partial=True)
            else:
                self._say(node, f"unknown key {key!r}; {choice(key, ('terminal', 'uplink'), 'known here')}")
        for node in self._classes.values():
            if "class" in node.entries:
                self._say(node.entries["class"], "a class has no class of its own")
            self._terminal("class", node, partial=True)

    def _merged(self, node: Node) -> Node:
        """A terminal with what its class and the defaults say laid under it."""
        if node.value is None:
            node = replace(node, value={})
        layers = [*self._layers(node), _services_filled(node)]
        merged = reduce(merge, layers)
        uplinks = merged.entries.get("uplinks")
        if not (isinstance(merged.value, dict) and uplinks and isinstance(uplinks.value, dict)):
            return merged
        base = self._defaults.get("uplink")
        below = {
            name: merge(base, _filled(entry)) if base else _filled(entry) for name, entry in uplinks.entries.items()
        }
        return replace(merged, value={**merged.value, "uplinks": replace(uplinks, value=below)})

    def _layers(self, node: Node) -> Iterator[Node]:
        if "terminal" in self._defaults:
            yield _services_filled(self._defaults["terminal"])
        wanted = node.entries.get("class")
        if wanted is None:
            return
        if isinstance(wanted.value, str) and wanted.value in self._classes:
            yield _services_filled(self._classes[wanted.value])
        elif isinstance(wanted.value, str):
            self._say(
                wanted,
                f"there is no class {wanted.value!r}; {choice(wanted.value, self._classes, 'classes')}",
            )
        else:
            self._say(wanted, f"{describe(wanted.value)} is not the name of a class")

    def _terminal(self, name: str, node: Node, partial: bool = False) -> Terminal | None:
        node = _services_filled(node)
        if not isinstance(node.value, dict):
            self._say(node, f"{describe(node.value)} is not a mapping")
            return None
        data = {"timezone": self._timezone, **plain(node), "name": name}
        data.pop("class", None)
        self._refuse_name(node)
        written = data.get("uplinks")
        uplinks: dict[str, Uplink | None] = {}
        broken: dict[str, set[str]] = {}
        if isinstance(written, dict):
            data["uplinks"] = {}
            below = node.entries["uplinks"].entries
            filled = {key: _uplink_data(key, entry) for key, entry in below.items()}
            _fill_roles(filled)
            for key, entry in below.items():
                uplinks[key], broken[key] = self._uplink(key, entry, filled[key], partial)
        terminal, broken[""] = self._lenient(Terminal, data, node, partial)
        if partial:
            return None
        if isinstance(written, dict):
            self._problems.extend(rules.uplinks_problems(node, filled))
        self._problems.extend(rules.terminal_problems(node, self._root))
        if terminal is None:
            return None
        terminal = terminal.model_copy(update={"uplinks": {key: entry for key, entry in uplinks.items() if entry}})
        self._problems.extend(rules.judged_problems(node, terminal, broken))
        services = {key: _located(service, node.get(("services", key))) for key, service in terminal.services.items()}
        if (proof := terminal.standby.proof) is not None:
            located = _located(proof, node.get(("standby", "proof")))
            standby = terminal.standby.model_copy(update={"proof": located})
            terminal = terminal.model_copy(update={"standby": standby})
        router = router_rules.located(terminal.router, node.get(("router",))) if terminal.router else None
        drill = drill_rules.located(terminal.drill, node.get(("drill",))) if terminal.drill else None
        return terminal.model_copy(update={"services": services, "router": router, "drill": drill})

    def _uplink(self, name: str, node: Node, data: Any, partial: bool) -> tuple[Uplink | None, set[str]]:
        if not isinstance(data, dict):
            self._say(node, f"{describe(node.value)} is not a mapping")
            return None, {name}
        self._refuse_name(node)
        return self._lenient(Uplink, data, node, partial)

    def _refuse_name(self, node: Node) -> None:
        """The models have a name as a field only because we fill it in."""
        if "name" in node.entries:
            self._say(node.entries["name"], "the name is the key above, not a field")


def _services_filled(node: Node) -> Node:
    """A terminal, a class or the defaults with each service and proof that is only a web address written out."""
    for key, within in (("services", None), ("standby", "proof")):
        below = node.entries.get(key)
        if below is None or not isinstance(below.value, dict):
            continue
        written = {
            name: replace(entry, value={"url": entry})
            if isinstance(entry.value, str) and within in (None, name)
            else entry
            for name, entry in below.value.items()
        }
        node = replace(node, value={**node.entries, key: replace(below, value=written)})
    return node


def _located(service: Service, node: Node | None) -> Service:
    """With the file of its certificates as seen from here: it was written relative to the inventory's."""
    written = node.get(("ca_file",)) if node else None
    if service.ca_file is None or written is None:
        return service
    return service.model_copy(update={"ca_file": str(service_rules.ca_path(written, service.ca_file))})


def _filled(node: Node) -> Node:
    return replace(node, value={}) if node.value is None else node


def _uplink_data(name: str, node: Node) -> Any:
    """What was written for an uplink and what follows: its medium from its name, metered from its medium."""
    if not isinstance(node.value, dict):
        return {} if node.value is None else node.value
    data = {**plain(node), "name": name}
    if "medium" not in data and name in _MEDIA:
        data["medium"] = name
    metered = data.get("metered")
    if metered is None:
        medium = data.get("medium")
        data["metered"] = {} if isinstance(medium, str) and medium in METERED_MEDIA else False
    elif isinstance(metered, str):
        data["metered"] = _FLAGS.get(metered.lower(), metered)
    return data


def _fill_roles(uplinks: dict[str, Any]) -> None:
    """Without a primary, the first uplink that has no role is it; all others without a role are standbys."""
    mappings = [data for data in uplinks.values() if isinstance(data, dict)]
    primary = any(data.get("role") == "primary" for data in mappings)
    for data in mappings:
        if data.get("role") is None:
            data["role"] = "standby" if primary else "primary"
            primary = True

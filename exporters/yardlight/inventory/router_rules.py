"""What must hold of a terminal's router: a model somebody knows, the keys of its version, uplinks that exist."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.models import ROUTER_MODELS, ROUTERS_GROUP, Router, Snmp, Terminal
from yardlight.inventory.secret import read_secret
from yardlight.inventory.source import Node

# More often is a load on a small box, not a measurement.
_LEAST_EVERY = 5.0
_TRIES = 3
_ONLY_2C, _ONLY_3 = ("community_file",), ("user", "auth_file", "auth", "priv_file", "priv", "context")
LEAST_PASSPHRASE = 8
SECRET_FILES = ("community_file", "auth_file", "priv_file")


@cache
def models() -> tuple[str, ...]:
    """Every router model that can be written, those of others included."""
    return tuple(dict.fromkeys((*ROUTER_MODELS, *sorted(entry_points(group=ROUTERS_GROUP).names))))


def terminal_problems(node: Node, terminal: Terminal) -> Iterator[Problem]:
    """Rules about the router of a terminal, as far as one is written."""
    router, written = terminal.router, node.get(("router",))
    if router is None or written is None:
        return
    if router.model not in models():
        hint = words.choice(router.model, models(), "models")
        yield _at(written, ("model",), f"there is no router model {router.model!r}; {hint}")
    yield from _interface_problems(written, router, terminal)
    if router.snmp is not None and (snmp := written.get(("snmp",))):
        yield from _snmp_problems(snmp, router.snmp)


def located(router: Router, node: Node | None) -> Router:
    """With its secret files as seen from here: each was written relative to the inventory that names it."""
    written = node.get(("snmp",)) if node else None
    if router.snmp is None or written is None:
        return router
    found = {
        key: str(Path(written.entries[key].place.file).parent / getattr(router.snmp, key))
        for key in SECRET_FILES
        if key in written.entries and getattr(router.snmp, key) is not None
    }
    return router.model_copy(update={"snmp": router.snmp.model_copy(update=found)})


def secret_problems(snmp: Snmp) -> Iterator[tuple[str, str]]:
    """Which of the secret files cannot be used on this machine, and why."""
    for key in SECRET_FILES:
        if (file := getattr(snmp, key)) is not None:
            try:
                secret = read_secret(file, Path())
                if key != "community_file" and len(secret.reveal()) < LEAST_PASSPHRASE:
                    yield key, too_short(file)
            except ValueError as error:
                yield key, str(error)


def too_short(file: str) -> str:
    """What to say about a passphrase that SNMPv3 refuses."""
    return f"the passphrase in {file!r} is shorter than {LEAST_PASSPHRASE} characters, which SNMPv3 does not allow"


def _interface_problems(node: Node, router: Router, terminal: Terminal) -> Iterator[Problem]:
    if router.only is not None and router.only not in terminal.uplinks:
        hint = words.choice(router.only, terminal.uplinks, "uplinks")
        yield _at(node, ("only",), f"there is no uplink {router.only!r}; {hint}")
    owners: dict[str, str] = {}
    for uplink, names in router.interfaces.items():
        if uplink not in terminal.uplinks:
            hint = words.choice(uplink, terminal.uplinks, "uplinks")
            yield _at(node, ("interfaces", uplink), f"there is no uplink {uplink!r}; {hint}")
        for name in names:
            if (owner := owners.setdefault(name, uplink)) != uplink:
                yield _at(node, ("interfaces", uplink), f"{name!r} is already the interface of {owner!r}")


def _snmp_problems(node: Node, snmp: Snmp) -> Iterator[Problem]:
    alien = _ONLY_3 if snmp.version == "2c" else _ONLY_2C
    for key in alien:
        if key in node.entries:
            yield node.entries[key].problem(f"says nothing about version {snmp.version}")
    if snmp.version == "2c" and snmp.community_file is None:
        yield _at(node, ("community_file",), "is missing; write the name of a file that holds the community")
    if snmp.version == "3" and snmp.user is None:
        yield _at(node, ("user",), "is missing; version 3 asks as a user")
    if snmp.priv_file is not None and snmp.auth_file is None:
        yield _at(node, ("priv_file",), "needs auth_file as well; SNMP encrypts only what it signs")
    for key in ("auth", "priv"):
        if key in node.entries and getattr(snmp, f"{key}_file") is None:
            yield node.entries[key].problem(f"needs {key}_file, the file with the passphrase")
    if snmp.every < _LEAST_EVERY:
        yield _at(node, ("every",), f"{words.duration(snmp.every)} is too often; 5s is the least")
    elif snmp.timeout <= 0:
        yield _at(node, ("timeout",), "is too short; no answer could come in time")
    elif snmp.timeout * _TRIES > snmp.every:
        tries = f"three tries of {words.duration(snmp.timeout)}"
        yield _at(node, ("timeout",), f"{tries} take longer than every, {words.duration(snmp.every)}")


def _at(node: Node, path: tuple[str, ...], message: str) -> Problem:
    place, below = node.nearest(path)
    return place.problem(message, *below)

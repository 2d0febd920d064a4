"""What must hold of services: one question each, sane times, certificates that can be read, one name for one thing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.models import Service, Terminal
from yardlight.inventory.source import Node

# More often is a load on somebody else's server, not a measurement.
_LEAST_EVERY = 5.0
_ONLY_URL = ("status", "body", "redirects", "ca_file", "max_size", "portal_check")
_ONLY_DNS = ("type", "answer", "rcode")


def ca_path(written: Node, ca_file: str) -> Path:
    """Where a file of certificates is that was written relative to the inventory."""
    return Path(written.place.file).parent / ca_file


def terminal_problems(node: Node, terminal: Terminal) -> Iterator[Problem]:
    """Rules about each service of a terminal, and the one name that no uplink can have beside them."""
    if "default" in terminal.uplinks:
        yield _at(node, ("uplinks", "default"), "'default' means the path that the router picks; use another name")
    for name, service in terminal.services.items():
        if written := node.get(("services", name)):
            yield from problems(written, service)


def fleet_problems(nodes: Mapping[str, Node], terminals: Mapping[str, Terminal | None]) -> Iterator[Problem]:
    """One name is one thing in a fleet: when it fails everywhere, that is one page."""
    first: dict[str, tuple[str, Service]] = {}
    for terminal_name, terminal in terminals.items():
        for name, service in terminal.services.items() if terminal else ():
            owner, known = first.setdefault(name, (terminal_name, service))
            if known.asks != service.asks:
                message = f"{service.asks!r} is not the {name!r} of {owner}, {known.asks!r}; give it another name"
                yield _at(nodes[terminal_name], ("services", name, "url" if service.url else "dns"), message)


def problems(node: Node, service: Service) -> Iterator[Problem]:
    """Rules about one thing that is asked for."""
    written = node.entries
    if not {"url", "dns"} & {words.nearest(key, ("url", "dns")) or key for key in written}:
        yield node.problem("asks for nothing; write url: https://dispatch.example.com/health or dns: NAME")
    elif "url" in written and "dns" in written:
        yield written["dns"].problem("a service has a url or a dns name, not both; write two services")
    else:
        alien, kind = (_ONLY_DNS, "a url") if "url" in written else (_ONLY_URL, "a dns name")
        for key in alien:
            if key in written:
                yield written[key].problem(f"says nothing about {kind}")
    if service.every < _LEAST_EVERY:
        yield _at(node, ("every",), f"{words.duration(service.every)} is too often; 5s is the least")
    if service.timeout <= 0:
        yield _at(node, ("timeout",), "is too short; no answer could come in time")
    elif service.timeout > service.every:
        every = words.duration(service.every)
        yield _at(node, ("timeout",), f"{words.duration(service.timeout)} is longer than every, {every}")
    elif service.slow_after >= service.timeout:
        limit = f"{words.duration(service.slow_after)} is not under the timeout, {words.duration(service.timeout)}"
        yield _at(node, ("slow_after",), f"{limit}; what is so late has failed already")
    if service.ca_file is not None and "ca_file" in written:
        yield from _ca_problems(written["ca_file"], service.ca_file)


def _ca_problems(node: Node, ca_file: str) -> Iterator[Problem]:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(ca_path(node, ca_file))
    except ssl.SSLError:
        yield node.problem(f"{ca_file!r} holds no certificates in PEM")
    except OSError as error:
        yield node.problem(f"{ca_file!r} cannot be read: {(error.strerror or str(error)).lower()}")


def _at(node: Node, path: tuple[str, ...], message: str) -> Problem:
    place, below = node.nearest(path)
    return place.problem(message, *below)

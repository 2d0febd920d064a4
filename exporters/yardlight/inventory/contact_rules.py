"""What must hold of `contacts:` and of a site's `tell:`: each says a way, and what that way needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.contacts import WAYS
from yardlight.inventory.source import Node

# Whoever is woken at night is told at any hour, and so is who notices that nothing comes any more.
_ALWAYS = ("oncall", "deadman")


def fleet_problems(root: Node, terminals: Mapping[str, Node]) -> Iterator[Problem]:
    """Rules within each contact, and between it and the rest of the file."""
    contacts = root.entries.get("contacts")
    for name, node in contacts.entries.items() if contacts else ():
        yield from _contact_problems(node, root)
        hours = node.entries.get("hours")
        if hours and name in _ALWAYS:
            yield hours.problem(f"{name} is told at any hour; leave this out")
    for terminal in terminals.values():
        if (tell := terminal.get(("site", "tell"))) is not None:
            yield from _contact_problems(tell, root)


def _contact_problems(node: Node, root: Node) -> Iterator[Problem]:
    fields = node.entries
    if not isinstance(node.value, dict):
        return
    if not (fields.keys() & {*WAYS, "nobody"}):
        yield node.problem(f"says no way; write one of {', '.join(WAYS)}, or the word nobody")
    if {"webhook", "webhook_file"} <= fields.keys():
        yield fields["webhook_file"].problem("webhook is written already; one address is enough")
    for field, needed in (("slack_channel", "slack_file"), ("webhook_credentials_file", "webhook")):
        if field in fields and needed not in fields:
            yield fields[field].problem(f"is of no use without {needed}")
    if "email" in fields and "mail" not in root.entries:
        message = (
            'there is no mail server; write mail: {smarthost: "mail.example.com:587", from: yardlight@example.com}'
        )
        yield fields["email"].problem(message)
    hours, calendars = fields.get("hours"), root.entries.get("calendars")
    known = calendars.entries if calendars else {}
    if hours and isinstance(hours.value, str) and hours.value not in known:
        yield hours.problem(f"there is no calendar {hours.value!r}; {words.choice(hours.value, known, 'calendars')}")

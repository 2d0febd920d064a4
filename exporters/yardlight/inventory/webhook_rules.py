"""What must hold of the part `webhooks:`: accounts, feeds and calendars that exist, and a way to check a signature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.source import Node
from yardlight.inventory.webhooks import ALWAYS
from yardlight.webhooks.schemes import SCHEMES


def fleet_problems(root: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    """Rules between webhooks and the rest of the file; `accounts` are those that could be read."""
    section = root.entries.get("webhooks")
    feeds, calendars = (root.entries.get(key) for key in ("feeds", "calendars"))
    known = {
        "account": root.entries["accounts"].entries if "accounts" in root.entries else {},
        "feed": feeds.entries if feeds else {},
        "expected": (ALWAYS, *(calendars.entries if calendars else {})),
    }
    for webhook in section.entries.values() if section else ():
        for key, names in known.items():
            named = webhook.entries.get(key)
            if named is not None and isinstance(named.value, str) and named.value not in names:
                what = {"expected": "calendar"}.get(key, key)
                hint = words.choice(named.value, names, f"{what}s" if key != "expected" else "known here")
                yield named.problem(f"there is no {what} {named.value!r}; {hint}")
        yield from _signature(webhook, accounts)


def _signature(webhook: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    named, signature = webhook.entries.get("account"), webhook.entries.get("signature")
    account = accounts.get(str(named.value)) if named is not None else None
    if signature is None and account is not None and account["platform"] not in SCHEMES:
        known, example = ", ".join(sorted(SCHEMES)), "signature: {header: X-Signature, algorithm: sha256}"
        yield webhook.problem(f"is missing; write {example}; only {known} need none", "signature")
    if signature is None or not isinstance(signature.value, dict):
        return
    message, timestamp = signature.entries.get("message"), signature.entries.get("timestamp")
    signed = message is not None and "{timestamp}" in str(message.value)
    if signed and timestamp is None and message is not None:
        yield message.problem("has a {timestamp}, and no header is named that has it; write timestamp: X-Timestamp")
    elif timestamp is not None and not signed:
        yield timestamp.problem("is not signed, so that anybody can change it; write message: '{timestamp}.{body}'")

"""The yard in one line, for somebody who stands in it with a cable in the hand."""

from __future__ import annotations

from yardlight.drills.session import Live
from yardlight.facts import TerminalFacts
from yardlight.inventory.models import Terminal

_WORDS = {"lte": "LTE", "5g": "5G"}


def live(terminal: Terminal, facts: TerminalFacts) -> Live:
    """Which line carries the yard and which are down; since when, where it is not as usual."""
    down = [word(terminal, name) for name, uplink in facts.uplinks.items() if uplink.state == "down"]
    parts = [f"{_listed(down)} {'is' if len(down) == 1 else 'are'} down"] if down else []
    if facts.state == "dark":
        parts.append("nothing carries the yard")
    elif facts.state == "unknown" or facts.observed is None:
        parts.append("which line carries the yard is not known yet")
    else:
        parts.append(f"{word(terminal, facts.observed)} carries the yard")
    text = "; ".join(parts)
    return Live(f"{text[0].upper()}{text[1:]}", facts.since if facts.state in ("dark", "standby") else None)


def word(terminal: Terminal, uplink: str | None) -> str:
    """An uplink as people call it: its medium, or its name where another one has that medium too."""
    if uplink is None:
        return "the backup line"
    medium = terminal.uplinks[uplink].medium
    if sum(other.medium == medium for other in terminal.uplinks.values()) > 1:
        return f"line {uplink}"
    return _WORDS.get(medium, medium)


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

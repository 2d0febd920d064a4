"""The generated parts of the documents: metrics from the catalogue, commands from the parser, what platforms tell.

A page marks a generated part with `<!-- generated: NAME -->` and `<!-- end -->`. What stands between is
rewritten by `python -m yardlight.docs PAGE`, and a test fails while it is stale.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from yardlight.catalogue import METRICS, Metric
from yardlight.inventory.accounts import AccountConfig

# Where `claimed` comes from, in a table.
_CLAIMS = {
    "says": "says: its own statement, otherwise its default route",
    "route": "route: its default route, where it has one in SNMP",
    "cannot": "cannot: neither is known of it",
}
# The column of `SUPPORT` that stands beside an account's keys.
RIGHTS = "least rights"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def metrics_table() -> str:
    """Every metric as a Markdown table. `fleet` is on every sample and is not repeated."""
    rows = ((f"`{metric.name}`", metric.kind, ", ".join(metric.labels), _help(metric)) for metric in METRICS.values())
    return _table(("name", "type", "labels besides `fleet`", "help"), rows)


def metrics_json() -> str:
    """Every metric as JSON, for machines; one list of objects."""
    return json.dumps([dataclasses.asdict(metric) for metric in METRICS.values()], indent=2)


def commands(parser: argparse.ArgumentParser) -> dict[str, tuple[str, argparse.ArgumentParser]]:
    """Every command of the parser by its name, `drill run` for one of many: its one line of help and its own parser."""
    [action] = _subparsers(parser)
    helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
    found: dict[str, tuple[str, argparse.ArgumentParser]] = {}
    for name, command in action.choices.items():
        below = commands(command) if _subparsers(command) else {"": (helps[name], command)}
        found |= {f"{name} {action}".strip(): each for action, each in below.items()}
    return found


def _subparsers(parser: argparse.ArgumentParser) -> list[argparse._SubParsersAction[argparse.ArgumentParser]]:
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]


def commands_table(parser: argparse.ArgumentParser) -> str:
    """Every command of the parser with its help and its options, as a Markdown table."""
    rows = (
        (f"`yardlight {name}`", help_, ", ".join(f"`{option}`" for option in _options(command)))
        for name, (help_, command) in commands(parser).items()
    )
    return _table(("command", "what it does", "takes"), rows)


def routers_table() -> str:
    """What each router profile can say and how we know, as a Markdown table."""
    from yardlight.terminal.routers import PROFILES  # the kernel knows no domain, except to write about it

    rows = ((f"`{each.name}`", each.title, _CLAIMS[each.says], each.evidence) for each in PROFILES.values())
    return _table(("model", "router", "claimed", "tested with"), rows)


def support_table(package: str) -> str:
    """What each platform of this package tells, as its module says: `SUPPORT` by the heads of the columns."""
    supports = {name: module.SUPPORT for name, module in _platforms(package).items()}
    head = [column for column in next(iter(supports.values())) if column != RIGHTS]
    rows = ((f"`{name}`", *(support[column] for column in head)) for name, support in supports.items())
    return _table(("platform", *head), rows)


def accounts_table(package: str) -> str:
    """What an account of each platform of this package may say, and which rights it needs."""
    modules = _platforms(package)
    rows = ((f"`{name}`", _keys(module.Config), module.SUPPORT[RIGHTS]) for name, module in modules.items())
    return _table(("platform", "keys", RIGHTS), rows)


def _platforms(package: str) -> dict[str, Any]:
    platforms: Mapping[str, str] = import_module(package).PLATFORMS
    return {name: import_module(module) for name, module in platforms.items()}


def _keys(config: type[BaseModel]) -> str:
    """The keys that a platform adds to those of every account: the needed ones, then the others."""
    needed, others = [], []
    for name, field in config.model_fields.items():
        if field.is_required():
            needed.append(f"`{name}`")
        elif name not in AccountConfig.model_fields:
            others.append(f"`{name}`")
    return "; ".join(filter(None, (", ".join(needed), f"{', '.join(others)} where needed" if others else "")))


def refresh(page: str, parts: Mapping[str, str]) -> str:
    """The page with every generated part rewritten. Raises `KeyError` for a part that nothing generates."""
    return _PART.sub(lambda match: f"{match[1]}\n{parts[match[2]]}\n{match[3]}", page)


def parts() -> dict[str, str]:
    """All that can be generated, by the name that a page uses for it."""
    from yardlight.cli import build_parser  # the command line imports this module for `yardlight metrics`

    return {
        "metrics": metrics_table(),
        "commands": commands_table(build_parser()),
        "routers": routers_table(),
        "carriers": support_table("yardlight.cellular.platforms"),
        "mdms": support_table("yardlight.mdm.platforms"),
        "mdm_accounts": accounts_table("yardlight.mdm.platforms"),
        "feeds": support_table("yardlight.feeds.platforms"),
        "feed_accounts": accounts_table("yardlight.feeds.platforms"),
    }


def main(pages: list[str]) -> int:
    """Rewrite the generated parts of these pages in place."""
    for page in map(Path, pages):
        page.write_text(refresh(page.read_text(encoding="utf-8"), parts()), encoding="utf-8")
    return 0


def _help(metric: Metric) -> str:
    if not metric.buckets:
        return metric.help
    return f"{metric.help} Buckets: {', '.join(f'{bound:g}' for bound in metric.buckets)}."


def _options(parser: argparse.ArgumentParser) -> list[str]:
    own = (action for action in parser._actions if not isinstance(action, argparse._HelpAction))
    return [action.option_strings[-1] if action.option_strings else action.dest.upper() for action in own]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    escaped = (tuple(cell.replace("|", r"\|") for cell in row) for row in rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *escaped))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

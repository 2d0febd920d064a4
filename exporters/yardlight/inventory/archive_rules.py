"""What must hold of the part `archives:`: calendars that exist, no floor below the rule, whom the pattern names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from yardlight.errors import Problem
from yardlight.inventory import retention, words
from yardlight.inventory.archives import parse_pattern
from yardlight.inventory.source import Node

_DAYS = ("daily", "when_moving")


def fleet_problems(root: Node) -> Iterator[Problem]:
    """Rules between the fields of an archive and the rest of the file; single fields are checked by the models."""
    archives, calendars = root.entries.get("archives"), root.entries.get("calendars")
    known = calendars.entries if calendars else {}
    for node in archives.entries.values() if archives else ():
        for key, also in (("expected", _DAYS), ("calendar", ())):
            named = node.entries.get(key)
            if named and isinstance(named.value, str) and named.value not in (*also, *known):
                hint = words.choice(named.value, (*also, *known), "calendars" if not also else "choices")
                yield named.problem(f"there is no calendar {named.value!r}; {hint}")
        yield from _keep(node)
        yield from _coverage(node, root.get(("roster",)))
        yield from _places(node)
        yield from _pull(node, root.get(("feeds",)))


def _keep(node: Node) -> Iterator[Problem]:
    keep, rule = node.entries.get("keep"), node.entries.get("rule")
    if not keep or not rule or rule.value not in retention.RULES:
        return
    least = retention.RULES[str(rule.value)]
    try:
        period = retention.parse_period(keep.value)
    except ValueError:
        return
    if not retention.longer(period, least.keep):
        yield keep.problem(f"{keep.value!r} is shorter than {least.citation} asks for: {least.keep}")


def _coverage(node: Node, roster: Node | None) -> Iterator[Problem]:
    """What nothing may be missing of has to be in the names of files and on the roster."""
    coverage, pattern = node.entries.get("coverage"), node.entries.get("pattern")
    if not pattern:
        return
    try:
        kind = parse_pattern(pattern.value).kind
    except ValueError:
        return
    asked = re.match(r"driver|vehicle", str(coverage.value)) if coverage else None
    if coverage and asked and asked[0] != kind:
        yield coverage.problem(f"{coverage.value!r} needs {{{asked[0]}}} in the pattern {pattern.value!r}")
        return
    lists = {"driver": "drivers", "vehicle": "trucks"}
    complete = bool(asked) if coverage else "backup" not in node.entries
    if kind and complete and (roster is None or lists[kind] not in roster.entries):
        yield (coverage or pattern).problem(
            f"what is missing shows beside the roster, which has no {lists[kind]}; write roster: "
            "{trucks: trucks.csv, drivers: drivers.csv}, or coverage: none"
        )


def _places(node: Node) -> Iterator[Problem]:
    path, copy = node.entries.get("path"), node.entries.get("second_copy")
    first, second = (_folder(each) for each in (path, copy))
    if copy and first and first == second:
        yield copy.problem("the second copy is where the first is; a separate device is asked for")


def _folder(place: Node | None) -> str:
    """Where it is, however it is written; '' where a wrong value says nothing, or the store has a name of its own."""
    if place is None or "endpoint" in place.entries:
        return ""
    written = place.entries.get("path", place).value
    return posixpath.normpath(written) if isinstance(written, str) else ""


def _pull(node: Node, feeds: Node | None) -> Iterator[Problem]:
    """What is written by us needs a feed, a first day, a folder, and a name for each file."""
    pull, path, pattern = node.entries.get("pull"), node.get(("path",)), node.entries.get("pattern")
    if pull is None or not isinstance(pull.value, dict):
        return
    feed, known = pull.entries.get("feed"), feeds.entries if feeds is not None else {}
    if feed is not None and str(feed.value) not in known:
        yield feed.problem(f"there is no feed {feed.value!r}; {words.choice(str(feed.value), known, 'feeds')}")
    if "since" not in node.entries:
        yield node.problem("is missing; write the first day that is to be pulled, like 2026-01-31", "since")
    if path is not None and str(path.get(("path",)) or path.value).startswith("s3://"):
        yield path.problem("is no folder; what is pulled is written into one, and copied from there by you")
    if pattern is not None and "{any}" in str(pattern.value):
        yield pattern.problem(f"{pattern.value!r} does not say how a file is called; write it without {{any}}")

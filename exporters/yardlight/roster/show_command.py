"""`yardlight show truck`: all that is known of a truck, in lines to read out on the phone; or for machines."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from yardlight.errors import StartError, StateError
from yardlight.history import History
from yardlight.inventory import words
from yardlight.inventory.load import Inventory
from yardlight.inventory.roster import Tablet, Truck
from yardlight.lookback import Source
from yardlight.roster.alerts import about, open_alerts
from yardlight.roster.draft import tablet_key
from yardlight.roster.known import collected, known, planned
from yardlight.roster.truck import STRANGER, Part, View, find, parts, zone_of
from yardlight.roster.truck import words as words_of


def show(source: Source, asked: str, numbers: bool, as_json: bool) -> int:
    """Print a truck, by its name or that of its tablet. Raises `StartError` if there is none, or more than one."""
    inventory, states = source.choose()
    fleet, now = inventory.fleet, time.time()
    truck = _stranger(inventory, states, asked) or _of_roster(inventory, asked)
    try:
        with History(states) as history:
            found = collected(inventory, history, words_of(truck))
    except StateError as error:
        # Nothing was collected here yet, which is no reason not to show what the roster has.
        found = [known(plan, None, str(error)) for plan in planned(inventory)]
    has = parts(truck, found, now)
    alerts = about(truck, has, asyncio.run(open_alerts(fleet, now)))
    view = View(fleet.fleet, truck, zone_of(fleet, truck), now, has, alerts)
    if as_json:
        print(json.dumps(_record(view, numbers), indent=2))
    else:
        print("\n".join(_lines(view, numbers)))
    return 0


def _stranger(inventory: Inventory, states: Sequence[Path], asked: str) -> Truck | None:
    """A tablet that no truck of the roster has, by the name that alerts have for it, as if it were a truck's."""
    if not asked.startswith(STRANGER):
        return None
    with suppress(StateError), History(states) as history:
        for each in collected(inventory, history, {json.dumps(asked)}):
            for thing in each.of("tablet"):
                if thing.name == asked and (key := tablet_key(thing)):
                    return Truck(asked, Tablet(asked, key))
    return None


def _of_roster(inventory: Inventory, asked: str) -> Truck:
    roster = inventory.fleet.roster
    if not roster.trucks:
        raise StartError(f"{inventory.path}: there is no roster: so no truck; `yardlight roster draft` makes one")
    return _only(find(roster, asked), asked, [truck.name for truck in roster.trucks])


def _only(found: list[Truck], asked: str, names: list[str]) -> Truck:
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(truck.name for truck in found[:20])
        raise StartError(f"{len(found)} trucks have {asked!r} in a name: {some}{' ...' if len(found) > 20 else ''}")
    close = words.nearest(asked, names)
    raise StartError(
        f"no truck, tablet or SIM of the roster is called {asked!r}{f'; did you mean {close!r}?' * bool(close)}"
    )


def _lines(view: View, numbers: bool) -> Iterator[str]:
    yield view.title
    yield f"as of {view.clock(view.now)}; times in {view.zone}"
    for part in view.parts:
        yield ""
        yield part.title + _as_of(part, view)
        yield from (f"  ! {trouble}" for trouble in part.trouble)
        yield from (f"  {fact.label}: {view.told(fact, part)}" for fact in part.facts)
        yield from (f"  {label}: {number}" for label, number in part.shown(numbers))
        if part.console and numbers:
            yield f"  in its console, where it can be wiped: {part.console}"
        elif part.console:
            yield "  its page in the console: with --numbers"
    yield ""
    alerts = view.alerts
    if alerts.why_not:
        yield f"Open alerts: {alerts.why_not}"
        return
    yield f"Open alerts: {len(alerts.found) or 'none'}, as of {view.clock(alerts.at)}"
    for alert in alerts.found:
        since = f", since {view.clock(alert.since)}" if alert.since is not None else ""
        around = "" if alert.own else " (around it)"
        silenced = ", silenced" if alert.silenced else ""
        yield f"  {alert.severity or 'alert'}{around}: {alert.text or alert.name}{since}{silenced}"


def _as_of(part: Part, view: View) -> str:
    if part.at is None:
        return ""
    old = "OLD, " if part.old else ""
    source = f"{part.source} " if part.source else ""
    return f" ({old}{source}as of {view.when(part.at)})"


def _record(view: View, numbers: bool) -> dict[str, Any]:
    alerts = view.alerts
    return {
        "fleet": view.fleet,
        "truck": view.truck.name,
        "group": view.truck.group,
        "terminal": view.truck.terminal,
        "status": view.truck.status,
        "now": view.now,
        "parts": [
            {
                "title": part.title,
                "source": part.source or None,
                "as_of": part.at,
                "old": part.old,
                "trouble": list(part.trouble),
                "facts": [{"label": each.label, "text": each.text or None, "at": each.at} for each in part.facts],
                "numbers": dict(part.shown(numbers)),
                "console": part.console if part.console and numbers else None,
            }
            for part in view.parts
        ],
        "alerts": None
        if alerts.why_not
        else [
            {"alert": each.name, "severity": each.severity, "text": each.text, "since": each.since, "own": each.own}
            for each in alerts.found
        ],
        "alerts_not_asked": alerts.why_not or None,
    }

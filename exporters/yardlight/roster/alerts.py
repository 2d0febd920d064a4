"""Which alerts are open for a truck, asked of Alertmanager or else of Prometheus; not asked is never none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from yardlight.drills.talk import Access
from yardlight.errors import UnansweredError
from yardlight.inventory.models import Fleet
from yardlight.inventory.roster import Truck

# Somebody is on the phone.
_ANSWER_SECONDS = 3.0
_RANKS = {"page": 0, "ticket": 1, "info": 2}


@dataclass(frozen=True)
class Alert:
    """An open alert: its name, what it says, since when. `own` if it is about this truck alone."""

    name: str
    severity: str
    text: str
    since: float | None
    own: bool
    silenced: bool = False


@dataclass(frozen=True)
class Alerts:
    """What is open as of `at`; with `why_not` nobody could be asked, and nothing is known."""

    at: float
    found: Sequence[Alert] = ()
    why_not: str = ""


async def open_alerts(fleet: Fleet, truck: Truck, accounts: Sequence[str], now: float) -> Alerts:
    """Alerts about this truck, its home, its group, and the accounts that its parts are read from."""
    links = fleet.links
    try:
        if links.alertmanager is not None:
            asked = "Alertmanager"
            told = await _alertmanager(Access(links.alertmanager.rstrip("/")), fleet.fleet)
        elif links.prometheus is not None:
            asked = "Prometheus"
            told = await _prometheus(Access(links.prometheus.rstrip("/")), fleet.fleet)
        else:
            return Alerts(now, why_not="not asked: the inventory has no links: to alertmanager or prometheus")
    except UnansweredError as error:
        return Alerts(now, why_not=f"not asked: {asked} {error.why}")
    near = (_concerning(truck, accounts, labels, alert) for labels, alert in told)
    found = [alert for alert in near if alert is not None]
    return Alerts(now, sorted(found, key=lambda each: (not each.own, _RANKS.get(each.severity, 3), each.name)))


Told = list[tuple[Mapping[str, str], Alert]]


async def _alertmanager(access: Access, fleet: str) -> Told:
    wanted = quote(f'fleet="{fleet}"')
    answer = await access.ask("GET", f"/api/v2/alerts?filter={wanted}", seconds=_ANSWER_SECONDS)
    with _understood():
        return [
            (each["labels"], _alert(each, each["startsAt"], each["status"]["state"] == "suppressed")) for each in answer
        ]


async def _prometheus(access: Access, fleet: str) -> Told:
    answer = await access.ask("GET", "/api/v1/alerts", seconds=_ANSWER_SECONDS)
    with _understood():
        return [
            (each["labels"], _alert(each, each["activeAt"], False))
            for each in answer["data"]["alerts"]
            if each["state"] == "firing" and each["labels"].get("fleet") == fleet
        ]


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError):
        why = "answered with something else than alerts"
        raise UnansweredError(f"it {why}", why) from None


def _alert(each: Mapping[str, Any], since: str, silenced: bool) -> Alert:
    labels, annotations = each["labels"], each.get("annotations", {})
    text = " ".join(str(annotations.get("summary", "")).split())
    return Alert(
        str(labels["alertname"]), str(labels.get("severity", "")), text, datetime.fromisoformat(since).timestamp(),
        False, silenced,
    )  # fmt: skip


def _concerning(truck: Truck, accounts: Sequence[str], labels: Mapping[str, str], alert: Alert) -> Alert | None:
    """The alert if it is of interest here; an alert about another tablet is not."""
    mine = dict(_own_labels(truck))
    about = [labels[key] in mine[key] for key in mine if labels.get(key)]
    if about:
        return Alert(alert.name, alert.severity, alert.text, alert.since, True, alert.silenced) if any(about) else None
    for key, values in (("terminal", [truck.terminal]), ("group", [truck.group]), ("account", accounts)):
        if labels.get(key):
            return alert if labels[key] in values else None
    return None


def _own_labels(truck: Truck) -> Iterator[tuple[str, list[str]]]:
    yield "truck", [truck.name]
    yield "device", [truck.tablet.name] if truck.tablet is not None else []
    yield "sim", [sim.name for sim in truck.sims]

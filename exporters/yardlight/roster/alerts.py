"""Which alerts are open for a truck, asked of Alertmanager or else of Prometheus; not asked is never none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from yardlight.access import Access
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


Labels = Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """All open alerts of a fleet with their labels, as of `at`, or why there are none."""

    at: float
    found: Sequence[tuple[Labels, Alert]] = ()
    why_not: str = ""


class Placed(Protocol):
    """What is known of a part of a truck: in which accounts it is, or could be, and in which group it is judged."""

    @property
    def accounts(self) -> Sequence[str]: ...

    @property
    def group(self) -> str: ...


async def open_alerts(fleet: Fleet, now: float) -> Told:
    """All open alerts of the fleet."""
    links = fleet.links
    try:
        if links.alertmanager is not None:
            asked = "Alertmanager"
            return Told(now, await _alertmanager(Access(links.alertmanager.rstrip("/")), fleet.fleet))
        if links.prometheus is not None:
            asked = "Prometheus"
            return Told(now, await _prometheus(Access(links.prometheus.rstrip("/")), fleet.fleet))
    except UnansweredError as error:
        return Told(now, why_not=f"not asked: {asked} {error.why}")
    return Told(now, why_not="not asked: the inventory has no links: to alertmanager or prometheus")


def about(truck: Truck, parts: Sequence[Placed], told: Told) -> Alerts:
    """Alerts about this truck, its home, its tablet's group, and the accounts that its parts are read from."""
    near = (_concerning(truck, parts, labels, alert) for labels, alert in told.found)
    found = [alert for alert in near if alert is not None]
    found.sort(key=lambda each: (not each.own, _RANKS.get(each.severity, 3), each.name))
    return Alerts(told.at, found, told.why_not)


async def _alertmanager(access: Access, fleet: str) -> list[tuple[Labels, Alert]]:
    wanted = quote(f'fleet="{fleet}"')
    answer = await access.ask("GET", f"/api/v2/alerts?filter={wanted}", seconds=_ANSWER_SECONDS)
    with _understood():
        return [
            (each["labels"], _alert(each, each["startsAt"], each["status"]["state"] == "suppressed")) for each in answer
        ]


async def _prometheus(access: Access, fleet: str) -> list[tuple[Labels, Alert]]:
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


def _concerning(truck: Truck, parts: Sequence[Placed], labels: Labels, alert: Alert) -> Alert | None:
    """The alert if it is of interest here; an alert about another tablet is not."""
    mine = dict(_own_labels(truck))
    named = [labels[key] in mine[key] for key in mine if labels.get(key)]
    if named:
        return replace(alert, own=True) if any(named) else None
    if home := labels.get("terminal"):
        return alert if home == truck.terminal else None
    account, group = labels.get("account"), labels.get("group")
    near = any(account in part.accounts and group in (None, "", part.group) for part in parts)
    return alert if account and near else None


def _own_labels(truck: Truck) -> Iterator[tuple[str, list[str]]]:
    yield "truck", [truck.name]
    yield "device", [truck.tablet.name] if truck.tablet is not None else []
    yield "sim", [sim.name for sim in truck.sims]

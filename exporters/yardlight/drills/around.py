"""What is around a drill: a silence for the terminal's other tickets, and a mark on Grafana's boards.

Both end by themselves should nobody end them. Without the silence somebody would be called for what the cut brings
along, so a drill without it is refused; the mark is a courtesy, and nothing depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from yardlight.access import Access
from yardlight.drills.conditions import OF_DRILLS
from yardlight.drills.session import Around, Occasion
from yardlight.errors import DrillError
from yardlight.inventory.load import Inventory
from yardlight.inventory.secret import read_secret

_MAKER = "yardlight drill"


class Silence:
    """Tickets of the terminal that the drill does not test, silenced in Alertmanager.

    Alerts under test are told, by their label and, should it be missing, by their names; pages are told whatever
    happens, since a real second fault may come at any time.
    """

    name = "silence"

    def __init__(self, alertmanager: Access) -> None:
        self._alertmanager = alertmanager

    async def begin(self, occasion: Occasion) -> Mapping[str, Any]:
        comment = f"failover drill {occasion.drill}: tickets of {occasion.terminal.name} that it does not test"
        body = silence(occasion, comment)
        answer = await self._alertmanager.ask("POST", "/api/v2/silences", body)
        try:
            return {**body, "id": str(answer["silenceID"])}
        except (KeyError, TypeError):
            raise DrillError("Alertmanager made a silence and did not say which") from None

    async def end(self, occasion: Occasion, begun: Mapping[str, Any]) -> Mapping[str, Any]:
        id_ = begun["id"]
        await self._alertmanager.ask("DELETE", f"/api/v2/silence/{id_}")
        answer = await self._alertmanager.ask("GET", f"/api/v2/silence/{id_}")
        return {"id": id_, "state": answer["status"]["state"]}


def silence(occasion: Occasion, comment: str) -> dict[str, Any]:
    """The silence as Alertmanager's interface wants it. Raises `DrillError` for one that says nothing."""
    # Alertmanager takes an empty comment; whoever meets the silence at night must know whose it is.
    if not comment.strip():
        raise DrillError("a silence needs a comment")
    # Told whatever else is silent: alerts about drills, and those that this one tests.
    spared = "|".join((f"{OF_DRILLS}.*", *map(re.escape, occasion.alerts)))
    matchers = [
        ("fleet", occasion.fleet.fleet, False, True),
        ("terminal", occasion.terminal.name, False, True),
        ("severity", "ticket|info", True, True),
        ("drill", "", False, True),
        ("alertname", spared, True, False),
    ]
    return {
        "matchers": [
            {"name": name, "value": value, "isRegex": regex, "isEqual": equal} for name, value, regex, equal in matchers
        ],
        "startsAt": _iso(occasion.begins),
        "endsAt": _iso(occasion.ends),
        "createdBy": _MAKER,
        "comment": comment,
    }


class Annotation:
    """The drill as a region on Grafana's boards; whatever goes wrong with it is written down and nothing more."""

    name = "annotation"

    def __init__(self, grafana: Access) -> None:
        self._grafana = grafana

    async def begin(self, occasion: Occasion) -> Mapping[str, Any]:
        text = f"Failover drill {occasion.playbook} at {occasion.terminal.name} ({occasion.drill})"
        tags = ["yardlight", "drill", occasion.fleet.fleet, occasion.terminal.name]
        body = {"time": int(occasion.begins * 1000), "tags": tags, "text": text}
        return await self._tried("POST", "/api/annotations", body)

    async def end(self, occasion: Occasion, begun: Mapping[str, Any]) -> Mapping[str, Any]:
        if "id" not in begun:
            return {}
        ended = {"timeEnd": int(datetime.now(UTC).timestamp() * 1000)}
        return await self._tried("PATCH", f"/api/annotations/{begun['id']}", ended)

    async def _tried(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = await self._grafana.ask(method, path, body)
        except DrillError as error:
            return {**body, "error": str(error)}
        return {**body, **{key: answer[key] for key in ("id",) if isinstance(answer, dict) and key in answer}}


def around(inventory: Inventory) -> list[Around]:
    """What this fleet's links name. Raises `DrillError` if a file that they name cannot be read."""
    links = inventory.fleet.links
    found: list[Around] = []
    if links.alertmanager is not None:
        found.append(Silence(Access(links.alertmanager.rstrip("/"))))
    if links.grafana is not None and links.grafana_token_file is not None:
        try:
            token = read_secret(links.grafana_token_file, inventory.path.parent)
        except ValueError as error:
            raise DrillError(str(error)) from None
        found.append(Annotation(replace(Access(links.grafana.rstrip("/")), bearer=token)))
    return found


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()

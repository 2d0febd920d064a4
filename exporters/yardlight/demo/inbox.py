"""The notification inbox: what Alertmanager sent, to which audience, kept as text.

It takes Alertmanager's webhook (payload version 4) at /AUDIENCE and shows everything at /. On its own
(`python -m yardlight.demo.inbox`) it is a stand-in for pagers and mail while trying out receivers.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

AUDIENCES = ("oncall", "noc", "dispatch", "compliance", "info", "deadman", "drill", "yard")
_KEEP = 500


@dataclass(frozen=True)
class Notice:
    """One notification. `at` is in Unix seconds; `labels` are those of its alerts, one mapping each."""

    at: float
    audience: str
    status: str
    labels: tuple[dict[str, str], ...]
    lines: tuple[str, ...]

    @property
    def headline(self) -> str:
        return f"{clock(self.at)} {self.audience:<8} {self.status.upper():<8} {self.lines[0]}"

    def text(self) -> str:
        return "\n".join([self.headline, *(f"    {line}" for line in self.lines[1:])])

    def concerns(self, terminal: str) -> bool:
        """True if one of its alerts is about this terminal."""
        return any(labels.get("terminal") == terminal for labels in self.labels)


def clock(at: float) -> str:
    """The local time of day of a Unix time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def read(audience: str, payload: dict[str, Any], at: float) -> Notice:
    """A `Notice` from Alertmanager's webhook payload. Raises `KeyError` or `TypeError` for anything else."""
    alerts = payload["alerts"]
    lines: list[str] = []
    for alert in alerts:
        notes, labels = alert.get("annotations", {}), alert["labels"]
        what = f"{labels['alertname']}: {notes.get('summary') or _identity(labels)}"
        lines.append(what if alert["status"] == payload["status"] else f"({alert['status']}) {what}")
        lines += [line.strip() for line in notes.get("description", "").splitlines() if line.strip()]
        lines += [f"runbook: {notes['runbook_url']}"] if notes.get("runbook_url") else []
    return Notice(
        at,
        audience,
        payload["status"],
        tuple(alert["labels"] for alert in alerts),
        tuple(lines) or ("empty",),
    )


def _identity(labels: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items() if name not in ("alertname", "severity"))


class Inbox:
    """Keeps what came in; `arrived` is set whenever something did."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.arrived = asyncio.Event()

    def people(self) -> list[Notice]:
        """What a person would have got: everything but the heartbeat to the dead man's switch."""
        return [notice for notice in self.notices if notice.audience != "deadman"]

    def text(self) -> str:
        """All of it, oldest first."""
        heartbeats = [notice for notice in self.notices if notice.audience == "deadman"]
        last = f"last heartbeat {clock(heartbeats[-1].at)}" if heartbeats else "no heartbeat yet"
        return "\n\n".join([f"deadman: {last}", *(notice.text() for notice in self.people())]) + "\n"

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self._show), web.post("/{audience}", self._receive)]

    async def _show(self, _: web.Request) -> web.Response:
        return web.Response(text=self.text())

    async def _receive(self, request: web.Request) -> web.Response:
        audience = request.match_info["audience"]
        if audience not in AUDIENCES:
            raise web.HTTPNotFound(text=f"no audience {audience!r}; there are {', '.join(AUDIENCES)}\n")
        try:
            notice = read(audience, await request.json(), time.time())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise web.HTTPBadRequest(text=f"not an Alertmanager webhook: {error!r}\n") from None
        self.notices = [*self.notices, notice][-_KEEP:]
        self.arrived.set()
        return web.Response()


if __name__ == "__main__":
    application = web.Application()
    application.add_routes(Inbox().routes())
    web.run_app(application, host="127.0.0.1", port=19094)

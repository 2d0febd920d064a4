"""The inbox, fed as Alertmanager feeds it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from yardlight.demo.inbox import Inbox, read

ALERT = {
    "status": "firing",
    "labels": {"alertname": "TerminalDark", "fleet": "demo", "terminal": "fontana", "severity": "page"},
    "annotations": {
        "summary": "Fontana is dark since 03:12.",
        "description": "Fibre and LTE are both down.\nCall Frontier.",
        "runbook_url": "http://127.0.0.1:10480/runbooks/TerminalDark",
    },
}
PAYLOAD: dict[str, Any] = {"version": "4", "status": "firing", "receiver": "oncall", "alerts": [ALERT]}


def post(*requests: tuple[str, Any]) -> tuple[list[tuple[int, str]], str]:
    """The status and text of each POST, and what the inbox shows afterwards."""

    async def main() -> tuple[list[tuple[int, str]], str]:
        application = web.Application()
        application.add_routes(Inbox().routes())
        async with TestServer(application) as server, ClientSession() as session:
            replies = []
            for path, body in requests:
                async with session.post(server.make_url(path), json=body) as reply:
                    replies.append((reply.status, await reply.text()))
            async with session.get(server.make_url("/")) as page:
                return replies, await page.text()

    return asyncio.run(main())


def test_a_notification_is_shown_as_text_with_its_audience() -> None:
    _, page = post(("/oncall", PAYLOAD))
    assert "oncall   FIRING   TerminalDark: Fontana is dark since 03:12." in page
    assert "    Call Frontier.\n    runbook: http://127.0.0.1:10480/runbooks/TerminalDark" in page


def test_an_alert_that_resolved_within_a_firing_group_says_so() -> None:
    resolved = {**ALERT, "status": "resolved"}
    notice = read("noc", {**PAYLOAD, "alerts": [ALERT, resolved]}, at=0.0)
    assert sum(line.startswith("(resolved) ") for line in notice.lines) == 1


def test_an_alert_without_a_summary_is_named_by_its_labels() -> None:
    notice = read("noc", {**PAYLOAD, "alerts": [{**ALERT, "annotations": {}}]}, at=0.0)
    assert notice.lines == ("TerminalDark: fleet=demo terminal=fontana",)


def test_a_heartbeat_is_not_shown_as_a_notification() -> None:
    watchdog = {"status": "firing", "labels": {"alertname": "Watchdog"}, "annotations": {}}
    _, page = post(("/deadman", {**PAYLOAD, "alerts": [watchdog]}))
    assert page.startswith("deadman: last heartbeat ")
    assert "Watchdog" not in page


def test_an_unknown_audience_and_a_body_that_is_no_webhook_are_refused() -> None:
    replies, _ = post(("/boss", PAYLOAD), ("/noc", {"hello": 1}), ("/noc", [1]))
    assert [status for status, _ in replies] == [404, 400, 400]
    assert "there are oncall, noc, dispatch, compliance, info, deadman, drill, yard" in replies[0][1]

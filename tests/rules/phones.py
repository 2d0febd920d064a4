"""What people get: PagerDuty, Opsgenie, Slack, webhooks and a mail server on loopback, and whatever links lead to.

Of boards there are those in dashboards/ with the variables that they have, of runbooks those in playbooks/runbooks/.
"""

from __future__ import annotations

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"https?://[^\s\"<>]+")


@dataclass(frozen=True)
class Notice:
    """One notification: who got it by which way, `text` as it stands on a phone, and the links that came along."""

    who: str
    way: str
    status: str
    text: str
    links: tuple[str, ...] = ()
    title: str = ""
    fault: str = ""
    alerts: tuple[dict[str, Any], ...] = ()


def boards(folder: Path = ROOT / "dashboards") -> dict[str, set[str]]:
    """Names of the variables of each board, by its uid."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return {board["uid"]: {variable["name"] for variable in board["templating"]["list"]} for board in read}


def leads_nowhere(
    link: str, there: dict[str, set[str]], runbooks: Path = ROOT / "playbooks" / "runbooks"
) -> str | None:
    """Why there is no page behind a link; None if there is one."""
    parts = urlsplit(link)
    if runbook := re.fullmatch(r"/runbooks/(\w+)", parts.path):
        return None if (runbooks / f"{runbook[1]}.md").is_file() else f"no runbook {runbook[1]}"
    board = re.fullmatch(r"/d/([\w-]+)", parts.path)
    if board is None or board[1] not in there:
        return f"no board {parts.path}"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name.removeprefix("var-") not in there[board[1]] or not name.startswith("var-"):
            return f"{board[1]} has no variable {name}"
        if not value:
            return f"{name} is empty"
    return None


@dataclass
class Phones:
    """Everybody's phone. `url` is where the web receivers and the links are, `smtp` the port of the mail server."""

    url: str
    smtp: int
    notices: list[Notice] = field(default_factory=list)


@contextmanager
def phones() -> Iterator[Phones]:
    """All receivers, for as long as they are needed."""
    there = boards()

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            why = leads_nowhere(self.path, there)
            self.answer(404 if why else 200, why or "")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            way, _, who = urlsplit(self.path).path.lstrip("/").partition("/")
            if way == "pagerduty":
                kept.notices.append(_pagerduty(body))
            elif way == "opsgenie":
                kept.notices.append(_opsgenie(who, self.headers["Authorization"].removeprefix("GenieKey "), body))
            elif way == "slack":
                kept.notices.append(_slack(who, body))
            else:
                kept.notices.append(_webhook(who, body))
            self.answer(202 if way in ("pagerduty", "opsgenie") else 200, "ok")

        def answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    class Mail(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 phones")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.say("354 go on")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    kept.notices.append(_mail(text))
                self.say("221 bye" if verb == b"QUIT" else "250 ok")
                if verb == b"QUIT":
                    return

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Web) as web,
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as mail,
    ):
        kept = Phones(f"http://127.0.0.1:{web.server_address[1]}", mail.server_address[1])
        for server in (web, mail):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept
        web.shutdown()
        mail.shutdown()


def _pagerduty(body: dict[str, Any]) -> Notice:
    ends = body["event_action"] == "resolve"
    said = body["payload"]
    links = (said["custom_details"]["runbook"], body["client_url"])
    fault = said["custom_details"]["fault"]
    status = "resolved" if ends else "firing"
    return Notice(body["routing_key"], "pagerduty", status, said["summary"], links, fault=fault)


def _opsgenie(path: str, key: str, body: dict[str, Any]) -> Notice:
    if path.endswith("/close"):
        return Notice(key, "opsgenie", "resolved", "")
    text, *rest = body["description"].split("\n")
    return Notice(key, "opsgenie", "firing", text, tuple(LINK.findall("\n".join(rest))), body["message"], rest[0])


def _slack(who: str, body: dict[str, Any]) -> Notice:
    (said,) = body["attachments"]
    text, *rest = said["text"].split("\n")
    status = "firing" if said["color"] == "danger" else "resolved"
    # What Slack shows on a locked phone is the fallback.
    return Notice(who, "slack", status, text, tuple(LINK.findall("\n".join(rest))), said["fallback"], rest[0])


def _webhook(who: str, body: dict[str, Any]) -> Notice:
    first = next(
        (alert for alert in body["alerts"] if alert["status"] == "firing" or body["status"] == "resolved"), None
    )
    said = first["annotations"] if first else {}
    links = tuple(said[name] for name in ("runbook_url", "dashboard_url") if name in said)
    return Notice(who, "webhook", body["status"], said.get("summary", ""), links, alerts=tuple(body["alerts"]))


def _mail(text: bytes) -> Notice:
    message = message_from_bytes(text, EmailMessage, policy=policy.default)  # type: ignore[arg-type]
    body = message.get_body(("plain",))
    said = body.get_content() if body is not None else ""
    subject = str(message["Subject"])
    status = "resolved" if subject.startswith(("All clear: ", "Over: ")) else "firing"
    fault = next((line for line in said.splitlines() if line.startswith("Whose fault: ")), "")
    return Notice(str(message["To"]).partition("@")[0], "mail", status, subject, tuple(LINK.findall(said)), fault=fault)

"""Soracom: SIMs with their session, and days by speed class, which take a request a SIM.

How late the figures are is not published; periods are whole days of UTC. No cap is told (bundles are names of plans),
and the calendar month of the bill stands in the inventory as `cycle`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.cycle import UTC
from yardlight.cellular.days import read, usages
from yardlight.cellular.history import midnight, ordinal
from yardlight.cellular.reading import amount, below, flag, moment, names, records, text, whole
from yardlight.cellular.rounds import Answer
from yardlight.cellular.usage import Directory, Plan, Record, Sim, SimState, Usage, Used
from yardlight.client import Client, Token
from yardlight.client import Reply as Answered
from yardlight.collection import Session
from yardlight.errors import AuthError
from yardlight.inventory.values import Secret

SUPPORT = support(
    "Soracom",
    usage="days by speed class, in bytes",
    cap="no",
    cycle="no",
    session="online or not",
    pool="no",
    late="not published",
    evidence="own fake, official specification",
)
COST = Cost(once=1, page=100, per_sim=1)

_URLS = {"global": "https://g.api.soracom.io/v1", "japan": "https://api.soracom.io/v1"}
_SIMS = "GET /sims"
_PAGE = 100
_TOKEN_SECONDS = 3600
# Nothing says when a day is final.
_AGAIN = 3
_STATES: dict[str, SimState] = {
    "ready": "inactive",
    "active": "active",
    "inactive": "suspended",
    "standby": "inactive",
    "suspended": "suspended",
    "terminated": "terminated",
}


class Config(SimAccount):
    """Key of a user who may read SIMs and statistics: `auth_key_id` with `auth_key_file`."""

    auth_key_id: str
    auth_key_file: str
    coverage: Literal["global", "japan"] = "global"


@dataclass(frozen=True)
class Reply:
    """SIMs as told, rows of days by the name of the SIM; asked at `at`."""

    directory: Directory
    at: float
    sims: list[dict[str, Any]]
    rows: Mapping[str, Answer]


def fetch(config: Config, session: Session) -> Reply:
    known = directory(config, session)
    client = Client(session, config, _URLS[config.coverage], _login(config, session))
    sims = [sim for page in client.pages("/sims", {"limit": _PAGE}, _following) for sim in records(page, _SIMS)]
    at = session.clock()

    def rows(sim_id: str, begin: float) -> list[dict[str, Any]]:
        asked = {"from": int(begin), "to": int(at), "period": "day"}
        path = "/stats/air/sims/{sim_id}"
        return records(client.get(path, asked, {"sim_id": sim_id}).json(), f"GET {path}")

    ids = {name: text(sim, "simId") for name, sim in names(_numbered(sims), known, _SIMS, "iccid")}
    return Reply(known, at, sims, read(session, at, ids, _AGAIN, rows))


def _login(config: Config, session: Session) -> Token:
    key = session.secret(config.auth_key_file)
    client = Client(session, config, _URLS[config.coverage])

    def take() -> tuple[Mapping[str, str], float | None]:
        asked = {"authKeyId": config.auth_key_id, "authKey": key.reveal(), "tokenTimeoutSeconds": _TOKEN_SECONDS}
        answer = whole(client.post("/auth", asked).json(), "POST /auth")
        api_key, token = text(answer, "apiKey"), text(answer, "token")
        if not api_key or not token:
            raise AuthError("POST /auth: no apiKey and token in the answer")
        session.hide(Secret(api_key))
        session.hide(Secret(token))
        return {"X-Soracom-API-Key": api_key, "X-Soracom-Token": token}, float(_TOKEN_SECONDS)

    return Token(take)


def _following(content: Any, reply: Answered) -> dict[str, str] | None:
    key = reply.headers.get("x-soracom-next-key")
    return {"last_evaluated_key": key} if key else None


def _numbered(sims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """SIMs with ICCID and phone number of the active profile by name; without profiles a SIM's id is its ICCID.

    A virtual one is no SIM in a truck.
    """
    numbered = []
    for sim in sims:
        if text(sim, "type") == "virtual":
            continue
        profiles = below(sim, "profiles")
        listed = list(profiles.values()) if isinstance(profiles, dict) else []
        active = below(profiles, text(sim, "activeProfileId")) or (listed[0] if len(listed) == 1 else None)
        subscribers = below(active, "subscribers")
        lines = list(subscribers.values()) if isinstance(subscribers, dict) else []
        line = below(subscribers, text(active, "primaryImsi")) or (lines[0] if len(lines) == 1 else None)
        phone = text(line, "msisdn")
        numbered.append({**sim, "iccid": text(active, "iccid") or text(sim, "simId"), "phone": phone})
    return numbered


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    for name, sim in names(_numbered(reply.sims), reply.directory, _SIMS, "iccid"):
        imei, speed = text(sim, "sessionStatus", "imei"), text(sim, "speedClass")
        yield Sim(
            name,
            reply.at,
            carrier=config.network,
            state=_STATES.get(text(sim, "status"), "unknown"),
            in_session=flag(sim, "sessionStatus", "online"),
            expires=moment(below(sim, "expiryTime"), UTC),
            plan=Plan(speed) if speed else None,
            device=reply.directory.device(imei),
            called=text(sim, "tags", "name"),
            iccid=text(sim, "iccid"),
            imei=imei,
            phone=text(sim, "phone"),
        )
        yield from usages(name, reply.rows.get(name), partial(_usage, name, reply.at))


def _usage(name: str, at: float, row: dict[str, Any]) -> Usage | None:
    """A day: both ways of all speed classes; None if one of them is no amount."""
    start, classes = moment(row.get("unixtime"), UTC), below(row, "dataTrafficStatsMap")
    if start is None or not isinstance(classes, dict):
        return None
    ways = ("uploadByteSizeTotal", "downloadByteSizeTotal")
    parts = [amount(below(each, way)) for each in classes.values() for way in ways]
    used = [part for part in parts if part is not None]
    if len(used) < len(parts):
        return None
    day = ordinal(start, UTC)
    return Usage(Used(sum(used)), min(midnight(day + 1, UTC), at), name, day=day)

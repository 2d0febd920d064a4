"""Cisco IoT Control Center, formerly Jasper (AT&T, T-Mobile US, Rogers and others): two requests a SIM, five a second.

How late its figures are is not published. They count from the start of a cycle that is not told, and the use of a
shared plan cannot be asked for: `cycle` and `cap` stand in the inventory, and a pool is the sum of its SIMs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.reading import amount, flag, is_last, names, records, text, whole
from yardlight.cellular.rounds import Answer, Rounds
from yardlight.cellular.usage import Directory, Plan, Record, Refused, Sim, SimState, Usage, Used
from yardlight.client import Client, basic
from yardlight.client import Reply as Answered
from yardlight.collection import Session
from yardlight.errors import BadReplyError

SUPPORT = support(
    "Cisco IoT Control Center (Jasper): AT&T, T-Mobile US, Rogers and others",
    usage="cycle so far, in bytes",
    cap="no",
    cycle="no",
    session="in session or not",
    pool="no: refuses shared plans; summed from the SIMs",
    late="not published",
    evidence="own fake, community specification",
)
# With `sessions`.
COST = Cost(once=0, page=50, per_sim=2)

_DEVICES = "GET /v1/devices"
_PAGE = 50
# Required, and every SIM was modified since then: when it was made.
_EVER = "2000-01-01T00:00:00+00:00"
_TOO_MANY = "40000029"
_STATES: dict[str, SimState] = {
    "ACTIVATED": "active",
    "TEST_READY": "inactive",
    "ACTIVATION_READY": "inactive",
    "INVENTORY": "inactive",
    "TRIAL": "active",
    "DEACTIVATED": "suspended",
    "RETIRED": "terminated",
    "PURGED": "terminated",
    "REPLACED": "terminated",
}


class Config(SimAccount):
    """`username` and the API key of that user. `url` is the operator's own, such as https://restapi3.jasper.com/rws/api.

    `sessions` is whether each SIM is also asked if it is in session: twice as many requests.
    """

    username: str
    api_key_file: str
    sessions: bool = True


@dataclass(frozen=True)
class Reply:
    """The SIMs as listed, and what was told of each by its name; asked at `at`.

    `imeis` and `phones` are those of the SIMs that were asked just now: no number is remembered.
    """

    directory: Directory
    at: float
    devices: list[dict[str, Any]]
    answers: Mapping[str, Answer]
    imeis: Mapping[str, str]
    phones: Mapping[str, str]


def fetch(config: Config, session: Session) -> Reply:
    known = directory(config, session)
    auth = basic(config.username, session.secret(config.api_key_file))
    client = Client(session, config, "https://restapi3.jasper.com/rws/api", auth, _throttled)
    devices = list(_devices(client))
    imeis: dict[str, str] = {}
    phones: dict[str, str] = {}
    numbers = {name: text(device, "iccid") for name, device in names(devices, known, _DEVICES, "iccid")}

    def ask(sim: str, number: str) -> dict[str, Any]:
        path = "/v1/devices/{iccid}"
        used = whole(client.get(f"{path}/ctdUsages", values={"iccid": number}).json(), f"GET {path}/ctdUsages")
        told = {key: used.get(key) for key in ("ctdDataUsage", "overageLimitReached", "overageLimitOverride")}
        imeis[sim], phones[sim] = text(used, "imei"), text(used, "msisdn")
        told["device"] = known.device(imeis[sim])
        if config.sessions:
            told["online"] = _online(client, number)
        return told

    return Reply(known, session.clock(), devices, Rounds(session).go(numbers, ask), imeis, phones)


def _devices(client: Client) -> Iterator[dict[str, Any]]:
    number = 0

    def following(content: Any, reply: Answered) -> dict[str, int] | None:
        nonlocal number
        number += 1
        return None if is_last(content, _DEVICES, "lastPage", True) else {"pageNumber": number + 1}

    asked = {"modifiedSince": _EVER, "pageSize": _PAGE, "pageNumber": 1}
    for page in client.pages("/v1/devices", asked, following):
        yield from records(page, _DEVICES, "devices")


def _online(client: Client, number: str) -> bool | None:
    """Whether a session has begun and not ended; None for a SIM that never had one, and where it cannot be told."""
    try:
        told = client.get("/v1/devices/{iccid}/sessionInfo", values={"iccid": number}).json()
    except BadReplyError:
        return None
    return text(told, "dateSessionEnded") == "" if text(told, "dateSessionStarted") else None


def _throttled(reply: Answered) -> float | None:
    if reply.status < 400 or _TOO_MANY.encode() not in reply.body:
        return None
    try:
        return 0.0 if text(json.loads(reply.body), "errorCode") == _TOO_MANY else None
    except ValueError:
        return None


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    for name, device in names(reply.devices, reply.directory, _DEVICES, "iccid"):
        answer = reply.answers.get(name)
        told = answer.told if answer and answer.told else {}
        plan = text(device, "ratePlan")
        yield Sim(
            name,
            answer.at if answer else reply.at,
            carrier=config.network,
            state=_STATES.get(text(device, "status").upper(), "unknown"),
            in_session=flag(told, "online"),
            throttled=_limited(told),
            plan=Plan(plan) if plan else None,
            device=text(told, "device") or None,
            iccid=text(device, "iccid"),
            imei=reply.imeis.get(name, ""),
            phone=reply.phones.get(name, ""),
        )
        if answer is None:
            continue
        used = amount(told.get("ctdDataUsage"))
        yield Usage(Used(used), answer.at, name) if used is not None else Refused(name)


def _limited(told: dict[str, Any]) -> bool | None:
    """Whether the platform says that the limit of the plan is reached and nobody has lifted it."""
    reached = flag(told, "overageLimitReached")
    return reached and text(told, "overageLimitOverride") in ("", "DEFAULT") if reached is not None else None

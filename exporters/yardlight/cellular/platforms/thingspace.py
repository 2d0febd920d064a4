"""Verizon ThingSpace: devices of an account, and the rows of days of each, which take a request a SIM.

Estimates come within 15 minutes of the end of a session (long sessions: 6 hours), rated rows about two days later. What
answers only to a callback (use of a whole account, billed use) needs an address of ours that Verizon can reach, and is
not asked for. Only the end of a cycle is told, which is taken for a month; plans say no size where it is shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.cycle import UTC, MonthEnd
from yardlight.cellular.days import read, usages
from yardlight.cellular.history import midnight, ordinal
from yardlight.cellular.reading import amount, flag, is_last, iso, moment, names, records, several, text, whole
from yardlight.cellular.rounds import Answer
from yardlight.cellular.usage import Directory, Plan, Record, Sim, SimState, Source, Usage, Used
from yardlight.client import Client, Token, basic, seconds_of
from yardlight.collection import Session
from yardlight.errors import AuthError, BadReplyError, ForbiddenError, IncompleteError, RefusedError
from yardlight.inventory.values import Secret

SUPPORT = support(
    "Verizon ThingSpace",
    usage="days, in bytes",
    cap="where the plan says its size",
    cycle="its end, taken for a month",
    session="connected or not",
    pool="no",
    late="estimate: 15 min after a session, long ones 6 h; rated: about 2 days",
    evidence="own fake, own transcription of the documentation",
)
# Two tokens and the plans; the list has 2 000 devices a page.
COST = Cost(once=3, page=2000, per_sim=1)

_DEVICES = "POST /m2m/v1/devices/actions/list"
# Rated rows replace estimates two days later, those of roaming later still.
_AGAIN = 5
_STATES: dict[str, SimState] = {
    "active": "active",
    "suspend": "suspended",
    "suspended": "suspended",
    "deactive": "terminated",
    "deactivated": "terminated",
    "pre-active": "inactive",
    "preactive": "inactive",
}
_SOURCES: dict[str, Source] = {"Raw Usage": "estimate", "Usage Feed": "rated"}


class Config(SimAccount):
    """Application (`client_id`) and user (`username`) of the account `account_name`."""

    account_name: str
    client_id: str
    client_secret_file: str
    username: str
    password_file: str
    network: str = "verizon"

    @property
    def tells_activation(self) -> bool:
        return True


@dataclass(frozen=True)
class Reply:
    """Devices and plans as told, rows of days by the name of the SIM; asked at `at`."""

    directory: Directory
    at: float
    devices: list[dict[str, Any]]
    plans: list[dict[str, Any]]
    rows: Mapping[str, Answer]


def fetch(config: Config, session: Session) -> Reply:
    known = directory(config, session)
    client = Client(session, config, "https://thingspace.verizon.com/api", _login(config, session))
    plans = _plans(client, config.account_name)
    devices = list(_devices(client, config.account_name))
    at = session.clock()
    numbers = {name: _number(device) for name, device in names(_flat(devices), known, _DEVICES, "iccid")}

    def rows(number: str, begin: float) -> list[dict[str, Any]]:
        return list(_rows(client, number, begin, at))

    return Reply(known, at, devices, plans, read(session, at, numbers, _AGAIN, rows))


def _plans(client: Client, account: str) -> list[dict[str, Any]]:
    """The account's plans, which its user may not be allowed to see; devices and their use are told all the same."""
    try:
        return records(client.get("/m2m/v1/plans/{account}", values={"account": account}).json(), "GET /m2m/v1/plans")
    except (ForbiddenError, RefusedError):
        return []


def _login(config: Config, session: Session) -> Token:
    secret, password = session.secret(config.client_secret_file), session.secret(config.password_file)
    first = Client(session, config, "https://thingspace.verizon.com/api", basic(config.client_id, secret))
    second = Client(session, config, first.url)

    def take() -> tuple[Mapping[str, str], float | None]:
        grant = {"grant_type": "client_credentials"}
        granted = whole(first.ask("POST", "/ts/v1/oauth2/token", form=grant).json(), "POST /ts/v1/oauth2/token")
        bearer = {"Authorization": f"Bearer {_token(granted, 'access_token', session)}"}
        login = {"username": config.username, "password": password.reveal()}
        opened = second.ask("POST", "/m2m/v1/session/login", json=login, headers=bearer).json()
        token = _token(whole(opened, "POST /m2m/v1/session/login"), "sessionToken", session)
        return {**bearer, "VZ-M2M-Token": token}, seconds_of(granted.get("expires_in"))

    return Token(take)


def _token(answer: dict[str, Any], key: str, session: Session) -> str:
    token = text(answer, key)
    if not token:
        raise AuthError(f"no {key} in the answer")
    session.hide(Secret(token))
    return token


def _devices(client: Client, account: str) -> Iterator[dict[str, Any]]:
    """Every device; the number of the last one, among its extended attributes, leads to the next page."""
    seen = 0
    while True:
        asked = {"accountName": account, "largestDeviceIdSeen": seen}
        answer = whole(client.post("/m2m/v1/devices/actions/list", asked).json(), _DEVICES)
        page = records(answer, _DEVICES, "devices")
        yield from page
        if is_last(answer, _DEVICES, "hasMoreData", False):
            return
        before = seen
        seen = max((int(each) for each in map(_cursor, page) if each.isdecimal() and len(each) < 19), default=0)
        if seen <= before:
            raise IncompleteError(f"{_DEVICES}: there are more devices, and nothing that leads to them")


def _cursor(device: dict[str, Any]) -> str:
    attributes = several(device, "extendedAttributes")
    return next((text(each, "value") for each in attributes if text(each, "key") == "DeviceId"), "")


def _rows(client: Client, number: str, earliest: float, latest: float) -> Iterator[dict[str, Any]]:
    """The rows of a SIM's days. 500 at a time; more follow from the last day of a page on."""
    path, begin = "/m2m/v1/devices/usage/actions/list", iso(earliest)
    while True:
        asked = {"deviceId": {"id": number, "kind": "iccid"}, "earliest": begin, "latest": iso(latest)}
        answer = whole(client.post(path, asked).json(), f"POST {path}")
        page = records(answer, f"POST {path}", "usageHistory")
        yield from page
        if is_last(answer, f"POST {path}", "hasMoreData", False):
            return
        written = [text(each, "timestamp") for each in page]
        if not written or written != sorted(written) or written[-1] <= begin:
            raise BadReplyError(f"POST {path}: there are more rows, and those of this page do not go on in time")
        begin = written[-1]


def _flat(devices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Devices with their ICCID, IMEI, phone number and first carrier where they can be read by name."""
    flat = []
    for device in devices:
        ids = {text(each, "kind").lower(): text(each, "id") for each in several(device, "deviceIds")}
        carriers = several(device, "carrierInformations")
        flat.append(
            {**device, **{kind: ids.get(kind) for kind in ("iccid", "imei", "mdn")}, "carrier": (carriers or [{}])[0]}
        )
    return flat


def _number(device: dict[str, Any]) -> str:
    return text(device, "iccid")


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    zone = ZoneInfo(config.timezone)
    plans = {text(plan, "name"): _plan(plan, config) for plan in reply.plans}
    for name, device in names(_flat(reply.devices), reply.directory, _DEVICES, "iccid"):
        end = moment(device.get("billingCycleEndDate"), zone)
        plan = text(device, "carrier", "servicePlan")
        imei = text(device, "imei")
        yield Sim(
            name,
            reply.at,
            carrier=config.network,
            state=_STATES.get(text(device, "carrier", "state").lower(), "unknown"),
            in_session=flag(device, "connected"),
            activated=moment(device.get("lastActivationDate"), zone),
            plan=plans.get(plan, Plan(plan)) if plan else None,
            device=reply.directory.device(imei),
            iccid=text(device, "iccid"),
            imei=imei,
            phone=text(device, "mdn"),
        )
        cycles = MonthEnd(end, zone) if end is not None else None
        now = cycles.at(reply.at) if cycles else None
        yield from usages(name, reply.rows.get(name), partial(_usage, name, reply.at, cycles, zone), now)


def _plan(plan: dict[str, Any], config: Config) -> Plan:
    """Its size is 0 where it is not stated."""
    size = amount(plan.get("sizeKb"), "KB", binary=config.binary)
    return Plan(text(plan, "name"), cap=size if size and size > 0 else None)


def _usage(name: str, at: float, cycles: MonthEnd | None, zone: ZoneInfo, row: dict[str, Any]) -> Usage | None:
    """A day as it is written; None for what is no amount, or has no day."""
    used = amount(row.get("bytesUsed"))
    written = moment(text(row, "timestamp")[:10], UTC)
    if used is None or written is None:
        return None
    day = ordinal(written, UTC)
    begins = midnight(day, zone)
    source = _SOURCES.get(text(row, "source"), "estimate")
    until, cycle = min(midnight(day + 1, zone), at), cycles.at(begins) if cycles else None
    return Usage(Used(used), until, name, cycle=cycle, day=day, source=source)

"""emnify, also under the names of others: two requests a SIM, what was used in MB and what is left of a quota in MB.

How late the figures are is not stated. A month without traffic is absent, which is not the same as one with none; the
month is that of UTC. A quota is of the endpoint and says what is left of it, never what was used; it lasts until it is
used up or expires, and has no cycle. One that is refilled by itself is no cap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.cycle import UTC, Lifetime, MonthDay
from yardlight.cellular.reading import amount, below, moment, names, records, text, whole
from yardlight.cellular.rounds import Answer, Rounds
from yardlight.cellular.usage import After, Directory, Left, Plan, Record, Refused, Sim, SimState, Usage, Used
from yardlight.client import Client, Token
from yardlight.client import Reply as Answered
from yardlight.collection import Session
from yardlight.errors import AuthError, NotThereError
from yardlight.inventory.model import Name
from yardlight.inventory.values import Secret

SUPPORT = support(
    "emnify and brands of it",
    usage="month so far, or what is left of a quota, in MB",
    cap="of a quota, per SIM",
    cycle="calendar month, UTC; a quota has an expiry",
    session="no",
    pool="use of the workspace, where `pool` names it",
    late="not published",
    evidence="own fake of the documentation",
)
# A token, and the workspace where it is a pool.
COST = Cost(once=2, page=500, per_sim=2)

_URL = "https://cdn.emnify.net"
_SIMS = "GET /api/v1/sim"
_PAGE = 500
_TOKEN_SECONDS = 3600.0
_MONTH, _QUOTA = MonthDay(UTC), Lifetime()
_AFTER: dict[str, After] = {"block": "stop", "throttle": "throttle"}
_STATES: dict[str, SimState] = {
    "issued": "inactive",
    "activated": "active",
    "suspended": "suspended",
    "deleted": "terminated",
    "factory test": "inactive",
}


class Config(SimAccount):
    """Application token of the workspace. `pool` is what the inventory calls the volume that all its SIMs share."""

    application_token_file: str
    pool: Name | None = None

    @property
    def tells_activation(self) -> bool:
        return True


@dataclass(frozen=True)
class Reply:
    """SIMs as told, what was told of each by its name, and of the whole workspace; asked at `at`.

    `amounts` are the prepaid ones, by name: what was there when each was topped up last.
    """

    directory: Directory
    at: float
    sims: list[dict[str, Any]]
    answers: Mapping[str, Answer]
    amounts: Mapping[str, int]
    workspace: dict[str, Any] | None


def fetch(config: Config, session: Session) -> Reply:
    known = directory(config, session)
    client = Client(session, config, _URL, _login(config, session))
    sims = list(_sims(client))
    workspace = None
    if config.pool is not None:
        path = "/api/v1/organisation/my/stats"
        workspace = whole(client.get(path).json(), f"GET {path}")

    def ask(sim: str, ids: tuple[str, str]) -> dict[str, Any]:
        sim_id, endpoint = ids
        stats = client.get("/api/v1/sim/{id}/stats", values={"id": sim_id}).json()
        month = below(stats[0] if isinstance(stats, list) and stats else stats, "current_month", "data")
        told = {key: below(month, key) for key in ("volume", "last_updated", "month")}
        return {"used": told, "quota": _quota(client, endpoint) if endpoint else None}

    ids = {name: (text(sim, "id"), text(sim, "endpoint", "id")) for name, sim in names(sims, known, _SIMS, "iccid")}
    answers = Rounds(session).go(ids, ask)
    kept: dict[str, list[int]] = session.memory.get("prepaid", {})
    prepaid = {name: each for name in ids if (each := _prepaid(answers.get(name), kept.get(name), config)) is not None}
    session.memory = {**session.memory, "prepaid": prepaid}
    amounts = {name: amount for name, (_, amount) in prepaid.items()}
    return Reply(known, session.clock(), sims, answers, amounts, workspace)


def _login(config: Config, session: Session) -> Token:
    secret = session.secret(config.application_token_file)
    client = Client(session, config, _URL)

    def take() -> tuple[Mapping[str, str], float | None]:
        path = "/api/v1/authenticate"
        token = text(client.post(path, {"application_token": secret.reveal()}).json(), "auth_token")
        if not token:
            raise AuthError(f"POST {path}: no auth_token in the answer")
        session.hide(Secret(token))
        return {"Authorization": f"Bearer {token}"}, _TOKEN_SECONDS

    return Token(take)


def _sims(client: Client) -> Iterator[dict[str, Any]]:
    number = 1

    def following(content: Any, reply: Answered) -> dict[str, int] | None:
        nonlocal number
        number += 1
        pages = reply.headers.get("X-Total-Pages", "")
        full = isinstance(content, list) and len(content) >= _PAGE
        return {"page": number} if (number <= int(pages) if pages.isdecimal() else full) else None

    for page in client.pages("/api/v1/sim", {"page": 1, "per_page": _PAGE}, following):
        yield from records(page, _SIMS)


def _quota(client: Client, endpoint: str) -> dict[str, Any] | None:
    """What is left of an endpoint's quota; None if it has none (status 404)."""
    try:
        quota = client.get("/api/v1/endpoint/{id}/quota/data", values={"id": endpoint}).json()
    except NotThereError:
        return None
    told = {key: below(quota, key) for key in ("volume", "last_volume_added", "expiry_date", "peak_throughput")}
    refilled = below(quota, "auto_refill") in (1, True, "1")
    status = text(quota, "status", "description")
    return {
        **told,
        "refilled": refilled,
        "status": status,
        "action": text(quota, "action_on_exhaustion", "description"),
    }


def _prepaid(answer: Answer | None, before: list[int] | None, config: Config) -> list[int] | None:
    """What is left of a prepaid amount, and the amount: what was there when it was topped up last.

    More than before is a top-up, if it is by half of what was bought last: figures are restated by less.
    """
    if answer is None or answer.told is None:
        return before
    left, bought = _left(answer.told, config), _bought(answer.told, config)
    if left is None or bought is None:
        return None
    if before is None:
        return [left, max(bought, left)]
    topped_up = left > before[1] or left - before[0] > bought / 2
    return [left, left if topped_up else before[1]]


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    # What is told as the last update of a SIM is that of its own use.
    updates = (_updated(each.told) for each in reply.answers.values() if each.told is not None)
    newest = max((at for at in updates if at is not None), default=None)
    for name, sim in names(reply.sims, reply.directory, _SIMS, "iccid"):
        answer = reply.answers.get(name)
        told = answer.told if answer and answer.told else {}
        state = _STATES.get(text(sim, "status", "description").lower(), "unknown")
        refilled = bool(below(told, "quota", "refilled"))
        over = text(told, "quota", "status").upper() in ("EXHAUSTED", "EXPIRED")
        imei = text(sim, "endpoint", "imei")
        yield Sim(
            name,
            answer.at if answer else reply.at,
            carrier=config.network,
            state="blocked" if state == "active" and over else state,
            activated=moment(sim.get("activation_date"), UTC),
            called=text(sim, "endpoint", "name"),
            iccid=text(sim, "iccid"),
            imei=imei,
            phone=text(sim, "msisdn"),
            expires=None if refilled else moment(below(told, "quota", "expiry_date"), UTC),
            plan=_plan(told, reply.amounts.get(name), config),
            device=reply.directory.device(imei),
        )
        if answer is not None:
            yield from _usage(name, answer, newest, config)
    if config.pool is not None:
        used = _month(below(reply.workspace, "current_month", "data"), reply.at, config)
        if used is not None:
            yield Usage(used, reply.at, pool=config.pool, cycle=_MONTH.at(reply.at))


def _usage(name: str, answer: Answer, newest: float | None, config: Config) -> Iterator[Record]:
    """What is left of a quota whose size is told; else what was used in this month, until the `newest` figures of any.

    Where neither is told it is what is left, which takes a cap of the inventory to make use of it.
    """
    if answer.told is None:
        yield Refused(name)
        return
    told, left = below(answer.told, "used"), _left(answer.told, config)
    used = _month(told, answer.at, config)
    if left is not None and (used is None or _bought(answer.told, config) is not None):
        yield Usage(Left(left), answer.at, name, cycle=_QUOTA.at(answer.at))
    elif used is not None:
        known = newest if _updated(answer.told) is not None else None
        until = answer.at if known is None else min(known, answer.at)
        yield Usage(used, until, name, cycle=_MONTH.at(answer.at))


def _updated(told: dict[str, Any]) -> float | None:
    return moment(below(told, "used", "last_updated"), UTC)


def _left(told: dict[str, Any], config: Config) -> int | None:
    """What is left of a quota that ends; None where there is none."""
    if below(told, "quota", "refilled"):
        return None
    return amount(below(told, "quota", "volume"), "MB", binary=config.binary)


def _bought(told: dict[str, Any], config: Config) -> int | None:
    return amount(below(told, "quota", "last_volume_added"), "MB", binary=config.binary)


def _plan(told: dict[str, Any], prepaid: int | None, config: Config) -> Plan | None:
    """The prepaid amount, where it is told; None without a quota."""
    if _left(told, config) is None:
        return None
    return Plan(
        cap=prepaid,
        after=_AFTER.get(text(told, "quota", "action").lower(), "unknown"),
        throttle_speed=amount(below(told, "quota", "peak_throughput")) or None,
    )


def _month(told: Any, at: float, config: Config) -> Used | None:
    """The use of the month in which `at` is; None for that of another one, and for what is no amount."""
    begins = moment(text(told, "month")[:7] + "-01", UTC)
    if begins is not None and not _MONTH.at(begins).has(at):
        return None
    used = amount(below(told, "volume"), "MB", binary=config.binary)
    return Used(used) if used is not None else None

"""KORE Programmable Wireless: the days of each SIM take a request a SIM, and come up to 48 hours late.

A rate plan's limit is of each SIM, in MB of 10^6 bytes, and counts from its activation to the same day of the next
month, which is not told: `cycle` stands in the inventory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.cycle import UTC
from yardlight.cellular.days import read, usages
from yardlight.cellular.history import ordinal
from yardlight.cellular.kore import kore_token, listed
from yardlight.cellular.reading import amount, below, iso, moment, names, text
from yardlight.cellular.rounds import Answer
from yardlight.cellular.usage import After, Directory, Plan, Record, Sim, SimState, Usage, Used
from yardlight.client import Client
from yardlight.collection import Session

SUPPORT = support(
    "KORE Programmable Wireless",
    usage="days, in bytes",
    cap="plan's limit at home, per SIM",
    cycle="no",
    session="no",
    pool="no",
    late="24 to 48 h",
    evidence="own fake, official specification",
)
# A token and the plans.
COST = Cost(once=2, page=1000, per_sim=1)

_URL = "https://programmable-wireless.api.korewireless.com"
_SIMS = "GET /v1/Sims"
_PAGE = 1000
# All of a day is there after 48 hours.
_AGAIN = 4
_STATES: dict[str, SimState] = {
    "new": "inactive",
    "ready": "active",
    "active": "active",
    "suspended": "suspended",
    "deactivated": "terminated",
    "canceled": "terminated",
    "deleted": "terminated",
}
_AFTER: dict[str, After] = {"block": "stop", "throttle": "throttle"}


class Config(SimAccount):
    """API client of KORE: `client_id` with `client_secret_file`."""

    client_id: str
    client_secret_file: str


@dataclass(frozen=True)
class Reply:
    """SIMs and plans as told, rows of days by the name of the SIM; asked at `at`."""

    directory: Directory
    at: float
    sims: list[dict[str, Any]]
    plans: list[dict[str, Any]]
    rows: Mapping[str, Answer]


def fetch(config: Config, session: Session) -> Reply:
    known = directory(config, session)
    client = Client(session, config, _URL, kore_token(config, session, config.client_id, config.client_secret_file))
    sims = list(listed(client, "/v1/Sims", "sims", _PAGE))
    plans = list(listed(client, "/v1/RatePlans", "rate_plans", _PAGE))
    at = session.clock()

    def rows(sid: str, begin: float) -> list[dict[str, Any]]:
        asked = {"Granularity": "daily", "Start": iso(begin)}
        return list(listed(client, "/v1/Sims/{sid}/UsageRecords", "usage_records", _PAGE, asked, {"sid": sid}))

    sids = {name: text(sim, "sid") for name, sim in names(sims, known, _SIMS, "iccid")}
    return Reply(known, at, sims, plans, read(session, at, sids, _AGAIN, rows))


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    plans = {text(plan, "sid"): _plan(plan) for plan in reply.plans}
    for name, sim in names(reply.sims, reply.directory, _SIMS, "iccid"):
        yield Sim(
            name,
            reply.at,
            carrier=config.network,
            state=_STATES.get(text(sim, "status"), "unknown"),
            plan=plans.get(text(sim, "rate_plan_sid")),
            called=text(sim, "friendly_name") or text(sim, "unique_name"),
            iccid=text(sim, "iccid"),
        )
        yield from usages(name, reply.rows.get(name), partial(_usage, name, reply.at))


def _plan(plan: dict[str, Any]) -> Plan:
    cap = amount(plan.get("data_limit"), "MB")
    name = text(plan, "unique_name") or text(plan, "friendly_name")
    return Plan(name, cap=cap, after=_AFTER.get(text(plan, "data_limit_strategy").lower(), "unknown"))


def _usage(name: str, at: float, row: dict[str, Any]) -> Usage | None:
    """A day, its unit beside the number; None for what is no amount, or has no time."""
    start, end = moment(text(row, "period", "start"), UTC), moment(text(row, "period", "end"), UTC)
    unit = text(row, "data", "units").lower()
    used = amount(below(row, "data", "total"), "B" if unit in ("", "bytes") else unit)
    if start is None or used is None:
        return None
    return Usage(Used(used), at if end is None else min(end, at), name, day=ordinal(start, UTC))

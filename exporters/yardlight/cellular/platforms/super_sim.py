"""Super SIM of KORE, and of Twilio for those not moved yet: one API, two ways to authorize.

The days of all SIMs come in one list; the period of billing takes a request a SIM, once a period. Use comes before its
price, all of it within 24 hours. A fleet's limit is of each of its SIMs, in MB of 10^6 bytes, and a SIM stops there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import model_validator

from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.cycle import UTC, Cycle
from yardlight.cellular.days import since
from yardlight.cellular.history import ordinal
from yardlight.cellular.kore import kore_token, listed
from yardlight.cellular.reading import amount, iso, moment, names, period, text
from yardlight.cellular.rounds import Answer, Rounds
from yardlight.cellular.usage import AllDays, Directory, Plan, Record, Sim, SimState, Usage, Used
from yardlight.client import Auth, Client, basic
from yardlight.collection import Session

SUPPORT = support(
    "KORE Super SIM, Twilio Super SIM",
    usage="days, in bytes",
    cap="fleet's limit, per SIM",
    cycle="start and end, per SIM",
    session="no",
    pool="no",
    late="all within 24 h",
    evidence="own fake, official specification",
)
# A token and the fleets. 249 SIMs are a page, and their four days that are read again are four; periods come on top.
COST = Cost(once=2, page=49, per_sim=1)

_KORE, _TWILIO = "https://supersim.api.korewireless.com", "https://supersim.twilio.com"
_SIMS, _FLEETS, _USAGE = "GET /v1/Sims", "GET /v1/Fleets", "GET /v1/UsageRecords"
_PAGE = 249
# All of a day is there after 24 hours.
_AGAIN = 3
_STATES: dict[str, SimState] = {"new": "inactive", "ready": "active", "active": "active", "inactive": "suspended"}


class Config(SimAccount):
    """KORE: `client_id` with `client_secret_file`. Twilio: `account_sid` with `auth_token_file`."""

    client_id: str | None = None
    client_secret_file: str | None = None
    account_sid: str | None = None
    auth_token_file: str | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = (self.client_id, self.client_secret_file), (self.account_sid, self.auth_token_file)
        if sorted(sum(part is not None for part in way) for way in ways) != [0, 2]:
            raise ValueError("write client_id with client_secret_file (KORE), or account_sid with auth_token_file")
        return self


@dataclass(frozen=True)
class Reply:
    """Lists as told, the use `since` then, and by the name of a SIM the periods of its billing; asked at `at`."""

    directory: Directory
    at: float
    sims: list[dict[str, Any]]
    fleets: list[dict[str, Any]]
    usage: list[dict[str, Any]]
    since: float
    periods: Mapping[str, Answer]


def fetch(config: Config, session: Session) -> Reply:
    known = directory(config, session)
    client = Client(session, config, _TWILIO if config.account_sid else _KORE, _auth(config, session))
    sims = list(listed(client, "/v1/Sims", "sims", _PAGE))
    fleets = list(listed(client, "/v1/Fleets", "fleets", _PAGE))
    at = session.clock()
    begin = since(session.memory.get("read"), at, _AGAIN)
    asked = {"Group": "sim", "Granularity": "day", "StartTime": iso(begin)}
    usage = list(listed(client, "/v1/UsageRecords", "usage_records", _PAGE, asked))
    session.memory = {**session.memory, "read": at}

    def periods(sim: str, sid: str) -> list[list[str]]:
        path = "/v1/Sims/{sid}/BillingPeriods"
        found = listed(client, path, "billing_periods", _PAGE, values={"sid": sid})
        return [[text(each, "start_time"), text(each, "end_time")] for each in found]

    def over(last: Answer) -> bool:
        # A SIM without a period is asked for one once a day.
        return at - last.at >= 86400.0 or (bool(last.told) and _open(last.told, at) is None)

    sids = {name: text(sim, "sid") for name, sim in names(sims, known, _SIMS, "iccid")}
    return Reply(known, at, sims, fleets, usage, begin, Rounds(session).go(sids, periods, over))


def _auth(config: Config, session: Session) -> Auth:
    if config.account_sid and config.auth_token_file:
        return basic(config.account_sid, session.secret(config.auth_token_file))
    assert config.client_id is not None
    assert config.client_secret_file is not None
    return kore_token(config, session, config.client_id, config.client_secret_file)


def _open(periods: list[list[str]] | None, at: float) -> Cycle | None:
    """The period in which an instant is: the youngest, should they overlap."""
    cycles = [period(moment(start, UTC), moment(end, UTC)) for start, end in periods or ()]
    open_ones = [cycle for cycle in cycles if cycle is not None and cycle.has(at)]
    return max(open_ones, key=lambda cycle: cycle.start or 0.0, default=None)


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    plans = {text(fleet, "sid"): _plan(fleet) for fleet in reply.fleets}
    known: dict[str, str] = {}
    cycles: dict[str, Cycle | None] = {}
    for name, sim in names(reply.sims, reply.directory, _SIMS, "iccid"):
        known[text(sim, "sid")] = name
        answer = reply.periods.get(name)
        cycles[name] = _open(answer.told, reply.at) if answer else None
        yield Sim(
            name,
            reply.at,
            carrier=config.network,
            state=_STATES.get(text(sim, "status"), "unknown"),
            plan=plans.get(text(sim, "fleet_sid")),
            called=text(sim, "unique_name"),
            iccid=text(sim, "iccid"),
        )
    # Of whom a row is that names nobody cannot be told; one that is not in the list any more is none of them.
    unread = set(known) if any(not text(row, "sim_sid") for row in reply.usage) else set[str]()
    for row in reply.usage:
        usage = _usage(row, known.get(text(row, "sim_sid"), ""), reply.at, cycles)
        if usage is not None:
            yield usage
        else:
            unread.add(text(row, "sim_sid"))
    yield from (AllDays(name, reply.since, cycles[name]) for sid, name in known.items() if sid not in unread)


def _plan(fleet: dict[str, Any]) -> Plan:
    cap = amount(fleet.get("data_limit"), "MB")
    return Plan(text(fleet, "unique_name"), cap=cap, after="stop")


def _usage(row: dict[str, Any], name: str, at: float, cycles: Mapping[str, Cycle | None]) -> Usage | None:
    """A day of a SIM; None for one that is not in the list any more, and for what is no amount."""
    start, end = moment(text(row, "period", "start_time"), UTC), moment(text(row, "period", "end_time"), UTC)
    used = amount(row.get("data_total"))
    if not name or start is None or used is None:
        return None
    cycle = cycles.get(name)
    inside = cycle is not None and cycle.has(start)
    until = at if end is None else min(end, at)
    return Usage(Used(used), until, name, cycle=cycle if inside else None, day=ordinal(start, UTC))

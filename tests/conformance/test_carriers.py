"""Every carrier's platform that has a specification, against Prism: no request refused, and the right bytes read.

A row of a table is what the specification's example (or, where it has none, an answer of its shape) must become.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.cellular.talk import OPTIONS, collect, session, sims_file
from tests.conformance.prism import SHARED, Prism, Way, missing, prisms, through
from tests.vendor import Vendor

from yardlight.cellular.platforms import super_sim
from yardlight.cellular.usage import SIM_STATES, Left, Plan, Record, Refused, Sim, Usage
from yardlight.demo.carrier import with_check

SPECS = SHARED / "carrier-specs"
FILES = {
    "thingspace": "verizon-thingspace/openapi.yaml",
    "control_center": "cisco-control-center/openapi.yaml",
    "kore": "kore-supersim/openapi.yaml",
    "kore_token": "kore-supersim/token.openapi.yaml",
    "twilio": "twilio-supersim/openapi.yaml",
    "programmable_wireless": "kore-programmable-wireless/openapi.yaml",
    "soracom": "soracom/openapi.yaml",
}
pytestmark = [
    pytest.mark.skipif(missing(SPECS) is not None, reason=str(missing(SPECS))),
    pytest.mark.timeout(300),
]
# Made up, where a specification has no number in its example.
OURS = with_check("890010000000000" + "7001")
SID = "a" * 32
# So much of what is listed must come out right.
RIGHT = 0.95


@dataclass(frozen=True)
class Case:
    """A platform: its requests' ways, the ICCID in its example, when it is, and what must be read."""

    platform: str
    ways: list[Way]
    iccid: str
    now: str
    expected: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)


def _super_sim(spec: str, token: list[Way]) -> list[Way]:
    # One row belongs into the period of the other example; the dates are laid beside each other.
    days = {"2019-05-03": "2021-06-19", "2019-05-04": "2021-06-20"}
    return [
        *token,
        Way("GET /v1/Sims", spec, "example=readFullByFleetSid"),
        Way("GET /v1/Fleets", spec, "example=readFull"),
        Way("GET /v1/UsageRecords", spec, "example=readDayGroupBySim", days),
        Way("GET /v1/Sims/HS[a-f0-9]{32}/BillingPeriods", spec, "example=readFullActivePeriod"),
    ]


TOKEN = Way("POST /api-services/v1/auth/token", "kore_token", base="/api-services")
SUPER_SIM = {
    "cab-7 state": "inactive",
    "cab-7 plan": Plan("Pilot Fleet", 1_000_000_000, after="stop"),
    "cab-7 2021-06-19 used": 300_000,
    "cab-7 2021-06-19 cycle start": "2021-06-09T13:18:15+00:00",
    "cab-7 2021-06-19 cycle end": "2021-07-09T13:18:15+00:00",
    "sims": 1,
    "rows": 1,
}
CASES = [
    Case(
        "thingspace",
        [
            Way("POST /ts/v1/oauth2/token", "thingspace"),
            Way("POST /m2m/v1/session/login", "thingspace"),
            Way("GET /m2m/v1/plans/.*", "thingspace"),
            Way("POST /m2m/v1/devices/actions/list", "thingspace"),
            Way("POST /m2m/v1/devices/usage/actions/list", "thingspace", "code=200"),
        ],
        "89148000000000000001",
        "2026-11-20T15:00:00Z",
        {
            "cab-7 state": "active",
            "cab-7 in_session": True,
            "cab-7 plan": Plan("FLEETSHR5GB"),
            "cab-7 2026-11-18 used": 104_857_600,
            "cab-7 2026-11-18 source": "rated",
            "cab-7 2026-11-18 cycle start": "2026-11-09T01:00:00+00:00",
            "cab-7 2026-11-18 cycle end": "2026-12-09T01:00:00+00:00",
            "cab-7 2026-11-19 used": 3072,
            "cab-7 2026-11-19 source": "estimate",
            "cab-7 2026-11-19 as_of": "2026-11-20T00:00:00+00:00",
            "sims": 1,
            "rows": 2,
        },
    ),
    Case(
        "control_center",
        [
            Way(
                "GET /v1/devices",
                "control_center",
                body={"pageNumber": 1, "devices": [{"iccid": "8988216716970004975", "status": "ACTIVATED",
                      "ratePlan": "hphlr rp1"}], "lastPage": True},
            ),
            Way(
                "GET /v1/devices/[0-9]+/ctdUsages",
                "control_center",
                swap={'-9007199254740991': '734003200', '"overageLimitOverride":"string"':
                      '"overageLimitOverride":"DEFAULT"'},
            ),
            Way(
                "GET /v1/devices/[0-9]+/sessionInfo",
                "control_center",
                body={"dateSessionStarted": "2016-06-29 00:21:33.339+0000", "dateSessionEnded": None},
            ),
        ],
        "8988216716970004975",
        "2016-07-06T22:04:04Z",
        {
            "cab-7 state": "active",
            "cab-7 in_session": True,
            "cab-7 throttled": True,
            "cab-7 plan": Plan("hphlr rp1"),
            "cab-7 total used": 734_003_200,
            "sims": 1,
            "rows": 1,
        },
    ),
    Case(
        "super_sim",
        _super_sim("kore", [TOKEN]),
        "89883070000123456789",
        "2021-06-20T12:00:00Z",
        SUPER_SIM,
    ),
    Case(
        "super_sim",
        _super_sim("twilio", []),
        "89883070000123456789",
        "2021-06-20T12:00:00Z",
        SUPER_SIM,
        {"client_id": None, "client_secret_file": None, "account_sid": "AC" + SID, "auth_token_file": "secret"},
    ),
    Case(
        "programmable_wireless",
        [
            TOKEN,
            Way(
                "GET /v1/Sims",
                "programmable_wireless",
                body={"sims": [{"sid": "DE" + SID, "iccid": OURS, "status": "suspended", "rate_plan_sid": "WP" + SID}],
                      "meta": {"next_page_url": None}},
            ),
            Way(
                "GET /v1/RatePlans",
                "programmable_wireless",
                body={"rate_plans": [{"sid": "WP" + SID, "unique_name": "2 GB", "data_limit": 2000,
                      "data_limit_strategy": "block"}], "meta": {"next_page_url": None}},
            ),
            Way(
                "GET /v1/Sims/DE[a-f0-9]{32}/UsageRecords",
                "programmable_wireless",
                body={"usage_records": [{"sim_sid": "DE" + SID, "period": {"start": "2026-11-19T00:00:00Z",
                      "end": "2026-11-20T00:00:00Z"}, "data": {"download": 10, "upload": 5, "total": 15,
                      "units": "bytes"}}], "meta": {"next_page_url": None}},
            ),
        ],
        OURS,
        "2026-11-20T15:00:00Z",
        {
            "cab-7 state": "suspended",
            "cab-7 plan": Plan("2 GB", 2_000_000_000, after="stop"),
            "cab-7 2026-11-19 used": 15,
            "sims": 1,
            "rows": 1,
        },
    ),
    Case(
        "soracom",
        [
            Way("POST /auth", "soracom"),
            Way(
                "GET /sims",
                "soracom",
                body=[{"simId": OURS, "status": "active", "speedClass": "s1.fast", "sessionStatus": {"online": True}}],
            ),
            Way(
                "GET /stats/air/sims/[0-9]+",
                "soracom",
                body=[{"date": "20261119", "unixtime": 1795046400, "dataTrafficStatsMap": {
                      "s1.fast": {"uploadByteSizeTotal": 100, "downloadByteSizeTotal": 900},
                      "s1.slow": {"uploadByteSizeTotal": 5, "downloadByteSizeTotal": 5}}}],
            ),
        ],
        OURS,
        "2026-11-20T15:00:00Z",
        {
            "cab-7 state": "active",
            "cab-7 in_session": True,
            "cab-7 plan": Plan("s1.fast"),
            "cab-7 2026-11-19 used": 1010,
            "sims": 1,
            "rows": 1,
        },
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def prism() -> Iterator[Prism]:
    with prisms({name: SPECS / file for name, file in FILES.items()}) as running:
        yield running


def test_no_request_is_refused_and_what_is_listed_is_read(prism: Prism, tmp_path: Path) -> None:
    for case in CASES:
        found = fields(run(prism, case, tmp_path))
        wrong = [
            f"{case.platform} {name}: {found.get(name)!r}, not {value!r}"
            for name, value in case.expected.items()
            if found.get(name) != value
        ]
        right, listed = len(case.expected) - len(wrong), len(case.expected)
        print(f"{case.platform}: {right} of {listed} listed fields right, {prism.asked} requests, none refused")
        # Of each platform, not of all together: one that is read wrongly is no use to whoever has it.
        assert right >= RIGHT * listed, "\n".join(wrong)
    assert prism.refused == []
    assert prism.asked >= sum(len(case.ways) for case in CASES)


@pytest.mark.parametrize(
    ("spec", "enum", "platform"),
    [
        ("kore", {"new", "ready", "active", "inactive", "scheduled"}, "super_sim"),
        ("programmable_wireless",
         {"new", "ready", "active", "suspended", "deactivated", "canceled", "scheduled", "updating"},
         "programmable_wireless"),
    ],
)  # fmt: skip
def test_a_state_that_is_under_way_at_the_operator_is_not_known(spec: str, enum: set[str], platform: str) -> None:
    """The specifications list these states; what is scheduled or updating may still be what it was."""
    said = (SPECS / FILES[spec]).read_text(encoding="utf-8")
    states = import_module(f"yardlight.cellular.platforms.{platform}")._STATES
    assert all(re.search(rf"- ['\"]?{value}['\"]?$", said, re.MULTILINE) for value in enum)
    assert enum - states.keys() == enum & {"scheduled", "updating"}
    assert set(states.values()) <= set(SIM_STATES) - {"unknown"}


def test_prism_does_refuse(prism: Prism, tmp_path: Path) -> None:
    """Or the test above says nothing: a page larger than the specification allows."""
    before = len(prism.refused)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(super_sim, "_PAGE", 1000)
        with pytest.raises(Exception, match="status 422"):
            run(prism, CASES[2], tmp_path)
    assert "PageSize" in prism.refused[before] or "pagesize" in prism.refused[before]
    del prism.refused[before:]


def run(prism: Prism, case: Case, folder: Path) -> list[Record]:
    now = datetime.fromisoformat(case.now).timestamp()
    options = {key: value for key, value in {**OPTIONS[case.platform], **case.options}.items() if value is not None}
    with Vendor(through(prism, case.ways)) as vendor, pytest.MonkeyPatch.context() as patch:
        patch.setitem(OPTIONS, case.platform, options)
        sims = sims_file(folder, {"cab-7": case.iccid})
        return collect(case.platform, vendor, session(folder, clock=lambda: now), sims=sims)


def fields(records: list[Record]) -> dict[str, Any]:
    """Everything that was read, by a name that a table can list."""
    found: dict[str, Any] = {"sims": 0, "rows": 0}
    for record in records:
        if isinstance(record, Sim):
            found["sims"] += 1
            for name in ("state", "in_session", "throttled", "plan", "carrier", "iccid", "imei", "phone"):
                found[f"{record.sim} {name}"] = getattr(record, name)
        elif isinstance(record, Usage):
            found["rows"] += 1
            when = datetime.fromordinal(record.day).date().isoformat() if record.day else "total"
            about = f"{record.sim} {when}"
            found[f"{about} {'left' if isinstance(record.amount, Left) else 'used'}"] = record.amount.bytes
            found[f"{about} source"] = record.source
            found[f"{about} as_of"] = _time(record.as_of)
            if record.cycle is not None:
                found[f"{about} cycle start"] = _time(record.cycle.start)
                found[f"{about} cycle end"] = _time(record.cycle.end)
        elif isinstance(record, Refused):
            found[f"{record.sim} refused"] = True
    return found


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()

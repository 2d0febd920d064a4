"""Samsara's streams and status pages against Prism: no request refused, and what the specification shows is read.

A row of a table is what the specification's example must become. Prism says of each page that there is another one;
where that is not the point, the page is made the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.prism import SHARED, Prism, Way, missing, prisms, through
from tests.feeds.platforms import collect, components, records, session
from tests.vendor import Vendor

from yardlight.errors import BadReplyError, IncompleteError
from yardlight.feeds import contract_file, contracts
from yardlight.feeds.judge import check
from yardlight.feeds.platforms import samsara
from yardlight.feeds.record import Component, Record
from yardlight.feeds.record import Told as Item

SPECS = SHARED / "vendor-specs"
FILES = {
    "samsara": "samsara/openapi.json",
    "samsara_2021": "samsara/openapi-official-2021-06-09.json",
    "statuspage": "statuspage/openapi.json",
}
pytestmark = [
    pytest.mark.skipif(missing(SPECS) is not None, reason=str(missing(SPECS))),
    pytest.mark.timeout(300),
]
# So much of what is listed must come out right.
RIGHT = 0.95
LAST = {'"hasNextPage":true': '"hasNextPage":false'}
THEN = "2020-01-27T07:06:25+00:00"
CAB = "Midwest Truck #4"


@dataclass(frozen=True)
class Case:
    """A stream of a platform, the request's way, and what of the answer must be read."""

    platform: str
    stream: str
    way: Way
    expected: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.way.spec} {self.stream} {self.way.example or ''}"


GPS = {
    "records": 1,
    "0 id": "112",
    "0 time": THEN,
    "0 truck": "Truck A7",
    "0 moving": True,
    "0 odometer": 14010293,
    "0 fuel": 54,
}
CHANGES = {
    "records": 3,
    **{f"{each} id": "112" for each in range(3)},
    **{f"{each} truck": "Truck A7" for each in range(3)},
    **{f"{each} time": THEN for each in range(3)},
    "0 value": "Off",
    "1 value": 14010293,
}
LOGS = {"records": 1, "0 id": "88668", "0 time": THEN, "0 truck": CAB, "0 status": "offDuty"}
CASES = [
    Case("samsara", "gps", Way("GET /fleet/vehicles/stats", "samsara", swap=LAST), GPS),
    Case("samsara", "gps", Way("GET /fleet/vehicles/stats", "samsara_2021", swap=LAST), GPS),
    Case("samsara", "changes", Way("GET /fleet/vehicles/stats/feed", "samsara", swap=LAST), CHANGES),
    Case("samsara", "changes", Way("GET /fleet/vehicles/stats/feed", "samsara_2021", swap=LAST), CHANGES),
    Case("samsara", "hos_logs", Way("GET /fleet/hos/logs", "samsara", swap=LAST), LOGS),
    Case("samsara", "hos_logs", Way("GET /fleet/hos/logs", "samsara_2021", swap=LAST), LOGS),
    Case(
        "samsara",
        "gateways",
        Way("GET /gateways", "samsara", swap=LAST),
        {"records": 1, "0 id": "GFRV-43N-VGX", "0 time": "2019-06-13T19:08:25+00:00", "0 health": "Status Not Set"},
    ),
    *(
        Case(
            "statuspage",
            "components",
            Way("GET /api/v2/summary.json", "statuspage", f"example={example}"),
            {"components": 8, **dict.fromkeys(("GitLab", "Knowledge Graph", "Renkulab web UI", "Loud"), "operational")},
        )
        for example in ("operational", "outage")
    ),
]


@pytest.fixture(scope="module")
def prism() -> Iterator[Prism]:
    with prisms({name: SPECS / file for name, file in FILES.items()}) as running:
        yield running


def test_no_request_is_refused_and_what_is_listed_is_read(prism: Prism, tmp_path: Path) -> None:
    wrong, listed = [], 0
    for case in CASES:
        found = fields(run(prism, case, tmp_path))
        listed += len(case.expected)
        wrong += [
            f"{case.name} {name}: {found.get(name)!r}, not {value!r}"
            for name, value in case.expected.items()
            if found.get(name) != value
        ]
    assert prism.refused == []
    assert prism.asked == len(CASES)
    print(f"{listed - len(wrong)} of {listed} listed fields right, {prism.asked} requests, none refused")
    assert len(wrong) <= (1 - RIGHT) * listed, "\n".join(wrong)


def test_the_examples_keep_the_contracts_that_come_along(prism: Prism, tmp_path: Path) -> None:
    for case in CASES:
        if case.platform == "samsara":
            contract = contract_file.read(contracts.shipped_file(case.platform, case.stream))
            found = contracts.outermost(records(run(prism, case, tmp_path)))
            assert check(found * 50, contract) == [], case.name


def test_a_page_that_leads_to_itself_is_an_end(prism: Prism, tmp_path: Path) -> None:
    """Prism's own pages always have another one behind them, which is the same."""
    with pytest.raises(IncompleteError, match="there before"):
        run(prism, Case("samsara", "gps", Way("GET /fleet/vehicles/stats", "samsara"), {}), tmp_path)


def test_prism_does_refuse(prism: Prism, tmp_path: Path) -> None:
    """Or the first test says nothing: a question without the types that must be in it."""
    before = len(prism.refused)
    streams = {**samsara.STREAMS, "gps": samsara.STREAMS["gps"].model_copy(update={"params": {}})}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samsara, "STREAMS", streams)
        with pytest.raises(BadReplyError, match="status 422"):
            run(prism, CASES[0], tmp_path)
    assert "GET /fleet/vehicles/stats: 422" in prism.refused[before]
    del prism.refused[before:]


def run(prism: Prism, case: Case, folder: Path) -> list[Item]:
    with Vendor(through(prism, [case.way])) as vendor:
        return collect(case.platform, case.stream, vendor.url, session(folder))


def fields(items: list[Item]) -> dict[str, Any]:
    """Everything that was read, by a name that a table can list."""
    found: dict[str, Any] = {"records": 0, "components": len([each for each in items if isinstance(each, Component)])}
    found.update(components(items))
    for index, record in enumerate(records(items)):
        found["records"] += 1
        found |= {f"{index} {name}": value for name, value in values(record).items()}
    return found


def values(record: Record) -> dict[str, Any]:
    """A record's fields; its time as people write it."""
    at = datetime.fromtimestamp(record.time, UTC).isoformat() if isinstance(record.time, float) else record.time
    return {"id": record.id, "time": at, "truck": record.truck, "moving": record.moving, **record.values}

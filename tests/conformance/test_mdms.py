"""Every MDM that has a specification, against Prism: no request refused, and the right fields of devices read.

A row of a table is what the specification's example must become; where it has an enumeration, each of its values. The
specification of Graph is the excerpt that lies there: the whole has 30 MB. None lies there for the other MDMs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.prism import SHARED, Prism, Way, missing, prisms, through
from tests.mdm.talk import account, records_of, session
from tests.vendor import Answer, Asked, Vendor

from yardlight.mdm.device import Device, Record
from yardlight.mdm.platforms import intune, jamf

SPECS = SHARED / "vendor-specs"
FILES = {
    "graph": "microsoft-graph-intune/openapi.json",
    "jamf 11.30.1": "jamf-pro/openapi.json",
    "jamf 11.23.2": "jamf-pro/openapi-11.23.2.json",
}
EXAMPLE = "microsoft-graph-intune/example-list-response.json"
pytestmark = [
    pytest.mark.skipif(missing(SPECS) is not None, reason=str(missing(SPECS))),
    pytest.mark.timeout(300),
]
# So much of what is listed must come out right.
RIGHT = 0.95
INTUNE = {"tenant": "t", "client_id": "c", "client_secret_file": "secret", "login_url": "{base}"}
# Neither the taking of tokens nor the settings are in the excerpt.
GRAPH = {**INTUNE, "read_settings": False}
JAMF = {"client_id": "c", "client_secret_file": "secret", "computers": True}
MANAGED = "/v1.0/deviceManagement/managedDevices"


@dataclass(frozen=True)
class Case:
    """A platform with its options, its requests' ways, and what must be read."""

    name: str
    platform: str
    options: Mapping[str, Any]
    ways: list[Way]
    expected: Mapping[str, Any]
    answers: Mapping[str, Any] = field(default_factory=dict)


def graph(name: str, way: Way, expected: Mapping[str, Any]) -> Case:
    overview = Way("GET /v1.0/deviceManagement/managedDeviceOverview", "graph", base="/v1.0")
    token = {"POST /t/oauth2/v2.0/token": {"access_token": "t", "expires_in": 3599}}
    return Case(name, "intune", GRAPH, [overview, way], expected, token)


def server(version: str, computers: str, expected: Mapping[str, Any]) -> Case:
    spec = f"jamf {version}"
    # Both have one record in their example and count more; commands are in the newer excerpt only.
    one = {'"totalCount":2': '"totalCount":1', '"totalCount":3': '"totalCount":1'}
    wiped = {"aaaaaaaa-3f1e-4b3a-a5b3-ca0cd7430937": "9932fad3-29e9-4b71-bc7c-77dcefce819d"}
    ways = [
        Way("POST /api/v1/oauth/token", spec, base="/api"),
        Way("GET /api/v1/jamf-pro-version", spec, swap={"10.9.0": f"{version}-t1"}, base="/api"),
        Way("GET /api/v2/mobile-devices/detail", spec, swap=one, base="/api"),
        Way(f"GET /api/{computers}/computers-inventory", spec, swap=one, base="/api"),
        Way("GET /api/v2/mdm/commands", "jamf 11.30.1", swap=wiped, base="/api"),
    ]
    return Case(spec, "jamf", JAMF, ways, expected)


OF_JAMF = {
    "devices": 2,
    "mobile 1 serial": "5c28fdae",
    "mobile 1 name": "Banezicron",
    "mobile 1 group": "Test Group",
    "mobile 1 os": "iOS",
    "mobile 1 os_version": "11.4",
    "mobile 1 checkin": "2022-10-17T11:48:56.307000+00:00",
    "mobile 1 inventory": "2022-10-17T11:48:56.307000+00:00",
    "mobile 1 enrolled": "2022-10-17T11:48:56.307000+00:00",
    "mobile 1 compliance": "unknown",
    "mobile 1 apps": {"com.apple.airport.mobileairportutility": "7.0"},
    "mobile 1 order": ("wipe", "2019-05-16T20:43:43.945000+00:00", "pending"),
    "computer 1 serial": "C02ZC2QYLVDL",
    "computer 1 name": "Boalime",
    "computer 1 group": "Eau Claire",
    "computer 1 os": "macOS",
    "computer 1 os_version": "10.9.5",
    "computer 1 checkin": "2018-10-31T18:04:13+00:00",
    "computer 1 inventory": "2018-10-31T18:04:13+00:00",
    "computer 1 enrolled": "2018-10-31T18:04:13+00:00",
}


def cases() -> list[Case]:
    example = json.loads((SPECS / EXAMPLE).read_text(encoding="utf-8"))
    # The next link of Prism's sample is the word "string".
    sample = {'"@odata.nextLink":"string"': '"@odata.nextLink":null', '"actionName":"string"': '"actionName":"wipe"'}
    return [
        graph(
            "graph by its schema",
            Way(f"GET {MANAGED}", "graph", swap=sample, base="/v1.0"),
            {
                "devices": 1,
                "string serial": "string",
                "string name": "string",
                "string group": "string",
                "string os": "string",
                "string os_version": "string",
                "string checkin": "2019-08-24T14:15:22+00:00",
                "string enrolled": "2019-08-24T14:15:22+00:00",
                "string compliance": "unknown",
                "string order": ("wipe", "2019-08-24T14:15:22+00:00", "pending"),
            },
        ),
        graph(
            "graph by the example of its documents",
            Way(f"GET {MANAGED}", "graph", body=example, base="/v1.0"),
            {
                "devices": 1,
                "705c034c-034c-705c-4c03-5c704c035c70 serial": "Serial Number value",
                "705c034c-034c-705c-4c03-5c704c035c70 name": "Device Name value",
                "705c034c-034c-705c-4c03-5c704c035c70 group": "Device Category Display Name value",
                "705c034c-034c-705c-4c03-5c704c035c70 os": "Operating System value",
                "705c034c-034c-705c-4c03-5c704c035c70 os_version": "Os Version value",
                "705c034c-034c-705c-4c03-5c704c035c70 checkin": "2017-01-01T08:02:49.320598+00:00",
                "705c034c-034c-705c-4c03-5c704c035c70 enrolled": "2017-01-01T07:59:43.797191+00:00",
                "705c034c-034c-705c-4c03-5c704c035c70 compliance": "compliant",
                "705c034c-034c-705c-4c03-5c704c035c70 order": (
                    "other", "2017-01-01T07:58:46.715619+00:00", "pending",
                ),
            },
        ),
        server("11.30.1", "v4", OF_JAMF),
        server("11.23.2", "v3", OF_JAMF),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    with prisms({name: served(name, tmp_path_factory.mktemp("spec")) for name in FILES}) as running:
        yield running


def served(name: str, folder: Path) -> Path:
    """The specification; Jamf's says that who asks for a token must have one, and is changed in that."""
    spec = json.loads((SPECS / FILES[name]).read_text(encoding="utf-8"))
    if token := spec["paths"].get("/v1/oauth/token"):
        token["post"]["security"] = []
    path = folder / "openapi.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def run(prism: Prism, case: Case, folder: Path, *alone: str) -> list[Record]:
    """The records of one collection; of these devices `alone`, if there are any."""
    judged = through(prism, case.ways)

    def script(asked: Asked) -> Answer:
        known = case.answers.get(f"{asked.method} {asked.path}")
        answer: Answer = judged(asked) if known is None else Answer(known)
        return answer

    with Vendor(script) as vendor:
        if not alone:
            return records_of(case.platform, folder, {"options": case.options}, vendor.url)
        name, options = account(case.platform, vendor.url, {"options": case.options})
        module = import_module(name)
        config = module.Config.model_validate(options)
        return list(module.parse(module.fetch_some(config, session(folder), alone), config))


def test_no_request_is_refused_and_what_is_listed_is_read(prism: Prism, tmp_path: Path) -> None:
    for case in cases():
        found = fields(run(prism, case, tmp_path))
        wrong = [
            f"{case.name} {name}: {found.get(name)!r}, not {value!r}"
            for name, value in case.expected.items()
            if found.get(name) != value
        ]
        listed = len(case.expected)
        print(f"{case.name}: {listed - len(wrong)} of {listed} listed fields right")
        assert len(wrong) <= (1 - RIGHT) * listed, "\n".join(wrong)
    print(f"{prism.asked} requests, {len(prism.refused)} refused")
    assert prism.refused == []
    assert prism.asked == sum(len(case.ways) for case in cases())


def test_devices_that_are_asked_for_alone_are_the_same(prism: Prism, tmp_path: Path) -> None:
    alone = Way(f"GET {MANAGED}/string", "graph", swap={'"actionName":"string"': '"actionName":"wipe"'}, base="/v1.0")
    for case, ids in zip(
        cases(), (["string"], [], ["mobile 1", "computer 1"], ["mobile 1", "computer 1"]), strict=True
    ):
        if ids:
            found = fields(run(prism, replace(case, ways=[alone, *case.ways]), tmp_path, *ids))
            assert {name: found[name] for name in case.expected} == case.expected
    assert prism.refused == []


def test_prism_does_refuse(prism: Prism, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the test above says nothing: a section that no server has, and a page of no number."""
    before = len(prism.refused)
    monkeypatch.setattr(jamf, "_PER_PAGE", "many")
    with pytest.raises(Exception, match="status 422"):
        run(prism, cases()[2], tmp_path)
    assert "page-size" in prism.refused[before]
    del prism.refused[before:]


def test_what_lists_are_sorted_and_filtered_by_is_what_the_documents_allow(
    prism: Prism, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prism takes any text there."""
    asked: list[Asked] = []
    case = cases()[2]
    judged = through(prism, case.ways)

    def script(one: Asked) -> Answer:
        asked.append(one)
        return judged(one)

    monkeypatch.setattr(f"{__name__}.through", lambda *_: script)
    run(prism, case, tmp_path)
    run(prism, case, tmp_path, "mobile 1", "computer 1")
    spec = json.loads((SPECS / FILES["jamf 11.30.1"]).read_text(encoding="utf-8"))
    checked = 0
    for one in asked:
        for parameter in spec["paths"][one.path.removeprefix("/api")].get("get", {}).get("parameters", []):
            if (said := one.query.get(parameter.get("name", ""))) and parameter["name"] in ("sort", "filter"):
                checked += 1
                assert said.split(":")[0].split("=")[0] in parameter["description"]
    assert checked == 10


MEANINGS = {
    "complianceState": {
        "unknown": "unknown", "compliant": "compliant", "noncompliant": "noncompliant", "conflict": "noncompliant",
        "error": "noncompliant", "inGracePeriod": "grace", "configManager": "unknown",
    },
    "managementState": {
        "managed": None, "unhealthy": None, "discovered": None, "unknownFutureValue": None, "deletePending": None,
        "retirePending": ("retire", "pending"), "retireIssued": ("retire", "pending"),
        "retireFailed": ("retire", "failed"), "retireCanceled": None,
        "wipePending": ("wipe", "pending"), "wipeIssued": ("wipe", "pending"), "wipeFailed": ("wipe", "failed"),
        "wipeCanceled": None,
    },
    "actionState": {
        "none": "pending", "pending": "pending", "active": "pending", "done": "done", "canceled": "done",
        "failed": "failed", "notSupported": "failed",
    },
}  # fmt: skip


def test_each_value_of_an_enumeration_of_graph_means_what_is_listed() -> None:
    spec = json.loads((SPECS / FILES["graph"]).read_text(encoding="utf-8"))
    config = intune.Config(tenant="t", client_id="c", client_secret_file="s")

    def device(**said: Any) -> Device:
        reply = {
            "overview": {},
            "settings": None,
            "secrets": [],
            "without": [],
            "pages": [{"value": [{"id": "1", **said}]}],
        }
        [found] = [record for record in intune.parse(reply, config) if isinstance(record, Device)]
        return found

    def order(found: Device) -> tuple[str, str] | None:
        return (found.orders[0].action, found.orders[0].progress) if found.orders else None

    def meaning(name: str, value: str) -> Any:
        if name == "complianceState":
            return device(complianceState=value).compliance
        if name == "managementState":
            return order(device(managementState=value))
        return device(deviceActionResults=[{"actionName": "wipe", "actionState": value}]).orders[0].progress

    for name, meanings in MEANINGS.items():
        values = spec["components"]["schemas"][f"microsoft.graph.{name}"]["enum"]
        assert {value: meaning(name, value) for value in values} == meanings


def test_each_state_of_a_command_of_jamf_is_known() -> None:
    spec = json.loads((SPECS / FILES["jamf 11.30.1"]).read_text(encoding="utf-8"))
    assert set(spec["components"]["schemas"]["MdmCommandState"]["enum"]) == set(jamf._PROGRESS)


def fields(records: list[Record]) -> dict[str, Any]:
    """Everything that was read, by a name that a table can list."""
    devices = [record for record in records if isinstance(record, Device)]
    found: dict[str, Any] = {"devices": len(devices)}
    for device in devices:
        for name in ("serial", "name", "group", "os", "os_version", "compliance", "apps"):
            found[f"{device.id} {name}"] = getattr(device, name)
        for name in ("checkin", "inventory", "enrolled"):
            found[f"{device.id} {name}"] = _time(getattr(device, name))
        for order in device.orders:
            found[f"{device.id} order"] = (order.action, _time(order.since), order.progress)
    return found


def _time(at: Any) -> Any:
    return datetime.fromtimestamp(at, UTC).isoformat() if isinstance(at, float) else at

"""What platforms get wrong: no crash, no SIM made up, none lost, and nothing taken for zero."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cellular.talk import NOW, collect, session, sims_file, spoken
from tests.cellular.test_platforms import FIXTURES
from tests.spoiling import places, put
from tests.vendor import Answer, Asked, Told, Vendor

from yardlight.cellular.usage import Directory, Left, Refused, Sim, usages
from yardlight.demo.carrier import Carrier, fake_sims, with_check
from yardlight.demo.faces import ControlCenter, SuperSim, ThingSpace
from yardlight.errors import BadReplyError, ForeignLinkError, IncompleteError, PollError, ThrottledError

ICCID = re.compile(r"(?<!\d)89\d{17,18}(?!\d)")
STRANGE = [
    None, "", "n/a", "0", "-1", -1, 1e308, True, [], {}, ["x"], {"x": 1}, "12", 10**30, "9" * 5000, "9999-12-31",
    "<html>",
]  # fmt: skip
LISTS = {
    "thingspace": "POST /m2m/v1/devices/actions/list",
    "control_center": "GET /v1/devices",
    "super_sim": "GET /v1/Sims",
    "programmable_wireless": "GET /v1/Sims",
    "soracom": "GET /sims",
    "emnify": "GET /api/v1/sim",
}
LAST = ("next_page_url", "hasMoreData", "lastPage")
FIXTURE = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FIXTURES}
PLATFORMS = sorted(FIXTURE)


@pytest.fixture(scope="module")
def vendor() -> Iterator[tuple[Vendor, list[Any]]]:
    """A vendor whose script is what the list holds."""
    script: list[Any] = [None]
    with Vendor(lambda asked: script[0](asked)) as running:
        yield running, script


@pytest.mark.parametrize("platform", PLATFORMS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(data=st.data())
def test_one_strange_value_anywhere_costs_no_other_sim_and_makes_up_none(
    platform: str, vendor: tuple[Vendor, list[Any]], data: st.DataObject
) -> None:
    running, script = vendor
    exchanges = FIXTURE[platform]["exchanges"]
    index = data.draw(st.integers(0, len(exchanges) - 1))
    said = exchanges[index]["say"]
    path = data.draw(st.sampled_from([*places(said)] or [()]))
    value = data.draw(st.sampled_from([*STRANGE, "twice"]))
    changed = put(said, path, value) if path else value
    told = Told(
        {"exchanges": [{**each, "say": changed if n == index else each["say"]} for n, each in enumerate(exchanges)]}
    )
    script[0], told.base = told, running.url
    folder = Path(tempfile.mkdtemp())
    try:
        records = collect(platform, running, session(folder, memory={"key": "k"}), **FIXTURE[platform]["options"])
    except PollError:
        return
    finally:
        shutil.rmtree(folder)
    found = {record.sim for record in records if isinstance(record, Sim)}
    assert found <= names(platform, exchanges)
    assert {record.sim for record in usages(records) if record.sim} <= found
    assert {record.sim for record in records if isinstance(record, Refused)} <= found
    # Of the SIM whose own record was changed nothing is expected.
    listing = exchanges[index]["ask"] == LISTS[platform]
    excused = names(platform, [{**exchanges[index], "say": said}]) if listing else set()
    # Nobody can tell that a page is not the last if it says that it is.
    excused |= names(platform, exchanges) if listing and path and path[-1] in LAST else set()
    assert found >= names(platform, exchanges) - excused
    assert all(record.as_of <= NOW for record in usages(records))


def names(platform: str, exchanges: list[dict[str, Any]]) -> set[str]:
    """The SIMs that lists in these exchanges have."""
    directory = Directory({}, "k")
    text = json.dumps([each["say"] for each in exchanges if each["ask"] == LISTS[platform]])
    return {directory.name(number) for number in ICCID.findall(text)}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "spoiled",
    [b"<html><body>Maintenance</body></html>", b'{"devices": [{"iccid": "89', b"", b"null", b"[1, 2]", b'"text"'],
    ids=["html", "cut off", "empty", "null", "numbers", "text"],
)
def test_a_list_of_sims_that_is_none_fails_the_collection(
    platform: str, spoiled: bytes, vendor: tuple[Vendor, list[Any]], tmp_path: Path
) -> None:
    running, script = vendor
    told = Told(FIXTURE[platform])
    script[0] = lambda asked: Answer(spoiled) if f"{asked.method} {asked.path}" == LISTS[platform] else told(asked)
    with pytest.raises((BadReplyError, IncompleteError)):
        collect(platform, running, session(tmp_path), **FIXTURE[platform]["options"])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_empty_list_where_sims_were_is_no_account_without_sims(
    platform: str, vendor: tuple[Vendor, list[Any]], tmp_path: Path
) -> None:
    running, script = vendor
    told = Told(FIXTURE[platform])
    script[0], told.base = told, running.url
    under_way = session(tmp_path)
    collect(platform, running, under_way, **FIXTURE[platform]["options"])
    empty = {"thingspace": {"devices": [], "hasMoreData": False}, "control_center": {"devices": [], "lastPage": True}}
    told.exchanges = [{**each, "when": {}} for each in told.exchanges]
    said = empty.get(
        platform, {"sims": [], "meta": {"next_page_url": None}} if LISTS[platform].endswith("/Sims") else []
    )
    script[0] = lambda asked: Answer(said) if f"{asked.method} {asked.path}" == LISTS[platform] else told(asked)
    with pytest.raises(IncompleteError, match=r"lists no SIM, where it listed \d before"):
        collect(platform, running, session(tmp_path, memory=under_way.memory), **FIXTURE[platform]["options"])


def carrier(count: int = 3) -> Carrier:
    return Carrier("verizon", fake_sims("cab", count, 30_000_000), lambda: NOW, 10**9)


@pytest.mark.parametrize(
    "following", ["https://evil.example/v1/Sims?Page=1", "http://127.0.0.1:1/v1/Sims", "//evil.example/v1/Sims"]
)
def test_a_next_page_on_somebody_elses_host_is_not_asked(following: str, tmp_path: Path) -> None:
    face = SuperSim(carrier(), 1000)

    def script(asked: Asked) -> Answer:
        answer = spoken(face)(asked)
        if asked.path == "/v1/Sims":
            answer.content["meta"]["next_page_url"] = following
        return answer

    with Vendor(script) as vendor, pytest.raises(ForeignLinkError):
        collect("super_sim", vendor, session(tmp_path))


def test_a_page_that_leads_to_itself_ends(tmp_path: Path) -> None:
    face = SuperSim(carrier(), 1000)

    def script(asked: Asked) -> Answer:
        answer = spoken(face)(asked)
        if asked.path == "/v1/UsageRecords":
            answer.content["meta"]["next_page_url"] = "/v1/UsageRecords?StartTime=2026-11-01T00:00:00Z"
        return answer

    with Vendor(script) as vendor, pytest.raises(IncompleteError, match="there before"):
        collect("super_sim", vendor, session(tmp_path))


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "0.05"}, {"Retry-After": "0"}, {}], ids=["fraction", "zero", "none"]
)
def test_a_collection_waits_when_told_so_and_goes_on(headers: dict[str, str], tmp_path: Path) -> None:
    face, refusals = ControlCenter(carrier(), rate=1e9), iter([True])

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("ctdUsages") and next(refusals, False):
            return Answer({"errorMessage": "Rate limit exceeded", "errorCode": "40000029"}, 400, headers)
        return spoken(face)(asked)

    with Vendor(script) as vendor:
        records = collect("control_center", vendor, session(tmp_path))
    assert len(usages(records)) == 3


def test_throttled_for_longer_than_there_is_time_keeps_what_was_read(tmp_path: Path) -> None:
    face = ControlCenter(carrier(), rate=1e9)
    answered: list[str] = []

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("ctdUsages") and answered:
            return Answer({"errorCode": "40000029"}, 400, {"Retry-After": "3600"})
        if asked.path.endswith("ctdUsages"):
            answered.append(asked.path)
        return spoken(face)(asked)

    with Vendor(script) as vendor:
        under_way = session(tmp_path)
        records = collect("control_center", vendor, under_way)
    assert len(usages(records)) == 1
    assert len([record for record in records if isinstance(record, Sim)]) == 3
    assert len(under_way.memory["asked"]) == 1


def test_throttled_from_the_first_request_on_is_a_failed_collection(tmp_path: Path) -> None:
    broken = carrier()
    broken.faults.throttled = True
    with Vendor(spoken(ControlCenter(broken))) as vendor, pytest.raises(ThrottledError):
        collect("control_center", vendor, session(tmp_path, seconds=1.0))


def test_units_that_change_between_pages_are_each_their_own(tmp_path: Path) -> None:
    """KORE says the unit beside each number."""
    fixture = FIXTURE["programmable_wireless"]
    told = Told(fixture)
    with Vendor(told) as vendor:
        records = collect("programmable_wireless", vendor, session(tmp_path))
    assert [usage.amount.bytes for usage in usages(records)] == [15, 1_500_000]


def test_three_of_forty_sims_that_cannot_be_read_are_refused_and_not_zero(tmp_path: Path) -> None:
    shared = carrier(40)
    shared.faults.unreadable = {"cab-103", "cab-117", "cab-140"}
    with Vendor(spoken(ControlCenter(shared, rate=1e9))) as vendor:
        names = sims_file(tmp_path, {sim.name: sim.iccid for sim in shared.sims.values()})
        records = collect("control_center", vendor, session(tmp_path), sims=names)
    assert {record.sim for record in records if isinstance(record, Refused)} == shared.faults.unreadable
    assert len(usages(records)) == 37
    assert len({record.sim for record in records if isinstance(record, Sim)}) == 40


def test_c20_one_sim_listed_with_19_and_20_digits_and_an_f_is_one(tmp_path: Path) -> None:
    one = carrier(1)
    number = next(iter(one.sims))
    face = ControlCenter(one, rate=1e9)

    def script(asked: Asked) -> Answer:
        if asked.path == "/v1/devices":
            spelled = [number, number[:-1], f"{number[:-1]}F", f"{number[:4]} {number[4:]}"]
            return Answer({"devices": [{"iccid": each, "status": "ACTIVATED"} for each in spelled], "lastPage": True})
        return spoken(face)(
            Asked(asked.method, asked.path.replace(asked.path.split("/")[3], number), {}, asked.headers, b"")
        )

    with Vendor(script) as vendor:
        names = sims_file(tmp_path, {"cab-101": number[:-1]})
        records = collect("control_center", vendor, session(tmp_path), sims=names)
    assert [record.sim for record in records] == ["cab-101", "cab-101"]


def test_rows_that_come_days_late_are_read_when_they_come(tmp_path: Path) -> None:
    late, now = carrier(1), [NOW]
    late.clock = lambda: now[0]
    with Vendor(spoken(ThingSpace(late))) as vendor:
        under_way = session(tmp_path, clock=late.clock)
        late.faults.late = 4 * 86400.0
        first = {usage.day: usage for usage in usages(collect("thingspace", vendor, under_way))}
        late.faults.late = 0.0
        now[0] += 3600.0
        again = session(tmp_path, clock=late.clock, memory=under_way.memory)
        second = {usage.day: usage for usage in usages(collect("thingspace", vendor, again))}
    missing = set(range(max(first) + 1, late.ordinal(NOW) + 1))
    assert missing
    assert missing <= set(second)


def test_a_sim_that_was_refused_for_long_is_read_from_when_it_last_told(tmp_path: Path) -> None:
    refused, now, memory = carrier(2), [NOW], None
    refused.clock = lambda: now[0]
    told: set[int | None] = set()
    with Vendor(spoken(ThingSpace(refused))) as vendor:
        for day in range(12):
            now[0] = NOW + day * 86400.0
            refused.faults.unreadable = {"cab-101"} if 0 < day < 11 else set()
            under_way = session(tmp_path, clock=refused.clock, memory=memory)
            names = sims_file(tmp_path, {sim.name: sim.iccid for sim in refused.sims.values()})
            records = collect("thingspace", vendor, under_way, sims=names)
            told |= {usage.day for usage in usages(records) if usage.sim == "cab-101"}
            memory = under_way.memory
    assert set(range(refused.ordinal(NOW), refused.ordinal(now[0]) + 1)) <= told


def test_an_activation_in_the_future_is_said_as_it_is(tmp_path: Path) -> None:
    face = ThingSpace(carrier(1))

    def script(asked: Asked) -> Answer:
        answer = spoken(face)(asked)
        if asked.path.endswith("/devices/actions/list"):
            answer.content["devices"][0]["lastActivationDate"] = "2027-01-01T00:00:00Z"
        return answer

    with Vendor(script) as vendor:
        records = collect("thingspace", vendor, session(tmp_path))
    [sim] = [record for record in records if isinstance(record, Sim)]
    assert sim.activated == 1798761600.0


@pytest.mark.parametrize("attributes", [[], [{"key": "DeviceId", "value": "9" * 5000}]])
def test_a_thousand_devices_and_nothing_that_leads_to_the_next_page_is_incomplete(
    attributes: list[Any], tmp_path: Path
) -> None:
    face = ThingSpace(carrier(3), page=2)

    def script(asked: Asked) -> Answer:
        answer = spoken(face)(asked)
        for device in answer.content.get("devices", ()) if asked.path.endswith("/devices/actions/list") else ():
            device["extendedAttributes"] = attributes
        return answer

    with Vendor(script) as vendor, pytest.raises(IncompleteError, match="nothing that leads to them"):
        collect("thingspace", vendor, session(tmp_path))


@pytest.mark.parametrize("meta", [{}, {"x": 1}, None, [], {"next_page_url": 1}])
def test_a_page_of_kores_that_says_nothing_of_a_next_one_is_incomplete(meta: Any, tmp_path: Path) -> None:
    exchanges = FIXTURE["super_sim"]["exchanges"]
    at = next(n for n, each in enumerate(exchanges) if each["ask"] == LISTS["super_sim"])
    script = Told({"exchanges": [*exchanges[:at], {**exchanges[at], "say": {**exchanges[at]["say"], "meta": meta}}]})
    with Vendor(script) as running:
        script.base = running.url
        with pytest.raises(PollError, match="nothing says whether there is another page"):
            collect("super_sim", running, session(tmp_path, memory={"key": "k"}), **FIXTURE["super_sim"]["options"])


def test_usage_of_an_amount_below_zero_is_said_as_it_is(tmp_path: Path) -> None:
    face = ControlCenter(carrier(1), rate=1e9)

    def script(asked: Asked) -> Answer:
        answer = spoken(face)(asked)
        if asked.path.endswith("ctdUsages"):
            answer.content["ctdDataUsage"] = "-5"
        return answer

    with Vendor(script) as vendor:
        [usage] = usages(collect("control_center", vendor, session(tmp_path)))
    assert usage.amount.bytes == -5


QUOTA = {"volume": 300, "last_volume_added": 500, "expiry_date": "2027-01-01T00:00:00Z", "auto_refill": 0}
MONTH = {"volume": "12.5", "last_updated": "2026-11-20T10:00:00Z", "month": "2026-11"}


def emnify(quota: Answer, sims: int = 1, page: int = 500) -> Callable[[Asked], Answer]:
    """A workspace of so many SIMs, of which a page has no more than `page` whatever was asked for."""
    listed = [
        {
            "id": n,
            "iccid": with_check(f"8900100000000{n:05}"),
            "status": {"description": "Activated"},
            "endpoint": {"id": n},
        }
        for n in range(1, sims + 1)
    ]

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/authenticate"):
            return Answer({"auth_token": "t"})
        if asked.path == "/api/v1/sim":
            number = int(asked.query["page"])
            some = listed[(number - 1) * page : number * page]
            return Answer(some, 200, {"X-Total-Pages": str(-(-sims // page))})
        return quota if asked.path.endswith("/quota/data") else Answer({"current_month": {"data": MONTH}})

    return script


@pytest.mark.parametrize("quota", [Answer(b"<html>back soon</html>"), Answer(b'{"volume": 30'), Answer({}, 400)])
def test_a_quota_that_cannot_be_read_once_is_refused_and_not_taken_for_none(quota: Answer, tmp_path: Path) -> None:
    first = emnify(Answer(QUOTA), sims=2)

    def script(asked: Asked) -> Answer:
        return quota if asked.path == "/api/v1/endpoint/2/quota/data" else first(asked)

    with Vendor(script) as vendor:
        records = collect("emnify", vendor, session(tmp_path))
    assert [usage.amount for usage in usages(records)] == [Left(300 * 10**6)]
    assert len([each for each in records if isinstance(each, Refused)]) == 1


@pytest.mark.parametrize(("refill", "expires"), [(0, 1798761600.0), (1, None)])
def test_a_quota_that_is_refilled_by_itself_does_not_expire(refill: int, expires: float | None, tmp_path: Path) -> None:
    with Vendor(emnify(Answer({**QUOTA, "auto_refill": refill}))) as vendor:
        [sim] = [each for each in collect("emnify", vendor, session(tmp_path)) if isinstance(each, Sim)]
    assert sim.expires == expires


def test_a_quota_that_expired_blocks_its_sim(tmp_path: Path) -> None:
    with Vendor(emnify(Answer({**QUOTA, "status": {"description": "EXPIRED"}}))) as vendor:
        [sim] = [each for each in collect("emnify", vendor, session(tmp_path)) if isinstance(each, Sim)]
    assert sim.state == "blocked"


def test_pages_that_are_smaller_than_asked_for_are_all_read_where_their_number_is_told(tmp_path: Path) -> None:
    with Vendor(emnify(Answer({}, 404), sims=25, page=10)) as vendor:
        records = collect("emnify", vendor, session(tmp_path))
    assert len([each for each in records if isinstance(each, Sim)]) == 25


def test_rows_that_come_newest_first_on_several_pages_are_not_taken_for_all(tmp_path: Path) -> None:
    face = ThingSpace(carrier(1), page=2)

    def script(asked: Asked) -> Answer:
        answer = spoken(face)(asked)
        if asked.path.endswith("/usage/actions/list"):
            answer.content["usageHistory"].reverse()
            answer.content["hasMoreData"] = True
        return answer

    with Vendor(script) as vendor, pytest.raises(BadReplyError, match="those of this page do not go on in time"):
        collect("thingspace", vendor, session(tmp_path))


def test_terminated_sims_at_the_head_of_a_list_that_the_platform_refuses_cost_nobody_else(tmp_path: Path) -> None:
    face = ControlCenter(carrier(30), rate=1e9)
    retired = {sim.iccid for sim in list(face.carrier.sims.values())[:11]}

    def script(asked: Asked) -> Answer:
        if any(number in asked.path for number in retired) and asked.path.endswith("ctdUsages"):
            return Answer({}, 404)
        return spoken(face)(asked)

    with Vendor(script) as vendor:
        records = collect("control_center", vendor, session(tmp_path))
    assert len(usages(records)) == 19
    assert len([each for each in records if isinstance(each, Refused)]) == 11


def test_plans_that_verizon_refuses_cost_no_use(tmp_path: Path) -> None:
    face = ThingSpace(carrier(2))

    def script(asked: Asked) -> Answer:
        return Answer({"errorCode": "x"}, 400) if "/plans/" in asked.path else spoken(face)(asked)

    with Vendor(script) as vendor:
        assert usages(collect("thingspace", vendor, session(tmp_path)))

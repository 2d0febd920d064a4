"""Each platform's own fixture becomes exactly these records, with questions asked as its documents want them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cellular.talk import NOW, collect, session, sims_file
from tests.vendor import Told, Vendor

from yardlight.cellular.plan import Terms
from yardlight.cellular.show import show
from yardlight.cellular.usage import Record, Sim, usages
from yardlight.collection import Source
from yardlight.errors import PollError
from yardlight.exposition import block, pack, page
from yardlight.inventory.cellular import CellularSource

HERE = Path(__file__).parent
FIXTURES = sorted((HERE / "fixtures").glob("*.json"))
# ICCID, IMEI, IMSI, and phone numbers.
IDENTIFIER = re.compile(r"\d{11,}")


def golden_of(path: Path, folder: Path) -> str:
    """What a fixture becomes: its records, one a line, and the page that is made of them."""
    found = records_of(path, folder)
    source = CellularSource.model_validate({"account": path.stem, "cycle": "month"})
    terms = Terms(source=source, zone="UTC", network="", places={}, counted=(), counts=False)
    told = show(Source("golden", path.stem, "cellular/sims", terms, folder), found, None, NOW)
    blocks = [block(metric, "golden", samples) for metric, samples in told.families.items()]
    page_of_it = page(pack(blocks), openmetrics=False).decode()
    samples = [line for line in page_of_it.splitlines() if not line.startswith("#")]
    return "\n".join([*map(repr, found), "", *samples, ""])


def records_of(path: Path, folder: Path) -> list[Record]:
    """The records of a fixture."""
    fixture = json.loads(path.read_text(encoding="utf-8"))
    told = Told(fixture)
    with Vendor(told) as vendor:
        told.base = vendor.url
        options = fixture["options"] | {"sims": sims_file(folder, fixture["sims"])}
        found = collect(path.stem, vendor, session(folder, memory={"key": "fixed"}), **options)
    assert told.unknown == []
    return found


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_fixture_of_a_platform_becomes_exactly_these_records_and_samples(path: Path, tmp_path: Path) -> None:
    assert golden_of(path, tmp_path) == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_no_record_and_no_memory_has_the_number_of_a_sim_or_device(path: Path, tmp_path: Path) -> None:
    fixture = json.loads(path.read_text(encoding="utf-8"))
    numbers = set(IDENTIFIER.findall(json.dumps(fixture)))
    assert len(numbers) > 1
    told = Told(fixture)
    with Vendor(told) as vendor:
        told.base = vendor.url
        under_way = session(tmp_path, memory={"key": "fixed"})
        found = collect(path.stem, vendor, under_way, **fixture["options"])
    text = f"{found} {under_way.memory}"
    iccids = {number for number in numbers if number.startswith("89") or len(number) == 15}
    assert iccids
    assert not [number for number in iccids if number in text]


@pytest.mark.parametrize("platform", ["control_center", "emnify", "soracom", "thingspace"])
def test_a_device_that_the_platform_lists_is_known_by_its_number(platform: str, tmp_path: Path) -> None:
    """Control Center tells it with the use of the SIM: of those that it asks just now, no number is remembered."""
    path = HERE / "fixtures" / f"{platform}.json"
    fixture = json.loads(path.read_text(encoding="utf-8"))
    told = Told(fixture)
    with Vendor(told) as vendor:
        told.base = vendor.url
        found = collect(path.stem, vendor, session(tmp_path, memory={"key": "fixed"}), **fixture["options"])
    assert any(isinstance(each, Sim) and each.device and len(each.imei) == 15 for each in found)


def test_a_sim_of_emnify_that_is_not_used_has_figures_until_the_newest_of_the_others(tmp_path: Path) -> None:
    """What it calls the last update is that of the SIM's own use."""
    fixture = json.loads((HERE / "fixtures" / "emnify.json").read_text(encoding="utf-8"))
    quiet = [{"current_month": {"data": {"volume": 3, "month": "2026-11-01", "last_updated": "2026-11-10T08:00:00Z"}}}]
    said: dict[str, Any] = {"GET /api/v1/sim/2/stats": {"say": quiet}}
    said |= {f"GET /api/v1/endpoint/{number}/quota/data": {"status": 404, "say": {}} for number in (71, 72)}
    told = Told({"exchanges": [{**each, **said.get(each["ask"], {})} for each in fixture["exchanges"]]})
    with Vendor(told) as vendor:
        found = collect("emnify", vendor, session(tmp_path), sims=sims_file(tmp_path, fixture["sims"]))
    figures = {usage.sim: (usage.amount.bytes, usage.as_of) for usage in usages(found)}
    assert figures == {"cab-7": (12_500_000, NOW - 7200), "cab-8": (3_000_000, NOW - 7200)}


# Numbers of a subscriber, a phone and its equipment, in the words of different vendors; made up.
CANARIES = {
    "imsi": "001010123456789",
    "msisdn": "+15005550006",
    "mdn": "5005550006",
    "phoneNumber": "15005550006",
    "imei": "356938035643809",
    "eid": "89049032000000000000000000001234",
}


def with_canaries(said: Any) -> Any:
    """An answer in which every SIM has all of these numbers, wherever a vendor might have put them."""
    if isinstance(said, list):
        return [with_canaries(each) for each in said]
    if not isinstance(said, dict):
        return said
    told = {key: with_canaries(value) for key, value in said.items()}
    if isinstance(told.get("deviceIds"), list):
        told["deviceIds"] += [{"id": number, "kind": kind} for kind, number in CANARIES.items() if kind != "imei"]
    of_sim = {"iccid", "deviceIds", "simId", "endpoint", "sim_sid", "ctdDataUsage", "online"} & told.keys()
    return {**CANARIES, **told} if of_sim else told


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_no_number_of_a_sim_a_phone_or_a_device_is_on_the_page_in_the_log_or_in_what_is_remembered(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fixture = json.loads(path.read_text(encoding="utf-8"))
    fixture["exchanges"] = [{**each, "say": with_canaries(each["say"])} for each in fixture["exchanges"]]
    told = Told(fixture)
    caplog.set_level("DEBUG")
    with Vendor(told) as vendor:
        told.base = vendor.url
        options = fixture["options"] | {"sims": sims_file(tmp_path, fixture["sims"])}
        under_way = session(tmp_path, memory={"key": "fixed"})
        found = collect(path.stem, vendor, under_way, **options)
    assert found
    source = CellularSource.model_validate({"account": path.stem, "cycle": "month", "pools": {"all": {"cap": "1 GB"}}})
    terms = Terms(source=source, zone="UTC", network="", places={}, counted=(), counts=False)
    shown = show(Source("golden", path.stem, "cellular/sims", terms, tmp_path), found, None, NOW)
    blocks = [block(metric, "golden", samples) for metric, samples in shown.families.items()]
    text = f"{page(pack(blocks), openmetrics=False).decode()} {shown.memory} {under_way.memory} {found}"
    # urllib3 writes addresses, and is silenced where logs are set up.
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("yardlight"))
    iccids = set(re.findall(r"89\d{16,18}", json.dumps(fixture)))
    assert iccids
    numbers = {*iccids, *(number.lstrip("+") for number in CANARIES.values())}
    assert not [number for number in numbers if number in text + ours]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_no_error_has_the_number_of_a_sim_or_device(path: Path, tmp_path: Path) -> None:
    """Each answer of the fixture in turn is one that breaks the collection, or it goes on without."""
    fixture = json.loads(path.read_text(encoding="utf-8"))
    said = []
    for broken in range(len(fixture["exchanges"])):
        spoiled = [
            {**each, "status": 200, "say": "<html>" if index == broken else each["say"]}
            for index, each in enumerate(fixture["exchanges"])
        ]
        told = Told({"exchanges": spoiled})
        with Vendor(told) as vendor:
            told.base = vendor.url
            try:
                collect(path.stem, vendor, session(tmp_path, memory={"key": "fixed"}), **fixture["options"])
            except PollError as error:
                said.append(str(error))
    assert said
    assert not [text for text in said if re.search(r"\d{11,}", text)]


if __name__ == "__main__":
    import tempfile

    for each in FIXTURES:
        with tempfile.TemporaryDirectory() as made:
            each.with_suffix(".txt").write_text(golden_of(each, Path(made)), encoding="utf-8")

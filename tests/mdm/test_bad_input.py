"""What MDMs get wrong: a reason in the metrics, the last complete result kept, no device made up and none lost."""

from __future__ import annotations

import copy
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mdm.polled import Polled, failed, of_devices
from tests.mdm.talk import Script, collect, devices, fixture, records_of
from tests.spoiling import places, put
from tests.vendor import Answer, Asked, Told, Vendor
from yardlight import client
from yardlight.errors import PollError
from yardlight.mdm.platforms import PLATFORMS
from yardlight.mdm.support import CANNOT

FIXTURE = {name: fixture(name) for name in PLATFORMS}
# Those that talk, each of which lists devices somewhere; those that take a token; those whose pages lead to the next.
TALKING = sorted(name for name, said in FIXTURE.items() if said["exchanges"])
WITH_TOKENS = [name for name in TALKING if any(each["ask"].startswith("POST") for each in FIXTURE[name]["exchanges"])]
WITH_LINKS = [name for name in TALKING if FIXTURE[name].get("links")]
DATES = re.compile(r'"\d{4}-\d\d-\d\dT[^"]*"')
STRANGE = [None, "", "n/a", "0", "-1", -1, 1e308, True, [], {}, ["x"], {"x": 1}, "12", 10**30, "9999-12-31", "<html>"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)


def answering(told: Script, ask: str, answer: Callable[[Asked], Answer]) -> Script:
    """The script with another answer to this question."""
    return lambda asked: answer(asked) if re.fullmatch(ask, f"{asked.method} {asked.path}") else told(asked)


def once_only(told: Script, ask: str, answer: Answer) -> Script:
    left = [answer]
    return answering(told, ask, lambda asked: left.pop() if left else told(asked))


LAST = 'yardlight_poll_last_success_timestamp_seconds{account="mdm",fleet="f",poll="mdm/tablets"}'
TOKEN = "POST .*token"
# What is answered to which question (None: the list of devices), and the reason that it is in the metrics.
BAD: dict[str, tuple[str | None, Answer, set[str]]] = {
    "HTML for JSON": (None, Answer(b"<html>Maintenance</html>", headers={"Content-Type": "text/html"}), {"bad_reply"}),
    "truncated": (None, Answer(b'{"devices": [{"id": "89'), {"bad_reply"}),
    "an empty body": (None, Answer(b""), {"bad_reply"}),
    "null": (None, Answer(b"null"), {"bad_reply"}),
    "numbers": (None, Answer([1, 2]), {"bad_reply"}),
    "null in a list": (None, Answer([None]), {"bad_reply"}),
    "text": (None, Answer("text"), {"bad_reply"}),
    "page not found": (None, Answer({}, 404), {"bad_reply"}),
    "another host": (None, Answer(None, 302, {"Location": "https://evil.example.com/devices"}), {"foreign_link"}),
    "server error": (None, Answer({}, 500), {"server_error"}),
    "revoked consent": (None, Answer({"error": "Forbidden"}, 403), {"forbidden"}),
    "revoked token": (None, Answer({}, 401), {"auth"}),
    "too many requests, no word on how long": (None, Answer({}, 429), {"throttled"}),
    "too many requests, an hour": (None, Answer({}, 429, {"Retry-After": "3600"}), {"throttled"}),
    "no token for wrong credentials": (TOKEN, Answer({"error": "invalid_client"}, 400), {"auth"}),
    "no token for revoked credentials": (TOKEN, Answer({"error": "invalid_grant"}, 401), {"auth"}),
    "a token endpoint that fails": (TOKEN, Answer({}, 500), {"server_error"}),
    "a token that is HTML": (TOKEN, Answer(b"<html>"), {"bad_reply"}),
    "a token that is null": (TOKEN, Answer({"access_token": None}), {"auth"}),
}


@pytest.mark.parametrize(
    ("platform", "case"),
    [(name, case) for case in BAD for name in (WITH_TOKENS if BAD[case][0] == TOKEN else TALKING)],
)
def test_what_cannot_be_used_is_a_reason_and_the_last_complete_result_stays(
    platform: str, case: str, tmp_path: Path
) -> None:
    ask, answer, reasons = BAD[case]
    polled = Polled(platform, tmp_path, FIXTURE[platform])
    before = polled.once()
    assert failed(before) == set()
    assert of_devices(before)
    ask = ask or re.escape(FIXTURE[platform]["list"])
    polled.script = answering(polled.told, ask, lambda asked: answer)
    after = polled.once()
    assert failed(after) == reasons
    assert of_devices(after) == of_devices(before)
    assert after[LAST] == before[LAST]


@pytest.mark.parametrize("platform", TALKING)
def test_pages_without_an_end_are_incomplete(platform: str, tmp_path: Path) -> None:
    """The first page again, whichever is asked for."""
    said = FIXTURE[platform]
    polled = Polled(platform, tmp_path, said)
    before = polled.once()
    first = next(each["say"] for each in said["exchanges"] if each["ask"] == said["list"])
    again = json.dumps(first).replace("{base}", "")
    polled.script = answering(polled.told, re.escape(said["list"]), lambda asked: Answer(again.encode()))
    after = polled.once()
    assert failed(after) == {"incomplete"}
    assert of_devices(after) == of_devices(before)


@pytest.mark.parametrize("platform", WITH_LINKS)
def test_a_next_page_on_another_host_is_not_asked(platform: str, tmp_path: Path) -> None:
    said = json.loads(json.dumps(FIXTURE[platform]))
    said["exchanges"] = json.loads(json.dumps(said["exchanges"]).replace("{base}", "https://evil.example.com"))
    assert failed(Polled(platform, tmp_path, said).once()) == {"foreign_link"}


@pytest.mark.parametrize("platform", TALKING)
def test_a_page_that_is_missing_after_the_first_is_incomplete(platform: str, tmp_path: Path) -> None:
    said = FIXTURE[platform]
    polled, pages = Polled(platform, tmp_path, said), [0]

    def second_fails(asked: Asked) -> Answer:
        pages[0] += 1
        return polled.told(asked) if pages[0] == 1 else Answer({}, 500)

    polled.script = answering(polled.told, re.escape(said["list"]), second_fails)
    assert failed(polled.once()) == {"incomplete"}
    assert not of_devices(polled.once())


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "0.02"}], ids=["none", "zero", "part"])
@pytest.mark.parametrize("platform", TALKING)
def test_a_collection_waits_when_told_so_and_goes_on(platform: str, headers: dict[str, str], tmp_path: Path) -> None:
    polled = Polled(platform, tmp_path, FIXTURE[platform])
    polled.script = once_only(polled.told, re.escape(FIXTURE[platform]["list"]), Answer({}, 429, headers))
    assert failed(polled.once()) == set()


@pytest.mark.parametrize("platform", WITH_TOKENS)
def test_a_token_that_is_refused_once_is_renewed(platform: str, tmp_path: Path) -> None:
    polled, pages = Polled(platform, tmp_path, FIXTURE[platform]), [0]

    def second_refused_once(asked: Asked) -> Answer:
        pages[0] += 1
        return Answer({}, 401) if pages[0] == 2 else polled.told(asked)

    polled.script = answering(polled.told, re.escape(FIXTURE[platform]["list"]), second_refused_once)
    assert failed(polled.once()) == set()


@pytest.mark.parametrize("platform", TALKING)
def test_nothing_where_devices_were_is_incomplete_and_none_is_gone(platform: str, tmp_path: Path) -> None:
    said = FIXTURE[platform]
    polled = Polled(platform, tmp_path, said)
    before = polled.once()
    nothing = Answer(said["empty"], said.get("empty status", 200))
    # Whatever else is listed in the same way is empty as well.
    keys = {*(said["empty"] or ())}
    lists = [each["ask"] for each in said["exchanges"] if each["ask"] == said["list"] or keys & {*each["say"]}]
    polled.script = answering(polled.told, "|".join(map(re.escape, lists)), lambda asked: nothing)
    after = polled.once()
    assert failed(after) == {"incomplete"}
    assert of_devices(after) == of_devices(before)


# Zeros and ends of time of several vendors, as JSON.
NOBODY_MEANS = (
    '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.9999999Z"', '"2050-01-01T00:00:00.000Z"', '"1601-01-01T00:00:00"',
    "0", '""', "null", "{}", '"00000000-0000-0000-0000-000000000000"',
)  # fmt: skip


@pytest.mark.parametrize("date", NOBODY_MEANS)
@pytest.mark.parametrize("platform", TALKING)
def test_dates_that_nobody_means_are_no_ages(platform: str, date: str, tmp_path: Path) -> None:
    said = json.loads(DATES.sub(date, json.dumps(FIXTURE[platform])))
    found = Polled(platform, tmp_path, said).once()
    assert failed(found) == set()
    assert not [name for name in found if "timestamp_seconds" in name and ("checkin" in name or "credentials" in name)]
    assert {value for name, value in found.items() if "older_than" in name} == {0.0}
    states = {name.rpartition('state="')[2][:-2] for name, value in found.items() if value and "devices{" in name}
    assert states <= {"never", "unknown"}


@pytest.mark.parametrize("platform", TALKING)
def test_times_without_a_zone_are_those_of_the_account(platform: str, tmp_path: Path) -> None:
    said = json.loads(re.sub(r'(\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z"', r'\1"', json.dumps(FIXTURE[platform])))
    read_as = {}
    for zone in ("UTC", "America/Chicago"):
        said["options"]["timezone"] = zone
        read_as[zone] = [device.checkin for device in devices(collect(platform, tmp_path, said)[0])]
    later = {b - a for a, b in zip(*read_as.values(), strict=True) if isinstance(a, float) and isinstance(b, float)}
    assert later == {6 * 3600.0}


@pytest.mark.parametrize("platform", TALKING)
def test_a_page_that_has_everything_twice_has_no_more_devices(platform: str, tmp_path: Path) -> None:
    """Where pages end by a count, others are not listed for it."""
    polled, said = Polled(platform, tmp_path, FIXTURE[platform]), copy.deepcopy(FIXTURE[platform])
    before = polled.once()
    for page_of_it in (each["say"] for each in said["exchanges"] if each["ask"] == said["list"]):
        for listed in [page_of_it] if isinstance(page_of_it, list) else page_of_it.values():
            if isinstance(listed, list):
                listed *= 2
    polled.script = polled.told = Told(said)
    after = polled.once()
    assert failed(after) <= {"incomplete"}
    assert of_devices(after) == of_devices(before)


@pytest.mark.parametrize("platform", TALKING)
def test_of_devices_with_one_serial_number_one_counts_and_the_others_are_duplicates(
    platform: str, tmp_path: Path
) -> None:
    said = FIXTURE[platform]
    found = devices(collect(platform, tmp_path, said)[0])
    serials = {device.serial for device in found if device.serial}
    same = json.loads(re.sub("|".join(map(re.escape, serials)), "SAME", json.dumps(said)))
    after = Polled(platform, tmp_path, same).once()
    assert after['yardlight_devices_duplicate{account="mdm",fleet="f"}'] == len(serials) - 1
    counted = sum(value for name, value in after.items() if name.startswith("yardlight_devices{"))
    assert counted == len(found) - len(serials) + 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.fixture(scope="module")
def vendor() -> Iterator[tuple[Vendor, list[Any]]]:
    """A vendor whose script is what the list holds."""
    script: list[Any] = [None]
    with Vendor(lambda asked: script[0](asked)) as running:
        yield running, script


@pytest.mark.parametrize("platform", TALKING)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(data=st.data())
def test_anything_anywhere_costs_no_other_device_and_makes_up_none(
    platform: str, vendor: tuple[Vendor, list[Any]], data: st.DataObject
) -> None:
    (running, script), said = vendor, FIXTURE[platform]
    exchanges = said["exchanges"]
    index = data.draw(st.integers(0, len(exchanges) - 1))
    path = data.draw(st.sampled_from([(), *places(exchanges[index]["say"])]))
    value = data.draw(st.sampled_from(STRANGE) | _JSON)
    changed = put(exchanges[index]["say"], path, value) if path else value
    spoiled = [{**each, "say": changed if n == index else each["say"]} for n, each in enumerate(exchanges)]
    with tempfile.TemporaryDirectory() as folder:
        found = baseline(platform, Path(folder), running, script)
        try:
            after = read(platform, Path(folder), {**said, "exchanges": spoiled}, running, script)
        except PollError:
            return
    lost = found - after
    # One that is listed and not managed may be managed, if that cannot be read.
    assert len(after) <= max(len(found), listed(said))
    if any(isinstance(step, int) for step in path[:2]):
        # Of the device whose own record was changed nothing is expected.
        assert len(lost) <= 1
    elif exchanges[index]["ask"] == said["list"] and (path == () or not lists(exchanges[index]["say"], path)):
        # Where a page leads and how many there are, nobody can tell but the page.
        return
    elif exchanges[index]["ask"] == said["list"]:
        assert not lost or import_module(PLATFORMS[platform]).SUPPORT["own count"] == CANNOT
    else:
        assert not lost


def listed(said: dict[str, Any]) -> int:
    """How many devices the pages of a fixture have, managed or not."""
    pages = [each["say"] for each in said["exchanges"] if each["ask"] == said["list"]]
    return sum(len(below) for page in pages for below in _lists_of(page))


def _lists_of(page: Any) -> list[list[Any]]:
    return [page] if isinstance(page, list) else [each for each in page.values() if isinstance(each, list)]


BASELINES: dict[str, set[str]] = {}


def baseline(platform: str, folder: Path, running: Vendor, script: list[Any]) -> set[str]:
    """The devices of a platform as its fixture has them."""
    if platform not in BASELINES:
        BASELINES[platform] = read(platform, folder, FIXTURE[platform], running, script)
    return BASELINES[platform]


def lists(content: Any, path: tuple[Any, ...]) -> bool:
    for step in path:
        content = content[step]
    return isinstance(content, list)


def read(platform: str, folder: Path, said: dict[str, Any], running: Vendor, script: list[Any]) -> set[str]:
    """The devices that are read from a platform which says this."""
    told = script[0] = Told(said)
    told.base = running.url
    return {device.id for device in devices(records_of(platform, folder, said, running.url))}

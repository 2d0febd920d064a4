"""ELD output files: check values against known ones, whole files, and every edit of one character."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.world import ELD, TODAY, World
from yardlight.demo.eld_files import TITLES, Shape, eld_file
from yardlight.inventory.load import load
from yardlight.records.eld import MOST_BYTES, EldFile, event_check, file_check, identity_problems, line_check, parse

NOBODY: frozenset[str] = frozenset()
NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCDEF -.'áñ", min_size=2, max_size=12).filter(
    lambda name: name.strip() == name
)
SHAPES = st.builds(
    Shape,
    user=st.from_regex(r"[a-z]{2,6}[0-9]{2,5}", fullmatch=True),
    day=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    unit=st.from_regex(r"[A-Z]?[0-9]{2,5}", fullmatch=True),
    last=NAMES,
    first=NAMES,
    statuses=st.lists(st.sampled_from((1, 2, 3, 4)), max_size=23),
    sequence=st.integers(0, 0xFFFF),
    comment=st.text("abc 0123456789.;", max_size=20),
    end=st.sampled_from(("\r\n", "\n", "\r")),
)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (line_check(""), "96"),
        (line_check("A"), "1E"),
        (line_check("SMITH,JOHN"), "B6"),
        (event_check(["1", "1", "090426", "060000", "45", "1.5", "41.32", "-72.93", "101", "jsmith"]), "26"),
        (file_check([]), "969C"),
        (file_check(["01"]), "9694"),
        (file_check(["FF", "FF"]), "9E6B"),
    ],
)
def test_check_values_are_those_that_others_compute(made: str, expected: str) -> None:
    assert made == expected


@settings(max_examples=50, deadline=None)
@given(SHAPES)
def test_a_valid_file_has_nothing_wrong(shape: Shape) -> None:
    assert parse(eld_file(shape)) == EldFile(shape.user, (shape.unit,), [], shape.day)


def free_text(old: str, new: str) -> bool:
    """Whether no check value can see the edit: what counts nothing took the place of what counts nothing."""
    return all(
        each == "" or (each.isprintable() and not (each.isascii() and each.isalnum() and each != "0"))
        for each in (old, new)
    )


@settings(max_examples=150, deadline=None)
@given(SHAPES, st.data())
def test_every_edit_of_one_character_is_found_or_is_one_that_counts_nothing_in_free_text(
    shape: Shape, data: st.DataObject
) -> None:
    text = eld_file(shape).decode()
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.sampled_from(list("0159AFZaz ,.;:-\r\n\té€")))
    kind = data.draw(st.sampled_from(("replace", "insert", "delete")))
    old = "" if kind == "insert" else text[at]
    new = "" if kind == "delete" else new
    edited = text[:at] + new + text[at + len(old) :]
    if edited == text or edited + shape.end == text:
        return
    assert parse(edited.encode()).wrong or free_text(old, new), (kind, at, old, new)


def test_every_edit_that_counts_is_found_at_every_place_of_a_file() -> None:
    text = eld_file(Shape()).decode()
    for at, old in enumerate(text):
        new = next(each for each in ("7Qq,\n7Qq,\n"[at % 5 :]) if each != old)
        assert parse((text[:at] + new + text[at + 1 :]).encode()).wrong, (at, old, new)


def edits() -> Iterator[tuple[bytes, str]]:
    """Files that are wrong, and the place that has to be named."""
    good = eld_file(Shape()).decode()
    lines = good.split("\r\n")

    def with_line(number: int, line: str) -> bytes:
        return "\r\n".join([*lines[: number - 1], line, *lines[number:]]).encode()

    event = lines.index(TITLES[3]) + 2
    yield with_line(len(lines) - 1, "0000"), f"line {len(lines) - 1}: the file's check value"
    yield with_line(event, lines[event - 1].replace(",010526,", ",010626,")), f"line {event}: its check value"
    yield with_line(3, lines[2][:-2] + "00"), "line 3: its check value"
    yield good[: len(good) // 2].encode(), "there is no"
    yield good.replace("Lopez", "L\xf3pez").encode("latin-1"), "line 2: is not UTF-8 text"
    yield good.replace("\r\n", "\n", 3).encode(), "its end is another one"
    yield b"", "there is no"
    yield b"\0" * 100, "cannot be printed"
    yield "\r\n".join(reversed(lines)).encode(), "line 1"
    yield "\r\n".join(TITLES).encode(), "the header has 0 lines"


@pytest.mark.parametrize("data", [b",", b"\n", b"\r\n", b"ELD File Header Segment:\n" + b"a,b\n", "€".encode(), b"x"])
def test_a_file_of_any_size_costs_no_more_than_a_record_may(data: bytes) -> None:
    whole = data * (MOST_BYTES // len(data))
    tracemalloc.start()
    found = parse(whole)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < len(found.wrong) <= 200
    assert peak < 64 * 2**20


@given(st.binary(max_size=500) | st.text(max_size=500).map(str.encode))
def test_whatever_a_file_holds_it_is_told_and_nothing_breaks(data: bytes) -> None:
    found = parse(data)
    assert found.wrong
    last = max(1, len(re.split(rb"\r\n|\r|\n", data)))
    assert all(1 <= each.line <= last and str(each) for each in found.wrong)


@settings(max_examples=100, deadline=None)
@given(SHAPES, st.data())
def test_lines_that_are_lost_doubled_or_swapped_are_found(shape: Shape, data: st.DataObject) -> None:
    lines = eld_file(shape).decode().split(shape.end)[:-1]
    one, other = sorted(data.draw(st.tuples(*[st.integers(0, len(lines) - 1)] * 2)))
    edited = data.draw(
        st.sampled_from(
            (
                [*lines[:one], *lines[one + 1 :]],
                [*lines[:one], lines[one], *lines[one:]],
                [*lines[:one], lines[other], *lines[one + 1 : other], lines[one], *lines[other + 1 :]],
            )
        )
    )
    # A file's check value is a sum over those of its lines: to a line of 00 it is blind, as the rule has it.
    blind = any(line.endswith(",00") for line in (lines[one], lines[other]))
    if edited != lines and sorted(edited) != sorted(lines) and not blind:
        assert parse(shape.end.join([*edited, ""]).encode()).wrong


@pytest.mark.parametrize(("data", "told"), list(edits()))
def test_what_is_wrong_is_said_with_its_line(data: bytes, told: str) -> None:
    assert told in "; ".join(map(str, parse(data).wrong))


def rebuilt(shape: Shape, change: dict[int, str]) -> bytes:
    """The file with other lines, given without check values, and all check values of lines and file made to fit."""
    lines = eld_file(shape).decode().split(shape.end)
    checks = []
    for number, line in enumerate(lines, 1):
        if line in TITLES or number > len(lines) - 2:
            continue
        text = change.get(number, line[:-2])
        checks.append(line_check(text))
        lines[number - 1] = text + checks[-1]
    return shape.end.join([*lines[:-2], file_check(checks), ""]).encode()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (",4,010526,010000", ",3,010526,010000", "its event check value"),
        (",4,010526,010000", ",4,010526,050000", "is newer than the event above it"),
        ("FFFF,1,1", "5,1,1", "is not before that of a newer event"),
        ("FFFF,1,1", "0,1,1", "is there twice"),
        ("-117.44,0,1,1,", "-117.44,0,2,1,", "its vehicle 2 is not in the CMV list"),
        ("-117.44,0,1,1,", "-117.44,0,1,3,", "its user 3 is not in the user list"),
    ],
)  # fmt: skip
def test_events_that_were_rewritten_with_fitting_check_values_are_still_found(old: str, new: str, told: str) -> None:
    lines = eld_file(Shape()).decode().split("\r\n")
    number = next(each for each, line in enumerate(lines, 1) if line.startswith("FFFF,1,1"))
    data = rebuilt(Shape(), {number: lines[number - 1][:-2].replace(old, new)})
    assert f"line {number}: " in str(parse(data).wrong[0])
    assert told in "; ".join(map(str, parse(data).wrong))


def test_numbers_of_events_begin_anew_after_the_last_one() -> None:
    assert not parse(eld_file(Shape(sequence=0xFFFD))).wrong


def test_a_file_of_another_driver_or_vehicle_is_told_by_the_roster() -> None:
    file = parse(eld_file(Shape()))
    assert not list(identity_problems(file, "d101", frozenset({"d101"}), frozenset({"112"})))
    assert not list(identity_problems(file, "", NOBODY, NOBODY))
    [other] = identity_problems(file, "d102", NOBODY, NOBODY)
    assert str(other) == "line 2: it is another driver's file than its path says"
    [stranger] = identity_problems(file, "d101", frozenset({"d102"}), NOBODY)
    assert "not on the roster" in stranger.text
    [vehicle] = identity_problems(file, "d101", NOBODY, frozenset({"7"}))
    assert "power unit" in vehicle.text


def test_a_driver_whom_the_vendor_knows_by_another_name_is_the_driver_of_the_path(tmp_path: Path) -> None:
    world = World(tmp_path, ELD + "}", fill=False)
    (tmp_path / "drivers.csv").write_text("code,hired,left,logs,eld\nd101,2020-01-01,,eld,LopezM\n", encoding="utf-8")
    world.fleet = load(tmp_path / "fleet.yml").fleet
    world.put("d101", TODAY - timedelta(days=1), content=eld_file(Shape(user="lopezm", day=TODAY - timedelta(days=1))))
    world.check()
    assert world.counts("archive_corrupt_files") == {}


def test_a_file_that_was_made_before_the_day_of_its_path_is_not_of_that_day() -> None:
    file = parse(eld_file(Shape(day=date(2026, 1, 5))))
    assert not list(identity_problems(file, "d101", NOBODY, NOBODY, day=date(2026, 1, 5)))
    [old] = identity_problems(file, "d101", NOBODY, NOBODY, day=date(2026, 1, 6))
    assert str(old) == "line 7: it was made on 2026-01-05, before the day that its path says"


def test_a_file_in_the_folder_of_a_vehicle_is_asked_for_the_vehicle_and_not_for_a_driver(tmp_path: Path) -> None:
    world = World(tmp_path, ELD.replace("{driver}", "{vehicle}") + ", coverage: none}", fill=False)
    for folder, unit in (("112", "112"), ("7", "112")):
        world.put(folder, TODAY - timedelta(days=1), content=eld_file(Shape(unit=unit, day=TODAY - timedelta(days=1))))
    world.check()
    assert [(each.path.partition("/")[0], each.kind) for each in world.wrong()] == [("7", "identity")]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        # A signature of 2048 bits, as appendix A has it since it asks for more than 16 characters.
        (8, "ZA10,1001ZE," + "bGthamRr" * 43 + "=,yardlight,"),
        (4, "Unit 112_A,1M8GDM9AXKP042788,T-20,"),
        (4, ",,,"),
    ],
)
def test_a_file_as_the_rule_allows_it_has_nothing_wrong(line: int, text: str) -> None:
    shape = Shape(statuses=())
    lines = eld_file(shape).decode().split("\r\n")
    unit = text.split(",")[0]
    vehicles = lines.index("CMV List:") + 2
    change = {line: text} if line != 4 else {line: text, vehicles: f"1,{unit},1M8GDM9AXKP042788,"}
    power = lines.index("CMV Engine Power-Up and Shut Down Activity:") + 2
    change[power] = lines[power - 1][:-2]
    data = rebuilt(shape, change)
    if not unit:
        data = without(data, vehicles)
    assert [str(each) for each in parse(data).wrong] == []


def without(data: bytes, number: int) -> bytes:
    """The file without this line."""
    lines = data.decode().split("\r\n")
    del lines[number - 1]
    checks = [each[-2:] for each in lines if each not in TITLES and "," in each]
    return "\r\n".join([*lines[:-2], file_check(checks), ""]).encode()


def in_order(*events: tuple[str, str, str]) -> list[str]:
    """What is wrong with a file of these events (number, day, time), newest first."""
    lines = eld_file(Shape(statuses=())).decode().split("\r\n")
    told = ("1", "1")
    rows = [
        ",".join([sequence, "1", "1", *fields, "0", "1", "1", "0", "0", event_check([*fields, "112", "d101"])]) + ","
        for sequence, day, time in events
        for fields in [(*told, day, time, "0", "0.5", "34.11", "-117.44")]
    ]
    at = lines.index("ELD Event List:") + 1
    lines[at:at] = [row + line_check(row) for row in rows]
    checks = [each[-2:] for each in lines if each not in TITLES and "," in each]
    data = "\r\n".join([*lines[:-2], file_check(checks), ""]).encode()
    return [each.text for each in parse(data).wrong]


@pytest.mark.parametrize("order", [("B", "A"), ("A", "B")])
def test_in_the_hour_that_comes_twice_in_autumn_the_time_of_day_is_no_order(order: tuple[str, str]) -> None:
    times = {"A": "014500", "B": "011500"}
    night = "110126"
    assert (
        in_order(("C", night, "021500"), *((each, night, times[each]) for each in order), ("9", night, "004500")) == []
    )
    # A week later there is no such hour.
    later = in_order(("C", "110826", "021500"), *((each, "110826", times[each]) for each in order))
    assert later in (
        ["is newer than the event above it"],
        ["its sequence number B is not before that of a newer event"],
    )


def test_of_two_events_of_one_second_none_has_to_be_the_first() -> None:
    assert in_order(("8", "010526", "011500"), ("9", "010526", "011500"), ("7", "010526", "001500")) == []


def test_a_power_unit_that_is_in_no_list_is_told() -> None:
    number = 4
    lines = eld_file(Shape()).decode().split("\r\n")
    data = rebuilt(Shape(), {number: lines[number - 1][:-2].replace("112,", "113,")})
    assert "its power unit is not in the CMV list" in str(parse(data).wrong[0])

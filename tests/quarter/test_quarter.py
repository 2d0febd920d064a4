"""A few windows of the simulated quarter: what is called for is told, and nothing else. `make lab` has all of it."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.quarter import day, judge, vendors, yards
from tests.quarter.script import HOUR, MINUTE, NOISE, OF_VENDORS, TERMINALS, TOLD, Event, Script, written
from tests.quarter.yards import Window
from tests.rules.promtool import alerts

pytestmark = pytest.mark.timeout(420)
SEED = 1


def only(*events: Event) -> Script:
    return Script(events, {name: tuple(each for each in events if name in each.where) for name in TERMINALS})


def window(event: Event, part: str, *beside: str) -> Window:
    """A quarter of an hour around it, where two hours take minutes to judge."""
    return Window(part, event.kind.replace(" ", "-"), event.begin - 900, event.end + 900, (*event.where, *beside))


def test_the_script_is_the_same_for_the_same_seed_and_has_everything_in_it() -> None:
    script = written(SEED)
    assert script == written(SEED) != written(SEED + 1)
    assert {each.kind for each in script.events} == {*TOLD, *NOISE}
    assert {name for names in TOLD.values() for name in names if name} <= {rule["alert"] for rule in alerts()}
    for name in TERMINALS:
        faults = [each for each in script.of[name] if not each.noise and each.kind != "late drill"]
        assert all(a.end + HOUR < b.begin for a, b in pairwise(faults)), name


def test_every_fault_has_a_window_of_two_hours_around_it_and_the_quiet_ones_have_none() -> None:
    script = written(SEED)
    found = [each for of in (yards, vendors) for each in of.windows(script, 20, 2 * HOUR, random.Random(1))]
    for event in script.faults:
        around = [each for each in found if each.around(event)]
        assert any(each.begin <= event.begin - 2 * HOUR and each.end >= event.begin + 2 * HOUR for each in around)
    assert len({each.name for each in found}) == len(found)
    quiet = [each for each in found if each.part in ("quiet", "calm")]
    assert len(quiet) == 40
    for each in quiet:
        near = [event for event in script.faults if event.kind != "late drill" and event.near(each.begin, each.end)]
        assert [event for event in near if (event.kind in OF_VENDORS) == each.of_vendors] == []


@pytest.mark.needs("promtool")
def test_yards_tell_of_faults_and_not_of_what_nobody_should_hear_of(tmp_path: Path) -> None:
    begin = written(SEED).events[0].begin // 60 * 60
    cut = Event("cut", begin, begin + 10 * MINUTE, ("yard00",), (20.0, 90.0))
    dead = Event("standby dead", begin, begin + 12 * MINUTE, ("yard01",))
    gone = Event("box gone", begin, begin + 12 * MINUTE, ("yard02",))
    noise = [
        Event(kind, begin + number * 3 * MINUTE, begin + number * 3 * MINUTE + most, ("yard03",))
        for number, (kind, (_, _, most)) in enumerate(NOISE.items())
    ]
    script = only(cut, dead, gone, *noise)
    chosen = [
        window(cut, "faults"), window(dead, "faults", "yard04", "yard07"), window(gone, "faults"),
        replace(window(noise[0], "quiet"), end=begin + 40 * MINUTE),
    ]  # fmt: skip
    found = judge.told(script, chosen, 0, tmp_path)
    assert [str(each) for each in found if not each.called_for(script)] == []
    assert judge.missed(script, chosen, found) == []
    # Without the fault in the script the same is not called for, and what is not told is missed.
    without = only(dead, gone, *noise)
    assert {each.window for each in found if not each.called_for(without)} == {chosen[0]}
    assert not any(each.called_for(without) for each in found if each.window == chosen[0])
    assert len(judge.missed(script, chosen, [])) == 3


@pytest.mark.needs("promtool")
def test_vendors_tell_of_one_that_is_down_and_of_nothing_else(tmp_path: Path) -> None:
    begin = written(SEED).events[0].begin // 60 * 60
    down = Event("vendor down", begin, begin + 40 * MINUTE, ("vendor3",))
    script = only(down)
    found = judge.told(script, [window(down, "vendors")], 48, tmp_path)
    assert [str(each) for each in found if not each.called_for(script)] == []
    assert judge.missed(script, [window(down, "vendors")], found) == []


@pytest.mark.needs("prometheus")
def test_a_real_prometheus_over_a_simulated_hour_tells_the_same(tmp_path: Path) -> None:
    begin = written(SEED).events[0].begin // 60 * 60
    down = Event("vendor down", begin, begin + 30 * MINUTE, ("vendor3",))
    found, series = day.told(only(down), window(down, "vendors"), 16, tmp_path, ("centre.yml",))
    assert series > 2_000
    [alert] = found
    assert alert.called_for(only(down))
    assert (alert.told["alertname"], alert.told["severity"]) == ("AccountFailing", "ticket")
    # Two collections of five minutes are missed first.
    assert 900 + 5 * MINUTE <= alert.told.first <= 900 + 13 * MINUTE
    assert alert.told.last >= 900 + 30 * MINUTE

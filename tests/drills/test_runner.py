"""Whole drills against a simulated yard: what passes, what fails and why, and that everything is put back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.drills.simulated import INVENTORY, START, Behaviour, World

from yardlight import sealing
from yardlight.drills import commands, recover, report
from yardlight.drills.evidence import Record
from yardlight.drills.runner import Runner


def run(world: World) -> Record:
    record = asyncio.run(world.runner().run())
    assert sealing.verify(record.folder) == []
    assert world.yard._cut is None, "the primary is left cut"
    assert world.yard.guard is None
    return record


def judged(record: Record) -> dict[str, str]:
    return {f"{each['name']} {each['round']}".removesuffix(" 1"): each["judged"] for each in record.body["criteria"]}


def test_the_quarterly_drill_passes_where_all_is_well(tmp_path: Path) -> None:
    world = World(tmp_path)
    record = run(world)
    assert (record.result, record.body["why"]) == ("pass", "every criterion was met")
    assert world.yard.acts == ["armed", "cut", "restore", "released"]
    [round_] = record.body["rounds"]
    at = {name: instant["at"] for name, instant in round_["instants"].items()}
    cut = at["t0"]
    assert at["t1"] == pytest.approx(cut, abs=0.2)
    assert at["t3"] == pytest.approx(cut + 12.0, abs=0.2)
    assert at["t4"] == pytest.approx(at["t3"] + 10.0, abs=0.2)
    assert at["t5"] == pytest.approx(at["t4"] + 2.0, abs=0.2)
    assert at["t7"] == pytest.approx(at["t6"] + 20.0, abs=0.3)
    assert at["t8"] == at["t7"]
    assert judged(record)["business check dispatch"] == "not configured"


def test_d02_a_dead_standby_refuses_the_drill_and_an_override_needs_a_reason_that_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    record = run(World(tmp_path / "a", Behaviour(lte=False)))
    assert record.result == "refused"
    assert "standby not ready: lte fails path" in record.body["why"]
    world = World(tmp_path / "b", Behaviour(lte=False), override="the ISP wants to see it")
    record = run(world)
    assert record.body["why"].startswith("convergence: the yard did not move to the standby")
    assert "cut" in world.yard.acts
    assert b"the ISP wants to see it" in (record.folder / sealing.JOURNAL).read_bytes()


def test_d03_dead_names_on_the_standby_fail_the_business_check(tmp_path: Path) -> None:
    record = run(World(tmp_path, Behaviour(dns=False), override="to see it fail"))
    assert record.result == "fail"
    assert judged(record)["business check dns"] == "fail"
    assert judged(record)["business check services"] == "fail"


def test_d04_a_router_that_does_not_come_back_fails_failback_and_the_primary_is_restored(tmp_path: Path) -> None:
    record = run(World(tmp_path, Behaviour(failback=None)))
    assert record.result == "fail"
    assert record.body["why"].startswith("failback: the yard did not return to the primary within 10 min")


def test_d05_a_router_that_switches_only_once_fails_at_the_second_switch(tmp_path: Path) -> None:
    world = World(tmp_path, Behaviour(switch=(12.0, None)), playbook="thorough-wan-failover")
    record = run(world)
    assert judged(record)["convergence"] == "pass"
    assert judged(record)["convergence 2"] == "fail"
    assert "second switch" in str(record.body["criteria"])


def test_the_thorough_drill_passes_two_rounds_and_a_flap(tmp_path: Path) -> None:
    world = World(tmp_path, playbook="thorough-wan-failover")
    record = run(world)
    assert record.result == "pass", record.body["why"]
    assert [round_["flap"] for round_ in record.body["rounds"]] == [False, False, True]
    assert world.yard.acts.count("cut") == world.yard.acts.count("restore") == 3


def test_d06_a_slow_switch_fails_with_what_was_measured_and_the_limit(tmp_path: Path) -> None:
    record = run(World(tmp_path, Behaviour(switch=(80.0,))))
    assert record.result == "fail"
    assert record.body["why"] == "convergence: nothing carried the yard for 1 min 20 s, limit 1 min"


def test_d07_a_page_that_does_not_arrive_fails_the_drill(tmp_path: Path) -> None:
    record = run(World(tmp_path, Behaviour(notification_after=None)))
    assert (record.result, record.body["why"]) == ("fail", "notification: page not received")


def test_an_alert_that_does_not_fire_fails_the_drill(tmp_path: Path) -> None:
    record = run(World(tmp_path, Behaviour(alert_after=None)))
    assert record.body["why"] == "alert: the alert under test did not fire"


def test_d09_away_from_the_terminal_nothing_is_cut_unless_a_guard_inside_holds_the_undo(tmp_path: Path) -> None:
    world = World(tmp_path, override="no override helps here")
    world.yard.remote, world.yard.holds = True, False
    record = run(world)
    assert record.result == "refused"
    assert record.body["why"] == "the undo would cross fiber, which is cut, and no guard inside the terminal holds it"
    assert world.yard.acts == []
    (tmp_path / "with").mkdir()
    world = World(tmp_path / "with")
    world.yard.remote = True
    assert run(world).result == "pass"


def test_d15_in_the_peak_hours_the_drill_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, inventory=INVENTORY.replace("04:00-09:00", "13:00-18:00"))
    record = run(world)
    assert record.result == "refused"
    assert "peak hours (mornings)" in record.body["why"]
    assert world.yard.acts == []


def test_peak_hours_that_open_before_it_would_be_over_refuse_it_too(tmp_path: Path) -> None:
    record = run(World(tmp_path, inventory=INVENTORY.replace("04:00-09:00", "14:20-18:00")))
    assert "peak hours" in record.body["why"]


def test_a_yard_with_trouble_is_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.alerts.firing = ("UplinkDegraded",)
    record = run(world)
    assert record.body["why"] == "fontana has trouble already: UplinkDegraded"


def test_alerts_that_ask_for_the_drill_do_not_stand_in_its_way(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.alerts.firing = ("DrillDueSoon", "DrillOverdue", "DrillFailed")
    assert run(world).result == "pass"


def test_a_drill_without_anybody_at_its_input_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    world = World(tmp_path, attended=True)
    record = asyncio.run(asyncio.wait_for(commands._attended(world.runner()), 20))
    assert (record.result, world.yard.acts) == ("refused", [])
    assert "--yes runs it without a person" in record.body["why"]


def with_person(runner: Runner, person: Coroutine[Any, Any, None]) -> Record:
    """The drill, run while somebody presses."""

    async def both() -> Record:
        task = asyncio.create_task(person)
        record = await runner.run()
        await task
        return record

    return asyncio.run(both())


def attended(world: World, late: str) -> Record:
    """Somebody presses on through the drill, and leaves the phone for three hours at the step `late`."""
    runner = world.runner()

    async def person() -> None:
        seen = -1
        while (shown := runner.screen()).phase != "over":
            if shown.step == late and shown.revision != seen:
                world.clock.at += 3 * 3600
            if shown.revision != seen and shown.buttons:
                seen = shown.revision
                wanted = shown.buttons[-1 if shown.phase == "refused" else 0]
                if shown.phase in ("approve", "refused") or wanted.choice != "stop":
                    await runner.press(shown.step, wanted.choice, "maria")
            await asyncio.sleep(0)

    return with_person(runner, person())


def test_what_was_looked_at_hours_ago_is_looked_at_again_before_anything_is_cut(tmp_path: Path) -> None:
    world = World(tmp_path, inventory=INVENTORY.replace("04:00-09:00", "17:00-19:00"), attended=True)
    record = attended(world, "approve")
    assert (record.result, world.yard.acts) == ("refused", [])
    assert "peak hours (mornings)" in record.body["why"]
    (tmp_path / "calm").mkdir()
    record = attended(World(tmp_path / "calm", attended=True), "approve")
    assert (record.result, record.body["why"]) == ("pass", "every criterion was met")
    assert record.body["who"] == "maria", "who pressed Start ran it, whoever made the link"
    assert record.body["begun"] >= START + 3 * 3600, "it begins, and its silence with it, when somebody starts it"


def test_a_drill_that_was_left_lying_before_the_cut_cuts_nothing_any_more(tmp_path: Path) -> None:
    world = World(tmp_path, attended=True)
    record = attended(world, "announce")
    assert (record.result, record.body["why"]) == ("aborted", "its time was over before anything was cut")
    assert world.yard.acts == ["armed", "released"]


def test_where_nobody_can_ask_whether_the_page_came_nothing_is_cut(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.alerts.deaf = "https://yardlight.example.com/drills/api: 401"
    record = run(world)
    assert (record.result, world.yard.acts) == ("refused", [])
    assert record.body["why"].endswith("https://yardlight.example.com/drills/api: 401")


def test_of_several_standbys_the_one_that_carries_will_do(tmp_path: Path) -> None:
    standbys = "sat: {bind: 10.10.0.23, medium: satellite, role: standby}\n      lte: {"
    world = World(tmp_path, inventory=INVENTORY.replace("lte: {", standbys), override="sat is not proven yet")
    record = run(world)
    assert record.result == "pass", record.body["why"]
    assert b"on lte" in (record.folder / sealing.JOURNAL).read_bytes()


def test_a_cut_that_fails_is_undone(tmp_path: Path) -> None:
    world = World(tmp_path, Behaviour(cut_works=False))
    record = run(world)
    assert (record.result, record.body["why"]) == ("aborted", "the cut failed: refused")
    assert world.yard.acts == ["armed", "cut", "restore", "released"]


@pytest.mark.parametrize(
    ("inventory", "why"),
    [
        (INVENTORY, "fiber still answers: what cuts it does not cut it"),
        (INVENTORY.replace(", cut: {command: {do: [/bin/true], undo: [/bin/true]}}", ""),
         "fiber still answers: is the right cable pulled?"),
    ],
)  # fmt: skip
def test_a_primary_that_still_answers_after_its_cut_is_no_failure_of_the_router(
    tmp_path: Path, inventory: str, why: str
) -> None:
    world = World(tmp_path, Behaviour(falls=False), inventory, attended=True)
    record = attended(world, "nowhere")
    assert (record.result, record.body["why"]) == ("aborted", why)


def test_whoever_has_to_plug_in_a_cable_again_is_told_why(tmp_path: Path) -> None:
    by_hand = INVENTORY.replace(", cut: {command: {do: [/bin/true], undo: [/bin/true]}}", "")
    runner = World(tmp_path, Behaviour(falls=False), by_hand, attended=True).runner()
    told: list[str] = []

    async def person() -> None:
        while (shown := runner.screen()).phase != "over":
            if shown.step == "restore" and shown.buttons:
                told.append(shown.text)
            if shown.buttons and shown.buttons[0].kind != "stop":
                await runner.press(shown.step, shown.buttons[0].choice, "maria")
            await asyncio.sleep(0)

    with_person(runner, person())
    assert told[0].startswith("Fiber still answers: is the right cable pulled?\nPlug the cable of fiber back")


def test_where_cut_and_undo_both_fail_and_nothing_fell_nobody_waits_ten_minutes_for_it(tmp_path: Path) -> None:
    world = World(tmp_path, Behaviour(cut_works=False, undo_works=False))
    record = asyncio.run(world.runner().run())
    assert (record.result, record.body["why"]) == ("aborted", "the cut failed: refused")
    assert world.clock.at < START + 120


def test_an_undo_that_fails_is_tried_again_and_told_where_it_never_works(tmp_path: Path) -> None:
    world = World(tmp_path, Behaviour(undo_works=False))
    record = asyncio.run(world.runner().run())
    assert (record.result, record.body["why"]) == ("aborted", "the primary was not restored: refused")
    assert world.yard.acts.count("restore") > 100
    assert sealing.verify(record.folder) == []


def test_a_terminal_that_is_not_heard_of_any_more_ends_the_drill(tmp_path: Path) -> None:
    world = World(tmp_path)
    wait = world.clock.wait

    async def waited(event: asyncio.Event, seconds: float) -> None:
        world.yard.unreachable = "cut" in world.yard.acts and START + 20 < world.clock.at < START + 60
        await wait(event, seconds)

    world.clock.wait = waited  # type: ignore[method-assign]
    record = run(world)
    assert record.result == "aborted"
    assert "was not heard of for" in record.body["why"]


def test_a_standby_that_dies_meanwhile_has_the_guard_restore_and_aborts_the_drill(tmp_path: Path) -> None:
    world = World(tmp_path, Behaviour(lte_dies=20.0))
    record = run(world)
    assert record.result == "aborted"
    assert "the yard was dark for 2 min 1" in record.body["why"]
    assert world.yard.clock.at < START + 3600


def test_without_a_centre_alerts_are_not_judged_and_that_is_said(tmp_path: Path) -> None:
    record = run(World(tmp_path, centre=False))
    assert record.result == "pass"
    assert judged(record)["notification"] == "not configured"


def test_d14_with_a_person_each_step_waits_for_its_press_and_a_double_tap_skips_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, attended=True)
    runner = world.runner()
    pressed: list[str] = []

    async def person() -> None:
        seen = -1
        while (shown := runner.screen()).phase != "over":
            forward = next((b for b in shown.buttons if b.kind in ("go", "yes")), None)
            if forward is not None and shown.revision != seen:
                seen = shown.revision
                pressed.append(shown.step)
                await asyncio.gather(
                    runner.press(shown.step, forward.choice, "maria"), runner.press(shown.step, forward.choice, "maria")
                )
            await asyncio.sleep(0)

    record = with_person(runner, person())
    assert record.result == "pass", record.body["why"]
    assert pressed == ["approve", "announce", "told", "dispatch", "done"]
    assert record.body["acknowledged"]["reached"] is True
    assert record.body["acknowledged"]["who"] == "maria"
    assert judged(record)["business check dispatch"] == "pass"


def test_a_drill_that_was_interrupted_is_told_in_the_time_of_its_terminal(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def killed() -> None:
        task = asyncio.create_task(world.runner().run())
        while "cut" not in world.yard.acts:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(killed())
    [record] = recover.interrupted(tmp_path, world.clock.at)
    assert (record.body["timezone"], record.body["title"]) == ("America/Los_Angeles", "Quarterly WAN failover")
    assert "- from: 2023-11-14 14:13:20 PST" in report.markdown(record)


def test_a_stop_restores_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, attended=True)
    runner = world.runner()

    async def person() -> None:
        while (shown := runner.screen()).phase != "over":
            if shown.step == "on-standby":
                await runner.press("some other step", "stop", "maria", "a truck burns")
                return
            if shown.buttons and shown.buttons[0].kind != "stop":
                await runner.press(shown.step, shown.buttons[0].choice, "maria")
            await asyncio.sleep(0)

    record = with_person(runner, person())
    assert (record.result, record.body["why"]) == ("aborted", "stopped by maria: a truck burns")
    assert world.yard._cut is None


def test_a_drill_is_in_progress_until_everything_that_it_caused_has_resolved(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.alerts.lingers = START + 700
    run(world)
    assert world.yard.acts[-1] == "released"
    assert START + 700 <= world.yard.clock.at < START + 720


def test_a_drill_that_the_alert_rules_do_not_learn_of_cuts_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.alerts.informed = False
    record = run(world)
    assert (record.result, "people would be called" in record.body["why"]) == ("aborted", True)
    assert "cut" not in world.yard.acts


def test_a_standby_whose_plan_is_nearly_used_up_is_not_put_to_work(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.alerts.lasts = 3600.0
    record = run(world)
    assert (record.result, "cut" in world.yard.acts) == ("refused", False)
    assert "the standby's plan lasts 1 h at the yard's usual load" in record.body["why"]


def test_an_override_without_a_reason_is_asked_for_again(tmp_path: Path) -> None:
    world = World(tmp_path, Behaviour(lte=False), attended=True)
    runner = world.runner()
    reasons = ["", "  ", "the ISP wants to see it"]
    shown: list[int] = []

    async def person() -> None:
        while (screen := runner.screen()).phase != "over":
            if screen.phase == "refused" and screen.revision not in shown:
                shown.append(screen.revision)
                await runner.press(screen.step, "override", "maria", reasons[len(shown) - 1])
            elif screen.phase == "approve" and screen.buttons:
                await runner.press(screen.step, "stop", "maria")
            await asyncio.sleep(0)

    record = with_person(runner, person())
    assert len(shown) == 3
    assert record.body["why"] == "not approved by maria"
    assert b"the ISP wants to see it" in (record.folder / sealing.JOURNAL).read_bytes()

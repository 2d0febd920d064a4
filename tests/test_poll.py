"""A collection ends as success or as a reason, keeps its last result, and never gets in the way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.catalogue import PAGE_AFTER, SWITCH_WITHIN
from yardlight.collection import Result
from yardlight.errors import PollError, poll_errors
from yardlight.exposition import Block, PackedBlock, block, dump, pack, page
from yardlight.poll import BACKOFF_SECONDS, InThread, Poll, pause, sooner
from yardlight.state import State


def some_blocks(value: float = 60) -> list[Block]:
    return [block(SWITCH_WITHIN, "f", {("fontana",): value})]


def poll(collect: Callable[[], list[Block]], **options: float) -> Poll:
    return Poll("f", "graph", InThread(collect), name="mdm/tablets", **{"interval": 60.0, "deadline": 5.0, **options})


def shown(collected: Poll) -> dict[str, str]:
    lines = page(collected.blocks(), openmetrics=False).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


SUCCESS = 'yardlight_poll_success{account="graph",fleet="f",poll="mdm/tablets"}'
DURATION = 'yardlight_poll_duration_seconds{account="graph",fleet="f",poll="mdm/tablets"}'
LAST_SUCCESS = 'yardlight_poll_last_success_timestamp_seconds{account="graph",fleet="f",poll="mdm/tablets"}'
DUE = 'yardlight_poll_due_timestamp_seconds{account="graph",fleet="f",poll="mdm/tablets"}'
ENTITY = 'yardlight_terminal_switch_within_seconds{fleet="f",terminal="fontana"}'


def failed(reason: str) -> str:
    return f'yardlight_poll_failed{{account="graph",fleet="f",poll="mdm/tablets",reason="{reason}"}}'


def failures(reason: str) -> str:
    return f'yardlight_poll_failures_total{{account="graph",fleet="f",poll="mdm/tablets",reason="{reason}"}}'


def test_before_the_first_collection_ends_nothing_is_claimed_but_that_none_failed() -> None:
    series = shown(poll(some_blocks))
    assert float(series.pop(DUE)) == pytest.approx(time.time() + 125.0, abs=30.0)
    assert series == {failures(error.reason): "0.0" for error in poll_errors()}


async def collect(collected: Poll) -> None:
    await collected.once()


def test_a_complete_collection_is_shown_with_its_success_duration_and_time() -> None:
    before, collected = time.time(), poll(some_blocks)
    asyncio.run(collect(collected))
    series = shown(collected)
    assert series[ENTITY] == "60.0"
    assert series[SUCCESS] == "1.0"
    assert 0 <= float(series[DURATION]) < 5
    assert before <= float(series[LAST_SUCCESS]) <= time.time()
    assert collected.row().state == "ok"


def test_a_failed_collection_keeps_the_last_result_and_the_time_it_stands_for() -> None:
    answers: list[list[Block]] = [some_blocks()]
    collected = poll(lambda: answers.pop())

    async def twice() -> tuple[dict[str, str], dict[str, str]]:
        await collected.once()
        good = shown(collected)
        await collected.once()
        return good, shown(collected)

    good, bad = asyncio.run(twice())
    assert bad[SUCCESS] == "0.0"
    assert bad[ENTITY] == good[ENTITY]
    assert bad[LAST_SUCCESS] == good[LAST_SUCCESS]
    assert bad[failures("crashed")] == "1.0"
    assert bad[DUE] == good[DUE]
    assert [name for name, value in bad.items() if "poll_failed{" in name and value == "1.0"] == [failed("crashed")]
    assert [name for name, value in good.items() if "poll_failed{" in name and value == "1.0"] == []
    assert collected.row().state == "failing"
    assert collected.row().reason == "crashed: IndexError: pop from empty list"


def test_a_result_older_than_keep_for_is_withdrawn_while_the_poll_metrics_stay() -> None:
    collected = poll(some_blocks, keep_for=0.0)
    asyncio.run(collect(collected))
    time.sleep(0.001)
    assert ENTITY not in shown(collected)
    assert shown(collected)[SUCCESS] == "1.0"


def stored(state: State, kept: list[PackedBlock] | bytes, age: float) -> Poll:
    """A poll of a process that starts with this in its state file, `age` seconds old."""
    data = kept if isinstance(kept, bytes) else dump(kept)
    state.keep_blocks("f", "mdm/tablets", time.time() - age, data)
    state.close()
    state = State(state.path)
    collected = Poll("f", "graph", InThread(some_blocks), 60.0, 5.0, keep_for=100.0, state=state, name="mdm/tablets")
    state.close()
    return collected


def test_what_an_earlier_run_collected_is_taken_up_unless_too_old(tmp_path: Path) -> None:
    young = stored(State(tmp_path / "a.db"), pack(some_blocks()), age=99.0)
    assert shown(young)[ENTITY] == "60.0"
    assert time.time() - float(shown(young)[LAST_SUCCESS]) == pytest.approx(99.0, abs=5.0)
    assert SUCCESS not in shown(young)
    old = stored(State(tmp_path / "b.db"), pack(some_blocks()), age=101.0)
    assert ENTITY not in shown(old)
    assert LAST_SUCCESS in shown(old)


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"{}\n",
        b'[["yardlight_gone", 0, 0, 0]]\n',
        dump([PackedBlock(SWITCH_WITHIN, b"not deflate", 0, 1)]),
        dump([replace(each, deflated=each.deflated[:-20]) for each in pack(some_blocks())]),
        dump([replace(each, crc=0) for each in pack(some_blocks())]),
    ],
)
def test_kept_blocks_that_cannot_be_read_are_not_shown(tmp_path: Path, kept: bytes) -> None:
    assert ENTITY not in shown(stored(State(tmp_path / "state.db"), kept, age=1.0))


def test_a_collection_that_an_earlier_run_made_is_not_made_again_before_its_time(tmp_path: Path) -> None:
    async def serve() -> tuple[bool, bool]:
        """Whether the young one was collected when the old one had been, and whether that was."""
        young, old = (stored(State(tmp_path / f"{age}.db"), pack(some_blocks()), age) for age in (10.0, 70.0))
        young.start()
        old.start()
        deadline = time.monotonic() + 20.0
        while SUCCESS not in shown(old) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        found = SUCCESS in shown(young), SUCCESS in shown(old)
        await young.stop()
        await old.stop()
        return found

    assert asyncio.run(serve()) == (False, True)


def test_an_error_of_the_tree_counts_under_its_own_reason() -> None:
    def refused() -> list[Block]:
        raise PollError("no")

    collected = poll(refused)
    asyncio.run(collect(collected))
    assert shown(collected)[failures("error")] == "1.0"


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), StopIteration(), RecursionError()])
def test_whatever_a_collector_raises_it_only_ends_its_own_collection(raised: BaseException) -> None:
    def crash() -> list[Block]:
        raise raised

    collected = poll(crash)
    asyncio.run(collect(collected))
    assert shown(collected)[failures("crashed")] == "1.0"


def test_a_collection_that_outlives_its_deadline_fails_and_gets_no_second_thread() -> None:
    release, started = threading.Event(), []

    def hung() -> list[Block]:
        started.append(1)
        release.wait()
        return some_blocks()

    collected = poll(hung, deadline=0.05)

    async def thrice() -> dict[str, str]:
        await collected.once()
        await collected.once()
        assert len(started) == 1
        late = shown(collected)
        release.set()
        while not await collected.once():
            await asyncio.sleep(0.01)
        return late

    late = asyncio.run(thrice())
    assert late[failures("timeout")] == "2.0"
    assert ENTITY not in late
    assert shown(collected)[ENTITY] == "60.0"


def test_a_hung_collection_does_not_hold_up_the_loop_or_the_stop() -> None:
    release = threading.Event()
    collected = poll(lambda: some_blocks() if release.wait() else [], deadline=600.0)

    async def serve() -> int:
        collected.start()
        ticks = 0
        for _ in range(10):
            await asyncio.sleep(0.001)
            ticks += 1
        await collected.stop()
        return ticks

    assert asyncio.run(serve()) == 10
    release.set()


def test_a_started_poll_collects_again_and_again_by_itself() -> None:
    count: list[int] = []

    def counted() -> list[Block]:
        count.append(1)
        return some_blocks(len(count))

    async def serve() -> None:
        collected = poll(counted, interval=0.001)
        collected.start()
        async with asyncio.timeout(10):
            while len(count) < 3:
                await asyncio.sleep(0.001)
        await collected.stop()

    asyncio.run(serve())


@pytest.mark.parametrize(("again_in", "least"), [(None, 1), (0.0, 3)])
def test_a_collection_that_asks_for_another_one_soon_gets_it(
    monkeypatch: pytest.MonkeyPatch, again_in: float | None, least: int
) -> None:
    monkeypatch.setattr("yardlight.poll.SOONEST_SECONDS", 0.001)
    count: list[int] = []

    async def work(deadline: float, memory: bytes) -> Result:
        count.append(1)
        return Result(some_blocks(), again_in=again_in if len(count) < least else None)

    async def serve() -> None:
        collected = Poll("f", "graph", work, 3600.0, 5.0)
        collected.start()
        async with asyncio.timeout(30):
            while len(count) < least:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        await collected.stop()

    asyncio.run(serve())
    assert len(count) == least


def test_what_is_read_of_a_few_takes_the_place_of_its_families_and_all_else_stays_with_its_time() -> None:
    age = block(PAGE_AFTER, "f", {("fontana",): 3.0})
    results = iter(
        [
            Result([*some_blocks(60), age], b"whole"),
            Result(some_blocks(61), b"some", instead=[SWITCH_WITHIN.name]),
            Result([], b"none left", instead=[SWITCH_WITHIN.name]),
        ]
    )
    memories = []

    async def work(deadline: float, memory: bytes) -> Result:
        memories.append(memory)
        return next(results)

    async def serve() -> list[dict[str, str]]:
        collected = Poll("f", "graph", work, 900.0, 5.0, name="mdm/tablets")
        pages = []
        for _ in range(3):
            await collected.once()
            pages.append(shown(collected))
        return pages

    whole, some, none = asyncio.run(serve())
    assert (whole[ENTITY], some[ENTITY], none.get(ENTITY)) == ("60.0", "61.0", None)
    stays = 'yardlight_terminal_page_after_seconds{fleet="f",terminal="fontana"}'
    assert whole[stays] == some[stays] == none[stays] == "3.0"
    assert whole[LAST_SUCCESS] == some[LAST_SUCCESS] == none[LAST_SUCCESS]
    assert memories == [b"", b"whole", b"some"]


def test_who_is_in_a_hurry_is_served_once_a_minute_and_for_half_of_the_time_at_most() -> None:
    assert sooner(900.0, None, 5.0) == 900.0
    assert sooner(900.0, 1.0, 5.0) == 60.0
    assert sooner(900.0, 60.0, 200.0) == 400.0
    assert sooner(900.0, 60.0, 600.0) == 900.0
    assert sooner(30.0, 60.0, 0.1) == 30.0


@given(st.floats(0.1, 86400), st.integers(0, 5000), st.floats(0, 1))
def test_a_pause_is_about_the_interval_or_the_back_off(interval: float, failed: int, chance: float) -> None:
    wait = pause(interval, failed, chance)
    assert 0.9 * interval <= wait <= 1.1 * max(interval, BACKOFF_SECONDS) + 1e-9
    if failed == 0:
        assert wait <= 1.1 * interval + 1e-9
    assert pause(interval, failed + 1, chance) >= wait


def test_a_success_ends_the_back_off() -> None:
    assert pause(60, 4, 0.5) == pytest.approx(480)
    assert pause(60, 1, 0.5) == pytest.approx(60)
    assert pause(60, 0, 0.5) == pytest.approx(60)

"""Whatever a collection does in its slot, it ends as blocks or as a reason, on time, and harms nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests import collectors
from yardlight import slots as slots_module
from yardlight.collection import Collection, Result, Source, open_memory, opened
from yardlight.errors import AuthError, PollCrashedError, PollError, PollTimeoutError, SecretError
from yardlight.exposition import AnyBlock, page
from yardlight.inventory.model import Model
from yardlight.inventory.values import Secret
from yardlight.poll import Poll
from yardlight.slots import Slots
from yardlight.state import State
from yardlight.things import unpack
from yardlight.worker import Job

Eventually = Callable[..., object]
T = TypeVar("T")
# For collections that end by themselves: plenty on a busy machine.
AMPLE = 60.0


@pytest.fixture(autouse=True)
def importable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are interpreters of their own, which find the tests' collectors only if told where."""
    monkeypatch.setenv("PYTHONPATH", str(root))


def with_slots(use: Callable[[Slots], Coroutine[Any, Any, T]], **options: int) -> T:
    async def run() -> T:
        slots = Slots(**options)
        try:
            return await use(slots)
        finally:
            await slots.stop()

    return asyncio.run(run())


async def collected(slots: Slots, job: Job, account: str = "graph", deadline: float = AMPLE) -> str:
    """The first value of what the job collected, as text."""
    return value((await slots.run("f", account, job, deadline)).blocks)


def value(blocks: Sequence[AnyBlock]) -> str:
    return page(blocks, openmetrics=False).decode().split()[-1]


def alive(process: int) -> bool:
    """Whether a process is there; a zombie is."""
    return Path(f"/proc/{process}").exists()


def parent(process: int) -> int:
    """The process that forked this one."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("PPid:")[2].split()[0])


@pytest.fixture
def dripping() -> Iterator[tuple[int, threading.Event]]:
    """The port of a vendor that sends one byte every twentieth of a second, for ever; set once it was asked."""
    stop, asked = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        asked.set()
        with connection:
            while not stop.wait(0.05):
                try:
                    connection.send(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1]), asked
        stop.set()
        # A vendor that nobody asked still waits for a caller.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_process_that_has_nothing_to_do_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots_module, "IDLE_SECONDS", 2.0)
    monkeypatch.setattr(slots_module, "GROW_SECONDS", 0.0)

    async def use(slots: Slots) -> tuple[str, str]:
        first, second = await asyncio.gather(collected(slots, collectors.pid), collected(slots, collectors.pid))
        assert first != second
        busy = await collected(slots, collectors.pid)
        [idle] = {first, second} - {busy}
        deadline = time.monotonic() + AMPLE
        while alive(int(float(idle))):
            assert time.monotonic() < deadline
            assert await collected(slots, collectors.pid) == busy
            await asyncio.sleep(0.05)
        return busy, await _beside_one_that_hangs(slots)

    busy, new = with_slots(use)
    assert new != busy


async def _beside_one_that_hangs(slots: Slots) -> str:
    """The process of a job while another one is held."""
    hanging = asyncio.create_task(collected(slots, collectors.hang, "slow"))
    await asyncio.sleep(0)
    beside = await collected(slots, collectors.pid)
    hanging.cancel()
    await asyncio.wait({hanging})
    return beside


def test_quick_jobs_that_come_at_once_share_a_process_and_one_that_takes_long_gets_another_beside_it() -> None:
    async def use(slots: Slots) -> tuple[str, set[str], str]:
        first = await collected(slots, collectors.pid)
        together = await asyncio.gather(*(collected(slots, collectors.pid) for _ in range(12)))
        return first, set(together), await _beside_one_that_hangs(slots)

    first, together, beside = with_slots(use)
    assert together == {first}
    assert beside != first


def test_a_job_runs_in_another_process_which_serves_the_next_one_too() -> None:
    async def use(slots: Slots) -> tuple[str, str, str]:
        first, second = await collected(slots, collectors.pid), await collected(slots, collectors.pid)
        return first, second, await collected(slots, partial(collectors.answer, value=50.0))

    first, second, third = with_slots(use)
    assert first == second
    assert float(first) != os.getpid()
    assert third == "50.0"


def test_workers_come_of_one_template_and_after_its_end_of_another(eventually: Eventually) -> None:
    async def use(slots: Slots) -> tuple[int, int]:
        two = await asyncio.gather(*(collected(slots, collectors.pid, str(index)) for index in range(2)))
        workers = [int(float(each)) for each in two]
        [template] = {parent(worker) for worker in workers}
        os.kill(template, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: not any(map(alive, workers)), within=AMPLE)
        for _ in set(workers):
            with pytest.raises(PollCrashedError, match="the worker"):
                await collected(slots, collectors.pid)
        return template, parent(int(float(await collected(slots, collectors.pid))))

    one, other = with_slots(use)
    assert one != other
    assert not alive(other)


def test_a_template_that_dies_while_it_is_asked_for_a_worker_costs_that_collection_and_no_other() -> None:
    async def use(slots: Slots) -> int:
        worker = int(float(await collected(slots, collectors.pid)))
        template = parent(worker)
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(PollCrashedError, match="the worker"):
            await collected(slots, collectors.pid)
        os.kill(template, signal.SIGSTOP)
        asking = asyncio.create_task(collected(slots, collectors.pid))
        async with asyncio.timeout(AMPLE):
            while not slots._template._awaited:
                await asyncio.sleep(0.01)
        os.kill(template, signal.SIGKILL)
        with pytest.raises(PollCrashedError, match="could not be started"):
            await asking
        return parent(int(float(await collected(slots, collectors.pid))))

    assert with_slots(use, size=1) > 0


def test_a_worker_that_remembers_megabytes_gives_its_memory_back_at_once() -> None:
    async def use(slots: Slots) -> list[Result]:
        results = [Result(())]
        for _ in range(2):
            results.append(await slots.run("f", "graph", collectors.hoard_memory, AMPLE, results[-1].memory))
        return results[1:]

    one, other = with_slots(use)
    assert value(one.blocks) != value(other.blocks)
    assert open_memory(other.memory)["times"] == 2


def test_an_error_of_the_tree_keeps_its_class_and_text_and_its_worker() -> None:
    async def use(slots: Slots) -> bool:
        before = await collected(slots, collectors.pid)
        with pytest.raises(PollError, match="no such account") as caught:
            await collected(slots, collectors.refuse)
        assert type(caught.value) is PollError
        return before == await collected(slots, collectors.pid)

    assert with_slots(use)


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (collectors.crash, "LookupError: a bug"),
        (collectors.leave, "SystemExit: 3"),
        (collectors.vanish, "the worker exited with 7"),
        (collectors.segfault, "the worker died of SIGSEGV"),
        (collectors.hoard, "MemoryError: "),
    ],
)
def test_a_crash_of_any_kind_is_said_and_the_next_collection_gets_a_new_worker(job: Job, text: str) -> None:
    async def use(slots: Slots) -> bool:
        before = await collected(slots, collectors.pid)
        with pytest.raises(PollCrashedError, match=f"^{text}$"):
            await collected(slots, job)
        return before != await collected(slots, collectors.pid)

    assert with_slots(use)


def test_a_collection_that_outlives_its_deadline_is_killed_with_all_it_started(
    tmp_path: Path, eventually: Eventually
) -> None:
    pids = tmp_path / "pids"

    async def use(slots: Slots) -> str:
        await collected(slots, collectors.answer)
        with pytest.raises(PollTimeoutError, match="no result within 2 s"):
            await collected(slots, partial(collectors.hang_with_child, path=str(pids)), deadline=2.0)
        return await collected(slots, collectors.answer)

    assert with_slots(use) == "60.0"
    for process in pids.read_text().split():
        eventually(lambda process=process: not alive(int(process)))


def test_a_vendor_that_drips_a_byte_at_a_time_cannot_hold_a_slot(
    dripping: tuple[int, threading.Event],
) -> None:
    port, asked = dripping

    async def use(slots: Slots) -> None:
        # The worker's start is none of the vendor's time.
        await collected(slots, collectors.pid)
        with pytest.raises(PollTimeoutError):
            await collected(slots, partial(collectors.drip, port=port), deadline=2.0)

    with_slots(use)
    assert asked.is_set()


def test_hung_vendors_however_many_do_not_hold_up_the_others_from_their_second_time_on() -> None:
    async def use(slots: Slots) -> list[str]:
        async def hang(account: str) -> None:
            with pytest.raises(PollTimeoutError):
                await collected(slots, collectors.hang, account, deadline=0.5)

        vendors = ("a", "b", "c", "d", "e")
        await asyncio.gather(*(hang(account) for account in vendors))
        hung = [asyncio.create_task(slots.run("f", account, collectors.hang, 600.0)) for account in vendors]
        await asyncio.sleep(0)
        answers = [await collected(slots, collectors.answer, f"well {index}") for index in range(5)]
        assert not any(task.done() for task in hung)
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
        return answers

    assert with_slots(use, size=2) == ["60.0"] * 5


def test_one_more_hung_vendor_than_there_are_slots_holds_nobody_up_even_the_first_time() -> None:
    async def use(slots: Slots) -> list[str]:
        hung = [asyncio.create_task(slots.run("f", f"hung {index}", collectors.hang, 600.0)) for index in range(3)]
        await asyncio.sleep(0)
        answers = [await collected(slots, collectors.answer, f"well {index}") for index in range(5)]
        assert not any(task.done() for task in hung)
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
        return answers

    assert with_slots(use, size=2) == ["60.0"] * 5


def test_a_cancelled_collection_gives_its_slot_back() -> None:
    async def use(slots: Slots) -> str:
        for _ in range(3):
            task = asyncio.create_task(collected(slots, collectors.hang))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return await collected(slots, collectors.answer)

    assert with_slots(use, size=2) == "60.0"


def test_what_a_collector_prints_is_not_taken_for_its_answer() -> None:
    assert with_slots(lambda slots: collected(slots, collectors.chat)) == "60.0"


def source(folder: Path) -> Source:
    return Source("f", "graph", "mdm/tablets", Model(), folder)


def collection(folder: Path, token: str) -> Collection:
    return Collection(source(folder), "tests.collectors", {"token_file": token}, collectors.show)


def test_a_secret_is_never_sent_to_a_worker_but_read_there(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("right\n")

    async def use(slots: Slots) -> str:
        with pytest.raises(TypeError, match="a Secret is not pickled"):
            await collected(slots, partial(collectors.answer, value=Secret("right")))  # type: ignore[arg-type]
        with pytest.raises(PollError, match=r"^(?!.*right)") as caught:
            await collected(slots, collectors.surroundings)
        assert "yardlight.worker" in str(caught.value)
        with pytest.raises(SecretError, match="cannot read the secret file 'gone'"):
            await collected(slots, collection(tmp_path, "gone"))
        return await collected(slots, collection(tmp_path, "token"))

    assert with_slots(use) == "1.0"


def test_a_secret_in_the_message_of_an_error_is_masked_before_it_leaves_the_worker(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")

    async def use(slots: Slots) -> str:
        with pytest.raises(AuthError) as caught:
            await collected(slots, collection(tmp_path, "token"))
        return str(caught.value)

    assert with_slots(use) == "the token *** is wrong"


def test_what_platform_and_domain_remember_is_there_in_the_next_collection_and_requests_are_counted(
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("right\n")

    async def use(slots: Slots) -> list[Result]:
        results = [Result(())]
        for _ in range(3):
            job = collection(tmp_path, "token")
            results.append(await slots.run("f", "graph", job, AMPLE, results[-1].memory))
        return results[1:]

    *_, last = with_slots(use)
    lines = page(last.blocks, openmetrics=False).decode()
    assert 'terminal="calls"} 3.0' in lines
    assert 'terminal="shown"} 3.0' in lines
    assert last.requests == {"200": 1}
    assert last.again_in == 60.0


def test_between_two_whole_collections_what_is_watched_is_read_alone(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("right\n")
    job = replace(collection(tmp_path, "token"), follow=collectors.follow, interval=3600.0)

    async def use(slots: Slots) -> list[Result]:
        results = [Result(())]
        for _ in range(3):
            results.append(await slots.run("f", "graph", job, AMPLE, results[-1].memory))
        return results[1:]

    whole, alone, after = with_slots(use)
    assert whole.instead is None
    assert alone.instead == ["yardlight_terminal_page_after_seconds"]
    assert value(alone.blocks) == "1.0"
    # What was told of single ones is that of the last whole collection, with its time.
    told = [opened(each.memory)[1] for each in (whole, alone, after)]
    assert [thing.name for thing in unpack(told[0])[1]] == ["fontana", "calls"]
    assert told[1] == told[0]
    assert unpack(told[2])[0] > unpack(told[0])[0]
    # Nothing is watched any more: the next one is for all, when that is due.
    assert alone.again_in == pytest.approx(0.9 * 3600.0, abs=AMPLE)
    assert after.instead is None


def test_a_stop_ends_every_worker(eventually: Eventually) -> None:
    pids: list[int] = []

    async def use(slots: Slots) -> None:
        found = await asyncio.gather(*(collected(slots, collectors.pid, str(index)) for index in range(2)))
        pids.extend(int(float(each)) for each in found)

    with_slots(use)
    assert not any(alive(process) for process in pids)


def test_kill_9_of_the_main_process_leaves_no_worker_behind(eventually: Eventually, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import asyncio; from functools import partial\n"
        "from tests import collectors; from yardlight.slots import Slots\n"
        "async def main():\n"
        f"    await Slots().run('f', 'a', partial(collectors.hang_with_child, path={str(pids)!r}), 600.0)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent.parent) as parent:
        eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2, within=30.0)
        worker, its_child = (int(each) for each in pids.read_text().split())
        try:
            assert alive(worker)
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            eventually(lambda: not alive(worker))
        finally:
            os.kill(its_child, signal.SIGKILL)


def test_two_polls_at_once_of_one_account_take_turns() -> None:
    async def use(slots: Slots) -> float:
        poll = Poll("f", "graph", partial(slots.run, "f", "graph", collectors.hang), 60.0, 0.5)
        began = time.monotonic()
        await asyncio.gather(poll.once(), poll.once())
        return time.monotonic() - began

    assert with_slots(use) >= 1.0


def test_what_was_collected_is_shown_again_after_a_restart_with_the_time_it_stands_for(tmp_path: Path) -> None:
    async def use(slots: Slots) -> tuple[bytes, bytes]:
        def poll(job: Job, state: State) -> Poll:
            return Poll("f", "graph", partial(slots.run, "f", "graph", job), 60.0, AMPLE, state=state)

        state = State(tmp_path / "state.db")
        before = poll(collectors.answer, state)
        assert await before.once()
        state.close()
        state = State(tmp_path / "state.db")
        after = poll(collectors.refuse, state)
        restored = kept(after)
        assert not await after.once()
        assert kept(after) == restored
        state.close()
        return kept(before), restored

    before, restored = with_slots(use)
    assert before == restored
    assert b"terminal_switch_within_seconds{" in before
    assert b"poll_last_success_timestamp_seconds{" in before


def kept(poll: Poll) -> bytes:
    """The lines of the page that outlive a restart."""
    lines = page(poll.blocks(), openmetrics=False).splitlines()
    return b"\n".join(line for line in lines if b"switch_within" in line or b"last_success" in line)

"""The speed of an idle standby: measured with a real file, paid by what was set aside, never while it carries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from yardlight.budget import plan, sample_bytes, set_aside
from yardlight.errors import InventoryError
from yardlight.inventory.load import load
from yardlight.inventory.models import Metered, SpeedSample, Terminal
from yardlight.terminal.asking import Outcome
from yardlight.terminal.engine import Engine
from yardlight.terminal.metering import Account, Wire
from yardlight.terminal.readiness import Record, throughput
from yardlight.terminal.sampling import Sampled, Samples, speed_of
from yardlight.terminal.services import Route

from .internet import HOST, Handler, web

BYTES = 200_000


def file_of(size: int, pause: float = 0.0, pieces: int = 10) -> Handler:
    """A file that comes in pieces with so many seconds between two of them."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(pieces):
            writer.write(b"x" * (size // pieces))
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


class Yard:
    """A standby that is there, and who carries."""

    def __init__(self) -> None:
        self.closed, self.carries = "", "fiber"

    def service_route(self, path: str, now: float) -> Route:
        return Route(closed=self.closed)

    def service_failed(self, path: str, now: float) -> None:
        raise AssertionError("a sample judges no service")


def measured(
    handler: Handler, until: Callable[[Record], bool], within: float = 30.0, yard: Yard | None = None, **asked: object
) -> tuple[Record, Wire, int]:
    """What one standby's record says once `until` holds, what it cost, and how often the file was asked for."""
    record, where = Record(), yard or Yard()
    metered = Metered.model_construct(budget=10_000_000, per=86400.0, reserve=0.3)

    async def run() -> tuple[Wire, int]:
        async with web(handler) as server:
            said = {"url": f"http://{HOST}:{server.port}/file", "least": "1 Mbit/s", "every": "1d", "timeout": "5s"}
            sample = SpeedSample.model_validate({**said, **asked})
            wire = Wire(Account(metered, time.time(), None, 0.0, 2.0 * sample_bytes(sample)))
            engine = Engine()
            engine.start()
            standbys = [Sampled("lte", HOST, wire, lambda: record)]
            samples = Samples("fontana", sample, standbys, engine, where, lambda: where.carries, (HOST,))
            samples.start()
            deadline = time.monotonic() + within
            while not until(record) and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
            samples.stop()
            await engine.stop()
            return wire, len(server.seen)

    wire, asked_for = asyncio.run(run())
    return record, wire, asked_for


def test_the_speed_is_that_at_which_the_file_came() -> None:
    record, wire, count = measured(file_of(BYTES, pause=0.1), lambda record: record.speed is not None)
    assert record.speed is not None
    # Nine pauses, and half as much again for what is not the file.
    assert BYTES / 60 < record.speed <= 1.5 * BYTES / 0.9
    assert time.time() - 60 < (record.sampled or 0.0) <= time.time()
    assert count == 1
    assert BYTES < wire.bytes < 1.15 * BYTES
    assert wire.account is not None
    assert wire.account.ledger.samples == wire.bytes
    assert wire.account.ledger.services == 0


def test_a_file_that_is_not_there_in_time_came_at_the_speed_until_then() -> None:
    record, _, _ = measured(file_of(BYTES, pause=0.2), lambda record: record.speed is not None, timeout="1s")
    assert record.speed is not None
    assert record.speed < BYTES / 1.0


def test_a_file_larger_than_agreed_tells_nothing_and_costs_no_more_than_was_set_aside() -> None:
    record, wire, count = measured(file_of(10 * BYTES), lambda record: False, within=4.0, size="200 kB")
    assert record.speed is None
    assert count == 1
    assert wire.account is not None
    assert wire.account.ledger.samples < 2 * BYTES


@pytest.mark.parametrize(("closed", "carries"), [("lte is down", "fiber"), ("", "lte"), ("", None)])
def test_nothing_is_asked_over_a_standby_that_is_not_idle_and_there(closed: str, carries: str | None) -> None:
    yard = Yard()
    yard.closed, yard.carries = closed, carries  # type: ignore[assignment]
    record, wire, count = measured(file_of(BYTES), lambda record: False, within=5.0, yard=yard)
    assert (record.speed, wire.bytes, count) == (None, 0, 0)


@pytest.mark.parametrize(
    ("outcome", "passed", "speed"),
    [
        (Outcome({"transfer": 2.0}), 100_000, 50_000.0),
        (Outcome({"transfer": 2.0}, reason="body_timeout"), 100_000, 10_000.0),
        (Outcome({"transfer": 2.0}, reason="body_timeout"), 1_000, None),
        (Outcome({"transfer": 2.0}, reason="status"), 100_000, None),
        (Outcome({"transfer": 2.0}), 1_000, None),
        (Outcome({}), 100_000, None),
    ],
)
def test_only_what_came_as_a_file_is_a_speed(outcome: Outcome, passed: int, speed: float | None) -> None:
    assert speed_of(outcome, passed, 10.0) == speed


def test_the_check_is_what_the_last_sample_says_until_three_were_missed() -> None:
    asked = SpeedSample.model_validate({"url": "https://example.com/f", "least": "1 Mbit/s", "every": "1d"})
    assert throughput(asked, Record(sampled=0.0, speed=125_000.0), 86400.0) == {"throughput": True}
    assert throughput(asked, Record(sampled=0.0, speed=124_999.0), 86400.0) == {"throughput": False}
    assert throughput(asked, Record(sampled=0.0, speed=125_000.0), 3 * 86400.0) == {}
    assert throughput(asked, Record(), 0.0) == {}
    assert throughput(None, Record(sampled=0.0, speed=1.0), 0.0) == {}


def terminal(folder: Path, standby: str) -> Terminal:
    (folder / "fleet.yml").write_text(
        "fleet: f\nterminals:\n  fontana:\n    targets: [198.51.100.1]\n"
        f"    standby: {standby}\n"
        "    uplinks: {fiber: {bind: 10.0.0.2}, lte: {bind: 10.0.0.3}}\n"
    )
    return load(folder / "fleet.yml").fleet.terminals["fontana"]


def test_samples_are_set_aside_from_the_budget_before_anything_else_is_paid(tmp_path: Path) -> None:
    without = terminal(tmp_path, "{required: [path]}")
    having = terminal(tmp_path, "{required: [path], throughput: {url: 'https://example.com/1MB', least: 2 Mbit/s}}")
    lte = having.uplinks["lte"]
    assert set_aside(having, having.uplinks["fiber"]) == 0
    # Five weeks begin in the longest month.
    assert set_aside(having, lte) == 5 * (1_150_000 + 80_000)
    before, after = plan(without, without.uplinks["lte"]), plan(having, lte)
    assert after.rate / before.rate == pytest.approx((50_000_000 * 0.97 - 6_150_000) / (50_000_000 * 0.97))


@pytest.mark.parametrize(
    ("standby", "problem"),
    [
        (
            "{throughput: {url: 'https://example.com/f', least: 2 Mbit/s, size: 10 MB}}",
            "standby.throughput: would take 57.9 MB of the 50 MB that lte may cost; fetch less (size) or less often",
        ),
        (
            "{throughput: {url: 'https://example.com/f', least: 2 MB}}",
            "'2 MB' is not a speed; write a number with a unit:",
        ),
        (
            "{throughput: {url: 'https://example.com/f', least: 2 Mbit/s, every: 10m, size: 1 kB}}",
            "throughput.every: 10m is too often; 1h is the least",
        ),
        ("{required: [throughput]}", "'throughput' would never be known: its speed is not measured; add throughput:"),
    ],
)
def test_a_mistake_in_it_is_told_with_what_is_accepted(tmp_path: Path, standby: str, problem: str) -> None:
    with pytest.raises(InventoryError) as caught:
        terminal(tmp_path, standby)
    assert problem in str(caught.value)

"""Names of targets are asked over the path that is probed, and again when it falls silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path as Folder

import dns.rcode
import pytest

from yardlight.errors import ServiceError
from yardlight.inventory.models import Metered, Target
from yardlight.terminal import names as asked_names
from yardlight.terminal.engine import Engine
from yardlight.terminal.lanes import TargetLane
from yardlight.terminal.metering import Account, Wire
from yardlight.terminal.names import Resolver
from yardlight.terminal.pacing import Pace
from yardlight.terminal.path import Path
from yardlight.terminal.pins import Key
from yardlight.terminal.stream import Meter

from .internet import HOST, name_server, says, web

NAME = "probe.example.com"


class Owner:
    """Hears what the path says and keeps it to itself."""

    def __init__(self) -> None:
        self.answers = 0

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None:
        self.answers += 1

    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None: ...

    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None: ...

    def path_hurried(self, path: Path, now: float) -> None: ...


async def until(wanted: Callable[[], object], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not wanted():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_a_target_that_moved_is_found_again_through_the_path_itself() -> None:
    async def run() -> None:
        async with name_server() as names, web(says(200)) as there:
            names.addresses = {NAME: "127.0.0.99"}
            engine, owner = Engine(), Owner()
            target = Target(label=NAME, host=NAME, probe="tcp", port=there.port)
            resolver = f"{HOST}:{names.port}"
            path = Path(engine, owner, "fiber", "127.0.0.7", (target,), 0.9, Pace(0.5), resolvers=(resolver,))
            path.proofs_wanted = False
            [lane] = path.names
            assert path.problem == f"the name {NAME} is not resolved yet"
            engine.start()
            path.start(time.monotonic(), 0.0)
            await until(lambda: path.lanes[0].address == "127.0.0.99")
            assert owner.answers == 0
            names.addresses = {NAME: HOST}
            await until(lambda: owner.answers > 2)
            assert {source for source, _ in names.asked} == {"127.0.0.7"}
            asked = len(names.asked)
            names.silent = True
            engine.schedule(lane, time.monotonic())
            await until(lambda: len(names.asked) > asked)
            await until(lambda: lane.task is None)
            assert path.lanes[0].address == HOST, "the last good answer stands"
            path.stop()
            await engine.stop()

    asyncio.run(run())


@pytest.mark.parametrize("alien", ["2001:db8::53", "fe80::1%lo", "255.255.255.255"])
def test_a_dns_server_that_cannot_be_asked_over_a_path_leaves_the_word_to_the_next(alien: str) -> None:
    """A box whose list begins with a server of the other IP version would resolve nothing, and say nothing."""

    async def run() -> None:
        async with name_server() as names:
            names.addresses = {NAME: HOST}
            resolver = Resolver("127.0.0.7", (alien, f"{HOST}:{names.port}"))
            assert await resolver.address(NAME, Meter()) == HOST
            names.rcode = dns.rcode.SERVFAIL
            with pytest.raises(ServiceError) as failed:
                await resolver.address(NAME, Meter())
            assert failed.value.reason == "dns_servfail"
            names.silent = True
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(resolver.address(NAME, Meter()), 2.5)
            with pytest.raises(OSError, match=r"not supported|Invalid|denied|unreachable"):
                await Resolver("127.0.0.7", (alien,)).address(NAME, Meter())
            with pytest.raises(OSError, match="name one in resolvers"):
                await Resolver("127.0.0.7", ()).address(NAME, Meter())

    asyncio.run(run())


def test_where_this_box_resolves_for_itself_paths_ask_whom_it_asks(
    tmp_path: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd-resolved stands in /etc/resolv.conf with an address of the box, from which no path can be told."""
    own, asked = tmp_path / "resolv.conf", tmp_path / "asked.conf"
    monkeypatch.setattr(asked_names, "_FILES", (own, asked))
    assert asked_names.system_resolvers() == ()
    own.write_text("# stub\nnameserver 127.0.0.53\noptions edns0\n")
    assert (asked_names.system_resolvers(), asked_names.system_resolvers(own=True)) == ((), ("127.0.0.53",))
    asked.write_text("nameserver 10.10.0.1\nnameserver 2001:db8::53\nnameserver\n")
    assert asked_names.system_resolvers() == ("10.10.0.1", "2001:db8::53")
    assert asked_names.system_resolvers(own=True) == ("127.0.0.53",)


def test_where_bytes_cost_a_name_that_is_known_is_asked_seldom_and_never_out_of_the_reserve() -> None:
    """Each five minutes, three names would use up in a month two thirds of what a failover has to live on."""

    async def run() -> None:
        async with name_server() as names:
            names.addresses = {NAME: HOST}
            engine, account = Engine(), Account(Metered.model_validate({"budget": "50 GB"}), time.time())
            target = Target(label=NAME, host=NAME)
            resolver = f"{HOST}:{names.port}"
            pace, wires = Pace(18.0, rounds=True, charge=300), (Wire(account),)
            path = Path(engine, Owner(), "lte", HOST, (target,), 0.9, pace, wires=wires, resolvers=(resolver,))
            [lane] = path.names
            for asked in range(3):
                if asked:
                    account.routine(0, time.time() + asked)
                lane.fire(time.monotonic())
                await until(lambda: lane.task is None)
                if not asked:
                    first = account.ledger.reserve
            assert path.lanes[0].address == HOST
            assert (len(names.asked), account.ledger.reserve) == (3, first)
            assert account.ledger.routine > 0
            assert lane.due - time.monotonic() > 2900

    asyncio.run(run())

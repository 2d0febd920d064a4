"""From an account in the inventory to samples on the page: a real `serve`, a real vendor on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.vendor import Answer, Asked, Vendor
from yardlight import domains
from yardlight.collection import Session
from yardlight.errors import InventoryError
from yardlight.exposition import page
from yardlight.inventory.load import load
from yardlight.logs import Recent
from yardlight.serve import ServeOptions, Service
from yardlight.state import State

WITHIN = 60.0


@pytest.fixture(autouse=True)
def fake_domain(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One domain, `fake`, which workers find as well."""
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setitem(domains.DOMAINS, "fake", "tests.fake_domain")
    domains.platforms.cache_clear()
    yield
    domains.platforms.cache_clear()


def inventory(folder: Path, accounts: str) -> Path:
    (folder / "token").write_text("canary-token\n")
    path = folder / "fleet.yml"
    path.write_text(
        f"fleet: f\naccounts: {accounts}\n"
        "terminals: {fontana: {targets: ['tcp://127.0.0.1:9'], uplinks: {fiber: {bind: 127.0.0.1}}}}\n"
    )
    return path


@contextlib.asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Service]:
    options = ServeOptions(inventory=path, centre=True, state=path.parent / "state.db")
    service = Service(options, Recent())
    await service.load()
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def lines(service: Service) -> dict[str, float]:
    text = page(await service.blocks(), openmetrics=False).decode()
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {
        name.removeprefix("yardlight_").replace('fleet="f",', "").replace(',fleet="f"', ""): float(value)
        for name, value in rows
    }


async def until(service: Service, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    deadline = time.monotonic() + WITHIN
    while True:
        found = await lines(service)
        if holds(found):
            return found
        assert time.monotonic() < deadline, "\n".join(f"{name} {value}" for name, value in found.items())
        await asyncio.sleep(0.05)


POLL = '{account="graph",poll="fake/graph"}'
DEVICE = 'terminal_switch_within_seconds{terminal="t-%s"}'


def devices(*names: str) -> Answer:
    return Answer({"devices": [{"name": name, "at": 50} for name in names]})


def test_an_account_is_collected_shown_and_counted(tmp_path: Path) -> None:
    async def use() -> None:
        with Vendor(lambda asked: devices("t-1")) as vendor:
            path = inventory(
                tmp_path, f"{{graph: {{platform: fake, url: '{vendor.url}', rate: 100/s, token_file: token}}}}"
            )
            async with serving(path) as service:
                found = await until(service, lambda found: f"poll_success{POLL}" in found)
                assert found[f"poll_success{POLL}"] == 1.0
                assert found[DEVICE % 1] == 50.0
                assert found['account_info{account="graph",platform="fake"}'] == 1.0
                assert found['api_requests_total{account="graph",code="200"}'] >= 1.0
                assert found[f"poll_due_timestamp_seconds{POLL}"] > time.time()
            assert vendor.asked[0].headers["authorization"] == "Bearer canary-token"

    asyncio.run(use())


def test_what_an_incomplete_answer_lacks_stays_as_it_was_and_is_remembered_over_a_restart(tmp_path: Path) -> None:
    answers = [devices("t-1")]

    async def use() -> None:
        with Vendor(lambda asked: answers[0]) as vendor:
            path = inventory(
                tmp_path, f"{{graph: {{platform: fake, url: '{vendor.url}', rate: 100/s, token_file: token}}}}"
            )
            async with serving(path) as service:
                await until(service, lambda found: DEVICE % 1 in found)
                answers[0] = devices()
                failed = f'poll_failed{POLL[:-1]},reason="incomplete"}}'
                found = await until(service, lambda found: found.get(failed) == 1.0)
                assert found[DEVICE % 1] == 50.0
                assert found[f"poll_success{POLL}"] == 0.0
            async with serving(path) as service:
                assert (await lines(service))[DEVICE % 1] == 50.0
                answers[0] = devices("t-2")
                found = await until(service, lambda found: DEVICE % 2 in found)
                assert found[DEVICE % 1] == 50.0

    asyncio.run(use())


def test_an_account_asks_no_more_often_than_its_budget_also_after_a_restart(tmp_path: Path) -> None:
    async def use() -> None:
        with Vendor(lambda asked: devices("t-1")) as vendor:
            options = f"platform: fake, url: '{vendor.url}', rate: 100/s, token_file: token, requests_per_day: 3"
            path = inventory(tmp_path, f"{{graph: {{{options}}}}}")
            spent = f'poll_failed{POLL[:-1]},reason="budget"}}'
            async with serving(path) as service:
                found = await until(service, lambda found: found.get(spent) == 1.0)
                assert found['api_budget_requests{account="graph"}'] == 3.0
                assert found['api_spent_requests{account="graph"}'] == 3.0
            async with serving(path) as service:
                await until(service, lambda found: found.get(spent) == 1.0)
            assert len(vendor.asked) == 3

    asyncio.run(use())


def test_two_sources_of_one_account_never_ask_at_the_same_time(tmp_path: Path) -> None:
    under_way: list[str] = []
    most: list[int] = []

    def slow(asked: Asked) -> Answer:
        under_way.append(asked.path)
        most.append(len(under_way))
        time.sleep(0.05)
        under_way.pop()
        return devices("t-1")

    async def use() -> None:
        with Vendor(slow) as vendor:
            options = f"{{platform: fake, url: '{vendor.url}', rate: 100/s, token_file: token}}"
            path = inventory(tmp_path, f"{{graph: {options}}}")
            async with serving(path) as service:
                turns = service.fleets["f"]._turns["graph"]
                job = service.fleets["f"]._planned["fake/graph"].collection
                await asyncio.gather(*(turns.collect(job, WITHIN, b"") for _ in range(4)))

    asyncio.run(use())
    assert len(most) >= 4
    assert max(most) == 1


def test_no_request_of_a_collection_falls_into_the_same_second_as_one_of_the_collection_before(tmp_path: Path) -> None:
    """Each source paces its own requests, and none knows when those of the other arrived."""
    heard: list[float] = []

    def late(asked: Asked) -> Answer:
        # Held up on its way: it counts when it arrives, not when it was sent.
        time.sleep(0.3)
        heard.append(time.monotonic())
        return devices("t-1")

    async def use() -> None:
        with Vendor(late) as vendor:
            options = f"{{platform: fake, url: '{vendor.url}', rate: 5/s, token_file: token}}"
            path = inventory(tmp_path, f"{{graph: {options}}}")
            async with serving(path) as service:
                turns = service.fleets["f"]._turns["graph"]
                job = service.fleets["f"]._planned["fake/graph"].collection
                await asyncio.gather(*(turns.collect(job, WITHIN, b"") for _ in range(3)))

    asyncio.run(use())
    assert len(heard) >= 3
    assert min(after - before for before, after in itertools.pairwise(heard)) >= 1.0


def test_a_reload_without_the_account_takes_its_samples_away_and_one_that_changes_it_is_used(tmp_path: Path) -> None:
    async def use() -> None:
        with Vendor(lambda asked: devices("t-1")) as first, Vendor(lambda asked: devices("t-2")) as second:
            options = "{{graph: {{platform: fake, url: '{}', rate: 100/s, token_file: token}}}}"
            path = inventory(tmp_path, options.format(first.url))
            async with serving(path) as service:
                await until(service, lambda found: DEVICE % 1 in found)
                inventory(tmp_path, options.format(second.url))
                assert await service.reload() == []
                await until(service, lambda found: DEVICE % 2 in found)
                asked = len(first.asked)
                inventory(tmp_path, "{}")
                assert await service.reload() == []
                found = await lines(service)
                assert not [name for name in found if "graph" in name or "t-2" in name]
                assert len(first.asked) == asked

    asyncio.run(use())


@pytest.mark.parametrize(
    ("accounts", "problem"),
    [
        ("{graph: {token_file: t}}", "accounts.graph.platform: is missing; write one of"),
        ("{graph: {platform: fak}}", "accounts.graph.platform: there is no platform 'fak'; did you mean 'fake'?"),
        ("{graph: fake}", "accounts.graph: 'fake' is not a mapping"),
        ("{graph: {platform: fake}}", "accounts.graph.token_file: is missing"),
        (
            "{graph: {platform: fake, token_file: t, rate: 5}}",
            "accounts.graph.rate: '5' is not a rate; write requests per time: 5/s, 100/m, 4000/20s",
        ),
        (
            "{graph: {platform: fake, token_file: t, tokenfile: t}}",
            "accounts.graph.tokenfile: unknown key 'tokenfile'; did you mean 'token_file'?",
        ),
        (
            "{graph: {platform: fake, token_file: t, url: 'http://api.example.com'}}",
            "accounts.graph.url: 'http://api.example.com' would send credentials unprotected; write https://",
        ),
        (
            "{graph: {platform: fake, token_file: t, requests_per_day: 0}}",
            "accounts.graph.requests_per_day: '0' is less than 1",
        ),
    ],
)
def test_a_mistake_in_an_account_is_told_with_its_place(tmp_path: Path, accounts: str, problem: str) -> None:
    with pytest.raises(InventoryError) as caught:
        load(inventory(tmp_path, accounts))
    [only] = caught.value.problems
    assert only.line == 2
    assert f"{only.field}: {only.message}".startswith(problem)


def test_a_state_file_of_the_first_format_is_taken_over_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.execute(
            "CREATE TABLE collected (fleet TEXT NOT NULL, account TEXT NOT NULL, as_of REAL NOT NULL,"
            " blocks BLOB NOT NULL, PRIMARY KEY (fleet, account))"
        )
        old.execute("INSERT INTO collected VALUES ('f', 'graph', 12.0, x'6162')")
        old.execute("PRAGMA user_version = 1")
        old.commit()
    state = State(path)
    assert state.kept_blocks("f", "graph") == (12.0, b"ab", b"")
    state.close()
    assert list(tmp_path.glob("*.corrupt*")) == []


@pytest.mark.parametrize(
    ("allowance", "wanted", "given"),
    [(None, 60.0, 60.0), (None, None, None), (100_000, 60.0, 60.0), (288, 60.0, 900.0), (0, 60.0, None)],
)
def test_a_hurry_is_no_greater_than_what_is_left_of_the_budget_pays_for(
    allowance: int | None, wanted: float | None, given: float | None
) -> None:
    session = Session(0.0, allowance=allowance)
    session.hurry(wanted, 3)
    assert session.again_in == given

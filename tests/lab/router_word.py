"""The router's word: right within one poll of each switch, and cheap however many routes there are."""

from __future__ import annotations

import asyncio
import random
import time

from tests.lab import agent
from tests.lab.lab import Lab
from tests.lab.measure import Results

# Half an hour's patience is nothing: an agent that reads a large table from the kernel takes a while.
_CLAIM_WITHIN = 120.0


async def claims(lab: Lab, results: Results, count: int) -> None:
    """`count` times: cut the fiber, let the router move, heal, let it move back; when is its new word on the page?"""
    for _ in range(count):
        for circuit, act in (("lte", lab.faults.blackhole), ("fiber", lab.faults.heal)):
            await asyncio.sleep(random.uniform(35, 65))
            await act("fiber")
            moved = await _moved(lab, circuit)
            said = await _said(lab, circuit, moved)
            results.observe("word.claimed_after", said - moved)
            results.say(f"{circuit}: {said - moved:.1f} s after the router moved")
    await lab.calm()


async def many_routes(lab: Lab, results: Results, count: int) -> None:
    """Requests of a whole poll, default route included, with `count` routes more."""
    before = agent.routes()
    await agent.fill_routes(lab.work, count)
    assert agent.routes() >= before + count
    for _ in range(3):
        results.observe("word.requests", await _requests_of_a_poll(lab))
    page = await lab.box.page()
    results.observe("word.claimed", page.which("uplink", "terminal_path", source="claimed") == "fiber")


async def _moved(lab: Lab, circuit: str) -> float:
    began = time.monotonic()
    while time.monotonic() < began + _CLAIM_WITHIN:
        found = [each for each in lab.log.entries if each["what"] == "router_moved" and each["to"] == circuit]
        if found and found[-1]["at"] > began - 1:
            return float(found[-1]["at"])
        await asyncio.sleep(0.05)
    raise TimeoutError(f"the router never moved to {circuit}")


async def _said(lab: Lab, circuit: str, since: float) -> float:
    while time.monotonic() < since + _CLAIM_WITHIN:
        page = await lab.box.page()
        if page.which("uplink", "terminal_path", source="claimed") == circuit:
            return page.at
        await asyncio.sleep(0.2)
    raise TimeoutError(f"the router never claimed {circuit}")


async def _requests_of_a_poll(lab: Lab) -> float:
    """How many requests were sent between two ends of polls."""
    ends: list[tuple[float, float]] = []
    deadline = time.monotonic() + _CLAIM_WITHIN
    while len(ends) < 2 and time.monotonic() < deadline:
        page = await lab.box.page()
        end, sent = page.value("router_last_success_timestamp_seconds"), page.value("router_requests_total")
        if end is not None and sent is not None and (not ends or end > ends[-1][0]):
            ends.append((end, sent))
        await asyncio.sleep(0.2)
    if len(ends) < 2:
        raise TimeoutError("the router was not polled to an end")
    return ends[1][1] - ends[0][1]

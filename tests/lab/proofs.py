"""Proofs of the idle LTE: their bytes at the card against the budget, and how soon silence about it is told."""

from __future__ import annotations

import asyncio
import random
import time

from tests.lab import network
from tests.lab.lab import Lab
from tests.lab.measure import Results

_TELL_WITHIN = 400.0


async def month(lab: Lab, results: Results, period: float, budget: float) -> None:
    """One budget period at the LTE card with nothing but probes and proofs on it."""
    carried, began = network.bytes_on("lte"), time.monotonic()
    first = await _proven(lab)
    counted = (await lab.box.page()).total("probe_bytes_total", uplink="lte")
    await asyncio.sleep(began + period - time.monotonic())
    carried = network.bytes_on("lte") - carried
    page = await lab.box.page()
    counted = page.total("probe_bytes_total", uplink="lte") - counted
    results.observe("proofs.month", carried / budget)
    results.observe("proofs.month_counted", abs(counted - carried) / carried)
    results.say(f"{carried} bytes at the card, {counted:.0f} counted, budget {budget:.0f}, first proof at {first:.0f}")


async def dead(lab: Lab, results: Results, count: int) -> None:
    """`count` times: LTE dies while it is idle; when is the ticket with somebody?"""
    for _ in range(count):
        await asyncio.sleep(random.uniform(15, 45))
        cut = await lab.faults.blackhole("lte")
        results.observe("proofs.dead_told", await _told(lab, "StandbyNotReady", cut) - cut)
        await lab.faults.heal("lte")
        await lab.calm()


async def unproven(lab: Lab, results: Results, max_age: float, count: int) -> None:
    """`count` times: what is asked as a proof dies everywhere, so that nothing is known of names and pages any more."""
    for _ in range(count):
        await asyncio.sleep(random.uniform(15, 30))
        gone = await lab.faults.dead_host(network.DISPATCH, dead=True)
        last = await _last_known(lab, gone)
        told = await _told(lab, "StandbyUnproven", gone)
        results.observe("proofs.unproven_told", told - last - max_age)
        await lab.faults.dead_host(network.DISPATCH, dead=False)
        await lab.calm()


async def _proven(lab: Lab) -> float:
    """Wait for the first proof; its moment."""
    deadline = time.monotonic() + 120
    while (at := (await lab.box.page()).value("standby_proof_timestamp_seconds", uplink="lte")) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("LTE was never proven")
        await asyncio.sleep(0.5)
    return at


async def _last_known(lab: Lab, since: float) -> float:
    """The last moment (monotonic seconds) at which the check https was known."""
    last = since
    while time.monotonic() < since + _TELL_WITHIN:
        page = await lab.box.page()
        if page.value("standby_ready", uplink="lte", check="https") is None:
            return last
        last = page.at
        await asyncio.sleep(0.5)
    raise TimeoutError("the check https never became unknown")


async def _told(lab: Lab, name: str, since: float) -> float:
    while time.monotonic() < since + _TELL_WITHIN:
        for post in lab.centre.inbox.since(since):
            if post.status == "firing" and name in post.names():
                return post.at
        await asyncio.sleep(0.2)
    raise TimeoutError(f"{name} was never told")

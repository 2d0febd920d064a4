"""Bar 3: routers that switch after 15, 50 and 90 s; rows T01 to T04, gaps and the observed path."""

from __future__ import annotations

import asyncio
import random
from typing import Literal

from tests.lab.bar2 import story
from tests.lab.lab import Lab, healthy
from tests.lab.measure import Results
from tests.lab.yard import Glance

Scenario = Literal["T01", "T02", "T03", "T03-inband", "T04"]
# Whom the page may name: with no way out but the circuits, the centre can only see that nothing arrives.
PAGES = {"T03": "TerminalDark", "T03-inband": "TerminalNotReporting"}
ON_STANDBY = 45.0


async def switches(lab: Lab, results: Results, row: Scenario, count: int) -> None:
    """`count` times: blackhole the fibre, let the router move, heal, let it move back."""
    for number in range(1, count + 1):
        await asyncio.sleep(random.uniform(15, 25))
        cut = await lab.faults.blackhole("fiber")
        await _moved(lab, results, "lte", cut)
        await asyncio.sleep(ON_STANDBY)
        healed = await lab.faults.heal("fiber")
        await _moved(lab, results, "fiber", healed)
        await lab.calm()
        holds = _row_holds(lab, row, cut)
        results.observe(f"bar3.{row}", holds)
        if not holds:
            results.note(f"{row}: {story(lab.centre.inbox.since(cut), cut)}")
        results.say(f"{row} {number}/{count}")


async def _moved(lab: Lab, results: Results, circuit: str, since: float) -> None:
    before = [seen for seen in lab.box.glances if seen.at < since][-1]
    while not (moves := [at for at, path in lab.truth["default"].moves if at > since and path == circuit]):
        await asyncio.sleep(0.2)
    moved = moves[-1]
    await asyncio.sleep(20)
    after = lab.box.glances[-1]
    error = gap_error(lab, before, after, since)
    results.observe("bar3.events", after.failovers - before.failovers == 1 and after.gaps - before.gaps == 1)
    results.observe("bar3.gap_error", error)
    late = observed_after(lab, circuit, moved, after)
    results.observe("bar3.observed_after", late)
    results.say(f"to {circuit}: {moved - since:.1f} s, gap error {error:.2f} s, observed after {late:.2f} s")
    if after.failovers - before.failovers != 1 or after.gaps - before.gaps != 1 or error > 0.5 or late > 3:
        results.note(f"to {circuit} at {moved:.2f}: {error=:.2f} {late=:.2f} before {before} after {after}")


def gap_error(lab: Lab, before: Glance, after: Glance, since: float) -> float:
    """Seconds by which the gaps recorded between two glances miss those of the truth prober."""
    true = sum(gap.seconds for gap in lab.truth["default"].overlapping(since - 0.5, after.at))
    return abs(after.gap_seconds - before.gap_seconds - true)


def observed_after(lab: Lab, circuit: str, moved: float, until: Glance) -> float:
    """Seconds from the move until the observed path was right and stayed so; infinite when it never did."""
    late = float("inf")
    for seen in reversed([seen for seen in lab.box.since(moved) if seen.at <= until.at]):
        if seen.observed != circuit:
            break
        late = seen.at - moved
    return late


def _row_holds(lab: Lab, row: Scenario, cut: float) -> bool:
    posts = lab.centre.inbox.since(cut)
    firing = [post for post in posts if post.status == "firing"]
    pages = [post.names(severity="page") for post in firing if post.names(severity="page")]
    tickets = set().union(*(post.names(severity="ticket") for post in firing))
    closed = set().union(*(post.names("resolved") for post in posts))
    expected = [{PAGES[row]}] if row in PAGES else []
    return pages == expected and "TerminalOnStandby" in tickets and "TerminalOnStandby" in closed


async def sticky(lab: Lab, results: Results, count: int) -> None:
    """The same with a router that never lets old connections follow the move."""
    for _ in range(count):
        await asyncio.sleep(random.uniform(5, 10))
        before = lab.box.glances[-1]
        cut = await lab.faults.blackhole("fiber")
        while lab.router.active != "lte":
            await asyncio.sleep(0.1)
        moved = next(e["at"] for e in reversed(lab.log.entries) if e["what"] == "router_moved")
        await asyncio.sleep(20)
        after = lab.box.glances[-1]
        results.observe("extra.sticky_error", abs(after.gap_seconds - before.gap_seconds - (moved - cut)))
        results.observe("extra.sticky_observed", observed_after(lab, "lte", moved, after))
        await lab.faults.heal("fiber")
        await lab.until(healthy, within=90)

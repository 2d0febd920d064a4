"""Bar 1: short blackholes of the fibre are all recorded, with the right length, and nobody is paged."""

from __future__ import annotations

import asyncio
import itertools
import random

from tests.lab.lab import Lab, healthy
from tests.lab.measure import Results
from tests.lab.yard import Glance

LENGTHS = (2, 3, 5, 8)


async def blackholes(lab: Lab, results: Results, count: int) -> None:
    """`count` blackholes of 2, 3, 5 and 8 s at random phases; every second four leave the gateway alive."""
    began = lab.box.glances[-1].at
    for number, seconds in enumerate(itertools.islice(itertools.cycle(LENGTHS), count), 1):
        while await _blackhole(lab, results, number, seconds):
            results.observe("stalls", 1)
            results.say("the machine stood still; once more")
    pages = [post for post in lab.centre.inbox.since(began) if post.names(severity="page")]
    results.observe("bar1.pages", len(pages))
    for post in pages:
        results.note(f"paged {post.names(severity='page')}")


async def _blackhole(lab: Lab, results: Results, number: int, seconds: float) -> bool:
    """One of them; true when it says nothing because the machine stood still."""
    await asyncio.sleep(random.uniform(2, 4))
    before = lab.box.glances[-1]
    cut = await lab.faults.blackhole("fiber", "upstream" if (number - 1) // 4 % 2 else "circuit")
    await asyncio.sleep(seconds)
    healed = await lab.faults.heal("fiber")
    await asyncio.sleep(2)
    await lab.until(healthy, within=90)
    await asyncio.sleep(1)
    after = lab.box.glances[-1]
    recorded = after.uplink_gaps["fiber"] - before.uplink_gaps["fiber"]
    length = after.uplink_gap_seconds["fiber"] - before.uplink_gap_seconds["fiber"]
    (true,) = lab.truth["fiber"].overlapping(cut - 0.1, healed + 0.1)
    if lab.stalled_since(before.at):
        return True
    results.observe("bar1.recorded", recorded == 1)
    if recorded == 1:
        results.observe("bar1.length_error", abs(length - true.seconds))
    else:
        results.note(f"blackhole of {true.seconds:.2f} s: {recorded:g} gaps of {length:.2f} s in all")
    _compare_default(lab, results, before, after)
    results.say(f"{number}: {true.seconds:.2f} s, measured {length:.2f} s")
    return False


def _compare_default(lab: Lab, results: Results, before: Glance, after: Glance) -> None:
    true = sum(gap.seconds for gap in lab.truth["default"].overlapping(before.at, after.at))
    results.observe("bar1.default_error", abs(after.gap_seconds - before.gap_seconds - true))


async def quiet(lab: Lab, results: Results, seconds: float) -> None:
    """Nothing is broken; nothing may be seen or said."""
    before = lab.box.glances[-1]
    for minute in range(int(seconds // 60) + 1):
        results.say(f"quiet for {minute} min")
        await asyncio.sleep(min(60.0, seconds - 60 * minute))
    after = lab.box.glances[-1]
    events = after.gaps + after.failovers + sum(after.uplink_gaps.values())
    events -= before.gaps + before.failovers + sum(before.uplink_gaps.values())
    troubled = [seen for seen in lab.box.since(before.at) if not healthy(seen)]
    posts = lab.centre.inbox.since(before.at)
    results.observe("bar1.false_events", events + len(troubled))
    results.observe("bar1.quiet_posts", len(posts))
    for seen in troubled[:3]:
        results.note(f"while quiet: {seen}")
    for post in posts:
        results.note(f"while quiet: {post.status} {post.names(post.status)}")

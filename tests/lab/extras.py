"""Faults of the box itself: killed and restarted (T21), its card gone and back with another address (T34)."""

from __future__ import annotations

import asyncio
import random
import time

from tests.lab.bar2 import story
from tests.lab.lab import Lab, healthy
from tests.lab.measure import Results


async def restart(lab: Lab, results: Results, count: int) -> None:
    """kill -9 and a start 20 s later invent no gap, lower no history and tell nobody."""
    for number in range(1, count + 1):
        await asyncio.sleep(random.uniform(10, 15))
        before, killed = lab.box.glances[-1], time.monotonic()
        lab.box.kill()
        lab.log.write("box_killed")
        await asyncio.sleep(20)
        lab.log.write("box_started")
        lab.box.power_on()
        after = await lab.until(healthy, within=60)
        await asyncio.sleep(20)
        after = lab.box.glances[-1]
        posts = lab.centre.inbox.since(killed)
        kept = (after.gaps, after.failovers, after.uplink_gaps) == (
            before.gaps,
            before.failovers,
            before.uplink_gaps,
        )
        results.observe("extra.restart", kept and not posts)
        if not kept or posts:
            results.note(f"restart: before {before} after {after}; {story(posts, killed)}")
        results.say(f"restart {number}/{count}")


async def card(lab: Lab, results: Results, count: int) -> None:
    """The card is away for a while and comes back with another default address."""
    for number in range(1, count + 1):
        await asyncio.sleep(random.uniform(3, 6))
        await lab.faults.unplug_card()
        await asyncio.sleep(15)
        called_down = any("down" in seen.uplinks.values() for seen in lab.box.since(time.monotonic() - 14))
        back = await lab.faults.plug_card(f"10.10.0.{30 + number}")
        seen = await lab.until(healthy, within=90)
        results.observe("extra.card", seen.at - back)
        if called_down:
            results.note("card removed: an uplink was called down, though nothing was sent over it")
        results.say(f"card {number}/{count}: healthy {seen.at - back:.1f} s after it was back")

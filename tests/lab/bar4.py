"""Bar 4: a standby that is dead, or probed over another circuit, is never called up; the meter holds."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Literal

from tests.lab import namespace, network
from tests.lab.faults import Where
from tests.lab.lab import Lab, healthy
from tests.lab.measure import Results
from tests.lab.process import YARDLIGHT
from tests.lab.yard import FLEET, TERMINAL, Page


async def dead_standby(lab: Lab, results: Results, count: int, hold: float) -> None:
    """The LTE circuit is silent, wholly or behind its gateway, while its link stays up."""
    allowed = notice_time(lab)
    for number in range(1, count + 1):
        where: Where = "upstream" if number % 2 else "circuit"
        await asyncio.sleep(random.uniform(3, 6))
        cut = await lab.faults.blackhole("lte", where)
        await asyncio.sleep(hold + allowed)
        _judge(lab, results, "dead", cut, allowed)
        await lab.faults.heal("lte")
        await lab.until(healthy, within=120)
        results.say(f"dead {where} {number}/{count}")


async def unpinned_standby(lab: Lab, results: Results, count: int, hold: float) -> None:
    """The router loses the rule that sends LTE's probes by LTE: they leave by fiber and are answered."""
    allowed = notice_time(lab)
    for number in range(1, count + 1):
        await asyncio.sleep(random.uniform(3, 6))
        cut = await lab.faults.policy_route("lte", present=False)
        await asyncio.sleep(hold + allowed)
        _judge(lab, results, "unpinned", cut, allowed)
        await lab.faults.policy_route("lte", present=True)
        await lab.until(healthy, within=120)
        results.say(f"unpinned {number}/{count}")


def _judge(lab: Lab, results: Results, fault: Literal["dead", "unpinned"], cut: float, allowed: float) -> None:
    seen = lab.box.since(cut)
    wanted = "down" if fault == "dead" else "unknown"
    noticed = next((one.at - cut for one in seen if one.uplinks["lte"] == wanted), 999.0)
    later = {one.uplinks["lte"] for one in seen if one.at - cut > min(noticed, allowed)}
    if lab.setup.metered:
        results.observe("bar4.metered.noticed", noticed / allowed)
        results.observe("bar4.metered.never_up", later == {wanted})
    else:
        results.observe(f"bar4.{fault}.noticed", noticed)
        results.observe(f"bar4.{fault}.never_up", later == {wanted})
    results.say(f"{fault}: noticed after {noticed:.1f} s of {allowed:.1f} s")
    if noticed > allowed or later != {wanted}:
        story = [(round(one.at - cut, 1), one.uplinks["lte"], one.pinned["lte"]) for one in seen]
        changes = [now for before, now in zip([(0, None, None), *story], story, strict=False) if before[1:] != now[1:]]
        results.note(f"{fault}: noticed after {noticed:.1f} s of {allowed:.1f} s, states of lte {changes}")


def notice_time(lab: Lab) -> float:
    """Seconds in which a fault of the standby must show: 5, or when it is metered what `yardlight check` prints."""
    if not lab.setup.metered:
        return 5.0
    printed = json.loads(namespace.run("yard", " ".join([*YARDLIGHT, "check", str(lab.box.inventory), "--json"])))
    (cost,) = (cost for cost in printed["costs"][FLEET] if cost["uplink"] == "lte")
    return float(cost["down_after_seconds"])


async def month(lab: Lab, results: Results, period: float, budget: float, on_standby: float) -> None:
    """One budget period at the card of the LTE circuit, with a failover of `on_standby` seconds in it."""
    carried, began = network.bytes_on("lte"), time.monotonic()
    counted = await _counted(lab)
    if on_standby:
        await asyncio.sleep(random.uniform(20, 40))
        await lab.faults.blackhole("fiber")
        await asyncio.sleep(on_standby)
        await lab.faults.heal("fiber")
    await asyncio.sleep(began + period - time.monotonic())
    carried = network.bytes_on("lte") - carried
    counted = await _counted(lab) - counted
    results.observe("bar4.month", carried / budget)
    results.observe("bar4.month_counted", abs(counted - carried) / carried)
    results.say(f"{carried} bytes at the card, {counted:.0f} counted, budget {budget:.0f}, {on_standby:.0f} s on LTE")


async def _counted(lab: Lab) -> float:
    page: Page = await lab.box.page()
    return page.total("probe_bytes_total", terminal=TERMINAL, uplink="lte")

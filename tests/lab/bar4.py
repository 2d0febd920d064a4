"""Bar 4: a standby that is dead, or probed over another circuit, is never called up; the meter holds."""

from __future__ import annotations

import asyncio
import json
import random
import time

from tests.lab import namespace, network
from tests.lab.faults import Where
from tests.lab.lab import Lab, healthy
from tests.lab.measure import Results
from tests.lab.process import YARDLIGHT
from tests.lab.yard import TERMINAL, Page

HOLD = 20.0


async def dead_standby(lab: Lab, results: Results, count: int) -> None:
    """The LTE circuit is silent, wholly or behind its gateway, while its link stays up."""
    for number in range(1, count + 1):
        where: Where = "upstream" if number % 2 else "circuit"
        await asyncio.sleep(random.uniform(3, 6))
        cut = await lab.faults.blackhole("lte", where)
        await asyncio.sleep(HOLD + _allowed(lab))
        await _judge(lab, results, "dead", cut, {"down"})
        await lab.faults.heal("lte")
        await lab.until(healthy, within=120)
        results.say(f"dead {where} {number}/{count}")


async def unpinned_standby(lab: Lab, results: Results, count: int) -> None:
    """The router loses the rule that sends LTE's probes by LTE: they leave by fiber and are answered."""
    for number in range(1, count + 1):
        await asyncio.sleep(random.uniform(3, 6))
        cut = await lab.faults.policy_route("lte", present=False)
        await asyncio.sleep(HOLD + _allowed(lab))
        await _judge(lab, results, "unpinned", cut, {"unknown"})
        await lab.faults.policy_route("lte", present=True)
        await lab.until(healthy, within=120)
        results.say(f"unpinned {number}/{count}")


def _allowed(lab: Lab) -> float:
    return notice_time(lab) if lab.setup.metered else 5.0


async def _judge(lab: Lab, results: Results, fault: str, cut: float, wanted: set[str]) -> None:
    seen = lab.box.since(cut)
    noticed = next((one.at - cut for one in seen if one.uplinks["lte"] in wanted), float("inf"))
    later = {one.uplinks["lte"] for one in seen if one.at - cut > max(noticed, _allowed(lab))}
    if lab.setup.metered:
        results.observe("bar4.metered.noticed", noticed / _allowed(lab))
        results.observe("bar4.metered.never_up", "up" not in later and bool(later))
    else:
        results.observe(f"bar4.{fault}.noticed", noticed)
        results.observe(f"bar4.{fault}.never_up", "up" not in later and bool(later))
    if noticed > _allowed(lab) or "up" in later:
        results.note(f"{fault}: noticed after {noticed:.1f} s of {_allowed(lab):.1f} s, later states {later}")


def notice_time(lab: Lab) -> float:
    """The time `yardlight check` prints for the LTE uplink, in seconds."""
    line = [*YARDLIGHT, "check", str(lab.box.inventory), "--json"]
    printed = json.loads(namespace.run("yard", " ".join(line)))
    return _notice_after(printed)


def _notice_after(printed: object) -> float:
    raise NotImplementedError


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
    results.say(
        f"{carried} bytes at the card, {counted:.0f} counted, budget {budget:.0f}, {on_standby:.0f} s on LTE"
    )


async def _counted(lab: Lab) -> float:
    page: Page = await lab.box.page()
    return page.total("probe_bytes_total", terminal=TERMINAL, uplink="lte")

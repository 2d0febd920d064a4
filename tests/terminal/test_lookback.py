"""From a cut circuit to the row an ISP gets: measured, kept and looked back at while measuring goes on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.terminal.test_exporter import yard

from yardlight.history import History, circuit_availability, outages, terminal_availability
from yardlight.intervals import common, seconds
from yardlight.inventory.models import Target
from yardlight.terminal.stretch import ASKED_WITHIN


def test_a_cut_is_kept_with_its_stretch_and_the_states_around_it_without_a_hole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            here.end()
            near = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
            port = near.sockets[0].getsockname()[1]
            isp = Target(label="isp", host="127.0.0.1", probe="tcp", port=port, segment="isp")
            fiber = here.terminal.uplinks["fiber"]
            fiber = fiber.model_copy(update={"targets": (*(fiber.targets or here.terminal.targets), isp)})
            here.begin(here.terminal.model_copy(update={"uplinks": {**here.terminal.uplinks, "fiber": fiber}}))
            await here.reach("primary", "fiber", "up", "up")
            cut = time.time()
            here.cut("fiber")
            await here.reach("standby", "lte", "down", "up")
            await asyncio.sleep(max(0.0, cut + ASKED_WITHIN + 2.0 - time.time()))
            healed = time.time()
            here.heal("fiber")
            await here.reach("primary", "fiber", "up", "up")
            with History([tmp_path / "state.db"]) as history:

                def kinds() -> list[str]:
                    return [event.kind for event in history.events("demo", "fontana", (cut - 2, time.time()))]

                await here.until(lambda: kinds().count("failover") == 2 and "uplink_gap" in kinds())
                here.exporter._remember(time.monotonic())
                began, now = cut - 1.0, time.time()
                await here.until(lambda: max(s.end for s in history.spans("demo", "fontana", (began, now))) > now - 0.5)
                events, spans = (read("demo", "fontana", (began, now)) for read in (history.events, history.spans))
                rows = outages(here.terminal, events, spans)
                circuit = next(row for row in rows if row.kind == "circuit" and row.uplink == "fiber")
                assert (circuit.segment, circuit.isp) == ("far", here.terminal.uplinks["fiber"].circuit.isp or "")
                assert abs(circuit.seconds - (healed - cut)) < 1.0
                assert [row.kind for row in rows if row.kind != "circuit"] == ["failover", "failback"]
                period = (cut, now - 0.5)
                fiber_was = circuit_availability("fiber", spans, events, period)
                assert abs(fiber_was.down_seconds - (healed - cut)) < 1.0
                # Answers count from when they are proven to have come over this circuit.
                assert fiber_was.unmeasured_seconds < 3.0
                assert len(fiber_was.outages) == 1
                lte_was = circuit_availability("lte", spans, events, period)
                assert (lte_was.down_seconds, lte_was.share) == (0.0, 1.0)
                yard_was = terminal_availability(spans, events, period)
                failover = next(row for row in rows if row.kind == "failover")
                assert abs(yard_was.down_seconds - seconds(common([period], [(failover.start, failover.end)]))) < 1.5
                assert yard_was.unmeasured_seconds < 1.0
            near.close()

    asyncio.run(scenario())

"""What the centre says meanwhile: which alerts fire at the terminal, which notifications reached the drill receiver."""

from __future__ import annotations

import asyncio
import logging

from yardlight.drills import findings
from yardlight.drills.plan import Known, Plan
from yardlight.drills.timeline import Told
from yardlight.drills.world import Centre, Clock
from yardlight.errors import DrillError
from yardlight.logs import kv

log = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0


class Ears:
    """Asks the centre again and again and keeps what it learns in `known`.

    `firing` are the names of alerts under test, and of others that the drill caused, as of `heard` (unix seconds).
    """

    def __init__(self, plan: Plan, known: Known, centre: Centre, clock: Clock) -> None:
        self.firing: set[str] = set()
        self.heard = 0.0
        self._plan, self._known, self._centre, self._clock = plan, known, centre, clock
        self._since = clock.now()
        self._asked = 0.0
        self._task: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Ask, unless an answer is still awaited: right after a cut the centre may say nothing for seconds."""
        if (self._task is None or self._task.done()) and self._clock.now() - self._asked >= _EVERY_SECONDS:
            self._asked = self._clock.now()
            self._task = asyncio.create_task(self._ask())

    def stop(self) -> None:
        """Await no answer any more."""
        if self._task is not None:
            self._task.cancel()

    async def _ask(self) -> None:
        try:
            await self._alerts()
            await self._notices()
        except DrillError:
            return
        except Exception:
            log.exception("what the centre says is not understood", extra=kv(drill=self._plan.drill))

    @property
    def _offset(self) -> float:
        """From the centre's clock to the terminal's."""
        offsets = self._known.offsets
        return offsets.get("the terminal", (0.0, 0.0))[0] - offsets.get("the centre", (0.0, 0.0))[0]

    async def _alerts(self) -> None:
        alerts = await self._centre.alerts(self._plan.fleet.fleet, self._plan.terminal.name)
        under_test = self._plan.playbook.alerts
        self.firing = {
            str(alert["labels"]["alertname"])
            for alert in alerts
            if alert["labels"]["alertname"] in under_test or alert["labels"].get("drill")
        }
        self.heard = self._clock.now()
        for alert in alerts:
            self._known.alerts[str(alert["fingerprint"])] = alert
            name = str(alert["labels"]["alertname"])
            if name in self._plan.playbook.alerts and name not in self._known.told and self._known.begun:
                fired = findings.moment(alert["startsAt"]) + self._offset
                if fired >= self._known.begun[1]:
                    self._known.told[name] = Told(name, fired)

    async def _notices(self) -> None:
        self._known.notices = [*await self._centre.notices(self._since)]
        for notice in self._known.notices:
            for alert in notice["payload"].get("alerts", ()):
                told = self._known.told.get(alert["labels"].get("alertname", ""))
                mine = alert["labels"].get("terminal") == self._plan.terminal.name
                if told is not None and told.received is None and mine and alert.get("status") == "firing":
                    received = float(notice["received"]) + self._offset
                    self._known.told[told.alert] = Told(told.alert, told.fired, received)

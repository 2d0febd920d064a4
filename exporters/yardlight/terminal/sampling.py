"""How fast is an idle standby: now and then a file comes over it, paid by bytes that were set aside for that.

A sample is taken while the standby is up, proven and does not carry the yard: then it would measure the yard's own
traffic as well. The speed is the file's, from the first byte of the answer on; a file that is not there in time gives
the speed at which it came until then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from yardlight.budget import sample_bytes
from yardlight.inventory.models import Service, SpeedSample
from yardlight.terminal.asking import Outcome, Way, ask
from yardlight.terminal.engine import Engine
from yardlight.terminal.metering import Wire
from yardlight.terminal.names import Resolver, system_resolvers
from yardlight.terminal.readiness import Record
from yardlight.terminal.services import Ground, context
from yardlight.terminal.stream import Meter

log = logging.getLogger(__name__)

_LOOK_EVERY = 2.0
# After a sample that told nothing.
_AGAIN_AFTER = 3600.0
# What came of a file that is not there in time, over the least that this says something about a line.
_TELLING_BYTES = 20_000


@dataclass(slots=True)
class Sampled:
    """A standby and its own way out. `due` is in unix seconds."""

    uplink: str
    bind: str | None
    wire: Wire
    record: Callable[[], Record]
    due: float = 0.0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Samples:
    """Takes the samples of one terminal; `carrying` tells which uplink carries it. On the engine's loop."""

    def __init__(
        self,
        terminal: str,
        asked: SpeedSample | None,
        standbys: list[Sampled],
        engine: Engine,
        ground: Ground,
        carrying: Callable[[], str | None],
        resolvers: tuple[str, ...] = (),
    ) -> None:
        self._terminal, self._asked, self._standbys = terminal, asked, standbys if asked else []
        self._engine, self._ground, self._carrying, self._resolvers = engine, ground, carrying, resolvers
        self.due = -1.0

    def start(self) -> None:
        """Begin, if there is anything to measure."""
        if self._standbys:
            self._engine.schedule(self, time.monotonic() + _LOOK_EVERY)

    def stop(self) -> None:
        """Give up what is under way."""
        if self._standbys:
            self._engine.cancel(self)
        for each in self._standbys:
            if each.task is not None:
                each.task.cancel()

    def fire(self, now: float) -> None:
        """Begin what is due over standbys that are idle and known to be there."""
        self._engine.schedule(self, now + _LOOK_EVERY)
        for each in self._standbys:
            if each.task is None and self._is_due(each) and self._idle(each, now) and self._pays(each):
                each.task = asyncio.get_running_loop().create_task(self._sample(each))

    def _is_due(self, each: Sampled) -> bool:
        assert self._asked is not None
        taken = each.record().sampled
        return time.time() >= max(each.due, taken + self._asked.every if taken is not None else 0.0)

    def _idle(self, each: Sampled, now: float) -> bool:
        route = self._ground.service_route(each.uplink, now)
        return not route.closed and not route.doubtful and self._carrying() not in (None, each.uplink)

    def _pays(self, each: Sampled) -> bool:
        assert self._asked is not None
        account = each.wire.account
        return account is None or account.take("samples", sample_bytes(self._asked), time.time())

    async def _sample(self, each: Sampled) -> None:
        assert self._asked is not None
        meter, began = Meter(), time.monotonic()
        each.due = time.time() + _AGAIN_AFTER
        why, outcome = "", None
        try:
            outcome = await self._fetch(each, self._asked, meter)
        except OSError as error:
            why = error.strerror or str(error)
        finally:
            each.wire.count(meter.bytes)
            if each.wire.account is not None:
                each.wire.account.give_back("samples", sample_bytes(self._asked) - meter.bytes, time.time())
            each.task = None
        speed = None if outcome is None else speed_of(outcome, meter.bytes, time.monotonic() - began)
        if speed is not None and self._idle(each, time.monotonic()):
            record = each.record()
            record.sampled, record.speed = time.time(), speed
        elif why or outcome is None or outcome.reason:
            about = {"terminal": self._terminal, "uplink": each.uplink}
            log.warning("a standby's speed was not measured", extra={"kv": {**about, "reason": why or _why(outcome)}})

    async def _fetch(self, each: Sampled, asked: SpeedSample, meter: Meter) -> Outcome:
        resolver = Resolver(each.bind, self._resolvers or system_resolvers(own=False))
        # As a service of which all is taken: nothing but the size is frugal here.
        limits = {"max_size": asked.size, "timeout": asked.timeout}
        service = Service(url=asked.url, portal_check=False).model_copy(update=limits)
        return await ask(service, Way(resolver), await context(None), meter)


def speed_of(outcome: Outcome, passed: int, seconds: float) -> float | None:
    """Bytes a second; None if nothing was measured. `passed` are bytes on the wire, `seconds` since the question."""
    if outcome.reason == "body_timeout" and passed >= _TELLING_BYTES:
        return passed / seconds
    transfer = outcome.phases.get("transfer")
    if outcome.reason or not transfer or passed < _TELLING_BYTES:
        return None
    return passed / transfer


def _why(outcome: Outcome | None) -> str:
    return f"{outcome.reason}: {outcome.detail}" if outcome is not None else "no answer"

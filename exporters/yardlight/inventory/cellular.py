"""The part `cellular:` of the inventory: from which account SIMs are read, their cycles, their caps and their pools."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from yardlight.inventory.model import Model, Name, TimeZone
from yardlight.inventory.values import Duration, Lasting, Share, Size


class CycleRule(Model):
    """How a plan's cycles follow each other: from a `day` of the month, or each so many `days`.

    These count from the day `since`, or else from when the SIM was activated. A `lifetime` plan has no cycles.
    Midnights are those of `timezone`, or of the account where that is empty.
    """

    day: Annotated[int, Field(ge=1, le=31)] | None = None
    days: Annotated[int, Field(ge=1, le=366)] | None = None
    since: date | None = None
    lifetime: bool = False
    timezone: TimeZone | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> CycleRule:
        if (self.day is not None) + (self.days is not None) + self.lifetime != 1:
            raise ValueError("a cycle is one of {day: 12}, {days: 30}, lifetime and month")
        if self.since is not None and self.days is None:
            raise ValueError("since is of cycles of so many days, as in {days: 30, since: 2026-11-03}")
        return self


def _cycle(raw: Any) -> Any:
    """`month` and `lifetime` are words; all else is a mapping."""
    if raw in ("month", "lifetime"):
        return {"day": 1} if raw == "month" else {"lifetime": True}
    if isinstance(raw, str):
        raise ValueError(f"{raw!r} is not a cycle; write month, lifetime, {{day: 12}} or {{days: 30}}")
    return raw


Cycle = Annotated[CycleRule, BeforeValidator(_cycle)]


class PlanTerms(Model):
    """What may be used and what happens then, where the platform does not say it.

    `fair_use` is where a plan without a cap may be slowed; `overage_block` the size in which more is sold, and
    `throttle_speed` what is left of the speed, a size per second.
    """

    cap: Size | None = None
    fair_use: Size | None = None
    after: Literal["stop", "throttle", "overage"] | None = None
    overage_block: Size | None = None
    throttle_speed: Size | None = None
    cycle: Cycle | None = None


class Pool(PlanTerms):
    """SIMs that share a cap: those listed, those of these `plans` (as the platform calls them), else all of the source.

    What the platform itself calls a pool of this name is one without either.
    """

    sims: tuple[Name, ...] = ()
    plans: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _of_the_calendar(self) -> Pool:
        if self.cycle is not None and self.cycle.days is not None and self.cycle.since is None:
            raise ValueError(
                f"{{days: {self.cycle.days}}} counts from when a SIM is activated, and a pool is not;"
                f" write {{days: {self.cycle.days}, since: 2026-11-03}}, month, lifetime or {{day: 12}}"
            )
        return self


class Runaway(Model):
    """A day of so many times the SIM's own middle day with use, and of this much at least, is one to look at."""

    times: Annotated[float, Field(gt=1)] = 10.0
    least: Size = 100_000_000


class CellularSource(PlanTerms):
    """SIMs of one account, read every `poll` seconds. Its own terms are those of a single SIM.

    `late_after` is how old the newest figures may be (learned from how late they usually are, where it says nothing),
    `silent_after` how long a SIM may be silent while its truck moves, `drift` how far router and carrier may count
    apart. Of more than `series_limit` SIMs only those in trouble are shown one by one.
    """

    account: Name
    poll: Lasting = 900.0
    deadline: Lasting = 600.0
    pools: dict[Name, Pool] = {}
    late_after: Duration | None = None
    runaway: Runaway = Runaway()
    silent_after: Duration = 3 * 86400.0
    drift: Share = 0.15
    series_limit: Annotated[int, Field(ge=0)] = 2_000

"""The part `flows:` of the inventory: pairs of feeds that must agree, and by how much they may not."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from yardlight.inventory.model import Model
from yardlight.inventory.values import Duration, Share

# How many meters each unit of a distance has.
UNITS = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
Unit = Literal["m", "km", "mi"]


class Side(NamedTuple):
    """A feed, and which of its values; empty where only ids are compared."""

    feed: str
    value: str


def _side(raw: str) -> str:
    feed, dot, value = raw.partition(".")
    if not feed or (dot and not value):
        raise ValueError(f"{raw!r} is not a feed; write one like gps, or one of its values like gps.odometer")
    return raw


class Flow(Model):
    """What `source` knows first and `sink` takes over: a feed, or one of its values, like gps.odometer.

    What both tell of the same truck (or of the same `id`) is compared as of the sink's own record. A value may be off
    by `tolerance`, the sink may be behind by `max_lag`, and an id may be on one side only for as long; trucks that are
    off on purpose are `mismatches_allowed` and `missing_allowed`. Where `days_differ` is given, the numbers of ids (or
    trucks) of a day may differ by `missing_allowed`, and by that share of the larger one; without it they are only
    shown, since many bills are written on another day than the order. Units say what the numbers are where both are
    distances. People read `shows` as its name.
    """

    source: Annotated[str, AfterValidator(_side)]
    sink: Annotated[str, AfterValidator(_side)]
    key: Literal["truck", "id"] = "truck"
    tolerance: Share = 0.01
    max_lag: Duration = 86400.0
    source_unit: Unit | None = None
    sink_unit: Unit | None = None
    mismatches_allowed: Annotated[int, Field(ge=0)] = 0
    missing_allowed: Annotated[int, Field(ge=0)] = 0
    days_differ: Share | None = None
    shows: str | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Flow:
        if bool(self.of("source").value) != bool(self.of("sink").value):
            raise ValueError("values are compared with values; write source: and sink: both like gps.odometer, or none")
        if (self.source_unit is None) != (self.sink_unit is None):
            raise ValueError("source_unit and sink_unit belong together; write both or neither")
        return self

    def of(self, side: Literal["source", "sink"]) -> Side:
        """The feed and the value of one side."""
        feed, _, value = (self.source if side == "source" else self.sink).partition(".")
        return Side(feed, value)

    @property
    def factor(self) -> float:
        """What a number of the source is to be multiplied with to be one of the sink."""
        return UNITS[self.source_unit or "m"] / UNITS[self.sink_unit or "m"]

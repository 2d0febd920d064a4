"""What every part of the inventory is made of: the model that refuses unknown keys, names, time zones."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict

from yardlight.inventory.values import checked_name

# Two weeks: a certificate that somebody else has to sign takes one.
CREDENTIAL_WARNING = 14 * 86400.0


class Model(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


# The set is made by walking the disk, once per call.
_timezones = cache(available_timezones)


def _timezone(raw: str) -> str:
    if raw not in _timezones():
        raise ValueError(f"{raw!r} is not a time zone; write one like America/Los_Angeles")
    return raw


Name = Annotated[str, AfterValidator(checked_name)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
# What is on trial is collected and shown; its alerts are information.
Stage = Literal["live", "trial"]

"""What is proven of an idle standby: would the yard work if the router moved to it now? Pure.

Each check is true, false, or left out while it is not known: nobody asked, the answer is old, or what failed over the
standby fails over every other path too, so that it says nothing about the standby.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from yardlight.inventory.models import Check, SpeedSample

# A signal at its limit would be weak and strong again all day.
RECOVERED = 3.0
# A sample may be missed twice: the standby was in use, or the time for it was not there.
_SAMPLES_KEPT = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one question showed over a standby.

    `named` says whether names are resolved there (None if no name was needed), `elsewhere` whether the same works over
    another path now, and `work` whether the yard works with it: a proof is asked for its own sake.
    """

    works: bool
    secure: bool
    named: bool | None
    elsewhere: bool
    work: bool = True


def asked(findings: Iterable[Finding]) -> dict[Check, bool]:
    """The checks dns, https and service."""
    every = list(findings)
    found: dict[Check, bool] = {}
    named = [each for each in every if each.named is not None]
    if any(each.named for each in named):
        found["dns"] = True
    elif any(not each.works for each in named):
        found["dns"] = False
    for check, relevant in (
        ("https", [each for each in every if each.secure]),
        ("service", [each for each in every if each.work]),
    ):
        if (verdict := _any_works(relevant)) is not None:
            found[check] = verdict  # type: ignore[index]
    return found


def _any_works(findings: list[Finding]) -> bool | None:
    if any(each.works for each in findings):
        return True
    return False if any(each.elsewhere for each in findings) else None


def path(state: str) -> dict[Check, bool]:
    """The check path, from the verdict on the uplink."""
    return {} if state == "unknown" else {"path": state != "down"}


def radio(signal: Mapping[str, float], least: Mapping[str, float], weak: bool) -> bool | None:
    """No value under the least it may be, or 3 dB over that once it was `weak`; None if none is known."""
    known = [value - least[name] for name, value in signal.items() if name in least]
    return min(known) >= (RECOVERED if weak else 0.0) if known else None


def throughput(asked: SpeedSample | None, record: Record, now: float) -> dict[Check, bool]:
    """The check throughput, from the last sample of the speed, unless that is too old at `now` (unix seconds)."""
    if asked is None or record.sampled is None or record.speed is None:
        return {}
    return {"throughput": record.speed >= asked.least} if now - record.sampled < _SAMPLES_KEPT * asked.every else {}


@dataclass(slots=True)
class Record:
    """Moments of a standby that a restart must not lose, in unix seconds.

    `proven`: a name was resolved and an answer verified over it. `carried`: the yard's traffic last went over it.
    `sampled`: its speed was last measured, `speed` in bytes a second.
    """

    proven: float | None = None
    carried: float | None = None
    sampled: float | None = None
    speed: float | None = None

    def prove(self, at: float | None, shift: float) -> None:
        """It was proven at this moment (monotonic seconds, `shift` makes it wall-clock time), unless later still."""
        if at is not None:
            self.proven = max(at + shift, self.proven or at + shift)

"""What the demo shows of what goes on between systems: flows, drivers' logs and calls, as on the exporter's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from yardlight import catalogue as m
from yardlight.catalogue import Metric

# A sample: the metric's name, its labels, its value.
Sample = tuple[str, Mapping[str, str], float]
WELL = "all well"


@dataclass(frozen=True)
class Between:
    """What should agree, what of it is measured, and whose faults it would show, by their names."""

    name: str
    measured: str
    of: tuple[str, ...]

    def truth(self, said: Mapping[str, str]) -> str:
        """What is really so there, of what is said of everybody."""
        wrong = [said[name] for name in self.of if said.get(name, WELL) != WELL]
        return ", ".join(wrong) or WELL


def flows(samples: Sequence[Sample]) -> list[Between]:
    """Each flow: how many differ, how many are on one side only, and whether it is behind."""
    accounts = {labels["feed"]: labels["account"] for name, labels, _ in samples if name == m.FEED_INFO.name}
    found = []
    for name, labels, _ in samples:
        if name == m.FLOW_INFO.name:
            sides = labels["source"], labels["sink"]
            of = tuple(dict.fromkeys(each for side in sides for each in (side, accounts.get(side, ""))))
            found.append(Between(labels["shows"], _flow(_of(samples, flow=labels["flow"])), of))
    return found


def _flow(total: Callable[[Metric], float | None]) -> str:
    differ, missing, lag, most = map(total, (m.FLOW_MISMATCHES, m.FLOW_MISSING, m.FLOW_LAG, m.FLOW_MAX_LAG))
    if missing is None:
        return "not compared yet"
    return _said(
        "agree",
        (differ, "differ"),
        (missing, "on one side only"),
        (lag // 60 if lag is not None and most is not None and lag > most else None, "min behind"),
    )


def hours(samples: Sequence[Sample]) -> list[Between]:
    """Drivers' logs against GPS, and ELDs that may not stay as they are."""
    total = _of(samples)
    if total(m.HOS_SETTLE) is None:
        return []
    if total(m.HOS_JUDGED) is None:
        return [Between("Hours of service", "not judged yet", ("eld",))]
    mismatches, unassigned = (_of(samples, kind=kind, state="open")(m.HOS_CASES) for kind in ("mismatch", "unassigned"))
    measured = _said(
        "logs and GPS agree",
        (mismatches, "off duty while the truck moves"),
        (unassigned, "trucks with nobody logged in"),
        (total(m.ELD_MALFUNCTIONS), "ELDs do not work"),
        (total(m.ELD_REVOKED), "ELDs of a revoked model"),
        (_of(samples, rule="ifta")(m.TAX_RECORD_GAPS), "holes in positions"),
    )
    return [Between("Hours of service", measured, ("eld",))]


def calls(samples: Sequence[Sample]) -> list[Between]:
    """Each webhook, with what it counted."""
    found = []
    for name, labels, _ in samples:
        if name == m.WEBHOOK_INFO.name:
            total = _of(samples, webhook=labels["webhook"])
            counted = {
                "calls": m.WEBHOOK_RECEIVED,
                "skipped": m.WEBHOOK_MISSING,
                "repeated": m.WEBHOOK_DUPLICATES,
                "refused": m.WEBHOOK_REFUSED,
            }
            words = (f"{total(metric) or 0:.0f} {what}" for what, metric in counted.items())
            found.append(Between(labels["shows"], ", ".join(words), ("calls",)))
    return found


def _of(samples: Sequence[Sample], **wanted: str) -> Callable[[Metric], float | None]:
    """The sum of a metric's samples with these labels; None if there are none."""

    def total(metric: Metric) -> float | None:
        values = [value for name, labels, value in samples if name == metric.name and wanted.items() <= labels.items()]
        return sum(values) if values else None

    return total


def _said(well: str, *counted: tuple[float | None, str]) -> str:
    return ", ".join(f"{count:.0f} {what}" for count, what in counted if count) or well

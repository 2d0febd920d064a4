"""What the inventory itself says, as metrics: names, thresholds, local times, calendars, maintenance windows.

The centre alone exports these; what arrives from the yards is compared with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from yardlight.calendars import is_open, maintained, opens
from yardlight.catalogue import (
    ACCOUNT_INFO,
    AVAILABILITY,
    CREDENTIAL_WARNING,
    DRILL_INFO,
    DRILL_REMIND_BEFORE,
    FAILBACK_WITHIN,
    FLEET_INFO,
    HEADROOM_WITHIN,
    MAINTENANCE_ACTIVE,
    MODEM_RSRP_LEAST,
    MODEM_RSRQ_LEAST,
    MODEM_SINR_LEAST,
    PAGE_AFTER,
    PEAK_ACTIVE,
    REPORT_WITHIN,
    ROUTER_POLL_INTERVAL,
    SERVICE_INFO,
    SERVICE_SLOW_AFTER,
    STANDBY_LEAST_THROUGHPUT,
    STANDBY_MAX_AGE,
    STANDBY_REQUIRED,
    SWITCH_WITHIN,
    TERMINAL_INFO,
    TERMINAL_LOAD,
    UNSTAFFED_UNTIL,
    UPLINK_INFO,
    UTC_OFFSET,
    Metric,
)
from yardlight.domains import domains
from yardlight.exposition import AnyBlock, PackedBlock, Renderer, block, pack
from yardlight.inventory.models import CELLULAR, Fleet, Terminal, Uplink
from yardlight.quiet import Quiet
from yardlight.records import domain as records
from yardlight.webhooks import domain as webhooks

Samples = dict[Metric, dict[tuple[str, ...], float | None]]
Sample = tuple[Metric, tuple[str, ...], float]


class Said:
    """The inventory of a fleet as blocks, again and again: only what the hour changes is looked at each time."""

    def __init__(self) -> None:
        self._of: Fleet | None = None
        self._fixed: list[PackedBlock] = []
        self._renderer = Renderer("")

    def blocks(self, fleet: Fleet, now: float, quiet: Sequence[Quiet] = ()) -> list[AnyBlock]:
        """The inventory at `now` (unix seconds) and its quiet times, one block per family."""
        if self._of is not fleet:
            self._renderer = Renderer(fleet.fleet)
            self._fixed = pack(block(metric, fleet.fleet, samples) for metric, samples in _fixed(fleet).items())
            self._of = fleet
        parts = (domain.said(fleet, now) for domain in domains())
        changing = [_hourly(fleet, now, quiet), *parts, records.said(fleet, now), webhooks.said(fleet, now)]
        rendered = (self._renderer.block(metric, samples) for each in changing for metric, samples in each.items())
        return [*self._fixed, *rendered]


def _fixed(fleet: Fleet) -> Samples:
    links = (fleet.links.runbooks or "", fleet.links.grafana or "")
    families: Samples = {FLEET_INFO: {links: 1}}
    if fleet.accounts:
        accounts = fleet.accounts.values()
        families[ACCOUNT_INFO] = {(each.name, each.platform): 1 for each in accounts}
        families[CREDENTIAL_WARNING] = {(each.name,): each.credential_warning for each in accounts}
        families[AVAILABILITY] = {(each.name,): each.availability for each in accounts}
    for terminal in fleet.terminals.values():
        for metric, labels, value in _terminal(terminal):
            families.setdefault(metric, {})[labels] = value
    return families


def _hourly(fleet: Fleet, now: float, quiet: Sequence[Quiet]) -> Samples:
    """Local times, calendars and maintenance windows."""
    families: Samples = {UTC_OFFSET: {}, PEAK_ACTIVE: {}, UNSTAFFED_UNTIL: {}, MAINTENANCE_ACTIVE: {}}
    offsets: dict[str, float] = {}
    for name, terminal in fleet.terminals.items():
        if (offset := offsets.get(terminal.timezone)) is None:
            offset = offsets[terminal.timezone] = _utc_offset(terminal, now)
        families[UTC_OFFSET][name,] = offset
        if terminal.site.peak is not None:
            calendar = fleet.calendars[terminal.site.peak]
            families[PEAK_ACTIVE][name,] = float(is_open(calendar, now, terminal.zone))
        if terminal.site.staffed is not None:
            families[UNSTAFFED_UNTIL][name,] = opens(fleet.calendars[terminal.site.staffed], now, terminal.zone)
        ours = [each for each in quiet if each.terminal == name]
        if ours or terminal.maintenance:
            active = maintained(terminal, now) | {
                up for each in ours if each.active(now) for up in each.uplinks(terminal)
            }
            # One that is over stays at 0 for as long as it is remembered.
            known = {window.uplink for window in terminal.maintenance}
            for uplink in sorted(known | {up for each in ours for up in each.uplinks(terminal)}):
                families[MAINTENANCE_ACTIVE][name, uplink] = float(uplink in active)
    return families


def _utc_offset(terminal: Terminal, now: float) -> float:
    offset = datetime.fromtimestamp(now, UTC).astimezone(terminal.zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


def discovery(fleet: Fleet) -> list[dict[str, Any]]:
    """Where the boxes of the terminals are scraped, in the format of Prometheus' HTTP service discovery.

    The samples of a box carry fleet and terminal themselves. A target label of the same name would push these aside
    (`exported_terminal`), so they come as `__meta_` labels, to be used in relabeling.
    """
    return [
        {
            "targets": [terminal.scrape],
            "labels": {"__meta_yardlight_fleet": fleet.fleet, "__meta_yardlight_terminal": terminal.name},
        }
        for terminal in fleet.terminals.values()
        if terminal.scrape is not None
    ]


def _terminal(terminal: Terminal) -> Iterator[Sample]:
    """What the inventory says of one, thresholds above all."""
    name = terminal.name
    yield TERMINAL_INFO, (name, terminal.stage, terminal.on_failover, terminal.timezone), 1
    yield SWITCH_WITHIN, (name,), terminal.switch_within
    yield PAGE_AFTER, (name,), terminal.page_after
    yield FAILBACK_WITHIN, (name,), terminal.failback_within
    yield REPORT_WITHIN, (name,), terminal.silent_after
    if (drill := terminal.drill) is not None:
        yield DRILL_INFO, (name, drill.playbook, drill.per), 1
        yield DRILL_REMIND_BEFORE, (name, drill.playbook), drill.remind_before
    for service_name, service in terminal.services.items():
        yield SERVICE_INFO, (name, service_name, service.probe, service.host), 1
        yield SERVICE_SLOW_AFTER, (name, service_name), service.slow_after
    if terminal.router is not None and terminal.router.snmp is not None:
        yield ROUTER_POLL_INTERVAL, (name,), terminal.router.snmp.every
    if any(uplink.sim for uplink in terminal.uplinks.values()):
        yield HEADROOM_WITHIN, (name,), terminal.standby.headroom
        if terminal.standby.throughput is not None:
            yield STANDBY_LEAST_THROUGHPUT, (name,), terminal.standby.throughput.least
    if terminal.site.hourly_load is not None:
        yield TERMINAL_LOAD, (name,), terminal.site.hourly_load / 3600.0
    for uplink in terminal.uplinks.values():
        yield UPLINK_INFO, _uplink_labels(terminal, uplink), 1
        if terminal.polled and uplink.medium in CELLULAR:
            yield MODEM_RSRP_LEAST, (name, uplink.name), uplink.radio.rsrp
            yield MODEM_RSRQ_LEAST, (name, uplink.name), uplink.radio.rsrq
            yield MODEM_SINR_LEAST, (name, uplink.name), uplink.radio.sinr
        if uplink.role == "standby":
            yield STANDBY_MAX_AGE, (name, uplink.name), terminal.standby.max_proof_age
            for check in terminal.required:
                yield STANDBY_REQUIRED, (name, uplink.name, check), 1


def _uplink_labels(terminal: Terminal, uplink: Uplink) -> tuple[str, ...]:
    circuit = uplink.circuit
    return (
        terminal.name,
        uplink.name,
        uplink.role,
        uplink.medium,
        circuit.isp or "",
        circuit.id or "",
        circuit.support or "",
    )

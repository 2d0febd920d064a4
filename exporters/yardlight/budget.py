"""What probing costs, in bytes on the wire, and how often a metered link's budget lets us probe.

Sizes count whole frames both ways (IP packet plus 14 bytes of Ethernet header), because a plan bills what the
interface carries. A *round* on a metered uplink is one echo and one hop-limited echo: an answer without proof
of the path it took is worth nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from yardlight.inventory.models import Metered, Service, SpeedSample, Target, Terminal, Uplink

FRAME = 14
ECHO_PAYLOAD = 8
MONTH_SECONDS = 31 * 86400  # the longest month: a budget must hold in every one
MIN_INTERVAL = 1.0
INTERVALS_TO_DOWN = 3
# ARP, and what was spent after the last save before a crash, are not counted by us: a part is never given out.
MARGIN = 0.97
# An unmetered uplink is judged after three silent seconds; see DESIGN section 9.
UNMETERED_DOWN_AFTER = 3.0
# What one probe of a service costs, question for the name included: measured with a chain of two RSA certificates.
HTTPS_BYTES, HTTP_BYTES, DNS_BYTES = 8_000, 2_500, 300
# On a metered uplink at most so much of an answer is taken (two records of TLS and its handshake), and with what the
# kernel has taken beyond that, headers, names and the second question, one probe never costs more than the ceiling.
FRUGAL, SERVICE_CEILING = 40_000, 80_000


@cache
def echo_bytes(v6: bool = False) -> int:
    """Bytes of one echo request or of its reply, frame included (RFC 792, RFC 4443)."""
    return FRAME + (40 if v6 else 20) + 8 + ECHO_PAYLOAD


def hop_reply_bytes(v6: bool = False) -> int:
    """Bytes of the time-exceeded message that a hop sends for our echo (it quotes the whole packet)."""
    return FRAME + (40 if v6 else 20) + 8 + echo_bytes(v6) - FRAME


def tcp_bytes(v6: bool = False) -> tuple[int, int]:
    """Bytes sent and received by one TCP connect that is reset at once: SYN, ACK, RST out; SYN/ACK in."""
    ip = 40 if v6 else 20
    return (FRAME + ip + 40) + (FRAME + ip + 32) + (FRAME + ip + 32), FRAME + ip + 40


def datagram_bytes(size: int, v6: bool = False) -> int:
    """Bytes of one UDP datagram with `size` bytes of content, frame included."""
    return FRAME + (40 if v6 else 20) + 8 + size


@cache
def stun_bytes(v6: bool = False) -> tuple[int, int]:
    """Bytes sent and received by one STUN binding request (RFC 5389)."""
    return datagram_bytes(20, v6), datagram_bytes(20 + (24 if v6 else 12) + 32, v6)


@dataclass(frozen=True)
class ProbePlan:
    """How an uplink is probed: seconds between probes of one target (unmetered) or between rounds (metered).

    `down_after` is how long silence lasts before the uplink is down; `shortest_down_after` is the least that
    can be asked for. `round_bytes` and `rate` (bytes a second of the routine share) are 0 when unmetered, and
    `service_interval` (seconds between routine probes of one service) where a service's own `every` holds.
    """

    interval: float
    down_after: float
    shortest_down_after: float
    round_bytes: int = 0
    rate: float = 0.0
    service_interval: float = 0.0


def period_seconds(metered: Metered) -> float:
    """Length of the budget's period in seconds; a month counts as its longest."""
    return MONTH_SECONDS if metered.per == "month" else metered.per


def round_bytes(targets: tuple[Target, ...], egress: bool) -> int:
    """Bytes of one round on a metered uplink: its dearest target once, and one proof of the path."""
    v6 = any(":" in target.host for target in targets)
    echo = 2 * echo_bytes(v6)
    probe = max((sum(tcp_bytes(v6)) if target.probe == "tcp" else echo) for target in targets) if targets else echo
    proof = sum(stun_bytes(v6)) if egress else echo_bytes(v6) + hop_reply_bytes(v6)
    return probe + proof


def service_bytes(service: Service) -> int:
    """Bytes that a routine probe of this service is expected to cost."""
    if service.url is None:
        return DNS_BYTES
    return HTTPS_BYTES if service.url.startswith("https:") else HTTP_BYTES


def services_share(terminal: Terminal, metered: Metered) -> float:
    """The part of a metered budget that is for services: none where there are none."""
    return metered.for_services if terminal.asked else 0.0


def sample_bytes(throughput: SpeedSample) -> int:
    """The most that one sample of a standby's speed costs: the file, its headers and acknowledgements, TLS."""
    return round(throughput.size * 1.15) + SERVICE_CEILING


def set_aside(terminal: Terminal, uplink: Uplink) -> int:
    """Bytes of a metered standby's period that only samples of its speed may use."""
    sample = terminal.standby.throughput
    if uplink.role != "standby" or sample is None or not isinstance(uplink.metered, Metered):
        return 0
    return math.ceil(period_seconds(uplink.metered) / sample.every) * sample_bytes(sample)


def plan(terminal: Terminal, uplink: Uplink) -> ProbePlan:
    """The interval and the least `down_after` for this uplink, from its budget when it is metered."""
    if not isinstance(uplink.metered, Metered):
        interval = uplink.interval or MIN_INTERVAL
        shortest = INTERVALS_TO_DOWN * interval
        return ProbePlan(interval, uplink.down_after or max(UNMETERED_DOWN_AFTER, shortest), shortest)
    spendable = uplink.metered.budget * MARGIN - set_aside(terminal, uplink)
    paid = spendable / period_seconds(uplink.metered)
    for_services = services_share(terminal, uplink.metered)
    rate = paid * (1 - uplink.metered.reserve - for_services)
    cost = round_bytes(uplink.targets or terminal.targets, terminal.egress is not None)
    affordable = max(MIN_INTERVAL, cost / rate) if rate > 0 else float("inf")
    interval = max(uplink.interval or 0.0, affordable)
    shortest = INTERVALS_TO_DOWN * interval
    return ProbePlan(
        interval,
        uplink.down_after or shortest,
        shortest,
        cost,
        rate,
        _service_interval(terminal, uplink.metered, spendable),
    )


def _service_interval(terminal: Terminal, metered: Metered, spendable: float) -> float:
    """Seconds between two routine probes of each service; infinite if the budget does not pay for a single one."""
    if not terminal.asked:
        return 0.0
    paid = spendable * metered.for_services
    rate = paid / period_seconds(metered)
    services = terminal.asked.values()
    affordable = sum(map(service_bytes, services)) / rate if paid >= SERVICE_CEILING else float("inf")
    return max(affordable, *(service.every for service in services))

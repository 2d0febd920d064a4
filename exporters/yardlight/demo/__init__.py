"""A simulated fleet on loopback, without root: real probes, Prometheus and Alertmanager, faults to switch on.

`simulator` is the internet, the circuits and the routers; `services` what the yards work with; `carrier` and `faces`
what carriers say of SIMs, `mdm` and `mdm_faces` what MDMs say of tablets; `telematics`, `eld` and `feed_faces` what
vendors say of trucks and drivers, `shop` and `back_end` what maintenance and accounting have, `caller` who calls us;
`platforms` runs them, with `certificates`; `section` says how they are collected; `archive` keeps records; `faults` are
the words that break the rest; `inbox` takes what Alertmanager sends; `fleet` writes the inventory; `table` and
`between` draw; `run` starts everything and stops it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Ports:
    """Where the demo listens: the programs on 127.0.0.1, the simulated internet on 127.100.0.0/16."""

    exporter: int = 10480
    prometheus: int = 19090
    alertmanager: int = 19093
    inbox: int = 19094
    internet: int = 8443
    stun: int = 3478
    services: int = 8480
    dns: int = 8053
    vendors: int = 8481
    vendors_tls: int = 8482


@dataclass(frozen=True)
class DemoOptions:
    """What `yardlight demo` was asked to do.

    `fault` talks to the demo that is running ("list" names the faults) instead of starting one.
    `until_notification` cuts a circuit by itself, prints the first notification and ends. `fleet_only`
    leaves Prometheus and Alertmanager to somebody else, a compose file for one. `host` is where the exporter
    and the inbox listen.
    """

    fault: str | None = None
    until_notification: bool = False
    fleet_only: bool = False
    host: str = "127.0.0.1"
    folder: Path = Path(".demo")
    ports: Ports = field(default_factory=Ports)


def main(options: DemoOptions) -> int:
    """Run the demo or talk to the running one; the exit code."""
    from yardlight.demo import run  # rich and aiohttp are not needed to print the command's help

    return run.ask(options) if options.fault is not None else run.start(options)

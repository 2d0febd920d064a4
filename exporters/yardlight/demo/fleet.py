"""The demo's inventory, written as a person would write it, from the simulated fleet."""

from __future__ import annotations

from yardlight.demo import DemoOptions
from yardlight.demo.services import DNS_HOST
from yardlight.demo.simulator import PRIMARY, STANDBY, STUN_HOST, TARGETS, Simulator, Yard

_PEOPLE = {
    "fontana": ("America/Los_Angeles", "Frontier", "12/KRFN/004", "+1 800 555 0199", "+1 909 555 0100"),
    "stockton": ("America/Los_Angeles", "Comcast Business", "STK-8841", "+1 800 555 0142", "+1 209 555 0111"),
    "reno": ("America/Los_Angeles", "AT&T", "MM-201-RNO", "+1 800 555 0188", "+1 775 555 0122"),
}

_HEAD = """\
# Written by `yardlight demo`: three terminals on loopback. Targets are TCP because the simulated internet
# needs no root that way; a real fleet lists addresses and is probed by ICMP.
fleet: demo
timezone: America/Los_Angeles
resolvers: ["{resolver}"]
links: {{grafana: "http://127.0.0.1:3000", runbooks: "http://127.0.0.1:{exporter}/runbooks"}}
{accounts}
defaults:
  terminal:
    targets: [{targets}]
    egress: stun://{stun}
    resolvers: ["{resolver}"]
    services:
{services}
  # Under the second after which TCP sends a lost SYN again: one packet, one probe.
  uplink: {{timeout: 900ms}}
terminals:
"""

_TERMINAL = """\
  {name}:
    timezone: {timezone}
    site: {{contacts: {{yard: "{yard}"}}, hourly_load: 500 MB}}
    default_path: {{bind: {default}}}
    uplinks:
      {primary}:
        role: primary
        bind: {primary_source}
        circuit: {{isp: {isp}, id: {circuit}, support: "{support}"}}
      {standby}:
        role: standby
        bind: {standby_source}
        # Enough for a probe each two seconds, because nobody watches a demo for an hour. A real plan of 50
        # MB a month gives one each half minute: `yardlight check` prints it.
        metered: {{budget: 2.2 GB, for_services: 35%}}
        circuit: {{isp: Verizon Wireless, support: "+1 800 555 0175"}}
"""
_SIM = "        sim: {name}-standby\n"


def inventory(simulator: Simulator, options: DemoOptions, accounts: str = "") -> str:
    """The text of fleet.yml; `accounts` are further parts of it, about vendors and what is collected from them."""
    ports = options.ports
    head = _HEAD.format(
        exporter=ports.exporter,
        accounts=accounts.rstrip(),
        targets=", ".join(f'"tcp://{host}:{ports.internet}"' for host in TARGETS),
        stun=f"{STUN_HOST}:{ports.stun}",
        resolver=f"{DNS_HOST}:{ports.dns}",
        services="\n".join(
            f"      {each.name}: {{url: {each.url(ports)}, every: 10s}}" for each in simulator.services.values()
        ),
    )
    # Where no carrier is read, nothing is known of SIMs.
    sim = _SIM if accounts else ""
    return head + "".join(_terminal(yard) + sim.format(name=yard.name) for yard in simulator.yards.values())


def _terminal(yard: Yard) -> str:
    timezone, isp, circuit, support, phone = _PEOPLE[yard.name]
    return _TERMINAL.format(
        name=yard.name,
        timezone=timezone,
        yard=phone,
        default=yard.default_source,
        primary=PRIMARY,
        primary_source=yard.circuits[PRIMARY].source,
        isp=isp,
        circuit=circuit,
        support=support,
        standby=STANDBY,
        standby_source=yard.circuits[STANDBY].source,
    )

"""What must hold of a standby's checks: each can be known, and proofs come as often as they must."""

from __future__ import annotations

from collections.abc import Iterator

from yardlight import budget
from yardlight.errors import Problem
from yardlight.inventory import service_rules, words
from yardlight.inventory.addresses import is_address
from yardlight.inventory.models import PROOF, Check, Metered, SpeedSample, Terminal, Uplink
from yardlight.inventory.source import Node

# A check that was not known for less than this was between two probes.
_LEAST_AGE = 60.0
# More often is a load on the plan and on somebody else's server, not a sample.
_LEAST_BETWEEN = 3600.0
# The rest is what the budget is for.
_MOST_FOR_SAMPLES = 0.5
# Checks that stand on answers to what is asked.
_ASKED: tuple[Check, ...] = ("dns", "https", "service")


def terminal_problems(node: Node, terminal: Terminal) -> Iterator[Problem]:
    """Rules about `standby`: what nobody asks for is never known, and would stay unproven for ever."""
    if PROOF in terminal.services:
        yield _at(node, ("services", PROOF), f"{PROOF!r} is the name of the standby's proof; use another name")
    if terminal.standby.proof is not None and (written := node.get(("standby", "proof"))):
        yield from service_rules.problems(written, terminal.standby.proof)
        if not terminal.standby.proof.secure:
            yield written.problem("proves nothing without a certificate; write an address with https://")
    if terminal.standby.max_proof_age < _LEAST_AGE:
        yield _at(node, ("standby", "max_proof_age"), "is too short; 1m is the least")
    if (sample := terminal.standby.throughput) is not None:
        yield from _sample_problems(node, terminal, sample)
    for index, check in enumerate(terminal.standby.required or ()):
        place = ("standby", "required", str(index))
        if check in (terminal.standby.required or ())[:index]:
            yield _at(node, place, f"{check!r} is already in this list")
        elif reason := _unknowable(check, terminal):
            yield _at(node, place, f"{check!r} would never be known: {reason}")
    if set(_ASKED) & set(terminal.required):
        for uplink in terminal.uplinks.values():
            if uplink.role == "standby" and isinstance(uplink.metered, Metered):
                yield from _too_seldom(node, terminal, uplink, uplink.metered)


def _unknowable(check: Check, terminal: Terminal) -> str:
    asked = terminal.asked.values()
    standbys = [uplink for uplink in terminal.uplinks.values() if uplink.role == "standby"]
    if check == "https" and not any(each.secure for each in asked):
        return "nothing is asked over https; add proof: https://..."
    if check == "dns" and all(is_address(each.host) for each in asked):
        return "nothing is asked by name; add proof: https://..."
    if check == "service" and not terminal.services:
        return "there are no services"
    if check in ("radio", "registration", "sim") and not terminal.polled:
        return "no router is asked; add router: {address: ..., snmp: ...}"
    if check == "throughput" and terminal.standby.throughput is None:
        return "its speed is not measured; add throughput: {url: https://..., least: 2 Mbit/s}"
    if check == "headroom" and not any(uplink.sim for uplink in standbys):
        return "no standby names its sim"
    return ""


def _too_seldom(node: Node, terminal: Terminal, uplink: Uplink, metered: Metered) -> Iterator[Problem]:
    interval, oldest = budget.plan(terminal, uplink).service_interval, terminal.standby.max_proof_age
    if interval > oldest:
        period = "month" if metered.per == "month" else words.duration(metered.per)
        often = "no proof at all" if interval == float("inf") else f"a proof every {words.duration(interval)}"
        paid = f"{words.size(metered.budget)} per {period} pay for {often}"
        message = (
            f"{paid}, and max_proof_age is {words.duration(oldest)}; "
            "raise budget or for_services, or write standby: {required: [path]}"
        )
        yield _at(node, ("uplinks", uplink.name, "metered"), message)


def _sample_problems(node: Node, terminal: Terminal, sample: SpeedSample) -> Iterator[Problem]:
    place = ("standby", "throughput")
    if sample.every < _LEAST_BETWEEN:
        yield _at(node, (*place, "every"), f"{words.duration(sample.every)} is too often; 1h is the least")
    if sample.timeout <= 0:
        yield _at(node, (*place, "timeout"), "is too short; no answer could come in time")
    for uplink in terminal.uplinks.values():
        cost = budget.set_aside(terminal, uplink)
        if isinstance(uplink.metered, Metered) and cost > uplink.metered.budget * _MOST_FOR_SAMPLES:
            paid = f"{words.size(cost)} of the {words.size(uplink.metered.budget)} that {uplink.name} may cost"
            yield _at(node, place, f"would take {paid}; fetch less (size) or less often (every)")


def _at(node: Node, path: tuple[str, ...], message: str) -> Problem:
    place, below = node.nearest(path)
    return place.problem(message, *below)

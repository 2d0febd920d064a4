"""The faults of the demo, in the words a person types: `fontana.fiber=cut`."""

from __future__ import annotations

from yardlight.demo.simulator import PRIMARY, STANDBY, Circuit, Router, Simulator, Yard
from yardlight.errors import YardlightError
from yardlight.inventory.values import parse_duration, parse_share

LIST = f"""\
Put a terminal's name (fontana, stockton, reno) in front, or a service's (dispatch, eld-portal):
  fontana.{PRIMARY}=cut               the fiber is cut; the router moves to LTE
  fontana.{PRIMARY}=loss=20%          the fiber loses one packet in five
  fontana.{PRIMARY}=heal              the fiber is well again; the router fails back
  fontana.{PRIMARY}=dns-dead          names are not answered over the fiber; all else passes
  fontana.{STANDBY}=cut                 the standby is dead
  fontana.{STANDBY}=pin-lost            the router lost the policy route: LTE probes leave by the fiber
  fontana=cut                     both circuits are cut
  fontana.router=switch=90s       the router needs 90 s to switch
  fontana.router=never-switch     the router does not switch at all
  fontana.router=failback-stuck   the router stays on LTE when the fiber is back
  fontana.router=heal             the router behaves again
  fontana=heal                    everything at this terminal is well again
  dispatch=down                   dispatch answers 503 to everybody, the center included
  dispatch=heal                   it works again"""


class FaultError(YardlightError):
    """What was typed is not a fault of the demo."""


def apply(simulator: Simulator, text: str) -> str:
    """Switch a fault on or off; what is true now, in words. Raises `FaultError` saying what is accepted."""
    place, _, action = text.strip().partition("=")
    name, _, part = place.partition(".")
    if (service := simulator.services.get(place)) is not None:
        if action not in ("down", "heal"):
            raise FaultError(f"{text!r}: a service can be: down, heal\n{LIST}")
        service.down = action == "down"
        return f"{name}: {service.truth()}"
    yard = simulator.yards.get(name)
    if yard is None:
        there = ", ".join([*simulator.yards, *simulator.services])
        raise FaultError(f"{name!r} is not a terminal or a service of the demo; there are {there}")
    try:
        _apply(yard, part, action)
    except ValueError as error:
        raise FaultError(f"{text!r}: {error}\n{LIST}") from None
    simulator.update()
    return f"{name}: {yard.truth()}"


def _apply(yard: Yard, part: str, action: str) -> None:
    if part == "" and action in ("cut", "heal"):
        for circuit in yard.circuits.values():
            _circuit(circuit, action)
        if action == "heal":
            _router(yard.router, "heal")
    elif part in yard.circuits:
        _circuit(yard.circuits[part], action)
    elif part == "router":
        _router(yard.router, action)
    else:
        raise ValueError("the demo knows no such fault")


def _circuit(circuit: Circuit, action: str) -> None:
    if action == "cut":
        circuit.loss = 1.0
    elif action.startswith("loss="):
        circuit.loss = parse_share(action.removeprefix("loss="))
    elif action == "pin-lost":
        circuit.pin_lost = True
    elif action == "dns-dead":
        circuit.dns_dead = True
    elif action == "heal":
        circuit.loss, circuit.pin_lost, circuit.dns_dead = 0.0, False, False
    else:
        raise ValueError("a circuit can be: cut, loss=20%, pin-lost, dns-dead, heal")


def _router(router: Router, action: str) -> None:
    if action.startswith("switch="):
        router.switch_after = parse_duration(action.removeprefix("switch="))
    elif action == "never-switch":
        router.switch_after = None
    elif action == "failback-stuck":
        router.failback_after = None
    elif action == "heal":
        well = Router()
        router.switch_after, router.failback_after = well.switch_after, well.failback_after
    else:
        raise ValueError("a router can be: switch=90s, never-switch, failback-stuck, heal")

"""Which uplink did a packet really leave by?"""

from __future__ import annotations

import math

from yardlight.terminal.pins import DEFAULT, EGRESS, Pins, hop

ROUTER, FIBER, LTE, CORE = "10.10.0.1", "100.64.1.1", "10.64.0.1", "198.18.0.1"


def pins(next_hop: str | None = None) -> Pins:
    return Pins({"fiber": next_hop, "lte": None})


def trace(found: Pins, path: str, gateway: str, at: float) -> None:
    for number, address in enumerate((ROUTER, gateway, CORE), start=1):
        found.see(path, hop(number), address, at)


def healthy(next_hop: str | None = None) -> Pins:
    found = pins(next_hop)
    trace(found, "fiber", FIBER, 1.0)
    trace(found, "lte", LTE, 1.0)
    trace(found, "fiber", FIBER, 2.0)
    return found


def test_the_first_hop_where_the_paths_differ_tells_them_apart() -> None:
    found = healthy()
    assert found.keys == (hop(2),)
    assert found.proof("fiber", 3.0, 10.0).pinned
    assert found.proof("lte", 3.0, 10.0).pinned


def test_before_any_evidence_nothing_is_known() -> None:
    proof = pins().proof("lte", 3.0, 10.0)
    assert (proof.pinned, proof.at) == (None, None)


def test_a_single_uplink_needs_no_proof() -> None:
    found = Pins({"fiber": None})
    assert found.proof("fiber", 3.0, 10.0).pinned
    assert found.sighting() == ("fiber", math.inf)


def test_probes_that_leave_by_the_other_uplink_are_found_out() -> None:
    found = healthy()
    found.see("lte", hop(2), FIBER, 5.0)
    proof = found.proof("lte", 6.0, 10.0)
    assert proof.pinned is False
    assert proof.reason == "leaves by fiber: hop 2 is 100.64.1.1"
    assert found.proof("fiber", 6.0, 10.0).pinned


def test_a_leak_from_the_very_start_is_found_out_when_the_gateway_is_known() -> None:
    found = pins(next_hop=FIBER)
    trace(found, "lte", FIBER, 1.0)
    trace(found, "fiber", FIBER, 1.0)
    assert found.proof("lte", 2.0, 10.0).pinned is False
    assert found.proof("fiber", 2.0, 10.0).pinned


def test_a_leak_from_the_very_start_without_a_known_gateway_leaves_both_unproven() -> None:
    found = pins()
    trace(found, "lte", FIBER, 1.0)
    trace(found, "fiber", FIBER, 1.0)
    assert found.proof("lte", 2.0, 10.0).pinned is None
    assert found.proof("fiber", 2.0, 10.0).pinned is None


def test_fiber_is_proven_by_its_gateway_though_lte_never_answered() -> None:
    found = pins(next_hop=FIBER)
    trace(found, "fiber", FIBER, 1.0)
    assert found.proof("fiber", 2.0, 10.0).pinned


def test_old_proof_is_no_proof() -> None:
    assert healthy().proof("lte", 60.0, 10.0).pinned is None


def test_a_new_lte_gateway_after_a_reconnect_is_taken_as_its_own() -> None:
    found = healthy()
    found.see("lte", hop(2), "10.64.9.9", 5.0)
    assert found.proof("lte", 6.0, 10.0).pinned


def test_the_default_path_shows_who_carries() -> None:
    found = healthy()
    assert found.sighting() is None
    found.see(DEFAULT, hop(2), FIBER, 3.0)
    assert found.sighting() == ("fiber", 3.0)
    found.see(DEFAULT, hop(2), LTE, 4.0)
    assert found.sighting() == ("lte", 4.0)
    found.see(DEFAULT, hop(2), FIBER, 3.5)
    assert found.sighting() == ("lte", 4.0)


def test_an_unknown_hop_on_the_default_path_is_not_guessed() -> None:
    found = healthy()
    found.see(DEFAULT, hop(2), "192.0.2.77", 3.0)
    assert found.sighting() is None


def test_the_address_seen_outside_is_evidence_where_hops_are_hidden() -> None:
    found = pins()
    found.see("fiber", EGRESS, "203.0.113.20", 1.0)
    found.see("lte", EGRESS, "192.0.2.9", 1.0)
    found.see("fiber", EGRESS, "203.0.113.20", 2.0)
    assert found.keys[0] == EGRESS
    found.see(DEFAULT, EGRESS, "192.0.2.9", 3.0)
    assert found.sighting() == ("lte", 3.0)
    found.see("lte", EGRESS, "203.0.113.20", 4.0)
    assert found.proof("lte", 5.0, 10.0).pinned is False


def test_signatures_learned_before_a_restart_find_a_leak_at_once() -> None:
    found = Pins({"fiber": None, "lte": None}, healthy().signatures)
    found.see("lte", hop(2), FIBER, 1.0)
    assert found.proof("lte", 2.0, 10.0).pinned is False


def test_when_the_default_path_moved_lies_between_two_proofs() -> None:
    pins = Pins({"fiber": "203.0.113.17", "lte": "10.64.2.1"})
    for at in (1.0, 2.0, 2.4):
        pins.see(DEFAULT, hop(2), "203.0.113.17", at)
    assert pins.turned is None
    pins.see(DEFAULT, hop(2), "10.64.2.1", 2.8)
    assert pins.turned == (2.4, 2.8)
    pins.see(DEFAULT, hop(2), "10.64.2.1", 3.2)
    assert pins.turned == (2.4, 2.8)


def test_a_question_in_vain_right_before_the_first_proof_narrows_when_the_default_path_moved() -> None:
    pins = Pins({"fiber": "203.0.113.17", "lte": "10.64.2.1"})
    pins.see(DEFAULT, hop(2), "10.64.2.1", 1.0)
    pins.see(DEFAULT, hop(2), "203.0.113.17", 3.0)
    pins.narrow(2.5, 3.0)
    assert pins.turned == (2.5, 3.0)
    pins.narrow(2.9, 3.4)
    assert pins.turned == (2.5, 3.0), "a later proof says nothing about the move"

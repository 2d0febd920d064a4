"""Up, degraded, down, unknown."""

from __future__ import annotations

import pytest

from yardlight.inventory.models import Degraded
from yardlight.terminal.verdict import Judgement, Verdict


class Rig:
    """A verdict on a clock of its own; `alive` targets answer once a second."""

    def __init__(self, targets: int = 3, quorum: int | None = None, limits: Degraded | None = None) -> None:
        self.verdict = Verdict(targets, quorum, 3.0, 5.0, limits or Degraded())
        self.now = 100.0
        self.proven_at: float | None = 100.0

    def run(
        self, seconds: float, alive: set[int], *, proven: bool = True, sending: str | None = None, hushed: bool = False
    ) -> Judgement:
        end = self.now + seconds
        while self.now < end:
            self.now = round(self.now + 0.25, 6)
            if self.now % 1 == 0:
                for target in alive:
                    self.verdict.answered(target, self.now)
            if proven:
                self.proven_at = self.now
            self.verdict.judge(
                self.now,
                sending=sending,
                hushed=hushed,
                proven_at=self.proven_at,
                unproven=None if proven else "path not proven",
            )
        return self.verdict.judgement


ALL = {0, 1, 2}


def test_nothing_is_known_before_the_first_answer_or_three_silent_seconds() -> None:
    rig = Rig()
    assert rig.run(2, set()) == Judgement("unknown", None, "not measured yet")
    assert rig.run(2, set()).state == "down"


def test_a_proven_answering_uplink_is_up_at_once() -> None:
    assert Rig().run(1, ALL).state == "up"


def test_answers_without_proof_are_never_up() -> None:
    assert Rig().run(30, ALL, proven=False).state == "unknown"


def test_down_begins_at_the_last_answered_probe_not_at_the_verdict() -> None:
    rig = Rig()
    rig.run(10, ALL)
    judged = rig.run(10, set())
    assert (judged.state, judged.since) == ("down", 110.0)


def test_one_dead_target_of_three_leaves_the_uplink_up() -> None:
    rig = Rig()
    rig.run(10, ALL)
    assert rig.run(86_400 / 100, {0, 1}).state == "up"


def test_two_dead_targets_of_three_are_down_and_the_quorum_can_be_set() -> None:
    rig = Rig()
    rig.run(10, ALL)
    assert rig.run(10, {2}).state == "down"
    rig = Rig(quorum=1)
    rig.run(10, ALL)
    assert rig.run(10, {2}).state == "up"


def test_up_again_only_after_steady_answers_with_a_proof_younger_than_the_recovery() -> None:
    rig = Rig()
    rig.run(10, ALL)
    rig.run(10, set())
    assert rig.run(3, ALL).state == "down"
    judged = rig.run(5, ALL)
    assert (judged.state, judged.since) == ("up", 121.0)


def test_a_dead_uplink_whose_probes_leak_through_the_other_one_never_looks_up() -> None:
    rig = Rig()
    rig.run(10, ALL)
    rig.run(10, set())
    rig.proven_at = 105.0
    assert rig.run(60, ALL, proven=False).state == "unknown"


def test_what_cannot_be_sent_is_unknown_not_down() -> None:
    rig = Rig()
    rig.run(10, ALL)
    judged = rig.run(60, set(), sending="interface wwan0 does not exist")
    assert (judged.state, judged.reason) == ("unknown", "interface wwan0 does not exist")


def test_fast_probing_may_find_silence_before_the_routine_pace_does() -> None:
    verdict = Verdict(1, None, 51.0, 5.0, Degraded())
    verdict.answered(0, 100.0)
    verdict.judge(100.0, sending=None, hushed=False, proven_at=100.0, unproven=None)
    judged = verdict.judge(110.0, sending=None, hushed=True, proven_at=100.0, unproven=None)
    assert (judged.state, judged.since) == ("down", 100.0)


def test_degraded_has_two_thresholds() -> None:
    rig = Rig(limits=Degraded.model_validate({"loss": "10%"}))
    rig.run(10, ALL)
    for second in range(60):
        for probe in range(3):
            if (second + probe) % 8 == 0:
                rig.verdict.quality.lost(rig.now)
            else:
                rig.verdict.quality.answered(rig.now, 0.01)
        rig.run(1, ALL)
    assert rig.verdict.judgement.state == "degraded"
    for second in range(60):
        if second % 5 == 0:
            rig.verdict.quality.lost(rig.now)
        for _ in range(3):
            rig.verdict.quality.answered(rig.now, 0.01)
        rig.run(1, ALL)
    assert rig.verdict.judgement.state == "degraded", "6 % is under the limit but not under half of it"
    for _ in range(60):
        for _ in range(3):
            rig.verdict.quality.answered(rig.now, 0.01)
        rig.run(1, ALL)
    assert rig.verdict.judgement.state == "up"


@pytest.mark.parametrize("targets", [2, 3])
def test_a_dead_target_is_no_loss_of_the_line_and_loss_to_the_others_still_is(targets: int) -> None:
    rig = Rig(limits=Degraded())
    rig.run(10, ALL)
    for second in range(120):
        for target in range(targets):
            if target == 0 and second >= 25:
                rig.verdict.quality.lost(rig.now, target)
            else:
                rig.verdict.quality.answered(rig.now, 0.01, target)
        assert rig.run(1, ALL).state == "up", f"{second - 25} s after it died"
    for second in range(60):
        rig.verdict.quality.lost(rig.now, 0)
        for target in range(1, targets):
            if second % 7 == 0:
                rig.verdict.quality.lost(rig.now, target)
            else:
                rig.verdict.quality.answered(rig.now, 0.01, target)
        rig.run(1, ALL)
    assert rig.verdict.judgement.state == "degraded"


def test_a_line_with_one_target_is_judged_by_it_alone() -> None:
    rig = Rig(limits=Degraded())
    rig.run(10, ALL)
    for second in range(60):
        if second % 12 < 6:
            rig.verdict.quality.lost(rig.now)
        else:
            rig.verdict.quality.answered(rig.now, 0.01)
        rig.run(1, ALL)
    assert rig.verdict.judgement.state == "degraded"


def test_slow_and_uneven_answers_degrade_too() -> None:
    for limits in ({"rtt": "120ms"}, {"jitter": "50ms"}):
        rig = Rig(limits=Degraded.model_validate(limits))
        rig.run(5, ALL)
        for probe in range(90):
            rig.verdict.quality.answered(rig.now, 0.25 if probe % 2 else 0.05)
        assert rig.run(1, ALL).state == "degraded"


def test_targets_at_different_distances_are_no_jitter() -> None:
    rig = Rig(limits=Degraded.model_validate({"jitter": "30ms"}))
    rig.run(5, ALL)
    for _ in range(60):
        for target, rtt in enumerate((0.008, 0.08, 0.19)):
            rig.verdict.quality.answered(rig.now, rtt, target)
        assert rig.run(1, ALL).state == "up"


def test_a_few_samples_do_not_make_a_share() -> None:
    rig = Rig()
    rig.run(5, ALL)
    for _ in range(5):
        rig.verdict.quality.lost(rig.now)
    assert rig.run(1, ALL).state == "up"


def test_a_standstill_of_the_process_changes_no_verdict() -> None:
    rig = Rig()
    rig.run(10, ALL)
    rig.now += 3600
    rig.verdict.forget(rig.now)
    assert rig.run(1, set()).state == "up"
    assert rig.run(5, set()).state == "down"

"""From single probes to silences, on simulated circuits with a known truth."""

from __future__ import annotations

import heapq
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from yardlight.terminal.silence import Gap, Silence


def run(
    cut: tuple[float, float], *, spacing: float, fast: float, rtt: float, end: float, loss: float = 0.0, seed: int = 0
) -> tuple[Silence, list[Gap]]:
    """A path probed every `spacing` (every `fast` on suspicion) that carries nothing sent within `cut`."""
    chance = random.Random(seed)
    silence, gaps = Silence(), []
    silence.overdue = max(0.15, 3 * rtt)
    answers: list[tuple[float, float]] = []
    now, due = 0.0, chance.random() * spacing
    while now < end:
        now = round(now + 0.02, 6)
        while answers and answers[0][0] <= now:
            _, sent = heapq.heappop(answers)
            silence.answered(sent, now)
        if due <= now:
            silence.sent(due)
            if not cut[0] <= due < cut[1] and chance.random() >= loss:
                heapq.heappush(answers, (due + rtt * (1 + chance.random() / 2), due))
            due += fast if silence.suspicious(now) else spacing
        if silence.suspicious(now):
            due = min(due, now + fast)
        if (gap := silence.finished(now)) is not None:
            gaps.append(gap)
    return silence, gaps


@settings(max_examples=60, deadline=None)
@given(
    st.floats(20, 21), st.sampled_from([2.0, 3.0, 5.0, 8.0, 60.0]), st.sampled_from([0.001, 0.03, 0.2]), st.integers()
)
def test_a_cut_is_one_silence_whose_error_bar_holds_the_truth(
    start: float, length: float, rtt: float, seed: int
) -> None:
    _, gaps = run((start, start + length), spacing=1 / 3, fast=1 / 15, rtt=rtt, end=start + length + 5, seed=seed)
    assert len(gaps) == 1
    assert abs(gaps[0].seconds - length) <= gaps[0].error + 0.05
    assert gaps[0].error < 0.25
    assert gaps[0].since <= start


@settings(max_examples=20, deadline=None)
@given(st.integers(), st.sampled_from([0.0, 0.02, 0.15, 0.2]))
def test_scattered_loss_is_never_a_silence(seed: int, loss: float) -> None:
    _, gaps = run((0, 0), spacing=1 / 3, fast=1 / 15, rtt=0.03, end=300, loss=loss, seed=seed)
    assert gaps == []


def test_a_blink_shorter_than_a_second_is_measured_but_is_no_silence() -> None:
    silence, gaps = run((20.1, 20.8), spacing=1 / 3, fast=1 / 15, rtt=0.01, end=30)
    assert gaps == []
    assert silence.blink is not None
    assert abs(silence.blink.seconds - 0.7) <= silence.blink.error + 0.05


def test_a_late_answer_from_before_the_first_one_moves_the_end_back() -> None:
    silence = Silence()
    for sent in (0.0, 0.3):
        silence.sent(sent)
        silence.answered(sent, sent)
    for step in range(1, 30):
        silence.sent(0.3 + step * 0.1)
    assert silence.confirmed(3.3)
    silence.answered(3.2, 3.3)
    silence.answered(3.0, 3.4)
    gap = silence.finished(4.5)
    assert gap is not None
    assert 2.9 <= gap.end <= 3.0


def test_time_in_which_nothing_was_measured_is_no_evidence() -> None:
    silence = Silence()
    silence.sent(0.0)
    silence.answered(0.0, 0.0)
    for step in range(20):
        silence.sent(1.0 + step * 0.1)
    assert silence.confirmed(4.0)
    silence.forget()
    assert not silence.confirmed(4.0)
    silence.sent(100.0)
    silence.answered(100.0, 100.1)
    assert silence.finished(102.0) is None


def test_losses_inside_a_silence_are_told_from_scattered_ones() -> None:
    silence, _ = run((20.0, 999.0), spacing=1 / 3, fast=1 / 15, rtt=0.01, end=25)
    assert silence.covers(22.0, 25.0)
    assert not silence.covers(19.0, 25.0)


def test_losses_that_time_out_after_the_silence_was_settled_still_belong_to_it() -> None:
    silence, gaps = run((20.0, 25.0), spacing=1 / 3, fast=1 / 15, rtt=0.01, end=27)
    assert len(gaps) == 1
    assert silence.covers(24.5, 27.0)
    assert not silence.covers(25.5, 27.0)


def test_an_outage_that_goes_on_over_a_restart_keeps_its_beginning() -> None:
    silence = Silence()
    silence.restore(-100.0, -99.7)
    for step in range(20):
        silence.sent(step * 0.3)
    silence.sent(7.0)
    silence.answered(7.0, 7.1)
    gap = silence.finished(9.0)
    assert gap is not None
    assert gap.since == -100.0
    assert abs(gap.seconds - 106.3) < 0.5


def test_a_restart_on_a_healthy_path_invents_no_gap() -> None:
    silence = Silence()
    silence.restore(-20.0, None)
    silence.sent(0.0)
    silence.answered(0.0, 0.1)
    assert silence.finished(5.0) is None

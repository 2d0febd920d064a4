"""Where a silence lay: named only when the near stretches were asked during it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from yardlight.terminal.silence import Gap
from yardlight.terminal.stretch import ASKED_WITHIN, Stretches


@dataclass
class Lane:
    segment: str
    last_answer: float | None


def silence(seconds: float, *heard: Lane, known: tuple[str, ...] = ("next_hop", "isp")) -> str:
    """The stretch of a silence from 100 on, in which the near lanes last answered as `heard` says."""
    lanes = {segment: Lane(segment, 99.0) for segment in known} | {lane.segment: lane for lane in heard}
    stretches = Stretches()
    stretches.listen(lanes.values(), 100.0)
    return stretches.first_silent(lanes.values(), Gap(100.0, 100.0 + seconds, 0.1, 100.0))


def test_nothing_near_answers_so_the_next_hop_is_the_first_stretch() -> None:
    assert silence(60.0) == "next_hop"


def test_the_next_hop_answers_so_the_isp_is_the_first_silent_stretch() -> None:
    assert silence(60.0, Lane("next_hop", 130.0)) == "isp"


def test_all_that_is_near_answers_so_it_lies_beyond() -> None:
    assert silence(60.0, Lane("next_hop", 130.0), Lane("isp", 130.0)) == "far"
    assert silence(60.0, Lane("next_hop", 130.0), known=("next_hop",)) == "far"


def test_a_router_that_answers_no_ping_is_not_blamed_while_the_isp_behind_it_answers() -> None:
    assert silence(60.0, Lane("isp", 130.0)) == "far"


def test_what_never_answered_and_what_is_not_probed_is_not_blamed() -> None:
    assert silence(60.0, Lane("next_hop", None), known=()) == "unknown"
    assert silence(60.0, known=()) == "unknown"
    assert silence(60.0, known=("isp",)) == "isp"


def test_a_silence_too_short_to_have_asked_is_unknown_unless_everything_answered() -> None:
    assert silence(ASKED_WITHIN - 0.1) == "unknown"
    assert silence(5.0, Lane("next_hop", 102.0)) == "unknown"
    assert silence(5.0, Lane("next_hop", 102.0), Lane("isp", 102.0)) == "far"


@pytest.mark.parametrize("at", [100.5, 159.5])
def test_an_answer_at_the_edge_of_the_silence_is_none_within_it(at: float) -> None:
    assert silence(60.0, Lane("next_hop", at)) == "next_hop"


def test_answers_during_an_earlier_silence_do_not_count() -> None:
    lane = Lane("next_hop", 130.0)
    stretches = Stretches()
    stretches.listen([lane], 100.0)
    lane.last_answer = 300.0
    stretches.listen([lane], 300.0)
    assert stretches.first_silent([lane], Gap(300.0, 360.0, 0.1, 300.0)) == "next_hop"
    assert stretches.first_silent([lane], Gap(100.0, 160.0, 0.1, 100.0)) == "next_hop"

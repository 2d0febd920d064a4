"""Who carries the yard: every way a silence can end, and what must hold whatever the default path shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.inventory.models import Role
from yardlight.terminal.carrier import (
    EVENT_WAITS_FOR,
    PROOF_VALID,
    STEADY,
    UNSURE_FOR,
    Carrier,
    Changed,
    Happening,
    Look,
    Moved,
    Paused,
)
from yardlight.terminal.pins import Sighting
from yardlight.terminal.silence import SETTLE, Gap

ROLES: dict[str, Role] = {"fiber": "primary", "lte": "standby", "sat": "standby"}


def answering(now: float, by: str | None = "fiber", gap: Gap | None = None, blink: Gap | None = None) -> Look:
    """The default path answers, and was just seen to take `by`."""
    return Look(now, answered=now, gap=gap, blink=blink, sighting=Sighting(by, now) if by else None)


def carried_by(uplink: str, at: float = 0.0) -> Carrier:
    carrier = Carrier(ROLES)
    assert carrier.look(answering(at, uplink)) == [Changed("unknown", ROLES[uplink], uplink, "")]
    return carrier


def went_dark(uplink: str = "fiber", at: float = 100.0) -> Carrier:
    carrier = carried_by(uplink)
    assert [type(each) for each in carrier.look(Look(at + 1.0, silent_since=at, answered=at))] == [Changed]
    assert (carrier.state, carrier.since, carrier.observed) == ("dark", at, None)
    return carrier


def watch(carrier: Carrier, looks: Iterator[Look]) -> list[Happening]:
    return [happened for look in looks for happened in carrier.look(look)]


def back(by: str | None, at: float, gap: Gap, seconds: float = 8.0) -> Iterator[Look]:
    """The path answers from `at` on, ten looks a second; its silence settles a second after the first answer."""
    settled = False
    for step in range(int(seconds * 10)):
        now = at + step / 10
        ended, settled = not settled and now - at >= SETTLE, settled or now - at >= SETTLE
        yield answering(now, by, gap if ended else None)


def test_before_anything_answered_nobody_knows_who_carries() -> None:
    carrier = Carrier(ROLES)
    assert carrier.look(Look(1.0)) == []
    assert (carrier.state, carrier.since, carrier.reason) == ("unknown", None, "not measured yet")


def test_a_path_that_answers_without_evidence_of_its_way_is_not_guessed() -> None:
    carrier = Carrier(ROLES)
    assert carrier.look(answering(1.0, None)) == []
    assert (carrier.observed, carrier.reason) == (None, "which uplink carries the yard is not known")


def test_old_evidence_says_nothing_about_now() -> None:
    carrier = carried_by("fiber")
    look = Look(PROOF_VALID + 1.0, answered=PROOF_VALID + 1.0, sighting=Sighting("fiber", 0.5))
    assert carrier.look(look) == [
        Changed("primary", "unknown", None, "which uplink carries the yard is not known"),
    ]
    assert carrier.last == "fiber"


def test_a_silence_that_ends_on_the_other_uplink_is_a_failover_with_its_gap() -> None:
    carrier, gap = went_dark(), Gap(100.0, 112.0, 0.5, 100.0)
    assert watch(carrier, back("lte", 112.0, gap)) == [
        Changed("dark", "standby", "lte", ""),
        Moved("fiber", "lte", gap, True),
    ]
    assert (carrier.observed, carrier.last, carrier.since) == ("lte", "lte", 112.0)


def test_a_silence_that_ends_where_it_began_is_a_gap() -> None:
    carrier, gap = went_dark(), Gap(100.0, 112.0, 0.5, 100.0)
    assert watch(carrier, back("fiber", 112.0, gap)) == [Changed("dark", "primary", "fiber", ""), Paused("fiber", gap)]


def test_a_first_answer_may_be_a_fluke() -> None:
    carrier = went_dark()
    assert carrier.look(answering(112.0)) == []
    assert carrier.look(answering(112.0 + STEADY / 2)) == []
    assert carrier.look(Look(113.0, silent_since=112.2, answered=112.2)) == []
    assert (carrier.state, carrier.since, carrier.resumed) == ("dark", 100.0, None)


def test_two_silences_with_a_fluke_between_them_are_both_told() -> None:
    carrier, first, second = went_dark(), Gap(100.0, 112.0, 0.5, 100.0), Gap(112.2, 130.0, 0.5, 112.2)
    assert carrier.look(answering(112.0)) == []
    assert carrier.look(Look(114.0, silent_since=112.2, answered=112.2, gap=first)) == []
    assert watch(carrier, back("lte", 130.0, second)) == [
        Changed("dark", "standby", "lte", ""),
        Paused(None, first),
        Moved("fiber", "lte", second, True),
    ]


def test_evidence_from_before_the_silence_does_not_tell_who_carries_after_it() -> None:
    carrier = went_dark()
    for step in range(20):
        now = 105.0 + step / 10
        assert carrier.look(Look(now, answered=now, sighting=Sighting("fiber", 99.0))) == []
    assert carrier.state == "dark"


def test_a_gap_is_told_though_nobody_finds_out_who_carries_now() -> None:
    carrier, gap = went_dark(), Gap(100.0, 112.0, 0.5, 100.0)
    happened = watch(carrier, back(None, 112.0, gap))
    assert happened == [
        Changed("dark", "unknown", None, "which uplink carries the yard is not known"),
        Paused(None, gap),
    ]
    assert UNSURE_FOR < EVENT_WAITS_FOR
    assert carrier.last == "fiber"


def test_after_a_gap_that_nobody_could_place_the_move_is_still_found() -> None:
    carrier, gap = went_dark(), Gap(100.0, 112.0, 0.5, 100.0)
    watch(carrier, back(None, 112.0, gap, seconds=20.0))
    [changed, moved] = carrier.look(answering(140.0, "lte"))
    assert changed == Changed("unknown", "standby", "lte", "")
    assert moved == Moved("fiber", "lte", Gap(140.0, 140.0, 0.0, 140.0), False)


@pytest.mark.parametrize(
    ("blink", "gap"),
    [
        (None, Gap(49.5, 49.5, 0.5, 49.0)),
        (Gap(49.1, 49.4, 0.1, 49.0), Gap(49.1, 49.4, 0.1, 49.0)),
        (Gap(48.1, 48.4, 0.1, 48.0), Gap(49.5, 49.5, 0.5, 49.0)),
    ],
    ids=["nothing lost", "a few lost just then", "a few lost before that"],
)
def test_a_move_without_a_silence_lies_between_two_proofs_where_a_few_lost_probes_may_show_it(
    blink: Gap | None, gap: Gap
) -> None:
    carrier = carried_by("fiber", 48.0)
    assert carrier.look(answering(50.0, "lte", blink=blink)._replace(turned=(49.0, 50.0))) == [
        Changed("primary", "standby", "lte", ""),
        Moved("fiber", "lte", gap, True),
    ]


def test_a_move_between_two_standbys_is_a_failover_in_the_same_state() -> None:
    carrier = carried_by("lte")
    assert carrier.look(answering(5.0, "sat")) == [Moved("lte", "sat", Gap(5.0, 5.0, 0.0, 5.0), True)]
    assert (carrier.state, carrier.since, carrier.observed) == ("standby", 0.0, "sat")


def test_a_move_while_nothing_ran_is_counted_without_a_gap() -> None:
    carrier = Carrier(ROLES, last="fiber")
    assert carrier.look(answering(5.0, "lte")) == [
        Changed("unknown", "standby", "lte", ""),
        Moved("fiber", "lte", Gap(5.0, 5.0, 0.0, 5.0), False),
    ]


def test_an_uplink_that_the_inventory_no_longer_has_is_not_remembered() -> None:
    assert Carrier(ROLES, last="dsl").last is None


def test_a_local_failure_is_no_evidence_about_the_path() -> None:
    carrier = carried_by("fiber")
    assert carrier.look(Look(9.0, problem="this box has no route there", silent_since=5.0)) == [
        Changed("primary", "unknown", None, "this box has no route there")
    ]


@st.composite
def looks(draw: st.DrawFn) -> list[Look]:
    """Whatever a default path may show, in order of time."""
    found, now, good = list[Look](), 0.0, 0.0
    for _ in range(draw(st.integers(1, 60))):
        now += draw(st.sampled_from([0.1, 0.1, 0.5, 1.0, 4.0, 15.0]))
        kind = draw(st.sampled_from(["answers", "answers", "silent", "problem"]))
        sighting = Sighting(draw(st.sampled_from(sorted(ROLES))), now - draw(st.sampled_from([0.0, 0.3, 2.0, 20.0])))
        look = Look(now, answered=good or None, sighting=draw(st.sampled_from([sighting, None])))
        if kind == "answers":
            ended = Gap(good, now, 0.1, good) if draw(st.booleans()) else None
            good = now
            look = look._replace(answered=now, gap=ended)
        elif kind == "silent":
            look = look._replace(silent_since=good)
        else:
            look = look._replace(problem="no route")
        found.append(look)
    return found


@given(looks())
def test_whatever_the_path_shows_the_record_is_consistent(seen: list[Look]) -> None:
    carrier, state = Carrier(ROLES), "unknown"
    owed: list[Gap] = []
    last: str | None = None
    for look in seen:
        owed += [look.gap] if look.gap is not None else []
        for happened in carrier.look(look):
            if isinstance(happened, Changed):
                assert (happened.before, happened.state) == (state, carrier.state)
                assert happened.before != happened.state
                state = happened.state
                continue
            if isinstance(happened, Moved):
                assert happened.came_from == (last or "")
                assert happened.to == carrier.observed != happened.came_from
                last = happened.to
            if happened.gap in owed:
                owed.remove(happened.gap)
        last = last or carrier.last
        assert carrier.state == state
        assert carrier.last == last
        # Somebody carries exactly in the states that say so, and that is the role it has.
        expected = ROLES[carrier.observed] if carrier.observed else None
        assert (state if state in ("primary", "standby") else None) == expected
        assert look.problem is None or state == "unknown"
        assert carrier.since is None or carrier.since <= look.now
    # What is owed is told as soon as the path is known to answer for long enough.
    later = seen[-1].now + 100.0
    for step in range(20):
        for happened in carrier.look(answering(later + step / 2)):
            if not isinstance(happened, Changed) and happened.gap in owed:
                owed.remove(happened.gap)
    assert not owed

"""The router's word against what is observed: the same answer twice, and never while the router may be moving."""

from __future__ import annotations

from yardlight.terminal.comparison import APART, SETTLE, Comparison


def on(uplink: str, since: float = 0.0) -> Comparison:
    comparison = Comparison()
    comparison.see(uplink, since)
    return comparison


def test_agreement_is_believed_at_once() -> None:
    comparison = on("fiber")
    assert comparison.hear("fiber", 10.0) is None
    assert comparison.differ is False


def test_a_word_that_differs_is_believed_when_it_is_repeated() -> None:
    comparison = on("lte")
    again = comparison.hear("fiber", 10.0)
    assert (comparison.differ, again) == (None, APART)
    comparison.hear("fiber", 10.0 + APART)
    assert comparison.differ is True


def test_the_same_word_a_moment_later_is_no_second_one() -> None:
    comparison = on("lte")
    comparison.hear("fiber", 10.0)
    assert comparison.hear("fiber", 12.0) == APART - 2.0
    assert comparison.differ is None


def test_a_word_from_before_the_move_counts_for_nothing() -> None:
    comparison = on("fiber")
    comparison.hear("fiber", 10.0)
    assert comparison.see("lte", 20.0)
    assert comparison.hear("fiber", 21.0) == SETTLE - 1.0
    assert comparison.differ is False
    comparison.hear("lte", 20.0 + SETTLE)
    assert comparison.differ is False


def test_one_odd_word_changes_nothing() -> None:
    comparison = on("lte")
    for asked, word in ((10.0, "lte"), (40.0, "fiber"), (70.0, "lte"), (100.0, "fiber")):
        comparison.hear(word, asked)
    assert comparison.differ is False


def test_it_takes_two_words_to_agree_again() -> None:
    comparison = on("lte")
    for asked, word in ((10.0, "fiber"), (40.0, "fiber"), (70.0, "lte")):
        comparison.hear(word, asked)
    assert comparison.differ is True
    comparison.hear("lte", 100.0)
    assert comparison.differ is False


def test_a_router_without_a_word_leaves_it_unknown() -> None:
    comparison = on("lte")
    for asked, word in ((10.0, "fiber"), (40.0, "fiber"), (70.0, None)):
        comparison.hear(word, asked)
    assert comparison.differ is None


def test_in_the_dark_nothing_is_known_and_no_word_is_wanted() -> None:
    comparison = on("fiber")
    comparison.hear("fiber", 10.0)
    assert comparison.see(None, 20.0) is False
    assert comparison.differ is None
    assert comparison.hear("fiber", 30.0) is None
    assert comparison.differ is None
    assert comparison.see("lte", 40.0)


def test_a_difference_goes_on_when_the_yard_moves_and_the_router_still_errs() -> None:
    comparison = on("lte")
    for asked in (10.0, 40.0):
        comparison.hear("fiber", asked)
    comparison.see("cable", 50.0)
    comparison.hear("fiber", 60.0)
    assert comparison.differ is True

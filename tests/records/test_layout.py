"""Names of files by their pattern: what is written by it is read by it, and nothing else is."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from yardlight.inventory.archives import parse_pattern
from yardlight.records.layout import Layout

DATES = st.sampled_from(
    ("%Y-%m-%d", "%Y/%m/%d", "%m%d%y", "%d.%m.%Y", "%Y%j", "%y-%j", "%Y%m%d_%H%M%S", "%j-%Y", "at %d of %m in %Y")
)
WHO = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,8}", fullmatch=True)
DAYS = st.dates(date(2000, 1, 1), date(2068, 12, 31))


@given(
    WHO, DAYS, DATES, st.sampled_from(("{driver}/{date:%s}.csv", "{date:%s}/{vehicle}.pdf", "a+b/{date:%s} ({driver})"))
)
def test_a_name_that_was_made_by_a_pattern_is_read_by_it(who: str, day: date, form: str, pattern: str) -> None:
    path = pattern.replace("{driver}", who).replace("{vehicle}", who).replace("{date:%s}", day.strftime(form))
    assert Layout(parse_pattern(pattern % form)).place(path) == (who, day.toordinal())


@given(st.text(max_size=30), DATES)
def test_whatever_a_name_is_it_has_a_place_or_none(path: str, form: str) -> None:
    for pattern in (f"{{driver}}/{{date:{form}}}.csv", f"{{any}}{{date:{form}}}{{any}}"):
        placed = Layout(parse_pattern(pattern)).place(path)
        assert placed is None or date.fromordinal(placed[1]).strftime(form)


@given(WHO, DAYS, st.sampled_from(("..", ".", "a\\b", "a\nb", "\u202e", "\0")))
def test_a_name_with_a_part_that_leads_elsewhere_has_none(who: str, day: date, part: str) -> None:
    layout = Layout(parse_pattern("{any}/{driver}/{date}.csv"))
    assert layout.place(f"x/{who}/{day}.csv") is not None
    assert layout.place(f"{part}/{who}/{day}.csv") is None
    assert layout.place(f"x/{part}/{day}.csv") is None

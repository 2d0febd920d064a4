"""Whatever a vendor writes, the generic source reads what can be read, and never fails for the rest of it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.errors import BadReplyError
from yardlight.feeds import reader, strict
from yardlight.feeds.extract import extract, instant, records_in
from yardlight.feeds.paging import Pager
from yardlight.feeds.places import at
from yardlight.feeds.record import Breach, Record
from yardlight.inventory.feeds import Paging, Stream
from yardlight.moment import NEVER

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC).timestamp(), datetime(2050, 1, 1, tzinfo=UTC).timestamp()
LA = ZoneInfo("America/Los_Angeles")
MOMENTS = st.integers(int(FIRST), int(LAST) - 1)
KEYS = st.sampled_from(["data", "time", "id", "unit", "a", "b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
FORMS = st.sampled_from(["auto", "s", "ms", "%Y-%m-%d %H:%M", "%d/%m/%Y %I:%M %p", "%Y%m%dT%H%M%S%z"])


# Times


@given(MOMENTS, st.integers(-14 * 4, 14 * 4), st.integers(0, 9))
def test_an_instant_is_the_same_in_every_spelling(seconds: int, quarters: int, decimals: int) -> None:
    there = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=15 * quarters)))
    iso = there.replace(tzinfo=None).isoformat()
    fraction = f".{'0' * decimals}" if decimals else ""
    offset = there.strftime("%z")
    utc = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for said in (
        seconds, f"{seconds}", seconds * 1000, f"{seconds * 1000}", f"{utc}{fraction}Z", f"{utc} UTC",
        f"{iso}{fraction}{offset}", f"{iso.replace('T', ' ')}{offset[:3]}:{offset[3:]}",
    ):  # fmt: skip
        assert instant(said, "auto", LA) == seconds, said
    assert instant(seconds, "s", LA) == instant(f"{seconds * 1000}", "ms", LA) == seconds
    assert instant(there.strftime("%Y%m%dT%H%M%S%z"), "%Y%m%dT%H%M%S%z", LA) == seconds


@given(MOMENTS)
def test_a_local_time_is_one_of_those_that_it_can_be(seconds: int) -> None:
    local = datetime.fromtimestamp(seconds, LA)
    can_be = {local.replace(fold=fold).timestamp() for fold in (0, 1)}
    for said in (local.strftime("%Y-%m-%dT%H:%M:%S"), local.strftime("%m/%d/%Y %I:%M:%S %p")):
        assert instant(said, "auto", LA) in can_be
        # Read a moment after it was written, it is the very one.
        assert instant(said, "auto", LA, by=seconds + 60) == seconds


@given(VALUES, FORMS)
def test_what_is_no_time_is_none_or_never_and_no_error(raw: Any, form: str) -> None:
    found = instant(raw, form, LA)
    assert found in (None, NEVER) or (isinstance(found, float) and FIRST <= found < LAST)


# Places


@given(st.lists(KEYS, min_size=1, max_size=4), VALUES)
def test_plain_keys_lead_where_jmespath_leads(keys: list[str], content: Any) -> None:
    expression = ".".join(keys)
    expected = jmespath.search(expression, content)
    assert repr(at(expression, content)) == repr(expected)


PLACES = ["data", "data[]", "data[].a", "*.b", "data[?a > `1`]", "sort_by(data, &a)", "length(data)", "@", "data[0].b"]


@given(st.sampled_from(PLACES), VALUES)
def test_a_place_that_does_not_fit_is_nothing_and_no_error(expression: str, content: Any) -> None:
    at(expression, content)


# Records


STREAMS = st.builds(
    Stream,
    records=st.sampled_from([(), ("data",), ("data", "a"), ("data[]", "b")]),
    id=KEYS,
    time=KEYS,
    truck=st.none() | KEYS,
    moving=st.none() | KEYS,
    engine=st.none() | KEYS,
    values=st.just({"odometer": "a", "fuel": "b.a"}),
    time_format=FORMS,
)


@given(st.lists(VALUES, max_size=3), STREAMS)
def test_of_any_answer_there_are_records_or_what_is_wrong_with_it(pages: list[Any], stream: Stream) -> None:
    found = list(extract(pages, stream, LA))
    assert all(isinstance(each, Record | Breach) for each in found)
    records = [each for each in found if isinstance(each, Record)]
    assert len(records) == sum(records_in(page, stream.records) for page in pages)


# JSON


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_bytes_are_json_or_a_bad_reply(body: bytes) -> None:
    try:
        strict.read(body, "GET /x")
    except BadReplyError:
        with pytest.raises((ValueError, RecursionError)):
            json.loads(body)


@given(VALUES)
def test_json_is_read_as_it_is_but_for_what_is_no_number(value: Any) -> None:
    assert strict.read(json.dumps(value).encode(), "GET /x") == _known(value)


def _known(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    return [_known(each) for each in value] if isinstance(value, list) else value


@given(st.integers(1, 200_000))
def test_a_nest_of_any_depth_is_an_answer_or_a_bad_reply(depth: int) -> None:
    try:
        strict.read(b"[" * depth + b"]" * depth, "GET /x")
    except BadReplyError:
        assert depth > 500


# Pages


class Books:
    """A vendor with these records in pages of any size, empty ones too, that lead on in each style."""

    def __init__(self, pages: list[list[int]]) -> None:
        self.pages = pages
        self.total = sum(map(len, pages))

    def by_cursor(self, params: Mapping[str, Any]) -> dict[str, Any]:
        number = int(params.get("after", 0))
        more = number + 1 < len(self.pages)
        return {"data": self.pages[number], "end": {"cursor": f"{number + 1}", "more": more}}

    def by_page(self, params: Mapping[str, Any]) -> dict[str, Any]:
        number = int(params["page"])
        return {"data": self.pages[number - 1], "more": number < len(self.pages)}

    def by_offset(self, params: Mapping[str, Any]) -> dict[str, Any]:
        begin, size = int(params["skip"]), 3
        every = [each for page in self.pages for each in page]
        return {"data": every[begin : begin + size], "total": self.total}

    def by_link(self, params: Mapping[str, Any]) -> dict[str, Any]:
        number = int(params.get("link", 0))
        return {"data": self.pages[number], "next": f"{number + 1}" if number + 1 < len(self.pages) else None}

    def read(self, paging: Paging, answer: Any) -> Iterator[int]:
        """All records, as the pager leads from page to page."""
        pager = Pager(Stream(records=("data",), paging=paging))
        params: dict[str, Any] = pager.first()
        for _ in range(len(self.pages) + self.total + 2):
            content = answer(params)
            yield from content["data"]
            header = {"link": f'<{content["next"]}>; rel="next"'} if content.get("next") else {}
            step = pager.step(content, header)
            if step is None:
                assert pager.count == self.total
                pager.check(content)
                return
            params = {"link": step} if isinstance(step, str) else {**params, **step}
        raise AssertionError("it never ends")


@given(st.lists(st.lists(st.integers(), max_size=4), min_size=1, max_size=8))
def test_every_record_is_read_once_in_whatever_pages_it_comes(pages: list[list[int]]) -> None:
    books = Books(pages)
    every = [each for page in pages for each in page]
    for paging, answer in (
        (Paging(cursor="end.cursor", param="after", more="end.more"), books.by_cursor),
        (Paging(page="page", more="more"), books.by_page),
        (Paging(offset="skip", total="total"), books.by_offset),
        (Paging(offset="skip", size=3), books.by_offset),
        (Paging(next="next"), books.by_link),
        (Paging(header="link"), books.by_link),
    ):
        assert list(books.read(paging, answer)) == every, paging


@given(st.text(max_size=60))
def test_a_link_header_leads_somewhere_or_nowhere(header: str) -> None:
    step = Pager(Stream(records=("data",), paging=Paging(header="link"))).step({"data": []}, {"link": header})
    assert step is None or (isinstance(step, str) and step in header)


# Tables


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)
ROWS = st.lists(st.fixed_dictionaries({"Unit": CELLS, "When": CELLS, "Note, or so": CELLS}), max_size=6)


@given(ROWS, st.sampled_from(",;\t|"), st.sampled_from(["\r\n", "\n"]), st.integers(0, 2), st.booleans())
def test_a_table_is_read_as_it_was_written(
    rows: list[dict[str, str]], delimiter: str, end: str, titles: int, quoted: bool
) -> None:
    file = io.StringIO()
    file.write("".join(f"Report {number}{end}" for number in range(titles)))
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.DictWriter(
        file, ["Unit", "When", "Note, or so"], delimiter=delimiter, lineterminator=end, quoting=quoting
    )
    writer.writeheader()
    writer.writerows(rows)
    stream = Stream(format="csv", time="When", truck="Unit", values={"note": '"Note, or so"'})
    assert reader._rows(file.getvalue(), stream, "a.csv") == [row for row in rows if any(row.values())]


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_a_bad_reply(text: str) -> None:
    try:
        rows = reader._rows(text, Stream(format="csv", time="When", truck="Unit"), "a.csv")
    except BadReplyError:
        return
    assert all(isinstance(cell, str) for row in rows for cell in row.values())

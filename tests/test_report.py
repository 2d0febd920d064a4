"""`yardlight report`: the month of a fleet on a page, and never a minute up that nobody measured."""

from __future__ import annotations

import html
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.look_back import Past, at
from yardlight.cli import main
from yardlight.inventory.load import load
from yardlight.templates import minutes, share

BEGIN, END = at("2026-10-01T00:00"), at("2026-11-01T00:00")
CUT, HEALED = at("2026-10-07T02:00:00"), at("2026-10-07T05:10:00")


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Past]:
    monkeypatch.chdir(tmp_path)
    made = Past(tmp_path)
    yield made
    made.close()


class Tables(HTMLParser):
    """Every table of a page as lists of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.tables[-1][-1][-1] = f"{self.tables[-1][-1][-1]} {data.strip()}".strip()


def page(*more: str, month: str = "2026-10") -> str:
    assert main(["report", "--month", month, *more]) == 0
    return Path(f"inland-haul-{month}.html").read_text(encoding="utf-8")


def row(text: str, first: str, table: int) -> list[str]:
    """The cells of the row of a table that begins so."""
    (found,) = [cells for cells in Tables(text).tables[table] if cells[0].startswith(first)]
    return found


CIRCUITS, CREDITS = 0, 1


def a_month(past: Past) -> None:
    past.good(BEGIN, CUT)
    past.failover(CUT, HEALED)
    past.good(HEALED + 10, END)
    past.close()


def test_each_circuit_has_its_availability_outages_longest_and_mean(past: Past) -> None:
    a_month(past)
    text = page()
    assert row(text, "fontana fiber", CIRCUITS) == [
        "fontana fiber primary", "Fron<tier 12/KRFN/004", "99.574 %", "3 h 10 min", "1", "3 h 10 min", "3 h 10 min",
        "0",
    ]  # fmt: skip
    assert row(text, "fontana lte", CIRCUITS)[2:] == ["100 %", "0", "0", "–", "–", "0"]


def test_the_credit_is_what_the_sla_says_for_the_measured_downtime(past: Past) -> None:
    a_month(past)
    assert row(page(), "fontana fiber", CREDITS) == [
        "fontana fiber", "Fron<tier 12/KRFN/004", "99.900 %", "44.6 min", "190 min", "0 min", "99.574 %, missed",
        "5 %",
    ]  # fmt: skip


def test_downtime_in_announced_maintenance_is_listed_and_not_claimed(past: Past) -> None:
    down = at("2026-10-20T21:50")
    past.good(BEGIN, down)
    past.failover(down, down + 3600)
    past.good(down + 3610, END)
    past.close()
    found = row(page(), "fontana fiber", CREDITS)
    assert found[4:] == ["10.0 min", "50.0 min", "99.977 %", "none"]


def test_downtime_that_nobody_measured_is_not_claimed_nor_is_it_uptime(past: Past) -> None:
    past.good(BEGIN, CUT)
    past.span("pinned", "fiber", "down", CUT, CUT + 60)
    past.span("pinned", "fiber", "up", CUT + 10 * 86400, END)
    past.close()
    text = page()
    assert row(text, "fontana fiber", CIRCUITS)[3:] == ["1 min", "1", "1 min", "1 min", "9 d 23 h"]
    measured = (END - BEGIN) - 10 * 86400 + 60
    assert row(text, "fontana fiber", CIRCUITS)[2] == share(1 - 60 / measured)
    assert row(text, "fontana fiber", CREDITS)[4:] == ["1.0 min", "0 min", "99.997 %", "none"]
    assert "fontana fiber" in text.partition("What was not measured")[2]


def test_a_pin_that_is_not_proven_is_not_measured(past: Past) -> None:
    past.good(BEGIN, CUT)
    past.span("pinned", "lte", "unknown", CUT, END)
    past.event("uplink_gap", "lte", CUT + 100, CUT + 200)
    past.close()
    found = row(page(), "fontana lte", CIRCUITS)
    assert (found[2], found[4], found[7]) == ("100 %", "0", "24 d 22 h")


def test_a_month_in_which_measuring_began_says_when(past: Past) -> None:
    past.good(at("2026-10-12T14:03"), END)
    past.close()
    text = page()
    assert row(text, "fontana fiber", CIRCUITS)[2] == "100 %"
    assert row(text, "fontana fiber", -1) == ["fontana fiber", "11 d 14 h", "37.372 %", "began Oct 12, 14:03:00 PDT"]


def test_a_terminal_that_was_not_measured_at_all_has_no_numbers(past: Past) -> None:
    a_month(past)
    text = page()
    assert row(text, "memphis cable", CIRCUITS)[2:] == ["–", "nothing was measured", "31 d"]
    assert row(text, "memphis cable", 2)[2:] == ["nothing was measured"]
    assert row(text, "memphis cable", -1)[3] == "not at all in this month"


def test_outages_over_the_edges_of_a_month_are_shared_between_the_months(past: Past) -> None:
    past.good(at("2026-09-01T00:00"), END - 7200)
    past.failover(END - 7200, END + 3600)
    past.good(END + 3610, END + 86400)
    past.close()
    assert row(page(), "fontana fiber", CIRCUITS)[3] == "2 h"
    assert row(page(month="2026-11"), "fontana fiber", CIRCUITS)[3] == "1 h"


def test_a_month_with_a_change_of_the_clock_is_fully_measured(past: Past) -> None:
    past.good(at("2025-11-01T00:00"), at("2025-12-01T00:00"))
    past.close()
    text = page(month="2025-11")
    assert row(text, "fontana fiber", CIRCUITS)[7] == "0"
    assert not [cells for cells in Tables(text).tables[-1] if cells[0] == "fontana fiber"]


def test_failovers_the_standby_and_the_yard_have_their_times(past: Past) -> None:
    a_month(past)
    text = page()
    terminals = 3
    assert row(text, "fontana", terminals) == [
        "fontana", "99.999 %", "15.4 s", "1", "1", "0", "15.0 s", "3 h 9 min",
    ]  # fmt: skip
    moves = Tables(text).tables[terminals + 1]
    assert [cells[1:4] for cells in moves[1:]] == [
        ["Oct 7, 02:00:00 PDT", "failover", "15.0 s ± 0.1"],
        ["Oct 7, 05:10:10 PDT", "failback", "0.4 s ± 0.1"],
    ]


def test_forty_short_silences_are_forty_outages(past: Past) -> None:
    past.good(BEGIN, END)
    for number in range(40):
        past.event("uplink_gap", "fiber", CUT + 80 * number, CUT + 80 * number + 3)
    past.close()
    assert row(page(), "fontana fiber", CIRCUITS)[3:7] == ["2 min", "40", "3.0 s", "3.0 s"]


def test_without_an_sla_only_minutes_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    a_month(Past(tmp_path, sla=""))
    text = page()
    assert "only minutes are listed" in text
    assert row(text, "fontana fiber", CREDITS) == ["fontana fiber", "Fron<tier 12/KRFN/004", "190 min", "190 min"]


@pytest.mark.parametrize(
    ("hours", "credit"), [(0.7, "none"), (0.8, "5 %"), (7.4, "5 %"), (7.5, "10 %"), (24 * 31.0, "10 %")]
)
def test_the_credit_grows_with_the_downtime(past: Past, hours: float, credit: str) -> None:
    past.span("pinned", "fiber", "down", BEGIN, BEGIN + hours * 3600)
    past.span("pinned", "fiber", "up", BEGIN + hours * 3600, END)
    past.close()
    assert row(page(), "fontana fiber", CREDITS)[7] == credit


def test_a_month_that_is_not_over_says_so_and_counts_only_what_is_past(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    zone = load(Path("fleet.yml")).fleet.terminals["fontana"].zone
    month = f"{datetime.fromtimestamp(now, zone):%Y-%m}"
    past.good(now - 40 * 86400, now + 60)
    past.close()
    text = page(month=month)
    assert "This month is not over" in text
    assert row(text, "fontana fiber", CIRCUITS)[7] == "0"
    assert "This month is not over" not in page()
    assert main(["report", "--month", "2150-01"]) == 1
    assert "2150-01 has not begun yet" in capsys.readouterr().err


def test_one_terminal_alone_and_another_file(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    a_month(past)
    assert main(["report", "--month", "2026-10", "--terminal", "fontana", "-o", "x.html"]) == 0
    assert capsys.readouterr().err == "wrote x.html\n"
    assert "memphis" not in Path("x.html").read_text()
    assert main(["report", "--month", "2026-10", "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")
    assert main(["report", "--month", "2026-10", "-o", "nowhere/x.html"]) == 1
    assert "nowhere/x.html: cannot be written: no such file or directory" in capsys.readouterr().err
    assert main(["report", "--month", "10/2026"]) == 1
    assert "'10/2026' is not a month; write 2026-10" in capsys.readouterr().err


def test_the_page_needs_nothing_else_and_shows_names_as_they_are_written(past: Past) -> None:
    a_month(past)
    text = page()
    assert html.escape("Fron<tier") in text
    assert "Fron<tier" not in text
    assert not re.search(r"<script|<link|<img|https?://|url\(|@import", text)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (1.0, "100 %"), (0.999999, "99.999 %"), (0.999, "99.900 %"), (0.29, "29.000 %"), (0.0, "0.000 %"), (None, "–"),
    ],
)  # fmt: skip
def test_an_availability_is_never_rounded_up(ratio: float | None, expected: str) -> None:
    assert share(ratio) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.0, "0 min"), (90.0, "1.5 min"), (6000.0, "100 min"), (100_000.0, "1 667 min")]
)
def test_minutes_are_what_isps_count(seconds: float, expected: str) -> None:
    assert minutes(seconds) == expected


@pytest.mark.needs("chromium")
def test_the_page_fits_on_letter_paper(past: Past, tmp_path: Path) -> None:
    """At the width between the margins (7.48 in, 718 CSS pixels) no table is wider than the page."""
    a_month(past)
    inventory = Path("fleet.yml")
    inventory.write_text(
        inventory.read_text().replace("12/KRFN/004", "55.HCXX.001122.CHTR.556677.889900.ABCDEF")
        + f"  {'yard-with-a-long-name' * 3}: {{uplinks: {{an-uplink-with-a-long-name: {{medium: cable}}}}}}\n"
    )
    text = page()
    ask = "document.title = [...document.querySelectorAll('table, body')].every(e => e.scrollWidth <= 718)"
    printed = text.replace("@media print", "@media screen").replace("overflow-x: auto", "")
    Path("wide.html").write_text(printed.replace("</body>", f"<script>{ask}</script></body>"))
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    dump = subprocess.run(
        [*browser, "--window-size=718,1000", "--dump-dom", f"file://{tmp_path}/wide.html"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "<title>true</title>" in dump.stdout
    pdf = tmp_path / "report.pdf"
    subprocess.run(
        [*browser, f"--print-to-pdf={pdf}", f"file://{tmp_path}/inland-haul-2026-10.html"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert pdf.read_bytes().startswith(b"%PDF")


def test_500_terminals_are_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    past = Past(tmp_path)
    names = [f"yard{number:03}" for number in range(500)]
    for name in names:
        past.span("pinned", "fiber", "up", BEGIN, END, name)
        past.span("default", "fiber", "primary", BEGIN, END, name)
    past.close()
    lines = [f"  {name}: {{targets: [198.51.100.1], uplinks: {{fiber: {{}}}}}}" for name in names]
    Path("fleet.yml").write_text("fleet: inland-haul\ntimezone: America/Los_Angeles\nterminals:\n" + "\n".join(lines))
    text = page()
    assert row(text, "yard499 fiber", CIRCUITS)[2] == "100 %"
    assert len(text) < 2_000_000

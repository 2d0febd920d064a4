"""The table, from the text of a /metrics page."""

from __future__ import annotations

import io
import time

from rich.console import Console

from yardlight.demo import table
from yardlight.demo.inbox import Notice

PAGE = """\
# TYPE yardlight_terminal_state gauge
yardlight_terminal_state{fleet="demo",terminal="fontana",state="primary"} 0
yardlight_terminal_state{fleet="demo",terminal="fontana",state="standby"} 1
yardlight_terminal_state{fleet="demo",terminal="reno",state="unknown"} 1
yardlight_terminal_state_since_timestamp_seconds{fleet="demo",terminal="fontana"} 1.7676009e+09
yardlight_uplink_state{fleet="demo",terminal="fontana",uplink="fiber",state="down"} 1
yardlight_uplink_state{fleet="demo",terminal="fontana",uplink="fiber",state="up"} 0
yardlight_uplink_state{fleet="demo",terminal="fontana",uplink="lte",state="up"} 1
yardlight_terminal_path{fleet="demo",terminal="fontana",uplink="fiber",source="claimed"} 1
yardlight_terminal_path{fleet="demo",terminal="fontana",uplink="lte",source="observed"} 1
yardlight_terminal_last_gap_seconds{fleet="demo",terminal="fontana"} 8.25
yardlight_devices{account="graph",fleet="demo",group="drivers",state="fresh"} 88.0
yardlight_devices{account="graph",fleet="demo",group="drivers",state="dark"} 12.0
yardlight_devices{account="graph",fleet="demo",group="drivers",state="never"} 0.0
yardlight_devices{account="graph",fleet="demo",group="other",state="fresh"} 0.0
"""


def test_a_row_says_what_is_measured_and_nothing_about_what_is_not() -> None:
    fontana, reno = table.rows(PAGE)
    assert fontana == table.Row(
        "fontana", "standby", (("fiber", "down"), ("lte", "up")), "lte", since=1767600900.0, gap=8.25
    )
    assert reno == table.Row("reno", "unknown", (), "", since=None, gap=None)


def test_a_terminal_is_healthy_on_its_primary_with_every_uplink_up() -> None:
    row = table.rows(PAGE)[0]
    assert not row.healthy
    well = PAGE.replace('"primary"} 0', '"primary"} 1').replace('"standby"} 1', '"standby"} 0')
    assert not table.rows(well)[0].healthy, "its fiber is down"
    well = well.replace('"down"} 1', '"down"} 0').replace('"up"} 0', '"up"} 1')
    assert table.rows(well)[0].healthy


def test_the_picture_shows_terminals_truth_and_what_was_sent() -> None:
    notice = Notice(time.time(), "noc", "firing", ({"terminal": "fontana"},), ("TerminalOnStandby: on LTE",))
    truth = {"fontana": "fiber cut", "graph": "12 silent"}
    picture = table.draw(table.rows(PAGE), table.tablets(PAGE), truth, [notice], ["a note"])
    output = io.StringIO()
    Console(width=160, file=output).print(picture)
    text = output.getvalue()
    for expected in (
        "fontana",
        "standby",
        "fiber down",
        "8.2 s",
        "fiber cut",
        "88 fresh  12 dark",
        "12 silent",
        "TerminalOnStandby: on LTE",
        "a note",
    ):
        assert expected in text


def test_nothing_measured_is_an_empty_table_not_a_row_of_zeros() -> None:
    assert table.rows("") == []
    assert table.tablets("") == []


def test_tablets_are_counted_by_group_in_the_states_that_any_is_in() -> None:
    [drivers] = table.tablets(PAGE)
    assert drivers == table.Tablets("graph", "drivers", (("fresh", 88), ("dark", 12)))
    assert drivers.measured == "88 fresh, 12 dark"


def test_the_inbox_shows_the_newest_first_and_leaves_old_ones_out() -> None:
    notices = [Notice(float(n), "noc", "firing", (), (f"notice {n}.",)) for n in range(10)]
    output = io.StringIO()
    Console(width=100, file=output).print(table.draw([], [], {}, notices, []))
    shown = [n for n in range(10) if f"notice {n}." in output.getvalue()]
    assert shown == list(range(2, 10))
    assert output.getvalue().index("notice 9.") < output.getvalue().index("notice 8.")

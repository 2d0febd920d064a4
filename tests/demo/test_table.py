"""The table, from the text of a /metrics page."""

from __future__ import annotations

import io
import time

from rich.console import Console

from yardlight.demo import between, table
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
    picture = table.draw(table.rows(PAGE), table.tablets(PAGE), [], truth, [notice], ["a note"])
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
    Console(width=100, file=output).print(table.draw([], [], [], {}, notices, []))
    shown = [n for n in range(10) if f"notice {n}." in output.getvalue()]
    assert shown == list(range(2, 10))
    assert output.getvalue().index("notice 9.") < output.getvalue().index("notice 8.")


SYSTEMS = """\
yardlight_feed_info{account="telematics",feed="gps",fleet="demo",shows="GPS positions"} 1.0
yardlight_feed_info{account="shop",feed="meters",fleet="demo",shows="Maintenance"} 1.0
yardlight_flow_info{fleet="demo",flow="maintenance",shows="Odometers",sink="meters",source="gps"} 1.0
yardlight_flow_max_lag_seconds{fleet="demo",flow="maintenance"} 300.0
yardlight_hos_settle_seconds{fleet="demo"} 60.0
yardlight_webhook_info{account="telematics",feed="gps",fleet="demo",shows="Events",webhook="events"} 1.0
yardlight_webhook_received_total{account="telematics",fleet="demo",webhook="events"} 7.0
yardlight_webhook_missing_calls{account="telematics",fleet="demo",webhook="events"} 3.0
yardlight_webhook_refused_total{account="telematics",fleet="demo",reason="signature",webhook="events"} 1.0
yardlight_webhook_refused_total{account="telematics",fleet="demo",reason="rate",webhook="events"} 1.0
"""
COMPARED = """\
yardlight_flow_lag_seconds{fleet="demo",flow="maintenance"} 400.0
yardlight_flow_mismatches{fleet="demo",flow="maintenance"} 12.0
yardlight_flow_missing_ids{fleet="demo",flow="maintenance",side="sink"} 5.0
yardlight_flow_missing_ids{fleet="demo",flow="maintenance",side="source"} 1.0
yardlight_hos_judged_timestamp_seconds{fleet="demo"} 1.7676009e+09
yardlight_hos_cases{fleet="demo",kind="mismatch",state="open"} 1.0
yardlight_hos_cases{fleet="demo",kind="mismatch",state="fixed"} 4.0
yardlight_hos_cases{fleet="demo",kind="unassigned",state="open"} 0.0
yardlight_feed_tax_record_gaps{account="eld",feed="elds",fleet="demo",rule="ifta"} 2.0
yardlight_feed_tax_record_gaps{account="eld",feed="elds",fleet="demo",rule="irp"} 1.0
"""


def test_what_is_between_systems_is_said_as_measured_beside_what_is_so() -> None:
    there = table.samples(SYSTEMS)
    [flow], [hours], [calls] = between.flows(there), between.hours(there), between.calls(there)
    assert (flow.measured, hours.measured) == ("not compared yet", "not judged yet")
    assert calls.measured == "7 calls, 3 skipped, 0 repeated, 2 refused"
    there = table.samples(SYSTEMS + COMPARED)
    [flow], [hours] = between.flows(there), between.hours(there)
    assert flow.measured == "12 differ, 6 on one side only, 6 min behind"
    assert flow.truth({"shop": "nothing arrives", "telematics": "all well", "eld": "down"}) == "nothing arrives"
    assert hours.measured == "1 off duty while the truck moves, 2 holes in positions"
    well = table.samples(SYSTEMS + COMPARED.replace(" 12.0", " 0.0").replace(" 5.0", " 0.0").replace(" 1.0\n", " 0.0\n")
                         .replace(" 2.0", " 0.0").replace(" 400.0", " 40.0"))  # fmt: skip
    [flow], [hours] = between.flows(well), between.hours(well)
    assert (flow.measured, hours.measured) == ("agree", "logs and GPS agree")
    assert flow.truth({}) == "all well"
    assert between.hours([]) == []

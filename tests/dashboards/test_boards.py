"""The shipped boards: built from the sources, complete, and every query answered by a real Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from dashboards.build import now, wall
from dashboards.build.house import State
from tests.dashboards import history
from tests.dashboards.boards import BOARDS, NOTHING_WRONG, filled, in_words, load, panels, queries

from yardlight.catalogue import METRICS

NAMES = [board.stem for board in BOARDS]
CHOSEN = {"fleet": "demo", "terminal": "fontana", "account": "vendor", "archive": "eld"}
# What is chosen on each board, besides the fleet; "" where it is of all of a fleet, none where of several fleets.
OF: dict[str, str | None] = {
    "cellular": "account",
    "compliance": "archive",
    "feeds": "account",
    "fleets": None,
    "itself": None,
    "now": "",
    "tablets": "account",
    "terminal": "terminal",
    "wall": None,
}
# Grafana's own ids (packages/grafana-data/src/valueFormats/categories.ts), as far as boards use them.
UNITS = {
    "bool_yes_no",
    "none",
    "reqps",
    "short",
    "string",
    "s",
    "percentunit",
    "Bps",
    "dB",
    "dBm",
    "decbytes",
    "dateTimeFromNow",
}


@pytest.fixture(params=BOARDS, ids=NAMES)
def board(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_is_a_board() -> None:
    assert sorted(OF) == NAMES


def test_building_again_changes_nothing(tmp_path: Path, root: Path) -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="the boards' build dependency is not installed")
    build = "import sys, pathlib; from dashboards.build import house; house.FOLDER = pathlib.Path(sys.argv[1])\n"
    build += "import runpy; runpy.run_module('dashboards.build', run_name='__main__')"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=root, check=True)
    stale = [path.name for path in BOARDS if path.read_bytes() != (tmp_path / path.name).read_bytes()]
    assert stale == [], "run `python -m dashboards.build` and commit what it writes"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in BOARDS}


def test_the_sdk_knows_every_key(board: Path) -> None:
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    loaded = load(board)
    assert json.loads(encoder.JSONEncoder().encode(models.Dashboard.from_json(loaded))) == loaded


def test_every_panel_has_a_title_a_description_of_what_is_normal_and_a_unit(board: Path) -> None:
    for panel in panels(board):
        assert panel["title"], panel
        assert len(panel["description"]) > 60, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        of_columns = (each for over in panel["fieldConfig"]["overrides"] for each in over["properties"])
        units = {each["value"] for each in of_columns if each["id"] == "unit"}
        assert {unit for unit in units if not unit.startswith("suffix: ")} <= UNITS, panel["title"]
    titles = [panel["title"] for panel in panels(board)]
    assert len(titles) == len(set(titles))


def test_a_board_is_changed_in_its_source_and_not_in_grafana(board: Path) -> None:
    loaded = load(board)
    assert loaded["editable"] is False
    assert loaded["uid"] == f"yardlight-{board.stem}"
    assert {"refresh", "time", "timezone"} <= set(loaded)


def test_every_panel_asks_the_chosen_data_source(board: Path) -> None:
    for panel in panels(board):
        for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert source == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    variables = load(board)["templating"]["list"]
    chosen = OF[board.stem]
    assert [variable["name"] for variable in variables] == ["datasource", "fleet", *([chosen] if chosen else [])]
    assert all(variable["refresh"] == 2 for variable in variables if variable["type"] == "query")


def test_every_query_is_for_the_chosen_fleets_and_terminal_or_account(board: Path) -> None:
    for title, expr in queries(board):
        selectors = re.findall(r"(\w*)\{([^}]*)\}", expr)
        chosen = OF[board.stem]
        if chosen is None:
            # Alerts of all fleets at once are of the chosen ones, too.
            alerts = ("ALERTS", "alert_since_timestamp_seconds")
            assert all(
                ('fleet=~"$fleet|"' if metric.startswith(alerts) and "|" in each else 'fleet=~"$fleet"') in each
                for metric, each in selectors
                if not metric.startswith("ALERTS") or "fleet" in each
            )
            continue
        # Whatever is beside an alert's begin is of the same labels.
        selectors = [(metric, each) for metric, each in selectors if metric != "ALERTS" or "fleet" in each]
        assert all('fleet="$fleet"' in each for _, each in selectors), title
        # A flow goes from one account to another one, hours of service and ELDs come of several, a home has SIMs at
        # several, and drills are the yards'; a table of all is to choose from.
        of_several = (
            "yardlight_flow_",
            "yardlight_hos_",
            "yardlight_sim_info",
            "yardlight_eld_revoked",
            "yardlight_eld_replace",
        )
        of_several += ("yardlight_drill_", "drill_due_") if chosen == "archive" else ()
        every = title == f"All {chosen}s"
        rest = [] if every or not chosen else [each for metric, each in selectors if not metric.startswith(of_several)]
        here = [each for each in rest if 'uplink="centre"' not in each]
        assert all(f'{chosen}="${chosen}"' in each for each in here), title


def test_no_query_turns_absence_into_zero(board: Path) -> None:
    for title, expr in queries(board):
        assert not re.search(r"or\s+(?:vector\(|on\(\)\s+vector|0)", expr), title
    for panel in panels(board):
        assert panel["fieldConfig"]["defaults"]["noValue"] not in ("", "0"), panel["title"]


def test_rates_use_the_interval_that_fits_the_scrapes(board: Path) -> None:
    for title, expr in queries(board):
        windows = re.findall(r"(?:rate|increase)\([^\[]*\[([^\]]+)\]", expr)
        assert all(window in ("$__rate_interval", "31d") for window in windows), title


def test_a_counter_is_shown_by_what_it_gained(board: Path) -> None:
    for title, expr in queries(board):
        for counter in re.findall(r"yardlight_\w+_total\b", expr):
            assert re.search(rf"(?:rate|increase)\({counter}|{counter}\S* offset ", expr), f"{title}: {counter}"


def test_every_series_is_aggregated_so_that_a_second_exporter_changes_nothing(board: Path) -> None:
    for panel in panels(board):
        for target in panel["targets"]:
            assert re.search(r"\b(?:max|min|sum|histogram_quantile)\b", target["expr"]), panel["title"]


def test_every_metric_is_in_the_catalogue(board: Path) -> None:
    suffixes = {"histogram": ("_bucket", "_sum", "_count")}
    series = {name + suffix for name, metric in METRICS.items() for suffix in suffixes.get(metric.kind, ("",))}
    for title, expr in queries(board):
        assert set(re.findall(r"\byardlight_\w+", expr)) <= series, title


def test_panels_do_not_overlap_and_stay_on_the_grid(board: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(board):
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} lies over {taken[cell]}"
            taken[cell] = panel["title"]


@pytest.mark.needs("promtool")
def test_every_query_parses(board: Path, tmp_path: Path) -> None:
    rules = [{"record": f"query:{n}", "expr": filled(expr, CHOSEN)} for n, (_, expr) in enumerate(queries(board))]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": board.stem, "rules": rules}]}), encoding="utf-8")
    checked = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.needs("prometheus", "promtool")
def test_every_panel_shows_something_of_an_hour_with_a_failover(
    board: Path, prometheus: Callable[[str, float], list[Any]]
) -> None:
    moments = (history.CUT, history.SWITCHED, history.HEALED, history.BACK, history.PEERING[0])
    for panel in panels(board):
        for target in panel["targets"]:
            expr = filled(target["expr"], CHOSEN)
            shown = [prometheus(expr, history.HOUR - at - history.STEP) for at in moments]
            # That nothing is known is said where nothing is.
            assert any(shown) != expr.startswith("absent("), f"{panel['title']}: {expr}"


@pytest.mark.needs("prometheus", "promtool")
def test_a_state_is_shown_as_its_number_and_the_unmeasured_as_nothing(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    terminal = next(board for board in BOARDS if board.stem == "terminal")
    shown = {panel["title"]: filled(panel["targets"][0]["expr"], CHOSEN) for panel in panels(terminal)}
    times = {"primary": history.CUT - 60, "standby": history.SWITCHED + 60}
    now = {state: prometheus(shown["Terminal is on"], history.HOUR - at)[0]["value"][1] for state, at in times.items()}
    assert now == {"primary": "1", "standby": "2"}
    assert prometheus(shown["Terminal is on"].replace("fontana", "reno"), 0) == []
    assert prometheus(shown["Loss by target"].replace("fontana", "reno"), 0) == []


@pytest.mark.needs("prometheus", "promtool")
def test_a_yard_that_was_cut_off_is_silent_though_what_it_sent_last_is_still_there(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    def there(expr: str) -> set[str]:
        return {each["metric"]["terminal"] for each in prometheus(filled(expr, CHOSEN), 0)}

    assert "elko" not in there(wall.in_state(wall.PRIMARY))
    assert "elko" in there(wall.in_state(wall.SILENT))
    assert "elko" in there(f"{wall.yards()} == {wall.SILENT}")
    assert "elko" in there(f"{now._internet()} == {now.NOT_HEARD}")
    [terminal] = (board for board in BOARDS if board.stem == "terminal")
    [shown] = (panel for panel in panels(terminal) if panel["title"] == "Terminal is on")
    assert said(shown, prometheus(filled(shown["targets"][0]["expr"], {**CHOSEN, "terminal": "elko"}), 0)) == (
        "nothing heard"
    )


@pytest.mark.needs("prometheus", "promtool")
def test_a_yard_without_a_box_is_shown_as_it_is_seen_from_outside(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    def number(expr: str, at: int) -> int:
        [found] = [
            int(each["value"][1])
            for each in prometheus(filled(expr, CHOSEN), history.HOUR - at)
            if each["metric"]["terminal"] == "winslow"
        ]
        return found

    by_title = {(board.stem, panel["title"]): panel for board in BOARDS for panel in panels(board)}
    on = by_title["terminal", "Terminal is on"]
    for at, on_wall, in_words_of_now in (
        (history.CUT - 60, "answers from outside", "answers from outside"),
        (history.MISSED + 60, "nothing heard", "nothing heard"),
        (history.HEALED + 60, "answers from outside", "answers from outside"),
    ):
        state = number(wall.yards(), at)
        assert wall.YARD[state - 1].name == on_wall
        of_each = {
            each: prometheus(filled(wall.in_state(each), CHOSEN), history.HOUR - at)
            for each in range(1, len(wall.YARD) + 1)
        }
        assert [each for each, yards in of_each.items() if "winslow" in _terminals(yards)] == [state]
        assert now.WORDS[number(now._internet(), at) - 1].name == in_words_of_now
        expr = filled(on["targets"][0]["expr"], {**CHOSEN, "terminal": "winslow"})
        assert said(on, prometheus(expr, history.HOUR - at)) == on_wall


@pytest.mark.needs("prometheus", "promtool")
def test_each_yard_is_in_one_of_the_walls_numbers_and_in_its_list(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    [board] = (board for board in BOARDS if board.stem == "wall")
    by_title = {panel["title"]: panel for panel in panels(board)}
    tiles = [panel for title, panel in by_title.items() if title.startswith("Yards ") and panel["type"] == "stat"]
    for at in (history.CUT - 60, history.CUT + 15, history.SWITCHED + 60, history.BACK + 60):
        ago = history.HOUR - at
        listed = prometheus("yardlight_terminal_info or on (terminal) yardlight:terminal_info", ago)
        numbers = [
            int(each["value"][1])
            for panel in tiles
            for each in prometheus(filled(panel["targets"][0]["expr"], {"fleet": ".*"}), ago)
        ]
        assert sum(numbers) == len(listed)
        worst = [
            each["metric"]["terminal"]
            for target in by_title["Yards, worst first"]["targets"]
            for each in prometheus(filled(target["expr"], {"fleet": ".*"}), ago)
            if "terminal" in each["metric"]
        ]
        assert len(worst) == len(set(worst))
        states = {
            each["metric"]["terminal"]: each["value"][1] for each in prometheus(filled(wall.yards(), CHOSEN), ago)
        }
        assert {states[each] for each in worst} == set(states.values())


def on(stem: str, title: str) -> list[str]:
    """The queries of a panel, filled."""
    [panel] = [each for path in BOARDS for each in panels(path) if (path.stem, each["title"]) == (stem, title)]
    return [filled(target["expr"], CHOSEN) for target in panel["targets"]]


@pytest.mark.needs("prometheus", "promtool")
def test_what_is_told_of_all_fleets_at_once_is_on_the_wall_of_a_chosen_one(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    failing = {"alertname": "RuleEvaluationFailing", "fleet": "all fleets"}
    for title in ("Pages: somebody was woken", "All pages"):
        shown = [each["metric"] for expr in on("wall", title) for each in prometheus(expr, 0)]
        assert [each for each in shown if failing.items() <= each.items()], title
    [counted] = prometheus(on("wall", "Pages open")[0], 0)
    assert counted["value"][1] == str(sum(each["severity"] == "page" for each in history._ALERTS))


@pytest.mark.needs("prometheus", "promtool")
@pytest.mark.parametrize(
    "where", [("wall", "Pages: somebody was woken"), ("wall", "All pages"), ("terminal", "Alerts")]
)
def test_a_page_is_as_old_as_it_was_before_prometheus_was_restarted(
    prometheus: Callable[[str, float], list[Any]], where: tuple[str, str]
) -> None:
    answers = [each for expr in on(*where) for each in prometheus(expr, 0)]
    began = {float(each["value"][1]) / 1000 for each in answers}
    [asked] = {each["value"][0] for each in answers}
    assert {asked - each for each in began} == {history.HOUR + history.BEGAN}


@pytest.mark.needs("prometheus", "promtool")
def test_what_can_be_relied_on_is_what_notifications_call_not_affected(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    def shown(after: int) -> dict[str, str]:
        rows = zip(now.FEEDS[::-1], on("now", "What everybody works with"), strict=True)
        return {
            each["metric"]["shows"]: state.name
            for state, expr in rows
            for each in prometheus(expr, history.HOUR - after)
        }

    unread = {"Orders": "cannot tell", "Mail": "cannot tell"}
    out = shown(history.CUT + 60)
    assert out == {"Gps": "do not rely on it", "Loads": "do not rely on it", **unread}, "its platform says it is out"
    assert shown(history.HOUR)["Loads"] == "can be relied on"
    assert shown(history.RULES - history.STEP)["Loads"] == "cannot tell", "no rule is evaluated"


@pytest.mark.needs("prometheus", "promtool")
def test_of_a_yard_that_was_cut_off_nothing_that_it_sent_last_is_shown_as_of_now(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    [cells] = on("now", "Yards")
    assert {each["metric"]["what"] for each in prometheus(cells, 0) if each["metric"]["terminal"] == "elko"} == {
        "Internet"
    }
    assert "elko" not in {each["metric"]["terminal"] for each in prometheus(on("wall", "Every yard")[2], 0)}
    [leaves] = on("terminal", "Traffic leaves by")
    assert [each["metric"] for each in prometheus(leaves.replace("fontana", "elko"), 0)] == [{"uplink": "not known"}]


@pytest.mark.needs("prometheus", "promtool")
def test_what_a_center_that_is_away_watched_is_not_known_and_not_left_out(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    def state(expr: str, states: Sequence[State]) -> dict[str, str]:
        found = {each["metric"]["terminal"]: each["value"][1] for each in prometheus(filled(expr, CHOSEN), 0)}
        return {terminal: states[int(found[terminal]) - 1].name for terminal in ("provo", "logan")}

    assert state(wall.yards(), wall.YARD) == {"provo": "not known", "logan": "nothing heard"}
    assert state(now._internet(), now.WORDS) == {"provo": "cannot tell", "logan": "nothing heard"}
    for number, terminal in ((wall.NOT_KNOWN, "provo"), (wall.SILENT, "logan")):
        assert terminal in _terminals(prometheus(filled(wall.in_state(number), CHOSEN), 0))
    [yards] = prometheus(on("fleets", "Customers")[0], 0)
    assert yards["value"][1] == str(len(prometheus(filled(wall.yards(), CHOSEN), 0)))
    unheard = on("wall", "Vendors that cannot be read")[2]
    assert [each["metric"]["account"] for each in prometheus(unheard, 0)] == ["wialon"]


@pytest.mark.needs("prometheus", "promtool")
def test_a_vendor_of_which_something_else_is_read_is_as_old_as_what_is_not(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    read, never = on("wall", "Vendors that cannot be read")[:2]
    [tms] = prometheus(read, 0)
    assert tms["metric"]["account"] == "tms"
    assert tms["value"][0] - float(tms["value"][1]) / 1000 > 36_000
    every = prometheus(never.replace("bottomk(1,", "bottomk(9,"), 0)
    assert {each["metric"]["account"] for each in every} == {"yard-mail", "dvir"}


@pytest.mark.needs("prometheus", "promtool")
def test_of_a_feed_that_was_never_read_it_is_not_said_that_its_fields_are_as_they_were(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    [expr] = on("feeds", "Fields not as they were")
    assert prometheus(expr.replace('"vendor"', '"yard-mail"'), 0) == []


@pytest.mark.needs("prometheus", "promtool")
def test_of_tablets_whose_last_words_nobody_knows_it_is_not_said_that_none_is_silent(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    [expr] = on("tablets", "Silent")
    assert prometheus(expr, 0)
    assert prometheus(expr.replace('"vendor"', '"legacy"'), 0) == []


@pytest.mark.needs("prometheus", "promtool")
def test_the_share_of_a_budget_is_that_of_its_period_as_the_alert_has_it(
    prometheus: Callable[[str, float], list[Any]],
) -> None:
    [share] = [each for expr in on("terminal", "Probe traffic against budget") for each in prometheus(expr, 0)]
    assert (share["metric"]["uplink"], float(share["value"][1])) == ("lte", 0.24)


def test_what_is_not_known_is_not_called_absent() -> None:
    """What only a reading tells of has no words that say how things are configured."""
    configured = {
        "Requests today", "Requests in 24 hours", "Rule", "Feeds", "Flows", "Availability in 30 days", "Webhooks",
        "Calls", "Customers", "What is collected", "Versions", "What everybody works with", "Yards", "Router may take",
        "Circuits: whom to call", "Services over time", "Every yard",
    }  # fmt: skip
    of_the_fleet = {panel["title"] for panel in load(_board("feeds"))["panels"][-1]["panels"]}
    said = {
        panel["title"]
        for path in BOARDS
        for panel in panels(path)
        if panel["fieldConfig"]["defaults"]["noValue"] in ("not configured", "no router is asked", "no metered uplink")
    }
    assert said <= configured | of_the_fleet


def _board(stem: str) -> Path:
    return next(path for path in BOARDS if path.stem == stem)


def said(panel: dict[str, Any], answers: list[Any]) -> str:
    """The word that a panel with a mapping shows."""
    [answer] = answers
    [words] = (each["options"] for each in panel["fieldConfig"]["defaults"]["mappings"] if each["type"] == "value")
    return str(words[answer["value"][1]]["text"])


def _terminals(answers: list[Any]) -> set[str]:
    return {each["metric"]["terminal"] for each in answers}


@pytest.mark.needs("prometheus", "promtool")
def test_where_nothing_arrives_no_board_says_that_nothing_is_wrong(
    board: Path, prometheus: Callable[[str, float], list[Any]]
) -> None:
    for panel in panels(board):
        exprs = [filled(target["expr"], {**CHOSEN, "fleet": "nowhere"}) for target in panel["targets"]]
        said = in_words(panel, [answer for expr in exprs for answer in prometheus(expr, 0)])
        assert said not in NOTHING_WRONG, panel["title"]


@pytest.mark.needs("prometheus", "promtool")
@pytest.mark.parametrize(
    "title",
    [
        "Pages open", "Tickets open", "Pages: somebody was woken", "Whose fault", "Feeds that must not be relied on",
    ],
)  # fmt: skip
def test_where_no_rule_is_evaluated_the_wall_does_not_say_that_nobody_was_told(
    prometheus: Callable[[str, float], list[Any]], title: str
) -> None:
    [panel] = (each for path in BOARDS for each in panels(path) if (path.stem, each["title"]) == ("wall", title))
    exprs = [filled(target["expr"], CHOSEN) for target in panel["targets"]]
    answers = [answer for expr in exprs for answer in prometheus(expr, history.HOUR - history.RULES + history.STEP)]
    assert in_words(panel, answers) not in NOTHING_WRONG
    if panel["fieldConfig"]["defaults"]["noValue"] in NOTHING_WRONG:
        assert [each["value"][1] for each in answers] == ["1"], "nothing is known"


@pytest.mark.needs("prometheus", "promtool")
@pytest.mark.parametrize("where", [("tablets", "Wipes that wait"), ("feeds", "Fields not as they were")])
def test_that_there_is_no_trouble_is_said_where_something_is_known_and_how_much_there_is(
    prometheus: Callable[[str, float], list[Any]], where: tuple[str, str]
) -> None:
    [panel] = [each for path in BOARDS for each in panels(path) if (path.stem, each["title"]) == where]
    [expr] = [filled(target["expr"], CHOSEN) for target in panel["targets"]]
    before, after = (prometheus(expr, history.HOUR - history.CUT + late) for late in (60, -60))
    assert (in_words(panel, before), in_words(panel, after)) == ("none", None)
    assert in_words(panel, []) == "not measured"


@pytest.mark.needs("prometheus", "promtool")
def test_where_no_cap_is_known_none_is_not_how_many_are_at_it(prometheus: Callable[[str, float], list[Any]]) -> None:
    [panel] = [each for path in BOARDS for each in panels(path) if each["title"] == "At their cap, or will be"]
    [expr] = [target["expr"] for target in panel["targets"]]
    assert in_words(panel, prometheus(filled(expr, {**CHOSEN, "account": "without-caps"}), 0)) == "no cap known"
    # One that is over its cap by the rules, as the wall and the alert have it; a pool and a SIM that will be.
    assert [each["value"][1] for each in prometheus(filled(expr, CHOSEN), 0)] == ["3"]


def test_the_links_in_notifications_lead_to_a_board(root: Path) -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in (root / "alert_rules").glob("*.yml"))
    linked = set(re.findall(r"/d/([\w-]+)", rules))
    assert linked
    assert linked <= {load(board)["uid"] for board in BOARDS}

"""House defaults for panels: one look, a description on each, unknown never drawn as zero.

Nothing here knows a metric; `terminal.py` says what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as dashboard_models
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TableCellHeight,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DashboardSpecialValueMapOptions,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    GridPos,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

FOLDER = Path(__file__).parents[1]
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
NONE = "none"
NOT_CONFIGURED = "not configured"
NOT_MEASURED = "not measured"
# Of a list: what is not known is not in it, and that is not to say that all is well.
NONE_KNOWN = "none known"
# One interval of routine probing on a metered uplink fits in; shorter windows would be mostly empty there.
LONG_ENOUGH = "1m"

GREEN, ORANGE, RED, PURPLE, BLUE, GRAY, CLEAR = (
    "green", "orange", "red", "purple", "blue", "text", "transparent",
)  # fmt: skip


# The same for a ground on which letters are white: each has at least the contrast of 4.5 to 1 with them.
DEEP = {
    GREEN: "#2f7526", ORANGE: "#a85000", RED: "#b3132b", PURPLE: "#7d33a2", BLUE: "#1f60c4",
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """One state of a timeline or a stat: what the metric's label says and its color."""

    name: str
    color: str


@dataclass(frozen=True)
class Query:
    """One PromQL expression and the name of its series."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Row:
    """One kind of rows of a `ranking`: `expr` gives their values, `legend` their names; `links` lead on.

    Rows that are `valueless` have only names; their values are 0 or 1.
    """

    expr: str
    legend: str
    color: str
    links: Sequence[dict[str, str]] = ()
    unit: str | None = None
    valueless: bool = False


@dataclass(frozen=True)
class Place:
    """Where a panel lies on the grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int


# The account that a board of a domain shows: what `of` chooses.
ACCOUNT = 'fleet="$fleet",account="$account"'
# The fleets that a board over many of them shows.
FLEETS = 'fleet=~"$fleet"'

# A column of instants. A fixed width: columns that are at least so wide push the last one out of the panel.
AGO: dict[str, object] = {"unit": "dateTimeFromNow", "custom.width": 150}

Panel = Builder[dashboard_models.Panel]
Steps = Sequence[tuple[float | None, str]]
PLAIN: Steps = ((None, BLUE),)


def of(metric: str, by: str, where: str = "") -> str:
    """PromQL for a metric of the chosen account, one series per `by`: two exporters of one thing make one series."""
    return f"max by ({by}) (yardlight_{metric}{{{ACCOUNT}{where and ',' + where}}})"


def one_of(metric: str, where: str, states: Sequence[State], by: str, label: str = "state") -> str:
    """PromQL for a state-like metric as a number: 1 for the first state if that is on, 2 for the second, ...

    Nothing where none is on, so that what is not measured stays blank. Aggregated to `by`: two exporters of
    one terminal make one series.
    """
    numbered = " or ".join(
        f'({metric}{{{where},{label}="{state.name}"}} == 1) * {number}' for number, state in enumerate(states, start=1)
    )
    return f"max by ({by}) ({numbered})"


def mapping(states: Sequence[State]) -> ValueMap:
    """Texts and colors for the numbers that `one_of` gives."""
    return ValueMap(
        options={
            str(number): ValueMappingResult(text=state.name, color=state.color, index=number - 1)
            for number, state in enumerate(states, start=1)
        }
    )


def _deep(mapped: ValueMap) -> ValueMap:
    """The same with colors that are a ground for white letters."""
    return ValueMap(
        options={
            value: ValueMappingResult(text=each.text, color=DEEP.get(str(each.color), each.color), index=each.index)
            for value, each in mapped.options.items()
        }
    )


def answers(yes: State, no: State) -> ValueMap:
    """Texts and colors for a 0/1 gauge."""
    return ValueMap(
        options={
            "1": ValueMappingResult(text=yes.name, color=yes.color, index=0),
            "0": ValueMappingResult(text=no.name, color=no.color, index=1),
        }
    )


def state_timeline(
    title: str,
    description: str,
    place: Place,
    queries: Sequence[Query],
    mapped: ValueMap,
    *,
    empty: str = NOT_MEASURED,
) -> Panel:
    """States over time, one row a series; blank where nothing was measured."""
    panel = (
        statetimeline.Panel()
        .mappings([mapped])
        .unit("none")
        .merge_values(True)
        .show_value(VisibilityMode.AUTO)
        .row_height(0.85)
        .fill_opacity(75)
        .line_width(0)
        .legend(_hidden_legend())
        .tooltip(_tooltip())
    )
    return _house(panel, title, description, place, [_range(query) for query in queries], empty)


_NO_VALUE = {"type": "value", "options": {each: {"text": " ", "index": int(each)} for each in ("0", "1")}}


def single(
    title: str,
    description: str,
    place: Place,
    query: Query,
    *,
    unit: str = "none",
    decimals: float | None = None,
    mapped: ValueMap | None = None,
    steps: Steps = PLAIN,
    name_only: bool = False,
    size: int | None = None,
    empty: str = NOT_MEASURED,
    known: str = "",
    none_is_well: bool = True,
) -> Panel:
    """One value now, large. `name_only` shows the series' name instead of its value; `size` is in pixels.

    What is counted has in `known` that of which it is: where any of that is there, none is none. That is well, if what
    is counted are troubles (`none_is_well`).
    """
    if known:
        query = Query(f"{query.expr} or count({known}) * 0", query.legend)
    size = size or (22 if unit == "dateTimeFromNow" else 28)
    panel = (
        stat.Panel()
        .unit(unit)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.BACKGROUND_SOLID if mapped else BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.NAME if name_only else BigValueTextMode.VALUE)
        .reduce_options(_last())
        .text(common.VizTextDisplayOptions().value_size(size))
        .thresholds(_thresholds(steps))
    )
    nothing = DashboardSpecialValueMapOptions(
        match=SpecialValueMatch.NULL,
        result=ValueMappingResult(text=empty, color=CLEAR if mapped else GRAY),
    )
    none = ValueMap(options={"0": ValueMappingResult(text=NONE, color=GREEN if none_is_well else GRAY, index=0)})
    texts = [_deep(mapped)] if mapped else [none] if known else []
    panel = panel.mappings([*texts, SpecialValueMap(options=nothing)])
    if decimals is not None:
        panel = panel.decimals(decimals)
    return _house(panel, title, description, place, [_instant(query)], empty)


def ranking(
    title: str,
    description: str,
    place: Place,
    rows: Sequence[Row],
    *,
    unit: str = "dateTimeFromNow",
    empty: str,
    known: str = "",
    mapped: ValueMap | None = None,
    size: int = 22,
) -> Panel:
    """Names with a value each in large letters one below the other, for a wall; one kind of rows after the other.

    Nothing to show is the good case, and calm, where anything of `known` is there. `size` is in pixels: limit how many
    rows there may be.
    """
    if known:
        rows = [*rows, Row(f"absent({known})", "nothing is known", PURPLE, valueless=True)]
    panel = (
        stat.Panel()
        .unit(unit)
        .decimals(0)
        .orientation(VizOrientation.HORIZONTAL)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.BACKGROUND_SOLID)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .wide_layout(True)
        .reduce_options(_last())
        .text(common.VizTextDisplayOptions().title_size(size).value_size(size))
        .thresholds(_thresholds(((None, CLEAR),)))
    )
    if mapped:
        panel = panel.mappings([_deep(mapped)])
    for row, ref in zip(rows, "ABCDEFGH", strict=False):
        properties = [_property("color", {"mode": "fixed", "fixedColor": DEEP.get(row.color, row.color)})]
        properties += [_property("links", list(row.links))] if row.links else []
        properties += [_property("unit", row.unit)] if row.unit else []
        properties += [_property("mappings", [_NO_VALUE])] if row.valueless else []
        panel = panel.override_by_query(ref, properties)
    return _house(panel, title, description, place, [_instant(Query(row.expr, row.legend)) for row in rows], empty)


def lines(
    title: str,
    description: str,
    place: Place,
    queries: Sequence[Query],
    *,
    unit: str,
    top: float | None = None,
    dashed: str | None = None,
    color: str | None = None,
    below_zero: bool = False,
    empty: str = NOT_MEASURED,
) -> Panel:
    """Values over time as lines; holes stay holes. `top` fixes the axis, `dashed` is a pattern of names of limits.

    The axis begins at 0 unless values are `below_zero`. What is bad has shades of one `color`.
    """
    panel = _over_time(title, description, place, queries, unit, GraphDrawStyle.LINE, 0, top, below_zero, empty)
    if color is not None:
        panel = panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.SHADES).fixed_color(color))
    if dashed is not None:
        style = _property("custom.lineStyle", {"fill": "dash", "dash": [6, 6]})
        panel = panel.override_by_regexp(dashed, [style])
    return panel


def shares(title: str, description: str, place: Place, queries: Sequence[Query], states: Sequence[State]) -> Panel:
    """How many were in each state, one on top of the other; what `states` names has its color."""
    stacking = common.StackingConfig().mode(StackingMode.NORMAL).group("A")
    panel = _over_time(title, description, place, queries, "none", GraphDrawStyle.LINE, 60, None).stacking(stacking)
    # With lines, whatever there is none of would lie on top of the others in its color.
    panel = panel.line_width(0)
    for state in states:
        panel = panel.override_by_name(state.name, [_property("color", {"mode": "fixed", "fixedColor": state.color})])
    return cast(Panel, panel)


def bars(
    title: str,
    description: str,
    place: Place,
    queries: Sequence[Query],
    *,
    unit: str,
    color: str | None = None,
    empty: str = NOT_MEASURED,
) -> Panel:
    """What happened in each stretch of time, as bars; of what is bad, all in shades of one `color`."""
    panel: Panel = _over_time(title, description, place, queries, unit, GraphDrawStyle.BARS, 80, None, empty=empty)
    if color is not None:
        panel = panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.SHADES).fixed_color(color))
    return panel


def share(
    title: str, description: str, place: Place, query: Query, steps: Steps, *, over: Query | None = None, empty: str
) -> Panel:
    """Shares of a whole now, as horizontal bars from 0 to 100 %; those of `over` are over a limit of their own."""
    panel = (
        bargauge.Panel()
        .unit("percentunit")
        .min(0)
        .max(1)
        .decimals(1)
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .reduce_options(_last())
        .thresholds(_thresholds(steps))
    )
    if over is not None:
        panel = panel.override_by_query("B", [_property("color", {"mode": "fixed", "fixedColor": ORANGE})])
    targets = [_instant(each) for each in (query, over) if each is not None]
    return _house(panel, title, description, place, targets, empty)


def listing(
    title: str,
    description: str,
    place: Place,
    queries: Sequence[Query],
    columns: dict[str, str],
    *,
    overrides: dict[str, dict[str, object]] | None = None,
    empty: str = NOT_CONFIGURED,
) -> Panel:
    """A table of labels now. `columns` maps label or value field to heading, in order; others are hidden.

    Rows come in the order of the first query: sort there.
    """
    panel = (
        table.Panel()
        .unit("string")
        .filterable(False)
        .min_width(70)
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": list(columns)}})
        )
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={
                    "indexByName": {name: index for index, name in enumerate(columns)},
                    "renameByName": columns,
                },
            )
        )
    )
    # A cell without a value is empty; what `empty` says is of the whole table.
    panel = panel.override_by_regexp("/.*/", [_property("noValue", " ")])
    for heading, properties in (overrides or {}).items():
        panel = panel.override_by_name(heading, [_property(*item) for item in properties.items()])
    targets = [_instant(query).format(PromQueryFormat.TABLE) for query in queries]
    return _house(panel, title, description, place, targets, empty)


def matrix(
    title: str,
    description: str,
    place: Place,
    query: Query,
    *,
    rows: tuple[str, str],
    columns: str,
    first: str,
    states: Sequence[State],
    links: dict[str, object],
    empty: str = NOT_CONFIGURED,
) -> Panel:
    """A table of states in words: a row for each value of a label (and its heading), a column for each of another.

    Both in the order of the alphabet, so that everything stands where it stood yesterday; but `first` is first.
    """
    label, heading = rows
    corner = f"{label}\\{columns}"
    panel = (
        table.Panel()
        .unit("string")
        .filterable(False)
        .min_width(90)
        .mappings([_deep(mapping(states))])
        .with_transformation(_sorted_by(columns))
        .with_transformation(
            DataTransformerConfig(
                id_val="groupingToMatrix",
                options={"rowField": label, "columnField": columns, "valueField": "Value", "emptyValue": "null"},
            )
        )
        .with_transformation(_sorted_by(corner))
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={"indexByName": {corner: 0, first: 1}, "renameByName": {corner: heading}},
            )
        )
        .override_by_regexp(
            "/.*/",
            [_property("noValue", " "), _property("custom.align", "left"), _property("custom.cellOptions", _GROUND)],
        )
        .override_by_name(
            heading, [_property("custom.cellOptions", {"type": "auto"}), *(_property(*each) for each in links.items())]
        )
        .cell_height(TableCellHeight.MD)
        # What is not known is no good news: without this an empty cell would be green.
        .thresholds(_thresholds(((None, CLEAR),)))
    )
    return _house(panel, title, description, place, [_instant(query).format(PromQueryFormat.TABLE)], empty)


_GROUND = {"type": "color-background", "mode": "basic"}


def _sorted_by(field: str) -> DataTransformerConfig:
    return DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [{"field": field, "desc": False}]})


def words(states: Sequence[State]) -> dict[str, object]:
    """A column of numbers from 1 on as the names of these states, in their colors."""
    return {
        "mappings": [
            {
                "type": "value",
                "options": {
                    str(number): {"text": state.name, "color": state.color, "index": number - 1}
                    for number, state in enumerate(states, start=1)
                },
            }
        ],
        "custom.cellOptions": {"type": "color-text"},
        "custom.align": "left",
        "custom.width": 140,
    }


def renamed(names: Mapping[str, str]) -> dict[str, object]:
    """A mapping for a column of labels: what each is called for people."""
    return {
        "type": "value",
        "options": {name: {"text": text, "index": at} for at, (name, text) in enumerate(names.items())},
    }


# Words that a program makes of words: without their underlines.
SPACED: dict[str, object] = {"type": "regex", "options": {"pattern": "/_/g", "result": {"text": " ", "index": 99}}}


def counted(color: str) -> dict[str, object]:
    """A column of counts, from 1 on in this color."""
    steps = [{"color": GRAY, "value": None}, {"color": color, "value": 1}]
    return {
        "unit": "none",
        "custom.cellOptions": {"type": "color-text"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }


def address(text: str) -> dict[str, object]:
    """A column of addresses, shown as this text that leads there."""
    shown = {"type": "regex", "options": {"pattern": "/.+/", "result": {"text": text, "index": 98}}}
    return {"mappings": [shown], "links": [{"title": text, "url": "${__value.raw}"}]}


def page(uid: str, title: str, description: str, tags: Sequence[str]) -> dashboard.Dashboard:
    """An empty board with the house's variables: data source, then fleet."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["yardlight", *tags])
        .timezone("browser")
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .link(_every_board())
    )


def _every_board() -> dashboard.DashboardLink:
    """A menu of all boards at the top of each, which keeps what is chosen and the time."""
    return (
        dashboard.DashboardLink("Yardlight")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["yardlight"])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
        .tooltip("all boards of Yardlight")
    )


def fleets_page(uid: str, title: str, description: str, tags: Sequence[str]) -> dashboard.Dashboard:
    """An empty board of all fleets, or of those that are chosen."""
    fleets = choice("fleet", "Fleet", "label_values(yardlight_fleet_info, fleet)").multi(True).include_all(True)
    every = VariableOption(text="All", value="$__all", selected=True)
    return page(uid, title, description, tags).with_variable(fleets.current(every))


def leads(board: str, what: str, **chosen: str) -> dict[str, object]:
    """A cell that leads to another board: `chosen` are its variables, and the columns that they are taken from."""
    return {"links": [_link(board, what, {name: f"__data.fields.{column}" for name, column in chosen.items()})]}


def way(board: str, what: str, **chosen: str) -> dict[str, str]:
    """A row of a ranking that leads to another board: `chosen` are its variables, and the labels they come from."""
    return _link(board, what, {name: f"__field.labels.{label}" for name, label in chosen.items()})


def from_here(board: str, what: str, **columns: str) -> dict[str, object]:
    """A cell that leads to a board of the chosen fleet; `columns` have the values of its other variables."""
    chosen = {name: f"__data.fields.{column}" for name, column in columns.items()}
    return {"links": [_link(board, what, {"fleet": "fleet", **chosen})]}


def _link(board: str, what: str, chosen: dict[str, str]) -> dict[str, str]:
    values = "&".join(f"var-{name}=${{{source}}}" for name, source in {"datasource": "datasource", **chosen}.items())
    return {"title": what, "url": f"/d/yardlight-{board}?{values}"}


def account_page(uid: str, title: str, description: str, tags: Sequence[str], *, metric: str) -> dashboard.Dashboard:
    """An empty board of one account, chosen among those that export `metric`."""
    return (
        page(uid, title, description, tags)
        .with_variable(choice("fleet", "Fleet", "label_values(yardlight_fleet_info, fleet)"))
        .with_variable(choice("account", "Account", f'label_values(yardlight_{metric}{{fleet="$fleet"}}, account)'))
    )


def choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A drop-down of a label's values, one at a time."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def folded(title: str, y: int, panels: Iterable[Panel]) -> dashboard.Row:
    """A heading under which these panels lie until somebody opens it: for what not everybody has."""
    row = dashboard.Row(title).collapsed(True).grid_pos(GridPos(x=0, y=y, w=24, h=1))
    for panel in panels:
        row = row.with_panel(panel)
    return row


def marks(name: str, color: str, expr: str, title: str, text_: str) -> dashboard.AnnotationQuery:
    """Vertical marks and regions over all panels, while `expr` is above zero."""
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(SOURCE)
        .enable(True)
        .icon_color(color)
        .expr(expr)
        .step("10s")
        .title_format(title)
        .text_format(text_)
    )


def text(board: dashboard.Dashboard) -> str:
    """The board as the JSON that is committed: panels numbered in reading order, keys sorted."""
    built = json.loads(JSONEncoder().encode(board.build()))
    folded_too = (each for panel in built["panels"] for each in (panel, *panel.get("panels", ())))
    for number, panel in enumerate(folded_too, start=1):
        panel["id"] = number
    return json.dumps(built, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _house(
    panel: Any,
    title: str,
    description: str,
    place: Place,
    targets: Sequence[Any],
    empty: str,
) -> Panel:
    panel = panel.title(title).description(description).datasource(SOURCE).no_value(empty)
    panel = panel.grid_pos(GridPos(x=place.x, y=place.y, w=place.w, h=place.h))
    for target, ref in zip(targets, "ABCDEFGHIJKL", strict=False):
        panel = panel.with_target(target.ref_id(ref).datasource(SOURCE))
    return cast(Panel, panel)


def _over_time(
    title: str,
    description: str,
    place: Place,
    queries: Sequence[Query],
    unit: str,
    style: GraphDrawStyle,
    fill: float,
    top: float | None,
    below_zero: bool = False,
    empty: str = NOT_MEASURED,
) -> Any:
    panel = (
        timeseries.Panel()
        .unit(unit)
        .interval(LONG_ENOUGH)
        .draw_style(style)
        .fill_opacity(fill)
        .line_width(1)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(_tooltip())
    )
    if not below_zero:
        panel = panel.min(0)
    if top is not None:
        panel = panel.max(top)
    return _house(panel, title, description, place, [_range(query) for query in queries], empty)


def _range(query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend or "__auto").range()


def _instant(query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend or "__auto").instant()


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=color) for value, color in steps])
    )


def _property(name: str, value: object) -> DynamicConfigValue:
    return DynamicConfigValue(id_val=name, value=value)


def _hidden_legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(False)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .calcs([])
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI)

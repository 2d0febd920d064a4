"""The Terminal board: is this yard on fiber, on LTE or dark, since when, and what is each circuit doing."""

from __future__ import annotations

from dashboards.build.house import (
    AGO,
    BLUE,
    CLEAR,
    GRAY,
    GREEN,
    NONE_KNOWN,
    NOT_CONFIGURED,
    ORANGE,
    PURPLE,
    RED,
    SPACED,
    Panel,
    Place,
    Query,
    State,
    answers,
    bars,
    choice,
    folded,
    lines,
    listing,
    mapping,
    marks,
    one_of,
    page,
    renamed,
    share,
    single,
    state_timeline,
    words,
)
from dashboards.build.wall import CUT_OFF, FAULTS, MEASURED, numbered, outside, since
from grafana_foundation_sdk.builders import dashboard

HERE = 'fleet="$fleet",terminal="$terminal"'
# The center's own view of the services is no terminal's.
CENTRE = 'fleet="$fleet",terminal="",uplink="centre"'

TERMINAL_STATES = (
    State("primary", GREEN),
    State("standby", ORANGE),
    State("dark", RED),
    State("unknown", PURPLE),
    State("answers from outside", BLUE),
    State("nothing heard", RED),
)
UPLINK_STATES = (State("up", GREEN), State("degraded", ORANGE), State("down", RED), State("unknown", PURPLE))
# What the signals of a yard mean (alert_rules/verdicts.yml).
SIGNALS = {
    "not_heard": "the box in the yard is not heard",
    "answers_from_outside": "the site answers from outside",
    "path_silent": "the yard's traffic gets no answer",
    "primary_down": "the primary is down",
    "primary_lossy": "the primary loses packets",
    "every_standby_down": "every standby is down",
    "names_fail": "names are not resolved",
    "works_over_another_line": "services work over another line",
    "carrier_wide": "other yards of this carrier, too",
}
# Stretches of a path, from near to far.
_STRETCHES = {"next_hop": "ISP's gateway", "isp": "ISP's network", "far": "internet"}

_NUMBERS = {state.name: number for number, state in enumerate(TERMINAL_STATES, start=1)}
_STATE = " or ".join(
    (
        numbered(HERE, "terminal", {name: _NUMBERS[name] for name in MEASURED}),
        f"{_NUMBERS['answers from outside']} * ({outside(HERE, 'terminal')})",
        f"{_NUMBERS['nothing heard']} * (max by (terminal) ({CUT_OFF}{{{HERE}}}) > bool 0)",
    )
)


_OBSERVED = f'yardlight_terminal_path{{{HERE},source="observed"}} == 1'
_LEAVES_BY = f"max by (uplink) ({_OBSERVED} unless on (terminal) {CUT_OFF}{{{HERE}}})"
_ALERTS = since('severity=~"page|ticket"', "alertname, severity, uplink, service", HERE)


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{{{HERE}}}[$__rate_interval]))"


def _added(metric: str, by: str) -> str:
    """What a running total of rare events gained per step, exactly; increase() would make 9 s of 8."""
    before = f"max by ({by}) ({metric}{{{HERE}}} offset $__interval)"
    return f"clamp_min({_newest(metric, by)} - {before}, 0)"


def _quantile(quantile: float) -> str:
    return f"histogram_quantile({quantile}, {_rate('yardlight_uplink_rtt_seconds_bucket', 'le, uplink')})"


def _in_use(over_each: str) -> str:
    """The same with the default path called what it is."""
    return f'label_replace({over_each}, "uplink", "the path in use", "uplink", "default")'


def _newest(metric: str, by: str = "terminal") -> str:
    return f"max by ({by}) ({metric}{{{HERE}}})"


def board() -> dashboard.Dashboard:
    """All panels, top to bottom: now, over time, services, interruptions, quality, what it costs and whom to call."""
    built = (
        page(
            "yardlight-terminal",
            "Yardlight: Terminal",
            "One terminal: which uplink carries it, since when, each circuit's state and how long every "
            "gap was. Times are the browser's.",
            ["terminal"],
        )
        .with_variable(choice("fleet", "Fleet", "label_values(yardlight_terminal_info, fleet)"))
        .with_variable(
            choice("terminal", "Terminal", 'label_values(yardlight_terminal_info{fleet="$fleet"}, terminal)')
        )
        .annotation(
            marks(
                "Pages", RED, f'ALERTS{{{HERE},alertstate="firing",severity="page"}}',
                "{{alertname}}", "a person was paged",
            )
        )
        .annotation(
            marks(
                "Maintenance", GRAY, f"yardlight_maintenance_active{{{HERE}}} == 1",
                "Maintenance of {{uplink}}", "trouble of this uplink is expected",
            )
        )
        .annotation(
            marks(
                "Drills", ORANGE, f"yardlight_drill_in_progress{{{HERE}}} == 1",
                "{{playbook}}", "what is down was cut on purpose",
            )
        )
    )  # fmt: skip
    for panel in (
        *_now(),
        *_states(),
        *_services(),
        *_interruptions(),
        *_quality(),
        *_costs(),
        *_standbys(),
        *_drills(),
    ):
        built = built.with_panel(panel)
    return built.with_row(folded("Router and its radio", 81, _router()))


def _now() -> list[Panel]:
    return [
        single(
            "Terminal is on",
            "Which uplink carries this terminal. Normal: primary. standby: the failover works, get the "
            "primary repaired. dark: nothing gets out, act now. unknown: not measured, or a pin is not "
            "proven. answers from outside: no box was ever there, and an address of the yard answers the center; that "
            "is all that is known. nothing heard: no measurements arrive any more, or no address answers; see the "
            "alerts. Empty: nothing ever arrived.",
            Place(0, 0, 6, 4),
            Query(_STATE),
            mapped=mapping(TERMINAL_STATES),
        ),
        single(
            "Since",
            "When that state began; for dark, the last answered probe; for nothing heard, the last word. Normal: days "
            "or weeks ago. Minutes ago: look at the timelines below for what happened.",
            Place(6, 0, 5, 4),
            Query(
                f"1000 * ({_newest('yardlight_terminal_state_since_timestamp_seconds')} unless on (terminal) "
                f"{CUT_OFF}{{{HERE}}} or {_newest(CUT_OFF)})"
            ),
            unit="dateTimeFromNow",
            empty="not known",
        ),
        single(
            "Traffic leaves by",
            "The uplink that the default path was seen to take, measured here. Normal: the primary's name. "
            "Not known at the moment, for example, while the terminal is dark.",
            Place(11, 0, 5, 4),
            # Where a name is shown, nothing is shown for none: that it is not known has to be a name, too.
            Query(f'{_LEAVES_BY} or label_replace(absent({_LEAVES_BY}), "uplink", "not known", "", "")', "{{uplink}}"),
            name_only=True,
        ),
        single(
            "Last gap",
            "How long the default path carried nothing, the last time that happened. Normal: below what "
            "the router is allowed (switch_within). Longer: shorten the router's health check.",
            Place(16, 0, 4, 4),
            Query(_newest("yardlight_terminal_last_gap_seconds")),
            unit="s",
            decimals=1,
            empty=NONE_KNOWN,
        ),
        single(
            "Router may take",
            "How long the router may take to move to the standby (switch_within in the inventory). Above "
            "it, a silent default path pages.",
            Place(20, 0, 4, 4),
            Query(_newest("yardlight_terminal_switch_within_seconds")),
            unit="s",
            empty=NOT_CONFIGURED,
        ),
        listing(
            "Alerts",
            "What is firing for this terminal, the longest open first. Normal: none. Each name has a runbook of the "
            "same name.",
            Place(0, 4, 12, 6),
            [Query(f"sort({_ALERTS})")],
            {"alertname": "Alert", "severity": "Severity", "uplink": "Uplink", "service": "Service", "Value": "Since"},
            overrides={"Alert": {"custom.width": 200}, "Severity": {"custom.width": 80}, "Since": AGO},
            empty=NONE_KNOWN,
        ),
        listing(
            "Whose fault, and why",
            "What the signals point to while something is wrong here, and each: seen or not; what nobody can tell "
            "is not listed. Normal: none.",
            Place(12, 4, 12, 6),
            [
                Query(f"max by (domain) (yardlight:fault_domain{{{HERE}}} == 1)"),
                Query(f"sort_desc(1 + max by (signal) (yardlight:fault_evidence{{{HERE}}}))"),
            ],
            {"domain": "Fault of", "signal": "Signal", "Value #B": "Seen"},
            overrides={
                "Fault of": {"mappings": [renamed(FAULTS)]},
                "Signal": {"mappings": [renamed(SIGNALS)], "custom.width": 240},
                "Seen": words((State("no", GRAY), State("yes", ORANGE))),
            },
            empty=NONE_KNOWN,
        ),
        listing(
            "Circuits: whom to call",
            "The uplinks as the inventory has them, with provider, circuit id and support number, and how "
            "often each is probed.",
            Place(0, 10, 24, 5),
            [
                Query(f"max by (uplink, role, medium, isp, circuit, support) (yardlight_uplink_info{{{HERE}}})"),
                Query(_newest("yardlight_uplink_probe_interval_seconds", "uplink")),
            ],
            {
                "uplink": "Uplink",
                "role": "Role",
                "medium": "Medium",
                "isp": "Provider",
                "circuit": "Circuit id",
                "support": "Support",
                "Value #B": "Probed every",
            },
            overrides={
                "Uplink": {"custom.width": 90},
                "Role": {"custom.width": 90},
                "Medium": {"custom.width": 90},
                "Support": {"custom.minWidth": 150},
                "Probed every": {"custom.width": 110, "unit": "s", "decimals": 0},
            },
        ),
    ]


def _states() -> list[Panel]:
    return [
        state_timeline(
            "Terminal over time",
            "Which uplink carried this terminal. Normal: one green bar; a blue one where no box was ever there. Blank: "
            "nothing was measured.",
            Place(0, 15, 24, 3),
            [Query(_STATE, legend="{{terminal}}")],
            mapping(TERMINAL_STATES),
        ),
        state_timeline(
            "Uplinks over time",
            "Each circuit, probed over its own path; and its public address, where the center probes that. Normal: all "
            "up. A standby that is down or unknown will not help when the primary fails: act before it is needed. "
            "Blank: nothing was measured.",
            Place(0, 18, 24, 5),
            [
                Query(one_of("yardlight_uplink_state", HERE, UPLINK_STATES, by="uplink"), legend="{{uplink}}"),
                # up is the first of these states, and down the third.
                Query(f"3 - 2 * {_newest('yardlight_uplink_outside_up', 'uplink')}", legend="{{uplink}} from outside"),
            ],
            mapping(UPLINK_STATES),
        ),
        state_timeline(
            "Path over time",
            "The uplink that the default path takes: observed is measured here, claimed is the router's "
            "own word. Normal: both name the primary. Two that differ: believe the observed one.",
            Place(0, 23, 12, 5),
            [
                Query(
                    _newest("yardlight_terminal_path", "source, uplink"),
                    legend="{{source}} {{uplink}}",
                )
            ],
            answers(State("carries", GREEN), State("idle", CLEAR)),
        ),
        state_timeline(
            "Where loss begins",
            "Which stretch of each path answers: the ISP's gateway, its network, the internet. Normal: all answer. "
            "The nearest silent one is where to look, and whom to call.",
            Place(12, 23, 12, 5),
            [
                Query(
                    f'max by (uplink) (yardlight_uplink_segment_up{{{HERE},segment="{segment}"}})',
                    legend=f"{{{{uplink}}}}: {stretch}",
                )
                for segment, stretch in _STRETCHES.items()
            ],
            answers(State("answers", GREEN), State("silent", RED)),
        ),
    ]


def _services() -> list[Panel]:
    over = "service, uplink"
    works = _newest("yardlight_service_up", over)
    shown = _in_use(works)
    return [
        state_timeline(
            "Services over time",
            "Whether the yard can work with each service over the path in use and over each uplink, "
            "and whether the center can. Normal: all work. Fails over one uplink, works over another: switch "
            "now. Fails everywhere, the center included: it is the platform, call its support. Blank: not "
            "known, for example while that uplink is down.",
            Place(0, 28, 14, 8),
            [
                Query(shown, legend="{{service}} over {{uplink}}"),
                Query(f"max by (service) (yardlight_service_up{{{CENTRE}}})", legend="{{service}} from the center"),
            ],
            answers(State("works", GREEN), State("fails", RED)),
            empty=NOT_CONFIGURED,
        ),
        lines(
            "Service response time",
            "From the question for the name to the last byte, over the path in use and over each uplink; "
            "dashed, the limit above which the service is slow (slow_after). Normal: flat, and far below the "
            "limit. A hill over one uplink only: that line. Over all: the service.",
            Place(14, 28, 10, 8),
            [
                Query(
                    _in_use(_newest("yardlight_service_response_seconds", over)), legend="{{service}} over {{uplink}}"
                ),
                Query(_newest("yardlight_service_slow_after_seconds", "service"), legend="{{service}} is slow"),
            ],
            unit="s",
            dashed="/ is slow$/",
        ),
        listing(
            "Services now",
            "The last answer of each service over each path, and why it fails. Normal: no reason. dns ...: "
            "names are not resolved over that line. tls ...: the certificate is not accepted. ... timeout, "
            "unreachable: no connection. status, body: the service itself answers wrongly. captive portal: a "
            "login page answers instead.",
            Place(0, 36, 24, 9),
            [
                # 0 with the reason, 1 without one: what fails always has a reason.
                Query(f"sort({_newest('yardlight_service_failure', f'{over}, reason')} - 1 or {works} == 1)"),
                Query(_newest("yardlight_service_response_seconds", over)),
                Query(f"{_newest('yardlight_service_since_timestamp_seconds', over)} * 1000"),
            ],
            {
                "service": "Service",
                "uplink": "Over",
                "Value #A": "Works",
                "Value #C": "Since",
                "Value #B": "Answered in",
                "reason": "Why not",
            },
            overrides={
                "Over": {"custom.width": 130, "mappings": [renamed({"default": "the path in use"})]},
                "Works": {"custom.width": 90, "unit": "bool_yes_no"},
                "Since": AGO,
                "Answered in": {"custom.width": 130, "unit": "s"},
                "Why not": {"mappings": [SPACED]},
            },
            empty=NONE_KNOWN,
        ),
    ]


def _interruptions() -> list[Panel]:
    return [
        bars(
            "Seconds without a connection",
            "Length of the interruptions that ended here: of the yard's own traffic (default path) and of "
            "each circuit on its own path. Normal: nothing. A circuit's bars without the default path's: "
            "the failover worked, or it was the standby.",
            Place(0, 45, 12, 8),
            [
                Query(
                    _added("yardlight_terminal_gap_seconds_sum", "terminal"),
                    legend="default path",
                ),
                Query(
                    _added("yardlight_uplink_gap_seconds_sum", "uplink"),
                    legend="{{uplink}}",
                ),
            ],
            unit="s",
        ),
        bars(
            "Failovers",
            "Moves of the default path from one uplink to another. Normal: none, or a pair out and back. "
            "Many: the primary flaps, or the router's health check is too nervous.",
            Place(12, 45, 12, 8),
            [
                Query(
                    _added("yardlight_terminal_failovers_total", "from, to"),
                    legend="{{from}} to {{to}}",
                )
            ],
            unit="short",
        ),
    ]


def _quality() -> list[Panel]:
    lost = _rate("yardlight_uplink_probes_lost_total", "uplink, target")
    sent = _rate("yardlight_uplink_probes_sent_total", "uplink, target")
    return [
        lines(
            "Loss by target",
            "Share of probes without an answer, per uplink and target. Normal: 0 %. One target only: that "
            "target. All targets of one uplink: that circuit; call its provider with the circuit id below.",
            Place(0, 53, 12, 9),
            [Query(f"{lost} / {sent}", legend="{{uplink}} {{target}}")],
            unit="percentunit",
            top=1,
        ),
        lines(
            "Round trip",
            "Time to the far targets and back: half of the probes are faster than the median, one in "
            "twenty is slower than the upper line. Normal: flat. A hill in working hours: the circuit is "
            "full.",
            Place(12, 53, 12, 9),
            [
                Query(_quantile(0.5), legend="{{uplink}} median"),
                Query(_quantile(0.95), legend="{{uplink}} 95 %"),
            ],
            unit="s",
        ),
    ]


def _costs() -> list[Panel]:
    return [
        state_timeline(
            "Pins",
            "Whether the probes of each uplink were proven to leave by it. Normal: proven. Not proven: the "
            "router's policy route is missing, and that uplink's state says nothing about the circuit.",
            Place(0, 62, 12, 5),
            [Query(_newest("yardlight_uplink_pinned", "uplink"), legend="{{uplink}}")],
            answers(State("proven", GREEN), State("leaves by another", RED)),
            empty="not known",
        ),
        share(
            "Probe traffic against budget",
            "What probing used of each metered uplink's budget in the present period (metered.budget and per). Normal: "
            "below 70 %, the routine share. Above: incidents ate the reserve. Unmetered uplinks have no budget and are "
            "not shown.",
            Place(12, 62, 6, 5),
            Query(
                f"{_newest('yardlight_probe_period_bytes', 'uplink')} / "
                f"{_newest('yardlight_probe_budget_bytes', 'uplink')}",
                legend="{{uplink}}",
            ),
            ((None, GREEN), (0.7, ORANGE), (0.9, RED)),
            empty="no metered uplink known",
        ),
        lines(
            "Probe traffic",
            "Bytes a second that probing puts on each uplink, both ways. Normal: flat; higher for as long "
            "as something is wrong. On a metered uplink the budget is the limit.",
            Place(18, 62, 6, 5),
            [Query(_rate("yardlight_probe_bytes_total", "uplink"), legend="{{uplink}}")],
            unit="Bps",
        ),
    ]


def _standbys() -> list[Panel]:
    required = _newest("yardlight_standby_check_required", "uplink, check")
    return [
        state_timeline(
            "Standby: what is proven",
            "Each check of an idle standby: path (probes are answered), dns and https (a name and a verified page came "
            "through it), service (the yard could work over it), radio, registration and sim by the router's word. "
            "Normal: all pass. A required one that fails is a ticket. Blank: nobody looked, or it cannot be told now.",
            Place(0, 67, 14, 9),
            [Query(_newest("yardlight_standby_ready", "uplink, check"), legend="{{uplink}} {{check}}")],
            answers(State("passes", GREEN), State("fails", RED)),
            empty="no standby, or nothing known",
        ),
        listing(
            "Standby: proofs",
            "When each standby was last proven (a name resolved and a page verified over it), when the yard's own "
            "traffic last went over it, and how old a proof may become. Normal: proven within the hour or two that the "
            "budget allows, carried within the quarter. Never carried: run a drill.",
            Place(14, 67, 10, 4),
            [
                Query(f"{_newest('yardlight_standby_max_proof_age_seconds', 'uplink')}"),
                Query(f"{_newest('yardlight_standby_proof_timestamp_seconds', 'uplink')} * 1000"),
                Query(f"{_newest('yardlight_standby_last_carried_timestamp_seconds', 'uplink')} * 1000"),
            ],
            {
                "uplink": "Standby",
                "Value #B": "Last proven",
                "Value #C": "Carried the yard",
                "Value #A": "Oldest allowed",
            },
            overrides={
                "Oldest allowed": {"custom.width": 120, "unit": "s", "decimals": 0},
                "Last proven": AGO,
                "Carried the yard": AGO,
            },
            empty="no standby",
        ),
        listing(
            "Standby: required checks",
            "What the inventory requires of each standby, and what is known now. Normal: yes. Empty: not known; after "
            "the time on the left that is a ticket of its own.",
            Place(14, 71, 10, 5),
            [
                Query(required),
                Query(_newest("yardlight_standby_ready", "uplink, check") + f" and on (uplink, check) {required}"),
            ],
            {"uplink": "Standby", "check": "Check", "Value #B": "Passes"},
            overrides={"Passes": {"custom.width": 90, "unit": "bool_yes_no"}},
            empty="no standby",
        ),
    ]


def _drills() -> list[Panel]:
    last = _newest("yardlight_drill_last_run_timestamp_seconds", "playbook")
    due = _newest("yardlight:drill_due_timestamp_seconds", "playbook")
    return [
        listing(
            "Drills",
            "The newest drill of each playbook, what came of it, and by when the next one must pass. Normal: pass, and "
            "due in the future. Anything else: see the alert's runbook.",
            Place(0, 76, 12, 5),
            [
                Query(f"max by (playbook, result) (yardlight_drill_last_result{{{HERE}}} == 1)"),
                Query(f"{last} * 1000"),
                Query(f"{due} * 1000"),
            ],
            {"playbook": "Drill", "result": "Result", "Value #B": "Last run", "Value #C": "Due"},
            overrides={
                "Result": {"custom.width": 90},
                "Last run": AGO,
                "Due": AGO,
            },
            empty="no drill yet",
        ),
        lines(
            "What drills measured",
            "Of the newest drill: how long nothing carried the yard on the way to the standby (failover) and back "
            "(failback), and from the cut to the notification (told). Normal: below the router's limit, and the same "
            "every quarter.",
            Place(12, 76, 12, 5),
            [
                Query(
                    _newest("yardlight_drill_last_duration_seconds", "playbook, phase"), legend="{{playbook}} {{phase}}"
                )
            ],
            unit="s",
            empty="no drill yet",
        ),
    ]


def _router() -> list[Panel]:
    by = "uplink, modem"
    return [
        state_timeline(
            "Router's word",
            "Whether the line that the router says it uses is the one that traffic was seen to leave by. Normal: true. "
            "Wrong: go by what is observed, and do not trust its status page. Blank: one of them is not known.",
            Place(0, 82, 14, 4),
            [Query(f"1 - {_newest('yardlight_terminal_path_disagreement')}", legend="its word is")],
            answers(State("true", GREEN), State("wrong", RED)),
            empty="no router answers",
        ),
        listing(
            "Router",
            "The router by its own word, and when it started. Normal: weeks ago. Within the last hour: that is why the "
            "yard was offline, if it was.",
            Place(14, 82, 10, 4),
            [
                Query("max by (profile, model, firmware) (yardlight_router_info{" + HERE + "})"),
                Query(f"{_newest('yardlight_router_boot_timestamp_seconds')} * 1000"),
            ],
            {"profile": "Kind", "model": "Model", "firmware": "Firmware", "Value #B": "Started"},
            overrides={
                "Model": {"custom.width": 100},
                "Firmware": {"custom.width": 100},
                "Started": AGO,
            },
            empty="no router answers",
        ),
        lines(
            "Radio: power of the reference signal",
            "RSRP of each modem, and dashed the least that the inventory accepts. Normal: above it, and flat. A fall "
            "at once: antenna, cable, or something parked in front. Over weeks: leaves, or a new building.",
            Place(0, 86, 12, 7),
            [
                Query(_newest("yardlight_modem_rsrp_dbm", by), legend="{{uplink}} {{modem}}"),
                Query(_newest("yardlight_modem_rsrp_least_dbm", "uplink"), legend="{{uplink}} is weak"),
            ],
            unit="dBm",
            dashed="/ is weak$/",
            below_zero=True,
            empty="no modem known",
        ),
        lines(
            "Radio: quality",
            "RSRQ and SINR of each modem, and dashed the least of both. Normal: above it. Low with good power: "
            "interference, or a crowded cell, often at the same hours each day.",
            Place(12, 86, 12, 7),
            [
                Query(_newest("yardlight_modem_rsrq_db", by), legend="{{uplink}} {{modem}} RSRQ"),
                Query(_newest("yardlight_modem_sinr_db", by), legend="{{uplink}} {{modem}} SINR"),
                Query(_newest("yardlight_modem_rsrq_least_db", "uplink"), legend="{{uplink}} RSRQ is weak"),
                Query(_newest("yardlight_modem_sinr_least_db", "uplink"), legend="{{uplink}} SINR is weak"),
            ],
            unit="dB",
            dashed="/ is weak$/",
            below_zero=True,
            empty="no modem known",
        ),
        lines(
            "Router: traffic of its interfaces",
            "Bytes a second that the router counts, received and sent together. Normal: the standby's near nothing. A "
            "standby that carries as much as the primary did: it is in use, whatever anybody says.",
            Place(0, 93, 24, 5),
            [
                Query(
                    f"{_rate('yardlight_router_interface_receive_bytes_total', 'interface, uplink')}"
                    f" + {_rate('yardlight_router_interface_transmit_bytes_total', 'interface, uplink')}",
                    legend="{{interface}} {{uplink}}",
                )
            ],
            unit="Bps",
            empty="no router answers",
        ),
    ]

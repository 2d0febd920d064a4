"""An hour of a terminal's life as samples: healthy, fiber cut, on LTE, healed; to try boards' queries on."""

from __future__ import annotations

from collections.abc import Iterator

from yardlight import __version__

STEP = 15
CUT, SWITCHED, HEALED, BACK = 1200, 1230, 2400, 2460  # seconds after the start of the hour
MISSED = CUT + 60
RULES = 60  # from then on, rules are evaluated
HOUR = 3600
_CIRCUIT = 'isp="Frontier",circuit="12/KRFN/004",support="+1 800 555 0199"'
_TARGETS = ("198.51.100.1", "203.0.113.53")


def _flag(metric: str, labels: str, key: str, states: tuple[str, ...], now: str) -> Iterator[tuple[str, str, float]]:
    for state in states:
        yield metric, f'{labels},{key}="{state}"', float(state == now)


def _moment(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    """All samples at `t` seconds after the start: metric without prefix, labels after fleet, value."""
    terminal = 'terminal="fontana"'
    cut, on_lte = CUT <= t < HEALED, SWITCHED <= t < BACK
    state = "standby" if on_lte else "dark" if cut else "primary"
    carries = "lte" if on_lte else None if cut else "fiber"
    yield from _flag("terminal_state", terminal, "state", ("primary", "standby", "dark", "unknown"), state)
    since = SWITCHED if on_lte else CUT if cut else BACK if t >= BACK else -86400
    yield "terminal_state_since_timestamp_seconds", terminal, start + since
    yield "terminal_info", f'{terminal},stage="live",on_failover="ticket",timezone="America/Los_Angeles"', 1
    yield "terminal_switch_within_seconds", terminal, 60
    yield "terminal_last_gap_seconds", terminal, 8.3 if t >= SWITCHED else 2.1
    yield (
        "terminal_gap_seconds_sum",
        terminal,
        2.1 + (8.3 if t >= SWITCHED else 0) + (1.2 if t >= BACK else 0),
    )
    drill = f'{terminal},playbook="quarterly-wan-failover"'
    yield from _flag("drill_last_result", drill, "result", ("pass", "fail", "aborted", "refused", "partial"), "pass")
    yield "drill_last_run_timestamp_seconds", drill, start - 40 * 86400
    yield "drill_last_pass_timestamp_seconds", drill, start - 40 * 86400
    yield "drill_in_progress", drill, float(on_lte)
    for phase, seconds in (("failover", 8.3), ("failback", 1.2), ("told", 14.0)):
        yield "drill_last_duration_seconds", f'{drill},phase="{phase}"', seconds
    for origin, target, at in (("fiber", "lte", SWITCHED), ("lte", "fiber", BACK)):
        yield "terminal_failovers_total", f'{terminal},from="{origin}",to="{target}"', float(t >= at)
    for uplink, role, medium in (("fiber", "primary", "fiber"), ("lte", "standby", "lte")):
        labels = f'{terminal},uplink="{uplink}"'
        down = cut and uplink == "fiber"
        yield (
            "uplink_info",
            (f'{labels},role="{role}",medium="{medium}",{_CIRCUIT}'),
            1,
        )
        yield from _flag(
            "uplink_state", labels, "state", ("up", "degraded", "down", "unknown"), "down" if down else "up"
        )
        yield "uplink_pinned", labels, 1
        yield "uplink_probe_interval_seconds", labels, 1 if uplink == "fiber" else 35
        for segment in ("next_hop", "isp", "far"):
            yield "uplink_segment_up", f'{labels},segment="{segment}"', float(not (down and segment == "far"))
        yield "uplink_outside_up", labels, float(not down)
        yield "uplink_gap_seconds_sum", labels, 1200.0 if uplink == "fiber" and t >= HEALED else 0.0
        yield "probe_bytes_total", labels, t * (200.0 if uplink == "fiber" else 13.0)
        if uplink == "lte":
            yield "probe_budget_bytes", labels, 50e6
            yield "probe_period_bytes", labels, 12e6
        yield "terminal_path", f'{labels},source="observed"', float(carries == uplink)
        for target in _TARGETS:
            lost = max(0, min(t, HEALED) - CUT) if uplink == "fiber" else 0
            yield "uplink_probes_sent_total", f'{labels},target="{target}",segment="far"', float(t)
            yield "uplink_probes_lost_total", f'{labels},target="{target}",segment="far"', float(lost)
        answered = t if uplink == "lte" else t - max(0, min(t, HEALED) - CUT)
        for bound, share in (("0.01", 0.6), ("0.02", 0.9), ("0.05", 1.0), ("+Inf", 1.0)):
            yield "uplink_rtt_seconds_bucket", f'{labels},le="{bound}"', answered * share


# For ten minutes dispatch cannot be reached over the fiber, though it works over LTE and from the center.
PEERING = (2700, 3300)


def _services(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    terminal = 'terminal="fontana"'
    for service, seconds in (("dispatch", 0.18), ("eld-portal", 0.32)):
        yield "service_slow_after_seconds", f'{terminal},service="{service}"', 3
        yield "service_up", f'terminal="",service="{service}",uplink="centre"', 1
        for uplink in ("default", "fiber", "lte"):
            over = f'{terminal},service="{service}",uplink="{uplink}"'
            if CUT <= t < (SWITCHED if uplink == "default" else HEALED) and uplink != "lte":
                continue
            fails = service == "dispatch" and uplink != "lte" and PEERING[0] <= t < PEERING[1]
            yield "service_up", over, float(not fails)
            yield "service_since_timestamp_seconds", over, start + (PEERING[0] if fails else -86400)
            if fails:
                yield "service_failure", f'{over},reason="connect_timeout"', 1
            else:
                yield "service_response_seconds", over, seconds * (2.5 if uplink == "lte" else 1)


# For five minutes nothing loads over LTE's TLS; and while LTE carries, the router goes on to say fiber for a while.
NO_TLS, LIES = (600, 900), (SWITCHED, SWITCHED + 600)


def _standby(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    lte = 'terminal="fontana",uplink="lte"'
    for check in ("path", "dns", "https"):
        yield "standby_check_required", f'{lte},check="{check}"', 1
    for check in ("path", "dns", "https", "radio", "registration", "sim"):
        fails = check == "https" and NO_TLS[0] <= t < NO_TLS[1]
        yield "standby_ready", f'{lte},check="{check}"', float(not fails)
    yield "standby_max_proof_age_seconds", lte, 86400
    yield "standby_proof_timestamp_seconds", lte, start + (NO_TLS[0] if NO_TLS[0] <= t < NO_TLS[1] else t // 300 * 300)
    carried = min(t, BACK) if t >= SWITCHED else -40 * 86400
    yield "standby_last_carried_timestamp_seconds", lte, start + carried


def _router(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    terminal = 'terminal="fontana"'
    on_lte, lies = SWITCHED <= t < BACK, LIES[0] <= t < LIES[1]
    yield "router_info", f'{terminal},profile="teltonika",model="RUTX11",firmware="7.14"', 1
    yield "router_boot_timestamp_seconds", terminal, start - 40 * 86400
    for uplink in ("fiber", "lte"):
        says = "lte" if on_lte and not lies else "fiber"
        yield "terminal_path", f'{terminal},uplink="{uplink}",source="claimed"', float(uplink == says)
    yield "terminal_path_disagreement", terminal, float(lies)
    modem = f'{terminal},uplink="lte",modem="modem 1"'
    rsrp = -97 - 6 * (t // 600 % 2)
    for name, unit, value, least in (("rsrp", "dbm", rsrp, -115), ("rsrq", "db", -11, -18), ("sinr", "db", 8, -3)):
        yield f"modem_{name}_{unit}", modem, value
        yield f"modem_{name}_least_{unit}", f'{terminal},uplink="lte"', least
    for uplink, interface in (("fiber", "eth1"), ("lte", "qmimux0")):
        labels = f'{terminal},interface="{interface}",uplink="{uplink}"'
        busy = max(0, min(t, BACK) - SWITCHED)
        carried = (busy if uplink == "lte" else t - busy) * 250_000.0
        yield "router_interface_receive_bytes_total", labels, 2e9 + carried
        yield "router_interface_transmit_bytes_total", labels, 1e9 + carried / 8


def _cellular(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    """An account with a pool that will be short, and trucks of two carriers."""
    account = 'account="vendor"'
    pool, sim = f'{account},pool="tablets",sim=""', f'{account},pool="",sim="T12"'
    yield "sim_silent_after_seconds", account, 3 * 86400
    yield "usage_as_of_timestamp_seconds", f'{account},pool="",sim=""', start + t - 6 * 3600
    yield "sims_unlisted", account, 1
    yield "sims_not_shown", account, 0
    yield "sims_with_cap", account, 40
    yield "sims_with_cap", 'account="without-caps"', 0
    yield "sims", 'account="without-caps",state="active"', 12
    for state, count in (("active", 38), ("suspended", 2), ("inactive", 0)):
        yield "sims", f'{account},state="{state}"', count
    yield "pool_usage_bytes", f'{account},pool="tablets"', 391e9 + t * 1e6
    yield "pool_known_usage_bytes", f'{account},pool="tablets"', 391e9 + t * 1e6
    yield "pool_cap_bytes", f'{account},pool="tablets"', 500e9
    for probability, used in (("0.1", 528e9), ("0.5", 561e9), ("0.9", 602e9)):
        yield "usage_projected_bytes", f'{pool},probability="{probability}"', used
    for labels, days in ((pool, 5.2), (sim, 8.1)):
        yield "cap_exhaustion_timestamp_seconds", labels, start + days * 86400
    for name, used in (("T12", 41e9), ("T7", 38e9), ("T9", 22e9)):
        one = f'{account},sim="{name}"'
        yield "sim_usage_bytes", one, used + t * 1e5
        yield "sim_largest_day_bytes", one, used / 20
        yield "sim_runaway_above_bytes", one, used / 4
        about = f'pool="tablets",carrier="Verizon",truck="{name[1:]}",terminal="fontana",uplink=""'
        yield "sim_info", f"{one},{about}", 1
    yield "sim_device_changed_timestamp_seconds", f'{account},sim="T7"', start
    yield "sim_throttled", f'{account},sim="T9"', 1
    for carrier, up in (("Verizon", 2 if t >= CUT else 7), ("AT&T", 8)):
        of = f'{account},carrier="{carrier}",terminal="barstow"'
        yield "carrier_sims_in_session", of, up
        yield "carrier_sims_in_session_least", of, 4


def _tablets(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    """An account at an MDM: ninety tablets, of which sixteen fall silent, two vanish and one is to be wiped."""
    account, bad = 'account="vendor"', t >= CUT
    poll = f'{account},poll="mdm/tablets"'
    yield "poll_success", poll, 1
    yield "poll_last_success_timestamp_seconds", poll, start + t // 300 * 300
    yield "devices_not_shown", account, 0
    for state in ("fresh", "stale", "dark", "expected_silent", "unknown"):
        yield "devices", f'account="legacy",group="yard",state="{state}"', 4.0 * (state == "unknown")
    yield "credentials_end_timestamp_seconds", f'{account},credential="secret"', start + 12 * 86400
    for kind, count in (("mdm_only", 1), ("roster_only", 0)):
        yield "roster_mismatches", f'{account},kind="{kind}"', count
    for group, total, ill in (("drivers", 60, 14 * bad), ("yard", 30, 2 * bad)):
        of = f'{account},group="{group}"'
        yield "device_stale_after_seconds", of, 43200
        yield "devices_silent_share_limit", of, 0.1
        yield "devices_never_checked_in", of, 0
        counts = {"stale": ill // 2, "dark": ill - ill // 2, "gone_from_mdm": 2 * bad, "never": 1, "unknown": 0}
        counts["expected_silent"] = 5
        for state, count in (("fresh", total - sum(counts.values())), *counts.items()):
            yield "devices", f'{of},state="{state}"', count
        for age, count in ((14400, 20 + ill), (86400, 5 + ill), (259200, 2 + ill // 2), (1209600, ill // 4)):
            yield "devices_older_than", f'{of},age_seconds="{age}"', count
        for standard, count in (("os", 9), ("app", 3), ("policy", 2), ("unapproved", 0)):
            yield "devices_below_standard", f'{of},standard="{standard}"', count * bad
    states = ("fresh", "stale", "dark", "never", "gone_from_mdm", "expected_silent", "unknown")
    for number in range(1, 26):
        tablet = f'{account},device="T{number}"'
        yield "device_last_checkin_timestamp_seconds", tablet, start - (200 - 7 * number) * 3600
        yield "device_info", f'{tablet},group="drivers",terminal="fontana",truck="{number}"', 1
        now = "fresh" if not bad else "gone_from_mdm" if number < 3 else "dark" if number < 10 else "stale"
        yield from _flag("device_state", f'{tablet},group="drivers"', "state", states, now)
    if bad:
        yield "device_action_pending_timestamp_seconds", f'{account},device="T3",action="wipe"', start - 90000
        yield "device_action_failed", f'{account},device="T3",action="wipe"', 0


def _feeds(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    """An account at a vendor with two feeds: positions that stop, and loads of which a field is renamed."""
    account, bad = 'account="vendor"', t >= CUT
    status = f'{account},feed="status",expected="on_change",shows="Status",platform="statuspage"'
    yield "feed_info", status, 1
    for feed, expected, age in (("gps", "when_moving", 300), ("loads", "weekdays", 1800)):
        of, poll = f'{account},feed="{feed}"', f'{account},poll="feeds/{feed}"'
        yield "feed_info", f'{of},expected="{expected}",shows="{feed.title()}",platform="generic"', 1
        yield "feed_max_age_seconds", of, age
        yield "poll_success", poll, 1
        yield "poll_duration_seconds", poll, 0.4 + t % 300 / 1000
        yield "poll_last_success_timestamp_seconds", poll, start + t // 60 * 60
        newest = start + (CUT if bad and feed == "gps" else t // 60 * 60) - 20
        yield "feed_newest_record_timestamp_seconds", of, newest
        for state, count in (("new", 0 if bad else 40), ("known", 40 * bad), ("future", 1), ("undated", 2)):
            yield "feed_records", f'{of},state="{state}"', count
        for kind in ("empty", "cursor_stuck", "backwards", "future", "vanished", "volume", "repeated"):
            yield "feed_anomaly", f'{of},kind="{kind}"', float(bad and kind in ("vanished", "repeated"))
    gps, loads = f'{account},feed="gps"', f'{account},feed="loads"'
    yield "feed_newest_received_timestamp_seconds", gps, start + min(t, CUT)
    yield "feed_movement_timestamp_seconds", gps, start + min(t, CUT)
    yield "feed_expected_since_timestamp_seconds", loads, start - 3600
    yield "feed_rate_limit_requests", gps, 100
    yield "feed_rate_limit_remaining_requests", gps, 60
    yield "feed_tls_end_timestamp_seconds", gps, start + 60 * 86400
    yield "feed_api_deprecated_timestamp_seconds", loads, start - 86400
    yield "feed_api_sunset_timestamp_seconds", loads, start + 90 * 86400
    for age, count in ((300, 8 + 30 * bad), (3600, 6), (86400, 3), (259200, 1)):
        yield "feed_trucks_older_than", f'{gps},age_seconds="{age}"', count
    if bad:
        yield "feed_contract_violations", f'{loads},kind="missing",field="updated_at"', 40
    yield "api_spent_requests", account, 1440
    yield "hos_judged_timestamp_seconds", "", start + t - 172800
    yield "hos_cases", 'kind="mismatch",state="open"', 2 * bad
    for whose in ("fleet", "truck"):
        yield "hos_unassigned_seconds", f'of="{whose}"', 5400
    yield "eld_malfunctions", gps, bad
    yield "eld_repair_within_seconds", gps, 8 * 86400
    if bad:
        yield "eld_malfunction_since_timestamp_seconds", gps, start - 86400
    yield "eld_revoked_trucks", 'model="LogIt-2"', 3
    yield "eld_replace_by_timestamp_seconds", 'model="LogIt-2"', start + 20 * 86400
    for rule in ("ifta", "irp"):
        yield "feed_tax_record_gaps", f'{gps},rule="{rule}"', 2 * bad
    yield "flow_info", 'flow="odometer",source="gps",sink="meters",shows="Odometer"', 1
    yield "flow_max_lag_seconds", 'flow="odometer"', 86400
    yield "flow_lag_seconds", 'flow="odometer"', 1800
    yield "flow_compared", 'flow="odometer"', 48
    yield "flow_mismatches", 'flow="odometer"', 12 * bad
    for side in ("source", "sink"):
        yield "flow_missing_ids", f'flow="odometer",side="{side}"', 0
    yield "account_availability_target_ratio", account, 0.995
    for reason in ("server_error", "auth"):
        yield "poll_failed", f'{account},poll="feeds/gps",reason="{reason}"', float(bad and reason == "server_error")
    events = f'{account},webhook="events"'
    yield "webhook_info", f'{events},feed="gps",expected="weekdays",shows="Events of trucks"', 1
    yield "webhook_silent_after_seconds", events, 7200
    yield "webhook_listening_since_timestamp_seconds", events, start
    yield "webhook_last_received_timestamp_seconds", events, start + t
    yield "webhook_missing_calls", events, 3 * bad
    yield "webhook_received_total", events, t / 10
    yield "webhook_duplicates_total", events, t / 1000
    yield "webhook_refused_total", f'{events},reason="signature"', t / 100


def _archive(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    """An archive in which a day goes missing and a file is changed, and whose second copy lags behind."""
    archive, bad = 'archive="eld"', float(t >= CUT)
    about = 'rule="rods",citation="49 CFR 395.8(k)(1), 395.22(i)",coverage="driver-day",stage="live"'
    yield "archive_info", f"{archive},{about}", 1
    yield "archive_required_seconds", archive, 182 * 86400
    for name, ago in (("listed", 600), ("oldest", 190 * 86400), ("newest", 86400), ("longest_unread", 20 * 86400)):
        yield f"archive_{name}_timestamp_seconds", archive, start - ago
    yield "archive_last_retrieval_test_timestamp_seconds", archive, start - 30 * 86400
    yield "archive_retrieval_testers", archive, 2
    yield "archive_gaps", archive, bad
    yield "archive_dates_not_known", archive, 2
    yield "archive_second_copy_missing_files", archive, 3 * bad
    yield "archive_second_copy_missing_dates", archive, 3 * bad
    yield "archive_second_copy_apart", archive, 1
    for name in ("deleted_early_files", "held_files", "unread_files"):
        yield f"archive_{name}", archive, 0
    for metric, kind in (("corrupt", "changed"), ("unreadable", "changing"), ("unplaced", "link")):
        yield f"archive_{metric}_files", f'{archive},kind="{kind}"', bad
    yield "archive_files", archive, 36_500
    yield "archive_free_bytes", archive, 40e9
    for name, size in (("newest", 300e6), ("least", 350e6), ("most", 1500e6)):
        yield f"backup_{name}_bytes", archive, size


# What is firing all the time.
_ALERTS: tuple[dict[str, str], ...] = (
    {"alertname": "TerminalOnStandby", "severity": "ticket", "audience": "noc", "terminal": "fontana"},
    {"alertname": "TerminalNotReporting", "severity": "page", "audience": "oncall", "terminal": "reno"},
    {"alertname": "PlatformDown", "severity": "page", "audience": "oncall", "service": "dispatch"},
    {"alertname": "FeedStale", "severity": "ticket", "audience": "dispatch", "account": "vendor", "feed": "gps"},
    {"alertname": "PlatformOutageDeclared", "severity": "ticket", "audience": "dispatch", "platform": "samsara"},
    {"alertname": "RuleEvaluationFailing", "severity": "page", "audience": "oncall", "fleet": ""},
    {"alertname": "Watchdog", "severity": "none", "audience": "oncall", "fleet": ""},
)
# How long before the hour an alert began, as rules remember and as Prometheus says since it was restarted.
BEGAN, RESTARTED = 7200, 60


def _others(t: int, start: int) -> Iterator[tuple[str, str, float]]:
    """Yards of which nothing is heard (reno) or known (tacoma), with an overdue drill; a vendor that is not read.

    One has no box (winslow): the center sees whether its line answers.
    """
    yield "fleet_info", 'runbooks="https://yardlight.example.com/runbooks",grafana="https://grafana.example.com"', 1
    for name in ("reno", "tacoma", "winslow"):
        yield "terminal_info", f'terminal="{name}",stage="live",on_failover="ticket",timezone="UTC"', 1
    yield from _flag(
        "terminal_state", 'terminal="tacoma"', "state", ("primary", "standby", "dark", "unknown"), "unknown"
    )
    yield "terminal_state_since_timestamp_seconds", 'terminal="tacoma"', start - 1800
    yield "uplink_outside_up", 'terminal="winslow",uplink="fiber"', float(not CUT <= t < HEALED)
    # Cut off: what it sent last is still there.
    yield "terminal_path", 'terminal="elko",uplink="fiber",source="observed"', 1
    yield "service_up", 'terminal="elko",service="dispatch",uplink="default"', 1
    yield "terminal_info", 'terminal="elko",stage="live",on_failover="ticket",timezone="UTC"', 1
    yield from _flag("terminal_state", 'terminal="elko"', "state", ("primary", "standby", "dark", "unknown"), "primary")
    yield "poll_success", 'account="tms",poll="feeds/orders"', 0
    yield "poll_last_success_timestamp_seconds", 'account="tms",poll="feeds/orders"', start - 40_000
    # Something else of it is read.
    yield "poll_success", 'account="tms",poll="feeds/drivers"', 1
    yield "poll_last_success_timestamp_seconds", 'account="tms",poll="feeds/drivers"', start + t
    # A wrong key from the first day on.
    yield "poll_success", 'account="yard-mail",poll="feeds/mail"', 0
    yield "feed_info", 'account="yard-mail",feed="mail",expected="",shows="Mail",platform="generic"', 1
    yield "poll_success", 'account="",poll="records/dvir"', 0
    yield "poll_failed", 'account="tms",poll="feeds/orders",reason="auth"', 1
    yield "feed_info", 'account="tms",feed="orders",expected="",shows="Orders",platform="generic"', 1
    yield "poll_failures_total", 'account="tms",poll="feeds/orders",reason="auth"', t / 60
    yield "api_budget_requests", 'account="vendor"', 5000
    yield "account_info", 'account="tms",platform="generic"', 1
    for name, value in (("config_last_reload_successful", 1), ("state_writable", 1), ("loop_lag_seconds", 0.004)):
        yield name, 'instance="centre:10480"', value
    yield "build_info", f'instance="centre:10480",version="{__version__}",python="3.11.2"', 1
    yield "account_info", 'account="vendor",platform="samsara"', 1


def openmetrics(end: int) -> str:
    """The hour up to `end` (Unix seconds), for `promtool tsdb create-blocks-from openmetrics`."""
    start = end - HOUR
    series: dict[str, list[str]] = {}
    for t in range(0, HOUR + 1, STEP):
        moments = (_moment, _services, _standby, _router, _cellular, _tablets, _feeds, _archive, _others)
        for name, labels, value in (each for moment in moments for each in moment(t, start)):
            every = ",".join(filter(None, ('fleet="demo"', labels)))
            line = f"yardlight_{name}{{{every}}} {value:.12g} {start + t}"
            series.setdefault(name, []).append(line)
        if t < RULES:
            continue
        for alert in _ALERTS:
            labels = ",".join(f'{name}="{value}"' for name, value in {"fleet": "demo", **alert}.items())
            series.setdefault("ALERTS", []).append(f'ALERTS{{alertstate="firing",{labels}}} 1 {start + t}')
            for name, ago in (("ALERTS_FOR_STATE", RESTARTED), ("yardlight:alert_since_timestamp_seconds", BEGAN)):
                series.setdefault(name, []).append(f"{name}{{{labels}}} {start - ago} {start + t}")
        remembered = "yardlight:terminal_remembered_timestamp_seconds"
        series.setdefault(remembered, []).append(
            f'{remembered}{{fleet="demo",terminal="reno"}} {start - 600} {start + t}'
        )
        for name, label in (("fault_domain", 'domain="isp"'), ("fault_evidence", 'signal="primary_down"')):
            line = f'yardlight:{name}{{fleet="demo",terminal="fontana",{label}}} 1 {start + t}'
            series.setdefault(f"yardlight:{name}", []).append(line)
        # Their center is away, which rules remember; one of these yards is missed by now.
        for name, whom in (("terminal", "provo"), ("terminal", "logan"), ("account", "wialon")):
            kept = f'yardlight:{name}_info{{fleet="demo",{name}="{whom}"}} {start} {start + t}'
            series.setdefault(f"yardlight:{name}_info", []).append(kept)
        blamed = f'yardlight:fault_domain{{fleet="demo",truck="112",domain="device"}} 1 {start + t}'
        series["yardlight:fault_domain"].append(blamed)
        cut_off = "yardlight:terminal_missing_since_timestamp_seconds"
        series.setdefault(cut_off, []).append(f'{cut_off}{{fleet="demo",terminal="logan"}} {start} {start + t}')
        series.setdefault(cut_off, []).append(f'{cut_off}{{fleet="demo",terminal="elko"}} {start} {start + t}')
        if MISSED <= t < HEALED:
            line = f'{cut_off}{{fleet="demo",terminal="winslow"}} {start + CUT} {start + t}'
            series.setdefault(cut_off, []).append(line)
        due = "yardlight:drill_due_timestamp_seconds"
        for yard, days in (("fontana", 30), ("tacoma", -3)):
            labels = f'fleet="demo",terminal="{yard}",playbook="quarterly-wan-failover"'
            series.setdefault(due, []).append(f"{due}{{{labels}}} {start + days * 86400} {start + t}")
        blamed = 'yardlight:fault_of:account{fleet="demo",account="graph",platform="intune",domain="vendor"}'
        series.setdefault("yardlight:fault_of:account", []).append(f"{blamed} 1 {start + t}")
        for state in (
            "silent",
            "unknown",
            "outside",
            "standby" if SWITCHED <= t < BACK else "dark" if CUT <= t < HEALED else "primary",
        ):
            line = f'yardlight:terminals{{fleet="demo",state="{state}"}} 1 {start + t}'
            series.setdefault("yardlight:terminals", []).append(line)
        for feed in ("gps", "loads"):
            of = f'fleet="demo",account="vendor",feed="{feed}"'
            # Loads are old while their platform says that it is out, which is told of the platform alone.
            old = feed == "gps" or CUT <= t < HEALED
            held = f"feed_distrusted{{{of}}}" if old else f'feed_trusted{{{of},shows="{feed.title()}"}}'
            for record in (held, f"feed_answers{{{of}}}"):
                name = f"yardlight:{record.partition('{')[0]}"
                series.setdefault(name, []).append(f"yardlight:{record} 1 {start + t}")
        if t >= CUT:
            for name, key, which in (("feed_old", "feed", "gps"), ("webhook_silent", "webhook", "events")):
                name = f"yardlight:{name}_since_timestamp_seconds"
                line = f'{name}{{fleet="demo",account="vendor",{key}="{which}"}} {start + CUT} {start + t}'
                series.setdefault(name, []).append(line)
        line = f'yardlight:cap_reached{{fleet="demo",account="vendor",pool="spares",sim=""}} 1e9 {start + t}'
        series.setdefault("yardlight:cap_reached", []).append(line)
        for name, value in (("account_available:avg30d", 0.998), ("account_error_budget_left:ratio30d", 0.6)):
            line = f'yardlight:{name}{{fleet="demo",account="vendor"}} {value} {start + t}'
            series.setdefault(f"yardlight:{name}", []).append(line)
    blocks = ["\n".join([f"# TYPE {lines[0].partition('{')[0]} unknown", *lines]) for name, lines in series.items()]
    return "\n".join(blocks) + "\n# EOF\n"

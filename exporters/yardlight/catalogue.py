"""Every metric once: name, type, help, labels. Rules, boards and documents are tested against this list.

`fleet` is on every sample and is not repeated in `labels`. Names carry the prefix `yardlight_` here, so that
a search for a metric found in Grafana ends in this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, eq=False)
class Metric:
    """One metric family; there is one object of each, and it is its own key.

    `labels` are in the order in which samples give their values, after `fleet`.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS: dict[str, Metric] = {}


def _add(kind: Kind, name: str, labels: str, help_: str, buckets: tuple[float, ...] = ()) -> Metric:
    metric = Metric(f"yardlight_{name}", kind, help_, tuple(labels.split()), buckets)
    if metric.name in METRICS:
        raise ValueError(f"{metric.name} is in the catalogue twice")
    METRICS[metric.name] = metric
    return metric


# The process itself
BUILD_INFO = _add("gauge", "build_info", "version python", "Which Yardlight runs here; always 1.")
CLOCK = _add(
    "gauge", "clock_timestamp_seconds", "terminal",
    "The exporter's own clock when the page was made. terminal is the one measured here, empty for the centre.",
)  # fmt: skip
LOOP_LAG = _add("gauge", "loop_lag_seconds", "", "Longest delay of the probing loop in the last ten seconds.")
RELOAD_OK = _add(
    "gauge", "config_last_reload_successful", "",
    "1 if the inventory on disk is the one in use, 0 if the last reload was refused and the old one runs on.",
)  # fmt: skip
RELOAD_TIME = _add("gauge", "config_last_reload_success_timestamp_seconds", "", "When the inventory in use was loaded.")
STATE_WRITABLE = _add(
    "gauge", "state_writable", "", "1 if the last write to the state file succeeded, 0 if history is not being kept."
)
POLL_SUCCESS = _add(
    "gauge", "poll_success", "account poll",
    "1 if the last collection was complete. poll is the part of the inventory that it is for (mdm/tablets).",
)  # fmt: skip
POLL_DURATION = _add("gauge", "poll_duration_seconds", "account poll", "How long the last collection took.")
POLL_LAST_SUCCESS = _add(
    "gauge", "poll_last_success_timestamp_seconds", "account poll",
    "When the last complete collection ended; absent until there was one.",
)  # fmt: skip
POLL_DUE = _add(
    "gauge", "poll_due_timestamp_seconds", "account poll",
    "When a complete collection is overdue: two intervals and a deadline after the last one, or after the start.",
)  # fmt: skip
POLL_FAILURES = _add(
    "counter", "poll_failures_total", "account poll reason", "Collections that failed, by reason (a closed set)."
)
POLL_FAILED = _add(
    "gauge", "poll_failed", "account poll reason", "1 for the reason for which the last collection failed, if it did."
)
API_REQUESTS = _add(
    "counter", "api_requests_total", "account code",
    "Requests to the vendor's API by status code; code is none where no answer came, sql of a database.",
)  # fmt: skip
API_BUDGET = _add(
    "gauge", "api_budget_requests", "account", "Requests that the inventory allows this account in 24 hours."
)
API_SPENT = _add("gauge", "api_spent_requests", "account", "Requests made for this account in the last 24 hours.")

# What the inventory says (exported by the centre only)
FLEET_INFO = _add("gauge", "fleet_info", "runbooks grafana", "Where notifications about this fleet point to; always 1.")
ACCOUNT_INFO = _add(
    "gauge", "account_info", "account platform", "An account of the inventory; always 1. Its absence means: removed."
)
CREDENTIAL_WARNING = _add(
    "gauge", "account_credential_warning_seconds", "account",
    "How long before its end a credential of the account is told about.",
)  # fmt: skip
AVAILABILITY = _add(
    "gauge", "account_availability_target_ratio", "account", "Share of a month in which the account should answer."
)
TERMINAL_INFO = _add(
    "gauge", "terminal_info", "terminal stage on_failover timezone",
    "A terminal of the inventory; always 1. Its absence means that it was removed.",
)  # fmt: skip
UPLINK_INFO = _add(
    "gauge", "uplink_info", "terminal uplink role medium isp circuit support",
    "An uplink of the inventory and whom to call about it; always 1.",
)  # fmt: skip
SWITCH_WITHIN = _add(
    "gauge", "terminal_switch_within_seconds", "terminal", "How long the router may take to move to the standby."
)
PAGE_AFTER = _add("gauge", "terminal_page_after_seconds", "terminal", "Nothing pages before this much silence.")
FAILBACK_WITHIN = _add(
    "gauge", "terminal_failback_within_seconds", "terminal",
    "How long the router may stay on the standby once the primary is healthy again.",
)  # fmt: skip
REPORT_WITHIN = _add(
    "gauge", "terminal_report_within_seconds", "terminal",
    "Longest silence of a terminal's measurements before the centre calls it not reporting.",
)  # fmt: skip
UTC_OFFSET = _add(
    "gauge", "terminal_utc_offset_seconds", "terminal", "Local time minus UTC now, for times in notifications."
)
PEAK_ACTIVE = _add("gauge", "terminal_peak_active", "terminal", "1 while the terminal's peak calendar is open.")
SERVICE_INFO = _add(
    "gauge", "service_info", "terminal service probe host",
    "A service that the yard works with, and what is asked of whom (probe http or dns); always 1.",
)  # fmt: skip
SERVICE_SLOW_AFTER = _add(
    "gauge", "service_slow_after_seconds", "terminal service", "A service that answers later than this is slow."
)
ROUTER_POLL_INTERVAL = _add(
    "gauge", "router_poll_interval_seconds", "terminal",
    "Time between two polls of the router; a terminal whose router is not polled has no series.",
)  # fmt: skip
MAINTENANCE_ACTIVE = _add(
    "gauge", "maintenance_active", "terminal uplink", "1 while a maintenance window of this uplink is open."
)

STANDBY_REQUIRED = _add(
    "gauge", "standby_check_required", "terminal uplink check",
    "A check that this standby must pass to count as ready (see standby_ready); always 1.",
)  # fmt: skip
STANDBY_MAX_AGE = _add(
    "gauge", "standby_max_proof_age_seconds", "terminal uplink",
    "A required check of which nothing was known for longer than this leaves the standby unproven.",
)  # fmt: skip
MODEM_RSRP_LEAST = _add(
    "gauge", "modem_rsrp_least_dbm", "terminal uplink", "An uplink's modem that receives less than this is weak."
)
MODEM_RSRQ_LEAST = _add(
    "gauge", "modem_rsrq_least_db", "terminal uplink", "An uplink's modem of less quality than this is weak."
)
MODEM_SINR_LEAST = _add(
    "gauge", "modem_sinr_least_db", "terminal uplink", "An uplink's modem with more noise than this is weak."
)

# Measured in the yard
TERMINAL_STATE = _add(
    "gauge", "terminal_state", "terminal state",
    "1 for the state the terminal is in: primary, standby (which uplink carries it), dark (the default path is "
    "silent), unknown.",
)  # fmt: skip
TERMINAL_STATE_SINCE = _add(
    "gauge", "terminal_state_since_timestamp_seconds", "terminal",
    "When the present state began; for dark, the instant of the last answered probe.",
)  # fmt: skip
UPLINK_STATE = _add(
    "gauge", "uplink_state", "terminal uplink state",
    "1 for the state the uplink is in: up, degraded, down, unknown (not measured, or its pin is not proven).",
)  # fmt: skip
UPLINK_STATE_SINCE = _add(
    "gauge", "uplink_state_since_timestamp_seconds", "terminal uplink",
    "When the present state began; for down, the instant of the last answered probe, not of the verdict.",
)  # fmt: skip
UPLINK_PINNED = _add(
    "gauge", "uplink_pinned", "terminal uplink",
    "1 if probes of this uplink were proven to leave by it, 0 if they leave by another; absent while not known.",
)  # fmt: skip
UPLINK_SEGMENT_UP = _add(
    "gauge", "uplink_segment_up", "terminal uplink segment",
    "1 if this stretch of the path answers: next_hop (the ISP's gateway), isp, far. The first 0 is where loss begins.",
)  # fmt: skip
UPLINK_INTERVAL = _add(
    "gauge", "uplink_probe_interval_seconds", "terminal uplink",
    "Routine time between two probes of this uplink; on a metered one it follows from the byte budget.",
)  # fmt: skip
UPLINK_SENT = _add(
    "counter", "uplink_probes_sent_total", "terminal uplink target segment",
    "Probes sent over the pinned path, those still under way included.",
)  # fmt: skip
UPLINK_LOST = _add(
    "counter", "uplink_probes_lost_total", "terminal uplink target segment",
    "Probes whose answer did not come within the timeout.",
)  # fmt: skip
UPLINK_RTT = _add(
    "histogram", "uplink_rtt_seconds", "terminal uplink", "Round-trip time over the pinned path, far targets only.",
    (0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0),
)  # fmt: skip
UPLINK_GAP = _add(
    "histogram", "uplink_gap_seconds", "terminal uplink",
    "Silences of a second and longer on the pinned path, each a finished event kept in the state file.",
    (2, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400),
)  # fmt: skip
UPLINK_LAST_GAP = _add("gauge", "uplink_last_gap_seconds", "terminal uplink", "Length of the newest finished silence.")
DEFAULT_SENT = _add(
    "counter", "default_path_probes_sent_total", "terminal target", "Probes sent over the path the router picks."
)
DEFAULT_LOST = _add(
    "counter", "default_path_probes_lost_total", "terminal target",
    "Probes over the default path whose answer did not come within the timeout.",
)  # fmt: skip
TERMINAL_PATH = _add(
    "gauge", "terminal_path", "terminal uplink source",
    "1 for the uplink the default path takes: source observed is measured here, claimed is the router's own word, "
    "inferred is what the traffic of a modem beside the router suggests. "
    "No series of a source is 1 while it is not known.",
)  # fmt: skip
DISAGREEMENT = _add(
    "gauge", "terminal_path_disagreement", "terminal",
    "1 while the router says that the default path takes another uplink than is observed (it said so twice), 0 while "
    "both name the same; absent while one of them is not known.",
)  # fmt: skip
DISAGREEMENTS = _add(
    "counter", "terminal_path_disagreements_total", "terminal",
    "How often the router's word and the observed uplink began to differ; kept over restarts.",
)  # fmt: skip
FAILOVERS = _add(
    "counter", "terminal_failovers_total", "terminal from to", "Moves of the default path from one uplink to another."
)
GAP = _add(
    "histogram", "terminal_gap_seconds", "terminal",
    "How long the default path carried nothing, per interruption (failovers and failbacks included).",
    (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 900, 3600),
)  # fmt: skip
LAST_GAP = _add("gauge", "terminal_last_gap_seconds", "terminal", "Length of the newest finished interruption.")
LAST_OUTAGE = _add(
    "gauge", "terminal_last_outage_seconds", "terminal",
    "Length of the newest finished interruption of five seconds or more, seen by this process.",
)  # fmt: skip
LAST_OUTAGE_END = _add(
    "gauge", "terminal_last_outage_end_timestamp_seconds", "terminal", "When that interruption ended."
)
LAST_FAILOVER = _add(
    "gauge", "terminal_last_failover_timestamp_seconds", "terminal", "When the default path last moved."
)
PROBE_BYTES = _add(
    "counter", "probe_bytes_total", "terminal uplink",
    "Bytes that probing put on this uplink, both ways, frames included, default-path probes during standby too.",
)  # fmt: skip
PROBE_PERIOD = _add(
    "gauge", "probe_period_bytes", "terminal uplink",
    "Bytes that probing put on this metered uplink in the present period of its budget, kept over a restart.",
)  # fmt: skip
PROBE_BUDGET = _add(
    "gauge", "probe_budget_bytes", "terminal uplink", "What probing may use on this metered uplink per period."
)
SERVICE_UP = _add(
    "gauge", "service_up", "terminal service uplink",
    "1 if the service works over this uplink, 0 if two probes in a row failed. uplink is default for the path the "
    "router picks; with uplink centre and no terminal it is the centre's own view. Absent while it is not known: "
    "before the first result, while the uplink is down or its pin is not proven, and when the last result is too old.",
)  # fmt: skip
SERVICE_SINCE = _add(
    "gauge", "service_since_timestamp_seconds", "terminal service uplink",
    "Since when service_up is what it is; for 0, the instant of the last good answer where there was one.",
)  # fmt: skip
SERVICE_LAST_PROBE = _add(
    "gauge", "service_last_probe_timestamp_seconds", "terminal service uplink",
    "When the last probe of this service over this uplink ended; kept when the result is too old to count.",
)  # fmt: skip
SERVICE_FIRST_FAILURE = _add(
    "gauge", "service_first_failure_timestamp_seconds", "terminal service uplink",
    "When the first of the probes that failed in a row ended; absent after a good answer. What was heard over other "
    "uplinks before that does not prove that the service works there now.",
)  # fmt: skip
SERVICE_RESPONSE = _add(
    "gauge", "service_response_seconds", "terminal service uplink",
    "How long the last probe took from the question for the name to the last byte; absent if it failed.",
)  # fmt: skip
SERVICE_PHASE = _add(
    "gauge", "service_phase_seconds", "terminal service uplink phase",
    "Parts of service_response_seconds: resolve, connect, tls, first_byte, transfer. The reached ones of a failure.",
)  # fmt: skip
SERVICE_FAILURE = _add(
    "gauge", "service_failure", "terminal service uplink reason",
    "1 for why the service does not work over this uplink (a closed set); no series while it works.",
)  # fmt: skip
SERVICE_CERTIFICATE_EXPIRY = _add(
    "gauge", "service_certificate_expiry_timestamp_seconds", "terminal service uplink",
    "When the certificate of the last accepted connection ends.",
)  # fmt: skip
STANDBY_READY = _add(
    "gauge", "standby_ready", "terminal uplink check",
    "1 if an uplink passes this check, 0 if not; absent while not known. Of check: path (probes are answered), dns (a "
    "name was resolved through it), https (an answer over TLS came through it, certificate and body as they should "
    "be), service (a service of the yard works over it), throughput (a file came fast enough), "
    "radio, registration, sim (by the router's word: no signal "
    "under its least, let in by a carrier, SIM ready). What fails over every path says nothing about this one.",
)  # fmt: skip
STANDBY_THROUGHPUT = _add(
    "gauge", "standby_throughput_bytes_per_second", "terminal uplink",
    "How fast a file came over this standby when that was last measured.",
)  # fmt: skip
STANDBY_SAMPLED = _add(
    "gauge",
    "standby_throughput_timestamp_seconds",
    "terminal uplink",
    "When the speed of this standby was last measured.",
)
STANDBY_LEAST_THROUGHPUT = _add(
    "gauge",
    "standby_least_throughput_bytes_per_second",
    "terminal",
    "What the yard needs of a standby, by its inventory.",
)
STANDBY_PROOF = _add(
    "gauge", "standby_proof_timestamp_seconds", "terminal uplink",
    "When this uplink was last proven: a name resolved and an answer verified over it. Kept over a restart.",
)  # fmt: skip
STANDBY_CARRIED = _add(
    "gauge", "standby_last_carried_timestamp_seconds", "terminal uplink",
    "When the yard's own traffic last went over this standby; absent if that was never seen.",
)  # fmt: skip
OUTSIDE_UP = _add(
    "gauge", "uplink_outside_up", "terminal uplink",
    "1 if the uplink's public address answers the centre's probes, 0 if it does not; absent until it once answered, be "
    "it to a process before this one.",
)  # fmt: skip

# Drills (exported by whoever keeps the records: the terminal's box, the centre, or both)
DRILL_LAST_RUN = _add(
    "gauge", "drill_last_run_timestamp_seconds", "terminal playbook",
    "When the last run of this playbook ended, whatever its result; absent before the first.",
)  # fmt: skip
DRILL_LAST_RESULT = _add(
    "gauge", "drill_last_result", "terminal playbook result",
    "1 for the result of the last run: pass, fail, partial, aborted, refused.",
)  # fmt: skip
DRILL_LAST_PASS = _add(
    "gauge", "drill_last_pass_timestamp_seconds", "terminal playbook",
    "When the last run that passed ended, or the real failover that was signed as the quarter's test.",
)  # fmt: skip
DRILL_DUE = _add(
    "gauge", "drill_due_timestamp_seconds", "terminal playbook",
    "When the next pass is due: the end of the calendar quarter, in the terminal's time, after that of the last pass; "
    "of the first one in which the terminal was known, where there was none.",
)  # fmt: skip
DRILL_IN_PROGRESS = _add(
    "gauge", "drill_in_progress", "terminal playbook",
    "1 from before anything is cut until the alerts under test have resolved.",
)  # fmt: skip
DRILL_SINCE = _add(
    "gauge", "drill_since_timestamp_seconds", "terminal playbook",
    "When the drill in progress began; absent when none is.",
)  # fmt: skip
DRILL_DEADLINE = _add(
    "gauge", "drill_deadline_timestamp_seconds", "terminal playbook",
    "When the drill in progress must be over; from then on its alerts are told like any others. Absent when none is.",
)  # fmt: skip
DRILL_ABORT_AFTER = _add(
    "gauge", "drill_abort_after_seconds", "terminal playbook",
    "How long the drill in progress may leave the terminal dark before it is aborted and the outage pages. Absent "
    "when none is.",
)  # fmt: skip
DRILL_LAST_DURATION = _add(
    "gauge", "drill_last_duration_seconds", "terminal playbook phase",
    "What the last run measured: phase failover and failback (how long the default path carried nothing), told (from "
    "the cut to the notification). Absent where it was not measured.",
)  # fmt: skip
DRILL_INFO = _add(
    "gauge", "drill_info", "terminal playbook per",
    "A drill that the inventory asks for, once in each period; always 1. Exported by the centre only.",
)  # fmt: skip
DRILL_REMIND_BEFORE = _add(
    "gauge", "drill_remind_before_seconds", "terminal playbook",
    "How long before it is due a drill is asked for. Exported by the centre only.",
)  # fmt: skip

# What the router says (SNMP), measured by whoever polls it
ROUTER_INFO = _add(
    "gauge", "router_info", "terminal profile model firmware", "The router by its own word; always 1."
)  # fmt: skip
ROUTER_UP = _add(
    "gauge", "router_up", "terminal",
    "1 if the last poll of the router was answered, 0 if it was not; absent before the first.",
)  # fmt: skip
ROUTER_FAILURE = _add(
    "gauge", "router_failure", "terminal reason",
    "1 for why the router cannot be read (a closed set: timeout, refused, unreachable, unknown_user, wrong_auth, "
    "wrong_privacy, unsupported_level, not_in_time, unknown_engine, no_access, bad_reply, error_status, secret); no "
    "series while it can.",
)  # fmt: skip
ROUTER_LAST_POLL = _add(
    "gauge", "router_last_success_timestamp_seconds", "terminal", "When the router last answered a whole poll."
)
ROUTER_BOOT = _add(
    "gauge", "router_boot_timestamp_seconds", "terminal",
    "When the router started, by its own uptime; kept while it does not answer.",
)  # fmt: skip
ROUTER_CLAIM_DELAY = _add(
    "gauge", "router_claim_delay_seconds", "terminal",
    "How far the claimed path may be behind: the time between two polls, and what the router's own agent remembers of "
    "its routes (net-snmp: 60 s unless told otherwise). A disagreement that is no longer than this means nothing.",
)  # fmt: skip
ROUTER_REQUESTS = _add("counter", "router_requests_total", "terminal", "SNMP requests sent, retries among them.")
ROUTER_RETRIES = _add("counter", "router_retries_total", "terminal", "SNMP requests sent again for want of an answer.")
ROUTER_TRAPS = _add(
    "counter", "router_traps_total", "terminal result",
    "Traps from the router's address: accepted (its secrets were right, so it was asked at once) or refused.",
)  # fmt: skip
ROUTER_SETTING = _add(
    "gauge", "router_setting", "terminal setting value",
    "Something configured on the router that can be read: whether an interface is switched on, its checks; always 1.",
)  # fmt: skip
ROUTER_SETTING_EXPECTED = _add(
    "gauge", "router_setting_expected", "terminal setting value",
    "What router_setting should be: by the inventory, else as it was when the router was first read; always 1.",
)  # fmt: skip
INTERFACE_UP = _add(
    "gauge", "router_interface_up", "terminal interface uplink",
    "1 if the router says that the interface works, 0 if not; absent where it does not know. uplink is empty where the "
    "inventory does not say whose it is.",
)  # fmt: skip
INTERFACE_RECEIVED = _add(
    "counter", "router_interface_receive_bytes_total", "terminal interface uplink",
    "Bytes that the router counted in; 64 bits where it has them, wraps of 32 bits added up.",
)  # fmt: skip
INTERFACE_TRANSMITTED = _add(
    "counter", "router_interface_transmit_bytes_total", "terminal interface uplink",
    "Bytes that the router counted out; 64 bits where it has them, wraps of 32 bits added up.",
)  # fmt: skip
WAN_UP = _add(
    "gauge", "router_wan_up", "terminal wan uplink",
    "1 if the router's own check says that this WAN works, 0 if it does not; absent where it does not know.",
)  # fmt: skip
WAN_INFO = _add(
    "gauge", "router_wan_info", "terminal wan uplink state", "A WAN of the router and its state in its word; always 1."
)
WAN_LATENCY = _add(
    "gauge", "router_wan_latency_seconds", "terminal wan uplink", "Round-trip time by the router's own check."
)
WAN_JITTER = _add(
    "gauge", "router_wan_jitter_seconds", "terminal wan uplink", "Variation of it, by the router's own check."
)
WAN_LOSS = _add("gauge", "router_wan_loss_ratio", "terminal wan uplink", "Loss by the router's own check.")
MODEM_INFO = _add(
    "gauge", "modem_info", "terminal modem uplink operator plmn technology band",
    "A cellular modem of the router and its network now; always 1.",
)  # fmt: skip
MODEM_RSRP = _add("gauge", "modem_rsrp_dbm", "terminal modem uplink", "Power of the reference signal (LTE, 5G).")
MODEM_RSRQ = _add("gauge", "modem_rsrq_db", "terminal modem uplink", "Quality of the reference signal (LTE, 5G).")
MODEM_SINR = _add(
    "gauge", "modem_sinr_db", "terminal modem uplink",
    "Signal to interference and noise; signal to noise where the router tells that only.",
)  # fmt: skip
MODEM_RSSI = _add("gauge", "modem_rssi_dbm", "terminal modem uplink", "Power of all that is received.")
MODEM_TEMPERATURE = _add("gauge", "modem_temperature_celsius", "terminal modem uplink", "Temperature of the modem.")
MODEM_SUSPECT = _add(
    "gauge", "modem_value_suspect", "terminal modem uplink value",
    "1 if this value (rsrp, rsrq, sinr, rssi) is outside what physics allows: it is shown as the router says it, and "
    "is not to be believed. 0 if it may be true.",
)  # fmt: skip
MODEM_REGISTERED = _add(
    "gauge", "modem_registered", "terminal modem uplink", "1 if the modem is registered in a network, 0 if not."
)
MODEM_ROAMING = _add(
    "gauge", "modem_roaming", "terminal modem uplink", "1 if that network is not its home, 0 if it is."
)
MODEM_CONNECTED = _add("gauge", "modem_connected", "terminal modem uplink", "1 if the modem has a data session.")
MODEM_RECEIVED = _add(
    "counter", "modem_receive_bytes_total", "terminal modem uplink", "Bytes in by the modem's own count."
)
MODEM_TRANSMITTED = _add(
    "counter", "modem_transmit_bytes_total", "terminal modem uplink", "Bytes out by the modem's own count."
)
MODEM_SIM_READY = _add(
    "gauge", "modem_sim_ready", "terminal modem uplink", "1 if the SIM is there and unlocked, 0 if it is not."
)

# Tablets, as of the last complete collection of their MDM
DEVICE_CHECKIN = _add(
    "gauge", "device_last_checkin_timestamp_seconds", "account device",
    "When the device itself last spoke to its MDM; absent for one that never did. device is the roster's name of it.",
)  # fmt: skip
DEVICE_INFO = _add(
    "gauge", "device_info", "account device group truck terminal os os_version",
    "A tablet that the MDM lists, with what may change about it; always 1.",
)  # fmt: skip
DEVICE_STATE = _add(
    "gauge", "device_state", "account device group state",
    "1 for the state of the device: fresh, stale, dark, never, gone_from_mdm, expected_silent, unknown.",
)  # fmt: skip
DEVICE_COMPLIANT = _add(
    "gauge", "device_compliant", "account device",
    "1 if the MDM calls the device compliant, 0 if not; absent if it does not know or no policy is assigned.",
)  # fmt: skip
DEVICE_ACTION_PENDING = _add(
    "gauge", "device_action_pending_timestamp_seconds", "account device action",
    "Since when a remote action (wipe, retire, lock, other) waits to be carried out. Of a wipe it stays when the "
    "device leaves the MDM meanwhile: it may be done, or forgotten.",
)  # fmt: skip
DEVICE_ACTION_FAILED = _add(
    "gauge", "device_action_failed", "account device action", "1 if the remote action failed, 0 while it waits."
)
WIPE_CHECKIN = _add(
    "gauge", "wipe_last_checkin_timestamp_seconds", "account device",
    "When a device whose wipe waits or failed last spoke. Read each minute while it waits, where the platform lets one "
    "device be read alone; device_last_checkin is as of the last whole collection.",
)  # fmt: skip
DEVICES = _add("gauge", "devices", "account group state", "How many devices of the group are in this state.")
DEVICES_OLDER = _add(
    "gauge", "devices_older_than", "account group age_seconds",
    "How many devices last spoke at least so long ago, whether or not they were on duty (cumulative).",
)  # fmt: skip
DEVICES_COMPLIANCE = _add(
    "gauge", "devices_compliance", "account group state",
    "How many devices are compliant, noncompliant, in grace, without a policy (no_policy), unknown.",
)  # fmt: skip
DEVICES_BELOW = _add(
    "gauge", "devices_below_standard", "account group standard",
    "How many devices are below the least version of the system (os), lack an app or its version (app), have no policy "
    "assigned (policy) or an app that nobody approved (unapproved).",
)  # fmt: skip
DEVICES_NEVER_LATE = _add(
    "gauge",
    "devices_never_checked_in",
    "account group",
    "How many devices were enrolled three days ago and never spoke.",
)
DEVICES_DUPLICATE = _add(
    "gauge",
    "devices_duplicate",
    "account",
    "Older records of devices that were enrolled again; they count nowhere else.",
)
DEVICES_FUTURE = _add(
    "gauge",
    "devices_in_future",
    "account",
    "Devices whose last word lies in the future: the platform's clock is wrong.",
)
DEVICES_AS_OF = _add(
    "gauge", "devices_as_of_timestamp_seconds", "account",
    "The instant that the list of devices stands for and is judged by; absent where that is when it was read.",
)  # fmt: skip
DEVICES_NOT_SHOWN = _add(
    "gauge", "devices_not_shown", "account", "Devices in no trouble that are counted only, because of series_limit."
)
DEVICE_STALE_AFTER = _add(
    "gauge",
    "device_stale_after_seconds",
    "account group",
    "Silence on duty after which a device of the group is stale.",
)
DEVICE_STALE_BEFORE = _add(
    "gauge", "device_stale_before_timestamp_seconds", "account group",
    "A device of the group that is silent since then, or longer, was so for device_stale_after_seconds of duty as of "
    "the collection.",
)  # fmt: skip
TRUCK_MOVED_FOR = _add(
    "gauge", "truck_moved_for_seconds", "account",
    "From its first to its last movement: a truck that moved for less since its tablet last spoke did not set out.",
)  # fmt: skip
TRUCK_DARK_AFTER = _add(
    "gauge", "truck_dark_after_seconds", "account",
    "How long a working truck and its tablet may both be silent, where telematics tells of the truck.",
)  # fmt: skip
WIPE_WITHIN = _add(
    "gauge", "device_wipe_within_seconds", "account", "How long a wipe may wait to be carried out before it pages."
)
ROSTER_TABLET = _add(
    "gauge", "roster_tablet_info", "device truck",
    "A tablet of the roster, and whose it is; always 1. Its absence means: removed, or the truck is retired.",
)  # fmt: skip
DEVICES_SILENT_SHARE = _add(
    "gauge", "devices_silent_share_limit", "account group", "The share of a group that may be stale or dark at a time."
)
DUTY_SINCE = _add(
    "gauge", "duty_since_timestamp_seconds", "account group",
    "When the hours of duty of the group began that are open now; absent while nobody is on duty.",
)  # fmt: skip
ROSTER_MISMATCH = _add(
    "gauge", "roster_mismatches", "account kind",
    "Tablets that only the MDM knows (kind mdm_only), and working ones of the roster that it never had (roster_only).",
)  # fmt: skip
CREDENTIALS_END = _add(
    "gauge", "credentials_end_timestamp_seconds", "account credential",
    "When a credential of the account ends, where the platform tells.",
)  # fmt: skip
UNASSIGNED_COMPLIANT = _add(
    "gauge", "mdm_unassigned_is_compliant", "account",
    "1 if the tenant is set so that devices without a policy count as compliant; absent where it cannot be read.",
)  # fmt: skip

# What connectivity platforms say (cellular). A SIM is its name in the roster, never its number. Where a metric is of
# SIMs and pools, the label of the other one is empty.
SIM_INFO = _add(
    "gauge", "sim_info", "account sim pool carrier truck terminal uplink",
    "A SIM, its pool, its carrier, and where it belongs: a truck and its home, or an uplink of a terminal; always 1.",
)  # fmt: skip
SIM_USAGE = _add(
    "gauge", "sim_usage_bytes", "account sim",
    "What the SIM used in its open cycle, as of usage_as_of_timestamp_seconds; absent while nothing is known of it.",
)  # fmt: skip
POOL_USAGE = _add(
    "gauge", "pool_usage_bytes", "account pool",
    "What the pool has used in its open cycle: the platform's total, or the sum of the SIMs that could be read.",
)  # fmt: skip
POOL_KNOWN_USAGE = _add(
    "gauge", "pool_known_usage_bytes", "account pool",
    "The same with what was known in this cycle of SIMs that cannot be read now: at least so much was used.",
)  # fmt: skip
POOL_BIGGEST = _add(
    "gauge", "pool_biggest_usage_bytes", "account pool sim",
    "What the SIMs used that used most of a pool, in the pool's cycle; those that have a name.",
)  # fmt: skip
SIM_CAP = _add("gauge", "sim_cap_bytes", "account sim", "What the SIM may use in a cycle; absent where nobody says.")
POOL_CAP = _add("gauge", "pool_cap_bytes", "account pool", "What the pool may use in a cycle, by the inventory.")
PLAN_AFTER = _add(
    "gauge", "plan_after_info", "account pool sim after",
    "What happens when the cap is reached: stop, throttle or overage; always 1, absent where nobody says.",
)  # fmt: skip
POOL_SIMS = _add("gauge", "pool_sims", "account pool", "SIMs of a pool that is added up from them.")
POOL_SIMS_COUNTED = _add(
    "gauge", "pool_sims_counted", "account pool", "How many of pool_sims are in the sum; the others could not be read."
)
USAGE_LAST_CYCLE = _add(
    "gauge", "usage_last_cycle_bytes", "account pool sim", "What was used in the cycle before, as last said."
)
USAGE_SINCE = _add(
    "gauge", "usage_counted_since_timestamp_seconds", "account pool sim",
    "From when on use was counted, if that is later than the start of the cycle: the total is a part of it.",
)  # fmt: skip
USAGE_AS_OF = _add(
    "gauge", "usage_as_of_timestamp_seconds", "account pool sim",
    "Until when the vendor's figures count; without pool and sim, the newest of the account.",
)  # fmt: skip
USAGE_LATE_AFTER = _add(
    "gauge", "usage_late_after_seconds", "account",
    "How old the newest figures of the account may be: as the inventory says, or from how late they usually are.",
)  # fmt: skip
CYCLE_START = _add(
    "gauge", "cycle_start_timestamp_seconds", "account pool sim", "When the open cycle began; absent while not known."
)
CYCLE_END = _add(
    "gauge", "cycle_end_timestamp_seconds", "account pool sim",
    "When the open cycle ends; absent while not known, and for plans that have none.",
)  # fmt: skip
USAGE_PROJECTED = _add(
    "gauge", "usage_projected_bytes", "account pool sim probability",
    "Use at the end of the cycle that is not exceeded with this probability: 0.1, 0.5, 0.9. Absent without three days.",
)  # fmt: skip
CAP_EXHAUSTION = _add(
    "gauge", "cap_exhaustion_timestamp_seconds", "account pool sim",
    "When the cap will be reached with probability 0.5; absent if not before the cycle ends.",
)  # fmt: skip
PLAN_EXPIRY = _add("gauge", "plan_expiry_timestamp_seconds", "account sim", "When the SIM's plan expires.")
SIM_STATE = _add(
    "gauge", "sim_state", "account sim state",
    "1 for the state by the platform's word: active, inactive, suspended, blocked, terminated, unknown.",
)  # fmt: skip
SIM_IN_SESSION = _add(
    "gauge", "sim_in_session", "account sim", "1 if the platform sees a data session; absent where it cannot tell."
)
SIM_ROAMING = _add("gauge", "sim_roaming", "account sim", "1 if the platform says that the SIM roams.")
SIM_THROTTLED = _add("gauge", "sim_throttled", "account sim", "1 if the platform says that the SIM is throttled.")
SIM_THROTTLE_SPEED = _add(
    "gauge", "sim_throttle_speed_bytes_per_second", "account sim", "What is left of the speed once the plan throttles."
)
SIM_DAY = _add("gauge", "sim_largest_day_bytes", "account sim", "The larger of the SIM's last two days.")
SIM_RUNAWAY_ABOVE = _add(
    "gauge", "sim_runaway_above_bytes", "account sim",
    "From where on a day of this SIM is unusual: a multiple of its own middle day with use, and a least amount.",
)  # fmt: skip
SIM_LAST_USE = _add("gauge", "sim_last_use_timestamp_seconds", "account sim", "Until when the SIM was seen to be used.")
SIM_SILENT_AFTER = _add(
    "gauge", "sim_silent_after_seconds", "account", "How long a SIM may be silent while its truck moves."
)
SIM_SUSPENDED_USE = _add(
    "gauge", "sim_used_while_suspended_bytes", "account sim", "What a suspended SIM used since; absent if it is not."
)
SIM_DEVICE_CHANGED = _add(
    "gauge", "sim_device_changed_timestamp_seconds", "account sim", "When the SIM was first seen in another device."
)
SIM_SETTLED = _add(
    "gauge", "sim_settled_bytes", "account sim source",
    "Use of seven whole days that ended three days ago, by the router's or the carrier's count: both have told it all.",
)  # fmt: skip
USAGE_DRIFT = _add(
    "gauge", "usage_drift_limit_ratio", "account", "How far router and carrier may count apart, of the carrier's count."
)
SIMS = _add("gauge", "sims", "account state", "SIMs of the roster by state, by the platform's word.")
SIMS_WITH_CAP = _add("gauge", "sims_with_cap", "account", "SIMs of which is known what they may use.")
SIMS_NOT_SHOWN = _add(
    "gauge", "sims_not_shown", "account", "SIMs in no trouble that are counted only, because of series_limit."
)
SIMS_UNLISTED = _add("gauge", "sims_unlisted", "account", "SIMs that the platform has and the list of names has not.")
ROSTER_SIMS = _add("gauge", "roster_sims", "", "SIMs that the roster has in trucks that are not retired.")
ROSTER_SIMS_LISTED = _add(
    "gauge", "roster_sims_listed", "account",
    "Those of roster_sims that the platform has; what is left of the sum over all accounts is at no carrier.",
)  # fmt: skip
CARRIER_SIMS = _add(
    "gauge", "carrier_sims", "account carrier terminal", "Trucks' SIMs of this carrier and home whose session is told."
)
CARRIER_IN_SESSION = _add("gauge", "carrier_sims_in_session", "account carrier terminal", "Those in session now.")
CARRIER_EXPECTED = _add(
    "gauge", "carrier_sims_in_session_usual", "account carrier terminal", "Those usually in session at this hour."
)
CARRIER_LEAST = _add(
    "gauge", "carrier_sims_in_session_least", "account carrier terminal", "Fewer in session than this are no chance."
)
STANDBY_LEFT = _add(
    "gauge", "standby_left_bytes", "terminal uplink", "What the plan of this standby's SIM has left in its cycle."
)
TERMINAL_LOAD = _add(
    "gauge", "terminal_usual_load_bytes_per_second", "terminal", "What the yard uses at work, by the inventory."
)
HEADROOM_WITHIN = _add(
    "gauge", "standby_headroom_least_seconds", "terminal",
    "A standby whose plan lasts less long than this under the yard's usual load is not ready for the night.",
)  # fmt: skip
UNSTAFFED_UNTIL = _add(
    "gauge", "terminal_unstaffed_until_timestamp_seconds", "terminal",
    "When somebody is at work there again, by the calendar staffed; absent while somebody is.",
)  # fmt: skip

# What vendors call us with
WEBHOOK_INFO = _add(
    "gauge", "webhook_info", "account webhook feed expected shows",
    "A webhook of the inventory, the feed that tells whether there is something to call about, when calls are expected "
    "(always, or a calendar), and what people call it; always 1.",
)  # fmt: skip
WEBHOOK_SILENT_AFTER = _add(
    "gauge", "webhook_silent_after_seconds", "account webhook", "How long no call may come while some are expected."
)
WEBHOOK_EXPECTED_SINCE = _add(
    "gauge", "webhook_expected_since_timestamp_seconds", "account webhook",
    "Since when calls are expected by the calendar, 0 for at all hours; absent while they are not.",
)  # fmt: skip
WEBHOOK_LISTENING_SINCE = _add(
    "gauge", "webhook_listening_since_timestamp_seconds", "account webhook",
    "Since when this process would hear a call; what came before, nobody heard.",
)  # fmt: skip
WEBHOOK_LAST = _add(
    "gauge", "webhook_last_received_timestamp_seconds", "account webhook",
    "When the last call came that was signed rightly and had not come before; absent until there was one.",
)  # fmt: skip
WEBHOOK_RECEIVED = _add(
    "counter", "webhook_received_total", "account webhook",
    "Calls signed rightly, the repeated ones included. Whatever was answered with 200 is counted on disk before that.",
)  # fmt: skip
WEBHOOK_DUPLICATES = _add(
    "counter", "webhook_duplicates_total", "account webhook",
    "Of these, how many had come before, among the last 100 000 since this process began.",
)  # fmt: skip
WEBHOOK_REFUSED = _add(
    "counter", "webhook_refused_total", "account webhook reason",
    "Calls that were refused: signature (not signed with a secret of ours), timestamp (signed too long ago), "
    "too_large, rate, encoding, timeout (came too slowly), secret (ours cannot be read).",
)  # fmt: skip
WEBHOOK_MISSING = _add(
    "gauge", "webhook_missing_calls", "account webhook",
    "Numbers that were skipped and have not come since, where the vendor numbers its calls.",
)  # fmt: skip

# What feeds tell. Instants are the records' own; how a feed is asked for is in poll_*{poll="feeds/..."}.
FEED_INFO = _add(
    "gauge", "feed_info", "account feed platform expected shows while_old",
    "A feed, when its records are expected (always, when_moving, on_change, or a calendar), what people call it, and "
    "what they should do while it is old; always 1.",
)  # fmt: skip
FEED_NEWEST = _add(
    "gauge", "feed_newest_record_timestamp_seconds", "account feed",
    "When the newest record happened. Of a feed that answers with all there is, the newest of the last answer, which "
    "may be older than one before. Records that lie in the future do not count.",
)  # fmt: skip
FEED_RECEIVED = _add(
    "gauge", "feed_newest_received_timestamp_seconds", "account feed",
    "When the vendor received the newest of its records, where it tells.",
)  # fmt: skip
FEED_MAX_AGE = _add(
    "gauge", "feed_max_age_seconds", "account feed",
    "How old the newest record may be while records are expected; absent for what only changes now and then.",
)  # fmt: skip
FEED_EXPECTED_SINCE = _add(
    "gauge", "feed_expected_since_timestamp_seconds", "account feed",
    "Since when records are expected by the calendar, 0 for at all hours; absent while they are not, and where "
    "movement decides.",
)  # fmt: skip
FEED_MOVEMENT = _add(
    "gauge", "feed_movement_timestamp_seconds", "account feed",
    "When enough trucks last moved at a time, as the records of this feed tell.",
)  # fmt: skip
FEED_MOVEMENT_SINCE = _add(
    "gauge", "feed_movement_since_timestamp_seconds", "account feed",
    "When the movement began that feed_movement_timestamp_seconds is the end of, so far.",
)  # fmt: skip
FEED_MOVING_WITHIN = _add(
    "gauge", "feed_moving_within_seconds", "account feed", "How long after the last movement trucks count as moving."
)
FEED_UNCHANGED_SINCE = _add(
    "gauge", "feed_unchanged_since_timestamp_seconds", "account feed",
    "Since when not one record has said anything else than the one before, although their times move.",
)  # fmt: skip
FEED_FROZEN_AFTER = _add(
    "gauge", "feed_frozen_after_seconds", "account feed",
    "How long content may stay the same under times that move, while trucks move.",
)  # fmt: skip
FEED_RECORDS = _add(
    "gauge", "feed_records", "account feed state",
    "Records of the last answer: new, known from an answer before, in the future (of a clock that is wrong), or "
    "without a time (undated).",
)  # fmt: skip
FEED_TRUCKS = _add("gauge", "feed_trucks", "account feed", "Trucks of which the feed has told within a week.")
FEED_TRUCKS_OLDER = _add(
    "gauge", "feed_trucks_older_than", "account feed age_seconds",
    "How many of these were last told of at least so long ago (cumulative).",
)  # fmt: skip
FEED_ANOMALY = _add(
    "gauge", "feed_anomaly", "account feed kind",
    "1 if the last answers are odd beside those before: empty, cursor_stuck, backwards, future, vanished (ids), volume "
    "(far fewer records than at this hour of other weeks), repeated (nothing in it is new); 0 if not.",
)  # fmt: skip
FEED_VIOLATIONS = _add(
    "gauge", "feed_contract_violations", "account feed kind field",
    "Records whose field is not as described or as it was: missing, renamed, moved, type, enum, unit, time_unit, "
    "nulls; new_field breaks nothing.",
)  # fmt: skip
FEED_LIMIT = _add(
    "gauge", "feed_rate_limit_requests", "account feed", "Requests that the vendor allows for a time, where it says."
)
FEED_LIMIT_LEFT = _add(
    "gauge", "feed_rate_limit_remaining_requests", "account feed",
    "What was left of them after the last answer; absent where the vendor does not say.",
)  # fmt: skip
FEED_TLS_END = _add(
    "gauge", "feed_tls_end_timestamp_seconds", "account feed",
    "When the certificate ends that the vendor showed; theirs to renew, and nothing can be read once it has ended.",
)  # fmt: skip
FLOW_INFO = _add(
    "gauge", "flow_info", "flow source sink shows page",
    "A flow: which feed tells first, which one takes it over, what people call it, and where its page is (empty if "
    "the inventory links neither to the centre nor to runbooks there); always 1.",
)  # fmt: skip
FLOW_MAX_LAG = _add("gauge", "flow_max_lag_seconds", "flow", "How far the sink may be behind the source.")
FLOW_ALLOWED = _add(
    "gauge", "flow_ids_allowed", "flow kind",
    "How many trucks (or ids) may differ (kind mismatches) or be on one side only (kind missing).",
)  # fmt: skip
FLOW_LAG = _add(
    "gauge", "flow_lag_seconds", "flow",
    "Between two records of the source: the newest, and the first of which the sink has nothing yet; 0 if it is up to "
    "date. As of the last complete collections of both, so it stays as it is while one cannot be read.",
)  # fmt: skip
FLOW_COMPARED = _add(
    "gauge", "flow_compared", "flow",
    "Trucks (or ids) whose values could be compared: both tell one, and the source was watched when the sink's is of.",
)  # fmt: skip
FLOW_MISMATCHES = _add("gauge", "flow_mismatches", "flow", "Of these, how many differ by more than the tolerance.")
FLOW_MISSING = _add(
    "gauge", "flow_missing_ids", "flow side",
    "Trucks (or ids) of the other side that this side (source or sink) has not had for longer than the allowed lag.",
)  # fmt: skip
FLOW_DAY = _add(
    "gauge", "flow_day_timestamp_seconds", "flow",
    "Where the last local day begins whose counts have settled: it ended longer ago than the sink may be behind.",
)  # fmt: skip
FLOW_DAY_RECORDS = _add(
    "gauge", "flow_day_records", "flow side",
    "Trucks (or ids) of which that side told a record on that day, each counted once; absent where the day was not "
    "watched from end to end or an answer holds less than a day.",
)  # fmt: skip
FLOW_DAY_ALLOWED = _add(
    "gauge", "flow_day_allowed_ratio", "flow",
    "By what share of the larger one the two counts of a day may differ; absent where they are not compared.",
)  # fmt: skip
HOS_SETTLE = _add(
    "gauge", "hos_settle_seconds", "", "How long ago a movement must be before it is held against drivers' logs."
)
HOS_ALLOWED = _add(
    "gauge", "hos_mismatches_allowed", "", "How many driver-days may be open on which log and GPS do not match."
)
HOS_UNASSIGNED_ALLOWED = _add(
    "gauge", "hos_unassigned_allowed_seconds", "",
    "For how long a truck may move in seven days with nobody logged in to its ELD.",
)  # fmt: skip
HOS_JUDGED = _add(
    "gauge", "hos_judged_timestamp_seconds", "",
    "Movements that ended until then were held against drivers' logs, as far as these are known.",
)  # fmt: skip
HOS_CASES = _add(
    "gauge", "hos_cases", "kind state",
    "Driver-days on which a truck moved while the log says off duty or asleep (kind mismatch), and truck-days on which "
    "it moved with nobody logged in (unassigned): open, explained by somebody, or fixed in the log.",
)  # fmt: skip
HOS_UNASSIGNED = _add(
    "gauge", "hos_unassigned_seconds", "of",
    "For how long trucks moved with nobody logged in, in the last seven days that were judged, without what somebody "
    "explained: all of the fleet together (of fleet), or the one truck that did for longest (of truck).",
)  # fmt: skip
ELD_MALFUNCTIONS = _add(
    "gauge", "eld_malfunctions", "account feed", "Trucks whose ELD does not work, as the records of this feed tell."
)
ELD_MALFUNCTION_SINCE = _add(
    "gauge", "eld_malfunction_since_timestamp_seconds", "account feed",
    "Since when the one of these does not that was told first.",
)  # fmt: skip
ELD_REPAIR_WITHIN = _add(
    "gauge", "eld_repair_within_seconds", "account feed",
    "Within which time an ELD that does not work must be repaired or replaced (49 CFR 395.34(d)).",
)  # fmt: skip
ELD_REVOKED = _add(
    "gauge", "eld_revoked_trucks", "model",
    "Trucks of the roster with this ELD model, which is on the user's list of those that FMCSA revoked.",
)  # fmt: skip
ELD_REPLACE_BY = _add(
    "gauge", "eld_replace_by_timestamp_seconds", "model",
    "When the 60 days are over in which a revoked model must be replaced; a truck has no ELD from then on.",
)  # fmt: skip
TAX_RECORD_GAPS = _add(
    "gauge", "feed_tax_record_gaps", "account feed rule",
    "Times in the last day that a truck told no position for longer than a rule allows while its engine ran: ifta "
    "(10 minutes) or irp (15), as far as that was seen.",
)  # fmt: skip
FEED_API_INFO = _add(
    "gauge", "feed_api_info", "account feed version", "The version of the API that answered, as it says; always 1."
)
FEED_API_DEPRECATED = _add(
    "gauge", "feed_api_deprecated_timestamp_seconds", "account feed",
    "From when on nobody should ask this API any more, by its Deprecation header (RFC 9745), where it has a date.",
)  # fmt: skip
FEED_API_SUNSET = _add(
    "gauge", "feed_api_sunset_timestamp_seconds", "account feed",
    "When this API will be gone, by its Sunset header (RFC 8594).",
)  # fmt: skip
PLATFORM_STATUS = _add(
    "gauge", "platform_status", "account feed platform component state",
    "1 for the state of a part of the platform by its own status page: operational, degraded, partial_outage, "
    "major_outage, maintenance, unknown. feed is the page that was read, platform the one that it is about.",
)  # fmt: skip
FEED_API_ENDING_WARNING = _add(
    "gauge", "feed_api_ending_warning_seconds", "account feed",
    "How long before its API will be gone that is told about.",
)  # fmt: skip
FEED_TLS_WARNING = _add(
    "gauge", "feed_tls_warning_seconds", "account feed",
    "How long before the vendor's certificate ends that is told about.",
)  # fmt: skip
FEED_LIMIT_LEAST = _add(
    "gauge", "feed_rate_limit_least_ratio", "account feed",
    "Share of the vendor's limit of requests that should be left after an answer.",
)  # fmt: skip
TRUCK_MOVED = _add(
    "gauge", "truck_last_moved_timestamp_seconds", "account feed truck",
    "When this feed last saw a truck of the roster move.",
)  # fmt: skip
TRUCK_TOLD = _add(
    "gauge", "truck_last_record_timestamp_seconds", "account feed truck",
    "When this feed last had a record of a truck of the roster.",
)  # fmt: skip

# Archives of records
ARCHIVE_INFO = _add(
    "gauge", "archive_info", "archive rule citation coverage stage",
    "An archive of the inventory: which rule holds for it and where that stands, what nothing may be missing of.",
)  # fmt: skip
ARCHIVE_PULLED = _add(
    "gauge", "archive_pulled_until_timestamp_seconds", "archive",
    "Until when everything was pulled from its feed: the end of the last day before which none is left out.",
)  # fmt: skip
ARCHIVE_REQUIRED = _add("gauge", "archive_required_seconds", "archive", "How far back records have to be there.")
ARCHIVE_LISTED = _add(
    "gauge", "archive_listed_timestamp_seconds", "archive",
    "When the last listing of the whole archive ended; what is said about files stands as of then.",
)  # fmt: skip
ARCHIVE_FILES = _add("gauge", "archive_files", "archive", "Files in the archive that the pattern of their names fits.")
ARCHIVE_BYTES = _add("gauge", "archive_size_bytes", "archive", "How much these files are.")
ARCHIVE_NEWEST = _add("gauge", "archive_newest_timestamp_seconds", "archive", "The day of the newest record.")
ARCHIVE_OLDEST = _add("gauge", "archive_oldest_timestamp_seconds", "archive", "The day of the oldest record.")
ARCHIVE_NEW_DUE = _add(
    "gauge", "archive_new_due_timestamp_seconds", "archive",
    "By when a new file is expected: the close of the last open day that may pass without one.",
)  # fmt: skip
ARCHIVE_UNREAD = _add("gauge", "archive_unread_files", "archive", "Files that are listed and were never read.")
ARCHIVE_LONGEST_UNREAD = _add(
    "gauge", "archive_longest_unread_timestamp_seconds", "archive",
    "When the file whose reading is longest ago was read; all files are read again in turn.",
)  # fmt: skip
ARCHIVE_GAPS = _add(
    "gauge", "archive_gaps", "archive",
    "Records that are missing inside the required window: driver-days, vehicle-days or vehicles; absent while none is "
    "known to be missing and not all is known.",
)  # fmt: skip
ARCHIVE_DATES_UNKNOWN = _add(
    "gauge", "archive_dates_not_known", "archive",
    "Days of the required window of which nobody told who moved; whether records of them are missing is not known.",
)  # fmt: skip
ARCHIVE_CORRUPT = _add(
    "gauge", "archive_corrupt_files", "archive kind",
    "Files whose content is not what was kept: changed (by somebody), damaged (by the disk), empty, encoding, "
    "invalid, identity (another driver's or vehicle's), manifest.",
)  # fmt: skip
ARCHIVE_UNREADABLE = _add(
    "gauge", "archive_unreadable_files", "archive kind",
    "Files that are listed and cannot be read: unreadable, not_served (by a store), too_large, changing.",
)  # fmt: skip
ARCHIVE_UNPLACED = _add(
    "gauge", "archive_unplaced_files", "archive kind",
    "What the listing meets and cannot place; it covers nothing: link, name, no_file, unmatched, clash; folder (that "
    "cannot be listed), too_many (files in a folder), manifest (that cannot be read).",
)  # fmt: skip
ARCHIVE_DELETED = _add(
    "gauge", "archive_deleted_early_files", "archive", "Files that are gone though their rule or a hold keeps them."
)
ARCHIVE_HELD = _add(
    "gauge", "archive_held_files", "archive", "Files that are past their rule and kept because of a legal hold."
)
ARCHIVE_COPY_LACKS = _add(
    "gauge", "archive_second_copy_missing_files", "archive",
    "Files that the second copy lacks, does not give or has with another content, of those that had time to get there.",
)  # fmt: skip
ARCHIVE_COPY_LACKS_DAYS = _add(
    "gauge", "archive_second_copy_missing_dates", "archive", "The same, counted in days of a driver or a vehicle."
)
ARCHIVE_COPY_UNREAD = _add(
    "gauge", "archive_second_copy_unread_files", "archive",
    "Files of the second copy that were never read; whether their content is right is not known.",
)  # fmt: skip
ARCHIVE_COPY_ANSWERS = _add(
    "gauge", "archive_second_copy_answers", "archive", "1 if the last check could list the second copy, 0 if not."
)
ARCHIVE_COPY_APART = _add(
    "gauge", "archive_second_copy_apart", "archive",
    "1 if the second copy lies on another device than the first, where the rule asks for that.",
)  # fmt: skip
ARCHIVE_FREE = _add("gauge", "archive_free_bytes", "archive", "What is free where the archive lies.")
ARCHIVE_FREE_LEAST = _add("gauge", "archive_free_least_bytes", "archive", "Less than this may not be free there.")
ARCHIVE_TESTED = _add(
    "gauge", "archive_last_retrieval_test_timestamp_seconds", "archive",
    "When records were last retrieved from it, with nothing missing.",
)  # fmt: skip
ARCHIVE_TEST_DUE = _add(
    "gauge", "archive_retrieval_test_due_timestamp_seconds", "archive", "By when that has to be done again."
)
ARCHIVE_TESTERS = _add(
    "gauge", "archive_retrieval_testers", "archive", "By how many people the last two were done; 1 is one too few."
)
BACKUP_BYTES = _add("gauge", "backup_newest_bytes", "archive", "How large the newest back-up is.")
BACKUP_USUAL = _add("gauge", "backup_usual_bytes", "archive", "The middle of those before it.")
BACKUP_LEAST = _add("gauge", "backup_least_bytes", "archive", "A smaller one than this is suspicious.")
BACKUP_MOST = _add("gauge", "backup_most_bytes", "archive", "A larger one than this is suspicious.")

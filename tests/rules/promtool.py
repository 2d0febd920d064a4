"""Scenarios as files for promtool, as they stand in alert_rules/tests/. `python -m tests.rules` rewrites them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.rules.archives import ARCHIVES
from tests.rules.cellular import CELLULAR
from tests.rules.feeds import FEEDS
from tests.rules.flows import FLOWS
from tests.rules.hours import HOURS
from tests.rules.pair import PAIR
from tests.rules.scenarios import SCENARIOS, Scenario
from tests.rules.tablets import TABLETS
from tests.rules.told_before import TOLD_BEFORE
from tests.rules.verdicts import BLAMED, USUALLY, VERDICTS
from tests.rules.webhooks import WEBHOOKS
from tests.rules.yard import Host, Labels, Yard, line, series

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "alert_rules").glob("*.yml"))
TEXTS = Path(__file__).with_name("texts.yml")
FOLDER = ROOT / "alert_rules" / "tests"
QUIET = "T36"
RUNBOOKS = "http://127.0.0.1:10480/runbooks"
GRAFANA = "http://127.0.0.1:3000"
ON_CALL = (
    "TerminalDark", "TerminalAtRisk", "CentreNotReporting", "ServiceUnreachable", "PlatformDown", "StandbyHeadroomLow",
    "RuleEvaluationFailing", "FleetNotReporting",
)  # fmt: skip
GROUPS = (
    "yardlight-outage",
    "yardlight-terminal",
    "yardlight-services",
    "yardlight-standby",
    "yardlight-standby-slow",
    "yardlight-routers",
    "yardlight-routers-slow",
    "yardlight-slow",
    "yardlight-cellular",
    "yardlight-mdm",
    "yardlight-feeds",
    "yardlight-flows",
    "yardlight-webhooks",
    "yardlight-availability",
    "yardlight-records",
    "yardlight-centre",
    "yardlight-drills",
    "yardlight-verdicts",
)
OF_SERVICES = ("ServiceUnreachable", "ServiceSlow", "PlatformDown")
OF_DRILLS = ("DrillDueSoon", "DrillOverdue", "DrillFailed", "DrillStillInProgress")
OF_SIMS = (
    "CapWillBeExceeded", "CapReached", "UsageDataLate", "SimRunaway", "SimSilent", "SimSuspendedUse", "SimThrottled",
    "UsageReconcileDrift", "SimDeviceChanged", "SimRoaming", "PlanExpiring",
)  # fmt: skip
OF_TABLETS = {
    "DevicesSilent": ("account", "group"),
    "DevicesGoneFromMdm": ("account", "group"),
    "DevicesNeverCheckedIn": ("account", "group"),
    "DevicesBelowStandard": ("account", "group"),
    "WipeUnconfirmed": ("account", "device"),
    "TabletSilentWhileMoving": ("truck",),
    "TruckDark": ("truck",),
    "CredentialExpiring": ("account",),
    "RosterMismatch": (),
}
_SCENARIOS = (*SCENARIOS, *CELLULAR, *TABLETS, *FEEDS, *FLOWS, *HOURS, *WEBHOOKS, *ARCHIVES, *TOLD_BEFORE, *PAIR)
OF_FEEDS = {
    "FeedStale": ("dispatch", "account", "feed"),
    "FeedContractBroken": ("dispatch", "account", "feed"),
    "FeedFrozen": ("dispatch", "account", "feed"),
    "FeedEmpty": ("dispatch", "account", "feed"),
    "PlatformOutageDeclared": ("dispatch", "platform"),
    "FeedContractDrifted": ("noc", "account", "feed"),
    "FeedOdd": ("noc", "account", "feed"),
    "FeedApiEnding": ("noc", "account", "feed"),
    "CertificateEnding": ("noc", "account"),
    "RateLimitNear": ("noc", "account"),
    "PlatformOutage": ("noc", "platform"),
    "FlowMismatch": ("noc", "flow"),
    "FlowMissingIds": ("noc", "flow"),
    "FlowDayDiffers": ("noc", "flow"),
    "FlowLagging": ("noc", "flow"),
    "TaxRecordGap": ("compliance", "account", "feed"),
    "WebhookSilent": ("noc", "account", "webhook"),
    "HosGpsMismatch": ("compliance",),
    "UnassignedDriving": ("compliance",),
    "EldMalfunction": ("compliance", "account", "feed"),
    "EldRevoked": ("compliance", "model"),
}
OF_ARCHIVES = (
    "ArchiveUnreadable", "ArchiveStale", "ArchiveGap", "ArchiveCorrupt", "RecordsDeletedEarly",
    "ArchiveSecondCopyDiffers", "RetrievalTestOverdue", "BackupSuspicious", "ArchiveStorageLow",
)  # fmt: skip
_DOMAIN = "yardlight:fault_domain"
# Whose fault something may be, and the label of an alert whose expression brings it along.
DOMAINS = (
    "wan", "isp", "carrier", "dns", "device", "vendor", "credentials", "integration", "probe_box", "unknown",
)  # fmt: skip
JOINED = "{{ $labels.domain }}"
NEW_HOST = "10.10.0.99:10480"


@cache
def rules() -> list[dict[str, Any]]:
    """Every rule of every shipped file, in order."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def names() -> list[str]:
    """The files of alert_rules/tests/ that are made from scenarios."""
    return sorted(f"{scenario.name}.yml" for scenario in _SCENARIOS)


def firing_of(name: str) -> list[Labels]:
    """Labels of all alerts that a scenario expects at any time."""
    (scenario,) = (each for each in _SCENARIOS if each.name == name)
    return [_labels(name, each) for _, _, firing in scenario.expect for each in firing]


@cache
def files() -> dict[str, str]:
    """Every file of alert_rules/tests/ that is made from scenarios, by name."""
    return {f"{scenario.name}.yml": _file(scenario) for scenario in _SCENARIOS}


def _file(scenario: Scenario) -> str:
    order = sorted(GROUPS, key=lambda group: group != scenario.first)
    lines = [
        f"# {scenario.name}: {scenario.title}",
        "# Made from tests/rules/scenarios.py by `python -m tests.rules`; change it there.",
        "rule_files:",
        *(f"  - ../{path.name}" for path in RULES),
        f"evaluation_interval: {scenario.every:g}s",
        f"group_eval_order: [{', '.join(order)}]",
        "tests:",
    ]
    for variant, case in _variants(scenario):
        lines += _case(scenario.name + variant, case, [] if variant else texts().get(scenario.name, []))
    return "\n".join(lines) + "\n"


def judged(file: Path) -> tuple[bool, str]:
    """Whether promtool finds all as this file expects it, and what it said."""
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def _variants(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    yield "", scenario
    twice = replace(scenario.centre, instances=("centre:10480", "centre-2:10480"))
    if scenario.moved == -1:
        yield ", every threshold twice", replace(scenario, centre=twice)
    elif scenario.moved is not None:
        yards = (_moved(scenario.yards[0], scenario.moved), *scenario.yards[1:])
        platform = replace(scenario.platform, moved=scenario.moved) if scenario.platform is not None else None
        case = replace(scenario, yards=yards, centre=twice, platform=platform)
        yield ", exporter moved, every threshold twice", case


def _moved(yard: Yard, at: float) -> Yard:
    return replace(yard, hosts=(Host(runs=((0, at),)), Host(NEW_HOST, ((at, 1e9),), blank=10)))


@cache
def texts() -> dict[str, list[dict[str, Any]]]:
    """Texts word for word, by the scenario in which they are read."""
    read: dict[str, list[dict[str, Any]]] = {}
    for text in yaml.safe_load(TEXTS.read_text(encoding="utf-8")):
        read.setdefault(text["scenario"], []).append(text)
    return read


def _case(name: str, scenario: Scenario, words: list[dict[str, Any]]) -> Iterator[str]:
    yield f"  - name: {name}"
    yield "    interval: 5s"
    yield "    input_series:"
    of_platform = scenario.platform.series(scenario.centre, scenario.end) if scenario.platform is not None else ()
    of_yards = series(scenario.yards, scenario.centre, scenario.end)
    for labels, values in sorted([*of_yards, *of_platform, *scenario.history]):
        yield f"      - {{series: '{labels}', values: '{values}'}}"
    yield "    promql_expr_test:"
    for at, firing in _moments(scenario):
        samples = ", ".join(
            f"{{labels: '{line('ALERTS', _labels(scenario.name, each))}', value: 1}}" for each in sorted(firing)
        )
        yield "      - expr: ALERTS{alertstate='firing', alertname!='Watchdog'}"
        yield f"        eval_time: {at:g}s"
        yield f"        exp_samples: [{samples}]"
        if firing and scenario.name in VERDICTS:
            blamed = ", ".join(
                f"{{labels: '{line(_DOMAIN, _blamed(each))}', value: 1}}" for each in VERDICTS[scenario.name]
            )
            yield f"      - expr: {_DOMAIN} == 1"
            yield f"        eval_time: {at:g}s"
            yield f"        exp_samples: [{blamed}]"
    cases = [*_texts(words), *(_silences(scenario.end) if scenario.name == QUIET else ())]
    if cases:
        yield "    alert_rule_test:"
        yield from cases


def _blamed(verdict: str) -> Labels:
    """Labels of a verdict: "domain terminal/fontana"."""
    domain, subject = verdict.split()
    kind, name = subject.split("/")
    return {"fleet": "inland-haul", "domain": domain, kind: name}


def _moments(scenario: Scenario) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Both ends of every span and up to six moments between them, on the grid of evaluations."""
    for start, end, firing in scenario.expect:
        count = int(min(7, max(1, (end - start) // 30)))
        grid = {
            scenario.every * round((start + (end - start) * step / count) / scenario.every) for step in range(count + 1)
        }
        yield from ((at, firing) for at in sorted(grid))


def _labels(scenario: str, expected: str) -> Labels:
    """Labels of ALERTS for "[drill:]severity AlertName [fleet/]terminal [uplink [target]]", or service or playbook."""
    labels = _identity(expected)
    return {**labels, "domain": _domain(scenario, labels)}


def _domain(scenario: str, labels: Labels) -> str:
    """Whose fault the alert says it is: its rule's own, or the scenario's where that depends on what was seen."""
    (domain,) = {
        rule["labels"]["domain"]
        for rule in alerts()
        if rule["alert"] == labels["alertname"]
        and rule["labels"]["audience"] == labels["audience"]
        and rule["labels"]["severity"] in (labels["severity"], "{{ $labels.severity }}")
        and all((f"$labels.{of} " in str(rule["annotations"])) == (of in labels) for of in ("terminal", "feed"))
    }
    if domain != JOINED:
        return str(domain)
    return BLAMED.get(scenario, {}).get(labels["alertname"]) or USUALLY[labels["alertname"]]


def _identity(expected: str) -> Labels:
    """What the alert is about, and who is told."""
    told, name, *rest = expected.split()
    drill, _, severity = told.rpartition(":")
    if name in OF_SIMS or name == "CarrierDegraded":
        names = ("carrier",) if name == "CarrierDegraded" else ("account", "pool", "sim")
        of = {key: value for key, value in zip(names, rest[0].split("/"), strict=False) if value}
        about = {"alertname": name, "alertstate": "firing", "severity": severity, "audience": "noc"}
        return {**about, "fleet": "inland-haul", **of}
    if name in OF_TABLETS:
        own = dict(zip(OF_TABLETS[name], rest, strict=True))
        audience = "oncall" if severity == "page" else "noc"
        about = {"alertname": name, "alertstate": "firing", "severity": severity, "audience": audience}
        return {**about, "fleet": "inland-haul", **own}
    if name in OF_FEEDS or (name == "ClockSkewed" and severity == "ticket" and len(rest) == 2 and "/" not in rest[0]):
        audience, *names = OF_FEEDS.get(name, ("noc", "account", "feed"))
        about = {"alertname": name, "alertstate": "firing", "severity": severity, "audience": audience}
        of_fleet = {} if name == "PlatformOutage" else {"fleet": "inland-haul"}
        return {**about, **of_fleet, **dict(zip(names, rest, strict=True))}
    if name in OF_ARCHIVES:
        audience = "noc" if name == "ArchiveStorageLow" else "compliance"
        about = {"alertname": name, "alertstate": "firing", "severity": severity, "audience": audience}
        return {**about, "fleet": "inland-haul", **dict(zip(("archive",), rest, strict=False))}
    if name == "NotificationsFailing":
        about = {"alertname": name, "alertstate": "firing", "severity": severity, "audience": "noc"}
        return {**about, "integration": "pagerduty"}
    fleet, _, terminal = rest[0].rpartition("/") if rest else ("", "", "")
    pages = name in ON_CALL or (name == "TerminalNotReporting" and severity == "page")
    labels = {
        "alertname": name, "alertstate": "firing", "severity": severity,
        "audience": "oncall" if pages else "yard" if name in OF_DRILLS else "noc",
        "fleet": fleet or "inland-haul" if rest else "", "terminal": terminal, "drill": "active" if drill else "",
    }  # fmt: skip
    below = (
        ("playbook",)
        if name in OF_DRILLS
        else ("service",)
        if name in OF_SERVICES
        else ("uplink", "target")
        if terminal
        else ("account",)
    )
    labels |= dict(zip(below, rest[1:], strict=False))
    return {key: value for key, value in labels.items() if value}


def _texts(words: list[dict[str, Any]]) -> Iterator[str]:
    for text in words:
        labels, annotations = spoken(text)
        yield f"      - alertname: {text['alert']}"
        yield f"        eval_time: {float(text['at']):g}s"
        yield "        exp_alerts:"
        yield f"          - exp_labels: {json.dumps(labels)}"
        yield f"            exp_annotations: {json.dumps(annotations, ensure_ascii=False)}"


def spoken(text: dict[str, Any]) -> tuple[Labels, dict[str, str]]:
    """Labels and annotations of the alert that has this text, as promtool is told to expect them of the rules."""
    name = text["alert"]
    scenario = next(each for each in _SCENARIOS if each.name == text["scenario"])
    told = _told(scenario, float(text["at"]), name)
    labels = {key: value for key, value in told.items() if key not in ("alertname", "alertstate")}
    said = {key: text[key] for key in ("summary", "description", "all_clear") if key in text}
    return labels, {**said, "runbook_url": f"{RUNBOOKS}/{name}", "dashboard_url": _board(name, labels)}


def _board(name: str, labels: Labels) -> str:
    if name in (*OF_SIMS, "CarrierDegraded", "StandbyHeadroomLow"):
        account = f"&var-account={labels['account']}" if "account" in labels else ""
        return f"{GRAFANA}/d/yardlight-cellular?var-fleet={labels['fleet']}{account}"
    if name in OF_TABLETS or (name == "ClockSkewed" and "account" in labels and "feed" not in labels):
        own = f"&var-account={labels['account']}" if "account" in labels else ""
        return f"{GRAFANA}/d/yardlight-tablets?var-fleet={labels['fleet']}{own}"
    if name == "PlatformOutage":
        return f"{GRAFANA}/d/yardlight-feeds"
    if name in OF_FEEDS or "feed" in labels:
        own = f"&var-account={labels['account']}" if "account" in labels else ""
        return f"{GRAFANA}/d/yardlight-feeds?var-fleet={labels['fleet']}{own}"
    if name in OF_ARCHIVES:
        own = f"&var-archive={labels['archive']}" if "archive" in labels else ""
        return f"{GRAFANA}/d/yardlight-compliance?var-fleet={labels['fleet']}{own}"
    own = f"?var-fleet={labels['fleet']}" if "fleet" in labels else ""
    if "terminal" in labels:
        return f"{GRAFANA}/d/yardlight-terminal{own}&var-terminal={labels['terminal']}"
    return f"{GRAFANA}/d/yardlight-{'now' if name in ('PlatformDown', 'FleetNotReporting') else 'itself'}{own}"


def _told(scenario: Scenario, at: float, name: str) -> Labels:
    """Labels of the alert of this name that is expected at `at`."""
    if name == "Watchdog":
        return {"severity": "none", "audience": "oncall", "domain": "probe_box"}
    spans = (firing for start, end, firing in scenario.expect if start <= at <= end)
    return _labels(scenario.name, next(each for firing in spans for each in firing if each.split()[1] == name))


def _silences(end: float) -> Iterator[str]:
    for name in sorted({rule["alert"] for rule in alerts()} - {"Watchdog"}):
        yield f"      - {{alertname: {name}, eval_time: {end:g}s}}"

"""All queries of the NOC wall against a real Prometheus: 500 yards, 10 000 tablets, 5 000 SIMs, by default.

A sample a minute: of the yards' states for a day, of all else for ten minutes. Stats and tables are asked once each, as
the board does when it refreshes; lines over the day. The peer is one plain query over the largest family,
in the same run.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.harness import free_port
from tests.programs import running

BOARD = Path(__file__).resolve().parents[2] / "dashboards" / "wall.json"
DAY, STEP = 86400, 60
# What the board shows over time, made by the rules.
OVER_TIME = "yardlight:terminals"
PLAIN = "sum by (fleet) (yardlight_device_state)"
FLEET = 'fleet="inland-haul"'


def series(yards: int, tablets: int, sims: int, now: int) -> Iterator[tuple[str, str, float]]:
    """Every series once: metric, labels after the fleet's, value. One yard in fifty is in trouble."""
    states = ("primary", "standby", "dark", "unknown")
    counted = Counter[str]()
    for number in range(yards):
        yard = f'terminal="yard-{number}"'
        state = states[number // 50 % 4] if number % 50 == 0 else "primary"
        yield "yardlight_terminal_info", f'{yard},stage="live",on_failover="ticket",timezone="UTC"', 1
        for each in states:
            yield "yardlight_terminal_state", f'{yard},state="{each}"', float(each == state)
        yield "yardlight_terminal_state_since_timestamp_seconds", yard, now - 7200 - number
        yield "yardlight:terminal_remembered_timestamp_seconds", yard, now - 10
        counted[state] += 1
        for uplink, of_it in (("fiber", "primary"), ("lte", "standby")):
            yield "yardlight_terminal_path", f'{yard},uplink="{uplink}",source="observed"', float(state == of_it)
        due = f'{yard},playbook="quarterly-wan-failover"'
        yield "yardlight:drill_due_timestamp_seconds", due, now + (number - 5) * 86400
        if state in ("dark", "standby"):
            dark = state == "dark"
            name, severity = ("TerminalDark", "page") if dark else ("TerminalOnStandby", "ticket")
            yield from _alert(name, severity, "oncall" if dark else "noc", yard, now - 7200 - number)
            yield "yardlight:fault_domain", f'{yard},domain="{"wan" if dark else "isp"}"', 1
    for account in ("graph", "thingspace", "samsara"):
        yield "yardlight_poll_success", f'account="{account}",poll="p"', float(account != "samsara")
        yield "yardlight_poll_last_success_timestamp_seconds", f'account="{account}",poll="p"', now - 60
    yield "yardlight:fault_of:account", 'account="samsara",platform="samsara",domain="vendor"', 1
    for number in range(tablets):
        tablet = f'account="graph",device="T-{number}",group="drivers"'
        for state in ("fresh", "stale", "dark", "never", "gone_from_mdm", "expected_silent", "unknown"):
            yield "yardlight_device_state", f'{tablet},state="{state}"', float(state == "fresh")
    for state, count in (("fresh", tablets - 60), ("stale", 50), ("gone_from_mdm", 10)):
        yield "yardlight_devices", f'account="graph",group="drivers",state="{state}"', count
    for number in range(sims):
        yield (
            "yardlight_cap_exhaustion_timestamp_seconds",
            f'account="thingspace",pool="",sim="S-{number}"',
            now + (number + 1) * 3600,
        )
    yield "yardlight:cap_reached", 'account="thingspace",pool="tablets",sim=""', 1e9
    yield "yardlight_fleet_info", 'runbooks="",grafana=""', 1
    yield from _alert("Watchdog", "none", "oncall", 'terminal=""', now - 86400)
    yield from _alert("FeedStale", "ticket", "dispatch", 'account="samsara",feed="gps"', now - 600)
    yield "yardlight_archive_gaps", 'archive="eld"', 3
    for state, count in counted.items():
        yield OVER_TIME, f'state="{state}"', count


def _alert(name: str, severity: str, audience: str, about: str, began: float) -> Iterator[tuple[str, str, float]]:
    alert = f'alertname="{name}",severity="{severity}",audience="{audience}",{about}'
    yield "ALERTS", f'alertstate="firing",{alert}', 1
    yield "ALERTS_FOR_STATE", alert, began


def openmetrics(made: Iterator[tuple[str, str, float]], now: int) -> Iterator[str]:
    """As text for promtool: families apart."""
    families: dict[str, list[tuple[str, float]]] = {}
    for name, labels, value in made:
        families.setdefault(name, []).append((labels, value))
    for name, members in families.items():
        yield f"# TYPE {name} unknown\n"
        for labels, value in members:
            for at in range(now - (DAY if name == OVER_TIME else 600), now + 1, STEP):
                yield f"{name}{{{FLEET},{labels}}} {value:.0f} {at}\n"
    yield "# EOF\n"


def ask(port: int, path: str, **params: Any) -> tuple[float, int]:
    """Seconds that an answer took, and how many series it has."""
    began = time.perf_counter()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(params)}") as reply:
        found = json.load(reply)["data"]["result"]
    return time.perf_counter() - began, len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--yards", type=int, default=500)
    parser.add_argument("--tablets", type=int, default=10_000)
    parser.add_argument("--sims", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    now = int(time.time())
    with tempfile.TemporaryDirectory() as folder:
        made = series(options.yards, options.tablets, options.sims, now)
        with open(f"{folder}/history.om", "w") as file:
            file.writelines(openmetrics(made, now))
        subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "openmetrics", f"{folder}/history.om", f"{folder}/data"],
            check=True, capture_output=True,
        )  # fmt: skip
        Path(folder, "prometheus.yml").write_text("{}")
        port = free_port()
        arguments = (f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data")
        with running(port, "prometheus", *arguments, f"--web.listen-address=127.0.0.1:{port}"):
            _measure(port, options.rounds, now)


def _measure(port: int, rounds: int, now: int) -> None:
    panels = json.loads(BOARD.read_text())["panels"]
    seconds: dict[str, list[float]] = {panel["title"]: [] for panel in panels}
    plain = []
    for _ in range(rounds):
        plain.append(ask(port, "query", query=PLAIN, time=now)[0])
        for panel in panels:
            took = 0.0
            for target in panel["targets"]:
                expr = re.sub(r"\$fleet", ".*", target["expr"]).replace("$__rate_interval", "5m")
                if target.get("instant"):
                    took += ask(port, "query", query=expr, time=now)[0]
                else:
                    took += ask(port, "query_range", query=expr, start=now - DAY, end=now, step=STEP)[0]
            seconds[panel["title"]].append(took)
    for title, each in sorted(seconds.items(), key=lambda item: -max(item[1])):
        print(f"{title:36} {sorted(each)[len(each) // 2] * 1000:8.0f} ms, at most {max(each) * 1000:.0f}")
    totals = [sum(each[number] for each in seconds.values()) for number in range(rounds)]
    middle, peer = sorted(totals)[rounds // 2], sorted(plain)[rounds // 2]
    print(f"{len(panels)} panels, all queries one after the other: {middle:.2f} s, at most {max(totals):.2f} s")
    print(f"one plain sum over every tablet's states: {peer:.2f} s; the wall is {middle / peer:.1f} times that")


if __name__ == "__main__":
    main()

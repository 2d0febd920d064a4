"""`yardlight render prometheus`: what the centre's Prometheus scrapes, and what a yard's sender does.

A yard's box has two queues. What alerts are made of (`VITAL`) is sent over whatever line there is, always. All else is
scraped less often and leaves by the primary line alone: while that is down it waits on disk, and comes when it is back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from yardlight import catalogue as m
from yardlight import files
from yardlight.errors import InventoryError, Problem, StartError
from yardlight.inventory import words
from yardlight.inventory.load import Inventory, load, load_dir
from yardlight.inventory.models import Uplink

Config = dict[str, Any]
Part = Literal["all", "vital", "rest"]

# What rules read of a yard: a test holds it against them.
VITAL = (
    m.CLOCK, m.RELOAD_OK, m.STATE_WRITABLE,
    m.TERMINAL_STATE, m.TERMINAL_STATE_SINCE, m.UPLINK_STATE, m.UPLINK_STATE_SINCE, m.UPLINK_PINNED,
    m.UPLINK_SENT, m.UPLINK_LOST, m.UPLINK_SEGMENT_UP, m.UPLINK_GAP, m.DEFAULT_SENT, m.DEFAULT_LOST,
    m.TERMINAL_PATH, m.DISAGREEMENT, m.DISAGREEMENTS, m.LAST_OUTAGE, m.LAST_OUTAGE_END,
    m.PROBE_PERIOD, m.PROBE_BUDGET,
    m.SERVICE_UP, m.SERVICE_SINCE, m.SERVICE_LAST_PROBE, m.SERVICE_FIRST_FAILURE, m.SERVICE_RESPONSE, m.SERVICE_FAILURE,
    m.STANDBY_READY, m.STANDBY_THROUGHPUT, m.STANDBY_SAMPLED, m.STANDBY_PROOF,
    m.DRILL_LAST_RUN, m.DRILL_LAST_RESULT, m.DRILL_LAST_PASS, m.DRILL_DUE, m.DRILL_IN_PROGRESS, m.DRILL_SINCE,
    m.DRILL_DEADLINE, m.DRILL_ABORT_AFTER,
    m.ROUTER_UP, m.ROUTER_FAILURE, m.ROUTER_BOOT, m.ROUTER_SETTING, m.ROUTER_SETTING_EXPECTED,
    m.INTERFACE_RECEIVED, m.INTERFACE_TRANSMITTED,
    m.MODEM_RSRP, m.MODEM_RSRQ, m.MODEM_SINR, m.MODEM_SUSPECT,
)  # fmt: skip
# A page leaves at most two of these after its cause.
VITAL_EVERY = "5s"
REST_EVERY = "15s"
_OF_HISTOGRAMS = ("_bucket", "_count", "_sum")
# What a yard that was cut off sends afterwards is older than what is there; a day, and what it takes to be mended.
OUT_OF_ORDER = "36h"
# RuleEvaluationFailing reads what Prometheus tells of itself.
ITSELF = "localhost:9090"
_PARTS: dict[Part, tuple[str, str | None]] = {
    "all": (VITAL_EVERY, None), "vital": (VITAL_EVERY, "keep"), "rest": (REST_EVERY, "drop")
}  # fmt: skip


@dataclass(frozen=True)
class Centre:
    """The centre: where `serve --centre` and its shards listen, whom Prometheus tells, where the rules lie.

    `scrape_yards`: the yards' boxes are scraped from here; otherwise they send.
    """

    addresses: Sequence[str]
    alertmanagers: Sequence[str]
    rules: str
    scrape_yards: bool = False


def centre(inventories: Sequence[Inventory], wanted: Centre) -> Config:
    """prometheus.yml of the centre. Raises `InventoryError` with all terminals that should be scraped and cannot."""
    jobs = [
        _job("yardlight", wanted.addresses),
        _job("prometheus", (ITSELF,)),
        _job("alertmanager", wanted.alertmanagers),
    ]
    made: Config = {
        "global": {"scrape_interval": VITAL_EVERY, "evaluation_interval": VITAL_EVERY},
        "rule_files": [wanted.rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [*wanted.alertmanagers]}]}]},
    }
    if wanted.scrape_yards:
        if problems := [problem for each in inventories for problem in _without_address(each)]:
            raise InventoryError(problems)
        jobs.append(_yards(wanted.addresses[0]))
    else:
        made["storage"] = {"tsdb": {"out_of_order_time_window": OUT_OF_ORDER}}
    return {**made, "scrape_configs": jobs}


def yard(instance: str, target: str = "127.0.0.1:10480", part: Part = "all") -> Config:
    """What a yard's sender scrapes: everything, what is vital, or the rest."""
    interval, action = _PARTS[part]
    # A name of its own for each yard: by the address alone, all yards' `up` would be one series at the centre.
    job = {
        "job_name": "yardlight" if part != "rest" else "yardlight-rest",
        "static_configs": [{"targets": [target], "labels": {"instance": instance}}],
    }
    if action is not None:
        job["metric_relabel_configs"] = [{"source_labels": ["__name__"], "regex": vital(), "action": action}]
    return {"global": {"scrape_interval": interval}, "scrape_configs": [job]}


def vital() -> str:
    """The names of the vital list as one regular expression, the series of histograms among them."""
    return "|".join(
        f"{each.name}{suffix}" for each in VITAL for suffix in (_OF_HISTOGRAMS if each.kind == "histogram" else ("",))
    )


def write_centre(inventory: Path, folder: Path | None, wanted: Centre, output: Path | None) -> int:
    """Render the centre's file from one inventory, or from all of a folder. Raises as `centre` does."""
    inventories, errors = load_dir(folder) if folder is not None else ([load(inventory)], [])
    if errors:
        raise InventoryError([problem for error in errors for problem in error.problems])
    return _write(centre(inventories, wanted), (), output)


def write_yard(inventory: Path, terminal: str, part: Part, output: Path | None) -> int:
    """Render a terminal's file. Raises `StartError` for one that is not there, `InventoryError` for what is not set."""
    loaded = load(inventory)
    terminals = loaded.fleet.terminals
    if terminal not in terminals:
        hint = words.choice(terminal, terminals, "terminals")
        raise StartError(f"--terminal {terminal!r}: the inventory has no such terminal; {hint}")
    notes: Iterator[str] | tuple[str, ...] = ()
    if part == "rest":
        primary = next(each for each in terminals[terminal].uplinks.values() if each.role == "primary")
        if primary.bind is None and len(terminals[terminal].uplinks) > 1:
            where = ("terminals", terminal, "uplinks", primary.name, "bind")
            raise InventoryError([loaded.problem(where, "is missing; the rest is sent from there, by this line alone")])
        notes = _pinned(primary)
    return _write(yard(terminal, part=part), notes, output)


def _pinned(primary: Uplink) -> Iterator[str]:
    """How the rest's sender is kept off the other lines, in Linux' own words."""
    if primary.bind is not None:
        way = f"via GATEWAY src {primary.bind}" if primary.bind[:1].isdigit() else f"dev {primary.bind}"
        yield f"Its user, 10482, may send by {primary.name} alone, as root:"
        yield f"    ip route replace default {way} table 10482"
        yield "    ip rule add uidrange 10482-10482 lookup 10482"


def _job(name: str, targets: Sequence[str]) -> Config:
    return {"job_name": name, "static_configs": [{"targets": [*targets]}]}


def _yards(address: str) -> Config:
    """The boxes of all terminals, as the centre's own list has them."""
    return {
        "job_name": "yards",
        "http_sd_configs": [{"url": f"http://{address}/sd/terminals"}],
        "relabel_configs": [
            {
                "source_labels": ["__meta_yardlight_fleet", "__meta_yardlight_terminal"],
                "separator": "/",
                "target_label": "instance",
            }
        ],
    }


def _without_address(inventory: Inventory) -> Iterator[Problem]:
    for name, terminal in inventory.fleet.terminals.items():
        if terminal.scrape is None:
            yield inventory.problem(
                ("terminals", name, "scrape"),
                "is missing; write where its box is reached, like 10.8.0.21:10480, or let it send",
            )


def _write(made: Config, notes: Iterator[str] | Sequence[str], output: Path | None) -> int:
    head = ["Made by `yardlight render prometheus`; render again rather than change it.", *notes]
    text = "".join(f"# {line}\n" for line in head) + yaml.safe_dump(made, sort_keys=False, width=1000)
    return files.deliver(text, output)

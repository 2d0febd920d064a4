"""`serve --shard i/n`: each source is asked by exactly one, and stays with it when the inventory grows."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.domains import domain, joined
from yardlight.feeds.pull import planned as pulls
from yardlight.inventory.load import load
from yardlight.records import domain as records
from yardlight.shard import Shard, owner, parse_shard

NAMES = st.lists(st.text("abcdefghij-0123456789", min_size=1, max_size=12), min_size=1, max_size=40, unique=True)
FLEET = """\
fleet: inland-haul
terminals: {fontana: {targets: [198.51.100.1], uplinks: {fiber: {bind: 10.0.0.1}}}}
feeds:
  gps: {url: "https://gps.example.com/trucks", truck: unit, time: at, values: {odometer: odometer}}
  meters: {url: "https://shop.example.com/trucks", truck: unit, time: at, values: {meter: meter}}
  loads: {url: "https://loads.example.com/loads", truck: unit, time: at}
flows: {odometer: {source: gps.odometer, sink: meters.meter}}
archives:
  eld: {path: eld, pattern: "{driver}/{date:%Y-%m-%d}.csv", rule: rods, coverage: none}
"""


@given(NAMES, st.integers(1, 9))
def test_each_name_is_exactly_ones(names: list[str], of: int) -> None:
    for name in names:
        assert sum(Shard(index, of).owns("fleet", "terminal", name) for index in range(1, of + 1)) == 1


@given(NAMES, st.integers(1, 8))
def test_one_more_takes_from_the_others_and_moves_nothing_between_them(names: list[str], of: int) -> None:
    for name in names:
        assert owner(name, of + 1) in (owner(name, of), of + 1)


def test_the_shares_are_about_equal() -> None:
    shares = Counter(owner(f"yard-{number}", 4) for number in range(10_000))
    assert all(2_300 < share < 2_700 for share in shares.values())


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2", "1/2/3"])
def test_what_is_none_of_several_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 2/3"):
        parse_shard(text)


def test_what_is_compared_stays_together_and_what_is_planned_has_one_owner(tmp_path: Path) -> None:
    (tmp_path / "fleet.yml").write_text(FLEET)
    fleet = load(tmp_path / "fleet.yml").fleet
    every = [
        *domain("feeds").planned(fleet, tmp_path),
        *joined(fleet, tmp_path),
        *records.planned(fleet, tmp_path, tmp_path / "state.db"),
        *pulls(fleet, tmp_path),
    ]
    names = sorted(each.collection.source.name for each in every)
    compared = {"feeds/gps", "feeds/meters", "flows/odometer", "records/eld"}
    apart = 0
    for of in range(1, 12):
        shares = [{p.collection.source.name for p in Shard(i + 1, of).plans(fleet.fleet, every)} for i in range(of)]
        assert sorted(name for share in shares for name in share) == names
        assert any(compared <= share for share in shares)
        apart += {"feeds/loads"} in shares
    assert apart


def test_three_processes_measure_each_terminal_once_and_tell_all_thresholds(
    tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., Any]
) -> None:
    terminals = "\n".join(
        f"  yard-{n}: {{targets: ['tcp://127.0.0.1:9'], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}" for n in range(9)
    )
    (tmp_path / "fleet.yml").write_text(f"fleet: f\nterminals:\n{terminals}\n")
    ports = [free_port() for _ in range(3)]
    with ExitStack() as running:
        for index, port in enumerate(ports, 1):
            command = [
                sys.executable, "-m", "yardlight", "serve", "--shard", f"{index}/3", "--inventory", "fleet.yml",
                "--web.listen-address", f"127.0.0.1:{port}", "--state", f"state-{index}.db",
            ]  # fmt: skip
            process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
            running.callback(process.wait)
            running.callback(process.terminate)
        pages = [eventually(lambda port=port: metrics(port), within=60) for port in ports]
    measured = [
        set(re.findall(r'yardlight_clock_timestamp_seconds\{fleet="f",terminal="([^"]+)"', page)) for page in pages
    ]
    assert sorted(name for share in measured for name in share) == sorted(f"yard-{n}" for n in range(9))
    assert all(share for share in measured)
    thresholds = [set(re.findall(r"yardlight_terminal_page_after_seconds\{.*", page)) for page in pages]
    assert thresholds == [thresholds[0]] * 3
    assert len(thresholds[0]) == 9


def metrics(port: int) -> str:
    """The page, once it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
            pass
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            return str(page.read().decode())
    except OSError:
        return ""

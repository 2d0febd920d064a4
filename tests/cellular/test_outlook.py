"""`yardlight usage report`: what people and machines read of a source that was collected for weeks."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from yardlight.cellular.cycle import UTC, Cycle, MonthDay
from yardlight.cellular.outlook import sold
from yardlight.cellular.plan import resolved
from yardlight.cellular.show import show
from yardlight.cellular.usage import Plan, Record, Sim, Usage, Used
from yardlight.cli import main
from yardlight.collection import Source, pack_memory
from yardlight.inventory.load import load
from yardlight.inventory.words import size
from yardlight.state import State

DAY, MB, GB = 86400.0, 10**6, 10**9
INVENTORY = """
fleet: inland
accounts:
  carrier: {platform: super_sim, client_id: me, client_secret_file: secret}
  second: {platform: super_sim, client_id: me, client_secret_file: secret}
cellular:
  sims: {account: carrier, PARTS}
  spare: {account: second}
terminals: {fontana: {targets: [198.51.100.1], uplinks: {fiber: {}}}}
"""
# Cycles began twenty days ago, whatever the day of the month is now.
NOW = time.time()
CYCLES = MonthDay(UTC, datetime.fromtimestamp(NOW - 20 * DAY, UTC).day)
THIS = CYCLES.at(NOW)


def sim(name: str, at: float, **more: Any) -> Sim:
    return Sim(name, at, state="active", **more)


class Fleet:
    """A fleet of which the source `sims` was collected each evening of the last `days` until now."""

    def __init__(self, folder: Path, *parts: str) -> None:
        self.folder = folder
        (folder / "secret").write_text("s3cret\n")
        (folder / "fleet.yml").write_text(INVENTORY.replace("PARTS", ", ".join(filter(None, parts))))
        self.fleet = load(folder / "fleet.yml").fleet

    def collected(self, daily: dict[str, float], days: int = 50, **sims: Any) -> None:
        """SIMs that use so much a day; `sims` is what the platform says of all of them."""
        evenings = []
        for back in range(days, -1, -1):
            at = NOW - back * DAY
            records: list[Record] = []
            for name, amount in daily.items():
                records.append(sim(name, at, **sims))
                records.append(Usage(Used(round(begun(at) * amount)), at, sim=name))
            evenings.append((at, records))
        self.told(evenings)

    def told(self, collections: Sequence[tuple[float, Sequence[Record]]]) -> None:
        """What the platform said, and when."""
        terms, memory = resolved(self.fleet, self.fleet.cellular["sims"]), None
        for at, records in collections:
            told = show(Source("inland", "carrier", "cellular/sims", terms, self.folder), records, memory, at)
            memory = json.loads(json.dumps(told.memory))
        state = State(self.folder / "yardlight.db")
        packed = pack_memory({"platform": None, "domain": memory, "first": []})
        state.keep_blocks("inland", "cellular/sims", NOW, b"", packed)
        state.close()


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fleet]:
    monkeypatch.chdir(tmp_path)
    return lambda part="", cycle=f"cycle: {{day: {CYCLES.day}}}": Fleet(tmp_path, cycle, part)


def report(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["usage", "report", "--json", *more]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def begun(at: float) -> float:
    """How many days of the cycle are over."""
    return (at - (CYCLES.at(at).start or 0)) / DAY


def length(cycle: Cycle) -> float:
    """How many days it has."""
    return ((cycle.end or 0) - (cycle.start or 0)) / DAY


def test_a_pool_tells_what_is_used_what_comes_and_what_the_next_cycle_needs(
    fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]
) -> None:
    made = fleet("pools: {tablets: {cap: 20 GB}}")
    made.collected({"t1": 100 * MB, "t2": 300 * MB, "t3": 200 * MB, "t4": 50 * MB, "t5": 0})
    [sims, spare] = report(capsys)["sources"]
    assert spare == {
        "source": "spare", "account": "second", "collected": None, "plans": [], "idle_days": 30, "idle": [],
        "idle_not_known": 0, "not_in_roster": 0,
    }  # fmt: skip
    [pool] = sims["plans"]
    used, whole = begun(NOW) * 650 * MB, length(THIS) * 650 * MB
    assert (pool["kind"], pool["name"], pool["sims"], pool["sims_counted"]) == ("pool", "tablets", 5, 5)
    assert pool["used_bytes"] == pytest.approx(used, abs=10)
    assert pool["cap_bytes"] == 20 * GB
    low, middle, high = (pool["projected_bytes"][p] for p in ("0.1", "0.5", "0.9"))
    assert low <= middle <= high
    assert middle == pytest.approx(whole, rel=0.1)
    assert (pool["cap_reached"] is None) == (middle < 20 * GB)
    # 650 MB on 28 to 31 days are 18.2 to 20.2 GB, and nobody sells less than the next size.
    assert pool["next_cap_bytes"] in (20 * GB, 25 * GB)
    assert pool["next_cap_bytes"] >= length(CYCLES.at(THIS.end or 0)) * 650 * MB
    assert [each["sim"] for each in pool["biggest"]] == ["t2", "t3", "t1"]
    assert sims["idle"] == ["t5"]


def test_what_the_platform_said_of_caps_and_pools_is_known_without_asking_it(
    fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]
) -> None:
    made = fleet("pools: {shared: {cap: 9 GB, plans: [roam]}}")
    made.collected({"t1": 10 * MB, "t2": 500 * MB}, plan=Plan("flex", 5 * GB))
    plans = report(capsys)["sources"][0]["plans"]
    assert {plan["name"]: (plan["kind"], plan["plan"], plan["cap_bytes"]) for plan in plans} == {
        "shared": ("pool", None, 9 * GB), "t1": ("sim", "flex", 5 * GB), "t2": ("sim", "flex", 5 * GB),
    }  # fmt: skip
    assert [plan["name"] for plan in plans][1:] == ["t2", "t1"], "who has most of its cap used comes first"


def test_a_sim_that_was_not_watched_for_so_long_is_not_called_idle(
    fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]
) -> None:
    fleet().collected({"t1": 0, "t2": MB}, days=9)
    [sims, _] = report(capsys)["sources"]
    assert (sims["idle"], sims["idle_not_known"]) == ([], 1)
    assert report(capsys, "--idle-days", "3")["sources"][0]["idle"] == ["t1"]


def test_who_used_most_of_a_cycle_that_is_over_says_nothing_of_one_that_nobody_tells(
    fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]
) -> None:
    made = fleet("pools: {tablets: {cap: 20 GB}}", cycle="")
    over, last = Cycle(NOW - 40 * DAY, NOW - 2 * DAY), NOW - 3 * DAY
    made.told([(last, [sim("t1", last), Usage(Used(GB), last, sim="t1", cycle=over)]), (NOW, [sim("t1", NOW)])])
    [pool] = report(capsys)["sources"][0]["plans"]
    assert (pool["used_bytes"], pool["biggest"]) == (None, [])


def test_of_a_pool_that_is_known_in_part_more_may_be_needed_and_no_cap_is_safe(
    fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]
) -> None:
    made = fleet("pools: {tablets: {cap: 20 GB, sims: [t1, t2, t3]}}")
    made.collected({"t1": 100 * MB, "t2": 200 * MB})
    [pool] = report(capsys)["sources"][0]["plans"]
    assert (pool["sims"], pool["sims_counted"], pool["next_cap_bytes"]) == (3, 2, None)
    assert pool["next_cap_at_least_bytes"] >= 8 * GB
    assert main(["usage", "report"]) == 0
    [line] = [each for each in capsys.readouterr().out.splitlines() if each.startswith("tablets")]
    assert re.split(r"\s{2,}", line)[8:10] == ["not known", f"more than {size(pool['next_cap_at_least_bytes'])}"]


def test_blocks_beyond_the_cap_are_counted_and_the_last_one_is_whole(
    fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]
) -> None:
    made = fleet("cap: 1 GB, after: overage, overage_block: 500 MB")
    made.collected({"t1": 100 * MB, "t2": 10 * MB})
    told = {plan["name"]: plan for plan in report(capsys)["sources"][0]["plans"]}
    for plan in told.values():
        beyond = {p: max(0, used - GB) for p, used in plan["projected_bytes"].items()}
        assert plan["overage_blocks"] == {p: -(-used // (500 * MB)) for p, used in beyond.items()}
    assert told["t1"]["overage_blocks"]["0.5"] in range(3, 7)
    assert told["t2"]["overage_blocks"]["0.9"] == 0
    assert main(["usage", "report"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line[:3] in ("t1 ", "t2 ")}
    assert re.search(r"already, \d to \d x 500 MB more", lines["t1"])
    assert "more" not in lines["t2"]


def test_a_plan_without_an_end_is_looked_ahead_for_some_time_and_no_further(
    fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]
) -> None:
    made = fleet("cap: 20 GB", cycle="cycle: lifetime")
    made.told(
        [(at, [sim("t1", at), Usage(Used((60 - back) * 20 * MB), at, sim="t1")])
         for back in range(50, -1, -1) for at in [NOW - back * DAY]]
    )  # fmt: skip
    assert main(["usage", "report"]) == 0
    [line] = [each for each in capsys.readouterr().out.splitlines() if each.startswith("t1 ")]
    ahead = datetime.fromtimestamp(NOW + 60 * DAY, UTC)
    assert re.split(r"\s{2,}", line)[8] == f"not before {ahead:%Y-%m-%d %H:%M}"


def test_too_little_history_is_no_forecast(fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]) -> None:
    fleet("cap: 1 GB").collected({"t1": 10 * MB}, days=0)
    [plan] = report(capsys)["sources"][0]["plans"]
    assert (plan["cap_bytes"], plan["cap_reached"]) == (GB, None)
    assert plan["used_bytes"] is not None


def test_people_read_plain_columns_in_a_pipe(fleet: Callable[..., Fleet], capsys: pytest.CaptureFixture[str]) -> None:
    made = fleet("cap: 100 MB, pools: {tablets: {cap: 1 TB, sims: [t1, t2]}}")
    made.collected({"t1": 20 * MB, "t2": 10 * MB, "t3": 200 * MB, "#x": MB})
    capsys.readouterr()
    assert main(["usage", "report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"sims \(account carrier\): collected \d{4}-\d\d-\d\d \d\d:\d\d, figures until ", lines[0])
    assert lines[1].split()[:4] == ["plan", "SIMs", "used", "cap"]
    pool, alone = (re.split(r"\s{2,}", line.strip()) for line in lines[2:4])
    assert (pool[0], pool[1], pool[3], pool[8]) == ("tablets", "2", "1 TB", "no")
    assert pool[-1].startswith("t1 ")
    assert (alone[0], alone[8], alone[-1]) == ("t3", "already", "-")
    assert "no use for 30 days: none" in lines
    assert "not in the roster, so not by name: 1 SIM" in lines
    assert "#x" not in "".join(lines)
    assert lines[-1] == "spare (account second): not collected yet, so nothing is known"


def test_a_fleet_without_plans_and_days_that_are_not_kept_are_refused(
    fleet: Callable[..., Fleet], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet()
    with pytest.raises(SystemExit) as ended:
        main(["usage", "report", "--idle-days", "97"])
    assert ended.value.code == 2
    assert "usage report: --idle-days 97; write 1 to 96" in capsys.readouterr().err
    assert main(["usage", "report"]) == 1
    assert "there is no state file here" in capsys.readouterr().err
    (tmp_path / "fleet.yml").write_text("fleet: f\nterminals: {a: {targets: [198.51.100.1], uplinks: {fiber: {}}}}\n")
    assert main(["usage", "report"]) == 1
    assert "f has no part cellular: in its inventory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bytes_", "size"),
    [(0, MB), (MB, MB), (1.01 * MB, round(1.2 * MB)), (17.3 * GB, 20 * GB), (20 * GB, 20 * GB), (9 * GB, 10 * GB),
     (999.9 * MB, GB)],
)  # fmt: skip
def test_a_plan_is_sold_in_round_sizes(bytes_: float, size: int) -> None:
    assert sold(bytes_) == size


def test_the_months_report_has_what_each_plan_used_and_says_which_days_are_not_known(
    fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    fleet("pools: {tablets: {cap: 5 GB}}").collected({"T1": 30 * MB, "T2": 10 * MB}, days=20)
    this = datetime.fromtimestamp(NOW, UTC)
    assert main(["report", "--month", f"{this:%Y-%m}", "-o", "page.html"]) == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    section = re.sub(r"<[^>]+>", " ", text.partition("Cellular plans")[2])
    assert "Of spare nothing has been collected yet." in section
    [row] = re.findall(r"carrier tablets\s+2\s+(\S+ [kMG]?B)[^–]*?5 GB", section)
    amount, unit = row.split()
    begin = max(datetime(this.year, this.month, 1, tzinfo=UTC).timestamp(), NOW - 20 * DAY)
    used = float(amount) * {"B": 1, "kB": 1000, "MB": MB, "GB": GB}[unit]
    assert used == pytest.approx((NOW - begin) / DAY * 40 * MB, abs=50 * MB)


def test_a_months_report_of_one_terminal_has_no_plans(fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    fleet("pools: {tablets: {cap: 5 GB}}").collected({"T1": 30 * MB}, days=2)
    text = (tmp_path / "fleet.yml").read_text()
    more = "terminals: {reno: {targets: [198.51.100.1], uplinks: {fiber: {}}}, "
    (tmp_path / "fleet.yml").write_text(text.replace("terminals: {", more))
    this = datetime.fromtimestamp(NOW, UTC)
    for only, there in (((), True), (("--terminal", "reno"), False)):
        assert main(["report", "--month", f"{this:%Y-%m}", *only, "-o", "page.html"]) == 0
        assert ("Cellular plans" in (tmp_path / "page.html").read_text(encoding="utf-8")) is there

"""`yardlight render prometheus`: promtool accepts it, what is not set is an error, and no rule misses what it reads."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from yardlight import catalogue, scraping
from yardlight.catalogue import METRICS, Metric
from yardlight.cli import main

FLEET = """\
fleet: inland-haul
terminals:
  fontana:
    targets: [198.51.100.1]
    uplinks:
      fiber: {{medium: fiber, next_hop: 203.0.113.17{bind}}}
      lte: {{bind: 10.10.0.22}}
  ontario: {{targets: [198.51.100.1], uplinks: {{fiber: {{}}}}{scrape}}}
"""
# Who tells what the centre knows, and no yard.
CENTRE = ("centre.py", "terminal/outside.py", "cellular", "mdm", "feeds")
OF_YARDS = ("terminal", "services", "standby", "routers", "drills", "cellular", "centre", "verdicts")


def inventory(folder: Path, bind: str = ", bind: 10.10.0.21", scrape: str = "") -> Path:
    path = folder / "fleet.yml"
    path.write_text(FLEET.format(bind=bind, scrape=scrape))
    return path


def render(folder: Path, *options: str) -> tuple[int, Path]:
    output = folder / "prometheus.yml"
    return main(["render", "prometheus", "--inventory", str(folder / "fleet.yml"), "-o", str(output), *options]), output


def accepted(path: Path, syntax_only: bool = True) -> None:
    options = ["--syntax-only"] if syntax_only else []
    done = subprocess.run(["promtool", "check", "config", *options, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def job_names(config: dict[str, Any]) -> set[str]:
    return {job["job_name"] for job in config["scrape_configs"]}


CENTRE_OPTIONS = ("--centre", "a:10480", "--centre", "b:10480", "--alertmanager", "a:9093", "--alertmanager", "b:9093")


@pytest.mark.needs("promtool")
def test_the_centre_scrapes_every_shard_tells_both_alertmanagers_and_takes_what_comes_late(
    tmp_path: Path, root: Path
) -> None:
    inventory(tmp_path)
    code, path = render(tmp_path, *CENTRE_OPTIONS, "--rules", str(root / "alert_rules/*.yml"))
    assert code == 0
    accepted(path, syntax_only=False)
    made = yaml.safe_load(path.read_text())
    assert made["scrape_configs"][0]["static_configs"] == [{"targets": ["a:10480", "b:10480"]}]
    assert made["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["a:9093", "b:9093"]}]}]
    window = made["storage"]["tsdb"]["out_of_order_time_window"]
    assert int(window.removesuffix("h")) >= 24
    shipped = yaml.safe_load((root / "docker/prometheus/prometheus.yml").read_text())
    assert shipped["storage"] == made["storage"]
    assert shipped["global"] == made["global"]
    assert job_names(made) == job_names(shipped)


@pytest.mark.needs("promtool")
def test_yards_that_are_scraped_are_found_by_the_centres_list(tmp_path: Path) -> None:
    path = inventory(tmp_path, scrape=', scrape: "10.8.0.22:10480"')
    path.write_text(path.read_text().replace("    targets:", '    scrape: "10.8.0.21:10480"\n    targets:'))
    code, made = render(tmp_path, *CENTRE_OPTIONS, "--scrape-yards")
    assert code == 0
    accepted(made)
    jobs = {job["job_name"]: job for job in yaml.safe_load(made.read_text())["scrape_configs"]}
    assert jobs["yards"]["http_sd_configs"] == [{"url": "http://a:10480/sd/terminals"}]


def test_yards_that_cannot_be_scraped_are_all_told_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = inventory(tmp_path)
    code, output = render(tmp_path, *CENTRE_OPTIONS, "--scrape-yards")
    assert code == 1
    assert not output.exists()
    message = "is missing; write where its box is reached, like 10.8.0.21:10480, or let it send"
    assert capsys.readouterr().err.splitlines() == [
        f"{path}:3:3 terminals.fontana.scrape: {message}",
        f"{path}:8:3 terminals.ontario.scrape: {message}",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--centre HOST:PORT is missing"),
        (["--centre", "a:1"], "--alertmanager HOST:PORT is missing"),
        (["--part", "rest"], "--part rest is of a yard: add --terminal NAME"),
        (["--terminal", "fontana", "--centre", "a:1"], "--terminal goes with --inventory, --part and --output alone"),
    ],
)
def test_what_is_not_said_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    inventory(tmp_path)
    with pytest.raises(SystemExit) as ended:
        render(tmp_path, *options)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_terminal_that_is_not_there_is_told_with_one_that_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory(tmp_path)
    assert render(tmp_path, "--terminal", "fontanna")[0] == 1
    assert "did you mean 'fontana'?" in capsys.readouterr().err


def test_the_rest_is_kept_off_the_standby_by_the_address_of_the_primary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory(tmp_path)
    code, path = render(tmp_path, "--terminal", "fontana", "--part", "rest")
    assert code == 0
    assert "#     ip route replace default via GATEWAY src 10.10.0.21 table 10482\n" in path.read_text()
    inventory(tmp_path, bind="")
    assert render(tmp_path, "--terminal", "fontana", "--part", "rest")[0] == 1
    assert "terminals.fontana.uplinks.fiber.bind: is missing" in capsys.readouterr().err


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("part", ["all", "vital", "rest"])
def test_a_yards_file_is_accepted_and_has_the_terminals_name(tmp_path: Path, part: str) -> None:
    inventory(tmp_path)
    code, path = render(tmp_path, "--terminal", "fontana", "--part", part)
    assert code == 0
    accepted(path)
    job = yaml.safe_load(path.read_text())["scrape_configs"][0]
    assert job["static_configs"][0]["labels"] == {"instance": "fontana"}


@pytest.mark.parametrize("part", ["vital", "rest"])
def test_the_shipped_files_of_a_yard_are_what_is_rendered(root: Path, part: scraping.Part) -> None:
    shipped = yaml.safe_load((root / f"docker/prometheus/{part}.yml").read_text())
    assert shipped == scraping.yard("%{YARDLIGHT_TERMINAL}", part=part)


def test_each_series_is_either_vital_or_of_the_rest() -> None:
    names = {name for metric in METRICS.values() for name in series(metric)}
    vital = {name for metric in scraping.VITAL for name in series(metric)}
    # As Prometheus does it: anchored at both ends.
    assert {name for name in names if re.fullmatch(scraping.vital(), name)} == vital


def test_every_metric_of_a_yard_that_a_rule_reads_is_vital_and_no_other(root: Path) -> None:
    rules = "".join((root / f"alert_rules/{name}.yml").read_text() for name in OF_YARDS)
    read = set(re.findall(r"yardlight_\w+", rules))
    told_by_centre = "".join(file.read_text() for name in CENTRE for file in sources(root, name))
    variables = {metric: name for name, metric in vars(catalogue).items() if isinstance(metric, Metric)}
    of_yards = {
        metric
        for metric, name in variables.items()
        if "account" not in metric.labels and not re.search(rf"\b{name}\b", told_by_centre)
        if "terminal" in metric.labels or metric in (catalogue.RELOAD_OK, catalogue.STATE_WRITABLE)
    }
    assert {metric.name for metric in of_yards if read & series(metric)} == {metric.name for metric in scraping.VITAL}


def sources(root: Path, name: str) -> list[Path]:
    path = root / "exporters/yardlight" / name
    return [path] if path.is_file() else [*path.rglob("*.py")]


def series(metric: Metric) -> set[str]:
    suffixes: list[Any] = ["_bucket", "_count", "_sum"] if metric.kind == "histogram" else [""]
    return {f"{metric.name}{suffix}" for suffix in suffixes}

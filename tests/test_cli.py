"""The command line: what it accepts, what it hands over, and its exit codes."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from yardlight import __version__
from yardlight.catalogue import METRICS
from yardlight.cli import build_parser, main

FLEET = "fleet: inland-haul\nterminals:\n  fontana: {targets: [198.51.100.1], uplinks: {fiber: {}}}\n"


def parse(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(arguments)


def test_serve_has_defaults_that_work_in_the_folder_of_a_fleet() -> None:
    arguments = parse("serve")
    assert (arguments.inventory, arguments.inventory_dir) == (None, None)
    assert (arguments.centre, arguments.terminal) == (False, None)
    assert (arguments.listen, arguments.web_config) == (":10480", None)
    assert arguments.state == Path("yardlight.db")
    assert (arguments.log_format, arguments.log_level) == ("logfmt", "info")


def test_serve_takes_the_flags_that_prometheus_users_know() -> None:
    arguments = parse(
        "serve", "--inventory-dir", "fleets", "--centre", "--web.listen-address", "127.0.0.1:9", "--web.config.file",
        "web.yml", "--log.format", "json", "--log.level", "debug", "--state", "/tmp/x.db",
    )  # fmt: skip
    assert (arguments.inventory_dir, arguments.centre) == (Path("fleets"), True)
    assert (arguments.listen, arguments.web_config) == ("127.0.0.1:9", Path("web.yml"))
    assert (arguments.log_format, arguments.log_level, arguments.state) == ("json", "debug", Path("/tmp/x.db"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serv"],
        ["serve", "--centre", "--terminal", "fontana"],
        ["serve", "--inventory", "a.yml", "--inventory-dir", "fleets"],
        ["serve", "--log.format", "xml"],
        ["serve", "--inv", "a.yml"],
        ["check", "--json", "--explain", "fleet"],
        ["outages"],
        ["outages", "--terminal", "fontana", "--csv", "--json"],
        ["outages", "--terminal", "fontana", "--inventory", "a.yml", "--inventory-dir", "fleets"],
        ["report"],
        ["inventory"],
        ["inventory", "import"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: yardlight" in capsys.readouterr().err


def test_what_looks_back_takes_the_history_of_several_boxes() -> None:
    arguments = parse("outages", "--terminal", "fontana", "--state", "a.db", "--state", "b.db", "--from", "2026-10-01")
    assert (arguments.state, arguments.start, arguments.end) == ([Path("a.db"), Path("b.db")], "2026-10-01", None)
    arguments = parse("report", "--fleet", "inland-haul", "--month", "2026-10", "-o", "-")
    assert (arguments.fleet, arguments.output, arguments.state) == ("inland-haul", Path("-"), None)


def test_version_is_the_one_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"yardlight {__version__}\n"


def test_check_ends_with_0_for_a_good_file_and_1_for_a_bad_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text(FLEET)
    assert main(["check", str(path)]) == 0
    assert "inland-haul" in capsys.readouterr().out
    path.write_text(FLEET.replace("fiber", "fibre"))
    assert main(["check", str(path)]) == 1
    assert f"{path}:3:48 terminals.fontana.uplinks.fibre.medium: is missing" in capsys.readouterr().err


def test_check_explains_one_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text(FLEET)
    assert main(["check", str(path), "--explain", "terminals.fontana.targets.0"]) == 0
    assert capsys.readouterr().out == f"terminals.fontana.targets.0 = 198.51.100.1\n  {path}:3:23\n"
    assert main(["check", str(path), "--explain", "terminals.fontanna"]) == 1
    assert "did you mean 'fontana'?" in capsys.readouterr().err


def test_explaining_a_broken_file_prints_its_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text("fleet: [")
    assert main(["check", str(path), "--explain", "fleet"]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:1:9 broken YAML: ")


def test_init_writes_once_and_check_accepts_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yml"
    assert main(["init", str(path), "--fleet", "inland-haul", "--terminal", "fontana"]) == 0
    assert main(["check", str(path)]) == 0
    assert main(["init", str(path)]) == 1
    assert capsys.readouterr().err == f"{path} exists already and is left as it is\n"


def test_schema_prints_a_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Yardlight inventory"


def test_metrics_prints_the_whole_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics"]) == 0
    table = capsys.readouterr().out
    assert all(f"`{name}`" in table for name in METRICS)
    assert main(["metrics", "--json"]) == 0
    assert [metric["name"] for metric in json.loads(capsys.readouterr().out)] == list(METRICS)


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "yardlight", "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, f"yardlight {__version__}\n")


def test_a_reader_that_stops_early_gets_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "yardlight", "metrics"],
            stdout=closed, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.stderr == ""


def test_help_needs_none_of_the_modules_that_do_the_work() -> None:
    code = (
        "import sys; from yardlight.cli import build_parser; build_parser().format_help(); "
        "print(sorted(name for name in sys.modules if name.startswith(('pydantic', 'aiohttp', 'rich', 'holidays'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"

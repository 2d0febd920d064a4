"""The units under docker/systemd/: systemd reads them, they are shut in, and alike but for the terminal."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from yardlight.cli import build_parser

UNITS = ("yardlight.service", "yardlight@.service")
SENDERS = ("yardlight-vital@.service", "yardlight-rest@.service")
# What `systemd-analyze security` calls OK, and unprivileged daemons reach.
MOST_EXPOSED = "20"


def unit(root: Path, name: str) -> Path:
    return root / "docker" / "systemd" / name


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("name", [*UNITS, *SENDERS])
def test_systemd_knows_every_line_of_a_unit_and_finds_it_shut_in(root: Path, tmp_path: Path, name: str) -> None:
    """Only its program is not there."""
    copied = tmp_path / name.replace("@", "@fontana")
    text = re.sub(r"/opt/yardlight/bin/yardlight|/usr/bin/vmagent", "/bin/true", unit(root, name).read_text("utf-8"))
    copied.write_text(text)
    verified = subprocess.run(["systemd-analyze", "verify", str(copied)], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    arguments = ["security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(copied)]
    judged = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout[-400:]


@pytest.mark.parametrize("name", UNITS)
def test_the_command_of_a_unit_is_one_that_the_program_has(root: Path, name: str) -> None:
    (command,) = re.findall(r"^ExecStart=(.*)$", unit(root, name).read_text(encoding="utf-8"), re.MULTILINE)
    build_parser().parse_args(command.replace("%i", "fontana").split()[1:])


def test_a_yard_has_the_same_unit_but_for_its_name(root: Path) -> None:
    one, other = ([line for line in _lines(unit(root, name)) if "%i" not in line] for name in UNITS)
    assert [line for line in one if not line.startswith(("Description=", "ExecStart="))] == other


def test_the_senders_of_units_and_of_the_compose_file_are_started_alike(root: Path) -> None:
    services = yaml.safe_load((root / "docker/compose.yml").read_text())["services"]
    for part, name in zip(("vital", "rest"), SENDERS, strict=True):
        (command,) = re.findall(r"^ExecStart=\S+ (.*)$", unit(root, name).read_text(encoding="utf-8"), re.MULTILINE)
        there, here = (
            {word.partition("=")[0]: word.partition("=")[2] for word in words}
            for words in (command.split(), services[part]["command"])
        )
        places = {"-promscrape.config", "-remoteWrite.url", "-remoteWrite.tmpDataPath"}
        assert there.keys() == here.keys()
        assert {key: there[key] for key in there.keys() - places} == {key: here[key] for key in here.keys() - places}


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]

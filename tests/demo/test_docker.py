"""The files under docker/ say what the programs accept, and agree with each other and with the demo."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from yardlight.demo import DemoOptions, programs


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def accepted(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.needs("promtool")
def test_prometheus_accepts_the_shipped_configuration_and_every_rule_it_names(root: Path, tmp_path: Path) -> None:
    text = (root / "docker/prometheus/prometheus.yml").read_text(encoding="utf-8")
    assert "/etc/prometheus/alert_rules/*.yml" in text
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace("/etc/prometheus/alert_rules", str(root / "alert_rules")))
    accepted("promtool", "check", "config", config)


@pytest.mark.needs("promtool", "amtool")
def test_the_demo_runs_prometheus_and_alertmanager_with_the_shipped_files(root: Path, tmp_path: Path) -> None:
    options = DemoOptions(folder=tmp_path)
    programs.prometheus(options, tmp_path, root)
    programs.alertmanager(options, tmp_path, root)
    accepted("promtool", "check", "config", tmp_path / "prometheus.yml")
    accepted("amtool", "check-config", tmp_path / "alertmanager.yml")
    demo, shipped = read(tmp_path / "prometheus.yml"), read(root / "docker/prometheus/prometheus.yml")
    assert demo["global"] == shipped["global"]
    targets = [group["targets"] for job in demo["scrape_configs"] for group in job["static_configs"]]
    assert targets == [["127.0.0.1:10480"], ["127.0.0.1:19090"], ["127.0.0.1:19093"]]
    receivers = read(tmp_path / "alertmanager.yml")["receivers"]
    hooks = [hook["url"] for receiver in receivers for hook in receiver.get("webhook_configs", [])]
    assert hooks
    assert all(url.startswith("http://127.0.0.1:19094/") for url in hooks)


def test_every_file_that_compose_mounts_exists(root: Path) -> None:
    for name, service in read(root / "docker/compose.yml")["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith(".") and volume.endswith(":ro"):
                assert (root / "docker" / source).exists(), f"{name}: {source}"


def test_compose_publishes_on_loopback_only(root: Path) -> None:
    services = read(root / "docker/compose.yml")["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_prometheus_scrapes_the_services_that_compose_names(root: Path) -> None:
    """By the names of the demo's, and of the centre's."""
    services = read(root / "docker/compose.yml")["services"]
    demo = {*services["demo"]["networks"]["default"]["aliases"], "prometheus"}
    config = read(root / "docker/prometheus/prometheus.yml")
    groups = [*config["scrape_configs"], *config["alerting"]["alertmanagers"]]
    hosts = {t.split(":")[0] for each in groups for group in each["static_configs"] for t in group["targets"]}
    assert hosts - {"localhost"} <= demo
    assert hosts - {"localhost"} <= {name for name, each in services.items() if "centre" in each["profiles"]}


def test_alertmanager_reaches_the_inbox_where_the_shipped_routing_has_it(root: Path) -> None:
    services = read(root / "docker/compose.yml")["services"]
    receivers = read(root / "alert_rules/alertmanager/alertmanager.yml")["receivers"]
    assert all(
        hook["url"].startswith("http://127.0.0.1:19094/")
        for receiver in receivers
        for hook in receiver["webhook_configs"]
    )
    assert services["demo-alertmanager"]["network_mode"] == "service:demo"


def test_grafana_gets_the_data_source_and_the_boards_that_compose_mounts(root: Path) -> None:
    provisioning = root / "docker/grafana/provisioning"
    source = read(provisioning / "datasources/prometheus.yml")["datasources"][0]
    prometheus = read(root / "docker/prometheus/prometheus.yml")
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
    boards = read(provisioning / "dashboards/yardlight.yml")["providers"][0]["options"]["path"]
    mounts = read(root / "docker/compose.yml")["services"]["grafana"]["volumes"]
    assert f"../dashboards:{boards}:ro" in mounts


def test_what_the_image_copies_exists(root: Path) -> None:
    lines = (root / "docker/Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert copies
    assert all(list(root.glob(source)) for copied in copies for source in copied)
    # And is let through to the build.
    through = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {source for copied in copies for source in copied} <= through


@pytest.mark.parametrize(("file", "extras"), [("requirements.txt", ()), ("requirements-all.txt", ("s3", "sql"))])
def test_the_image_pins_everything_that_the_package_wants(root: Path, file: str, extras: tuple[str, ...]) -> None:
    """`make lock` was not forgotten."""
    setup = configparser.ConfigParser()
    setup.read(root / "setup.cfg")
    wanted = [setup["options"]["install_requires"], *(setup["options.extras_require"][extra] for extra in extras)]
    lines = [line.strip() for text in wanted for line in text.splitlines()]
    needed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    pins = dict(re.findall(r"^([\w.-]+)==(\S+) ", (root / "docker" / file).read_text(), re.MULTILINE))
    assert len(needed) > 10
    assert [
        str(each) for each in needed if pins.get(each.name.lower().replace("_", "-"), "0") not in each.specifier
    ] == []


def test_every_pin_has_its_hashes(root: Path) -> None:
    for file in root.glob("docker/requirements*.txt"):
        pins = re.findall(r"^\S+==.*?(?=^\S|\Z)", file.read_text(), re.MULTILINE | re.DOTALL)
        assert pins
        assert all("--hash=sha256:" in pin for pin in pins), file

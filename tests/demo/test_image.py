"""The image is built from a clean clone and run; the compose file's demo tells of a cut. No engine, no registry."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.containers import BASE, IMAGE, Containers

Eventually = Callable[..., Any]
FreePort = Callable[[], int]

pytestmark = [
    pytest.mark.needs(
        "mmdebstrap", "buildah", "podman", "runc", "prometheus", "prometheus-alertmanager"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are built and run as root here"),
    pytest.mark.timeout(1500),
]  # fmt: skip

NET_RAW = 1 << 13  # linux/capability.h
MOST = 150_000_000
FLEET = """\
fleet: inland-haul
terminals:
  fontana:
    targets: [127.0.0.1, 127.0.0.2, 127.0.0.3]
    uplinks: {fiber: {}}
"""


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """The image of a clean clone of this checkout, and where it is run."""
    folder = tmp_path_factory.mktemp("containers")
    made = Containers(folder)
    try:
        checkout = folder / "checkout"
        made.run("git", "clone", "--quiet", Path(__file__).parents[2], checkout)
        made.debian()
        made.build(checkout)
        yield made
    finally:
        made.remove()


@pytest.fixture
def served(containers: Containers, tmp_path: Path, eventually: Eventually) -> Iterator[str]:
    """A container that serves the smallest inventory, without any capability but that of raw sockets."""
    (tmp_path / "fleet.yml").write_text(FLEET)
    tmp_path.chmod(0o755)
    name = "served"
    try:
        containers.run(
            "podman", "run", "--detach", "--name", name, "--network", "none", "--cap-drop", "all",
            "--cap-add", "NET_RAW", "--volume", f"{tmp_path}:/etc/yardlight:ro", IMAGE,
        )  # fmt: skip
        eventually(lambda: inside(containers, name, "/-/ready").startswith("200 "), within=120, every=1)
        yield name
    finally:
        containers.run("podman", "rm", "--force", "--ignore", "--time", "2", name)


def inside(containers: Containers, name: str, path: str) -> str:
    """Status and page that the container's own port answers there, asked from inside."""
    code = (
        "import urllib.request\ntry:\n    with urllib.request.urlopen("
        f"'http://127.0.0.1:10480{path}', timeout=10) as page: print(page.status, page.read().decode())\n"
        "except OSError as error: print(error)"
    )
    return containers.run("podman", "exec", name, "python3", "-c", code)


def test_it_answers_metrics_with_what_it_measures_over_raw_sockets(
    containers: Containers, served: str, eventually: Eventually
) -> None:
    up = 'yardlight_uplink_state{fleet="inland-haul",state="up",terminal="fontana",uplink="fiber"} 1'
    eventually(lambda: up in inside(containers, served, "/metrics"), within=60, every=1)


def test_it_runs_without_root_and_with_one_capability(containers: Containers, served: str) -> None:
    process = containers.run("podman", "inspect", served, "--format", "{{.State.Pid}}")
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    assert set(status["Uid"].split()) == {"10480"}
    assert set(status["Gid"].split()) == {"10480"}
    assert [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")] == [NET_RAW] * 3


def test_its_health_is_what_it_says_itself(containers: Containers, served: str, eventually: Eventually) -> None:
    assert containers.run("podman", "healthcheck", "run", served) in ("", "healthy")
    paused = ["podman", "exec", "--env", "YARDLIGHT_PORT=1", served, "python3", "/opt/yardlight/healthcheck.py"]
    nobody = subprocess.run(paused, env=containers.environment, capture_output=True, text=True)
    assert nobody.returncode == 1
    assert "refused" in nobody.stderr


def test_it_adds_at_most_150_mb_to_its_base(containers: Containers) -> None:
    added = containers.size(IMAGE) - containers.size(BASE)
    assert 0 < added <= MOST, f"{added / 1e6:.1f} MB"


@pytest.mark.needs("netavark", "iptables")
def test_the_compose_demo_tells_of_a_cut(containers: Containers, free_port: FreePort, eventually: Eventually) -> None:
    """Everything of the file but Grafana, whose program no Debian package has, and the database among the feeds."""
    checkout = containers.folder / "checkout"
    services = yaml.safe_load((checkout / "docker/compose.yml").read_text())["services"]
    containers.run("podman", "tag", IMAGE, services["demo"]["image"])
    containers.stand_in(services["prometheus"]["image"], "prometheus", "prometheus", "/prometheus")
    teller = services["demo-alertmanager"]["image"]
    templates = Path("/usr/share/prometheus/alertmanager")
    containers.stand_in(teller, "alertmanager", "prometheus-alertmanager", "/alertmanager", templates)
    names = ("YARDLIGHT", "INBOX", "ALERTMANAGER", "PROMETHEUS", "GRAFANA")
    ports = {f"{name}_PORT": str(free_port()) for name in names}
    compose = (
        sys.executable, "-m", "podman_compose", "--file", str(checkout / "docker/compose.yml"), "--profile", "demo",
    )  # fmt: skip
    try:
        containers.run(*compose, "up", "--detach", "--no-build", "demo", "demo-alertmanager", "prometheus", env=ports)
        inbox = f"http://127.0.0.1:{ports['INBOX_PORT']}"
        eventually(lambda: "last heartbeat" in told(inbox), within=240, every=1)
        said = containers.run(
            *compose, "exec", "-T", "demo", "yardlight", "demo", "--fault", "fontana.fiber=cut", env=ports
        )
        assert "fontana" in said
        eventually(lambda: "TerminalOnStandby: Fontana" in told(inbox), within=240, every=1)
    finally:
        containers.run(*compose, "down", "--timeout", "2", env=ports)


def told(inbox: str) -> str:
    """What the inbox shows; nothing while nobody answers."""
    try:
        with urllib.request.urlopen(inbox, timeout=5) as page:
            return str(page.read().decode())
    except OSError:
        return ""

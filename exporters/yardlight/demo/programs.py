"""The programs that the demo starts: the exporter, Prometheus, Alertmanager; none is left over."""

from __future__ import annotations

import ctypes
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from yardlight.demo import DemoOptions, Ports
from yardlight.errors import StartError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STOP_WITHIN = 5.0


@dataclass(frozen=True)
class Program:
    """One program: its command, the port it listens on, and the Debian package that has it."""

    name: str
    command: tuple[str, ...]
    port: int
    package: str = ""

    @property
    def missing(self) -> str | None:
        """What to say if it is not installed, or None."""
        if shutil.which(self.command[0]):
            return None
        return (
            f"{self.command[0]} is missing (Debian and Ubuntu: apt-get install {self.package}): "
            f"the demo runs on without {self.name}"
        )


class Running:
    """A started program. It ends with this process, however that ends."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we end the others in order
                preexec_fn=die_with_parent,
            )

    def ended(self) -> str | None:
        """What to say if it ended by itself, with the end of its log; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
        return f"{self.program.name} ended with {code}; the end of {self.log}:\n{tail}"

    def reload(self) -> None:
        """Have it read its files again."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)

    def ask_to_stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()

    def wait(self) -> None:
        """Wait until it has ended; kill it when it takes too long."""
        try:
            self._process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def die_with_parent() -> None:
    """To be called in a new process before it becomes a program."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def checkout() -> Path:
    """The top of the source tree, where rules and configuration lie. Raises `StartError` for a bare wheel."""
    top = Path(__file__).resolve().parents[3]
    if not (top / "alert_rules").is_dir() or not (top / "docker").is_dir():
        raise StartError(
            "the demo needs Yardlight's source tree (alert_rules/ and docker/): clone it and run `make demo`"
        )
    return top


def exporter(options: DemoOptions, folder: Path) -> Program:
    return Program(
        "Yardlight",
        (
            sys.executable, "-m", "yardlight", "serve",
            "--inventory", str(folder / "fleet.yml"),
            "--web.listen-address", f"{options.host}:{options.ports.exporter}",
            "--state", str(folder / "yardlight.db"),
        ),
        port=options.ports.exporter,
    )  # fmt: skip


def office(folder: Path, today: date) -> tuple[tuple[str, ...], ...]:
    """What people do now and then: two of them get records out, and one opens a back-up."""
    yardlight = (sys.executable, "-m", "yardlight", "records")
    where = ("--inventory", str(folder / "fleet.yml"), "--state", str(folder / "yardlight.db"))
    first, last = (f"{today - timedelta(days=days)}" for days in (4, 2))
    asked = ("retrieve", "--driver", "d101", "--from", first, "--to", last, "--why", "quarterly test")
    return (
        (*yardlight, *asked, "--by", "Ann Lee", *where),
        (*yardlight, *asked, "--by", "Bo Kim", *where),
        (*yardlight, "restored", "shop", "--by", "Bo Kim", "--why", "opened, all vehicles are there", *where),
    )


def prometheus(options: DemoOptions, folder: Path, top: Path) -> Program:
    """Prometheus with the shipped configuration; only addresses and paths are the demo's."""
    config = yaml.safe_load((top / "docker/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    ports = options.ports
    config["rule_files"] = [str(top / "alert_rules" / Path(each).name) for each in config["rule_files"]]
    here = {
        "yardlight:10480": f"127.0.0.1:{ports.exporter}",
        "alertmanager:9093": f"127.0.0.1:{ports.alertmanager}",
        "localhost:9090": f"127.0.0.1:{ports.prometheus}",
    }
    for scraped in (*config["scrape_configs"], *config["alerting"]["alertmanagers"]):
        for group in scraped["static_configs"]:
            group["targets"] = [here[target] for target in group["targets"]]
    _write(folder / "prometheus.yml", config)
    return Program(
        "Prometheus",
        (
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{ports.prometheus}",
            # What is evaluated before Alertmanager is known is lost until it is sent again: a minute by default, and
            # nobody waits that long for a demo. (In earnest the minute is right: an alert outlives a restart by four.)
            "--rules.alert.resend-delay=10s",
            "--log.level=warn",
        ),
        port=ports.prometheus,
        package="prometheus",
    )


def alertmanager(options: DemoOptions, folder: Path, top: Path) -> Program:
    """Alertmanager with the shipped routing; every receiver posts to the inbox."""
    shipped = top / "alert_rules/alertmanager/alertmanager.yml"
    config = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    for receiver in config["receivers"]:
        for hook in receiver.get("webhook_configs", []):
            audience = str(hook["url"]).rpartition("/")[2]
            hook["url"] = f"http://127.0.0.1:{options.ports.inbox}/{audience}"
    config["templates"] = [str(shipped.parent / Path(each).name) for each in config.get("templates", [])]
    _write(folder / "alertmanager.yml", config)
    return Program(
        "Alertmanager",
        (
            "prometheus-alertmanager",
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{options.ports.alertmanager}",
            "--cluster.listen-address=",  # no gossip: one Alertmanager, and no port to guess
            "--log.level=warn",
        ),
        port=options.ports.alertmanager,
        package="prometheus-alertmanager",
    )


def _write(path: Path, config: Any) -> None:
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def taken(ports: Ports, host: str, *, fleet_only: bool) -> list[str]:
    """One sentence for each port that somebody else listens on."""
    wanted = {"Yardlight": (host, ports.exporter), "the inbox": (host, ports.inbox)}
    if not fleet_only:
        wanted["Prometheus"] = ("127.0.0.1", ports.prometheus)
        wanted["Alertmanager"] = ("127.0.0.1", ports.alertmanager)
    return [
        f"{address}:{port} ({name}) is in use" for name, (address, port) in wanted.items() if not _free(address, port)
    ]


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True

"""A yard loses its fiber, then its LTE too, and both come back: what its two senders lose, and what LTE carries.

`python -m tests.lab.cut_off` as root. The senders are the real vmagent with the arguments of docker/compose.yml and the
scrape files that ship, the centre is a real Prometheus. Six hours would take six hours: the dark is shorter, and before
its end a backlog of six hours of the yard's own page is put into the vital queue, with the times that it would have.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import yaml

from tests.lab import namespace, network
from tests.lab.lab import Lab, Setup
from tests.lab.process import ROOT, Program
from tests.lab.router import switching_after
from tests.lab.yard import PORT, TERMINAL
from yardlight import scraping

HOLDER = ("unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child")
REST_USER = 10482
# Where the centre takes what the rest's sender sends: a port of its own, so that its bytes can be counted on the way.
TAKES, TAKES_REST = 9090, 9091
SIX_HOURS = 6 * 3600
_ADDED = ("__name__", "job", "instance")
# What the vital list may cost on LTE in an hour, besides what the router's own pings do: a day of it is 48 MB.
BUDGET = 2e6
# Jobs at the centre.
VITAL, REST, BACKLOG = "yardlight", "yardlight-rest", "backlog"


class Sender:
    """One vmagent of the yard, as compose.yml runs it."""

    def __init__(self, part: str, work: Path, user: int, to: int) -> None:
        service = yaml.safe_load((ROOT / "docker/compose.yml").read_text())["services"][part]
        self.queue = work / f"queue-{part}"
        self.queue.mkdir(parents=True)
        os.chown(self.queue, user, user)
        here = {
            "promscrape.config": str(ROOT / f"docker/prometheus/{part}.yml"),
            "remoteWrite.url": f"http://{network.CENTRE}:{to}/api/v1/write",
            "remoteWrite.tmpDataPath": str(self.queue),
        }
        options = dict(word.removeprefix("-").split("=", 1) for word in service["command"])
        self.port = int(options["httpListenAddr"].rpartition(":")[2])
        words = [f"-{name}={here.get(name, value)}" for name, value in options.items()]
        self.program = Program(
            "yard", part, ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "vmagent", *words), work,
            {"YARDLIGHT_TERMINAL": TERMINAL},
        )  # fmt: skip

    async def counts(self) -> dict[str, float]:
        """Its own metrics, summed over their labels."""
        found: dict[str, float] = {}
        page = (await namespace.fetch("yard", self.port, "/metrics")).decode()
        for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", page, re.MULTILINE):
            found[name] = found.get(name, 0.0) + float(value)
        return found

    async def waiting(self) -> float:
        """Bytes on its disk that were not sent yet."""
        counts = await self.counts()
        return counts["vmagent_remotewrite_pending_data_bytes"] + counts.get(
            "vmagent_remotewrite_pending_inmemory_blocks", 0
        )

    async def takes(self, page: str) -> None:
        """Put lines with times of their own into the queue."""
        body = page.encode()
        with namespace.inside("yard"):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"POST /api/v1/import/prometheus HTTP/1.0\r\nHost: lab\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


class Presence:
    """Which vital series the yard's page has, each second: what is not there cannot be sent."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, frozenset[str]]] = []

    @property
    def looks(self) -> int:
        """How often the page came."""
        return len(self._seen)

    async def watch(self) -> None:
        """Look, until cancelled."""
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                page = (await namespace.fetch("yard", PORT, "/metrics")).decode()
                found = re.findall(r"^(\w+)\{(.*)\} \S+$", page, re.MULTILINE)
                self._seen.append((time.time(), frozenset(f"{name}{{{labels}}}" for name, labels in found)))
            await asyncio.sleep(1)

    def had(self, series: str, at: float) -> bool:
        """Whether the page had it before and after this moment."""
        index = bisect.bisect(self._seen, at, key=lambda seen: seen[0])
        around = self._seen[max(0, index - 1) : index + 1]
        return len(around) == 2 and all(series in names for _, names in around)


class CutOff:
    """The whole run. Figures are kept by name."""

    def __init__(self, work: Path, standby: float, dark: float) -> None:
        self._standby, self._dark = standby, dark
        setup = Setup(router=switching_after(4), metered={"budget": "50 MB"}, truth=())
        self.lab = Lab(setup, work)
        self.lab.box.agent = None
        self.vital, self.rest = Sender("vital", work, 0, TAKES), Sender("rest", work, REST_USER, TAKES_REST)
        self.presence = Presence()
        self.figures: dict[str, float] = {}

    async def run(self) -> dict[str, float]:
        """Everything in its order; the figures."""
        await self.lab.start()
        # As `render prometheus --part rest` says, with the lab's gateway.
        namespace.run("yard", f"ip route replace default via {network.EDGE} src {network.FIBER} table {REST_USER}")
        namespace.run("yard", f"ip rule add uidrange {REST_USER}-{REST_USER} lookup {REST_USER}")
        redirect = f"-p tcp --dport {TAKES_REST} -j REDIRECT --to-ports {TAKES}"
        namespace.run("centre", f"iptables -t nat -A PREROUTING {redirect}")
        network.count_port(TAKES_REST)
        began = time.time()
        watching = asyncio.create_task(self.presence.watch())
        self.vital.program.start()
        self.rest.program.start()
        await asyncio.sleep(30)
        await self._measure("fiber", 30)
        cut = await self.lab.faults.blackhole("fiber")
        await asyncio.sleep(15)
        await self._measure("standby", self._standby)
        gone = await self.lab.faults.blackhole("lte")
        await asyncio.sleep(self._dark / 2)
        rows = await self._put_six_hours()
        await asyncio.sleep(self._dark / 2)
        before, at = self._lte(), time.monotonic()
        await self.lab.faults.heal("lte")
        await self._empty(self.vital)
        self.figures["lte_bytes_of_backlog"] = self._lte() - before
        self.figures["seconds_of_backlog"] = time.monotonic() - at
        self.figures["rest_waiting_bytes"] = await self.rest.waiting()
        await self.lab.faults.heal("fiber")
        await asyncio.sleep(15)
        await self._empty(self.rest)
        await asyncio.sleep(20)
        for circuit in network.WANS:
            self.figures[f"rest_{circuit}_bytes"] = network.bytes_of_port(circuit, TAKES_REST)
        self.figures |= {"dark_seconds": at - gone, "cut_seconds": at - cut}
        watching.cancel()
        await self._judge(began, rows)
        return self.figures

    def _lte(self) -> int:
        return network.bytes_on("lte")

    async def _measure(self, name: str, seconds: float) -> None:
        """Bytes an hour over LTE meanwhile, and those of them that Yardlight's own probes are."""
        before, own, at = self._lte(), await self._probes(), time.monotonic()
        await asyncio.sleep(seconds)
        hours = (time.monotonic() - at) / 3600
        self.figures[f"{name}_lte_bytes_an_hour"] = (self._lte() - before) / hours
        self.figures[f"{name}_lte_probe_bytes_an_hour"] = (await self._probes() - own) / hours

    async def _probes(self) -> float:
        return (await self.lab.box.page()).total("probe_bytes_total", uplink="lte")

    async def _put_six_hours(self) -> int:
        """Six hours of the yard's vital series in the vital queue, every five seconds; how many samples that is."""
        text = (await namespace.fetch("yard", PORT, "/metrics")).decode()
        lines = [line for line in text.splitlines() if re.fullmatch(scraping.vital(), re.split(r"[{ ]", line)[0])]
        parsed = [re.fullmatch(r"(.*)\} (\S+)", line) for line in lines]
        series = [(found[1], float(found[2]), "_total{" in line or "_timestamp_" in line)
                  for line, found in zip(lines, parsed, strict=True) if found]  # fmt: skip
        self.figures["vital_series"] = len(series)
        step = int(scraping.VITAL_EVERY.removesuffix("s"))
        now, rows = int(time.time()), 0
        ages = range(SIX_HOURS, 0, -step)
        for first in range(0, len(ages), 100):
            page = "".join(
                f'{name},job="{BACKLOG}",instance="{TERMINAL}"}} {value + number * grows} {(now - age) * 1000}\n'
                for number, age in enumerate(ages[first : first + 100], first)
                for name, value, grows in series
            )
            rows += page.count("\n")
            await self.vital.takes(page)
        return rows

    async def _empty(self, sender: Sender, within: float = 600) -> None:
        """Wait until it has sent all that waited."""
        deadline = time.monotonic() + within
        quiet = 0
        while quiet < 5:
            quiet = quiet + 1 if await sender.waiting() == 0 else 0
            if time.monotonic() > deadline:
                raise TimeoutError(f"{sender.queue}: still {await sender.waiting()} bytes")
            await asyncio.sleep(1)

    async def _judge(self, began: float, rows: int) -> None:
        """What of the vital list, of the rest and of the six hours is at the centre, against what was taken in."""
        now = time.time()
        self.figures["page_looks"] = self.presence.looks
        for job, sender, step in ((VITAL, self.vital, 5), (REST, self.rest, 15)):
            found = await self._samples(job, now - began)
            # What the yard scraped just before it was asked may still be on its way.
            end = now - 2 * step
            self.figures[f"{job}_series"] = len(found)
            self.figures[f"{job}_samples"] = sum(map(len, found.values()))
            self.figures[f"{job}_missing"] = sum(self._missing(name, times, step, end) for name, times in found.items())
            self.figures[f"{job}_dropped"] = (await sender.counts()).get("vmagent_remotewrite_packets_dropped_total", 0)
        there = sum(map(len, (await self._samples(BACKLOG, SIX_HOURS + 3600)).values()))
        self.figures |= {"six_hours_samples": rows, "six_hours_missing": rows - there}
        self.figures["sending_bytes_an_hour"] = (
            self.figures["standby_lte_bytes_an_hour"] - self.figures["fiber_lte_bytes_an_hour"]
        )

    def _missing(self, series: str, times: Sequence[float], step: int, end: float) -> int:
        """Scrapes from the first to the end whose sample is not there, although the page had the series."""
        until = [*times, max(end, times[-1])]
        gaps = ((before, round((after - before) / step)) for before, after in itertools.pairwise(until))
        return sum(
            self.presence.had(series, before + each * step) for before, steps in gaps for each in range(1, steps)
        )

    async def _samples(self, job: str, back: float) -> dict[str, list[float]]:
        """Times of all samples of a job, by series as the yard's page names them."""
        found: dict[str, list[float]] = {}
        selector = f'{{job="{job}",instance="{TERMINAL}"}}'
        names = json.loads(await self._api("label/__name__/values", {"match[]": selector}))["data"]
        for name in names:
            query = f"{name}{selector}[{int(back) + 60}s]"
            for series in json.loads(await self._api("query", {"query": query}))["data"]["result"]:
                labels = {key: value for key, value in series["metric"].items() if key not in _ADDED}
                written = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
                found[f"{name}{{{written}}}"] = [float(at) for at, _ in series["values"]]
        return found

    async def _api(self, path: str, query: dict[str, str]) -> str:
        return (await namespace.fetch("centre", TAKES, f"/api/v1/{path}?{urlencode(query)}", timeout=60)).decode()


async def _run(work: Path, standby: float, dark: float) -> dict[str, float]:
    namespace.prepare()
    return await CutOff(work, standby, dark).run()


def judge(figures: dict[str, float]) -> list[str]:
    """What of the bar does not hold."""
    wanted = {f"{job}_{what}": 0 for job in (VITAL, REST) for what in ("missing", "dropped")}
    wanted |= {"six_hours_missing": 0, "sending_bytes_an_hour": BUDGET, "rest_lte_bytes": 0}
    found = [f"{name} is {figures[name]:g}" for name, most in wanted.items() if figures[name] > most]
    there = [f"{job}_series" for job in (VITAL, REST)]
    there += ["vital_series", "six_hours_samples", "page_looks", "rest_fiber_bytes"]
    return found + [f"{name} is 0: nothing was looked at" for name in there if not figures[name]]


def main(argv: Sequence[str] | None = None) -> int:
    """0 when nothing was lost, 1 otherwise, 2 when it cannot run here."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.cut_off", description=__doc__)
    parser.add_argument("--standby", type=float, default=120, metavar="SECONDS", help="on LTE; default: %(default)g")
    parser.add_argument("--dark", type=float, default=360, metavar="SECONDS", help="without any; default: %(default)g")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs there")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    if arguments.inside:
        figures = asyncio.run(_run(arguments.keep, arguments.standby, arguments.dark))
        (arguments.keep / "figures.json").write_text(json.dumps(figures))
        return 0
    if os.geteuid() != 0 or namespace.missing() or not shutil.which("vmagent"):
        print("no lab here: it wants root, vmagent, and what tests.lab wants", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="yardlight-cut-off-") as folder:
        work = arguments.keep or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        work.chmod(0o755)
        command = (
            *HOLDER, sys.executable, "-m", "tests.lab.cut_off", "--inside", "--keep", str(work),
            "--standby", str(arguments.standby), "--dark", str(arguments.dark),
        )  # fmt: skip
        if (code := subprocess.run(command, cwd=ROOT, check=False).returncode) != 0:
            return code
        figures = json.loads((work / "figures.json").read_text())
    for name, value in figures.items():
        print(f"{name:36} {value:14,.1f}")
    for problem in (problems := judge(figures)):
        print(f"NOT HELD: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())

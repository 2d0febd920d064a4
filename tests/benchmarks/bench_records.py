"""A million small files: the first check of all, a steady one, and records of five drivers and five vehicles.

Each check runs in a process of its own, whose memory at its peak is told. The peer of a steady check is the first one:
what it saves is the whole point of the index.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import bcrypt
import requests

from yardlight.collection import Session
from yardlight.inventory.load import load
from yardlight.records.domain import check_of
from yardlight.records.web import Shelf
from yardlight.server import Server

DAYS = 1000
TODAY = date.today()
FLEET = """\
fleet: bench
roster: {trucks: trucks.csv, drivers: drivers.csv}
archives:
  eld: {path: eld, pattern: "{driver}/{date:%Y-%m-%d}.csv", rule: rods, format: csv, read_at_most: 100 GB}
  dvir: {path: dvir, pattern: "{vehicle}/{date:%Y-%m-%d}.csv", rule: dvir, format: csv, read_at_most: 100 GB}
terminals:
  fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}
"""


def make(folder: Path, files: int) -> None:
    """Two archives with half of the files each, a day's record for each driver and each vehicle."""
    count = files // 2 // DAYS
    for root, letter in (("eld", "d"), ("dvir", "t")):
        for number in range(count):
            below = folder / root / f"{letter}{number}"
            below.mkdir(parents=True)
            for back in range(1, DAYS + 1):
                day = TODAY - timedelta(days=back)
                (below / f"{day}.csv").write_text(f"{letter}{number},{day},off duty\n" * 6)
    rows = "".join(f"d{number},2000-01-01,,eld\n" for number in range(count))
    (folder / "drivers.csv").write_text("code,hired,left,logs\n" + rows)
    (folder / "trucks.csv").write_text("truck\n" + "".join(f"t{number}\n" for number in range(count)))
    (folder / "fleet.yml").write_text(FLEET)


def check(folder: Path) -> None:
    """One check of both archives, in this process; prints seconds, its peak of memory, and what was found."""
    fleet = load(folder / "fleet.yml").fleet
    began, found = time.monotonic(), {}
    for name in fleet.archives:
        job = check_of(fleet, name, folder, folder / "yardlight.db")
        blocks = {each.metric.name: each.body.decode() for each in job(Session(time.monotonic() + 7200.0))}
        found[name] = [blocks[f"yardlight_archive_{key}"].split()[-1] for key in ("files", "unread_files", "gaps")]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.monotonic() - began, "mib": peak, "found": found}))


def measured(folder: Path) -> dict[str, object]:
    done = subprocess.run([sys.executable, __file__, "check", str(folder)], check=True, capture_output=True, text=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


class Process:
    """What the server asks of a process, which does nothing else."""

    def __init__(self, folder: Path) -> None:
        self._shelf = Shelf(load(folder / "fleet.yml").fleet, folder / "fleet.yml", folder / "yardlight.db")
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def shelves(self) -> list[Shelf]:
        return [self._shelf]

    def heartbeat(self) -> float:
        return time.monotonic()


def by_form(folder: Path, first: date, last: date) -> tuple[float, bytes]:
    """Seconds from the press to the whole zip, of five drivers and five vehicles, and the zip."""
    hash_ = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    (folder / "web.yml").write_text(f"basic_auth_users: {{ann: {hash_}}}\n")
    process = Process(folder)
    server = Server(process, "127.0.0.1:0", folder / "web.yml", records=process)  # type: ignore[arg-type]
    server.start()
    form = f"http://127.0.0.1:{server.port}/records/"
    person = requests.Session()
    person.auth = ("ann", "secret")
    key = re.findall(r'name="key" value="(\w+)"', person.get(form).text)[0]
    asked = {
        "key": key, "fleet": "bench", "archive": ["eld", "dvir"], "first": str(first), "last": str(last), "why": "test",
        "drivers": " ".join(f"d{number}" for number in range(5)),
        "vehicles": " ".join(f"t{number}" for number in range(5)),
    }  # fmt: skip
    began = time.monotonic()
    page = person.post(form, data=asked)
    while "<h1>Packing</h1>" in page.text:
        time.sleep(0.2)
        page = person.get(page.url)
    assert "<h1>Complete</h1>" in page.text, page.text
    data = person.get(f"{page.url}/records.zip").content
    took = time.monotonic() - began
    server.stop()
    return took, data


def main(files: int, where: Path | None) -> None:
    with tempfile.TemporaryDirectory(dir=where) as name:
        folder = Path(name)
        began = time.monotonic()
        make(folder, files)
        print(f"{files} files made in {time.monotonic() - began:.0f} s")
        first = measured(folder)
        print(f"first check {first['seconds']:.1f} s, {first['mib']:.0f} MiB, files/unread/gaps {first['found']}")
        steady = [measured(folder) for _ in range(3)]
        best = min(float(str(each["seconds"])) for each in steady)
        print(
            f"steady check {best:.1f} s (best of 3), {steady[0]['mib']:.0f} MiB: {first['seconds'] / best:.1f} x faster"
        )  # type: ignore[operator]
        first_day, last = TODAY - timedelta(days=183), TODAY - timedelta(days=1)
        took, data = by_form(folder, first_day, last)
        names = {each for each in zipfile.ZipFile(BytesIO(data)).namelist() if each.endswith(".csv")}
        expected = {
            f"{root}/{letter}{number}/{first_day + timedelta(days=each)}.csv"
            for root, letter in (("eld", "d"), ("dvir", "t"))
            for number in range(5)
            for each in range((last - first_day).days + 1)
        }
        whole = names == expected
        print(f"retrieval by the form {took:.1f} s, {len(names)} files, complete by independent count: {whole}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, Path(sys.argv[2]) if len(sys.argv) > 2 else None)

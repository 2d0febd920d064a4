"""An archive of many objects in a store that speaks S3: the first check of all, a steady one, one after a few changes.

The store is moto in a process of its own, which counts what it is asked; its objects are put into it without a way over
the network. Each check runs in a process of its own, whose memory at its peak is told.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from yardlight.collection import Session
from yardlight.inventory.load import load
from yardlight.records.domain import check_of

DAYS = 1000
TODAY = date.today()
CHANGED = 10
FLEET = """\
fleet: bench
roster: {{trucks: trucks.csv, drivers: drivers.csv}}
archives:
  eld: {{path: {{path: "s3://records/eld", endpoint: "{url}", region: us-east-1, key_file: key}},
        pattern: "{{driver}}/{{date:%Y-%m-%d}}.csv", rule: rods, format: csv, read_at_most: 100 GB}}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
"""


def serve(objects: int) -> None:
    """A store with so many objects; a line on stdin asks for what it was asked since the last one, or changes some."""
    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket("records", "us-east-1")
    for number in range(objects // DAYS):
        for back in range(1, DAYS + 1):
            day = TODAY - timedelta(days=back)
            backend.put_object("records", f"eld/d{number}/{day}.csv", f"d{number},{day},off duty\n".encode())
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    asked: Counter[str] = Counter()
    _count(server, asked)
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    for line in sys.stdin:
        if line.strip() == "change":
            for number in range(CHANGED):
                day = TODAY - timedelta(days=number + 1)
                backend.put_object("records", f"eld/d{number % (objects // DAYS)}/{day}.csv", b"another content\n")
        print(json.dumps(asked), flush=True)
        asked.clear()


def _count(server: Any, asked: Counter[str]) -> None:
    """Count listings and reads of objects."""
    application = server._server.app

    def counting(environ: dict[str, Any], start: Any) -> Any:
        listing = "list-type" in environ.get("QUERY_STRING", "")
        asked["listings" if listing else f"{environ['REQUEST_METHOD']}s of objects"] += 1
        return application(environ, start)

    server._server.app = counting


def check(folder: Path) -> None:
    """One check in this process; prints seconds, its peak of memory, and what was found."""
    fleet = load(folder / "fleet.yml").fleet
    began = time.monotonic()
    job = check_of(fleet, "eld", folder, folder / "yardlight.db")
    blocks = {each.metric.name: each.body.decode() for each in job(Session(time.monotonic() + 7200.0))}
    found = [blocks[f"yardlight_archive_{key}"].split()[-1] for key in ("files", "unread_files", "gaps")]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.monotonic() - began, "mib": peak, "files/unread/gaps": found}))


def main(objects: int) -> None:
    store = subprocess.Popen(
        [sys.executable, __file__, "serve", str(objects)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert store.stdin
    assert store.stdout
    url = store.stdout.readline().strip()

    def told(what: str) -> str:
        assert store.stdin
        assert store.stdout
        store.stdin.write(f"{what}\n")
        store.stdin.flush()
        return store.stdout.readline().strip()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "key").write_text("AKID:shh\n")
        drivers = "".join(f"d{number},2000-01-01,,eld\n" for number in range(objects // DAYS))
        (folder / "drivers.csv").write_text("code,hired,left,logs\n" + drivers)
        (folder / "trucks.csv").write_text("truck\nt1\n")
        (folder / "fleet.yml").write_text(FLEET.format(url=url))
        for what in ("first", "steady", "changed"):
            if what == "changed":
                told("change")
            done = subprocess.run(
                [sys.executable, __file__, "check", str(folder)], check=True, capture_output=True, text=True
            )
            print(f"{what}: {done.stdout.strip()}; asked {told('asked')}", flush=True)
    store.stdin.close()
    store.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

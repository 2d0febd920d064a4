"""100 000 tablets in Intune, 1 000 a page, collected by `yardlight serve` and, in the same run, by a bare loop.

The tenant is a process of its own that sends finished answers, so that it is not what is measured. Its records are as
wide as Graph's (some 2 KB) for whoever asks for all of a device, and have the asked fields for who asks with $select;
with --deaf, everybody gets them whole.
The bare loop is requests and json following the links, in two forms: as a script is written, with whole records, and
with the fields that we ask for. Ours is a collection as it ends on the page: matched, judged, counted, remembered.

Printed: the ratios of each round, the memory of all our processes together, the lag of the main loop beside that of a
loop that has nothing to do, and how long /metrics took while all this went on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from harness import Every, Memory, Scraper, bare, child, free_port, ours, percentile

from yardlight.mdm.platforms.intune import FIELDS

PAGE = 1000
NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
RATIO, MEMORY, LAG, ANSWER = 1.5, 450 * 2**20, 0.010, 0.030
LIST = "/v1.0/deviceManagement/managedDevices"
SELECT = "?$top=1000&$select=" + ",".join(FIELDS)
# What Graph has besides and nobody here needs: names and kinds of values as documented, made up.
OTHER: dict[str, Any] = {
    **dict.fromkeys(
        (
            "userId", "managedDeviceOwnerType", "jailBroken", "deviceRegistrationState", "managementAgent", "model",
            "activationLockBypassCode", "emailAddress", "azureADDeviceId", "deviceEnrollmentType", "manufacturer",
            "exchangeAccessState", "exchangeAccessStateReason", "remoteAssistanceSessionUrl", "userPrincipalName",
            "remoteAssistanceSessionErrorDetails", "userDisplayName", "wiFiMacAddress", "meid", "subscriberCarrier",
            "androidSecurityPatchLevel", "partnerReportedThreatState", "managedDeviceName",
            "ethernetMacAddress", "notes", "udid", "iccid", "configurationManagerClientEnabledFeatures",
        ),
        "made up, and as long as such a text is",
    ),
    **dict.fromkeys(
        (
            "easActivationDateTime", "exchangeLastSuccessfulSyncDateTime", "complianceGracePeriodExpirationDateTime",
            "managementCertificateExpirationDate",
        ),
        "0001-01-01T00:00:00Z",
    ),
    **dict.fromkeys(("easActivated", "azureADRegistered", "isSupervised", "isEncrypted"), True),
    **dict.fromkeys(("totalStorageSpaceInBytes", "freeStorageSpaceInBytes", "physicalMemoryInBytes"), 64_000_000_000),
    "deviceHealthAttestationState": None,
}  # fmt: skip


def device(number: int, now: datetime) -> dict[str, Any]:
    spoke = now - timedelta(seconds=number * 7919 % 40_000, microseconds=number)
    said = (
        f"{number:08x}-0000-4000-8000-{number:012x}", f"R52M{number:07}", f"tablet {number}",
        ("Drivers", "Yard", "Dock")[number % 3], "Android", ("13", "14", "12")[number % 3],
        spoke.isoformat().replace("+00:00", "Z"), "2025-06-01T00:00:00Z", "compliant", "managed", [],
        f"35{number:013}", f"+1555{number:07}",
    )  # fmt: skip
    return dict(zip(FIELDS, said, strict=True))


def tenant(port: int, count: int, deaf: bool) -> None:
    """Send finished answers until told to end; one that is `deaf` sends all of a device whatever is asked for."""
    now, base = datetime.now(UTC), f"http://127.0.0.1:{port}{LIST}"
    answers = {
        "/contoso/oauth2/v2.0/token": _answer({"access_token": "bench", "expires_in": 3599}),
        "/v1.0/deviceManagement/managedDeviceOverview": _answer({"enrolledDeviceCount": count}),
        "/v1.0/deviceManagement": _answer({"settings": {"secureByDefault": True}}),
    }
    for kind, more in (("whole", OTHER), ("asked", {})):
        for start in range(0, count, PAGE):
            page: dict[str, Any] = {"value": [{**device(each, now), **more} for each in range(start, start + PAGE)]}
            if start + PAGE < count:
                page["@odata.nextLink"] = f"{base}?$skiptoken={kind}-{start + PAGE}"
            answers[f"{kind}-{start}"] = _answer(page)
    with socket.create_server(("127.0.0.1", port), backlog=64) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection, answers, deaf), daemon=True).start()


def _answer(content: Any) -> bytes:
    body = json.dumps(content).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _serve(connection: socket.socket, answers: dict[str, bytes], deaf: bool) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Whoever is killed by the deadline hangs up.
    with contextlib.suppress(ConnectionError), connection, connection.makefile("rb") as stream:
        while line := stream.readline():
            length = 0
            for header in iter(stream.readline, b"\r\n"):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            stream.read(length)
            path, _, query = line.split()[1].decode().partition("?")
            if path == LIST:
                token = re.search(r"skiptoken=([a-z]+-\d+)", query)
                path = token[1] if token else "asked-0" if "select" in query and not deaf else "whole-0"
            connection.sendall(answers.get(path, NOTHING))


def loop(link: str) -> None:
    """Requests and json that follow the links; print the seconds."""
    began, devices = time.perf_counter(), []
    with requests.Session() as session:
        while link:
            content = session.get(link, headers={"Authorization": "Bearer bench"}, timeout=60).json()
            devices += content["value"]
            link = content.get("@odata.nextLink", "")
    print(time.perf_counter() - began)


def bare_loop(link: str) -> float:
    """How long that takes, in a process of its own."""
    told = subprocess.run([sys.executable, __file__, "--loop", link], stdout=subprocess.PIPE, text=True, check=True)
    return float(told.stdout)


def inventory(folder: Path, port: int, every: float) -> None:
    (folder / "secret").write_text("bench\n", encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    (folder / "fleet.yml").write_text(
        f"""\
fleet: bench
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00"}}}}
accounts:
  graph: {{platform: intune, tenant: contoso, client_id: abc, client_secret_file: secret,
          url: "{url}", login_url: "{url}"}}
mdm:
  tablets:
    account: graph
    poll: {every:g}s
    deadline: {every:g}s
    groups:
      drivers: {{mdm_groups: Drivers, duty: weekdays, stale_after: 12h, os: {{android: "13"}}}}
      yard: {{mdm_groups: Yard}}
terminals: {{t0: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}}}
""",
        encoding="utf-8",
    )


class Shown:
    """What /metrics says of the collections: asked five times a second, each answer timed."""

    def __init__(self, port: int) -> None:
        self.seconds: list[float] = []
        self._scraper = Scraper(port)
        self._plain = port
        self._every = Every(0.2, self._ask)

    def _ask(self) -> None:
        self.seconds.append(self._scraper.scrape()[0])

    def end(self) -> None:
        self._every.end()

    def collections(self) -> Iterator[float]:
        """How long each collection took, as they end."""
        last = ""
        while True:
            text = requests.get(f"http://127.0.0.1:{self._plain}/metrics", timeout=30).text
            ended = _value(text, "poll_last_success_timestamp_seconds")
            if ended and ended != last:
                last = ended
                yield float(_value(text, "poll_duration_seconds"))
            time.sleep(0.2)

    def devices(self) -> int:
        text = requests.get(f"http://127.0.0.1:{self._plain}/metrics", timeout=30).text
        return round(sum(float(found) for found in re.findall(r"^yardlight_devices\{.*\} (\S+)$", text, re.MULTILINE)))


def _value(text: str, name: str) -> str:
    found = re.search(rf'^yardlight_{name}\{{.*poll="mdm/tablets".*\}} (\S+)$', text, re.MULTILINE)
    return found[1] if found else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--every", type=float, default=25.0, help="seconds from one collection of ours to the next")
    parser.add_argument("--deaf", action="store_true", help="the tenant sends whole records, whatever is asked for")
    parser.add_argument("--tenant", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--loop", help=argparse.SUPPRESS)
    options, _ = parser.parse_known_args()
    if options.loop:
        loop(options.loop)
        return 0
    if options.tenant:
        tenant(options.tenant, options.devices, options.deaf)
        return 0
    if child():
        return 0
    with tempfile.TemporaryDirectory() as made:
        folder, theirs, port = Path(made), free_port(), free_port()
        inventory(folder, theirs, options.every)
        command = [sys.executable, __file__, "--tenant", str(theirs), "--devices", str(options.devices)]
        command += ["--deaf"] if options.deaf else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as fake, bare() as idle:
            assert fake.stdout is not None
            fake.stdout.readline()
            try:
                return _measured(options, folder, theirs, port, idle)
            finally:
                fake.terminate()


def _measured(options: argparse.Namespace, folder: Path, theirs: int, port: int, idle: Any) -> int:
    url = f"http://127.0.0.1:{theirs}"
    whole, asked, took = [], [], []
    with ours(folder, port) as process:
        most, shown = Memory(process.process.pid, 0.1), Shown(port)
        for seconds in shown.collections():
            took.append(seconds)
            whole.append(bare_loop(f"{url}{LIST}?$top={PAGE}"))
            asked.append(bare_loop(url + LIST + SELECT))
            line = f"ours {took[-1]:.2f} s, whole records {whole[-1]:.2f} s, asked fields {asked[-1]:.2f} s"
            print(f"  {line}", flush=True)
            if len(took) == options.rounds:
                break
        count = shown.devices()
        most.end()
        shown.end()
        lag, calm = process.end(), idle.end()
    ratio, narrow = (statistics.median(a / b for a, b in zip(took, of, strict=True)) for of in (whole, asked))
    answer = percentile(shown.seconds, 0.99)
    parts = ", ".join(f"{each / 2**20:.0f}" for each in most.parts)
    print(f"{count} devices, {PAGE} a page, {options.rounds} rounds, medians of the ratios of each round")
    print(f"  ours / bare loop, whole records   {ratio:.2f}  (bar {RATIO})")
    print(f"  ours / bare loop, asked fields    {narrow:.2f}")
    print(f"  memory of all processes           {most.bytes / 2**20:.0f} MiB at most  ({parts}; bar {MEMORY // 2**20})")
    print(f"  lag of the main loop              {lag}  (bar p99.9 {LAG * 1e3:.0f} ms)")
    print(f"  lag of a loop with nothing to do  {calm}")
    print(f"  /metrics                          p99 {answer * 1e3:.1f} ms  (bar {ANSWER * 1e3:.0f} ms)")
    good = count == options.devices and ratio <= RATIO and most.bytes <= MEMORY and lag.p999 <= LAG and answer <= ANSWER
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""1 000 webhooks a second for a minute, 1 % of them signed wrongly: none lost, none accepted wrongly, no probe delayed.

A process of its own calls over connections that it keeps, signs as Samsara does and keeps its own account of what it
sent and what it was answered; half a percent is sent twice. What we counted is read from the page, and from that of the
next process. The loop that probes 20 terminals meanwhile is
watched, and so is a bare one in a process beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from harness import Every, Scraper, bare, child, cpu_seconds, free_port, ours, percentile

SECRET = base64.b64encode(b"a key of the benchmark, 32 bytes").decode()
CONNECTIONS = 32
TERMINALS = "\n".join(
    f'  t{n}: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{medium: fiber}}}}}}' for n in range(20)
)
FLEET_FILE = f"""\
fleet: bench
accounts: {{samsara: {{platform: samsara, token_file: secret}}}}
webhooks: {{events: {{account: samsara, secret_files: secret, rate: 5000/s}}}}
terminals:
{TERMINALS}
"""
BAD = {7: "altered", 107: "no_signature", 207: "other_key", 307: "old"}


def call(number: int, kind: str, key: bytes) -> bytes:
    """A call as it goes over the wire."""
    name = number - 1 if kind == "again" else number
    body = json.dumps(
        {"eventId": f"event-{name:012}", "eventType": "AddressCreated", "data": {"address": {"id": f"{name}"}},
         "filler": "x" * 300}
    ).encode()  # fmt: skip
    stamp = f"{int(time.time()) - (3600 if kind == 'old' else 0)}"
    used = b"another key" if kind == "other_key" else key
    signature = hmac.new(used, b"v1:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    if kind == "altered":
        body = body.replace(b"Created", b"Deleted")
    signed = "" if kind == "no_signature" else f"X-Samsara-Signature: v1={signature}\r\n"
    head = (
        f"POST /webhooks/bench/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Samsara-Timestamp: {stamp}\r\n{signed}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def kind_of(number: int) -> str:
    """Every hundredth is bad, in four ways; every two hundredth is the one before once more."""
    return BAD.get(number % 400, "again" if number % 200 == 33 else "good")


async def load(port: int, rate: float, seconds: float) -> None:
    """Call as often as asked for, and print the account of it."""
    sent: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    took: list[float] = []
    numbers, key = count(1), base64.b64decode(SECRET)
    began = time.monotonic()
    total = int(rate * seconds)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in iter(lambda: next(numbers), None):
            if number > total:
                break
            await asyncio.sleep(began + number / rate - time.monotonic())
            kind = kind_of(number)
            message = call(number, kind, key)
            asked = time.monotonic()
            sent[kind] += 1
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"(?i)content-length: (\d+)", head)
            assert size is not None
            await reader.readexactly(int(size[1]))
            took.append(time.monotonic() - asked)
            answered[f"{kind} {head[9:12].decode()}"] += 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    lasted = time.monotonic() - began
    told = {"sent": sent, "answered": answered, "seconds": lasted}
    print(json.dumps({**told, "p50": percentile(took, 0.5), "p99": percentile(took, 0.99), "worst": max(took)}))


def counted(port: int) -> dict[str, float]:
    """What the page says of the webhook; refusals by their reason."""
    text = gzip.decompress(Scraper(port).scrape()[1]).decode()
    found: dict[str, float] = {}
    for name, labels, value in re.findall(r"^yardlight_webhook_(\w+)_total\{(.*?)\} (\S+)$", text, re.MULTILINE):
        reason = re.search(r'reason="(\w+)"', labels)
        found[f"{name} {reason[1]}" if reason else name] = float(value)
    return found


def verdicts(told: dict[str, Counter[str]], page: dict[str, float]) -> Iterator[tuple[str, bool]]:
    """What must hold, and whether it does."""
    sent, answered = told["sent"], told["answered"]
    signed = sent["good"] + sent["again"]
    bad = sum(sent.values()) - signed
    taken = sum(number for what, number in answered.items() if what.endswith(" 200"))
    yield (
        f"of {signed} signed rightly, {answered['good 200'] + answered['again 200']} were answered with 200",
        (answered["good 200"] + answered["again 200"] == signed),
    )
    yield f"of these, {page['received']:.0f} are counted", page["received"] == signed
    yield f"of {sent['again']} sent twice, {page['duplicates']:.0f} are counted so", page["duplicates"] == sent["again"]
    refused = page["refused signature"] + page["refused timestamp"]
    yield (
        f"of {bad} signed wrongly, {taken - signed} were accepted, {refused:.0f} refused",
        (taken == signed and refused == bad),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=1000.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "fleet.yml").write_text(FLEET_FILE)
        (folder / "secret").write_text(SECRET)
        port = free_port()
        we = stack.enter_context(ours(folder, port))
        beside = stack.enter_context(bare())
        scraping = Every(5.0, Scraper(port).scrape)
        we.restart()
        cpu = cpu_seconds(we.process.pid)
        command = [sys.executable, sys.argv[0], "--load", str(port), str(args.rate), str(args.seconds)]
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        share = (cpu_seconds(we.process.pid) - cpu) / told["seconds"]
        scraping.end()
        # What nobody waited for is written a second later.
        time.sleep(2.0)
        page = counted(port)
        lag, beside_lag = we.end(), beside.end()
        again = free_port()
        with ours(folder, again):
            kept = counted(again)
    told = {**told, "sent": Counter(told["sent"]), "answered": Counter(told["answered"])}
    number = sum(told["sent"].values())
    p50, p99, worst = (told[name] * 1e3 for name in ("p50", "p99", "worst"))
    print(f"{number} calls over {CONNECTIONS} connections, {number / told['seconds']:.0f} a second")
    print(f"answered in p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.0f} ms")
    results = [*verdicts(told, page), ("after the process was started anew the same is counted", kept == page)]
    for what, holds in results:
        print(f"{'yes' if holds else 'NO '}  {what}")
    print(f"{share:.1%} of a core; loop lag: {lag}, asked {lag.asked} times\n  a bare loop beside it: {beside_lag}")
    if not all(holds for _, holds in results):
        sys.exit(1)


if __name__ == "__main__":
    if "--load" in sys.argv:
        asyncio.run(load(int(sys.argv[-3]), float(sys.argv[-2]), float(sys.argv[-1])))
    elif not child():
        main()

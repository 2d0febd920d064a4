"""Calls over real HTTP: who is answered how, what is counted, and what survives the process."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import http.client
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import bcrypt
import pytest

from tests.served import Process
from tests.webhooks.world import KEY, OTHER, World, event, signed, world
from yardlight.state import State, Total
from yardlight.webhooks import receiver as module
from yardlight.webhooks.receiver import Receiver, Receivers

Eventually = Callable[..., object]


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def test_a_call_that_is_signed_is_counted_before_it_is_answered(hooked: World) -> None:
    assert hooked.value("received_total") == 0
    assert hooked.value("last_received_timestamp_seconds") is None
    assert hooked.call(event(), signed(event())) == 200
    assert hooked.value("received_total", account="samsara") == 1
    assert hooked.value("last_received_timestamp_seconds") == pytest.approx(hooked.receivers._clock(), abs=60)
    with sqlite3.connect(f"file:{hooked.state.path}?mode=ro", uri=True) as other:
        assert '"received": 1' in other.execute("SELECT value FROM total WHERE metric = 'webhook'").fetchone()[0]


def test_a_call_that_is_not_signed_rightly_is_refused_and_counted_by_its_reason(
    hooked: World, eventually: Eventually
) -> None:
    body = event()
    assert hooked.call(body, signed(body, OTHER)) == 401
    assert hooked.call(body, {}) == 401
    assert hooked.call(event("other"), signed(body)) == 401
    assert hooked.call(body, signed(body, at=1_000_000_000)) == 401
    eventually(lambda: hooked.value("refused_total", reason="timestamp") == 1)
    assert hooked.value("refused_total", reason="signature") == 3
    assert hooked.value("refused_total", reason="rate") == 0
    assert hooked.value("received_total") == 0
    assert hooked.value("last_received_timestamp_seconds") is None


def test_a_call_that_came_before_is_answered_well_counted_as_such_and_proves_no_life(hooked: World) -> None:
    body = event()
    assert hooked.call(body, signed(body)) == 200
    last = hooked.value("last_received_timestamp_seconds")
    assert hooked.call(body, signed(body)) == 200
    assert (hooked.value("received_total"), hooked.value("duplicates_total")) == (2, 1)
    assert hooked.value("last_received_timestamp_seconds") == last
    assert hooked.call(event("e2"), signed(event("e2"))) == 200
    assert hooked.value("duplicates_total") == 1


def test_of_vendors_without_names_the_same_body_is_the_same_call(tmp_path: Path) -> None:
    with world(tmp_path, "samsara: {account: motive, secret_files: hook}") as hooked:
        for body, duplicates in ((b'{"action": "a"}', 0), (b'{"action": "b"}', 0), (b'{"action": "a"}', 1)):
            headers = {"X-KT-Webhook-Signature": hmac.new(KEY.encode(), body, hashlib.sha1).hexdigest()}
            assert hooked.call(body, headers) == 200
            assert hooked.value("duplicates_total") == duplicates


def test_numbers_that_a_vendor_skips_are_missing_until_they_come(tmp_path: Path) -> None:
    own = "signature: {header: X-Sig}, id: id, sequence: number"
    with world(tmp_path, f"samsara: {{account: tms, secret_files: hook, {own}}}") as hooked:
        assert hooked.value("missing_calls") is None
        for number, missing in ((5, 0), (6, 0), (9, 2), (7, 1), (9, 1), (8, 0)):
            body = b'{"id": "n%d", "number": %d}' % (number, number)
            headers = {"X-Sig": hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()}
            assert hooked.call(body, headers) == 200
            assert hooked.value("missing_calls") == missing
        body = b"no JSON at all"
        assert hooked.call(body, {"X-Sig": hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()}) == 200
        assert hooked.value("missing_calls") == 0


def test_a_call_that_the_expressions_cannot_be_asked_of_counts_by_its_body(tmp_path: Path) -> None:
    with world(tmp_path, "samsara: {account: samsara, secret_files: hook, sequence: 'length(items)'}") as hooked:
        body = event("a", items=None)
        assert [hooked.call(body, signed(body)) for _ in range(2)] == [200, 200]
        assert hooked.value("received_total") == 2


def test_a_call_that_is_too_large_is_refused_whether_it_says_so_or_not(tmp_path: Path, eventually: Eventually) -> None:
    with world(tmp_path, "samsara: {account: samsara, secret_files: hook, max_size: 1 kB}") as hooked:
        body = event(filler="x" * 1000)
        assert hooked.call(body, signed(body)) == 413
        chunked = hooked.answer(iter([b"x" * 600] * 3), {"Transfer-Encoding": "chunked"}, "/webhooks/inland/samsara")
        assert chunked.status == 413
        small = event()
        assert hooked.call(small, signed(small)) == 200
        eventually(lambda: hooked.value("refused_total", reason="too_large") == 2)


def test_a_call_that_is_packed_is_refused_unopened(hooked: World) -> None:
    packed = gzip.compress(event())
    assert hooked.call(packed, signed(packed) | {"Content-Encoding": "gzip"}) == 415


def test_more_signed_calls_than_the_rate_are_sent_away_for_a_while_and_unsigned_ones_use_up_nothing(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "samsara: {account: samsara, secret_files: hook, rate: 1/m}") as hooked:
        for _ in range(5):
            assert hooked.call(event(), signed(event(), OTHER)) == 401
        assert hooked.call(event("a"), signed(event("a"))) == 200
        answer = hooked.answer(event("b"), signed(event("b")), "/webhooks/inland/samsara")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert hooked.value("received_total") == 1


def test_a_body_that_does_not_come_is_not_waited_for(hooked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yardlight.webhooks.web._BODY_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", hooked.server.port), timeout=20) as slow:
        slow.sendall(b"POST /webhooks/inland/samsara HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
        assert b" 408 " in slow.recv(1000)


def test_what_is_not_in_the_inventory_is_not_found(hooked: World) -> None:
    assert hooked.call(event(), signed(event()), name="nobody") == 404
    assert hooked.call(event(), signed(event()), fleet="nobody") == 404


def test_both_secrets_are_right_while_they_are_changed_and_a_changed_file_is_read_again(
    tmp_path: Path, eventually: Eventually
) -> None:
    (tmp_path / "new").write_text(OTHER)
    with world(tmp_path, "samsara: {account: samsara, secret_files: [hook, new]}") as hooked:
        assert hooked.call(event("a"), signed(event("a"))) == 200
        assert hooked.call(event("b"), signed(event("b"), OTHER)) == 200
        (tmp_path / "hook").write_text(OTHER)
        eventually(lambda: hooked.call(event("c"), signed(event("c"))) == 401)


def test_without_a_secret_nothing_is_believed_and_the_vendor_may_come_again(
    tmp_path: Path, eventually: Eventually
) -> None:
    with world(tmp_path) as hooked:
        (tmp_path / "hook").unlink()
        eventually(lambda: hooked.call(event("a"), signed(event("a"))) == 503)
        [row] = hooked.receivers.rows()
        assert (row.state, row.reason) == ("failing", "cannot read the secret file 'hook': no such file or directory")
        assert hooked.call(event("b"), signed(event("b"), "")) == 503
        (tmp_path / "hook").write_text("no base64!")
        eventually(lambda: hooked.call(event(), {}) == 503 and "base64" in hooked.receivers.rows()[0].reason)
        assert "no base64!" not in str(hooked.receivers.rows())


def test_a_password_is_asked_of_people_and_not_of_vendors(tmp_path: Path) -> None:
    config = tmp_path / "web.yml"
    config.write_text(f"basic_auth_users: {{noc: '{bcrypt.hashpw(b'pw', bcrypt.gensalt(4)).decode()}'}}\n")
    with world(tmp_path, web_config=config) as hooked:
        assert hooked.call(event(), signed(event())) == 200
        connection = http.client.HTTPConnection("127.0.0.1", hooked.server.port, timeout=20)
        connection.request("GET", "/metrics")
        assert connection.getresponse().status == 401
        connection.close()


def test_totals_go_on_in_the_next_process_and_through_a_reload(hooked: World, eventually: Eventually) -> None:
    assert hooked.call(event(), signed(event())) == 200
    assert hooked.call(event(), {}) == 401
    since = hooked.value("listening_since_timestamp_seconds")
    hooked.write("samsara: {account: samsara, secret_files: hook, rate: 7/s}")
    assert (hooked.value("received_total"), hooked.value("listening_since_timestamp_seconds")) == (1, since)
    hooked.write("other: {account: samsara, secret_files: hook}")
    assert hooked.value("received_total") is None
    hooked.write("samsara: {account: samsara, secret_files: hook}")
    assert hooked.value("received_total") == 1
    assert (hooked.value("listening_since_timestamp_seconds") or 0) > (since or 0)
    # As a stop does it: what nobody waited for is handed over.
    hooked.receivers.close()
    eventually(lambda: Receivers("inland", hooked.state)._kept["samsara"]["refused"] == {"signature": 1})


def test_calls_are_answered_while_the_disk_refuses_and_are_shown_when_it_takes_them(
    hooked: World, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr("yardlight.state._RETRY_SECONDS", 0.05)
    full = threading.Event()
    full.set()
    connected = State._connected

    def refusing(state: State) -> sqlite3.Connection:
        if full.is_set():
            raise sqlite3.OperationalError("disk I/O error")
        return connected(state)

    monkeypatch.setattr(State, "_connected", refusing)
    for name in ("a", "b", "c"):
        assert hooked.call(event(name), signed(event(name))) == 200
    assert hooked.value("received_total") == 0
    assert hooked.value("last_received_timestamp_seconds") is not None
    full.clear()
    eventually(lambda: hooked.value("received_total") == 3)


def test_a_call_that_comes_after_others_ran_out_of_patience_waits_for_a_slow_disk_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_way: list[Callable[[], None]] = []

    class Slow:
        writable = True

        def totals(self, fleet: str, terminal: str) -> list[Total]:
            return []

        def keep_totals(self, fleet: str, totals: Sequence[Total], then: Callable[[], None]) -> None:
            under_way.append(then)

    async def written() -> None:
        async with asyncio.timeout(20):
            while not under_way:
                await asyncio.sleep(0.01)
        under_way.pop()()

    async def run() -> None:
        receivers = Receivers("inland", cast(State, Slow()))
        receiver = Receiver("inland", "samsara", None, time.time)
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
        first = asyncio.create_task(receivers.settled(receiver))
        while not under_way:
            await asyncio.sleep(0.01)
        await receivers.settled(receiver)
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 60.0)
        late = asyncio.create_task(receivers.settled(receiver))
        await asyncio.sleep(0.1)
        assert not late.done()
        await written()
        await asyncio.sleep(0.1)
        assert not late.done()
        await written()
        await asyncio.wait_for(asyncio.gather(first, late), 20.0)

    asyncio.run(run())


@pytest.mark.timeout(180)
def test_what_was_answered_is_counted_though_the_process_is_killed(
    tmp_path: Path, free_port: Callable[[], int], eventually: Eventually
) -> None:
    (tmp_path / "hook").write_text(KEY)
    (tmp_path / "fleet.yml").write_text(
        "fleet: inland\naccounts: {samsara: {platform: samsara, token_file: hook}}\n"
        "webhooks: {samsara: {account: samsara, secret_files: hook, rate: 10000/s}}\n"
        'terminals: {fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}}\n'
    )
    process = Process(tmp_path, free_port()).start().ready()
    sent, answered = [0] * 4, [0] * 4

    def calling(worker: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)
        try:
            while True:
                body = event(f"{worker} {sent[worker]}")
                sent[worker] += 1
                connection.request("POST", "/webhooks/inland/samsara", body, signed(body))
                response = connection.getresponse()
                response.read()
                answered[worker] += response.status == 200
        except (OSError, http.client.HTTPException):
            connection.close()

    workers = [threading.Thread(target=calling, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    eventually(lambda: sum(answered) > 200, within=60.0)
    process.stop(signal.SIGKILL)
    for worker in workers:
        worker.join()
    process.start().ready()
    counted = process.series()['webhook_received_total{account="samsara",fleet="inland",webhook="samsara"}']
    assert process.stop() == 0
    assert 200 < sum(answered) <= counted <= sum(sent)

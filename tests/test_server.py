"""HTTP answers whatever the probing loop does, and whatever a client sends."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from yardlight import pages
from yardlight import server as server_module
from yardlight.catalogue import POLL_SUCCESS, SWITCH_WITHIN, TERMINAL_INFO
from yardlight.errors import Problem, StartError
from yardlight.exposition import OPENMETRICS, TEXT, AnyBlock, Block, block, pack
from yardlight.pages import FleetView, Overview, PollRow
from yardlight.server import Server, bind, wants_gzip, wants_openmetrics

Eventually = Callable[..., object]
PROMETHEUS_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"  # noqa: E501
PROMETHEUS_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"  # noqa: E501


@dataclass(frozen=True)
class Row:
    what: str
    state: str
    since: float | None
    reason: str


class MainLoop:
    """A process with a real event loop of its own, without probing."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.started = True
        self.problems: list[Problem] = []
        self.reloads = 0
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._tick()
        self.loop.run_forever()

    def _tick(self) -> None:
        self._beat = time.monotonic()
        self.loop.call_later(0.02, self._tick)

    def wedge(self, until: threading.Event) -> None:
        """Block the loop until the event is set."""
        self.loop.call_soon_threadsafe(until.wait)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def heartbeat(self) -> float:
        return self._beat

    def ready(self) -> bool:
        return self.started

    async def blocks(self) -> list[Block]:
        return [block(SWITCH_WITHIN, "inland-haul", {("fontana",): 60.0})]

    async def reload(self) -> list[Problem]:
        self.reloads += 1
        return self.problems

    async def overview(self) -> Overview:
        rows = [Row("fontana fiber", "down", 1_767_600_900.0, "<script>alert(1)</script>")]
        polls = [PollRow("inventory", "ok", 1_767_600_900.0, 0.01, "")]
        fleet = FleetView("inland-haul", "fleet.yml", 1_767_600_900.0, ("fleet.yml:3:1 no",), rows, polls)
        return Overview(1_767_601_000.0, "centre", [fleet], [(1_767_600_950.0, "error", "it broke")])


@pytest.fixture
def main_loop() -> Iterator[MainLoop]:
    process = MainLoop()
    yield process
    process.close()


@pytest.fixture
def server(main_loop: MainLoop) -> Iterator[Server]:
    serving = Server(main_loop, "127.0.0.1:0", wedged_after=0.3)
    serving.start()
    yield serving
    serving.stop()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def test_metrics_are_plain_text_unless_openmetrics_is_asked_for(server: Server) -> None:
    plain, open_ = ask(server, "/metrics"), ask(server, "/metrics", Accept=PROMETHEUS_2)
    assert (plain.status, plain.headers["Content-Type"]) == (200, TEXT)
    assert (open_.status, open_.headers["Content-Type"]) == (200, OPENMETRICS)
    assert open_.body == plain.body + b"# EOF\n"
    assert len(list(text_string_to_metric_families(open_.body.decode()))) == 1


def test_metrics_are_compressed_when_the_scraper_takes_gzip(server: Server) -> None:
    packed = ask(server, "/metrics", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == ask(server, "/metrics").body


@pytest.fixture
def packing(monkeypatch: pytest.MonkeyPatch, main_loop: MainLoop) -> None:
    """A page of many parts that were compressed apart: plain blocks, packed ones, headers between."""

    async def blocks() -> list[AnyBlock]:
        plain = [block(SWITCH_WITHIN, "inland-haul", {("fontana",): 60.0})]
        accounts = [pack([block(POLL_SUCCESS, "f", {(name, ""): 1.0}) for name in pair]) for pair in ("ab", "cd")]
        more = pack([block(TERMINAL_INFO, "inland-haul", {(f"yard {n}", "", "", ""): 1.0 for n in range(1000)})])
        return [*plain, *accounts[0], *more, *accounts[1]]

    monkeypatch.setattr(main_loop, "blocks", blocks)


@pytest.mark.needs("curl")
def test_a_page_of_parts_compressed_apart_is_one_page_to_curl(packing: None, server: Server) -> None:
    command = ["curl", "-sS", "--compressed", f"http://127.0.0.1:{server.port}/metrics"]
    fetched = subprocess.run(command, capture_output=True, check=True).stdout
    assert fetched == ask(server, "/metrics").body
    assert fetched.count(b"\n") == 2 * 3 + 1 + 4 + 1000


@pytest.mark.needs("prometheus")
def test_prometheus_takes_every_series_of_a_page_of_parts_compressed_apart(
    packing: None, server: Server, tmp_path: Path, free_port: Callable[[], int], eventually: Eventually
) -> None:
    targets = [{"targets": [f"127.0.0.1:{server.port}"]}]
    scrape = {"job_name": "y", "scrape_interval": "1s", "static_configs": targets}
    (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape]}))
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def scraped() -> dict[str, str]:
        query = "{__name__=~'up|scrape_samples_scraped'}"
        url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as reply:
            found = json.load(reply)["data"]["result"]
            return {each["metric"]["__name__"]: each["value"][1] for each in found}
        return {}

    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stderr=log) as prometheus:
        try:
            eventually(lambda: scraped() == {"up": "1", "scrape_samples_scraped": "1005"}, within=30.0)
        finally:
            prometheus.terminate()


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,*/*;q=0.8", False),
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text;q=0.1,text/plain;q=0.9", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=x", False),
        (";;;,,=", False),
    ],
)
def test_the_format_follows_the_accept_header(accept: str, openmetrics: bool) -> None:
    assert wants_openmetrics(accept) is openmetrics


@pytest.mark.parametrize(
    ("header", "wanted"), [("", False), ("gzip, deflate", True), ("gzip;q=0", False), ("br", False), ("*", True)]
)
def test_compression_follows_the_accept_encoding_header(header: str, wanted: bool) -> None:
    assert wants_gzip(header) is wanted


def test_a_wedged_probing_loop_turns_health_bad_while_http_still_answers(
    main_loop: MainLoop, server: Server, eventually: Eventually
) -> None:
    assert ask(server, "/-/healthy").status == 200
    release = threading.Event()
    main_loop.wedge(release)
    try:
        eventually(lambda: ask(server, "/-/healthy").status == 503)
        assert b"the probing loop has been silent for" in ask(server, "/-/healthy").body
        scrape = ask(server, "/metrics", X_Prometheus_Scrape_Timeout_Seconds="0.6")
        assert (scrape.status, scrape.body) == (503, b"the probing loop gave no answer within 0.5 s\n")
    finally:
        release.set()
    eventually(lambda: ask(server, "/-/healthy").status == 200)
    assert ask(server, "/metrics").status == 200


def test_ready_only_once_everything_was_started(main_loop: MainLoop, server: Server) -> None:
    main_loop.started = False
    assert ask(server, "/-/ready").status == 503
    main_loop.started = True
    assert ask(server, "/-/ready").status == 200


def test_a_reload_answers_the_problems_as_text(main_loop: MainLoop, server: Server) -> None:
    assert ask(server, "/-/reload", "POST").status == 200
    main_loop.problems = [Problem("fleet.yml", 37, 9, "terminals.fontana.uplinks.lte.role", "'x' is not a role")]
    refused = ask(server, "/-/reload", "POST")
    assert refused.status == 422
    assert refused.body.decode().splitlines()[1:] == [
        "fleet.yml:37:9 terminals.fontana.uplinks.lte.role: 'x' is not a role"
    ]


def test_only_a_post_reloads(main_loop: MainLoop, server: Server) -> None:
    assert ask(server, "/-/reload").status == 405
    assert main_loop.reloads == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_press_on_another_sites_page_does_nothing(main_loop: MainLoop, server: Server, site: str) -> None:
    assert ask(server, "/-/reload", "POST", Sec_Fetch_Site=site).status == 403
    assert main_loop.reloads == 0
    assert ask(server, "/-/reload", "POST", Sec_Fetch_Site="same-origin").status == 200
    assert ask(server, "/", Sec_Fetch_Site=site).status == 200


def test_the_landing_page_shows_states_polls_errors_and_escapes_what_it_shows(server: Server) -> None:
    answer = ask(server, "/")
    text = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    for part in ("inland-haul", "fontana fiber", "down", "2026-01-05 08:15:00", "1 min 40 s ago", "it broke"):
        assert part in text
    assert "fleet.yml:3:1 no" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script" not in text


def test_the_pages_ask_for_nothing_from_elsewhere(server: Server) -> None:
    for path in ("/", "/runbooks/"):
        answer = ask(server, path)
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert b"http://" not in answer.body
        assert b"https://" not in answer.body


def test_every_runbook_of_the_tree_is_served_and_listed(root: Path, server: Server) -> None:
    names = [file.stem for file in (root / "playbooks" / "runbooks").glob("*.md")]
    assert "TerminalDark" in names
    assert ask(server, "/runbooks").headers["Location"] == "runbooks/"
    listed = ask(server, "/runbooks/").body.decode()
    for name in names:
        answer = ask(server, f"/runbooks/{name}")
        assert (answer.status, f"<h1>{name}</h1>" in answer.body.decode()) == (200, True)
        assert f'<a href="{name}">' in listed


@pytest.mark.parametrize("name", ["Nothing", "..%2f..%2fsetup", "%2e%2e", "a.md", "%00", "A" * 300])
def test_a_runbook_that_is_none_is_not_found(server: Server, name: str) -> None:
    assert ask(server, f"/runbooks/{name}").status == 404


def test_a_runbook_becomes_a_page_and_its_raw_html_is_shown_not_run(tmp_path: Path) -> None:
    (tmp_path / "TerminalDark.md").write_text(
        "# TerminalDark\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>x</script>\n\n"
        "[x](javascript:alert(1)) [other](UplinkDown.md)\n"
    )
    text = pages.runbook("TerminalDark", tmp_path)
    assert text is not None
    assert "<h1>TerminalDark</h1>" in text
    assert "<td>1</td>" in text
    assert "<script" not in text
    assert 'href="javascript' not in text
    assert 'href="UplinkDown"' in text
    assert pages.runbook("Other", tmp_path) is None
    assert '<a href="TerminalDark">' in pages.runbooks(tmp_path)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"nonsense\r\n\r\n",
    ],
)
def test_an_oversized_or_broken_request_is_refused_and_the_next_one_answered(server: Server, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request_)
        client.shutdown(socket.SHUT_WR)
        try:
            answer = client.recv(100)
        except ConnectionResetError:
            answer = b""
    assert answer == b"" or answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert ask(server, "/-/healthy").status == 200


def test_a_client_that_drips_its_header_is_cut_off(
    main_loop: MainLoop, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(server_module, "KEEPALIVE_SECONDS", 0.2)
    serving = Server(main_loop, "127.0.0.1:0")
    serving.start()
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")

        def cut_off() -> bool:
            try:
                client.sendall(b"X")
            except OSError:
                return True
            return False

        eventually(cut_off)
    serving.stop()


def test_whoever_only_holds_a_connection_makes_room_for_whoever_asks(
    main_loop: MainLoop, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 5)
    serving = Server(main_loop, "127.0.0.1:0")
    serving.start()
    scraper = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=10)

    def scraped() -> bool:
        scraper.request("GET", "/-/healthy")
        answer = scraper.getresponse()
        answer.read()
        return answer.status == 200

    assert scraped()
    kept = scraper.sock
    idle = [socket.create_connection(("127.0.0.1", serving.port), timeout=10) for _ in range(40)]
    for client in idle[::2]:
        with contextlib.suppress(OSError):
            client.sendall(b"GET / HTTP/1.1\r\nX: y")
    assert [ask(serving, "/-/healthy").status for _ in range(20)] == [200] * 20
    assert scraped()
    assert scraper.sock is kept

    def closed() -> int:
        return sum(is_closed(client) for client in idle)

    eventually(lambda: closed() >= 35)
    for client in (*idle, scraper):
        client.close()
    serving.stop()


def is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"^cannot listen on 127\.0\.0\.1:{port}: the port is in use$"):
            bind(f"127.0.0.1:{port}")


@pytest.mark.parametrize("listen", ["10480", "localhost", "127.0.0.1:x", ":99999", "127.0.0.1:-1", ""])
def test_an_address_that_is_none_is_said_with_what_is_accepted(listen: str) -> None:
    with pytest.raises(StartError, match=r"is not an address to listen on; write :10480 or 127\.0\.0\.1:10480"):
        bind(listen)


@pytest.mark.parametrize("listen", ["192.0.2.1:10480", "no.such.name.invalid:10480"])
def test_an_address_this_machine_does_not_have_is_said_in_one_line(listen: str) -> None:
    with pytest.raises(StartError, match=rf"^cannot listen on {listen}: .+$"):
        bind(listen)


@pytest.mark.parametrize("listen", [":0", "127.0.0.1:0", "localhost:0"])
def test_every_way_to_write_an_address_is_taken(listen: str) -> None:
    with bind(listen) as listening:
        port = listening.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=10).close()

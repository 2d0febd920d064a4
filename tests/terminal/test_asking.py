"""Every way in which a service can fail has its own reason: real servers on loopback, no two reasons alike."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.rcode
import pytest

from yardlight import __version__
from yardlight.budget import FRUGAL, SERVICE_CEILING
from yardlight.inventory.models import Service
from yardlight.terminal import asking, names, stream
from yardlight.terminal.asking import REASONS, Outcome, Way, ask
from yardlight.terminal.names import Resolver
from yardlight.terminal.stream import Meter

from .internet import HOST, NAME, Authority, Dns, Handler, Web, by_path, forever, name_server, says, web

HEALTHY = by_path({"/health": says(200, "all is well")})
HEAD = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Internet:
    """A web server called `NAME`, the DNS that knows it, and a client that trusts the test's authority."""

    web: Web
    dns: Dns
    tls: ssl.SSLContext
    scheme: str
    meter: Meter
    frugal: int | None = None
    portal_port: int = 1

    async def ask(self, path: str = "/health", **fields: object) -> Outcome:
        url = f"{self.scheme}://{NAME}:{self.web.port}{path}"
        return await self.judge(Service(**{"url": url, "timeout": "2s", **fields}))  # type: ignore[arg-type]

    async def judge(self, service: Service) -> Outcome:
        way = Way(Resolver("127.0.0.1", (HOST,), self.dns.port), self.frugal, self.portal_port)
        return await ask(service, way, self.tls, self.meter)


Scene = Callable[[Internet], Awaitable[None]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def play(authority: Authority, scene: Scene, handler: Handler = HEALTHY, tls: ssl.SSLContext | None = None) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(web(handler, tls))
            names = await stack.enter_async_context(name_server())
            scheme = "https" if tls else "http"
            await asyncio.wait_for(scene(Internet(server, names, authority.client(), scheme, Meter())), 30)

    asyncio.run(run())


@pytest.mark.parametrize("secure", [False, True])
def test_a_service_that_works_has_no_reason_and_a_time_for_each_phase(authority: Authority, secure: bool) -> None:
    async def scene(net: Internet) -> None:
        outcome = await net.ask(body="all is well")
        assert (outcome.reason, outcome.named) == ("", True)
        phases = ["resolve", "connect", *(["tls"] if secure else []), "first_byte", "transfer"]
        assert list(outcome.phases) == phases
        assert outcome.seconds is not None
        assert sum(outcome.phases.values()) <= outcome.seconds

    play(authority, scene, tls=authority.server() if secure else None)


def test_the_end_of_the_certificate_is_known(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        outcome = await net.ask()
        assert outcome.expiry is not None
        assert abs(outcome.expiry - time.time() - 30 * 86400) < 3600

    play(authority, scene, tls=authority.server())


def test_a_probe_says_who_it_is_and_nothing_secret(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        await net.ask(body="all is well")
        [head] = net.web.seen
        assert f"\r\nUser-Agent: Yardlight/{__version__}\r\n" in head
        assert f"\r\nHost: {NAME}:{net.web.port}\r\n" in head
        assert "\r\nConnection: close\r\n" in head
        assert not {"cookie", "authorization"} & {line.partition(":")[0].lower() for line in head.splitlines()}

    play(authority, scene)


@pytest.mark.parametrize(
    ("reason", "name", "days", "itself"),
    [
        ("tls_expired", NAME, -1, False),
        ("tls_self_signed", NAME, 30, True),
        ("tls_wrong_name", "other.example.com", 30, False),
    ],
)
def test_each_fault_of_a_certificate_is_a_reason_of_its_own(
    authority: Authority, reason: str, name: str, days: int, itself: bool
) -> None:
    async def scene(net: Internet) -> None:
        outcome = await net.ask()
        assert (outcome.reason, outcome.seconds) == (reason, None)

    play(authority, scene, tls=authority.server(name, days, itself))


def test_a_certificate_of_an_unknown_authority_is_untrusted(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    async def scene(net: Internet) -> None:
        assert (await net.ask()).reason == "tls_untrusted"

    play(authority, scene, tls=Authority(tmp_path / "other").server())


def test_a_server_that_does_not_speak_tls_is_neither_slow_nor_untrusted(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        net.scheme = "https"
        assert (await net.ask()).reason == "tls_other"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, HOST, 0)
        async with name_server() as names:
            port = server.sockets[0].getsockname()[1]
            await scene(Internet(Web(port), names, authority.client(), "https", Meter()))
        server.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("reason", "handler", "fields"),
    [
        ("", says(204), {}),
        ("status", says(503), {}),
        ("status", says(200), {"status": 204}),
        ("", says(401), {"status": [200, 401]}),
        ("body", by_path({"/health": says(200, "degraded")}), {"body": "all is well"}),
        ("captive_portal", says(511), {}),
        ("redirect", by_path({"/health": says(302, "", "Location: https://elsewhere.example.com/")}), {}),
        ("", says(302, "", "Location: https://elsewhere.example.com/"), {"status": 302, "portal_check": False}),
        ("too_large", forever(HEAD + b"\r\n", b"x" * 65536, 0), {}),
        ("too_large", says(200, "x" * 2000), {"max_size": "1 kB"}),
        ("too_large", forever(HEAD, b"X-Filler: " + b"x" * 1000 + b"\r\n", 0), {}),
        ("headers_timeout", forever(b"", b"", 0.2), {"timeout": "1s"}),
        ("headers_timeout", forever(HEAD, b"X: y\r\n", 0.3), {"timeout": "1s"}),
        ("body_timeout", forever(HEAD + b"\r\n", b"x", 0.3), {"timeout": "1s"}),
        ("protocol", forever(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"", 9), {}),
        ("reset", by_path({"/health": forever(b"", b"", 0)}), {"timeout": "1s"}),
    ],
)
def test_each_bad_answer_is_a_reason_of_its_own(
    authority: Authority, reason: str, handler: Handler, fields: dict[str, object]
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(HEAD + b"Content-Length: 99\r\n\r\nhalf")

    async def scene(net: Internet) -> None:
        before = time.monotonic()
        outcome = await net.ask(**{"portal_check": False, **fields})
        assert outcome.reason == reason, outcome.detail
        # The first deadline and that of the second question.
        assert time.monotonic() - before < 5

    play(authority, scene, hang_up if reason == "reset" else handler)


def test_an_endless_answer_is_not_read_to_its_end(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        assert (await net.ask(max_size="100 kB")).reason == "too_large"
        assert net.meter.bytes < 8_000_000

    play(authority, scene, forever(HEAD + b"\r\n", b"x" * 65536, 0))


@pytest.mark.parametrize("location", ["http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:web/"])
@pytest.mark.parametrize("redirects", ["none", "same_host"])
def test_a_redirect_to_what_is_no_address_is_a_failure_and_no_bug_of_ours(
    authority: Authority, location: str, redirects: str
) -> None:
    async def scene(net: Internet) -> None:
        outcome = await net.ask(redirects=redirects)
        assert (outcome.reason, outcome.detail) == ("redirect", "to what is no address")

    play(authority, scene, says(302, "", f"Location: {location}"))


def test_a_redirect_with_characters_that_no_address_has_is_followed_as_browsers_do(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        assert (await net.ask("/start", redirects="same_host", body="all is well")).reason == ""

    moved = says(302, "", "Location: /état des lieux?of=a%20b")
    play(authority, scene, by_path({"/start": moved, "/%C3%A9tat%20des%20lieux?of=a%20b": says(200, "all is well")}))


def test_redirects_lead_only_where_they_may(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        assert (await net.ask("/start")).reason == "redirect"
        assert (await net.ask("/start", redirects="same_host", body="all is well")).reason == ""
        assert (await net.ask("/start", redirects=["login.example.com"])).reason == "redirect"
        assert (await net.ask("/away", redirects=["login.example.com"])).reason == ""
        assert (await net.ask("/circle", redirects="same_host")).reason == "redirect"
        assert not any("login.example.com" in head and "secret" in head for head in net.web.seen)

    async def away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        port = head.split("Host: ")[1].split("\r\n")[0].partition(":")[2]
        await says(302, "", f"Location: http://yard:secret@login.example.com:{port}/health")(reader, writer, head)

    pages = {
        "/start": says(302, "", "Location: /health"),
        "/circle": says(302, "", "Location: /circle"),
        "/health": says(200, "all is well"),
        "/away": away,
    }

    async def named(net: Internet) -> None:
        net.dns.addresses["login.example.com"] = HOST
        await scene(net)

    play(authority, named, by_path(pages))


def test_an_answer_with_tls_is_never_followed_to_one_without(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        outcome = await net.ask(redirects="same_host")
        assert (outcome.reason, "without TLS" in outcome.detail) == ("redirect", True)

    moved = says(302, "", f"Location: http://{NAME}/health")
    play(authority, scene, moved, authority.server())


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("dns_nxdomain", {"addresses": {}}),
        ("dns_servfail", {"rcode": dns.rcode.SERVFAIL}),
        ("dns_refused", {"rcode": dns.rcode.REFUSED}),
        ("dns_timeout", {"silent": True}),
        ("dns_other", {"rcode": dns.rcode.NOTIMP}),
    ],
)
def test_each_fault_of_dns_is_a_reason_of_its_own(authority: Authority, reason: str, fault: dict[str, object]) -> None:
    async def scene(net: Internet) -> None:
        for key, value in fault.items():
            setattr(net.dns, key, value)
        outcome = await net.ask()
        assert (outcome.reason, outcome.named) == (reason, reason == "dns_nxdomain")
        assert net.web.connected == 0

    play(authority, scene)


def test_a_truncated_answer_is_asked_for_again_over_tcp(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        net.dns.truncated = True
        assert (await net.ask()).reason == ""
        assert net.dns.over_tcp == 1

    play(authority, scene)


def test_the_next_server_is_asked_when_one_is_silent(authority: Authority) -> None:
    async def run() -> None:
        async with name_server() as good, name_server("127.0.0.3", good.port) as dead:
            dead.silent = True
            resolver = Resolver("127.0.0.1", ("127.0.0.3", HOST), good.port)
            assert await resolver.address(NAME, Meter()) == HOST
            assert await resolver.address(NAME, Meter()) == HOST
            assert len(dead.asked) == 1, "the one that answered is asked first from then on"

    asyncio.run(run())


def test_a_server_that_never_answers_the_greeting_of_tls_is_late_with_tls(authority: Authority) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        await asyncio.sleep(3)
        writer.close()

    async def scene(net: Internet) -> None:
        server = await asyncio.start_server(serve, HOST, 0)
        net.web.port, net.scheme = server.sockets[0].getsockname()[1], "https"
        assert (await net.ask(timeout="500ms")).reason == "tls_timeout"
        server.close()

    play(authority, scene)


def test_nobody_listening_is_told_from_nobody_answering(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        with socket.socket() as silent:
            silent.bind((HOST, 0))
            net.web.port = silent.getsockname()[1]
            assert (await net.ask()).reason == "connect_refused"
            silent.listen(0)
            with socket.socket() as first, socket.socket() as second:
                # The kernel answers for a queue of one; a third has to wait.
                first.connect(silent.getsockname())
                second.setblocking(False)
                second.connect_ex(silent.getsockname())
                assert (await net.ask(timeout="1s")).reason == "connect_timeout"

    play(authority, scene)


def test_names_are_asked_and_services_reached_from_the_address_of_the_path(authority: Authority) -> None:
    peers: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        await HEALTHY(reader, writer, head)

    async def scene(net: Internet) -> None:
        url = f"http://{NAME}:{net.web.port}/health"
        for bind in ("127.0.0.7", "127.0.0.8"):
            way = Way(Resolver(bind, (HOST,), net.dns.port))
            await ask(Service(url=url, body="all is well"), way, net.tls, Meter())
        assert peers == ["127.0.0.7", "127.0.0.8"] == [source for source, _ in net.dns.asked]

    play(authority, scene, handler)


def test_an_address_that_this_box_does_not_have_says_nothing_about_the_service(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        way = Way(Resolver("192.0.2.1", (HOST,), net.dns.port))
        with pytest.raises(OSError, match="assign"):
            await ask(Service(url=f"http://{NAME}/"), way, net.tls, Meter())

    play(authority, scene)


def test_a_dns_service_is_judged_by_rcode_and_records(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        async def reason(**fields: object) -> str:
            return (await net.judge(Service(dns=NAME, **fields))).reason  # type: ignore[arg-type]

        assert await reason() == ""
        assert await reason(answer=HOST) == ""
        assert await reason(answer="203.0.113.7") == "dns_answer"
        assert await reason(type="MX") == "dns_empty"
        assert await reason(rcode="NXDOMAIN") == "dns_other"
        net.dns.addresses.clear()
        assert await reason() == "dns_nxdomain"
        assert await reason(rcode="NXDOMAIN") == ""

    play(authority, scene)


def test_a_captive_portal_that_answers_everything_is_not_the_service(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        assert (await net.ask()).reason == "captive_portal"
        assert (await net.ask(body="all is well")).reason == "captive_portal"
        assert (await net.ask(portal_check=False)).reason == ""

    play(authority, scene, says(200, "<html>Welcome to the truck stop. Log in.</html>"))


def test_a_captive_portal_that_redirects_everything_is_no_redirect_of_the_service(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        assert (await net.ask()).reason == "captive_portal"

    play(authority, scene, says(302, "", "Location: http://login.truckstop.example/"))


def test_a_captive_portal_in_front_of_tls_is_told_from_a_bad_certificate(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        async with web(says(200, "Log in.")) as portal, web(by_path({}, says(404))) as vendor:
            net.portal_port = portal.port
            assert (await net.ask()).reason == "captive_portal"
            net.portal_port = vendor.port
            assert (await net.ask()).reason == "tls_self_signed"

    play(authority, scene, tls=authority.server(itself=True))


def test_a_service_that_is_not_there_for_other_hosts_passes_the_portal_check(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        assert (await net.ask()).reason == ""
        assert len(net.web.seen) == 2
        assert ".invalid\r\n" in net.web.seen[1]

        outcome = await net.ask()
        assert outcome.seconds is not None
        assert sum(outcome.phases.values()) <= outcome.seconds, "the second question is none of the service's time"

    play(authority, scene)


def test_a_stall_that_small_packets_pass_is_the_size_of_packets(authority: Authority) -> None:
    """A black hole for large packets: what was sent in them never arrives. The lab drops real ones."""

    @asynccontextmanager
    async def black_hole() -> AsyncIterator[int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            segment = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
            if segment < 1200:
                writer.write(HEAD + b"Content-Length: 2\r\n\r\nok")
                await writer.drain()
            else:
                await asyncio.sleep(3)
            writer.close()

        server = await asyncio.start_server(serve, HOST, 0)
        yield server.sockets[0].getsockname()[1]
        server.close()

    async def scene(net: Internet) -> None:
        async with black_hole() as port:
            net.web.port = port
            assert (await net.ask(timeout="1s")).reason == "mtu"

    play(authority, scene)


def test_on_a_path_that_costs_money_no_more_is_read_than_is_needed(authority: Authority) -> None:
    async def scene(net: Internet) -> None:
        await net.ask()
        everything, net.meter.bytes = net.meter.bytes, 0
        net.frugal = FRUGAL
        assert (await net.ask()).reason == ""
        assert everything > 400_000
        assert net.meter.bytes < SERVICE_CEILING

    play(authority, scene, by_path({"/health": says(200, "x" * 400_000)}), authority.server())


def test_on_a_path_that_costs_money_not_even_a_chain_of_endless_redirects_costs_more_than_was_paid(
    authority: Authority,
) -> None:
    moved = forever(b"HTTP/1.1 302 Found\r\nLocation: /health\r\nX: " + b"y" * 12_000 + b"\r\n\r\n", b"x" * 30_000, 0)

    async def scene(net: Internet) -> None:
        net.frugal = FRUGAL
        assert (await net.ask(redirects="same_host")).reason in ("too_large", "redirect", "captive_portal")
        assert 30_000 < net.meter.bytes <= SERVICE_CEILING

    play(authority, scene, moved)


def test_every_reason_that_can_be_given_is_of_the_closed_set() -> None:
    sources = [Path(module.__file__ or "").read_text(encoding="utf-8") for module in (asking, names, stream)]
    given = set(re.findall(r'ServiceError\(\s*"(\w+)"', "".join(sources)))
    assert len(given) > 10
    assert given <= set(REASONS)
    assert {*asking._TIMEOUTS.values(), *names._REASONS.values()} <= set(REASONS)
    assert {*stream._CONNECT.values(), *stream._VERIFY.values()} <= set(REASONS)

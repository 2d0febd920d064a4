"""The web configuration means what promtool says it means, and the server does what it asks."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest

from yardlight.errors import WebConfigError
from yardlight.exposition import Block
from yardlight.pages import Overview
from yardlight.server import Server
from yardlight.webconfig import PLAIN, load

pytestmark = pytest.mark.needs("openssl")
Eventually = Callable[..., object]
HASH = bcrypt.hashpw(b"a right password", bcrypt.gensalt(4)).decode()
TLS = "tls_server_config: {cert_file: server.pem, key_file: server.key"

GOOD = {
    "nothing": "",
    "empty sections": "tls_server_config: {}\nhttp_server_config: {}\nbasic_auth_users: {}\n",
    "a certificate": f"{TLS}}}",
    "versions": f"{TLS}, min_version: TLS12, max_version: TLS13}}",
    "client certificates": f"{TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}}",
    "client certificates if given": f"{TLS}, client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.pem}}",
    "ciphers": f"{TLS}, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256,"
    " TLS_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]}",
    "server's own order": f"{TLS}, prefer_server_cipher_suites: false}}",
    "HTTP/2": "http_server_config: {http2: false}",
    "headers": "http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=9}}",
    "users": f'basic_auth_users: {{prometheus: "{HASH}"}}',
}
BAD = {
    "broken YAML": ("{a: 1", "expected ',' or '}', but got"),
    "not a mapping": ("[a]", "web.yml is not a mapping"),
    "unknown section": ("tls: {}", "web.yml:1:1 tls: is not a field of the web configuration"),
    "a section twice": (
        "basic_auth_users: {}\nbasic_auth_users: {}",
        "web.yml:2:1 basic_auth_users: stands twice",
    ),
    "unknown field": (f"{TLS}, cert: x}}", "tls_server_config.cert: inline certificates are not supported"),
    "no key": ("tls_server_config: {cert_file: server.pem}", "tls_server_config: key_file is missing"),
    "no certificate": ("tls_server_config: {key_file: server.key}", "tls_server_config: cert_file is missing"),
    "missing file": (
        "tls_server_config: {cert_file: gone.pem, key_file: server.key}",
        "gone.pem: No such file or directory",
    ),
    "not a certificate": (
        "tls_server_config: {cert_file: server.key, key_file: server.key}",
        "are not a certificate and its key",
    ),
    "another's key": (
        "tls_server_config: {cert_file: server.pem, key_file: client.key}",
        "are not a certificate and its key",
    ),
    "unknown version": (f"{TLS}, min_version: TLS9}}", "'TLS9' is not one of TLS12, TLS13"),
    "unknown client_auth_type": (f"{TLS}, client_auth_type: Always}}", "'Always' is not one of NoClientCert"),
    "a CA without a policy": (f"{TLS}, client_ca_file: ca.pem}}", "client_ca_file needs a client_auth_type"),
    "unknown header": ("http_server_config: {headers: {X-Own: a}}", "'X-Own' is not one of"),
    "unknown header value": (
        "http_server_config: {headers: {X-Frame-Options: always}}",
        "X-Frame-Options: 'always' is not one of deny, sameorigin",
    ),
    "a password in clear": ("basic_auth_users: {a: hunter2}", "basic_auth_users.a: is not a bcrypt hash"),
}
# promtool takes these, Python's TLS cannot do them: they must be refused by name, never ignored.
REFUSED = {
    "unverified": (f"{TLS}, client_auth_type: RequireAnyClientCert}}", "RequireAnyClientCert verifies nothing"),
    "old TLS": (f"{TLS}, min_version: TLS10}}", "'TLS10' is not one of TLS12, TLS13"),
    "curves": (f"{TLS}, curve_preferences: [CurveP256]}}", "curve_preferences: is not supported"),
    "upside down": (f"{TLS}, min_version: TLS13, max_version: TLS12}}", "min_version is above max_version"),
}


def openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def sign(folder: Path, name: str, subject: str) -> None:
    """A key and a certificate for 127.0.0.1 by the authority of the folder."""
    (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    make_key = ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key")
    openssl("req", *make_key, "-out", f"{name}.csr", "-subj", f"/CN={subject}", folder=folder)
    authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    ext = ("-extfile", f"{name}.ext")
    openssl("x509", "-req", "-in", f"{name}.csr", *authority, *ext, "-out", f"{name}.pem", "-days", "2", folder=folder)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    make_key = ("-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key")
    openssl("req", "-x509", *make_key, "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2", folder=folder)
    sign(folder, "server", "first")
    sign(folder, "client", "prometheus")
    sign(folder, "renewed", "second")
    return folder


@pytest.fixture
def folder(authority: Path, tmp_path: Path) -> Path:
    """A folder of its own for each test, with the certificates in it."""
    shutil.copytree(authority, tmp_path, dirs_exist_ok=True)
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text)
    return path


def promtool_accepts(path: Path) -> bool:
    return subprocess.run(["promtool", "check", "web-config", path], capture_output=True, check=False).returncode == 0


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_promtool_accepts_is_accepted(folder: Path, text: str) -> None:
    path = written(folder, text)
    assert promtool_accepts(path)
    load(path)


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_what_promtool_refuses_is_refused_with_its_place(folder: Path, text: str, message: str) -> None:
    path = written(folder, text)
    assert not promtool_accepts(path)
    with pytest.raises(WebConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_here_is_refused_by_name(folder: Path, text: str, message: str) -> None:
    with pytest.raises(WebConfigError) as caught:
        load(written(folder, text))
    assert message in str(caught.value)


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    path = written(folder, "basic_auth_users: {a: b, c: d}\nhttp_server_config:\n  http2: maybe\nelse: 1\n")
    with pytest.raises(WebConfigError) as caught:
        load(path)
    assert {line.split(" ")[0].removeprefix(str(path)) for line in str(caught.value).splitlines()} == {
        ":1:20", ":1:26", ":3:3", ":4:1",
    }  # fmt: skip


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WebConfigError, match="cannot be read: No such file or directory"):
        load(tmp_path / "web.yml")


def test_a_key_with_a_password_is_refused_without_asking_for_it(folder: Path) -> None:
    openssl("rsa", "-aes256", "-passout", "pass:x", "-in", "server.key", "-out", "locked.key", folder=folder)
    path = written(folder, "tls_server_config: {cert_file: server.pem, key_file: locked.key}")
    with pytest.raises(WebConfigError, match="are not a certificate and its key"):
        load(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_key_is_said(folder: Path) -> None:
    (folder / "server.key").chmod(0)
    with pytest.raises(WebConfigError, match=r"server\.key: Permission denied"):
        load(written(folder, f"{TLS}}}"))


class Still:
    """A process of which nothing is asked but its health."""

    def __init__(self) -> None:
        import asyncio

        self.loop = asyncio.new_event_loop()

    def heartbeat(self) -> float:
        return float("inf")

    def ready(self) -> bool:
        return True

    async def blocks(self) -> list[Block]:
        return []

    async def reload(self) -> list[object]:
        return []

    async def overview(self) -> Overview:
        return Overview(0.0, "centre", (), ())


@contextlib.contextmanager
def serving(path: Path) -> Iterator[Server]:
    still = Still()
    server = Server(still, "127.0.0.1:0", path)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        still.loop.close()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    subject: str


def client_context(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / "ca.pem")


def ask(
    server: Server, tls: ssl.SSLContext | None = None, user: str = "", password: str = "", path: str = "/-/healthy"
) -> Answer:
    connection = (
        http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=tls)
        if tls
        else http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    )
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    connection.request("GET", path, headers={"Authorization": f"Basic {token}"} if user else {})
    subject = ""
    if isinstance(connection.sock, ssl.SSLSocket):
        peer = connection.sock.getpeercert() or {}
        subject = str(peer["subject"][0][0][1])
    response = connection.getresponse()
    response.read()
    connection.close()
    return Answer(response.status, response.headers, subject)


def test_a_client_that_knows_the_authority_gets_an_answer_over_tls(folder: Path) -> None:
    with serving(written(folder, f"{TLS}}}")) as server:
        assert ask(server, client_context(folder)).status == 200


def test_plain_http_gets_no_answer_from_a_tls_server(folder: Path) -> None:
    with serving(written(folder, f"{TLS}}}")) as server, pytest.raises((http.client.HTTPException, OSError)):
        ask(server)


def test_a_client_below_the_least_version_is_refused(folder: Path) -> None:
    with serving(written(folder, f"{TLS}, min_version: TLS13}}")) as server:
        old = client_context(folder)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            ask(server, old)
        assert ask(server, client_context(folder)).status == 200


def test_only_the_named_ciphers_are_spoken(folder: Path) -> None:
    suites = "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]"
    with serving(written(folder, f"{TLS}, max_version: TLS12, {suites}}}")) as server:
        other = client_context(folder)
        other.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
        with pytest.raises(ssl.SSLError):
            ask(server, other)
        assert ask(server, client_context(folder)).status == 200


def test_without_a_client_certificate_of_the_authority_there_is_no_answer(folder: Path) -> None:
    text = f"{TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}}"
    with serving(written(folder, text)) as server:
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            ask(server, client_context(folder))
        known = client_context(folder)
        known.load_cert_chain(folder / "client.pem", folder / "client.key")
        assert ask(server, known).status == 200
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "o.key", "-out", "o.pem",
                "-subj", "/CN=prometheus", folder=folder)  # fmt: skip
        stranger = client_context(folder)
        stranger.load_cert_chain(folder / "o.pem", folder / "o.key")
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            ask(server, stranger)


def test_a_client_certificate_may_be_left_out_where_it_is_only_verified_if_given(folder: Path) -> None:
    text = f"{TLS}, client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.pem}}"
    with serving(written(folder, text)) as server:
        assert ask(server, client_context(folder)).status == 200


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready", "/runbooks/", "/nowhere"])
def test_every_path_needs_the_password(folder: Path, path: str) -> None:
    with serving(written(folder, GOOD["users"])) as server:
        answer = ask(server, path=path)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Yardlight"'


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        ("prometheus", "a right password", 200),
        ("prometheus", "a wrong password", 401),
        ("somebody", "a right password", 401),
        ("prometheus", "", 401),
        ("prometheus", "x" * 100, 401),
        ("prometheus", "a right password\0", 401),
        ("prométheus", "ü", 401),
    ],
)
def test_only_the_right_password_opens(folder: Path, user: str, password: str, status: int) -> None:
    with serving(written(folder, GOOD["users"])) as server:
        assert [ask(server, user=user, password=password).status for _ in range(3)] == [status] * 3


def test_a_right_password_opens_for_itself_only_and_only_until_it_is_changed(
    folder: Path, eventually: Eventually
) -> None:
    path = written(folder, GOOD["users"])
    with serving(path) as server:
        assert ask(server, user="prometheus", password="a right password").status == 200
        assert ask(server, user="prometheus", password="a wrong password").status == 401
        assert ask(server, user="somebody", password="a right password").status == 401
        other = bcrypt.hashpw(b"another password", bcrypt.gensalt(4)).decode()
        path.write_text(f'basic_auth_users: {{prometheus: "{other}"}}')
        eventually(lambda: ask(server, user="prometheus", password="a right password").status == 401)
        assert ask(server, user="prometheus", password="another password").status == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Bearer abc", "Basic /////w==", ""])
def test_a_broken_authorization_header_is_a_wrong_password(folder: Path, header: str) -> None:
    with serving(written(folder, GOOD["users"])) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/metrics", headers={"Authorization": header})
        assert connection.getresponse().status == 401
        connection.close()


def test_the_headers_of_the_configuration_are_on_every_answer(folder: Path) -> None:
    with serving(written(folder, GOOD["headers"])) as server:
        for path in ("/-/healthy", "/nowhere"):
            assert ask(server, path=path).headers["X-Frame-Options"] == "deny"


def test_a_renewed_certificate_is_served_without_a_restart(folder: Path, eventually: Eventually) -> None:
    with serving(written(folder, f"{TLS}}}")) as server:
        assert ask(server, client_context(folder)).subject == "first"
        for kind in ("pem", "key"):
            (folder / f"renewed.{kind}").replace(folder / f"server.{kind}")
        eventually(lambda: ask(server, client_context(folder)).subject == "second")


def test_a_broken_change_leaves_the_configuration_in_use_and_is_said(
    folder: Path, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(folder, GOOD["users"])
    with serving(path) as server:
        path.write_text("basic_auth_users: {prometheus: nonsense}")
        eventually(lambda: "the web configuration was refused" in caplog.text)
        assert ask(server, user="prometheus", password="a right password").status == 200
        assert ask(server).status == 401
        path.write_text("")
        eventually(lambda: ask(server).status == 200)


def test_a_connection_is_never_lost_while_certificates_change(folder: Path) -> None:
    path = written(folder, "")
    failed: list[Exception] = []
    done = threading.Event()

    def hammer(server: Server) -> None:
        while not done.is_set():
            try:
                ask(server)
            except OSError as error:
                failed.append(error)

    with serving(path) as server:
        client = threading.Thread(target=hammer, args=(server,))
        client.start()
        path.write_text("http_server_config: {headers: {X-Frame-Options: deny}}")
        while "X-Frame-Options" not in ask(server).headers:
            pass
        done.set()
        client.join()
    assert failed == []


def test_without_a_file_there_is_plain_http_for_everybody() -> None:
    assert (PLAIN.tls, PLAIN.users, PLAIN.headers) == (None, {}, {})

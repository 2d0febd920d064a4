"""The certificate that the demo's vendor shows: trusted through its authority, and soon to end by its fault."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from yardlight.demo.certificates import SHORT, Certificates

DAY = 86400.0


@contextmanager
def serving(certificates: Certificates) -> Iterator[int]:
    """A server that shakes hands and hangs up, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with certificates.context.wrap_socket(client, server_side=True) as shaken:
                    shaken.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def days_left(port: int, authority: str) -> float:
    """For how long the certificate is good that the server shows to whoever trusts this authority alone."""
    context = ssl.create_default_context(cadata=authority)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as shaken,
    ):
        said = shaken.getpeercert()
    assert said is not None
    return (ssl.cert_time_to_seconds(str(said["notAfter"])) - time.time()) / DAY


def test_a_server_shows_another_certificate_from_the_next_handshake_on() -> None:
    certificates = Certificates()
    with serving(certificates) as port:
        assert 79 < days_left(port, certificates.authority) <= 80
        certificates.renew(SHORT)
        assert 2.9 < days_left(port, certificates.authority) <= 3
        certificates.renew()
        assert days_left(port, certificates.authority) > 79

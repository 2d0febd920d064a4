"""Certificates for the demo's vendor that speaks TLS: an authority of its own, and what it signs, for some days."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LIFE, SHORT = timedelta(days=80), timedelta(days=3)


class Certificates:
    """The authority, and the server's side of TLS; `context` is what a server listens with."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Yardlight demo")])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.renew()

    @property
    def authority(self) -> str:
        """What a client has to trust, as PEM."""
        said = x509.BasicConstraints(ca=True, path_length=0)
        return self._signed(self._name, self._key, LIFE, said).public_bytes(Encoding.PEM).decode()

    def renew(self, life: timedelta = LIFE) -> None:
        """From now on the server shows a certificate that ends after so long."""
        key = generate_private_key(SECP256R1())
        server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        shown = self._signed(server, key, life, x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]))
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # Python takes them from files only.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "server.pem"
            file.write_bytes(secret + shown.public_bytes(Encoding.PEM))
            self.context.load_cert_chain(file)

    def _signed(
        self, name: x509.Name, key: EllipticCurvePrivateKey, life: timedelta, said: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + life)
            .add_extension(said, critical=False)
            .sign(self._key, SHA256())
        )

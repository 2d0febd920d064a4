"""The user-based security of SNMPv3: keys, digests, privacy, and messages that carry them (RFC 3414, 3826, 7860)."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from yardlight.errors import SnmpError
from yardlight.inventory.values import Secret
from yardlight.snmp.ber import OCTETS, SEQUENCE, MalformedError, Pdu, Reader, decode_pdu, integer, tlv

if TYPE_CHECKING:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
    from cryptography.hazmat.primitives.ciphers import Cipher

# Name -> hash and how many bytes of it sign a message.
AUTH: dict[str, tuple[str, int]] = {
    "md5": ("md5", 12),
    "sha": ("sha1", 12),
    "sha224": ("sha224", 16),
    "sha256": ("sha256", 24),
    "sha384": ("sha384", 32),
    "sha512": ("sha512", 48),
}
# Name -> bytes of the key and how a short one is made longer: net-snmp's way (blumenthal) or Cisco's (reeder).
PRIV: dict[str, tuple[int, str]] = {
    "aes": (16, ""),
    "aes192": (24, "blumenthal"),
    "aes256": (32, "blumenthal"),
    "aes192c": (24, "reeder"),
    "aes256c": (32, "reeder"),
}
_AUTHENTICATED, _PRIVATE, _REPORTABLE = 1, 2, 4
# A whole message must fit an ordinary frame: firewalls drop fragments.
MAX_SIZE = 1472
_MEGABYTE = 1048576


@dataclass(frozen=True)
class Usm:
    """A user with passphrases: privacy only with authentication."""

    user: str
    auth: str | None = None
    auth_key: Secret | None = field(default=None, repr=False)
    priv: str | None = None
    priv_key: Secret | None = field(default=None, repr=False)

    @property
    def flags(self) -> int:
        """What messages of this user are: authenticated, private."""
        return (_AUTHENTICATED if self.auth else 0) | (_PRIVATE if self.priv else 0)


@dataclass(frozen=True, slots=True)
class Keys:
    """Passphrases localized to one engine: worth keeping, as making them hashes two megabytes."""

    auth: bytes = field(default=b"", repr=False)
    priv: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Secured:
    """What a message of version 3 says about itself, and what it carries."""

    message_id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    pdu: Pdu
    context: bytes = b""


class WrongDigestError(MalformedError):
    """A message that was not signed with the key."""


@lru_cache(maxsize=64)
def _stretched(auth: str, passphrase: Secret) -> bytes:
    """The first step is the same for every engine: a megabyte of the passphrase, hashed."""
    return _repeated(auth, passphrase.reveal().encode())


def _repeated(auth: str, text: bytes) -> bytes:
    return _hash(auth, (text * (_MEGABYTE // len(text) + 1))[:_MEGABYTE])


def _localized(auth: str, key: bytes, engine_id: bytes) -> bytes:
    return _hash(auth, key + engine_id + key)


def _hash(auth: str, data: bytes) -> bytes:
    return hashlib.new(AUTH[auth][0], data).digest()


def localize(usm: Usm, engine_id: bytes) -> Keys:
    """The keys of this user at this engine."""
    if usm.auth is None or usm.auth_key is None:
        return Keys()
    auth_key = _localized(usm.auth, _stretched(usm.auth, usm.auth_key), engine_id)
    if usm.priv is None or usm.priv_key is None:
        return Keys(auth_key)
    size, way = PRIV[usm.priv]
    priv_key = _localized(usm.auth, _stretched(usm.auth, usm.priv_key), engine_id)
    while len(priv_key) < size:
        if way == "reeder":
            priv_key += _localized(usm.auth, _repeated(usm.auth, priv_key), engine_id)
        else:
            priv_key += _hash(usm.auth, priv_key)
    return Keys(auth_key, priv_key[:size])


def seal(
    usm: Usm, keys: Keys, engine_id: bytes, boots: int, time: int, message_id: int, pdu: bytes, *,
    context: bytes = b"", reportable: bool = True,
) -> bytes:  # fmt: skip
    """A whole message of version 3, private and signed as the user's keys allow; without keys it is plain."""
    flags = usm.flags if keys.auth else 0
    scoped = tlv(SEQUENCE, tlv(OCTETS, engine_id) + tlv(OCTETS, context) + pdu)
    salt = b""
    if flags & _PRIVATE:
        salt = os.urandom(8)
        scoped = tlv(OCTETS, _cipher(keys.priv, boots, time, salt).encryptor().update(scoped))
    size = AUTH[usm.auth][1] if usm.auth and flags else 0
    header = tlv(
        SEQUENCE,
        integer(message_id)
        + integer(MAX_SIZE)
        + tlv(OCTETS, bytes((flags | (_REPORTABLE if reportable else 0),)))
        + b"\x02\x01\x03",
    )
    # The digest is made over zeros in its place.
    user = tlv(OCTETS, usm.user.encode() if engine_id else b"")
    before = tlv(OCTETS, engine_id) + integer(boots) + integer(time) + user
    security = tlv(SEQUENCE, before + tlv(OCTETS, bytes(size)) + tlv(OCTETS, salt))
    message = tlv(SEQUENCE, b"\x02\x01\x03" + header + tlv(OCTETS, security) + scoped)
    if not size or usm.auth is None:
        return message
    digest = hmac.digest(keys.auth, message, AUTH[usm.auth][0])[:size]
    at = len(message) - len(scoped) - len(tlv(OCTETS, salt)) - size
    return message[:at] + digest + message[at + size :]


def unseal(data: bytes, usm: Usm, keys: Callable[[bytes], Keys]) -> Secured:
    """What a message of version 3 says; `keys` gives those of its engine. Raises `MalformedError` or `SnmpError`."""
    message = Reader(data).within(SEQUENCE)
    if (version := message.integer()) != 3:
        raise MalformedError(f"a message of version {version}, not 3")
    header = message.within(SEQUENCE)
    message_id, _, flags = header.integer(), header.integer(), header.octets()
    if len(flags) != 1 or header.integer() != 3:
        raise MalformedError("a security model that is not USM")
    start, end = message.expect(OCTETS)
    security = Reader(data, start, end).within(SEQUENCE)
    engine_id, boots, time, user = security.octets(), security.integer(), security.integer(), security.octets()
    digest_start, digest_end = security.expect(OCTETS)
    salt = security.octets()
    known = keys(engine_id)
    if flags[0] & _AUTHENTICATED:
        _check_digest(data, digest_start, digest_end, usm, known)
    if flags[0] & _PRIVATE:
        if not known.priv or len(salt) != 8 or not 0 <= boots < 2**31 or not 0 <= time < 2**31:
            raise MalformedError("a private message that cannot be read")
        start, end = message.expect(OCTETS)
        plain = _cipher(known.priv, boots, time, salt).decryptor().update(data[start:end])
        try:
            scoped = Reader(plain).within(SEQUENCE)
        except MalformedError:
            raise SnmpError("wrong_privacy", "what came cannot be decrypted with priv_file") from None
    else:
        scoped = message.within(SEQUENCE)
    scoped.octets()
    context = scoped.octets()
    return Secured(message_id, flags[0], engine_id, boots, time, user, decode_pdu(scoped), context)


def _check_digest(data: bytes, start: int, end: int, usm: Usm, keys: Keys) -> None:
    size = AUTH[usm.auth][1] if usm.auth else 0
    if not size or not keys.auth or end - start != size:
        raise WrongDigestError("a signature of another kind")
    blank = data[:start] + bytes(size) + data[end:]
    if not hmac.compare_digest(hmac.digest(keys.auth, blank, AUTH[usm.auth or ""][0])[:size], data[start:end]):
        raise WrongDigestError("a signature that does not fit")


def _cipher(key: bytes, boots: int, time: int, salt: bytes) -> Cipher[CFB]:
    # Six megabytes that a process without such a router does not need.
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES

    return Cipher(AES(key), CFB(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt))

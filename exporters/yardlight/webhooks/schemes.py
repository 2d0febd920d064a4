"""How vendors sign what they send, and whether a call was signed so. Pure: no network, no clock, no files.

Samsara: https://developers.samsara.com/docs/webhooks , Motive: https://developer.gomotive.com/reference/webhooks-v2 ,
Fleetio: https://developer.fleetio.com/docs/overview/webhooks . Only Samsara signs a time with it; a call of the others
can be sent once more by whoever got hold of it, and then counts as a duplicate for as long as it is remembered.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error, unhexlify
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from yardlight.inventory.values import Secret
from yardlight.inventory.webhooks import Signature
from yardlight.moment import moment

_UTC = ZoneInfo("UTC")
Refusal = Literal["signature", "timestamp"]


@dataclass(frozen=True)
class Scheme:
    """How a platform signs, and where its calls have their own name."""

    signature: Signature
    id: str | None = None


SCHEMES = {
    "samsara": Scheme(
        Signature(
            header="X-Samsara-Signature",
            prefix="v1=",
            key="base64",
            message="v1:{timestamp}:{body}",
            timestamp="X-Samsara-Timestamp",
        ),
        id="eventId",
    ),
    "motive": Scheme(Signature(header="X-KT-Webhook-Signature", algorithm="sha1")),
    "fleetio": Scheme(Signature(header="X-Fleetio-Webhook-Signature"), id="id"),
}


def key_of(secret: Secret, signature: Signature) -> bytes:
    """The key that a secret is. Raises `ValueError` without its text."""
    text = secret.reveal()
    try:
        if signature.key == "base64":
            return b64decode(text, validate=True)
        return unhexlify(text) if signature.key == "hex" else text.encode()
    except (Error, ValueError):
        raise ValueError(f"the secret is not {signature.key}") from None


def refusal(
    body: bytes, headers: Mapping[str, str], signature: Signature, keys: Sequence[bytes], now: float
) -> Refusal | None:
    """Why a call is not to be believed; None if it was signed with one of the keys, lately if it says when."""
    said = _decoded(headers.get(signature.header, ""), signature)
    stamp = headers.get(signature.timestamp, "") if signature.timestamp is not None else ""
    # Split before the time is put in: it is whatever the caller says.
    before, after = (part.replace("{timestamp}", stamp) for part in signature.message.split("{body}"))
    message = b"".join((before.encode("utf-8", "replace"), body, after.encode("utf-8", "replace")))
    # Every key is tried, so that the time it takes does not say which one was right.
    right = [hmac.compare_digest(hmac.digest(key, message, signature.algorithm), said) for key in keys]
    if not any(right):
        return "signature"
    return "timestamp" if signature.timestamp is not None and not _lately(stamp, signature.tolerance, now) else None


def _decoded(said: str, signature: Signature) -> bytes:
    """The digest in a header; nothing, which no digest is, for anything else."""
    if not said.startswith(signature.prefix):
        return b""
    text = said.removeprefix(signature.prefix)
    try:
        return unhexlify(text) if signature.encoding == "hex" else b64decode(text, validate=True)
    except (Error, ValueError):
        return b""


def _lately(stamp: str, tolerance: float, now: float) -> bool:
    """Whether a time, in seconds, milliseconds or ISO 8601, is about now."""
    at = moment(stamp, _UTC)
    return isinstance(at, float) and abs(now - at) <= tolerance

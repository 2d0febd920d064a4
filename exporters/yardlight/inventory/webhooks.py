"""The part `webhooks:` of the inventory: what vendors call us with, how they sign it, how long they may be silent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from yardlight.inventory.accounts import Rate
from yardlight.inventory.feeds import Expression
from yardlight.inventory.model import Model, Name
from yardlight.inventory.values import Duration, Size

# What `expected` takes besides the name of a calendar.
ALWAYS = "always"


def _message(raw: str) -> str:
    if raw.count("{body}") != 1 or "{" in raw.replace("{body}", "").replace("{timestamp}", ""):
        raise ValueError(f"{raw!r} is not what is signed; write {{body}}, or with a time '{{timestamp}}.{{body}}'")
    return raw


def _files(raw: object) -> object:
    return raw if isinstance(raw, list | tuple) else [raw]


def _few(raw: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(raw) <= 2:
        raise ValueError(f"{len(raw)} secrets; write one, or two while it is changed")
    return raw


class Signature(Model):
    """How a vendor signs: an HMAC by `algorithm` over `message`, sent in `header` as `encoding` behind `prefix`.

    In `message` {body} is the body as it comes and {timestamp} what the header `timestamp` says, in seconds or
    milliseconds since 1970 or as ISO 8601; a call that is off by more than `tolerance` is refused then. The secret is
    the `key` as text, or what it encodes.
    """

    header: str
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    key: Literal["text", "base64", "hex"] = "text"
    message: Annotated[str, AfterValidator(_message)] = "{body}"
    timestamp: str | None = None
    tolerance: Duration = 300.0


class Webhook(Model):
    """Calls of the vendor of an account to /webhooks/FLEET/NAME, of which only those count that it signed.

    `secret_files` are one secret, or two while it is changed. `signature` says how the vendor signs, `id` where a call
    has a name of its own (without one, the whole body is it) and `sequence` where it has a number that counts up by
    one; of platforms that are known it need not be said. More than `rate` signed calls, or one larger than
    `max_size`, are refused. Silence is told after `silent_after`: of `feed`, as its records go on meanwhile, and of
    none as the clock goes on, in both cases while calls are `expected`: always, or on the days and hours of a calendar.
    People read `shows` as its name.
    """

    account: Name
    secret_files: Annotated[tuple[str, ...], BeforeValidator(_files), AfterValidator(_few)]
    signature: Signature | None = None
    id: Expression | None = None
    sequence: Expression | None = None
    rate: Rate = 1000.0
    max_size: Size = 1_000_000
    feed: Name | None = None
    expected: str = ALWAYS
    silent_after: Duration = 7200.0
    shows: str | None = None

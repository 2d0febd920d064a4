"""The error tree; nothing from a library below leaks out unmapped.

YardlightError
├── InventoryError        the user's file: carries every `Problem`, each with file, line and field
├── StateError            the state file cannot be used
│   └── DiskRefusesError  not now: its disk is full, read-only or failing
├── StartError            the process cannot start (port in use, missing capability)
├── WebConfigError        the file given with --web.config.file
├── ContractError         a feed's contract cannot be read, or not be learned from what there is
├── DrillError            a drill cannot be run, read or verified as asked
│   ├── JournalError      what is done cannot be written down, or what was written was changed
│   └── UnansweredError   a server of the center did not answer as it should
├── RecordsError          records cannot be fetched or accepted as asked
├── ServiceError          a service did not answer as it should; `reason` is a label value of service_failure
├── SnmpError             a router did not answer as asked; `reason` is a label value of router_failure
└── PollError             one collection failed; `reason` is a label value of poll_failures_total
    ├── PollTimeoutError  reason "timeout"
    ├── PollCrashedError  reason "crashed" (a bug in a collector)
    ├── SecretError       reason "secret": the file of a secret cannot be used
    ├── UnreachableError  reason "unreachable": no name, no route, refused or cut off
    ├── TlsError          reason "tls": a certificate that does not hold
    ├── AuthError         reason "auth": the vendor does not accept the credentials (any more)
    ├── ForbiddenError    reason "forbidden": it accepts them, and they may not read this
    ├── ThrottledError    reason "throttled": too many requests, and no time to wait
    ├── BudgetError       reason "budget": the account's own limit of requests is used up
    ├── ServerError       reason "server_error": the vendor says that the fault is its own
    ├── ApiError          reason "api_error": an error of the vendor's API in an answer that says success
    ├── BadReplyError     reason "bad_reply": not what was asked for, not what the documents say
    ├── TooLargeError     reason "too_large": more bytes than an answer may have
    ├── ForeignLinkError  reason "foreign_link": it sends us to another host; not followed, nothing sent there
    └── IncompleteError   reason "incomplete": pages missing, fewer records than counted, none where many were
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


class YardlightError(Exception):
    """Every error that Yardlight raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a file a person wrote: where it is, which field, what was found and what is accepted.

    `line` and `column` count from 1; 0 means that the place is not known.
    """

    file: str
    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        field = f" {self.field}:" if self.field else ""
        return f"{place}{field} {self.message}"


class InventoryError(YardlightError):
    """An inventory that cannot be used; `problems` holds all that is wrong with it, not the first only.

    `path` is the file, or the folder of many, that was to be read; a problem may be in a file that it includes.
    """

    def __init__(self, problems: list[Problem], path: Path = Path()) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.path = path


class StateError(YardlightError):
    """The state file cannot be opened, read or written."""


class DiskRefusesError(StateError):
    """The disk of the state file takes nothing now: it is full, read-only or failing. That may end."""


class StartError(YardlightError):
    """The process cannot start as asked: port in use, missing capability, unreadable secret."""


class ContractError(YardlightError):
    """The file of a feed's contract cannot be used, or there is nothing to learn one from."""


class WebConfigError(YardlightError):
    """The file given with --web.config.file is not what exporter-toolkit's format allows."""


class DrillError(YardlightError):
    """A drill cannot be run, read or verified as asked."""


class JournalError(DrillError):
    """What is about to be done cannot be written down, or what was written was changed: nothing may be done."""


class UnansweredError(DrillError):
    """A server of the center did not answer as it should. `why` may be shown to anybody: it has no address in it."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why


class RecordsError(YardlightError):
    """Records cannot be fetched, or a file accepted, as asked."""


class ServiceError(YardlightError):
    """A probed service did not answer as it should: `reason` is from a closed set, `detail` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


class SnmpError(YardlightError):
    """An SNMP agent did not answer as asked: `reason` is from a closed set, `detail` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


class PollError(YardlightError):
    """One collection failed; `reason` is from a closed set and becomes a label value."""

    reason: ClassVar[str] = "error"

    def __init__(self, text: str = "", retry_after: float | None = None) -> None:
        """`retry_after`: seconds in which the vendor does not want to be asked again."""
        super().__init__(text)
        self.retry_after = retry_after
        # What was spent until then, by status code.
        self.requests: Mapping[str, int] = {}


class PollTimeoutError(PollError):
    """The collection outlived its total deadline."""

    reason = "timeout"


class PollCrashedError(PollError):
    """The collector raised something it should not: a bug of ours."""

    reason = "crashed"


class SecretError(PollError):
    """A file that should hold a secret is missing, unreadable or empty."""

    reason = "secret"


class UnreachableError(PollError):
    """No address for the name, no route, refused, or cut off before an answer."""

    reason = "unreachable"


class TlsError(PollError):
    """The vendor's certificate does not hold: expired, for another name, by nobody we trust."""

    reason = "tls"


class AuthError(PollError):
    """The vendor does not accept the credentials: wrong, expired, revoked."""

    reason = "auth"


class ForbiddenError(PollError):
    """The credentials are good and may not read what was asked for: a scope or a role is missing."""

    reason = "forbidden"


class ThrottledError(PollError):
    """Too many requests, and the time to wait is not within this collection."""

    reason = "throttled"


class BudgetError(PollError):
    """The inventory's own limit of requests is used up."""

    reason = "budget"


class ServerError(PollError):
    """The vendor says that the fault is its own (5xx)."""

    reason = "server_error"


class ApiError(PollError):
    """The answer says success, and holds an error of the API (JSON-RPC does this)."""

    reason = "api_error"


class BadReplyError(PollError):
    """The answer is not what was asked for: HTML for JSON, cut off, another shape than documented."""

    reason = "bad_reply"


class RefusedError(BadReplyError):
    """The vendor does not know what was asked for: it is not there, or not as we ask for it (4xx)."""


class NotThereError(RefusedError):
    """There is nothing by that name (404)."""


class TooLargeError(PollError):
    """An answer of more bytes than one may have, as sent or as unpacked."""

    reason = "too_large"


class ForeignLinkError(PollError):
    """A link or redirect to another host: not followed, and no credential sent there."""

    reason = "foreign_link"


class IncompleteError(PollError):
    """The answers are good and not all: a page missing, fewer records than the vendor counts, none where many were."""

    reason = "incomplete"


def poll_errors(base: type[PollError] = PollError) -> frozenset[type[PollError]]:
    """`PollError` and every class below it: their reasons are the closed set of poll_failures_total."""
    return frozenset({base}).union(*(poll_errors(below) for below in base.__subclasses__()))

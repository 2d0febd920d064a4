"""The error tree; nothing from a library below leaks out unmapped.

YardlightError
├── InventoryError        the user's file: carries every `Problem`, each with file, line and field
├── StateError            the state file cannot be used
├── StartError            the process cannot start (port in use, missing capability)
├── WebConfigError        the file given with --web.config.file
├── DrillError            a drill cannot be run, read or verified as asked
├── ServiceError          a service did not answer as it should; `reason` is a label value of service_failure
└── PollError             one collection failed; `reason` is a label value of poll_failures_total
    ├── PollTimeoutError  reason "timeout"
    └── PollCrashedError  reason "crashed" (a bug in a collector)
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """An inventory that cannot be used; `problems` holds all that is wrong with it, not the first only."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class StateError(YardlightError):
    """The state file cannot be opened, read or written."""


class StartError(YardlightError):
    """The process cannot start as asked: port in use, missing capability, unreadable secret."""


class WebConfigError(YardlightError):
    """The file given with --web.config.file is not what exporter-toolkit's format allows."""


class DrillError(YardlightError):
    """A drill cannot be run, read or verified as asked."""


class ServiceError(YardlightError):
    """A probed service did not answer as it should: `reason` is from a closed set, `detail` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


class PollError(YardlightError):
    """One collection failed; `reason` is from a closed set and becomes a label value."""

    reason: ClassVar[str] = "error"


class PollTimeoutError(PollError):
    """The collection outlived its total deadline."""

    reason = "timeout"


class PollCrashedError(PollError):
    """The collector raised something it should not: a bug of ours."""

    reason = "crashed"


def poll_errors(base: type[PollError] = PollError) -> frozenset[type[PollError]]:
    """`PollError` and every class below it: their reasons are the closed set of poll_failures_total."""
    return frozenset({base}).union(*(poll_errors(below) for below in base.__subclasses__()))

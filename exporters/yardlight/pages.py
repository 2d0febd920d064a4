"""The pages for people: what runs here and how it is, and the runbooks. Self-contained HTML; a drill's has a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Protocol

from yardlight import __version__, templates

RUNBOOKS = resources.files("yardlight") / "runbooks"
_RUNBOOK = re.compile(r"[A-Za-z0-9]{1,80}")


class Row(Protocol):
    """One thing measured here; `since` is in wall-clock seconds, None while not known."""

    @property
    def what(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def since(self) -> float | None: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class PollRow:
    """One account's collections: `state` is ok, failing or waiting; times in wall-clock and plain seconds."""

    account: str
    state: str
    last_success: float | None
    duration: float | None
    reason: str


@dataclass(frozen=True)
class FleetView:
    """One fleet as the landing page shows it; `problems` are those of the last reload that was refused.

    `map` is the picture of what is connected, as SVG.
    """

    name: str
    inventory: str
    loaded: float | None
    problems: tuple[str, ...]
    rows: Sequence[Row]
    polls: Sequence[PollRow]
    map: str = ""


@dataclass(frozen=True)
class Overview:
    """All that the landing page shows; `errors` are (wall-clock seconds, level, text), newest first."""

    now: float
    role: str
    fleets: Sequence[FleetView]
    errors: Sequence[tuple[float, str, str]]


def landing(overview: Overview) -> str:
    """The page at /."""
    return templates.render("landing.html", o=overview, version=__version__)


def runbook(name: str, folder: Traversable = RUNBOOKS) -> str | None:
    """The runbook of this name as a page, or None if there is none."""
    file = folder / f"{name}.md"
    if not _RUNBOOK.fullmatch(name) or not file.is_file():
        return None
    body = templates.markdown(file.read_text(encoding="utf-8"))
    # In the folder a link to another one names its file, here its page.
    body = re.sub(r'href="([A-Za-z0-9]+)\.md"', r'href="\1"', body)
    return templates.render("runbook.html", name=name, body=body)


def runbooks(folder: Traversable = RUNBOOKS) -> str:
    """The list of all runbooks as a page."""
    files = folder.iterdir() if folder.is_dir() else []
    names = sorted(file.name.removesuffix(".md") for file in files if file.name.endswith(".md"))
    return templates.render("runbooks.html", names=[n for n in names if _RUNBOOK.fullmatch(n)])

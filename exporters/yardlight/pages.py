"""The pages for people: what runs here and how it is, and the runbooks. Self-contained HTML; a drill's has a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt

from yardlight import __version__
from yardlight.lookback import ago

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
    return _TEMPLATES.get_template("landing.html").render(o=overview, version=__version__)


def runbook(name: str, folder: Traversable = RUNBOOKS) -> str | None:
    """The runbook of this name as a page, or None if there is none."""
    file = folder / f"{name}.md"
    if not _RUNBOOK.fullmatch(name) or not file.is_file():
        return None
    # Raw HTML in a runbook is shown, not run: html=False.
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(file.read_text(encoding="utf-8"))
    # In the folder a link to another one names its file, here its page.
    body = re.sub(r'href="([A-Za-z0-9]+)\.md"', r'href="\1"', body)
    return _TEMPLATES.get_template("runbook.html").render(name=name, body=body)


def runbooks(folder: Traversable = RUNBOOKS) -> str:
    """The list of all runbooks as a page."""
    files = folder.iterdir() if folder.is_dir() else []
    names = sorted(file.name.removesuffix(".md") for file in files if file.name.endswith(".md"))
    return _TEMPLATES.get_template("runbooks.html").render(names=[n for n in names if _RUNBOOK.fullmatch(n)])


def render(template: str, **values: object) -> str:
    """A page or a part of one from html/."""
    return _TEMPLATES.get_template(template).render(**values)


def file(name: str) -> str:
    """A file of html/ as it is."""
    return (resources.files("yardlight") / "html" / name).read_text(encoding="utf-8")


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _ago(seconds: float | None, now: float) -> str:
    """How long ago, in its two largest units: 3 d 4 h, 12 min 5 s."""
    return "" if seconds is None else ago(min(seconds, now), now)


def _clock(seconds: float) -> str:
    """A length on a clock: 0:12, 75:00."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes}:{rest:02}"


_TEMPLATES = Environment(
    loader=PackageLoader("yardlight", "html"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(moment=_moment, ago=_ago, clock=_clock)

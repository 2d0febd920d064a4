"""The pages of html/ filled in, with values as people read them. One place for all that is written as HTML."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from yardlight.inventory import words
from yardlight.lookback import ago, length


def render(template: str, **values: object) -> str:
    """A page from html/."""
    return _TEMPLATES.get_template(template).render(**values)


def part(template: str, **values: object) -> Markup:
    """A part of a page, which is put into another one as it is."""
    return Markup(render(template, **values))


def fill(text: str, **values: object) -> Markup:
    """HTML that was made elsewhere, with what it has in {{ }} filled in."""
    return Markup(_TEMPLATES.from_string(text).render(**values))


def markdown(text: str) -> str:
    """Markdown as HTML; raw HTML in it is shown, not run."""
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def file(name: str) -> str:
    """A file of html/ as it is."""
    return (resources.files("yardlight") / "html" / name).read_text(encoding="utf-8")


def share(ratio: float | None) -> str:
    """'99.953 %': never rounded up to 100 %; a dash for what is not known."""
    if ratio is None:
        return "–"
    if ratio >= 1:
        return "100 %"
    return f"{math.floor(round(ratio * 100_000, 6)) / 1000:.3f} %"


def minutes(seconds: float) -> str:
    """'0', '0.4 min', '12.5 min', '1 234 min': what ISPs count in."""
    if seconds == 0:
        return "0 min"
    value = seconds / 60
    return f"{value:.1f} min" if value < 100 else f"{value:,.0f} min".replace(",", " ")


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
_TEMPLATES.filters.update(
    moment=_moment, ago=_ago, clock=_clock, share=share, lasting=length, minutes=minutes, size=words.size,
    duration=words.duration,
)  # fmt: skip

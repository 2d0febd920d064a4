"""The Markdown of playbooks/ as parts of one page: links lead to other parts of it, and nothing leads outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from markupsafe import Markup

from yardlight import templates
from yardlight.pages import RUNBOOKS

OPERATIONS = resources.files("yardlight") / "operations"
_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)
_TITLE = re.compile(r"<h1>(.*?)</h1>\n", re.DOTALL)
_ALONE = re.compile(r"<p>(\{\{ \w+ \}\})</p>")
# A text's own headings stand below its title, which stands below that of its chapter.
_LEVELS = {"h2": "h4", "h3": "h5"}


@dataclass(frozen=True)
class Text:
    """One playbook or runbook: its place in the page, its title, and what stands below that."""

    anchor: str
    title: Markup
    body: Markup


def playbooks(values: Mapping[str, object]) -> list[Text]:
    """The operations playbooks, what they have in {{ }} filled in with `values`; a name that is none of them raises."""
    return [_text("playbook", file, values) for file in _files(OPERATIONS)]


def runbooks() -> list[Text]:
    """The runbooks of alerts, by name."""
    return [_text("runbook", file, None) for file in _files(RUNBOOKS)]


def _files(folder: Traversable) -> list[Traversable]:
    return sorted((file for file in folder.iterdir() if file.name.endswith(".md")), key=lambda file: file.name)


def _text(kind: str, file: Traversable, values: Mapping[str, object] | None) -> Text:
    html = templates.markdown(file.read_text(encoding="utf-8"))
    html = _LINK.sub(lambda match: _link(kind, match[1], match[2]), html)
    title = _TITLE.match(html)
    assert title is not None, f"{file.name} begins with its title"
    html = html[title.end() :]
    for own, level in _LEVELS.items():
        html = html.replace(f"<{own}>", f"<{level}>").replace(f"</{own}>", f"</{level}>")
    # A table that is filled in is no paragraph.
    body = Markup(html) if values is None else templates.fill(_ALONE.sub(r"\1", html), **values)
    return Text(f"{kind}-{file.name.removesuffix('.md')}", Markup(title[1]), body)


def _link(kind: str, target: str, words: str) -> str:
    """A link to another text of the page; an address outside is only said."""
    folder, _, name = target.removesuffix(".md").rpartition("/")
    if "://" in target:
        return words if words == target else f"{words} ({target})"
    to = {"../runbooks": "runbook", "../operations": "playbook", "": kind}[folder]
    return f'<a href="#{to}-{name}">{words}</a>'

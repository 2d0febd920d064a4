"""The shipped boards as a test reads them: their panels, their queries, and where their links lead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BOARDS = sorted((Path(__file__).parents[2] / "dashboards").glob("*.json"))
# What panels say where there is nothing to show, and that is good to know.
NOTHING_WRONG = {"all are read", "nobody was woken", "nobody's", "none"}
_INTERVALS = {"$__rate_interval": "1m15s", "$__interval": "1m"}


def load(board: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(board.read_text(encoding="utf-8"))
    return loaded


def panels(board: Path) -> list[dict[str, Any]]:
    """All of a board, those that are folded away under a heading too."""
    every = (each for panel in load(board)["panels"] for each in (panel, *panel.get("panels", ())))
    return [panel for panel in every if panel["type"] != "row"]


def queries(board: Path) -> list[tuple[str, str]]:
    """Title and expression of every query; annotations included."""
    found = [(panel["title"], target["expr"]) for panel in panels(board) for target in panel["targets"]]
    marks = [(mark["name"], mark["expr"]) for mark in load(board)["annotations"].get("list", ())]
    return [*found, *marks]


def filled(expr: str, chosen: Mapping[str, str]) -> str:
    """The expression as Prometheus gets it, of the chosen values of a board's variables."""
    for name, value in {**_INTERVALS, **{f"${name}": value for name, value in chosen.items()}}.items():
        expr = expr.replace(name, value)
    return expr


def in_words(panel: Mapping[str, Any], answers: Iterable[Any]) -> str | None:
    """What a panel says instead of what Prometheus answered to all its queries; None where it shows that."""
    defaults = panel["fieldConfig"]["defaults"]
    numbers = {answer["value"][1] for answer in answers}
    if not numbers:
        return str(defaults["noValue"])
    none = [
        each["options"].get("0", {}).get("text") for each in defaults.get("mappings", ()) if each["type"] == "value"
    ]
    return "none" if numbers == {"0"} and "none" in none else None


def columns(panel: Mapping[str, Any]) -> dict[str, str]:
    """What a table calls each label, by heading."""
    renamed = (each["options"].get("renameByName", {}) for each in panel.get("transformations", ()))
    return {heading: label for names in renamed for label, heading in names.items()}


def links(panel: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where a click leads: the query or the heading that it is a click on, and the address."""
    found = []
    for override in panel["fieldConfig"]["overrides"]:
        for prop in override["properties"]:
            if prop["id"] == "links":
                found += [(override["matcher"]["options"], link["url"]) for link in prop["value"]]
    return found


def followed(
    url: str, panel: Mapping[str, Any], labels: Mapping[str, str], chosen: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The board that a click on a row with these labels opens, and what is chosen there."""
    board, _, carried = url.removeprefix("/d/").partition("?")
    headings = columns(panel)
    values = {}
    for name, source in re.findall(r"var-(\w+)=\$\{([^}]+)\}", carried):
        if source.startswith("__field.labels."):
            values[name] = labels[source.removeprefix("__field.labels.")]
        elif source.startswith("__data.fields."):
            values[name] = labels[headings[source.removeprefix("__data.fields.")]]
        else:
            values[name] = chosen[source]
    return board, values

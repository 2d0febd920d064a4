"""pydantic's errors in the house's words: what was found, what is accepted, and where it was written."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from yardlight.errors import Problem
from yardlight.inventory.models import Fleet, Terminal
from yardlight.inventory.source import Node, describe
from yardlight.inventory.words import choice, nearest

_QUOTED = re.compile(r"'([^']*)'")
_TAG = re.compile(r"\[key\]|literal\[.*\]|function-.*")
# Keys that are gone before a model sees its data.
_MERGED: dict[type[BaseModel], tuple[str, ...]] = {
    Fleet: ("classes", "defaults", "include"),
    Terminal: ("class",),
}
# What a field takes, where the type alone does not say it.
_ACCEPTED = {
    "fleet": "write fleet: NAME",
    "terminals": "write one entry per terminal",
    "uplinks": "write one entry per circuit, like fiber: {bind: 10.0.0.2}",
    "medium": "write one of fiber, lte, 5g, cable, satellite",
    "services": "write one entry per service, like dispatch: https://dispatch.example.com/health",
    "metered": "write false, true or {budget: 50 MB}",
    "from": "write the local time, like 2026-02-03T22:00",
    "to": "write the local time, like 2026-02-04T04:00",
}


def problems(error: ValidationError, data: Any, node: Node, model: type[BaseModel], partial: bool) -> list[Problem]:
    """Each error of a model once, at the place of the field in `node`.

    `data` is what was validated: `node` with names and defaults filled in. A `partial` one may miss fields.
    """
    details = [(_path(item["loc"], data), item) for item in error.errors(include_url=False)]
    guesses = {
        (*path[:-1], nearest(path[-1], known_keys(_model_at(model, path[:-1]))))
        for path, item in details
        if item["type"] == "extra_forbidden"
    }
    spoken = [path for path, item in details if not _is_fixed_value(item)]
    found = []
    for path, item in details:
        # Of a union, the branch that takes one fixed value has nothing to add to what the other branch says.
        if _is_fixed_value(item) and any(other[: len(path)] == path for other in spoken):
            continue
        # A misspelt key is one mistake, not an unknown key and a missing one.
        if item["type"] == "missing" and (partial or path in guesses):
            continue
        at, below = node.nearest(path)
        found.append(at.problem(_message(item, path, model), *(part for part in below if part != "name")))
    return found


def broken_fields(error: ValidationError) -> set[str]:
    """The top-level fields of a model that were refused."""
    # What is wrong with the whole has no field.
    return {str(item["loc"][0]) for item in error.errors(include_url=False) if item["loc"]}


def known_keys(model: type[BaseModel]) -> list[str]:
    """The keys a person may write for this model; names are the keys above and never fields."""
    names = [field.alias or name for name, field in model.model_fields.items() if name != "name"]
    return sorted((*names, *_MERGED.get(model, ())))


def _message(item: ErrorDetails, path: tuple[str, ...], model: type[BaseModel]) -> str:
    kind, raw, context = item["type"], item["input"], item.get("ctx", {})
    found = describe(raw)
    accepted = f"; {_ACCEPTED[path[-1]]}" if path and path[-1] in _ACCEPTED else ""
    if kind == "missing":
        return f"is missing{accepted}"
    if kind == "extra_forbidden":
        return f"unknown key {path[-1]!r}; {choice(path[-1], known_keys(_model_at(model, path[:-1])), 'known here')}"
    if kind == "value_error":
        return _own_words(context["error"], raw, path)
    if kind == "literal_error":
        return f"{found} is not one of {', '.join(_QUOTED.findall(context['expected']))}"
    if kind in ("model_type", "dict_type"):
        return f"{found} is not a mapping{accepted}"
    if kind == "tuple_type":
        return f"{found} is not a list; write [{raw}]" if isinstance(raw, str) else f"{found} is not a list"
    if kind == "string_type":
        return f"{found} is not text"
    if kind.startswith("bool_"):
        return f"{found} is neither true nor false"
    if kind.startswith("int_"):
        return f"{found} is not a whole number"
    if kind == "greater_than_equal":
        return f"{found} is less than {context['ge']}"
    if kind == "greater_than":
        return f"{found} is not more than {context['gt']:g}"
    if kind.startswith("datetime_"):
        return f"{found} is not a date and time{accepted}"
    return f"{found}: {item['msg'][:1].lower()}{item['msg'][1:]}"


def _is_fixed_value(item: ErrorDetails) -> bool:
    return any(str(part).startswith("literal[") for part in item["loc"])


def _path(location: tuple[int | str, ...], data: Any) -> tuple[str, ...]:
    """pydantic's location without the tags that it adds for unions and keys."""
    path: list[str] = []
    for index, part in enumerate(location):
        last = index == len(location) - 1 and not _TAG.fullmatch(str(part))
        if isinstance(data, dict) and (part in data or last):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
        else:
            continue
        path.append(str(part))
    return tuple(path)


def _model_at(model: type[BaseModel], path: tuple[str, ...]) -> type[BaseModel]:
    """The model that a path leads to; indexes and names on the way do not change the model."""
    for part in path:
        field = model.model_fields.get(part)
        model = (_model_in(field.annotation) if field else None) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _own_words(error: object, raw: Any, path: tuple[str, ...]) -> str:
    """The sentence of one of our parsers; these quote what they found in Python's way."""
    text = str(error)
    if isinstance(error, ValidationError):
        return "a target is an address, or a mapping with 'address' and 'segment'"
    if path[-1:] == ("per",):
        text = text.replace("is not a duration;", "is neither month nor a duration;")
    if raw is None or isinstance(raw, dict | list):
        return text.replace(repr(raw), describe(raw), 1)
    return text

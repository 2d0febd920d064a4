"""Contracts as files: a JSON Schema of one record, which people review and any validator reads.

What JSON Schema has no words for stands in keywords that begin with x-: how often a field is missing or empty, in which
unit its numbers are, and of how much that was learned. What is not said is not judged, so that a line that is taken out
is a rule less; what is said without evidence, as in a contract written by hand, holds without exception. Where
additionalProperties is true, other fields are no news. Numbers are rounded, so that learning again changes lines only
where the feed changed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as File
from typing import Any

from yardlight.errors import ContractError
from yardlight.feeds.contract import Contract, Expected
from yardlight.feeds.scales import EPOCHS, KNOTS, Scale
from yardlight.feeds.shape import ANY, ITEM, Path
from yardlight.feeds.shares import Share

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
# The evidence of what somebody wrote by hand.
_CERTAIN = {"places": 10_000, "replies": 1_000}
_WIDTH = 120


def dump(contract: Contract) -> str:
    """The contract as the text of its file."""
    schema = {"$schema": _DRAFT, **contract.about, **_node((), contract.fields)}
    return _text(schema) + "\n"


def load(text: str, name: str) -> Contract:
    """The contract in the text of a file. Raises `ContractError` with the file and the place in it."""
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise ContractError(f"{name}: no JSON: {error}") from None
    fields = dict(_fields(schema, (), _Place(name, ()), required=False))
    about = {key: schema[key] for key in ("title", "description", "x-learned", "x-accepted") if key in schema}
    learned, accepted = about.get("x-learned", {}), about.get("x-accepted", [])
    if not isinstance(learned, dict):
        raise _Place(name, ("x-learned",)).error(learned, "an object")
    if not isinstance(accepted, list) or not all(isinstance(each, dict) for each in accepted):
        raise _Place(name, ("x-accepted",)).error(accepted, "a list of objects")
    return Contract(fields, learned.get("replies", 0), learned.get("records", 0), about)


def read(file: File) -> Contract:
    """The contract in a file. Raises `ContractError`."""
    try:
        return load(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"{file}: {getattr(error, 'strerror', None) or 'no text in UTF-8'}") from None


class _Place:
    """Where in a file something stands, for messages."""

    def __init__(self, name: str, keys: tuple[str, ...]) -> None:
        self._name, self._keys = name, keys

    def __truediv__(self, key: str) -> _Place:
        return _Place(self._name, (*self._keys, key))

    def error(self, found: Any, accepted: str) -> ContractError:
        where = ".".join(self._keys) or "the file"
        return ContractError(f"{self._name}: {where}: {json.dumps(found)[:60]} is not {accepted}")


def _node(path: Path, fields: Mapping[Path, Expected]) -> dict[str, Any]:
    """The schema of a field and of all that is below it."""
    expected = fields[path]
    node = dict(_said(expected))
    below = sorted(each for each in fields if len(each) == len(path) + 1 and each[:-1] == path)
    named = [each for each in below if each[-1] not in (ITEM, ANY)]
    if needed := [each[-1] for each in named if fields[each].required]:
        node["required"] = needed
    if named:
        node["properties"] = {each[-1]: _node(each, fields) for each in named}
    if expected.open:
        node["additionalProperties"] = True
    for key, keyword in ((ITEM, "items"), (ANY, "additionalProperties")):
        if (*path, key) in fields:
            node[keyword] = _node((*path, key), fields)
    return node


def _said(expected: Expected) -> Iterator[tuple[str, Any]]:
    types = {"string" if each == "date-time" else each for each in expected.types}
    types -= {"integer"} if "number" in types else set()
    if expected.nothing is not None and expected.nothing.count:
        types.add("null")
    if types:
        yield "type", sorted(types) if len(types) > 1 else next(iter(types))
    if "date-time" in expected.types and "string" not in expected.types:
        yield "format", "date-time"
    if expected.words is not None:
        yield "enum", sorted(expected.words) + ([None] if "null" in types else [])
    yield "x-seen", {"places": _round(expected.of, 1), "replies": expected.replies}
    if expected.missing is not None and not expected.required:
        yield "x-missing", _share(expected.missing)
    if expected.nothing is not None and (expected.nothing.count or expected.nothing.of != expected.of):
        yield "x-empty", {**_share(expected.nothing), "places": _round(expected.nothing.of, 1)}
    if expected.epoch is not None:
        yield "x-epoch", expected.epoch
    if expected.scale is not None:
        yield "x-values", _knots(expected.scale.knots)
        yield "x-decimals", expected.scale.decimals
        yield "x-numbers", _round(expected.scale.count, 1)
        if expected.scale.noise:
            yield "x-noise", _round(expected.scale.noise, 2)


def _share(share: Share) -> dict[str, float]:
    said = {"share": _round(share.count / share.of, 2) if share.of else 0.0}
    return {**said, "clustering": _round(share.clustering, 2)} if share.clustering else said


def _fields(
    node: Any, path: Path, place: _Place, *, required: bool, above: Mapping[str, int] | None = None
) -> Iterator[tuple[Path, Expected]]:
    if not isinstance(node, dict):
        raise place.error(node, "a schema, which is an object")
    types = _types(node, place)
    seen = _counts(node, place)
    of, replies = seen["places"], seen["replies"]
    missing = _read_share(node, "x-missing", of, replies, place)
    if required:
        missing = Share(0, of, replies)
    empty = _read_share(node, "x-empty", of, replies, place)
    if empty is None and "type" in node and "null" not in types:
        empty = Share(0, of, replies)
    yield (
        path,
        Expected(
            types=frozenset(types - {"null"}),
            of=of,
            replies=replies,
            missing=missing,
            firm=required or (missing is not None and missing.count > 0),
            nothing=empty,
            words=_words(node, place),
            epoch=_epoch(node, place),
            scale=_scale(node, place),
            open=node.get("additionalProperties") is True,
        ),
    )
    needed = node.get("required", [])
    properties = node.get("properties", {})
    if not isinstance(needed, list) or not all(isinstance(each, str) for each in needed):
        raise (place / "required").error(needed, "a list of names")
    if not isinstance(properties, dict):
        raise (place / "properties").error(properties, "an object of schemas")
    if unknown := [each for each in needed if each not in properties]:
        raise (place / "required").error(unknown[0], "one of the properties")
    for key, child in properties.items():
        yield from _fields(child, (*path, key), place / "properties" / key, required=key in needed)
    for part, keyword in ((ITEM, "items"), (ANY, "additionalProperties")):
        if isinstance(node.get(keyword), dict):
            yield from _fields(node[keyword], (*path, part), place / keyword, required=False)


def _types(node: Mapping[str, Any], place: _Place) -> set[str]:
    said = node.get("type", [])
    types: set[str] = {said} if isinstance(said, str) else set(map(str, said)) if isinstance(said, list) else {""}
    if not types <= set(_TYPES):
        raise (place / "type").error(said, f"one of {', '.join(_TYPES)}, or a list of them")
    if node.get("format") == "date-time" and "string" in types:
        types = types - {"string"} | {"date-time"}
    return types


def _counts(node: Mapping[str, Any], place: _Place) -> dict[str, int]:
    seen = node.get("x-seen", {})
    if not isinstance(seen, dict) or not all(_whole(seen.get(key, 0)) for key in _CERTAIN):
        raise (place / "x-seen").error(seen, 'an object such as {"places": 5000, "replies": 60}')
    return {key: int(seen.get(key, certain)) for key, certain in _CERTAIN.items()}


def _read_share(node: Mapping[str, Any], key: str, of: int, replies: int, place: _Place) -> Share | None:
    if key not in node:
        return None
    said = node[key]
    numbers = [said.get("share"), said.get("clustering", 0.0), said.get("places", of)] if isinstance(said, dict) else []
    if not numbers or not all(_number(each) for each in numbers) or not all(0 <= each <= 1 for each in numbers[:2]):
        raise (place / key).error(said, 'an object such as {"share": 0.3}, a part between 0 and 1')
    share, clustering, places = numbers
    return Share(round(share * places), int(places), replies, clustering)


def _words(node: Mapping[str, Any], place: _Place) -> frozenset[str] | None:
    if "enum" not in node:
        return None
    said = node["enum"]
    if not isinstance(said, list) or not all(each is None or isinstance(each, str) for each in said):
        raise (place / "enum").error(said, "a list of words")
    return frozenset(each for each in said if each is not None)


def _epoch(node: Mapping[str, Any], place: _Place) -> str | None:
    said = node.get("x-epoch")
    if said is not None and said not in EPOCHS:
        raise (place / "x-epoch").error(said, f"one of {', '.join(EPOCHS)}")
    return said


def _scale(node: Mapping[str, Any], place: _Place) -> Scale | None:
    if "x-values" not in node:
        return None
    knots = node["x-values"]
    if (
        not isinstance(knots, list)
        or len(knots) != len(KNOTS)
        or not all(map(_number, knots))
        or knots != sorted(knots)
    ):
        raise (place / "x-values").error(knots, f"a list of {len(KNOTS)} rising numbers")
    rest = [node.get("x-numbers", _CERTAIN["places"]), node.get("x-decimals", 0), node.get("x-noise", 0.0)]
    if not all(map(_number, rest)):
        raise (place / "x-values").error(rest, "numbers in x-numbers, x-decimals and x-noise")
    return Scale(tuple(map(float, knots)), int(rest[0]), int(rest[1]), float(rest[2]))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _round(number: float, digits: int) -> Any:
    """So many digits that count; whole numbers stay whole."""
    if not number:
        return 0
    rounded = round(number, digits - 1 - math.floor(math.log10(abs(number))))
    return int(rounded) if isinstance(number, int) else rounded


def _knots(knots: Sequence[float]) -> list[float]:
    """With three digits that count beside the spread."""
    spread = knots[11] - knots[3] or abs(knots[7]) or 1.0
    places = 2 - math.floor(math.log10(spread))
    rounded = [round(each, places) for each in knots]
    return [int(each) if places <= 0 else each for each in rounded]


def _text(value: Any, indent: int = 0) -> str:
    """JSON with what fits on a line on one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or (
        indent + len(line) <= _WIDTH - 20 and not any(isinstance(each, dict | list) for each in _values(value))
    ):
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        items = [
            f"{inner}{json.dumps(key, ensure_ascii=False)}: {_text(each, indent + 2)}" for key, each in value.items()
        ]
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(inner + _text(each, indent + 2) for each in value) + "\n" + " " * indent + "]"


def _values(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value

"""Places in a record, by JMESPath; plain keys with dots between them, which most are, are followed much faster."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
Place = Callable[[Any], Any]


class _Functions(Functions):
    """Those of JMESPath, and `items`: an object as pairs of key and value, for trucks that are keys."""

    @signature({"types": ["object"]})
    def _func_items(self, content: dict[str, Any]) -> list[list[Any]]:
        return [[key, value] for key, value in content.items()]


_OPTIONS = jmespath.Options(custom_functions=_Functions())


@lru_cache(maxsize=4096)
def place(expression: str) -> Place:
    """What finds the value at this place; None where there is none, or where a function does not fit what is there."""
    if _PLAIN.fullmatch(expression):
        return _keys(expression.split("."))
    compiled = jmespath.compile(expression)

    def search(content: Any) -> Any:
        try:
            return compiled.search(content, _OPTIONS)
        except JMESPathError:
            return None

    return search


def _keys(keys: list[str]) -> Place:
    if len(keys) == 1:
        [only] = keys
        return lambda content: content.get(only) if isinstance(content, dict) else None

    def follow(content: Any) -> Any:
        for key in keys:
            if not isinstance(content, dict):
                return None
            content = content.get(key)
        return content

    return follow


def at(expression: str | None, content: Any) -> Any:
    """The value at a place; None without a place."""
    return None if expression is None else place(expression)(content)


def there(expression: str, content: Any) -> bool:
    """Whether plain keys lead to something, null included."""
    outer, _, last = expression.removesuffix("[]").rpartition(".")
    around = at(outer, content) if outer else content
    return isinstance(around, dict) and last in around

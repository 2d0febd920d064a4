"""Putting something else in one place of what a vendor answers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

# Keys, and indices of lists, from the whole answer down.
Path = tuple[Any, ...]


def places(content: Any, path: Path = ()) -> Iterator[Path]:
    """Where in an answer something can be put in the place of what is there."""
    if path:
        yield path
    below = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in below:
        yield from places(value, (*path, key))


def put(content: Any, path: Path, value: Any) -> Any:
    """The answer with `value` there; the list twice if there is a list and `value` is "twice"."""
    content = copy.deepcopy(content)
    at = content
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = at[path[-1]] * 2 if value == "twice" and isinstance(at[path[-1]], list) else value
    return content

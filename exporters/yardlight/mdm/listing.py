"""What every MDM's list of devices has to stand: none without an id, and no fewer than the MDM counts itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from yardlight.client import Client, Reply
from yardlight.errors import BadReplyError, IncompleteError
from yardlight.mdm.device import Device
from yardlight.reading import count, records


def numbered(
    client: Client, path: str, params: Mapping[str, Any], items: str, total: str, first: int = 0
) -> Iterator[Any]:
    """Pages with numbers from `first` on, up to the total that each says. Raises `PollError`.

    How long a page is, is the platform's to say, whatever was asked for.
    """
    number, seen, before = first, 0, None

    def following(page: Any, _: Reply) -> Mapping[str, Any] | None:
        nonlocal number, seen, before
        if page is None:
            return None
        found, counted = records(page, f"GET {path}", items), count(page, total)
        if counted is None:
            raise IncompleteError(f"GET {path}: a page does not say how many records there are")
        number, seen = number + 1, seen + len(found)
        if seen < counted and (not found or found == before):
            raise IncompleteError(f"GET {path}: no more records after {seen}, where {counted} are counted")
        before = found
        return {"page": number} if seen < counted else None

    return client.pages(path, {**params, "page": first}, following)


def complete(devices: Iterable[Device], what: str, counted: int | None = None, slack: int = 0) -> Iterator[Device]:
    """These devices, once it is known that no more than `slack` of those counted are missing.

    One that is listed twice because pages moved is one: another was missed for it. Raises `BadReplyError` and
    `IncompleteError`.
    """
    ids: set[str] = set()
    for device in devices:
        if not device.id:
            raise BadReplyError(f"{what}: a device without an id")
        ids.add(device.id)
        yield device
    if counted is not None and len(ids) < counted - slack:
        raise IncompleteError(f"{what}: {len(ids)} devices, where {counted} are counted")

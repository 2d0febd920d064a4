"""Hexnode UEM, read with an API key of the portal.

https://www.hexnode.com/mobile-device-management/help/hexnode-mdm-api-documentation/ . A key has the rights of whoever
made it and there is none that only reads: make it as a technician who may view devices, and guard it. Its list tells no
groups and no apps; which actions wait is told for each action by its number only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.client import Client, Headers
from yardlight.collection import Session
from yardlight.inventory.accounts import AccountConfig, BaseUrl
from yardlight.mdm.device import Compliance, Device, Record
from yardlight.mdm.listing import complete, numbered
from yardlight.mdm.support import support
from yardlight.moment import moment
from yardlight.reading import count, flag, records, text

SUPPORT = support(
    "Hexnode UEM",
    rights="API key of a technician who may view devices",
    last_word="last report",
    compliance="yes",
    counted="yes",
    evidence="own fake of a recorded list",
)

_LIST = "/api/v1/devices/"
_PER_PAGE = 100
_COMPLIANCE: dict[bool | None, Compliance] = {True: "compliant", False: "noncompliant", None: "unknown"}


class Config(AccountConfig):
    """The portal at `url` (https://example.hexnodemdm.com) and a file with its API key."""

    url: BaseUrl
    api_key_file: str


def fetch(config: Config, session: Session) -> Any:
    """All pages of devices. Raises `PollError`."""
    key = Headers({"Authorization": session.secret(config.api_key_file)})
    hexnode = Client(session, config, config.url, key)
    return list(numbered(hexnode, _LIST, {"per_page": _PER_PAGE}, "results", "count", first=1))


def parse(reply: Any, config: Config) -> Iterator[Record]:
    """The devices. Raises `BadReplyError`, and `IncompleteError` if the portal counts more."""
    zone, what = ZoneInfo(config.timezone), f"GET {_LIST}"
    devices = (_device(raw, zone) for page in reply for raw in records(page, what, "results"))
    yield from complete(devices, what, count(reply[-1], "count"))


def _device(raw: dict[str, Any], zone: ZoneInfo) -> Device:
    return Device(
        id=text(raw, "id"),
        serial=text(raw, "serial_number"),
        name=text(raw, "device_name"),
        os=text(raw, "os_name"),
        os_version=text(raw, "os_version"),
        checkin=moment(raw.get("last_reported"), zone),
        enrolled=moment(raw.get("enrolled_time"), zone),
        compliance=_COMPLIANCE[flag(raw, "compliant")],
    )

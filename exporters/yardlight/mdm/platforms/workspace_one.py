"""Workspace ONE UEM (formerly AirWatch), read by its search for devices (REST API, version 1).

Authorized by OAuth (a client of the console, and the token service of its region) or by an administrator's password,
with the tenant's API key in either case; a role with read-only access to REST API devices is enough. Its times have no
zone and mean UTC. What is not enrolled (any more) is listed all the same, and is no device that is managed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import model_validator

from yardlight.client import Auth, Client, Headers, Token, basic, client_credentials
from yardlight.collection import Session
from yardlight.inventory.accounts import AccountConfig, BaseUrl
from yardlight.mdm.device import Action, Compliance, Device, Order, Record
from yardlight.mdm.listing import complete, numbered
from yardlight.mdm.support import support
from yardlight.moment import moment
from yardlight.reading import count, records, text

SUPPORT = support(
    "Workspace ONE UEM (AirWatch)",
    rights="role with REST API devices, read; the API key of the organization group",
    last_word="last seen",
    compliance="yes",
    group="organization group",
    orders="wipe and enterprise wipe, since we first saw them",
    counted="yes",
    evidence="own fake of recorded lists; no official specification is public",
)

_CODE = "aw-tenant-code"
_LIST = "/API/mdm/devices/search"
_PER_PAGE = 500
_SYSTEMS = {"apple": "iOS", "appleosx": "macOS", "winrt": "Windows"}
_COMPLIANCE: dict[str, Compliance] = {"compliant": "compliant", "noncompliant": "noncompliant"}
_ORDERS: dict[str, Action] = {
    "devicewipepending": "wipe",
    "wipeinitiated": "wipe",
    "enterprisewipepending": "retire",
    "unenrollmentpending": "retire",
}
_NOT_MANAGED = frozenset({
    "discovered", "registered", "unenrolled", "unenrolledbyfeedbackservice", "retired", "deviceretired",
    "devicenotfound",
})  # fmt: skip


class Config(AccountConfig):
    """The API server at `url`; `username` and `password_file`, or `client_id`, `client_secret_file` and `login_url`.

    `login_url` is the region's, such as https://na.uemauth.workspaceone.com .
    """

    url: BaseUrl
    tenant_code_file: str
    username: str | None = None
    password_file: str | None = None
    client_id: str | None = None
    client_secret_file: str | None = None
    login_url: BaseUrl | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = [(self.username, self.password_file), (self.client_id, self.client_secret_file, self.login_url)]
        if sorted((all(way), any(way)) for way in ways) != [(False, False), (True, True)]:
            raise ValueError(
                "write username with password_file, or client_id with client_secret_file and login_url (OAuth)"
            )
        return self


def fetch(config: Config, session: Session) -> Any:
    """All pages of devices. Raises `PollError`."""
    ws1 = Client(session, config, config.url, _auth(config, session))
    return list(numbered(ws1, _LIST, {"orderby": "deviceid", "pagesize": _PER_PAGE}, "Devices", "Total"))


def _auth(config: Config, session: Session) -> Auth:
    code = session.secret(config.tenant_code_file)
    if config.username and config.password_file:
        return Headers({**basic(config.username, session.secret(config.password_file)).values, _CODE: code})
    login = Client(session, config.model_copy(update={"url": config.login_url}), "")
    secret = session.secret(config.client_secret_file or "")
    form = {"client_id": config.client_id or ""}
    take = client_credentials(session, login, "/connect/token", form, secret)

    def with_code() -> tuple[Mapping[str, str], float | None]:
        headers, seconds = take()
        return {**headers, _CODE: code.reveal()}, seconds

    return Token(with_code)


def parse(reply: Any, config: Config) -> Iterator[Record]:
    """The devices that are enrolled. Raises `BadReplyError`, and `IncompleteError` if the server counts more."""
    zone, what = ZoneInfo(config.timezone), f"GET {_LIST}"
    # No devices at all are an answer without content (204).
    pages = [page for page in reply if page is not None]
    listed = [raw for page in pages for raw in records(page, what, "Devices")]
    managed = {_id(raw) for raw in listed if text(raw, "EnrollmentStatus").lower() not in _NOT_MANAGED}
    counted = count(pages[-1], "Total") if pages else None
    devices = complete((_device(raw, zone) for raw in listed), what, counted)
    yield from (device for device in devices if device.id in managed)


def _id(raw: dict[str, Any]) -> str:
    return text(raw, "Id", "Value")


def console(config: Config, id_: str) -> str:
    """The page of a device. Omnissa's own tenants have the console beside the API: cn100.awmdm.com to as100."""
    console_url = re.sub(r"^https://as(\d+)\.awmdm\.com", r"https://cn\1.awmdm.com", config.url.rstrip("/"))
    return f"{console_url}/AirWatch/#/AirWatch/Device/Details/Summary/{id_}"


def _device(raw: dict[str, Any], zone: ZoneInfo) -> Device:
    platform, status = text(raw, "Platform"), text(raw, "EnrollmentStatus").lower()
    return Device(
        id=_id(raw),
        serial=text(raw, "SerialNumber"),
        name=text(raw, "DeviceFriendlyName"),
        group=text(raw, "LocationGroupName"),
        groups=(text(raw, "LocationGroupId", "Id", "Value"),),
        os=_SYSTEMS.get(platform.lower(), platform),
        os_version=text(raw, "OperatingSystem"),
        checkin=moment(raw.get("LastSeen"), zone),
        enrolled=moment(raw.get("LastEnrolledOn"), zone),
        compliance=_COMPLIANCE.get(text(raw, "ComplianceStatus").lower(), "unknown"),
        orders=(Order(_ORDERS[status], None, "pending"),) if status in _ORDERS else (),
        imei=text(raw, "Imei"),
        phone=text(raw, "PhoneNumber"),
    )

"""SOTI MobiControl, read with an API client and the password of a user who may view devices and nothing else.

Its API takes no other grant. Which of a device's times is the newest differs by its system: the agent's connections,
the check-in, or, where there is no agent, the update of its status. There is no count of devices to compare with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from yardlight.client import Client, Reply, Token, basic, granted
from yardlight.collection import Session
from yardlight.errors import IncompleteError
from yardlight.inventory.accounts import AccountConfig, BaseUrl
from yardlight.mdm.device import Compliance, Device, Record
from yardlight.mdm.listing import complete
from yardlight.mdm.support import support
from yardlight.moment import NEVER, Moment, latest, moment
from yardlight.reading import records, text

SUPPORT = support(
    "SOTI MobiControl",
    rights="API client, and a user with the right to view devices and no other",
    last_word="the latest of check-in, agent's connections and status update",
    compliance="yes",
    group="last folder of the path",
    evidence="own fake of a recorded list (2017); no official specification is public",
)

_LIST = "/MobiControl/api/devices"
_PER_PAGE = 500
_TIMES = ("LastCheckInTime", "LastAgentConnectTime", "LastAgentDisconnectTime", "LastStatusUpdate")
_COMPLIANCE: dict[str, Compliance] = {
    "true": "compliant",
    "compliant": "compliant",
    "false": "noncompliant",
    "noncompliant": "noncompliant",
}


class Config(AccountConfig):
    """The server at `url`, an API client of it and a user."""

    url: BaseUrl
    client_id: str
    client_secret_file: str
    username: str
    password_file: str


def fetch(config: Config, session: Session) -> Any:
    """All pages of devices. Raises `PollError`."""
    client = basic(config.client_id, session.secret(config.client_secret_file)).headers()
    password = session.secret(config.password_file)

    def form() -> Mapping[str, str]:
        return {"grant_type": "password", "username": config.username, "password": password.reveal()}

    login = Client(session, config, config.url)
    take = granted(session, login, "/MobiControl/api/token", form, client)
    soti = Client(session, config, config.url, Token(take))
    seen: set[str] = set()

    def following(page: Any, _: Reply) -> Mapping[str, Any] | None:
        """A page without devices is the end; how many one may have is the server's to say."""
        ids = {text(raw, "DeviceId") for raw in records(page, f"GET {_LIST}")}
        if ids and ids <= seen:
            raise IncompleteError(f"GET {_LIST}: a page of devices that were all there before")
        seen.update(ids)
        return {"skip": len(seen)} if ids else None

    return list(soti.pages(_LIST, {"order": "DeviceId", "take": _PER_PAGE, "skip": 0}, following))


def parse(reply: Any, config: Config) -> Iterator[Record]:
    """The devices. Raises `BadReplyError`."""
    zone, what = ZoneInfo(config.timezone), f"GET {_LIST}"
    yield from complete((_device(raw, zone) for page in reply for raw in records(page, what)), what)


def console(config: Config, id_: str) -> str:
    """The page of a device."""
    return f"{config.url.rstrip('/')}/MobiControl/WebConsole/home/devices/{quote(id_, safe='')}/DeviceDetails"


def _device(raw: dict[str, Any], zone: ZoneInfo) -> Device:
    times = {key: _moment(raw[key], zone) for key in _TIMES if key in raw}
    platform = text(raw, "Platform")
    return Device(
        id=text(raw, "DeviceId"),
        serial=text(raw, "HardwareSerialNumber") or text(raw, "ManufacturerSerialNumber"),
        name=text(raw, "DeviceName"),
        group=text(raw, "Path").rpartition("\\")[2],
        # AndroidPlus and AndroidForWork are ways to manage it.
        os="Android" if platform.startswith("Android") else platform,
        os_version=text(raw, "OSVersion"),
        checkin=latest(*times.values()),
        status_report=times.get("LastStatusUpdate"),
        enrolled=moment(raw.get("EnrollmentTime"), zone),
        compliance=_compliance(raw.get("ComplianceStatus")),
    )


def _moment(raw: Any, zone: ZoneInfo) -> Moment:
    """What did not happen is null here."""
    return NEVER if raw is None else moment(raw, zone)


def _compliance(raw: Any) -> Compliance:
    return _COMPLIANCE.get(str(raw).lower(), "unknown")

"""Microsoft Intune over Microsoft Graph v1.0: managedDevices, read with DeviceManagementManagedDevices.Read.All.

https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice . Check-ins come about every eight hours.
Clean-up rules take the devices that were silent longest out of the list, so the list is compared with what there was.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.client import Client, Reply, Token, client_credentials
from yardlight.collection import Session
from yardlight.errors import BadReplyError, ForbiddenError, IncompleteError
from yardlight.inventory.accounts import AccountConfig, BaseUrl, Rate
from yardlight.mdm.device import Action, Compliance, Device, Order, Progress, Record, Tenant
from yardlight.moment import moment
from yardlight.reading import below, flag, records, several, text, texts

GRAPH = "https://graph.microsoft.com"
LOGIN = "https://login.microsoftonline.com"
FIELDS = (
    "id", "serialNumber", "deviceName", "deviceCategoryDisplayName", "operatingSystem", "osVersion", "lastSyncDateTime",
    "enrolledDateTime", "complianceState", "managementState", "deviceActionResults",
)  # fmt: skip
_TEXTS = (
    "id", "serialNumber", "deviceName", "deviceCategoryDisplayName", "operatingSystem", "osVersion", "complianceState",
    "managementState",
)  # fmt: skip
# Enrolments of the last minutes are counted before they are listed, and the other way round.
_COUNT_DIFFERS = 0.02
_COMPLIANCE: dict[str, Compliance] = {
    "compliant": "compliant",
    "noncompliant": "noncompliant",
    "conflict": "noncompliant",
    "error": "noncompliant",
    "ingraceperiod": "grace",
}
_ACTIONS: dict[str, Action] = {
    "wipe": "wipe",
    "factoryreset": "wipe",
    "retire": "retire",
    "delete": "retire",
    "remotelock": "lock",
}
_PROGRESS: dict[str, Progress] = {
    "none": "pending",
    "pending": "pending",
    "active": "pending",
    "failed": "failed",
    "notsupported": "failed",
}
# What the device itself is said to wait for, where the list leaves the results of actions out.
_STATES: dict[str, tuple[Action, Progress]] = {
    "wipepending": ("wipe", "pending"),
    "wipeissued": ("wipe", "pending"),
    "wipefailed": ("wipe", "failed"),
    "retirepending": ("retire", "pending"),
    "retireissued": ("retire", "pending"),
    "retirefailed": ("retire", "failed"),
}


class Config(AccountConfig):
    """An app registration of the tenant. `login_url` is another one in national clouds."""

    tenant: str
    client_id: str
    client_secret_file: str
    login_url: BaseUrl = LOGIN
    # Half of what Graph allows an app for devices of Intune: 2 000 requests in 20 seconds.
    rate: Rate = 50.0
    read_settings: bool = True


def fetch(config: Config, session: Session) -> Any:
    """All devices, how many the tenant counts, and its settings if they may be read. Raises `PollError`."""
    login = Client(session, config.model_copy(update={"url": config.login_url}), LOGIN)
    form = {"client_id": config.client_id, "scope": f"{config.url or GRAPH}/.default"}
    take = client_credentials(
        session, login, f"/{config.tenant}/oauth2/v2.0/token", form, session.secret(config.client_secret_file)
    )
    graph = Client(session, config, GRAPH, Token(take))
    overview = graph.get("/v1.0/deviceManagement/managedDeviceOverview").json()
    settings = _settings(graph) if config.read_settings else None
    select = {"$select": ",".join(FIELDS), "$top": "1000"}
    # A page at a time, as `parse` takes them: a hundred thousand devices at once are half a gigabyte.
    pages = graph.pages("/v1.0/deviceManagement/managedDevices", select, _next)
    return {"overview": overview, "pages": pages, "settings": settings}


def _settings(graph: Client) -> Any:
    """Needs DeviceManagementConfiguration.Read.All as well, which nobody has to grant us."""
    try:
        return graph.get("/v1.0/deviceManagement", {"$select": "settings"}).json()
    except (ForbiddenError, BadReplyError):
        return None


def parse(reply: Any, config: Config) -> Iterator[Record]:
    """The devices. Raises `BadReplyError`, and `IncompleteError` if the tenant counts more."""
    zone, count = ZoneInfo(config.timezone), 0
    for page in reply["pages"]:
        for raw in records(page, "GET managedDevices", "value"):
            device = _device(raw, zone)
            if not device.id:
                raise BadReplyError("GET managedDevices: a device without an id")
            count += 1
            yield device
    counted = below(reply["overview"], "enrolledDeviceCount")
    if isinstance(counted, int) and count < counted - max(5, counted * _COUNT_DIFFERS):
        raise IncompleteError(f"GET managedDevices: {count} devices, where the tenant counts {counted}")
    secure = flag(reply["settings"], "settings", "secureByDefault")
    yield Tenant(unassigned_is_compliant=None if secure is None else not secure)


def _next(page: Any, reply: Reply) -> str | None:
    return text(page, "@odata.nextLink") or None


def _device(raw: dict[str, Any], zone: ZoneInfo) -> Device:
    id_, serial, name, group, os, os_version, compliance, management = texts(raw, _TEXTS)
    return Device(
        id=id_,
        serial=serial,
        name=name,
        group=intern(group),
        os=intern(os),
        os_version=intern(os_version),
        checkin=moment(raw.get("lastSyncDateTime"), zone),
        enrolled=moment(raw.get("enrolledDateTime"), zone),
        compliance=_COMPLIANCE.get(compliance.lower(), "unknown"),
        orders=tuple(_orders(raw, zone)) if management != "managed" or raw.get("deviceActionResults") else (),
    )


def _orders(raw: dict[str, Any], zone: ZoneInfo) -> Iterator[Order]:
    """What was ordered: by the results of actions, and where the list leaves these out by the management state."""
    told: set[str] = set()
    for result in (each for each in several(raw, "deviceActionResults") if isinstance(each, dict)):
        action = _ACTIONS.get(text(result, "actionName").lower(), "other")
        progress = _PROGRESS.get(text(result, "actionState").lower(), "done")
        told.add(action)
        yield Order(action, moment(below(result, "startDateTime"), zone), progress)
    if (waits := _STATES.get(text(raw, "managementState").lower())) and waits[0] not in told:
        yield Order(waits[0], None, waits[1])

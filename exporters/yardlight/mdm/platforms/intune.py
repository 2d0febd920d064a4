"""Microsoft Intune over Microsoft Graph v1.0: managedDevices, read with DeviceManagementManagedDevices.Read.All.

https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice . Check-ins come about every eight hours.
Clean-up rules take the devices that were silent longest out of the list, so the list is compared with what there was.
With DeviceManagementConfiguration.Read.All the tenant's settings are read as well, and which devices have no policy
where the tenant does not take these for compliant; with Application.Read.All when our own secret ends. Nobody has to
grant these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from sys import intern
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.client import Client, Reply, Token, client_credentials
from yardlight.collection import Session
from yardlight.errors import ForbiddenError, RefusedError
from yardlight.inventory.accounts import AccountConfig, BaseUrl, Rate
from yardlight.inventory.values import Secret
from yardlight.mdm.device import Action, Compliance, Device, Order, Progress, Record, Tenant
from yardlight.mdm.listing import complete
from yardlight.mdm.support import support
from yardlight.moment import latest, moment
from yardlight.reading import below, count, flag, records, several, text, texts

SUPPORT = support(
    "Microsoft Intune",
    rights="application permission DeviceManagementManagedDevices.Read.All; for settings and policies "
    "DeviceManagementConfiguration.Read.All, for the secret's end Application.Read.All",
    last_word="check-in",
    compliance="yes, with grace",
    no_policy="where a device without one is not taken for compliant",
    group="device category",
    orders="with since when, where the list has them",
    settings="whether a device without a policy counts as compliant",
    credential="of the client secret",
    counted="yes, a little later or earlier than the list",
    evidence="own fake, official specification",
)

GRAPH = "https://graph.microsoft.com"
LOGIN = "https://login.microsoftonline.com"
_CONSOLES = {GRAPH: "https://intune.microsoft.com", "https://graph.microsoft.us": "https://intune.microsoft.us"}
FIELDS = (
    "id", "serialNumber", "deviceName", "deviceCategoryDisplayName", "operatingSystem", "osVersion", "lastSyncDateTime",
    "enrolledDateTime", "complianceState", "managementState", "deviceActionResults", "imei", "phoneNumber",
)  # fmt: skip
_SELECT = {"$select": ",".join(FIELDS)}
_TEXTS = (
    "id", "serialNumber", "deviceName", "deviceCategoryDisplayName", "operatingSystem", "osVersion", "complianceState",
    "managementState", "imei", "phoneNumber",
)  # fmt: skip
_LIST = "/v1.0/deviceManagement/managedDevices"
# Which device has a policy at all, Intune tells as a setting of a policy that is built in.
_POLICY = "DefaultDeviceCompliancePolicy.RequireDeviceCompliancePolicyAssigned"
_ASSIGNED = (
    f"/v1.0/deviceManagement/deviceCompliancePolicySettingStateSummaries/{_POLICY}/deviceComplianceSettingStates"
)
# Enrolments of the last minutes are counted before they are listed, and the other way round: 5 or 2 %, but of a few no
# more than a tenth.
_FEW, _SHARE, _MOST = 5, 0.02, 0.1
# So many characters of a secret Microsoft shows, to tell it from others.
_HINT = 3
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
    "done": "done",
    "canceled": "done",
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
    # A tenth less than Graph allows an app for devices of Intune, 2 000 requests in 20 seconds; others have their own.
    rate: Rate = 90.0
    read_settings: bool = True


def fetch(config: Config, session: Session) -> Any:
    """All devices, how many the tenant counts, and its settings if they may be read. Raises `PollError`."""
    graph, secret = _graph(config, session)
    overview = graph.get("/v1.0/deviceManagement/managedDeviceOverview").json()
    reply: dict[str, Any] = {"overview": overview, "settings": None, "secrets": [], "without": None}
    if config.read_settings:
        reply["settings"] = _if_granted(graph, "/v1.0/deviceManagement", "settings")
        application = f"/v1.0/applications(appId='{config.client_id}')"
        reply["secrets"] = _ours(_if_granted(graph, application, "passwordCredentials"), secret)
        reply["without"] = _without_policy(graph)
    # A page at a time, as `parse` takes them: a hundred thousand devices at once are half a gigabyte.
    return {**reply, "pages": graph.pages(_LIST, {**_SELECT, "$top": "1000"}, _next, read=Reply.quick_json)}


def fetch_some(config: Config, session: Session, ids: Sequence[str]) -> Any:
    """These devices as far as they are there, for `parse`. Raises `PollError`."""
    (graph, _), found = _graph(config, session), []
    for id_ in ids:
        with suppress(RefusedError):
            found.append(graph.get(f"{_LIST}/{{id}}", _SELECT, {"id": id_}).json())
    return {"overview": None, "settings": None, "secrets": [], "without": None, "pages": [{"value": found}]}


def _graph(config: Config, session: Session) -> tuple[Client, Secret]:
    """The API, and the secret with which it is read."""
    login = Client(session, config.model_copy(update={"url": config.login_url}), LOGIN)
    form = {"client_id": config.client_id, "scope": f"{config.url or GRAPH}/.default"}
    secret = session.secret(config.client_secret_file)
    take = client_credentials(session, login, f"/{config.tenant}/oauth2/v2.0/token", form, secret)
    return Client(session, config, GRAPH, Token(take)), secret


def _if_granted(graph: Client, path: str, select: str) -> Any:
    """What needs a permission that nobody has to grant us."""
    try:
        return graph.get(path, {"$select": select}).json()
    except (ForbiddenError, RefusedError):
        return None


def _without_policy(graph: Client) -> list[str] | None:
    """The ids of devices that have no policy; none of them where that counts as compliant, None if not to be known."""
    try:
        pages = list(graph.pages(_ASSIGNED, {"$filter": "state eq 'nonCompliant'"}, _next))
    except (ForbiddenError, RefusedError):
        return None
    states = (each for page in pages for each in records(page, f"GET {_ASSIGNED}", "value"))
    return [text(each, "deviceId") for each in states if text(each, "state").lower() == "noncompliant"]


def _ours(application: Any, secret: Secret) -> list[Any]:
    """The ends of those secrets of the application that ours may be, by how it begins."""
    begins = secret.reveal()[:_HINT]
    known = several(application, "passwordCredentials")
    return [below(each, "endDateTime") for each in known if text(each, "hint") in ("", begins)]


def parse(reply: Any, config: Config) -> Iterator[Record]:
    """The devices. Raises `BadReplyError`, and `IncompleteError` if the tenant counts more."""
    zone, what = ZoneInfo(config.timezone), f"GET {_LIST}"
    without = frozenset(reply["without"] or ())
    devices = (_device(raw, zone, without) for page in reply["pages"] for raw in records(page, what, "value"))
    counted = count(reply["overview"], "enrolledDeviceCount")
    slack = min(max(_FEW, (counted or 0) * _SHARE), (counted or 0) * _MOST)
    yield from complete(devices, what, counted, int(slack))
    secure = flag(reply["settings"], "settings", "secureByDefault")
    # A secret that was renewed may begin as the old one does.
    ends = latest(*(moment(end, zone) for end in reply["secrets"]))
    policies = reply["without"] is not None and secure is True
    yield Tenant({"client secret": ends} if ends else None, None if secure is None else not secure, policies=policies)


def console(config: Config, id_: str) -> str:
    """The page of a device, where Wipe is; of a national cloud with a console that we do not know, nothing."""
    found = _CONSOLES.get((config.url or GRAPH).rstrip("/"))
    return (
        f"{found}/#view/Microsoft_Intune_Devices/DeviceSettingsMenuBlade/~/overview/mdmDeviceId/{id_}" if found else ""
    )


def _next(page: Any, reply: Reply) -> str | None:
    return text(page, "@odata.nextLink") or None


def _device(raw: dict[str, Any], zone: ZoneInfo, without: frozenset[str]) -> Device:
    id_, serial, name, group, os, os_version, compliance, management, imei, phone = texts(raw, _TEXTS)
    # By place and by attribute: to give a hundred thousand devices ten names each takes longer than to read them.
    checkin = moment(raw.get("lastSyncDateTime"), zone)
    device = Device(id_, serial, name, intern(group), intern(os), intern(os_version), checkin)
    device.enrolled = moment(raw.get("enrolledDateTime"), zone)
    device.compliance = "no_policy" if id_ in without else _COMPLIANCE.get(compliance.lower(), "unknown")
    device.orders = tuple(_orders(raw, zone)) if management != "managed" or raw.get("deviceActionResults") else ()
    device.imei, device.phone = imei, phone
    return device


def _orders(raw: dict[str, Any], zone: ZoneInfo) -> Iterator[Order]:
    """What was ordered: by the results of actions, and where the list leaves these out by the management state."""
    told: set[str] = set()
    for result in (each for each in several(raw, "deviceActionResults") if isinstance(each, dict)):
        action = _ACTIONS.get(text(result, "actionName").lower(), "other")
        # A state that nobody knows is not done.
        progress = _PROGRESS.get(text(result, "actionState").lower(), "pending")
        told.add(action)
        yield Order(action, moment(below(result, "startDateTime"), zone), progress)
    if (waits := _STATES.get(text(raw, "managementState").lower())) and waits[0] not in told:
        yield Order(waits[0], None, waits[1])

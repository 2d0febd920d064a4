"""Jamf Pro: mobile devices and, where asked for, computers, with a read-only API client (client credentials).

https://developer.jamf.com/jamf-pro/reference . The server's version decides which computers endpoint is asked. A mobile
device's last contact is told by newer servers only; older ones tell when its inventory was last taken, which comes less
often: once a day by default (`checkin` is then that, as of an older server). Needs Read Mobile Devices, Read Computers
and View MDM Command Information.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.client import Client, Token, client_credentials
from yardlight.collection import Session
from yardlight.errors import ForbiddenError, NotThereError
from yardlight.inventory.accounts import AccountConfig, BaseUrl, Rate
from yardlight.mdm.device import Device, Order, Progress, Record, version
from yardlight.mdm.listing import complete, numbered
from yardlight.mdm.support import support
from yardlight.moment import NEVER, Moment, moment
from yardlight.reading import below, count, records, several, text

SUPPORT = support(
    "Jamf Pro",
    rights="API role with Read Mobile Devices, Read Computers, View MDM Command Information",
    last_word="contact; of mobile devices on older servers the inventory",
    group="groups, by name or id; of computers the site",
    apps="of mobile devices",
    orders="wipes, with since when",
    counted="yes",
    evidence="own fake, official specification of two server versions",
)

_MOBILE = "/api/v2/mobile-devices/detail"
_NAMES = "/api/v2/mobile-devices"
_COMMANDS = "/api/v2/mdm/commands"
# From this version on computers are told with the time of their last contact over any channel (general.lastContact).
_V4 = (11, 30)
_PER_PAGE = 200
# LENIENT: one broken device is null in its page, and not an error in place of the page.
_MOBILE_PARAMS = {
    "section": ["GENERAL", "HARDWARE", "APPLICATIONS", "GROUPS", "NETWORK"],
    "exception-handling": "LENIENT",
    "sort": "mobileDeviceId:asc",
}
_COMPUTER_PARAMS = {"section": ["GENERAL", "HARDWARE", "OPERATING_SYSTEM"], "sort": "id:asc"}
_PROGRESS: dict[str, Progress] = {
    "PENDING": "pending",
    "NOT_NOW": "pending",
    "ACKNOWLEDGED": "done",
    "ERROR": "failed",
    "COMMAND_FORMAT_ERROR": "failed",
}


_Orders = Mapping[str, tuple[Order, ...]]


class Config(AccountConfig):
    """An API client of the server at `url`. `computers`: macOS as well, as devices of the group that Jamf's site is."""

    url: BaseUrl
    client_id: str
    client_secret_file: str
    computers: bool = False
    rate: Rate = 5.0


def fetch(config: Config, session: Session) -> Any:
    """All pages of devices and of wipes. Raises `PollError`."""
    jamf = _jamf(config, session)
    reply = _mobiles(jamf, _MOBILE_PARAMS)
    if config.computers:
        reply["computers"] = _computers(jamf, _COMPUTER_PARAMS)
    return {**reply, "commands": _wipes(jamf)}


def fetch_some(config: Config, session: Session, ids: Sequence[str]) -> Any:
    """These devices as far as they are there, for `parse`. Raises `PollError`."""
    jamf = _jamf(config, session)
    reply: dict[str, Any] = {}
    numbers = defaultdict[str, list[str]](list)
    for kind, number in (each.split() for each in ids):
        numbers[kind].append(number)
    if mobile := numbers["mobile"]:
        reply = _mobiles(jamf, {**_MOBILE_PARAMS, "filter": _any_of("mobileDeviceId", mobile)})
    if computers := numbers["computer"]:
        params = {**_COMPUTER_PARAMS, "filter": _any_of("id", computers)}
        reply["computers"] = _computers(jamf, params)
    return {**reply, "commands": _wipes(jamf)}


def _mobiles(jamf: Client, params: Mapping[str, Any]) -> dict[str, Any]:
    """Mobile devices, and where the server could not put one together the list that at least names them."""
    pages = _pages(jamf, _MOBILE, params)
    broken = any(_broken(raw) for page in pages for raw in several(page, "results"))
    return {"mobile": pages, "names": _pages(jamf, _NAMES, {"sort": "id:asc"}) if broken else []}


def _broken(raw: Any) -> bool:
    return not all(isinstance(below(raw, part), dict) for part in ("general", "hardware"))


def _any_of(field: str, numbers: Sequence[str]) -> str:
    """In the query language of the API (RSQL)."""
    return f"{field}=in=({','.join(numbers)})"


def _jamf(config: Config, session: Session) -> Client:
    secret, form = session.secret(config.client_secret_file), {"client_id": config.client_id}
    take = client_credentials(session, Client(session, config, config.url), "/api/v1/oauth/token", form, secret)
    return Client(session, config, config.url, Token(take))


def _computers(jamf: Client, params: Mapping[str, Any]) -> list[Any]:
    """All pages from the endpoint that this version of the server has. Where v3 is not there yet, v1 tells the same."""
    server = text(jamf.get("/api/v1/jamf-pro-version").json(), "version")
    try:
        return _pages(jamf, f"/api/{'v4' if (version(server) or ()) >= _V4 else 'v3'}/computers-inventory", params)
    except NotThereError:
        return _pages(jamf, "/api/v1/computers-inventory", params)


def _wipes(jamf: Client) -> list[Any] | None:
    """All wipes; None where they may not be read, or not on a server so old, which is not none."""
    try:
        wipes = {"filter": "command==ERASE_DEVICE", "sort": "dateSent:asc"}
        return _pages(jamf, _COMMANDS, wipes)
    except (ForbiddenError, NotThereError):
        return None


def parse(reply: Any, config: Config) -> Iterator[Record]:
    """The devices. Raises `BadReplyError`, and `IncompleteError` if pages hold fewer than the server counts."""
    zone = ZoneInfo(config.timezone)
    commands: list[Any] | None = reply["commands"]
    orders = None if commands is None else _orders(commands, zone)
    names = {text(raw, "id"): raw for page in reply.get("names", []) for raw in several(page, "results")}
    for page in reply.get("mobile", []):
        for raw in records(page, f"GET {_MOBILE}", "results"):
            if _broken(raw):
                _mend(raw, names.get(text(raw, "mobileDeviceId")))
    for key, read, what in (("mobile", _mobile, f"GET {_MOBILE}"), ("computers", _computer, "GET computers-inventory")):
        pages = reply.get(key, [])
        devices = (read(raw, orders, zone) for page in pages for raw in records(page, what, "results"))
        yield from complete(devices, what, count(pages[-1], "totalCount") if pages else None)


def console(config: Config, id_: str) -> str:
    """The page of a device, with its management commands."""
    kind, _, number = id_.partition(" ")
    return f"{config.url.rstrip('/')}/{'mobileDevices' if kind == 'mobile' else 'computers'}.html?id={number}&o=r"


def _pages(jamf: Client, path: str, params: Mapping[str, Any]) -> list[Any]:
    return list(numbered(jamf, path, {**params, "page-size": _PER_PAGE}, "results", "totalCount"))


def _mobile(raw: dict[str, Any], orders: _Orders | None, zone: ZoneInfo) -> Device:
    number = text(raw, "mobileDeviceId")
    contact, inventory = (_moment(raw, key, zone) for key in ("lastContactDate", "lastInventoryUpdateDate"))
    apps = below(raw, "applications")
    groups = [name for key in ("groupName", "groupId") for each in several(raw, "groups") if (name := text(each, key))]
    return Device(
        id=number and f"mobile {number}",
        serial=text(raw, "hardware", "serialNumber"),
        name=text(raw, "general", "displayName"),
        group=groups[0] if groups else "",
        groups=tuple(groups),
        os=text(raw, "deviceType"),
        os_version=text(raw, "general", "osVersion"),
        checkin=_first_of(contact, inventory),
        inventory=inventory,
        enrolled=moment(below(raw, "general", "lastEnrolledDate"), zone),
        apps=_apps(apps) if isinstance(apps, list) else None,
        orders=None if orders is None else orders.get(text(raw, "general", "managementId"), ()),
        iccids=(text(raw, "network", "iccid"),),
        imei=text(raw, "network", "imei"),
        phone=text(raw, "network", "phoneNumber"),
    )


def _computer(raw: dict[str, Any], orders: _Orders | None, zone: ZoneInfo) -> Device:
    number = text(raw, "id")
    contact = _first_of(*(_moment(raw, key, zone) for key in ("lastContact", "lastContactTime")))
    return Device(
        id=number and f"computer {number}",
        serial=text(raw, "hardware", "serialNumber"),
        name=text(raw, "general", "name"),
        group=text(raw, "general", "site", "name"),
        os="macOS",
        os_version=text(raw, "operatingSystem", "version"),
        checkin=contact,
        inventory=_moment(raw, "reportDate", zone),
        enrolled=moment(below(raw, "general", "lastEnrolledDate"), zone),
        orders=None if orders is None else orders.get(text(raw, "general", "managementId"), ()),
    )


def _mend(raw: dict[str, Any], named: Any) -> None:
    """What is known of a device that the server could not put together: one without a serial number is nobody's."""
    general = {"displayName": text(named, "name"), "managementId": text(named, "managementId")}
    for part, known in (("general", general), ("hardware", {"serialNumber": text(named, "serialNumber")})):
        if not isinstance(raw.get(part), dict):
            raw[part] = known


def _moment(raw: dict[str, Any], key: str, zone: ZoneInfo) -> Moment:
    """What did not happen is null; what this version does not tell is not there."""
    general = below(raw, "general")
    return NEVER if isinstance(general, dict) and general.get(key, "") is None else moment(below(general, key), zone)


def _first_of(*moments: Moment) -> Moment:
    """The first that is an instant; else never if one says so."""
    said = [each for each in moments if isinstance(each, float)]
    return said[0] if said else NEVER if NEVER in moments else None


def _apps(raw: list[Any]) -> dict[str, str]:
    found = ((text(each, "identifier"), text(each, "shortVersion") or text(each, "version")) for each in raw)
    return {identifier: version_ for identifier, version_ in found if identifier}


def _orders(pages: list[Any], zone: ZoneInfo) -> _Orders:
    """The last wipe of each device, by its management id."""
    found: dict[str, tuple[Order, ...]] = {}
    for page in pages:
        for raw in records(page, f"GET {_COMMANDS}", "results"):
            progress = _PROGRESS.get(text(raw, "commandState"), "pending")
            order = Order("wipe", moment(below(raw, "dateSent"), zone), progress)
            found[text(raw, "client", "managementId")] = (order,)
    # One whose device is not told is nobody's, and not that of all who have no such id.
    found.pop("", None)
    return found

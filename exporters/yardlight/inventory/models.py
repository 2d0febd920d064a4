"""The inventory as frozen, validated models: what a fleet is, in the user's own words.

These models are filled by `load.load` from YAML after classes, defaults and includes are merged. They hold
no lines or files: `load.Inventory.locate` does. A model is never changed after it was made; a reload makes a new one.
"""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from yardlight.inventory.addresses import HOST, WebAddress, is_address
from yardlight.inventory.archives import Archive
from yardlight.inventory.cellular import CellularSource
from yardlight.inventory.contacts import Contacts, Mail, Phones, Written
from yardlight.inventory.feeds import FeedSource
from yardlight.inventory.flows import Flow
from yardlight.inventory.hours import HoursOfService
from yardlight.inventory.mdm import MdmSource
from yardlight.inventory.model import CREDENTIAL_WARNING, Model, Name, Stage, TimeZone
from yardlight.inventory.roster import Roster
from yardlight.inventory.values import Duration, Lasting, Level, Share, Size, Speed, listed
from yardlight.inventory.webhooks import Webhook

Role = Literal["primary", "standby"]
Medium = Literal["fiber", "lte", "5g", "cable", "satellite"]
Segment = Literal["next_hop", "isp", "far"]
# What can be known of an idle standby; see `Standby`.
Check = Literal["path", "dns", "https", "service", "radio", "registration", "sim", "headroom", "throughput"]

# The models of routers that come with Yardlight; others come through the entry point group yardlight.routers.
ROUTER_MODELS = (
    "auto", "generic", "cradlepoint", "peplink", "teltonika", "cisco", "mikrotik", "fortigate", "fortiextender",
    "opengear", "advantech", "digi", "airlink", "oneaccess", "teldat", "zmtel",
)  # fmt: skip
ROUTERS_GROUP = "yardlight.routers"
# The name that a terminal's proof has among its services.
PROOF = "standby-proof"
METERED_MEDIA = frozenset({"lte", "5g", "satellite"})
CELLULAR = frozenset({"lte", "5g"})
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+):(\d{1,5})")
_OID = re.compile(r"\d+(\.\d+){2,127}")
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9._@-]{0,14}")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _bind(raw: str) -> str:
    if not (is_address(raw) or _INTERFACE.fullmatch(raw)):
        raise ValueError(f"{raw!r} is neither an IP address nor an interface name of at most 15 characters")
    return raw


def _address(raw: str) -> str:
    if not is_address(raw):
        raise ValueError(f"{raw!r} is not an IP address")
    return raw


def _egress(raw: str) -> str:
    parts = urlsplit(raw)
    try:
        valid = parts.scheme == "stun" and parts.hostname is not None and is_address(parts.hostname)
        valid = valid and (parts.port is None or parts.port > 0) and not parts.path.strip("/")
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"{raw!r} is not a STUN server; write stun://198.51.100.9:3478 with an address, not a name")
    return raw


def _host_port(raw: str) -> str:
    match = _HOST_PORT.fullmatch(raw)
    host = match[1].strip("[]") if match else ""
    if not match or not 0 < int(match[2]) < 65536 or not (is_address(host) or HOST.fullmatch(host)):
        raise ValueError(f"{raw!r} is not a host and a port; write 10.8.0.21:10480 or [2001:db8::1]:10480")
    return raw


def _server(raw: str) -> str:
    match = _HOST_PORT.fullmatch(raw)
    return _address(raw) if is_address(raw) or not match or not is_address(match[1].strip("[]")) else _host_port(raw)


def _host(raw: str) -> str:
    if is_address(raw) or not HOST.fullmatch(raw):
        raise ValueError(f"{raw!r} is not a name; write dispatch.example.com")
    return raw


def _status(raw: int) -> int:
    if not 100 <= raw <= 599:
        raise ValueError(f"{raw} is not an HTTP status; write numbers from 100 to 599")
    return raw


def parse_redirects(raw: Any) -> Any:
    """`none`, `same_host`, or the hosts that may be redirected to. Raises `ValueError` naming these."""
    if raw in ("none", "same_host"):
        return raw
    hosts = raw if isinstance(raw, list | tuple) else ()
    if not hosts or not all(isinstance(host, str) and (is_address(host) or HOST.fullmatch(host)) for host in hosts):
        raise ValueError(f"{raw!r} is neither none, same_host nor a list of hosts like [login.example.com]")
    return tuple(host.lower() for host in hosts)


Bind = Annotated[str, AfterValidator(_bind)]
Address = Annotated[str, AfterValidator(_address)]
HostPort = Annotated[str, AfterValidator(_host_port)]
Server = Annotated[str, AfterValidator(_server)]


class Target(Model):
    """An address probed to judge an uplink. `label` is what the user wrote and what the metric label says."""

    label: str
    host: str
    probe: Literal["icmp", "tcp"] = "icmp"
    port: int | None = None
    segment: Segment = "far"


def parse_target(raw: Any) -> Target:
    """A `Target` from `198.51.100.1`, `2001:db8::1`, `example.com`, `tcp://host:443`, or {address: ..., segment: isp}.

    Raises `ValueError` naming what is accepted.
    """
    if isinstance(raw, Target):
        return raw
    segment: Any = "far"
    if isinstance(raw, dict):
        if "label" in raw:
            return Target.model_validate(raw)
        extra = set(raw) - {"address", "segment"}
        if extra or "address" not in raw:
            raise ValueError("a target is an address, or a mapping with 'address' and 'segment'")
        raw, segment = raw["address"], raw.get("segment", "far")
        if segment not in ("isp", "far"):
            raise ValueError(f"segment {segment!r} is not one of isp, far")
    if not isinstance(raw, str):
        raise ValueError(f"{raw!r} is not a target; write an address, a name or tcp://host:port")
    text = raw.strip()
    if text.startswith("tcp://"):
        host, _, port = text[6:].rpartition(":")
        host = host.strip("[]")
        if port.isdecimal() and 0 < int(port) < 65536 and (is_address(host) or HOST.fullmatch(host)):
            return Target(label=text, host=host, probe="tcp", port=int(port), segment=segment)
    elif is_address(text) or ("/" not in text and ":" not in text and HOST.fullmatch(text)):
        return Target(label=text, host=text, segment=segment)
    raise ValueError(f"{text!r} is not a target; write an address, a name or tcp://host:port")


Probeable = Annotated[Target, BeforeValidator(parse_target)]


class Degraded(Model):
    """Limits over a sliding minute; above one of them the uplink is degraded, below half of each it recovers."""

    loss: Share = 0.05
    rtt: Duration | None = None
    jitter: Duration | None = None


class Sla(Model):
    """What the ISP promises for a month, and the part of its charge it credits below each availability."""

    availability: Share
    credits: dict[Share, Share] = {}

    def credit(self, availability: float) -> float:
        """The part of the monthly charge due for this availability, a ratio."""
        return max((credit for below, credit in self.credits.items() if availability < below), default=0.0)


class Circuit(Model):
    """Whom to call about this uplink. `outside` is its public address, probed from the centre."""

    isp: str | None = None
    id: str | None = None
    support: str | None = None
    outside: Address | None = None
    sla: Sla | None = None


class Metered(Model):
    """A plan that pays per byte: we send at most `budget` per `per` over it.

    `reserve` of that is only for incidents, and `for_services` for probes of services where the terminal has any.
    """

    budget: Size = 50_000_000
    per: Literal["month"] | Lasting = "month"
    reserve: Share = 0.3
    for_services: Share = 0.2


class Radio(Model):
    """The least that the signal of a cellular uplink may be (dBm, dB); what its router does not tell is not judged."""

    rsrp: Level = -115.0
    rsrq: Level = -18.0
    sinr: Level = -3.0


class Uplink(Model):
    """One WAN circuit of a terminal. `metered` is filled for lte, 5g and satellite unless set to false."""

    name: Name
    role: Role
    medium: Medium
    bind: Bind | None = None
    next_hop: Address | None = None
    targets: tuple[Probeable, ...] = ()
    interval: Duration | None = None
    timeout: Duration = 2.0
    down_after: Duration | None = None
    up_after: Duration = 5.0
    quorum: int | None = Field(default=None, ge=1)
    degraded: Degraded = Degraded()
    circuit: Circuit = Circuit()
    metered: Metered | Literal[False] = False
    sim: Name | None = None
    radio: Radio = Radio()


class Service(Model):
    """A thing the yard works with, asked for over every path: a web address (`url`) or a name in DNS (`dns`).

    What is expected of a `url`: one of `status` (any 2xx where empty), `body` somewhere in what comes, and `redirects`
    no further than they may go. Of a `dns` name: `rcode`, and nothing but these records as `answer` (any where empty).
    With `portal_check` an answer without TLS counts only if the same is not answered for a host that cannot exist.
    """

    url: WebAddress | None = None
    status: Annotated[tuple[Annotated[int, AfterValidator(_status)], ...], BeforeValidator(listed)] = ()
    body: str | None = None
    redirects: Annotated[Literal["none", "same_host"] | tuple[str, ...], BeforeValidator(parse_redirects)] = "none"
    ca_file: str | None = None
    max_size: Size = 1_000_000
    portal_check: bool = True
    dns: Annotated[str, AfterValidator(_host)] | None = None
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "SRV", "TXT"] = "A"
    answer: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    rcode: Literal["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"] = "NOERROR"
    every: Lasting = 30.0
    timeout: Duration = 5.0
    slow_after: Duration = 3.0

    @property
    def probe(self) -> Literal["http", "dns"]:
        return "dns" if self.url is None else "http"

    @property
    def host(self) -> str:
        """The name or address that is asked for."""
        return self.dns or urlsplit(self.url or "").hostname or ""

    @property
    def secure(self) -> bool:
        """True if it is asked for with TLS, so that its certificate is checked."""
        return (self.url or "").startswith("https:")

    @property
    def asks(self) -> str:
        """What is asked, in a word: two services of which this differs are two things."""
        return self.url or f"{self.type} {self.dns}"


class SpeedSample(Model):
    """How fast a standby is: a file of at most `size` at `url` is fetched over it each `every`, out of its budget.

    `least` is what the yard needs, in bytes a second; a slower one fails the check throughput.
    """

    url: WebAddress
    least: Speed
    size: Size = 1_000_000
    every: Lasting = 604800.0
    timeout: Duration = 60.0


class Standby(Model):
    """What every standby of a terminal must have proven while it is idle, and how old that may be.

    Without `required` these are path, and dns and https where something is asked that way. `proof` is asked for over
    standbys only, for a terminal without services or with ones that are too dear: nobody works with it. `headroom` is
    how long its plan must carry the yard.
    """

    required: tuple[Check, ...] | None = None
    headroom: Duration = 43200.0
    max_proof_age: Duration = 86400.0
    proof: Service | None = None
    throughput: SpeedSample | None = None


class DefaultPath(Model):
    """How the default path is probed: from the address the box itself uses, unless bound to another."""

    bind: Bind | None = None
    targets: tuple[Probeable, ...] = ()


class Snmp(Model):
    """How a router is asked: `community_file` for version 2c; user, keys and what they are for, for version 3.

    `context` is for routers that show one of several tables by its name (version 3). The files hold one line each,
    beside the inventory. `every` is between two polls, `timeout` for each of three tries.
    """

    version: Literal["2c", "3"] = "2c"
    community_file: str | None = None
    user: str | None = Field(default=None, min_length=1, max_length=32)
    auth_file: str | None = None
    auth: Literal["md5", "sha", "sha224", "sha256", "sha384", "sha512"] = "sha"
    priv_file: str | None = None
    context: str | None = None
    priv: Literal["aes", "aes192", "aes256", "aes192c", "aes256c"] = "aes"
    port: int = Field(default=161, ge=1, le=65535)
    every: Lasting = 30.0
    timeout: Duration = 2.0


class Router(Model):
    """The router of a terminal. It is polled where `snmp` says how.

    `interfaces` says what it calls the uplinks: names of interfaces or WANs, or addresses that these have. `settings`
    are what its settings must be, where that is not what they were when it was first read. `only` names the uplink
    whose modem this is, where it stands beside the router: its routes say nothing about the yard, its traffic does.
    `traps` is the port of the box at which its traps arrive, with the secrets of `snmp`.
    """

    model: str = "auto"
    address: Address
    snmp: Snmp | None = None
    interfaces: dict[Name, Annotated[tuple[str, ...], BeforeValidator(listed)]] = {}
    settings: dict[str, str] = {}
    only: Name | None = None
    traps: int | None = Field(default=None, ge=1, le=65535)


class Site(Model):
    """Where the terminal is and whom to call there. `peak` and `staffed` name calendars.

    `tell` is where the yard's own notices go, where that is not `contacts.yard` of the fleet. Outside of `staffed`
    nobody can see to a plan that runs out. `hourly_load` is what the yard uses in an hour of work, for how long a
    metered standby would carry it; where the router's counters are read, they tell.
    """

    address: str | None = None
    contacts: dict[Name, str] = {}
    tell: Written | None = None
    peak: Name | None = None
    staffed: Name | None = None
    hourly_load: Size | None = None


class Maintenance(Model):
    """A window in the terminal's local time during which trouble of this uplink is expected."""

    uplink: Name
    from_: datetime = Field(alias="from")
    to: datetime
    why: str


class Command(Model):
    """A program of the box and its arguments, run without a shell: to cut, and to undo that."""

    do: Annotated[tuple[str, ...], Field(min_length=1)]
    undo: Annotated[tuple[str, ...], Field(min_length=1)]


class Call(Model):
    """One HTTP request; any 2xx answer is success."""

    url: WebAddress
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    body: str = ""
    headers: dict[str, str] = {}
    headers_file: str | None = None
    ca_file: str | None = None


class Calls(Model):
    """A request that cuts the circuit, and the one that undoes it."""

    do: Call
    undo: Call


def _oid(raw: str) -> str:
    if not _OID.fullmatch(raw):
        raise ValueError(f"{raw!r} is no object identifier; write one with its instance, like 1.3.6.1.2.1.2.2.1.7.3")
    return raw


class SnmpSet(Model):
    """A number written to the terminal's router: `do` cuts, `undo` restores.

    It is written with what `router: snmp` says, or with this `snmp` where another user may write.
    """

    oid: Annotated[str, AfterValidator(_oid)]
    do: int
    undo: int
    snmp: Snmp | None = None


class Cut(Model):
    """How a drill cuts the primary circuit without a person. Not given: somebody pulls the cable.

    The undo may be done when nothing was cut, and more than once; it must do no harm then.
    """

    command: Command | None = None
    http: Calls | None = None
    snmp_set: SnmpSet | None = None
    timeout: Duration = 10.0

    @property
    def how(self) -> str:
        """In a word."""
        return "command" if self.command else "http" if self.http else "snmp_set"


class Throughput(Model):
    """What the standby must carry in a drill: `size` of what `url` answers, at `least` so much a second."""

    url: WebAddress
    size: Size = 1_000_000
    least: Size | None = None


class Drill(Model):
    """Which playbook is due at a terminal, how often, and how its primary circuit is cut."""

    playbook: Name
    per: Literal["quarter"] = "quarter"
    remind_before: Duration = 14 * 86400.0
    cut: Cut | None = None
    throughput: Throughput | None = None


class Terminal(Model):
    """A depot or yard with an internet connection of its own.

    `scrape` is where a Prometheus at the centre finds the box of this terminal, for `/sd/terminals`.
    `egress` is a STUN server that tells as which address a path is seen; `resolvers` are the DNS servers (an address,
    with a port where it is not 53) that names are asked of, through the path that is probed (the system's own where
    empty).
    """

    name: Name
    timezone: TimeZone
    stage: Stage = "live"
    scrape: HostPort | None = None
    site: Site = Site()
    targets: tuple[Probeable, ...] = ()
    egress: Annotated[str, AfterValidator(_egress)] | None = None
    resolvers: tuple[Server, ...] = ()
    default_path: DefaultPath = DefaultPath()
    switch_within: Duration = 60.0
    page_after: Duration = 10.0
    failback_within: Duration = 600.0
    report_within: Duration | None = None
    on_failover: Literal["ticket", "page"] = "ticket"
    uplinks: dict[Name, Uplink]
    services: dict[Name, Service] = {}
    router: Router | None = None
    standby: Standby = Standby()
    maintenance: tuple[Maintenance, ...] = ()
    drill: Drill | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def polled(self) -> bool:
        """True if the router is asked over SNMP."""
        return self.router is not None and self.router.snmp is not None

    @property
    def asked(self) -> dict[str, Service]:
        """All that is asked over a standby: the services and the proof."""
        proof = self.standby.proof
        return self.services if proof is None else {**self.services, PROOF: proof}

    @property
    def required(self) -> tuple[Check, ...]:
        """The checks that a standby here must pass."""
        if self.standby.required is not None:
            return self.standby.required
        asked = self.asked.values()
        named: tuple[Check, ...] = ("dns",) if any(not is_address(each.host) for each in asked) else ()
        secure: tuple[Check, ...] = ("https",) if any(each.secure for each in asked) else ()
        return ("path", *named, *(secure or (("service",) if self.services else ())))

    @property
    def silent_after(self) -> float:
        """Seconds without a measurement after which the centre calls the terminal not reporting.

        A little under `switch_within`, so that the page leaves before the time the router was given has passed.
        """
        return self.report_within if self.report_within is not None else max(self.switch_within - 3.0, 20.0)


class Links(Model):
    """Base addresses: `grafana` and `runbooks` are what notifications point to, the others what drills ask.

    With `grafana_token_file` (a service account that may write annotations) drills are marked on Grafana's boards.

    `centre` is the serve of the centre, to which Alertmanager sends what the drill receiver is told.
    """

    grafana: WebAddress | None = None
    grafana_token_file: str | None = None
    runbooks: WebAddress | None = None
    prometheus: WebAddress | None = None
    alertmanager: WebAddress | None = None
    centre: WebAddress | None = None


def _days(raw: Any) -> tuple[int, ...]:
    found: set[int] = set()
    for part in str(raw).replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _WEEKDAYS or (last or first) not in _WEEKDAYS:
            raise ValueError(f"{raw!r} is not a list of days; write mon-fri or mon,wed,sat")
        start, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
        found.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
    return tuple(sorted(found))


def _hours(raw: Any) -> tuple[time, time]:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", str(raw))
    if not match:
        raise ValueError(f"{raw!r} are not hours; write 05:00-20:00")
    start = time(int(match[1]), int(match[2]))
    end = time(int(match[3]), int(match[4])) if match[3] else time.max
    if end <= start:
        raise ValueError(f"{raw!r} run past midnight; write two calendars, or hours that end at 24:00")
    return start, end


class Calendar(Model):
    """When something is expected: days (0 is Monday), hours in local time, and a country's public holidays left out."""

    days: Annotated[tuple[int, ...], BeforeValidator(_days)] = (0, 1, 2, 3, 4, 5, 6)
    hours: Annotated[tuple[time, time], BeforeValidator(_hours)] = (time.min, time.max)
    holidays: str | None = None


class Account(Model):
    """One credentialed access to a platform: `options` as written, checked by the `Config` of the platform's module.

    `folder` is where it was written: files that it names lie there.
    """

    name: Name
    platform: str
    module: str
    folder: str
    options: dict[str, Any]
    requests_per_day: int | None = None
    credential_warning: float = CREDENTIAL_WARNING
    owner: str | None = None
    contact: str | None = None
    availability: float | None = None


class RosterFiles(Model):
    """The user's own lists as CSV files, written relative to the inventory.

    `revoked_elds` are the models that FMCSA took off its register (model, revoked), copied from its list.
    """

    trucks: str
    drivers: str | None = None
    revoked_elds: str | None = None


class Fleet(Model):
    """One customer: one inventory.

    `resolvers` are the DNS servers that the centre asks (the system's where empty). `roster` is written as
    `RosterFiles`, and read with the inventory.
    """

    fleet: Name
    timezone: TimeZone = "UTC"
    links: Links = Links()
    contacts: Contacts = Contacts()
    phones: Phones = Phones()
    mail: Mail | None = None
    resolvers: tuple[Server, ...] = ()
    calendars: dict[Name, Calendar] = {}
    accounts: dict[Name, Account] = {}
    roster: Roster = Roster()
    cellular: dict[Name, CellularSource] = {}
    mdm: dict[Name, MdmSource] = {}
    feeds: dict[Name, FeedSource] = {}
    flows: dict[Name, Flow] = {}
    hours_of_service: HoursOfService = HoursOfService()
    webhooks: dict[Name, Webhook] = {}
    archives: dict[Name, Archive] = {}
    terminals: dict[Name, Terminal]

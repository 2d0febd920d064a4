"""Google's Android Management API (AMAPI), read with a service account's key. Optional by nature.

https://developers.google.com/android/management/reference/rest/v1/enterprises.devices . Google permits it to those who
run an MDM of their own on it; who rents a commercial one has no access, and needs none. No scope only reads: who has
the key file can wipe every device. Give its role androidmanagement.enterprises.manage and nothing else, and the file to
Yardlight alone. A deleted device leaves the list without a trace.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from yardlight.client import Client, Reply, Token, granted
from yardlight.collection import Session
from yardlight.errors import BadReplyError, ForbiddenError, SecretError
from yardlight.inventory.accounts import AccountConfig, BaseUrl
from yardlight.mdm.device import Compliance, Device, Order, Record, Tenant
from yardlight.mdm.listing import complete
from yardlight.mdm.support import support
from yardlight.moment import NEVER, Moment, latest, moment
from yardlight.reading import below, records, several, text, whole

# Six megabytes, in every worker, for those alone who have such an account: loaded where it is used.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SUPPORT = support(
    "Google Android Management API: only for an MDM of your own on it",
    rights="androidmanagement.enterprises.manage: nothing less reads, so guard the key",
    last_word="status report or fetch of the policy, the later one",
    compliance="yes",
    no_policy="yes",
    group="the policy",
    apps="where the policy reports them",
    unapproved="where the policy reports apps: those it does not have",
    orders="locks; a wipe takes the device off the list at once",
    evidence="own fake of the reference",
)

API, LOGIN = "https://androidmanagement.googleapis.com", "https://oauth2.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/androidmanagement"
_LIST = "GET /v1/enterprises/{enterprise}/devices"
# Google's own libraries ask for as long.
_ASSERTED_SECONDS = 3600
_BUSY = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED"})
_SYSTEM = frozenset({"SYSTEM_APP_FACTORY_VERSION", "SYSTEM_APP_UPDATED_VERSION"})


class Config(AccountConfig):
    """A service account of the project that owns `enterprise` (LC...); `key_file` is its key, JSON as given out."""

    # As Google's pages and its console show it, or the id alone.
    enterprise: Annotated[str, AfterValidator(lambda raw: raw.removeprefix("enterprises/"))]
    key_file: str
    login_url: BaseUrl = LOGIN


def fetch(config: Config, session: Session) -> Any:
    """All devices, and all policies if they may be read. Raises `PollError`."""
    login = Client(session, config.model_copy(update={"url": config.login_url}), LOGIN)
    key = _key(config, session)
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    def form() -> Mapping[str, str]:
        return {"grant_type": grant, "assertion": _assertion(key, f"{login.url}/token", int(session.clock()))}

    google = Client(session, config, API, Token(granted(session, login, "/token", form)), _throttled)
    return {"devices": _pages(google, config, "devices"), "policies": _policies(google, config)}


@dataclass(frozen=True)
class _Key:
    """What a service account signs with."""

    private: RSAPrivateKey
    id: str
    email: str


def _key(config: Config, session: Session) -> _Key:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    wrong = SecretError(f"{config.key_file!r} is no key of a service account; take one of type JSON")
    try:
        said = json.loads(session.secret(config.key_file, lines=True).reveal())
        private = load_pem_private_key(text(said, "private_key").encode(), None)
    except (ValueError, TypeError):
        raise wrong from None
    if not isinstance(private, RSAPrivateKey) or not text(said, "client_email"):
        raise wrong
    return _Key(private, text(said, "private_key_id"), text(said, "client_email"))


def _assertion(key: _Key, audience: str, now: int) -> str:
    """A JWT by which the service account asks for a token (RFC 7523)."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    said = {"iss": key.email, "scope": _SCOPE, "aud": audience, "iat": now, "exp": now + _ASSERTED_SECONDS}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": key.id}, said]
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return (signed + b"." + _encoded(key.private.sign(signed, PKCS1v15(), SHA256()))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _throttled(reply: Reply) -> float | None:
    """Google also says "too many" as 403, by its reason."""
    if reply.status != 403:
        return None
    try:
        error = below(reply.json(), "error")
    except BadReplyError:
        return None
    said = {text(error, "status"), *(text(each, "reason") for each in several(error, "errors"))}
    return 0.0 if said & _BUSY else None


def _pages(google: Client, config: Config, what: str) -> list[Any]:
    def following(page: Any, _: Reply) -> Mapping[str, str] | None:
        token = text(page, "nextPageToken")
        return {"pageToken": token} if token else None

    path = f"/v1/enterprises/{{enterprise}}/{what}"
    return list(google.pages(path, {"pageSize": "100"}, following, {"enterprise": config.enterprise}))


def _policies(google: Client, config: Config) -> list[Any]:
    try:
        return _pages(google, config, "policies")
    except (ForbiddenError, BadReplyError):
        return []


def parse(reply: Any, config: Config) -> Iterator[Record]:
    """The devices. Raises `BadReplyError`."""
    zone = ZoneInfo(config.timezone)
    policies = {text(policy, "name"): policy for page in reply["policies"] for policy in several(page, "policies")}
    # A list without elements is left out.
    listed = (page for page in reply["devices"] if "devices" in whole(page, _LIST))
    devices = (_device(raw, policies, zone) for page in listed for raw in records(page, _LIST, "devices"))
    yield from complete(devices, _LIST)
    yield Tenant(policies=True)


def _device(raw: dict[str, Any], policies: Mapping[str, Any], zone: ZoneInfo) -> Device:
    policy = text(raw, "appliedPolicyName") or text(raw, "policyName")
    report, sync = (_since_enrolled(raw, key, zone) for key in ("lastStatusReportTime", "lastPolicySyncTime"))
    id_ = text(raw, "name").rpartition("/")[2]
    apps = _apps(raw)
    slots = [each for each in several(raw, "networkInfo", "telephonyInfos") if isinstance(each, dict)]
    return Device(
        id=id_,
        serial=text(raw, "hardwareInfo", "serialNumber"),
        name=id_,
        group=policy.rpartition("/")[2],
        os="Android",
        os_version=text(raw, "softwareInfo", "androidVersion"),
        checkin=latest(report, sync),
        status_report=report,
        policy_sync=sync,
        enrolled=moment(raw.get("enrollmentTime"), zone),
        compliance=_compliance(raw) if policy else "no_policy",
        apps=None if apps is None else {name: text(app, "versionName") for name, app in apps.items()},
        unapproved=_unapproved(apps, policies.get(policy)),
        orders=(Order("lock", None, "pending"),) if _waits_for_lock(raw) else (),
        iccids=tuple(text(each, "iccId") for each in slots),
        imei=text(raw, "networkInfo", "imei"),
        phone=next((number for each in slots if (number := text(each, "phoneNumber"))), ""),
    )


def _since_enrolled(raw: dict[str, Any], key: str, zone: ZoneInfo) -> Moment:
    """What did not happen is left out."""
    return NEVER if raw.get(key) is None else moment(raw[key], zone)


def _compliance(raw: dict[str, Any]) -> Compliance:
    """By the flag, which may be left out where it is false; the details are there then."""
    said = raw.get("policyCompliant")
    if said is True:
        return "compliant"
    return "noncompliant" if said is False or several(raw, "nonComplianceDetails") else "unknown"


def _apps(raw: dict[str, Any]) -> dict[str, Any] | None:
    """What is installed, by package; None where the policy does not have it reported."""
    if not isinstance(raw.get("applicationReports"), list):
        return None
    there = (each for each in raw["applicationReports"] if text(each, "state") != "REMOVED")
    return {name: each for each in there if (name := text(each, "packageName"))}


def _unapproved(apps: Mapping[str, Any] | None, policy: Any) -> int | None:
    """How many apps came from outside the device's system and are not in its policy, which may allow all but some."""
    if apps is None or policy is None:
        return None
    refused = {
        text(each, "packageName"): text(each, "installType") == "BLOCKED" for each in several(policy, "applications")
    }
    otherwise = text(policy, "playStoreMode") != "BLACKLIST"
    came = (name for name, app in apps.items() if text(app, "applicationSource") not in _SYSTEM)
    return sum(refused.get(name, otherwise) for name in came)


def _waits_for_lock(raw: dict[str, Any]) -> bool:
    return text(raw, "state") == "DISABLED" and text(raw, "appliedState") not in ("DISABLED", "")

"""How platforms of two kinds speak for an MDM: answers to requests, without a server.

Each is what the product's documents say, as far as Yardlight asks: Intune (pages by link, a device alone, remote
actions) and Android Management (policies, the apps that are installed, a token for what a key signed).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from yardlight.demo.faces import SECRET, Ask, Say, iso
from yardlight.demo.mdm import FakeTablet, Mdm

_NEVER = "0001-01-01T00:00:00Z"
ENTERPRISE = "LC00demo"
_POLICIES = f"enterprises/{ENTERPRISE}/policies"


class _Tokens:
    """Tokens that end: `lives` seconds after each was given, or when they are revoked."""

    def __init__(self, mdm: Mdm, clock: Callable[[], float]) -> None:
        self._mdm, self._clock, self._valid, self.given = mdm, clock, dict[str, float](), 0

    def give(self, right: bool) -> Say:
        if not right or self._mdm.faults.revoked:
            return Say({"error": "invalid_client"}, 401)
        self.given += 1
        token = f"{self._mdm.name}-token-{self.given}"
        self._valid[f"Bearer {token}"] = self._clock() + self._mdm.lives
        return Say({"token_type": "Bearer", "expires_in": self._mdm.lives, "access_token": token})

    def good(self, ask: Ask) -> bool:
        ends = self._valid.get(ask.headers.get("authorization", ""), 0.0)
        return ends > self._clock() and not self._mdm.faults.revoked


def _faulty(mdm: Mdm) -> Say | None:
    if mdm.faults.down:
        return Say({"error": {"code": "ServiceUnavailable"}}, 500)
    return Say({"error": {"code": "TooManyRequests"}}, 429) if mdm.faults.throttled else None


class Intune:
    """A tenant behind Microsoft Graph. `base` is the address that links begin with."""

    def __init__(self, mdm: Mdm, base: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.mdm, self.base, self.tokens = mdm, base, _Tokens(mdm, clock)

    def __call__(self, ask: Ask) -> Say:
        if fault := _faulty(self.mdm):
            return fault
        if ask.path.endswith("/oauth2/v2.0/token"):
            return self.tokens.give(dict(parse_qsl(ask.body.decode())).get("client_secret") == SECRET)
        if not self.tokens.good(ask):
            return Say({"error": {"code": "InvalidAuthenticationToken"}}, 401)
        path = ask.path.removeprefix("/v1.0")
        if path == "/deviceManagement/managedDeviceOverview":
            return Say({"enrolledDeviceCount": len(self.mdm.tablets)})
        if path == "/deviceManagement":
            return Say({"settings": {"secureByDefault": True}})
        if path.startswith("/applications("):
            return Say({"passwordCredentials": [{"hint": SECRET[:3], "endDateTime": iso(self.mdm.credential_ends)}]})
        if path == "/deviceManagement/managedDevices":
            return self._list(ask)
        return self._one(path.removeprefix("/deviceManagement/managedDevices/"))

    def _list(self, ask: Ask) -> Say:
        start, listed = int(ask.query.get("$skiptoken", 0)), self.mdm.tablets
        page: dict[str, Any] = {"value": [self._device(each) for each in listed[start : start + self.mdm.page]]}
        if start + self.mdm.page < len(listed):
            page["@odata.nextLink"] = f"{self.base}{ask.path}?$skiptoken={start + self.mdm.page}"
        return Say(page)

    def _one(self, id_: str) -> Say:
        found = next((each for each in self.mdm.tablets if _guid(each) == id_), None)
        return Say(self._device(found)) if found else Say({"error": {"code": "ResourceNotFound"}}, 404)

    def _device(self, tablet: FakeTablet) -> dict[str, Any]:
        spoke = self.mdm.spoke(tablet)
        waits = tablet.wipe is not None and tablet.wipe_state == "pending"
        return {
            "id": _guid(tablet),
            "serialNumber": tablet.serial,
            "deviceName": f"{tablet.group} {tablet.number}",
            "deviceCategoryDisplayName": tablet.group,
            "operatingSystem": "Android",
            "osVersion": tablet.os_version,
            "lastSyncDateTime": _NEVER if spoke is None else iso(spoke),
            "enrolledDateTime": iso(tablet.enrolled),
            "complianceState": "compliant",
            "managementState": "wipePending" if waits else "managed",
            "deviceActionResults": [] if tablet.wipe is None else [_wipe(tablet.wipe, tablet.wipe_state)],
        }


def _wipe(since: float, state: str) -> dict[str, str]:
    return {"actionName": "factoryReset", "actionState": state, "startDateTime": iso(since)}


def _guid(tablet: FakeTablet) -> str:
    return f"00000000-0000-4000-8000-{tablet.number:012}"


class AndroidManagement:
    """An enterprise at Google; whose key a token is asked with is not looked at."""

    def __init__(self, mdm: Mdm, clock: Callable[[], float] = time.monotonic) -> None:
        self.mdm, self.tokens = mdm, _Tokens(mdm, clock)

    def __call__(self, ask: Ask) -> Say:
        if fault := _faulty(self.mdm):
            return fault
        if ask.path == "/token":
            return self.tokens.give("assertion" in dict(parse_qsl(ask.body.decode())))
        if not self.tokens.good(ask):
            return Say({"error": {"status": "UNAUTHENTICATED"}}, 401)
        start = int(ask.query.get("pageToken", 0))
        if ask.path.endswith("/policies"):
            groups = sorted({each.group for each in self.mdm.tablets})
            return Say({"policies": [{"name": f"{_POLICIES}/{each}", "playStoreMode": "BLACKLIST"} for each in groups]})
        listed = self.mdm.tablets
        page: dict[str, Any] = {"devices": [self._device(each) for each in listed[start : start + self.mdm.page]]}
        more = start + self.mdm.page < len(listed)
        return Say({**page, "nextPageToken": str(start + self.mdm.page)} if more else page)

    def _device(self, tablet: FakeTablet) -> dict[str, Any]:
        spoke = self.mdm.spoke(tablet)
        policy = {"policyName": f"{_POLICIES}/{tablet.group}", "appliedPolicyName": f"{_POLICIES}/{tablet.group}"}
        return {
            "name": f"enterprises/{ENTERPRISE}/devices/{tablet.number:016x}",
            "state": "ACTIVE",
            "hardwareInfo": {"serialNumber": tablet.serial},
            "softwareInfo": {"androidVersion": tablet.os_version},
            "enrollmentTime": iso(tablet.enrolled),
            "applicationReports": [_installed(name, version) for name, version in tablet.apps.items()],
            "policyCompliant": True,
            **(policy if tablet.policy else {}),
            **({} if spoke is None else {"lastStatusReportTime": iso(spoke), "lastPolicySyncTime": iso(spoke)}),
        }


def _installed(name: str, version: str) -> Mapping[str, str]:
    return {"packageName": name, "versionName": version, "applicationSource": "INSTALLED_FROM_PLAY_STORE"}

"""From the records of an MDM to samples: matched with the roster, judged as of now, counted by group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.collection import Source, Told
from yardlight.errors import BadReplyError, IncompleteError
from yardlight.inventory.mdm import App
from yardlight.mdm.device import COMPLIANCE, Compliance, Device, Record, Tenant, older
from yardlight.mdm.matching import Match, Seen, awaited, matched, never_listed, newest, recalled
from yardlight.mdm.orders import Sample, note_orders, orders, told, waits
from yardlight.mdm.plan import Plan, Standard
from yardlight.mdm.staleness import AHEAD, STATES, Duty, Limits, State, older_than, state
from yardlight.moment import NEVER
from yardlight.things import Pack, Row, numbered

# Cumulative ages of last words, in seconds: an hour to a month.
AGES = (3600.0, 14400.0, 43200.0, 86400.0, 259200.0, 604800.0, 1209600.0, 2592000.0)
# Clocks that differ by less are told by nobody.
_FUTURE = 300.0
# So many devices may be enrolled again at a time, however small the fleet is.
_FEW = 2
# Somebody has to unpack and switch it on.
_FIRST_WORD_WITHIN = 3 * 86400.0
# As long as rules look back: who was in trouble is shown one by one until then.
_SHOWN_AFTER_TROUBLE = 3600.0
_TROUBLE: frozenset[State] = frozenset({"stale", "dark", "never", "gone_from_mdm"})


def show(source: Source, records: Sequence[Record], memory: Any, now: float) -> Told:
    """The samples of one MDM, and what to remember.

    Raises `IncompleteError` for nothing where devices were, and for fewer than the inventory expects; `BadReplyError`
    for last words that most devices had and have no more.
    """
    assert isinstance(source.section, Plan)
    before = recalled(memory)
    tenants = [record for record in records if isinstance(record, Tenant)]
    # What was exported yesterday makes nobody silent since.
    now = min([now, *(tenant.as_of for tenant in tenants if tenant.as_of is not None)])
    devices, duplicates = newest(record for record in records if isinstance(record, Device))
    if not devices and awaited(source.section, before, now):
        raise IncompleteError(f"no device at all, where {len(before)} were")
    if (expects := source.section.expects) is not None and len(devices) < expects:
        raise IncompleteError(f"{len(devices)} devices, where `expects` says {expects} at least")
    matches = list(matched(source.section, devices, before, now))
    _still_telling(matches, before)
    families: dict[Metric, dict[tuple[str, ...], float]] = defaultdict(dict)
    policies = any(tenant.policies for tenant in tenants) or any(each.compliance == "no_policy" for each in devices)
    page = _Page(source.account, source.section, matches, now, policies, Pack(now))
    for metric, labels, value in page.samples():
        families[metric][labels] = value
    families[m.DEVICES_DUPLICATE][(source.account,)] = duplicates
    for tenant in tenants:
        for metric, labels, value in _tenant(source.account, tenant):
            families[metric][labels] = value
    ordered = [(each.device, each.key) for each in matches if each.device is not None and each.device.orders]
    wiping = {device.id: key for device, key in ordered if waits(device)}
    made = told(families, ((each.key, each.seen) for each in matches), wiping)
    return replace(made, things=page.things.data())


def _still_telling(matches: Iterable[Match], before: Mapping[str, Seen]) -> None:
    """Raises `BadReplyError` if most of those that told when they spoke last do not any more.

    A device may lose that when it is enrolled again. If they do so together, the MDM tells it in another way than it
    did, and nobody is silent and nobody never spoke because of that.
    """
    known = [
        each.device
        for each in matches
        if each.device is not None and each.key in before and isinstance(before[each.key].checkin, float)
    ]
    lost = sum(not isinstance(device.checkin, float) for device in known)
    if lost > max(_FEW, len(known) / 2):
        raise BadReplyError(f"{lost} of {len(known)} devices do not tell any more when they spoke last")


class _Judged(NamedTuple):
    """A device and how it stands."""

    match: Match
    state: State


@dataclass
class _Page:
    """The samples of one account's devices; `policies`: whether it is told which of them have no policy."""

    account: str
    plan: Plan
    matches: Sequence[Match]
    now: float
    policies: bool
    things: Pack

    def samples(self) -> Iterator[Sample]:
        """All of them; what is remembered of a device is brought up to date on the way."""
        groups: dict[str, list[Match]] = {group: [] for group in self.plan.standards}
        for match in self.matches:
            groups.setdefault(match.group, []).append(match)
        shown, all_shown = 0, len(self.matches) <= self.plan.series_limit
        for group, members in sorted(groups.items()):
            judged = list(self._judged(group, members))
            for each in judged:
                match, how = each
                if how in _TROUBLE:
                    match.seen.trouble = self.now
                note_orders(match.seen, match.device, self.now)
                if all_shown or self._shown_alone(match):
                    shown += 1
                    yield from self._device(each)
                self.things.add(_thing(match, how))
            yield from self._group(group, judged)
        yield m.DEVICES_NOT_SHOWN, (self.account,), len(self.matches) - shown
        future = sum(isinstance(at := each.seen.checkin, float) and at > self.now + _FUTURE for each in self.matches)
        yield m.DEVICES_FUTURE, (self.account,), future
        if self.plan.trucks:
            unknown = sum(each.truck is None and each.device is not None for each in self.matches)
            yield m.ROSTER_MISMATCH, (self.account, "mdm_only"), unknown
            yield m.ROSTER_MISMATCH, (self.account, "roster_only"), never_listed(self.plan, self.matches, self.now)

    @cached_property
    def _today(self) -> date:
        return self.plan.day(self.now)

    def _duty(self, standard: Standard) -> Duty:
        return Duty(standard.calendar, ZoneInfo(self.plan.zone), self.now)

    def _judged(self, group: str, members: Iterable[Match]) -> Iterator[_Judged]:
        standard = self.plan.standard(group)
        duty = self._duty(standard)
        limits = Limits(standard.stale_after, standard.dark_after)
        for match in members:
            if (device := match.device) is None:
                yield _Judged(match, "gone_from_mdm")
            else:
                works = match.truck is None or match.truck.works(self._today)
                yield _Judged(match, state(device.checkin, duty, limits, works))

    def _shown_alone(self, match: Match) -> bool:
        """Whether one of more than are shown is shown all the same."""
        if self.now - match.seen.trouble < _SHOWN_AFTER_TROUBLE:
            return True
        return match.device is not None and bool(match.device.orders)

    def _device(self, each: _Judged) -> Iterator[Sample]:
        match, device, truck = each.match, each.match.device, each.match.truck
        key = (self.account, match.name)
        if isinstance(match.seen.checkin, float) and match.seen.checkin <= self.now + AHEAD:
            yield m.DEVICE_CHECKIN, key, match.seen.checkin
        if self.now - match.seen.trouble < _SHOWN_AFTER_TROUBLE:
            for one in STATES:
                yield m.DEVICE_STATE, (*key, match.group, one), float(one == each.state)
        yield from orders(self.account, match.name, match.seen)
        if device is None:
            return
        about = (truck.name if truck else "", (truck.terminal if truck else None) or "", device.os, device.os_version)
        yield m.DEVICE_INFO, (*key, match.group, *about), 1
        if device.compliance in ("compliant", "noncompliant", "grace"):
            yield m.DEVICE_COMPLIANT, key, float(device.compliance == "compliant")

    def _group(self, group: str, members: Sequence[_Judged]) -> Iterator[Sample]:
        key, standard = (self.account, group), self.plan.standard(group)
        # What is judged as of this collection is compared with an instant of the same.
        if (before := self._duty(standard).before(standard.stale_after)) is not None:
            yield m.DEVICE_STALE_BEFORE, key, before
        states = Counter([each.state for each in members])
        for one in STATES:
            yield m.DEVICES, (*key, one), states[one]
        checkins = sorted(at for each in members if isinstance(at := each.match.seen.checkin, float))
        for age, count in older_than(checkins, self.now, AGES).items():
            yield m.DEVICES_OLDER, (*key, f"{age:.0f}"), count
        listed = [each.match.device for each in members if each.match.device is not None]
        compliance = Counter([device.compliance for device in listed])
        for said in COMPLIANCE:
            yield m.DEVICES_COMPLIANCE, (*key, said), compliance[said]
        for name, count in _below(listed, standard, self.policies).items():
            yield m.DEVICES_BELOW, (*key, name), count
        yield m.DEVICES_NEVER_LATE, key, sum(self._late(each) for each in members if each.state == "never")

    def _late(self, each: _Judged) -> bool:
        """Of a device that the MDM says never spoke: whether it had time enough to."""
        if each.match.device is None:
            return False
        enrolled = each.match.device.enrolled
        return self.now - (enrolled if isinstance(enrolled, float) else each.match.seen.first) >= _FIRST_WORD_WITHIN


def _below(devices: Sequence[Device], standard: Standard, policies: bool) -> Counter[str]:
    """How many devices fall short of each standard that can be judged; of one that cannot there is no count."""
    least = {name.casefold(): version for name, version in standard.os.items()}
    found: Counter[str] = Counter()
    if policies and devices:
        found["policy"] = sum([device.compliance == "no_policy" for device in devices])
    # A hundred thousand devices have some dozens of systems.
    for (os, version), count in Counter([(each.os, each.os_version) for each in devices] if least else ()).items():
        if (least_version := least.get(os.casefold())) is not None:
            _judge(found, "os", older(version, least_version), count)
    if standard.apps:
        for apps in [device.apps for device in devices if device.apps is not None]:
            _judge(found, "app", _without_app(apps, standard.apps))
    for unapproved in [device.unapproved for device in devices if device.unapproved is not None]:
        found["unapproved"] += unapproved > 0
    return found


def _judge(found: Counter[str], standard: str, short: bool | None, devices: int = 1) -> None:
    if short is not None:
        found[standard] += devices * short


def _without_app(apps: Mapping[str, str], wanted: Mapping[str, App]) -> bool | None:
    """Whether one is missing or too old; None if that cannot be said of one, and of no other."""
    short = [
        package not in apps or (app.min is not None and older(apps[package], app.min))
        for package, app in wanted.items()
    ]
    return True if True in short else None if None in short else False


def _thing(match: Match, how: State) -> Row:
    """A device for whoever asks about one; of one that vanished, what the roster and the last collection know."""
    device, seen = match.device, match.seen
    spoke = _SPOKE_NEVER if seen.checkin == NEVER else ("last check-in", "", seen.checkin)
    ordered = [
        (f"{action} ordered, {'failed' if failed else 'not carried out'}", "", since)
        for action, (since, failed) in seen.orders.items()
    ]
    if device is None:
        tablet = match.truck.tablet if match.truck is not None else None
        numbers = numbered(("serial", tablet.key if tablet is not None else seen.serial))
        return ("tablet", match.name, "", "", match.group, numbers, (spoke, _stands(how), *ordered), seen.last)
    apart = _apart(device) if device.inventory or device.status_report or device.policy_sync else ()
    facts = (spoke, _stands(how), *ordered, *apart, *_about(device.os, device.os_version, device.compliance))
    numbers = (("serial", device.serial), ("imei", device.imei), ("phone", device.phone))
    if device.iccids or not (device.serial and device.imei and device.phone):
        numbers = numbered(*numbers, *[("iccid", iccid) for iccid in device.iccids])
    return ("tablet", match.name, device.name, device.id, match.group, numbers, facts, None)


# What a hundred thousand devices share is made once.
_Fact = tuple[str, str, float | None]
_SPOKE_NEVER: _Fact = ("last check-in", "never", None)


def _apart(device: Device) -> Iterator[_Fact]:
    """Its other times, where the platform tells them."""
    for label, at in (
        ("last inventory", device.inventory),
        ("last status report", device.status_report),
        ("last fetch of its policy", device.policy_sync),
    ):
        if at is not None:
            yield (label, "never", None) if at == NEVER else (label, "", at)


@cache
def _stands(how: State) -> _Fact:
    return ("state", how.replace("_", " "), None)


@lru_cache(1000)
def _about(os: str, version: str, compliance: Compliance) -> tuple[_Fact, ...]:
    system: list[_Fact] = [("system", f"{os} {version}".rstrip(), None)] if os else []
    return (*system, *([] if compliance == "unknown" else [("compliance", compliance.replace("_", " "), None)]))


def _tenant(account: str, tenant: Tenant) -> Iterator[Sample]:
    for credential, end in (tenant.credentials_end or {}).items():
        if isinstance(end, float):
            yield m.CREDENTIALS_END, (account, credential), end
    if tenant.unassigned_is_compliant is not None:
        yield m.UNASSIGNED_COMPLIANT, (account,), float(tenant.unassigned_is_compliant)
    if tenant.as_of is not None:
        yield m.DEVICES_AS_OF, (account,), tenant.as_of

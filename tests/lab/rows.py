"""Rows of tests/faults/terminal.yml end to end: real packets, the shipped rules and routes, every notification counted.

A row holds when exactly what it lists was notified, each alert opened once and closed to whoever had been told, and
its texts and states were right. Where a row speaks of days or hours, the scenario says how it shortens them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from signal import SIGCONT, SIGHUP, SIGSTOP
from typing import Any

from tests.lab import namespace, network
from tests.lab.bar3 import gap_error
from tests.lab.centre import Post
from tests.lab.lab import Lab, healthy
from tests.lab.measure import Results
from tests.lab.process import YARDLIGHT
from tests.lab.yard import FLEET, TERMINAL

SUPPORT, CIRCUIT = "+1 800 555 0199", "12/KRFN/004"
ON_LTE = ("ticket TerminalOnStandby fontana", "ticket UplinkDown fontana fiber")
PLANNED = ("info TerminalOnStandby fontana", "info UplinkDown fontana fiber")
DARK, MISSING = ("page TerminalDark fontana",), ("page TerminalNotReporting fontana",)
NO_STANDBY = ("ticket StandbyNotReady fontana lte",)
# Longer than anything in the rules waits, so that an alert which must stay silent had its chance.
HOLD = 150.0
TELL_WITHIN = 300.0


def identity(alert: dict[str, Any]) -> str:
    """An alert as the rows write it: 'page TerminalDark fontana'; another fleet's with the fleet's name in front."""
    labels = alert["labels"]
    fleet = labels.get("fleet", FLEET)
    of = [labels[name] for name in ("terminal", "uplink", "service", "target") if labels.get(name)]
    return " ".join([labels["severity"], labels["alertname"], *of, *([f"of {fleet}"] if fleet != FLEET else [])])


@dataclass
class Watched:
    """What is told from now on, and what was wrong with it."""

    lab: Lab
    began: float = field(default_factory=time.monotonic)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = self.lab.box.glances[-1]

    @property
    def posts(self) -> list[Post]:
        return self.lab.centre.inbox.since(self.began)

    def alerts(self, status: str = "firing") -> list[dict[str, Any]]:
        return [alert for post in self.posts for alert in post.alerts if alert["status"] == status]

    def told(self) -> set[str]:
        return {identity(alert) for alert in self.alerts()}

    async def until_told(self, *expected: str, within: float = TELL_WITHIN) -> float:
        """Wait for these notifications; seconds since the watch began."""
        deadline = time.monotonic() + within
        while not set(expected) <= self.told():
            if time.monotonic() > deadline:
                self.problems.append(f"not told within {within:.0f} s: {sorted(set(expected) - self.told())}")
                break
            await asyncio.sleep(0.2)
        return time.monotonic() - self.began

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.problems.append(otherwise)

    def expect_text(self, name: str, *parts: str) -> None:
        """All of these words are in the summary or the description of the alert's first notification."""
        found = [alert["annotations"] for alert in self.alerts() if alert["labels"]["alertname"] == name]
        text = " ".join(found[0].values()) if found else ""
        for part in parts:
            self.expect(part in text, f"{name} does not say {part!r}: {text}")

    def finish(self, *expected: str) -> None:
        """Exactly these were told, each once, and each receiver heard of the end of what it had been told."""
        told = self.told()
        self.expect(told == set(expected), f"told {sorted(told)}, expected {sorted(expected)}")
        open_now: set[tuple[str, str]] = set()
        opened: dict[tuple[str, str], int] = {}
        for post in self.posts:
            news = False
            for alert in post.alerts:
                key, name = (post.receiver, alert["fingerprint"]), identity(alert)
                if alert["status"] == "firing" and key not in open_now:
                    open_now.add(key)
                    opened[post.receiver, name] = opened.get((post.receiver, name), 0) + 1
                    news = True
                elif alert["status"] == "resolved" and key in open_now:
                    open_now.discard(key)
                    news = True
            self.expect(news, f"told twice: {post.receiver} {post.status} {sorted(post.names(post.status))}")
        self.expect(not open_now, f"never closed: {sorted(receiver for receiver, _ in open_now)}")
        for (receiver, name), times in opened.items():
            self.expect(times == 1, f"{receiver} was told {times} times of {name}")

    def story(self) -> str:
        """All notifications, as one line."""
        parts = []
        for post in self.posts:
            firing = sorted(identity(alert) for alert in post.alerts if alert["status"] == "firing")
            closed = sorted(identity(alert) for alert in post.alerts if alert["status"] == "resolved")
            words = [*firing, *(f"{name} resolved" for name in closed)]
            parts.append(f"{post.at - self.began:.0f} s to {post.receiver}: {', '.join(words)}")
        return "; ".join(parts) or "nobody was told anything"


Act = Callable[[Lab, Watched], Awaitable[None]]


async def row(lab: Lab, results: Results, id_: str, act: Act) -> None:
    """Act, then write down whether the row held."""
    await asyncio.sleep(15)
    watched = Watched(lab)
    results.say(f"{id_} begins")
    try:
        await act(lab, watched)
    except TimeoutError as error:
        watched.problems.append(str(error))
    if lab.stalled_since(watched.began) and watched.problems:
        results.note(f"{id_}: the machine stood still meanwhile")
    results.row(id_, not watched.problems, watched.story(), watched.problems)


async def _cut(lab: Lab, *circuits: str) -> float:
    return max(await asyncio.gather(*(lab.faults.blackhole(circuit) for circuit in circuits)))


async def _heal(lab: Lab, *circuits: str) -> None:
    await asyncio.gather(*(lab.faults.heal(circuit) for circuit in circuits))


def failover(*expected: str) -> Act:
    """T01 to T04: the fiber is cut, the router moves when it does, the fiber heals and the router moves back."""

    async def act(lab: Lab, watched: Watched) -> None:
        cut = await _cut(lab, "fiber")
        await watched.until_told(*expected)
        await asyncio.sleep(HOLD)
        watched.expect(lab.box.glances[-1].terminal == "standby", "LTE does not carry")
        await _heal(lab, "fiber")
        await lab.calm()
        watched.finish(*expected)
        tickets = [post for post in watched.posts if post.status == "firing" and post.names(severity="ticket")]
        planned = not any(name.startswith("ticket") for name in expected)
        watched.expect(len(tickets) == (0 if planned else 1), f"{len(tickets)} tickets about one failover")
        _failover_measured(lab, watched, cut)

    return act


def _failover_measured(lab: Lab, watched: Watched, cut: float) -> None:
    after = lab.box.glances[-1]
    events = (after.failovers - watched.before.failovers, after.gaps - watched.before.gaps)
    watched.expect(events == (2, 2), f"{events} failovers and gaps, not 2 and 2")
    error = gap_error(lab, watched.before, after, cut)
    watched.expect(error <= 1.0, f"both gaps together are {error:.2f} s off the truth")


async def cut_off(lab: Lab, watched: Watched) -> None:
    """T05: both circuits are cut, and the measurements with them."""
    await _cut(lab, "fiber", "lte")
    late = await watched.until_told(*MISSING)
    watched.expect(late <= 60, f"told after {late:.0f} s")
    await asyncio.sleep(HOLD)
    await _heal(lab, "fiber", "lte")
    await lab.calm()
    watched.finish(*MISSING)
    watched.expect_text("TerminalNotReporting", "dark or unreachable since", CIRCUIT, SUPPORT)


def dark(expected: tuple[str, ...]) -> Act:
    """T06 and T33: both circuits are cut, the measurements reach the centre another way."""

    async def act(lab: Lab, watched: Watched) -> None:
        await _cut(lab, "fiber", "lte")
        late = await watched.until_told(*expected)
        # Alerts that are info wait longer on their way, for company.
        watched.expect(late <= (20 if expected == DARK else 30), f"told after {late:.0f} s")
        await asyncio.sleep(HOLD)
        await _heal(lab, "fiber", "lte")
        await lab.calm()
        watched.finish(*expected)

    return act


async def dead_standby(lab: Lab, watched: Watched) -> None:
    """T07: the three days are written into the box's state file, as the process before would have left them."""
    await lab.faults.blackhole("lte")
    await lab.until(lambda seen: seen.uplinks["lte"] == "down", within=60)
    since = time.time() - 3 * 86400
    lab.box.kill()
    _dead_since(lab, "lte", since)
    lab.box.power_on()
    await watched.until_told(*NO_STANDBY)
    watched.expect_text("StandbyNotReady", f"has been dead since {datetime.fromtimestamp(since, UTC):%a}")
    await asyncio.sleep(60)


def _dead_since(lab: Lab, uplink: str, since: float) -> None:
    key = (FLEET, TERMINAL, "verdicts")
    with contextlib.closing(sqlite3.connect(lab.box.state)) as connection, connection:
        found = connection.execute("SELECT value FROM memory WHERE (fleet, terminal, name) = (?, ?, ?)", key)
        stored = json.loads(found.fetchone()[0])
        stored["silences"][uplink] = [since, since + 1]
        values = (json.dumps(stored), *key)
        connection.execute("UPDATE memory SET value = ? WHERE (fleet, terminal, name) = (?, ?, ?)", values)


async def t07(lab: Lab, watched: Watched) -> None:
    await dead_standby(lab, watched)
    await lab.faults.heal("lte")
    await lab.calm()
    watched.finish(*NO_STANDBY)


async def t08(lab: Lab, watched: Watched) -> None:
    """T07, and then the fiber loses 15 %."""
    await dead_standby(lab, watched)
    await lab.faults.loss("fiber", 0.15)
    await watched.until_told("page TerminalAtRisk fontana")
    await asyncio.sleep(90)
    await lab.faults.heal("fiber")
    await lab.until(lambda seen: seen.uplinks["fiber"] == "up", within=180)
    await asyncio.sleep(20)
    await lab.faults.heal("lte")
    await lab.calm()
    watched.finish(*NO_STANDBY, "page TerminalAtRisk fontana")


def lossy(severity: str) -> Act:
    """T09 and T10: the fiber loses 15 %, while the peak calendar is open or not."""

    async def act(lab: Lab, watched: Watched) -> None:
        await lab.faults.loss("fiber", 0.15)
        await watched.until_told(f"{severity} UplinkDegraded fontana fiber")
        await asyncio.sleep(HOLD)
        await lab.faults.heal("fiber")
        await lab.calm()
        watched.finish(f"{severity} UplinkDegraded fontana fiber")
        watched.expect_text("UplinkDegraded", SUPPORT, "Verdict: isp")

    return act


async def t11(lab: Lab, watched: Watched) -> None:
    """40 blackholes of 2 to 8 s; the hour is six minutes here, in the rule's window as in the yard."""
    for number in range(40):
        await asyncio.sleep(4)
        await lab.faults.blackhole("fiber", "upstream" if number % 2 else "circuit")
        await asyncio.sleep(2.3 + number % 6 * 1.1)
        await lab.faults.heal("fiber")
    await asyncio.sleep(5)
    after = lab.box.glances[-1]
    events = after.uplink_gaps["fiber"] - watched.before.uplink_gaps["fiber"]
    # What fell into a standstill of the exporter itself is not judged, and said in its log.
    stood = lab.box.exporter.said().count("probing stood still")
    watched.expect(40 - stood <= events <= 40, f"{events:g} events on the fiber, not 40; {stood} standstills")
    await lab.calm(within=600)
    watched.finish("ticket UplinkFlapping fontana fiber")


async def t12(lab: Lab, watched: Watched) -> None:
    """One far target dead; the day is fifteen minutes here, the rule's own ten with time to spare."""
    address = network.TARGETS[1]
    await lab.faults.dead_host(address, dead=True)
    expected = [f"info TargetUnreachable fontana {uplink} {address}" for uplink in ("fiber", "lte")]
    await watched.until_told(*expected, within=1000)
    troubled = [seen for seen in lab.box.since(watched.began) if not healthy(seen)]
    watched.expect(not troubled, f"not healthy: {troubled[:1]}")
    await lab.faults.dead_host(address, dead=False)
    await lab.calm(within=900)
    watched.finish(*expected)


async def t13(lab: Lab, watched: Watched) -> None:
    await lab.faults.dns_dead("fiber")
    await watched.until_told("page ServiceUnreachable fontana dispatch")
    await asyncio.sleep(HOLD)
    watched.expect(healthy(lab.box.glances[-1]), "packets do not pass")
    await lab.faults.heal("fiber")
    await lab.calm()
    watched.finish("page ServiceUnreachable fontana dispatch")
    watched.expect_text("ServiceUnreachable", "works on LTE: switch now", "names are not resolved", "Verdict: dns")


async def t14(lab: Lab, watched: Watched) -> None:
    await lab.faults.dns_dead("lte")
    await watched.until_told(*NO_STANDBY)
    page = await lab.box.page()
    ready = {labels["check"]: value for labels, value in page.all("standby_ready", uplink="lte")}
    watched.expect((ready.get("dns"), ready.get("path")) == (0, 1), f"standby_ready {ready}")
    await asyncio.sleep(60)
    await lab.faults.heal("lte")
    await lab.calm()
    watched.finish(*NO_STANDBY)


async def t15(lab: Lab, watched: Watched) -> None:
    await lab.faults.unreachable("fiber", network.DISPATCH)
    await watched.until_told("page ServiceUnreachable fontana dispatch")
    await asyncio.sleep(HOLD)
    await lab.faults.heal("fiber")
    await lab.calm()
    watched.finish("page ServiceUnreachable fontana dispatch")
    watched.expect_text("ServiceUnreachable", "works on LTE: switch now", "Verdict: isp")


async def t16(lab: Lab, watched: Watched) -> None:
    """With a second terminal elsewhere: one page for both."""
    await lab.faults.dead_host(network.DISPATCH, dead=True)
    await watched.until_told("page PlatformDown dispatch")
    await asyncio.sleep(HOLD)
    await lab.faults.dead_host(network.DISPATCH, dead=False)
    await lab.calm()
    watched.finish("page PlatformDown dispatch")
    watched.expect_text("PlatformDown", "2 of 2 terminals", "Verdict: vendor", "One page for all terminals")


async def t17(lab: Lab, watched: Watched) -> None:
    cut = await lab.faults.policy_route("lte", present=False)
    await watched.until_told("ticket UplinkNotPinned fontana lte")
    await asyncio.sleep(HOLD)
    seen = [one.uplinks["lte"] for one in lab.box.since(cut)]
    watched.expect(set(seen[seen.index("unknown") :]) == {"unknown"}, f"called {set(seen)}")
    await lab.faults.policy_route("lte", present=True)
    await lab.calm()
    watched.finish("ticket UplinkNotPinned fontana lte")


async def t18(lab: Lab, watched: Watched) -> None:
    """A policy sends the yard's traffic by LTE, and the router's default route goes on to say fiber."""
    lies = "ticket PathDisagreement fontana"
    began = await lab.faults.divert("lte", on=True)
    late = await watched.until_told(lies)
    watched.expect(late <= 60, f"told of the router's word after {late:.0f} s")
    await watched.until_told("ticket TerminalOnStandby fontana")
    await asyncio.sleep(max(0.0, began + 600 - time.monotonic()))
    await lab.faults.divert("lte", on=False)
    await lab.calm()
    watched.finish("ticket TerminalOnStandby fontana", lies)
    watched.expect_text("PathDisagreement", "says it uses fiber, but traffic leaves by LTE")


async def t19(lab: Lab, watched: Watched) -> None:
    """The router is away for 90 s: its circuits, its agent. What the info says of it is read half a minute later."""
    assert lab.agent is not None
    # The rules must know when it started before.
    await asyncio.sleep(75)
    watched.began = time.monotonic()
    lab.agent.stop()
    await _cut(lab, "fiber", "lte")
    await watched.until_told(*DARK)
    await asyncio.sleep(max(0.0, watched.began + 90 - time.monotonic()))
    lab.agent.start()
    await _heal(lab, "fiber", "lte")
    await watched.until_told("info RouterRebooted fontana")
    await asyncio.sleep(HOLD)
    pages = [post for post in watched.posts if post.names(severity="page")]
    watched.expect(len(pages) == 1, f"{len(pages)} pages")
    watched.expect(watched.told() == {*DARK, "info RouterRebooted fontana"}, f"told {sorted(watched.told())}")
    closed = [alert for alert in watched.alerts("resolved") if identity(alert) in DARK]
    watched.expect(bool(closed), "the page was never closed")
    watched.expect_text("RouterRebooted", "the router restarted at", "That is why the yard was offline for 1m")


async def t20(lab: Lab, watched: Watched) -> None:
    lab.box.kill()
    await watched.until_told("ticket TerminalNotReporting fontana")
    await asyncio.sleep(HOLD)
    lab.box.power_on()
    await lab.calm()
    watched.finish("ticket TerminalNotReporting fontana")
    watched.expect_text("TerminalNotReporting", "answers from outside", "measuring box")


async def t21(lab: Lab, watched: Watched) -> None:
    lab.box.kill()
    await asyncio.sleep(20)
    lab.box.power_on()
    await lab.until(healthy, within=90)
    await asyncio.sleep(HOLD)
    await lab.calm()
    _nothing_happened(lab, watched)
    watched.finish()


def _nothing_happened(lab: Lab, watched: Watched) -> None:
    before, after = watched.before, lab.box.glances[-1]
    kept = (before.gaps, before.failovers, before.uplink_gaps) == (after.gaps, after.failovers, after.uplink_gaps)
    watched.expect(kept, f"invented: before {before}, after {after}")


async def t22(lab: Lab, watched: Watched) -> None:
    assert lab.clock is not None
    lab.clock.step(7200)
    await watched.until_told("ticket ClockSkewed fontana")
    await asyncio.sleep(60)
    lab.clock.step(0)
    await lab.calm()
    _nothing_happened(lab, watched)
    watched.finish("ticket ClockSkewed fontana")


async def t24(lab: Lab, watched: Watched) -> None:
    """Planned work on the fiber, and LTE dies while it carries."""
    await _cut(lab, "fiber")
    await watched.until_told(*PLANNED)
    await asyncio.sleep(60)
    await _cut(lab, "lte")
    await watched.until_told(*DARK)
    await asyncio.sleep(HOLD)
    await _heal(lab, "fiber", "lte")
    await lab.calm()
    watched.finish(*PLANNED, *DARK)


async def t26(lab: Lab, watched: Watched) -> None:
    """Taken off the inventory while both circuits are cut: over within an interval of each step on the way."""
    await _cut(lab, "fiber", "lte")
    await watched.until_told(*DARK)
    await asyncio.sleep(30)
    text = lab.box.inventory.read_text(encoding="utf-8")
    left = {name: yard for name, yard in lab.box.fleet["terminals"].items() if name != TERMINAL}
    lab.box.inventory.write_text(json.dumps({**lab.box.fleet, "terminals": left}), encoding="utf-8")
    lab.centre.program("centre").signal(SIGHUP)
    removed = time.monotonic()
    while lab.centre.inbox.open() and time.monotonic() < removed + 120:
        await asyncio.sleep(0.2)
    late = time.monotonic() - removed
    watched.expect(late <= 30, f"closed {late:.0f} s after the terminal was removed")
    await asyncio.sleep(60)
    watched.finish(*DARK)
    lab.box.inventory.write_text(text, encoding="utf-8")


async def t27(lab: Lab, watched: Watched) -> None:
    """Another host, with nothing remembered, measures the yard from the middle of an outage on."""
    await _cut(lab, "fiber", "lte")
    await watched.until_told(*DARK)
    await asyncio.sleep(20)
    await lab.move_box()
    await asyncio.sleep(HOLD)
    await _heal(lab, "fiber", "lte")
    await lab.calm()
    watched.finish(*DARK)
    watched.expect(not (errors := await lab.centre.rule_errors()), f"{errors}")


async def t28(lab: Lab, watched: Watched) -> None:
    """The router stays on LTE when the fiber is back; `failback_within` and the 45 minutes are 60 s and 150 s here."""
    too_long = "ticket TerminalOnStandbyTooLong fontana"
    await _cut(lab, "fiber")
    await watched.until_told(*ON_LTE)
    await asyncio.sleep(30)
    await _heal(lab, "fiber")
    await watched.until_told(too_long)
    await asyncio.sleep(HOLD)
    await lab.router.move("fiber")
    await lab.calm()
    watched.finish(*ON_LTE, too_long)


async def t31(lab: Lab, watched: Watched) -> None:
    """Another fleet's fontana stays well, and when it goes dark meanwhile that is a page of its own."""
    await _cut(lab, "fiber", "lte")
    await watched.until_told(*DARK)
    await asyncio.sleep(60)
    watched.expect(watched.told() == set(DARK), f"told {watched.told()}")
    others = [f"iptables {{}} INPUT -s {address} -j DROP" for address in network.TARGETS]
    for line in others:
        await namespace.act("centre", line.format("-A"))
    await watched.until_told("page TerminalDark fontana of coast")
    for line in others:
        await namespace.act("centre", line.format("-D"))
    await _heal(lab, "fiber", "lte")
    await lab.calm()
    watched.finish(*DARK, "page TerminalDark fontana of coast")
    shared = [post for post in watched.posts if len({alert["labels"]["fleet"] for alert in post.alerts}) > 1]
    watched.expect(not shared, "two fleets in one notification")


def quiet(seconds: float) -> Act:
    """T32 and T36: nothing happens; the week and the night are minutes here."""

    async def act(lab: Lab, watched: Watched) -> None:
        await asyncio.sleep(seconds)
        _nothing_happened(lab, watched)
        watched.finish()

    return act


async def t34(lab: Lab, watched: Watched) -> None:
    """The card away for two minutes instead of an hour, and back with another address."""
    await lab.faults.unplug_card()
    await asyncio.sleep(120)
    back = await lab.faults.plug_card("10.10.0.31")
    seen = await lab.until(healthy, within=120)
    watched.expect(seen.at - back <= 30, f"healthy {seen.at - back:.0f} s after the card was back")
    await asyncio.sleep(30)
    await lab.calm()
    watched.finish()


async def t35(lab: Lab, watched: Watched) -> None:
    await _cut(lab, "fiber", "lte")
    await watched.until_told(*DARK)
    await asyncio.sleep(20)
    lab.centre.program("prometheus").kill()
    await lab.centre.start_again("prometheus")
    await asyncio.sleep(HOLD)
    watched.expect(watched.told() == set(DARK), f"told {watched.told()}")
    await _heal(lab, "fiber", "lte")
    await lab.calm()
    watched.finish(*DARK)


async def t37(lab: Lab, watched: Watched) -> None:
    """The exporter stands still for 30 s, twice: no gap, no failover, and time that nobody watched in the history."""
    spans = []
    for _ in range(2):
        stopped = time.time()
        lab.box.exporter.signal(SIGSTOP)
        await asyncio.sleep(30)
        lab.box.exporter.signal(SIGCONT)
        spans.append((stopped + 2, time.time() - 1))
        await lab.until(healthy, within=60)
        await asyncio.sleep(45)
    await lab.calm()
    _nothing_happened(lab, watched)
    watched.finish()
    for start, end in spans:
        claimed = _watched_time(lab, start, end)
        watched.expect(claimed < 1, f"{claimed:.1f} s of a standstill were called watched")


def _watched_time(lab: Lab, start: float, end: float) -> float:
    """Seconds of [start, end] that the state file says were watched, on any path."""
    with contextlib.closing(sqlite3.connect(f"file:{lab.box.state}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT start, end FROM span WHERE end > ? AND start < ?", (start, end)).fetchall()
    return max((min(end, until) - max(start, since) for since, until in rows), default=0.0)


async def t38(lab: Lab, watched: Watched) -> None:
    """The disk of the state file runs full; later the box starts on one that is read-only: probing goes on."""
    _fill(lab)
    before = await _refused(lab, watched)
    await watched.until_told("ticket StateNotWritable", within=420)
    (lab.box.disk / "filler").unlink()
    await _taken_up(lab, watched, before)
    await lab.calm()
    lab.box.exporter.kill()
    _mount(lab, "remount,ro")
    lab.box.exporter.start()
    before = await _refused(lab, watched)
    _mount(lab, "remount,rw")
    await _taken_up(lab, watched, before)
    await lab.calm()
    said = lab.box.exporter.said()
    watched.expect(said.count("cannot write the state file") == 2, "not in the log")
    watched.expect(said.count("the state file can be written again") == 2, "its end is not in the log")
    watched.finish("ticket StateNotWritable")


async def _refused(lab: Lab, watched: Watched) -> float:
    """It is said, probing goes on, and a silence of LTE is not exposed while it is not written; silences until now."""
    before = watched.lab.box.glances[-1].uplink_gaps["lte"]
    watched.expect(await _until_writable(lab, 0.0), "a disk that refuses is not said")
    await lab.until(healthy, within=90)
    sent = (await lab.box.page()).total("uplink_probes_sent_total")
    await lab.faults.blackhole("lte")
    await asyncio.sleep(6)
    await lab.faults.heal("lte")
    await asyncio.sleep(15)
    page = await lab.box.page()
    watched.expect(page.total("uplink_probes_sent_total") > sent + 20, "probing does not go on")
    exposed = page.total("uplink_gap_seconds_count", uplink="lte")
    watched.expect(exposed == before, f"{exposed:g} silences exposed, {before:g} written")
    return before


async def _taken_up(lab: Lab, watched: Watched, before: float) -> None:
    watched.expect(await _until_writable(lab, 1.0), "a disk that can be written again is not taken up")
    await asyncio.sleep(10)
    written = lab.box.glances[-1].uplink_gaps["lte"] - before
    watched.expect(written == 1, f"{written:g} silences after the disk was back, not 1")


def _fill(lab: Lab) -> None:
    with contextlib.suppress(OSError), (lab.box.disk / "filler").open("wb", buffering=0) as filler:
        while filler.write(bytes(4096)):
            pass


def _mount(lab: Lab, options: str) -> None:
    subprocess.run(["mount", "-o", options, str(lab.box.disk)], check=True)


async def _until_writable(lab: Lab, value: float, within: float = 120.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        # It may be starting.
        with contextlib.suppress(OSError, TimeoutError):
            if (await lab.box.page()).value("state_writable") == value:
                return True
        await asyncio.sleep(0.5)
    return False


async def t39(lab: Lab, watched: Watched) -> None:
    """`yardlight quiet`: trouble that was announced is no ticket, a dark yard still pages; then it is ended."""
    _quiet(lab, TERMINAL, "2h", "ISP swaps the modem")
    await asyncio.sleep(15)
    await _cut(lab, "fiber")
    await watched.until_told(*PLANNED)
    await _cut(lab, "lte")
    await watched.until_told(*DARK)
    await asyncio.sleep(30)
    await _heal(lab, "fiber", "lte")
    await lab.calm()
    watched.finish(*PLANNED, *DARK)
    _quiet(lab, "--end", TERMINAL)
    await asyncio.sleep(15)
    again = Watched(lab)
    await _cut(lab, "fiber")
    await again.until_told(*ON_LTE)
    await _heal(lab, "fiber")
    await lab.calm()
    again.finish(*ON_LTE)
    watched.problems += again.problems


def _quiet(lab: Lab, *words: str) -> None:
    argv = [*YARDLIGHT, "quiet", "--inventory", str(lab.box.inventory), *words]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def window() -> dict[str, Any]:
    """Planned work on the fiber around now, in the lab's own zone."""
    now = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    hours = timedelta(hours=3)
    times = {"from": (now - hours).isoformat(), "to": (now + hours).isoformat()}
    return {"maintenance": [{"uplink": "fiber", **times, "why": "ISP window"}]}

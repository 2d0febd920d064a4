"""One run of a playbook: a step at a time, for a person on a phone, on a command line, or with nobody there.

Everything is written to the journal before it is done. Before anything is cut the guard inside the terminal is armed,
so that the runner may die at any moment; the runner for its part restores whenever a step fails, somebody presses stop
or the guard says that it has acted. Only what was measured is judged, and only after it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from yardlight import sealing
from yardlight.drills import conditions, criteria, evidence, findings
from yardlight.drills.actions import Done, fingerprint
from yardlight.drills.conditions import Condition, Situation, primary_of, standby_of
from yardlight.drills.criteria import Checked
from yardlight.drills.ears import Ears
from yardlight.drills.face import Face, Press
from yardlight.drills.guard import Charge
from yardlight.drills.live import live, word
from yardlight.drills.plan import Known, Plan
from yardlight.drills.playbook import Step
from yardlight.drills.session import (
    APPROVE,
    OVERRIDE,
    STOP,
    Around,
    Button,
    Live,
    Occasion,
    Screen,
)
from yardlight.drills.timeline import Act
from yardlight.drills.world import Centre, Clock, Glance, Yard
from yardlight.errors import DrillError
from yardlight.journal import Journal
from yardlight.logs import kv
from yardlight.lookback import length

log = logging.getLogger(__name__)
T = TypeVar("T")

POLL_SECONDS = 0.5
# The guard restores when the runner was silent for so long: inside the terminal, and where a switch may hide it.
LEASE_SECONDS = 15.0
LEASE_AWAY_SECONDS = 30.0
# Events are written a moment after they ended, alerts resolve with the next evaluations.
_SETTLE_SECONDS = 4.0
_RESOLVE_SECONDS = 900.0
_UNDO_SECONDS = 600.0
# A circuit that answers for so long after its cut was never cut: its probes know within seconds, a metered one in 30.
_FALL_SECONDS = 30.0
# A scrape, what sends it on, and two evaluations, each as slow as alert_rules/README.md allows.
_KNOWN_SECONDS = 60.0
# What was judged longer ago, while a person read or walked, is judged again before anything is cut.
_FRESH_SECONDS = 120.0

_ON_ITS_WAY = "The alert that a real outage would send is on its way."
_PLUG, _LEAVE = "Plug the cable back in", "Leave everything as it is."
_GO, _YES, _NO = "go", "yes", "no"
_STOPS = Button(STOP, "Stop and restore", "stop")


class _StoppedError(Exception):
    """The run ends early and everything is restored; `aborted` unless a step simply was not met."""

    def __init__(self, why: str, aborted: bool = True) -> None:
        super().__init__(why)
        self.why, self.aborted = why, aborted


class Runner:
    """A `Session` that runs. `run` it once, as a task; the screen says where it is."""

    def __init__(
        self, plan: Plan, yard: Yard, centre: Centre | None, around: Sequence[Around], folder: Path, clock: Clock
    ) -> None:
        """`folder` is where the evidence of this drill goes, new and its own."""
        self.plan, self.folder = plan, folder
        self._yard, self._centre, self._around, self._clock = yard, centre, around, clock
        self._known = Known()
        self._face = Face(plan, clock)
        self._ears = None if centre is None else Ears(plan, self._known, centre, clock)
        self._glance: Glance | None = None
        self._armed = False
        self._round = 0
        self._excused: set[str] = set()
        self._seen_at = 0.0
        self._back_at = 0.0
        self._begun = clock.now()
        self._ran_by = plan.who

    # What a person meets

    def screen(self) -> Screen:
        """What to show now."""
        return self._face.screen

    def live(self) -> Live:
        """The yard by the newest facts."""
        return Live("") if self._glance is None else live(self.plan.terminal, self._glance.facts)

    async def press(self, step: str, choice: str, who: str, reason: str = "") -> Screen:
        """Somebody pressed; a press for a step that is over changes nothing, a stop always counts."""
        return await self._face.press(step, choice, who, reason)

    async def changed(self, revision: int, seconds: float) -> Screen:
        """The screen as soon as its revision is another one, or after so many seconds."""
        return await self._face.changed(revision, seconds)

    # The run

    async def run(self) -> evidence.Record:
        """The whole drill; its record, sealed. Raises `DrillError` only where no evidence can be kept."""
        plan = self.plan
        self._journal = await asyncio.to_thread(Journal, self.folder / sealing.JOURNAL)
        try:
            await asyncio.to_thread(sealing.write_bytes, self.folder, "playbook.yml", plan.source)
            await self._write(
                "opened", drill=plan.drill, fleet=plan.fleet.fleet, terminal=plan.terminal.name, who=plan.who,
                playbook=plan.playbook.playbook, version=plan.playbook.version, approver=plan.approver,
                title=plan.playbook.title, limits=plan.limits, attended=plan.attended, timezone=plan.terminal.timezone,
            )  # fmt: skip
            begun = await self._prepare()
            if not self._known.refused:
                try:
                    await self._execute()
                except _StoppedError as stop:
                    await self._stopped(stop)
                await self._finish()
            await self._end_around(begun)
            return await self._close()
        finally:
            if self._ears is not None:
                self._ears.stop()
            self._journal.close()

    async def _write(self, what: str, **facts: Any) -> None:
        await asyncio.to_thread(self._journal.write, what, self._clock.now(), **facts)

    async def _prepare(self) -> list[tuple[Around, Mapping[str, Any]]]:
        """Judge, ask, begin what is around it, arm. What stands in the way is in `refused`."""
        try:
            await self._judge()
            judged = self._clock.now()
            await self._approve()
            if self._clock.now() - judged > _FRESH_SECONDS:
                await self._judge()
            self._begun = self._clock.now()
            begun = await self._begin_around()
        except (DrillError, _StoppedError) as error:
            self._known.refused = str(error)
            await self._write("refused", why=self._known.refused)
            return []
        try:
            await self._arm()
        except DrillError as error:
            self._known.refused = str(error)
            await self._write("refused", why=self._known.refused)
        return begun

    async def _judge(self) -> None:
        if self.plan.playbook.kind == "tabletop":
            return
        glance = await self._look()
        self._known.offsets["the terminal"] = (glance.offset, glance.error)
        alerts: list[str] | None = None
        deaf = ""
        headroom: float | None = None
        if self._centre is not None:
            if (standby := standby_of(self.plan.terminal)) is not None:
                with contextlib.suppress(DrillError):
                    headroom = await self._centre.headroom(self.plan.fleet.fleet, self.plan.terminal.name, standby)
            try:
                self._known.offsets["the centre"] = await self._centre.clock()
                now = await self._centre.alerts(self.plan.fleet.fleet, self.plan.terminal.name)
                await self._centre.notices(self._clock.now())
                alerts = [str(each["labels"]["alertname"]) for each in now if _told(each)]
            except DrillError as error:
                deaf = str(error)
        situation = Situation(
            self._clock.now(), glance.facts, alerts, self._centre is not None, self._known.offsets, headroom,
            self._who_undoes(glance), self._yard.remote, self.plan.attended, self.plan.lasts, deaf,
        )  # fmt: skip
        found = conditions.judge(self.plan.playbook, self.plan.fleet, self.plan.terminal, situation)
        self._known.conditions = found
        await self._write("preconditions", found=[asdict(each) for each in found])
        failed = [each for each in found if not each.holds and each.name not in self._excused]
        if failed:
            await self._overridden(failed)

    def _who_undoes(self, glance: Glance) -> str:
        cut = self.plan.cut
        if cut is None:
            return "person"
        return "guard" if glance.holds == fingerprint(cut) else "runner"

    async def _overridden(self, failed: Sequence[Condition]) -> None:
        """Go on with a reason, or do not. Raises `_StoppedError`."""
        texts = [each.text for each in failed]
        firm = any(each.name in conditions.FIRM for each in failed)
        reason, who = self.plan.override.strip(), self.plan.who
        while not firm and not reason and self.plan.attended:
            buttons = (Button(OVERRIDE, "Run it anyway, for a reason", "go"), Button(STOP, "Leave it", "stop"))
            self._face.show("refused", "refused", "Not now", "This should not be run now.", buttons, problems=texts)
            press = await self._person()
            reason, who = press.reason.strip(), press.who
            if press.choice == STOP:
                raise _StoppedError(texts[0])
        if firm or not reason:
            raise _StoppedError("; ".join(texts))
        self._excused |= {each.name for each in failed}
        await self._write("override", reason=reason, who=who, problems=texts)
        self._face.notes.append(f"run in spite of: {'; '.join(texts)} (reason: {reason})")

    async def _approve(self) -> None:
        warning = self.plan.warning
        lines = [self.plan.text(self.plan.playbook.purpose), f"{warning[0].upper()}{warning[1:].rstrip('.')}."]
        if self.plan.attended:
            buttons = (Button(APPROVE, "Start", "go"), Button(STOP, "Leave it", "stop"))
            self._face.show("approve", "approve", self.plan.playbook.title, "\n\n".join(lines), buttons)
            press = await self._person()
            if press.choice == STOP:
                raise _StoppedError(f"not approved by {_by(press)}")
            # Whoever made the link is not who runs it, and may review it.
            self._ran_by = press.who
        await self._write("approved", who=self._ran_by, warning=self.plan.warning)

    async def _begin_around(self) -> list[tuple[Around, Mapping[str, Any]]]:
        begun: list[tuple[Around, Mapping[str, Any]]] = []
        for around in self._around if self.plan.playbook.cuts else ():
            try:
                what = await around.begin(self._occasion)
            except DrillError:
                await self._end_around(begun)
                raise
            begun.append((around, what))
            await self._write("begun around it", name=around.name, answer=what)
        return begun

    async def _end_around(self, begun: Sequence[tuple[Around, Mapping[str, Any]]]) -> None:
        for around, what in reversed(begun):
            try:
                ended: Mapping[str, Any] = await around.end(self._occasion, what)
            except DrillError as error:
                ended = {"error": str(error)}
            await self._write("ended around it", name=around.name, answer=ended)

    @property
    def _occasion(self) -> Occasion:
        plan = self.plan
        ends = self._begun + plan.lasts + _RESOLVE_SECONDS
        return Occasion(
            plan.drill, plan.fleet, plan.terminal, plan.playbook.playbook, self._begun, ends, plan.playbook.alerts
        )

    async def _arm(self) -> None:
        plan = self.plan
        if plan.playbook.kind == "tabletop":
            return
        now = self._clock.now() + self._offset("the terminal")
        lease = plan.terminal.switch_within + LEASE_AWAY_SECONDS if self._yard.remote else LEASE_SECONDS
        charge = Charge(
            plan.drill, plan.terminal.name, plan.playbook.playbook, self.plan.cut is None, lease,
            plan.playbook.abort.dark.seconds(plan.terminal), plan.playbook.abort.longest.seconds(plan.terminal),
            now, now, now + plan.lasts + _RESOLVE_SECONDS,
        )  # fmt: skip
        await self._write("arming the guard", lease=lease, dark=charge.dark, longest=charge.longest)
        await self._yard.arm(charge)
        self._armed, self._seen_at = True, self._clock.now()

    async def _until_known(self, centre: Centre) -> None:
        """Wait until the rules know of the drill: before, what it causes would be told to people as if it were real."""
        known: list[bool] = []

        async def ask() -> None:
            with contextlib.suppress(DrillError):
                known.append(await centre.knows(self.plan.fleet.fleet, self.plan.terminal.name))

        waiting = "The alert rules are being told that this is a drill."
        self._face.show("running", "ready", "Getting ready", "Nothing is cut yet.", (_STOPS,), waiting, _KNOWN_SECONDS)
        end = self._clock.now() + _KNOWN_SECONDS
        while not any(known):
            if self._clock.now() >= end:
                raise _StoppedError("the alert rules did not learn of the drill, so people would be called for it")
            await ask()
            await self._until(lambda: True if any(known) else None, 1.0)

    async def _execute(self) -> None:
        if self._centre is not None and self.plan.playbook.cuts:
            await self._until_known(self._centre)
        for step in self.plan.playbook.steps:
            await self._write("step", step=step.id, does=step.does)
            try:
                note = await _STEPS[step.does](self, step)
            except DrillError as error:
                raise _StoppedError(str(error)) from None
            await self._write("step done", step=step.id, note=note)
            self._face.notes.append(f"{step.id}: {note}")

    # Steps

    async def _tell(self, step: Step) -> str:
        if not self.plan.attended:
            return "nobody was told: the drill ran without a person"
        self._face.show("running", step.id, "Please do this", self.plan.text(step.tell or ""), (_go("Done"), _STOPS))
        return f"confirmed by {(await self._person()).who}"

    async def _ask(self, step: Step) -> str:
        name = f"{'question' if self.plan.playbook.kind == 'tabletop' else 'business check'} {step.id}"
        if not self.plan.attended:
            text = "not asked: the drill ran without a person"
            self._known.checks.append(Checked(name, None, text, self._round, configured=step.required))
            return text
        question = self.plan.text(step.ask or "")
        buttons = (Button(_YES, "Yes", "yes"), Button(_NO, "No", "no"), _STOPS)
        self._face.show("running", step.id, "One question", question, buttons)
        press = await self._person()
        text = f"{press.choice}, says {press.who}: {question}"
        self._known.checks.append(Checked(name, press.choice == _YES, text, self._round))
        return text

    async def _cut(self, step: Step) -> str:
        self._round += 1
        self._known.begun[self._round] = self._clock.now()
        if step.flap:
            self._known.flaps.add(self._round)
        done = await self._act(step, "Cable pulled", undo=False)
        self._known.cuts[self._round] = self._done(done)
        if not done.worked:
            raise _StoppedError(f"the cut failed: {done.text}")
        return f"cut: {done.text}"

    async def _restore(self, step: Step) -> str:
        done = await self._act(step, "Cable is back", undo=True)
        if not done.worked:
            raise _StoppedError(f"the primary was not restored at once: {done.text}")
        self._known.restored[self._round] = self._done(done)
        return f"restored: {done.text}"

    async def _act(self, step: Step, label: str, undo: bool) -> Done:
        """By the terminal's own action, or by a person; the guard is told before and after either."""
        if self.plan.cut is None:
            heading = _PLUG if undo else "Pull the cable"
            self._face.show("running", step.id, heading, self.plan.text(step.say), (_go(label), _STOPS))
            await self._person()
        else:
            doing = "restoring" if undo else "cutting"
            self._face.show(
                "running", step.id, f"The terminal is {doing} the primary", self.plan.text(step.say), (_STOPS,)
            )
        await self._write("undo begins" if undo else "cut begins", step=step.id)
        return await (self._yard.restore if undo else self._yard.cut)(self.plan.drill)

    def _done(self, done: Done) -> Act:
        return Act(done.begin, done.end, by_hand=self.plan.cut is None)

    async def _wait(self, step: Step) -> str:
        assert step.wait is not None
        assert step.within is not None
        limit = step.within.seconds(self.plan.terminal)
        standby, primary = (
            word(self.plan.terminal, name) for name in (standby_of(self.plan.terminal), primary_of(self.plan.terminal))
        )
        heading, waiting = {
            "standby": (f"Wait for {standby}", f"The router is moving the yard to {standby}."),
            "primary": (f"Wait for {primary}", f"The router is moving the yard back to {primary}."),
            "stable": ("Watch that it stays", "Nothing may be lost for a while."),
            "notification": ("Wait for the alert", _ON_ITS_WAY),
        }[step.wait]
        buttons: tuple[Button, ...] = (_STOPS,)
        if step.wait == "notification" and self.plan.attended and self._centre is not None:
            waiting += " Is it there, on the phone or the screen of whoever is on call?"
            buttons = (Button(_YES, "The alert is there", "yes"), Button(_NO, "Nothing came", "no"), _STOPS)
        self._face.show("running", step.id, heading, _LEAVE, buttons, waiting, limit)
        waits: dict[str, Callable[[float], Awaitable[str]]] = {
            "standby": self._wait_standby,
            "primary": self._wait_primary,
            "stable": self._wait_stable,
            "notification": partial(self._wait_notification, step),
        }
        return await waits[step.wait](limit)

    async def _wait_standby(self, limit: float) -> str:
        at = await self._until(lambda: self._carried("standby"), limit)
        if at is None and self._never_fell():
            said = "is the right cable pulled?" if self.plan.cut is None else "what cuts it does not cut it"
            raise _StoppedError(f"{word(self.plan.terminal, primary_of(self.plan.terminal))} still answers: {said}")
        if at is None:
            raise _StoppedError(f"the yard was not on the standby within {length(limit)}", aborted=False)
        self._known.on_standby[self._round] = at
        return f"on {self._facts.observed}"

    async def _wait_primary(self, limit: float) -> str:
        if await self._until(lambda: self._carried("primary"), limit) is None:
            raise _StoppedError(f"the yard was not back on the primary within {length(limit)}", aborted=False)
        return f"back on {primary_of(self.plan.terminal)}"

    async def _wait_stable(self, limit: float) -> str:
        await self._until(lambda: None, limit)
        assert self._glance is not None
        self._known.quiet_until[self._round] = self._glance.facts.at
        return f"watched for {length(limit)}"

    async def _wait_notification(self, step: Step, limit: float) -> str:
        """Until the message came back and, where a person is there, somebody said whether it reached who is on call."""
        if self._centre is None:
            return "not waited for: no Prometheus and Alertmanager are named in links"
        pressed: list[tuple[float, Press]] = []
        end = self._clock.now() + limit

        def came() -> bool:
            return any(told.received is not None for told in self._known.told.values())

        def over() -> bool | None:
            if (press := self._face.take()) is not None:
                pressed.append((self._clock.now(), press))
                left = max(0.0, end - self._clock.now())
                self._face.show("running", step.id, "Wait for the alert", _LEAVE, (_STOPS,), _ON_ITS_WAY, left)
            return True if came() and (pressed or not self.plan.attended) else None

        await self._until(over, limit)
        note = "it arrived" if came() else "it did not arrive"
        if pressed:
            at, press = pressed[0]
            self._known.acknowledged = {"at": at, "who": press.who, "reached": press.choice == _YES}
            await self._write("acknowledged", acknowledged=self._known.acknowledged)
            reached = "reached" if press.choice == _YES else "did not reach"
            note += f"; {press.who} says that it {reached} whoever is on call"
        return note

    def _carried(self, state: str) -> float | None:
        """When, by the terminal's clock, this was seen; of several standbys any will do."""
        return self._facts.at if self._facts.state == state else None

    async def _check(self, step: Step) -> str:
        assert step.within is not None
        limit = step.within.seconds(self.plan.terminal)
        waiting = "What the yard works with is being tried over the line in use."
        self._face.show("running", step.id, "Check what works", _LEAVE, (_STOPS,), waiting, limit)
        since = self._known.on_standby.get(self._round, self._facts.at)
        probed = [name for name in step.check or () if name != "throughput"]

        def found() -> dict[str, Checked]:
            return {name: findings.check(name, self.plan.terminal, self._facts, since, self._round) for name in probed}

        # A service that fails is asked again before it is believed, so a failure waits for the end.
        await self._until(lambda: all(each.holds or not each.configured for each in found().values()) or None, limit)
        checks = [*found().values()]
        if "throughput" in (step.check or ()):
            checks.append(await self._throughput())
        self._known.checks += checks
        for check in checks:
            await self._write("checked", **asdict(check))
        return "; ".join(check.text for check in checks)

    async def _throughput(self) -> Checked:
        drill, name = self.plan.terminal.drill, "business check throughput"
        wanted = drill.throughput if drill is not None else None
        if wanted is None:
            return Checked(name, None, "no throughput is asked for in the inventory", self._round, configured=False)
        try:
            measured = await self._yard.throughput()
        except DrillError as error:
            return Checked(name, False, str(error), self._round)
        return findings.throughput(wanted, *measured, self._round)

    async def _hold(self, step: Step) -> str:
        assert step.hold is not None
        limit = step.hold.seconds(self.plan.terminal)
        self._face.show("running", step.id, "Wait a moment", _LEAVE, (_STOPS,), "It goes on by itself.", limit)
        await self._until(lambda: None, limit)
        return f"held for {length(limit)}"

    # Watching

    @property
    def _facts(self) -> Any:
        assert self._glance is not None
        return self._glance.facts

    async def _person(self) -> Press:
        """The next press. Raises `_StoppedError` for a stop once something runs."""
        press = await self._until(self._face.take, None)
        assert press is not None
        await self._write(
            "pressed", step=self._face.screen.step, choice=press.choice, who=press.who, reason=press.reason
        )
        return press

    async def _until(self, done: Callable[[], T | None], limit: float | None) -> T | None:
        """What `done` gives, as soon as it gives something; None after `limit` seconds. Raises `_StoppedError`."""
        end = None if limit is None else self._clock.now() + limit
        while True:
            await self._tick()
            if (value := done()) is not None:
                return value
            left = POLL_SECONDS if end is None else min(POLL_SECONDS, end - self._clock.now())
            if left <= 0:
                return None
            await self._clock.wait(self._face.woken, left)
            self._face.woken.clear()

    async def _tick(self) -> None:
        """Look, renew, and see whether the drill has to end."""
        if self._face.screen.phase == "running" and (press := self._face.take_stop()) is not None:
            await self._write("pressed", step=self._face.screen.step, **asdict(press))
            raise _StoppedError(f"stopped by {_by(press)}")
        late = self._clock.now() > self._occasion.ends and self.plan.playbook.cuts and not self._known.cuts
        if late and self._face.screen.phase == "running":
            raise _StoppedError("its time was over before anything was cut")
        if self._armed:
            await self._watch()
        if self._ears is not None:
            self._ears.listen()

    async def _watch(self) -> None:
        try:
            await self._yard.renew(self.plan.drill)
            glance = await self._look()
        except DrillError as error:
            silent = self._clock.now() - self._seen_at
            lease = self.plan.terminal.switch_within + LEASE_AWAY_SECONDS if self._yard.remote else LEASE_SECONDS
            if silent > lease and self._face.screen.phase == "running":
                raise _StoppedError(f"the terminal was not heard of for {length(silent)}: {error}") from None
            return
        self._seen_at = self._clock.now()
        if glance.guard is not None and glance.guard.fired and self._face.screen.phase == "running":
            raise _StoppedError(f"the guard ended it: {glance.guard.fired}")

    async def _look(self) -> Glance:
        glance = await self._yard.look(self._begun + self._offset("the terminal") - 60.0)
        facts, before = glance.facts, self._glance
        standby = standby_of(self.plan.terminal)
        turned = findings.turned(before.facts, facts, standby) if before is not None else None
        if turned is not None and self._round:
            self._known.claimed.setdefault(self._round, turned)
        self._glance = glance
        sample = {
            "at": facts.at, "state": facts.state, "observed": facts.observed, "claimed": facts.claimed,
            "uplinks": {name: uplink.state for name, uplink in facts.uplinks.items()},
        }  # fmt: skip
        if not self._known.samples or facts.at - self._known.samples[-1]["at"] >= 1.0:
            self._known.samples.append(sample)
        return glance

    def _offset(self, machine: str) -> float:
        """That machine's clock minus ours."""
        return self._known.offsets.get(machine, (0.0, 0.0))[0]

    # The way back

    async def _stopped(self, stop: _StoppedError) -> None:
        if stop.aborted:
            self._known.aborted = stop.why
        await self._write("stopped", why=stop.why, aborted=stop.aborted)
        self._face.notes.append(stop.why)
        if self._round and self._round not in self._known.restored:
            await self._restore_early(stop.why)

    async def _restore_early(self, why: str) -> None:
        """Undo what this round cut, by whoever can; a person is told why."""
        self._face.show("restoring", "restore", "Restoring", "The primary is put back.", ())
        await self._write("undo begins", step="restore")
        if self.plan.cut is None:
            step = next(each for each in reversed(self.plan.playbook.steps) if each.does == "restore")
            text = f"{why[0].upper()}{why[1:]}\n{self.plan.text(step.say)}"
            self._face.show("restoring", "restore", _PLUG, text, (_go("Cable is back"),))
            primary = primary_of(self.plan.terminal)
            await self._until(lambda: self._face.take() or self._again(primary), None)
        done = await self._insist()
        if done.worked:
            self._known.restored[self._round] = self._done(done)
        elif not self._never_fell():
            self._known.aborted = f"the primary was not restored: {done.text}"

    def _never_fell(self) -> bool:
        """The primary answers as it did before this round, long after it was cut."""
        state, begun = self._facts.uplinks[primary_of(self.plan.terminal)], self._known.begun[self._round]
        up = state.state == "up" and state.since is not None and state.since < begun + self._offset("the terminal")
        return up and self._clock.now() - begun > _FALL_SECONDS

    def _again(self, primary: str) -> bool | None:
        """The primary answers again, whether or not anybody pressed."""
        state = self._facts.uplinks[primary]
        return True if state.state == "up" and (state.since or 0.0) > self._known.begun[self._round] else None

    async def _insist(self) -> Done:
        """Restore, again and again: the guard does it too, should the terminal not be reached."""
        end = self._clock.now() + _UNDO_SECONDS
        while True:
            try:
                done = await self._yard.restore(self.plan.drill)
            except DrillError as error:
                done = Done(False, str(error), self._clock.now(), self._clock.now())
            if done.worked or self._never_fell() or self._clock.now() >= end:
                break
            await self._until(lambda: None, 2.0)
        await self._write("restored" if done.worked else "not restored", text=done.text)
        return done

    async def _finish(self) -> None:
        """Restored: see the yard come back, wait for the alerts under test to resolve, let the guard go."""
        if not self._armed:
            return
        text = "All is plugged in again. The drill ends by itself when its alerts have ended."
        self._face.show("finishing", "finishing", "Almost done", text, ())
        limit = self.plan.terminal.failback_within
        missed = await self._until(lambda: self._carried("primary"), limit) is None
        self._back_at = self._clock.now()
        await self._until(lambda: None, _SETTLE_SECONDS)
        if self._centre is not None and not missed and self._round:
            await self._until(self._resolved, _RESOLVE_SECONDS)
        try:
            await self._yard.release(self.plan.drill)
            await self._write("the guard was released")
        except DrillError as error:
            await self._write("the guard was not released", why=str(error))
        self._armed = False

    def _resolved(self) -> bool | None:
        """Nothing that the drill caused fires any more, by a word that is newer than the way back."""
        assert self._ears is not None
        return True if self._ears.heard > self._back_at and not self._ears.firing else None

    async def _close(self) -> evidence.Record:
        """Judge, write the evidence, seal it."""
        known, plan = self._known, self.plan
        facts = self._glance.facts if self._glance is not None else None
        rounds = findings.rounds(plan.terminal, known, facts.events if facts is not None else ())
        judged: list[criteria.Criterion] = []
        if not known.refused:
            judged += criteria.of_rounds(rounds, plan.limits, len(plan.playbook.cuts), self._centre is not None)
            judged += criteria.of_checks(known.checks)
        result, why = criteria.result(judged, known.aborted)
        if known.refused:
            result, why = "refused", known.refused
        when = (self._begun, self._clock.now())
        await findings.gather(self.folder, plan, known, self._yard, self._centre, facts, when)
        await self._write("ended", result=result, why=why)
        body = findings.document(plan, judged, rounds, when, (result, why))
        body["who"] = self._ran_by
        body["preconditions"] = [asdict(each) for each in known.conditions]
        body["acknowledged"] = known.acknowledged
        await asyncio.to_thread(sealing.write, self.folder, sealing.RECORD, body)
        seal = await asyncio.to_thread(sealing.seal, self.folder)
        self._face.show("over", "over", result, why, result=(result, why))
        log.info("a drill ended", extra=kv(terminal=plan.terminal.name, drill=plan.drill, result=result, seal=seal))
        return evidence.read(self.folder)


_STEPS: Mapping[str, Callable[[Runner, Step], Awaitable[str]]] = {
    "tell": Runner._tell,
    "ask": Runner._ask,
    "cut": Runner._cut,
    "restore": Runner._restore,
    "wait": Runner._wait,
    "check": Runner._check,
    "hold": Runner._hold,
}


def _go(label: str) -> Button:
    return Button(_GO, label, "go")


def _by(press: Press) -> str:
    return f"{press.who}: {press.reason}" if press.reason else press.who


def _told(alert: Mapping[str, Any]) -> bool:
    """Whether it is trouble that somebody is told of: info is context, the heartbeat always fires, a drill is due."""
    labels = alert["labels"]
    return labels.get("severity") in ("page", "ticket") and not labels["alertname"].startswith(conditions.OF_DRILLS)

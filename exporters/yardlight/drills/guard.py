"""The guard inside the terminal: it holds the undo, whatever happens to whoever runs the drill.

Before anything is cut the guard is armed, on disk. From then on the undo is done as soon as the runner is silent for
longer than its lease, the yard is dark for too long, it was on the standby for too long, or `serve` itself was
restarted. It is tried again until it works or the primary circuit is seen to carry again. An undo may thus be done
where nothing was cut, and twice; it is written so that this does no harm.

A circuit that a person unplugged only a person can plug in again: the guard then says so, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from yardlight import journal, sealing
from yardlight.drills.actions import Action, Done
from yardlight.errors import DrillError
from yardlight.journal import Journal
from yardlight.logs import kv
from yardlight.lookback import length

log = logging.getLogger(__name__)

# How long until an undo that failed is tried again: at first, and after so many tries. Each of them is two lines of the
# journal, which is read whole for each line.
_RETRY_SECONDS, _LATER_SECONDS, _AT_FIRST = 2.0, 30.0, 60
# A drill whose runner is gone counts as in progress for so long after the undo: its alerts have to resolve.
SETTLE_SECONDS = 600.0


@dataclass(frozen=True)
class Charge:
    """What a guard is armed with. Lengths in seconds, instants in unix seconds of the terminal's clock.

    `ends` is when all of it must be over, `cut` and `restored` say when that was last begun and done, `fired` why the
    guard did the undo by itself.
    """

    drill: str
    terminal: str
    playbook: str
    by_hand: bool
    lease: float
    dark: float
    longest: float
    armed: float
    renewed: float
    ends: float
    cut: float | None = None
    restored: float | None = None
    fired: str = ""

    @property
    def is_open(self) -> bool:
        """True while something may be cut."""
        return self.cut is not None and self.restored is None

    def alive(self, now: float) -> bool:
        """True while its runner is heard of."""
        return now - self.renewed <= self.lease


@dataclass(frozen=True)
class Elapsed:
    """Seconds since the runner was heard, since the cut, and since the yard went dark (None: it is not)."""

    silent: float
    cut: float
    dark: float | None


def must_fire(charge: Charge, elapsed: Elapsed) -> str:
    """Why the undo has to be done now, or nothing. Pure."""
    if not charge.is_open or charge.fired:
        return ""
    if elapsed.silent > charge.lease:
        return f"the runner was not heard of for {length(elapsed.silent)}"
    # What was dark before the cut is none of the drill's.
    if elapsed.dark is not None and (dark := min(elapsed.dark, elapsed.cut)) > charge.dark:
        return f"the yard was dark for {length(dark)}"
    if elapsed.cut > charge.longest:
        return f"the primary was cut for {length(elapsed.cut)}"
    return ""


class Guard:
    """The guard of one terminal; `action` is the inventory's, None where a person acts."""

    def __init__(self, folder: Path, terminal: str, action: Action | None) -> None:
        self._folder, self._terminal, self._action, self._newest = folder, terminal, action, action
        self._name = f"guard-{terminal}.json"
        self._turn = asyncio.Lock()
        self._next_try, self._tries = 0.0, 0
        # The wall clock may be set back while something is cut; this one never is.
        self._heard = self._cut_at = time.monotonic()
        self.charge = read_charge(folder / self._name)
        # What was cut by a process that is gone is restored at once, not after its lease.
        self._restarted = self.charge is not None and self.charge.is_open

    def use(self, action: Action | None) -> None:
        """The inventory was read again. An armed guard keeps what it was armed with until the next drill."""
        self._newest = action

    async def arm(self, charge: Charge) -> None:
        """Hold the undo from now on. Raises `DrillError` if another drill is on, or the disk refuses."""
        async with self._turn:
            before = self.charge
            gone = before is not None and not before.is_open and not before.alive(charge.armed)
            if before is not None and before.drill != charge.drill and not gone:
                raise DrillError(f"another drill is in progress at {self._terminal}: {before.drill}")
            self._restarted = False
            if before is None or before.drill != charge.drill:
                self._action = self._newest
            self._heard = time.monotonic()
            await self._keep(charge)
            await self._note("armed", charge, charge.armed, lease=charge.lease, by_hand=charge.by_hand)

    async def renew(self, drill: str, now: float) -> None:
        """The runner lives. Raises `DrillError` if this drill is not guarded."""
        self.charge = replace(self._charge(drill), renewed=now)
        self._heard = time.monotonic()

    async def cut_now(self, drill: str, now: float) -> Done:
        """Cut. The intent is on disk before it is done. Raises `DrillError` if it may not be, or was refused."""
        async with self._turn:
            charge = self._charge(drill)
            if charge.fired:
                raise DrillError(f"the guard has ended this drill: {charge.fired}")
            await self._keep(replace(charge, cut=now, restored=None, renewed=now))
            self._heard = self._cut_at = time.monotonic()
            await self._note("cut begins", charge, now)
            done = await self._act(charge, undo=False, now=now)
            await self._note("cut" if done.worked else "cut failed", charge, done.end, begin=done.begin, text=done.text)
            return done

    async def restore_now(self, drill: str, now: float) -> Done:
        """Undo the cut. Raises `DrillError` if this drill is not guarded."""
        async with self._turn:
            return await self._undo(self._charge(drill), now, "the drill says so")

    async def release(self, drill: str, now: float) -> None:
        """The drill is over. Raises `DrillError` while something may still be cut."""
        async with self._turn:
            charge = self._charge(drill)
            if charge.is_open:
                raise DrillError("the primary is not restored yet")
            await self._note("released", charge, now)
            self.charge = None
            await asyncio.to_thread((self._folder / self._name).unlink, missing_ok=True)

    async def watch(self, now: float, dark_since: float | None, primary_up: bool) -> None:
        """Called a few times a second: do the undo where it must be done, forget a drill that is long over."""
        charge = self.charge
        if charge is None:
            return
        if charge.is_open:
            why = must_fire(charge, self._elapsed(charge, now, dark_since))
            if self._restarted and not charge.fired:
                why = "serve was restarted while the primary was cut"
            if why or charge.fired:
                await self._fire(why, now, primary_up)
        elif now - max(charge.renewed, charge.restored or 0.0) > max(SETTLE_SECONDS, charge.lease):
            await self.release(charge.drill, now)

    def _elapsed(self, charge: Charge, now: float, dark_since: float | None) -> Elapsed:
        """By whichever clock more time has passed."""
        steady = time.monotonic()
        return Elapsed(
            silent=max(now - charge.renewed, steady - self._heard),
            cut=max(now - (charge.cut or now), steady - self._cut_at),
            dark=None if dark_since is None else now - dark_since,
        )

    def lines(self, drill: str) -> list[dict[str, Any]]:
        """What the guard wrote about this drill."""
        try:
            lines = journal.entries((self._folder / self._journal).read_bytes())
        except (OSError, ValueError):
            return []
        return [line for line in lines if line.get("drill") == drill]

    @property
    def _journal(self) -> str:
        return f"guard-{self._terminal}.jsonl"

    def _charge(self, drill: str) -> Charge:
        if self.charge is None or self.charge.drill != drill:
            raise DrillError(f"no guard is armed for the drill {drill}")
        return self.charge

    async def _fire(self, why: str, now: float, primary_up: bool) -> None:
        async with self._turn:
            charge = self.charge
            if charge is None or not charge.is_open or now < self._next_try:
                return
            if why:
                log.error("the guard ends a drill", extra=kv(terminal=self._terminal, drill=charge.drill, why=why))
                charge, self._tries = await self._keep_whatever(replace(charge, fired=why)), 0
                await self._note("fired", charge, now, why=why)
            if charge.by_hand:
                if primary_up:
                    await self._restored(charge, now)
                return
            self._tries += 1
            self._next_try = now + (_RETRY_SECONDS if self._tries <= _AT_FIRST else _LATER_SECONDS)
            done = await self._undo(charge, now, charge.fired)
            if not done.worked and primary_up:
                await self._restored(charge, now)

    async def _undo(self, charge: Charge, now: float, why: str) -> Done:
        await self._note("undo begins", charge, now, why=why)
        done = await self._act(charge, undo=True, now=now)
        if done.worked:
            await self._keep_whatever(replace(charge, restored=done.end))
        await self._note("undone" if done.worked else "undo failed", charge, done.end, begin=done.begin, text=done.text)
        level = logging.WARNING if done.worked else logging.ERROR
        log.log(level, "the primary was restored" if done.worked else "the primary was not restored",
                extra=kv(terminal=self._terminal, drill=charge.drill, text=done.text))  # fmt: skip
        return done

    async def _restored(self, charge: Charge, now: float) -> None:
        await self._keep_whatever(replace(charge, restored=now))
        await self._note("the primary carries again", charge, now)

    async def _act(self, charge: Charge, undo: bool, now: float) -> Done:
        if charge.by_hand:
            return Done(True, "by hand", now, now)
        if self._action is None:
            return Done(False, "the inventory says no more how the primary is cut", now, now)
        return await self._action.act(undo)

    async def _keep(self, charge: Charge) -> None:
        data = json.dumps(asdict(charge), indent=1).encode()
        await asyncio.to_thread(sealing.write_bytes, self._folder, self._name, data)
        self.charge = charge

    async def _keep_whatever(self, charge: Charge) -> Charge:
        """An undo waits for no disk."""
        try:
            await self._keep(charge)
        except DrillError as error:
            log.error("the guard's state was not written", extra=kv(error=error))
            self.charge = charge
        return charge

    async def _note(self, what: str, charge: Charge, at: float, **facts: Any) -> None:
        """A line in the guard's journal; before a cut a refusing disk refuses the drill, an undo waits for none."""
        try:
            await asyncio.to_thread(self._append, what, charge.drill, at, facts)
        except DrillError as error:
            log.error("the guard's journal was not written", extra=kv(error=error))
            if what in ("armed", "cut begins"):
                raise

    def _append(self, what: str, drill: str, at: float, facts: Mapping[str, Any]) -> None:
        book = Journal(self._folder / self._journal)
        try:
            book.write(what, at, drill=drill, **facts)
        finally:
            book.close()


def read_charge(path: Path) -> Charge | None:
    """The charge that was kept. One that cannot be read is said: whether something is cut is then not known."""
    try:
        return Charge(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        log.error("the guard's state cannot be read", extra=kv(file=path, error=error))
        return None

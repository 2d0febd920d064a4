"""An MDM of the demo: tablets that speak now and then, what is wrong with them, and what is wrong with their MDM.

When a tablet last spoke is a function of the clock until it falls silent, so that an answer is the same whenever it is
asked for. Nothing here talks: `mdm_faces` gives the two kinds of platform their voices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from yardlight.errors import YardlightError
from yardlight.inventory.values import parse_duration

HOUR = 3600.0
DAY = 24 * HOUR
ELD = "com.example.eld"
_SILENT_FOR = 40 * HOUR
_WIPE_WAITS = 25 * HOUR
LIST = """\
Or an MDM's name (graph, google):
  graph=silent=drivers            a quarter of these tablets has said nothing for 40 hours
  graph=clean-up                  the silent ones (or 40 of them) are taken off its list by a clean-up rule
  graph=wipe=T-105                a wipe of this tablet, ordered 25 hours ago, was never carried out
  graph=expiring                  its credential ends in ten days
  graph=ahead=2h                  its clock is two hours ahead
  google=old                      25 tablets have too old a system
  google=no-app                   3 tablets have lost the ELD app
  google=no-policy                2 tablets have no policy assigned
  google=down                     its API answers with errors
  google=throttled                its API refuses every request as one too many
  google=revoked                  the token was revoked, and no other is given
  google=heal                     everything at this MDM is well again"""


@dataclass
class FakeTablet:
    """A tablet under its roster's name. `last_word` is None while it goes on speaking; instants in unix seconds."""

    name: str
    serial: str
    group: str
    number: int
    enrolled: float = 0.0
    last_word: float | None = None
    never_spoke: bool = False
    os_version: str = "14"
    apps: dict[str, str] = field(default_factory=lambda: {ELD: "24.3.1"})
    policy: bool = True
    wipe: float | None = None
    wipe_state: str = "pending"


@dataclass
class Faults:
    """What is wrong with the MDM itself; `ahead` is by how many seconds its clock is."""

    down: bool = False
    throttled: bool = False
    revoked: bool = False
    empty: bool = False
    ahead: float = 0.0


class Mdm:
    """One account. `clock` tells unix seconds, each tablet speaks every `every` seconds; tokens end after `lives`."""

    def __init__(
        self,
        name: str,
        tablets: Sequence[FakeTablet],
        clock: Callable[[], float],
        *,
        every: float = 300.0,
        page: int = 100,
        lives: float = 60.0,
    ) -> None:
        self.name, self.clock, self.every, self.page, self.lives = name, clock, every, page, lives
        self._all = list(tablets)
        self.gone: set[str] = set()
        self.faults = Faults()
        self.credential_ends = clock() + 400 * DAY

    @property
    def tablets(self) -> list[FakeTablet]:
        """Those that it lists."""
        return [] if self.faults.empty else [each for each in self._all if each.name not in self.gone]

    def add(self, tablet: FakeTablet) -> None:
        self._all.append(tablet)

    def named(self, name: str) -> FakeTablet:
        """The tablet of this name. Raises `ValueError` if there is none."""
        found = next((each for each in self._all if each.name == name), None)
        if found is None:
            raise ValueError(f"{name!r} is no tablet of this MDM; there are {self._all[0].name} and on")
        return found

    def of(self, group: str) -> list[FakeTablet]:
        """All of a group. Raises `ValueError` if there are none."""
        if not (found := [each for each in self._all if each.group == group]):
            raise ValueError(
                f"{group!r} is no group; there are {', '.join(sorted({each.group for each in self._all}))}"
            )
        return found

    def now(self) -> float:
        """What its own clock says."""
        return self.clock() + self.faults.ahead

    def spoke(self, tablet: FakeTablet) -> float | None:
        """When it last spoke, by the MDM's clock; None if it never did."""
        if tablet.never_spoke:
            return None
        if tablet.last_word is not None:
            return tablet.last_word + self.faults.ahead
        now, phase = self.clock(), tablet.number * 37.0
        return now - (now - phase) % self.every + self.faults.ahead

    def silence(self, tablets: Sequence[FakeTablet], since: float) -> None:
        """These have said nothing since then."""
        for each in tablets:
            each.last_word = since

    def clean_up(self) -> int:
        """Take whoever is silent off the list; how many."""
        silent = {each.name for each in self._all if each.last_word is not None}
        self.gone |= silent
        return len(silent)

    def truth(self) -> str:
        """What is really so, in words."""
        faults = self.faults
        silent = sum(each.last_word is not None for each in self.tablets)
        words = [f"{len(self.tablets)} listed", f"{silent} silent" if silent else ""]
        words += [f"{len(self.gone)} taken off the list" if self.gone else ""]
        words += ["a wipe waits" if any(each.wipe is not None for each in self.tablets) else ""]
        below = {
            "with too old a system": [each for each in self.tablets if each.os_version != FakeTablet.os_version],
            "without the ELD app": [each for each in self.tablets if not each.apps],
            "without a policy": [each for each in self.tablets if not each.policy],
        }
        words += [f"{len(those)} {what}" for what, those in below.items() if those]
        days = (self.credential_ends - self.clock()) / DAY
        words += [f"its credential ends in {days:.0f} days" if days < 30 else ""]
        words += [f"its clock is {faults.ahead / HOUR:g} h ahead" if faults.ahead else ""]
        for name in ("down", "throttled", "revoked"):
            words += [name if getattr(faults, name) else ""]
        return ", ".join(word for word in words if word)

    def switch(self, action: str) -> str:
        """Switch a fault on, or all off, in the words of `LIST`; what is true now. Raises `MdmError`."""
        try:
            self._switch(action)
        except ValueError as error:
            raise MdmError(f"{self.name}={action}: {error}\n{LIST}") from None
        return f"{self.name}: {self.truth()}"

    def _switch(self, action: str) -> None:
        what, _, how = action.partition("=")
        now = self.clock()
        if what in ("down", "throttled", "revoked") and not how:
            setattr(self.faults, what, True)
        elif what == "silent":
            self.silence(self.of(how)[::4], now - _SILENT_FOR)
        elif action == "clean-up":
            if not self.clean_up():
                self.silence(self._all[:40], now - 90 * DAY)
                self.clean_up()
        elif what == "wipe":
            self.named(how).wipe = now - _WIPE_WAITS
        elif what == "ahead":
            self.faults.ahead = parse_duration(how)
        elif action == "expiring":
            self.credential_ends = now + 10 * DAY
        elif action == "old":
            for each in self._all[:25]:
                each.os_version = "12"
        elif action == "no-app":
            for each in self._all[25:28]:
                each.apps = {}
        elif action == "no-policy":
            for each in self._all[28:30]:
                each.policy = False
        elif action == "heal":
            self._heal()
        else:
            raise ValueError("the demo knows no such fault")

    def _heal(self) -> None:
        self.faults, self.gone, self.credential_ends = Faults(), set(), self.clock() + 400 * DAY
        for each in self._all:
            well = FakeTablet(each.name, each.serial, each.group, each.number)
            each.last_word, each.os_version, each.apps, each.policy = None, well.os_version, well.apps, True
            each.wipe = None


class MdmError(YardlightError):
    """What was typed is no fault of an MDM."""


def fake_tablets(count: int, group: str, *, first: int = 101, enrolled: float = 0.0) -> list[FakeTablet]:
    """So many tablets T-101 (or another `first`) and on; their serial numbers are nobody's."""
    return [
        FakeTablet(f"T-{number}", f"YLDEMO{number:06}", group, number, enrolled)
        for number in range(first, first + count)
    ]

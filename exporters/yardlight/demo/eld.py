"""The ELD vendor of the demo: who was at the wheel, as the drivers' logs say, where the trucks were, and what is wrong.

Each truck has a team of two who change seats every five hours, so that somebody drives at any hour. Who sits where and
where a truck is are functions of the clock, so that an answer is the same whenever it is asked for. Nothing here talks:
`feed_faces` gives it a voice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import formatdate
from zoneinfo import ZoneInfo

from yardlight.demo.certificates import SHORT, Certificates
from yardlight.demo.telematics import DAY, HOUR, MINUTE, FakeTruck, Report, VendorError

NAME = "eld"
MODEL = "LogBox 3"
# FMCSA's list has another model anyway, which nobody here drives.
_REVOKED_LONG_AGO, _REVOKED_LATELY = 300 * DAY, 53 * DAY
_SEAT, _PERSONAL = 5 * HOUR, 0.5 * HOUR
# What a driver changes in a log, or who was not logged in, goes back so far.
_BACK = 3 * HOUR
_REPORTS, _KEPT = MINUTE, 2 * HOUR
_GAP = 12 * MINUTE
_DRIFT = 1.05
_LIMIT, _LITTLE = 1000, 20
_ENDS = 30 * DAY
FAULTS = (
    "off-duty", "nobody", "malfunction", "revoked-model", "gap", "drift", "ending", "certificate", "limit", "down",
)  # fmt: skip
LIST = """\
Or the vendor of the ELDs (hours of service; T-321, T-322 and T-323 have one, their teams are d101 to d106):
  eld=off-duty                    the log of T-321's driver says off duty for three hours back; the truck moves
  eld=nobody                      nobody is logged in to T-322's ELD, for three hours back (told from five minutes on)
  eld=malfunction                 the ELD of T-322 does not work (told after half an hour)
  eld=revoked-model               FMCSA revoked the model of all three 53 days ago, by the list revoked-elds.csv
  eld=gap                         T-323 tells no position for twelve minutes while its engine runs (told after that)
  eld=drift                       the ELD of T-321 counts 5 % more miles than telematics (told after ten minutes)
  eld=ending                      the vendor will turn its API off in 30 days
  eld=certificate                 the certificate of its server ends in three days
  eld=limit                       nearly none is left of the requests that the vendor allows (told after half an hour)
  eld=down                        its API answers with errors
  eld=heal                        everything is well again"""


@dataclass(frozen=True)
class Line:
    """A line of a log. Without a driver it is what the ELD noted while nobody was logged in; only that has an end."""

    driver: str
    eld: str
    begin: float
    status: str
    end: float | None = None


@dataclass(frozen=True)
class Position:
    """Where an ELD was; `works` is what it says of itself, and the vendor had it when it was `uploaded`."""

    eld: str
    report: Report
    works: bool

    @property
    def uploaded(self) -> float:
        return self.report.at + 2.0


@dataclass
class Eld:
    """The vendor and what is wrong with it since when. `clock` tells unix seconds; team n is d101 and d102 on."""

    trucks: list[FakeTruck]
    clock: Callable[[], float]
    zone: ZoneInfo
    certificates: Certificates
    faults: dict[str, float] = field(default_factory=dict)

    @property
    def drivers(self) -> list[str]:
        """Everybody who keeps a log."""
        return [driver for number in range(len(self.trucks)) for driver in _team(number)]

    def lines(self, begin: float, end: float) -> list[Line]:
        """The lines of all logs that hold at some time between these, as they stand now, in their order."""
        end = min(end, self.clock())
        found = [line for number in range(len(self.trucks)) for line in self._of_team(number, begin, end)]
        return sorted(found, key=lambda line: (line.begin, line.driver))

    def _of_team(self, number: int, begin: float, end: float) -> Iterator[Line]:
        eld, team = unit(number), _team(number)
        hidden = self.faults.get("off-duty" if number == 0 else "nobody" if number == 1 else "")
        back = None if hidden is None else hidden - _BACK
        for seat in range(int(begin // _SEAT), int(end // _SEAT) + 1):
            start, turn = seat * _SEAT, (seat + number) % 2
            driver, other = team[turn], team[1 - turn]
            if start >= end:
                break
            yield Line(other, eld, start, "sleeper")
            for at, status in ((start, "driving"), (start + _SEAT - _PERSONAL, "personal_conveyance")):
                if back is None or at < back:
                    yield Line(driver, eld, at, status)
            if back is not None and back < start + _SEAT:
                yield Line(driver, eld, max(start, back), "off_duty")
        if number == 1 and back is not None and back < end:
            # An event that goes on is told up to now.
            yield Line("", eld, back, "driving", end - 1)

    def positions(self, since: float) -> list[Position]:
        """The positions of all ELDs since then, of the last two hours at most, in their order."""
        now = self.clock()
        first = max(since, now - _KEPT) // _REPORTS * _REPORTS
        steps = range(int((now - first) // _REPORTS) + 1)
        every = (
            self._position(number, first + step * _REPORTS) for step in steps for number in range(len(self.trucks))
        )
        return [each for each in every if each is not None and since <= each.report.at <= now]

    def _position(self, number: int, minute: float) -> Position | None:
        """That of the report in this minute; None where the ELD was silent."""
        truck = self.trucks[number]
        report = truck.report(minute + _REPORTS - 1, self.zone)
        if number == 2 and (since := self.faults.get("gap")) is not None and since <= report.at < since + _GAP:
            return None
        if number == 0 and "drift" in self.faults and report.at >= self.faults["drift"]:
            report = Report(report.at, report.speed, report.miles * _DRIFT)
        since = self.faults.get("malfunction")
        return Position(unit(number), report, number != 1 or since is None or report.at < since)

    @property
    def headers(self) -> dict[str, str]:
        """What its answers say of its limit of requests and of the end of its API."""
        left = _LITTLE if "limit" in self.faults else _LIMIT - 50
        said = {"X-RateLimit-Limit": f"{_LIMIT}", "X-RateLimit-Remaining": f"{left}", "X-API-Version": "2026-01"}
        # Years ahead there is a next version of every API.
        successor = datetime(datetime.fromtimestamp(self.clock(), UTC).year + 2, 1, 1, tzinfo=UTC).timestamp()
        deprecated = self.faults.get("ending", successor)
        ends = deprecated + (_ENDS if "ending" in self.faults else 180 * DAY)
        return {**said, "Deprecation": f"@{int(deprecated)}", "Sunset": formatdate(ends, usegmt=True)}

    def revoked_csv(self) -> str:
        """FMCSA's list of revoked models as the fleet has it now."""
        now, rows = self.clock(), ["model,revoked"]
        rows.append(f"OldTrack 1,{_day(now - _REVOKED_LONG_AGO)}")
        if (since := self.faults.get("revoked-model")) is not None:
            rows.append(f"{MODEL},{_day(since - _REVOKED_LATELY)}")
        return "\n".join(rows) + "\n"

    def switch(self, action: str) -> str:
        """Switch a fault on, or all off; what is true now. Raises `VendorError` saying what is accepted."""
        if action == "heal":
            if "certificate" in self.faults:
                self.certificates.renew()
            self.faults.clear()
        elif action in FAULTS:
            self.faults[action] = self.clock()
            if action == "certificate":
                self.certificates.renew(SHORT)
        else:
            raise VendorError(f"{NAME}={action}: the vendor of the ELDs can be: {', '.join(FAULTS)}, heal\n{LIST}")
        return f"{NAME}: {self.truth()}"

    def truth(self) -> str:
        """What is really so, in words."""
        return ", ".join(self.faults) or "all well"


def unit(number: int) -> str:
    """What the vendor calls the ELD of the truck of this number."""
    return f"LB3-{4711 + number}"


def _team(number: int) -> tuple[str, str]:
    return f"d{101 + 2 * number}", f"d{102 + 2 * number}"


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()

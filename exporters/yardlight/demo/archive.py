"""The demo's records: ELD output files of six drivers for half a year, and faults to switch on."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from yardlight.demo.eld_files import Shape, eld_file
from yardlight.errors import YardlightError

NAME = "records"
DRIVERS = tuple(f"d{number}" for number in range(101, 107))
_DAYS = 200
# A day that an auditor would ask for.
_BACK = 60
LIST = """\
Of the archive of ELD records:
  records=lost                    a driver's day is gone from the archive
  records=forged                  somebody wrote another content under the same name
  records=bad-file                a file is cut off in the middle
  records=heal                    all of it is as it was"""
_SECTION = """\
archives:
  eld:
    path: records
    pattern: "{driver}/{date:%Y-%m-%d}.csv"
    rule: rods
    format: eld
    vendor: samsara
    check: 15s
    deadline: 60s
  logs:
    path: logs
    pattern: "{driver}/{date:%Y-%m-%d}.csv"
    rule: rods
    format: csv
    vendor: eld
    since: SINCE
    manifest: SHA256SUMS
    pull: {feed: logs, settle: 1h, every: 15m}
    check: 15s
    deadline: 60s
"""
# So many days of logs are pulled from the vendor of the ELDs.
_PULLED = 5


def section(now: float) -> str:
    """The archives' part of fleet.yml."""
    since = datetime.fromtimestamp(now, UTC).date() - timedelta(days=_PULLED)
    return _SECTION.replace("SINCE", f"{since}")


class ArchiveFaultError(YardlightError):
    """What was typed is no fault of the archive."""


class DemoArchive:
    """A folder below the demo's own."""

    def __init__(self, folder: Path, today: date | None = None) -> None:
        self._root = folder / "records"
        self._pulled = (folder / "logs", folder / "logs-raw")
        self._today = today or datetime.now(UTC).date()

    def write(self) -> None:
        """Everything as it should be, in place of whatever an earlier demo left."""
        for folder in (self._root, *self._pulled):
            shutil.rmtree(folder, ignore_errors=True)
        self._pulled[0].mkdir(parents=True)
        for back in range(1, _DAYS + 1):
            for driver in DRIVERS:
                self._put(driver, back)

    def switch(self, fault: str) -> str | None:
        """Switch a fault on, or all off; what is true now, None for what is not the archive's."""
        name, _, action = fault.strip().partition("=")
        if name != NAME:
            return None
        if action == "lost":
            self._path(DRIVERS[1], _BACK).unlink(missing_ok=True)
            return "records: a day of d102 is gone"
        if action == "forged":
            self._put(DRIVERS[0], _BACK, comment="nothing to see", now=True)
            return "records: a day of d101 has another content"
        if action == "bad-file":
            self._put(DRIVERS[2], _BACK, cut=True)
            return "records: a day of d103 is cut off"
        if action != "heal":
            raise ArchiveFaultError(f"{fault!r}: the archive can be: lost, forged, bad-file, heal\n{LIST}")
        for driver in DRIVERS:
            self._put(driver, _BACK)
        return "records: all is as it was"

    def _path(self, driver: str, back: int) -> Path:
        return self._root / driver / f"{self._today - timedelta(days=back)}.csv"

    def _put(self, driver: str, back: int, comment: str = "fuel stop", now: bool = False, cut: bool = False) -> None:
        """A day's file, exported on the next morning unless it is written `now`."""
        path, day = self._path(driver, back), self._today - timedelta(days=back)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = eld_file(Shape(driver, day, f"T-{driver[1:]}", comment=comment))
        path.with_suffix(".part").write_bytes(content[:-100] if cut else content)
        path.with_suffix(".part").replace(path)
        if not now:
            morning = datetime.combine(day + timedelta(days=1), time(6), UTC).timestamp()
            os.utime(path, (morning, morning))


def drivers_csv() -> str:
    """The roster of drivers."""
    return "code,hired,left,logs\n" + "".join(f"{driver},2020-01-01,,eld\n" for driver in DRIVERS)

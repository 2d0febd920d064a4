"""The demo's records, and faults to switch on: half a year of ELD output files of six drivers with their second copy,
logs that are pulled from the vendor of the ELDs, and back-ups of what the shop has."""

from __future__ import annotations

import os
import shutil
import zipfile
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
Of the archives:
  records=lost                    a driver's day is gone from the archive of ELD records
  records=forged                  somebody wrote another content under the same name (not in the first half minute)
  records=bad-file                a file is cut off in the middle
  records=copy-lost               a driver's day is gone from the second copy, where there is one
  records=small-backup            the newest back-up of the shop is a tenth of what it usually is
  records=heal                    all of it is as it was"""
_SECTION = """\
archives:
  eld:
    path: records
    pattern: "{{driver}}/{{date:%Y-%m-%d}}.csv"
    rule: rods
    format: eld
    vendor: samsara
    holds: [{{who: [d104], from: {first}, why: claim 2026-17}}]
{copy}    check: 15s
    deadline: 60s
  logs:
    path: logs
    pattern: "{{driver}}/{{date:%Y-%m-%d}}.csv"
    rule: rods
    format: csv
    vendor: eld
    since: {since}
    manifest: SHA256SUMS
    pull: {{feed: logs, settle: 1h, every: 15m}}
    check: 15s
    deadline: 60s
  shop:
    path: backups
    pattern: "{{date:%Y-%m-%d}}.zip"
    rule: maintenance
    vendor: shop
    backup: {{}}
    # The one of a night may be made again.
    settles_after: 3d
    least_free: 10 MB
    check: 15s
    deadline: 60s
"""
# So many days of logs are pulled from the vendor of the ELDs, and of so many there is a back-up of the shop.
_PULLED, _BACKED_UP = 5, 20
_BACKUP = 40_000
# Where a disk of its own would be: memory that looks like one.
_OTHER_DEVICE = Path("/dev/shm")
_COPY = "yardlight-demo-"


class ArchiveFaultError(YardlightError):
    """What was typed is no fault of the archive."""


class DemoArchive:
    """Folders below the demo's own, and the second copy where there is another device for it."""

    def __init__(self, folder: Path, today: date | None = None, other_device: Path = _OTHER_DEVICE) -> None:
        self._root = folder / "records"
        self._pulled = (folder / "logs", folder / "logs-raw")
        self._backups = folder / "backups"
        self._today = today or datetime.now(UTC).date()
        there = other_device.is_dir() and os.access(other_device, os.W_OK)
        self._copy = other_device / f"{_COPY}{os.getpid()}" if there else None

    def section(self) -> str:
        """The archives' part of fleet.yml."""
        first, since = (self._today - timedelta(days=days) for days in (_DAYS, _PULLED))
        copy = f"    second_copy: {self._copy}\n" if self._copy is not None else ""
        return _SECTION.format(first=first, since=since, copy=copy)

    def write(self) -> None:
        """Everything as it should be, in place of whatever an earlier demo left."""
        self.remove_copy()
        if self._copy is not None:
            remove_copies(self._copy.parent)
        for folder in (self._root, self._backups, *self._pulled):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self._pulled[0], self._backups):
            folder.mkdir(parents=True)
        for back in range(1, _DAYS + 1):
            for driver in DRIVERS:
                self._put(driver, back)
        for back in range(1, _BACKED_UP + 1):
            self._back_up(back)
        if self._copy is not None:
            shutil.copytree(self._root, self._copy)

    def remove_copy(self) -> None:
        """Nothing of it stays outside the demo's folder."""
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)

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
        if action == "copy-lost":
            if self._copy is None:
                raise ArchiveFaultError(f"{fault!r}: there is no second copy: {_OTHER_DEVICE} is no device of its own")
            (self._copy / self._path(DRIVERS[4], _BACK).relative_to(self._root)).unlink(missing_ok=True)
            return "records: the second copy lacks a day of d105"
        if action == "small-backup":
            self._back_up(1, _BACKUP // 10)
            return "records: the newest back-up of the shop is small"
        if action != "heal":
            known = "lost, forged, bad-file, copy-lost, small-backup, heal"
            raise ArchiveFaultError(f"{fault!r}: the archives can be: {known}\n{LIST}")
        for driver in DRIVERS:
            self._put(driver, _BACK)
        if self._copy is not None:
            shutil.copytree(self._root, self._copy, dirs_exist_ok=True)
        self._back_up(1)
        return "records: all is as it was"

    def _path(self, driver: str, back: int) -> Path:
        return self._root / driver / f"{self._today - timedelta(days=back)}.csv"

    def _back_up(self, back: int, size: int = _BACKUP) -> None:
        """One of a night, which is a little larger each time."""
        day = self._today - timedelta(days=back)
        path = self._backups / f"{day}.zip"
        with zipfile.ZipFile(path.with_suffix(".part"), "w") as packed:
            packed.writestr(zipfile.ZipInfo("vehicles.csv"), b"unit\n" * ((size - back * 100) // 5))
        path.with_suffix(".part").replace(path)
        self._of_next_morning(path, day)

    def _of_next_morning(self, path: Path, day: date) -> None:
        morning = datetime.combine(day + timedelta(days=1), time(6), UTC).timestamp()
        os.utime(path, (morning, morning))

    def _put(self, driver: str, back: int, comment: str = "fuel stop", now: bool = False, cut: bool = False) -> None:
        """A day's file, exported on the next morning unless it is written `now`."""
        path, day = self._path(driver, back), self._today - timedelta(days=back)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = eld_file(Shape(driver, day, f"T-{driver[1:]}", comment=comment))
        path.with_suffix(".part").write_bytes(content[:-100] if cut else content)
        path.with_suffix(".part").replace(path)
        if not now:
            self._of_next_morning(path, day)


def remove_copies(device: Path = _OTHER_DEVICE) -> None:
    """Remove what demos that were killed could not."""
    for copy in device.glob(f"{_COPY}*"):
        if not Path(f"/proc/{copy.name.removeprefix(_COPY)}").exists():
            shutil.rmtree(copy, ignore_errors=True)


def drivers_csv() -> str:
    """The roster of drivers."""
    return "code,hired,left,logs\n" + "".join(f"{driver},2020-01-01,,eld\n" for driver in DRIVERS)

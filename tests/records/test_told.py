"""Rows of records.yml from files on a disk to who is told of them: `yardlight serve`, Prometheus, Alertmanager.

Each row is a fleet of that name with people of its own, so that one run carries all of them. The rules are those that
are shipped; those of records are evaluated more often here: the suite does not wait for their half minutes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ports import free_port
from tests.programs import running
from tests.records.test_s3 import Front
from tests.records.test_s3 import bucket as bucket
from tests.records.test_s3 import front as front
from tests.records.test_s3 import moto as moto
from tests.records.world import ELD, World, today
from tests.rules.phones import Phones, phones
from tests.served import Process
from yardlight import receivers, scraping
from yardlight.cli import main
from yardlight.demo.eld_files import Shape, eld_file
from yardlight.inventory.load import load

RULES = Path(__file__).resolve().parents[2] / "alert_rules"
# Whatever the hour and the zone, its file has come by now.
LAST = today() - timedelta(days=2)
KEPT = range(16)
SINCE = f"since: {LAST - timedelta(days=KEPT[-1])}"
HELD = LAST - timedelta(days=300)
# The one that is as it should be, and is told of what belongs to no fleet.
WELL = "inland"
PEOPLE = ("oncall", "noc", "compliance", "info", "deadman")
Do = Callable[["Records"], object]


class Records(World):
    """The archives of all rows, side by side; what is done is done to that of `row`, by days before `LAST`."""

    def __init__(self, folder: Path, bucket: Any, front: Front) -> None:
        folder.mkdir()
        (folder / "key").write_text("AKID:shh\n", encoding="utf-8")
        super().__init__(folder, fill=False)
        self.bucket, self.front, self.row = bucket, front, "eld"

    def put_back(self, *back: int, content: bytes | None = None, comment: str = "fuel stop") -> None:
        """The files of these days."""
        for each in back:
            day = LAST - timedelta(days=each)
            self.put("d101", day, self.row, content or eld_file(Shape(day=day, comment=comment)))

    def store(self, *back: int) -> None:
        """The same as objects in the store."""
        for each in back:
            day = LAST - timedelta(days=each)
            self.bucket.put_object(Key=f"{self.row}/d101/{day}.csv", Body=eld_file(Shape(day=day)))

    def remove(self, *back: int) -> None:
        for each in back:
            self.file(each).unlink()

    def file(self, back: int) -> Path:
        return self.path("d101", LAST - timedelta(days=back), self.row)

    def forge_check(self, back: int) -> None:
        """The last line of a file, its check value, is that of another one."""
        good = eld_file(Shape(day=LAST - timedelta(days=back)))
        self.put_back(back, content=good[:-6] + b"0000\r\n")

    def flip(self, back: int) -> None:
        """A bit of a file changes, and nobody wrote."""
        path = self.file(back)
        stamp, content = path.stat().st_mtime, bytearray(path.read_bytes())
        content[300] ^= 1
        path.write_bytes(bytes(content))
        self.stamp(path, stamp)

    def back_up(self, *back: int, size: int = 100_000) -> None:
        (self.folder / self.row).mkdir(exist_ok=True)
        part = self.folder / "part"
        for each in back:
            part.write_bytes(b"x" * size)
            part.replace(self.folder / self.row / f"{LAST - timedelta(days=each)}.zip")

    def serve(self, yes: bool) -> None:
        """Whether the store serves what it lists of this row."""
        ours = f"/{self.row}/"
        no = (403, "InvalidObjectState")
        self.front.spoil = lambda method, path: no if ours in path and ".csv" in path and not yes else None

    def retrieve(self, *by: str) -> None:
        """These people get records out, one after the other."""
        first, last = (f"{LAST - timedelta(days=back)}" for back in (4, 2))
        state = self.folder.parent / f"yardlight-{self.row}.db"
        where = ("--inventory", f"{self.folder / self.row}.yml", "--state", f"{state}")
        for each in by:
            asked = ("--driver", "d101", "--from", first, "--to", last, "--by", each, "--why", "quarterly test")
            assert main(["records", "retrieve", *asked, *where]) == 0

    def invent(self, archive: str, more: str, url: str) -> None:
        """The inventory of this row's fleet."""
        store = f'{{path: "s3://records/{self.row}", endpoint: "{self.front.url}", region: us-east-1, key_file: key}}'
        line = f"{archive}, {more}, check: 5s, deadline: 10m}}".replace("STORE", store)
        self.write(line.replace("path: eld", f"path: {self.row}"), "d101,2020-01-01,,eld\n")
        people = "".join(f'  {who}: {{webhook: "{url}/webhook/{self.row}/{who}"}}\n' for who in PEOPLE)
        text = (self.folder / "fleet.yml").read_text(encoding="utf-8").replace("fleet: inland", f"fleet: {self.row}")
        text += f'links: {{grafana: "{url}", runbooks: "{url}/runbooks"}}\ncontacts:\n{people}'
        (self.folder / f"{self.row}.yml").write_text(text, encoding="utf-8")
        (self.folder / "fleet.yml").unlink()


@dataclass(frozen=True)
class Row:
    """What is told of an archive that is filled like this, once it was read and harmed, and until that is mended."""

    alert: str
    text: str
    mend: Do
    harm: Do = lambda it: None
    fill: tuple[Do, ...] = (lambda it: it.put_back(*KEPT),)
    more: str = SINCE
    archive: str = ELD


WHOLE = Row.fill
ROWS = {
    "r01": Row(
        "ArchiveStale",
        "nothing new has come into archive eld since the records of",
        mend=lambda it: it.put_back(*KEPT),
        fill=(lambda it: it.put_back(*KEPT[10:]),),
    ),
    "r02": Row(
        "ArchiveGap",
        "archive eld lacks 1 of the records",
        mend=lambda it: it.put_back(100),
        fill=(lambda it: it.put_back(*range(100)),),
        more=f"since: {LAST - timedelta(days=100)}",
    ),
    "r04": Row("ArchiveCorrupt", ": 1 damaged.", mend=lambda it: it.put_back(9), harm=lambda it: it.flip(9)),
    "r05": Row(
        "ArchiveCorrupt",
        ": 1 invalid.",
        mend=lambda it: it.put_back(9),
        fill=(*WHOLE, lambda it: it.forge_check(9)),
        # What is corrected in time is no other content under the same name.
        more=f"{SINCE}, settles_after: 60d",
    ),
    "r06": Row(
        "ArchiveSecondCopyDiffers",
        "the second copy of archive eld differs in 3 files",
        mend=lambda it: it.store(9, 10, 11),
        fill=(*WHOLE, lambda it: it.store(*KEPT[:9], *KEPT[12:])),
        more=f"{SINCE}, second_copy: STORE",
    ),
    "r07": Row(
        "RecordsDeletedEarly",
        "of archive eld were deleted before their time",
        mend=lambda it: it.put_back(150, 151, 152),
        harm=lambda it: it.remove(150, 151, 152),
        fill=(*WHOLE, lambda it: it.put_back(150, 151, 152)),
    ),
    # Of two that are past their age, one is under a hold.
    "r08": Row(
        "RecordsDeletedEarly",
        "1 file of archive eld was deleted before its time, or in spite of a legal hold",
        mend=lambda it: it.put_back(300),
        harm=lambda it: it.remove(300, 301),
        fill=(*WHOLE, lambda it: it.put_back(300, 301)),
        more=f"{SINCE}, holds: [{{who: [d101], from: {HELD}, to: {HELD}, why: claim 2026-17}}]",
    ),
    "r09": Row(
        "ArchiveCorrupt",
        ": 1 changed.",
        mend=lambda it: it.put_back(9),
        harm=lambda it: it.put_back(9, comment="nothing to see"),
    ),
    "r10": Row(
        "RetrievalTestOverdue",
        "the last two retrievals were made by the same person",
        mend=lambda it: it.retrieve("Bo Kim"),
        harm=lambda it: it.retrieve("Ann Lee", "Ann Lee"),
    ),
    "r11": Row(
        "ArchiveUnreadable",
        f"archive eld has {len(KEPT)} files or folders that cannot be read",
        mend=lambda it: it.serve(True),
        fill=(lambda it: it.store(*KEPT), lambda it: it.serve(False)),
        archive=ELD.replace("path: eld", "path: STORE"),
    ),
    "r13": Row(
        "BackupSuspicious",
        "the newest backup in shop is 60kB; the usual size is 100kB",
        mend=lambda it: it.back_up(0),
        fill=(lambda it: it.back_up(*range(1, 12)), lambda it: it.back_up(0, size=60_000)),
        more="new_within: 99, settles_after: 60d",
        archive='shop: {path: eld, pattern: "{date:%Y-%m-%d}.zip", rule: maintenance, backup: {}',
    ),
}


@contextmanager
def told(folder: Path, port: int, there: Phones) -> Iterator[None]:
    """Prometheus and Alertmanager as they are rendered from the inventories, for what is served at this port."""
    inventories = [load(path) for path in sorted((folder / "fleets").glob("*.yml"))]
    prometheus, alertmanager = free_port(), free_port()
    (folder / "rules").mkdir()
    for path in RULES.glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        quick = text.replace("interval: 30s", "interval: 2s") if path.name == "records.yml" else text
        (folder / "rules" / path.name).write_text(quick, encoding="utf-8")
    wanted = scraping.Centre([f"127.0.0.1:{port}"], [f"127.0.0.1:{alertmanager}"], f"{folder}/rules/*.yml")
    config = yaml.safe_dump(scraping.centre(inventories, wanted)).replace(scraping.ITSELF, f"127.0.0.1:{prometheus}")
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    routes = receivers.render(inventories, receivers.Wanted(LAST.year, home=WELL))
    (folder / "alertmanager.yml").write_text(routes, encoding="utf-8")
    with (
        running(
            alertmanager, "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alerts", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
        ),
        running(
            prometheus, "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{prometheus}",
            # What is evaluated before Prometheus knows of Alertmanager is sent again after a minute else.
            "--rules.alert.resend-delay=5s",
        ),
    ):  # fmt: skip
        yield


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(900)
def test_r01_r02_r04_r05_r06_r07_r08_r09_r10_r11_r13_are_told_to_compliance_once_and_so_is_their_end(
    tmp_path: Path, bucket: Any, front: Front, process: Process, eventually: Callable[..., object]
) -> None:
    def those(status: str) -> Counter[tuple[str, str, str]]:
        """Who was told of what archive's what, and how often; the heart beats besides."""
        alerts = (
            (each.who, alert["labels"]) for each in there.notices if each.status == status for alert in each.alerts
        )
        return Counter(
            (who, of.get("archive", ""), of["alertname"]) for who, of in alerts if of["alertname"] != "Watchdog"
        )

    def unread() -> list[float]:
        found = process.series().items()
        return [value for name, value in found if name.startswith(("archive_unread_", "archive_second_copy_unread_"))]

    records = Records(tmp_path / "fleets", bucket, front)
    expected = Counter(
        (f"{name}/compliance", "" if name == "r10" else row.archive.partition(":")[0], row.alert)
        for name, row in ROWS.items()
    )
    with phones() as there:
        for records.row, row in (ROWS | {WELL: Row("", "", mend=lambda it: None)}).items():
            for fill in row.fill:
                fill(records)
            records.invent(row.archive, row.more, there.url)
        process.start("--inventory-dir", "fleets", "--centre").ready()
        with told(tmp_path, process.port, there):
            eventually(lambda: unread() == [0.0] * (len(ROWS) + 2), 240)
            eventually(lambda: any(each.who == f"{WELL}/deadman" for each in there.notices), 240)
            for records.row, row in ROWS.items():
                row.harm(records)
            eventually(lambda: those("firing") >= expected, 240)
            for records.row, row in ROWS.items():
                row.mend(records)
            eventually(lambda: those("resolved") >= expected, 240)
    assert those("firing") == those("resolved") == expected
    said = {each.who: each.text for each in there.notices if each.status == "firing"}
    assert not [name for name, row in ROWS.items() if row.text not in said[f"{name}/compliance"]], said

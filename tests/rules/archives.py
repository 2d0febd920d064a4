"""Scenarios of archives for promtool: what the centre exports of two archives and a back-up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from tests.rules.scenarios import Expected, Scenario, yard
from tests.rules.tablets import BEGIN, END, OVER, Sample, always, then
from tests.rules.yard import ALWAYS, Centre, Labels, Read, Series, Spans, Value, _made, centre_labels, inside

DAY = 86400.0
INTERVAL, DEADLINE = 900.0, 600.0
RULES = {
    "eld": ("rods", "49 CFR 395.8(k)(1), 395.22(i)", "driver-day"),
    "maintenance": ("maintenance", "49 CFR 396.3(c)", "none"),
}
KINDS = {
    "archive_corrupt_files": ("changed", "damaged", "empty", "encoding", "identity", "invalid", "manifest"),
    "archive_unreadable_files": ("changing", "not_served", "too_large", "unreadable"),
}


@dataclass(frozen=True)
class Archives:
    """Both archives are well but for `trouble`.

    `answers` is when checks of `eld` succeed, `kept` when the last is on the page, `listed` when they are configured.
    """

    trouble: tuple[Sample, ...] = ()
    answers: Spans = ALWAYS
    kept: Spans = ALWAYS
    listed: Spans = ALWAYS
    stage: str = "live"
    moved: float | None = None

    def series(self, centre: Centre, end: float) -> Series:
        for instance in centre.instances:
            hosts = [(instance, (0.0, 1e12))]
            if self.moved is not None:
                hosts = [(instance, (0.0, self.moved)), (f"moved-{instance}", (self.moved, 1e12))]
            for host, span in hosts:
                for name, labels, read in self._all():
                    there = partial(self._there, centre, span, read)
                    yield from _made(name, {**centre_labels(host), "fleet": "inland-haul", **labels}, there, end)

    def _there(self, centre: Centre, span: tuple[float, float], read: Read, at: float) -> Value:
        here = span[0] <= at < span[1] and centre.lists("inland-haul", at) and inside(self.listed, at) is not None
        return read(at) if here else None

    def _all(self) -> Iterator[Sample]:
        for archive, (rule, citation, coverage) in RULES.items():
            own = {"archive": archive}
            yield (
                "archive_info",
                {**own, "rule": rule, "citation": citation, "coverage": coverage, "stage": self.stage},
                always(1),
            )
            yield "archive_free_least_bytes", own, always(10e9)
            yield from self._polled(archive)
            troubled = {(name, *sorted(labels.items())) for name, labels, _ in self.trouble}
            for name, labels, read in self._well(own):
                if (name, *sorted(labels.items())) not in troubled:
                    yield name, labels, partial(self._while_kept, read)
        for name, labels, read in self.trouble:
            yield name, labels, partial(self._while_kept, read)

    def _while_kept(self, read: Read, at: float) -> Value:
        return read(at) if inside(self.kept, at) is not None else None

    def _well(self, own: Labels) -> Iterator[Sample]:
        for name, kinds in KINDS.items():
            for kind in kinds:
                yield name, {**own, "kind": kind}, always(0)
        for name in (
            "gaps",
            "dates_not_known",
            "deleted_early_files",
            "second_copy_missing_files",
            "second_copy_missing_dates",
        ):
            yield f"archive_{name}", own, always(0)
        yield "archive_second_copy_apart", own, always(1)
        yield "archive_second_copy_answers", own, always(1)
        yield "archive_free_bytes", own, always(50e9)
        yield "archive_size_bytes", own, always(2e9)
        yield "archive_newest_timestamp_seconds", own, always(-DAY)
        yield "archive_new_due_timestamp_seconds", own, always(2 * DAY)
        yield "archive_retrieval_test_due_timestamp_seconds", own, always(60 * DAY)
        yield "archive_last_retrieval_test_timestamp_seconds", own, always(-30 * DAY)
        yield "archive_retrieval_testers", own, always(2)
        if own["archive"] == "maintenance":
            yield "backup_newest_bytes", own, always(500e6)
            yield "backup_usual_bytes", own, always(500e6)
            yield "backup_least_bytes", own, always(350e6)
            yield "backup_most_bytes", own, always(1500e6)

    def _polled(self, archive: str) -> Iterator[Sample]:
        poll, last = {"poll": f"records/{archive}"}, partial(_last, self.answers if archive == "eld" else ALWAYS)
        yield "poll_success", poll, lambda at: float(last(at) == at // INTERVAL * INTERVAL)
        yield "poll_last_success_timestamp_seconds", poll, last
        yield "poll_due_timestamp_seconds", poll, lambda at: last(at) + 2 * INTERVAL + DEADLINE
        failing = {**poll, "reason": "unreachable"}
        yield "poll_failed", failing, lambda at: float(last(at) < at // INTERVAL * INTERVAL)


def _last(answers: Spans, at: float) -> float:
    """When the last check before `at` came to its end, of one each interval."""
    moments = (index * INTERVAL for index in range(int(at // INTERVAL) + 1))
    return max(moment for moment in moments if inside(answers, moment) is not None)


def eld(name: str, value: Value, well: float = 0.0, **labels: str) -> Sample:
    """One sample of the archive `eld` that is not well while there is trouble."""
    return f"archive_{name}", {"archive": "eld", **labels}, then(value, well)


def told(*firing: str) -> Expected:
    return ((0, BEGIN - 60, ()), (BEGIN + 60, OVER - 60, firing), (OVER + 60, END, ()))


def case(
    name: str, title: str, archives: Archives, expect: Expected, moved: float | None = 2400.0, end: float = END
) -> Scenario:
    return Scenario(name, title, (yard(),), end, expect, moved=moved, every=60.0, platform=archives)


GAP = "ticket ArchiveGap eld"
SMALL = "ticket BackupSuspicious eld"
UNREADABLE = "ticket ArchiveUnreadable eld"
DOWN: Spans = ((0.0, BEGIN), (OVER, 1e9))

ARCHIVES = (
    case(
        "R01", "no new ELD export for two working days: one ticket to compliance",
        Archives((eld("new_due_timestamp_seconds", BEGIN, 2 * DAY),)), told("ticket ArchiveStale eld"),
    ),
    case("R02", "one driver-day is missing", Archives((eld("gaps", 1),)), told(GAP)),
    case(
        "R02-not-known", "of three days nobody told who moved, and nothing known is missing",
        Archives((eld("dates_not_known", 3), eld("gaps", None, 0))), told(GAP),
    ),
    case("R03", "hired, left, leap day: nothing is missing", Archives(), ((0, END, ()),), None),
    case(
        "R02-unreachable", "a driver-day is missing and then the archive cannot be checked any more: both tickets stay",
        Archives(
            (eld("gaps", 1),), answers=((0.0, 1790.0), (OVER, 1e9)), kept=((0.0, 2400.0), (OVER, 1e9)),
        ),
        (
            (0, BEGIN - 60, ()), (BEGIN + 60, 3240, (GAP,)), (3360, OVER - 60, (GAP, UNREADABLE)), (OVER + 60, END, ()),
        ),
        None,
    ),
    case(
        "R02-removed", "the archive is taken out of the inventory while something is missing: its ticket ends",
        Archives((eld("gaps", 1),), listed=((0.0, 2400.0),)),
        ((0, BEGIN - 60, ()), (BEGIN + 60, 2340, (GAP,)), (2460, END, ())), None,
    ),
    case(
        "R04", "a bit flipped on the disk", Archives((eld("corrupt_files", 1, kind="damaged"),)),
        told("ticket ArchiveCorrupt eld"),
    ),
    case(
        "R05", "check values that do not hold, and R09, content changed under the same name: one ticket",
        Archives((eld("corrupt_files", 2, kind="invalid"), eld("corrupt_files", 3, kind="changed"))),
        told("ticket ArchiveCorrupt eld"), None,
    ),
    case(
        "R06", "the second copy lacks three days",
        Archives((eld("second_copy_missing_files", 9), eld("second_copy_missing_dates", 9))),
        told("ticket ArchiveSecondCopyDiffers eld"),
    ),
    case(
        "R06-same-disk", "the second copy lies on the device of the first",
        Archives((eld("second_copy_apart", 0, 1),)), told("ticket ArchiveSecondCopyDiffers eld"), None,
    ),
    case(
        "R06-silent", "the second copy could not be read for three checks",
        Archives((("archive_second_copy_answers", {"archive": "eld"}, lambda at: float(at >= OVER)),)),
        ((0, OVER - 60, ("ticket ArchiveSecondCopyDiffers eld",)), (OVER + 60, END, ())), None,
    ),
    case(
        "R06-silent-moved", "the second copy could not be read until the exporter moved; from there it can be",
        Archives((("archive_second_copy_answers", {"archive": "eld"}, lambda at: float(at >= 2400)),)),
        ((0, 2340, ("ticket ArchiveSecondCopyDiffers eld",)), (2460, END, ())),
    ),
    case(
        "R07", "files are deleted at five months, and R08, held ones when their time is over",
        Archives((eld("deleted_early_files", 40),)), told("ticket RecordsDeletedEarly eld"),
    ),
    case(
        "R10", "the last retrieval is longer ago than a quarter",
        Archives((eld("retrieval_test_due_timestamp_seconds", BEGIN, 60 * DAY),)), told("ticket RetrievalTestOverdue"),
    ),
    case(
        "R10-same-person", "the last two retrievals were made by the same person",
        Archives((eld("retrieval_testers", 1, 2),)), told("ticket RetrievalTestOverdue"), None,
    ),
    case(
        "R11", "an object store lists and does not serve; what is written to just now is told to nobody",
        Archives((eld("unreadable_files", 100, kind="not_served"), eld("unreadable_files", 2, kind="changing"))),
        told(UNREADABLE),
    ),
    case(
        "R11-overdue", "no check has come to its end for two intervals and a deadline",
        Archives(answers=DOWN), ((0, 2340, ()), (2520, OVER - 60, (UNREADABLE,)), (OVER + 60, END, ())), None,
    ),
    case(
        "R11-folder", "folders that cannot be listed, and a manifest that cannot be read",
        Archives((eld("unplaced_files", 2, kind="folder"), eld("unplaced_files", 1, kind="manifest"))),
        told(UNREADABLE), None,
    ),
    case(
        "R02-trial", "an archive on trial: what is missing is for information",
        Archives((eld("gaps", 1), eld("retrieval_testers", 1, 2)), stage="trial"),
        told("info ArchiveGap eld", "info RetrievalTestOverdue"), None,
    ),
    case(
        "R13-unreachable", "a back-up is too small, and then nothing can be checked for hours: the ticket stays",
        Archives(
            (
                ("backup_newest_bytes", {"archive": "eld"}, always(300e6)),
                ("backup_least_bytes", {"archive": "eld"}, always(350e6)),
                ("backup_most_bytes", {"archive": "eld"}, always(1500e6)),
            ),
            answers=((0.0, 1790.0),), kept=((0.0, 2400.0),),
        ),
        ((60, 3240, (SMALL,)), (3360, 8000, (SMALL, UNREADABLE))), None, 8000.0,
    ),
    case(
        "R13", "the newest back-up of maintenance files is 40 % smaller than usual",
        Archives((("backup_newest_bytes", {"archive": "maintenance"}, then(300e6, 500e6)),)),
        told("ticket BackupSuspicious maintenance"),
    ),
    case(
        "archive-full", "less is free where the archive lies than it may be",
        Archives((eld("free_bytes", 4e9, 50e9),)), told("ticket ArchiveStorageLow eld"),
    ),
)  # fmt: skip

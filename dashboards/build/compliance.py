"""The Compliance board: which archives could be produced today, and what is in the way of one of them."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    AGO,
    GREEN,
    NONE_KNOWN,
    ORANGE,
    RED,
    Panel,
    Place,
    Query,
    State,
    answers,
    choice,
    from_here,
    lines,
    listing,
    page,
    single,
    words,
)
from grafana_foundation_sdk.builders import dashboard

TROUBLE = ((None, GREEN), (1, RED))
# A column of counts of which each is one too many.
TROUBLED: dict[str, object] = {
    "unit": "none",
    "thresholds": {"mode": "absolute", "steps": [{"value": None, "color": GREEN}, {"value": 1, "color": RED}]},
    "custom.cellOptions": {"type": "color-text"},
}
_FLEET = 'fleet="$fleet"'
_ARCHIVE = 'fleet="$fleet",archive="$archive"'


def _of(metric: str, by: str = "archive") -> str:
    return f"max by ({by}) (yardlight_{metric}{{{_ARCHIVE}}})"


def board() -> dashboard.Dashboard:
    """All panels, top to bottom: every archive; of the chosen one now, what is wrong, proofs, over time."""
    built = (
        page(
            "yardlight-compliance",
            "Yardlight: Compliance",
            "All archives of a fleet, and one of them closer: what is missing, what does not open, what was deleted "
            "too early, the second copy, whether somebody has shown that records can be fetched. No legal advice.",
            ["records"],
        )
        .with_variable(choice("fleet", "Fleet", "label_values(yardlight_fleet_info, fleet)"))
        .with_variable(choice("archive", "Archive", 'label_values(yardlight_archive_info{fleet="$fleet"}, archive)'))
        .time("now-30d", "now")
        .refresh("5m")
    )
    for panel in (_all(), *_now(), *_wrong(), *_proofs(), *_over_time(), _drills()):
        built = built.with_panel(panel)
    return built


def _each(metric: str, by: str = "archive") -> str:
    return f"max by ({by}) (yardlight_{metric}{{{_FLEET}}})"


def _files(metric: str, where: str, also: str = "") -> str:
    """Files of all kinds together, and what is counted with them."""
    kinds = f"max by (archive, kind) (yardlight_{metric}{{{where}}})"
    return f"sum by (archive) ({kinds}{also and f' or {also}'})"


def _unread(where: str) -> str:
    """Files and folders that cannot be read."""
    folders = f'max by (archive, kind) (yardlight_archive_unplaced_files{{{where},kind=~"folder|too_many|manifest"}})'
    return _files("archive_unreadable_files", where, folders)


def _all() -> Panel:
    counts = {
        "Missing": _each("archive_gaps"),
        "Unknown days": _each("archive_dates_not_known"),
        "Changed": _files("archive_corrupt_files", _FLEET),
        "Unreadable": _unread(_FLEET),
        "Deleted early": _each("archive_deleted_early_files"),
        "Copy lacks": _each("archive_second_copy_missing_files"),
        "Never read": _each("archive_unread_files"),
    }
    queries = [
        _each("archive_info", "archive, rule"),
        *counts.values(),
        f"1000 * {_each('archive_listed_timestamp_seconds')}",
        f"1000 * {_each('archive_last_retrieval_test_timestamp_seconds')}",
    ]
    fields = {f"Value #{chr(66 + index)}": heading for index, heading in enumerate((*counts, "As of", "Retrieved"))}
    return listing(
        "All archives",
        "Each archive of the fleet; a click shows it below. Normal is 0 in every column; an empty cell "
        "is not known, or not asked for. As of is when it was last listed from end to end.",
        Place(0, 0, 24, 8),
        [Query(query) for query in queries],
        {"archive": "Archive", **fields, "rule": "Rule"},
        overrides={
            "Archive": {
                "custom.width": 120,
                **from_here("compliance", "Show it below", archive="Archive"),
            },
            **dict.fromkeys(counts, TROUBLED),
            "As of": AGO,
            "Retrieved": AGO,
        },
        empty="no archives in the inventory",
    )


def _now() -> Iterator[Panel]:
    yield single(
        "Listed as of",
        "When the archive was last listed from end to end; all here stands as of then. Normal: within two checks.",
        Place(0, 8, 4, 4),
        Query(f"1000 * {_of('archive_listed_timestamp_seconds')}"),
        unit="dateTimeFromNow",
    )
    yield single(
        "Missing",
        "Records that the rule asks for and that are not there: driver-days, vehicle-days or vehicles. Normal is 0. "
        "The command `yardlight records check` names them. It is not known while nobody told who moved on some days.",
        Place(4, 8, 4, 4),
        Query(_of("archive_gaps")),
        steps=TROUBLE,
        empty="not known, or not asked for",
    )
    yield single(
        "Days not known",
        "Days of which nobody told who moved: whether a record of them is missing is not known. Normal is 0.",
        Place(8, 8, 4, 4),
        Query(_of("archive_dates_not_known")),
        steps=TROUBLE,
        empty="not known, or not asked for",
    )
    yield single(
        "Not what it was",
        "Files whose content was changed or damaged, or that do not open as what they are. Normal is 0.",
        Place(12, 8, 4, 4),
        Query(_files("archive_corrupt_files", _ARCHIVE)),
        steps=TROUBLE,
    )
    yield single(
        "Cannot be read",
        "Files and folders that are listed and cannot be read. Normal is 0, or one that is written to just now.",
        Place(16, 8, 4, 4),
        Query(_unread(_ARCHIVE)),
        steps=TROUBLE,
    )
    yield single(
        "Deleted early",
        "Files that are gone although their rule or a legal hold keeps them. Normal is 0.",
        Place(20, 8, 4, 4),
        Query(_of("archive_deleted_early_files")),
        steps=TROUBLE,
    )
    yield single(
        "Second copy lacks",
        "Files that had time to get into the second copy and are not there, or with another content. Normal is 0.",
        Place(12, 20, 4, 4),
        Query(_of("archive_second_copy_missing_files")),
        steps=TROUBLE,
        empty="not known, or none",
    )


def _wrong() -> Iterator[Panel]:
    yield listing(
        "What is wrong, by kind",
        "Files by what is wrong with them: changed, damaged, empty, encoding, invalid, identity, manifest; unreadable, "
        "not served, too large. Empty is normal. What a listing cannot place (links, other names) covers nothing.",
        Place(0, 12, 12, 8),
        [
            Query(f"{_of('archive_corrupt_files', 'kind')} > 0"),
            Query(f"{_of('archive_unreadable_files', 'kind')} > 0"),
            Query(f"{_of('archive_unplaced_files', 'kind')} > 0"),
        ],
        {"kind": "Kind", "Value #A": "Content is wrong", "Value #B": "Cannot be read", "Value #C": "Has no place"},
        overrides={heading: {"unit": "none"} for heading in ("Content is wrong", "Cannot be read", "Has no place")},
        empty=NONE_KNOWN,
    )
    yield listing(
        "Rule",
        "Which rule holds for the archive, where it stands, and what nothing may be missing of. It says how far back "
        "records have to go; an inventory may ask for more, never for less.",
        Place(12, 12, 12, 4),
        [Query(_of("archive_info", "rule, citation, coverage")), Query(_of("archive_required_seconds"))],
        {"rule": "Rule", "citation": "Citation", "coverage": "Complete by", "Value #B": "Kept for"},
        overrides={
            "Rule": {"custom.width": 90},
            "Citation": {"custom.width": 240},
            "Complete by": {"custom.width": 115},
            "Kept for": {"unit": "s", "custom.width": 110},
        },
    )
    yield single(
        "Oldest record",
        "The day of the oldest record. Older than the rule asks for is normal; younger, the archive began later.",
        Place(12, 16, 3, 4),
        Query(f"1000 * {_of('archive_oldest_timestamp_seconds')}"),
        unit="dateTimeFromNow",
    )
    yield single(
        "Newest record",
        "The day of the newest record. For daily records yesterday is normal, or the last working day.",
        Place(15, 16, 3, 4),
        Query(f"1000 * {_of('archive_newest_timestamp_seconds')}"),
        unit="dateTimeFromNow",
    )
    yield single(
        "Held",
        "Files that are past their rule and are kept because of a legal hold only. Any number is normal while a hold "
        "stands; deleting one is told.",
        Place(18, 16, 3, 4),
        Query(_of("archive_held_files")),
        empty="no hold known",
    )


def _proofs() -> Iterator[Panel]:
    yield single(
        "Last retrieval",
        "When somebody last fetched records from it with nothing missing. Normal: within the quarter.",
        Place(0, 20, 4, 4),
        Query(f"1000 * {_of('archive_last_retrieval_test_timestamp_seconds')}"),
        unit="dateTimeFromNow",
        steps=((None, GREEN),),
        empty="never",
    )
    yield single(
        "Retrieved by",
        "By how many people the last two retrievals were made. Two is normal; one person is one too few.",
        Place(4, 20, 4, 4),
        Query(_of("archive_retrieval_testers")),
        steps=((None, ORANGE), (2, GREEN)),
        empty="fewer than two yet",
    )
    yield single(
        "Second copy",
        "Whether the second copy lies on another device than the first, where the rule asks for that.",
        Place(8, 20, 4, 4),
        Query(_of("archive_second_copy_apart")),
        mapped=answers(State("on another device", GREEN), State("same device", RED)),
        empty="not known, or none",
    )
    yield single(
        "Read longest ago",
        "When the file whose reading is longest ago was read. All are read again in turn, within `reread`.",
        Place(16, 20, 4, 4),
        Query(f"1000 * {_of('archive_longest_unread_timestamp_seconds')}"),
        unit="dateTimeFromNow",
    )
    yield single(
        "Never read",
        "Files that are listed and that nobody has read yet. 0 is normal; while a large archive is new, it falls.",
        Place(20, 20, 4, 4),
        Query(_of("archive_unread_files")),
        steps=((None, GREEN), (1, ORANGE)),
    )
    yield single(
        "Free",
        "What is free where the archive lies. A ticket comes below `least_free` of the inventory.",
        Place(21, 16, 3, 4),
        Query(_of("archive_free_bytes")),
        unit="decbytes",
        empty="not told",
    )


def _over_time() -> Iterator[Panel]:
    yield lines(
        "Files",
        "How many files the archive has. It grows by a day's records and falls when records are past their time; a "
        "step down is a deletion.",
        Place(0, 24, 8, 8),
        [Query(_of("archive_files"), "files")],
        unit="none",
    )
    yield lines(
        "Missing over time",
        "Records that were missing; dashed, in the second copy. A rise of all drivers on one day is an export that did "
        "not run.",
        Place(8, 24, 8, 8),
        [
            Query(_of("archive_gaps"), "missing"),
            Query(_of("archive_second_copy_missing_dates"), "missing in the second copy"),
        ],
        unit="none",
        color=RED,
        dashed="/second copy$/",
    )
    yield lines(
        "Back-up size",
        "How large the newest back-up is, of an archive that holds back-ups, between the limits that its habit makes.",
        Place(16, 24, 8, 8),
        [
            Query(_of("backup_newest_bytes"), "newest"),
            Query(_of("backup_least_bytes"), "least"),
            Query(_of("backup_most_bytes"), "most"),
        ],
        unit="decbytes",
        dashed="least|most",
        empty="no back-ups here",
    )


def _drills() -> Panel:
    due = f"max by (terminal, playbook) (yardlight:drill_due_timestamp_seconds{{{_FLEET}}})"
    return listing(
        "Failover drills",
        "Each yard's drills, the one that is due first on top: whether it was passed in its quarter, what the last run "
        "came to, and when one was last passed. In time and pass are normal. `yardlight drill report` prints the "
        "proof; a yard leads to its board.",
        Place(0, 32, 24, 8),
        [
            Query(f"sort(1000 * {due})"),
            Query(f"1 + ({due} < bool time())"),
            Query(f"max by (terminal, playbook, result) (yardlight_drill_last_result{{{_FLEET}}} == 1)"),
            Query(f"1000 * {_each('drill_last_run_timestamp_seconds', 'terminal, playbook')}"),
            Query(f"1000 * {_each('drill_last_pass_timestamp_seconds', 'terminal, playbook')}"),
        ],
        {
            "terminal": "Yard",
            "playbook": "Drill",
            "Value #B": "This quarter",
            "Value #A": "Due",
            "result": "Last run came to",
            "Value #D": "Last run",
            "Value #E": "Last passed",
        },
        overrides={
            "Yard": from_here("terminal", "Open the yard", terminal="Yard"),
            "Drill": {"custom.width": 200},
            "This quarter": words((State("in time", GREEN), State("overdue", RED))),
            "Due": AGO,
            "Last run": AGO,
            "Last passed": AGO,
        },
        empty="no drill in the inventory",
    )

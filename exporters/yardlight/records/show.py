"""From an archive's standing to samples. While no listing came to its end, there are none about files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.inventory.archives import Archive
from yardlight.records.evidence import Proof
from yardlight.records.reading import CORRUPT, UNREADABLE
from yardlight.records.standing import Standing

Families = dict[Metric, dict[tuple[str, ...], float | None]]
# What a listing meets and cannot place.
ODD = ("link", "name", "no_file", "unmatched", "clash", "folder", "too_many", "manifest")


def samples(name: str, archive: Archive, found: Standing, tests: Sequence[Proof]) -> Families:
    """The page of one archive."""
    families: Families = defaultdict(dict)
    key = (name,)
    _tests(families, name, archive, tests, found)
    if found.listed is None:
        return families
    families[m.ARCHIVE_LISTED][key] = found.listed
    families[m.ARCHIVE_FILES][key] = found.files
    families[m.ARCHIVE_BYTES][key] = found.bytes
    families[m.ARCHIVE_NEWEST][key] = found.newest
    families[m.ARCHIVE_OLDEST][key] = found.oldest
    families[m.ARCHIVE_NEW_DUE][key] = found.due
    families[m.ARCHIVE_UNREAD][key] = found.unread
    families[m.ARCHIVE_LONGEST_UNREAD][key] = found.longest_unread
    if archive.covers != "none":
        # Where nothing known is missing and not all is known, nothing is known to be complete.
        families[m.ARCHIVE_GAPS][key] = len(found.missing) or (None if found.unknown_days else 0)
        families[m.ARCHIVE_DATES_UNKNOWN][key] = found.unknown_days
    for kind in sorted(CORRUPT):
        families[m.ARCHIVE_CORRUPT][name, kind] = found.kinds[kind]
    for kind in sorted(UNREADABLE):
        families[m.ARCHIVE_UNREADABLE][name, kind] = found.kinds[kind]
    for kind in ODD:
        families[m.ARCHIVE_UNPLACED][name, kind] = found.odd[kind]
    families[m.ARCHIVE_DELETED][key] = len(found.deleted)
    if archive.holds:
        families[m.ARCHIVE_HELD][key] = found.held
    if archive.second_copy is not None:
        families[m.ARCHIVE_COPY_ANSWERS][key] = float(not found.copy_fails)
    if found.copied is not None:
        families[m.ARCHIVE_COPY_LACKS][key] = found.copy_lacks
        families[m.ARCHIVE_COPY_LACKS_DAYS][key] = found.copy_lacks_days
        families[m.ARCHIVE_COPY_UNREAD][key] = found.copy_unread
    if archive.backup is not None:
        families[m.BACKUP_BYTES][key] = found.newest_bytes
        families[m.BACKUP_USUAL][key] = found.usual_bytes
        families[m.BACKUP_LEAST][key] = found.least_bytes
        families[m.BACKUP_MOST][key] = found.most_bytes
    return families


def place_samples(name: str, archive: Archive, free: int | None, apart: bool | None) -> Families:
    """Where the archive lies: what is free there, and whether the second copy is on another device."""
    families: Families = defaultdict(dict)
    families[m.ARCHIVE_FREE][name,] = free
    if archive.terms.copy_apart and apart is not None:
        families[m.ARCHIVE_COPY_APART][name,] = float(apart)
    return families


def _tests(families: Families, name: str, archive: Archive, tests: Sequence[Proof], found: Standing) -> None:
    """When somebody last got records out or restored a back-up, when that is due again, by how many the last two."""
    last = tests[-1].at if tests else None
    families[m.ARCHIVE_TESTED][name,] = last
    since = last if last is not None else found.known_since
    every = archive.retrieval_test if archive.backup is None else archive.backup.restore_test
    families[m.ARCHIVE_TEST_DUE][name,] = None if since is None else since + every
    if len(tests) > 1:
        families[m.ARCHIVE_TESTERS][name,] = len({" ".join(each.by.split()).casefold() for each in tests[-2:]})

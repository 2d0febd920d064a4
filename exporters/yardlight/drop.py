"""A folder into which somebody lays files: which of them are whole, what they say, and their tables.

A file is whole when nobody has written to it for a while and its last line has ended. What was written halfway is left
for later, and complained of once nobody goes on writing.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from yardlight.errors import BadReplyError, TooLargeError, UnreachableError

MAX_BYTES = 32 * 2**20
# So long nobody may have written to a file before it is read, and before one without an end is called cut off.
SETTLED, ABANDONED = 10.0, 600.0
# Portals put titles above the headings: so many lines at most.
_TITLES = 20


@dataclass(frozen=True)
class Export:
    """One file: its name, when it was last written to, its text."""

    name: str
    at: float
    text: str


def files(folder: Path, pattern: str) -> list[tuple[Path, os.stat_result]]:
    """The files of a folder, in the order in which they were last written to."""
    try:
        if not folder.is_dir():
            raise UnreachableError(f"{folder.name}: there is no such folder")
        found = [(path, path.stat()) for path in folder.glob(pattern) if path.is_file()]
    except OSError as error:
        raise UnreachableError(f"{folder.name}: cannot be read: {(error.strerror or 'error').lower()}") from None
    return sorted(found, key=lambda each: (each[1].st_mtime, each[0].name))


def content(path: Path, age: float, encoding: str | None = None, *, lines: bool = True) -> str | None:
    """What a file says that was last written to `age` seconds ago; None while somebody may still write to it.

    Raises `BadReplyError` for a file of `lines` that ends in the middle of one and is not written to any more.
    """
    if age < SETTLED:
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreachableError(f"{path.name}: cannot be read: {(error.strerror or 'error').lower()}") from None
    if len(data) > MAX_BYTES:
        raise TooLargeError(f"{path.name}: more than {MAX_BYTES // 2**20} MiB")
    try:
        text = data.decode(encoding or encoding_of(data)).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError):
        raise BadReplyError(f"{path.name}: is not text in {encoding or 'UTF-8 or UTF-16'}") from None
    if not lines or text.endswith(("\n", "\r")):
        return text
    if age < ABANDONED:
        return None
    raise BadReplyError(f"{path.name}: its last line has no end; it was cut off, or the export forgot it")


def encoding_of(data: bytes) -> str:
    """What these bytes seem to be written in: what spreadsheets save, UTF-16 among it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def table(text: str, wanted: Collection[str], what: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The headings, which are the first line with all of `wanted`, and each row below them with its line.

    Raises `BadReplyError` naming the headings that are missing.
    """
    best: set[str] = set()
    for delimiter in ",;\t|":
        reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
        try:
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
        except csv.Error as error:
            raise BadReplyError(f"{what}:{reader.line_num}: {error}") from None
        for index, (_, heading) in enumerate(lines[:_TITLES]):
            if set(wanted) <= set(heading):
                return heading, [(line, row) for line, row in lines[index + 1 :] if any(row)]
            best = max(best, set(wanted) & set(heading), key=len)
    missing = ", ".join(each for each in wanted if each not in best)
    raise BadReplyError(f"{what}: has no line with the headings {missing}")


def rows(text: str, columns: Mapping[str, str], what: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line: its cells by our own names for the columns. Raises `BadReplyError`.

    So it does for a row with more cells than headings: a comma in a number may have cut it in two. A row that stands
    twice, cell for cell, is told once.
    """
    heading, found = table(text, columns.values(), what)
    told = set[tuple[str, ...]]()
    for line, cells in found:
        if (every := tuple(cells)) in told:
            continue
        told.add(every)
        if any(cells[len(heading) :]):
            raise BadReplyError(f"{what}:{line}: has {len(cells)} cells under {len(heading)} headings")
        row = dict(zip(heading, cells, strict=False))
        yield line, {key: row[column] for key, column in columns.items() if column in row}


def bare(cell: str) -> str:
    """A number as it is; some portals write them so that a spreadsheet leaves them alone."""
    return cell.strip("=\"' ")


def dated(raw: str, form: str | None) -> str:
    """A date of this form (Python's strptime) as ISO has it, as it is without a form; empty for what is none."""
    if form is None:
        return raw
    try:
        return datetime.strptime(raw, form).isoformat()
    except ValueError:
        return ""

"""Tables that people keep in a spreadsheet and save as CSV: rows with the place of every cell, all mistakes at once."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from yardlight.errors import InventoryError, Problem
from yardlight.inventory import words
from yardlight.inventory.source import Place


@dataclass(frozen=True)
class Cell:
    """What somebody wrote in a table, without the spaces around it; line and column count from 1."""

    text: str
    place: Place


Row = Mapping[str, Cell]
# Each column with what else people call it, compared without case, spaces and punctuation.
Columns = Mapping[str, tuple[str, ...]]


def read_table(table: Path, columns: Columns, key: str, problems: list[Problem]) -> Iterator[Row]:
    """The rows that are not empty, cells by column; every one has a cell in the column `key`.

    Commas, semicolons and tabs divide. Mistakes go to `problems`. Raises `InventoryError` for what is no such table.
    """
    try:
        raw = table.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise _broken(table, 0, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the table as 'CSV UTF-8'"
        raise _broken(table, line, message) from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    heading: list[str | None] | None = None
    cells: list[str] = []
    line = 1
    try:
        for cells in reader:
            places = [Place(str(table), line, number) for number in range(1, len(cells) + 1)]
            line = reader.line_num + 1
            if heading is None:
                heading = _header(table, cells, columns, key, problems)
                continue
            row = {}
            for cell, place, name in zip(cells, places, [*heading, *[None] * len(cells)], strict=False):
                if cell.strip() and name is not None:
                    row[name] = Cell(cell.strip(), place)
                elif cell.strip() and place.column > len(heading):
                    problems.append(problem_at(place, "", f"{cell.strip()!r} is in a column without a heading"))
            if row and key in row:
                yield row
            elif row:
                place = next(iter(row.values())).place
                problems.append(problem_at(place, key, f"is empty; every row names its {key}"))
    except csv.Error as error:
        raise _broken(table, line, f"broken CSV: {error}") from None
    if heading is not None and len(cells) < len(heading) and not text.endswith(("\n", "\r")):
        found = f"the last line has {len(cells)} of {len(heading)} cells and no end: was it cut off while it was saved?"
        problems.append(Problem(str(table), reader.line_num, len(cells), "", found))


def problem_at(place: Place, field: str, message: str) -> Problem:
    """A mistake in a cell."""
    return Problem(place.file, place.line, place.column, field, message)


def _header(table: Path, cells: Sequence[str], columns: Columns, key: str, problems: list[Problem]) -> list[str | None]:
    known = {_plain(name): name for name in columns}
    known |= {other: name for name, others in columns.items() for other in others}
    heading: list[str | None] = []
    for number, cell in enumerate(cells, 1):
        name = known.get(_plain(cell))
        place = Place(str(table), 1, number)
        if name is None and cell.strip():
            close = words.nearest(_plain(cell), known)
            hint = f"did you mean {known[close]!r}?" if close else f"known here: {', '.join(columns)}"
            problems.append(problem_at(place, "", f"unknown column {cell.strip()!r}; {hint}"))
        elif name is not None and name in heading:
            problems.append(problem_at(place, "", f"{cell.strip()!r} is a second column for {name}"))
            name = None
        heading.append(name)
    if key not in heading:
        problems.append(problem_at(Place(str(table), 1, 1), "", f"there is no column {key!r}"))
        raise InventoryError(problems)
    return heading


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]", "", heading.lower())


def _broken(table: Path, line: int, message: str) -> InventoryError:
    return InventoryError([Problem(str(table), line, 1, "", message)])

"""ELD output files (49 CFR 395 subpart B appendix A, 4.8.2): sections, fields, check values, order of events.

The check values (4.4.5) are sums of characters, in which '0', punctuation and blanks count nothing. What they cannot
see, the form of each field mostly does; what is free text in a name or a comment, only the file's hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

_EVENT, _LINE, _FILE = 0xC3, 0x96, 0x969C
_CHARACTERS = {chr(code): code - 48 for spans in ("19", "AZ", "az") for code in range(ord(spans[0]), ord(spans[1]) + 1)}


def check_value(text: str, key: int) -> int:
    """A check value of one byte (4.4.5.1, 4.4.5.2)."""
    return _rotated(sum(_CHARACTERS.get(each, 0) for each in text) & 0xFF) ^ key


def event_check(fields: Sequence[str]) -> str:
    """The check value of an event: type, code, date, time, miles, hours, latitude, longitude, CMV, user."""
    return f"{check_value(''.join(fields), _EVENT):02X}"


def line_check(text: str) -> str:
    """The check value of a line, given all before it."""
    return f"{check_value(text, _LINE):02X}"


def file_check(lines: Sequence[str]) -> str:
    """The check value of a file, given those of its lines (4.4.5.3)."""
    total = sum(int(each, 16) for each in lines) & 0xFFFF
    return f"{(_rotated(total >> 8) << 8 | _rotated(total & 0xFF)) ^ _FILE:04X}"


def _rotated(byte: int) -> int:
    return (byte << 3 | byte >> 5) & 0xFF


# What a field looks like; what is in braces in the regulation may be empty.
_POSITION = r"[ -]?\d{1,3}\.\d{1,2}|[XME]"
_FORMS = {
    "name": r"[^,]{1,30}",
    "name?": r"[^,]{0,30}",
    "user": r"[^, ][^,]{0,58}[^, ]|[^, ]",
    "user?": r"[^,]{0,60}",
    "state": r"[A-Z]{2}",
    "license": r"[A-Za-z0-9]{1,20}",
    "unit": r"[^,]{1,10}",
    "unit?": r"[^,]{0,10}",
    "vin": r"-?[A-HJ-NPR-Z0-9]{17}|-?[A-HJ-NPR-Z0-9]{0}",
    "list?": r"[^,]{0,40}",
    "usdot": r"[1-9]\d{0,8}",
    "carrier": r"[^,]{4,120}",
    "basis": r"[78]",
    "offset": r"0[4-9]|1[01]",
    "exempt": r"[E0]",
    "comment?": r"[^,]{0,60}",
    "place?": r"[^,]{0,60}",
    "registration": r"[A-Z0-9]{4}",
    "identifier": r"[A-Z0-9]{6}",
    "authentication": r"[^,]{16,}",
    "date": r"\d{6}",
    "time": r"\d{6}",
    "position": _POSITION,
    "miles": r"\d{1,7}",
    "miles?": r"\d{0,7}",
    "hours": r"\d{1,5}\.\d",
    "hours?": r"(?:\d{1,5}\.\d)?",
    "order": r"[1-9]\d?",
    "account": r"[DS]",
    "sequence": r"[0-9A-F]{1,4}",
    "status": r"[1-4]",
    "origin": r"[1-4]",
    "type": r"[1-7]",
    "code": r"\d",
    "distance": r"[0-6]",
    "flag": r"[01]",
    "fault": r"[A-Z1-9]",
    "check": r"[0-9A-F]{2}",
}  # fmt: skip
_FORM = {name: re.compile(form, re.ASCII) for name, form in _FORMS.items()}
_MOMENT = {"date": "%m%d%y", "time": "%H%M%S"}
_HEADER = (
    "name name user state license",
    "name? name? user?",
    "unit? vin list?",
    "usdot carrier basis time offset",
    "list? exempt",
    "date time position position miles hours",
    "registration identifier authentication comment?",
)
_EVENTS = (
    "sequence status origin type code date time miles? hours? position position distance order order flag flag check"
)
# Title and fields of each section after the header, in order (4.8.2.1.2 to 4.8.2.1.10).
_SECTIONS = (
    ("User List:", "order account name name"),
    ("CMV List:", "order unit vin"),
    ("ELD Event List:", _EVENTS),
    ("ELD Event Annotations or Comments:", "sequence user comment? date time place?"),
    ("Driver's Certification/Recertification Actions:", "sequence code date time date order"),
    ("Malfunctions and Data Diagnostic Events:", "sequence code fault date time miles hours order"),
    ("ELD Login/Logout Report:", "sequence code user date time miles? hours?"),
    (
        "CMV Engine Power-Up and Shut Down Activity:",
        "sequence code date time miles hours position position unit vin list? list?",
    ),
    (
        "Unidentified Driver Profile Records:",
        "sequence status origin type code date time miles? hours? position position distance order flag check",
    ),
)
# More than half a year of one driver has; what is larger is not looked into.
MOST_BYTES = 8 * 2**20
_MOST_LINES, _LONGEST = 100_000, 2_000
_TOO_LONG = re.compile(rb"[^\r\n]{%d}" % (_LONGEST + 1))
# So much of what is wrong is told.
_ENOUGH = 100
_FIRST, _END = "ELD File Header Segment:", "End of File:"
_TITLES = (_FIRST, *(title for title, _ in _SECTIONS), _END)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as it must be, and in which line (from 1)."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass
class EldFile:
    """What a file says of itself: the driver's ELD user name, the power units in it, all that is wrong, and, where
    nothing is, the day on which it was made.
    """

    user: str = ""
    units: tuple[str, ...] = ()
    wrong: list[Wrong] = field(default_factory=list)
    made: date | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str

    @property
    def fields(self) -> list[str]:
        return self.text.split(",")


def parse(data: bytes) -> EldFile:
    """The file, whatever it is; what is wrong with it is told line by line."""
    found = EldFile()
    if (large := _too_large(data)) is not None:
        found.wrong.append(large)
        return found
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        found.wrong.append(Wrong(data.count(b"\n", 0, error.start) + 1, "is not UTF-8 text"))
        return found
    lines = list(_lines(text, found.wrong))
    sections = _sections(lines, found.wrong)
    if sections is None:
        return found
    header = sections[_FIRST]
    if len(header) != len(_HEADER):
        found.wrong.append(Wrong(1, f"the header has {len(header)} lines; it has to have {len(_HEADER)}"))
        return found
    checks = [*_checked(zip(header, _HEADER, strict=True), found.wrong)]
    for title, form in _SECTIONS:
        checks += _checked(((line, form) for line in sections[title]), found.wrong)
    _end(sections[_END], checks, lines, found.wrong)
    found.user = header[0].fields[2] if len(header[0].fields) > 2 else ""
    units = {line.fields[0]: line.fields[1] for line in sections["CMV List:"] if len(line.fields) > 1}
    # Who drives nothing in all that time has no vehicle.
    found.units = tuple(filter(None, dict.fromkeys((header[2].fields[0], *units.values()))))
    if not found.wrong:
        found.made = datetime.strptime(header[5].fields[0], _MOMENT["date"]).date()
        users = {line.fields[0] for line in sections["User List:"]}
        found.wrong += islice(_event_problems(sections["ELD Event List:"], found.user, users, units), _ENOUGH)
        if units and header[2].fields[0] not in units.values():
            found.wrong.append(Wrong(header[2].number, "its power unit is not in the CMV list"))
    found.wrong.sort(key=lambda each: each.line)
    return found


def _too_large(data: bytes) -> Wrong | None:
    if len(data) > MOST_BYTES:
        return Wrong(1, f"it has {len(data)} bytes; no record of a driver has more than {MOST_BYTES}")
    if max(data.count(b"\n"), data.count(b"\r")) > _MOST_LINES:
        return Wrong(_MOST_LINES + 1, f"it has more than {_MOST_LINES} lines")
    if (long := _TOO_LONG.search(data)) is not None:
        before = data[: long.start()]
        return Wrong(max(before.count(b"\n"), before.count(b"\r")) + 1, f"has more than {_LONGEST} characters")
    return None


def _tell(wrong: list[Wrong], line: int, text: str) -> None:
    if len(wrong) < _ENOUGH:
        wrong.append(Wrong(line, text))


def identity_problems(
    file: EldFile,
    who: str,
    drivers: frozenset[str],
    trucks: frozenset[str],
    vehicle: str = "",
    day: date = date.min,
) -> Iterator[Wrong]:
    """Where the file's own word on whose it is, and of when, does not fit its place or the roster."""
    if who and file.user != who:
        yield Wrong(2, "it is another driver's file than its path says")
    elif drivers and file.user not in drivers:
        yield Wrong(2, "its driver is not on the roster")
    if vehicle and vehicle not in file.units:
        yield Wrong(4, "it is another vehicle's file than its path says")
    elif trucks and not set(file.units) <= trucks:
        yield Wrong(4, "a power unit in it is not on the roster")
    if file.made is not None and file.made < day:
        yield Wrong(7, f"it was made on {file.made}, before the day that its path says")


def _lines(text: str, wrong: list[Wrong]) -> Iterator[_Line]:
    """Lines end all in the same way; the last one may not end at all."""
    parts = re.split(r"(\r\n|\r|\n)", text)
    ends = parts[1::2]
    for number, (end, line) in enumerate(zip([*ends, ""], parts[::2], strict=True), 1):
        if end and end != ends[0]:
            _tell(wrong, number, "its end is another one than that of the first line")
        if not end and not line and number > 1:
            return
        if not line.isprintable():
            _tell(wrong, number, "has characters that cannot be printed")
        yield _Line(number, line)


def _sections(lines: Sequence[_Line], wrong: list[Wrong]) -> dict[str, list[_Line]] | None:
    """The lines below each title; None if a title is missing or not in its place."""
    titles = [line for line in lines if line.text in _TITLES]
    if tuple(line.text for line in titles) != _TITLES or lines[0].text != _FIRST:
        there = {line.text for line in titles}
        missing = next((title for title in _TITLES if title not in there), None)
        last = lines[-1].number if lines else 1
        wrong.append(Wrong(last if missing else 1, f"there is no {missing!r}" if missing else "sections out of order"))
        return None
    found: dict[str, list[_Line]] = {}
    for line in lines:
        if line.text in _TITLES:
            found[line.text] = current = []
        else:
            current.append(line)
    return found


def _checked(lines: Iterator[tuple[_Line, str]] | zip[tuple[_Line, str]], wrong: list[Wrong]) -> Iterator[str]:
    """The check value of each line as it stands there; fields and sums that do not hold are told."""
    for line, form in lines:
        *fields, stands = line.fields
        names = form.split()
        if len(fields) != len(names):
            _tell(wrong, line.number, f"has {len(fields) + 1} fields; {len(names) + 1} belong there")
            continue
        for name, value in zip(names, fields, strict=True):
            if not _FORM[name].fullmatch(value) or (name in _MOMENT and not _is_moment(value, _MOMENT[name])):
                _tell(wrong, line.number, f"a field is not a {name.rstrip('?')}")
        expected = line_check(line.text[: -len(stands)] if stands else line.text)
        if stands != expected:
            _tell(wrong, line.number, "its check value does not fit: the line was changed")
        if _FORM["check"].fullmatch(stands):
            yield stands


def _is_moment(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)
    except ValueError:
        return False
    return True


def _end(end: Sequence[_Line], checks: Sequence[str], lines: Sequence[_Line], wrong: list[Wrong]) -> None:
    if len(end) != 1:
        wrong.append(Wrong(lines[-1].number, f"{len(end)} lines after the last title; the check value belongs there"))
    elif end[0].text != file_check(checks):
        wrong.append(Wrong(end[0].number, "the file's check value does not fit: a line was changed, added or lost"))


def _event_problems(events: Sequence[_Line], user: str, users: set[str], units: dict[str, str]) -> Iterator[Wrong]:
    """Newest first, each number once and later for what came later, by users and vehicles that are listed."""
    newer: datetime | None = None
    last: dict[str, tuple[int, datetime]] = {}
    active: set[tuple[str, str]] = set()
    for line in events:
        sequence, status, origin, *told, _, unit, by, _, _, stands, _ = line.fields
        _, _, day, time, *_ = told
        at = datetime.strptime(day + time, "%m%d%y%H%M%S")
        if unit not in units:
            yield Wrong(line.number, f"its vehicle {unit} is not in the CMV list")
            continue
        if by not in users:
            yield Wrong(line.number, f"its user {by} is not in the user list")
        if stands != event_check([*told, units[unit], user]):
            yield Wrong(line.number, "its event check value does not fit: the event was changed")
        if status == "1":
            if (unit, sequence) in active:
                yield Wrong(line.number, f"its sequence number {sequence} is there twice")
            active.add((unit, sequence))
        if _comes_twice(at):
            continue
        if newer and at > newer:
            yield Wrong(line.number, "is newer than the event above it")
        newer = at
        # What is edited later gets a later number; numbers begin anew after FFFF.
        if (status, origin) == ("1", "1"):
            number, since = last.get(unit, (0, at))
            # Of one second, none is the first.
            if at < since and not 0 < (number - int(sequence, 16)) % 0x10000 < 0x8000:
                yield Wrong(line.number, f"its sequence number {sequence} is not before that of a newer event")
            last[unit] = (int(sequence, 16), at)


def _comes_twice(at: datetime) -> bool:
    """Whether it is of the hour after which clocks go back: in it, the time of day is no order."""
    return (at.month, at.weekday(), at.hour) == (11, 6, 1) and at.day <= 7

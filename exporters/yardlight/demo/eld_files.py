"""ELD output files of nobody, valid down to the last check value: for the demo to keep and for tests to break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from yardlight.records.eld import event_check, file_check, line_check

TITLES = (
    "ELD File Header Segment:", "User List:", "CMV List:", "ELD Event List:", "ELD Event Annotations or Comments:",
    "Driver's Certification/Recertification Actions:", "Malfunctions and Data Diagnostic Events:",
    "ELD Login/Logout Report:", "CMV Engine Power-Up and Shut Down Activity:", "Unidentified Driver Profile Records:",
    "End of File:",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """One driver's day. `statuses` are codes of duty status, the first at midnight, the others an hour apart."""

    user: str = "d101"
    day: date = date(2026, 1, 5)
    unit: str = "112"
    last: str = "Lopez"
    first: str = "Maria"
    statuses: Sequence[int] = (1, 4, 3, 3, 1)
    sequence: int = 0xFFFE
    comment: str = "fuel stop"
    end: str = "\r\n"


def eld_file(shape: Shape) -> bytes:
    """The file of this shape."""
    day = f"{shape.day:%m%d%y}"
    midnight = datetime.combine(shape.day, datetime.min.time())
    vin = "1M8GDM9AXKP042788"
    events, annotations = [], []
    for number, code in enumerate(shape.statuses):
        at = midnight + timedelta(hours=number)
        told = [
            "1",
            str(code),
            day,
            f"{at:%H%M%S}",
            str(number * 31),
            f"{number}.5",
            f"34.{number % 90 + 10}",
            "-117.44",
        ]
        sequence = f"{(shape.sequence + number) % 0x10000:X}"
        check = event_check([*told, shape.unit, shape.user])
        events.append([sequence, "1", "1", *told, "0", "1", "1", "0", "0", check])
        annotations.append([sequence, shape.user, shape.comment, day, f"{at:%H%M%S}", "2mi NE Fontana"])
    last = f"{(shape.sequence + len(events)) % 0x10000:X}"
    sections: list[list[list[str]]] = [
        [
            [shape.last, shape.first, shape.user, "CA", "D7654321"],
            ["", "", ""],
            [shape.unit, vin, "T-20"],
            ["1234567", "Inland Haul Inc", "8", "000000", "08"],
            ["BL-1009", "0"],
            [day, "235959", "34.11", "-117.44", "123456", "4567.8"],
            ["ZA10", "1001ZE", "9F3A61B20C77D5E4", "yardlight"],
        ],
        [["1", "D", shape.last, shape.first], ["2", "S", "Office", "Anna"]],
        [["1", shape.unit, vin]],
        events[::-1],
        annotations[::-1],
        [[last, "1", day, "235900", day, "1"]],
        [[last, "3", "5", day, "220000", "123400", "4567.1", "1"]],
        [[last, "1", shape.user, day, "000000", "123300", "4560.0"]],
        [[last, "1", day, "010000", "123310", "4560.5", "34.10", "-117.43", shape.unit, vin, "T-20", "BL-1009"]],
        [],
    ]
    lines, checks = [], []
    for title, rows in zip(TITLES, sections, strict=False):
        lines.append(title)
        for row in rows:
            text = ",".join(row) + ","
            checks.append(line_check(text))
            lines.append(text + checks[-1])
    return shape.end.join([*lines, TITLES[-1], file_check(checks), ""]).encode()

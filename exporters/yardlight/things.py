"""What sources know thing by thing, for whoever asks about one of them: the first draft of a roster, a truck's page.

A domain tells it with each collection (`Told.things`). It is kept with that collection in the state file, beside the
memory and read without the domain: a domain that does not exist tells nothing. The numbers in it identify devices and
SIMs, and go to nobody but the user: into no metric, no log and no exception.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, NamedTuple

from yardlight import quickjson

Kind = Literal["tablet", "sim", "truck", "driver"]
Number = Literal["serial", "iccid", "imei", "phone", "eld", "vin"]
# What people call them.
NUMBERS: Mapping[Number, str] = {
    "serial": "serial number",
    "iccid": "ICCID",
    "imei": "IMEI",
    "phone": "phone number",
    "eld": "ELD",
    "vin": "VIN",
}
# Another one with every change of a row.
_FORMAT = 1
# So many are written and compressed at a time.
_AT_A_TIME = 500
# What firmware and MDMs write where there is no serial number; beside noughts, crosses and dashes.
_NO_SERIAL = frozenset({
    "unknown", "none", "null", "n/a", "na", "not available", "not applicable", "not specified", "undefined", "invalid",
    "default string", "defaultstring", "system serial number", "systemserialnumber", "to be filled by o.e.m.",
    "123456789", "0123456789", "1234567890", "0123456789abcdef", "1234567890abcdef", "123456789abcdef",
})  # fmt: skip


class Fact(NamedTuple):
    """A line for people: what, how it is, as of which instant (unix seconds; None for that of the collection).

    Without a text the instant itself is what is told: a last check-in, the end of a cycle.
    """

    label: str
    text: str = ""
    at: float | None = None


Numbers = tuple[tuple[Number, str], ...]
# A `Thing` in plain tuples, as it is packed: names cost more than the tuple, where there are a hundred thousand.
Row = tuple[Kind, str, str, str, str, Numbers, tuple[tuple[str, str, float | None], ...], float | None]


class Thing(NamedTuple):
    """A tablet, a SIM, a truck or a driver as one source knows it; what the source does not tell is empty.

    `name` is what metrics call it, `called` what the source does (a driver's is a code, never a person), `id` its id
    there. `numbers` are those by which others know it too. `gone` is when it was last there, of one that is not any
    more.
    """

    kind: Kind
    name: str = ""
    called: str = ""
    id: str = ""
    group: str = ""
    numbers: Numbers = ()
    facts: tuple[Fact, ...] = ()
    gone: float | None = None

    def all(self, kind: Number) -> list[str]:
        """Its numbers of this kind."""
        return [number for each, number in self.numbers if each == kind]

    def __repr__(self) -> str:
        """No number, and nothing that somebody may have named after a person."""
        return f"Thing({self.kind!r}, {self.name!r})"


def numbered(*numbers: tuple[Number, str]) -> Numbers:
    """Those that are told; an ICCID without the blanks that make it readable, so that it can be searched for."""
    return tuple([("iccid", _bare(each[1])) if each[0] == "iccid" else each for each in numbers if each[1]])


class Pack:
    """Things as of an instant, as bytes: a line of JSON for some hundreds, compressed as they come and not kept.

    An instant of their own is with them because some collections read a few entities only, and bring no things.
    Another thread compresses, which needs nothing of the interpreter meanwhile.
    """

    def __init__(self, at: float) -> None:
        self._compress, self._thread = zlib.compressobj(1), ThreadPoolExecutor(1)
        self._rows: list[Row] = []
        self._packed: list[Future[bytes]] = []
        self._write(f"{_FORMAT} {at!r}\n".encode())

    def add(self, row: Row) -> None:
        """One more: a `Thing`, or a tuple of the same."""
        self._rows.append(row)
        if len(self._rows) == _AT_A_TIME:
            self._write_rows()

    def data(self) -> bytes:
        """All of them."""
        self._write_rows()
        with self._thread:
            return b"".join([*(each.result() for each in self._packed), self._compress.flush()])

    def _write_rows(self) -> None:
        self._write(quickjson.dumps(self._rows, default=tuple) + b"\n")
        self._rows.clear()

    def _write(self, line: bytes) -> None:
        self._packed.append(self._thread.submit(self._compress.compress, line))


def pack(things: Iterable[Thing], at: float) -> bytes:
    """All of these as of an instant (unix seconds), as bytes."""
    packed = Pack(at)
    for thing in things:
        packed.add(thing)
    return packed.data()


def unpack(data: bytes) -> tuple[float, Iterator[Thing]]:
    """As of when, and the things themselves. Raises `ValueError` for what another version packed."""
    at, lines = _opened(data)
    return at, _things(lines)


def search(data: bytes, words: Collection[str]) -> tuple[float, Iterator[Thing]]:
    """As of when, and all things with one of these words in their JSON, among others: where none is, nobody looks."""
    at, lines = _opened(data)
    wanted = [_folded(word.encode()) for word in words]
    return at, _things(line for line in lines for folded in [_folded(line)] if any(word in folded for word in wanted))


def _folded(text: bytes) -> bytes:
    """Without the case of letters; those beyond ASCII cost more."""
    return text.lower() if text.isascii() else text.decode().casefold().encode()


def _opened(data: bytes) -> tuple[float, list[bytes]]:
    try:
        first, *lines = zlib.decompress(data).splitlines()
        version, at = first.split()
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if version != str(_FORMAT).encode():
        raise ValueError(f"things in format {version.decode(errors='replace')}, where {_FORMAT} is known")
    return float(at), lines


def _things(lines: Iterable[bytes]) -> Iterator[Thing]:
    for line in lines:
        for kind, name, called, id_, group, numbers, facts, gone in quickjson.loads(line):
            told = tuple(Fact(*each) for each in facts)
            yield Thing(kind, name, called, id_, group, tuple(map(tuple, numbers)), told, gone)


def no_serial(raw: str) -> bool:
    """Whether this only stands for a serial number, or is empty; many devices may have it."""
    return not raw.strip("0xX-.* ") or raw.casefold() in _NO_SERIAL


def iccids(raw: str) -> tuple[str, ...]:
    """The spellings of an ICCID under which the same SIM may stand elsewhere, the longest first.

    Routers pad with F, carriers leave out the check digit or not. Raises `ValueError` for what is no ICCID, without
    repeating it.
    """
    digits = _bare(raw).upper().rstrip("F")
    if not re.fullmatch(r"89\d{16,18}", digits):
        raise ValueError(f"{len(digits)} characters that are not an ICCID; it is 18 to 20 digits and begins with 89")
    return (digits, digits[:-1]) if len(digits) > 18 and _checks(digits) else (digits,)


def _bare(number: str) -> str:
    return re.sub(r"[\s-]", "", number)


def _checks(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others."""
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(each // 10 + each % 10 for each in doubled) % 10 == 0

"""The form in which a profile is written: tables of columns, each an OID, a type, a scale and spellings of "no value".

A profile is data. How it is read stands once, in `interpret.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from yardlight.snmp import Oid, oid

Kind = Literal["number", "text", "said", "flag", "bytes", "secret"]
Subject = Literal["device", "modem", "wan", "setting"]

# How "nothing" is spelled in text, in any case.
NO_TEXT = frozenset({"", "n/a", "na", "none", "unknown", "-", "--", "---", "null", "not available", "unavailable"})


@dataclass(frozen=True)
class Column:
    """One fact: a field of `Device`, `Modem` or `Wan` (of a setting its name), and how its values are understood.

    `oid` is relative to its table's root. A number is divided by `divide`; those in `none` are no value, and a zero is
    one only where the fact `zero_needs` of the same row is there and not false. `words` are the names of codes;
    `yes` and `no` (in any case) make a flag, and what is in neither is not known. `fixed` facts are read at discovery.
    """

    fact: str
    oid: str
    kind: Kind = "number"
    divide: int = 1
    none: frozenset[float | str] = frozenset()
    zero_needs: str | None = None
    words: Mapping[Any, str] = field(default_factory=dict)
    yes: frozenset[int | str] = frozenset()
    no: frozenset[int | str] = frozenset()
    fixed: bool = False

    @property
    def numbers(self) -> Oid:
        return oid(self.oid)


@dataclass(frozen=True)
class Table:
    """Rows of one subject. `roots` are alternatives that say the same; `scalars` make a single row of .0 instances.

    `row` says what the index of a row is: nothing but a number, an ifIndex, or an entity of ENTITY-MIB. `depth` is how
    many numbers of an index make a row apart (an APN per profile: the first profile's counts). With `instead`, the
    table is read only where no table above it has a row. A row whose fact `needs` has no value is left out.

    A modem is the WAN that the column `wan` says, or the one whose name is `named` with the row's number plus one in
    it. `names` is a column of another table that has names for these rows, and `label` what is used without one.
    """

    subject: Subject
    roots: tuple[str, ...]
    columns: tuple[Column, ...]
    scalars: bool = False
    row: Literal["number", "ifindex", "entity"] = "number"
    depth: int = 1
    instead: bool = False
    needs: str | None = None
    named: str | None = None
    wan: str | None = None
    names: str | None = None
    label: str = "modem {key}"


@dataclass(frozen=True)
class Scripts:
    """Values that scripts of the router's owner print. Reading one runs it: only those named here are ever read."""

    names: str
    outputs: str
    facts: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Profile:
    """A vendor's routers. `objects` are prefixes of sysObjectID, `trees` what only they answer below.

    `describes` is a regular expression over sysDescr with the groups model and firmware. `says` is what `claimed`
    comes from; `evidence` what the profile was tested with.
    """

    name: str
    title: str
    says: Literal["says", "route", "cannot"]
    evidence: str
    trees: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    describes: str = ""
    tables: tuple[Table, ...] = ()
    scripts: Scripts | None = None


def flag(fact: str, oid: str, yes: tuple[int | str, ...], no: tuple[int | str, ...]) -> Column:
    """A column that says yes or no in words or codes of its own."""
    return Column(fact, oid, "flag", yes=_folded(yes), no=_folded(no))


def said(fact: str, oid: str, words: Mapping[Any, str] | None = None) -> Column:
    """A column with a state in the vendor's coding."""
    return Column(fact, oid, "said", words=words or {})


def text(fact: str, oid: str, fixed: bool = False, words: Mapping[Any, str] | None = None) -> Column:
    """A column with text, or with codes that stand for it."""
    return Column(fact, oid, "text", fixed=fixed, words=words or {})


def number(fact: str, oid: str, divide: int = 1, *none: float, zero_needs: str | None = None) -> Column:
    """A column with a number."""
    return Column(fact, oid, "number", divide, frozenset(none), zero_needs)


def _folded(values: tuple[int | str, ...]) -> frozenset[int | str]:
    return frozenset(value.casefold() if isinstance(value, str) else value for value in values)

"""The part `archives:` of the inventory: where records lie, how they are named, which rule holds for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from yardlight.inventory import retention
from yardlight.inventory.model import Model, Name, Stage
from yardlight.inventory.retention import Period
from yardlight.inventory.values import Duration, Lasting, Share, Size

Coverage = Literal["driver-day", "vehicle-day", "vehicle", "none"]
Form = Literal["any", "eld", "csv", "pdf"]
_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
# What a date is made of; the parts that make a day are year, month and day, or year and day of the year.
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d\d)", "m": r"(?P<m>\d\d)", "d": r"(?P<d>\d\d)", "j": r"(?P<j>\d{3})",
    "H": r"\d\d", "M": r"\d\d", "S": r"\d\d",
}  # fmt: skip
_DAYS = ({"Y", "m", "d"}, {"y", "m", "d"}, {"Y", "j"}, {"y", "j"})
_WHO = ("driver", "vehicle")


@dataclass(frozen=True)
class Pattern:
    """How files are named: as written, and as a regular expression with the groups who, and Y or y, m, d or j.

    `kind` is who it is of.
    """

    text: str
    regex: str
    kind: Literal["driver", "vehicle", ""]


def parse_pattern(raw: Any) -> Pattern:
    """'{driver}/{date:%Y-%m-%d}.csv' as a regular expression over paths below the archive."""
    if isinstance(raw, Pattern):
        return raw
    if not isinstance(raw, str) or not raw.strip("/"):
        raise ValueError(f"{raw!r} is not a pattern; write one like {{driver}}/{{date:%Y-%m-%d}}.csv")
    text, last = "", 0
    seen: list[str] = []
    for match in _FIELD.finditer(raw):
        text += re.escape(_plain(raw[last : match.start()]))
        text += _field(match[1], match[2], seen)
        seen.append(match[1])
        last = match.end()
    text += re.escape(_plain(raw[last:]))
    if "date" not in seen:
        raise ValueError(f"{raw!r} has no {{date:...}}; without the day of a record nothing can be missed")
    kind: Any = next((each for each in _WHO if each in seen), "")
    return Pattern(raw, text, kind)


def _plain(part: str) -> str:
    if "{" in part or "}" in part:
        raise ValueError(f"{part!r}: write a field as {{driver}}, {{vehicle}}, {{date:%Y-%m-%d}} or {{any}}")
    return part


def _field(name: str, form: str | None, seen: list[str]) -> str:
    if name == "any":
        return r"[^/]*"
    if name in seen or (name in _WHO and any(each in seen for each in _WHO)):
        raise ValueError(f"{{{name}}}: one date and one of {{driver}} and {{vehicle}}, each once")
    if name in _WHO:
        return r"(?P<who>[^/]+?)"
    if name != "date":
        raise ValueError(f"{{{name}}} is not a field; known are {{driver}}, {{vehicle}}, {{date:%Y-%m-%d}}, {{any}}")
    parts = re.split(r"%(.)", form or "%Y-%m-%d")
    directives = parts[1::2]
    days = [each for each in directives if each in "Yymdj"]
    if not all(each in _DIRECTIVES for each in directives) or set(days) not in _DAYS or len(days) != len(set(days)):
        raise ValueError(f"{form!r} does not make a day; write %Y-%m-%d, %m%d%y or the like")
    return "".join(_DIRECTIVES[each] if index % 2 else re.escape(each) for index, each in enumerate(parts))


def located(raw: Any) -> Any:
    """A place that is only a path, written out."""
    return {"path": raw} if isinstance(raw, str) else raw


def _path(raw: str) -> str:
    if "://" not in raw:
        return raw
    parts = urlsplit(raw)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.username:
        raise ValueError(f"{raw!r} is not a place; write a folder or s3://bucket/prefix")
    return raw.rstrip("/")


class Place(Model):
    """A folder, or s3://bucket/prefix in a store that speaks S3.

    `endpoint` is that of a store other than Amazon's. `key_file` holds the access key as ID:SECRET.
    """

    path: Annotated[str, AfterValidator(_path)]
    endpoint: str | None = None
    region: str | None = None
    key_file: str | None = None
    ca_file: str | None = None

    @property
    def is_s3(self) -> bool:
        return self.path.startswith("s3://")


Located = Annotated[Place, BeforeValidator(located)]


class Span(Model):
    """Whom and which days something is about: all drivers or vehicles of the archive where `who` is empty."""

    who: tuple[str, ...] = ()
    from_: Annotated[date | None, Field(alias="from")] = None
    to: date | None = None
    why: str

    def covers(self, who: str, day: date) -> bool:
        """Whether it is about this record."""
        within = (self.from_ is None or self.from_ <= day) and (self.to is None or day <= self.to)
        return within and (not self.who or who in self.who)


class Backup(Model):
    """An independent copy of what a vendor holds: each file is one back-up.

    One that is smaller by more than `smaller` than the middle of the ten before it is suspicious, and so is one that is
    larger by more than `larger`. `restore_test` is how often somebody restores one and says so.
    """

    smaller: Share = 0.3
    larger: Annotated[float, Field(gt=0)] = 2.0
    restore_test: Duration = 92 * 86400.0


class Pull(Model):
    """A feed whose records are written into the archive by Yardlight, a day at a time.

    A day is asked for once, when it has been over for `settle`: tablets upload late. What the vendor answered lies in
    the folder `raw` as it came (PATH-raw where it is not said), a folder for each day.
    """

    feed: Name
    settle: Duration = 2 * 86400.0
    raw: str | None = None
    every: Lasting = 6 * 3600.0
    deadline: Lasting = 1800.0


KeepPeriod = Annotated[Period, BeforeValidator(retention.parse_period)]
FilePattern = Annotated[Pattern, BeforeValidator(parse_pattern)]


class Archive(Model):
    """Records kept under a retention rule.

    `keep` is a longer floor than the rule's own. `coverage` says of what nothing may be missing, `expected` on which
    days: daily, when_moving (the days on which it moved) or the name of a calendar; `since` is the first day that the
    archive has. `arrives_within` is after how many days a record is missing, `new_within` how many days of `calendar`
    may pass without a new one. `settles_after` is for how long after its day a file may change. Everything is read
    again within `reread`, at most `read_at_most` in one check. What a vendor keeps, `pull` fetches.
    """

    path: Located
    pattern: FilePattern
    rule: retention.Name
    format: Form = "any"
    stage: Stage = "live"
    keep: KeepPeriod | None = None
    coverage: Coverage | None = None
    expected: Name = "daily"
    since: date | None = None
    arrives_within: Annotated[int, Field(ge=1)] | None = None
    new_within: Annotated[int, Field(ge=1)] | None = None
    calendar: Name | None = None
    settles_after: Duration = 0.0
    second_copy: Located | None = None
    copied_within: Duration = 86400.0
    manifest: str | None = None
    holds: tuple[Span, ...] = ()
    excused: tuple[Span, ...] = ()
    vendor: str | None = None
    backup: Backup | None = None
    pull: Pull | None = None
    least_free: Size | None = None
    retrieval_test: Duration = 92 * 86400.0
    check: Duration = 3600.0
    deadline: Lasting = 1800.0
    reread: Duration = 30 * 86400.0
    read_at_most: Size = 2 * 10**9

    @property
    def terms(self) -> retention.Rule:
        return retention.RULES[self.rule]

    @property
    def covers(self) -> Coverage:
        """What nothing may be missing of; without a word about it, what the pattern names, day by day."""
        if self.coverage is not None or self.backup is not None:
            return self.coverage or "none"
        by_pattern: Mapping[str, Coverage] = {"driver": "driver-day", "vehicle": "vehicle-day"}
        return by_pattern.get(self.pattern.kind, "none")

    @property
    def late_after(self) -> int:
        """After how many days a record that is not there is missing."""
        return self.arrives_within or max(self.terms.arrives_within, 1)

    @property
    def open_days(self) -> int | None:
        """How many open days may pass without a new file; None where none is expected."""
        return self.new_within or self.terms.new_within or (1 if self.backup is not None else None)

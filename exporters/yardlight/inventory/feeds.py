"""The part `feeds:` of the inventory: where records are read, how they are found in a reply, how old they may be.

A `Stream` describes an API that nobody wrote a module for. Places in a reply are JMESPath expressions
(https://jmespath.org); most are plain keys with dots between them. `items(trucks)` makes pairs, [0] and [1], of an
object whose keys are trucks.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from yardlight.inventory.addresses import WebAddress
from yardlight.inventory.model import Model, Name
from yardlight.inventory.queries import checked_query
from yardlight.inventory.values import Duration, Lasting, Share, is_time_form, listed

# What `expected` takes besides the name of a calendar.
ON_CHANGE = "on_change"
# An instant that is filled in wherever a description has one of these.
PLACEHOLDER = re.compile(r"\{(since|now|today)(?::([^}]*))?\}")
_BRACES = re.compile(r"\{[^{}]*\}")
EXPECTED = ("always", "when_moving", ON_CHANGE)
# How many meters per second each unit of a speed has.
SPEED_UNITS = {"mph": 0.44704, "km/h": 1 / 3.6, "m/s": 1.0, "knots": 0.514444}
SpeedUnit = Literal["mph", "km/h", "m/s", "knots"]


def _expression(raw: str) -> str:
    try:
        jmespath.compile(raw)
    except JMESPathError:
        raise ValueError(f"{raw!r} is not a JMESPath expression; write keys like data.location.time") from None
    return raw


def _time_format(raw: str) -> str:
    if raw not in ("auto", "s", "ms") and not is_time_form(raw):
        raise ValueError(f"{raw!r} is not a form of times; write auto, s, ms or one like %d/%m/%Y %H:%M")
    return raw


def _placeholders(raw: str) -> str:
    """Instants are filled in; other words in braces are mistyped."""
    for word in _BRACES.findall(raw):
        if not PLACEHOLDER.fullmatch(word):
            raise ValueError(f"{word} is not filled in; write {{since}}, {{now}}, {{today}}, or one like {{since:ms}}")
    return raw


Expression = Annotated[str, AfterValidator(_expression)]
Path = Annotated[str, AfterValidator(_placeholders)]
Steps = Annotated[tuple[Expression, ...], BeforeValidator(listed)]


class Paging(Model):
    """How a reply leads to the next one. One of these, each with what belongs to it:

    `next` is the place of a link, and `header: link` says that it comes in a Link header; `cursor` the place of what
    the parameter `param` takes next; `page` and `offset` name parameters that count pages (from `first`) and records.
    `more` is the place of a flag that says whether there is another page, `total` that of the number of all records.
    Without either, a page with fewer than `size` records is the last, or an empty one. With `keep`, a cursor is where
    the next collection begins. `into: body` puts these parameters into the body of the request and not behind the path;
    a.b is then b within a.
    """

    next: Expression | None = None
    header: Literal["link"] | None = None
    cursor: Expression | None = None
    param: str | None = None
    page: str | None = None
    offset: str | None = None
    first: int = 1
    more: Expression | None = None
    total: Expression | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    keep: bool = False
    into: Literal["query", "body"] = "query"

    @model_validator(mode="after")
    def _one_of_them(self) -> Paging:
        styles = [name for name in ("next", "header", "cursor", "page", "offset") if getattr(self, name) is not None]
        if len(styles) != 1:
            raise ValueError("paging is one of next, header, cursor, page and offset")
        if self.cursor is not None and self.param is None:
            raise ValueError("cursor needs param, the name of the parameter that takes it")
        return self


class Stream(Model):
    """How records are asked for and found in a reply.

    `path` is below the account's address; in it, in `params` and in `body` {since}, {now} and {today} are instants
    (ISO 8601, or {since:s}, {since:ms}, {since:%Y-%m-%d}): `since` is the last complete collection less `overlap`.
    Files that lie in `folder` are read instead, those that fit `files`; of a database the rows of `query`, one SELECT
    with :since, :now and :today (in local time; :since_utc has its zone, :since_s is a number), at most `max_rows`.
    `records` leads to the records, in several
    steps where they lie in each other: the outer one is then `parent` in the inner one. In a record, `id`, `time`
    (when it happened), `received` (when the vendor got it), `truck`, `moving` (a flag, or a speed in `speed_unit`),
    `engine` (a flag, or a word such as On, Idle or Off) and `values` are places; `time_format` is auto, s, ms, or as
    Python's strptime. In the lines of drivers' logs `driver` (by the roster's code, or what it has as eld), `duty` (the
    status) and `until` (when that ended) are places, too. `malfunction` is a flag (the ELD does not work), or a word
    such as Malfunction and UserClear, `malfunction_kind` what does not work in it. `error` is the place of an error in
    a good reply.
    Records of an `on_change` stream come only when something changed; their age says nothing and is not judged.
    """

    stream: str | None = None
    path: Path = ""
    folder: str | None = None
    files: str = "*"
    query: Annotated[str, AfterValidator(checked_query)] | None = None
    max_rows: Annotated[int, Field(ge=1)] = 100_000
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Path | int | float | bool] = {}
    headers: dict[str, str] = {}
    body: Any = None
    format: Literal["json", "csv"] = "json"
    records: Steps = ()
    id: Expression | None = None
    time: Expression | None = None
    received: Expression | None = None
    truck: Expression | None = None
    moving: Expression | None = None
    speed_unit: SpeedUnit | None = None
    driver: Expression | None = None
    duty: Expression | None = None
    until: Expression | None = None
    engine: Expression | None = None
    malfunction: Expression | None = None
    malfunction_kind: Expression | None = None
    values: dict[Name, Expression] = {}
    time_format: Annotated[str, AfterValidator(_time_format)] = "auto"
    error: Expression | None = None
    paging: Paging | None = None
    max_pages: Annotated[int, Field(ge=1)] = 1_000
    overlap: Duration = 300.0
    incremental: bool = False
    on_change: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether a reply holds what is new only, and not all that there is."""
        asked = f"{self.path} {self.params} {self.body}"
        return self.keeps_place or "{since" in asked or ":since" in (self.query or "")

    @property
    def keeps_place(self) -> bool:
        """Whether a reply begins where the last one ended."""
        return self.incremental or (self.paging is not None and self.paging.keep)

    def over(self, below: Stream) -> Stream:
        """This one, with what it does not say from the one below."""
        return below.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class FeedSource(Stream):
    """One stream of records of an account, read every `poll` seconds and judged by how old its newest record is.

    Without `account` it is that of the feed's own name, or none at all where `url` is the whole address. Records older
    than `max_age` are told while they are `expected`: always, on the days and hours of a calendar, on_change (never
    judged by age), or when_moving: while at least `movers` trucks moved within `moving_within`, as this feed or another
    one of the fleet tells. People read `shows` as its name, and `while_old` as what to do meanwhile. Content that stays
    the same for `frozen_after` under times that move, while trucks move, is frozen. `about` is the platform whose
    status page this is. `contract` is the file of what records look like, contracts/NAME.json beside this file where it
    is not said; yardlight contract learn writes it. An API that the vendor will turn off within `ending_warning`, as
    its answers say, is told, and so is a certificate of theirs that ends within `tls_warning`, and that less than
    `limit_least` of the requests that they allow is left, again and again.
    """

    account: Name | None = None
    url: Annotated[WebAddress, AfterValidator(_placeholders)] | None = None
    poll: Lasting = 60.0
    deadline: Lasting = 45.0
    shows: str | None = None
    while_old: str = "Do not rely on them."
    max_age: Duration = 900.0
    expected: str = "always"
    movers: Annotated[int, Field(ge=1)] = 2
    moving_within: Duration = 900.0
    frozen_after: Duration = 1800.0
    about: str | None = None
    contract: str | None = None
    ending_warning: Duration = 90 * 86400.0
    # Most vendors' certificates renew themselves weeks before.
    tls_warning: Duration = 7 * 86400.0
    limit_least: Share = 0.1

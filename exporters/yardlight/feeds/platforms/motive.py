"""Motive (KeepTruckin): where vehicles are, drivers' logs, and when their apps were last active, with an API key.

https://developer.gomotive.com/reference . Locations come of vehicles with a Vehicle Gateway only. Items are wrapped in
their singular name; pages shift while rows change, so that their sum is compared with the vendor's total.

Logs have the duty status, and name the vehicle where there was one in a day; driving periods have the vehicle, personal
use and yard moves, and what nobody was logged in for. Together they are the log: read both. ELDs' malfunctions are told
by no endpoint that is documented.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from yardlight.client import Client, Headers
from yardlight.collection import Session
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.reader import Fetched, read, told
from yardlight.feeds.record import Told
from yardlight.feeds.support import support
from yardlight.inventory.accounts import Rate
from yardlight.inventory.feeds import Paging, Stream

SUPPORT = support(
    "Motive (KeepTruckin)",
    streams="`locations`; changes only: `logs`, `driving_periods`, `driver_apps`",
    rights="API key of an administrator (it cannot be narrowed)",
    evidence="own fake of documented pages; where a location's time stands is known from other clients only",
)

_URL = "https://api.gomotive.com"
_PER_PAGE = 100
_PAGING = Paging(page="page_no", size=_PER_PAGE, total="pagination.total")

# Whole days, the last ten again: what is uploaded late, and what is corrected once it was found wrong.
_DAYS = {
    "params": {"per_page": _PER_PAGE, "start_date": "{since:%Y-%m-%d}", "end_date": "{now:%Y-%m-%d}"},
    "time": "start_time",
    "until": "end_time",
    "paging": _PAGING,
    "overlap": "10d",
    "on_change": True,
}

STREAMS = {
    "locations": Stream(
        path="/v3/vehicle_locations",
        params={"per_page": _PER_PAGE},
        records=("vehicles[].vehicle",),
        id="id",
        time="current_location.located_at",
        truck="number",
        moving="current_location.speed",
        speed_unit="mph",
        values={"odometer": "current_location.odometer"},
        paging=_PAGING,
    ),
    "logs": Stream.model_validate(
        {
            **_DAYS,
            "path": "/v1/logs",
            "records": ["logs[].log", "events[].event"],
            "id": "parent.driver.id",
            "truck": "length(parent.vehicles) == `1` && parent.vehicles[0].vehicle.number",
            "driver": "parent.driver.id",
            "duty": "type",
        }
    ),
    "driving_periods": Stream.model_validate(
        {
            **_DAYS,
            "path": "/v1/driving_periods",
            "records": ["driving_periods[].driving_period"],
            "id": "id",
            "truck": "vehicle.number",
            "driver": "driver.id",
            "duty": "type",
        }
    ),
    "driver_apps": Stream(
        path="/v1/users",
        params={"per_page": _PER_PAGE, "role": "driver"},
        records=("users[].user",),
        id="id",
        time="mobile_last_active_at",
        paging=_PAGING,
        on_change=True,
    ),
}


class Config(FeedAccount):
    """An API key. `metric` asks for kilometers where the account's own setting shall not decide."""

    key_file: str
    metric: bool = False
    rate: Rate = 2.0


def fetch(config: Config, session: Session) -> Fetched:
    """All pages of a stream. Raises `PollError`."""
    motive = Client(session, config, _URL, Headers({"X-API-Key": session.secret(config.key_file)}))
    # Left to the account, a switch there would change every speed and odometer here.
    headers = {"X-Metric-Units": str(config.metric).lower(), "X-Timezone": "UTC", **config.feed.headers}
    stream = config.feed.model_copy(update={"headers": headers})
    return read(stream, motive, session, ZoneInfo(config.timezone))


def parse(reply: Fetched, config: Config) -> Iterator[Told]:
    """The records of a stream."""
    stream = config.feed.model_copy(update={"speed_unit": "km/h"}) if config.metric else config.feed
    return told(reply, stream, ZoneInfo(config.timezone))

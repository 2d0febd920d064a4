"""Samsara: positions, gateways, changes of state and drivers' logs, with an API token that may read them.

https://developers.samsara.com/reference . How fresh the vendor is, `gps` tells: a position comes every few seconds
while a truck moves. `changes`, `hos_logs` and `eld_events` come only when something changed, and logs days late. A page
may be short or empty with more behind it; a cursor ends after 30 days, and the stream begins anew then.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from yardlight.client import Client, bearer
from yardlight.collection import Session
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.reader import Fetched, read, told
from yardlight.feeds.record import Told
from yardlight.feeds.support import support
from yardlight.inventory.accounts import Rate
from yardlight.inventory.feeds import Paging, Stream

SUPPORT = support(
    "Samsara",
    streams="`gps`, `gateways`; changes only: `changes`, `hos_logs`, `eld_events` (malfunctions)",
    rights="API token: Read Vehicle Statistics, Read Gateways, Read ELD Compliance Settings (US)",
    evidence="own fake; official specification (Prism); `eld_events`, which is beta, by the vendor's client",
)

_URL = "https://api.samsara.com"
_PAGING = Paging(cursor="pagination.endCursor", param="after", more="pagination.hasNextPage")

STREAMS = {
    "gps": Stream(
        path="/fleet/vehicles/stats",
        params={"types": "gps,obdOdometerMeters,fuelPercents"},
        records=("data",),
        id="id",
        time="gps.time",
        truck="name",
        moving="gps.speedMilesPerHour",
        speed_unit="mph",
        values={"odometer": "obdOdometerMeters.value", "fuel": "fuelPercent.value"},
        paging=_PAGING,
    ),
    "gateways": Stream(
        path="/gateways",
        records=("data",),
        id="serial",
        time="connectionStatus.lastConnected",
        values={"health": "connectionStatus.healthStatus"},
        paging=_PAGING,
    ),
    "changes": Stream(
        path="/fleet/vehicles/stats/feed",
        params={"types": "engineStates,obdOdometerMeters,faultCodes"},
        records=("data", "[engineStates, obdOdometerMeters, faultCodes][][]"),
        id="parent.id",
        time="time",
        truck="parent.name",
        values={"value": "value"},
        paging=_PAGING.model_copy(update={"keep": True}),
        on_change=True,
    ),
    # Tablets upload late; the vendor says to wait for a couple of days until logs are complete. Whoever is told then
    # that one is wrong needs some more to correct it.
    "hos_logs": Stream.model_validate(
        {
            "path": "/fleet/hos/logs",
            "params": {"startTime": "{since}", "endTime": "{now}"},
            "records": ["data", "hosLogs"],
            "id": "parent.driver.id",
            "time": "logStartTime",
            "truck": "vehicle.name",
            "driver": "parent.driver.id",
            "duty": "hosStatusType",
            "until": "logEndTime",
            "values": {"status": "hosStatusType"},
            "paging": _PAGING,
            "overlap": "10d",
            "on_change": True,
        }
    ),
    # Of 25 drivers in an answer: the events of type 7 that a malfunction was logged (1) and cleared (2).
    "eld_events": Stream.model_validate(
        {
            "path": "/beta/fleet/hos/drivers/eld-events",
            "params": {"startTime": "{since}", "endTime": "{now}"},
            "records": ["data", "eldEvents[?eldEventType == `7` && (eldEventCode == `1` || eldEventCode == `2`)]"],
            "id": "parent.id",
            "time": "time",
            "truck": "vehicle.name",
            "malfunction": "eldEventCode == `1`",
            "malfunction_kind": "malfunctionDiagnosticCode",
            "paging": _PAGING,
            "overlap": "3d",
            "on_change": True,
        }
    ),
}


class Config(FeedAccount):
    """An API token. The most that the slowest of these endpoints takes is 5 requests a second."""

    token_file: str
    rate: Rate = 5.0


def fetch(config: Config, session: Session) -> Fetched:
    """All pages of a stream. Raises `PollError`."""
    samsara = Client(session, config, _URL, bearer(session.secret(config.token_file)))
    return read(config.feed, samsara, session, ZoneInfo(config.timezone))


def parse(reply: Fetched, config: Config) -> Iterator[Told]:
    """The records of a stream."""
    return told(reply, config.feed, ZoneInfo(config.timezone))

"""Verizon Connect Reveal (Fleetmatics): the last position of each vehicle, with an integration user and an app id.

https://fim.us.fleetmatics.com . There is no list of positions: one request tells of one vehicle, so that a collection
costs one request per truck and one more: at 5 a second, a feed's usual `deadline` is over after 220 trucks. A vehicle
that is out of the plan is refused alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.client import Client, Token, basic
from yardlight.collection import Session
from yardlight.errors import AuthError, BadReplyError, IncompleteError
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.reader import Fetched, told
from yardlight.feeds.record import About, Told
from yardlight.feeds.support import support
from yardlight.inventory.accounts import Rate
from yardlight.inventory.feeds import Stream
from yardlight.inventory.values import Secret
from yardlight.reading import records, text

SUPPORT = support(
    "Verizon Connect Reveal",
    streams="`positions`",
    rights="REST integration user with the app id of your account; one request per truck, so that a feed of more than "
    "220 needs a `deadline` and a `poll` of a second for 5 trucks, or a higher `rate` if the vendor grants it",
    evidence="own fake of the documented calls; fields of a position, limits and the token's end are not documented",
)

_URL = "https://fim.api.us.fleetmatics.com"
_TOKEN = "/token"
_VEHICLES = "/cmd/v1/vehicles"
_POSITION = "/rad/v1/vehicles/{number}/location"
# A token is said to hold for 20 minutes; one that is refused is taken again anyway.
_TOKEN_SECONDS = 900.0
# Vehicles come and go in the plan one by one; that nearly all are refused is a matter of the account.
_REFUSED = 0.5

STREAMS = {
    "positions": Stream(
        records=("vehicles",),
        id="number",
        time="location.UpdateUTC",
        truck="number",
        moving="location.Speed",
    )
}


class Config(FeedAccount):
    """The integration user and the app id that the vendor gave for it."""

    app_id: str
    user: str
    password_file: str
    rate: Rate = 5.0


def fetch(config: Config, session: Session) -> Fetched:
    """The position of each vehicle. Raises `PollError`."""
    taking = Client(session, config, _URL, basic(config.user, session.secret(config.password_file)))

    def take() -> tuple[Mapping[str, str], float | None]:
        token = (
            taking.ask("GET", _TOKEN, headers={"Accept": "text/plain"}).body.decode("ascii", "replace").strip(' "\r\n')
        )
        if not token or " " in token or "<" in token:
            raise AuthError(f"GET {_TOKEN}: no token in the answer")
        session.hide(Secret(token))
        return {"Authorization": f"Atmosphere atmosphere_app_id={config.app_id}, Bearer {token}"}, _TOKEN_SECONDS

    reveal = Client(session, config, _URL, Token(take))
    listed = records(reveal.get(_VEHICLES).json(), f"GET {_VEHICLES}")
    numbers = [number for each in listed if (number := text(each, "VehicleNumber"))]
    if (needed := len(numbers) / config.rate) > session.left():
        raise IncompleteError(
            f"GET {_POSITION}: {len(numbers)} vehicles at {config.rate:g} a second take {needed:.0f} s; give the feed "
            "a deadline and a poll of that and some more"
        )
    found = [{"number": number, "location": said} for number in numbers if (said := _position(reveal, number))]
    if len(found) < (1 - _REFUSED) * len(numbers):
        raise IncompleteError(f"GET {_POSITION}: {len(numbers) - len(found)} of {len(numbers)} vehicles refused")
    return Fetched([{"vehicles": found}], About(tls_ends=session.tls_ends))


def parse(reply: Fetched, config: Config) -> Iterator[Told]:
    """The positions. Their times are in UTC without saying so."""
    return told(reply, config.feed, ZoneInfo("UTC"))


def _position(reveal: Client, number: str) -> Any:
    """What is said of one vehicle; None for one that is not in the plan (status 400)."""
    try:
        return reveal.get(_POSITION, values={"number": number}).json()
    except BadReplyError:
        return None

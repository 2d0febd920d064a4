"""What accounts of this domain may say, and how their requests are authorized."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, model_validator

from yardlight.inventory.accounts import AccountConfig, BaseUrl
from yardlight.inventory.feeds import Expression, Stream
from yardlight.inventory.model import Model
from yardlight.inventory.values import Duration

# What is written for "never" is later.
_LAST = date(2200, 1, 1)


def _near(day: date) -> date:
    if day >= _LAST:
        raise ValueError(f"{day} is no day on which a credential ends; leave this out where it never does")
    return day


class FeedAccount(AccountConfig):
    """An account that feeds are read from; `feed` is what they have in common, where they do not say otherwise.

    `credential_ends` is the last day of a key or password, which most vendors show once and never again.
    """

    credential_ends: Annotated[date, AfterValidator(_near)] | None = None
    feed: Stream = Stream()


class Basic(Model):
    """HTTP basic authorization."""

    user: str
    password_file: str


class Key(Model):
    """A key in a header, behind `prefix`."""

    header: str
    file: str
    prefix: str = ""


class ClientCredentials(Model):
    """OAuth2 client credentials (RFC 6749, 4.4); `token_url` is a path, or an address."""

    token_url: str
    client_id: str
    client_secret_file: str
    scope: str | None = None


class Login(Model):
    """A session: `body` is posted to `path`, {password} in it filled in; what is at `token` goes into `header`."""

    path: str
    body: dict[str, str]
    password_file: str
    form: bool = False
    token: Expression
    header: str = "Authorization"
    prefix: str = "Bearer "
    lasts: Duration | None = None


class Auth(Model):
    """How requests are authorized: one of these."""

    bearer_file: str | None = None
    basic: Basic | None = None
    key: Key | None = None
    oauth2: ClientCredentials | None = None
    login: Login | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Auth:
        if len(self.model_fields_set) != 1:
            raise ValueError("auth is one of bearer_file, basic, key, oauth2 and login")
        return self


class GenericAccount(FeedAccount):
    """An API described in the inventory alone. `headers` go into each request and are no secrets."""

    url: BaseUrl | None = None
    auth: Auth | None = None
    headers: dict[str, str] = {}

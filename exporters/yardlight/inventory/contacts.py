"""Whom notifications go to: for each audience its ways, with the secrets of these in files of their own."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from yardlight.inventory.addresses import HOST, WebAddress, is_address
from yardlight.inventory.model import Model, Name
from yardlight.inventory.values import listed

_MAIL = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")
_NUMBER = re.compile(r".*\d.*\d.*\d.*")
_CHANNEL = re.compile(r"[#@][^\s]+")
# The ways of which a contact needs one.
WAYS = ("pagerduty_file", "opsgenie_file", "slack_file", "webhook", "webhook_file", "email")


def _mail(raw: str) -> str:
    host = raw.rpartition("@")[2]
    if not (_MAIL.fullmatch(raw) and (is_address(host.strip("[]")) or HOST.fullmatch(host))):
        raise ValueError(f"{raw!r} is not a mail address; write noc@example.com")
    return raw


def _channel(raw: str) -> str:
    if not _CHANNEL.fullmatch(raw):
        raise ValueError(f'{raw!r} is not a channel of Slack; write "#yards" in quotes')
    return raw


def _number(raw: str) -> str:
    if not _NUMBER.fullmatch(raw):
        raise ValueError(f'{raw!r} has no number to call; write "+1 909 555 0100" in quotes')
    return raw


def _smarthost(raw: str) -> str:
    host, _, port = raw.rpartition(":")
    if not (port.isdecimal() and 0 < int(port) < 65536 and (is_address(host.strip("[]")) or HOST.fullmatch(host))):
        raise ValueError(f"{raw!r} is not a mail server; write mail.example.com:587 with its port")
    return raw


def _nobody(raw: Any) -> Any:
    return {"nobody": True} if raw == "nobody" else raw


MailAddress = Annotated[str, AfterValidator(_mail)]


class Contact(Model):
    """Where the notifications of one audience go, by all of these ways at once.

    Of a webhook either the address or the file with it is given; Alertmanager reads such a file from 0.26 on. Outside
    of the calendar `hours`, in each terminal's own time, nothing is sent. `nobody` is a decision, too.
    """

    pagerduty_file: str | None = None
    opsgenie_file: str | None = None
    slack_file: str | None = None
    slack_channel: Annotated[str, AfterValidator(_channel)] | None = None
    webhook: WebAddress | None = None
    webhook_file: str | None = None
    webhook_credentials_file: str | None = None
    email: Annotated[tuple[MailAddress, ...], BeforeValidator(listed)] = ()
    hours: Name | None = None
    nobody: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The secret files that are named, in the order of the fields."""
        named = (
            self.pagerduty_file, self.opsgenie_file, self.slack_file, self.webhook_file, self.webhook_credentials_file,
        )  # fmt: skip
        return tuple(file for file in named if file is not None)


Written = Annotated[Contact, BeforeValidator(_nobody)]


class Contacts(Model):
    """For each audience, whom it is; `deadman` is the outside service that calls somebody when Watchdog stops."""

    oncall: Written | None = None
    noc: Written | None = None
    dispatch: Written | None = None
    compliance: Written | None = None
    yard: Written | None = None
    info: Written | None = None
    deadman: Written | None = None


Number = Annotated[str, AfterValidator(_number)]


class Phones(Model):
    """Who is called by whom a playbook tells to: for each role its number, with a word about it where that helps.

    `oncall` is whoever is on call for the machines, `dispatch` the dispatch desk, `safety` who answers for hours of
    service, `records` who keeps records, `privacy` who decides about lost data.
    """

    oncall: Number | None = None
    dispatch: Number | None = None
    safety: Number | None = None
    records: Number | None = None
    privacy: Number | None = None


class Mail(Model):
    """The mail server by which notifications leave."""

    smarthost: Annotated[str, AfterValidator(_smarthost)]
    from_: MailAddress = Field(alias="from")
    username: str | None = None
    password_file: str | None = None
    require_tls: bool = True

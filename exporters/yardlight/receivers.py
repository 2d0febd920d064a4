"""`yardlight render alertmanager`: Alertmanager's configuration from the contacts of one inventory or many.

The routes are those that ship in alert_rules/alertmanager/; below them each fleet has receivers of its own, named
FLEET/AUDIENCE. What ends outside of a contact's hours is not told there: Alertmanager drops it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import yaml

from yardlight import files
from yardlight.calendars import holiday_country
from yardlight.errors import InventoryError, Problem, StartError
from yardlight.inventory.contacts import Contact, Mail
from yardlight.inventory.load import Inventory, load, load_dir
from yardlight.inventory.models import Calendar, Terminal
from yardlight.inventory.secret import read_secret

Config = dict[str, Any]
# The label `domain` of an alert, as people say it.
WHOSE = {
    "wan": "our own network",
    "isp": "the line's provider",
    "carrier": "the mobile carrier",
    "dns": "name resolution (DNS)",
    "device": "the device",
    "vendor": "the vendor",
    "credentials": "our login at the vendor",
    "integration": "our own integration",
    "probe_box": "our own measuring",
    "unknown": "nobody can tell yet",
}

_SHIPPED = Path(__file__).parent / "alertmanager" / "alertmanager.yml"
# As Alertmanager counts them in a range, and as Python does.
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# One notification is one text: that of its first alert, since a group is of one kind. Of several, and of what is over,
# the first sentence says which; whom to call and what to do is for one that is open. A phone shows 240 characters at
# once; what is cut says so, since half of a number or a circuit must not look like the whole of it.
_FIRST = (
    "{{ $firing := .Alerts.Firing }}{{ $told := or $firing .Alerts.Resolved }}{{ $first := index $told 0 }}"
    '{{ $text := $first.Annotations.summary }}{{ $short := reReplaceAll "[.] .*" "." $text }}'
)
_TEXT = (
    _FIRST + '{{ $more := "" }}{{ range $i, $alert := $told }}'
    '{{ if and $i (eq .Labels.alertname $first.Labels.alertname) }}{{ $more = print $more "." }}{{ end }}{{ end }}'
    "{{ if not $firing }}{{ with $first.Annotations.all_clear }}"
    '{{ $text = printf "All clear: %s" . }}{{ else }}{{ $text = printf "Over: %s" $short }}{{ end }}'
    "{{ else if $more }}{{ $text = $short }}{{ end }}"
    '{{ if $more }}{{ $text = printf "%s And %d more like it." $text (len $more) }}{{ end }}'
    '{{ reReplaceAll "(?s)^(.{237}).{4,}$" "$1..." $text }}'
)
# Opsgenie cuts a title after 130 characters.
_TITLE = _FIRST + '{{ if not $firing }}Over: {{ end }}{{ reReplaceAll "(?s)^(.{117}).{4,}$" "$1..." $short }}'
_RUNBOOK = _FIRST + "{{ $first.Annotations.runbook_url }}"
_BOARD = _FIRST + "{{ $first.Annotations.dashboard_url }}"
_FAULT = (
    _FIRST
    + "{{ if $firing }}Whose fault: "
    + "".join(f'{{{{ if eq $first.Labels.domain "{name}" }}}}{said}{{{{ end }}}}' for name, said in WHOSE.items())
    + ".{{ end }}"
)
_BODY = f"{_TEXT}\n{_FAULT}\n{_RUNBOOK}\n{_BOARD}"


@dataclass(frozen=True)
class Wanted:
    """What is rendered: `home` is the fleet that is told of what belongs to none, the center itself for example.

    `year` is the first whose holidays are left out of hours. `secrets` is the folder in which Alertmanager finds the
    secret files under the names that the inventory has for them; None where it runs on this machine. `url_files` is
    true for Alertmanager 0.26 and later.
    """

    year: int
    home: str | None = None
    secrets: Path | None = None
    url_files: bool = False


def render(inventories: Sequence[Inventory], wanted: Wanted) -> str:
    """alertmanager.yml. Raises `InventoryError` with everything that is not set, `StartError` without a home."""
    fleets = [_Fleet(inventory, wanted) for inventory in inventories]
    problems = [problem for fleet in fleets for problem in fleet.problems()]
    if problems:
        raise InventoryError(problems)
    home = _home(fleets, wanted.home)
    shipped: Config = yaml.safe_load(_SHIPPED.read_text(encoding="utf-8"))
    route = shipped["route"]
    own = [home.route(each) for each in route["routes"]]
    others = [
        {"matchers": [f'fleet="{fleet.name}"'], **fleet.route({**route, "routes": _of_fleets(route)})}
        for fleet in fleets
        if fleet is not home
    ]
    intervals = {name: each for fleet in fleets for name, each in fleet.intervals.items()}
    made = {
        "global": shipped["global"],
        "route": {**route, "receiver": home.receiver(route["receiver"]), "routes": [*others, *own]},
        "receivers": [each for fleet in fleets for each in fleet.receivers()],
    }
    if intervals:
        made["time_intervals"] = [{"name": name, "time_intervals": each} for name, each in sorted(intervals.items())]
    head = "# Made by `yardlight render alertmanager`; change the inventory and render again.\n"
    return head + yaml.safe_dump(made, sort_keys=False, width=1000, allow_unicode=True)


def write(inventory: Path, folder: Path | None, wanted: Wanted, output: Path | None) -> int:
    """Render one inventory, or all of a folder, into a file or to stdout. Raises as `render` does.

    A fleet that cannot be read is an error, where `serve` would go on with the others: nobody there would be told.
    """
    inventories, errors = load_dir(folder) if folder is not None else ([load(inventory)], [])
    if errors:
        raise InventoryError([problem for error in errors for problem in error.problems])
    return files.deliver(render(inventories, wanted), output)


def _of_fleets(route: Config) -> list[Config]:
    """The shipped routes without that of Watchdog, which has no fleet."""
    return [each for each in route["routes"] if each["receiver"] != "deadman"]


def _home(fleets: Sequence[_Fleet], name: str | None) -> _Fleet:
    named = {fleet.name: fleet for fleet in fleets}
    if name is None and len(fleets) == 1:
        return fleets[0]
    if name not in named:
        found = "is missing" if name is None else f"{name!r} is none of the fleets"
        raise StartError(
            f"--home {found}: whose people are told of the center itself? write one of {', '.join(sorted(named))}"
        )
    return named[name]


class _Fleet:
    """One inventory's part of the configuration."""

    def __init__(self, inventory: Inventory, wanted: Wanted) -> None:
        self._inventory = inventory
        self._fleet = inventory.fleet
        self._wanted = wanted
        self.name = inventory.fleet.fleet
        self.intervals: dict[str, list[Config]] = {}

    def problems(self) -> Iterator[Problem]:
        """What is not set, and secrets that cannot be read."""
        fleet, say = self._fleet, self._inventory.problem
        for field in ("grafana", "runbooks"):
            if getattr(fleet.links, field) is None:
                yield say(("links", field), "is missing; notifications point there")
        for audience, why in self._needed():
            if getattr(fleet.contacts, audience) is None:
                yield say(("contacts", audience), f"is missing; {why}. If it is nobody, write {audience}: nobody")
        for terminal in self._untold_yards():
            yield say(
                ("terminals", terminal.name, "site", "tell"),
                "is missing; the yard runs the drill. Write it here, or contacts.yard for all",
            )
        for path, contact in self._contacts():
            if contact.webhook_file and not self._wanted.url_files:
                yield say(
                    (*path, "webhook_file"),
                    "Alertmanager reads this from 0.26 on: render with --url-files for that, or write webhook and "
                    "webhook_credentials_file",
                )
            yield from self._unreadable(path, contact.files)
        if fleet.mail is not None and fleet.mail.password_file is not None:
            yield from self._unreadable(("mail",), (fleet.mail.password_file,))

    def _needed(self) -> Iterator[tuple[str, str]]:
        fleet = self._fleet
        yield "oncall", "it is who is paged"
        yield "noc", "tickets go there"
        yield "info", "it gets what nobody must act on"
        yield "deadman", "it is the service outside that calls somebody when alerting itself is dead"
        if fleet.feeds:
            yield "dispatch", "it is told which feed not to rely on"
        if fleet.archives:
            yield "compliance", "it is told which records are missing"

    def _untold_yards(self) -> list[Terminal]:
        return [
            terminal
            for terminal in self._fleet.terminals.values()
            if terminal.drill is not None and terminal.site.tell is None and self._fleet.contacts.yard is None
        ]

    def _unreadable(self, path: tuple[str, ...], files: Sequence[str]) -> Iterator[Problem]:
        if self._wanted.secrets is not None:
            return
        for file in files:
            try:
                read_secret(file, self._folder(path))
            except ValueError as error:
                yield self._inventory.problem(path, str(error))

    def _folder(self, path: tuple[str, ...]) -> Path:
        return Path(self._inventory.locate(path).file).parent

    def _contacts(self) -> Iterator[tuple[tuple[str, ...], Contact]]:
        """Every contact that is written, with its place."""
        for audience in type(self._fleet.contacts).model_fields:
            if (contact := getattr(self._fleet.contacts, audience)) is not None:
                yield ("contacts", audience), contact
        for name, terminal in self._fleet.terminals.items():
            if terminal.site.tell is not None:
                yield ("terminals", name, "site", "tell"), terminal.site.tell

    def receiver(self, audience: str) -> str:
        """The name of this fleet's receiver for an audience."""
        return f"{self.name}/{audience}"

    def receivers(self) -> Iterator[Config]:
        """All receivers of the fleet; one that tells nobody has no configuration."""
        for audience in type(self._fleet.contacts).model_fields:
            contact = getattr(self._fleet.contacts, audience)
            yield self._receiver(self.receiver(audience), ("contacts", audience), contact or Contact(nobody=True))
        for name, terminal in self._fleet.terminals.items():
            if terminal.site.tell is not None:
                path = ("terminals", name, "site", "tell")
                yield self._receiver(self.receiver(f"yard/{name}"), path, terminal.site.tell)
        yield {"name": self.receiver("drill"), **self._drills()}

    def _drills(self) -> Config:
        """Whoever serves the drill hears by this that its alert arrived, and when."""
        centre = self._fleet.links.centre
        return {"webhook_configs": [{"url": f"{centre.rstrip('/')}/drills/notice"}]} if centre else {}

    def _receiver(self, name: str, path: tuple[str, ...], contact: Contact) -> Config:
        ends = path[-1] != "deadman"
        ways: dict[str, list[Config]] = {}
        if contact.pagerduty_file:
            ways["pagerduty_configs"] = [
                {
                    "routing_key_file": self._secret(path, contact.pagerduty_file),
                    "description": _TEXT,
                    "severity": '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}',
                    "details": {"fault": _FAULT, "runbook": _RUNBOOK, "board": _BOARD},
                    "client": "Yardlight",
                    "client_url": _BOARD,
                }
            ]
        if contact.opsgenie_file:
            ways["opsgenie_configs"] = [
                {
                    "api_key_file": self._secret(path, contact.opsgenie_file),
                    "message": _TITLE,
                    "description": _BODY,
                    "priority": '{{ if eq .CommonLabels.severity "page" }}P1{{ else }}P3{{ end }}',
                    "source": "Yardlight",
                }
            ]
        if contact.slack_file:
            channel = {"channel": contact.slack_channel} if contact.slack_channel else {}
            ways["slack_configs"] = [
                {
                    "api_url_file": self._secret(path, contact.slack_file), **channel, "send_resolved": ends,
                    "title": "", "text": _BODY, "fallback": _TEXT, "title_link": _BOARD,
                }
            ]  # fmt: skip
        if contact.webhook or contact.webhook_file:
            ways["webhook_configs"] = [{**self._webhook(path, contact), "send_resolved": ends}]
        if contact.email and (mail := self._fleet.mail):
            ways["email_configs"] = [
                {
                    "to": ", ".join(contact.email), **self._mail(mail), "send_resolved": ends,
                    "headers": {"Subject": _TEXT}, "text": _BODY, "html": "",
                }
            ]  # fmt: skip
        return {"name": name, **ways}

    def _webhook(self, path: tuple[str, ...], contact: Contact) -> Config:
        if contact.webhook_file:
            return {"url_file": self._secret(path, contact.webhook_file)}
        made: Config = {"url": contact.webhook}
        if contact.webhook_credentials_file:
            credentials = self._secret(path, contact.webhook_credentials_file)
            made["http_config"] = {"authorization": {"credentials_file": credentials}}
        return made

    def _mail(self, mail: Mail) -> Config:
        made: Config = {"from": mail.from_, "smarthost": mail.smarthost, "require_tls": mail.require_tls}
        if mail.username is not None:
            made["auth_username"] = mail.username
        if mail.password_file is not None:
            made["auth_password_file"] = self._secret(("mail",), mail.password_file)
        return made

    def _secret(self, path: tuple[str, ...], file: str) -> str:
        if self._wanted.secrets is not None:
            return str(self._wanted.secrets / file)
        return str((self._folder(path) / file).resolve())

    def route(self, shipped: Config) -> Config:
        """A shipped route and all below it, with this fleet's receivers in their hours."""
        audience = shipped["receiver"]
        below = [self.route(each) for each in shipped.get("routes", ())]
        if audience == "yard":
            below += [
                {
                    "matchers": [f'terminal="{name}"'],
                    "receiver": self.receiver(f"yard/{name}"),
                    **self._open(told, terminal),
                }
                for name, terminal in self._fleet.terminals.items()
                if (told := terminal.site.tell) is not None
            ]
        contact = getattr(self._fleet.contacts, audience, None)
        own: Config = {}
        if contact is not None and contact.hours is not None:
            zones: dict[str, list[str]] = {}
            for name, terminal in self._fleet.terminals.items():
                zones.setdefault(terminal.timezone, []).append(name)
            below += [
                {
                    "matchers": [f'terminal=~"{"|".join(each.replace(".", "[.]") for each in names)}"'],
                    "receiver": self.receiver(audience),
                    **self._active(contact.hours, zone),
                }
                for zone, names in zones.items()
                if zone != self._fleet.timezone
            ]
            own = self._active(contact.hours, self._fleet.timezone)
        made = {key: value for key, value in shipped.items() if key != "routes"}
        return {**made, "receiver": self.receiver(audience), **own, **({"routes": below} if below else {})}

    def _open(self, contact: Contact, terminal: Terminal) -> Config:
        return self._active(contact.hours, terminal.timezone) if contact.hours is not None else {}

    def _active(self, calendar: str, zone: str) -> Config:
        """When a route is active; the intervals are kept by their names."""
        hours = self._fleet.calendars[calendar]
        name = f"{self.name} {calendar} {zone}"
        self.intervals[name] = [_interval(hours, zone)]
        if hours.holidays is None:
            return {"active_time_intervals": [name]}
        self.intervals[f"{name} holidays"] = [_day(day, zone) for day in _holidays(hours, self._wanted.year)]
        return {"active_time_intervals": [name], "mute_time_intervals": [f"{name} holidays"]}


def _interval(calendar: Calendar, zone: str) -> Config:
    start, end = calendar.hours
    closing = "24:00" if end == time.max else f"{end:%H:%M}"
    return {
        "weekdays": [_DAYS[day] for day in calendar.days],
        "times": [{"start_time": f"{start:%H:%M}", "end_time": closing}],
        "location": zone,
    }


def _day(day: date, zone: str) -> Config:
    return {
        "years": [str(day.year)], "months": [str(day.month)], "days_of_month": [str(day.day)], "location": zone,
    }  # fmt: skip


def _holidays(calendar: Calendar, year: int) -> list[date]:
    """The public holidays of this year and the next two: what is rendered must hold for a while."""
    first, last = date(year, 1, 1), date(year + 3, 1, 1)
    days = (first + timedelta(days=number) for number in range((last - first).days))
    return [day for day in days if calendar.holidays and day in holiday_country(calendar.holidays)]

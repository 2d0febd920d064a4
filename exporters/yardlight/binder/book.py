"""`yardlight render binder`: everything that people need when the network is gone, in one file of HTML.

It holds the inventory's own names, numbers and contacts, the operations playbooks filled in with them, the drills and
the runbooks; nothing in it is fetched from anywhere. What the inventory does not say is said to be not set, with its
line. It bears the time and the hashes of the files that it was made from, and tells its own age.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from yardlight import __version__, files, integration
from yardlight.binder import texts
from yardlight.drills import cadence, paper
from yardlight.drills.paper import PaperPlaybook
from yardlight.drills.playbook import find
from yardlight.inventory.contacts import Contact, Contacts, Phones
from yardlight.inventory.load import Inventory, load
from yardlight.inventory.models import CELLULAR, Drill, Fleet, Terminal, Uplink
from yardlight.lookback import find_terminal
from yardlight.templates import part, render

# A quarter: with each drill somebody looks whether the numbers still hold.
KEEP_DAYS = 92
# What a playbook may ask for in {{ }}, besides phones and records_page: the tables of binder_table.html.
TABLES = (
    "yards", "circuits", "services", "vendors", "carriers", "plans", "mdms", "feeds", "archives", "drills",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """Whom Yardlight tells: an audience, and by which ways, none of them with its secret."""

    audience: str
    ways: Markup


@dataclass(frozen=True)
class Plan:
    """What a cellular uplink lives on, as far as the inventory says it."""

    account: str
    pool: str
    cap: float | None
    after: str | None


@dataclass(frozen=True)
class Book:
    """What the tables and pages of a binder are made of. `terminals` are those that have a page in it."""

    inventory: Inventory
    terminals: Sequence[Terminal]
    now: float

    @property
    def fleet(self) -> Fleet:
        return self.inventory.fleet

    def said(self, value: object, *path: str) -> Markup:
        """What the inventory says there; where it says nothing, that, and in which line it would stand."""
        return escape(value) if value is not None and value != "" else self.unset(*path)

    def unset(self, *path: str) -> Markup:
        """That this is not set, and where it belongs."""
        place = self.inventory.locate(path)
        text = f"not set in {Path(place.file).name} line {place.line}: {'.'.join(path[-2:])}"
        return Markup('<span class="unset">{}</span>').format(text)

    @property
    def phones(self) -> Mapping[str, Markup]:
        """The number of each role."""
        return {
            role: self.said(getattr(self.fleet.phones, role), "phones", role) for role in type(Phones()).model_fields
        }

    @property
    def told(self) -> Sequence[Told]:
        """Each audience, and how it is told."""
        contacts = self.fleet.contacts
        return [
            Told(audience, self.said(ways(getattr(contacts, audience)), "contacts", audience))
            for audience in type(Contacts()).model_fields
        ]

    def plan(self, uplink: Uplink) -> Sequence[Plan]:
        """The plans that may be this uplink's: the pools that name its SIM, else the sources that may have it."""
        if uplink.sim is None or uplink.medium not in CELLULAR:
            return []
        named = [
            Plan(source.account, name, pool.cap or source.cap, pool.after or source.after)
            for source in self.fleet.cellular.values()
            for name, pool in source.pools.items()
            if uplink.sim in pool.sims
        ]
        return named or [Plan(each.account, "", each.cap, each.after) for each in self.fleet.cellular.values()]

    def reads(self, account: str) -> str:
        """What is read from an account, in words."""
        fleet = self.fleet
        found = [
            f"feed {each.shows or name}" for name, each in fleet.feeds.items() if (each.account or name) == account
        ]
        found += [f"webhook {name}" for name, each in fleet.webhooks.items() if each.account == account]
        found += [f"data plans ({name})" for name, each in fleet.cellular.items() if each.account == account]
        found += [f"tablets ({name})" for name, each in fleet.mdm.items() if each.account == account]
        return ", ".join(found)

    def due(self, terminal: Terminal) -> date:
        """The last day of the quarter in which a drill is due."""
        return datetime.fromtimestamp(cadence.quarter(self.now, terminal.zone)[1] - 1, terminal.zone).date()

    def paper(self, terminal: Terminal, drill: Drill) -> PaperPlaybook:
        """The terminal's drill with its steps."""
        return paper.paper(self.inventory, terminal, find(self.inventory.path, drill.playbook)[0])


def ways(contact: Contact | None) -> str:
    """How a contact is told: services by their names, addresses that are no secret, and of a webhook the host."""
    if contact is None:
        return ""
    found = ["nobody, on purpose"] if contact.nobody else []
    found += ["PagerDuty"] if contact.pagerduty_file else []
    found += ["Opsgenie"] if contact.opsgenie_file else []
    found += [f"Slack {contact.slack_channel or ''}".strip()] if contact.slack_file else []
    if contact.webhook or contact.webhook_file:
        found.append(f"webhook at {urlsplit(contact.webhook).hostname}" if contact.webhook else "webhook")
    found += [f"mail to {', '.join(contact.email)}"] if contact.email else []
    return "; ".join(found) + (f" (hours: {contact.hours})" if contact.hours else "")


def write(path: Path, terminal: str | None, output: Path | None) -> int:
    """Write the binder and say where. Raises `InventoryError`, `StartError` or `DrillError`."""
    inventory = load(path)
    chosen = [find_terminal(inventory.fleet, terminal)] if terminal else list(inventory.fleet.terminals.values())
    name = f"{inventory.fleet.fleet}{f'-{terminal}' if terminal else ''}-binder.html"
    return files.deliver(page(Book(inventory, chosen, time.time())), output or Path(name))


def page(book: Book) -> str:
    """The whole binder."""
    tables = {name: part("binder_table.html", what=name, b=book) for name in TABLES}
    centre = book.fleet.links.centre
    records_page = book.said(f"{centre.rstrip('/')}/records/" if centre else None, "links", "centre")
    sums = _sums(book.inventory)
    made = datetime.fromtimestamp(book.now, ZoneInfo(book.fleet.timezone))
    return render(
        "binder.html",
        b=book,
        tables=tables,
        playbooks=texts.playbooks({"phones": book.phones, "records_page": records_page, **tables}),
        runbooks=texts.runbooks(),
        map=Markup(integration.drawn(book.fleet, {})),
        sums=sums,
        state=hashlib.sha256("".join(sums.values()).encode()).hexdigest()[:12],
        made=f"{made:%Y-%m-%d %H:%M %Z}",
        until=(made + timedelta(days=KEEP_DAYS)).date(),
        keep=KEEP_DAYS,
        version=__version__,
    )  # fmt: skip


def _sums(inventory: Inventory) -> dict[str, str]:
    """The files of the inventory as somebody would name them, with what `sha256sum` says of each."""
    return {
        str(file.relative_to(inventory.path.parent) if file.is_relative_to(inventory.path.parent) else file.name): (
            hashlib.sha256(file.read_bytes()).hexdigest()
        )
        for file in inventory.files
    }

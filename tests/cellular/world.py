"""A fleet with carriers of the demo, its own inventory and a clock that is ours: collected as the exporter does it.

What comes of it is told by all shipped rules, over the page of the center as it is in earnest, beside yards that
measure what a test says, and are well unless it says something.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from tests.cellular.talk import spoken
from tests.cellular.voices import Emnify, ProgrammableWireless
from tests.ringing import Notice, samples, told
from tests.rules.yard import Yard
from tests.vendor import Vendor

from yardlight import centre
from yardlight.catalogue import CLOCK, RELOAD_OK, STATE_WRITABLE
from yardlight.collection import Collection, Result, Session, open_memory, pack_memory
from yardlight.demo.carrier import HOUR, Carrier, FakeSim
from yardlight.demo.faces import SECRET, USER, ControlCenter, Face, SuperSim, ThingSpace
from yardlight.domains import domains
from yardlight.errors import PollError
from yardlight.exposition import block, pack, page
from yardlight.inventory.load import load
from yardlight.poll import Poll

DAY = 24 * HOUR
FLEET = "inland"
# How long a page stands before it is judged: longer than any alert waits, shorter than a collection may be overdue.
STANDS = 35 * 60.0
ACCOUNTS = {
    ThingSpace: f"""platform: thingspace, account_name: "1", client_id: {USER}, client_secret_file: secret,
             username: {USER}, password_file: secret""",
    ControlCenter: f"platform: control_center, username: {USER}, api_key_file: secret, network: att",
    Emnify: "platform: emnify, application_token_file: secret",
    ProgrammableWireless: f"platform: programmable_wireless, client_id: {USER}, client_secret_file: secret",
    SuperSim: f"platform: super_sim, client_id: {USER}, client_secret_file: secret, network: kore",
}
TERMINAL = """\
  {name}:
    targets: ["tcp://127.0.0.1:9"]
    timezone: America/Los_Angeles
    site: {{{site}}}
    uplinks:
      fiber: {{role: primary, medium: fiber, bind: 127.0.0.1}}
      lte:
        {{role: standby, medium: lte, bind: 127.0.0.2, metered: {{budget: 5 GB}},
         circuit: {{isp: Verizon Wireless}}{sim}}}
"""


@dataclass
class Account:
    """A carrier and how its platform speaks. `section` is its source's part of the inventory, `more` the account's."""

    carrier: Carrier
    face: Face
    section: str = ""
    more: str = ""
    rate: str = "1000/s"

    def written(self, name: str, url: str) -> str:
        said = next(said for kind, said in ACCOUNTS.items() if isinstance(self.face, kind))
        return f'  {name}: {{{said}, url: "{url}", rate: {self.rate}, sims: sims.csv, {self.more}}}\n'


@dataclass
class World:
    """`accounts` by name, each with one source of that name; where there is one, it is called `carrier`.

    SIMs are in trucks at home in `homes` (by SIM; else at Fontana), or on the LTE of a terminal (`standbys`, by
    terminal). `sites` are what the inventory says of a site, by terminal, `others` further accounts as it says them,
    with their part of `cellular:`. With `tablets`, an account at an MDM, each truck has one, whose serial is its
    SIM's name.
    Use in a `with` block. `collect` moves the clock; what is on the page then is read with `value`.
    """

    folder: Path
    accounts: Mapping[str, Account]
    homes: Mapping[str, str] = field(default_factory=dict)
    standbys: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tablets: str = ""
    # What the account's budget leaves for each collection.
    allowance: int | None = None
    # Samples that other parts of the exporter add, by series.
    beside: dict[str, float] = field(default_factory=dict)
    text: str = ""
    at: float = 0.0

    def __post_init__(self) -> None:
        self.pages: list[tuple[float, str, dict[str, float]]] = []
        self._memories: dict[str, bytes] = {}
        self._polls: dict[str, Poll] = {}
        self._urls: dict[str, str] = {}
        self._stack = ExitStack()

    @property
    def account(self) -> Account:
        """The only one."""
        [account] = self.accounts.values()
        return account

    @property
    def carrier(self) -> Carrier:
        return self.account.carrier

    @property
    def terminals(self) -> list[str]:
        return sorted({"fontana", *self.homes.values(), *self.standbys})

    def sims(self) -> Iterator[FakeSim]:
        for account in self.accounts.values():
            yield from account.carrier.sims.values()

    def __enter__(self) -> Self:
        for name, account in self.accounts.items():
            self._urls[name] = self._stack.enter_context(Vendor(spoken(account.face))).url
            if isinstance(account.face, SuperSim):
                account.face.base = self._urls[name]
        self.write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def change(self, section: str) -> None:
        """The inventory says this of the only source from now on."""
        self.account.section = section
        self.write()

    def write(self) -> None:
        """The inventory, and the roster."""
        (self.folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
        fixed = set(self.standbys.values())
        rows = [
            f"T-{sim.name},{sim.name}={sim.iccid},{self.homes.get(sim.name, 'fontana')},"
            + (f"tablet-{sim.name}={sim.name},drivers" if self.tablets else ",")
            for sim in self.sims()
            if sim.name not in fixed
        ]
        roster = "\n".join(["truck,sims,terminal,tablet,group", *rows, "T-spare,,fontana,,"]) + "\n"
        (self.folder / "trucks.csv").write_text(roster, encoding="utf-8")
        own = [f"{sim.name},{sim.iccid}" for sim in self.sims() if sim.name in fixed]
        (self.folder / "sims.csv").write_text("\n".join(["sim,iccid", *own]) + "\n", encoding="utf-8")
        accounts = "".join(each.written(name, self._urls[name]) for name, each in self.accounts.items())
        sources = "".join(f"  {name}: {{account: {name}, {each.section}}}\n" for name, each in self.accounts.items())
        for name, (account, section) in self.others.items():
            accounts += f"  {name}: {{{account}}}\n"
            sources += f"  {name}: {{account: {name}, {section}}}\n"
        if self.tablets:
            accounts += f"  tablets: {{{self.tablets}}}\n"
            sources += "mdm: {tablets: {account: tablets, groups: {drivers: {stale_after: 12h, silent_share: 1%}}}}\n"
        terminals = "".join(
            TERMINAL.format(
                name=name,
                site=self.sites.get(name, ""),
                sim=f", sim: {self.standbys[name]}" if name in self.standbys else "",
            )
            for name in self.terminals
        )
        (self.folder / "fleet.yml").write_text(
            f"fleet: {FLEET}\ntimezone: America/Los_Angeles\nroster: {{trucks: trucks.csv}}\n"
            'calendars: {weekdays: {days: mon-fri, hours: "05:00-20:00"}}\n'
            f"accounts:\n{accounts}cellular:\n{sources}terminals:\n{terminals}",
            encoding="utf-8",
        )
        self._fleet = load(self.folder / "fleet.yml").fleet
        for each in (each for part in domains() for each in part.planned(self._fleet, self.folder)):
            source = each.collection.source
            self._polls[source.account] = Poll(
                FLEET, source.account, partial(self._work, each.collection), each.interval, each.deadline,
                name=source.name, clock=lambda: self.at,
            )  # fmt: skip

    async def _work(self, collection: Collection, deadline: float, _: bytes) -> Result:
        """What a worker slot does."""
        account = collection.source.account
        session = Session(
            time.monotonic() + min(deadline, self._within),
            memory=open_memory(self._memories.get(account, b"")),
            clock=lambda: self.at,
            allowance=self.allowance,
        )
        try:
            blocks = await asyncio.to_thread(collection, session)
        except PollError as error:
            self._failed.append(error)
            raise
        self._memories[account] = pack_memory(session.memory)
        return Result(pack(blocks))

    def collect(self, at: float, within: float = 120.0) -> None:
        """Each source once, at this instant, in so many seconds. Raises `PollError`, with the page as it is then."""
        self.at, self._within, self._failed = at, within, list[PollError]()
        for account in self.accounts.values():
            set_clock(account.carrier, at)
        for poll in self._polls.values():
            asyncio.run(poll.once())
        self.look(at)
        if self._failed:
            raise self._failed[0]

    def look(self, at: float) -> None:
        """The page at this instant, whatever was collected last."""
        self.at = at
        blocks = [each for poll in self._polls.values() for each in poll.blocks()]
        self.text = page(blocks, openmetrics=False).decode()
        process = [
            block(CLOCK, FLEET, {("",): at}),
            block(RELOAD_OK, FLEET, {(): 1.0}),
            block(STATE_WRITABLE, FLEET, {(): 1.0}),
        ]
        said = pack([*process, *centre.Said().blocks(self._fleet, at)])
        self.pages.append((at, self.text + page(said, openmetrics=False).decode(), self.beside))

    def every(self, step: float, start: float, end: float) -> None:
        """Collect again and again."""
        at = start
        while at <= end:
            self.collect(at)
            at += step

    def value(self, name: str, **labels: str) -> float | None:
        """A sample of the page by its labels besides the fleet; None if there is none."""
        wanted = {"fleet": FLEET, **labels}
        found = [
            sample.value
            for sample in _samples(self.text)
            if sample.name == f"yardlight_{name}" and wanted.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, f"{name} {labels} is {len(found)} samples"
        return found[0] if found else None

    def told(self, stands: float = STANDS) -> list[Notice]:
        """What everybody is told once the page as it is has stood for so long."""
        [notices] = self.told_over(self.at, [self.at + stands])
        return notices

    def told_over(
        self, since: float, moments: Sequence[float], yards: Callable[[str], Yard] | None = None
    ) -> list[list[Notice]]:
        """What everybody is told at these moments, by the pages from this instant on."""
        pages = [(at, {**samples(text), **beside}) for at, text, beside in self.pages if at >= since]
        measuring = tuple((yards or _well)(name) for name in self.terminals)
        return told(pages, moments, self.folder, measuring)

    def identifiers(self) -> list[str]:
        """Numbers of SIMs and devices that are on the page or remembered for the next collection: there must be none.

        What is told of each SIM beside that (`things`) is there to be asked for by its numbers.
        """
        numbers = {number for sim in self.sims() for number in (sim.iccid, sim.iccid[:-1], sim.imei)}
        kept = re.findall(r"\d{14,}", f"{self.text} {[open_memory(each) for each in self._memories.values()]}")
        return [number for number in kept if any(each in number for each in numbers)]


@lru_cache(maxsize=1)
def _samples(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def _well(name: str) -> Yard:
    return Yard(fleet=FLEET, name=name)


def one(folder: Path, carrier: Carrier, face: Face, section: str = "", account: str = "") -> World:
    """A world with one account."""
    return World(folder, {"carrier": Account(carrier, face, section, account)})


def said(notices: Sequence[Notice]) -> list[str]:
    """Severity, name and subject of each, and to whom where that is not the NOC."""
    return [f"{each}" + (f" to {each.audience}" if each.audience != "noc" else "") for each in notices]


def carrier_of(sims: Sequence[FakeSim], at: float, cap: int = 10**9, **more: Any) -> Carrier:
    """A carrier whose clock is set with `set_clock`."""
    return Carrier("carrier", sims, lambda: at, cap, **more)


def set_clock(carrier: Carrier, at: float) -> None:
    """What the carrier takes for now."""
    carrier.clock = lambda: at

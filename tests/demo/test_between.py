"""What the demo has between systems, from its vendors to who is told: polls as they run, the shipped rules, hours."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import pytest
import yaml
from tests.feeds.test_end_to_end import OF_COMPLIANCE
from tests.history import Words
from tests.living import MINUTE, Living
from tests.vendor import Answer, Asked

from yardlight.demo import Ports, back_end, caller, eld, shop
from yardlight.demo.faces import Ask
from yardlight.demo.platforms import Platforms
from yardlight.demo.telematics import VendorError
from yardlight.exposition import AnyBlock
from yardlight.webhooks.receiver import Receivers

NOON = datetime(2026, 1, 7, 12, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
# What is not asked for here: other tests have it.
APART = ("mdm", "cellular")
FAULTY = [line for each in (eld, shop, back_end, caller) for line in each.LIST.splitlines()[1:-1]]


class Demo(Living):
    """The demo's telematics, dispatch, ELDs, maintenance, database and calls, as its inventory has them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, NOON)
        self.platforms = Platforms(Ports(), self.clock.time)
        self.platforms.write(folder)

    def __enter__(self) -> Self:
        super().__enter__()
        self.receivers = Receivers("inland", self.state, self.clock.time)
        return self

    def answer(self, asked: Asked) -> Answer:
        _, vendor, path = asked.path.split("/", 2)
        query = "&".join(f"{key}={value}" for key, value in asked.query.items())
        said = self.platforms.faces[vendor](Ask(asked.method, f"/{path}?{query}", asked.headers, asked.body))
        return Answer(said.content, said.status, said.headers)

    def write(self) -> None:
        self.platforms.refresh(self.folder)
        text = self.platforms.section()
        for url in (self.platforms.url, self.platforms.tls_url):
            text = text.replace(url, self.vendor.url)
        section = yaml.safe_load(text)
        for feed in section["feeds"].values():
            feed["poll"] = "1m"
        for account in section["accounts"].values():
            # Pauses between requests are no part of what passes here.
            account["rate"] = "1000/s"
        targets = {"targets": ["tcp://127.0.0.1:9"], "uplinks": {"fiber": {}}}
        terminals = dict.fromkeys(("fontana", "stockton", "reno"), targets)
        kept = {name: part for name, part in section.items() if name not in APART}
        whole = {"fleet": "inland", "timezone": "America/Los_Angeles", **kept, "terminals": terminals}
        (self.folder / "fleet.yml").write_text(yaml.safe_dump(whole), encoding="utf-8")

    def page(self) -> list[AnyBlock]:
        self.platforms.back_end.work()
        self.receivers.use(self._fleet)
        receiver, calls, now = self.receivers.find("events"), self.platforms.caller, self.clock.time()
        assert receiver is not None
        for number in calls.due():
            if receiver.take(*calls.call(number, now)) is None:
                calls.taken(number)
        receiver.shown = receiver.counts()
        return [*super().page(), *self.receivers.blocks()]

    def switch(self, minute: float, *faults: str) -> None:
        """These are switched on, or healed, so many minutes after the beginning."""
        for fault in faults:
            self.at(NOON + minute * MINUTE, partial(self.platforms.switch, fault))

    def list_revoked(self) -> None:
        """What the demo does after each fault."""
        if self.platforms.refresh(self.folder):
            self.restart()
            self.receivers = Receivers("inland", self.state, self.clock.time)

    def value(self, name: str, **labels: str) -> float | None:
        """A sample of the page as it is now; None if there is none."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        blocks = [*super().page(), *self.receivers.blocks()]
        lines = (line for each in blocks for line in each.body.decode().splitlines())
        found = [
            float(line.split()[-1])
            for line in lines
            if line.startswith(f"yardlight_{name}{{") and all(each in line for each in wanted)
        ]
        assert len(found) <= 1, found
        return found[0] if found else None

    def minutes(self, *texts: tuple[str, float]) -> tuple[dict[str, tuple[float, float]], list[Words]]:
        """What fired, in minutes from the beginning, first and last; and what alerts of a name said in a minute."""
        told, words = self.told(*((name, NOON + minute * MINUTE) for name, minute in texts))
        spans = {each.what: ((at.first - NOON) / MINUTE, (at.last - NOON) / MINUTE) for each, at in told.items()}
        assert {each.audience for each in told if each.what.split()[1] in OF_COMPLIANCE} <= {"compliance"}
        return spans, words


@pytest.mark.needs("promtool")
@pytest.mark.timeout(300)
def test_each_fault_between_systems_is_told_and_all_is_quiet_before_it_and_once_it_is_healed(tmp_path: Path) -> None:
    well: dict[str, float | None] = {}
    flows = ("dispatch", "maintenance", "eld", "billing")

    def look() -> None:
        well.update({flow: demo.value("flow_compared", flow=flow) for flow in flows})
        well["judged"] = demo.value("hos_judged_timestamp_seconds")
        well["gaps"] = demo.value("feed_tax_record_gaps", rule="irp")
        well["calls"] = demo.value("webhook_missing_calls")

    with Demo(tmp_path) as demo:
        demo.at(NOON + 14 * MINUTE, look)
        demo.switch(15, "eld=off-duty", "eld=nobody", "eld=malfunction", "eld=gap", "eld=drift", "eld=ending")
        demo.switch(15, "eld=limit", "shop=wrong", "shop=unknown", "loads=odometers", "tms=lost", "tms=miles")
        demo.switch(15, "calls=unsigned")
        demo.switch(50, "eld=heal", "shop=heal", "loads=heal", "tms=heal", "calls=heal")
        demo.until(NOON + 65 * MINUTE)
        spans, words = demo.minutes(("HosGpsMismatch", 20), ("UnassignedDriving", 20), ("FlowMissingIds", 35))
    assert well == {
        "dispatch": 60, "maintenance": 60, "eld": 3, "billing": 60, "gaps": 0, "calls": 0, "judged": well["judged"],
    }  # fmt: skip
    assert NOON < (well["judged"] or 0.0) < NOON + 14 * MINUTE
    assert spans.keys() == {
        "ticket HosGpsMismatch", "ticket UnassignedDriving", "ticket EldMalfunction elds", "info TaxRecordGap elds",
        "ticket FlowMismatch eld", "ticket FlowMismatch maintenance", "ticket FlowMismatch dispatch",
        "ticket FlowMismatch billing", "ticket FlowMissingIds maintenance", "ticket FlowMissingIds billing",
        "ticket FeedApiEnding elds", "ticket FeedApiEnding logs", "ticket RateLimitNear eld",
        "ticket WebhookSilent events",
    }  # fmt: skip
    # A hole in positions is one for a day.
    assert all(first > 15 and last < 57 for what, (first, last) in spans.items() if what != "info TaxRecordGap elds")
    # As the list of faults says.
    soon = {what: first for what, (first, _) in spans.items()}
    assert max(soon["ticket HosGpsMismatch"], soon["ticket UnassignedDriving"]) <= 18
    assert max(first for what, first in soon.items() if "FlowMismatch" in what) <= 30
    mismatch, unassigned, missing = (each["summary"] for each in words)
    assert "on 1 day a truck moved while the driver's log says off duty or asleep" in mismatch
    assert "in seven days with nobody logged in to its ELD" in unassigned
    assert "Billed miles: 5 missing in bills (orders has them)" in missing


@pytest.mark.needs("promtool")
@pytest.mark.timeout(300)
def test_what_stands_still_is_told_and_a_revoked_model_is_read_from_the_list(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        demo.switch(10, "shop=behind", "tms=stopped", "eld=revoked-model", "calls=silent")
        demo.at(NOON + 11 * MINUTE, demo.list_revoked)
        demo.switch(25, "shop=heal", "tms=heal", "eld=heal", "calls=heal")
        demo.at(NOON + 26 * MINUTE, demo.list_revoked)
        demo.until(NOON + 40 * MINUTE)
        spans, words = demo.minutes(("EldRevoked", 20), ("FeedStale", 20))
    assert spans.keys() == {
        "ticket FlowLagging maintenance", "ticket FeedStale orders", "ticket EldRevoked",
        "ticket WebhookSilent events",
    }  # fmt: skip
    assert all(first > 10 and last < 31 for first, last in spans.values())
    assert "3 trucks have the ELD LogBox 3, which FMCSA revoked. Replace it within 7 days." in words[0]["summary"]


@pytest.mark.timeout(60)
def test_calls_are_counted_and_what_is_skipped_or_repeated_of_them_shows_until_it_comes_late(tmp_path: Path) -> None:
    seen: dict[str, list[float | None]] = {}

    def look() -> None:
        seen["missing"] = [*seen.get("missing", []), demo.value("webhook_missing_calls")]
        seen["repeated"] = [*seen.get("repeated", []), demo.value("webhook_duplicates_total")]

    with Demo(tmp_path) as demo:
        for minute in (3, 6, 9):
            demo.at(NOON + minute * MINUTE, look)
        demo.switch(4, "calls=gap", "calls=twice")
        demo.switch(7, "calls=heal")
        demo.until(NOON + 10 * MINUTE)
    assert seen["missing"] == [0, 3, 0]
    assert seen["repeated"] == [0, 2, 3]


@pytest.mark.parametrize("line", FAULTY)
def test_each_fault_of_the_lists_is_one_and_is_healed(tmp_path: Path, line: str) -> None:
    fault = line.split()[0]
    name = fault.partition("=")[0]
    platforms = Platforms(Ports(), lambda: NOON)
    platforms.write(tmp_path)
    assert platforms.switch(fault) == f"{name}: {platforms.truth()[name]}"
    assert platforms.truth()[name] != "all well"
    assert platforms.switch(f"{name}=heal") == f"{name}: all well"


@pytest.mark.parametrize("name", [eld.NAME, shop.NAME, back_end.NAME, caller.NAME])
def test_what_is_no_fault_is_refused_with_the_list(tmp_path: Path, name: str) -> None:
    platforms = Platforms(Ports(), lambda: NOON)
    platforms.write(tmp_path)
    with pytest.raises(VendorError, match=f"{name}=heal"):
        platforms.switch(f"{name}=tired")

"""The integration map: what is in the inventory is in the picture, nothing lies over another thing, and no script."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path
from xml.etree import ElementTree

from yardlight import integration, pages
from yardlight.catalogue import FEED_NEWEST, FEED_RECORDS
from yardlight.collection import Result
from yardlight.exposition import block, pack
from yardlight.integration import Box, Standing
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet
from yardlight.pages import FleetView, Overview, PollRow
from yardlight.poll import Poll

SVG = "{http://www.w3.org/2000/svg}"


def fleet(folder: Path, feeds: int = 3, owner: str = "Maintenance") -> Fleet:
    lines = [
        f'  f{n}: {{account: a{n % 2}, path: "/{n}", id: id, time: at, truck: unit, values: {{odo: odo}}}}'
        for n in range(feeds)
    ]
    (folder / "fleet.yml").write_text(
        f"""\
fleet: inland
accounts:
  a0: {{platform: generic, url: "https://a0.example.com", owner: '{owner}', contact: "+1 909 555 0100"}}
  a1: {{platform: generic, url: "https://a1.example.com"}}
feeds:
{chr(10).join(lines)}
flows: {{odometer: {{source: f0.odo, sink: f1.odo, shows: Odometer}}}}
webhooks: {{calls: {{account: a1, secret_files: hook, signature: {{header: X-Sig}}}}}}
archives:
  logs: {{path: logs, pattern: "{{date}}.csv", rule: rods, coverage: none, since: 2026-01-01, pull: {{feed: f2}}}}
terminals: {{fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}}}
"""
    )
    return load(folder / "fleet.yml").fleet


def overlap(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def test_accounts_feeds_webhooks_flows_and_archives_are_in_it_with_owner_contact_and_state(tmp_path: Path) -> None:
    standing = {
        "feeds/f0": Standing("ok", "newest 3 min ago"),
        "feeds/f1": Standing("failing", "auth: revoked"),
        "flows/odometer": integration.of_flow(12),
        "webhooks/calls": Standing("ok", "last call 7 s ago"),
    }
    tree = ElementTree.fromstring(svg(fleet(tmp_path), standing))
    texts = [text.text for text in tree.iter(f"{SVG}text")]
    assert {"a0", "a1", "f0", "f1", "f2", "calls", "logs", "generic", "Maintenance · +1 909 555 0100"} <= set(texts)
    assert {"newest 3 min ago", "auth: revoked", "last call 7 s ago", "Odometer: 12 differ"} <= set(texts)
    boxes = {group.find(f"{SVG}title").text: group.get("class") for group in tree.iter(f"{SVG}g")}  # type: ignore[union-attr]
    # An account is as bad as the worst of what is read of it.
    assert (boxes["a0: ok"], boxes["a1: failing"], boxes["f1: failing"]) == ("box ok", "box failing", "box failing")
    assert len([path for path in tree.iter(f"{SVG}path") if "differs" in path.get("class", "")]) == 1


def svg(of: Fleet, standing: dict[str, Standing]) -> str:
    drawn = integration.drawn(of, standing)
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def test_of_a_flow_with_a_long_name_the_name_is_cut_off_and_not_how_it_stands(tmp_path: Path) -> None:
    of = fleet(tmp_path)
    named = of.flows["odometer"].model_copy(update={"shows": "Odometers of trucks in maintenance"})
    of = of.model_copy(update={"flows": {"odometer": named}})
    [label] = [
        each.label for each in integration.picture(of, {"flows/odometer": integration.of_flow(12)}).arrows if each.label
    ]
    assert label == "Odometers of…: 12 differ"


def test_nothing_lies_over_anything_else_or_outside(tmp_path: Path) -> None:
    made = integration.picture(fleet(tmp_path, feeds=9), {})
    assert not [pair for pair in itertools.combinations(made.boxes, 2) if overlap(*pair)]
    assert all(box.x >= 0 and box.x + box.width <= made.width for box in made.boxes)
    assert all(box.y >= 0 and box.y + box.height <= made.height for box in made.boxes)


def test_whatever_a_name_has_it_is_text_and_fits(tmp_path: Path) -> None:
    text = svg(fleet(tmp_path, owner="<script>alert(1)</script> & a name that is far too long for it"), {})
    assert "<script" not in text
    tree = ElementTree.fromstring(text)
    assert all(len(each.text or "") <= 34 for each in tree.iter(f"{SVG}text"))


def test_a_fleet_that_reads_nothing_has_no_map(tmp_path: Path) -> None:
    (tmp_path / "fleet.yml").write_text(
        'fleet: x\nterminals: {fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}}\n'
    )
    assert integration.drawn(load(tmp_path / "fleet.yml").fleet, {}) == ""


def test_the_landing_page_has_it_without_a_script(tmp_path: Path) -> None:
    drawn = integration.drawn(fleet(tmp_path), {"feeds/f0": Standing("ok", "newest 1 s ago")}, linked=True)
    view = FleetView("inland", "fleet.yml", 1.0, (), (), (), drawn)
    page = pages.landing(Overview(time.time(), "centre", [view], []))
    assert "<h3>What is connected</h3>" in page
    assert "newest 1 s ago" in page
    assert '<a href="flow/inland/odometer">' in page
    assert "<a" not in integration.drawn(fleet(tmp_path), {})
    assert "&lt;svg" not in page
    assert not re.search(r"<script|\bon\w+=|javascript:", page)


def test_what_is_said_of_a_poll_is_how_new_it_is_or_why_it_fails() -> None:
    now = 1_000_000.0
    assert (
        integration.of_row(PollRow("feeds/f", "ok", now, 1.0, ""), "newest", now - 200, now).said
        == "newest 3 min 20 s ago"
    )
    assert integration.of_row(PollRow("feeds/f", "waiting", None, None, ""), "newest", None, now).said == "waiting"
    failing = integration.of_row(PollRow("feeds/f", "failing", now, 1.0, "auth: no"), "newest", now, now)
    assert failing == Standing("failing", "auth: no")


def test_a_poll_tells_the_sample_of_a_family_that_has_one() -> None:
    poll = Poll("inland", "a", work=None, interval=60, deadline=30)  # type: ignore[arg-type]
    records = {("a", "gps", state): 1.0 for state in ("new", "known")}
    newest = block(FEED_NEWEST, "inland", {("a", "gps"): 1_767_600_900.0})
    poll._take(Result(pack([newest, block(FEED_RECORDS, "inland", records)])))
    assert poll.sample(FEED_NEWEST) == 1_767_600_900.0
    assert poll.sample(FEED_RECORDS) is None

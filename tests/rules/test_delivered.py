"""What a phone shows: every alert through a real Alertmanager with rendered receivers, alone, of three, and over."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urldefrag, urlsplit
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.ports import free_port
from tests.programs import running
from tests.rules.complete import TOLD
from tests.rules.phones import Notice, Phones, boards, leads_nowhere, phones
from tests.rules.promtool import DOMAINS, GRAFANA, RUNBOOKS, spoken, texts
from yardlight.inventory.load import load
from yardlight.receivers import WHOSE, Wanted, render

pytestmark = [pytest.mark.needs("prometheus-alertmanager"), pytest.mark.timeout(300)]

LONGEST = 240
# The name of a text that is longer than any phone shows.
LONG = "long"
# Words of ours that mean nothing to whoever is woken.
JARGON = re.compile(r"uplink|egress|quorum|exporter|series|yardlight[_:]|_seconds|\bNaN\b|<no value>|%!", re.IGNORECASE)
INVENTORY = """\
fleet: {fleet}
timezone: America/Los_Angeles
links: {{grafana: "{url}", runbooks: "{url}/runbooks"}}
contacts:
  oncall: {{pagerduty_file: oncall, opsgenie_file: oncall}}
  noc: {{webhook: "{url}/webhook/noc", slack_file: slack-noc}}
  dispatch: {{email: dispatch@example.com}}
  compliance: {{email: compliance@example.com}}
  yard: {{email: yard@example.com}}
  info: {{slack_file: slack-info}}
  deadman: {{webhook: "{url}/webhook/deadman"}}
mail: {{smarthost: "127.0.0.1:{smtp}", from: y@example.com, require_tls: false}}
terminals:
  fontana: {{targets: [198.51.100.1], uplinks: {{fiber: }}}}
"""


@dataclass(frozen=True)
class Said:
    """A text and every notification that was made of it: alone, of three alerts at once, and when all were over."""

    name: str
    labels: dict[str, str]
    alone: tuple[Notice, ...]
    several: tuple[Notice, ...]
    over: tuple[Notice, ...]

    @property
    def notices(self) -> tuple[Notice, ...]:
        return (*self.alone, *self.several, *self.over)

    @property
    def told(self) -> set[str]:
        """Who has to get it."""
        return {"info"} if self.labels["severity"] == "info" else TOLD[self.labels["severity"], self.labels["audience"]]


def configured(folder: Path, there: Phones) -> Path:
    """The rendered configuration with every text in a group of its own, which is told at once."""
    for name, secret in (
        ("oncall", "oncall"), ("slack-noc", f"{there.url}/slack/noc"), ("slack-info", f"{there.url}/slack/info"),
    ):  # fmt: skip
        (folder / name).write_text(secret)
    found = []
    for fleet in ("inland-haul", "coast-freight"):
        file = folder / f"{fleet}.yml"
        file.write_text(INVENTORY.format(fleet=fleet, url=there.url, smtp=there.smtp))
        found.append(load(file))
    config: dict[str, Any] = yaml.safe_load(render(found, Wanted(2026, home="inland-haul")))
    config["global"] |= {"pagerduty_url": f"{there.url}/pagerduty", "opsgenie_api_url": f"{there.url}/opsgenie/"}
    routes = [config["route"]]
    for route in routes:
        routes += route.get("routes", ())
        if "group_by" in route:
            route["group_by"] = [*route["group_by"], "text"]
        route |= {"group_wait": "1s", "group_interval": "1s"}
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config))
    return file


def sent(there: Phones) -> list[dict[str, Any]]:
    """Each text of texts.yml as Prometheus sends it, with links that lead to this test's pages and name the text."""
    made = []
    for text in (each for of_scenario in texts().values() for each in of_scenario):
        labels, annotations = spoken(text)
        name = f"{text['alert']}-{text['scenario']}"
        links = {
            "runbook_url": annotations["runbook_url"].replace(RUNBOOKS, f"{there.url}/runbooks") + f"#{name}",
            "dashboard_url": annotations["dashboard_url"].replace(GRAFANA, there.url) + f"#{name}",
        }
        labels = {"alertname": text["alert"], "text": name, **labels}
        made.append({"labels": labels, "annotations": {**annotations, **links}})
    long = {**made[0], "labels": {**made[0]["labels"], "text": LONG}}
    links = {name: link.replace(made[0]["labels"]["text"], LONG) for name, link in made[0]["annotations"].items()}
    return [*made, {**long, "annotations": {**links, "summary": "Fontana: down. " + "Call +1 800 555 0199. " * 20}}]


def post(port: int, alerts: list[dict[str, Any]], over: bool = False) -> None:
    now = datetime.now(UTC)
    times = {
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": (now if over else now + timedelta(minutes=5)).isoformat(),
    }
    request = Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        json.dumps([{**alert, **times} for alert in alerts]).encode(),
        {"Content-Type": "application/json"},
    )
    urlopen(request, timeout=10).close()


def named(notice: Notice) -> str:
    """The text that a notification is of; its links say so."""
    return urlsplit(notice.links[0]).fragment if notice.links else ""


def at_once(notice: Notice) -> int:
    """How many open alerts a notification tells of."""
    if notice.alerts:
        return sum(alert["status"] == "firing" for alert in notice.alerts)
    more = re.search(r"And (\d+) more like it", notice.text)
    return 1 + int(more[1]) if more else 1


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Said]]:
    """All texts, delivered."""
    folder = tmp_path_factory.mktemp("delivered")
    with phones() as there:
        alerts = sent(there)
        more = [{**each, "labels": {**each["labels"], "other": other}} for each in alerts for other in ("1", "2")]
        port = free_port()
        argv = (
            f"--config.file={configured(folder, there)}", f"--storage.path={folder / 'data'}",
            "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}",
        )  # fmt: skip
        rounds: list[list[Notice]] = []

        def told(alerts: list[dict[str, Any]], complete: Callable[[Notice], bool], over: bool = False) -> None:
            before = len(there.notices)
            post(port, alerts, over)
            missing: set[tuple[str, str]] = {("", "")}
            deadline = time.monotonic() + 90
            while missing:
                assert time.monotonic() < deadline, f"not told: {sorted(missing)}"
                time.sleep(0.1)
                came = {(named(each), each.who) for each in there.notices[before:] if complete(each)}
                missing = {(said.name, who) for said in expected for who in said.told} - came
                missing -= {each for each in missing if over and each[1] == "deadman"}
            rounds.append(there.notices[before:])

        expected = [Said(each["labels"]["text"], each["labels"], (), (), ()) for each in alerts]
        with running(port, "prometheus-alertmanager", *argv):
            told(alerts, lambda notice: notice.status == "firing")
            told([*alerts, *more], lambda notice: at_once(notice) == 3)
            told([*alerts, *more], lambda notice: notice.status == "resolved", over=True)
        yield [
            Said(each.name, each.labels, *(tuple(one for one in came if named(one) == each.name) for came in rounds))
            for each in expected
        ]


def test_each_alert_reaches_whom_it_is_for_and_nobody_else_and_so_does_its_end(everything: list[Said]) -> None:
    for said in everything:
        for notices in (said.alone, said.several, said.over):
            told = {notice.who for notice in notices}
            assert told == said.told - ({"deadman"} if notices is said.over else set()), said.name


def test_what_stands_on_a_phone_is_short_and_needs_no_dictionary(everything: list[Said]) -> None:
    for notice in (notice for said in everything for notice in said.notices):
        for text in (notice.text, notice.title):
            assert len(text) <= LONGEST, text
            assert not JARGON.search(text), text
            assert not text or text.endswith((".", "?")), text
            assert "  " not in text, text


def test_a_text_that_is_cut_says_so(everything: list[Said]) -> None:
    (long,) = (said for said in everything if said.name == LONG)
    for notice in (each for each in long.alone if each.way != "webhook"):
        assert len(notice.text) == LONGEST
        assert notice.text.endswith("..."), notice


def test_whose_fault_it_is_stands_below_in_words_until_it_is_over(everything: list[Said]) -> None:
    told = 0
    for said in everything:
        whose = WHOSE[said.labels["domain"]]
        for notice in (each for each in said.notices if each.way != "webhook"):
            assert notice.fault == (f"Whose fault: {whose}." if notice.status == "firing" else ""), notice
            told += notice.status == "firing"
    assert told


def test_the_words_are_those_of_the_domains_that_alerts_may_have() -> None:
    assert set(WHOSE) == set(DOMAINS)


def test_of_several_one_is_told_in_a_sentence_with_how_many_more_there_are(everything: list[Said]) -> None:
    for said in everything:
        for text in {notice.text for notice in said.several if not notice.alerts and at_once(notice) == 3}:
            assert text.endswith(" And 2 more like it."), text
            assert said.alone[0].text.startswith(text.removesuffix(" And 2 more like it.")[:-1]), text


def test_an_end_says_what_is_over_and_asks_nobody_to_do_anything(everything: list[Said]) -> None:
    for said in everything:
        clear = "All clear: " if said.labels["audience"] == "dispatch" else "Over: "
        for notice in (each for each in said.over if each.status == "resolved" and each.text and not each.alerts):
            assert notice.text.startswith(clear)
            assert not re.search(r"\b(Call|Do not)\b", notice.text), notice.text


def test_every_link_of_every_notification_leads_somewhere(everything: list[Said]) -> None:
    links = {urldefrag(link).url for said in everything for notice in said.notices for link in notice.links}
    assert len(links) > 80
    for link in links:
        with urlopen(link, timeout=10) as answer:
            assert answer.status == 200


def test_a_notification_brings_its_own_runbook_and_a_board_that_shows_what_it_is_about(everything: list[Said]) -> None:
    variables, wrong = boards(), set()
    for said in everything:
        for notice in said.notices:
            if notice.way == "opsgenie" and notice.status == "resolved":
                continue
            runbook, board = map(urlsplit, notice.links)
            assert runbook.path == f"/runbooks/{said.labels['alertname']}", notice
            shown = {name: value for name, (value,) in parse_qs(board.query).items()}
            filters = variables[board.path.removeprefix("/d/")] & said.labels.keys()
            if shown != {f"var-{name}": said.labels[name] for name in filters}:
                wrong.add((said.name, board.path, board.query))
    assert not wrong


def test_a_link_to_a_board_a_variable_or_a_runbook_that_is_not_there_leads_nowhere() -> None:
    there = boards()
    for link in ("/d/none", "/d/yardlight-terminal?var-truck=1", "/d/yardlight-terminal?var-fleet=", "/runbooks/None"):
        assert leads_nowhere(link, there)
    assert not leads_nowhere("/d/yardlight-terminal?var-fleet=a&var-terminal=b", there)

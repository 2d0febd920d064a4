"""`yardlight render alertmanager`: amtool accepts it, each fleet's own people are told, in their hours, and once."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.programs import running
from tests.rules.test_routes import REACHES, amtool
from tests.test_pair import ask
from yardlight.cli import main
from yardlight.errors import InventoryError, StartError
from yardlight.inventory.load import Inventory, load
from yardlight.receivers import Wanted, render

WANTED = Wanted(2026)
SECRETS = ("pd", "noc", "slack", "smtp", "genie")
FLEET = """\
fleet: {fleet}
timezone: America/Los_Angeles
links: {{grafana: "https://grafana.example.com", runbooks: "https://yardlight.example.com/runbooks", centre: "http://127.0.0.1:10480"}}
contacts:
  oncall: {{pagerduty_file: secrets/pd, opsgenie_file: secrets/genie}}
  noc: {{webhook: "{inbox}/noc", webhook_credentials_file: secrets/noc, hours: {hours}}}
  dispatch: {{webhook: "{inbox}/dispatch"}}
  compliance: {{email: [compliance@example.com, archive@example.com]}}
  info: {{slack_file: secrets/slack, slack_channel: "#yards"}}
  yard: nobody
  deadman: {{webhook: "https://deadman.example.com/x"}}
mail: {{smarthost: "mail.example.com:587", from: y@example.com, username: y, password_file: secrets/smtp}}
calendars:
  weekdays: {{days: mon-fri, hours: "05:00-20:00", holidays: US}}
  other: {{days: "{other}"}}
  always: {{}}
terminals:
  fontana: {{targets: [198.51.100.1], uplinks: {{fiber: }}, site: {{tell: {{email: fontana@example.com}}}}}}
  dallas.1: {{timezone: America/Chicago, targets: [198.51.100.1], uplinks: {{fiber: }}}}
"""


def inventory(
    folder: Path, fleet: str = "inland", inbox: str = "http://127.0.0.1:9", hours: str = "weekdays"
) -> Inventory:
    """A fleet with every way there is, whose secrets are words that nothing else contains."""
    (folder / "secrets").mkdir(exist_ok=True)
    for name in SECRETS:
        (folder / "secrets" / name).write_text(f"canary-{name}\n")
    # Neither today nor the days around it, wherever it is.
    other = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
    file = folder / f"{fleet}.yml"
    file.write_text(FLEET.format(fleet=fleet, inbox=inbox, hours=hours, other=other))
    return load(file)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two fleets in one file, the center at home with the second."""
    found = [inventory(tmp_path, "inland"), inventory(tmp_path, "coast")]
    file = tmp_path / "out" / "alertmanager.yml"
    file.parent.mkdir()
    file.write_text(render(found, Wanted(2026, home="coast")))
    return file


def reached(config: Path, labels: str) -> str:
    done = subprocess.run(
        ["amtool", "config", "routes", "test", f"--config.file={config}", *labels.split()],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.needs("amtool")
def test_amtool_accepts_what_was_rendered_and_it_has_no_secret_in_it(config: Path) -> None:
    done = amtool("check-config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "canary" not in config.read_text()


@pytest.mark.needs("amtool")
@pytest.mark.parametrize(("receiver", "labels"), REACHES)
def test_an_alert_reaches_the_same_audience_as_by_the_shipped_routes_in_its_own_fleet(
    config: Path, receiver: str, labels: str
) -> None:
    for fleet in ("inland", "coast"):
        expected = ",".join(f"{fleet}/{each}" for each in receiver.split(","))
        if receiver == "deadman":
            fleet, expected = "", "coast/deadman"
        assert reached(config, f"{labels} fleet={fleet}" if fleet else labels) == expected


@pytest.mark.needs("amtool")
def test_what_belongs_to_no_fleet_is_told_to_the_home_of_the_center(config: Path) -> None:
    assert reached(config, "alertname=CentreNotReporting severity=page audience=oncall") == "coast/oncall"


@pytest.mark.needs("amtool")
def test_a_yard_with_somebody_of_its_own_is_told_there_and_the_noc_too(config: Path) -> None:
    labels = "alertname=DrillOverdue severity=ticket audience=yard fleet=inland terminal="
    assert reached(config, labels + "fontana") == "inland/yard/fontana,inland/noc"
    assert reached(config, labels + "dallas.1") == "inland/yard,inland/noc"


def test_hours_are_each_terminals_own_and_holidays_are_left_out(config: Path) -> None:
    made = yaml.safe_load(config.read_text())
    intervals = {each["name"]: each["time_intervals"] for each in made["time_intervals"]}
    (dallas,) = intervals["inland weekdays America/Chicago"]
    assert dallas == {
        "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "times": [{"start_time": "05:00", "end_time": "20:00"}],
        "location": "America/Chicago",
    }
    holidays = intervals["inland weekdays America/Los_Angeles holidays"]
    assert {"years": ["2027"], "months": ["7"], "days_of_month": ["5"], "location": "America/Los_Angeles"} in holidays
    fleet = next(each for each in made["route"]["routes"] if each.get("matchers") == ['fleet="inland"'])
    tickets = next(each for each in fleet["routes"] if each.get("matchers") == ['severity="ticket"'])
    assert tickets["active_time_intervals"] == ["inland weekdays America/Los_Angeles"]
    elsewhere = tickets["routes"][-1]
    assert elsewhere["matchers"] == ['terminal=~"dallas[.]1"']
    assert elsewhere["active_time_intervals"] == ["inland weekdays America/Chicago"]


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("  oncall: .*\n", "contacts.oncall: is missing; it is who is paged. If it is nobody, write oncall: nobody"),
        (
            "  info: .*\n",
            "contacts.info: is missing; it gets what nobody must act on. If it is nobody, write info: nobody",
        ),
        ("grafana: [^,]*, ", "links.grafana: is missing; notifications point there"),
    ],
)
def test_a_value_that_is_not_set_is_an_error(tmp_path: Path, remove: str, message: str) -> None:
    file = inventory(tmp_path).path
    file.write_text(re.sub(remove, "", file.read_text(), count=1))
    with pytest.raises(InventoryError) as error:
        render([load(file)], WANTED)
    (problem,) = error.value.problems
    assert str(problem).endswith(message)
    assert problem.line > 0


def test_a_drill_whose_yard_nobody_tells_is_an_error(tmp_path: Path) -> None:
    file = inventory(tmp_path).path
    text = file.read_text().replace("  yard: nobody\n", "")
    text = text.replace("dallas.1: {", "dallas.1: {drill: {playbook: quarterly-wan-failover}, ")
    file.write_text(text.replace("uplinks: {fiber: }}", "uplinks: {fiber: {bind: 10.0.0.2}, cable: {bind: 10.0.0.3}}}"))
    with pytest.raises(InventoryError, match=r"terminals\.dallas\.1\.site\.tell: is missing; the yard runs the drill"):
        render([load(file)], WANTED)


def test_a_secret_that_cannot_be_read_is_an_error_unless_it_lies_elsewhere(tmp_path: Path) -> None:
    found = inventory(tmp_path)
    (tmp_path / "secrets" / "pd").unlink()
    with pytest.raises(InventoryError, match="oncall: cannot read the secret file 'secrets/pd'"):
        render([found], WANTED)
    assert "routing_key_file: /run/keys/secrets/pd\n" in render([found], Wanted(2026, secrets=Path("/run/keys")))


def test_a_webhook_in_a_file_needs_an_alertmanager_that_reads_it(tmp_path: Path) -> None:
    file = inventory(tmp_path).path
    file.write_text(
        file.read_text().replace(
            'dispatch: {webhook: "http://127.0.0.1:9/dispatch"}', "dispatch: {webhook_file: secrets/noc}"
        )
    )
    with pytest.raises(InventoryError, match="webhook_file: Alertmanager reads this from"):
        render([load(file)], WANTED)
    assert f"url_file: {tmp_path}/secrets/noc\n" in render([load(file)], Wanted(2026, url_files=True))


def test_many_fleets_need_a_home_and_a_broken_one_is_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [inventory(tmp_path, "inland"), inventory(tmp_path, "coast")]
    with pytest.raises(StartError, match=r"--home is missing: .* write one of coast, inland"):
        render(found, WANTED)
    with pytest.raises(StartError, match="--home 'cost' is none of the fleets"):
        render(found, Wanted(2026, home="cost"))
    (tmp_path / "third.yml").write_text("fleet: third\n")
    assert main(["render", "alertmanager", "--inventory-dir", str(tmp_path), "--home", "coast"]) == 1
    assert "third.yml:1:1 terminals: is missing" in capsys.readouterr().err


class Inbox:
    """What arrived, as (audience, status)."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str]] = []

    def of(self, audience: str) -> list[str]:
        return [status for name, status in self.posts if name == audience]


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    kept = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.posts.append((self.path.strip("/"), body["status"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


STALE = {"alertname": "FeedStale", "severity": "ticket", "audience": "dispatch", "fleet": "inland", "feed": "gps"}
GUIDE = Path(__file__).resolve().parents[1] / "playbooks" / "setup" / "scale-out.md"


def peer_timeout() -> str:
    """What the guide tells both Alertmanagers of a pair to wait for each other."""
    (wait,) = set(re.findall(r"^prometheus-alertmanager --cluster\.peer-timeout=(\d+s) ", GUIDE.read_text(), re.M))
    return str(wait)


def test_alertmanagers_of_a_pair_wait_for_each_other_for_less_than_any_group_does() -> None:
    """Else the second one compares what was open then with what was told since, and tells it again."""
    shipped = yaml.safe_load((GUIDE.parents[2] / "alert_rules" / "alertmanager" / "alertmanager.yml").read_text())
    routes, shortest = [shipped["route"]], 999
    for route in routes:
        routes += route.get("routes", ())
        found = re.fullmatch(r"(\d+)s", route.get("group_interval", ""))
        shortest = min(shortest, int(found[1])) if found else shortest
    assert int(peer_timeout()[:-1]) < shortest


def send(port: int, status: str, labels: dict[str, str]) -> None:
    """An alert as Prometheus would send it."""
    now = datetime.now(UTC)
    ends = now if status == "resolved" else now + timedelta(minutes=5)
    alert = {
        "labels": labels,
        "annotations": {"summary": "x"},
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": ends.isoformat(),
    }
    request = Request(
        f"http://127.0.0.1:{port}/api/v2/alerts", json.dumps([alert]).encode(), {"Content-Type": "application/json"}
    )
    urlopen(request, timeout=10).close()


@contextmanager
def two_alertmanagers(folder: Path, config: str, free_port: Callable[[], int]) -> Iterator[tuple[int, int]]:
    """A pair with this configuration, as the guide starts it: their ports."""
    ports, peers = (free_port(), free_port()), (free_port(), free_port())
    file = folder / "alertmanager.yml"
    file.write_text(config)
    with ExitStack() as stack:
        for index, port in enumerate(ports):
            stack.enter_context(
                running(
                    port,
                    "prometheus-alertmanager",
                    f"--config.file={file}",
                    f"--storage.path={folder / str(port)}",
                    f"--web.listen-address=127.0.0.1:{port}",
                    f"--cluster.listen-address=127.0.0.1:{peers[index]}",
                    f"--cluster.peer=127.0.0.1:{peers[1 - index]}",
                    f"--cluster.peer-timeout={peer_timeout()}",
                )
            )
        yield ports


def settled(port: int) -> bool:
    """Whether this Alertmanager knows the other one; until then it holds back what it has to tell."""
    status = ask(port, "/api/v2/status")
    return bool(status["cluster"]["status"] == "ready" and len(status["cluster"]["peers"]) == 2)


@pytest.mark.needs("prometheus-alertmanager")
@pytest.mark.parametrize("hours", ["always", "other"])
@pytest.mark.timeout(180)
def test_two_alertmanagers_tell_once_and_whoever_is_out_of_hours_not_at_all(
    tmp_path: Path,
    inbox: tuple[Inbox, str],
    free_port: Callable[[], int],
    eventually: Callable[..., object],
    hours: str,
) -> None:
    kept, url = inbox
    config = render([inventory(tmp_path, inbox=url, hours=hours)], WANTED)
    with two_alertmanagers(tmp_path, config, free_port) as ports:
        for port in ports:
            send(port, "firing", STALE)
        told = ("dispatch",) if hours == "other" else ("dispatch", "noc")
        eventually(lambda: all(map(kept.of, told)), within=60)
        for port in ports:
            send(port, "resolved", STALE)
        eventually(lambda: all("resolved" in kept.of(audience) for audience in told), within=60)
    once = ["firing", "resolved"]
    assert kept.of("dispatch") == once
    assert kept.of("noc") == ([] if hours == "other" else once)


@pytest.mark.needs("prometheus-alertmanager")
@pytest.mark.timeout(180)
def test_a_page_that_is_over_after_some_seconds_is_told_once_by_two_alertmanagers(
    tmp_path: Path, inbox: tuple[Inbox, str], free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    kept, url = inbox
    found = inventory(tmp_path)
    paged = f'oncall: {{webhook: "{url}/oncall"}}'
    found.path.write_text(re.sub(r"oncall: \{.*\}", paged, found.path.read_text()))
    labels = {"alertname": "TerminalDark", "severity": "page", "audience": "oncall", "fleet": "inland"}
    yards = [{**labels, "terminal": f"yard-{number}"} for number in range(8)]
    with two_alertmanagers(tmp_path, render([load(found.path)], WANTED), free_port) as ports:
        eventually(lambda: all(map(settled, ports)), within=60)
        for status in ("firing", "resolved"):
            for yard in yards:
                for port in ports:
                    send(port, status, yard)
                time.sleep(1.1)
        # Longer than Alertmanager would wait by itself: a second word would have come by then.
        time.sleep(20)
    assert sorted(kept.of("oncall")) == ["firing"] * len(yards) + ["resolved"] * len(yards)

"""What the setup guides tell a user to copy must be right."""

from __future__ import annotations

import re
import subprocess
import textwrap
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from yardlight import webconfig
from yardlight.domains import joined, platforms
from yardlight.inventory.hours import HoursOfService
from yardlight.inventory.load import load
from yardlight.inventory.models import Drill
from yardlight.inventory.retention import RULES
from yardlight.inventory.roster import DRIVER_COLUMNS, TRUCK_COLUMNS, Tablet
from yardlight.terminal.routers import PROFILES


@pytest.mark.needs("promtool")
def test_the_yards_sender_is_a_valid_agent_configuration(root: Path) -> None:
    config = root / "docker" / "prometheus" / "yard.yml"
    checked = subprocess.run(
        ["promtool", "check", "config", "--agent", str(config)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_inventory_in_the_yard_box_guide_can_be_loaded(root: Path, tmp_path: Path) -> None:
    guide = (root / "playbooks" / "setup" / "yard-box.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "fleet.yml").write_text(block)
    terminal = load(tmp_path / "fleet.yml").fleet.terminals["fontana"]
    assert {name: uplink.role for name, uplink in terminal.uplinks.items()} == {"fiber": "primary", "lte": "standby"}


def test_the_parts_of_an_inventory_in_the_guide_to_drills_can_be_loaded_with_each_way_to_cut(
    root: Path, tmp_path: Path
) -> None:
    guide = (root / "playbooks" / "setup" / "drills.md").read_text(encoding="utf-8")
    part, cut = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL))
    uplinks = {"fiber": {"bind": "10.0.0.2"}, "lte": {"bind": "10.0.0.3"}}
    router = {"address": "10.10.0.1"}
    yard = {"targets": ["198.51.100.1"], "uplinks": uplinks, "standby": {"required": ["path"]}, "router": router}

    def loaded(drill: dict[str, object]) -> Drill:
        fleet = {"fleet": "f", "links": part["links"], "terminals": {"fontana": {**yard, "drill": drill}}}
        (tmp_path / "fleet.yml").write_text(yaml.safe_dump(fleet))
        found = load(tmp_path / "fleet.yml").fleet.terminals["fontana"].drill
        assert found is not None
        return found

    assert loaded(part["terminals"]["fontana"]["drill"]).cut is None
    ways = cut["drill"]["cut"]
    assert set(ways) == {"command", "http", "snmp_set"}
    for way, how in ways.items():
        made = loaded({**cut["drill"], "cut": {way: how}}).cut
        assert made is not None
        assert made.how == way


def test_files_that_the_guides_link_to_exist(root: Path) -> None:
    for guide in (root / "playbooks" / "setup").glob("*.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)", guide.read_text(encoding="utf-8")):
            assert (guide.parent / link).exists(), f"{guide.name}: {link}"


def test_every_router_model_has_a_page_whose_inventory_can_be_loaded(root: Path, tmp_path: Path) -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (root / "playbooks/setup/routers").glob("*.md")}
    del pages["README"]
    assert set(pages) == set(PROFILES)
    for model, page in pages.items():
        headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
        assert headings[:3] == ["Source routes", "SNMP", "Inventory"]
        (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
        (tmp_path / "fleet.yml").write_text(
            "fleet: f\nterminals:\n  fontana:\n    targets: [198.51.100.1]\n"
            "    uplinks: {fiber: {bind: 10.10.0.21}, lte: {bind: 10.10.0.22}}\n" + textwrap.indent(block, "    ")
        )
        router = load(tmp_path / "fleet.yml").fleet.terminals["fontana"].router
        assert router is not None
        assert router.model == model
        assert set(router.interfaces) == {"fiber", "lte"}


def test_the_guide_to_the_roster_has_each_column_and_its_line_loads(root: Path, tmp_path: Path) -> None:
    guide = (root / "playbooks" / "setup" / "roster.md").read_text(encoding="utf-8")
    told = {name for row in re.findall(r"^\| (`.*?) \|", guide, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert told == {*TRUCK_COLUMNS, *DRIVER_COLUMNS}
    (line,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    cells = re.findall(r"`(T112=[^`.]+)`", guide)
    (tmp_path / "trucks.csv").write_text(f"truck,tablet\n112,{cells[0]}\n")
    (tmp_path / "fleet.yml").write_text(
        f"fleet: f\n{line}terminals: {{t: {{targets: [198.51.100.1], uplinks: {{fiber: }}}}}}\n"
    )
    assert load(tmp_path / "fleet.yml").fleet.roster.trucks[0].tablet == Tablet("T112", "R52M30ABCDE")


def test_the_archives_in_the_guide_to_records_can_be_loaded(root: Path, tmp_path: Path) -> None:
    guide = (root / "playbooks" / "setup" / "records.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    yard = 'fleet: f\nterminals: {fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: }}}\n'
    (tmp_path / "fleet.yml").write_text(yard + block)
    (tmp_path / "trucks.csv").write_text("truck\n112\n")
    (tmp_path / "drivers.csv").write_text("code\nd101\n")
    archives = load(tmp_path / "fleet.yml").fleet.archives
    assert {name: archive.covers for name, archive in archives.items()} == {
        "eld": "driver-day", "dvir": "none", "maintenance-backup": "none",
    }  # fmt: skip
    for rule in RULES:
        assert rule.removeprefix("drug-alcohol") in guide


def test_the_inventory_in_the_guide_to_webhooks_can_be_loaded(root: Path, tmp_path: Path) -> None:
    guide = (root / "playbooks" / "setup" / "webhooks.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "fleet.yml").write_text(block)
    assert set(load(tmp_path / "fleet.yml").fleet.webhooks) == {"samsara-events", "fleetio-issues", "dispatch"}


def test_the_inventory_in_the_guide_to_hours_of_service_can_be_loaded_and_its_streams_exist(
    root: Path, tmp_path: Path
) -> None:
    guide = (root / "playbooks" / "setup" / "hours-of-service.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "fleet.yml").write_text(block)
    (tmp_path / "trucks.csv").write_text("truck,eld_model\n112,LogIt-2\n")
    (tmp_path / "drivers.csv").write_text("code,terminal\nd101,denver\n")
    (tmp_path / "revoked.csv").write_text("model,revoked\nLogIt-2,2026-02-03\n")
    fleet = load(tmp_path / "fleet.yml").fleet
    assert fleet.hours_of_service == HoursOfService()
    assert [each.of for each in (plan.collection for plan in joined(fleet, tmp_path))] == [("feeds/gps", "feeds/logs")]
    for vendor, cells in re.findall(r"^\| (Samsara|Geotab|Motive) \|(.*)$", guide, re.MULTILINE):
        streams = import_module(platforms("feeds")[vendor.lower()].module).STREAMS
        assert set(re.findall(r"`(\w+)`", cells)) <= set(streams)


def test_the_inventory_in_the_guide_to_databases_can_be_loaded(root: Path, tmp_path: Path) -> None:
    guide = (root / "playbooks" / "setup" / "databases.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "fleet.yml").write_text(block)
    assert {feed.account for feed in load(tmp_path / "fleet.yml").fleet.feeds.values()} == {"tms"}


def test_the_first_customer_can_be_loaded_and_leaves_no_audience_open(root: Path) -> None:
    fleet = load(root / "docker" / "systemd" / "customer.yml").fleet
    assert fleet.fleet == "inland"
    for line in (root / "playbooks" / "setup" / "centre.md").read_text(encoding="utf-8").splitlines():
        for name in re.findall(r"docker/[\w/.-]+", line):
            assert (root / name).exists(), name


def test_the_guide_from_an_empty_machine_was_walked_to_the_letter_within_an_hour_and_forty_lines(root: Path) -> None:
    guide = (root / "playbooks" / "setup" / "centre.md").read_text(encoding="utf-8").partition("## Keys")[0]
    typed = [line for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL) for line in block.splitlines()]
    log = (root / "playbooks" / "setup" / "centre-walkthrough.md").read_text(encoding="utf-8")
    walked = re.findall(r"^(\d\d:\d\d:\d\d) \$ (.*)$", log, re.MULTILINE)
    # Only where the repository is cloned from may differ.
    assert [re.sub(r"clone \S+", "clone", line) for _, line in walked] == [
        re.sub(r"clone \S+", "clone", line) for line in typed
    ]
    edited = re.findall(r"^ +\+ ", log, re.MULTILINE)
    assert edited
    first, last = (datetime.strptime(walked[at][0], "%H:%M:%S") for at in (0, -1))
    minutes = (last - first).total_seconds() / 60
    assert 0 < minutes <= 60
    assert f"**{len(walked)} + {len(edited)} = {len(walked) + len(edited)}**" in log
    assert len(walked) + len(edited) <= 40


@pytest.mark.needs("openssl")
def test_the_web_configuration_in_the_guide_is_taken_and_the_unit_runs_what_the_other_one_does(
    root: Path, tmp_path: Path
) -> None:
    guide = (root / "playbooks" / "setup" / "centre.md").read_text(encoding="utf-8").partition("## TLS and")[2]
    web, job = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    made = ("-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=yardlight.example.com")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", *made], cwd=tmp_path, check=True)
    (tmp_path / "web.yml").write_text(web)
    config = webconfig.load(tmp_path / "web.yml")
    assert config.tls is not None
    assert set(config.users) == {"noc", "prometheus"}
    assert yaml.safe_load(job)["basic_auth"]["username"] in config.users
    unit = (root / "docker" / "systemd" / "many-customers.conf").read_text(encoding="utf-8")
    (started,) = re.findall(r"^ExecStart=/.*$", unit, re.MULTILINE)
    assert f"{started} --web.config.file" in guide


def test_the_example_in_the_guide_to_vendors_can_be_loaded(root: Path, tmp_path: Path) -> None:
    guide = (root / "playbooks" / "setup" / "vendor.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    yard = "terminals: {fontana: {targets: [198.51.100.1], uplinks: {fiber: }}}\n"
    (tmp_path / "fleet.yml").write_text(f"fleet: inland\n{block}{yard}")
    assert load(tmp_path / "fleet.yml").fleet.feeds["gps"].account == "samsara"


def test_every_alert_in_the_guide_by_symptom_exists(root: Path) -> None:
    guide = (root / "playbooks" / "setup" / "troubleshoot.md").read_text(encoding="utf-8")
    runbooks = {path.stem for path in (root / "playbooks" / "runbooks").glob("*.md")}
    named = set(re.findall(r"\*([A-Z]\w+[a-z])\*", guide)) - {"Yardlight"}
    assert named
    assert named <= runbooks

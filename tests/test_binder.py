"""The binder: names, numbers and what to do in one file that opens without any network, and no secret in it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from yardlight import cli
from yardlight.binder import book, texts
from yardlight.binder.book import Book
from yardlight.inventory.load import load

DAY = 86400.0
FLEET = """\
fleet: inland-haul
timezone: America/Los_Angeles
include: [more.yml]
links: {grafana: "https://grafana.example.com", centre: "https://yardlight.example.com", grafana_token_file: secrets/gr}
contacts:
  oncall: {pagerduty_file: secrets/pd}
  noc: {webhook: "https://hooks.example.com/services/SECRET-IN-A-PATH"}
  dispatch: {email: dispatch@example.com, hours: weekdays}
  deadman: nobody
mail: {smarthost: "mail.example.com:587", from: yardlight@example.com, username: SECRET-USER, password_file: secrets/m}
phones: {oncall: "+1 909 555 0123", dispatch: "+1 909 555 0150 (radio channel 4)"}
calendars: {weekdays: {days: mon-fri}}
roster: {trucks: trucks.csv, drivers: drivers.csv}
accounts:
  samsara: {platform: samsara, token_file: secrets/samsara, owner: Safety office, contact: "support +1 800 555 0142"}
  kore: {platform: super_sim, client_id: SECRET-ID, client_secret_file: secrets/kore}
  graph: {platform: intune, tenant: contoso.onmicrosoft.com, client_id: SECRET-ID, client_secret_file: secrets/graph}
mdm: {tablets: {account: graph}}
cellular:
  yards: {account: kore, cycle: {day: 12}, pools: {backups: {sims: [fontana-standby], cap: 50 GB, after: throttle}}}
feeds:
  gps: {account: samsara, stream: gps, shows: truck positions, while_old: "Do not quote ETAs <b>now</b>."}
archives: {eld: {path: eld, pattern: "{driver}/{date:%Y-%m-%d}.csv", rule: rods, vendor: samsara}}
"""
MORE = """\
terminals:
  fontana:
    targets: [198.51.100.1, 198.51.100.2]
    site: {address: "1 Yard Rd", contacts: {yard: "+1 909 555 0100", gate: "+1 909 555 0101"}}
    services: {dispatch: "https://dispatch.example.com/health?token=SECRET-IN-A-QUERY"}
    router: {model: teltonika, address: 10.10.0.1, snmp: {version: 3, user: SECRET-USER, auth_file: secrets/auth}}
    uplinks:
      fiber: {bind: 10.10.0.21, circuit: {isp: "Fron<tier {{ 7 * 6 }}", id: 12/KRFN/004, support: "+1 800 555 0199"}}
      lte: {role: standby, medium: lte, bind: wwan0, sim: fontana-standby, circuit: {isp: Verizon}}
    drill: {playbook: quarterly-wan-failover}
  reno:
    targets: [198.51.100.1]
    uplinks: {fiber: {}}
"""
SECRETS = ("gr", "pd", "m", "samsara", "kore", "graph", "auth")
SHOWN = (
    "+1 909 555 0123", "+1 909 555 0150 (radio channel 4)", "+1 909 555 0100", "+1 909 555 0101", "1 Yard Rd",
    "Fron<tier {{ 7 * 6 }}", "12/KRFN/004", "+1 800 555 0199", "Verizon", "teltonika, 10.10.0.1", "PagerDuty",
    "webhook at hooks.example.com", "mail to dispatch@example.com (hours: weekdays)", "nobody, on purpose",
    "support +1 800 555 0142", "Safety office",
    "SIM fontana-standby; pool backups, account kore, cap 50 GB, then throttle",
    "truck positions", "Do not quote ETAs <b>now</b>.", "dispatch.example.com", "https://yardlight.example.com/records/",
    "Records of duty status (ELD)", "395.34(d)(1)", "390.29(b)", "Pull the cable of fiber",
    "Dispatch will drop 2 times for about 60 seconds",
)  # fmt: skip
CHAPTERS = ["When this is it", "Steps", "What to tell drivers", "Afterwards"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "eld").mkdir()
    (tmp_path / "secrets").mkdir()
    for name in SECRETS:
        (tmp_path / "secrets" / name).write_text(f"SECRET-OF-{name}\n")
    (tmp_path / "trucks.csv").write_text("truck,tablet,sims,terminal\n112,SECRET-SERIAL,890141032111185107,fontana\n")
    (tmp_path / "drivers.csv").write_text("code,hired,left,logs\nd101,2020-01-01,,eld\n")
    (tmp_path / "fleet.yml").write_text(FLEET)
    (tmp_path / "more.yml").write_text(MORE)
    return tmp_path


def made(folder: Path, now: float | None = None, terminal: str | None = None) -> str:
    inventory = load(folder / "fleet.yml")
    chosen = [each for name, each in inventory.fleet.terminals.items() if terminal in (None, name)]
    return book.page(Book(inventory, chosen, time.time() if now is None else now))


class Reader(HTMLParser):
    """A page's text, its places, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.refers: list[tuple[str, str, str]] = []
        self._words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.refers += [
            (tag, name, value or "")
            for name, value in attrs
            if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href", "background", "ping", "cite")
        ]

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self._words).split())


def test_the_binder_has_the_inventorys_names_numbers_and_contacts_as_they_are_written(folder: Path) -> None:
    text = Reader(made(folder)).text
    assert [word for word in SHOWN if word not in text] == []


def test_what_is_not_set_is_said_with_its_line_and_never_invented(folder: Path) -> None:
    text = Reader(made(folder)).text
    line = {name: number for number, name in enumerate(FLEET.splitlines(), 1)}
    phones = next(number for name, number in line.items() if name.startswith("phones:"))
    assert f"not set in fleet.yml line {phones}: phones.records" in text
    kore = next(number for name, number in line.items() if name.startswith("  kore:"))
    assert f"not set in fleet.yml line {kore}: kore.contact" in text
    lte = next(number for number, name in enumerate(MORE.splitlines(), 1) if name.startswith("      lte:"))
    assert f"not set in more.yml line {lte}: circuit.support" in text
    reno = next(number for number, name in enumerate(MORE.splitlines(), 1) if name.startswith("  reno:"))
    assert f"not set in more.yml line {reno}: site.contacts" in text


def test_nothing_of_a_secret_a_serial_number_or_a_sim_is_in_it(folder: Path) -> None:
    assert re.findall(r"SECRET[-A-Za-z]*|890141\d+", made(folder)) == []


def test_the_smallest_inventory_has_a_binder_too(tmp_path: Path) -> None:
    (tmp_path / "fleet.yml").write_text("fleet: f\nterminals: {a: {targets: [198.51.100.1], uplinks: {fiber: {}}}}\n")
    text = Reader(made(tmp_path)).text
    for part in ("No account of any vendor", "No feed is in the inventory", "No archive is", "No plan is", "No carrier",
                 "No MDM", "No service of any terminal"):  # fmt: skip
        assert part in text
    assert "not set in fleet.yml line 1: phones.oncall" in text


def test_every_link_leads_to_a_place_in_it_and_nothing_outside_is_referred_to(folder: Path) -> None:
    page = made(folder)
    read = Reader(page)
    assert len(read.ids) == len(set(read.ids))
    links = {value for tag, name, value in read.refers if (tag, name) == ("a", "href")}
    assert len(links) > 90
    assert [link for link in links if link.removeprefix("#") not in read.ids] == []
    assert [each for each in read.refers if not each[2].startswith("#")] == []
    assert re.findall(r"url\((?!#)[^)]*\)|@import|<link|<iframe|<img|<base", page) == []


def test_it_bears_the_hash_of_each_file_that_it_was_made_from_and_another_inventory_another_one(folder: Path) -> None:
    page = made(folder)
    for name in ("fleet.yml", "more.yml"):
        assert f"<td>{name}</td><td><code>{hashlib.sha256((folder / name).read_bytes()).hexdigest()}</code>" in page
    stamp = re.compile(r"inventory ([0-9a-f]{12}), good until")
    (folder / "more.yml").write_text(MORE.replace("0199", "0198"))
    assert stamp.findall(page) != stamp.findall(made(folder))


def test_it_says_when_it_was_made_and_until_when_it_may_be_used(folder: Path) -> None:
    text = Reader(made(folder, 1_790_000_000.0)).text
    assert "Made 2026-09-21 07:13 PDT by Yardlight" in text
    assert "Good until 2026-12-22 at the latest" in text


def test_of_one_terminal_it_has_that_ones_pages_and_everybodys_numbers(folder: Path) -> None:
    read = Reader(made(folder, terminal="reno"))
    assert "terminal-reno" in read.ids
    assert "terminal-fontana" not in read.ids
    assert "+1 909 555 0100" in read.text


def test_the_command_writes_it_and_says_where(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert cli.main(["render", "binder"]) == 0
    assert capsys.readouterr().err == "wrote inland-haul-binder.html\n"
    assert cli.main(["render", "binder", "--terminal", "reno"]) == 0
    assert "terminal-fontana" not in Path("inland-haul-reno-binder.html").read_text(encoding="utf-8")


def test_what_cannot_be_made_is_said_with_its_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["render", "binder", "--inventory", str(folder / "fleet.yml")]
    assert cli.main([*place, "--terminal", "fontanna"]) == 1
    assert capsys.readouterr().err == "there is no terminal 'fontanna'; did you mean 'fontana'?\n"
    assert cli.main([*place, "-o", str(folder / "none" / "b.html")]) == 1
    assert capsys.readouterr().err == f"{folder}/none/b.html: cannot be written: no such file or directory\n"
    (folder / "more.yml").write_text(MORE.replace("sim: fontana-standby", "sin: fontana-standby"))
    assert cli.main([*place, "-o", str(folder / "b.html")]) == 1
    assert f"{folder}/more.yml:9:54 terminals.fontana.uplinks.lte.sin: unknown key 'sin'" in capsys.readouterr().err
    assert not (folder / "b.html").exists()


@pytest.mark.parametrize("name", sorted(file.name for file in texts.OPERATIONS.iterdir()))
def test_an_operations_playbook_says_when_what_in_which_order_what_to_tell_drivers_and_what_comes_after(
    name: str,
) -> None:
    text = (texts.OPERATIONS / name).read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == CHAPTERS
    steps = text.partition("## Steps")[2].partition("## What to tell drivers")[0]
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \*\*", steps, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1)), "each step begins with who does it"
    assert len(numbers) >= 5
    assert re.search(r"^> \w", text.partition("## What to tell drivers")[2], re.MULTILINE)


def test_the_six_playbooks_are_there_and_a_name_that_none_knows_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {file.name for file in texts.OPERATIONS.iterdir()} == {
        "cap-reached.md", "dispatch-outage.md", "failed-failover.md", "lost-tablet.md", "records-request.md",
        "vendor-stale.md",
    }  # fmt: skip
    (tmp_path / "x.md").write_text("# Title\n\nCall {{ phones.nobody }}.\n")
    monkeypatch.setattr(texts, "OPERATIONS", tmp_path)
    with pytest.raises(UndefinedError, match="nobody"):
        texts.playbooks({"phones": {}})


def test_html_in_a_text_is_shown_and_an_address_outside_is_only_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.md").write_text("# T\n\n<script>1</script> [FMCSA](https://eld.fmcsa.dot.gov) [b](y.md) {{ a }}\n")
    monkeypatch.setattr(texts, "OPERATIONS", tmp_path)
    (only,) = texts.playbooks({"a": "<i>"})
    assert "&lt;script&gt;" in only.body
    assert "FMCSA (https://eld.fmcsa.dot.gov)" in only.body
    assert '<a href="#playbook-y">b</a> &lt;i&gt;' in only.body


def test_every_runbook_is_in_it(folder: Path) -> None:
    names = {file.name.removesuffix(".md") for file in (resources.files("yardlight") / "runbooks").iterdir()}
    assert {f"runbook-{name}" for name in names} <= set(Reader(made(folder)).ids)


def opened(folder: Path, page: str, script: str) -> str:
    """What `script` finds on the page in Chromium, at a phone's width and with no network at all."""
    (folder / "b.html").write_text(
        page.replace("</body>", f"<script>document.title = JSON.stringify({script})</script></body>"), encoding="utf-8"
    )
    command = [
        "unshare", "--user", "--map-root-user", "--net", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
        f"--user-data-dir={folder / 'profile'}", "--window-size=500,900", "--dump-dom", f"file://{folder}/b.html",
    ]  # fmt: skip
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    (title,) = re.findall(r"<title>(.*?)</title>", shown.stdout)[:1]
    return str(title)


@pytest.mark.needs("chromium", "unshare")
def test_it_opens_without_any_network_fits_a_phone_and_every_link_in_it_leads_somewhere(folder: Path) -> None:
    script = (
        "[performance.getEntriesByType('resource').length, document.documentElement.scrollWidth <= innerWidth, "
        "[...document.links].filter((e) => { e.click(); return document.querySelector(':target') === null; }).length, "
        "document.links.length > 90, getComputedStyle(document.querySelector('.unset')).fontStyle, "
        "document.getElementById('age').innerText.slice(0, 10)]"
    )
    assert opened(folder, made(folder), script) == '[0,true,0,true,"italic","Good until"]'


@pytest.mark.needs("chromium", "unshare")
@pytest.mark.parametrize(
    ("days", "says"), [(40, "Made 40 days ago. Good until"), (93, "Too old: made 93 days ago. Numbers and circuits")]
)
def test_an_old_one_says_how_old_it_is(folder: Path, days: int, says: str) -> None:
    page = made(folder, time.time() - days * DAY - 60)
    assert opened(folder, page, "document.getElementById('age').innerText").startswith(f'"{says}')


@pytest.mark.needs("chromium", "unshare")
def test_it_fits_on_letter_paper(folder: Path) -> None:
    """At the width between the margins (7.48 in, 718 CSS pixels) nothing is wider than the page."""
    page = (
        made(folder)
        .replace("@media screen and (max-width: 40rem)", "@media none")
        .replace("@media print", "@media all")
    )
    script = (
        "[...document.querySelectorAll('table, pre, svg, body')].filter((e) => e.getBoundingClientRect().right > 718)"
    )
    page = page.replace("<body>", '<body style="width: 718px">')
    assert opened(folder, page, f"{script}.map((e) => e.outerHTML.slice(0, 90))") == "[]"
    pdf = folder / "binder.pdf"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    subprocess.run(
        [*command, f"--print-to-pdf={pdf}", f"file://{folder}/b.html"], capture_output=True, check=False, timeout=100
    )
    assert len(re.findall(rb"/Type ?/Page\b", pdf.read_bytes())) > 20

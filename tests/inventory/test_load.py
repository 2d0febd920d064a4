"""What an inventory becomes: merged, filled in, placed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yardlight.errors import InventoryError
from yardlight.inventory.load import Inventory, load, load_dir
from yardlight.inventory.models import Metered
from yardlight.inventory.values import parse_duration

Write = Callable[..., Path]

SMALLEST = """
fleet: inland-haul
terminals:
  fontana:
    targets: [198.51.100.1]
    uplinks: {fiber: }
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A function that writes a file into an empty working folder and gives its relative path."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str, name: str = "fleet.yml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    return write_file


def problems(path: Path) -> list[str]:
    with pytest.raises(InventoryError) as error:
        load(path)
    return [str(problem) for problem in error.value.problems]


def test_the_smallest_inventory_is_a_fleet_a_terminal_and_an_uplink(write: Write) -> None:
    fleet = load(write(SMALLEST)).fleet
    fontana = fleet.terminals["fontana"]
    fiber = fontana.uplinks["fiber"]
    assert (fleet.fleet, fontana.name, fiber.name) == ("inland-haul", "fontana", "fiber")
    assert (fiber.role, fiber.medium, fiber.bind, fiber.metered) == ("primary", "fiber", None, False)
    assert fontana.timezone == "UTC"


def test_a_terminal_is_in_the_time_zone_of_its_fleet_unless_it_says_otherwise(write: Write) -> None:
    fleet = load(
        write("""
        fleet: inland-haul
        timezone: America/Los_Angeles
        defaults: {terminal: {targets: [198.51.100.1], uplinks: {fiber: {}}}}
        terminals:
          fontana: {}
          denver: {timezone: America/Denver}
        """)
    ).fleet
    assert fleet.terminals["fontana"].timezone == "America/Los_Angeles"
    assert fleet.terminals["denver"].timezone == "America/Denver"


@pytest.mark.parametrize(
    ("uplinks", "roles"),
    [
        ("{fiber: {bind: a}, lte: {bind: b}}", {"fiber": "primary", "lte": "standby"}),
        ("{lte: {bind: b}, fiber: {bind: a, role: primary}}", {"lte": "standby", "fiber": "primary"}),
        ("{lte: {bind: b, role: standby}, fiber: {bind: a}}", {"lte": "standby", "fiber": "primary"}),
    ],
)
def test_the_first_uplink_without_a_role_is_primary_when_none_says_so(
    write: Write, uplinks: str, roles: dict[str, str]
) -> None:
    fleet = load(write(SMALLEST.replace("{fiber: }", uplinks))).fleet
    assert {name: uplink.role for name, uplink in fleet.terminals["fontana"].uplinks.items()} == roles


@pytest.mark.parametrize(
    ("uplink", "metered"),
    [
        ("lte: {}", Metered()),
        ("5g: {}", Metered()),
        ("wan2: {medium: satellite}", Metered()),
        ("lte: {metered: false}", False),
        ("lte: {metered: no}", False),
        ("fiber: {}", False),
        ("cable: {metered: true}", Metered()),
        (
            "lte: {metered: {budget: 2 GB, per: 7d}}",
            Metered.model_construct(budget=2 * 10**9, per=604800.0, reserve=0.3),
        ),
    ],
)
def test_lte_5g_and_satellite_are_metered_unless_told_otherwise(
    write: Write, uplink: str, metered: Metered | bool
) -> None:
    fleet = load(write(SMALLEST.replace("fiber: ", uplink))).fleet
    assert next(iter(fleet.terminals["fontana"].uplinks.values())).metered == metered


MERGED = """
fleet: inland-haul
defaults:
  terminal: {page_after: 20s, switch_within: 90s, failback_within: 5m}
  uplink: {timeout: 1s, up_after: 7s}
classes:
  small-yard:
    targets: [198.51.100.1, 198.51.100.2]
    switch_within: 120s
    page_after: 30s
    uplinks:
      fiber: {up_after: 8s, degraded: {loss: 2%, rtt: 80ms}}
      lte: {bind: wwan0, sim: spare}
terminals:
  fontana:
    class: small-yard
    page_after: 40s
    uplinks:
      fiber: {bind: 10.10.0.21, degraded: {rtt: 120ms}}
"""


def test_a_terminal_wins_over_its_class_and_the_class_over_defaults_field_by_field(write: Write) -> None:
    fontana = load(write(MERGED)).fleet.terminals["fontana"]
    fiber, lte = fontana.uplinks["fiber"], fontana.uplinks["lte"]
    assert (fontana.page_after, fontana.switch_within, fontana.failback_within) == (40.0, 120.0, 300.0)
    assert (fiber.timeout, fiber.up_after, lte.up_after) == (1.0, 8.0, 7.0)
    assert (fiber.degraded.loss, fiber.degraded.rtt) == (0.02, 0.12)
    assert (fiber.role, lte.role, lte.sim) == ("primary", "standby", "spare")


def test_a_list_of_a_terminal_replaces_that_of_its_class(write: Write) -> None:
    text = MERGED.replace("page_after: 40s", "targets: [203.0.113.9]")
    assert [target.label for target in load(write(text)).fleet.terminals["fontana"].targets] == ["203.0.113.9"]


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("terminals.fontana.page_after", 16, 5),
        ("terminals.fontana.switch_within", 8, 5),
        ("terminals.fontana.failback_within", 3, 51),
        ("terminals.fontana.uplinks.fiber.degraded.rtt", 18, 44),
        ("terminals.fontana.uplinks.fiber.degraded.loss", 11, 40),
        ("terminals.fontana.uplinks.fiber.timeout", 4, 12),
        ("terminals.fontana.targets.1", 7, 29),
        ("terminals.fontana.uplinks.lte.role", 12, 7),
    ],
)
def test_a_field_is_located_where_the_value_that_won_was_written(
    write: Write, path: str, line: int, column: int
) -> None:
    place = load(write(MERGED)).locate(tuple(path.split(".")))
    assert (place.file, place.line, place.column) == ("fleet.yml", line, column)


def test_files_are_included_relative_to_the_file_that_includes_them(write: Write) -> None:
    write("terminals: {reno: {class: tiny, uplinks: {fiber: {}}}}\n", "fleets/sites/west.yml")
    write("include: [west.yml]\nclasses: {tiny: {targets: [198.51.100.9]}}\n", "fleets/sites/all.yml")
    inventory = load(write(SMALLEST + "include: [sites/all.yml]\n", "fleets/inland.yml"))
    assert list(inventory.fleet.terminals) == ["fontana", "reno"]
    assert inventory.files == (
        Path("fleets/inland.yml"), Path("fleets/sites/all.yml"), Path("fleets/sites/west.yml")
    )  # fmt: skip
    assert inventory.locate(("terminals", "reno", "uplinks")).file == "fleets/sites/west.yml"
    assert inventory.locate(("terminals", "reno", "targets")).file == "fleets/sites/all.yml"


def test_a_mistake_in_an_included_file_names_that_file(write: Write) -> None:
    write("terminals:\n  reno: {targets: [198.51.100.9], uplinks: {fiber: {role: spare}}}\n", "west.yml")
    assert problems(write(SMALLEST + "include: [west.yml]\n")) == [
        "west.yml:2:53 terminals.reno.uplinks.fiber.role: 'spare' is not one of primary, standby"
    ]


def test_problems_come_all_at_once_in_the_order_of_files_and_lines(write: Write) -> None:
    write("terminals:\n  reno: {stage: test, targets: [198.51.100.9], uplinks: {wan: {}}}\n", "a-west.yml")
    found = problems(
        write(
            """
            fleet: inland haul
            include: [a-west.yml]
            terminals:
              fontana:
                page_after: soon
                uplinks: {fiber: {rolle: primary}}
            calendars: {weekdays: {days: always}}
            zone: UTC
            """
        )
    )
    assert [text.split(" ")[0] for text in found] == [
        "fleet.yml:1:1", "fleet.yml:4:3", "fleet.yml:5:5", "fleet.yml:6:23", "fleet.yml:7:24", "fleet.yml:8:1",
        "a-west.yml:2:10", "a-west.yml:2:58",
    ]  # fmt: skip


def test_a_mistake_in_a_class_is_said_once_for_all_terminals_of_it(write: Write) -> None:
    terminals = "".join(f"  yard{number}: {{class: small, uplinks: {{fiber: {{}}}}}}\n" for number in range(50))
    text = "fleet: inland-haul\nclasses: {small: {targets: [198.51.100.1], stage: test}}\nterminals:\n"
    assert problems(write(text + terminals)) == ["fleet.yml:2:44 classes.small.stage: 'test' is not one of live, trial"]


def test_what_the_user_wrote_stays_text(write: Write) -> None:
    fleet = load(
        write("""
        fleet: 007
        terminals:
          no:
            targets: [198.51.100.1]
            site: {address: 12}
            uplinks: {fiber: {circuit: {id: 0012, isp: yes}, quorum: 1}}
        """)
    ).fleet
    fiber = fleet.terminals["no"].uplinks["fiber"]
    assert (fleet.fleet, fleet.terminals["no"].site.address) == ("007", "12")
    assert (fiber.circuit.id, fiber.circuit.isp, fiber.quorum) == ("0012", "yes", 1)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.strip().replace("\n", "\r\n").encode())
    assert load(path).locate(("terminals", "fontana")).line == 3


def test_a_file_that_is_not_there_is_one_clear_line(write: Write) -> None:
    write(SMALLEST)
    assert problems(Path("flet.yml")) == [
        "flet.yml cannot be read: no such file or directory; `yardlight init` writes a first one"
    ]


def test_a_path_in_a_message_is_as_the_user_gave_it(write: Write) -> None:
    path = write(SMALLEST.replace("fleet: inland-haul", "fleet: x y"), "fleets/inland.yml")
    assert problems(path)[0].startswith("fleets/inland.yml:1:1 fleet: ")
    assert problems(path.resolve())[0].startswith(f"{path.resolve()}:1:1 fleet: ")


def test_one_broken_file_never_stops_the_other_fleets(write: Write) -> None:
    write(SMALLEST, "fleets/a.yml")
    write("fleet: [", "fleets/b.yml")
    write(SMALLEST.replace("inland-haul", "coast-haul"), "fleets/c.yaml")
    write("not an inventory", "fleets/README.md")
    inventories, errors = load_dir(Path("fleets"))
    assert [inventory.fleet.fleet for inventory in inventories] == ["inland-haul", "coast-haul"]
    assert [error.problems[0].file for error in errors] == ["fleets/b.yml"]


def test_two_files_of_a_folder_must_not_be_the_same_fleet(write: Write) -> None:
    write(SMALLEST, "fleets/a.yml")
    write(SMALLEST, "fleets/b.yml")
    inventories, errors = load_dir(Path("fleets"))
    assert [inventory.path for inventory in inventories] == [Path("fleets/a.yml")]
    assert [str(error) for error in errors] == [
        "fleets/b.yml:1:1 fleet: 'inland-haul' is already the fleet of fleets/a.yml"
    ]


def test_a_copy_in_which_the_name_was_not_changed_takes_nobodys_place(write: Write) -> None:
    write(SMALLEST, "fleets/inland-haul.yml")
    write(SMALLEST, "fleets/coastal.yml")
    inventories, errors = load_dir(Path("fleets"))
    assert [inventory.path for inventory in inventories] == [Path("fleets/inland-haul.yml")]
    assert [error.path for error in errors] == [Path("fleets/coastal.yml")]
    inventories, errors = load_dir(Path("fleets"), running=[Path("fleets/coastal.yml")])
    assert [inventory.path for inventory in inventories] == [Path("fleets/coastal.yml")]


def test_an_editors_own_files_are_no_fleets_and_a_mistake_is_that_of_its_file(write: Write) -> None:
    write(SMALLEST, "fleets/inland-haul.yml")
    write("fleet: [", "fleets/.#coastal.yml")
    write("include: [more/shared.yml]\nfleet: coastal\nterminals: {a: {uplinks: {fiber: {}}}}", "fleets/coastal.yml")
    write("fleet: [", "fleets/more/shared.yml")
    inventories, errors = load_dir(Path("fleets"))
    assert [inventory.path for inventory in inventories] == [Path("fleets/inland-haul.yml")]
    assert [error.path for error in errors] == [Path("fleets/coastal.yml")]


def test_two_fleets_may_have_a_terminal_of_one_name(write: Write) -> None:
    write(SMALLEST, "fleets/a.yml")
    write(SMALLEST.replace("inland-haul", "coast-haul"), "fleets/b.yml")
    inventories, errors = load_dir(Path("fleets"))
    assert not errors
    assert [list(inventory.fleet.terminals) for inventory in inventories] == [["fontana"], ["fontana"]]


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_inventories_is_an_error_and_not_silence(write: Write, folder: str) -> None:
    write("nothing here", "README.md")
    inventories, errors = load_dir(Path(folder))
    assert not inventories
    assert len(errors) == 1


def five_hundred() -> str:
    head = """\
fleet: inland-haul
timezone: America/Los_Angeles
calendars: {mornings: {days: mon-fri, hours: "04:00-09:00", holidays: US}}
classes:
  small-yard:
    targets: [198.51.100.1, 198.51.100.2, 203.0.113.53]
    switch_within: 60s
    site: {peak: mornings}
    uplinks:
      fiber: {degraded: {loss: 5%, rtt: 120ms}, circuit: {isp: Frontier}}
      lte: {bind: wwan0}
terminals:
"""
    return head + "".join(
        f"  yard{number:03}: {{class: small-yard, uplinks: {{fiber: {{bind: 10.10.{number // 250}.{number % 250}, "
        f"circuit: {{id: 12/KRFN/{number:03}}}}}, lte: {{sim: yard{number:03}-standby}}}}}}\n"
        for number in range(500)
    )


def test_500_terminals_fit_in_600_lines(write: Write) -> None:
    text = five_hundred()
    inventory = load(write(text))
    assert len(text.splitlines()) <= 600
    assert len(inventory.fleet.terminals) == 500
    last = inventory.fleet.terminals["yard499"]
    assert last.site.peak == "mornings"
    assert last.uplinks["fiber"].circuit.model_dump() == {
        "isp": "Frontier", "id": "12/KRFN/499", "support": None, "outside": None, "sla": None,
    }  # fmt: skip
    assert inventory.locate(("terminals", "yard499")).line == len(text.splitlines())


def test_an_inventory_cannot_be_changed(write: Write) -> None:
    inventory: Inventory = load(write(SMALLEST))
    with pytest.raises(ValueError, match="frozen"):
        inventory.fleet.terminals["fontana"].page_after = 1.0  # type: ignore[misc]


def test_an_alias_is_the_same_as_writing_it_again(write: Write) -> None:
    text = SMALLEST.replace("[198.51.100.1]", "&far [198.51.100.1]") + "  reno: {targets: *far, uplinks: {lte: }}\n"
    fleet = load(write(text)).fleet
    assert fleet.terminals["reno"].targets == fleet.terminals["fontana"].targets


def test_a_file_nested_too_deeply_is_one_clear_line(write: Write) -> None:
    assert problems(write(f"fleet: {'[' * 900}{']' * 900}")) == ["fleet.yml is nested too deeply"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    budget=st.integers(1, 900),
    reserve=st.integers(0, 99),
    per=st.sampled_from(["month", "7d", "1d", "90m"]),
    targets=st.sampled_from(["198.51.100.1", "tcp://example.com:443", "2001:db8::1"]),
    interval=st.sampled_from(["150ms", "1.23s", "30s"]),
    metered=st.booleans(),
)
def test_the_shortest_down_after_that_is_printed_is_accepted(
    tmp_path: Path, budget: int, reserve: int, per: str, targets: str, interval: str, metered: bool
) -> None:
    path = tmp_path / "fleet.yml"

    def write_with(down_after: str) -> None:
        plan = f"{{budget: {budget} MB, reserve: {reserve}%, per: {per}}}" if metered else "false"
        path.write_text(
            f'{{fleet: f, terminals: {{t: {{targets: ["{targets}"], uplinks: '
            f"{{lte: {{metered: {plan}, interval: {interval}, down_after: {down_after}}}}}}}}}}}"
        )

    write_with("1ms")
    message = problems(path)[0]
    shortest = re.search(r"is under three intervals of .*; the shortest is (\S+)$", message)
    assert shortest, message
    write_with(shortest[1])
    assert load(path).fleet.terminals["t"].uplinks["lte"].down_after == parse_duration(shortest[1])

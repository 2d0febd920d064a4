"""ELDs that do not work, and models that were revoked: since when, how many, and by when it has to be over."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.feeds.days import LA
from tests.feeds.test_logbook import plan
from tests.living import DAY, HOUR, MINUTE, Living
from tests.vendor import Answer, Asked
from yardlight import catalogue as m
from yardlight.collection import Source
from yardlight.demo.faces import iso
from yardlight.errors import InventoryError
from yardlight.feeds import domain, elds
from yardlight.feeds.memory import Broken, Memory, recalled
from yardlight.feeds.record import Record
from yardlight.feeds.show import show
from yardlight.inventory.load import load

NOW = 100 * DAY
KEY = ("vendor", "logs")


def fleet(folder: Path, revoked: str, trucks: str) -> dict[object, dict[tuple[str, ...], float | None]]:
    """What is said of models, by metric."""
    (folder / "revoked.csv").write_text(f"model,revoked\n{revoked}", encoding="utf-8")
    (folder / "trucks.csv").write_text(f"truck,eld_model,status\n{trucks}", encoding="utf-8")
    (folder / "fleet.yml").write_text(
        "fleet: inland\ntimezone: America/Los_Angeles\nroster: {trucks: trucks.csv, revoked_elds: revoked.csv}\n"
        'terminals: {fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}}\n',
        encoding="utf-8",
    )
    said = domain.said(load(folder / "fleet.yml").fleet, NOW)
    return {metric: dict(samples) for metric, samples in said.items()}  # type: ignore[arg-type]


def test_trucks_with_a_revoked_model_have_sixty_days(tmp_path: Path) -> None:
    said = fleet(tmp_path, "LogIt 2,2026-01-10\nOther,2026-02-01\n", "T1,logit 2,\nT2,LogIt 2,retired\nT3,Fine,\n")
    assert said[m.ELD_REVOKED] == {("LogIt 2",): 1, ("Other",): 0}
    # The 60th day is March 11.
    assert said[m.ELD_REPLACE_BY]["LogIt 2",] == datetime(2026, 3, 12, tzinfo=LA).timestamp()


def test_a_list_of_revoked_models_with_a_mistake_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as refused:
        fleet(tmp_path, "LogIt 2,soon\nOther,\n", "T1,,\n")
    assert [str(each).rpartition("/")[2] for each in refused.value.problems] == [
        "revoked.csv:2:2 revoked: 'soon' is not a date; write 2026-02-03",
        "revoked.csv:3:1 revoked: is missing; write the day like 2026-02-03",
    ]


def told(*records: tuple[float, bool | None, str]) -> float | None:
    """Since when an ELD does not work that told this: hours from now, whether, and what of it."""
    there: Broken = {}
    for hours, broken, kind in records:
        elds.note(Record("1", NOW + hours * HOUR, malfunction=broken, malfunction_kind=kind), there)
    begun = elds.since(there)
    return None if begun is None else (begun - NOW) / HOUR


def test_a_malfunction_counts_from_the_first_record_that_says_so_until_one_says_that_it_is_over() -> None:
    assert told((-9, True, ""), (-8, True, ""), (-7, None, "")) == -9
    assert told((-9, True, ""), (-8, False, "")) is None
    assert told((-9, True, ""), (-8, False, ""), (-3, True, "")) == -3
    assert told() is None


def test_of_two_things_that_do_not_work_one_that_works_again_leaves_the_other() -> None:
    assert told((-9, True, "P"), (-8, True, "E"), (-7, False, "P")) == -8
    assert told((-9, True, "P"), (-8, True, "E"), (-7, False, "P"), (-6, False, "E")) is None
    # Without a word on which, everything works.
    assert told((-9, True, "P"), (-8, True, "E"), (-7, False, "")) is None


def test_what_a_vendor_tells_again_and_what_comes_late_changes_nothing() -> None:
    days = [(-9.0, True, "P"), (-7.0, False, "P")]
    assert told(*days, *days) is None
    assert told(days[1], days[0]) is None


def test_an_older_state_file_is_taken_over_with_the_elds_that_did_not_work() -> None:
    noon = datetime(2026, 1, 7, 12, tzinfo=LA).timestamp()
    before = {
        unit: [noon, True, noon, "digest", unit, {}, noon, None, None, since]
        for unit, since in (("1", None), ("2", noon - DAY))
    }
    kept = recalled({"seen": before})
    assert [each.truck for each in kept.seen.values()] == ["1", "2"]
    assert kept.elds == {"2": {"": (noon, noon - DAY)}}
    assert recalled(kept.to_json()).elds == kept.elds


def test_a_truck_that_falls_silent_still_has_no_eld_that_works(tmp_path: Path) -> None:
    how = plan(tmp_path).model_copy(update={"elds": True, "log": False})
    source = Source("inland", "vendor", "feeds/logs", how, tmp_path)
    first = show(source, [Record("1FU", NOW, truck="1FU", malfunction=True)], None, NOW)
    assert first.families[m.ELD_MALFUNCTIONS] == {KEY: 1}
    assert first.families[m.ELD_MALFUNCTION_SINCE] == {KEY: NOW}
    later = NOW + 20 * DAY
    other = [Record("T2", later, truck="T2", malfunction=False)]
    second = show(source, other, first.memory, later)
    assert second.families[m.ELD_MALFUNCTIONS] == {KEY: 1}
    works = show(source, [Record("1FU", later, truck="1FU", malfunction=False)], second.memory, later)
    assert works.families[m.ELD_MALFUNCTIONS] == {KEY: 0}
    assert m.ELD_MALFUNCTION_SINCE not in works.families or works.families[m.ELD_MALFUNCTION_SINCE] == {KEY: None}


def test_without_a_word_on_elds_nothing_is_said_of_them(tmp_path: Path) -> None:
    source = Source("inland", "vendor", "feeds/logs", plan(tmp_path), tmp_path)
    told = show(source, [Record("1FU", NOW, truck="1FU")], Memory().to_json(), NOW)
    assert m.ELD_MALFUNCTIONS not in told.families


def test_an_eld_that_works_again_is_forgotten_and_one_that_does_not_is_for_two_months(tmp_path: Path) -> None:
    memory = Memory(elds={"t1": {"P": (NOW, NOW - DAY)}, "t2": {"P": (NOW, None)}})
    assert recalled(memory.to_json()).elds == memory.elds
    assert set(elds.kept(memory.elds, NOW + 13 * DAY)) == {"t1", "t2"}
    assert set(elds.kept(memory.elds, NOW + 15 * DAY)) == {"t1"}
    assert elds.kept(memory.elds, NOW + 61 * DAY) == {}


class Elds(Living):
    """Trucks 101 and 102 with Samsara's ELDs. `events` are malfunctions: when, on which, logged (1) or cleared (2)."""

    def __init__(self, folder: Path, start: float, step: float) -> None:
        super().__init__(folder, start, step)
        self.events: list[tuple[float, str, int, str]] = []
        self.model, self.poll = "LogIt-2", "1h"

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/beta/fleet/hos/drivers/eld-events"
        begin, end = (datetime.fromisoformat(asked.query[name]).timestamp() for name in ("startTime", "endTime"))
        told = [
            {"eldEventType": 7, "eldEventCode": code, "malfunctionDiagnosticCode": what, "time": iso(at),
             "vehicle": {"id": truck, "name": truck}}
            for at, truck, code, what in self.events
            if begin <= at <= end
        ]  # fmt: skip
        page = {"endCursor": "", "hasNextPage": False}
        return Answer({"data": [{"id": "77", "eldEvents": told}], "pagination": page})

    def write(self) -> None:
        (self.folder / "secret").write_text("very-secret-token\n", encoding="utf-8")
        (self.folder / "revoked.csv").write_text("model,revoked\nLogIt-2,2026-01-06\n", encoding="utf-8")
        (self.folder / "trucks.csv").write_text(f"truck,eld_model\n101,{self.model}\n102,Fine\n", encoding="utf-8")
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: inland
timezone: America/Los_Angeles
roster: {{trucks: trucks.csv, revoked_elds: revoked.csv}}
accounts: {{samsara: {{platform: samsara, url: "{self.vendor.url}", token_file: secret}}}}
feeds: {{elds: {{account: samsara, stream: eld_events, poll: {self.poll}}}}}
terminals: {{fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}}}
""",
            encoding="utf-8",
        )


MONDAY = datetime(2026, 1, 5, tzinfo=LA).timestamp()


@pytest.mark.needs("promtool")
def test_an_eld_that_does_not_work_is_told_with_what_is_left_of_eight_days_until_the_vendor_says_that_it_does(
    tmp_path: Path,
) -> None:
    broke, other = MONDAY + 10.2 * HOUR, MONDAY + 12.2 * HOUR
    mended = broke + 8.5 * DAY
    with Elds(tmp_path, MONDAY, HOUR) as elds_:
        elds_.model, elds_.poll = "Fine", "2h"
        # Two things break on 101, of which one is mended soon; 102 starts anew and is well within minutes.
        elds_.events = [
            (broke, "101", 1, "P"), (other, "101", 1, "E"), (other + HOUR, "101", 2, "E"), (mended, "101", 2, "P"),
            (other, "102", 1, "T"), (other + 5 * MINUTE, "102", 2, "T"),
        ]  # fmt: skip
        elds_.at(broke + 2 * DAY, elds_.restart)
        elds_.until(MONDAY + 10 * DAY)
        told, words = elds_.told(
            ("EldMalfunction", broke + 5 * HOUR), ("EldMalfunction", broke + 6 * DAY), ("EldMalfunction", mended - HOUR)
        )
    assert len(told) == 1, told
    [(alert, when)] = told.items()
    assert (alert.what, alert.audience) == ("ticket EldMalfunction elds", "compliance")
    assert broke <= when.first <= broke + 4 * HOUR
    assert mended - HOUR <= when.last <= mended + 3 * HOUR
    begun, late, over = (each["summary"] for each in words)
    assert "does not work in 1 truck," in begun
    assert "repaired within 7d 1" in begun
    assert "repaired within 2d 0h" in late or "repaired within 1d 23h" in late
    assert "the 8 days for the first one are over" in over


@pytest.mark.needs("promtool")
def test_a_revoked_model_is_told_with_what_is_left_of_sixty_days_until_the_roster_has_another_one(
    tmp_path: Path,
) -> None:
    day = datetime(2026, 1, 20, tzinfo=LA).timestamp()
    # 60 days after January 6.
    over = datetime(2026, 3, 8, tzinfo=LA).timestamp()

    def replaced() -> None:
        elds_.model = "Fine"
        elds_.restart()

    with Elds(tmp_path, day, 6 * HOUR) as elds_:
        elds_.poll = "4d"
        elds_.at(over + 3 * DAY, replaced)
        elds_.until(over + 4 * DAY)
        told, words = elds_.told(
            ("EldRevoked", day + DAY), ("EldRevoked", over - 12 * HOUR), ("EldRevoked", over + DAY)
        )
    assert len(told) == 1, told
    [(alert, when)] = told.items()
    assert (alert.what.split()[:2], alert.audience) == (["ticket", "EldRevoked"], "compliance")
    assert when.first <= day + 6 * HOUR
    assert over + 3 * DAY - 6 * HOUR <= when.last <= over + 3 * DAY
    begun, late, after = (each["summary"] for each in words)
    assert "1 truck has the ELD LogIt-2" in begun
    assert "Replace it within 46 days" in begun
    assert "Replace it within" in late
    assert "the 60 days are over" in after

"""ELDs that do not work, and models that were revoked: since when, how many, and by when it has to be over."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.feeds.days import LA
from tests.feeds.test_logbook import plan
from tests.living import DAY, HOUR
from yardlight import catalogue as m
from yardlight.collection import Source
from yardlight.errors import InventoryError
from yardlight.feeds import domain, elds
from yardlight.feeds.memory import Memory, Seen
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


@pytest.mark.parametrize(
    ("told", "before", "since"),
    [(True, None, NOW), (True, NOW - DAY, NOW - DAY), (None, NOW - DAY, NOW - DAY), (False, NOW - DAY, None)],
)
def test_a_malfunction_counts_from_the_first_record_that_says_so(
    told: bool | None, before: float | None, since: float | None
) -> None:
    assert elds.since(Record("1", NOW, malfunction=told), Seen(NOW - HOUR, malfunction=before)) == since


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

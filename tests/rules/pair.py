"""Two centers that are not of one mind: somebody changed the inventory of one, and not yet that of the other."""

from __future__ import annotations

from dataclasses import dataclass

from tests.rules.scenarios import AT_RISK, CUT, DEAD_LTE, END, HEAL, LOSSY, NO_STANDBY, ON_LTE, Scenario, failover
from tests.rules.yard import STEP, Centre, Labels, Series, Yard, line

CHANGED = 60.0
FIBER: Labels = {
    "uplink": "fiber", "role": "primary", "medium": "fiber", "isp": "Frontier", "circuit": "12/KRFN/004",
    "support": "+1 800 555 0199",
}  # fmt: skip
LTE: Labels = {"uplink": "lte", "role": "standby", "medium": "lte", "isp": "Verizon", "circuit": "", "support": ""}


@dataclass(frozen=True)
class Second:
    """What another center says of lines from `CHANGED` on, beside the scenario's own."""

    lines: tuple[Labels, ...]
    moved: float | None = None

    def series(self, centre: Centre, end: float) -> Series:
        place = {"fleet": "inland-haul", "terminal": "fontana", "instance": "centre-3:10480", "job": "yardlight-centre"}
        before, after = int(CHANGED / STEP), int((end - CHANGED) / STEP)
        for each in self.lines:
            yield line("yardlight_uplink_info", {**place, **each}), f"_x{before} 1x{after}"


PAIR = (
    Scenario(
        "pair-roles", "T01, and another center says for a while already that LTE is the primary: told as by the first",
        (failover(15),), END,
        ((0, CUT + 10, ()), (CUT + 25, HEAL + 15, ON_LTE), (HEAL + 30, END, ())),
        platform=Second(({**FIBER, "role": "standby"}, {**LTE, "role": "primary"})), moved=CUT + 150,
    ),
    Scenario(
        "pair-words", "T08, and another center has another medium for one line and another number to call for both",
        (Yard(lines={"fiber": LOSSY, "lte": DEAD_LTE}),), END,
        (
            (130, CUT + 50, NO_STANDBY),
            (CUT + 70, HEAL - 5, (*NO_STANDBY, *AT_RISK)),
            (HEAL + 10, END, NO_STANDBY),
        ),
        platform=Second((
            {**FIBER, "medium": "lte", "support": "+1 800 555 0100"}, {**LTE, "support": "+1 800 555 0101"},
        )),
        moved=CUT + 150,
    ),
)  # fmt: skip

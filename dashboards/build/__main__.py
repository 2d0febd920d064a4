"""Write every board to dashboards/*.json. Run it after a change; a test compares."""

from dashboards.build import cellular, compliance, feeds, fleets, itself, now, tablets, terminal, wall
from dashboards.build.house import FOLDER, text

for module in (cellular, compliance, feeds, fleets, itself, now, tablets, terminal, wall):
    name = module.__name__.rpartition(".")[2]
    (FOLDER / f"{name}.json").write_text(text(module.board()), encoding="utf-8")

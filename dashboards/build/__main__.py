"""Write every board to dashboards/*.json. Run it after a change; a test compares."""

from dashboards.build import cellular, tablets, terminal
from dashboards.build.house import FOLDER, text

for name, board in {"cellular": cellular.board(), "tablets": tablets.board(), "terminal": terminal.board()}.items():
    (FOLDER / f"{name}.json").write_text(text(board), encoding="utf-8")

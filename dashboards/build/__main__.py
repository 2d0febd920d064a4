"""Write every board to dashboards/*.json. Run it after a change; a test compares."""

from dashboards.build import cellular, feeds, tablets, terminal
from dashboards.build.house import FOLDER, text

BOARDS = {
    "cellular": cellular.board(),
    "feeds": feeds.board(),
    "tablets": tablets.board(),
    "terminal": terminal.board(),
}
for name, board in BOARDS.items():
    (FOLDER / f"{name}.json").write_text(text(board), encoding="utf-8")

"""`python -m tests.rules` rewrites alert_rules/tests/ from the scenarios."""

from tests.rules.promtool import FOLDER, files

FOLDER.mkdir(exist_ok=True)
for name, text in files().items():
    (FOLDER / name).write_text(text, encoding="utf-8")

"""The outcome of each drill, as its evidence says it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yardlight.drills.session import Result
from yardlight.errors import DrillError
from yardlight.sealing import RECORD


@dataclass(frozen=True)
class Record:
    """The outcome of one drill, as it stands in record.json. Times are unix seconds; `body` is the whole document."""

    folder: Path
    body: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.body["drill"])

    @property
    def terminal(self) -> str:
        return str(self.body["terminal"])

    @property
    def playbook(self) -> str:
        return str(self.body["playbook"])

    @property
    def ended(self) -> float:
        return float(self.body["ended"])

    @property
    def result(self) -> Result:
        result: Result = self.body["result"]
        return result


def read(folder: Path) -> Record:
    """The record of a drill. Raises `DrillError` if there is none."""
    try:
        return Record(folder, json.loads((folder / RECORD).read_bytes()))
    except FileNotFoundError:
        raise DrillError(f"{folder} holds no finished drill") from None
    except (OSError, ValueError) as error:
        raise DrillError(f"{folder / RECORD} cannot be read: {error}") from None


def records(folder: Path) -> list[Record]:
    """Every finished drill below this folder, oldest first; what cannot be read is left out."""
    found = []
    for file in folder.glob(f"*/{RECORD}"):
        try:
            record = read(file.parent)
            record.ended, record.result  # noqa: B018
        except (DrillError, KeyError, ValueError, TypeError):
            continue
        found.append(record)
    return sorted(found, key=lambda each: each.ended)

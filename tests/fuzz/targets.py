"""Everything that can be fed, by name."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import files, vendors
from tests.fuzz.files import Parser


def targets(folder: Path) -> dict[str, Parser]:
    """Parsers of bytes, which have seeds, and vendors, whose bytes are decisions; files are laid in the folder."""
    return {**files.parsers(folder), **{name: Parser(run, ()) for name, run in vendors.targets(folder).items()}}

"""Files that others may have open while they are written again."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write the file whole or not at all: nobody ever reads half of it. Raises `OSError`."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)

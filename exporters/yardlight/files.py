"""Files that others may have open while they are written again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from yardlight.errors import StartError


def replace(path: Path, data: bytes) -> None:
    """Write the file whole or not at all: nobody ever reads half of it. Raises `OSError`."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


def deliver(text: str, output: Path | None) -> int:
    """Print what a command made, or write it into the file and say so; 0. Raises `StartError`."""
    if output is None:
        print(text, end="")
        return 0
    try:
        replace(output, text.encode())
    except OSError as error:
        raise StartError(f"{output}: cannot be written: {(error.strerror or str(error)).lower()}") from None
    print(f"wrote {output}", file=sys.stderr)
    return 0

"""Secrets come from files of their own, so that an inventory can be shown to anybody."""

from __future__ import annotations

from pathlib import Path

from yardlight.inventory.values import Secret


def read_secret(path: str, base: Path, lines: bool = False) -> Secret:
    """The secret in the file `path`, relative to the folder `base`, without the line end an editor adds.

    `lines`: it may have several, as keys have that are given out as a file. Raises `ValueError` with a sentence that
    names the file and never its content.
    """
    try:
        text = (base / path).read_bytes().decode("utf-8")
    except OSError as error:
        raise ValueError(f"cannot read the secret file {path!r}: {(error.strerror or 'error').lower()}") from None
    except UnicodeDecodeError:
        raise ValueError(f"cannot read the secret file {path!r}: it is not UTF-8 text") from None
    secret = text.rstrip("\r\n")
    if not secret.strip():
        raise ValueError(f"the secret file {path!r} is empty")
    if "\n" in secret and not lines:
        raise ValueError(f"the secret file {path!r} has more than one line")
    return Secret(secret)

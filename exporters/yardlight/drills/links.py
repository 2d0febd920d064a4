"""One-time links: who holds one may run one drill of one terminal, from a phone or from the centre, without a shell.

Only a hash of each token is kept, in a file beside the evidence. A link opens one drill: it stays good for that one
until it is over, and is worth nothing afterwards or when it was not used in time.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from fcntl import LOCK_EX, flock
from pathlib import Path

from yardlight import sealing
from yardlight.errors import DrillError
from yardlight.journal import hand_over, make_folder

VALID_SECONDS = 86400.0
_BYTES = 24


@dataclass(frozen=True)
class Link:
    """What a token stands for; `drill` is the one it opened, empty before. Times are unix seconds."""

    hash: str
    terminal: str
    playbook: str
    made_by: str
    until: float
    drill: str = ""
    over: bool = False


class Links:
    """The links of a fleet, in one file of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "links.json"

    def make(self, terminal: str, playbook: str, made_by: str, now: float, valid: float = VALID_SECONDS) -> str:
        """A new token; it is nowhere else."""
        token = secrets.token_urlsafe(_BYTES)
        with self._changing(now) as links:
            links.append(Link(_hash(token), terminal, playbook, made_by, now + valid))
        return token

    def find(self, token: str, now: float) -> Link:
        """What it stands for. Raises `DrillError` if it is none, was used up or is too old."""
        found = next((link for link in self._read() if secrets.compare_digest(link.hash, _hash(token))), None)
        if found is None:
            raise DrillError("this is not a drill link; make one with `yardlight drill link`")
        if found.over:
            raise DrillError("this drill link was used; make another one with `yardlight drill link`")
        if not found.drill and now > found.until:
            raise DrillError("this drill link is too old; make another one with `yardlight drill link`")
        return found

    def knows(self, token: str) -> bool:
        """Whether it was made here, good or not."""
        try:
            return any(link.hash == _hash(token) for link in self._read())
        except DrillError:
            return False

    def opened(self, token: str, drill: str, now: float) -> None:
        """It opened this drill, and opens no other."""
        with self._changing(now) as links:
            links[:] = [replace(link, drill=drill) if link.hash == _hash(token) else link for link in links]

    def used(self, drill: str, now: float) -> None:
        """The drill is over: its link is worth nothing any more."""
        with self._changing(now) as links:
            links[:] = [replace(link, over=True) if link.drill == drill else link for link in links]

    def _read(self) -> list[Link]:
        try:
            return [Link(**entry) for entry in json.loads(self._path.read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            raise DrillError(f"{self._path} cannot be read: {error}") from None

    @contextmanager
    def _changing(self, now: float) -> Iterator[list[Link]]:
        """The links to be changed in place, then written whole; two who do so at once wait for each other."""
        try:
            make_folder(self._path.parent)
            with self._path.with_name(".links.lock").open("w") as lock:
                hand_over(self._path.with_name(".links.lock"))
                flock(lock, LOCK_EX)
                links = [link for link in self._read() if now < link.until + VALID_SECONDS]
                yield links
                sealing.write(self._path.parent, self._path.name, [asdict(link) for link in links])
        except OSError as error:
            raise DrillError(f"{self._path} cannot be written: {(error.strerror or str(error)).lower()}") from None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

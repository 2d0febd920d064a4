"""For a moment in each run of the tests; `make fuzz` feeds the same parsers for longer, led by what is reached."""

from __future__ import annotations

import atexit
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.fuzz import files
from tests.fuzz.files import near
from tests.fuzz.targets import targets
from yardlight import moment
from yardlight.client import retry_after
from yardlight.terminal import packets

EXAMPLES = 60
FOLDER = Path(tempfile.mkdtemp(prefix="yardlight-fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
PARSERS = targets(FOLDER)
# Of parsers that refuse nothing by an error: whether they understand it.
UNDERSTOOD: dict[str, Callable[[bytes], bool]] = {
    "ELD file": lambda data: files.wrong_as(data, "eld") == ("", ""),
    "instant": lambda data: moment.moment(data.decode(), files.ZONE) is not None,
    "Retry-After": lambda data: retry_after(data.decode(), 0.0) is not None,
    "ICMP": lambda data: packets.parse_icmp4(data) is not None,
    "STUN": lambda data: packets.parse_stun(data) is not None,
    # What is signed is counted, whatever it is.
    "webhook": lambda data: isinstance(json.loads(data), dict),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


class Seen:
    """Takes the place of `suppress`: whether each block of a target came to its end."""

    ended: ClassVar[list[bool]] = []

    def __init__(self, *refused: type[Exception]) -> None:
        self._refused = refused

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.ended.append(kind is None)
        return kind is not None and issubclass(kind, self._refused)


@pytest.mark.parametrize("name", [name for name, parser in PARSERS.items() if parser.seeds and name != "inventory"])
def test_what_is_changed_a_little_is_accepted_as_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seed that is refused at once leads nowhere; inventories are those with a mistake each, on purpose."""
    parser = PARSERS[name]
    monkeypatch.setattr(files, "suppress", Seen)
    for seed in parser.seeds:
        Seen.ended.clear()
        parser.target(seed)
        said = UNDERSTOOD[name](seed) if name in UNDERSTOOD else any(Seen.ended)
        assert said, seed


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_comes_is_read_or_refused_in_words(name: str) -> None:
    parser = PARSERS[name]

    @hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(st.binary(max_size=400))
    def fed(data: bytes) -> None:
        parser.target(near(parser.seeds, data) if parser.seeds else data)

    fed()

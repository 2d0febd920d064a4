"""For a moment in each run of the tests; `make fuzz` feeds the same parsers for longer, led by what is reached."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.fuzz.files import near
from tests.fuzz.targets import targets

EXAMPLES = 60
FOLDER = Path(tempfile.mkdtemp(prefix="yardlight-fuzz-"))
PARSERS = targets(FOLDER)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_comes_is_read_or_refused_in_words(name: str) -> None:
    parser = PARSERS[name]

    @hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(st.binary(max_size=400))
    def fed(data: bytes) -> None:
        parser.target(near(parser.seeds, data) if parser.seeds else data)

    fed()

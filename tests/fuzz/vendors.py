"""Vendors that answer with what their fixtures say, spoiled: all the way from the answer to the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.cellular import talk as sims
from tests.feeds import platforms as feeds
from tests.feeds.test_bad_input import fake
from tests.fuzz.choices import Choices, spoiled
from tests.fuzz.wire import answered
from tests.mdm import talk as tablets
from tests.mdm.polled import PLAN
from tests.vendor import Answer, Asked, Script, Told
from yardlight.cellular.plan import Terms
from yardlight.cellular.show import show as show_sims
from yardlight.collection import Collection, Session, Source, open_memory, pack_memory
from yardlight.errors import PollError
from yardlight.exposition import pack, page
from yardlight.feeds.platforms import PLATFORMS as FEEDS
from yardlight.inventory.cellular import CellularSource
from yardlight.mdm.platforms import PLATFORMS as TABLETS
from yardlight.mdm.show import show as show_tablets

URL = "http://127.0.0.1:1"
CYCLES: tuple[Any, ...] = ("month", {"day": 12}, {"days": 30})
HERE = Path(__file__).parents[1]
Target = Callable[[bytes], None]


def targets(folder: Path) -> dict[str, Target]:
    """One for each platform that is asked over HTTP, by its domain and name; files they need are laid in the folder."""
    found: dict[str, Target] = {}
    for path in sorted((HERE / "cellular" / "fixtures").glob("*.json")):
        found[f"cellular {path.stem}"] = _cellular(path, folder)
    for name in TABLETS:
        if (said := tablets.fixture(name))["exchanges"]:
            found[f"mdm {name}"] = _mdm(name, said, folder)
    for name, module in FEEDS.items():
        for stream in getattr(import_module(module), "STREAMS", {}):
            found[f"feeds {name} {stream}"] = _feed(name, stream, folder)
    return found


def _cellular(path: Path, folder: Path) -> Target:
    fixture = json.loads(path.read_text(encoding="utf-8"))
    module = import_module(sims.PLATFORMS[path.stem])
    options = {**sims.OPTIONS[path.stem], "rate": "1000/s", "url": URL, **fixture["options"]}
    options["sims"] = sims.sims_file(folder, fixture["sims"])

    def target(data: bytes) -> None:
        choices = Choices(data)
        section = CellularSource.model_validate({"account": path.stem, "cycle": choices.one_of(CYCLES)})
        terms = Terms(source=section, zone="America/New_York", network="", places={}, counted=(), counts=False)
        source = Source("golden", path.stem, "cellular/sims", terms, folder)
        collection = Collection(source, module.__name__, options, show_sims)
        _twice(collection, sims.session, _told(fixture, choices), folder, sims.NOW, {"platform": {"key": "fixed"}})

    return target


def _mdm(name: str, said: dict[str, Any], folder: Path) -> Target:
    module, options = tablets.account(name, URL, said)
    collection = Collection(Source("f", "mdm", "mdm/tablets", PLAN, folder), module, options, show_tablets)

    def target(data: bytes) -> None:
        _twice(collection, tablets.session, _told(said, Choices(data)), folder, tablets.NOW, None)

    return target


def _feed(name: str, stream: str, folder: Path) -> Target:
    def target(data: bytes) -> None:
        choices, good = Choices(data), fake(name)

        with answered(lambda asked: _spoiled(_said(good, asked), choices)):
            memory: Any = None
            for _ in range(2):
                under_way = feeds.session(folder, memory)
                try:
                    feeds.collect(name, stream, URL, under_way)
                except PollError:
                    return
                memory = open_memory(pack_memory(under_way.memory))

    return target


def _told(fixture: dict[str, Any], choices: Choices) -> Script:
    good = Told(fixture)
    good.base = URL
    return lambda asked: _spoiled(good(asked), choices)


def _said(good: Script, asked: Asked) -> Answer:
    """What the fake says; to a cursor that it never gave out, and a second time, that it is none of its own."""
    try:
        return good(asked)
    except (AssertionError, KeyError, IndexError, ValueError):
        return Answer({"message": "no such page"}, 400)


def _spoiled(answer: Answer, choices: Choices) -> Answer:
    if choices.below(40) == 39:
        return Answer(choices.text().encode(), 200)
    return Answer(spoiled(answer.content, choices), answer.status, answer.headers)


def _twice(
    collection: Collection,
    session: Callable[..., Session],
    script: Script,
    folder: Path,
    now: float,
    memory: Any,
) -> None:
    """Two collections an hour apart, the second with what the first remembers, and the page after each."""
    with answered(script):
        for hour in range(2):
            under_way = session(folder, memory=memory, clock=lambda at=now + 3600.0 * hour: at)
            try:
                blocks = collection(under_way)
            except PollError:
                return
            page(pack(blocks), openmetrics=False)
            memory = open_memory(pack_memory(under_way.memory))

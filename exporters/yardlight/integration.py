"""The integration map of a fleet: accounts, what is read of them and what calls us, and which feeds must agree.

One picture for the landing page, drawn here as SVG: no script, and nothing but what the inventory and the last
collections say. Whether something is too old is judged by the rules; here is how it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from yardlight import templates
from yardlight.inventory.models import Fleet
from yardlight.lookback import ago
from yardlight.pages import PollRow

# Sizes in the picture's own units, as wide as a character is about 7.
_WIDTH, _HEIGHT, _GAP = 250, 54, 14
_COLUMNS = (0, 300, 700)
_MOST_CHARACTERS = 34


@dataclass(frozen=True)
class Standing:
    """How something stands: ok, failing, waiting, differs, or nothing known; and in a few words."""

    state: str = ""
    said: str = ""


@dataclass(frozen=True)
class Box:
    """A box of the picture, with its upper left corner."""

    x: int
    y: int
    title: str
    lines: tuple[str, ...]
    state: str

    width: int = field(default=_WIDTH, init=False)
    height: int = field(default=_HEIGHT, init=False)


@dataclass(frozen=True)
class Arrow:
    """From one box to another; `path` is the curve. A `label`, if there is any, stands at x and y, leads to `page`."""

    path: str
    state: str
    label: str = ""
    x: int = 0
    y: int = 0
    page: str = ""


@dataclass(frozen=True)
class Picture:
    """All of it. `label` says for who cannot see it what there is."""

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    width: int
    height: int
    label: str


def of_row(row: PollRow, what: str, at: float | None, now: float) -> Standing:
    """What a poll or a webhook says of itself, and when something last was."""
    said = row.reason if row.state == "failing" else f"{what} {ago(min(at, now), now)}" if at is not None else row.state
    return Standing(row.state, said)


def of_flow(differ: int) -> Standing:
    """A flow of which so many values differ."""
    return Standing("differs" if differ else "ok", f"{differ} differ" if differ else "agrees")


def drawn(fleet: Fleet, standing: Mapping[str, Standing], *, linked: bool = False) -> str:
    """The map as SVG, empty where nothing is read. `standing` is by poll: feeds/gps, flows/odometer, webhooks/calls.

    On the landing page names of flows are `linked` with their pages; on paper there is nothing to follow.
    """
    made = picture(fleet, standing)
    return templates.render("map.html", p=made, linked=linked) if made.boxes else ""


def picture(fleet: Fleet, standing: Mapping[str, Standing]) -> Picture:
    """What is to be drawn."""
    boxes: dict[str, Box] = {}
    arrows: list[Arrow] = []
    y = 0
    for account, below in _by_account(fleet).items():
        for index, (name, title, line) in enumerate(below):
            stands = standing.get(name, Standing())
            box = Box(_COLUMNS[1], y + index * (_HEIGHT + _GAP), _short(title), _lines(line, stands.said), stands.state)
            boxes[name] = box
        middle = y + (len(below) - 1) * (_HEIGHT + _GAP) // 2
        of = fleet.accounts.get(account)
        states = [boxes[name].state for name, _, _ in below]
        about = (of.platform if of is not None else "", " · ".join(filter(None, (of.owner, of.contact))) if of else "")
        boxes[f"account {account}"] = Box(_COLUMNS[0], middle, _short(account), _lines(*about), _worst(states))
        for name, _, _ in below:
            arrows.append(_straight(boxes[f"account {account}"], boxes[name]))
        y += len(below) * (_HEIGHT + _GAP) + _GAP
    height = y
    arrows += _flows(fleet, boxes, standing)
    for name, box in _archives(fleet, boxes, standing):
        boxes[name] = box
        arrows.append(_straight(boxes[f"feeds/{_pulled(fleet, name)}"], box))
        height = max(height, box.y + _HEIGHT)
    wide = _COLUMNS[2] + _WIDTH if any(box.x == _COLUMNS[2] for box in boxes.values()) else _COLUMNS[2]
    label = f"{len(fleet.accounts)} accounts, {len(fleet.feeds)} feeds, {len(fleet.flows)} flows"
    return Picture(list(boxes.values()), arrows, wide, height, label)


def _by_account(fleet: Fleet) -> dict[str, list[tuple[str, str, str]]]:
    """Of each account: the polls below it, each with its title and what it is."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for name, feed in fleet.feeds.items():
        found.setdefault(feed.account or name, []).append((f"feeds/{name}", feed.shows or name, f"feed {name}"))
    for name, webhook in fleet.webhooks.items():
        found.setdefault(webhook.account, []).append((f"webhooks/{name}", webhook.shows or name, f"webhook {name}"))
    return found


def _flows(fleet: Fleet, boxes: Mapping[str, Box], standing: Mapping[str, Standing]) -> Iterator[Arrow]:
    """Beside the feeds, each in a lane of its own."""
    for number, (name, flow) in enumerate(fleet.flows.items()):
        source, sink = boxes[f"feeds/{flow.of('source').feed}"], boxes[f"feeds/{flow.of('sink').feed}"]
        stands = standing.get(f"flows/{name}", Standing())
        edge, lane = source.x + _WIDTH, source.x + _WIDTH + 30 + 14 * (number % 4)
        begins, ends = source.y + _HEIGHT // 3, sink.y + 2 * _HEIGHT // 3
        path = f"M{edge} {begins} C{lane} {begins} {lane} {ends} {edge + 4} {ends}"
        # How it stands is never cut off.
        said = f": {stands.said}" if stands.said else ""
        label = _short(flow.shows or name, max(24 - len(said), 8)) + said
        page = f"flow/{quote(fleet.fleet, safe='')}/{quote(name, safe='')}"
        yield Arrow(path, stands.state, label, lane + 2, (begins + ends) // 2 + 7 * (number % 3 - 1), page)


def _archives(fleet: Fleet, boxes: Mapping[str, Box], standing: Mapping[str, Standing]) -> Iterator[tuple[str, Box]]:
    """Archives that are pulled from feeds, beside these."""
    taken = -_HEIGHT - _GAP
    pulled = [name for name, archive in fleet.archives.items() if archive.pull is not None]
    for name in sorted(pulled, key=lambda each: boxes[f"feeds/{_pulled(fleet, each)}"].y):
        stands = standing.get(f"pull/{name}", Standing())
        taken = max(boxes[f"feeds/{_pulled(fleet, name)}"].y, taken + _HEIGHT + _GAP)
        yield name, Box(_COLUMNS[2], taken, _short(name), _lines("archive", stands.said), stands.state)


def _pulled(fleet: Fleet, archive: str) -> str:
    pull = fleet.archives[archive].pull
    assert pull is not None
    return pull.feed


def _straight(left: Box, right: Box) -> Arrow:
    """From the side of one box to that of another one."""
    begins, ends, middle = left.y + _HEIGHT // 2, right.y + _HEIGHT // 2, (left.x + _WIDTH + right.x) // 2
    path = f"M{left.x + _WIDTH} {begins} C{middle} {begins} {middle} {ends} {right.x - 4} {ends}"
    return Arrow(path, right.state)


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(_short(line) for line in lines if line)


def _short(text: str, most: int = _MOST_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _worst(states: Sequence[str]) -> str:
    return next((state for state in ("failing", "waiting", "ok") if state in states), "")

"""A drill as a report: Markdown for a ticket, one self-contained page for paper with its charts drawn in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from yardlight import __version__, journal, sealing
from yardlight.drills import attach
from yardlight.drills.evidence import Record
from yardlight.drills.timeline import NAMES
from yardlight.templates import render

# Around the first and last instant of a chart, in parts of its length.
_MARGIN = 0.06
_STATES = {"primary": "up", "standby": "fair", "dark": "down", "unknown": "none"}


@dataclass(frozen=True)
class Mark:
    """An instant on a chart: where (0 to 100), its name, and the row in which its label finds room."""

    name: str
    x: float
    left: float
    width: float
    row: int


@dataclass(frozen=True)
class Chart:
    """One round: the state of the yard as stripes (x, width, class), and the marks of its instants."""

    stripes: Sequence[tuple[float, float, str]]
    marks: Sequence[Mark]
    start: str
    end: str


def markdown(record: Record) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(record)) + "\n"


def _lines(record: Record) -> Iterator[str]:
    body, zone = record.body, ZoneInfo(record.body["timezone"])
    yield f"# {body['title']}: {record.terminal}"
    yield ""
    if edited := _edited(record):
        yield f"**{edited}**"
        yield ""
    yield f"**{record.result}**: {body['why']}"
    yield ""
    for name, value in _identity(record):
        yield f"- {name}: {value}"
    yield from _section("Preconditions", [f"- {_yes(each['holds'])} {each['name']}: {each['text']}"
                                          for each in body.get("preconditions", ())])  # fmt: skip
    yield from _section("Criteria", _criteria_table(body["criteria"]))
    for round_ in body["rounds"]:
        title = f"Timeline of round {round_['number']}{' (flap)' if round_['flap'] else ''}"
        rows = [
            f"| {n} | {what} | {at} | {error} | {source} |" for n, what, at, error, source in _instants(round_, zone)
        ]
        yield from _section(
            title, ["| | what | when | to within | seen by |", "| --- | --- | --- | --- | --- |", *rows]
        )
    yield from _section("Journal", [f"- {at} {what}" for at, what in _journal(record, zone)])
    yield from _section("Signatures", [f"- {text}" for text in _signatures(record, zone)])


def _edited(record: Record) -> str:
    """What is to be said before anything else where the evidence is not as it was sealed; else nothing."""
    found = "; ".join(map(str, sealing.verify(record.folder)))
    return f"This is not the evidence that was sealed: {found}" if found else ""


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"## {title}"
        yield ""
        yield from lines


def _criteria_table(criteria: Sequence[Mapping[str, Any]]) -> list[str]:
    if not criteria:
        return []
    rows = [f"| {each['judged']} | {each['name']} | {each['text']} |" for each in criteria]
    return ["| | criterion | measured |", "| --- | --- | --- |", *rows]


def _identity(record: Record) -> list[tuple[str, str]]:
    body, zone = record.body, ZoneInfo(record.body["timezone"])
    found = [
        ("drill", record.id),
        ("fleet and terminal", f"{body['fleet']}, {record.terminal}"),
        ("playbook", f"{record.playbook}, version {body['version']}"),
        ("how", body["kind"]),
        ("run by", body["who"] or "nobody"),
        ("approved by", body["approver"] or "nobody was named"),
        ("from", _clock(body["begun"], zone)),
        ("to", _clock(body["ended"], zone)),
    ]
    if (seal := record.folder / sealing.SEAL).is_file():
        found.append(("seal", seal.read_text(encoding="ascii").strip()))
    return found


def _instants(round_: Mapping[str, Any], zone: ZoneInfo) -> list[tuple[str, str, str, str, str]]:
    rows = []
    for name, what in NAMES.items():
        if instant := round_["instants"].get(name):
            error = f"{max(instant['error'], 0.01):.2f} s"
            rows.append((name, what, _clock(instant["at"], zone, exact=True), error, instant["source"]))
        else:
            rows.append((name, what, "not measured", "", ""))
    return rows


def _journal(record: Record, zone: ZoneInfo) -> list[tuple[str, str]]:
    try:
        entries = journal.entries((record.folder / sealing.JOURNAL).read_bytes())
    except (OSError, ValueError) as error:
        return [("", f"the journal cannot be shown: {error}")]
    kept = {"n", "at", "what", "before", "hash", "found", "limits", "answer"}
    found = []
    for entry in entries:
        facts = ", ".join(
            f"{name} {value}" for name, value in entry.items() if name not in kept and value not in ("", None)
        )
        found.append((_clock(entry["at"], zone), f"{entry['what']}{f' ({facts})' if facts else ''}"))
    return found


def _signatures(record: Record, zone: ZoneInfo) -> list[str]:
    found = [
        f"{each['reviewer']}, {_clock(each['at'], zone)}: {each['statement']} (seal before it {each['seal'][:16]}...)"
        for each in attach.signatures(record.folder)
    ]
    if record.body.get("reviewer"):
        found.insert(0, f"{record.body['reviewer']}: accepted, as written in the journal")
    return found


def page(record: Record) -> str:
    """One page of HTML with everything in it."""
    body, zone = record.body, ZoneInfo(record.body["timezone"])
    samples = _samples(record)
    return render(
        "drill_report.html",
        title=body["title"],
        terminal=record.terminal,
        result=record.result,
        why=body["why"],
        edited=_edited(record),
        identity=_identity(record),
        preconditions=body.get("preconditions", ()),
        criteria=body["criteria"],
        rounds=[(each, _chart(each, samples, zone), _instants(each, zone)) for each in body["rounds"]],
        journal=_journal(record, zone),
        signatures=_signatures(record, zone),
        version=__version__,
    )


def _samples(record: Record) -> list[Mapping[str, Any]]:
    try:
        return [json.loads(line) for line in (record.folder / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return []


def _chart(round_: Mapping[str, Any], samples: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Chart | None:
    instants = round_["instants"]
    if len(instants) < 2:
        return None
    times = [each["at"] for each in instants.values()]
    span = max(max(times) - min(times), 1.0)
    start, end = min(times) - _MARGIN * span, max(times) + _MARGIN * span

    def x(at: float) -> float:
        return float(100 * (min(max(at, start), end) - start) / (end - start))

    stripes = []
    for index, sample in enumerate(samples):
        until = samples[index + 1]["at"] if index + 1 < len(samples) else sample["at"]
        if until > start and sample["at"] < end and x(until) > x(sample["at"]):
            stripes.append((x(sample["at"]), x(until) - x(sample["at"]), _STATES.get(sample["state"], "none")))
    marks: list[Mark] = []
    for name, instant in sorted(instants.items(), key=lambda each: each[1]["at"]):
        at = x(instant["at"])
        taken = {mark.row for mark in marks if at - mark.x < 4}
        row = next(row for row in range(len(NAMES)) if row not in taken)
        left = x(instant["at"] - instant["error"])
        marks.append(Mark(name, at, left, max(x(instant["at"] + instant["error"]) - left, 0.15), row))
    return Chart(stripes, marks, _clock(start, zone), _clock(end, zone))


def _yes(holds: bool) -> str:
    return "holds" if holds else "does not hold"


def _clock(at: float, zone: ZoneInfo, exact: bool = False) -> str:
    moment = datetime.fromtimestamp(at, zone)
    fraction = f".{moment.microsecond // 10000:02}" if exact else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} {moment:%Z}"

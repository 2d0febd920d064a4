"""What a reply breaks of its feed's contract: one breach for each change, with the field and the kind.

Broken is what a program that reads the feed trips over; a field that nobody knew is drift. A change is found where the
vendor made it: of an object that is gone its fields are not told too, and a field that lives on under another name is
renamed, not missing and new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from yardlight.feeds import scales
from yardlight.feeds.contract import Contract, Expected, can_miss, places
from yardlight.feeds.record import Breach, Kind
from yardlight.feeds.shape import Found, Path, Shape, shape, written
from yardlight.feeds.shares import Share

# That something else of the same shape turned up makes it credible that a field is gone which is often missing.
_CREDIBLE = 0.02
# So many words of an enumeration are shown.
_SHOWN = 8
# Types of JSON that hold another one: who reads numbers reads integers.
_WIDER = {"integer": "number", "date-time": "string"}


def check(reply: Any, contract: Contract) -> list[Breach]:
    """What these records break, and what is new in them."""
    return judged(shape(reply), contract, {})


def judged(found: Shape, contract: Contract, levels: Mapping[str, float]) -> list[Breach]:
    """The same for a reply of this shape; `levels` are those of numbers in the answer before, by field.

    A unit changes from one answer to the next. Where numbers went step by step, it is the world that changed.
    """
    return list(_Judge(found, contract.fields, levels).breaches())


class _Judge:
    def __init__(self, found: Shape, fields: Mapping[Path, Expected], levels: Mapping[str, float]) -> None:
        self.found, self.fields, self.levels = found, fields, levels
        self.children, self.now = _children(fields), _children(found)

    def breaches(self) -> Iterator[Breach]:
        wrapped = self._wrapped()
        new = [path for path in sorted(self.found) if path not in self.fields and not self._may_be(path)]
        gone, doubtful = ([path for path in each if not _below_any(path, wrapped)] for each in self._gone())
        taken: set[Path] = {path for path in new if _below_any(path, wrapped)}
        over: set[Path] = {*gone, *wrapped}
        went: dict[Path, Path | None] = {**wrapped}
        for path in [*gone, *doubtful]:
            to = self._now(path, [each for each in new if each not in taken])
            if to is not None:
                taken.update(each for each in new if _within(each, to) or _within(to, each))
            if to is not None or path in gone:
                went[path] = to
        for path, to in self._together(went).items():
            yield self._went(path, to)
        for path in sorted(set(self.fields) & set(self.found)):
            if _below_any(path, over):
                continue
            breach = self._changed(path, [each for each in new if each not in taken])
            if breach is None:
                continue
            if breach.kind in ("type", "moved"):
                over.add(path)
                taken.update(each for each in new if _within(each, path))
            yield breach
        for path in new:
            if path not in taken and path[:-1] in self.fields and can_miss(path):
                types, count = self.found[path].types.most_common(1)[0][0], self.found[path].total
                yield Breach("new_field", written(path), count, _a(types), "no such field")

    def _wrapped(self) -> dict[Path, Path | None]:
        """Objects of which all is now in another one that is all there is in them, and that was no object before."""
        found: dict[Path, Path | None] = {}
        for path, known in sorted(self.children.items()):
            inner = (*path, *self.now.get(path, ()))
            if not can_miss(path) or len(inner) != len(path) + 1 or not can_miss(inner) or _below_any(path, found):
                continue
            was = self.fields[inner].types if inner in self.fields else frozenset()
            if known <= self.now.get(inner, set()) and "object" not in was:
                found[path] = inner
        return found

    def _may_be(self, path: Path) -> bool:
        """Whether a field that nobody knows is in an object that may have others than those that are known."""
        known = next(path[:length] for length in range(len(path) - 1, -1, -1) if path[:length] in self.fields)
        return self.fields[known].open

    def _gone(self) -> tuple[list[Path], list[Path]]:
        """Fields that are missing more often than they may be; and those that are only oddly often missing."""
        gone: list[Path] = []
        doubtful: list[Path] = []
        for path, expected in sorted(self.fields.items(), key=lambda item: len(item[0])):
            if expected.missing is None or _below_any(path, gone):
                continue
            of = places(path, self.found)
            missing = of - (self.found[path].total if path in self.found else 0)
            if expected.firm and expected.missing.refutes(missing, of):
                gone.append(path)
            elif of and missing == of and expected.missing.chance(missing, of) < _CREDIBLE:
                doubtful.append(path)
        return gone, doubtful

    def _together(self, went: dict[Path, Path | None]) -> dict[Path, Path | None]:
        """Where all fields of an object went to the same new object, the object went."""
        for parent in {path[:-1] for path in went}:
            here = {path: to for path, to in went.items() if path[:-1] == parent}
            targets = {to[:-1] for path, to in here.items() if to is not None and to[-1] == path[-1]}
            if len(here) < 2 or len(targets) != 1 or any((*parent, key) in self.found for key in self.children[parent]):
                continue
            target = targets.pop()
            if target not in self.fields:
                went = {path: to for path, to in went.items() if path not in here} | {parent: target}
        return went

    def _now(self, path: Path, new: Sequence[Path]) -> Path | None:
        """Under which new path the values of a field are now."""
        scored = [(self._likeness(path, each), each) for each in new if can_miss(each)]
        best = max(scored, default=(0.0, None), key=lambda item: (item[0], item[1]))
        return best[1] if best[0] > 0 else None

    def _likeness(self, path: Path, new: Path) -> float:
        expected, found = self.fields[path], self.found[new]
        if not self._fits(path, expected, new, found) or found.total < self._usual(path) / 2:
            return 0.0
        name = SequenceMatcher(None, path[-1].casefold(), new[-1].casefold()).ratio()
        if new[:-1] == path[:-1]:
            return 1 + name
        if name == 1:
            # The nearest one: an id is in each object.
            return 1.9 - 0.01 * len(new)
        # Another name in another place is believed where a new object holds it, and what it says is like nothing else.
        telling = expected.words is not None or expected.epoch is not None or expected.scale is not None
        return 0.5 * (1 + name) if new[:-1] == path or (telling and new[:-1] not in self.fields) else 0.0

    def _usual(self, path: Path) -> float:
        """In how many of the places where a field can be now it would be, if it was there as often as ever."""
        missing = self.fields[path].missing
        return 0.0 if missing is None or not missing.of else places(path, self.found) * (1 - missing.count / missing.of)

    def _fits(self, path: Path, expected: Expected, new: Path, found: Found) -> bool:
        """Whether what is at the new path could be the values of the field."""
        types = {name for name in found.types if name != "null"}
        if not types or not all(_allowed(each, expected.types) for each in types):
            return False
        if "object" in types:
            keys = self.now.get(new, set())
            known = self.children.get(path, set())
            return len(keys & known) >= 0.5 * max(1, min(len(keys), len(known)))
        if expected.words is not None:
            return sum(text in expected.words for text in found.texts) >= 0.8 * len(found.texts)
        if expected.epoch is not None:
            return scales.epoch(found.numbers) == expected.epoch
        if expected.scale is not None and found.numbers:
            return expected.scale.covers(found.numbers)
        return True

    def _changed(self, path: Path, new: Sequence[Path]) -> Breach | None:
        """What changed in a field that is still there."""
        expected, found = self.fields[path], self.found[path]
        where = written(path)
        if (unit := self._unit(where, expected, found)) is not None:
            kind, now, was = unit
            return Breach(kind, where, len(found.numbers), now, was)
        strange = {each: n for each, n in found.types.items() if each != "null" and not _allowed(each, expected.types)}
        never = Share(0, expected.values, expected.replies)
        count = sum(strange.values())
        if expected.types and never.refutes(count, found.said):
            kept = self._now(path, [each for each in new if each[: len(path)] == path]) if "object" in strange else None
            if kept is not None:
                return self._went(path, kept)
            kinds = " and ".join(_a(each) for each in sorted(strange))
            return Breach("type", where, count, kinds, _list(expected.types))
        if expected.nothing is not None and expected.nothing.refutes(found.types["null"], found.total):
            empty, inner = found.types["null"], self.children.get(path, set())
            if empty == found.hollow and len(inner) == 1:
                # Without the only thing in it.
                lost = f"missing in {_share(empty, found.total)}"
                return Breach("missing", written((*path, *inner)), empty, lost, _often(expected.nothing))
            return Breach("nulls", where, empty, f"empty in {_share(empty, found.total)}", _often(expected.nothing))
        if expected.words is not None and (words := sorted(set(found.texts) - expected.words)):
            count = sum(each not in expected.words for each in found.texts)
            known = ", ".join(sorted(expected.words)[:_SHOWN])
            return Breach("enum", where, count, ", ".join(repr(each[:40]) for each in words[:3]), f"one of {known}")
        return None

    def _unit(self, where: str, expected: Expected, found: Found) -> tuple[Kind, str, str] | None:
        if expected.epoch is not None and found.numbers:
            now = scales.epoch(found.numbers)
            if now != expected.epoch:
                said = f"times in {now}" if now else f"no times, such as {found.numbers[0]:.6g}"
                return "time_unit", said, f"times in {expected.epoch}"
        if expected.scale is None or not (change := expected.scale.change(found.numbers)):
            return None
        before, size = self.levels.get(where), scales.level(found.numbers)
        if before is not None and not change.is_step(before, size):
            return None
        named = f", as from {change.name}" if change.name else ""
        return (
            "unit",
            f"{change.factor:.4g} times what it was{named}; now around {size:.6g}",
            f"around {expected.scale.knots[7]:.6g}",
        )

    def _went(self, path: Path, to: Path | None) -> Breach:
        if to is not None:
            kind: Kind = "renamed" if path and to[:-1] == path[:-1] else "moved"
            count = self.found[to].total if to in self.found else 0
            return Breach(kind, written(path), count, f"now {written(to)}", "at its place", written(to))
        missing, of = self.fields[path].missing, places(path, self.found)
        gone = of - (self.found[path].total if path in self.found else 0)
        assert missing is not None
        return Breach("missing", written(path), gone, f"missing in {_share(gone, of)}", _often(missing))


def _children(paths: Iterable[Path]) -> dict[Path, set[str]]:
    """The names of what is in each object or list."""
    found: dict[Path, set[str]] = {}
    for path in paths:
        if path:
            found.setdefault(path[:-1], set()).add(path[-1])
    return found


def _below_any(path: Path, others: Iterable[Path]) -> bool:
    return any(_within(path, each) for each in others)


def _within(path: Path, other: Path) -> bool:
    """Whether the path is the other one or below it."""
    return path[: len(other)] == other


def _allowed(name: str, types: frozenset[str]) -> bool:
    return name in types or _WIDER.get(name) in types


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _list(types: frozenset[str]) -> str:
    return " or ".join(_a(each) for each in sorted(types))


def _share(count: int, of: int) -> str:
    return f"{count} of {of}"


def _often(share: Share) -> str:
    """How often something happened, in words."""
    return f"in {share.count / share.of:.2g} of all" if share.count else "never"

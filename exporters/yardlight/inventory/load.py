"""fleet.yml -> `Inventory`: read with its includes, assembled, every mistake at once, each with its place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from yardlight.errors import InventoryError, Problem
from yardlight.inventory import explain
from yardlight.inventory.assemble import assemble
from yardlight.inventory.models import Fleet
from yardlight.inventory.source import Node, Place, Source, describe


@dataclass(frozen=True)
class Inventory:
    """A validated fleet, the files it came from (the first is the one that was asked for) and its places."""

    fleet: Fleet
    path: Path
    files: tuple[Path, ...]
    root: Node = field(repr=False, compare=False)

    def locate(self, path: Sequence[str]) -> Place:
        """Where this field was written, or the nearest one around it that was."""
        return self.root.nearest(tuple(path))[0].place

    def problem(self, path: Sequence[str], message: str) -> Problem:
        """A mistake at this field that shows only after loading."""
        node, below = self.root.nearest(tuple(path))
        return node.problem(message, *below)

    def explain(self, dotted: str) -> str:
        """A field's value, and which file and line won. Raises `ValueError` for a field that is none."""
        return explain.explain(self.fleet, self.root, dotted)


def load(path: Path) -> Inventory:
    """The inventory in this file. Raises `InventoryError` with all problems, sorted by file and line."""
    source = Source()
    root = _read(path, source, ())
    if root is None or source.unreadable:
        raise _error(source, path)
    fleet, root = assemble(root, source.problems)
    if fleet is None or source.problems:
        raise _error(source, path)
    return Inventory(fleet, path, tuple(source.files), root)


def load_dir(path: Path, running: Collection[Path] = ()) -> tuple[list[Inventory], list[InventoryError]]:
    """Every *.yml and *.yaml of a folder, each a fleet of its own; a broken one never stops the others.

    Files that a fleet includes belong into a folder below; what begins with a dot is an editor's. Where two files name
    the same fleet, it is that of the file which is `running`, or which is called so: a copy in which the name was not
    changed takes nobody's place.
    """
    try:
        files = sorted(file for file in path.iterdir() if file.suffix in (".yml", ".yaml") and file.is_file())
    except OSError as error:
        return [], [_folder_error(path, f"cannot be read: {(error.strerror or str(error)).lower()}")]
    files = [file for file in files if not file.name.startswith(".")]
    if not files:
        return [], [_folder_error(path, "there is no inventory (*.yml) in this folder")]
    read: list[Inventory] = []
    errors = []
    for file in files:
        try:
            read.append(load(file))
        except InventoryError as error:
            errors.append(error)
    inventories: dict[str, Inventory] = {}
    for inventory in sorted(read, key=lambda each: (each.path not in running, each.path.stem != each.fleet.fleet)):
        name = inventory.fleet.fleet
        if first := inventories.get(name):
            message = f"{name!r} is already the fleet of {first.path}"
            errors.append(InventoryError([inventory.problem(("fleet",), message)], inventory.path))
        else:
            inventories[name] = inventory
    return sorted(inventories.values(), key=lambda each: each.path), sorted(errors, key=lambda each: each.path)


def _folder_error(path: Path, message: str) -> InventoryError:
    return InventoryError([Problem(str(path), 0, 0, "", message)], path)


def _error(source: Source, path: Path) -> InventoryError:
    """All problems in the order of the files; what 300 terminals inherit from one line is said once."""
    # The roster's tables come last.
    files = dict.fromkeys([*map(str, source.files), *(item.file for item in source.problems)])
    order = {file: index for index, file in enumerate(files)}
    once = {(item.file, item.line, item.column, item.message): item for item in reversed(source.problems)}
    return InventoryError(
        sorted(once.values(), key=lambda item: (order[item.file], item.line, item.column, item.field)), path
    )


def _read(path: Path, source: Source, chain: tuple[Path, ...]) -> Node | None:
    """One file and all that it includes, as one tree."""
    root = source.read(path)
    include = root.entries.get("include") if root else None
    if root is None or include is None:
        return root
    if not isinstance(include.value, list):
        source.problems.append(include.problem(f"{describe(include.value)} is not a list; write [west.yml, east.yml]"))
        return root
    for item in include.value:
        part = _include(item, path, source, (*chain, path))
        root = _join(root, part, source.problems) if part else root
    return root


def _include(item: Node, path: Path, source: Source, chain: tuple[Path, ...]) -> Node | None:
    if not isinstance(item.value, str):
        source.problems.append(item.problem(f"{describe(item.value)} is not the name of a file"))
        return None
    file = path.parent / item.value
    if any(file.resolve() == earlier.resolve() for earlier in chain):
        way = " -> ".join(map(str, (*chain, file)))
        source.problems.append(item.problem(f"a file that includes itself: {way}"))
    elif any(file.resolve() == earlier.resolve() for earlier in source.files):
        source.problems.append(item.problem(f"{item.value!r} is included twice"))
    elif not _is_file(file):
        source.problems.append(item.problem(f"there is no file {str(file)!r}"))
        source.unreadable = True
    else:
        return _read(file, source, chain)
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A name longer than any file's.
        return False


def _join(root: Node, part: Node, problems: list[Problem]) -> Node:
    """The tree of an included file added to that of its includer; two of one name are a problem."""
    entries = dict(root.entries)
    for key, node in part.entries.items():
        present = entries.get(key)
        if key == "include":
            continue
        if present is None:
            entries[key] = node
        elif isinstance(present.value, dict) and isinstance(node.value, dict):
            twice = node.value.keys() & present.value.keys()
            problems.extend(_already(node.value[name], present.value[name]) for name in twice)
            entries[key] = replace(present, value=present.value | node.value)
        else:
            problems.append(_already(node, present))
    return replace(root, value=entries)


def _already(node: Node, first: Node) -> Problem:
    return node.problem(f"duplicate; {node.path[-1]!r} is already in {first.place.file}:{first.place.line}")

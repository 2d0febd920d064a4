"""YAML files as trees that know where each field was written.

Every plain scalar is kept as the text the user wrote (an id `007` stays `007`, a terminal `no` stays `no`);
only an empty value, `~` and `null` are nothing. The models turn text into numbers where they want numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from yardlight.errors import Problem

_NULL = "tag:yaml.org,2002:null"
_STANDARD = "tag:yaml.org,2002:"
_FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_ALLOWED = "broken YAML: character #x{:04x} is not allowed"
# PyYAML's words for what was being read, and what it found there.
_OPENED = {
    "while parsing a flow sequence": "list that opens",
    "while parsing a flow mapping": "mapping that opens",
    "while parsing a block mapping": "mapping that starts",
    "while parsing a block collection": "list that starts",
}
_PLAIN_WORDS = [
    (re.compile(pattern), words)
    for pattern, words in (
        (r"expected (',' or '[\]}]'), but got '<(?:stream|document) (?:end|start)>'", r"no \1 before the file ends"),
        (r"expected (',' or '[\]}]'), but got '(.*)'", r"'\2' where \1 should be"),
        (r"expected <block end>, but found .*", "this does not line up with the lines above"),
        (r"mapping values are not allowed here", "a second ': ' in one line; put text that holds ': ' into quotes"),
        (r"could not find expected ':'", "no ': ' in this line"),
        (r"found unexpected end of stream", "a quote that is never closed"),
        (r"but found another document", "a second document; one file is one inventory"),
        (r"found character '(.)' that cannot start any token", r"a value cannot start with \1; put it into quotes"),
    )
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written; `line` and `column` count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One field: its value, the place of its key (in a list its own) and the path under which it was written.

    `path` is not always where the value is used: a field that came from a class keeps the path of the class.
    `over` holds the fields of defaults and classes that this one won over, the nearest first.
    """

    value: str | dict[str, Node] | list[Node] | None
    place: Place
    path: tuple[str, ...]
    over: tuple[Node, ...] = ()

    @property
    def entries(self) -> dict[str, Node]:
        """The fields of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def get(self, path: Sequence[str]) -> Node | None:
        """The field below this one, list items by their index, or None."""
        node = self
        for part in path:
            if isinstance(node.value, dict) and part in node.value:
                node = node.value[part]
            elif isinstance(node.value, list) and part.isdecimal() and int(part) < len(node.value):
                node = node.value[int(part)]
            else:
                return None
        return node

    def nearest(self, path: Sequence[str]) -> tuple[Node, tuple[str, ...]]:
        """The deepest written field on the way down `path`, and what of the path is left."""
        for length in range(len(path), 0, -1):
            if node := self.get(path[:length]):
                return node, tuple(path[length:])
        return self, tuple(path)

    def problem(self, message: str, *below: str) -> Problem:
        """A mistake at this field, or at a field `below` it that nobody wrote."""
        place = self.place
        return Problem(place.file, place.line, place.column, ".".join((*self.path, *below)), message)


def plain(node: Node) -> Any:
    """The value without its places: text, None, dict or list."""
    if isinstance(node.value, dict):
        return {key: plain(entry) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def merge(base: Node, top: Node) -> Node:
    """`top` laid over `base`: mappings field by field in the order of `base`, everything else is replaced."""
    if not (isinstance(base.value, dict) and isinstance(top.value, dict)):
        return replace(top, over=(*top.over, base, *base.over))
    merged = dict(base.value)
    for key, entry in top.value.items():
        merged[key] = merge(merged[key], entry) if key in merged else entry
    return replace(top, value=merged)


@dataclass
class Source:
    """What was read so far: the files in order, and what is wrong with them as files.

    `what` the files are, and how one begins, is for messages.
    """

    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    # An unreadable file makes everything that refers to it look wrong, so reading stops there.
    unreadable: bool = False
    what: str = "an inventory"
    begins: str = "fleet: NAME"

    def read(self, path: Path) -> Node | None:
        """The tree of one file, or None when it is not a YAML mapping at all; problems are kept."""
        self.files.append(path)
        try:
            node = _Builder(str(path), self.problems).build(_compose(path), (), Place(str(path), 1, 1))
        except _NotYamlError as error:
            self.problems.append(error.problem)
            self.unreadable = True
            return None
        except RecursionError:
            self.problems.append(Problem(str(path), 0, 0, "", "is nested too deeply"))
            self.unreadable = True
            return None
        if isinstance(node.value, dict):
            return node
        self.problems.append(node.problem(f"{describe(node.value)} is not {self.what}; start with {self.begins!r}"))
        self.unreadable = True
        return None


class _NotYamlError(Exception):
    def __init__(self, path: Path, line: int, column: int, message: str) -> None:
        self.problem = Problem(str(path), line, column, "", message)


def describe(value: Any) -> str:
    """What was found, for a message: quoted text, or the kind of thing it is."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)


def _compose(path: Path) -> yaml.Node:
    try:
        raw = path.read_bytes()
    except OSError as error:
        hint = "; `yardlight init` writes a first one" if isinstance(error, FileNotFoundError) else ""
        raise _NotYamlError(path, 0, 0, f"cannot be read: {(error.strerror or str(error)).lower()}{hint}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = error.start - before.rfind(b"\n")
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _NotYamlError(path, before.count(b"\n") + 1, column, message) from None
    try:
        tree = yaml.compose(text, Loader=_FAST_LOADER)
    except yaml.YAMLError as fast_error:
        raise _broken(path, text, fast_error) from None
    if tree is None:
        raise _NotYamlError(path, 1, 1, "the file is empty; `yardlight init` writes a first inventory")
    return tree


def _broken(path: Path, text: str, error: yaml.YAMLError) -> _NotYamlError:
    """One sentence for broken YAML. The slow parser is asked again: its messages do not depend on libyaml."""
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as slow_error:
        error = slow_error
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        return _NotYamlError(path, before.count("\n") + 1, column, _NOT_ALLOWED.format(int(error.character)))
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _NotYamlError(path, 0, 0, f"broken YAML: {error}")
    mark, context = error.problem_mark, error.context_mark
    problem = error.problem or ""
    if context and problem in ("could not find expected ':'", "found unexpected end of stream"):
        mark = context
    message = _plain_words(problem)
    if "'\\t'" in problem or _is_indented_by_tab(text, mark.line):
        message = "a tab; YAML is indented with spaces only"
    elif context and error.context in _OPENED:
        message = f"{message}, in the {_OPENED[error.context]} on line {context.line + 1}"
    return _NotYamlError(path, mark.line + 1, mark.column + 1, f"broken YAML: {message}")


def _plain_words(problem: str) -> str:
    """The parser's finding for somebody who never read the YAML specification."""
    for pattern, words in _PLAIN_WORDS:
        if match := pattern.fullmatch(problem):
            return match.expand(words)
    return problem or "cannot be understood"


def _is_indented_by_tab(text: str, line: int) -> bool:
    content = "".join(text.split("\n")[line : line + 1])
    return "\t" in content[: len(content) - len(content.lstrip())]


class _Builder:
    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._open: set[int] = set()

    def build(self, tree: yaml.Node, path: tuple[str, ...], place: Place) -> Node:
        if not str(tree.tag).startswith(_STANDARD):
            self._problems.append(Node(None, place, path).problem(f"the tag {tree.tag} is not supported"))
        if isinstance(tree, yaml.ScalarNode):
            return Node(None if tree.tag == _NULL else self._text(tree), place, path)
        if id(tree) in self._open:
            self._problems.append(Node(None, place, path).problem("an alias that contains itself"))
            return Node({}, place, path)
        self._open.add(id(tree))
        node = Node(self._collection(tree, path), place, path)
        self._open.discard(id(tree))
        return node

    def _text(self, tree: yaml.ScalarNode) -> str:
        text: str = tree.value
        if "\0" in text:
            at = self._place(tree)
            raise _NotYamlError(Path(at.file), at.line, at.column, _NOT_ALLOWED.format(0))
        return text

    def _collection(self, tree: yaml.Node, path: tuple[str, ...]) -> dict[str, Node] | list[Node]:
        if isinstance(tree, yaml.SequenceNode):
            return [self.build(item, (*path, str(index)), self._place(item)) for index, item in enumerate(tree.value)]
        entries: dict[str, Node] = {}
        for key, value in tree.value:
            place = self._place(key)
            if not isinstance(key, yaml.ScalarNode):
                self._problems.append(Node(None, place, path).problem("a key must be a word"))
                continue
            entry = self.build(value, (*path, self._text(key)), place)
            if key.value == "<<":
                self._problems.append(
                    entry.problem("merge keys are not supported; use classes or defaults for what is shared")
                )
            elif key.value in entries:
                first = entries[key.value].place.line
                self._problems.append(entry.problem(f"duplicate; {key.value!r} is already on line {first}"))
            else:
                entries[key.value] = entry
        return entries

    def _place(self, tree: yaml.Node) -> Place:
        return Place(self._file, tree.start_mark.line + 1, tree.start_mark.column + 1)

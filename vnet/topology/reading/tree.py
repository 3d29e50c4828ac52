"""YAML text to plain values that remember where they stood.

A topology file is data, so only the data part of YAML 1.2 is read: maps with text
keys, lists, and scalars of the core schema (null, true/false, numbers, text). Tags are
refused, whatever they name. Aliases are allowed, but each use counts with the full size
of what it stands for, so that nine lines cannot unfold to a billion values; depth and
total size are limited the same way.

The parser of ruamel.yaml gives events; this module builds the values itself, because
only then can every key keep its line and column, and can a duplicate key or a forbidden
tag be one problem among others instead of the end of the reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from vnet.base.errors import Problem
from vnet.base.text import escaped

MAX_DEPTH = 32
"""Levels of nesting. A scenario step with an expectation needs five."""

MAX_VALUES = 1_000_000
"""Values in one file, with every alias counted at full size."""

MAX_ALIAS_VALUES = 100_000
"""Values that aliases may add."""

MAX_NUMBER_LENGTH = 40

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK = re.compile("\r\n|\r|\n")
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

Position: TypeAlias = tuple[int, int]


class Node:
    """A value, where it starts, and the nodes below it. Lines and columns count from 1.

    ``indent`` is how far the lines of a literal block (``|``) are indented, which begin in the
    line after ``place_``; None for everything else. What ``is_bare`` stands without quotes in a
    list in brackets, where a comma would have ended it.
    """

    __slots__ = (
        *("children", "height", "indent", "is_bare", "items", "keys", "place_", "size"),
        "value",
    )

    def __init__(self, place: Position, value: Any) -> None:
        self.place_ = place
        self.value = value
        self.children: dict[str, Node] = {}
        self.keys: dict[str, Position] = {}
        self.items: list[Node] = []
        self.size = 1
        self.height = 1
        self.indent: int | None = None
        self.is_bare = False

    def find(self, path: tuple[str | int, ...]) -> Node | None:
        """The node at ``path``, or None where that leads nowhere."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            if isinstance(step, str):
                node = node.children.get(step)
            else:
                node = node.items[step] if step < len(node.items) else None
        return node

    def place(self, path: tuple[str | int, ...], *, at_key: bool = False) -> Position:
        """The position of the value at ``path``, or of its key.

        A path that leads out of the tree (a missing key, say) gives the position of
        the last step that exists.
        """
        node, position = self, self.place_
        for number, step in enumerate(path):
            last = number == len(path) - 1
            if isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            elif isinstance(step, str) and step in node.children:
                if last and at_key:
                    return node.keys[step]
                position, node = node.keys[step], node.children[step]
                if node.value is None:
                    continue  # An empty value has no place of its own; its key has.
            else:
                return position
            position = node.place_
        return position


class _StopError(Exception):
    """A problem after which the rest of the text cannot be understood."""


class _Open:
    """A map or list whose end has not been read yet."""

    __slots__ = ("anchor", "in_brackets", "key", "key_place", "node", "skip_next")

    def __init__(self, node: Node, anchor: str | None, *, in_brackets: bool) -> None:
        self.node = node
        self.anchor = anchor
        self.in_brackets = in_brackets
        self.key: str | None = None
        self.key_place: Position = node.place_
        self.skip_next = False


class _Builder:
    """Events in, one tree of nodes out."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.values = 0
        self.alias_values = 0

    def problem(self, place: Position, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, *place, what, hint))

    def stop(self, place: Position, what: str, hint: str = "") -> _StopError:
        self.problem(place, what, hint)
        return _StopError()

    def feed(self, event: Any) -> None:
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, ScalarEvent):
            self.check_tag(event, place)
            self.scalar(event, place)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self.check_tag(event, place)
            value: Any = {} if isinstance(event, MappingStartEvent) else []
            self.count(place, 1)
            if len(self.stack) >= MAX_DEPTH:
                raise self.stop(place, f"more than {MAX_DEPTH} levels of nesting")
            in_brackets = bool(event.flow_style) and isinstance(value, list)
            self.stack.append(_Open(Node(place, value), event.anchor, in_brackets=in_brackets))
        elif isinstance(event, CollectionEndEvent):
            done = self.stack.pop()
            if isinstance(done.anchor, str):
                self.anchors[done.anchor] = done.node
            self.attach(done.node)
        elif isinstance(event, AliasEvent):
            self.alias(event, place)
        elif isinstance(event, DocumentStartEvent):
            self.document(event, place)

    def document(self, event: Any, place: Position) -> None:
        if self.root is not None:
            raise self.stop(place, "a second document begins", "a topology is one document")
        if event.version not in (None, (1, 2)):
            version = ".".join(str(number) for number in event.version)
            raise self.stop((1, 1), f"YAML {version} is not read", "write YAML 1.2")

    def check_tag(self, event: Any, place: Position) -> None:
        if event.tag is not None:
            name = repr(str(event.tag)[:80])
            self.problem(place, f"tag {name} is not allowed", "a topology file is plain data")

    def count(self, place: Position, values: int) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise self.stop(place, f"more than {MAX_VALUES} values in one file")

    def alias(self, event: Any, place: Position) -> None:
        target = self.anchors.get(event.anchor)
        name = repr(f"*{event.anchor}"[:80])
        if target is None:
            raise self.stop(place, f"alias {name} stands for nothing above it")
        self.alias_values += target.size
        if self.alias_values > MAX_ALIAS_VALUES:
            what = f"alias {name} unfolds the file to more than {MAX_ALIAS_VALUES} values"
            raise self.stop(place, what)
        if len(self.stack) + target.height > MAX_DEPTH:
            raise self.stop(place, f"more than {MAX_DEPTH} levels of nesting")
        self.count(place, target.size)
        # A node of its own, so that a problem points at the use; the value is shared.
        use = Node(place, target.value)
        use.children, use.keys, use.items = target.children, target.keys, target.items
        use.size, use.height = target.size, target.height
        self.attach(use)

    def scalar(self, event: Any, place: Position) -> None:
        self.count(place, 1)
        text: str = event.value
        plain = event.style in (None, "")
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.node.value, dict) and top.key is None:
            node = Node(place, text)  # A key is text even when it looks like a number.
        else:
            node = Node(place, self.resolve(text, place) if plain else text)
            node.is_bare = plain and top is not None and top.in_brackets
        if event.style == "|":
            node.indent = self.indent(text, place)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.attach(node)

    def indent(self, text: str, place: Position) -> int:
        """How far the lines of a literal block are indented whose ``|`` stands at ``place``."""
        lines = self.lines[place[0] :]
        pairs = zip(lines, text.split("\n"), strict=False)
        return next((len(line) - len(content) for line, content in pairs if content), 0)

    @cached_property
    def lines(self) -> list[str]:
        return _LINE_BREAK.split(self.text)

    def resolve(self, text: str, place: Position) -> object:
        """The core schema of YAML 1.2 (section 10.3.2): so ``no`` is text, ``12:30`` too."""
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in "+-.0123456789":
            return text
        if _FLOAT.fullmatch(text) and len(text) > MAX_NUMBER_LENGTH:
            self.problem(place, f"a number of {len(text)} characters", "that is absurd")
            return 0
        if _INTEGER.fullmatch(text):
            return int(text)
        if _HEX.fullmatch(text) and len(text) <= MAX_NUMBER_LENGTH:
            return int(text, 0)
        return float(text) if _FLOAT.fullmatch(text) else text

    def attach(self, node: Node) -> None:
        """Give a finished value to the map or list it stands in."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        parent = top.node
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if isinstance(parent.value, list):
            parent.value.append(node.value)
            parent.items.append(node)
        elif top.key is None:
            self.take_key(top, node)
        else:
            if not top.skip_next:
                parent.value[top.key] = node.value
                parent.children[top.key] = node
                parent.keys[top.key] = top.key_place
            top.key, top.skip_next = None, False

    def take_key(self, top: _Open, node: Node) -> None:
        top.key_place = node.place_
        if not isinstance(node.value, str):
            top.key, top.skip_next = "", True
            self.problem(node.place_, "a key must be text")
            return
        top.key = node.value
        name = repr(top.key[:80])
        if top.key in top.node.keys:
            top.skip_next = True
            first = top.node.keys[top.key][0]
            self.problem(
                node.place_, f"key {name} is written twice", f"the first is in line {first}"
            )
        elif top.key == "<<":
            top.skip_next = True
            self.problem(node.place_, "'<<' does not merge maps in YAML 1.2", "write the keys out")


def _syntax_problem(builder: _Builder, error: MarkedYAMLError) -> None:
    mark = error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    text = " ".join(str(error.problem or error.context or "").split())
    # The scanner marks the end of the text with a NUL of its own.
    text = text.replace("'<stream end>'", "the end of the file").replace(
        r"'\x00'", "the end of the file"
    )
    text = escaped(text[:200])
    if r"'\t'" in text:
        builder.problem(place, "a tab stands where YAML wants spaces", "indent with spaces")
    elif "cannot start any token" in text:
        builder.problem(place, f"not YAML: {text}", "put the value in quotes")
    elif "mapping values are not allowed" in text:
        hint = "is the indentation right? a value with ': ' in it needs quotes"
        builder.problem(place, "not YAML: a second ':' in one value", hint)
    else:
        builder.problem(
            place, f"not YAML: {text}", str(error.context or "") if error.problem else ""
        )


def _events(text: str) -> Iterator[Any]:
    events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
    return events


def read_tree(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """Parse ``text``. The node is None when no value could be read; problems say why.

    Problems and a node together mean: the text was understood to its end, though parts
    of it are not allowed.
    """
    builder = _Builder(file, text)
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        what = f"character U+{ord(bad.group()):04X} is not allowed"
        builder.problem((line, column), what, "a topology file is text")
        return None, builder.problems
    try:
        for event in _events(text):
            builder.feed(event)
    except _StopError:
        return None, builder.problems
    except MarkedYAMLError as error:
        _syntax_problem(builder, error)
        return None, builder.problems
    except (YAMLError, ValueError, OverflowError, AssertionError) as error:
        # The scanner lets a few oddities through to Python: "\UFFFFFFFF", %YAML 9.9.
        reason = " ".join(str(error).split())[:200]
        builder.problem((1, 1), f"not YAML: {reason}")
        return None, builder.problems
    if builder.root is None or builder.root.value is None:
        builder.problem((1, 1), "the file is empty", "it needs at least 'version: 1'")
        return None, builder.problems
    return builder.root, builder.problems

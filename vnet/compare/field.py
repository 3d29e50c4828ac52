"""A field of a frame, and how it is compared.

Most fields are compared by value. What a kernel chooses freely is not: of such a field only a
*label* counts, and equal labels of one capture must be equal labels in the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

Value = int | bytes | str


class Label(NamedTuple):
    """A freely chosen value: what kind it is of, and within what it is told from others."""

    kind: str
    scope: Hashable
    value: Hashable


class Field(NamedTuple):
    """One field: ``value`` is shown, ``key`` is compared; ``label``, if any, by a bijection."""

    name: str
    value: Value
    key: Hashable
    label: Label | None = None
    show: Callable[[Value], str] = str

    @property
    def text(self) -> str:
        return self.show(self.value)

    @property
    def plain_name(self) -> str:
        """The field's own name, wherever it stands: in a tunnel, or quoted by an error."""
        return self.name.replace("inner.", "").replace("quoted.", "")


FREE = "free"
"""The key of a value that may be anything; where zero has a meaning of its own, zero is exact."""


def exact(name: str, value: Value, show: Callable[[Value], str] = str) -> Field:
    """A field that is compared by its value."""
    return Field(name, value, value, None, show)


def labelled(
    name: str,
    value: Value,
    kind: str,
    scope: Hashable = None,
    show: Callable[[Value], str] = str,
) -> Field:
    """A field that is compared as a label; zero is "none", and no label."""
    if not value:
        return Field(name, value, 0, None, show)
    return Field(name, value, FREE, Label(kind, scope, value), show)


def loose(name: str, value: Value, show: Callable[[Value], str] = str) -> Field:
    """A field of which it only counts that it is there: a time, say."""
    return Field(name, value, FREE, None, show)


def hexadecimal(value: Value) -> str:
    assert isinstance(value, int)
    return f"{value:#x}"


_MOST_SHOWN_BYTES = 24


def raw(value: Value) -> str:
    """Bytes as hexadecimal digits, cut to a readable length."""
    assert isinstance(value, bytes)
    if len(value) <= _MOST_SHOWN_BYTES:
        return value.hex() or "(empty)"
    return f"{value[:_MOST_SHOWN_BYTES].hex()}... ({len(value)} bytes)"


def numbered(fields: Iterable[Field]) -> dict[tuple[str, int], Field]:
    """Fields by their name and how many of the name came before."""
    seen: dict[str, int] = defaultdict(int)
    numbered = {}
    for one in fields:
        numbered[one.name, seen[one.name]] = one
        seen[one.name] += 1
    return numbered

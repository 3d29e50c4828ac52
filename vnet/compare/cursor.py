"""Reads a frame from front to back, so that no byte is left out and none is read twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from vnet.base.ids import ip_text, mac_text
from vnet.compare.field import Field, Value, exact, labelled, loose, raw


class FrameEndsError(Exception):
    """There are fewer bytes than the next field needs."""


class Cursor:
    """A place in ``data``, before ``end``; what was passed is in ``fields``.

    ``prefix`` stands before the names of fields, such as ``inner.`` for what a tunnel carries.
    ``missing_bytes`` is how much of the frame was not captured.
    """

    __slots__ = ("at", "data", "end", "fields", "missing_bytes", "prefix")

    def __init__(self, data: bytes, missing_bytes: int = 0) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)
        self.fields: list[Field] = []
        self.prefix = ""
        self.missing_bytes = missing_bytes

    @property
    def left_bytes(self) -> int:
        return self.end - self.at

    def take(self, n_bytes: int) -> bytes:
        """The next bytes. Raises ``FrameEndsError`` where there are fewer, and takes nothing."""
        end = self.at + n_bytes
        if end > self.end:
            raise FrameEndsError
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def add(self, field: Field) -> None:
        if self.prefix:
            field = field._replace(name=self.prefix + field.name)
        self.fields.append(field)

    def number(self, name: str, n_bytes: int, show: Callable[[Value], str] = str) -> int:
        value = int.from_bytes(self.take(n_bytes), "big")
        self.add(exact(name, value, show))
        return value

    def bits(self, *parts: tuple[str, int], show: Callable[[Value], str] = str) -> list[int]:
        """Fields of some bits each, whole bytes together, the most significant first."""
        n_bits = sum(width for _, width in parts)
        whole = int.from_bytes(self.take(n_bits // 8), "big")
        values = []
        for name, width in parts:
            n_bits -= width
            value = whole >> n_bits & ((1 << width) - 1)
            self.add(exact(name, value, show))
            values.append(value)
        return values

    def label(
        self,
        name: str,
        n_bytes: int,
        kind: str,
        scope: Hashable = None,
        show: Callable[[Value], str] = str,
    ) -> int:
        value = int.from_bytes(self.take(n_bytes), "big")
        self.add(labelled(name, value, kind, scope, show))
        return value

    def loose(self, name: str, n_bytes: int, show: Callable[[Value], str] = raw) -> None:
        self.add(loose(name, self.take(n_bytes), show))

    def mac(self, name: str) -> bytes:
        value = self.take(6)
        self.add(exact(name, value, mac_shown))
        return value

    def ip(self, name: str, n_bytes: int) -> bytes:
        value = self.take(n_bytes)
        self.add(exact(name, value, ip_shown))
        return value

    def raw(self, name: str, n_bytes: int) -> bytes:
        """Some bytes as they are; no field where there are none."""
        value = self.take(n_bytes)
        if value:
            self.add(exact(name, value, raw))
        return value

    @contextmanager
    def inside(self, prefix: str) -> Iterator[None]:
        """Names of fields begin with ``prefix`` besides, for a packet in a packet."""
        outer = self.prefix
        self.prefix += prefix
        try:
            yield
        finally:
            self.prefix = outer

    def peek(self, at: int, n_bytes: int) -> bytes:
        """Bytes from ``at`` on, as many as there are."""
        return self.data[at : min(at + n_bytes, self.end)]

    def rest(self, name: str) -> None:
        self.raw(name, max(self.left_bytes, 0))


@lru_cache(maxsize=4096)
def _ip_text(value: bytes) -> str:
    return ip_text(value)


def ip_shown(value: Value) -> str:
    assert isinstance(value, bytes)
    return _ip_text(value)


def mac_shown(value: Value) -> str:
    assert isinstance(value, bytes)
    return mac_text(value)

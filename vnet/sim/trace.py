"""The tree of everything that one frame caused.

Whoever wants to follow a frame sends it with a :class:`TraceNode` in its meta. Each
device adds a child for what it did; a flood makes siblings, a rewrite or an answer
makes a child with other bytes, a drop makes a leaf that names its reason. Frames
without a node cost the devices one comparison with None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.drops import DropReason
from vnet.base.units import duration_text


class TraceNode:
    """At ``time_ns``, ``place`` (``node:device`` or a room's name) did ``event``.

    ``data`` is the frame as it was then; ``drop`` is set on the leaf where it died.
    """

    __slots__ = ("children", "data", "drop", "event", "place", "time_ns")

    def __init__(
        self,
        time_ns: int,
        place: str,
        event: str,
        data: bytes = b"",
        drop: DropReason | None = None,
    ) -> None:
        self.time_ns = time_ns
        self.place = place
        self.event = event
        self.data = data
        self.drop = drop
        self.children: list[TraceNode] = []

    def add(
        self,
        time_ns: int,
        place: str,
        event: str,
        data: bytes = b"",
        drop: DropReason | None = None,
    ) -> TraceNode:
        """Append a child and return it."""
        child = TraceNode(time_ns, place, event, data, drop)
        self.children.append(child)
        return child

    def walk(self) -> Iterator[TraceNode]:
        """This node and all below it, parents first, in the order they happened."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    @property
    def drops(self) -> list[TraceNode]:
        """The leaves where a copy of the frame died."""
        return [node for node in self.walk() if node.drop is not None]

    def __str__(self) -> str:
        return "\n".join(self._lines("", ""))

    def _lines(self, first: str, rest: str) -> Iterator[str]:
        # An only child stays at its parent's indent: a long road should not drift off the
        # screen. Only a fork indents.
        node, lead = self, first
        while True:
            yield lead + node._line(self.time_ns)
            if len(node.children) != 1:
                break
            node, lead = node.children[0], rest
        for child in node.children:
            last = child is node.children[-1]
            yield from child._lines(
                rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  ")
            )

    def _line(self, _start_ns: int) -> str:
        line = f"{duration_text(self.time_ns):>12}  {self.place:<16} {self.event}"
        if self.data:
            line += f" [{len(self.data)}]"
        if self.drop is not None:
            line += f"  DROPPED {self.drop.word}: {self.drop.cause}"
        return line

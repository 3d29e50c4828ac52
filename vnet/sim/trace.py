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
from vnet.wire.summary import summarize


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
        rows = list(self._rows("", "", b""))
        width = max(len(tree) for _time, tree, _what in rows)
        return "\n".join(
            f"{duration_text(time_ns):>14}  {tree:<{width}}  {what}".rstrip()
            for time_ns, tree, what in rows
        )

    def _rows(self, first: str, rest: str, before: bytes) -> Iterator[tuple[int, str, str]]:
        """Time, place in the tree, and what happened, from this node downwards.

        An only child stays at its parent's indent, for a long road should not drift off the
        screen; only a fork indents. A frame is described where it differs from the one above.
        """
        node, lead = self, first
        while True:
            yield node.time_ns, f"{lead}{node.place}", node._what(before)
            before = node.data or before
            if len(node.children) != 1:
                break
            node, lead = node.children[0], rest
        for child in node.children:
            last = child is node.children[-1]
            yield from child._rows(
                rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "), before
            )

    def _what(self, before: bytes) -> str:
        what = self.event
        if self.data and self.data != before:
            what += f" [{len(self.data)}] {summarize(self.data)}"
        if self.drop is not None:
            what += f": {self.drop.word}, {self.drop.cause}"
        return what

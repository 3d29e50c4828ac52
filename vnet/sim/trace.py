"""The tree of everything that one frame caused, and the recorder that follows them all.

Whoever wants to follow a frame sends it with a :class:`Trace` in its meta. Each device adds
a child for what it did; a flood makes siblings, a rewrite or an answer makes a child with
other bytes, a drop makes a leaf that names its reason. Frames without a trace cost the
devices one comparison with None.

A storm would make a tree grow for ever, so trees are weighed as they grow: a node counts
one, and so does every half kilobyte of new frame bytes, or of notes, that it holds, and every
note that comes later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from vnet.base.drops import DropReason
from vnet.base.units import duration_text
from vnet.wire.summary import summarize

MOST_REMEMBERED = 100_000
"""What a recorder's trees may weigh together: some 50 MB."""

MOST_IN_A_TREE = 50_000
"""What one tree may weigh: a broadcast to ten thousand machines still fits."""

_BYTES_PER_UNIT = 512
_MOST_INDENT = 60


class TraceNode:
    """At ``time_ns``, ``place`` (``node:device`` or a room's name) did ``event``.

    ``data`` is the frame as it was then; ``drop`` is set on the leaf where it died. ``notes`` are
    lines that explain what was done with the frame there, such as by netfilter.
    """

    __slots__ = ("children", "data", "drop", "event", "notes", "place", "time_ns")

    def __init__(
        self,
        time_ns: int,
        place: str,
        event: str,
        data: bytes = b"",
        drop: DropReason | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.time_ns = time_ns
        self.place = place
        self.event = event
        self.data = data
        self.drop = drop
        self.notes = notes
        self.children: list[TraceNode] = []

    def add(
        self,
        time_ns: int,
        place: str,
        event: str,
        data: bytes = b"",
        drop: DropReason | None = None,
        notes: tuple[str, ...] = (),
    ) -> TraceNode:
        """Append a child and return it."""
        child = TraceNode(time_ns, place, event, data, drop, notes)
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
        rows = list(self._rows())
        width = max(len(tree) for _time, tree, _what in rows)
        return "\n".join(
            f"{time:>14}  {tree:<{width}}  {what}".rstrip() for time, tree, what in rows
        )

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        """Time, place in the tree, and what happened, from this node downwards.

        An only child stays at its parent's indent, for a long road should not drift off the
        screen; only a fork indents. A frame is described where it differs from the one above.
        Notes have rows of their own.
        """
        branches = [(self, "", "", b"")]
        while branches:
            node, lead, rest, before = branches.pop()
            while True:
                yield duration_text(node.time_ns), f"{lead}{node.place}", node._what(before)
                for note in node.notes:
                    yield "", rest, f"  {note}"
                before = node.data or before
                if len(node.children) != 1:
                    break
                node, lead = node.children[0], rest
            if len(rest) > _MOST_INDENT:
                # Deep in a storm the outer branches are of no more interest.
                rest = "…  " + rest[6:]
            for child in reversed(node.children):
                last = child is node.children[-1]
                fork, beside = ("└─ ", "   ") if last else ("├─ ", "│  ")
                branches.append((child, rest + fork, rest + beside, before))

    def _what(self, before: bytes) -> str:
        what = self.event
        if self.data and self.data != before:
            what += f" [{len(self.data)}] {summarize(self.data)}"
        if self.drop is not None:
            what += f": {self.drop.word}, {self.drop.cause}"
        return what


class Trace:
    """A tree that grows while its frames travel, up to a weight of ``most``.

    Frames know their node by number, and not the node itself: so a tree that is forgotten is
    freed, though its frames may be under way for ever. ``root`` is None once it is forgotten.
    A tree that has become too large is cut, with a node that says so. In both cases the
    frames travel on and leave no more marks. ``recorder`` is told of its drops, and how it
    grows unless it is ``kept``.
    """

    __slots__ = ("_kept", "_most", "_nodes", "_recorder", "root", "weight")

    def __init__(
        self,
        root: TraceNode,
        *,
        most: int = MOST_IN_A_TREE,
        recorder: FlightRecorder | None = None,
        kept: bool = False,
    ) -> None:
        self._kept = kept
        self.root: TraceNode | None = root
        self.weight = _weight_of(root.data)
        self._nodes = [root]
        self._most = most
        self._recorder = recorder

    def add(
        self,
        parent: int,
        time_ns: int,
        place: str,
        event: str,
        data: bytes = b"",
        drop: DropReason | None = None,
        notes: tuple[str, ...] = (),
    ) -> int:
        """Add a child of node ``parent`` and return its number; the root is number 0.

        Where the tree grows no more, the number of the parent.
        """
        if self._nodes and self.weight >= self._most:
            cut = f"the trace is cut here, for it has {len(self._nodes)} nodes"
            self._nodes[parent].add(time_ns, place, cut)
            self._nodes = []
        if not self._nodes:
            if drop is not None and self._recorder is not None:
                self._recorder.died(TraceNode(time_ns, place, event, data, drop), self.root)
            return parent
        above = self._nodes[parent]
        node = above.add(time_ns, place, event, data, drop, notes)
        number = len(self._nodes)
        self._nodes.append(node)
        weight = 1 if data is above.data else _weight_of(data)
        if notes:
            weight += sum(map(len, notes)) // _BYTES_PER_UNIT
        self.weight += weight
        if self._recorder is not None:
            if drop is not None:
                self._recorder.died(node, self.root)
            if not self._kept:
                self._recorder.grew(weight)
        return number

    def note(self, number: int, line: str) -> None:
        """Add a line to what explains node ``number``, where the tree still grows."""
        if not self._nodes or self.weight >= self._most:
            return
        self._nodes[number].notes += (line,)
        weight = _weight_of(line)
        self.weight += weight
        if self._recorder is not None and not self._kept:
            self._recorder.grew(weight)

    def forget(self) -> None:
        """Let go of the tree; whoever holds its root keeps what it has so far."""
        self.root = None
        self._nodes = []


def _weight_of(data: bytes | str) -> int:
    return 1 + len(data) // _BYTES_PER_UNIT


class Death(NamedTuple):
    """The end of a frame: the leaf that names the reason, and the tree it was part of.

    ``root`` is None where the tree was forgotten before; the leaf is not in the tree where
    that was cut before.
    """

    leaf: TraceNode
    root: TraceNode | None


class FlightRecorder:
    """Follows every frame from where it begins, and remembers the newest trees.

    They weigh no more than ``most`` together, and one of them half of that; the oldest are
    forgotten first. Routine drops are no deaths. ``deaths`` counts them, ``last`` is the
    newest with its tree, and ``reasons`` has the newest leaf for each reason, the newest of
    all at its end.
    """

    __slots__ = ("_most", "_traces", "_weight", "deaths", "last", "reasons")

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._traces: deque[Trace] = deque()
        self._weight = 0
        self.deaths = 0
        self.last: Death | None = None
        self.reasons: dict[DropReason, TraceNode] = {}

    def begin(self, root: TraceNode, *, kept: bool = False) -> Trace:
        """Follow a frame whose tree has nothing but ``root`` yet.

        One that is ``kept`` belongs to somebody: it is not forgotten for what others say.
        """
        most = MOST_IN_A_TREE if kept else self._most // 2
        trace = Trace(root, most=most, recorder=self, kept=kept)
        if root.drop is not None:
            self.died(root, root)
        if not kept:
            self._traces.append(trace)
            self.grew(trace.weight)
        return trace

    def grew(self, weight: int) -> None:
        """A tree has become heavier by ``weight``."""
        self._weight += weight
        while self._weight > self._most:
            oldest = self._traces.popleft()
            self._weight -= oldest.weight
            oldest.forget()

    def died(self, leaf: TraceNode, root: TraceNode | None) -> None:
        """A frame of the tree below ``root`` was dropped."""
        reason = leaf.drop
        assert reason is not None
        if reason.routine:
            return
        self.deaths += 1
        self.last = Death(leaf, root)
        self.reasons.pop(reason, None)
        self.reasons[reason] = leaf

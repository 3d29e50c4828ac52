"""The frame: what travels between two devices."""

from __future__ import annotations

from vnet.base.drops import DropReason
from vnet.sim.trace import Trace


class Meta:
    """What rides along with a frame off the fast road: its trace, and the node it is at."""

    __slots__ = ("_node", "_trace")

    def __init__(self, trace: Trace, node: int = 0) -> None:
        self._trace = trace
        self._node = node

    def add(
        self,
        time_ns: int,
        place: str,
        event: str,
        data: bytes = b"",
        drop: DropReason | None = None,
        notes: tuple[str, ...] = (),
    ) -> Meta:
        """Add a child to the trace, and return what a frame carries from there on."""
        node = self._trace.add(self._node, time_ns, place, event, data, drop, notes)
        return Meta(self._trace, node)

    def note(self, line: str) -> None:
        """Add a line to the notes of the node that the frame is at."""
        self._trace.note(self._node, line)


class Frame:
    """Immutable bytes from the destination MAC to the end of the payload, without FCS.

    ``meta`` is None on the fast road. A device that changes nothing hands the same
    object on, so nobody may assign to a frame that was received.
    """

    __slots__ = ("data", "meta")

    def __init__(self, data: bytes, meta: Meta | None = None) -> None:
        self.data = data
        self.meta = meta

    def with_meta(self, meta: Meta | None) -> Frame:
        """The same frame elsewhere in a trace, or in another."""
        return Frame(self.data, meta)

    def with_data(self, data: bytes) -> Frame:
        """The same packet under another header."""
        return Frame(data, self.meta)

    def seen(self, time_ns: int, place: str, event: str) -> Frame:
        """The same bytes, one node further down the trace tree. Off the fast road only."""
        assert self.meta is not None
        return self.with_meta(self.meta.add(time_ns, place, event, self.data))

    def __repr__(self) -> str:
        return f"Frame({len(self.data)} bytes)"

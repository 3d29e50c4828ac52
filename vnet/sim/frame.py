"""The frame: what travels between two devices."""

from __future__ import annotations

from vnet.sim.trace import TraceNode


class Meta:
    """What rides along with a frame off the fast road: the node of its trace tree."""

    __slots__ = ("node",)

    def __init__(self, node: TraceNode) -> None:
        self.node = node


class Frame:
    """Immutable bytes from the destination MAC to the end of the payload, without FCS.

    ``meta`` is None on the fast road. A device that changes nothing hands the same
    object on, so nobody may assign to a frame that was received.
    """

    __slots__ = ("data", "meta")

    def __init__(self, data: bytes, meta: Meta | None = None) -> None:
        self.data = data
        self.meta = meta

    def seen(self, time_ns: int, place: str, event: str) -> Frame:
        """The same bytes, one node further down the trace tree. Off the fast road only."""
        assert self.meta is not None
        return Frame(self.data, Meta(self.meta.node.add(time_ns, place, event, self.data)))

    def __repr__(self) -> str:
        return f"Frame({len(self.data)} bytes)"

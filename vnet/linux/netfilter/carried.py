"""Frames that carry what netfilter knows of their packet from one place of a machine to the next.

The loopback and bridges hand on the same packet: who it belongs to and its mark stay with it.
"""

from __future__ import annotations

from vnet.linux.netfilter.packet import NfPacket
from vnet.sim.frame import Frame, Meta


class CarryingFrame(Frame):
    """A frame whose packet was ``shown`` to netfilter before."""

    __slots__ = ("shown",)

    def __init__(self, data: bytes, meta: Meta | None, shown: NfPacket) -> None:
        super().__init__(data, meta)
        self.shown = shown

    def with_meta(self, meta: Meta | None) -> CarryingFrame:
        return CarryingFrame(self.data, meta, self.shown)

    def with_data(self, data: bytes) -> CarryingFrame:
        return CarryingFrame(data, self.meta, self.shown)

"""A tunnel's port in a datapath: ``vxlan_sys_4789``, ``gre_sys``.

All tunnels of one kind, and of one UDP port where there is one, share a port of the datapath.
Packets come in by it once their outer headers are off; they leave by the port that the outer
headers lead to, so the tunnel's port itself sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.base.drops import DropReason
from vnet.base.ids import MAC_ZERO
from vnet.netdev.device import NetDevice
from vnet.ovs.datapath.reasons import NOT_ENCAPSULATED
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

_NO_LIMIT_BYTES = 0xFFFF
_SEQUENCE_MASK = 0xFFFF_FFFF


class Decapsulated(NamedTuple):
    """What was inside, and where it came from: bits of a flow, in place, with its packet type."""

    data: bytes
    metadata: int


Pop = Callable[[bytes], Decapsulated | DropReason]
"""Takes the outer headers off a frame; a reason where they are not what they should be."""


Lose = Callable[[NetDevice, Frame, DropReason], None]
"""Counts and names the loss of a frame that a port's device has in its hands."""


class TunnelDevice(NetDevice):
    """The device behind a tunnel's port. ``pop`` is what its kind of tunnel does."""

    kind = "tunnel"

    __slots__ = ("_lose", "_sequence", "pop")

    def __init__(
        self, scheduler: Scheduler, name: str, pop: Pop, lose: Lose, owner: str = ""
    ) -> None:
        super().__init__(scheduler, name, MAC_ZERO, _NO_LIMIT_BYTES, owner)
        self.pop = pop
        self._lose = lose
        self._sequence = 0
        self.set_admin(True)

    def next_sequence(self) -> int:
        """The number of the next GRE packet that has one (RFC 2890 section 2.2)."""
        sequence = self._sequence
        self._sequence = sequence + 1 & _SEQUENCE_MASK
        return sequence

    def _xmit(self, frame: Frame) -> None:
        self.tx_packets -= 1
        self.tx_bytes -= len(frame.data)
        self._lose(self, frame, NOT_ENCAPSULATED)

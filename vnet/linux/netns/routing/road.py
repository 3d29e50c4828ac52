"""The short way of forwarded IPv4 packets whose flow is known and that ask for nothing special.

What is checked of each packet is what can differ within a flow: whether it is whole, fits, may
live on, and has no options. Whatever fails here takes the long way, which knows why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vnet.sim.frame import Frame
from vnet.tables.neigh import Neighbor, Nud
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.neighbor import PendingPacket

PLAIN = 0x45
"""Version 4, and a header of five words: no options."""

IN_USE = frozenset((Nud.REACHABLE, Nud.DELAY, Nud.PROBE, Nud.PERMANENT))
"""States in which sending changes nothing but the time of last use."""

END = HEADER_BYTES + 20
"""Where a header without options ends in a frame."""


class Roads(Protocol):
    """Whatever may carry the packets between two addresses."""

    def carry(self, frame: Frame) -> bool:
        """Send a packet on; False if it must take the long way."""


class Road:
    """Where the packets between two addresses leave, with all that can be known beforehand."""

    __slots__ = ("_device", "_mtu_bytes", "_neighbors", "_next_hop", "_scheduler", "_source")

    def __init__(self, out: Interface, next_hop: bytes, mtu_bytes: int) -> None:
        self._device = out.device
        self._scheduler = out.device.scheduler
        self._mtu_bytes = mtu_bytes
        self._neighbors = out.arp_cache.table
        self._next_hop = next_hop
        self._source = out.device.mac + b"\x08\x00"

    def carry(self, frame: Frame) -> bool:
        """Send a packet on; False if it must take the long way."""
        data = frame.data
        size = len(data) - HEADER_BYTES
        if (
            data[14] != PLAIN
            or data[22] < 2
            or size > self._mtu_bytes
            or size != data[16] << 8 | data[17]
            or data[0] & 1
            or int.from_bytes(data[HEADER_BYTES:END], "big") % 0xFFFF
        ):
            return False
        neighbor: Neighbor[PendingPacket] | None = self._neighbors.get(self._next_hop)
        if neighbor is None or neighbor.state not in IN_USE or neighbor.mac is None:
            return False
        neighbor.used_ns = self._scheduler.now_ns
        # One less in the upper byte of a word is one more in that of the sum (RFC 1624).
        check = (data[24] << 8 | data[25]) + 0x100
        check = check + (check >= 0xFFFF) & 0xFFFF
        word = (data[22] - 1) << 24 | data[23] << 16 | check
        sent = neighbor.mac + self._source + data[14:22] + word.to_bytes(4, "big") + data[26:]
        self._device.transmit(Frame(sent, frame.meta))
        return True

"""The short way of broadcast datagrams to machines where nobody listens.

A flood brings one frame to everybody, and most have no use for it: when a thousand guests ask for
addresses, each hears all the others. Whether a frame is sound is found out once, for all that get
the same bytes; the rest is asked of each machine anew, for a socket may be opened at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netns import drops
from vnet.linux.netns.routing.road import END, PLAIN
from vnet.sim.frame import Frame
from vnet.wire import ipv4, udp
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

_PORT_AT = END + 2


class _LastSound:
    """The last frame that was found to hold a whole datagram."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data = b""

    def has(self, data: bytes) -> bool:
        """Whether ``data`` holds a whole UDP datagram, in one piece and without options."""
        if data is self.data:
            return True
        if len(data) < END + udp.HEADER_BYTES or data[HEADER_BYTES] != PLAIN:
            return False
        header = ipv4.parse(data[HEADER_BYTES:])
        if header is None or header.protocol != udp.PROTOCOL or header.is_fragment:
            return False
        if udp.parse(header.payload) is None:
            return False
        if not udp.checksum_holds(header.source, header.target, header.payload):
            return False
        self.data = data
        return True


_LAST_SOUND = _LastSound()


class DeafRoad:
    """Where datagrams from one address to everybody end, at an interface."""

    __slots__ = ("_interface", "_target")

    def __init__(self, interface: Interface, target: bytes) -> None:
        self._interface = interface
        self._target = target

    def carry(self, frame: Frame) -> bool:
        """Drop a datagram that nobody listens for; False if it must take the long way."""
        data, interface = frame.data, self._interface
        if interface.namespace.netfilter is not None or not _LAST_SOUND.has(data):
            return False
        port = data[_PORT_AT] << 8 | data[_PORT_AT + 1]
        if interface.namespace.sockets.udp.at(self._target, port, interface) is not None:
            return False
        interface.device.drop(frame, drops.NOBODY_LISTENS)
        return True

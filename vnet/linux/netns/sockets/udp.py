"""UDP sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vnet.base.drops import DropReason
from vnet.linux.netns.sockets.errors import SocketError
from vnet.sim.frame import Meta

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.sockets.udp_table import UdpTable


class Datagram(NamedTuple):
    """A received datagram: who sent it, to which of our addresses, the bytes, the interface it
    came in by (IP_PKTINFO), and its frame's trace, if that is followed."""

    source: bytes
    source_port: int
    target: bytes
    data: bytes
    interface: Interface
    meta: Meta | None = None


class UdpSocket:
    """A bound UDP socket. ``on_data`` and ``on_error`` are called as things arrive.

    ``address`` is empty for one that hears what comes to any. One with a ``device`` hears only
    what comes in by that interface, and all that it sends leaves there (SO_BINDTODEVICE). Without
    ``discovers_mtu`` its datagrams may be cut to pieces on their way (IP_PMTUDISC_OMIT). ``tos``
    is theirs.
    """

    __slots__ = (
        "_refusal",
        "_table",
        "address",
        "device",
        "discovers_mtu",
        "on_data",
        "on_error",
        "port",
        "tos",
    )

    def __init__(
        self,
        table: UdpTable,
        port: int,
        on_data: Callable[[UdpSocket, Datagram], None],
        on_error: Callable[[SocketError], None] | None,
        address: bytes,
        device: Interface | None = None,
    ) -> None:
        self._table = table
        self.port = port
        self.on_data = on_data
        self.on_error = on_error
        self.address = address
        self.device = device
        self.tos = 0
        self.discovers_mtu = True
        self._refusal: DropReason | None = None

    def refuse(self, reason: DropReason) -> None:
        """Called from ``on_data``: nobody could read that datagram, and it counts as dropped."""
        self._refusal = reason

    def take_refusal(self) -> DropReason | None:
        """What was said of the last datagram."""
        reason, self._refusal = self._refusal, None
        return reason

    def send_to(
        self,
        target: bytes,
        port: int,
        data: bytes,
        source: bytes | None = None,
        meta: Meta | None = None,
    ) -> None:
        """Send a datagram from ``source``, the socket's own address, or what the route suggests."""
        self._table.send(self, target, port, data, source, meta)

    def close(self) -> None:
        """Stop receiving; harmless when closed."""
        self._table.close(self)

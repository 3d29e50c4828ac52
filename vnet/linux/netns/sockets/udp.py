"""UDP sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vnet.linux.netns.sockets.errors import SocketError
from vnet.sim.frame import Meta

if TYPE_CHECKING:
    from vnet.linux.netns.sockets.table import Sockets


class Datagram(NamedTuple):
    """A received datagram: who sent it, to which of our addresses, and the bytes."""

    source: bytes
    source_port: int
    target: bytes
    data: bytes


class UdpSocket:
    """A bound UDP socket. ``on_data`` and ``on_error`` are called as things arrive."""

    __slots__ = ("_sockets", "on_data", "on_error", "port")

    def __init__(
        self,
        sockets: Sockets,
        port: int,
        on_data: Callable[[UdpSocket, Datagram], None],
        on_error: Callable[[SocketError], None] | None,
    ) -> None:
        self._sockets = sockets
        self.port = port
        self.on_data = on_data
        self.on_error = on_error

    def send_to(
        self,
        target: bytes,
        port: int,
        data: bytes,
        source: bytes | None = None,
        meta: Meta | None = None,
    ) -> None:
        """Send a datagram from ``source``, or from the address the route suggests."""
        self._sockets.send_udp(self.port, target, port, data, source, meta)

    def close(self) -> None:
        """Stop receiving; harmless when closed."""
        self._sockets.udp.pop(self.port, None)

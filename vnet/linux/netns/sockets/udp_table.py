"""All UDP sockets of a namespace: which of them a datagram is for, and how datagrams leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.linux.netns import drops
from vnet.linux.netns.sockets.errors import SocketError
from vnet.linux.netns.sockets.ports import ephemeral_ports
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.sim.frame import Meta
from vnet.wire import ipv4, ipv6, udp

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class UdpTable:
    """Sockets by port, and those that hear what comes to one address, or in by one interface, by
    that, too."""

    __slots__ = ("_bound", "_namespace", "_of_device", "_picked", "sockets")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.sockets: dict[int, UdpSocket] = {}
        self._bound: dict[tuple[bytes, int], UdpSocket] = {}
        self._of_device: dict[tuple[Interface, int], UdpSocket] = {}
        self._picked = 0
        """How many ephemeral ports have been picked: who opens a socket anew gets another."""

    def __iter__(self) -> Iterator[UdpSocket]:
        """Every socket; those of one address come last, and then those of one interface."""
        return chain(self.sockets.values(), self._bound.values(), self._of_device.values())

    def open(
        self,
        on_data: Callable[[UdpSocket, Datagram], None],
        port: int,
        on_error: Callable[[SocketError], None] | None,
        address: bytes,
        device: Interface | None = None,
    ) -> UdpSocket:
        """Bind a socket; see :meth:`~vnet.linux.netns.sockets.table.Sockets.open_udp`."""
        port = port or self._free_port()
        is_taken = (address, port) in self._bound or (not address and port in self.sockets)
        if (device, port) in self._of_device if device is not None else is_taken:
            raise UsageError(f"{self._namespace.name}: UDP port {port} is in use")
        socket = UdpSocket(self, port, on_data, on_error, address, device)
        if device is not None:
            self._of_device[device, port] = socket
        elif address:
            self._bound[address, port] = socket
        else:
            self.sockets[port] = socket
        return socket

    def _free_port(self) -> int:
        stream = self._namespace.chance.stream(
            f"{self._namespace.name} ephemeral port {self._picked}"
        )
        self._picked += 1
        ports = ephemeral_ports(self._namespace)
        start = stream.randrange(len(ports))
        for offset in range(len(ports)):
            port = ports[(start + offset) % len(ports)]
            if port not in self.sockets:
                return port
        raise UsageError(f"{self._namespace.name}: no UDP port is free: Address already in use")

    def close(self, socket: UdpSocket) -> None:
        """Forget a socket; harmless when it is forgotten."""
        if socket.device is not None:
            self._of_device.pop((socket.device, socket.port), None)
        elif socket.address:
            self._bound.pop((socket.address, socket.port), None)
        elif self.sockets.get(socket.port) is socket:
            del self.sockets[socket.port]

    def at(self, address: bytes, port: int, interface: Interface | None = None) -> UdpSocket | None:
        """The socket that hears what comes to ``address`` and ``port`` by ``interface``, or, where
        that is not said, by any."""
        bound = self._bound.get((address, port)) if self._bound else None
        if self._of_device:
            for (device, number), socket in self._of_device.items():
                if number == port and interface in (device, None):
                    bound = socket
        return self.sockets.get(port) if bound is None else bound

    def hand_over(
        self,
        interface: Interface,
        source: bytes,
        target: bytes,
        datagram: udp.Udp,
        meta: Meta | None,
    ) -> DropReason | None:
        """Why it found nobody who could do with it; None where somebody could."""
        socket = self.at(target, datagram.target_port, interface)
        if socket is None:
            return drops.NO_SOCKET
        port, payload = datagram.source_port, datagram.payload
        socket.on_data(socket, Datagram(source, port, target, payload, interface, meta))
        return socket.take_refusal()

    def send(
        self,
        socket: UdpSocket,
        target: bytes,
        port: int,
        data: bytes,
        source: bytes | None,
        meta: Meta | None,
    ) -> None:
        """Build and send one datagram."""
        namespace, out = self._namespace, socket.device
        source = source or socket.address
        if not source and out is not None:
            source = out.source_for(target) or b""
        source = source or namespace.sockets.source_for(target)
        segment = udp.emit(source, target, socket.port, port, data)
        if len(target) == 16:
            hops = namespace.ipv6.hop_limit_to(target)
            packet = ipv6.emit(source, target, udp.PROTOCOL, segment, hop_limit=hops)
            return namespace.ipv6.send(packet, meta, out=out)
        # Path MTU discovery sets DF on what fits; what does not is fragmented (IP_PMTUDISC_WANT).
        fits = socket.discovers_mtu
        fits = fits and len(segment) + ipv4.HEADER_BYTES <= namespace.ipv4.mtu_to(target)
        fits = fits and not namespace.ipv4.may_be_fragmented(target)
        packet = ipv4.emit(
            source,
            target,
            udp.PROTOCOL,
            segment,
            ttl=namespace.sysctls.ipv4.ip_default_ttl,
            tos=socket.tos,
            ident=namespace.idents.next(source, target, udp.PROTOCOL),
            flags_offset=ipv4.DONT_FRAGMENT if fits else 0,
        )
        return namespace.ipv4.send(packet, meta, out=out)

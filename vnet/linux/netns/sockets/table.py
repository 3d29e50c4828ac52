"""All sockets of a namespace, and which of them a packet is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_text, is_multicast_ip
from vnet.linux.netns import drops
from vnet.linux.netns.ipv4_output import REFUSALS
from vnet.linux.netns.sockets.deaf import DeafRoad
from vnet.linux.netns.sockets.echo import EchoRedirect, EchoReply, EchoSocket
from vnet.linux.netns.sockets.errors import (
    SocketError,
    icmp_failure,
    icmp_phrase,
    icmpv6_failure,
    icmpv6_phrase,
    local_phrase,
)
from vnet.linux.netns.sockets.tcp_table import TcpTable
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.netns.sockets.udp_table import UdpTable
from vnet.sim.frame import Frame
from vnet.wire import icmp, icmpv6, ipv4, ipv6, tcp, udp

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class Sockets:
    """All sockets of a namespace, by port and by identifier."""

    __slots__ = ("_namespace", "_used_at_ns", "_used_idents", "echo", "tcp", "udp")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.echo: dict[int, EchoSocket] = {}
        self._used_at_ns = -1
        self._used_idents: tuple[int, ...] = ()
        self.tcp = TcpTable(namespace)
        self.udp = UdpTable(namespace)

    # -- opening

    def open_udp(
        self,
        on_data: Callable[[UdpSocket, Datagram], None],
        port: int = 0,
        on_error: Callable[[SocketError], None] | None = None,
        *,
        address: bytes = b"",
        device: Interface | None = None,
    ) -> UdpSocket:
        """Bind a UDP socket to ``port`` on all addresses; 0 picks a free ephemeral one.

        One that is bound to an ``address`` hears what comes there before one that is not, and one
        of a ``device`` what comes in by that interface before all others.
        """
        return self.udp.open(on_data, port, on_error, address, device)

    def open_echo(
        self,
        ident: int,
        on_reply: Callable[[EchoReply], None],
        on_error: Callable[[SocketError], None],
    ) -> EchoSocket:
        """Listen for the answers to echo requests that carry ``ident``.

        It is another one if that is taken, or was by a socket of this same instant: programs that
        run one after the other are never taken for one.
        """
        now_ns = self._namespace.scheduler.now_ns
        if now_ns != self._used_at_ns:
            self._used_at_ns, self._used_idents = now_ns, ()
        while ident in self.echo or ident in self._used_idents:
            ident = ident + 1 & 0xFFFF
        self._used_idents += (ident,)
        socket = self.echo[ident] = EchoSocket(self, ident, on_reply, on_error)
        return socket

    # -- sending

    def source_for(self, target: bytes) -> IpAddress:
        """The address that a packet to ``target`` would leave from."""
        if self._namespace.owns(target):
            return self._own_source(target)
        route = self._namespace.route_to(target)
        source = None
        if route is not None:
            source = route.source_for(target)
        elif len(target) == 16 and is_multicast_ip(target):
            # Each device has a route to ff00::/8; the first one's is used.
            out = next((i for i in self._namespace.interfaces.values() if _speaks_ipv6(i)), None)
            source = None if out is None else out.source_for(target)
        else:
            found = self._namespace.routes.routing_of(target).to(target)
            reason = drops.NO_ROUTE if found is None else REFUSALS[found.type]
            what = f"{self._namespace.name}: {ip_text(target)}: {local_phrase(reason, None)}"
            raise UsageError(what, reason.cure)
        if source is None:
            raise UsageError(f"{self._namespace.name}: no address to reach {ip_text(target)} from")
        return source

    def _own_source(self, target: bytes) -> IpAddress:
        """The source of what we send to ourselves: of one network, the address that came first."""
        for interface in self._namespace.interfaces.values():
            for address in interface.addresses:
                if address.ip == target:
                    return IpAddress(address.primary_ip)
        return IpAddress(target)

    # -- receiving

    def receive4(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        shown: NfPacket | None = None,
    ) -> None:
        """A packet for us that is neither ICMP nor IGMP, and what netfilter knows of it."""
        if header.protocol == tcp.PROTOCOL:
            return self.tcp.receive(
                interface, frame, header.source, header.target, header.payload, header.tos
            )
        if header.protocol != udp.PROTOCOL:
            interface.device.drop(frame, drops.NO_PROTOCOL)
            return self._refuse4(interface, frame, packet, icmp.PROTOCOL_UNREACHABLE, shown)
        segment = header.payload
        datagram = udp.parse(segment)
        if datagram is None or not udp.checksum_holds(header.source, header.target, segment):
            return interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
        reason = self.udp.hand_over(interface, header.source, header.target, datagram, frame.meta)
        if reason is drops.NO_SOCKET and is_for_all(interface, header.target):
            reason = drops.NOBODY_LISTENS
            if interface.is_broadcast(header.target):
                road = DeafRoad(interface, header.target)
                interface.roads[header.source + header.target] = road
        if reason is not None:
            interface.device.drop(frame, reason)
        if reason is drops.NO_SOCKET:
            packet = _without_padding(packet, segment, datagram)
            # UDP has let go of what netfilter knew: only the table can tell whose the error is.
            self._refuse4(interface, frame, packet, icmp.PORT_UNREACHABLE, None)
        return None

    def _refuse4(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        code: int,
        shown: NfPacket | None,
    ) -> None:
        # A frame to everyone gets no error, whatever the IP address in it (RFC 1122 3.2.2).
        if not frame.data[0] & 1:
            self._namespace.icmp.send_error(
                packet, icmp.UNREACHABLE, code, frame.meta, interface, about=shown
            )

    def receive6(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv6.Ipv6,
        upper: ipv6.Upper,
        shown: NfPacket | None = None,
    ) -> None:
        """A packet for us that is not ICMPv6, and what netfilter knows of it."""
        errors = self._namespace.icmpv6
        if upper.protocol == tcp.PROTOCOL:
            return self.tcp.receive(
                interface,
                frame,
                header.source,
                header.target,
                upper.payload,
                header.traffic_class,
            )
        if upper.protocol != udp.PROTOCOL:
            interface.device.drop(frame, drops.NO_PROTOCOL)
            if frame.data[0] & 1:
                return None
            at = 6 if upper.next_header_at < 0 else ipv6.HEADER_BYTES + upper.next_header_at
            return errors.send_error(
                packet,
                icmpv6.PARAMETER_PROBLEM,
                icmpv6.UNKNOWN_NEXT_HEADER,
                frame.meta,
                interface,
                rest=at.to_bytes(4, "big"),
                about=shown,
            )
        segment = upper.payload
        datagram = udp.parse(segment, jumbo=True)
        if datagram is None or not udp.checksum_holds(header.source, header.target, segment):
            return interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
        reason = self.udp.hand_over(interface, header.source, header.target, datagram, frame.meta)
        if reason is drops.NO_SOCKET and is_for_all(interface, header.target):
            reason = drops.NOBODY_LISTENS
        if reason is not None:
            interface.device.drop(frame, reason)
        if reason is drops.NO_SOCKET and not frame.data[0] & 1:
            packet = _without_padding(packet, segment, datagram)
            errors.send_error(
                packet, icmpv6.UNREACHABLE, icmpv6.PORT_UNREACHABLE, frame.meta, interface
            )
        return None

    def echo_reply(
        self,
        source: bytes,
        ident: int,
        sequence: int,
        data: bytes,
        ttl: int,
    ) -> bool:
        """An echo reply came in; False if nobody asked."""
        socket = self.echo.get(ident)
        if socket is None:
            return False
        socket.on_reply(EchoReply(source, sequence, data, ttl))
        return True

    # -- errors

    def redirected4(self, reporter: bytes, message: icmp.Icmp) -> None:
        """A redirect came in: who pings hears of it, as a raw socket does of any ICMP."""
        quoted = message.payload
        at = (quoted[0] & 0x0F) * 4
        request = quoted[at : at + icmp.HEADER_BYTES]
        if quoted[9] != icmp.PROTOCOL or len(request) < icmp.HEADER_BYTES:
            return
        asker = self.echo.get(request[4] << 8 | request[5])
        if request[0] == icmp.ECHO_REQUEST and asker is not None and asker.on_redirect is not None:
            sequence = request[6] << 8 | request[7]
            asker.on_redirect(EchoRedirect(reporter, sequence, message.code, message.rest))

    def icmp_error4(self, reporter: bytes, message: icmp.Icmp, ttl: int) -> bool:
        """An ICMP error came in; False if it is about nothing of ours."""
        # The quoted packet is usually cut, so ipv4.parse would refuse it.
        quoted = message.payload
        if len(quoted) < ipv4.HEADER_BYTES + 8:
            return False
        text = icmp_phrase(message.type, message.code, message.rest)
        learned, mtu_bytes = False, 0
        if (message.type, message.code) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED):
            mtu_bytes = message.rest[2] << 8 | message.rest[3]
            learned = self._has_sent4(quoted) and self._namespace.ipv4.learn_mtu(
                quoted[16:20], mtu_bytes
            )
        if quoted[9] == tcp.PROTOCOL:
            at = (quoted[0] & 0x0F) * 4
            failure = icmp_failure(message.type, message.code)
            told = self.tcp.path_error(quoted[12:16], quoted[16:20], quoted[at : at + 8], failure)
            return told or learned
        error = SocketError(
            reporter,
            text,
            None,
            quoted[16:20],
            kind=message.type,
            code=message.code,
            mtu_bytes=mtu_bytes,
            ttl=ttl,
        )
        return self._tell4(quoted, error) or learned

    def icmp_error6(self, reporter: bytes, message: icmpv6.Icmpv6, hop_limit: int) -> bool:
        """An ICMPv6 error came in; False if it is about nothing of ours."""
        quoted = message.body[4:]
        if len(quoted) < ipv6.HEADER_BYTES + 8:
            return False
        text = icmpv6_phrase(message.type, message.code, message.body[:4])
        learned, mtu_bytes = False, 0
        if message.type == icmpv6.PACKET_TOO_BIG:
            mtu_bytes = int.from_bytes(message.body[:4], "big")
            learned = self._has_sent6(quoted) and self._namespace.ipv6.learn_mtu(
                quoted[24:40], mtu_bytes
            )
        if quoted[6] == tcp.PROTOCOL:
            segment = quoted[ipv6.HEADER_BYTES : ipv6.HEADER_BYTES + 8]
            failure = icmpv6_failure(message.type, message.code)
            return self.tcp.path_error(quoted[8:24], quoted[24:40], segment, failure) or learned
        error = SocketError(
            reporter,
            text,
            None,
            quoted[24:40],
            kind=message.type,
            code=message.code,
            mtu_bytes=mtu_bytes,
            ttl=hop_limit,
        )
        return self._tell6(quoted, error) or learned

    def _has_sent4(self, quoted: bytes) -> bool:
        """Whether a quoted packet can be ours: of a socket, or an echo reply."""
        at = (quoted[0] & 0x0F) * 4
        segment = quoted[at : at + 8]
        if quoted[9] == icmp.PROTOCOL and segment[:1] == bytes((icmp.ECHO_REPLY,)):
            return self._namespace.owns(quoted[12:16])
        return self._is_open(quoted[9], quoted[12:16], quoted[16:20], segment)

    def _has_sent6(self, quoted: bytes) -> bool:
        """Likewise; of ICMPv6 whatever comes from an address of ours."""
        if quoted[6] == icmpv6.PROTOCOL:
            return self._namespace.owns(quoted[8:24])
        segment = quoted[ipv6.HEADER_BYTES : ipv6.HEADER_BYTES + 8]
        return self._is_open(quoted[6], quoted[8:24], quoted[24:40], segment)

    def _is_open(self, protocol: int, source: bytes, target: bytes, segment: bytes) -> bool:
        """Whether there is a socket that ``segment`` came from."""
        if len(segment) < 8 or not self._namespace.owns(source):
            return False
        if protocol == icmp.PROTOCOL:
            return (segment[4] << 8 | segment[5]) in self.echo
        ports = segment[0] << 8 | segment[1], segment[2] << 8 | segment[3]
        if protocol == tcp.PROTOCOL:
            return (source, ports[0], target, ports[1]) in self.tcp.sockets
        return protocol == udp.PROTOCOL and self.udp.at(source, ports[0]) is not None

    def local_error4(self, packet: bytes, reason: DropReason, mtu: int | None) -> None:
        """Our own stack refused to send ``packet``."""
        if packet[9] == tcp.PROTOCOL:
            if reason is drops.FRAGMENTATION_NEEDED:
                self.tcp.path_error(packet[12:16], packet[16:20], packet[20:28], None)
            return
        text = local_phrase(reason, mtu)
        too_large = mtu if reason is drops.FRAGMENTATION_NEEDED else None
        error = SocketError(packet[12:16], text, None, packet[16:20], mtu_bytes=too_large or 0)
        self._tell4(packet, error)

    def local_error6(self, packet: bytes, reason: DropReason) -> None:
        """Our own stack refused to send ``packet``."""
        error = SocketError(packet[8:24], local_phrase(reason, None), None, packet[24:40])
        self._tell6(packet, error)

    def _tell4(self, quoted: bytes, error: SocketError) -> bool:
        at = (quoted[0] & 0x0F) * 4
        segment = quoted[at : at + 8]
        echo = quoted[9] == icmp.PROTOCOL and segment[:1] == bytes((icmp.ECHO_REQUEST,))
        return self._tell(quoted[9], quoted[12:16], segment, echo, error)

    def _tell6(self, quoted: bytes, error: SocketError) -> bool:
        segment = quoted[ipv6.HEADER_BYTES : ipv6.HEADER_BYTES + 8]
        echo = quoted[6] == icmpv6.PROTOCOL and segment[:1] == bytes((icmpv6.ECHO_REQUEST,))
        return self._tell(quoted[6], quoted[8:24], segment, echo, error)

    def _tell(
        self, protocol: int, source: bytes, segment: bytes, echo: bool, error: SocketError
    ) -> bool:
        if len(segment) < 8:
            return False
        if echo:
            asker = self.echo.get(segment[4] << 8 | segment[5])
            if asker is not None:
                asker.on_error(error._replace(sequence=segment[6] << 8 | segment[7]))
            return asker is not None
        if protocol == udp.PROTOCOL:
            socket = self.udp.at(source, segment[0] << 8 | segment[1])
            if socket is not None and socket.on_error is not None:
                socket.on_error(error._replace(port=segment[2] << 8 | segment[3]))
            return socket is not None
        return False


def is_for_all(interface: Interface, target: bytes) -> bool:
    """Whether ``target`` is an address of many: everybody's, or a group's."""
    return is_multicast_ip(target) or interface.is_broadcast(target)


def _without_padding(packet: bytes, segment: bytes, datagram: udp.Udp) -> bytes:
    """A packet up to where its UDP datagram ends, which may be before the packet does."""
    extra = len(segment) - udp.HEADER_BYTES - len(datagram.payload)
    return packet[: len(packet) - extra]


def _speaks_ipv6(interface: Interface) -> bool:
    return interface.addrconf is not None and interface.device.admin_up

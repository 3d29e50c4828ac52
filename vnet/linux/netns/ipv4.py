"""IPv4: input, local delivery, forwarding and output (net/ipv4 of the kernel).

receive -> for us?   -> deliver -> reassemble -> ICMP, IGMP, UDP, raw sockets
        -> not ours? -> forward -> route, TTL, mtu -> output
send    -> route     -> output  -> fragment   -> neighbour -> device
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.ids import (
    IPV4_ANY,
    IPV4_BROADCAST,
    MAC_BROADCAST,
    MAC_ZERO,
    is_multicast_ip,
    multicast_mac_of,
)
from vnet.linux.netns import drops, ip_options
from vnet.linux.netns.ip_options import Received
from vnet.linux.netns.option_values import MachineValues
from vnet.linux.netns.reassembly import Reassembler
from vnet.sim.frame import Frame, Meta
from vnet.tables.pmtu import PathMtuCache
from vnet.wire import icmp, ipv4
from vnet.wire.ether import HEADER_BYTES, TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


_LEAST_PATH_MTU = 552
_MOST_BYTES = 65_535


class Ipv4Stack:
    """A namespace's IPv4."""

    __slots__ = ("_namespace", "_reassembler", "paths")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.paths = PathMtuCache(_LEAST_PATH_MTU)
        self._reassembler = Reassembler(
            namespace, lambda: namespace.sysctls.ipv4.ipfrag_time, self._timed_out
        )

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._reassembler.held_bytes

    # -- input

    def receive(self, interface: Interface, frame: Frame) -> None:
        """An IPv4 frame came in: ip_rcv() and ip_route_input()."""
        device = interface.device
        packet = frame.data[HEADER_BYTES:]
        header = ipv4.parse(packet)
        if header is None:
            return device.drop(frame, drops.IP_MALFORMED)
        target, source = header.target, header.source
        if interface is not self._namespace.loopback:
            if self._is_martian(header):
                return device.drop(frame, drops.MARTIAN_SOURCE)
            if target[0] == 127 or (target == IPV4_ANY and source != IPV4_ANY):
                return device.drop(frame, drops.MARTIAN_TARGET)
        packet = packet[: header.total_bytes]
        if header.options:
            return self._receive_with_options(interface, frame, packet, header)
        return self._route(interface, frame, packet, header, None)

    def _receive_with_options(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> None:
        device = interface.device
        values = MachineValues(self._namespace, header, interface)
        options = ip_options.receive(header.options, values)
        # What we wrote counts in the checksum only when the packet leaves.
        head_bytes = ipv4.HEADER_BYTES
        packet = packet[:head_bytes] + options.options + packet[head_bytes + len(header.options) :]
        if options.fault_at is not None:
            device.drop(frame, drops.OPTION_MALFORMED)
            if frame.data[0] & 1:
                return None
            return self._namespace.icmp.send_error(
                packet,
                icmp.PARAMETER_PROBLEM,
                0,
                frame.meta,
                interface,
                rest=bytes((options.fault_at, 0, 0, 0)),
                options=options.sound,
            )
        if options.is_source_routed:
            return device.drop(frame, drops.SOURCE_ROUTED)
        header = header._replace(options=options.options)
        return self._route(interface, frame, packet, header, options)

    def _route(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        options: Received | None,
    ) -> None:
        device, target = interface.device, header.target
        to_all = interface.is_broadcast(target) or target == IPV4_ANY
        if to_all or self._namespace.owns(target):
            return self._deliver(interface, frame, packet, header)
        if is_multicast_ip(target):
            if interface.igmp.is_member(target):
                return self._deliver(interface, frame, packet, header)
            return device.drop(frame, drops.NOT_A_MEMBER)
        if not interface.conf4.forwarding:
            return device.drop(frame, drops.NOT_FOR_US)
        if frame.data[0] & 1 or header.source == IPV4_ANY:
            return device.drop(frame, drops.NOT_FORWARDED)
        return self._forward(interface, frame, packet, header, options)

    def _is_martian(self, header: ipv4.Ipv4) -> bool:
        source, target = header.source, header.target
        if source == IPV4_ANY and target not in (IPV4_BROADCAST, IPV4_ANY):
            # "This network" may ask everyone (DHCP), or talk of groups on its own link.
            return not is_multicast_ip(target) or (
                target[:3] != b"\xe0\0\0" and header.protocol != ipv4.IGMP
            )
        return (
            is_multicast_ip(source)
            or source == IPV4_BROADCAST
            or source[0] == 127
            or self._namespace.owns(source)
        )

    def _deliver(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> None:
        if header.is_fragment:
            whole = self._reassemble(interface, frame, packet, header)
            if whole is None:
                return None
            packet, header = whole
        if header.protocol == icmp.PROTOCOL:
            return self._namespace.icmp.receive(interface, frame, header)
        if header.protocol == ipv4.IGMP:
            return interface.igmp.receive(frame, header)
        return self._namespace.sockets.receive4(interface, frame, packet, header)

    def _reassemble(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv4.Ipv4
    ) -> tuple[bytes, ipv4.Ipv4] | None:
        key = (header.source, header.target, header.protocol, header.ident)
        header_bytes = header.total_bytes - len(header.payload)
        done = self._reassembler.add(
            interface,
            frame,
            key,
            header.offset_bytes,
            header.more_fragments,
            header.payload,
            packet,
            header_bytes,
        )
        if done is None:
            return None
        first = ipv4.parse(done[0], verify=False)
        assert first is not None
        whole = ipv4.emit(
            first.source,
            first.target,
            first.protocol,
            done[1],
            ttl=first.ttl,
            tos=first.tos,
            ident=first.ident,
            options=first.options,
        )
        rebuilt = ipv4.parse(whole)
        assert rebuilt is not None
        return whole, rebuilt

    def _timed_out(self, interface: Interface, first: bytes) -> None:
        self._namespace.icmp.send_error(
            first, icmp.TIME_EXCEEDED, icmp.REASSEMBLY_TIMEOUT, received_by=interface
        )

    # -- forwarding

    def _forward(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv4.Ipv4,
        options: Received | None,
    ) -> None:
        device = interface.device
        errors = self._namespace.icmp
        route = self._namespace.route_to(header.target)
        if route is None:
            device.drop(frame, drops.NO_ROUTE)
            return errors.send_error(
                packet, icmp.UNREACHABLE, icmp.NET_UNREACHABLE, frame.meta, interface
            )
        out = route.out
        if out.is_broadcast(header.target):
            return self._deliver(interface, frame, packet, header)
        if header.ttl <= 1:
            device.drop(frame, drops.TTL_EXCEEDED)
            return errors.send_error(
                packet, icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED, frame.meta, interface
            )
        mtu = out.device.mtu_bytes
        if len(packet) > mtu and header.dont_fragment:
            device.drop(frame, drops.FRAGMENTATION_NEEDED)
            return errors.send_error(
                packet,
                icmp.UNREACHABLE,
                icmp.FRAGMENTATION_NEEDED,
                frame.meta,
                interface,
                rest=b"\0\0" + mtu.to_bytes(2, "big"),
            )
        packet = ipv4.decrement_ttl(packet)
        if options is not None:
            source = route.source_for(header.target) or IPV4_ANY
            packet = ipv4.with_options(packet, options.leaving(source))
        next_hop = route.gateway or header.target
        return self._output(out, packet, next_hop, frame.meta)

    # -- output

    def send(
        self,
        packet: bytes,
        meta: Meta | None = None,
        *,
        confirm: bool = False,
        probe_path: bool = False,
    ) -> None:
        """Route and send a packet of our own.

        ``confirm`` says that answers have been coming in lately (MSG_CONFIRM), which
        spares the next hop a probe; ``probe_path`` that the packet is to find out what the path
        can take, whatever routers have said of it (IP_PMTUDISC_PROBE). What cannot be sent is
        dropped, and the sender told by an ICMP error to itself, as the kernel reports on the
        socket.
        """
        target = packet[16:20]
        if self._namespace.owns(target):
            return self._transmit(self._namespace.loopback, packet, MAC_ZERO, meta)
        if target == IPV4_BROADCAST or is_multicast_ip(target):
            return self._send_to_all(packet, target, meta)
        route = self._namespace.route_to(target)
        if route is None:
            return self._lose(packet, meta, drops.NO_ROUTE)
        out = route.out
        next_hop = route.gateway or target
        now_ns = self._namespace.scheduler.now_ns
        if confirm:
            out.arp_cache.table.confirm(next_hop, now_ns)
        mtu = out.device.mtu_bytes
        if not probe_path:
            mtu = self.paths.limit(target, mtu, now_ns)
        return self._output(out, packet, next_hop, meta, mtu)

    def _send_to_all(self, packet: bytes, target: bytes, meta: Meta | None) -> None:
        # By the source address's interface; the route decides only where there is none.
        out = self._namespace.owner_of(packet[12:16])
        if out is None:
            route = self._namespace.route_to(target)
            if route is None:
                return self._lose(packet, meta, drops.NO_ROUTE)
            out = route.out
        return self._output(out, packet, target, meta)

    def send_by(self, out: Interface, packet: bytes, meta: Meta | None = None) -> None:
        """Send out of a given interface, straight to the packet's target."""
        self._output(out, packet, packet[16:20], meta)

    def mtu_to(self, target: bytes) -> int:
        """The largest packet for ``target``: by the first link, and by what routers have said."""
        if self._namespace.owns(target):
            return self._namespace.loopback.device.mtu_bytes
        route = self._namespace.route_to(target)
        mtu = _MOST_BYTES if route is None else route.out.device.mtu_bytes
        return self.paths.limit(target, mtu, self._namespace.scheduler.now_ns)

    def learn_mtu(self, target: bytes, mtu_bytes: int) -> bool:
        """A router could have forwarded ``mtu_bytes`` of our packet to ``target``; is that news?"""
        return self.paths.learn(target, mtu_bytes, self._namespace.scheduler.now_ns)

    def _output(
        self,
        out: Interface,
        packet: bytes,
        next_hop: bytes,
        meta: Meta | None,
        path_mtu: int | None = None,
    ) -> None:
        """Send out of an interface, in pieces where it is too much for it or for the path."""
        mtu = path_mtu or out.device.mtu_bytes
        if len(packet) <= mtu:
            return self._to_neighbor(out, packet, next_hop, meta)
        if packet[6] & 0x40:
            return self._lose(packet, meta, drops.FRAGMENTATION_NEEDED, out)
        for piece in ipv4.fragment(packet, mtu):
            self._to_neighbor(out, piece, next_hop, meta)
        return None

    def _to_neighbor(
        self, out: Interface, packet: bytes, next_hop: bytes, meta: Meta | None
    ) -> None:
        if not out.arp:
            # Nothing can be asked for on such a device; the kernel fills in zeros.
            return self._transmit(out, packet, MAC_ZERO, meta)
        if is_multicast_ip(next_hop):
            return self._transmit(out, packet, multicast_mac_of(next_hop), meta)
        if out.is_broadcast(next_hop):
            return self._transmit(out, packet, MAC_BROADCAST, meta)
        return out.arp_cache.send(packet, next_hop, meta)

    @staticmethod
    def _transmit(out: Interface, packet: bytes, mac: bytes, meta: Meta | None) -> None:
        data = ether_frame(mac, out.device.mac, TYPE_IPV4, packet)
        out.device.transmit(Frame(data, meta))

    def _lose(
        self,
        packet: bytes,
        meta: Meta | None,
        reason: DropReason,
        out: Interface | None = None,
    ) -> None:
        """A packet of our own that cannot leave: count it, and tell its socket."""
        device = (out or self._namespace.loopback).device
        data = ether_frame(MAC_ZERO, device.mac, TYPE_IPV4, packet)
        device.drop(Frame(data, meta), reason)
        self._namespace.sockets.local_error4(packet, reason, self.mtu_to(packet[16:20]))

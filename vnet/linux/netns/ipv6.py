"""IPv6: input, local delivery, forwarding and output (net/ipv6 of the kernel)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.ids import (
    IPV6_ANY,
    MAC_ZERO,
    is_link_local_ip6,
    is_multicast_ip,
    multicast_mac_of,
)
from vnet.linux.netns import drops
from vnet.linux.netns.reassembly import Reassembler
from vnet.sim.frame import Frame, Meta
from vnet.tables.pmtu import PathMtuCache
from vnet.wire import icmpv6, ipv6
from vnet.wire.ether import HEADER_BYTES, TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


_MOST_BYTES = 65_535


class Ipv6Stack:
    """A namespace's IPv6."""

    __slots__ = ("_fragment_ident", "_namespace", "_reassembler", "paths")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.paths = PathMtuCache(ipv6.MIN_MTU)
        self._reassembler = Reassembler(
            namespace, lambda: namespace.sysctls.ipv6.ip6frag_time, self._timed_out
        )
        self._fragment_ident = 0

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._reassembler.held_bytes

    # -- input

    def receive(self, interface: Interface, frame: Frame) -> None:
        """An IPv6 frame came in."""
        device = interface.device
        data = frame.data
        # Most of what floods bring is for groups of others; the rest is judged in full below.
        group = ipv6.group_of(data, HEADER_BYTES)
        if group is not None and not interface.mld.is_member(group):
            source = data[HEADER_BYTES + 8 : HEADER_BYTES + 24]
            if not self._namespace.owns(source):
                return device.drop(frame, drops.NOT_A_MEMBER)
        packet = data[HEADER_BYTES:]
        header = ipv6.parse(packet)
        if header is None:
            return device.drop(frame, drops.IP_MALFORMED)
        packet = packet[: ipv6.HEADER_BYTES + len(header.payload)]
        if is_multicast_ip(header.source) or (
            self._namespace.owns(header.source)
            and interface is not self._namespace.loopback
            and header.source != IPV6_ANY
            and not self._is_tentative(interface, header.source)
        ):
            return device.drop(frame, drops.MARTIAN_SOURCE)
        if is_multicast_ip(header.target):
            if not interface.mld.is_member(header.target):
                return device.drop(frame, drops.NOT_A_MEMBER)
            return self._deliver(interface, frame, packet, header)
        owner = self._namespace.owner_of(header.target)
        if owner is self._namespace.loopback and interface is not owner:
            return device.drop(frame, drops.MARTIAN_TARGET)
        if owner is not None:
            # A link-local address lives on its own link only, and a tentative one nowhere.
            # What we say to ourselves comes by the loopback.
            if is_link_local_ip6(header.target) and interface is not self._namespace.loopback:
                owner = interface
            address = owner.find(header.target)
            if address is None or not address.usable:
                return device.drop(frame, drops.TENTATIVE)
            return self._deliver(interface, frame, packet, header)
        if not self._namespace.sysctls.ipv6_conf.everywhere.forwarding:
            return device.drop(frame, drops.NOT_FOR_US)
        return self._forward(interface, frame, packet, header)

    @staticmethod
    def _is_tentative(interface: Interface, ip: bytes) -> bool:
        address = interface.find(ip)
        return address is not None and address.tentative

    def _deliver(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv6.Ipv6
    ) -> None:
        upper = ipv6.upper_layer(header)
        if upper is None:
            return interface.device.drop(frame, drops.IP_MALFORMED)
        if upper.fragment is not None:
            whole = self._reassemble(interface, frame, packet, header, upper)
            if whole is None:
                return None
            packet = whole
            rebuilt = ipv6.parse(whole)
            upper = None if rebuilt is None else ipv6.upper_layer(rebuilt)
            if rebuilt is None or upper is None or upper.fragment is not None:
                return interface.device.drop(frame, drops.FRAGMENT_MALFORMED)
            header = rebuilt
        if upper.protocol == icmpv6.PROTOCOL:
            return self._namespace.icmpv6.receive(interface, frame, header, upper.payload)
        if upper.protocol == ipv6.NO_NEXT_HEADER:
            return interface.device.drop(frame, drops.NO_PROTOCOL)
        return self._namespace.sockets.receive6(interface, frame, packet, header, upper)

    def _reassemble(
        self,
        interface: Interface,
        frame: Frame,
        packet: bytes,
        header: ipv6.Ipv6,
        upper: ipv6.Upper,
    ) -> bytes | None:
        piece = upper.fragment
        assert piece is not None
        done = self._reassembler.add(
            interface,
            frame,
            (header.source, header.target, 0, piece.ident),
            piece.offset_bytes,
            piece.more,
            upper.payload,
            packet,
            upper.offset - 8,
        )
        if done is None:
            return None
        first = ipv6.parse(done[0])
        assert first is not None
        first_upper = ipv6.upper_layer(first)
        assert first_upper is not None
        assert first_upper.fragment is not None
        # The headers before the fragment header stay; the byte that named it now names
        # what it carried.
        kept = bytearray(first.payload[: first_upper.offset - 8])
        next_header = first_upper.fragment.next_header
        if first_upper.next_header_at >= 0:
            kept[first_upper.next_header_at] = next_header
            next_header = first.next_header
        return ipv6.emit(
            first.source,
            first.target,
            next_header,
            bytes(kept) + done[1],
            hop_limit=first.hop_limit,
            traffic_class=first.traffic_class,
            flow_label=first.flow_label,
        )

    def _timed_out(self, interface: Interface, first: bytes) -> None:
        self._namespace.icmpv6.send_error(
            first, icmpv6.TIME_EXCEEDED, icmpv6.REASSEMBLY_TIMEOUT, received_by=interface
        )

    # -- forwarding

    def _forward(
        self, interface: Interface, frame: Frame, packet: bytes, header: ipv6.Ipv6
    ) -> None:
        device = interface.device
        errors = self._namespace.icmpv6
        if (
            frame.data[0] & 1
            or header.source == IPV6_ANY
            or is_link_local_ip6(header.target)
            or is_link_local_ip6(header.source)
        ):
            return device.drop(frame, drops.NOT_FORWARDED)
        route = self._namespace.route_to(header.target)
        if route is None:
            device.drop(frame, drops.NO_ROUTE)
            return errors.send_error(
                packet, icmpv6.UNREACHABLE, icmpv6.NO_ROUTE, frame.meta, interface
            )
        if header.hop_limit <= 1:
            device.drop(frame, drops.TTL_EXCEEDED)
            return errors.send_error(
                packet, icmpv6.TIME_EXCEEDED, icmpv6.HOP_LIMIT_EXCEEDED, frame.meta, interface
            )
        out = route.out
        if len(packet) > out.conf6.mtu:
            device.drop(frame, drops.FRAGMENTATION_NEEDED)
            return errors.send_error(
                packet,
                icmpv6.PACKET_TOO_BIG,
                0,
                frame.meta,
                interface,
                rest=out.conf6.mtu.to_bytes(4, "big"),
            )
        packet = ipv6.decrement_hop_limit(packet)
        return self._to_neighbor(out, packet, route.gateway or header.target, frame.meta)

    # -- output

    def send(
        self,
        packet: bytes,
        meta: Meta | None = None,
        *,
        out: Interface | None = None,
        confirm: bool = False,
    ) -> None:
        """Route and send a packet of our own; ``out`` says by which interface.

        A link-local target needs ``out``, or goes by the interface of the source address.
        See the IPv4 twin for ``confirm`` and for what cannot be sent.
        """
        target = packet[24:40]
        if self._namespace.owns(target):
            return self._transmit(self._namespace.loopback, packet, MAC_ZERO, meta)
        next_hop = target
        if out is None and (is_multicast_ip(target) or is_link_local_ip6(target)):
            out = self._namespace.owner_of(packet[8:24])
        if out is None:
            route = self._namespace.route_to(target)
            if route is None:
                return self._lose(packet, meta, drops.NO_ROUTE)
            out = route.out
            next_hop = route.gateway or target
        now_ns = self._namespace.scheduler.now_ns
        if confirm:
            out.nd_cache.table.confirm(next_hop, now_ns)
        mtu = self.paths.limit(target, out.conf6.mtu, now_ns)
        if len(packet) <= mtu:
            return self._to_neighbor(out, packet, next_hop, meta)
        self._fragment_ident = self._fragment_ident + 1 & 0xFFFFFFFF
        pieces = list(ipv6.fragment(packet, mtu, self._fragment_ident))
        if not pieces:
            return self._drop(out, packet, meta, drops.IP_MALFORMED)
        for piece in pieces:
            self._to_neighbor(out, piece, next_hop, meta)
        return None

    def hop_limit_to(self, target: bytes, out: Interface | None = None) -> int:
        """The hop limit of a packet of our own: that of the interface it leaves by."""
        if out is None:
            route = self._namespace.route_to(target)
            if route is None:
                return self._namespace.sysctls.ipv6_conf.everywhere.hop_limit
            out = route.out
        return out.conf6.hop_limit

    def mtu_to(self, target: bytes) -> int:
        """The largest packet for ``target``: by the first link, and by what routers have said."""
        if self._namespace.owns(target):
            return self._namespace.loopback.device.mtu_bytes
        route = self._namespace.route_to(target)
        mtu = _MOST_BYTES if route is None else route.out.device.mtu_bytes
        return self.paths.limit(target, mtu, self._namespace.scheduler.now_ns)

    def learn_mtu(self, target: bytes, mtu_bytes: int) -> bool:
        """A router could have forwarded ``mtu_bytes`` of our packet to ``target``; is that news?

        Whatever it says, the packet got beyond the next hop, which proves that one reachable.
        """
        self._confirm(target)
        return self.paths.learn(target, mtu_bytes, self._namespace.scheduler.now_ns)

    def _confirm(self, target: bytes) -> None:
        route = self._namespace.route_to(target)
        if route is not None:
            out = route.out
            now_ns = self._namespace.scheduler.now_ns
            out.nd_cache.table.confirm(route.gateway or target, now_ns)

    def _to_neighbor(
        self, out: Interface, packet: bytes, next_hop: bytes, meta: Meta | None
    ) -> None:
        if not out.arp:
            return self._transmit(out, packet, MAC_ZERO, meta)
        if is_multicast_ip(next_hop):
            return self._transmit(out, packet, multicast_mac_of(next_hop), meta)
        return out.nd_cache.send(packet, next_hop, meta)

    @staticmethod
    def _transmit(out: Interface, packet: bytes, mac: bytes, meta: Meta | None) -> None:
        data = ether_frame(mac, out.device.mac, TYPE_IPV6, packet)
        out.device.transmit(Frame(data, meta))

    def _lose(self, packet: bytes, meta: Meta | None, reason: DropReason) -> None:
        """A packet of our own that cannot leave: count it, and tell its socket."""
        self._drop(self._namespace.loopback, packet, meta, reason)
        self._namespace.sockets.local_error6(packet, reason)

    @staticmethod
    def _drop(out: Interface, packet: bytes, meta: Meta | None, reason: DropReason) -> None:
        data = ether_frame(MAC_ZERO, out.device.mac, TYPE_IPV6, packet)
        out.device.drop(Frame(data, meta), reason)

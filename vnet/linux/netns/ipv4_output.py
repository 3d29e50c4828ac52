"""IPv4 output: routing of our own packets, fragments, and the neighbour (net/ipv4/ip_output.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vnet.base.drops import DropReason
from vnet.base.ids import (
    IPV4_BROADCAST,
    MAC_BROADCAST,
    MAC_ZERO,
    is_multicast_ip,
    multicast_mac_of,
)
from vnet.linux.netfilter.pieces import Pieces, cut_again
from vnet.linux.netns import drops
from vnet.linux.netns.routing.destination import Destination
from vnet.linux.netns.way import Way
from vnet.sim.frame import Frame, Meta
from vnet.tables.fib import RouteType
from vnet.tables.pmtu import PathMtuCache
from vnet.tables.policy import Flow
from vnet.wire import ipv4
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_LEAST_PATH_MTU = 552
_MOST_BYTES = 65_535
_TOS_BITS = 0x1C
_LOOPBACK_NET = 127

REFUSALS = {
    RouteType.BLACKHOLE: drops.ROUTE_BLACKHOLE,
    RouteType.UNREACHABLE: drops.ROUTE_UNREACHABLE,
    RouteType.PROHIBIT: drops.ROUTE_PROHIBITED,
}


class Ipv4Output:
    """What leaves a namespace by IPv4. ``paths`` is what others have said of the ways."""

    __slots__ = ("_namespace", "paths")
    family: ClassVar[int] = 4

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.paths = PathMtuCache(_LEAST_PATH_MTU)

    def send(
        self,
        packet: bytes,
        meta: Meta | None = None,
        *,
        out: Interface | None = None,
        confirm: bool = False,
        probe_path: bool = False,
        about: NfPacket | None = None,
    ) -> None:
        """Route and send a packet of our own.

        ``confirm`` says that answers have been coming in lately (MSG_CONFIRM), which spares the
        next hop a probe; ``probe_path`` that the packet is to find out what the path can take,
        whatever routers have said of it (IP_PMTUDISC_PROBE). With ``out`` it leaves by that
        interface (SO_BINDTODEVICE), straight to its target where no route does. ``about`` is
        another's packet that this one answers, to whose connection it belongs. What cannot be sent
        is dropped, and the sender told by an ICMP error to itself, as the kernel reports on the
        socket.
        """
        target = packet[16:20]
        if target == IPV4_BROADCAST or is_multicast_ip(target):
            return self._send_to_all(packet, target, meta, out)
        found = self._route(packet, None if out is None else out.device.name)
        if isinstance(found, DropReason):
            if out is not None and found is drops.NO_ROUTE:
                return self.send_by(out, packet, meta)
            return self.lose(packet, meta, found)
        if found.is_ours:
            return self._send_to_ourselves(packet, meta, about)
        now_ns = self._namespace.scheduler.now_ns
        path = self.paths.path(target, now_ns)
        next_hop, mtu = found.gateway or target, found.mtu_bytes
        if path is not None:
            next_hop = path.gateway or next_hop
            mtu = mtu if probe_path else min(mtu, path.mtu_bytes or mtu)
        if confirm:
            found.out.arp_cache.table.confirm(next_hop, now_ns)
        return self._output(found.out, packet, next_hop, meta, mtu, about=about)

    def way_of(self, packet: bytes, mark: int = 0) -> Way | DropReason:
        """The way of a packet of ours that netfilter has changed, or marked."""
        target = packet[16:20]
        found = self._namespace.routing4.lookup(own_flow(packet)._replace(mark=mark))
        if found is None:
            return drops.NO_ROUTE
        refusal = self._refusal(packet, found)
        if refusal is not None:
            return refusal
        if found.is_ours:
            loopback = self._namespace.loopback
            return Way(loopback, target, loopback.device.mtu_bytes)
        path = self.paths.path(target, self._namespace.scheduler.now_ns)
        next_hop, mtu = found.gateway or target, found.mtu_bytes
        if path is not None:
            next_hop, mtu = path.gateway or next_hop, min(mtu, path.mtu_bytes or mtu)
        return Way(found.out, next_hop, mtu)

    def _send_to_ourselves(
        self, packet: bytes, meta: Meta | None, about: NfPacket | None = None
    ) -> None:
        loopback, netfilter = self._namespace.loopback, self._namespace.netfilter
        if netfilter is not None and 4 in netfilter.families:
            self._output(loopback, packet, packet[16:20], meta, about=about)
        else:
            self.transmit(loopback, packet, MAC_ZERO, meta)

    def _route(self, packet: bytes, oif: str | None = None) -> Destination | DropReason:
        routing = self._namespace.routing4
        if oif is not None:
            found = routing.lookup(own_flow(packet)._replace(oif=oif))
        elif routing.targets_decide:
            found = routing.to(packet[16:20])
        else:
            found = routing.lookup(own_flow(packet))
        if found is None:
            return drops.NO_ROUTE
        return self._refusal(packet, found) or found

    def _refusal(self, packet: bytes, found: Destination) -> DropReason | None:
        """Why a packet of ours cannot go where its route leads; None if it can."""
        if not found.leads_somewhere:
            return REFUSALS[found.type]
        stays = found.is_ours or found.out is self._namespace.loopback
        if packet[12] == _LOOPBACK_NET and not stays and not found.out.conf4.route_localnet:
            return drops.LOOPBACK_SOURCE
        return None

    def _send_to_all(
        self, packet: bytes, target: bytes, meta: Meta | None, out: Interface | None = None
    ) -> None:
        # By the source address's interface; the route decides only where there is none.
        out = out or self._namespace.owner_of(packet[12:16])
        if out is None:
            route = self._namespace.route_to(target)
            if route is None:
                return self.lose(packet, meta, drops.NO_ROUTE)
            out = route.out
        return self._output(out, packet, target, meta)

    def send_by(self, out: Interface, packet: bytes, meta: Meta | None = None) -> None:
        """Send out of a given interface, straight to the packet's target."""
        self._output(out, packet, packet[16:20], meta)

    # -- what is known of the way

    def way_to(self, target: bytes) -> tuple[Interface, bytes] | None:
        """The interface and next hop of a packet of ours to ``target``; None where it has none."""
        found = self._namespace.route_to(target)
        if found is None or found.is_ours:
            return None
        path = self.paths.path(target, self._namespace.scheduler.now_ns)
        gateway = None if path is None else path.gateway
        return found.out, gateway or found.gateway or target

    def mtu_to(self, target: bytes) -> int:
        """The largest packet for ``target``: by the first link, and by what routers have said."""
        if self._namespace.owns(target):
            return self._namespace.loopback.device.mtu_bytes
        route = self._namespace.route_to(target)
        mtu = _MOST_BYTES if route is None else route.mtu_bytes
        return self.paths.limit(target, mtu, self._namespace.scheduler.now_ns)

    def may_be_fragmented(self, target: bytes) -> bool:
        """Whether packets to ``target`` are cut on the way: its path is said to be too small."""
        path = self.paths.path(target, self._namespace.scheduler.now_ns)
        return path is not None and path.is_locked

    def learn_mtu(self, target: bytes, mtu_bytes: int) -> bool:
        """A router could have forwarded ``mtu_bytes`` of our packet to ``target``; is that news?"""
        knobs = self._namespace.sysctls.ipv4_route
        self.paths.least_bytes = knobs.min_pmtu
        self.paths.lifetime_ns = knobs.mtu_expires * 1_000_000_000
        if self._namespace.sysctls.ipv4.ip_no_pmtu_disc > 1:
            return False
        return self.paths.learn(target, mtu_bytes, self._namespace.scheduler.now_ns)

    # -- to the device

    def _output(
        self,
        out: Interface,
        packet: bytes,
        next_hop: bytes,
        meta: Meta | None,
        path_mtu: int | None = None,
        shown: NfPacket | None = None,
        about: NfPacket | None = None,
    ) -> None:
        """Send out of an interface, in pieces where it is too much for it or for the path.

        ``shown`` is a packet of others that netfilter has seen.
        """
        mtu = path_mtu or out.device.mtu_bytes
        if shown is not None:
            shown.data = packet
            way = Way(out, next_hop, mtu)
            if shown.netfilter.leaves(self, way, shown):
                self.leave(way, shown.data, shown.meta, pieces=shown.pieces)
            return None
        netfilter = self._namespace.netfilter
        if netfilter is not None and 4 in netfilter.families:
            return netfilter.send_own(self, Way(out, next_hop, mtu), packet, meta, about)
        if len(packet) <= mtu:
            return self.to_neighbor(out, packet, next_hop, meta)
        return self.leave(Way(out, next_hop, mtu), packet, meta)

    def leave(
        self, way: Way, packet: bytes, meta: Meta | None, *, pieces: Pieces | None = None
    ) -> None:
        """Send a packet on its way, in pieces where it must be or has been (``pieces``)."""
        out, next_hop, mtu = way
        if len(packet) <= mtu and (pieces is None or not pieces.most_bytes):
            return self.to_neighbor(out, packet, next_hop, meta)
        if pieces is not None:
            cut = cut_again(packet, pieces, mtu)
        elif packet[6] & ipv4.DONT_FRAGMENT >> 8:
            return self.lose(packet, meta, drops.FRAGMENTATION_NEEDED, out)
        else:
            cut = ipv4.fragment(packet, mtu)
        for piece in cut:
            self.to_neighbor(out, piece, next_hop, meta)
        return None

    def to_neighbor(
        self, out: Interface, packet: bytes, next_hop: bytes, meta: Meta | None
    ) -> None:
        """Send what fits to a next hop on a link."""
        if not out.arp:
            # Nothing can be asked for on such a device; the kernel fills in zeros.
            return self.transmit(out, packet, MAC_ZERO, meta)
        if len(next_hop) == 16:
            return out.nd_cache.send(packet, next_hop, meta)
        if is_multicast_ip(next_hop):
            return self.transmit(out, packet, multicast_mac_of(next_hop), meta)
        if out.is_broadcast(next_hop):
            return self.transmit(out, packet, MAC_BROADCAST, meta)
        return out.arp_cache.send(packet, next_hop, meta)

    @staticmethod
    def transmit(out: Interface, packet: bytes, mac: bytes, meta: Meta | None) -> None:
        """Send to a MAC."""
        data = ether_frame(mac, out.device.mac, TYPE_IPV4, packet)
        out.device.transmit(Frame(data, meta))

    def lose(
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
        self.refused(packet, reason)

    def refused(self, packet: bytes, reason: DropReason) -> None:
        """Tell the socket of a packet of ours that it could not leave."""
        self._namespace.sockets.local_error4(packet, reason, self.mtu_to(packet[16:20]))


def own_flow(packet: bytes) -> Flow:
    """What rules and equal-cost paths look at in a packet of our own."""
    ports = (0, 0)
    at = (packet[0] & 0x0F) * 4
    if packet[9] in (ipv4.TCP, ipv4.UDP) and len(packet) >= at + 4:
        ports = (packet[at] << 8 | packet[at + 1], packet[at + 2] << 8 | packet[at + 3])
    return Flow(
        packet[16:20],
        packet[12:16],
        tos=packet[1] & _TOS_BITS,
        protocol=packet[9],
        source_port=ports[0],
        target_port=ports[1],
    )

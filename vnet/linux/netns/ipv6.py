"""IPv6: input, local delivery, forwarding and output (net/ipv6 of the kernel)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vnet.base.drops import DropReason
from vnet.base.ids import (
    IPV6_LOOPBACK,
    MAC_ZERO,
    is_link_local_ip6,
    is_multicast_ip,
    is_on_link,
    multicast_mac_of,
)
from vnet.linux.netns import drops
from vnet.linux.netns.flow_label import ALWAYS, labelled
from vnet.linux.netns.ipv6_delivery import Arrived, Delivery6
from vnet.linux.netns.ipv6_flow import flow_of
from vnet.linux.netns.ipv6_forwarding import Forwarding6
from vnet.linux.netns.way import Way
from vnet.sim.frame import Frame, Meta
from vnet.tables.pmtu import PathMtuCache
from vnet.tables.redirects import RedirectCache
from vnet.wire import ipv6, tcp
from vnet.wire.ether import HEADER_BYTES, TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netfilter.netfilter import Netfilter
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netfilter.pieces import Pieces
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace
    from vnet.linux.netns.routing.destination import Destination


_MOST_BYTES = 65_535


_HEADER_TYPE = HEADER_BYTES + 6
"""Where a frame says which header follows; 0 is that of hop-by-hop options."""

_OPTIONS = slice(HEADER_BYTES + ipv6.HEADER_BYTES + 1, HEADER_BYTES + ipv6.HEADER_BYTES + 8)
_ALERT = b"\0" + ipv6.ROUTER_ALERT_MLD
"""Where they stand, and those of each report of a listener, which are in order."""


class Ipv6Stack:
    """A namespace's IPv6."""

    __slots__ = (
        "_delivery",
        "_forwarding",
        "_ident_chance",
        "_namespace",
        "anycasts",
        "paths",
        "redirects",
    )
    family: ClassVar[int] = 6

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.paths = PathMtuCache(ipv6.MIN_MTU)
        self.redirects = RedirectCache()
        self.anycasts: dict[bytes, int] = {}
        """Subnets whose router we are, with how many of our addresses are in each."""
        self._delivery = Delivery6(namespace)
        self._forwarding = Forwarding6(namespace, self._delivery)
        self._ident_chance: Stream | None = None

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._delivery.held_bytes

    # -- input

    def receive(self, interface: Interface, frame: Frame) -> None:
        """An IPv6 frame came in."""
        device = interface.device
        data = frame.data
        # Most of what floods bring is for groups of others; the rest is judged in full below.
        # Hop-by-hop options are, too, before it matters whose the packet is.
        group = ipv6.group_of(data, HEADER_BYTES)
        if (
            group is not None
            and self._netfilter is None
            and (data[_HEADER_TYPE] or data[_OPTIONS] == _ALERT)
            and not interface.mld.is_member(group)
        ):
            return device.drop(frame, drops.NOT_A_MEMBER)
        packet = data[HEADER_BYTES:]
        header = ipv6.parse(packet)
        if header is None:
            return device.drop(frame, drops.IP_MALFORMED)
        reason = self._reason_against(interface, header)
        if reason is not None:
            return device.drop(frame, reason)
        packet = packet[: ipv6.HEADER_BYTES + len(header.payload)]
        arrived = self._delivery.arrive(interface, frame, packet, header)
        netfilter = self._netfilter
        if arrived is not None and netfilter is not None:
            shown = netfilter.entered(device, frame, packet, 6)
            if shown is None:
                return None
            arrived = arrived.changed(shown)
        return None if arrived is None else self._route(arrived)

    @property
    def _netfilter(self) -> Netfilter | None:
        """Whoever looks at IPv6 packets."""
        netfilter = self._namespace.netfilter
        return netfilter if netfilter is not None and 6 in netfilter.families else None

    def _reason_against(self, interface: Interface, header: ipv6.Ipv6) -> DropReason | None:
        """Addresses that never travel on a wire (RFC 4291 sections 2.5.3, 2.5.5 and 2.7)."""
        source, target = header.source, header.target
        if is_multicast_ip(source):
            return drops.MARTIAN_SOURCE
        if interface is self._namespace.loopback:
            return None
        if source == IPV6_LOOPBACK:
            return drops.MARTIAN_SOURCE
        local_group = is_multicast_ip(target) and target[1] & 0x0F <= 1
        return drops.MARTIAN_TARGET if local_group or target == IPV6_LOOPBACK else None

    def _route(self, arrived: Arrived) -> None:
        """Ours, a group's, or on to somebody else?"""
        interface, frame, target = arrived.interface, arrived.frame, arrived.header.target
        if is_multicast_ip(target):
            if interface.mld.is_member(target):
                return self._delivery.deliver(arrived)
            return interface.device.drop(frame, drops.NOT_A_MEMBER)
        owner = self._namespace.owner_of(target)
        # A link-local address lives on its own link only; but what we say to ourselves comes by
        # the loopback.
        if is_link_local_ip6(target) and interface is not self._namespace.loopback:
            owner = interface
        address = None if owner is None else owner.find(target)
        if address is not None:
            if not address.usable:
                return interface.device.drop(frame, drops.TENTATIVE)
            return self._delivery.deliver(arrived)
        if self.is_anycast(target):
            return self._delivery.deliver(arrived)
        return self._forwarding.forward(arrived)

    def is_anycast(self, target: bytes) -> bool:
        """Whether ``target`` is a subnet-router address that we share with other routers."""
        return target in self.anycasts

    # -- output

    def send(
        self,
        packet: bytes,
        meta: Meta | None = None,
        *,
        out: Interface | None = None,
        confirm: bool = False,
        about: NfPacket | None = None,
    ) -> None:
        """Route and send a packet of our own; ``out`` says by which interface.

        A link-local target needs ``out``, or goes by the interface of the source address.
        See the IPv4 twin for ``confirm``, ``about``, and for what cannot be sent.
        """
        target = packet[24:40]
        # What netfilter sends in another's name, a reset, has no label.
        is_borrowed = about is not None and packet[6] == tcp.PROTOCOL
        if self._namespace.sysctls.ipv6.auto_flowlabels in ALWAYS and not is_borrowed:
            packet = labelled(packet)
        if self._namespace.owns(target):
            return self._send_to_ourselves(packet, target, meta, about)
        next_hop = target
        on_link = is_multicast_ip(target) or (is_link_local_ip6(target) and is_on_link(target))
        if not on_link and is_link_local_ip6(target):
            # Of no network that a link has by itself: only a route leads there.
            out = None
        if out is None and on_link:
            out = self._namespace.owner_of(packet[8:24])
        mtu = 0 if out is None else out.conf6.mtu
        if out is not None and not on_link:
            # Straight to its target where no route leads by that interface.
            route = self._namespace.routing6.lookup(flow_of(packet, oif=out.device.name))
            if route is not None and route.leads_somewhere and route.out is out:
                mtu, next_hop = route.mtu_bytes, self._next_hop(route.gateway, target)
        elif out is None:
            route = self._destination(packet)
            if route is None or not route.leads_somewhere:
                return self.lose(packet, meta, drops.NO_ROUTE)
            out, mtu = route.out, route.mtu_bytes
            next_hop = self._next_hop(route.gateway, target)
        now_ns = self._namespace.scheduler.now_ns
        if confirm:
            out.nd_cache.table.confirm(next_hop, now_ns)
        mtu = self.paths.limit(target, mtu, now_ns)
        way, netfilter = Way(out, next_hop, mtu), self._netfilter
        if netfilter is not None:
            return netfilter.send_own(self, way, packet, meta, about)
        return self.leave(way, packet, meta)

    def _send_to_ourselves(
        self, packet: bytes, target: bytes, meta: Meta | None, about: NfPacket | None
    ) -> None:
        loopback, netfilter = self._namespace.loopback, self._netfilter
        if netfilter is None:
            return self._transmit(loopback, packet, MAC_ZERO, meta)
        way = Way(loopback, target, loopback.device.mtu_bytes)
        return netfilter.send_own(self, way, packet, meta, about)

    def leave(
        self,
        way: Way,
        packet: bytes,
        meta: Meta | None,
        received_by: Interface | None = None,
        pieces: Pieces | None = None,
    ) -> None:
        """Send a packet on its way, in pieces where it must be or has been (``pieces``)."""
        out, next_hop, mtu = way
        if received_by is None and is_multicast_ip(next_hop) and out.mld.is_member(packet[24:40]):
            self._hear_ourselves(out, packet, meta)
        most_bytes = mtu if pieces is None else pieces.most_bytes or mtu
        if len(packet) <= min(mtu, most_bytes):
            return self.to_neighbor(out, packet, next_hop, meta, received_by)
        sizes: tuple[int, ...] = ()
        if pieces is not None:
            mtu, sizes = max(min(mtu, most_bytes), ipv6.MIN_MTU), pieces.sizes
        cut = list(ipv6.fragment(packet, mtu, self._next_ident(), sizes))
        if not cut:
            return self._drop(out, packet, meta, drops.IP_MALFORMED)
        for piece in cut:
            self.to_neighbor(out, piece, next_hop, meta, received_by)
        return None

    def way_of(self, packet: bytes, mark: int = 0) -> Way | DropReason:
        """The way of a packet of ours that netfilter has changed, or marked."""
        target = packet[24:40]
        if self._namespace.owns(target):
            loopback = self._namespace.loopback
            return Way(loopback, target, loopback.device.mtu_bytes)
        found = self._namespace.routing6.lookup(flow_of(packet)._replace(mark=mark))
        if found is None or not found.leads_somewhere:
            return drops.NO_ROUTE
        now_ns = self._namespace.scheduler.now_ns
        mtu = self.paths.limit(target, found.mtu_bytes, now_ns)
        return Way(found.out, self._next_hop(found.gateway, target), mtu)

    def _next_ident(self) -> int:
        """The identification of a packet in pieces: nobody shall guess it (RFC 7739)."""
        if self._ident_chance is None:
            name = f"{self._namespace.name} ipv6 fragment identification"
            self._ident_chance = self._namespace.chance.stream(name)
        return self._ident_chance.randrange(1, 1 << 32)

    def _destination(self, packet: bytes) -> Destination | None:
        routing = self._namespace.routing6
        return (
            routing.to(packet[24:40]) if routing.targets_decide else routing.lookup(flow_of(packet))
        )

    def _hear_ourselves(self, out: Interface, packet: bytes, meta: Meta | None) -> None:
        """We are in the group that we send to (IPV6_MULTICAST_LOOP); no capture shows that."""
        data = ether_frame(multicast_mac_of(packet[24:40]), out.device.mac, TYPE_IPV6, packet)
        self._namespace.scheduler.after(0, self.receive, out, Frame(data, meta))

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
        mtu = _MOST_BYTES if route is None else route.mtu_bytes
        return self.paths.limit(target, mtu, self._namespace.scheduler.now_ns)

    def learn_mtu(self, target: bytes, mtu_bytes: int) -> bool:
        """A router could have forwarded ``mtu_bytes`` of our packet to ``target``; is that news?

        Whatever it says, the packet got beyond the next hop, which proves that one reachable.
        """
        self._confirm(target)
        return self.paths.learn(target, mtu_bytes, self._namespace.scheduler.now_ns)

    def learn_redirect(self, target: bytes, next_hop: bytes, told_by: bytes) -> None:
        """A router says that ``next_hop`` is a better first hop to ``target``."""
        self.redirects.learn(target, next_hop, told_by, self._namespace.scheduler.now_ns)

    def _next_hop(self, gateway: bytes | None, target: bytes) -> bytes:
        if gateway is None:
            return target
        return self.redirects.next_hop(target, gateway, self._namespace.scheduler.now_ns)

    def _confirm(self, target: bytes) -> None:
        route = self._namespace.route_to(target)
        if route is not None:
            out = route.out
            now_ns = self._namespace.scheduler.now_ns
            out.nd_cache.table.confirm(self._next_hop(route.gateway, target), now_ns)

    def to_neighbor(
        self,
        out: Interface,
        packet: bytes,
        next_hop: bytes,
        meta: Meta | None,
        received_by: Interface | None = None,
    ) -> None:
        """Send a packet, our own or one that was ``received_by``, to a next hop on a link."""
        if not out.arp:
            return self._transmit(out, packet, MAC_ZERO, meta)
        if is_multicast_ip(next_hop):
            return self._transmit(out, packet, multicast_mac_of(next_hop), meta)
        return out.nd_cache.send(packet, next_hop, meta, received_by)

    @staticmethod
    def _transmit(out: Interface, packet: bytes, mac: bytes, meta: Meta | None) -> None:
        data = ether_frame(mac, out.device.mac, TYPE_IPV6, packet)
        out.device.transmit(Frame(data, meta))

    def lose(self, packet: bytes, meta: Meta | None, reason: DropReason) -> None:
        """A packet of our own that cannot leave: count it, and tell its socket."""
        self._drop(self._namespace.loopback, packet, meta, reason)
        self.refused(packet, reason)

    def refused(self, packet: bytes, reason: DropReason) -> None:
        """Tell the socket of a packet of ours that it could not leave."""
        self._namespace.sockets.local_error6(packet, reason)

    @staticmethod
    def _drop(out: Interface, packet: bytes, meta: Meta | None, reason: DropReason) -> None:
        data = ether_frame(MAC_ZERO, out.device.mac, TYPE_IPV6, packet)
        out.device.drop(Frame(data, meta), reason)

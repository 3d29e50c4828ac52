"""Neighbour discovery in a namespace (net/ipv6/ndisc.c; RFC 4861 section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import (
    IPV6_ANY,
    IpAddress,
    is_link_local_ip6,
    is_multicast_ip,
    is_solicited_node,
)
from vnet.linux.netns import drops
from vnet.linux.netns.mld import ALL_NODES
from vnet.linux.netns.nd_send import send_nd
from vnet.sim.frame import Frame, Meta
from vnet.wire import icmpv6, ipv6, nd, ra

if TYPE_CHECKING:
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


class NeighborDiscovery:
    """Solicitations and advertisements, in and out."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def receive(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, message: icmpv6.Icmpv6
    ) -> None:
        """An ND message with a correct checksum came in."""
        if header.hop_limit != nd.HOP_LIMIT or message.code != 0:
            return interface.device.drop(frame, drops.ND_INVALID)
        if message.type == icmpv6.NEIGHBOR_SOLICITATION:
            return self._solicited(interface, frame, header, message.body)
        if message.type == icmpv6.NEIGHBOR_ADVERTISEMENT:
            return self._advertised(interface, frame, header, message.body)
        if message.type == icmpv6.ROUTER_ADVERTISEMENT:
            return self._router_advertised(interface, frame, header, message.body)
        if message.type == icmpv6.ROUTER_SOLICITATION:
            return self._router_solicited(interface, frame, header, message.body)
        return interface.device.drop(frame, drops.NOT_WANTED)

    def _solicited(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, body: bytes
    ) -> None:
        device = interface.device
        request = nd.parse_solicitation(body)
        if request is None or is_multicast_ip(request.target):
            return device.drop(frame, drops.ND_INVALID)
        checking = header.source == IPV6_ANY
        to_group = is_multicast_ip(header.target)
        if checking and (request.source_mac is not None or not is_solicited_node(header.target)):
            return device.drop(frame, drops.ND_INVALID)
        address = interface.find(request.target)
        if address is None or address.duplicate:
            return device.drop(frame, drops.ARP_IGNORED)
        if address.tentative:
            if checking and interface.addrconf is not None:
                return interface.addrconf.dad.rival_heard(address, frame, request.nonce)
            return device.drop(frame, drops.TENTATIVE)
        if checking:
            return self._advertise(interface, request.target, ALL_NODES, nd.OVERRIDE, frame.meta)
        if request.source_mac is not None:
            heard = interface.nd_cache.heard(header.source, request.source_mac, solicited=False)
            if not heard:
                return device.drop(frame, drops.NEIGHBOR_TABLE_FULL)
        elif to_group and interface.nd_cache.table.get(header.source) is None:
            # Whoever hides its MAC is only answered if it is known (RFC 4861 section 7.2.4).
            return device.drop(frame, drops.NOT_WANTED)
        # Who asks just us knows our MAC, so it need not be told, and nothing overridden.
        flags = nd.SOLICITED | nd.OVERRIDE if to_group else nd.SOLICITED
        return self._advertise(interface, request.target, header.source, flags, frame.meta)

    def _advertise(
        self, interface: Interface, address: bytes, target: bytes, flags: int, meta: Meta | None
    ) -> None:
        """Say that ``address`` is here; with OVERRIDE, at which MAC."""
        if interface.conf6.forwarding:
            flags |= nd.ROUTER
        body = nd.advertisement(
            flags, address, interface.device.mac if flags & nd.OVERRIDE else None
        )
        message = icmpv6.Icmpv6(icmpv6.NEIGHBOR_ADVERTISEMENT, 0, body)
        send_nd(interface, address, target, message, meta=meta)

    def announce(self, interface: Interface, address: InterfaceAddress) -> None:
        """An unsolicited advertisement of an address that is ours."""
        self._advertise(interface, address.ip, ALL_NODES, nd.OVERRIDE, None)

    def announce_all(self, interface: Interface) -> None:
        """Unsolicited advertisements of every IPv6 address (ndisc_send_unsol_na())."""
        for address in interface.addresses:
            if len(address.ip) == 16 and not address.tentative:
                self.announce(interface, address)

    def _advertised(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, body: bytes
    ) -> None:
        device = interface.device
        answer = nd.parse_advertisement(body)
        if answer is None or is_multicast_ip(answer.target):
            return device.drop(frame, drops.ND_INVALID)
        to_all = is_multicast_ip(header.target)
        if to_all and answer.flags & nd.SOLICITED:
            return device.drop(frame, drops.ND_INVALID)
        ours = interface.find(answer.target)
        if ours is not None:
            if ours.tentative and interface.addrconf is not None:
                return interface.addrconf.dad.rival_heard(ours, frame)
            return device.drop(frame, drops.DUPLICATE_ADDRESS)
        known = interface.nd_cache.table.get(answer.target)
        if known is None or (answer.target_mac is None and known.mac is None):
            return device.drop(frame, drops.NOT_WANTED)
        interface.nd_cache.heard(
            answer.target,
            answer.target_mac or known.mac or b"",
            solicited=bool(answer.flags & nd.SOLICITED),
            override=bool(answer.flags & nd.OVERRIDE),
            weak=True,
            create=False,
            router=bool(answer.flags & nd.ROUTER),
        )
        return None

    def _router_solicited(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, body: bytes
    ) -> None:
        """Somebody looks for routers: a daemon answers, and the kernel notes who asked."""
        asker = ra.parse_solicitation(body)
        if asker is None:
            return interface.device.drop(frame, drops.ND_INVALID)
        heard = icmpv6.ROUTER_SOLICITATION in self._namespace.icmpv6.listeners
        if not interface.conf6.forwarding:
            return None if heard else interface.device.drop(frame, drops.NOT_WANTED)
        if header.source != IPV6_ANY and asker.mac is not None:
            return self._note(interface, frame, header.source, asker.mac, router=False)
        return None

    def _router_advertised(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, body: bytes
    ) -> None:
        said = ra.parse(body)
        if said is None or not is_link_local_ip6(header.source):
            return interface.device.drop(frame, drops.ND_INVALID)
        source, addrconf = IpAddress(header.source), interface.addrconf
        listens = addrconf is not None and addrconf.routers.listens
        if addrconf is not None and listens:
            addrconf.router_heard()
            addrconf.routers.hear_router(source, said)
        if said.source_mac is not None:
            self._note(interface, frame, source, said.source_mac, router=True)
        if addrconf is not None and listens:
            addrconf.routers.hear_options(source, said)
        return None

    @staticmethod
    def _note(
        interface: Interface, frame: Frame, source: bytes, mac: bytes, *, router: bool | None
    ) -> None:
        """Keep what a message told of its sender; the frame is lost where there is no room."""
        if not interface.nd_cache.heard(source, mac, solicited=False, router=router):
            interface.device.drop(frame, drops.NEIGHBOR_TABLE_FULL)

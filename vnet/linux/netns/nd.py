"""Neighbour discovery in a namespace (net/ipv6/ndisc.c; RFC 4861 section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import (
    IPV6_ANY,
    IpAddress,
    is_link_local_ip6,
    is_multicast_ip,
    is_on_link,
    is_solicited_node,
)
from vnet.linux.netns import drops
from vnet.linux.netns.mld import ALL_NODES
from vnet.linux.netns.nd_send import send_nd
from vnet.linux.timer_wheel import expiry_ns
from vnet.sim.frame import Frame, Meta
from vnet.tables.neigh import VALID, Nud
from vnet.wire import icmpv6, ipv6, nd, ra

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace


_NS_PER_CENTISECOND = 10_000_000
_REDIRECT_INTERVAL_NS = 1_000_000_000
_REDIRECT_BYTES = 40
"""The fixed part of a redirect, with ICMPv6's header."""


class NeighborDiscovery:
    """Solicitations and advertisements, in and out."""

    __slots__ = ("_chance", "_delayed", "_namespace")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._delayed = 0
        """Solicitations for others that wait for their answer."""
        self._chance: Stream | None = None

    @property
    def chance(self) -> Stream:
        """Random delays; made when first needed."""
        if self._chance is None:
            self._chance = self._namespace.chance.stream(f"{self._namespace.name} nd proxy")
        return self._chance

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
        return self._redirected(interface, frame, header, message.body)

    def _solicited(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, body: bytes
    ) -> None:
        device = interface.device
        request = nd.parse_solicitation(body)
        if request is None or is_multicast_ip(request.target):
            return device.drop(frame, drops.ND_INVALID)
        checking = header.source == IPV6_ANY
        if checking and (request.source_mac is not None or not is_solicited_node(header.target)):
            return device.drop(frame, drops.ND_INVALID)
        address = interface.find(request.target)
        if address is None:
            return self._solicited_for_another(interface, frame, header, request)
        if address.tentative:
            if checking and interface.addrconf is not None:
                return interface.addrconf.dad.rival_heard(address, frame, request.nonce)
            return device.drop(frame, drops.TENTATIVE)
        if address.duplicate:
            return device.drop(frame, drops.ARP_IGNORED)
        return self._answer(interface, frame, header, request, bool(interface.conf6.forwarding))

    def _solicited_for_another(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, request: nd.Solicitation
    ) -> None:
        """Not our own address; but one that we share, or answer for, with a little delay."""
        proxied = interface.nd_cache.proxied.get(request.target)
        router = bool(interface.conf6.forwarding)
        if interface.addrconf is None or request.target not in interface.addrconf.anycasts:
            if proxied is None or not router or not interface.conf6.proxy_ndp:
                return interface.device.drop(frame, drops.ARP_IGNORED)
            router = proxied
        delay_ns = interface.nd_cache.conf.proxy_delay * _NS_PER_CENTISECOND
        if not frame.data[0] & 1 or not is_multicast_ip(header.target) or delay_ns == 0:
            return self._answer(interface, frame, header, request, router, ours=False)
        if self._delayed >= interface.nd_cache.conf.proxy_qlen:
            return interface.device.drop(frame, drops.NEIGHBOR_QUEUE_FULL)
        self._delayed += 1
        wait_ns = self.chance.randrange(delay_ns)
        scheduler = interface.device.scheduler
        due_ns = expiry_ns(scheduler.now_ns, wait_ns)
        scheduler.at(due_ns, self._answer_late, interface, frame, header, request, router)
        return None

    def _answer_late(
        self,
        interface: Interface,
        frame: Frame,
        header: ipv6.Ipv6,
        request: nd.Solicitation,
        router: bool,
    ) -> None:
        self._delayed -= 1
        self._answer(interface, frame, header, request, router, ours=False)

    def _answer(
        self,
        interface: Interface,
        frame: Frame,
        header: ipv6.Ipv6,
        request: nd.Solicitation,
        router: bool,
        *,
        ours: bool = True,
    ) -> None:
        """Advertise what was asked for. Only what is all ``ours`` overrides what others know."""
        to_group = is_multicast_ip(header.target)
        if header.source == IPV6_ANY:
            flags = nd.OVERRIDE * ours | nd.ROUTER * router
            return self._advertise(interface, request.target, ALL_NODES, flags, frame.meta)
        if request.source_mac is not None:
            heard = interface.nd_cache.heard(header.source, request.source_mac, solicited=False)
            if not heard:
                return interface.device.drop(frame, drops.NEIGHBOR_TABLE_FULL)
        elif to_group and interface.nd_cache.table.get(header.source) is None:
            # Whoever hides its MAC is only answered if it is known (RFC 4861 section 7.2.4).
            return interface.device.drop(frame, drops.NOT_WANTED)
        # Who asks just us knows our MAC, so it need not be told, and nothing overridden.
        flags = nd.SOLICITED | nd.OVERRIDE * (ours and to_group) | nd.ROUTER * router
        return self._advertise(
            interface, request.target, header.source, flags, frame.meta, tell_mac=to_group
        )

    @staticmethod
    def _advertise(
        interface: Interface,
        address: bytes,
        target: bytes,
        flags: int,
        meta: Meta | None,
        *,
        tell_mac: bool = True,
    ) -> None:
        """Say that ``address`` is here, and at which MAC where that may be news."""
        source = address if interface.find(address) is not None else interface.source_for(target)
        if source is None:
            return
        tell_mac = tell_mac or bool(interface.conf6.force_tllao)
        body = nd.advertisement(flags, address, interface.device.mac if tell_mac else None)
        message = icmpv6.Icmpv6(icmpv6.NEIGHBOR_ADVERTISEMENT, 0, body)
        send_nd(interface, source, target, message, meta=meta)

    def announce(self, interface: Interface, address: InterfaceAddress) -> None:
        """An unsolicited advertisement of an address that is ours."""
        flags = nd.OVERRIDE | nd.ROUTER * bool(interface.conf6.forwarding)
        self._advertise(interface, address.ip, ALL_NODES, flags, None)

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
        if known is None or known.state is Nud.FAILED:
            return device.drop(frame, drops.NOT_WANTED)
        if answer.target_mac is None and known.mac is None:
            return device.drop(frame, drops.NOT_WANTED)
        was_router = known.is_router
        interface.nd_cache.heard(
            answer.target,
            answer.target_mac or known.mac or b"",
            solicited=bool(answer.flags & nd.SOLICITED),
            override=bool(answer.flags & nd.OVERRIDE),
            weak=True,
            create=False,
            router=bool(answer.flags & nd.ROUTER),
        )
        if was_router and not known.is_router and interface.addrconf is not None:
            interface.addrconf.routers.router_gone(IpAddress(header.source))
        return None

    # -- redirects

    def redirect(
        self, interface: Interface, packet: bytes, gateway: bytes | None, meta: Meta | None
    ) -> None:
        """Tell the sender of a packet, which leaves as it came, of the better first hop."""
        source, asker, destination = interface.link_local, packet[8:24], packet[24:40]
        target = gateway or destination
        icmp = self._namespace.icmpv6
        if not icmp.allow(destination, _REDIRECT_INTERVAL_NS) or source is None:
            return
        if gateway is not None and not is_link_local_ip6(gateway):
            return
        out = self._link_to(interface, asker)
        if out is None or not icmp.allow(asker, _REDIRECT_INTERVAL_NS):
            return
        known = interface.nd_cache.table.get(target)
        mac = known.mac if known is not None and known.state in VALID else None
        room = ipv6.MIN_MTU - ipv6.HEADER_BYTES - _REDIRECT_BYTES - (0 if mac is None else 8)
        body = nd.redirect(target, destination, mac, packet[: (room & ~7) - 8])
        send_nd(out, source, asker, icmpv6.Icmpv6(icmpv6.REDIRECT, 0, body), meta=meta)

    def _link_to(self, interface: Interface, ip: bytes) -> Interface | None:
        """Where ``ip`` is a neighbour; not always where its packet came from."""
        if self._namespace.owns(ip):
            return None
        if is_link_local_ip6(ip):
            return interface if is_on_link(ip) else None
        route = self._namespace.route_to(ip)
        return None if route is None or route.gateway is not None else route.out

    def _redirected(
        self, interface: Interface, frame: Frame, header: ipv6.Ipv6, body: bytes
    ) -> None:
        """A router knows a better first hop for something that we have sent (section 8.3)."""
        told = nd.parse_redirect(body)
        if told is None or not is_link_local_ip6(header.source):
            return interface.device.drop(frame, drops.ND_INVALID)
        on_link = told.target == told.destination
        if is_multicast_ip(told.destination) or not (on_link or is_link_local_ip6(told.target)):
            return interface.device.drop(frame, drops.ND_INVALID)
        if not self._is_first_hop(interface, header.source, told.destination):
            return interface.device.drop(frame, drops.NOT_WANTED)
        if told.target_mac is not None:
            router = None if on_link else True
            self._note(interface, frame, told.target, told.target_mac, router=router)
        self._namespace.ipv6.learn_redirect(told.destination, told.target, header.source)
        return None

    def _is_first_hop(self, interface: Interface, router: bytes, destination: bytes) -> bool:
        """Whether a redirect counts: we are a host, and this is whom we send by."""
        conf, route = interface.conf6, self._namespace.route_to(destination)
        if conf.forwarding or not conf.accept_redirects or route is None:
            return False
        return route.out is interface and route.gateway == router

    # -- routers

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

"""ICMP redirects: told to neighbours, and heard from gateways (net/ipv4/route.c; RFC 792)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_BROADCAST, is_multicast_ip
from vnet.linux.netns.routing.arrival import Arrival
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.sim.frame import Meta
from vnet.tables.neigh import VALID
from vnet.wire import icmp

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_CODES = range(4)
"""For a network or a host, with or without a type of service; all are taken as for a host."""


class Redirects:
    """A namespace's redirects."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def send(
        self,
        packet: bytes,
        arrival: Arrival,
        interface: Interface,
        meta: Meta | None,
        about: NfPacket | None,
    ) -> None:
        """Tell the sender of ``packet``, which goes back out to it, of its better first hop.

        Each redirect that does no good makes the next wait twice as long; after the last there
        is silence, until the sender has been silent as well.
        """
        if not interface.conf4.send_redirects:
            return
        knobs = self._namespace.sysctls.ipv4_route
        now_ns = self._namespace.scheduler.now_ns
        peer = self._namespace.icmp.peers.of(packet[12:16], now_ns)
        if now_ns > peer.last_ns + knobs.redirect_silence * JIFFY_NS:
            peer.tokens_ns = peer.redirects = 0
        if peer.redirects >= knobs.redirect_number:
            peer.last_ns = now_ns
            return
        pause_ns = (knobs.redirect_load << peer.redirects) * JIFFY_NS
        if peer.redirects and now_ns <= peer.last_ns + pause_ns:
            return
        gateway = arrival.way.gateway or packet[16:20]
        self._namespace.icmp.send_error(
            packet, icmp.REDIRECT, icmp.REDIRECT_HOST, meta, interface, rest=gateway, about=about
        )
        peer.last_ns = now_ns
        peer.redirects += 1

    def receive(self, interface: Interface, reporter: bytes, message: icmp.Icmp) -> bool:
        """A gateway names another for what we sent; False if it is not believed."""
        target, gateway = message.payload[16:20], message.rest
        found = self._namespace.ipv4.way_to(target)
        if message.code not in _CODES or found is None or found[1] != reporter:
            return False
        out = found[0]
        if out is not interface or not self._is_believable(interface, reporter, gateway):
            return False
        known = out.arp_cache.table.get(gateway)
        if known is None or known.state not in VALID:
            # Only a gateway that answers is taken; the next redirect may find that it did.
            out.arp_cache.probe(gateway)
            return True
        now_ns = self._namespace.scheduler.now_ns
        self._namespace.ipv4.paths.redirect(target, gateway, now_ns)
        return True

    def _is_believable(self, interface: Interface, reporter: bytes, gateway: bytes) -> bool:
        conf = interface.conf4
        if gateway == reporter or not conf.accept_redirects:
            return False
        if is_multicast_ip(gateway) or gateway == IPV4_BROADCAST or gateway[0] == 0:
            return False
        if conf.shared_media:
            return self._namespace.routes.is_one_other(gateway)
        if not interface.shares_network(gateway, reporter):
            return False
        return not conf.secure_redirects or self._is_default_gateway(interface, gateway)

    def _is_default_gateway(self, interface: Interface, gateway: bytes) -> bool:
        return any(
            hop.gateway == gateway and hop.device is interface.device
            for route in self._namespace.routing4.policy
            if route.prefix_length == 0
            for hop in route.nexthops
        )

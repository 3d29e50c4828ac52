"""ARP input and output (net/ipv4/arp.c; RFC 826, RFC 5227)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_ANY, MAC_BROADCAST, MAC_ZERO, is_multicast_ip
from vnet.linux.netns import drops
from vnet.linux.netns.arp_policy import accepts_stranger, answers
from vnet.linux.netns.proxy_arp import ProxyArp
from vnet.linux.netns.routing.arrival import Fate, log_martian
from vnet.sim.frame import Frame, Meta
from vnet.tables.fib import RouteType
from vnet.tables.policy import Flow
from vnet.wire import arp
from vnet.wire.ether import HEADER_BYTES, TYPE_ARP
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_NS_PER_TICK = 10_000_000
"""neigh.DEVICE.locktime counts these: for so long a fresh answer is not overridden by another."""

_LOOPBACK_NET = 127


class ArpProtocol:
    """A namespace's ARP. ``proxy`` answers for others, where that is wanted."""

    __slots__ = ("_namespace", "proxy")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.proxy = ProxyArp(namespace)

    # -- input

    def receive(self, interface: Interface, frame: Frame) -> None:
        """An ARP frame came in."""
        device = interface.device
        packet = arp.parse(frame.data, HEADER_BYTES)
        if packet is None or packet.operation not in (arp.REQUEST, arp.REPLY):
            return device.drop(frame, drops.ARP_MALFORMED)
        for listener in tuple(self._namespace.arp_listeners):
            listener(interface, packet)
        conf, target = interface.conf4, packet.target_ip
        if not interface.arp or is_multicast_ip(target):
            return device.drop(frame, drops.ARP_IGNORED)
        if target[0] == _LOOPBACK_NET and not conf.route_localnet:
            return device.drop(frame, drops.ARP_IGNORED)
        if conf.drop_gratuitous_arp and packet.sender_ip == target:
            return device.drop(frame, drops.ARP_IGNORED)
        if packet.operation == arp.REQUEST and self._asked(interface, packet, frame):
            return None
        return self._listen_in(interface, packet, frame)

    def _asked(self, interface: Interface, packet: arp.Arp, frame: Frame) -> bool:
        """A request; False if it is nothing to us but news of its sender."""
        if packet.sender_ip == IPV4_ANY:
            self._checked(interface, packet, frame)
            return True
        arrival = self._namespace.ipv4.arrivals.of_pair(
            interface, packet.sender_ip, packet.target_ip
        )
        if arrival.fate is Fate.OURS:
            if answers(interface, packet.sender_ip, packet.target_ip):
                self._answer(interface, packet, frame)
            else:
                interface.device.drop(frame, drops.ARP_IGNORED)
            return True
        if arrival.fate is Fate.REFUSED:
            log_martian(interface, arrival, packet.sender_ip, packet.target_ip, frame)
        if arrival.fate is Fate.FORWARD and interface.conf4.forwarding:
            return self.proxy.asked(interface, packet, frame, arrival.way)
        return False

    def _checked(self, interface: Interface, packet: arp.Arp, frame: Frame) -> None:
        """Somebody asks whether an address is free (RFC 5227); only its owner objects."""
        found = self._namespace.routing4.lookup(Flow(packet.target_ip))
        ours = found is not None and found.type is RouteType.LOCAL
        if ours and answers(interface, packet.sender_ip, packet.target_ip):
            self.reply(interface, packet, frame.meta)
        else:
            interface.device.drop(frame, drops.ARP_IGNORED)

    def _answer(self, interface: Interface, packet: arp.Arp, frame: Frame) -> None:
        if self.learn(interface, packet):
            self.reply(interface, packet, frame.meta)
        else:
            interface.device.drop(frame, drops.NEIGHBOR_TABLE_FULL)

    @staticmethod
    def learn(interface: Interface, packet: arp.Arp) -> bool:
        """Keep the sender of a request that is answered; False if there is no room."""
        if interface.is_broadcast(packet.sender_ip):
            return True  # its MAC is everybody's already
        return interface.arp_cache.heard(packet.sender_ip, packet.sender_mac, solicited=False)

    def _listen_in(self, interface: Interface, packet: arp.Arp, frame: Frame) -> None:
        """An answer, or somebody else's talk: it mends what we know, and adds to it if wanted."""
        cache = interface.arp_cache
        known = cache.table.get(packet.sender_ip)
        gratuitous = _is_gratuitous(packet) and self._is_elsewhere(packet.sender_ip)
        told = gratuitous or packet.operation == arp.REPLY
        wanted = known is not None or (
            told
            and accepts_stranger(interface, packet.sender_ip)
            and self._is_elsewhere(packet.sender_ip)
        )
        if packet.sender_ip == IPV4_ANY or not wanted:
            return interface.device.drop(frame, drops.ARP_IGNORED)
        now_ns = interface.device.scheduler.now_ns
        override = gratuitous or known is None or known.mac is None
        if known is not None:
            override = override or now_ns > known.updated_ns + cache.conf.locktime * _NS_PER_TICK
        to_us = frame.data[0:6] == interface.device.mac
        cache.heard(
            packet.sender_ip,
            packet.sender_mac,
            solicited=packet.operation == arp.REPLY and to_us,
            override=override,
        )
        if not self._namespace.owns(packet.target_ip) and not gratuitous:
            interface.device.drop(frame, drops.ARP_IGNORED)
        return None

    def _is_elsewhere(self, ip: bytes) -> bool:
        """Whether ``ip`` may be another machine's; that a route leads there is not asked."""
        return self._namespace.routes.is_one_other(ip)

    # -- output

    def reply(self, interface: Interface, request: arp.Arp, meta: Meta | None) -> None:
        """Answer a request for one of our addresses, or for one that we stand in for."""
        mac = interface.device.mac
        answer = arp.Arp(arp.REPLY, mac, request.target_ip, request.sender_mac, request.sender_ip)
        self.send(interface, answer, request.sender_mac, meta)

    def request(
        self,
        interface: Interface,
        ip: bytes,
        source: bytes,
        mac: bytes | None = None,
        meta: Meta | None = None,
        target_mac: bytes = MAC_ZERO,
    ) -> None:
        """Ask who has ``ip``; ``mac`` asks only there. ``target_mac`` fills the tha field."""
        packet = arp.Arp(arp.REQUEST, interface.device.mac, source, target_mac, ip)
        self.send(interface, packet, mac or MAC_BROADCAST, meta)

    def announce(self, interface: Interface) -> None:
        """Gratuitous requests for every IPv4 address, as arp_notify asks for."""
        for address in interface.addresses:
            if len(address.ip) == 4:
                self.request(interface, address.ip, address.ip)

    @staticmethod
    def send(interface: Interface, packet: arp.Arp, target: bytes, meta: Meta | None) -> None:
        """Put an ARP packet on the wire, unless the device does no ARP."""
        if interface.arp:
            device = interface.device
            data = ether_frame(target, device.mac, TYPE_ARP, arp.emit(packet))
            device.transmit(Frame(data, meta))


def _is_gratuitous(packet: arp.Arp) -> bool:
    """Whether somebody tells of itself; an answer must then be addressed to itself, too."""
    if packet.sender_ip != packet.target_ip:
        return False
    return packet.operation != arp.REPLY or packet.target_mac == packet.sender_mac

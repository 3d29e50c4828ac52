"""ARP input and output (net/ipv4/arp.c; RFC 826, RFC 5227)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_ANY, IPV4_BROADCAST, MAC_BROADCAST, MAC_ZERO, is_multicast_ip
from vnet.linux.netns import drops
from vnet.sim.frame import Frame, Meta
from vnet.wire import arp
from vnet.wire.ether import HEADER_BYTES, TYPE_ARP
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_NS_PER_TICK = 10_000_000
"""neigh.DEVICE.locktime counts these: for so long a fresh answer is not overridden by another."""


class ArpProtocol:
    """A namespace's ARP."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def receive(self, interface: Interface, frame: Frame) -> None:
        """An ARP frame came in."""
        device = interface.device
        packet = arp.parse(frame.data, HEADER_BYTES)
        if packet is None or packet.operation not in (arp.REQUEST, arp.REPLY):
            return device.drop(frame, drops.ARP_MALFORMED)
        for listener in tuple(self._namespace.arp_listeners):
            listener(interface, packet)
        if not interface.arp:
            return device.drop(frame, drops.ARP_IGNORED)
        ours = packet.target_ip[0] != 127 and self._namespace.owns(packet.target_ip)
        if packet.operation == arp.REQUEST and ours and self._may_ask(packet.sender_ip):
            if packet.sender_ip != IPV4_ANY and not interface.arp_cache.heard(
                packet.sender_ip, packet.sender_mac, solicited=False
            ):
                return device.drop(frame, drops.NEIGHBOR_TABLE_FULL)
            self.reply(interface, packet, frame.meta)
            return None
        return self._listen_in(interface, packet, frame, ours)

    def _may_ask(self, ip: bytes) -> bool:
        """Whether a packet could come from ``ip``, or from who has no address yet.

        Who asks in our own name is a rival (RFC 5227), and gets no answer.
        """
        if ip == IPV4_ANY:
            return True
        impossible = ip[0] == 127 or is_multicast_ip(ip) or ip == IPV4_BROADCAST
        return not impossible and not self._namespace.owns(ip)

    def _listen_in(self, interface: Interface, packet: arp.Arp, frame: Frame, ours: bool) -> None:
        """An answer, or somebody else's talk: it only mends what we already know."""
        known = interface.arp_cache.table.get(packet.sender_ip)
        if known is None or packet.sender_ip == IPV4_ANY:
            return interface.device.drop(frame, drops.ARP_IGNORED)
        to_us = frame.data[0:6] == interface.device.mac
        gratuitous = _is_gratuitous(packet)
        now_ns = interface.device.scheduler.now_ns
        locked_until_ns = known.updated_ns + interface.arp_cache.conf.locktime * _NS_PER_TICK
        interface.arp_cache.heard(
            packet.sender_ip,
            packet.sender_mac,
            solicited=packet.operation == arp.REPLY and to_us,
            override=gratuitous or now_ns > locked_until_ns or known.mac is None,
            create=False,
        )
        if not ours and not gratuitous:
            interface.device.drop(frame, drops.ARP_IGNORED)
        return None

    def reply(self, interface: Interface, request: arp.Arp, meta: Meta | None) -> None:
        """Answer a request for one of our addresses."""
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
    """Whether somebody tells everyone his MAC; an answer must then have it in both places."""
    if packet.sender_ip != packet.target_ip:
        return False
    return packet.operation == arp.REQUEST or packet.target_mac == packet.sender_mac

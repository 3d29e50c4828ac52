"""The neighbour cache of IPv4: asks by ARP."""

from __future__ import annotations

from vnet.linux.netns import arp_policy
from vnet.linux.netns.neighbor import NeighborCache, PendingPacket
from vnet.sim.frame import Meta
from vnet.tables.neigh import Neighbor
from vnet.wire import icmp


class ArpCache(NeighborCache):
    """IPv4 neighbours, by ARP (RFC 826)."""

    __slots__ = ()

    @staticmethod
    def source_in(packet: bytes) -> bytes:
        return packet[12:16]

    def gave_up(self, neighbor: Neighbor[PendingPacket]) -> None:
        """IPv4's routes do not ask whether their gateways answer."""

    def may_ask_as(self, source: bytes, ip: bytes) -> bool:
        return arp_policy.may_ask_as(self.interface, source, ip)

    def own_source(self, ip: bytes) -> bytes | None:
        return self.interface.source_for(ip)

    def solicit(self, ip: bytes, source: bytes, mac: bytes | None, meta: Meta | None) -> None:
        self.interface.namespace.arp.request(self.interface, ip, source, mac, meta)

    def report_unreachable(self, waiting: PendingPacket) -> None:
        self.interface.namespace.icmp.send_error(
            waiting.packet, icmp.UNREACHABLE, icmp.HOST_UNREACHABLE, meta=waiting.meta
        )

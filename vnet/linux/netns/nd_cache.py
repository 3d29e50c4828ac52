"""The neighbour cache of IPv6: asks by neighbour discovery, and knows whom we answer for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import solicited_node_of
from vnet.base.units import NS_PER_S
from vnet.linux.netns.nd_send import send_nd
from vnet.linux.netns.neighbor import NeighborCache, Neighbors, PendingPacket
from vnet.linux.netns.sysctl.neighbor import NeighborConf
from vnet.sim.frame import Meta
from vnet.tables.neigh import Neighbor, Nud
from vnet.wire import icmpv6, nd
from vnet.wire.ether import TYPE_IPV6

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface


class NdCache(NeighborCache):
    """IPv6 neighbours, by neighbour discovery (RFC 4861 section 7)."""

    ether_type = TYPE_IPV6
    protocol = "ipv6"

    __slots__ = ("proxied",)

    def __init__(self, interface: Interface, family: Neighbors, conf: NeighborConf) -> None:
        super().__init__(interface, family, conf)
        self.proxied: dict[bytes, bool] = {}
        """Whom we answer for here (``ip -6 neigh add proxy``), and whether as a router."""

    def gave_up(self, neighbor: Neighbor[PendingPacket]) -> None:  # noqa: ARG002
        # Hosts look for another router now.
        self.interface.namespace.routing6.forget()

    def is_reachable(self, router: bytes) -> bool:
        """Whether a router may be chosen: it has not failed to answer (RFC 4861 section 6.3.6).

        One that has is asked again, once in a while (router_probe_interval).
        """
        neighbor = self.table.get(router)
        if neighbor is None or neighbor.state is not Nud.FAILED:
            return True
        now_ns = self.interface.device.scheduler.now_ns
        pause_ns = self.interface.conf6.router_probe_interval * NS_PER_S
        source = self.own_source(router)
        if now_ns > neighbor.updated_ns + pause_ns and source is not None:
            self.table.probe_once(neighbor, now_ns)
            self._arm(neighbor)
            self.solicit(router, source, None, None)
        return False

    def add_proxied(self, ip: bytes, *, router: bool = False) -> None:
        """``ip -6 neigh add proxy IP dev DEVICE [router]``."""
        if ip not in self.proxied:
            self.interface.mld.join(solicited_node_of(ip))
        self.proxied[ip] = router

    def remove_proxied(self, ip: bytes) -> None:
        """``ip -6 neigh del proxy IP dev DEVICE``; harmless where there is none."""
        if self.proxied.pop(ip, None) is not None:
            self.interface.mld.leave(solicited_node_of(ip))

    @staticmethod
    def source_in(packet: bytes) -> bytes:
        return packet[8:24]

    def may_ask_as(self, source: bytes, ip: bytes) -> bool:  # noqa: ARG002
        # One that is on this very link; the answer could not find its way to another.
        address = self.interface.find(source)
        return address is not None and address.usable

    def own_source(self, ip: bytes) -> bytes | None:  # noqa: ARG002
        return self.interface.link_local

    def solicit(self, ip: bytes, source: bytes, mac: bytes | None, meta: Meta | None) -> None:
        target = ip if mac is not None else solicited_node_of(ip)
        body = nd.solicitation(ip, self.interface.device.mac)
        message = icmpv6.Icmpv6(icmpv6.NEIGHBOR_SOLICITATION, 0, body)
        send_nd(self.interface, source, target, message, mac=mac, meta=meta)

    def report_unreachable(self, waiting: PendingPacket) -> None:
        self.interface.namespace.icmpv6.send_error(
            waiting.packet,
            icmpv6.UNREACHABLE,
            icmpv6.ADDRESS_UNREACHABLE,
            meta=waiting.meta,
            received_by=waiting.received_by,
        )

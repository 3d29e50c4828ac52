"""Asking the underlay who has an address, as Open vSwitch asks (compose_arp, compose_nd_ns)."""

from __future__ import annotations

from vnet.base.ids import (
    IPV4_ANY,
    MAC_BROADCAST,
    MAC_ZERO,
    IpAddress,
    Mac,
    multicast_mac_of,
    solicited_node_of,
)
from vnet.wire import arp, ether, icmpv6, ipv6, nd


def neighbor_request(mac: Mac, source: IpAddress, target: IpAddress) -> bytes:
    """A frame that asks for ``target``: ARP or a Neighbor Solicitation."""
    if len(target) == 4:
        ip = source if len(source) == 4 else IPV4_ANY
        packet = arp.Arp(arp.REQUEST, mac, ip, MAC_ZERO, target)
        return ether.frame(MAC_BROADCAST, mac, ether.TYPE_ARP, arp.emit(packet))
    group = solicited_node_of(target)
    solicitation = icmpv6.Icmpv6(icmpv6.NEIGHBOR_SOLICITATION, 0, nd.solicitation(target, mac))
    message = icmpv6.emit(source, group, solicitation)
    packet_bytes = ipv6.emit(source, group, icmpv6.PROTOCOL, message, hop_limit=nd.HOP_LIMIT)
    return ether.frame(multicast_mac_of(group), mac, ether.TYPE_IPV6, packet_bytes)

"""Filling in what a user's packet leaves open, from the guest and not from this computer.

Scapy fills an unset source from the routing table and the cards of the machine it runs on,
and an unset destination MAC by asking that machine's network. On a vNIC these must come from
the guest. A field that was set is never touched.
"""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

from vnet.base.errors import VnetError
from vnet.base.ids import (
    MAC_BROADCAST,
    ip_from_text,
    ip_text,
    is_multicast_ip,
    mac_text,
    multicast_mac_of,
)
from vnet.linux.netns.interface import Interface


def complete(packet: Any, interface: Interface) -> Any:
    """A copy of ``packet`` whose unset addresses are those of the guest's ``interface``.

    An unset Ethernet destination stays unset where only the guest's kernel can find it (an
    unknown neighbour); :func:`needs_kernel` tells.
    """
    packet = packet.copy()
    ip = packet.getlayer(IP) or packet.getlayer(IPv6)
    if ip is not None and "src" not in ip.fields:
        source = _source_for(interface, _target_of(ip))
        if source is not None:
            ip.src = ip_text(source)
    arp = packet.getlayer(ARP)
    if arp is not None:
        _complete_arp(arp, interface)
    if isinstance(packet, Ether):
        if "src" not in packet.fields:
            packet.src = mac_text(interface.device.mac)
        if "dst" not in packet.fields:
            mac = _target_mac(packet, interface)
            if mac is not None:
                packet.dst = mac_text(mac)
    return packet


def needs_kernel(packet: Any) -> bool:
    """Whether a completed packet must be routed and resolved by the guest's own kernel."""
    return not isinstance(packet, Ether) or "dst" not in packet.fields


def _complete_arp(arp: Any, interface: Interface) -> None:
    if "hwsrc" not in arp.fields:
        arp.hwsrc = mac_text(interface.device.mac)
    if "psrc" not in arp.fields:
        target = ip_from_text(arp.fields.get("pdst", "0.0.0.0"))
        source = interface.source_for(target)
        arp.psrc = "0.0.0.0" if source is None else ip_text(source)


def _target_of(ip: Any) -> bytes:
    """The destination as bytes. Names are not looked up: that would leave the lab."""
    try:
        return ip_from_text(str(ip.dst))
    except ValueError:
        raise VnetError(f"{ip.dst!r} is not an IP address", "write the address itself") from None


def _source_for(interface: Interface, target: bytes) -> bytes | None:
    route = interface.namespace.route_to(target)
    if route is not None:
        out = interface.namespace.interfaces[route.device.name]
        return route.source or out.source_for(route.gateway or target)
    return interface.source_for(target)


def _target_mac(packet: Any, interface: Interface) -> bytes | None:
    ip = packet.getlayer(IP) or packet.getlayer(IPv6)
    if ip is None:
        return MAC_BROADCAST
    target = _target_of(ip)
    if is_multicast_ip(target):
        return multicast_mac_of(target)
    if target == b"\xff\xff\xff\xff":
        return MAC_BROADCAST
    route = interface.namespace.route_to(target)
    next_hop = target if route is None else route.gateway or target
    cache = interface.nd_cache if len(target) == 16 else interface.arp_cache
    neighbor = cache.table.get(next_hop)
    return None if neighbor is None else neighbor.mac

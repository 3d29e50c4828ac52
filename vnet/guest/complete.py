"""Filling in what a user's packet leaves open, from the guest and not from this computer.

Scapy fills an unset source from the routing table and the cards of the machine it runs on,
and an unset destination MAC by asking that machine's network. On a vNIC these must come from
the guest, in every header of a packet: a tunnelled one would ask for its inner headers too.
A field that was set, by the user or by the layer above, is never touched.
"""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot3, Ether
from scapy.packet import NoPayload

from vnet.base.errors import UsageError
from vnet.base.ids import (
    IPV4_ANY,
    IPV4_BROADCAST,
    IPV6_ANY,
    IPV6_LOOPBACK,
    MAC_BROADCAST,
    ip_from_text,
    ip_text,
    is_link_local_ip6,
    is_multicast_ip,
    mac_text,
    multicast_mac_of,
    network_of,
)
from vnet.linux.netns.interface import Interface
from vnet.tables.neigh import VALID

FRAME_LAYERS = (Ether, Dot3)
"""Layers that a packet must begin with to be put on the wire as it is."""


def complete(packet: Any, interface: Interface) -> Any:
    """A copy of ``packet`` whose unset addresses are those of the guest's ``interface``.

    An unset Ethernet destination stays unset where only the guest's kernel can find it (an
    unknown neighbour); :func:`needs_kernel` tells. A packet that stands for many is its first.
    """
    packet = _first_of(packet)
    layer, inner = packet, False
    while not isinstance(layer, NoPayload):
        if isinstance(layer, (IP, IPv6)):
            if _is_open(layer, "src"):
                layer.src = source_for(interface, _target_of(layer))
        elif isinstance(layer, ARP):
            _complete_arp(layer, interface)
        elif isinstance(layer, FRAME_LAYERS):
            _complete_frame(layer, interface, inner)
        layer, inner = layer.payload, True
    return packet


def needs_kernel(packet: Any) -> bool:
    """Whether a completed packet must be routed and resolved by the guest's own kernel."""
    return not isinstance(packet, FRAME_LAYERS) or _is_open(packet, "dst")


def settle(packet: Any, interface: Interface) -> None:
    """Close a frame's destination after the fact: the neighbour by now known, or everybody.

    Left open, the first look at it would make Scapy ask this computer's network.
    """
    if isinstance(packet, FRAME_LAYERS) and _is_open(packet, "dst"):
        packet.dst = mac_text(target_mac(packet, interface) or MAC_BROADCAST)


def kernel_payload(packet: Any) -> Any:
    """What of a packet that :func:`needs_kernel` goes to the kernel: all from its IP header on.

    Raises :class:`UsageError` where the kernel would have to leave something out.
    """
    if not isinstance(packet, FRAME_LAYERS):
        return packet
    if not isinstance(packet.payload, (IP, IPv6)):
        raise UsageError(
            f"nobody can tell the MAC that {packet.summary()} is for",
            "write it: Ether(dst=...)",
        )
    return packet.payload


def _first_of(packet: Any) -> Any:
    if packet.explicit or packet.raw_packet_cache is not None:
        return packet.copy()
    first = next(iter(packet), None)
    if first is None:
        raise UsageError("an empty set of packets cannot be sent")
    # A set of one gives itself for a layer that has nothing to vary.
    return first.copy()


def _is_open(layer: Any, field: str) -> bool:
    return field not in layer.fields and field not in layer.overloaded_fields


def _complete_frame(frame: Any, interface: Interface, inner: bool) -> None:
    if _is_open(frame, "src"):
        frame.src = mac_text(interface.device.mac)
    if _is_open(frame, "dst"):
        mac = target_mac(frame, interface)
        if mac is not None or inner:
            frame.dst = mac_text(mac or MAC_BROADCAST)


def _complete_arp(arp: Any, interface: Interface) -> None:
    if _is_open(arp, "hwsrc"):
        arp.hwsrc = mac_text(interface.device.mac)
    if _is_open(arp, "psrc"):
        try:
            target = ip_from_text(str(arp.pdst))
        except ValueError:
            target = IPV4_ANY
        arp.psrc = ip_text(interface.source_for(target) or bytes(len(target)))


def _target_of(ip: Any) -> bytes:
    """The destination as bytes. Names are not looked up: that would leave the lab."""
    try:
        return ip_from_text(str(ip.dst).partition("%")[0])
    except ValueError:
        raise UsageError(f"{ip.dst!r} is not an IP address", "write the address itself") from None


def source_for(interface: Interface, target: bytes) -> str:
    """The address to send from; the unspecified one where the guest has none."""
    source = None
    if not is_on_link_only(target):
        namespace = interface.namespace
        if namespace.owns(target):
            return ip_text(target)
        route = namespace.route_to(target)
        if route is not None:
            source = route.source_for(target)
    source = source or interface.source_for(target)
    if source == IPV6_LOOPBACK:
        source = None  # a guest without any other has it still, but no wire carries it
    return ip_text(source or (IPV6_ANY if len(target) == 16 else IPV4_ANY))


def is_on_link_only(target: bytes) -> bool:
    """Whether ``target`` is said of a link, so that the card decides and not a route."""
    return is_multicast_ip(target) or is_link_local_ip6(target) or target == IPV4_BROADCAST


def target_mac(frame: Any, interface: Interface) -> bytes | None:
    """The MAC that a frame's payload is for; None for a neighbour that is not known."""
    ip = frame.payload
    while not isinstance(ip, (IP, IPv6)):
        if isinstance(ip, NoPayload):
            return MAC_BROADCAST
        ip = ip.payload
    target = _target_of(ip)
    if is_multicast_ip(target):
        return multicast_mac_of(target)
    if target == IPV4_BROADCAST:
        return MAC_BROADCAST
    cache = interface.nd_cache if len(target) == 16 else interface.arp_cache
    neighbor = cache.table.get(_next_hop(interface, target))
    return neighbor.mac if neighbor is not None and neighbor.state in VALID else None


def _next_hop(interface: Interface, target: bytes) -> bytes:
    if any(
        len(address.ip) == len(target)
        and network_of(target, address.prefix_length) == address.network
        for address in interface.addresses
    ):
        return target
    route = interface.namespace.route_to(target)
    if route is None or route.out is not interface:
        return target
    return route.gateway or target

"""A frame in one line, for traces: who asks whom for what."""

from __future__ import annotations

from vnet.base.ids import ip_text, mac_text
from vnet.wire import arp, geneve, gre, icmp, icmpv6, ipv4, ipv6, tcp, udp, vlan, vxlan
from vnet.wire.ether import HEADER_BYTES, TYPE_ARP, TYPE_IPV4, TYPE_IPV6, type_of

_ICMP = {
    icmp.ECHO_REPLY: "echo reply",
    icmp.UNREACHABLE: "unreachable",
    icmp.REDIRECT: "redirect",
    icmp.ECHO_REQUEST: "echo request",
    icmp.TIME_EXCEEDED: "time exceeded",
}
_ICMPV6 = {
    icmpv6.UNREACHABLE: "unreachable",
    icmpv6.PACKET_TOO_BIG: "packet too big",
    icmpv6.TIME_EXCEEDED: "time exceeded",
    icmpv6.ECHO_REQUEST: "echo request",
    icmpv6.ECHO_REPLY: "echo reply",
    icmpv6.ROUTER_SOLICITATION: "router solicitation",
    icmpv6.ROUTER_ADVERTISEMENT: "router advertisement",
    icmpv6.NEIGHBOR_SOLICITATION: "neighbor solicitation",
    icmpv6.NEIGHBOR_ADVERTISEMENT: "neighbor advertisement",
    icmpv6.MLDV2_REPORT: "MLDv2 report",
}

_MOST_TAGS = 8
"""A jumbo frame has room for two thousand tags, and a line has not."""
_MOST_TUNNELS = 2
"""The same of tunnels in tunnels."""


def summarize(data: bytes, *, n_tunnels: int = 0) -> str:
    """What a frame is, as far as it can be read; never raises.

    Of a tunnel's packet, what is inside is told, too; ``n_tunnels`` are around this one.
    """
    if len(data) < HEADER_BYTES:
        return f"{len(data)} bytes"
    tags = ""
    for _ in range(_MOST_TAGS):
        tag = vlan.parse(data)
        if tag is None:
            break
        tags += f"VLAN {tag.vid} "
        data = vlan.pop(data)
    return tags + _untagged(data, n_tunnels)


def _untagged(data: bytes, n_tunnels: int) -> str:
    kind = type_of(data)
    text = None
    if kind == TYPE_ARP:
        text = _arp(data)
    elif kind == TYPE_IPV4:
        text = _ipv4(data[HEADER_BYTES:], n_tunnels)
    elif kind == TYPE_IPV6:
        text = _ipv6(data[HEADER_BYTES:], n_tunnels)
    return text or f"{mac_text(data[6:12])} → {mac_text(data[0:6])} type {kind:#06x}"


def _arp(data: bytes) -> str | None:
    packet = arp.parse(data, HEADER_BYTES)
    if packet is None:
        return None
    target, sender = ip_text(packet.target_ip), ip_text(packet.sender_ip)
    if packet.operation == arp.REPLY:
        return f"ARP {sender} is at {mac_text(packet.sender_mac)}"
    return f"ARP who has {target}, says {sender}"


def _ipv4(packet: bytes, n_tunnels: int) -> str | None:
    header = ipv4.parse(packet)
    if header is None:
        return None
    ends = f"{ip_text(header.source)} → {ip_text(header.target)}"
    if header.offset_bytes:
        return f"{ends} fragment at {header.offset_bytes}"
    message = header.payload
    if header.protocol == icmp.PROTOCOL and message:
        return f"{ends} ICMP {_ICMP.get(message[0], f'type {message[0]}')}"
    return f"{ends} {_transport(header.protocol, message, n_tunnels)}"


def _ipv6(packet: bytes, n_tunnels: int) -> str | None:
    header = ipv6.parse(packet)
    upper = None if header is None else ipv6.upper_layer(header)
    if header is None or upper is None:
        return None
    ends = f"{ip_text(header.source)} → {ip_text(header.target)}"
    if upper.fragment is not None and upper.fragment.offset_bytes:
        return f"{ends} fragment at {upper.fragment.offset_bytes}"
    if upper.protocol == icmpv6.PROTOCOL and upper.payload:
        kind = upper.payload[0]
        return f"{ends} ICMPv6 {_ICMPV6.get(kind, f'type {kind}')}"
    return f"{ends} {_transport(upper.protocol, upper.payload, n_tunnels)}"


def _transport(protocol: int, segment: bytes, n_tunnels: int) -> str:
    tunnel = _tunnel(protocol, segment) if n_tunnels < _MOST_TUNNELS else None
    if tunnel is not None:
        name, inner = tunnel
        return f"{name}: {summarize(inner, n_tunnels=n_tunnels + 1)}"
    names = {udp.PROTOCOL: "UDP", tcp.PROTOCOL: "TCP", ipv4.IGMP: "IGMP"}
    name = names.get(protocol, f"protocol {protocol}")
    if protocol in (udp.PROTOCOL, tcp.PROTOCOL) and len(segment) >= 4:
        return f"{name} {segment[0] << 8 | segment[1]} → {segment[2] << 8 | segment[3]}"
    return name


def _tunnel(protocol: int, segment: bytes) -> tuple[str, bytes] | None:
    """Which tunnel a packet is of, and the frame inside; None for what is no tunnel's."""
    if protocol == gre.PROTOCOL:
        return _gre(segment)
    header = udp.parse(segment) if protocol == udp.PROTOCOL else None
    if header is None:
        return None
    if header.target_port == vxlan.UDP_PORT:
        vxlan_header = vxlan.parse(header.payload)
        if vxlan_header is not None and vxlan_header.flags == vxlan.FLAG_VNI:
            return f"VXLAN {vxlan_header.vni}", header.payload[vxlan.HEADER_BYTES :]
    elif header.target_port == geneve.UDP_PORT:
        geneve_header = geneve.parse(header.payload)
        if geneve_header is not None and geneve_header.ethertype == geneve.TYPE_ETHERNET:
            return f"Geneve {geneve_header.vni}", header.payload[geneve_header.size_bytes :]
    return None


def _gre(segment: bytes) -> tuple[str, bytes] | None:
    header = gre.parse(segment)
    if header is None or header.ethertype != gre.TYPE_ETHERNET:
        return None
    key = "" if header.key is None else f" {header.key:#x}"
    return f"GRE{key}", segment[header.size_bytes :]

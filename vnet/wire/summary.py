"""A frame in one line, for traces: who asks whom for what."""

from __future__ import annotations

from vnet.base.ids import ip_text, mac_text
from vnet.wire import arp, icmp, icmpv6, ipv4, ipv6, tcp, udp, vlan
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


def summarize(data: bytes) -> str:
    """What a frame is, as far as it can be read; never raises."""
    if len(data) < HEADER_BYTES:
        return f"{len(data)} bytes"
    tags = ""
    for _ in range(_MOST_TAGS):
        tag = vlan.parse(data)
        if tag is None:
            break
        tags += f"VLAN {tag.vid} "
        data = vlan.pop(data)
    return tags + _untagged(data)


def _untagged(data: bytes) -> str:
    kind = type_of(data)
    text = None
    if kind == TYPE_ARP:
        text = _arp(data)
    elif kind == TYPE_IPV4:
        text = _ipv4(data[HEADER_BYTES:])
    elif kind == TYPE_IPV6:
        text = _ipv6(data[HEADER_BYTES:])
    return text or f"{mac_text(data[6:12])} → {mac_text(data[0:6])} type {kind:#06x}"


def _arp(data: bytes) -> str | None:
    packet = arp.parse(data, HEADER_BYTES)
    if packet is None:
        return None
    target, sender = ip_text(packet.target_ip), ip_text(packet.sender_ip)
    if packet.operation == arp.REPLY:
        return f"ARP {sender} is at {mac_text(packet.sender_mac)}"
    return f"ARP who has {target}, says {sender}"


def _ipv4(packet: bytes) -> str | None:
    header = ipv4.parse(packet)
    if header is None:
        return None
    ends = f"{ip_text(header.source)} → {ip_text(header.target)}"
    if header.offset_bytes:
        return f"{ends} fragment at {header.offset_bytes}"
    message = header.payload
    if header.protocol == icmp.PROTOCOL and message:
        return f"{ends} ICMP {_ICMP.get(message[0], f'type {message[0]}')}"
    return f"{ends} {_transport(header.protocol, message)}"


def _ipv6(packet: bytes) -> str | None:
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
    return f"{ends} {_transport(upper.protocol, upper.payload)}"


def _transport(protocol: int, segment: bytes) -> str:
    names = {udp.PROTOCOL: "UDP", tcp.PROTOCOL: "TCP", ipv4.IGMP: "IGMP"}
    name = names.get(protocol, f"protocol {protocol}")
    if protocol in (udp.PROTOCOL, tcp.PROTOCOL) and len(segment) >= 4:
        return f"{name} {segment[0] << 8 | segment[1]} → {segment[2] << 8 | segment[3]}"
    return name

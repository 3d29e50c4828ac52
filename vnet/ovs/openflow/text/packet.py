"""Packets as ``ovs-ofctl monitor`` shows what a message carries: a flow, and a checksum."""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.extract import extract, layers
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_text import flow_text
from vnet.ovs.flow.protocol_numbers import (
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
)


class _Checksum(NamedTuple):
    """Where a transport protocol has its checksum, if so much of the header is there."""

    name: str
    offset: int
    n_bytes: int
    header_bytes: int


_CHECKSUMS = {
    IPPROTO_TCP: _Checksum("tcp_csum", 16, 2, 20),
    IPPROTO_UDP: _Checksum("udp_csum", 6, 2, 8),
    IPPROTO_SCTP: _Checksum("sctp_csum", 8, 4, 12),
    IPPROTO_ICMP: _Checksum("icmp_csum", 2, 2, 8),
    IPPROTO_ICMPV6: _Checksum("icmp6_csum", 2, 2, 4),
}


def packet_text(packet: bytes, packet_type: int = PT_ETHERNET) -> str:
    """What a packet is: its flow, and after a space the checksum of its transport protocol."""
    flow = Flow(extract(packet, packet_type=packet_type))
    shown = flow_text(flow)
    checksum = _CHECKSUMS.get(flow.nw_proto)
    start, end = layers(packet, packet_type=packet_type)[2:]
    if checksum is None or start is None or end - start < checksum.header_bytes:
        return shown
    at = start + checksum.offset
    value = int.from_bytes(packet[at : at + checksum.n_bytes], "big")
    return f"{shown} {checksum.name}:{value:x}"

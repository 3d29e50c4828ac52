"""A packet in one line, as logs show it (``ofp_packet_to_string``)."""

from __future__ import annotations

from vnet.ovs.flow.extract import extract, layers
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_text import flow_text
from vnet.ovs.flow.protocol_numbers import (
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
)

_CHECKSUMS = {
    IPPROTO_TCP: ("tcp_csum", 20, slice(16, 18)),
    IPPROTO_UDP: ("udp_csum", 8, slice(6, 8)),
    IPPROTO_SCTP: ("sctp_csum", 12, slice(8, 12)),
    IPPROTO_ICMP: ("icmp_csum", 8, slice(2, 4)),
    IPPROTO_ICMPV6: ("icmp6_csum", 4, slice(2, 4)),
}
"""What the checksum is called, how long the header is, and where in it the checksum stands."""


def packet_text(frame: bytes, packet_type: int, vlan_limit: int) -> str:
    """``icmp,vlan_tci=0x0000,dl_src=...,icmp_code=0 icmp_csum:13fc``."""
    flow = Flow(extract(frame, packet_type=packet_type, vlan_limit=vlan_limit))
    shown = flow_text(flow)
    found = layers(frame, packet_type=packet_type, vlan_limit=vlan_limit)
    checksum = _CHECKSUMS.get(flow.nw_proto)
    if checksum is None or found.l4 is None:
        return shown
    name, n_bytes, where = checksum
    header = frame[found.l4 : found.end]
    if len(header) < n_bytes:
        return shown
    return f"{shown} {name}:{int.from_bytes(header[where], 'big'):x}"

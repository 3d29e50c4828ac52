"""What exporters of IPFIX have seen (NXST_IPFIX_BRIDGE and NXST_IPFIX_FLOW)."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.messages import IpfixStats

_STATS = struct.Struct("!10QI4x")


def encode_ipfix_stats(stats: IpfixStats) -> bytes:
    """An entry of a reply."""
    return _STATS.pack(
        *(stats.total_flows, stats.current_flows, stats.sampled_packets),
        *(stats.ipv4_packets, stats.ipv6_packets, stats.error_packets),
        *(stats.ipv4_error_packets, stats.ipv6_error_packets),
        *(stats.tx_packets, stats.tx_errors, stats.collector_set_id),
    )


def decode_ipfix_stats(body: bytes) -> tuple[IpfixStats, ...]:
    """All entries of a reply."""
    return tuple(IpfixStats(*numbers) for numbers in _STATS.iter_unpack(body))

"""What routing may know of an IPv6 packet."""

from __future__ import annotations

from vnet.tables.policy import LOOPBACK, Flow
from vnet.wire import ipv6, tcp, udp

_DSCP = 0xFC


def flow_of(packet: bytes, iif: str = LOOPBACK, oif: str | None = None) -> Flow:
    """The flow of a whole packet, ours or one that came in by ``iif``."""
    reached = ipv6.skip_headers(packet[6], packet[ipv6.HEADER_BYTES :])
    protocol = packet[6] if reached is None else reached.protocol
    source_port = target_port = 0
    if reached is not None and protocol in (tcp.PROTOCOL, udp.PROTOCOL):
        at = ipv6.HEADER_BYTES + reached.at
        ports = packet[at : at + 4].ljust(4, b"\0")
        source_port, target_port = ports[0] << 8 | ports[1], ports[2] << 8 | ports[3]
    return Flow(
        packet[24:40],
        packet[8:24],
        iif,
        oif,
        tos=(packet[0] << 4 | packet[1] >> 4) & _DSCP,
        protocol=protocol,
        source_port=source_port,
        target_port=target_port,
    )

"""Flow labels that the kernel gives to packets without one (RFC 6437; net.ipv6.auto_flowlabels)."""

from __future__ import annotations

from zlib import crc32

from vnet.wire import icmpv6, ipv6, tcp, udp

ALWAYS = (1, 3)
"""The values of auto_flowlabels with which packets get a label unasked."""

_FLOW_BYTES = {udp.PROTOCOL: 4, tcp.PROTOCOL: 4, icmpv6.PROTOCOL: 2}
"""How much of what is carried tells flows apart: two ports, or a type and a code."""


def labelled(packet: bytes) -> bytes:
    """A packet with a label that all of its flow have; as it is, if it has one already."""
    word = int.from_bytes(packet[:4], "big")
    if word & ipv6.FLOW_LABEL_MASK:
        return packet
    told_apart = _FLOW_BYTES.get(packet[6], 0)
    # The kernel's hash puts the addresses in order, and leaves the ports where they are.
    ends = sorted((packet[8:24], packet[24 : ipv6.HEADER_BYTES]))
    carried = packet[ipv6.HEADER_BYTES : ipv6.HEADER_BYTES + told_apart]
    flow = b"".join((packet[6:7], *ends, carried))
    return (word | crc32(flow) & ipv6.FLOW_LABEL_MASK).to_bytes(4, "big") + packet[4:]

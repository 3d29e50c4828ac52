"""A datagram built once and stamped many times."""

from __future__ import annotations

from vnet.wire.checksum import checksum, transport_checksum
from vnet.wire.ipv4 import HEADER_BYTES as IPV4_HEADER_BYTES
from vnet.wire.ipv6 import HEADER_BYTES as IPV6_HEADER_BYTES
from vnet.wire.udp import HEADER_BYTES as UDP_HEADER_BYTES
from vnet.wire.udp import PROTOCOL


class DatagramTemplate:
    """The bytes of an IP packet with a UDP datagram, without IP options.

    :meth:`stamp` gives a copy with new first bytes of data, its own identification, and
    correct checksums.
    """

    __slots__ = ("_head", "_ipv6", "_segment", "_source", "_target")

    def __init__(self, packet: bytes) -> None:
        self._ipv6 = packet[0] >> 4 == 6
        at = IPV6_HEADER_BYTES if self._ipv6 else IPV4_HEADER_BYTES
        self._head, self._segment = packet[:at], packet[at:]
        ends = (8, 24, 40) if self._ipv6 else (12, 16, 20)
        self._source = packet[ends[0] : ends[1]]
        self._target = packet[ends[1] : ends[2]]

    def stamp(self, data: bytes, ident: int) -> bytes:
        """A copy whose payload begins with ``data``; ``ident`` counts for IPv4 only."""
        body = self._segment[UDP_HEADER_BYTES + len(data) :]
        segment = self._segment[:6] + b"\0\0" + data + body
        check = transport_checksum(self._source, self._target, PROTOCOL, segment) or 0xFFFF
        segment = segment[:6] + check.to_bytes(2, "big") + segment[8:]
        if self._ipv6:
            return self._head + segment
        head = self._head[:4] + ident.to_bytes(2, "big") + self._head[6:10] + b"\0\0"
        head += self._head[12:]
        return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + segment

"""What a kernel chooses freely in the frames that it sends itself, and what it says unasked."""

from __future__ import annotations

from collections.abc import Set

from vnet.wire import icmpv6, ipv4, ipv6
from vnet.wire.checksum import checksum
from vnet.wire.ether import HEADER_BYTES

_IPV4 = b"\x08\x00"
_IPV6 = b"\x86\xdd"
_IP_ID = slice(HEADER_BYTES + 4, HEADER_BYTES + 6)
_LABEL = slice(HEADER_BYTES + 1, HEADER_BYTES + 4)
_IP_SUM = slice(HEADER_BYTES + 10, HEADER_BYTES + 12)
_UNASKED_ICMPV6 = (bytes((icmpv6.ROUTER_SOLICITATION,)), bytes((icmpv6.MLDV2_REPORT,)))


def is_spontaneous(frame: bytes, macs: Set[bytes]) -> bool:
    """A report of memberships, or a call for routers: their times have tests of their own."""
    if frame[6:12] not in macs:
        return False
    if frame[12:14] == _IPV4:
        header = ipv4.parse(frame[HEADER_BYTES:])
        return header is not None and header.protocol == ipv4.IGMP and header.ttl == 1
    if frame[12:14] == _IPV6:
        header6 = ipv6.parse(frame[HEADER_BYTES:])
        upper = None if header6 is None else ipv6.upper_layer(header6)
        return (
            upper is not None
            and upper.protocol == icmpv6.PROTOCOL
            and upper.payload[:1] in _UNASKED_ICMPV6
        )
    return False


def hide_choices(frame: bytes, addresses: Set[bytes]) -> bytes:
    """The frame with the IP identification of the machine's own packets as 0 or 1.

    Its header checksum becomes zero if it was right. Of IPv6 packets the flow label becomes 0 or
    1. Other packets pass through unchanged.
    """
    if frame[12:14] == _IPV6:
        return _without_label(frame, addresses)
    if frame[12:14] != _IPV4 or frame[HEADER_BYTES + 12 : HEADER_BYTES + 16] not in addresses:
        return frame
    header_bytes = (frame[HEADER_BYTES] & 0x0F) * 4
    header = frame[HEADER_BYTES : HEADER_BYTES + header_bytes]
    hidden = bytearray(frame)
    hidden[_IP_ID] = bytes((0, any(frame[_IP_ID])))
    if checksum(header) == 0:
        hidden[_IP_SUM] = b"\0\0"
    return bytes(hidden)


def _without_label(frame: bytes, addresses: Set[bytes]) -> bytes:
    if frame[HEADER_BYTES + 8 : HEADER_BYTES + 24] not in addresses:
        return frame
    label = int.from_bytes(frame[_LABEL], "big") & 0x0FFFFF
    hidden = bytearray(frame)
    hidden[_LABEL] = bytes((frame[_LABEL][0] & 0xF0, 0, label > 0))
    return bytes(hidden)

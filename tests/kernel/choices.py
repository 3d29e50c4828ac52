"""What a kernel chooses freely in the frames that it sends itself, and what it says unasked."""

from __future__ import annotations

from collections.abc import Set

from vnet.wire import icmp, icmpv6, ipv4, ipv6
from vnet.wire.checksum import checksum
from vnet.wire.ether import HEADER_BYTES

_IPV4 = b"\x08\x00"
_IPV6 = b"\x86\xdd"
_IP_ID = slice(HEADER_BYTES + 4, HEADER_BYTES + 6)
_LABEL = slice(HEADER_BYTES + 1, HEADER_BYTES + 4)
_NEXT_HEADER = HEADER_BYTES + 6
_FRAGMENT_ID = slice(HEADER_BYTES + 44, HEADER_BYTES + 48)
_LOOPBACK = b"\x7f"
_IP_SUM = slice(HEADER_BYTES + 10, HEADER_BYTES + 12)
_TIMESTAMP_REPLY = bytes((icmp.TIMESTAMP_REPLY,))
_TIMES_BYTES = 8
_CHECKSUM_AT = 2
_UNASKED_ICMPV6 = [
    bytes((kind,)) for kind in (icmpv6.ROUTER_SOLICITATION, icmpv6.MLDV2_REPORT, icmpv6.MLD_QUERY)
]


def is_spontaneous(frame: bytes, macs: Set[bytes]) -> bool:
    """A report of memberships, a query, a call for routers: their times have other tests."""
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

    Its header checksum becomes zero if it was right, and so does the time of day. Of IPv6 packets
    the flow label becomes 0 or 1, and the identification of pieces 0. Other packets pass through
    unchanged.
    """
    if frame[12:14] == _IPV6:
        return _without_label(frame, addresses)
    source = frame[HEADER_BYTES + 12 : HEADER_BYTES + 16]
    if frame[12:14] != _IPV4 or (source not in addresses and source[:1] != _LOOPBACK):
        return frame
    header_bytes = (frame[HEADER_BYTES] & 0x0F) * 4
    header = frame[HEADER_BYTES : HEADER_BYTES + header_bytes]
    hidden = bytearray(frame)
    hidden[_IP_ID] = bytes((0, any(frame[_IP_ID])))
    if checksum(header) == 0:
        hidden[_IP_SUM] = b"\0\0"
    message = frame[HEADER_BYTES + header_bytes :]
    if header[9] == icmp.PROTOCOL and message[:1] == _TIMESTAMP_REPLY and not checksum(message):
        hidden[-_TIMES_BYTES:] = bytes(_TIMES_BYTES)
        at = HEADER_BYTES + header_bytes + _CHECKSUM_AT
        hidden[at : at + 2] = b"\0\0"
    return bytes(hidden)


def _without_label(frame: bytes, addresses: Set[bytes]) -> bytes:
    if frame[HEADER_BYTES + 8 : HEADER_BYTES + 24] not in addresses:
        return frame
    label = int.from_bytes(frame[_LABEL], "big") & 0x0FFFFF
    hidden = bytearray(frame)
    hidden[_LABEL] = bytes((frame[_LABEL][0] & 0xF0, 0, label > 0))
    if frame[_NEXT_HEADER] == ipv6.FRAGMENT:
        hidden[_FRAGMENT_ID] = bytes(4)
    return bytes(hidden)

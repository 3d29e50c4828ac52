"""From a packet to the key of its connection (RFC 792, RFC 4443 for what errors quote).

A packet that is a fragment, whose checksums are wrong, whose lengths do not add up or whose
ports are 0 has no key. The key of an ICMP error is that of the packet that it quotes.
"""

from __future__ import annotations

from collections.abc import Mapping

from vnet.tables.conntrack.counters import CtCounters
from vnet.tables.conntrack.headers import Headers, skip_extensions
from vnet.tables.conntrack.key import NO_ID, reverse
from vnet.wire.icmp import ECHO_REPLY, ECHO_REQUEST, ERRORS
from vnet.wire.icmpv6 import ECHO_REPLY as ECHO_REPLY_V6
from vnet.wire.icmpv6 import ECHO_REQUEST as ECHO_REQUEST_V6
from vnet.wire.icmpv6 import PACKET_TOO_BIG, PARAMETER_PROBLEM, TIME_EXCEEDED, UNREACHABLE

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58

TIMESTAMP, TIMESTAMP_REPLY = 13, 14
INFORMATION, INFORMATION_REPLY = 15, 16

REVERSE_TYPE_V4: Mapping[int, int] = {
    ECHO_REQUEST: ECHO_REPLY,
    ECHO_REPLY: ECHO_REQUEST,
    TIMESTAMP: TIMESTAMP_REPLY,
    TIMESTAMP_REPLY: TIMESTAMP,
    INFORMATION: INFORMATION_REPLY,
    INFORMATION_REPLY: INFORMATION,
}
REVERSE_TYPE_V6: Mapping[int, int] = {
    ECHO_REQUEST_V6: ECHO_REPLY_V6,
    ECHO_REPLY_V6: ECHO_REQUEST_V6,
}
"""What answers what. Messages of these types have an identifier and are a connection."""

ERRORS_V6 = frozenset((UNREACHABLE, PACKET_TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM))

_TCP_BYTES = 20
_UDP_BYTES = 8
_ICMP_BYTES = 8
_IPV4_BYTES = 20
_IPV6_BYTES = 40
_QUOTED_BYTES = 8
"""How much of the transport header an ICMPv4 error must quote at the least (RFC 792)."""

_NO_PARTS = b"\0\0\0\0"
_TAILS: Mapping[int, bytes] = {number: bytes((number,)) + NO_ID for number in range(256)}
"""The end of a key, by protocol."""


def extract_key(headers: Headers, zone: bytes, counters: CtCounters) -> bool:
    """Set ``headers.key`` (and ``is_related``); False where the packet is of no connection.

    ``zone`` is the zone as two bytes.
    """
    if headers.is_fragment:
        return False
    data, l3, l4, end = headers.data, headers.l3, headers.l4, headers.end
    if headers.is_v6:
        addresses = data[l3 + 8 : l3 + 40]
    else:
        if int.from_bytes(data[l3:l4], "big") % 0xFFFF:
            counters.l3_checksum += 1
            return False
        addresses = data[l3 + 12 : l3 + 20]
    protocol = headers.protocol
    if protocol == TCP:
        if end - l4 < _TCP_BYTES or not _TCP_BYTES <= (data[l4 + 12] >> 4) * 4 <= end - l4:
            return False
    elif protocol == UDP:
        if end - l4 < _UDP_BYTES:
            return False
        if not _UDP_BYTES <= (data[l4 + 4] << 8 | data[l4 + 5]) <= end - l4:
            return False
        if not (data[l4 + 6] or data[l4 + 7] or headers.is_v6):
            return _set_ports(headers, addresses, zone)  # sent without a checksum
    elif protocol == (ICMPV6 if headers.is_v6 else ICMP):
        return _extract_icmp(headers, addresses, zone, counters)
    else:
        headers.key = addresses + _NO_PARTS + zone + _TAILS[protocol]
        return True
    if not _sums_up(data[l4:end], int.from_bytes(addresses, "big") + protocol):
        counters.l4_checksum += 1
        return False
    return _set_ports(headers, addresses, zone)


def _sums_up(segment: bytes, pseudo: int) -> bool:
    """Whether the checksum holds. ``pseudo`` is the pseudo-header's sum but for the length."""
    total = int.from_bytes(segment, "big") << (8 if len(segment) & 1 else 0)
    total += pseudo + len(segment) if pseudo else 0
    return total != 0 and total % 0xFFFF == 0


def _set_ports(headers: Headers, addresses: bytes, zone: bytes) -> bool:
    ports = headers.data[headers.l4 : headers.l4 + 4]
    headers.key = addresses + ports + zone + _TAILS[headers.protocol]
    return ports[:2] != b"\0\0" and ports[2:] != b"\0\0"


def _extract_icmp(headers: Headers, addresses: bytes, zone: bytes, counters: CtCounters) -> bool:
    data, l4, end = headers.data, headers.l4, headers.end
    pseudo = int.from_bytes(addresses, "big") + ICMPV6 if headers.is_v6 else 0
    if not _sums_up(data[l4:end], pseudo):
        counters.l4_checksum += 1
        return False
    if end - l4 < _ICMP_BYTES:
        return False
    if data[l4] not in (ERRORS_V6 if headers.is_v6 else ERRORS):
        key = _message_key(headers, l4, addresses, zone)
        headers.key = key or b""
        return key is not None
    quoted = _quoted_key(headers, addresses, zone)
    if quoted is None:
        return False
    headers.key = reverse(quoted)
    headers.is_related = True
    return True


def _message_key(headers: Headers, at: int, addresses: bytes, zone: bytes) -> bytes | None:
    """The key of an echo, or another message with an identifier, that starts at ``at``."""
    data = headers.data
    reverse_type = (REVERSE_TYPE_V6 if headers.is_v6 else REVERSE_TYPE_V4).get(data[at])
    if reverse_type is None or data[at + 1] != 0:
        return None
    parts = bytes((data[at], 0, reverse_type, 0))
    protocol = ICMPV6 if headers.is_v6 else ICMP
    return addresses + parts + zone + bytes((protocol,)) + data[at + 4 : at + 6]


def _quoted_key(headers: Headers, addresses: bytes, zone: bytes) -> bytes | None:
    """The key of the packet behind an ICMP header, as it was sent.

    Nobody is told of an error but the packet's sender.
    """
    data, end, at = headers.data, headers.end, headers.l4 + _ICMP_BYTES
    if headers.is_v6:
        place = _quoted_ipv6(data, at, end)
        quoted = data[at + 8 : at + 40]
    else:
        place = _quoted_ipv4(data, at, end)
        quoted = data[at + 12 : at + 20]
    half = len(addresses) // 2
    if place is None or quoted[:half] != addresses[half:]:
        return None
    protocol, l4 = place
    if protocol in (TCP, UDP):
        least = _TCP_BYTES if protocol == TCP and headers.is_v6 else _QUOTED_BYTES
        ports = data[l4 : l4 + 4]
        if end - l4 < least or ports[:2] == b"\0\0" or ports[2:] == b"\0\0":
            return None
        return quoted + ports + zone + _TAILS[protocol]
    if protocol == (ICMPV6 if headers.is_v6 else ICMP):
        return None if end - l4 < _ICMP_BYTES else _message_key(headers, l4, quoted, zone)
    return quoted + _NO_PARTS + zone + _TAILS[protocol]


def _quoted_ipv4(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """(protocol, where it starts) of a packet cut off anywhere behind its header."""
    if end - at < _IPV4_BYTES:
        return None
    header_bytes = (data[at] & 0x0F) * 4
    if header_bytes < _IPV4_BYTES or end - at < header_bytes:
        return None
    if data[at + 6] & 0x3F or data[at + 7]:
        return None
    return data[at + 9], at + header_bytes


def _quoted_ipv6(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    if end - at < _IPV6_BYTES:
        return None
    chain = skip_extensions(data, data[at + 6], at + _IPV6_BYTES, end)
    return None if chain is None or chain.is_fragment else (chain.protocol, chain.at)

"""Names for the ports that a kernel chooses freely, so that two worlds' choices can be compared.

A port that nobody in the lab has by himself is replaced by a label, which says what range it is
from. Checksums change along, so that right ones stay right and wrong ones wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.kernel.rulesets import RANGES
from vnet.wire import icmp, icmpv6, ipv4, ipv6, tcp, udp
from vnet.wire.checksum import checksum
from vnet.wire.ether import HEADER_BYTES

CLIENT_PORTS = (40_000, 40_000, 40_001, 500, 700, 1023, 53)
SERVER_PORTS = (7, 7, 53, 80, 8080, 9)
ECHO_IDS = (1, 2, 7)
"""What stations use."""

IDENTS = (1, 2, 3, 4, 5, 6, 77)
"""Identifications of IPv4 packets; 77 is what answers have (`talk`)."""

_FIXED = {low for low, high in RANGES if low == high}
_KNOWN_PORTS = frozenset((0, *CLIENT_PORTS, *SERVER_PORTS, *_FIXED))
_KNOWN_IDS = frozenset((0, *ECHO_IDS))
_IDENTS = frozenset(ident.to_bytes(2, "big") for ident in (0, *IDENTS))
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_ECHOES = {
    icmp.PROTOCOL: (icmp.ECHO_REQUEST, icmp.ECHO_REPLY),
    icmpv6.PROTOCOL: (icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY),
}
_ERRORS = {
    icmp.PROTOCOL: (icmp.UNREACHABLE, 4, icmp.REDIRECT, icmp.TIME_EXCEEDED, icmp.PARAMETER_PROBLEM),
    icmpv6.PROTOCOL: (1, 2, 3, 4),
}
_CHECKSUM_AT = {tcp.PROTOCOL: 16, udp.PROTOCOL: 6, icmp.PROTOCOL: 2, icmpv6.PROTOCOL: 2}
_ICMP_BYTES = 8
_FIRST_LABEL, _ICMP_LABEL = 0xFF00, 0xFFF0
_CLASSES = ((0, 511), (512, 1023), (1024, 65_535))
_RANGES = (*(one for one in RANGES if one not in _CLASSES), *_CLASSES)
_TOLD_APART = [one for one in _RANGES if one in _CLASSES or one[0] > 1024]
"""Of a small range in a small class one cannot tell which of the two a port is from."""

_PORT = re.compile(r"\b(sport|dport|id)=(\d+)")
_OWN_ID = b"\0\1"


def label_ports(frame: bytes) -> bytes:
    """The frame with labels for ports, and IPv4's identification hidden if it is new."""
    if frame[12:14] not in (_IPV4, _IPV6):
        return frame
    data = bytearray(frame)
    _label_packet(data, HEADER_BYTES)
    _hide_ident(data, HEADER_BYTES)
    return bytes(data)


def is_redirect6(frame: bytes) -> bool:
    """Whether a frame tells of a better way."""
    return frame[12:14] == _IPV6 and (frame[20], frame[54:55]) == (
        icmpv6.PROTOCOL,
        bytes((icmpv6.REDIRECT,)),
    )


def label_ports_of_line(text: str) -> str:
    """A line of conntrack(8) with labels for ports."""
    return _PORT.sub(lambda found: f"{found[1]}={_label(int(found[2]), found[1] == 'id')}", text)


def _label(port: int, is_icmp: bool) -> int:
    if port in (_KNOWN_IDS if is_icmp else _KNOWN_PORTS):
        return port
    if is_icmp:
        return _ICMP_LABEL
    found = next(one for one in _TOLD_APART if one[0] <= port <= one[1])
    return _FIRST_LABEL + _RANGES.index(found)


def _label_packet(data: bytearray, at: int) -> None:
    """Give the packet at ``at`` its labels, and those of one that it quotes."""
    found = _upper(data, at)
    if found is None:
        return
    protocol, start = found
    checked = start + _CHECKSUM_AT[protocol]
    if protocol in _ERRORS:
        _label_message(data, start, protocol, checked)
    else:
        _replace(data, (start, start + 2), checked, is_icmp=False)


def _label_message(data: bytearray, start: int, protocol: int, checked: int) -> None:
    kind = data[start]
    if kind in _ECHOES[protocol]:
        _replace(data, (start + 4,), checked, is_icmp=True)
    elif kind in _ERRORS[protocol]:
        before = bytes(data[start:])
        _label_packet(data, start + _ICMP_BYTES)
        if len(data) >= start + _ICMP_BYTES + ipv4.HEADER_BYTES:
            _hide_ident(data, start + _ICMP_BYTES)
        _hide_unseen(data, start + _ICMP_BYTES)
        if bytes(data[start:]) != before:
            _amend(data, checked, before, bytes(data[start:]))


def _hide_unseen(data: bytearray, at: int) -> None:
    """Hide the checksum of a quoted error that covers choices of which nothing is quoted."""
    found = _upper(data, at)
    if found is None or found[0] not in _ERRORS or data[found[1]] not in _ERRORS[found[0]]:
        return
    protocol, start = found
    if _upper(data, start + _ICMP_BYTES) is None:
        checked = start + _CHECKSUM_AT[protocol]
        data[checked : checked + 2] = b"\0\0"


def _replace(data: bytearray, places: tuple[int, ...], checked: int, *, is_icmp: bool) -> None:
    for at in places:
        before = bytes(data[at : at + 2])
        after = _label(int.from_bytes(before, "big"), is_icmp).to_bytes(2, "big")
        if after != before:
            data[at : at + 2] = after
            if any(data[checked : checked + 2]):
                _amend(data, checked, before, after)


def _hide_ident(data: bytearray, at: int) -> None:
    """Hide the identification of a packet that no station gave, and its flow label."""
    if data[at] >> 4 == 6:
        label = any(data[at + 2 : at + 4]) or data[at + 1] & 0x0F
        data[at + 1 : at + 4] = bytes((data[at + 1] & 0xF0, 0, int(label != 0)))
        if data[at + 6] == ipv6.FRAGMENT and len(data) >= at + 48:
            data[at + 44 : at + 48] = bytes(4)
        return
    ident = slice(at + 4, at + 6)
    if bytes(data[ident]) in _IDENTS:
        return
    header = bytes(data[at : at + (data[at] & 0x0F) * 4])
    data[ident] = _OWN_ID
    if checksum(header) == 0:
        data[at + 10 : at + 12] = b"\0\0"


def _upper(data: bytearray, at: int) -> tuple[int, int] | None:
    """The protocol and the place of a transport header that is there; None if there is none."""
    if len(data) < at + 20:
        return None
    if data[at] >> 4 == 4:
        if int.from_bytes(data[at + 6 : at + 8], "big") & ipv4.OFFSET_MASK:
            return None
        protocol, start = data[at + 9], at + (data[at] & 0x0F) * 4
    elif len(data) >= at + 48 and data[at + 6] == ipv6.FRAGMENT:
        if int.from_bytes(data[at + 42 : at + 44], "big") & 0xFFF8:
            return None
        protocol, start = data[at + 40], at + 48
    else:
        protocol, start = data[at + 6], at + 40
    return (protocol, start) if protocol in _CHECKSUM_AT and len(data) >= start + 8 else None


def _words(data: bytes) -> Iterator[int]:
    padded = data + bytes(len(data) % 2)
    return (int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))


def _amend(data: bytearray, at: int, before: bytes, after: bytes) -> None:
    """Change the checksum at ``at`` as if ``after`` had been there instead of ``before``.

    There are two ways of writing zero; only one is left.
    """
    if at + 2 > len(data):
        return
    total = 0xFFFF & ~int.from_bytes(data[at : at + 2], "big")
    total += sum(0xFFFF & ~word for word in _words(before)) + sum(_words(after))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[at : at + 2] = ((0xFFFF & ~total) or 0xFFFF).to_bytes(2, "big")

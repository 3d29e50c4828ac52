"""Writing translated addresses and ports into packets (RFC 3022, RFC 5508 for ICMP errors).

Checksums are mended, not computed anew, so that damage done earlier stays visible; only that of
an ICMP error is new, because what it quotes was changed.
"""

from __future__ import annotations

from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.extract import ICMPV6, TCP, UDP
from vnet.tables.conntrack.headers import Headers, skip_extensions
from vnet.tables.conntrack.key import parts_of, reverse
from vnet.wire.checksum import checksum, pseudo_header_sum

_CHECKSUM_AT = {TCP: 16, UDP: 6, ICMPV6: 2}
_SUMMED_V4_BYTES = {TCP: 20, UDP: 8}
_SUMMED_V6_BYTES = {TCP: 20, UDP: 8, ICMPV6: 4}
"""Protocols whose checksums cover the addresses, and how long their headers must be at least."""

_ICMP_BYTES = 8
_ADDRESS_AT = {
    (NatKind.SOURCE, False): 12,
    (NatKind.DESTINATION, False): 16,
    (NatKind.SOURCE, True): 8,
    (NatKind.DESTINATION, True): 24,
}

OTHER_END = {NatKind.SOURCE: NatKind.DESTINATION, NatKind.DESTINATION: NatKind.SOURCE}


def translate(headers: Headers, key: bytes, kind: NatKind) -> bytes:
    """The frame with its address and ports changed.

    ``key`` is what packets of the opposite direction have after translation. ``kind`` says
    which end of this packet changes.
    """
    frame = bytearray(headers.data)
    quoted = _quoted_place(headers) if headers.is_related else None
    _set_address(frame, headers, key, kind)
    if not headers.is_related:
        _set_ports(frame, headers.l4, key)
    elif quoted is not None:
        back = reverse(key)
        _set_ports(frame, quoted.l4, back)
        _set_address(frame, quoted, back, OTHER_END[kind])
        _renew_icmp_checksum(frame, headers)
    return bytes(frame)


def _quoted_place(headers: Headers) -> Headers | None:
    """The layout of the packet that an ICMP error quotes."""
    data, at, end = headers.data, headers.l4 + _ICMP_BYTES, headers.end
    if not headers.is_v6:
        l4 = at + (data[at] & 0x0F) * 4
        return Headers(data, at, l4, end, data[at + 9], False)
    chain = skip_extensions(data, data[at + 6], at + 40, end)
    return chain and Headers(data, at, chain.at, end, chain.protocol, True)


def _set_address(frame: bytearray, headers: Headers, key: bytes, kind: NatKind) -> None:
    parts = parts_of(key)
    new = parts.target if kind is NatKind.SOURCE else parts.source
    at = headers.l3 + _ADDRESS_AT[kind, headers.is_v6]
    old = bytes(frame[at : at + len(new)])
    # IPv6 goes by the connection's protocol. In an ICMPv6 error that is the quoted packet's,
    # and so a word of the quoted packet is taken for a checksum, as Open vSwitch does.
    protocol = parts.protocol if headers.is_v6 else frame[headers.l3 + 9]
    needed = _SUMMED_V6_BYTES.get(protocol) if headers.is_v6 else _SUMMED_V4_BYTES.get(protocol)
    if needed is not None and headers.end - headers.l4 >= needed:
        mend_checksum(frame, headers.l4 + _CHECKSUM_AT[protocol], old, new, protocol == UDP)
    if not headers.is_v6:
        mend_checksum(frame, headers.l3 + 10, old, new)
    frame[at : at + len(new)] = new


def _set_ports(frame: bytearray, l4: int, key: bytes) -> None:
    parts = parts_of(key)
    if parts.protocol not in (TCP, UDP):
        return
    check_at = l4 + _CHECKSUM_AT[parts.protocol]
    for at, port in ((l4, parts.target_part), (l4 + 2, parts.source_part)):
        old, new = bytes(frame[at : at + 2]), port.to_bytes(2, "big")
        if old != new:
            # An error may quote no more than the ports.
            if check_at + 2 <= len(frame):
                mend_checksum(frame, check_at, old, new, parts.protocol == UDP)
            frame[at : at + 2] = new


def mend_checksum(frame: bytearray, at: int, old: bytes, new: bytes, is_udp: bool = False) -> None:
    """Update a checksum for words that went from ``old`` to ``new`` (RFC 1624, equation 3).

    UDP's 0 means that there is none, and stays; one that comes out as 0 is written 0xFFFF.
    """
    check = frame[at] << 8 | frame[at + 1]
    if is_udp and check == 0:
        return
    all_ones = (1 << len(old) * 8) - 1
    total = (check ^ 0xFFFF) + (int.from_bytes(old, "big") ^ all_ones) + int.from_bytes(new, "big")
    check = 0xFFFF if total == 0 else 0xFFFF - ((total - 1) % 0xFFFF + 1)
    if is_udp and check == 0:
        check = 0xFFFF
    frame[at] = check >> 8
    frame[at + 1] = check & 0xFF


def _renew_icmp_checksum(frame: bytearray, headers: Headers) -> None:
    at, l3 = headers.l4 + 2, headers.l3
    frame[at : at + 2] = b"\0\0"
    message = bytes(frame[headers.l4 : headers.end])
    start = 0
    if headers.is_v6:
        source, target = bytes(frame[l3 + 8 : l3 + 24]), bytes(frame[l3 + 24 : l3 + 40])
        start = pseudo_header_sum(source, target, ICMPV6, len(message))
    frame[at : at + 2] = checksum(message, start).to_bytes(2, "big")

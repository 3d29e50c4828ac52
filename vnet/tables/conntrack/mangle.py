"""Writing translated addresses and ports into packets (RFC 3022, RFC 5508 for ICMP errors).

Checksums are mended, not computed anew, so that damage done earlier stays visible; only that of
an ICMP error is new, because what it quotes was changed.
"""

from __future__ import annotations

from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.extract import ICMPV6, TCP, UDP
from vnet.tables.conntrack.headers import Headers, skip_extensions
from vnet.tables.conntrack.key import parts_of, reverse
from vnet.wire.checksum import checksum, checksum_rewritten, pseudo_header_sum

_CHECKSUM_AT = {TCP: 16, UDP: 6, ICMPV6: 2}
_SUMMED_V4_BYTES = {TCP: 20, UDP: 8}
_SUMMED_V6_BYTES = {TCP: 20, UDP: 8, ICMPV6: 4}
"""Protocols whose checksums cover the addresses, and how long their headers must be at least."""

_WITH_PORTS = frozenset((TCP, UDP))
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
    if not headers.is_related:
        _rewrite(frame, headers, key, kind, with_ports=True)
        return bytes(frame)
    quoted = _quoted_place(headers)
    _rewrite(frame, headers, key, kind, with_ports=False)
    if quoted is not None:
        _rewrite(frame, quoted, reverse(key), OTHER_END[kind], with_ports=True)
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


def _rewrite(
    frame: bytearray, headers: Headers, key: bytes, kind: NatKind, *, with_ports: bool
) -> None:
    """Write one end's address, and both ports, of the packet that ``headers`` lays out."""
    parts = parts_of(key)
    l3, l4 = headers.l3, headers.l4
    # IPv6 goes by the connection's protocol. In an ICMPv6 error that is the quoted packet's,
    # and so a word of the quoted packet is taken for a checksum, as Open vSwitch does.
    protocol = parts.protocol if headers.is_v6 else frame[l3 + 9]
    new = parts.target if kind is NatKind.SOURCE else parts.source
    at = l3 + _ADDRESS_AT[kind, headers.is_v6]
    old = bytes(frame[at : at + len(new)])
    frame[at : at + len(new)] = new
    if not headers.is_v6:
        mend_checksum(frame, l3 + 10, old, new)
    needed = _SUMMED_V6_BYTES.get(protocol) if headers.is_v6 else _SUMMED_V4_BYTES.get(protocol)
    if needed is None or headers.end - l4 < needed:
        old = new = b""
    if with_ports and parts.protocol in _WITH_PORTS:
        # The other direction's target is what this packet comes from.
        for port_at, port in ((l4, parts.target_part), (l4 + 2, parts.source_part)):
            old_port, new_port = bytes(frame[port_at : port_at + 2]), port.to_bytes(2, "big")
            if old_port != new_port:
                frame[port_at : port_at + 2] = new_port
                old += old_port
                new += new_port
    if old:
        check_at = l4 + _CHECKSUM_AT[protocol]
        # An error may quote no more than the ports.
        if check_at + 2 <= len(frame):
            mend_checksum(frame, check_at, old, new, protocol == UDP)


def mend_checksum(frame: bytearray, at: int, old: bytes, new: bytes, is_udp: bool = False) -> None:
    """Update the checksum at ``at`` for words that went from ``old`` to ``new``.

    UDP's 0 means that there is none, and stays; one that comes out as 0 is written 0xFFFF.
    """
    check = frame[at] << 8 | frame[at + 1]
    if is_udp and check == 0:
        return
    check = checksum_rewritten(check, old, new)
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

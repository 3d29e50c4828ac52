"""Writing translated addresses, ports and identifiers into packets (nf_nat_proto.c).

Checksums are mended, not computed anew, so that damage done before stays visible. Where a packet
is cut off before what must be written, nothing can be done: None is returned.
"""

from __future__ import annotations

from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.extract import ICMP, ICMPV6, TCP, UDP
from vnet.tables.conntrack.key import KeyParts, parts_of, reverse
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.checks import message_is_whole
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.errors import quoted_segment
from vnet.tables.conntrack.linux.segment import (
    ADDRESS_MASK_REPLY,
    DCCP,
    ERRORS_V4,
    SCTP,
    UDPLITE,
    Segment,
    segment_of,
)
from vnet.tables.conntrack.mangle import OTHER_END, mend_checksum
from vnet.wire import icmp, icmpv6
from vnet.wire.checksum import checksum, transport_checksum
from vnet.wire.crc32c import crc32c

_CHECK_AT = {TCP: 16, UDP: 6, UDPLITE: 6, DCCP: 6, ICMPV6: 2}
_NEEDED_BYTES = {TCP: 8, UDP: 8, UDPLITE: 8, DCCP: 8, SCTP: 8, ICMP: 8, ICMPV6: 8}
"""How much of the header must be there; RFC 792 has errors quote as much."""

_TCP_BYTES, _DCCP_BYTES, _SCTP_BYTES = 20, 12, 12
_IDENTIFIED_V4 = frozenset((0, 8, *range(13, ADDRESS_MASK_REPLY + 1)))
_IDENTIFIED_V6 = frozenset((icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY))
_ADDRESS_AT = {
    (NatKind.SOURCE, 4): 12,
    (NatKind.DESTINATION, 4): 16,
    (NatKind.SOURCE, 6): 8,
    (NatKind.DESTINATION, 6): 24,
}
_ERROR_BYTES = 8


def changes(entry: Entry, kind: NatKind, is_reply: bool) -> bool:
    """Whether this end of packets that go this way is translated."""
    bit = status.SRC_NAT if kind is NatKind.SOURCE else status.DST_NAT
    if is_reply:
        bit ^= status.NAT
    return bool(entry.status & bit)


def translated_key(entry: Entry, is_reply: bool) -> bytes:
    """What packets that go one way look like behind the translation."""
    return reverse(entry.key if is_reply else entry.reply_key)


def translate(
    data: bytes, family: int, entry: Entry, kind: NatKind, is_reply: bool
) -> bytes | None:
    """A packet of ``entry`` with one end translated."""
    if not changes(entry, kind, is_reply):
        return data
    segment = segment_of(data, family)
    assert segment is not None
    return rewrite(segment, parts_of(translated_key(entry, is_reply)), kind)


def rewrite(segment: Segment, parts: KeyParts, kind: NatKind) -> bytes | None:
    """The packet with the address and port of one end taken from ``parts``."""
    data, family, protocol, at = segment
    if len(data) - at < _NEEDED_BYTES.get(protocol, 0):
        return None
    packet = bytearray(data)
    new = parts.source if kind is NatKind.SOURCE else parts.target
    address_at = _ADDRESS_AT[kind, family]
    old = data[address_at : address_at + len(new)]
    packet[address_at : address_at + len(new)] = new
    if family == 4:
        mend_checksum(packet, 10, old, new)
    _rewrite_transport(packet, segment, parts, kind, old, new)
    return bytes(packet)


def _rewrite_transport(
    packet: bytearray,
    segment: Segment,
    parts: KeyParts,
    kind: NatKind,
    old: bytes,
    new: bytes,
) -> None:
    data, family, protocol, at = segment
    if protocol == ICMP and family == 4:
        if data[at] in _IDENTIFIED_V4:
            _write_ident(packet, at, parts.ident)
        return
    if protocol == ICMPV6:
        mend_checksum(packet, at + 2, old, new)
        if data[at] in _IDENTIFIED_V6:
            _write_ident(packet, at, parts.ident)
        return
    if protocol not in _CHECK_AT and protocol != SCTP:
        return
    port_at, port = (
        (at, parts.source_part) if kind is NatKind.SOURCE else (at + 2, parts.target_part)
    )
    old_port, new_port = data[port_at : port_at + 2], port.to_bytes(2, "big")
    packet[port_at : port_at + 2] = new_port
    size = len(data) - at
    if protocol == SCTP:
        if size >= _SCTP_BYTES:
            packet[at + 8 : at + 12] = bytes(4)
            packet[at + 8 : at + 12] = crc32c(bytes(packet[at:])).to_bytes(4, "little")
        return
    # What an error quotes may end before the checksum.
    if (protocol == TCP and size < _TCP_BYTES) or (protocol == DCCP and size < _DCCP_BYTES):
        return
    mend_checksum(packet, at + _CHECK_AT[protocol], old + old_port, new + new_port, protocol == UDP)


def _write_ident(packet: bytearray, at: int, ident: int) -> None:
    old, new = bytes(packet[at + 4 : at + 6]), ident.to_bytes(2, "big")
    packet[at + 4 : at + 6] = new
    mend_checksum(packet, at + 2, old, new)


def translate_error(
    data: bytes, family: int, entry: Entry, kind: NatKind, is_reply: bool
) -> bytes | None:
    """An ICMP error about a packet of ``entry``, one end translated, and what it quotes as well.

    None where it must not pass: it is damaged, or a redirect of what is translated.
    """
    segment = segment_of(data, family)
    assert segment is not None
    at = segment.at
    if len(data) - at < _ERROR_BYTES or not message_is_whole(segment):
        return None
    redirect = icmp.REDIRECT if family == 4 else icmpv6.REDIRECT
    if data[at] == redirect and (
        entry.status & status.NAT_DONE != status.NAT_DONE or entry.status & status.NAT
    ):
        return None
    if not changes(entry, kind, is_reply):
        return data
    quoted = quoted_segment(data, family, at + _ERROR_BYTES)
    # What is quoted went the other way.
    inner_key = entry.key if is_reply else entry.reply_key
    inner = None if quoted is None else rewrite(quoted, parts_of(inner_key), OTHER_END[kind])
    if inner is None:
        return None
    packet = bytearray(data[: at + _ERROR_BYTES] + inner)
    outer = parts_of(translated_key(entry, is_reply))
    new = outer.source if kind is NatKind.SOURCE else outer.target
    address_at = _ADDRESS_AT[kind, family]
    old = data[address_at : address_at + len(new)]
    packet[address_at : address_at + len(new)] = new
    packet[at + 2 : at + 4] = b"\0\0"
    message = bytes(packet[at:])
    if family == 4:
        mend_checksum(packet, 10, old, new)
        check = checksum(message)
    else:
        check = transport_checksum(bytes(packet[8:24]), bytes(packet[24:40]), ICMPV6, message)
    packet[at + 2 : at + 4] = check.to_bytes(2, "big")
    return bytes(packet)


def is_error(data: bytes, family: int) -> bool:
    """Whether a packet, which is related to a connection, is an ICMP error about one of its own."""
    segment = segment_of(data, family)
    if segment is None or len(data) <= segment.at:
        return False
    if family == 4:
        return segment.protocol == ICMP and data[segment.at] in ERRORS_V4
    return segment.protocol == ICMPV6 and data[segment.at] < icmpv6.ECHO_REQUEST

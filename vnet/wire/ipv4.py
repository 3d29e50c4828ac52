"""IPv4 (RFC 791), with options and fragments.

 0           1     2        4    6               8     9       10         12    16    20
| ver | ihl | tos | length | id | flags, offset | ttl | proto | checksum | src | dst | options ...
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vnet.wire.checksum import checksum, checksum_update

_HEADER = struct.Struct("!BBHHHBBH4s4s")
HEADER_BYTES = _HEADER.size
MIN_MTU = 68

ICMP = 1
IGMP = 2
TCP = 6
UDP = 17

DONT_FRAGMENT = 0x4000
MORE_FRAGMENTS = 0x2000
OFFSET_MASK = 0x1FFF

OPTION_END = 0
OPTION_NOP = 1
ROUTER_ALERT = b"\x94\x04\x00\x00"
"""The option of RFC 2113: every router looks at this packet."""


class Ipv4(NamedTuple):
    """A header as read. Addresses are packed; ``payload`` leaves out any Ethernet padding."""

    tos: int
    total_bytes: int
    ident: int
    flags_offset: int
    ttl: int
    protocol: int
    source: bytes
    target: bytes
    options: bytes
    payload: bytes

    @property
    def is_fragment(self) -> bool:
        return bool(self.flags_offset & (MORE_FRAGMENTS | OFFSET_MASK))

    @property
    def offset_bytes(self) -> int:
        return (self.flags_offset & OFFSET_MASK) * 8

    @property
    def more_fragments(self) -> bool:
        return bool(self.flags_offset & MORE_FRAGMENTS)

    @property
    def dont_fragment(self) -> bool:
        return bool(self.flags_offset & DONT_FRAGMENT)


def parse(packet: bytes, *, verify: bool = True) -> Ipv4 | None:
    """The header of ``packet``; None where ip_rcv() of Linux would call it a header error.

    That is: too short, version not 4, header under 20 bytes, wrong checksum, or a
    total length beyond what arrived or below the header's own. Without ``verify`` the checksum
    may be wrong, and the packet cut: so a packet is once a machine has worked on it.
    """
    if len(packet) < HEADER_BYTES:
        return None
    (ver_ihl, tos, total, ident, flags_offset, ttl, protocol, _sum, source, target) = (
        _HEADER.unpack_from(packet)
    )
    header_bytes = (ver_ihl & 0x0F) * 4
    if ver_ihl >> 4 != 4 or header_bytes < HEADER_BYTES or len(packet) < header_bytes:
        return None
    if total < header_bytes:
        return None
    # The header is whole if its words make a multiple of 0xFFFF, taken as one number.
    if verify and (
        total > len(packet) or int.from_bytes(packet[:header_bytes], "big") % 0xFFFF != 0
    ):
        return None
    return Ipv4(
        tos,
        total,
        ident,
        flags_offset,
        ttl,
        protocol,
        source,
        target,
        packet[HEADER_BYTES:header_bytes],
        packet[header_bytes:total],
    )


def emit(
    source: bytes,
    target: bytes,
    protocol: int,
    payload: bytes,
    *,
    ttl: int = 64,
    tos: int = 0,
    ident: int = 0,
    flags_offset: int = 0,
    options: bytes = b"",
) -> bytes:
    """A whole packet with its checksum. ``options`` are padded to four bytes with zeros."""
    if len(options) & 3:
        options += bytes(-len(options) % 4)
    header_bytes = HEADER_BYTES + len(options)
    total = header_bytes + len(payload)
    version = 0x40 | header_bytes // 4
    # The sum of the header's words, added up as numbers rather than read back from its bytes.
    words = (version << 8 | tos) + total + ident + flags_offset + (ttl << 8 | protocol)
    words += int.from_bytes(source + target + options, "big")
    check = 0xFFFE - (words - 1) % 0xFFFF
    header = _HEADER.pack(
        version, tos, total, ident, flags_offset, ttl, protocol, check, source, target
    )
    return header + options + payload


def with_total_bytes(header: bytes, total_bytes: int) -> bytes:
    """A header with another total length, and the checksum that goes with it."""
    old = header[2] << 8 | header[3]
    check = checksum_update(header[10] << 8 | header[11], old, total_bytes)
    length = total_bytes.to_bytes(2, "big")
    return header[:2] + length + header[4:10] + check.to_bytes(2, "big") + header[12:]


def with_options(packet: bytes, options: bytes) -> bytes:
    """The packet with other options of the same length, and the checksum that goes with them."""
    header = packet[:10] + b"\0\0" + packet[12:HEADER_BYTES] + options
    check = checksum(header).to_bytes(2, "big")
    return header[:10] + check + header[12:] + packet[HEADER_BYTES + len(options) :]


def decrement_ttl(packet: bytes) -> bytes:
    """The packet one hop on: TTL less one, checksum updated as RFC 1624 says."""
    word = packet[8] << 8 | packet[9]
    old = packet[10] << 8 | packet[11]
    new = checksum_update(old, word, word - 0x0100)
    return packet[:8] + (((word - 0x0100) << 16) | new).to_bytes(4, "big") + packet[12:]


def fragment(packet: bytes, mtu_bytes: int, flags: int = 0) -> Iterator[bytes]:
    """Cut a packet so that each piece fits ``mtu_bytes`` (RFC 791 section 3.2).

    The caller has checked DF. ``flags`` are those that each piece has besides. In later pieces
    no-operations stand for the options that do not say they are to be copied, as Linux does it:
    all headers have one length. A piece of an already fragmented packet keeps its place.
    """
    header_bytes = (packet[0] & 0x0F) * 4
    left = (packet[2] << 8 | packet[3]) - header_bytes
    most, room = mtu_bytes - header_bytes, (mtu_bytes - header_bytes) // 8 * 8
    sizes = []
    while left > 0:
        sizes.append(left if left <= most else room)
        left -= sizes[-1]
    return fragment_at(packet, sizes, flags)


def fragment_at(packet: bytes, sizes: Iterable[int], flags: int = 0) -> Iterator[bytes]:
    """Cut a packet so that the pieces' payloads have these sizes, all but the last in eights."""
    header_bytes = (packet[0] & 0x0F) * 4
    header = packet[:header_bytes]
    payload = packet[header_bytes : packet[2] << 8 | packet[3]]
    flags_offset = packet[6] << 8 | packet[7]
    last_flag = flags_offset & MORE_FRAGMENTS
    start = flags_offset & OFFSET_MASK
    copied = header[:HEADER_BYTES] + _copied_options(header[HEADER_BYTES:])
    done = 0
    for size in sizes:
        head = header if done == 0 else copied
        flag = flags | (last_flag if done + size >= len(payload) else MORE_FRAGMENTS)
        yield _refit(head, flag | (start + done // 8), payload[done : done + size])
        done += size


def _refit(header: bytes, flags_offset: int, payload: bytes) -> bytes:
    header = (
        bytes((0x40 | len(header) // 4,))
        + header[1:2]
        + (len(header) + len(payload)).to_bytes(2, "big")
        + header[4:6]
        + flags_offset.to_bytes(2, "big")
        + header[8:10]
        + b"\0\0"
        + header[12:]
    )
    return header[:10] + checksum(header).to_bytes(2, "big") + header[12:] + payload


def _copied_options(options: bytes) -> bytes:
    """No-operations for all options but those with the copied flag (bit 7 of the type).

    What stands behind the end of the list, or behind a malformed option, stays as it is.
    """
    kept = bytearray(options)
    at = 0
    while at < len(options) and options[at] != OPTION_END:
        if options[at] == OPTION_NOP:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            break
        if not options[at] & 0x80:
            kept[at : at + size] = bytes((OPTION_NOP,)) * size
        at += size
    return bytes(kept)

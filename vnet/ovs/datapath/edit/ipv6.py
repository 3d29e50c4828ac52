"""Writing the IPv6 header (packet_set_ipv6 of lib/packets.c)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from vnet.ovs.datapath.edit.checksums import change_of, put, update_ipv6_payload
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.flow import Flow

_SRC = Flow.ipv6_src
_DST = Flow.ipv6_dst
_LABEL = Flow.ipv6_label
_CLASS = Flow.nw_tos
_HOP_LIMIT = Flow.nw_ttl

_HEADER_BYTES = 40
_HEADER = Struct("!IHBB")
"""Version, class and label; payload length; next header; hop limit."""
_SRC_AT = 8
_DST_AT = 24
_CLASS_SHIFT = 20
_LABEL_BITS = 0x000FFFFF
_VERSION_BITS = 0xF0000000

_OPTIONS = frozenset((0, 60))
_ROUTING = 43
_FRAGMENT = 44
_AUTHENTICATION = 51
_EXTENSION_BYTES = 8


class _Chain(NamedTuple):
    """What the extension headers say about the transport's checksum."""

    protocol: int
    has_route: bool
    is_covered: bool


def _walk(data: bytes, l3: int, l4: int) -> _Chain:
    """Walk the extension headers, as packet_rh_present does.

    A routing header with segments left ends the walk: the checksum is over the last
    destination, and not the one in the header. Behind a fragment header nothing is covered,
    but for the first fragment of several.
    """
    protocol = data[l3 + 6]
    is_covered = True
    at = l3 + _HEADER_BYTES
    while protocol in _OPTIONS or protocol in (_ROUTING, _FRAGMENT, _AUTHENTICATION):
        if l4 - at < _EXTENSION_BYTES:
            break
        kind, protocol, length = protocol, data[at], data[at + 1]
        if kind == _FRAGMENT:
            # Offset 0 and more to come; the bits between are reserved.
            is_covered = not data[at + 2] and data[at + 3] & 0xF9 == 0x01
            at += _EXTENSION_BYTES
        elif kind == _AUTHENTICATION:
            at += (length + 2) * 4
        elif kind == _ROUTING and data[at + 3]:
            return _Chain(_ROUTING, True, is_covered)
        else:
            at += (length + 1) * 8
        if at > l4:
            break
    return _Chain(protocol, False, is_covered)


def edit_ipv6(value: int, mask: int, layout: Layout) -> Edit | None:
    """Addresses that differ go into the transport's checksum; the rest is in none."""
    if layout.l3 is None:
        return None
    l3, l4 = layout.l3, layout.l4
    src, kept_src = _SRC.of(value & mask), ~_SRC.of(mask)
    dst, kept_dst = _DST.of(value & mask), ~_DST.of(mask)
    hop_limit, kept_hop_limit = _HOP_LIMIT.of(value & mask), ~_HOP_LIMIT.of(mask)
    written = _CLASS.of(mask) << _CLASS_SHIFT | _LABEL.of(mask) & _LABEL_BITS
    word = (_CLASS.of(value) << _CLASS_SHIFT | _LABEL.of(value)) & written
    writes_addresses = bool(_SRC.of(mask) | _DST.of(mask))

    def write(data: bytes, padding: int) -> bytes:
        if len(data) < l3 + _HEADER_BYTES:
            return data
        old_word, payload, protocol, old_hop_limit = _HEADER.unpack_from(data, l3)
        if writes_addresses:
            data = write_addresses(data, padding)
        new_word = old_word & ~written | word
        new_hop_limit = old_hop_limit & kept_hop_limit | hop_limit
        return put(data, l3, _HEADER.pack(new_word, payload, protocol, new_hop_limit))

    def write_addresses(data: bytes, padding: int) -> bytes:
        old_src = int.from_bytes(data[l3 + _SRC_AT : l3 + _DST_AT], "big")
        old_dst = int.from_bytes(data[l3 + _DST_AT : l3 + _HEADER_BYTES], "big")
        new_src = old_src & kept_src | src
        new_dst = old_dst & kept_dst | dst
        if l4 is not None:
            chain = _walk(data, l3, l4)
            change = 0
            if new_src != old_src and chain.is_covered:
                change += change_of(old_src, new_src, 128)
            if new_dst != old_dst and chain.is_covered and not chain.has_route:
                change += change_of(old_dst, new_dst, 128)
            if change:
                size = len(data) - l4 - padding
                data = update_ipv6_payload(data, chain.protocol, l4, size, change)
        addresses = (new_src << 128 | new_dst).to_bytes(32, "big")
        return put(data, l3 + _SRC_AT, addresses)

    return write

"""Writing the IPv4 header (packet_set_ipv4 of lib/packets.c)."""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812 (it is a class)

from vnet.ovs.datapath.edit.checksums import change_of, put, update_ipv4_payload, updated
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.flow import Flow

_SRC = Flow.nw_src
_DST = Flow.nw_dst
_TOS = Flow.nw_tos
_TTL = Flow.nw_ttl

_HEADER_BYTES = 20
TTL_AT = 8
_TTL_WORD = Struct("!HH")
"""TTL and protocol in one word; the checksum behind it."""

_HEADER = Struct("!BB6xHHII")
"""Version, ToS; TTL and protocol; checksum; both addresses."""
_TAIL = Struct("!HHII")


def ttl_of(value: int, mask: int) -> int | None:
    """The TTL, if nothing else is written, and that wholly."""
    others = _SRC.of(mask) | _DST.of(mask) | _TOS.of(mask)
    return _TTL.of(value) if _TTL.of(mask) == _TTL.ones and not others else None


def edit_ipv4(value: int, mask: int, layout: Layout) -> Edit | None:
    """Only what differs is written, and only that goes into the checksums."""
    if layout.l3 is None:
        return None
    ttl = ttl_of(value, mask)
    if ttl is not None:
        return _write_ttl(ttl, layout.l3)
    return _write_header(value, mask, layout.l3, layout.l4)


def _write_ttl(ttl: int, l3: int) -> Edit:
    """The edit of every routed frame, by itself because it is."""
    at = l3 + TTL_AT
    unpack, pack = _TTL_WORD.unpack_from, _TTL_WORD.pack
    new = ttl << 8
    front, rest = slice(at), slice(at + _TTL_WORD.size, None)

    def write_ttl(data: bytes, _padding: int) -> bytes:
        try:
            word, checksum = unpack(data, at)
        except StructError:
            return data
        fall = (word & 0xFF00) - new
        if not fall:
            return data
        # What updated() does: a TTL that falls by so much raises the checksum by as much.
        return data[front] + pack(word - fall, (checksum + fall) % 0xFFFF) + data[rest]

    return write_ttl


def _write_header(value: int, mask: int, l3: int, l4: int | None) -> Edit:
    src, kept_src = _SRC.of(value & mask), ~_SRC.of(mask)
    dst, kept_dst = _DST.of(value & mask), ~_DST.of(mask)
    tos, kept_tos = _TOS.of(value & mask), ~_TOS.of(mask)
    ttl, kept_ttl = _TTL.of(value & mask), ~_TTL.of(mask)

    def write_header(data: bytes, padding: int) -> bytes:
        if len(data) < l3 + _HEADER_BYTES:
            return data
        _version, old_tos, old_ttl_word, checksum, old_src, old_dst = _HEADER.unpack_from(data, l3)
        protocol = old_ttl_word & 0xFF
        new_src = old_src & kept_src | src
        new_dst = old_dst & kept_dst | dst
        new_tos = old_tos & kept_tos | tos
        new_ttl_word = (old_ttl_word >> 8 & kept_ttl | ttl) << 8 | protocol
        addresses = 0
        if new_src != old_src:
            addresses += change_of(old_src, new_src, 32)
        if new_dst != old_dst:
            addresses += change_of(old_dst, new_dst, 32)
        if addresses and l4 is not None:
            l4_bytes = len(data) - l4 - padding
            data = update_ipv4_payload(data, protocol, l4, l4_bytes, addresses)
        change = addresses
        if new_tos != old_tos:
            change += change_of(old_tos, new_tos, 16)
        if new_ttl_word != old_ttl_word:
            change += change_of(old_ttl_word - protocol, new_ttl_word - protocol, 16)
        data = put(data, l3 + 1, bytes((new_tos,)))
        tail = _TAIL.pack(new_ttl_word, updated(checksum, change), new_src, new_dst)
        return put(data, l3 + TTL_AT, tail)

    return write_header

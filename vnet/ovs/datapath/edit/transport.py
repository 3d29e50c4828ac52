"""Writing ports, and ICMP's type and code."""

from __future__ import annotations

from vnet.ovs.datapath.edit.checksums import (
    TCP_HEADER_BYTES,
    UDP_HEADER_BYTES,
    change_of,
    put,
    update_icmp,
    update_tcp,
    update_udp,
)
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.flow import Flow
from vnet.wire.crc32c import crc32c_change

_SRC = Flow.tp_src
_DST = Flow.tp_dst
_PORTS_BYTES = 4
_TCP_OFFSET_AT = 12

_SCTP_HEADER_BYTES = 12
_SCTP_CHECKSUM_AT = 8

_ICMP_HEADER_BYTES = 8


def _ports(value: int, mask: int) -> tuple[int, int]:
    """Both ports side by side, and the bits of them that stay."""
    written = _SRC.of(mask) << 16 | _DST.of(mask)
    return (_SRC.of(value) << 16 | _DST.of(value)) & written, 0xFFFFFFFF ^ written


def _change_of_ports(old: int, new: int) -> int:
    """Each port counts if it differs."""
    change = 0
    for shift in (16, 0):
        before, after = old >> shift & 0xFFFF, new >> shift & 0xFFFF
        if before != after:
            change += change_of(before, after, 16)
    return change


def edit_tcp(value: int, mask: int, layout: Layout) -> Edit | None:
    """TCP's ports, where the header is whole."""
    if layout.l4 is None:
        return None
    l4 = layout.l4
    ports, kept = _ports(value, mask)

    def write(data: bytes, padding: int) -> bytes:
        size = len(data) - l4 - padding
        if size < TCP_HEADER_BYTES:
            return data
        if not TCP_HEADER_BYTES <= data[l4 + _TCP_OFFSET_AT] >> 4 << 2 <= size:
            return data
        old = int.from_bytes(data[l4 : l4 + _PORTS_BYTES], "big")
        new = old & kept | ports
        data = update_tcp(data, l4, _change_of_ports(old, new))
        return put(data, l4, new.to_bytes(_PORTS_BYTES, "big"))

    return write


def edit_udp(value: int, mask: int, layout: Layout) -> Edit | None:
    """UDP's ports."""
    if layout.l4 is None:
        return None
    l4 = layout.l4
    ports, kept = _ports(value, mask)

    def write(data: bytes, padding: int) -> bytes:
        if len(data) - l4 - padding < UDP_HEADER_BYTES:
            return data
        old = int.from_bytes(data[l4 : l4 + _PORTS_BYTES], "big")
        new = old & kept | ports
        data = update_udp(data, l4, _change_of_ports(old, new))
        return put(data, l4, new.to_bytes(_PORTS_BYTES, "big"))

    return write


def edit_sctp(value: int, mask: int, layout: Layout) -> Edit | None:
    """SCTP's ports. A checksum that was wrong stays wrong by the same bits."""
    if layout.l4 is None:
        return None
    l4 = layout.l4
    ports, kept = _ports(value, mask)

    def write(data: bytes, padding: int) -> bytes:
        size = len(data) - l4 - padding
        if size < _SCTP_HEADER_BYTES:
            return data
        old = int.from_bytes(data[l4 : l4 + _PORTS_BYTES], "big")
        new = old & kept | ports
        flipped = (old ^ new).to_bytes(_PORTS_BYTES, "big")
        at = l4 + _SCTP_CHECKSUM_AT
        checksum = int.from_bytes(data[at : at + 4], "little")
        checksum ^= crc32c_change(flipped, size - _PORTS_BYTES)
        data = put(data, at, checksum.to_bytes(4, "little"))
        return put(data, l4, new.to_bytes(_PORTS_BYTES, "big"))

    return write


def edit_icmp(value: int, mask: int, layout: Layout) -> Edit | None:
    """Type and code of ICMP and of ICMPv6."""
    if layout.l4 is None:
        return None
    l4 = layout.l4
    written = (_SRC.of(mask) & 0xFF) << 8 | _DST.of(mask) & 0xFF
    wanted = ((_SRC.of(value) & 0xFF) << 8 | _DST.of(value) & 0xFF) & written

    def write(data: bytes, padding: int) -> bytes:
        if len(data) - l4 - padding < _ICMP_HEADER_BYTES:
            return data
        old = data[l4] << 8 | data[l4 + 1]
        new = old & ~written | wanted
        if new == old:
            return data
        data = update_icmp(data, l4, change_of(old, new, 16))
        return put(data, l4, new.to_bytes(2, "big"))

    return write

"""Writing Ethernet addresses."""

from __future__ import annotations

from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.flow import Flow

_SRC = Flow.dl_src
_DST = Flow.dl_dst
_ADDRESSES_BYTES = 12


def edit_ethernet(value: int, mask: int, layout: Layout) -> Edit | None:
    """Whole addresses are spliced in; else the bits of the mask are written."""
    if not layout.is_ethernet:
        return None
    src, src_mask = _SRC.of(value), _SRC.of(mask)
    dst, dst_mask = _DST.of(value), _DST.of(mask)
    dst_bytes, src_bytes = dst.to_bytes(6, "big"), src.to_bytes(6, "big")
    if dst_mask == _DST.ones and src_mask == _SRC.ones:
        return _write_front(dst_bytes + src_bytes)
    if dst_mask == _DST.ones and not src_mask:
        return _write_front(dst_bytes)
    if src_mask == _SRC.ones and not dst_mask:
        return _write_src(src_bytes)
    addresses = (dst & dst_mask) << 48 | src & src_mask
    return _write_bits(addresses, ~(dst_mask << 48 | src_mask))


def _write_front(front: bytes) -> Edit:
    rest = len(front)

    def write_front(data: bytes, _padding: int) -> bytes:
        return front + data[rest:]

    return write_front


def _write_src(src: bytes) -> Edit:
    def write_src(data: bytes, _padding: int) -> bytes:
        return data[:6] + src + data[12:]

    return write_src


def _write_bits(addresses: int, kept: int) -> Edit:
    def write_bits(data: bytes, _padding: int) -> bytes:
        if len(data) < _ADDRESSES_BYTES:
            return data
        old = int.from_bytes(data[:_ADDRESSES_BYTES], "big")
        return (old & kept | addresses).to_bytes(_ADDRESSES_BYTES, "big") + data[_ADDRESSES_BYTES:]

    return write_bits

"""Writing Ethernet addresses, and the EtherType."""

from __future__ import annotations

from vnet.ovs.datapath.edit.checksums import put
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.flow import Flow

_SRC = Flow.dl_src
_DST = Flow.dl_dst
_ADDRESSES_BYTES = 12


def front_of(value: int, mask: int) -> bytes | None:
    """What a frame begins with once it is written: both addresses, or the destination; None where
    it is anything else that the mask says."""
    addresses = _DST.of(value).to_bytes(6, "big") + _SRC.of(value).to_bytes(6, "big")
    if _DST.of(mask) != _DST.ones:
        return None
    return {_SRC.ones: addresses, 0: addresses[:6]}.get(_SRC.of(mask))


def edit_ethernet(value: int, mask: int, layout: Layout) -> Edit | None:
    """Whole addresses are spliced in; else the bits of the mask are written."""
    if not layout.is_ethernet:
        return None
    front = front_of(value, mask)
    if front is not None:
        return _write_front(front)
    src_mask, dst_mask = _SRC.of(mask), _DST.of(mask)
    if src_mask == _SRC.ones and not dst_mask:
        return _write_src(_SRC.of(value).to_bytes(6, "big"))
    addresses = (_DST.of(value) & dst_mask) << 48 | _SRC.of(value) & src_mask
    return _write_bits(addresses, ~(dst_mask << 48 | src_mask))


def _write_front(front: bytes) -> Edit:
    behind = slice(len(front), None)

    def write_front(data: bytes, _padding: int) -> bytes:
        return front + data[behind]

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


def edit_ethertype(value: int, _mask: int, layout: Layout) -> Edit | None:
    """The type of what is behind the link layer, which stands right before that."""
    payload = layout.l3 if layout.l2_5 is None else layout.l2_5
    if payload is None or not layout.is_ethernet:
        return None
    at, ethertype = payload - 2, Flow.dl_type.of(value).to_bytes(2, "big")

    def write_type(data: bytes, _padding: int) -> bytes:
        return put(data, at, ethertype)

    return write_type

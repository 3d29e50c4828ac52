"""Writing ARP (RFC 826) and IPv6 Neighbor Discovery (RFC 4861) messages."""

from __future__ import annotations

from struct import Struct

from vnet.ovs.datapath.edit.checksums import change_of, put, update_icmp
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.flow import Flow
from vnet.wire.checksum import checksum, pseudo_header_sum

_ARP_BYTES = 28
_ARP_AT = 6
_ARP_ADDRESSES = ((Flow.arp_sha, 6), (Flow.nw_src, 4), (Flow.arp_tha, 6), (Flow.nw_dst, 4))
"""What follows the operation in the message, with widths in bytes."""

_ND_BYTES = 24
_RESERVED_AT = 4
_TARGET_AT = 8
_OPTION_BYTES = 8
_OPTION_LINK_ADDRESS = {1: Flow.arp_sha, 2: Flow.arp_tha}
"""Option types of source and target link-layer addresses, and where a flow keeps the address."""
_RESERVED = Flow.igmp_group_ip4
_OPTION_TYPE = Flow.tcp_flags
_IPV6 = Struct("!4xHBx16s16s")


def _operation(nw_proto: int) -> int:
    """The operation of a flow that has its lower byte only: all ones stand for all ones."""
    return 0xFFFF if nw_proto == Flow.nw_proto.ones else nw_proto


def edit_arp(value: int, mask: int, layout: Layout) -> Edit | None:
    """Operation, hardware and protocol addresses."""
    if layout.l3 is None:
        return None
    at, end = layout.l3 + _ARP_AT, layout.l3 + _ARP_BYTES
    new = _operation(Flow.nw_proto.of(value & mask))
    written = _operation(Flow.nw_proto.of(mask))
    for bits, n_bytes in _ARP_ADDRESSES:
        new = new << n_bytes * 8 | bits.of(value & mask)
        written = written << n_bytes * 8 | bits.of(mask)

    def write(data: bytes, _padding: int) -> bytes:
        if len(data) < end:
            return data
        old = int.from_bytes(data[at:end], "big")
        return data[:at] + (old & ~written | new).to_bytes(end - at, "big") + data[end:]

    return write


def edit_nd(value: int, mask: int, layout: Layout) -> Edit | None:
    """The target, and the link-layer address in the first option that has one."""
    if layout.l4 is None:
        return None
    l4 = layout.l4
    target_at = l4 + _TARGET_AT
    target, kept_target = Flow.nd_target.of(value & mask), ~Flow.nd_target.of(mask)

    def write(data: bytes, padding: int) -> bytes:
        end = len(data) - padding
        if end - l4 < _ND_BYTES:
            return data
        old = int.from_bytes(data[target_at : l4 + _ND_BYTES], "big")
        new = old & kept_target | target
        if new != old:
            data = update_icmp(data, l4, change_of(old, new, 128))
            data = put(data, target_at, new.to_bytes(16, "big"))
        return write_option(data, end)

    def write_option(data: bytes, end: int) -> bytes:
        at = l4 + _ND_BYTES
        while end - at >= _OPTION_BYTES and data[at + 1]:
            bits = _OPTION_LINK_ADDRESS.get(data[at])
            if bits is not None and data[at + 1] == 1:
                old = int.from_bytes(data[at + 2 : at + 8], "big")
                new = old & ~bits.of(mask) | bits.of(value & mask)
                if new == old:
                    return data
                data = update_icmp(data, l4, change_of(old, new, 48))
                return put(data, at + 2, new.to_bytes(6, "big"))
            at += data[at + 1] * _OPTION_BYTES
        return data

    return write


def edit_nd_extensions(value: int, mask: int, layout: Layout) -> Edit | None:
    """The reserved word and the type of the first option, each whole or not at all.

    The checksum is made anew, so that a wrong one becomes right.
    """
    if layout.l3 is None or layout.l4 is None:
        return None
    l3, l4 = layout.l3, layout.l4
    reserved = _RESERVED.of(value).to_bytes(4, "big") if _RESERVED.of(mask) else None
    option = bytes((_OPTION_TYPE.of(value) & 0xFF,)) if _OPTION_TYPE.of(mask) else None

    def write(data: bytes, padding: int) -> bytes:
        end = len(data) - padding
        if end - l4 < _ND_BYTES:
            return data
        if reserved is not None:
            data = put(data, l4 + _RESERVED_AT, reserved)
        if option is not None and len(data) > l4 + _ND_BYTES:
            data = put(data, l4 + _ND_BYTES, option)
        length, next_header, source, target = _IPV6.unpack_from(data, l3)
        pseudo = pseudo_header_sum(source, target, next_header, length)
        message = put(data[l4:end], 2, b"\0\0")
        return put(data, l4 + 2, checksum(message, pseudo).to_bytes(2, "big"))

    return write

"""Writing what an IP packet says of its payload: IPv4's protocol, IPv6's last next header.

The checksum of TCP, UDP or ICMPv6 covers the number, so it follows, where it is whatever the number
is then.
"""

from __future__ import annotations

from vnet.ovs.datapath.edit.checksums import (
    change_of,
    put,
    update_ipv4_payload,
    update_ipv6_payload,
    updated,
)
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.extension_headers import walk
from vnet.ovs.flow.flow import Flow

_IPV4_HEADER_BYTES = 20
_IPV4_OFFSET = 0x1FFF
_IPV4_PROTOCOL_AT = 9
_IPV4_CHECKSUM_AT = 10
_IPV6_HEADER_BYTES = 40


def edit_protocol(value: int, _mask: int, layout: Layout) -> Edit | None:
    """Which IP it is, the header itself says."""
    if layout.l3 is None:
        return None
    l3, l4 = layout.l3, layout.l4
    protocol = Flow.nw_proto.of(value)

    def write(data: bytes, padding: int) -> bytes:
        size = len(data) - l3
        version = data[l3] >> 4 if size else 0
        l4_bytes = 0 if l4 is None else len(data) - l4 - padding
        if version == 4 and size >= _IPV4_HEADER_BYTES:
            return _write_ipv4(data, l3, len(data) - l4_bytes - padding, l4_bytes, protocol)
        if version == 6 and size >= _IPV6_HEADER_BYTES:
            return _write_ipv6(data, l3, len(data) - l4_bytes - padding, l4_bytes, protocol)
        return data

    return write


def _write_ipv4(data: bytes, l3: int, l4: int, l4_bytes: int, protocol: int) -> bytes:
    before = data[l3 + _IPV4_PROTOCOL_AT]
    change = change_of(before, protocol, 16)
    if not int.from_bytes(data[l3 + 6 : l3 + 8], "big") & _IPV4_OFFSET:
        data = update_ipv4_payload(data, before, l4, l4_bytes, change)
    at = l3 + _IPV4_CHECKSUM_AT
    checksum = updated(int.from_bytes(data[at : at + 2], "big"), change)
    return put(data, l3 + _IPV4_PROTOCOL_AT, bytes((protocol,)) + checksum.to_bytes(2, "big"))


def _write_ipv6(data: bytes, l3: int, l4: int, l4_bytes: int, protocol: int) -> bytes:
    chain = walk(data, l3)
    place = chain.places[-1]
    if not chain.is_later_fragment:
        change = change_of(data[place], protocol, 16)
        data = update_ipv6_payload(data, data[place], l4, l4_bytes, change)
    return put(data, place, bytes((protocol,)))

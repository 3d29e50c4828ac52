"""DHCP for IPv4 (RFC 2131) and its options (RFC 2132)."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.field import hexadecimal

_PAD, _END = 0, 255
_CLIENT_ID = 61
_ADDRESSES = (1, 3, 6, 28, 50, 54)
"""Options that hold addresses of IPv4: mask, routers, DNS, broadcast, requested, server."""
_SECONDS = (51, 58, 59)
_SMALL = (53, 57)
_HARDWARE_BYTES = 16
_NAME_BYTES, _FILE_BYTES = 64, 128


def dhcp(cursor: Cursor) -> None:
    """A message from its operation on; from where it cannot be one, bytes are left."""
    cursor.number("dhcp.op", 1)
    cursor.number("dhcp.hardware", 1)
    size_bytes = cursor.number("dhcp.hardware_size", 1)
    cursor.number("dhcp.hops", 1)
    cursor.label("dhcp.xid", 4, "dhcp.xid", None, hexadecimal)
    cursor.loose("dhcp.secs", 2)
    cursor.number("dhcp.flags", 2, hexadecimal)
    for name in ("dhcp.client", "dhcp.your", "dhcp.server", "dhcp.relay"):
        cursor.ip(name, 4)
    if size_bytes == 6:
        cursor.mac("dhcp.mac")
        cursor.raw("dhcp.mac_padding", _HARDWARE_BYTES - 6)
    else:
        cursor.raw("dhcp.hardware_address", _HARDWARE_BYTES)
    cursor.raw("dhcp.server_name", _NAME_BYTES)
    cursor.raw("dhcp.file", _FILE_BYTES)
    cursor.number("dhcp.cookie", 4, hexadecimal)
    while cursor.left_bytes:
        code = cursor.data[cursor.at]
        if code == _END:
            break
        if code == _PAD:
            cursor.number("dhcp.option", 1)
            continue
        if not _has_whole_option(cursor):
            break
        _option(cursor)


def _has_whole_option(cursor: Cursor) -> bool:
    size = cursor.peek(cursor.at + 1, 1)
    return bool(size) and cursor.at + 2 + size[0] <= cursor.end


def _option(cursor: Cursor) -> None:
    """One option; its code is part of its field's name, and so is compared with it."""
    code = cursor.take(1)[0]
    size_bytes = cursor.number(f"dhcp.option.{code}.length", 1)
    name = f"dhcp.option.{code}"
    if code in _ADDRESSES and size_bytes % 4 == 0:
        for _ in range(size_bytes // 4):
            cursor.ip(name, 4)
    elif code in _SECONDS and size_bytes == 4:
        cursor.number(name, 4)
    elif code in _SMALL and size_bytes <= 2:
        cursor.number(name, size_bytes)
    elif code == _CLIENT_ID and size_bytes == 7:
        cursor.number(f"{name}.type", 1)
        cursor.mac(name)
    else:
        cursor.raw(name, size_bytes)

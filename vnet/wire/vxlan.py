"""VXLAN (RFC 7348), and its extension for other protocols (draft-ietf-nvo3-vxlan-gpe).

 0       1          3               4     7          8
| flags | reserved | next protocol | VNI | reserved | the frame ...

The flag I says that there is a VNI. The extension sets P, and then the byte before the VNI says
what follows; without it that is an Ethernet frame.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

UDP_PORT = 4789
_HEADER = struct.Struct("!II")
HEADER_BYTES = _HEADER.size

FLAG_VNI = 0x0800_0000
FLAG_NEXT_PROTOCOL = 0x0400_0000
FLAG_OAM = 0x0100_0000
NEXT_PROTOCOL_MASK = 0xFF

NEXT_IPV4 = 1
NEXT_IPV6 = 2
NEXT_ETHERNET = 3
NEXT_NSH = 4

_VNI_SHIFT = 8
VNI_MASK = 0xFF_FFFF


class Vxlan(NamedTuple):
    """``flags`` is the whole first word; ``reserved`` the byte behind the VNI, which must be 0."""

    flags: int
    vni: int
    reserved: int


def parse(data: bytes, at: int = 0) -> Vxlan | None:
    """The header at a place; None if cut off."""
    if len(data) < at + HEADER_BYTES:
        return None
    flags, word = _HEADER.unpack_from(data, at)
    return Vxlan(flags, word >> _VNI_SHIFT, word & 0xFF)


def emit(vni: int, flags: int = FLAG_VNI) -> bytes:
    """A header. Of a ``vni`` the lower 24 bits are taken."""
    return _HEADER.pack(flags, (vni & VNI_MASK) << _VNI_SHIFT)

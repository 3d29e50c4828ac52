"""Geneve (RFC 8926).

 0                        1                       2      4     7          8
| version, option length | O C, reserved | type | VNI | reserved | options ... | the frame ...

The option length counts words of four bytes. O marks packets of the control plane, C says that
some option is critical.
"""

from __future__ import annotations

from typing import NamedTuple

UDP_PORT = 6081
BASE_BYTES = 8
TYPE_ETHERNET = 0x6558

_LENGTH_MASK = 0x3F
_VERSION_SHIFT = 6
_FLAG_OAM = 0x80
_FLAG_CRITICAL = 0x40
_VNI_MASK = 0xFF_FFFF


class Geneve(NamedTuple):
    """``size_bytes`` is the header's, with its options."""

    version: int
    is_oam: bool
    is_critical: bool
    ethertype: int
    vni: int
    size_bytes: int


def parse(data: bytes, at: int = 0) -> Geneve | None:
    """The header at a place; None if it or its options are cut off."""
    if len(data) < at + BASE_BYTES:
        return None
    size = BASE_BYTES + (data[at] & _LENGTH_MASK) * 4
    if len(data) < at + size:
        return None
    flags = data[at + 1]
    return Geneve(
        data[at] >> _VERSION_SHIFT,
        bool(flags & _FLAG_OAM),
        bool(flags & _FLAG_CRITICAL),
        data[at + 2] << 8 | data[at + 3],
        int.from_bytes(data[at + 4 : at + 7], "big"),
        size,
    )


def emit(vni: int, *, is_oam: bool = False, is_critical: bool = False) -> bytes:
    """A header without options, before an Ethernet frame."""
    flags = _FLAG_OAM * is_oam | _FLAG_CRITICAL * is_critical
    head = flags << 16 | TYPE_ETHERNET
    return head.to_bytes(4, "big") + ((vni & _VNI_MASK) << 8).to_bytes(4, "big")

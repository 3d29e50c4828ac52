"""802.1Q and 802.1ad tags (IEEE 802.1Q clause 9).

     12          14          16
    | TPID      | PCP DEI VID | the frame's own type ...

The TPID is 0x8100 for a customer tag and 0x88A8 for a service tag.
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.wire.ether import HEADER_BYTES, TYPE_QINQ, TYPE_VLAN

TPIDS = (b"\x81\x00", b"\x88\xa8")
"""As they stand in a frame."""

_TPIDS = (TYPE_VLAN, TYPE_QINQ)

LEAST_TAGGED_BYTES = HEADER_BYTES + 6
"""A tag, and two bytes of what is within, which Linux looks at when it takes a tag off."""


class Tag(NamedTuple):
    tpid: int
    priority: int
    drop_eligible: bool
    vid: int

    @property
    def tci(self) -> int:
        """The tag control information: the 16 bits after the TPID."""
        return self.priority << 13 | self.drop_eligible << 12 | self.vid


def parse(data: bytes) -> Tag | None:
    """The outermost tag of a frame, or None if it is untagged or too short."""
    if len(data) < 18:
        return None
    tpid = data[12] << 8 | data[13]
    if tpid not in _TPIDS:
        return None
    tci = data[14] << 8 | data[15]
    return Tag(tpid, tci >> 13, bool(tci & 0x1000), tci & 0x0FFF)


def push(data: bytes, tag: Tag) -> bytes:
    """Insert ``tag`` outermost."""
    return data[:12] + (tag.tpid << 16 | tag.tci).to_bytes(4, "big") + data[12:]


def pop(data: bytes) -> bytes:
    """Remove the outermost tag of a frame that has one."""
    return data[:12] + data[16:]


def is_whole(data: bytes) -> bool:
    """Whether a frame has all of its header, and of its tag if it has one."""
    return len(data) >= HEADER_BYTES and not is_truncated(data)


def is_truncated(data: bytes) -> bool:
    """Whether a frame ends within its tag, or too soon behind it for Linux to take the tag off."""
    return len(data) < LEAST_TAGGED_BYTES and data[12:14] in TPIDS

"""Whose turn it is sooner: what a packet's type of service says, and the band that it belongs in.

The kernel gives a packet a priority from 0 to 15 when its IP stack sends or forwards it, from two
bits of the type of service (tc-prio(8)). IPv6 has no part in that, nor have ARP and frames that a
bridge passes on. What the kernel says of multicast groups (IGMP, MLD) and of spanning trees is
control traffic.
"""

from __future__ import annotations

from typing import Final

from vnet.wire import ether, ipv4

BEST_EFFORT: Final = 0
BULK: Final = 2
INTERACTIVE_BULK: Final = 4
INTERACTIVE: Final = 6
CONTROL: Final = 7

DEFAULT_PRIOMAP: Final = (1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)
"""The band of each of the 16 priorities, where nothing else is said."""

_OF_TOS: Final = (BEST_EFFORT, BULK, INTERACTIVE, INTERACTIVE_BULK)
"""By the bits 'minimize delay' and 'maximize throughput'."""

_TAG_BYTES = 4
_MLD_TYPES = (b"\x82", b"\x83", b"\x84", b"\x8f")
_SPANNING_TREE = b"\x42\x42"
"""The service access points of BPDUs, behind a length."""


def priority_of(data: bytes) -> int:
    """The priority of a frame that an IP stack sends, from 0 to 15."""
    at = ether.HEADER_BYTES
    while data[at - 2 : at] in (b"\x81\x00", b"\x88\xa8"):
        at += _TAG_BYTES
    kind = data[at - 2 : at]
    if kind == b"\x08\x00" and len(data) >= at + ipv4.HEADER_BYTES:
        return CONTROL if data[at + 9] == ipv4.IGMP else _OF_TOS[data[at + 1] >> 3 & 3]
    if kind == b"\x86\xdd":
        # MLD is ICMPv6 behind a hop-by-hop header of eight bytes.
        is_mld = data[at + 6 : at + 7] == b"\0" and data[at + 48 : at + 49] in _MLD_TYPES
        return CONTROL if is_mld else BEST_EFFORT
    return CONTROL if data[at : at + 2] == _SPANNING_TREE else BEST_EFFORT

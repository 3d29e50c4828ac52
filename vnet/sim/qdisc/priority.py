"""Whose turn it is sooner: what a packet's type of service says, and the band that it belongs in.

The kernel gives a packet a priority from 0 to 15 when its IP stack sends or forwards it, from two
bits of the type of service (tc-prio(8)). IPv6 has no part in that, nor have frames that a bridge
passes on; IGMP is control traffic.
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


def priority_of(data: bytes) -> int:
    """The priority of a frame that an IP stack sends, from 0 to 15."""
    at = ether.HEADER_BYTES
    while data[at - 2 : at] in (b"\x81\x00", b"\x88\xa8"):
        at += _TAG_BYTES
    if data[at - 2 : at] != b"\x08\x00" or len(data) < at + ipv4.HEADER_BYTES:
        return BEST_EFFORT
    if data[at + 9] == ipv4.IGMP:
        return CONTROL
    return _OF_TOS[data[at + 1] >> 3 & 3]

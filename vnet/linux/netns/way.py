"""Where a routed packet goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface


class Way(NamedTuple):
    """Where a packet leaves, to which next hop, and how much of it fits into one piece."""

    out: Interface
    next_hop: bytes
    mtu_bytes: int

"""Frames to 01:80:C2:00:00:00 to 0F, which bridges keep to themselves (IEEE 802.1D, table 7-10).

The bridges' own address is as good as any other while STP is off: 802.1D bridges of the same
network may run it across this one. Pause frames never cross, the rest where group_fwd_mask says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import drop_reason
from vnet.linux.bridge.bpdus import receive_bpdu

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort
    from vnet.sim.frame import Frame

RESERVED_ADDRESS = drop_reason(
    "bridge-reserved-address",
    cause="the destination is one of 01:80:C2:00:00:00 to 0F, which bridges do not forward",
    cure="set group_fwd_mask where the protocol is meant to cross, or terminate it here",
)
PAUSE_FRAME = drop_reason(
    "bridge-pause-frame",
    cause="a MAC control frame (01:80:C2:00:00:01) never crosses a bridge",
    cure="nothing: flow control is between the two ends of one wire",
)

_STP_ADDRESS = 0x00
_PAUSE_ADDRESS = 0x01


def handle_reserved(bridge: Bridge, port: BridgePort, frame: Frame, last: int) -> None:
    """A frame whose target ends in ``last`` came in by ``port``."""
    if last == _STP_ADDRESS and bridge.tree.is_on:
        return receive_bpdu(bridge.tree, port, frame)
    if last == _PAUSE_ADDRESS:
        return port.device.drop(frame, PAUSE_FRAME)
    crosses = bridge.group_fwd_mask | port.group_fwd_mask | bridge.vlan_filter.forwarded_groups
    if last == _STP_ADDRESS or crosses & 1 << last:
        return bridge.flood_multicast(port, frame, None)
    return port.device.drop(frame, RESERVED_ADDRESS)

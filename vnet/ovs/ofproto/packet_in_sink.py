"""Who hears what a bridge sends to controllers."""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.drops import DropReason, drop_reason
from vnet.ovs.openflow.messages import PacketIn

NO_CONTROLLER = drop_reason(
    "ovs-no-controller",
    cause="a flow sends the frame to a controller and nowhere else, and none is connected",
    cure="give the flow an action that forwards the frame, or take it away",
)

PacketInSink = Callable[[PacketIn], DropReason | None]
"""Hands a packet-in to whoever is to get it; returns why nobody got it, or None."""


def nobody_listens(_packet_in: PacketIn) -> DropReason | None:
    """A bridge without connections."""
    return NO_CONTROLLER

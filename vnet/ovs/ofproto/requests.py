"""What may be asked of a bridge together with other things: all is carried out, or nothing."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, GroupMod, PacketOut, PortMod

Request = FlowMod | GroupMod | PortMod | PacketOut

LearnFlow = Callable[[FlowMod], None]
SendPacket = Callable[[], None]
PreparePacketOut = Callable[[PacketOut, LearnFlow], SendPacket]
"""Decides what becomes of a packet, and makes the flows that it teaches. Raises OpenFlowError."""


def nobody_sends(_packet_out: PacketOut, _learn: LearnFlow) -> SendPacket:
    """A bridge without a datapath sends nothing."""
    raise OpenFlowError("OFPFMFC_UNKNOWN")

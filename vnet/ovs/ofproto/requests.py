"""What may be asked of a bridge together with other things: all is carried out, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, GroupMod, PacketOut, PortMod

Request = FlowMod | GroupMod | PortMod | PacketOut


class PreparedPacket(NamedTuple):
    """A packet of which is decided what becomes; one of the two is called, once."""

    send: Callable[[], None]
    give_up: Callable[[], None]


LearnFlow = Callable[[FlowMod], None]
PreparePacketOut = Callable[[PacketOut, LearnFlow], PreparedPacket]
"""Decides what becomes of a packet, and makes the flows that it teaches. Raises OpenFlowError."""


def nobody_sends(_packet_out: PacketOut, _learn: LearnFlow) -> PreparedPacket:
    """A bridge without a datapath sends nothing."""
    raise OpenFlowError("OFPFMFC_UNKNOWN")

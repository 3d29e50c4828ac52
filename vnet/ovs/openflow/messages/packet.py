"""Packets that go to controllers."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.openflow.ofpacts import PacketInReason


@record(frozen=True, slots=True)
class PacketIn:
    """A packet that a switch hands to its controller (OFPT_PACKET_IN and its kin).

    ``pipeline`` is a flow key that holds the fields no one could read off the packet: in_port,
    metadata, registers, connection state. At most ``max_len_bytes`` of the frame need be sent.
    """

    frame: bytes
    reason: PacketInReason
    table_id: int
    cookie: int
    pipeline: int
    controller_id: int = 0
    max_len_bytes: int = 0xFFFF
    userdata: bytes = b""

"""Packets that go to a controller, and those that come from one."""

from __future__ import annotations

from enum import IntEnum

from vnet.base.record import record
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.ofpacts import Ofpacts


class PacketInFormat(IntEnum):
    """How a connection wants its packet-ins (NXT_SET_PACKET_IN_FORMAT)."""

    STANDARD = 0
    NXT_PACKET_IN = 1
    NXT_PACKET_IN2 = 2


NO_BUFFER = 0xFFFFFFFF
"""``buffer_id`` of a packet that comes whole: Open vSwitch keeps none."""
NO_COOKIE = 0xFFFF_FFFF_FFFF_FFFF
"""``cookie`` of a packet-in that no flow was the cause of."""

IN_PORT_MASK = 0xFFFF << Flow.in_port.shift
"""OpenFlow's ports have 16 bits of those that a flow has for them."""


@record(frozen=True, slots=True)
class Continuation:
    """Where a translation stopped that waits for its controller (NXPINT_CONTINUATION).

    ``bridge`` is the 16 bytes of the UUID of the bridge that goes on, ``stack`` has its top last,
    ``odp_port`` is the datapath's port that the packet came in by. Among ``actions`` stands before
    which of them what rule they are of (UnrollXlate).
    """

    bridge: bytes = bytes(16)
    stack: tuple[bytes, ...] = ()
    mirrors: int = 0
    conntracked: bool = False
    actions: Ofpacts = ()
    action_set: Ofpacts = ()
    odp_port: int = 0


@record(frozen=True, slots=True)
class PacketIn:
    """A packet that a switch hands to its controller (OFPT_PACKET_IN and its kin).

    ``reason`` is a :class:`PacketInReason`; of a message that was received it may be any number.
    ``pipeline`` matches what no one could read off the packet: in_port, metadata, registers,
    connection state. ``continuation`` is there where the packet waits for an NXT_RESUME.
    ``full_len_bytes`` and ``buffer_id`` are of messages that were received: the frame's length
    where not all of it came (None: it did), and where the rest is kept.
    """

    frame: bytes
    reason: int
    table_id: int = 0
    cookie: int = NO_COOKIE
    pipeline: Match = CATCHALL
    controller_id: int = 0
    max_len_bytes: int = 0xFFFF
    userdata: bytes = b""
    continuation: Continuation | None = None
    full_len_bytes: int | None = None
    buffer_id: int = NO_BUFFER


@record(frozen=True, slots=True)
class PacketOut:
    """A packet that a switch is to send (OFPT_PACKET_OUT).

    ``pipeline`` matches what is told of it besides its bytes: the port it came in by, so to speak,
    its packet type, and from version 1.5 on any other field.
    """

    frame: bytes
    actions: Ofpacts
    pipeline: Match
    buffer_id: int = NO_BUFFER

    @property
    def in_port(self) -> OfpPort:
        """Where it came in; OFPP_CONTROLLER or OFPP_NONE where it did nowhere."""
        return OfpPort(Flow.in_port.of(self.pipeline.value))

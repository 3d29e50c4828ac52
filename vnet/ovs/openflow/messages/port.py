"""Ports: what is set of them, and what becomes of them."""

from __future__ import annotations

from enum import IntFlag

from vnet.base.record import record
from vnet.ovs.flow.ports import OfpPort


class PortConfig(IntFlag):
    """What an administrator sets on a port (OFPPC_*)."""

    NONE = 0
    PORT_DOWN = 1
    NO_STP = 2
    NO_RECV = 4
    NO_RECV_STP = 8
    NO_FLOOD = 16
    NO_FWD = 32
    NO_PACKET_IN = 64


class PortState(IntFlag):
    """What a port has become (OFPPS_*)."""

    NONE = 0
    LINK_DOWN = 1
    BLOCKED = 2
    LIVE = 4
    STP_LEARN = 0x100
    STP_FORWARD = 0x200
    STP_BLOCK = 0x300  # the two bits are a number; 0 is a port that listens, or is on no tree
    STP_MASK = 0x300


@record(frozen=True, slots=True)
class PortMod:
    """Set the bits of ``mask`` in a port's configuration to those of ``config``."""

    port: OfpPort
    config: PortConfig
    mask: PortConfig

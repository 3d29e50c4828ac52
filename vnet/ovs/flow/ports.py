"""OpenFlow's port numbers, and the names of the reserved ones (ovs-ofctl(8), OFPP_*)."""

from __future__ import annotations

from typing import NewType

OfpPort = NewType("OfpPort", int)
"""An OpenFlow port number, 16 bits. Never to be mistaken for a datapath's."""

OdpPort = NewType("OdpPort", int)
"""A datapath port number, 32 bits."""

OFPP_MAX = OfpPort(0xFF00)
"""The greatest number of a port that is no reserved one, plus one."""
OFPP_UNSET = OfpPort(0xFFF7)
OFPP_IN_PORT = OfpPort(0xFFF8)
OFPP_TABLE = OfpPort(0xFFF9)
OFPP_NORMAL = OfpPort(0xFFFA)
OFPP_FLOOD = OfpPort(0xFFFB)
OFPP_ALL = OfpPort(0xFFFC)
OFPP_CONTROLLER = OfpPort(0xFFFD)
OFPP_LOCAL = OfpPort(0xFFFE)
OFPP_NONE = OfpPort(0xFFFF)
"""``ANY`` and ``NONE``: no port at all."""

ODPP_LOCAL = OdpPort(0)
ODPP_NONE = OdpPort(0xFFFFFFFF)

RESERVED_PORT_NAMES: dict[OfpPort, str] = {
    OFPP_UNSET: "UNSET",
    OFPP_IN_PORT: "IN_PORT",
    OFPP_TABLE: "TABLE",
    OFPP_NORMAL: "NORMAL",
    OFPP_FLOOD: "FLOOD",
    OFPP_ALL: "ALL",
    OFPP_CONTROLLER: "CONTROLLER",
    OFPP_LOCAL: "LOCAL",
    OFPP_NONE: "ANY",
}

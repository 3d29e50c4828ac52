"""Which port is asked about: for its counters, or in 1.5 for its description."""

from __future__ import annotations

import struct

from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11

_OF10 = struct.Struct("!H6x")
_OF11 = struct.Struct("!I4x")


def encode_port_request(port: OfpPort, version: OpenFlowVersion) -> bytes:
    """The body of a request about one port, or about all of them (OFPP_NONE)."""
    if version is OpenFlowVersion.OF10:
        return _OF10.pack(port)
    return _OF11.pack(port_to_of11(port))


def decode_port_request(body: bytes, version: OpenFlowVersion) -> OfpPort:
    """The port asked about, OFPP_NONE for all of them. Raises :class:`OpenFlowError`."""
    if version is OpenFlowVersion.OF10:
        return OfpPort(_OF10.unpack(body)[0])
    return port_from_of11(_OF11.unpack(body)[0])

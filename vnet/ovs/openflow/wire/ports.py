"""Port numbers: 16 bits in 1.0, 32 in later versions, where the reserved ones are higher up."""

from __future__ import annotations

import struct

from vnet.ovs.flow.ports import OFPP_MAX, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion

_OF11_OFFSET = 0xFFFF0000
_OF11_MAX = OFPP_MAX + _OF11_OFFSET

_REQUEST10 = struct.Struct("!H6x")
_REQUEST11 = struct.Struct("!I4x")


def port_from_of11(number: int) -> OfpPort:
    """A port's number of 32 bits as one of 16. Raises :class:`OpenFlowError`."""
    if number < OFPP_MAX:
        return OfpPort(number)
    if number >= _OF11_MAX:
        return OfpPort(number - _OF11_OFFSET)
    text = (
        f"port {number} is outside the supported range 0 through {OFPP_MAX - 1} "
        f"or 0x{_OF11_MAX:x} through 0x{0xFFFFFFFF:x}"
    )
    raise OpenFlowError("OFPBAC_BAD_OUT_PORT", warning=("ofp_port", text))


def port_to_of11(port: OfpPort) -> int:
    """The other way round."""
    return port if port < OFPP_MAX else port + _OF11_OFFSET


def encode_port_request(port: OfpPort, version: OpenFlowVersion) -> bytes:
    """The body of a request about one port: for its counters, or in 1.5 for its description."""
    if version is OpenFlowVersion.OF10:
        return _REQUEST10.pack(port)
    return _REQUEST11.pack(port_to_of11(port))


def decode_port_request(body: bytes, version: OpenFlowVersion) -> OfpPort:
    """The port asked about, OFPP_NONE for all of them. Raises :class:`OpenFlowError`."""
    if version is OpenFlowVersion.OF10:
        return OfpPort(_REQUEST10.unpack(body)[0])
    return port_from_of11(_REQUEST11.unpack(body)[0])

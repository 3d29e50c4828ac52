"""Port numbers: 16 bits in 1.0, 32 in later versions, where the reserved ones are higher up."""

from __future__ import annotations

from vnet.ovs.flow.ports import OFPP_MAX, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError

_OF11_OFFSET = 0xFFFF0000
_OF11_MAX = OFPP_MAX + _OF11_OFFSET


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

"""How one connection is to be treated (NXT_SET_FLOW_FORMAT and others): a number each."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import PacketInFormat

_U32 = struct.Struct("!I")
_ENABLE = struct.Struct("!B7x")
_CONTROLLER_ID = struct.Struct("!6sH")

_OPENFLOW10 = 0
_NXM = 2


def encode_flow_format(is_nxm: bool) -> bytes:
    """The body of NXT_SET_FLOW_FORMAT: whether 1.0 tells of flows in Nicira's messages."""
    return _U32.pack(_NXM if is_nxm else _OPENFLOW10)


def decode_flow_format(body: bytes) -> bool:
    """The other way round. Raises :class:`OpenFlowError`."""
    (number,) = _U32.unpack(body)
    if number not in (_OPENFLOW10, _NXM):
        text = f"NXT_SET_FLOW_FORMAT message specified invalid flow format {number}"
        raise OpenFlowError("OFPBRC_EPERM", warning=("ofp_protocol", text))
    return bool(number == _NXM)


def encode_flow_mod_table_id(enable: bool) -> bytes:
    """The body of NXT_FLOW_MOD_TABLE_ID: whether 1.0's flow-mods name a table."""
    return _ENABLE.pack(enable)


def decode_flow_mod_table_id(body: bytes) -> bool:
    """The other way round."""
    return bool(_ENABLE.unpack(body)[0])


def encode_packet_in_format(form: PacketInFormat) -> bytes:
    """The body of NXT_SET_PACKET_IN_FORMAT."""
    return _U32.pack(form)


def decode_packet_in_format(body: bytes) -> PacketInFormat:
    """The other way round. Raises :class:`OpenFlowError`."""
    (number,) = _U32.unpack(body)
    if number not in tuple(PacketInFormat):
        text = f"NXT_SET_PACKET_IN_FORMAT message specified invalid packet-in format {number}"
        raise OpenFlowError("OFPBRC_EPERM", warning=("ofp_packet", text))
    return PacketInFormat(number)


def encode_controller_id(controller_id: int) -> bytes:
    """The body of NXT_SET_CONTROLLER_ID."""
    return _CONTROLLER_ID.pack(bytes(6), controller_id)


def decode_controller_id(body: bytes) -> int:
    """The other way round. Raises :class:`OpenFlowError`."""
    zeros, number = _CONTROLLER_ID.unpack(body)
    if any(zeros):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    return int(number)

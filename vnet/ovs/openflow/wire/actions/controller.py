"""``controller``: a packet to those who control the switch, with a reason and more."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.ofpacts import Controller, PacketInReason
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import Family, Form, must_be_zero, nicira
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.parts.properties import (
    properties,
    put,
    put_u16,
    put_u32,
    refuse_unknown,
)

_WHOLE_PACKET = 0xFFFF
_BODY = struct.Struct("!HHBx")
_PADDING_BYTES = 6
_MAX_LEN, _CONTROLLER_ID, _REASON, _USERDATA, _PAUSE, _METER_ID = range(6)
_NO_METER = 0


def _decode(body: bytes, _reading: Reading) -> Controller:
    max_len_bytes, controller_id, reason = _BODY.unpack_from(body)
    return Controller(max_len_bytes, controller_id, PacketInReason(reason))


def _decode2(body: bytes, _reading: Reading) -> Controller:
    must_be_zero(body[:_PADDING_BYTES])
    max_len_bytes, controller_id, meter_id = _WHOLE_PACKET, 0, _NO_METER
    reason, userdata, pause = int(PacketInReason.ACTION), b"", False
    for each in properties(body[_PADDING_BYTES:]):
        if each.type == _MAX_LEN:
            max_len_bytes = each.u16()
        elif each.type == _CONTROLLER_ID:
            controller_id = each.u16()
        elif each.type == _REASON:
            reason = each.u8()
        elif each.type == _USERDATA:
            userdata = each.value
        elif each.type == _PAUSE:
            pause = True
        elif each.type == _METER_ID:
            meter_id = each.u32()
        else:
            raise refuse_unknown(each.type, "ofp_actions", "NXAST_RAW_CONTROLLER2")
    return Controller(
        max_len_bytes,
        controller_id,
        PacketInReason(reason),
        userdata,
        pause,
        meter_id or None,
        form=2,
    )


_CONTROLLER = Form("NXAST_CONTROLLER", nicira(20), _decode, _BODY.size)
_CONTROLLER2 = Form("NXAST_CONTROLLER2", nicira(37), _decode2, _PADDING_BYTES, is_extensible=True)


def _encode(action: Controller, version: OpenFlowVersion) -> bytes:
    is_plain = not action.userdata and not action.pause and action.meter_id is None
    if action.form == 1 and is_plain:
        body = _BODY.pack(action.max_len_bytes, action.controller_id, action.reason)
        return _CONTROLLER.encode(version, body)
    parts = [bytes(_PADDING_BYTES)]
    if action.max_len_bytes != _WHOLE_PACKET:
        parts.append(put_u16(_MAX_LEN, action.max_len_bytes))
    if action.controller_id:
        parts.append(put_u16(_CONTROLLER_ID, action.controller_id))
    if action.reason != PacketInReason.ACTION:
        parts.append(put(_REASON, action.reason.to_bytes(1, "big")))
    if action.userdata:
        parts.append(put(_USERDATA, action.userdata))
    if action.pause:
        parts.append(put(_PAUSE))
    if action.meter_id is not None:
        parts.append(put_u32(_METER_ID, action.meter_id))
    return _CONTROLLER2.encode(version, b"".join(parts))


FAMILY = Family((_CONTROLLER, _CONTROLLER2), {Controller: _encode})

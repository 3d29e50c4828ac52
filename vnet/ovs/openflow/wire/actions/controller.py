"""``controller``: a packet to those who control the switch, with a reason and more."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Controller, PacketInReason
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import Family, Form, must_be_zero, nicira
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal

_WHOLE_PACKET = 0xFFFF
_BODY = struct.Struct("!HHBx")
_PADDING_BYTES = 6

_PROPERTY = struct.Struct("!HH")
_U16 = struct.Struct("!H2x")
_ALIGNMENT_BYTES = 8
_EXPERIMENTER = struct.Struct("!II")
_EXPERIMENTER_TYPE = 0xFFFF
_MAX_LEN, _CONTROLLER_ID, _REASON, _USERDATA, _PAUSE, _METER_ID = range(6)
_NO_METER = 0


def _decode(body: bytes, _reading: Reading) -> Controller:
    max_len_bytes, controller_id, reason = _BODY.unpack_from(body)
    return Controller(max_len_bytes, controller_id, PacketInReason(reason))


def _decode2(body: bytes, _reading: Reading) -> Controller:
    must_be_zero(body[:_PADDING_BYTES])
    numbers = {
        _MAX_LEN: _WHOLE_PACKET,
        _CONTROLLER_ID: 0,
        _REASON: PacketInReason.ACTION,
        _METER_ID: _NO_METER,
    }
    userdata, pause = b"", False
    for kind, value in _properties(body, _PADDING_BYTES):
        if kind in _WIDTHS:
            numbers[kind] = _number(value, _WIDTHS[kind], is_exact=kind == _METER_ID)
        elif kind == _USERDATA:
            userdata = value
        elif kind == _PAUSE:
            pause = True
        else:
            text = f"unknown NXAST_RAW_CONTROLLER2 property type {kind}"
            raise refusal("OFPBPC_BAD_TYPE", text)
    return Controller(
        numbers[_MAX_LEN],
        numbers[_CONTROLLER_ID],
        PacketInReason(numbers[_REASON]),
        userdata,
        pause,
        numbers[_METER_ID] or None,
        form=2,
    )


_WIDTHS = {_MAX_LEN: 2, _CONTROLLER_ID: 2, _REASON: 1, _METER_ID: 4}


def _number(value: bytes, n_bytes: int, *, is_exact: bool) -> int:
    if len(value) < n_bytes or (is_exact and len(value) > n_bytes):
        raise OpenFlowError("OFPBPC_BAD_LEN")
    return int.from_bytes(value[:n_bytes], "big")


def _properties(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset < len(data):
        if offset + _PROPERTY.size > len(data):
            raise OpenFlowError("OFPBPC_BAD_LEN")
        kind, length = _PROPERTY.unpack_from(data, offset)
        following = offset + length + -length % _ALIGNMENT_BYTES
        if length < _PROPERTY.size or following > len(data):
            raise OpenFlowError("OFPBPC_BAD_LEN")
        value = data[offset + _PROPERTY.size : offset + length]
        if kind == _EXPERIMENTER_TYPE:
            raise OpenFlowError(_refused_experimenter(value))
        yield kind, value
        offset = following


def _refused_experimenter(value: bytes) -> str:
    if len(value) < _EXPERIMENTER.size:
        return "OFPBPC_BAD_LEN"
    vendor, _ = _EXPERIMENTER.unpack_from(value)
    return "OFPBPC_BAD_EXP_TYPE" if vendor else "OFPBPC_BAD_EXPERIMENTER"


_CONTROLLER = Form("NXAST_CONTROLLER", nicira(20), _decode, _BODY.size)
_CONTROLLER2 = Form("NXAST_CONTROLLER2", nicira(37), _decode2, _PADDING_BYTES, is_extensible=True)


def _encode(action: Controller, version: OpenFlowVersion) -> bytes:
    is_plain = not action.userdata and not action.pause and action.meter_id is None
    if action.form == 1 and is_plain:
        body = _BODY.pack(action.max_len_bytes, action.controller_id, action.reason)
        return _CONTROLLER.encode(version, body)
    parts = [bytes(_PADDING_BYTES)]
    if action.max_len_bytes != _WHOLE_PACKET:
        parts.append(_property(_MAX_LEN, _U16.pack(action.max_len_bytes)))
    if action.controller_id:
        parts.append(_property(_CONTROLLER_ID, _U16.pack(action.controller_id)))
    if action.reason != PacketInReason.ACTION:
        parts.append(_property(_REASON, action.reason.to_bytes(1, "big")))
    if action.userdata:
        parts.append(_property(_USERDATA, action.userdata))
    if action.pause:
        parts.append(_property(_PAUSE, b""))
    if action.meter_id is not None:
        parts.append(_property(_METER_ID, action.meter_id.to_bytes(4, "big")))
    return _CONTROLLER2.encode(version, b"".join(parts))


def _property(kind: int, value: bytes) -> bytes:
    length = _PROPERTY.size + len(value)
    return _PROPERTY.pack(kind, length) + value + bytes(-length % _ALIGNMENT_BYTES)


FAMILY = Family((_CONTROLLER, _CONTROLLER2), {Controller: _encode})

"""Actions that name fields without a value: ``move``, ``push``, ``pop``, ``delete_field``,
``check_pkt_larger``.
"""

from __future__ import annotations

import struct

from vnet.ovs.flow.fields import Subfield
from vnet.ovs.openflow.ofpacts import CheckPktLarger, DeleteField, RegMove, StackPop, StackPush
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import (
    OF10,
    OF13,
    OF14,
    OF15,
    Family,
    Form,
    must_be_zero,
    nicira,
    onf,
    standard,
)
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.writing import any_header

# -- move

_BITS = struct.Struct("!HHH")
_MOVE_HEADERS_AT = 6
_COPY_HEADERS_AT = 8
_ONF_BITS_AT = 2
_ONF_HEADERS_AT = 10
_LEAST_ONF_BYTES = 14
_LEAST_COPY_BYTES = 12


def _decode_move(body: bytes, reading: Reading) -> RegMove:
    return _move(body, 0, _MOVE_HEADERS_AT, reading, 1)


def _decode_copy(body: bytes, reading: Reading) -> RegMove:
    return _move(body, 0, _COPY_HEADERS_AT, reading, 2)


def _decode_onf(body: bytes, reading: Reading) -> RegMove:
    return _move(body, _ONF_BITS_AT, _ONF_HEADERS_AT, reading, 2)


def _move(body: bytes, bits_at: int, headers_at: int, reading: Reading, form: int) -> RegMove:
    n_bits, source_offset, destination_offset = _BITS.unpack_from(body, bits_at)
    source, end = reading.any_field(body, headers_at)
    destination, end = reading.any_field(body, end)
    must_be_zero(body[end:])
    return RegMove(
        reading.source(Subfield(source, source_offset, n_bits)),
        reading.target(Subfield(destination, destination_offset, n_bits)),
        form,
    )


_MOVE = Form(
    "NXAST_REG_MOVE", nicira(6, OF10, OF14), _decode_move, _MOVE_HEADERS_AT, is_extensible=True
)
_COPY = Form(
    "OFPAT_COPY_FIELD", standard(28, OF15), _decode_copy, _LEAST_COPY_BYTES, is_extensible=True
)
_ONF_COPY = Form(
    "ONFACT_COPY_FIELD", onf(3200, OF13, OF14), _decode_onf, _LEAST_ONF_BYTES, is_extensible=True
)


def _encode_move(action: RegMove, version: OpenFlowVersion) -> bytes:
    source, destination = action.source, action.destination
    bits = _BITS.pack(destination.n_bits, source.offset, destination.offset)
    if version < OF15 and not (version is OF13 and action.form > 1):
        headers = any_header(source.field) + any_header(destination.field)
        return _MOVE.encode(version, bits + headers)
    headers = any_header(source.field, version) + any_header(destination.field, version)
    if version >= OF15:
        return _COPY.encode(version, bits + bytes(2) + headers)
    return _ONF_COPY.encode(version, bytes(2) + bits + bytes(2) + headers)


# -- the stack

_STACK_BODY = struct.Struct("!H12s")
_WIDTH = struct.Struct("!H")


def _stacked(body: bytes, reading: Reading) -> Subfield:
    offset, rest = _STACK_BODY.unpack_from(body)
    field, end = reading.any_field(rest, 0)
    (n_bits,) = _WIDTH.unpack_from(rest, end)
    must_be_zero(rest[end + _WIDTH.size :])
    return Subfield(field, offset, n_bits)


def _decode_push(body: bytes, reading: Reading) -> StackPush:
    return StackPush(reading.source(_stacked(body, reading)))


def _decode_pop(body: bytes, reading: Reading) -> StackPop:
    return StackPop(reading.target(_stacked(body, reading)))


_PUSH = Form("NXAST_STACK_PUSH", nicira(27), _decode_push, _STACK_BODY.size)
_POP = Form("NXAST_STACK_POP", nicira(28), _decode_pop, _STACK_BODY.size)


def _stack_body(part: Subfield) -> bytes:
    return _STACK_BODY.pack(part.offset, any_header(part.field) + _WIDTH.pack(part.n_bits))


# -- delete_field, check_pkt_larger

_DELETE_BODY_BYTES = 14
_CHECK_BODY = struct.Struct("!HH10s")


def _decode_delete(body: bytes, reading: Reading) -> DeleteField:
    field, _ = reading.any_field(body, 0)
    return DeleteField(field)


def _decode_check(body: bytes, reading: Reading) -> CheckPktLarger:
    packet_bytes, offset, rest = _CHECK_BODY.unpack_from(body)
    field, end = reading.any_field(rest, 0)
    must_be_zero(rest[end:])
    return CheckPktLarger(packet_bytes, reading.target(Subfield(field, offset, 1)))


_DELETE = Form("NXAST_DELETE_FIELD", nicira(50), _decode_delete, _DELETE_BODY_BYTES)
_CHECK = Form("NXAST_CHECK_PKT_LARGER", nicira(49), _decode_check, _CHECK_BODY.size)


def _encode_delete(action: DeleteField, version: OpenFlowVersion) -> bytes:
    return _DELETE.encode(version, any_header(action.field).ljust(_DELETE_BODY_BYTES, b"\0"))


def _encode_check(action: CheckPktLarger, version: OpenFlowVersion) -> bytes:
    bit = action.destination
    body = _CHECK_BODY.pack(action.packet_bytes, bit.offset, any_header(bit.field))
    return _CHECK.encode(version, body)


FAMILY = Family(
    (_MOVE, _COPY, _ONF_COPY, _PUSH, _POP, _DELETE, _CHECK),
    {
        RegMove: _encode_move,
        StackPush: lambda action, version: _PUSH.encode(version, _stack_body(action.source)),
        StackPop: lambda action, version: _POP.encode(version, _stack_body(action.destination)),
        DeleteField: _encode_delete,
        CheckPktLarger: _encode_check,
    },
)

"""``learn``: a flow to be added, told by specifications that fill up the action.

Each begins with 16 bits that say where its source is from, what becomes of it, and how many bits
it has; then come the source (a field's header and an offset, or a value in whole 16 bits) and,
but for ``output``, the destination, likewise a field. 16 bits of zeros end the list::

    |15  14|13    |12 11  |10 9         0|
    |      |source|target |  |  n_bits   |
"""

from __future__ import annotations

import struct
from dataclasses import replace

from vnet.ovs.flow.fields import Subfield
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Learn, LearnSpec, LearnTarget
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import Family, Form, must_be_zero, nicira
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.writing import any_header, short_header

_BODY = struct.Struct("!HHHQHBBHH")
_RESULT = struct.Struct("!IHH")
_SPEC = struct.Struct("!H")
_FIELD = struct.Struct("!IH")

_SEND_FLOW_REM, _DELETE_LEARNED, _WRITE_RESULT = 1, 2, 4
_TARGETS = (LearnTarget.MATCH, LearnTarget.LOAD, LearnTarget.OUTPUT)
_TARGET_SHIFT, _TARGET_MASK = 11, 3
_IMMEDIATE = 1 << 13
_N_BITS_MASK = 0x3FF


# -- reading


def _decode(body: bytes, reading: Reading) -> Learn:
    learn, flags = _decode_common(body)
    if flags & ~(_SEND_FLOW_REM | _DELETE_LEARNED):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return replace(learn, specs=_decode_specs(body, _BODY.size, reading))


def _decode2(body: bytes, reading: Reading) -> Learn:
    limit, result_offset, padding = _RESULT.unpack_from(body, _BODY.size)
    if padding:
        raise OpenFlowError("NXBAC_MUST_BE_ZERO")
    learn, flags = _decode_common(body)
    if flags & ~(_SEND_FLOW_REM | _DELETE_LEARNED | _WRITE_RESULT):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    result, offset = None, _BODY.size + _RESULT.size
    if flags & _WRITE_RESULT:
        field, offset = reading.any_field(body, offset)
        reading.check_writable(field)
        result = Subfield(field, result_offset, 1)
    elif result_offset:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    specs = _decode_specs(body, offset, reading)
    return replace(learn, specs=specs, limit=limit, result_destination=result, form=2)


def _decode_common(body: bytes) -> tuple[Learn, int]:
    """What both forms begin with, and the flags."""
    idle_s, hard_s, priority, cookie, flags, table_id, padding, fin_idle_s, fin_hard_s = (
        _BODY.unpack_from(body)
    )
    if padding or table_id == TABLE_ALL:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    learn = Learn(
        (),
        idle_s,
        hard_s,
        priority,
        table_id,
        cookie,
        bool(flags & _SEND_FLOW_REM),
        bool(flags & _DELETE_LEARNED),
        fin_idle_s,
        fin_hard_s,
    )
    return learn, flags


def _decode_specs(data: bytes, offset: int, reading: Reading) -> tuple[LearnSpec, ...]:
    specs = []
    while offset < len(data):
        (header,) = _SPEC.unpack_from(data, offset)
        offset += _SPEC.size
        if not header:
            break
        spec, offset = _decode_spec(header, data, offset, reading)
        specs.append(spec)
    must_be_zero(data[offset:], "OFPBAC_BAD_ARGUMENT")
    return tuple(specs)


def _decode_spec(header: int, data: bytes, offset: int, reading: Reading) -> tuple[LearnSpec, int]:
    n_bits, kind = header & _N_BITS_MASK, header >> _TARGET_SHIFT & _TARGET_MASK
    is_immediate = bool(header & _IMMEDIATE)
    if kind >= len(_TARGETS) or (_TARGETS[kind] is LearnTarget.OUTPUT and is_immediate):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    target = _TARGETS[kind]
    has_destination = target is not LearnTarget.OUTPUT
    source_bytes = _word_bytes(n_bits) if is_immediate else _FIELD.size
    if offset + source_bytes + (_FIELD.size if has_destination else 0) > len(data):
        raise OpenFlowError("OFPBAC_BAD_LEN")
    source, immediate, destination = None, None, None
    if is_immediate:
        end = offset + source_bytes
        immediate = int.from_bytes(data[end - -(-n_bits // 8) : end], "big")
    else:
        source = _part_at(data, offset, n_bits, reading)
    offset += source_bytes
    if has_destination:
        destination = _part_at(data, offset, n_bits, reading)
        offset += _FIELD.size
    return LearnSpec(target, n_bits, source, immediate, destination), offset


def _word_bytes(n_bits: int) -> int:
    """How many bytes a value of ``n_bits`` takes, in words of 16 bits."""
    return 2 * -(-n_bits // 16)


def _part_at(data: bytes, offset: int, n_bits: int, reading: Reading) -> Subfield:
    number, first = _FIELD.unpack_from(data, offset)
    return Subfield(reading.short_field(number), first, n_bits)


_LEARN = Form("NXAST_LEARN", nicira(16), _decode, _BODY.size, is_extensible=True)
_LEARN2 = Form("NXAST_LEARN2", nicira(45), _decode2, _BODY.size + _RESULT.size, is_extensible=True)


# -- writing


def _encode(action: Learn, version: OpenFlowVersion) -> bytes:
    result = action.result_destination
    flags = _SEND_FLOW_REM * action.send_flow_rem | _DELETE_LEARNED * action.delete_learned
    flags |= 0 if result is None else _WRITE_RESULT
    parts = [
        _BODY.pack(
            action.idle_timeout_s,
            action.hard_timeout_s,
            action.priority,
            action.cookie,
            flags,
            action.table_id,
            0,
            action.fin_idle_timeout_s,
            action.fin_hard_timeout_s,
        )
    ]
    form = _LEARN
    if action.form > 1 or action.limit or result is not None:
        form = _LEARN2
        parts.append(_RESULT.pack(action.limit, 0 if result is None else result.offset, 0))
        if result is not None:
            parts.append(any_header(result.field))
    parts += map(_encode_spec, action.specs)
    return form.encode(version, b"".join(parts))


def _encode_spec(spec: LearnSpec) -> bytes:
    header = _TARGETS.index(spec.target) << _TARGET_SHIFT | spec.n_bits
    if spec.source is None:
        immediate = (spec.immediate or 0).to_bytes(_word_bytes(spec.n_bits), "big")
        said = _SPEC.pack(header | _IMMEDIATE) + immediate
    else:
        said = _SPEC.pack(header) + _encode_part(spec.source)
    return said if spec.destination is None else said + _encode_part(spec.destination)


def _encode_part(part: Subfield) -> bytes:
    return _FIELD.pack(int.from_bytes(short_header(part.field), "big"), part.offset)


FAMILY = Family((_LEARN, _LEARN2), {Learn: _encode})

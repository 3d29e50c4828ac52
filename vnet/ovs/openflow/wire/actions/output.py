"""Actions that send packets out: ``output``, ``group``, ``enqueue`` and the queues."""

from __future__ import annotations

import struct

from vnet.ovs.flow.field import has_short_header
from vnet.ovs.flow.field_access import port_from_ofp11, port_to_ofp11
from vnet.ovs.flow.ports import OFPP_IN_PORT, OFPP_LOCAL, OFPP_MAX, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Enqueue,
    Group,
    Output,
    OutputReg,
    OutputTrunc,
    PopQueue,
    SetQueue,
)
from vnet.ovs.openflow.text.actions.output import check_output_port
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import (
    OF10,
    OF11,
    Family,
    Form,
    bare_form,
    must_be_zero,
    nicira,
    number_form,
    standard,
)
from vnet.ovs.openflow.wire.actions.reading import Reading, unpacked_part
from vnet.ovs.openflow.wire.actions.refusals import refusal
from vnet.ovs.openflow.wire.actions.writing import (
    any_header,
    packed_bits,
    short_header,
)

_WHOLE_PACKET = 0xFFFF
_OFPP11_MAX = 0xFFFFFF00
_ETHERNET_HEADER_BYTES = 14


# -- output

_OUTPUT10 = struct.Struct("!HH")
_OUTPUT11 = struct.Struct("!IH6x")


def _decode_output10(body: bytes, _reading: Reading) -> Output:
    port, max_len_bytes = _OUTPUT10.unpack(body)
    check_output_port(port, OFPP_MAX)
    return Output(port, max_len_bytes)


def _decode_output11(body: bytes, _reading: Reading) -> Output:
    number, max_len_bytes = _OUTPUT11.unpack(body)
    port = port_from_ofp11(number)
    if port is None:
        raise refusal(
            "OFPBAC_BAD_OUT_PORT",
            f"port {number} is outside the supported range 0 through {OFPP_MAX - 1} or "
            f"{_OFPP11_MAX:#x} through 0xffffffff",
            "ofp_port",
        )
    check_output_port(port, OFPP_MAX)
    return Output(OfpPort(port), max_len_bytes)


_OF10_OUTPUT = Form("OFPAT_OUTPUT", standard(0, OF10, OF10), _decode_output10, _OUTPUT10.size)
_OUTPUT = Form("OFPAT_OUTPUT", standard(0, OF11), _decode_output11, _OUTPUT11.size)


def _encode_output(action: Output, version: OpenFlowVersion) -> bytes:
    if version is OF10:
        return _OF10_OUTPUT.encode(version, _OUTPUT10.pack(action.port, action.max_len_bytes))
    port = port_to_ofp11(action.port)
    return _OUTPUT.encode(version, _OUTPUT11.pack(port, action.max_len_bytes))


# -- enqueue

_ENQUEUE_BODY = struct.Struct("!H6xI")


def _decode_enqueue(body: bytes, _reading: Reading) -> Enqueue:
    port, queue_id = _ENQUEUE_BODY.unpack(body)
    if port >= OFPP_MAX and port not in (OFPP_IN_PORT, OFPP_LOCAL):
        raise OpenFlowError("OFPBAC_BAD_OUT_PORT")
    return Enqueue(port, queue_id)


_ENQUEUE = Form("OFPAT_ENQUEUE", standard(11, OF10, OF10), _decode_enqueue, _ENQUEUE_BODY.size)
_SET_QUEUE = number_form("OFPAT_SET_QUEUE", nicira(4, OF10, OF10) | standard(21, OF11), 4, SetQueue)
_POP_QUEUE = bare_form("NXAST_POP_QUEUE", nicira(5), PopQueue())


def _encode_set_queue(action: SetQueue | Enqueue, version: OpenFlowVersion) -> bytes:
    return _SET_QUEUE.encode(version, action.queue_id.to_bytes(4, "big"))


def _encode_enqueue(action: Enqueue, version: OpenFlowVersion) -> bytes:
    if version is OF10:
        return _ENQUEUE.encode(version, _ENQUEUE_BODY.pack(action.port, action.queue_id))
    output = _encode_output(Output(action.port, _WHOLE_PACKET), version)
    return _encode_set_queue(action, version) + output + _POP_QUEUE.encode(version)


# -- group

_GROUP = number_form("OFPAT_GROUP", nicira(40, OF10, OF10) | standard(22, OF11), 4, Group)


def _encode_group(action: Group, version: OpenFlowVersion) -> bytes:
    return _GROUP.encode(version, action.group_id.to_bytes(4, "big"))


# -- output to what a field says

_OUTPUT_REG_BODY = struct.Struct("!HIH6s")
_OUTPUT_REG2_BODY = struct.Struct("!HH10s")


def _decode_output_reg(body: bytes, reading: Reading) -> OutputReg:
    bits, number, max_len_bytes, zeros = _OUTPUT_REG_BODY.unpack(body)
    must_be_zero(zeros, "OFPBAC_BAD_ARGUMENT")
    return OutputReg(reading.source(reading.packed_part(number, bits)), max_len_bytes)


def _decode_output_reg2(body: bytes, reading: Reading) -> OutputReg:
    bits, max_len_bytes, rest = _OUTPUT_REG2_BODY.unpack(body)
    field, end = reading.any_field(rest, 0)
    must_be_zero(rest[end:])
    return OutputReg(reading.source(unpacked_part(field, bits)), max_len_bytes, form=2)


_OUTPUT_REG = Form("NXAST_OUTPUT_REG", nicira(15), _decode_output_reg, _OUTPUT_REG_BODY.size)
_OUTPUT_REG2 = Form("NXAST_OUTPUT_REG2", nicira(32), _decode_output_reg2, _OUTPUT_REG2_BODY.size)


def _encode_output_reg(action: OutputReg, version: OpenFlowVersion) -> bytes:
    source = action.source
    bits = packed_bits(source)
    if action.form > 1 or not has_short_header(source.field):
        header = any_header(source.field)
        body = _OUTPUT_REG2_BODY.pack(bits, action.max_len_bytes, header)
        return _OUTPUT_REG2.encode(version, body)
    number = int.from_bytes(short_header(source.field), "big")
    body = _OUTPUT_REG_BODY.pack(bits, number, action.max_len_bytes, b"")
    return _OUTPUT_REG.encode(version, body)


# -- a packet's beginning

_TRUNC_BODY = struct.Struct("!HI")


def _decode_trunc(body: bytes, _reading: Reading) -> OutputTrunc:
    port, max_len_bytes = _TRUNC_BODY.unpack(body)
    if max_len_bytes < _ETHERNET_HEADER_BYTES:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return OutputTrunc(port, max_len_bytes)


_TRUNC = Form("NXAST_OUTPUT_TRUNC", nicira(39), _decode_trunc, _TRUNC_BODY.size)


def _encode_trunc(action: OutputTrunc, version: OpenFlowVersion) -> bytes:
    return _TRUNC.encode(version, _TRUNC_BODY.pack(action.port, action.max_len_bytes))


FAMILY = Family(
    (
        _OF10_OUTPUT,
        _OUTPUT,
        _ENQUEUE,
        _SET_QUEUE,
        _POP_QUEUE,
        _GROUP,
        _OUTPUT_REG,
        _OUTPUT_REG2,
        _TRUNC,
    ),
    {
        Output: _encode_output,
        Enqueue: _encode_enqueue,
        SetQueue: _encode_set_queue,
        PopQueue: lambda _action, version: _POP_QUEUE.encode(version),
        Group: _encode_group,
        OutputReg: _encode_output_reg,
        OutputTrunc: _encode_trunc,
    },
)

"""Actions on what goes with a packet, on the life of its flow, and on who is told."""

from __future__ import annotations

import struct
from dataclasses import replace

from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    CtClear,
    DebugRecirc,
    DebugSlow,
    Exit,
    FinTimeout,
    Note,
    Ofpact,
    Sample,
    SampleDirection,
    SetTunnel,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.fields import set_whole_field
from vnet.ovs.openflow.wire.actions.form import (
    OF12,
    Encode,
    Family,
    Form,
    bare_form,
    must_be_zero,
    nicira,
    number_form,
)
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal

# -- set_tunnel

_GREATEST_SHORT_ID = 0xFFFFFFFF


def _long_tunnel(tun_id: int) -> SetTunnel:
    return SetTunnel(tun_id, is_64_bits=True)


_TUNNEL = number_form("NXAST_SET_TUNNEL", nicira(2), 4, SetTunnel)
_TUNNEL64 = number_form("NXAST_SET_TUNNEL64", nicira(9), 8, _long_tunnel)


def _encode_tunnel(action: SetTunnel, version: OpenFlowVersion) -> bytes:
    if version >= OF12:
        return set_whole_field("tun_id", action.tun_id, version)
    if action.is_64_bits or action.tun_id > _GREATEST_SHORT_ID:
        return _TUNNEL64.encode(version, action.tun_id.to_bytes(8, "big"))
    return _TUNNEL.encode(version, action.tun_id.to_bytes(4, "big"))


# -- fin_timeout

_FIN_BODY = struct.Struct("!HH2x")


def _decode_fin(body: bytes, _reading: Reading) -> FinTimeout:
    return FinTimeout(*_FIN_BODY.unpack_from(body))


_FIN = Form("NXAST_FIN_TIMEOUT", nicira(19), _decode_fin, _FIN_BODY.size)


def _encode_fin(action: FinTimeout, version: OpenFlowVersion) -> bytes:
    body = _FIN_BODY.pack(action.fin_idle_timeout_s, action.fin_hard_timeout_s)
    return _FIN.encode(version, body)


# -- note

_LEAST_NOTE_BYTES = 6


def _decode_note(body: bytes, _reading: Reading) -> Note:
    return Note(body)


_NOTE = Form("NXAST_NOTE", nicira(8), _decode_note, _LEAST_NOTE_BYTES, is_extensible=True)


# -- sample

_SAMPLE_BODY = struct.Struct("!HIII")
_SAMPLE2_BODY = struct.Struct("!HIIIHB5s")
_DIRECTIONS = tuple(SampleDirection)


def _decode_sample(body: bytes, _reading: Reading) -> Sample:
    return _checked(Sample(*_SAMPLE_BODY.unpack_from(body)))


def _decode_sample2(body: bytes, _reading: Reading) -> Sample:
    sample, _direction, _zeros = _with_port(body)
    return _checked(replace(sample, form=2))


def _decode_sample3(body: bytes, _reading: Reading) -> Sample:
    sample, direction, zeros = _with_port(body)
    must_be_zero(zeros)
    if direction >= len(_DIRECTIONS):
        raise refusal("OFPBAC_BAD_ARGUMENT", f"invalid sample direction {direction}")
    return _checked(replace(sample, direction=_DIRECTIONS[direction], form=3))


def _with_port(body: bytes) -> tuple[Sample, int, bytes]:
    *numbers, direction, zeros = _SAMPLE2_BODY.unpack_from(body)
    return Sample(*numbers), direction, zeros


def _checked(sample: Sample) -> Sample:
    if not sample.probability:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return sample


_SAMPLE = Form("NXAST_SAMPLE", nicira(29), _decode_sample, _SAMPLE_BODY.size)
_SAMPLE2 = Form("NXAST_SAMPLE2", nicira(38), _decode_sample2, _SAMPLE2_BODY.size)
_SAMPLE3 = Form("NXAST_SAMPLE3", nicira(41), _decode_sample3, _SAMPLE2_BODY.size)


def _encode_sample(action: Sample, version: OpenFlowVersion) -> bytes:
    numbers = (
        action.probability,
        action.collector_set_id,
        action.obs_domain_id,
        action.obs_point_id,
    )
    form = _sample_form(action)
    if form is _SAMPLE:
        return form.encode(version, _SAMPLE_BODY.pack(*numbers))
    direction = _DIRECTIONS.index(action.direction)
    body = _SAMPLE2_BODY.pack(*numbers, action.sampling_port, direction, b"")
    return form.encode(version, body)


def _sample_form(action: Sample) -> Form:
    if action.form > 2 or action.direction is not SampleDirection.DEFAULT:
        return _SAMPLE3
    return _SAMPLE2 if action.form > 1 or action.sampling_port != OFPP_NONE else _SAMPLE


# -- actions that say nothing but their name


def _debug_form(name: str, subtype: int, action: Ofpact) -> Form:
    def decode(_body: bytes, reading: Reading) -> Ofpact:
        if not reading.allows_debug:
            raise OpenFlowError("OFPBAC_BAD_VENDOR_TYPE")
        return action

    return Form(name, nicira(subtype), decode)


_EXIT = bare_form("NXAST_EXIT", nicira(17), Exit())
_CT_CLEAR = bare_form("NXAST_CT_CLEAR", nicira(43), CtClear())
_DEBUG_SLOW = _debug_form("NXAST_DEBUG_SLOW", 254, DebugSlow())
_DEBUG_RECIRC = _debug_form("NXAST_DEBUG_RECIRC", 255, DebugRecirc())


def _bare(form: Form) -> Encode:
    return lambda _action, version: form.encode(version)


FAMILY = Family(
    (
        _TUNNEL,
        _TUNNEL64,
        _FIN,
        _NOTE,
        _SAMPLE,
        _SAMPLE2,
        _SAMPLE3,
        _EXIT,
        _CT_CLEAR,
        _DEBUG_SLOW,
        _DEBUG_RECIRC,
    ),
    {
        SetTunnel: _encode_tunnel,
        FinTimeout: _encode_fin,
        Note: lambda action, version: _NOTE.encode(version, action.data),
        Sample: _encode_sample,
        Exit: _bare(_EXIT),
        CtClear: _bare(_CT_CLEAR),
        DebugSlow: _bare(_DEBUG_SLOW),
        DebugRecirc: _bare(_DEBUG_RECIRC),
    },
)

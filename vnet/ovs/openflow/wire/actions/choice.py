"""Actions that choose by a hash: ``bundle``, ``bundle_load`` and ``multipath``."""

from __future__ import annotations

import struct
from enum import Enum
from typing import TypeVar

from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_IN_PORT, OFPP_MAX
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Bundle,
    BundleAlgorithm,
    HashFields,
    Multipath,
    MultipathAlgorithm,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import Family, Form, nicira
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal
from vnet.ovs.openflow.wire.actions.writing import packed_bits, short_header

_EnumT = TypeVar("_EnumT", bound=Enum)


def _choice(kinds: type[_EnumT], number: int, what: str) -> _EnumT:
    """The member of this number; they stand in the order of their numbers."""
    members = tuple(kinds)
    if number >= len(members):
        raise _wrong(f"unsupported {what} {number}")
    return members[number]


def _wrong(text: str, module: str = "ofp_actions") -> OpenFlowError:
    return refusal("OFPBAC_BAD_ARGUMENT", text, module)


def _number(member: Enum) -> int:
    return tuple(type(member)).index(member)


# -- bundle

_BUNDLE_BODY = struct.Struct("!HHHIHHI4s")
_MAX_MEMBERS = 2048
_MEMBER_BYTES = 2
_MEMBER_TYPE = int.from_bytes(short_header(FIELDS["in_port"]), "big")
_LEAST_DESTINATION_BITS = 16


def _decode_bundle(body: bytes, reading: Reading) -> Bundle:
    return _read_bundle(body, reading, loads=False)


def _decode_bundle_load(body: bytes, reading: Reading) -> Bundle:
    return _read_bundle(body, reading, loads=True)


def _read_bundle(body: bytes, reading: Reading, *, loads: bool) -> Bundle:
    algorithm, fields, basis, member_type, n_members, bits, number, zeros = (
        _BUNDLE_BODY.unpack_from(body)
    )
    destination = reading.packed_part(number, bits) if loads else None
    n_bytes, n_needed = len(body) - _BUNDLE_BODY.size, _MEMBER_BYTES * n_members
    if n_bytes < n_needed:
        raise refusal(
            "OFPBAC_BAD_LEN",
            f"Nicira action {'bundle_load' if loads else 'bundle'} only has {n_bytes} bytes "
            f"allocated for members.  {n_needed} bytes are required for {n_members} members.",
        )
    hashed = _choice(HashFields, fields, "fields")
    chosen_by = _choice(BundleAlgorithm, algorithm, "algorithm")
    if destination is not None:
        # Open vSwitch does not look at the rest then.
        if destination.n_bits < _LEAST_DESTINATION_BITS:
            raise _wrong("bundle_load action requires at least 16 bit destination.")
    elif n_members > _MAX_MEMBERS:
        raise _wrong("too many members")
    elif member_type != _MEMBER_TYPE:
        raise _wrong(f"unsupported member type {member_type}")
    elif any(zeros):
        raise _wrong("reserved field is nonzero")
    elif bits or number:
        raise _wrong("bundle action has nonzero reserved fields")
    if destination is not None:
        reading.target(destination)
    members = struct.unpack_from(f"!{n_members}H", body, _BUNDLE_BODY.size)
    for member in members:
        _check_member(member)
    return Bundle(hashed, basis, chosen_by, members, destination)


def _check_member(member: int) -> None:
    if not (member < OFPP_MAX or member >= OFPP_IN_PORT):
        raise refusal("OFPBAC_BAD_OUT_PORT", f"invalid member {member}", "bundle")
    if member == OFPP_CONTROLLER:
        # There is no room to say how much of the packet it would be sent.
        raise refusal("OFPBAC_BAD_OUT_PORT", "unsupported controller member", "bundle")


_BUNDLE = Form("NXAST_BUNDLE", nicira(12), _decode_bundle, _BUNDLE_BODY.size, is_extensible=True)
_BUNDLE_LOAD = Form(
    "NXAST_BUNDLE_LOAD", nicira(13), _decode_bundle_load, _BUNDLE_BODY.size, is_extensible=True
)


def _encode_bundle(action: Bundle, version: OpenFlowVersion) -> bytes:
    destination, bits, number = action.destination, 0, 0
    if destination is not None:
        bits = packed_bits(destination)
        number = int.from_bytes(short_header(destination.field), "big")
    body = _BUNDLE_BODY.pack(
        _number(action.algorithm),
        _number(action.fields),
        action.basis,
        _MEMBER_TYPE,
        len(action.members),
        bits,
        number,
        b"",
    )
    form = _BUNDLE if destination is None else _BUNDLE_LOAD
    return form.encode(version, body + struct.pack(f"!{len(action.members)}H", *action.members))


# -- multipath

_MULTIPATH_BODY = struct.Struct("!HH2xHHI2xHI")


def _decode_multipath(body: bytes, reading: Reading) -> Multipath:
    fields, basis, algorithm, max_link, argument, bits, number = _MULTIPATH_BODY.unpack_from(body)
    destination = reading.packed_part(number, bits)
    hashed, chosen_by = (
        _choice(HashFields, fields, "fields"),
        _choice(MultipathAlgorithm, algorithm, "algorithm"),
    )
    n_bits = max_link.bit_length()
    if destination.n_bits < n_bits:
        raise _wrong(f"multipath action requires at least {n_bits} bits for {max_link + 1} links")
    return Multipath(hashed, basis, chosen_by, max_link, argument, reading.target(destination))


_MULTIPATH = Form("NXAST_MULTIPATH", nicira(10), _decode_multipath, _MULTIPATH_BODY.size)


def _encode_multipath(action: Multipath, version: OpenFlowVersion) -> bytes:
    body = _MULTIPATH_BODY.pack(
        _number(action.fields),
        action.basis,
        _number(action.algorithm),
        action.max_link,
        action.argument,
        packed_bits(action.destination),
        int.from_bytes(short_header(action.destination.field), "big"),
    )
    return _MULTIPATH.encode(version, body)


FAMILY = Family(
    (_BUNDLE, _BUNDLE_LOAD, _MULTIPATH), {Bundle: _encode_bundle, Multipath: _encode_multipath}
)

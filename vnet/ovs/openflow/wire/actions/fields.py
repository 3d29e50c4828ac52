"""``set_field`` and ``load``: a value into a field.

OpenFlow 1.2 brought ``set_field`` for whole fields, and 1.5 one with a mask. Open vSwitch's own
``load`` writes at most 64 bits in a row; before 1.5 it stands in for what ``set_field`` cannot say.
"""

from __future__ import annotations

import struct

from vnet.ovs.flow.field import has_short_header
from vnet.ovs.flow.fields import FIELDS, Field, Subfield
from vnet.ovs.flow.flow import CFI
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import SetField
from vnet.ovs.openflow.text.actions.fields import load_parts
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import (
    OF10,
    OF12,
    OF14,
    OF15,
    Form,
    must_be_zero,
    nicira,
    standard,
)
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal
from vnet.ovs.openflow.wire.actions.writing import (
    field_with_value,
    packed_bits,
    short_header,
)

_LOAD_BODY = struct.Struct("!HIQ")
_LEAST_SET_BYTES = 4
_LEAST_LOAD2_BYTES = 6
_PRESENT = CFI
"""The bit of ``vlan_vid`` that says that there is a tag at all (OFPVID_PRESENT)."""


# -- reading


def _decode_set_field(body: bytes, reading: Reading) -> SetField:
    field, value, mask, end = reading.field_with_value(body)
    if mask is None:
        mask = field.ones
    elif reading.version < OF15:
        raise OpenFlowError("OFPBAC_BAD_SET_MASK")
    must_be_zero(body[end:], "OFPBAC_BAD_SET_ARGUMENT")
    if field.name == "in_port_oxm":
        raise OpenFlowError("OFPBAC_BAD_SET_ARGUMENT")
    reading.check_writable(field)
    if not _is_settable(field, value, mask):
        text = f"Invalid value for set field {field.name}: {field.format(value)}"
        raise refusal("OFPBAC_BAD_SET_ARGUMENT", text)
    return SetField(field, value, mask)


def _is_settable(field: Field, value: int, mask: int) -> bool:
    if field.name == "vlan_vid" and not value & mask & _PRESENT:
        return False
    return field.is_value_valid(value)


def _decode_load(body: bytes, reading: Reading) -> SetField:
    bits, number, value = _LOAD_BODY.unpack_from(body)
    part = reading.target(reading.packed_part(number, bits))
    if value > part.ones:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetField(part.field, value << part.offset, part.mask, is_load=True)


def _decode_load2(body: bytes, reading: Reading) -> SetField:
    field, value, mask, end = reading.field_with_value(body)
    must_be_zero(body[end:], "OFPBAC_BAD_SET_ARGUMENT")
    reading.check_writable(field)
    return SetField(field, value, field.ones if mask is None else mask, form=2)


_SET_FIELD = Form(
    "OFPAT_SET_FIELD", standard(25, OF12), _decode_set_field, _LEAST_SET_BYTES, is_extensible=True
)
_LOAD = Form("NXAST_REG_LOAD", nicira(7, OF10, OF14), _decode_load, _LOAD_BODY.size)
_LOAD2 = Form(
    "NXAST_REG_LOAD2",
    nicira(33, OF10, OF14),
    _decode_load2,
    _LEAST_LOAD2_BYTES,
    is_extensible=True,
)


# -- writing


def set_whole_field(name: str, value: int, version: OpenFlowVersion) -> bytes:
    """``set_field:VALUE->NAME``, since OpenFlow 1.2."""
    field = FIELDS[name]
    return _SET_FIELD.encode(version, field_with_value(field, value, field.ones, version))


def load_whole_field(name: str, value: int, version: OpenFlowVersion) -> bytes:
    """``load:VALUE->NAME[]``, up to OpenFlow 1.4."""
    return _encode_load(Subfield.whole(FIELDS[name]), value, version)


def encode_loads(action: SetField, version: OpenFlowVersion) -> bytes:
    """A ``load`` for each run of bits; or one action for all of them, if the field has no header
    of 32 bits or came in such an action.
    """
    field = action.field
    if action.form > 1 or not has_short_header(field) or field.is_tun_metadata:
        return _LOAD2.encode(version, field_with_value(field, action.value, action.mask))
    return b"".join(_encode_load(part, value, version) for part, value in load_parts(action))


def _encode_load(part: Subfield, value: int, version: OpenFlowVersion) -> bytes:
    number = int.from_bytes(short_header(part.field), "big")
    return _LOAD.encode(version, _LOAD_BODY.pack(packed_bits(part), number, value))


def encode_set_field(action: SetField, version: OpenFlowVersion) -> bytes:
    """``set_field``, masked if it is; of OpenFlow 1.2 and later."""
    body = field_with_value(action.field, action.value, action.mask, version)
    return _SET_FIELD.encode(version, body)


FORMS = (_SET_FIELD, _LOAD, _LOAD2)

"""How a group chooses a bucket: Netronome's property of groups."""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import GroupMod, GroupModCommand, GroupType
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.oxm import put_field, take_field
from vnet.ovs.openflow.wire.parts.properties import (
    Property,
    experimenter_type,
    properties,
    put,
    refuse_unknown,
)
from vnet.ovs.openflow.wire.parts.strings import fixed_text

_METHOD = struct.Struct("!4x16sQ")
_NAME_BYTES = 16

_NETRONOME = experimenter_type(0x0000154D, 1)
_NETRONOME_BEFORE = experimenter_type(0x00001540, 1)
"""What Open vSwitch 2.4 took for Netronome's number."""

_KNOWN = ("hash", "dp_hash")
_WITH_METHOD = (GroupModCommand.ADD, GroupModCommand.MODIFY, GroupModCommand.ADD_OR_MODIFY)


class SelectionMethod(NamedTuple):
    """A group's method, as in :class:`GroupMod`."""

    name: str = ""
    param: int = 0
    fields: tuple[tuple[str, int], ...] = ()


def encode_selection_method(mod: GroupMod, version: OpenFlowVersion) -> bytes:
    """The property, or nothing where there is no method. Of a field the value is what it is masked
    with."""
    if not mod.selection_method:
        return b""
    masks = dict(mod.fields)
    fields = b"".join(
        put_field(field, masks[field.name], None, version)
        for field in FIELDS.values()
        if field.name in masks
    )
    name = fixed_text(mod.selection_method, _NAME_BYTES)
    return put(_NETRONOME, _METHOD.pack(name, mod.selection_method_param) + fields)


def decode_group_properties(
    data: bytes, group_type: GroupType | None, command: GroupModCommand | None
) -> SelectionMethod:
    """What a group's properties say; unknown types and commands are None. Raises
    :class:`OpenFlowError`."""
    method = SelectionMethod()
    for one in properties(data):
        if one.type not in (_NETRONOME, _NETRONOME_BEFORE):
            raise refuse_unknown(one.type, "ofp_group", "group")
        method = _decode(one, group_type, command)
    return method


def _decode(
    one: Property, group_type: GroupType | None, command: GroupModCommand | None
) -> SelectionMethod:
    if group_type is None:
        raise OpenFlowError("OFPGMFC_BAD_TYPE")
    if group_type is not GroupType.SELECT:
        raise _bad_value("ntr selection method property is only allowed for select groups")
    if command is None:
        raise OpenFlowError("OFPGMFC_BAD_COMMAND")
    if command not in _WITH_METHOD:
        raise _bad_value(
            "ntr selection method property is only allowed for add and delete group modifications"
        )
    if len(one.value) < _METHOD.size:
        text = f"ntr selection method property length {len(one.raw)} is not valid"
        raise OpenFlowError("OFPBPC_BAD_LEN", warning=("ofp_group", text))
    name, param = _METHOD.unpack_from(one.value)
    if 0 not in name:
        raise _bad_value("ntr selection method is not null terminated")
    method = name.partition(b"\0")[0].decode("latin-1")
    if method not in _KNOWN:
        raise _bad_value(f"ntr selection method '{method}' is not supported")
    fields = one.value[_METHOD.size :]
    if fields and method != "hash":
        raise _bad_value(f"ntr selection method {method} does not support fields")
    return SelectionMethod(method, param, _decode_fields(fields))


def _decode_fields(data: bytes) -> tuple[tuple[str, int], ...]:
    masks: dict[str, int] = {}
    offset = 0
    while offset < len(data):
        try:
            field, value, mask, offset = take_field(data, offset, len(data))
        except OpenFlowError as error:
            raise _bad_fields(error.name) from None
        if mask is not None:
            raise _bad_fields("OFPBMC_BAD_MASK")
        if field.name in masks:
            raise _bad_fields("OFPBMC_DUP_FIELD")
        if not field.is_mask_valid(value):
            raise _bad_fields("OFPBMC_BAD_MASK")
        masks[field.name] = value
    return tuple(
        (field.name, masks[field.name]) for field in FIELDS.values() if field.name in masks
    )


def _bad_fields(name: str) -> OpenFlowError:
    return OpenFlowError(name, warning=("ofp_group", "ntr selection method fields are invalid"))


def _bad_value(text: str) -> OpenFlowError:
    return OpenFlowError("OFPBPC_BAD_VALUE", warning=("ofp_group", text))

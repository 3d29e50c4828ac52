"""Groups as they are changed and described. 1.0 has them by Nicira, who writes them as 1.5 does."""

from __future__ import annotations

import struct

from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    BUCKET_ALL,
    BUCKET_FIRST,
    BUCKET_LAST,
    BUCKET_MAX,
    GROUP_ANY,
    Bucket,
    GroupMod,
    GroupModCommand,
    GroupType,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.group.buckets import (
    decode_buckets11,
    decode_buckets15,
    encode_buckets11,
    encode_buckets15,
)
from vnet.ovs.openflow.wire.group.selection_method import (
    SelectionMethod,
    decode_group_properties,
    encode_selection_method,
)
from vnet.ovs.openflow.wire.kinds import NXST_GROUP_DESC_REPLY, OFPST_GROUP_DESC_REPLY
from vnet.ovs.openflow.wire.packing import room_for_entries

_ADD, _MODIFY, _ADD_OR_MODIFY, _DELETE, _INSERT_BUCKET, _REMOVE_BUCKET = GroupModCommand

_MOD11 = struct.Struct("!HBxI")
_MOD15 = struct.Struct("!HBxIH2xI")
_DESC11 = struct.Struct("!HBxI")
_DESC15 = struct.Struct("!HBxIH6x")

_COMMANDS = {
    0: _ADD,
    1: _MODIFY,
    2: _DELETE,
    3: _INSERT_BUCKET,
    5: _REMOVE_BUCKET,
    0x8000: _ADD_OR_MODIFY,
}
_COMMAND_NUMBERS = {command: number for number, command in _COMMANDS.items()}
_TYPES = tuple(GroupType)
_MOST_BYTES = 0xFFFF


def has_numbered_buckets(version: OpenFlowVersion) -> bool:
    """Whether groups look as in 1.5."""
    return version in (OpenFlowVersion.OF10, OpenFlowVersion.OF15)


def encode_group_mod(mod: GroupMod, version: OpenFlowVersion) -> bytes:
    """The body of an OFPT_GROUP_MOD, or of NXT_GROUP_MOD in 1.0. Raises :class:`OpenFlowError`
    where no message has room for it.
    """
    command, kind = _COMMAND_NUMBERS[mod.command], _TYPES.index(mod.type)
    if not has_numbered_buckets(version):
        return _MOD11.pack(command, kind, mod.group_id) + encode_buckets11(mod.buckets, version)
    buckets = encode_buckets15(mod.buckets, mod.type, version)
    if len(buckets) > _MOST_BYTES:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    head = _MOD15.pack(command, kind, mod.group_id, len(buckets), mod.command_bucket_id)
    return head + buckets + encode_selection_method(mod, version)


def decode_group_mod(
    body: bytes,
    version: OpenFlowVersion,
    *,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> GroupMod:
    """The other way round. Raises :class:`OpenFlowError`."""
    place, method = BUCKET_ALL, SelectionMethod()
    if has_numbered_buckets(version):
        number, kind, group_id, buckets_bytes, place = _MOD15.unpack_from(body)
        command, group_type = _COMMANDS.get(number), _type(kind)
        _check_place(command, place)
        end = _MOD15.size + buckets_bytes
        if end > len(body):
            raise OpenFlowError("OFPBRC_BAD_LEN")
        buckets = decode_buckets15(
            body[_MOD15.size : end],
            group_type is GroupType.SELECT,
            version,
            allows_debug=allows_debug,
            openflow_full=openflow_full,
        )
        method = decode_group_properties(body[end:], group_type, command)
    else:
        number, kind, group_id = _MOD11.unpack_from(body)
        command, group_type = _COMMANDS.get(number), _type(kind)
        buckets = decode_buckets11(
            body[_MOD11.size :],
            version,
            allows_debug=allows_debug,
            openflow_full=openflow_full,
        )
        if command is _DELETE and buckets and version >= OpenFlowVersion.OF13:
            raise OpenFlowError("OFPGMFC_INVALID_GROUP")
    group_type, command = _check(group_type, command, buckets)
    return GroupMod(
        *(command, group_id, group_type, buckets, place),
        selection_method=method.name,
        selection_method_param=method.param,
        fields=method.fields,
    )


def _type(number: int) -> GroupType | None:
    return _TYPES[number] if number < len(_TYPES) else None


def _check_place(command: GroupModCommand | None, place: int) -> None:
    """Which bucket a command is about."""
    is_one = place <= BUCKET_MAX or place in (BUCKET_FIRST, BUCKET_LAST)
    is_all = place == BUCKET_ALL
    if command is _INSERT_BUCKET:
        is_right = is_one
    elif command is _REMOVE_BUCKET:
        is_right = is_one or is_all
    else:
        is_right = is_all
    if not is_right:
        text = f"group command bucket id ({place}) is out of range"
        raise OpenFlowError("OFPGMFC_BAD_BUCKET", warning=("ofp_group", text))


def _check(
    group_type: GroupType | None, command: GroupModCommand | None, buckets: tuple[Bucket, ...]
) -> tuple[GroupType, GroupModCommand]:
    """What a group may not be, whatever there is already."""
    if group_type is GroupType.INDIRECT and command is not _DELETE and len(buckets) != 1:
        raise OpenFlowError("OFPGMFC_INVALID_GROUP")
    if group_type is None:
        raise OpenFlowError("OFPGMFC_BAD_TYPE")
    if command is None:
        raise OpenFlowError("OFPGMFC_BAD_COMMAND")
    if command is _REMOVE_BUCKET and buckets:
        raise OpenFlowError("OFPGMFC_BAD_BUCKET")
    for bucket in buckets:
        if bucket.weight and group_type is not GroupType.SELECT and command is not _INSERT_BUCKET:
            raise OpenFlowError("OFPGMFC_INVALID_GROUP")
        watches = bucket.watch_port != OFPP_NONE or bucket.watch_group != GROUP_ANY
        if watches and group_type in (GroupType.ALL, GroupType.INDIRECT):
            raise OpenFlowError("OFPGMFC_WATCH_UNSUPPORTED")
        if not watches and group_type is GroupType.FAST_FAILOVER:
            raise OpenFlowError("OFPGMFC_INVALID_GROUP")
    return group_type, command


def encode_group_desc(group: GroupMod, version: OpenFlowVersion) -> bytes:
    """An entry of a reply to OFPST_GROUP_DESC, of a group as a request would make it; nothing
    where no message has room for it: buckets may be added one by one.
    """
    try:
        return _encode_desc(group, version)
    except OpenFlowError:
        return b""


def _encode_desc(group: GroupMod, version: OpenFlowVersion) -> bytes:
    kind = _TYPES.index(group.type)
    if not has_numbered_buckets(version):
        buckets = encode_buckets11(group.buckets, version)
        n_bytes = _checked(_DESC11.size + len(buckets), version)
        return _DESC11.pack(n_bytes, kind, group.group_id) + buckets
    buckets = encode_buckets15(group.buckets, group.type, version)
    method = encode_selection_method(group, version)
    n_bytes = _checked(_DESC15.size + len(buckets) + len(method), version)
    return _DESC15.pack(n_bytes, kind, group.group_id, len(buckets)) + buckets + method


def _checked(n_bytes: int, version: OpenFlowVersion) -> int:
    kind = NXST_GROUP_DESC_REPLY if version is OpenFlowVersion.OF10 else OFPST_GROUP_DESC_REPLY
    if n_bytes > room_for_entries(kind, version):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return n_bytes


def decode_group_descs(body: bytes, version: OpenFlowVersion) -> tuple[GroupMod, ...]:
    """All entries of a reply, as requests that make such groups. Raises :class:`OpenFlowError`."""
    layout = _DESC15 if has_numbered_buckets(version) else _DESC11
    groups, offset = [], 0
    while offset < len(body):
        room_bytes = len(body) - offset
        if room_bytes < layout.size:
            raise _bad_reply(f"has {room_bytes} leftover bytes at end")
        n_bytes, kind, group_id, *lengths = layout.unpack_from(body, offset)
        if not layout.size <= n_bytes <= room_bytes:
            raise _bad_reply(f"claims invalid length {n_bytes}")
        data = body[offset + layout.size : offset + n_bytes]
        groups.append(_decode_desc(data, group_id, _type(kind), lengths, version))
        offset += n_bytes
    return tuple(groups)


def _decode_desc(
    data: bytes,
    group_id: int,
    group_type: GroupType | None,
    lengths: list[int],
    version: OpenFlowVersion,
) -> GroupMod:
    method = SelectionMethod()
    if lengths:
        (buckets_bytes,) = lengths
        if buckets_bytes > len(data):
            raise _bad_reply(f"claims invalid bucket list length {buckets_bytes}")
        is_select = group_type is GroupType.SELECT
        buckets = decode_buckets15(data[:buckets_bytes], is_select, version, openflow_full=True)
        method = decode_group_properties(data[buckets_bytes:], group_type, _ADD)
    else:
        buckets = decode_buckets11(data, version, openflow_full=True)
    if group_type is None:
        raise OpenFlowError("OFPGMFC_BAD_TYPE")
    return GroupMod(
        *(_ADD, group_id, group_type, buckets),
        selection_method=method.name,
        selection_method_param=method.param,
        fields=method.fields,
    )


def _bad_reply(text: str) -> OpenFlowError:
    warning = ("ofp_group", f"OFPST11_GROUP_DESC reply {text}")
    return OpenFlowError("OFPBRC_BAD_LEN", warning=warning)

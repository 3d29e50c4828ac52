"""Groups as text: reading what ``ovs-ofctl`` takes for GROUP (ovs-ofctl(8), "Group Syntax")."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS, Field, field_by_name
from vnet.ovs.flow.names import NO_NAMES, Names, parse_port
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_MAX, OFPP_NONE, OfpPort
from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY, P_OF15_UP
from vnet.ovs.flow.tokens import key_values, next_pair, parse_u16, parse_u32, parse_u64
from vnet.ovs.openflow.messages import (
    BUCKET_ALL,
    BUCKET_FIRST,
    BUCKET_LAST,
    BUCKET_MAX,
    GROUP_ALL,
    GROUP_ANY,
    GROUP_MAX,
    Bucket,
    GroupMod,
    GroupModCommand,
    GroupType,
)
from vnet.ovs.openflow.text.actions import parse_actions
from vnet.ovs.openflow.text.command import take_command
from vnet.ovs.openflow.text.sending import group_as_sent, protocol_for

_ADD, _MODIFY, _ADD_OR_MODIFY, _DELETE, _INSERT_BUCKET, _REMOVE_BUCKET = GroupModCommand
_WITH_TYPE = (_ADD, _MODIFY, _ADD_OR_MODIFY)
_WITH_BUCKETS = (*_WITH_TYPE, _INSERT_BUCKET)
_OF_BUCKETS = (_INSERT_BUCKET, _REMOVE_BUCKET)

_TYPES = {group_type.value: group_type for group_type in GroupType}
_TYPES["fast_failover"] = GroupType.FAST_FAILOVER
_BUCKET_PLACES = {"all": BUCKET_ALL, "first": BUCKET_FIRST, "last": BUCKET_LAST}
_MAX_METHOD_BYTES = 15
_WITH_METHOD = P_OF10_ANY | P_OF15_UP
"""The protocols that know numbered buckets and methods of selection."""


class ReadGroup(NamedTuple):
    """A group that was read, and the protocols (``vnet.ovs.flow.protocols``) that can say it."""

    mod: GroupMod
    usable: int


def parse_group(
    text: str, command: GroupModCommand | None, names: Names = NO_NAMES, allowed: int = P_ANY
) -> GroupMod:
    """What a switch receives when ``ovs-ofctl`` is given a group.

    ``command`` None lets the text begin with one, as lines of files may; without one it is an
    addition. ``allowed`` are the protocols to send by, as ``-O`` says. Raises
    :class:`OvsTextError` for what the client refuses and :class:`OpenFlowError` for what the
    switch does.
    """
    mod, usable = read_group(text, command, names)
    protocol = protocol_for(usable, allowed)
    return group_as_sent(mod, protocol, openflow_full=names.openflow_full)


def read_group(text: str, command: GroupModCommand | None, names: Names = NO_NAMES) -> ReadGroup:
    """What the client makes of a group (parse_ofp_group_mod_str); as :func:`parse_group`."""
    if command is None:
        command, text = take_command(text, _COMMANDS)
    if command is _DELETE and not text:
        return ReadGroup(GroupMod(command, GROUP_ALL), P_ANY)
    reader = _Reader(command, names)
    head, *buckets = text.split("bucket=")
    if buckets and command not in _WITH_BUCKETS:
        raise OvsTextError("bucket is not needed")
    for name, value in key_values(head):
        reader.read(name, value)
    reader.check()
    return reader.finish([reader.read_bucket(bucket) for bucket in buckets])


_COMMANDS = (_ADD, _DELETE, _MODIFY, _ADD_OR_MODIFY, _INSERT_BUCKET, _REMOVE_BUCKET)
"""In the order in which an abbreviation is tried."""


class _Reader:
    """One group in the reading."""

    def __init__(self, command: GroupModCommand, names: Names) -> None:
        self.command = command
        self.names = names
        self.usable = _WITH_METHOD if command in _OF_BUCKETS else P_ANY
        self.group_id = GROUP_ANY
        self.type: GroupType | None = None
        self.command_bucket_id: int | None = None
        self.selection_method = ""
        self.selection_method_param = 0
        self.fields: dict[Field, int] = {}

    def read(self, name: str, value: str) -> None:
        """One ``name=value`` before the buckets."""
        keyword = _KEYWORDS.get(name)
        if keyword is None:
            raise OvsTextError(f"unknown keyword {name}")
        if self.command not in keyword.commands:
            raise OvsTextError(keyword.refusal)
        keyword.read(self, value)

    def check(self) -> None:
        """Raise if what came before the buckets is not enough, or too much."""
        if self.group_id == GROUP_ANY:
            raise OvsTextError("must specify a group_id")
        if self.command in _WITH_TYPE and self.type is None:
            raise OvsTextError("must specify a type")
        if self.selection_method != "hash" and self.fields:
            raise OvsTextError('fields may only be specified with "selection_method=hash"')
        if not self.selection_method and self.selection_method_param:
            raise OvsTextError('selection_method_param is only allowed with "selection_method"')
        if self.command is _INSERT_BUCKET and self.command_bucket_id is None:
            raise OvsTextError("must specify a command bucket id")

    def read_bucket(self, text: str) -> Bucket:
        """What follows one ``bucket=``."""
        settings: dict[str, int] = {}
        actions = []
        for key, value in key_values(text):
            read = _BUCKET_SETTINGS.get(key.lower())
            if read is not None:
                settings[key.lower()] = read(value, self.names)
            elif key.lower() in ("action", "actions"):
                actions.append(value)
            else:
                actions.append(f"{key}({value})")
        if not actions:
            raise OvsTextError("bucket must specify actions")
        return self._bucket(settings, ",".join(actions))

    def _bucket(self, settings: dict[str, int], actions_text: str) -> Bucket:
        watches = (
            settings.get("watch_port", OFPP_NONE) != OFPP_NONE
            or settings.get("watch_group", GROUP_ANY) != GROUP_ANY
        )
        if self.type is GroupType.FAST_FAILOVER and not watches:
            raise OvsTextError("fast failover bucket requires watch_port or watch_group")
        # What is read of the actions takes the place of all that was known before, as it does
        # in Open vSwitch.
        actions, self.usable = parse_actions(actions_text, self.names)
        bucket = Bucket(
            settings.get("bucket_id", BUCKET_ALL),
            actions,
            settings.get("weight", 1 if self.type is GroupType.SELECT else 0),
            OfpPort(settings.get("watch_port", OFPP_NONE)),
            settings.get("watch_group", GROUP_ANY),
        )
        if (
            bucket.weight
            and self.type is not GroupType.SELECT
            and self.command is not _INSERT_BUCKET
        ):
            raise OvsTextError("Only select groups can have bucket weights.")
        return bucket

    def finish(self, buckets: list[Bucket]) -> ReadGroup:
        """The whole."""
        if self.type is GroupType.INDIRECT and len(buckets) > 1:
            raise OvsTextError("Indirect groups can have at most one bucket.")
        place = self.command_bucket_id
        mod = GroupMod(
            self.command,
            self.group_id,
            self.type or GroupType.ALL,
            tuple(buckets),
            BUCKET_ALL if place is None else place,
            self.selection_method,
            self.selection_method_param,
            tuple(
                (field.name, self.fields[field])
                for field in FIELDS.values()
                if field in self.fields
            ),
        )
        return ReadGroup(mod, self.usable)


# -- settings of a group


def _read_group_id(reader: _Reader, value: str) -> None:
    if value == "all":
        reader.group_id = GROUP_ALL
        return
    reader.group_id = parse_u32(value)
    if reader.group_id != GROUP_ALL and reader.group_id > GROUP_MAX:
        raise OvsTextError(f"invalid group id {reader.group_id}")


def _read_type(reader: _Reader, value: str) -> None:
    if value not in _TYPES:
        raise OvsTextError(f"invalid group type {value}")
    reader.type = _TYPES[value]


def _read_command_bucket_id(reader: _Reader, value: str) -> None:
    place = _BUCKET_PLACES.get(value)
    if place is None:
        place = parse_u32(value)
        if place > BUCKET_MAX and place not in _BUCKET_PLACES.values():
            raise OvsTextError(f"invalid command bucket id {place}")
    if place == BUCKET_ALL and reader.command is not _REMOVE_BUCKET:
        raise OvsTextError("command_bucket_id=all is not permitted")
    reader.command_bucket_id = place


def _read_selection_method(reader: _Reader, value: str) -> None:
    if len(value.encode()) > _MAX_METHOD_BYTES:
        raise OvsTextError(f"selection method is longer than {_MAX_METHOD_BYTES} bytes long")
    reader.selection_method = value
    reader.usable &= _WITH_METHOD


def _read_selection_method_param(reader: _Reader, value: str) -> None:
    reader.selection_method_param = parse_u64(value)
    reader.usable &= _WITH_METHOD


def _read_fields(reader: _Reader, text: str) -> None:
    """Names of fields, each alone or with a mask as its value."""
    at = 0
    while True:
        name, value, at = next_pair(text, at)
        if at < 0:
            break
        # Some of the sentences quote what follows, not what is wrong.
        rest = text[at:]
        field = field_by_name(name)
        if field is None:
            raise OvsTextError(f"{rest}: unknown field {name}")
        if field in reader.fields:
            raise OvsTextError(f"{name}: duplicate field")
        mask = field.ones if not value else _parse_mask(field, value, rest, reader.names)
        reader.fields[field] = mask
        is_exact = mask == field.ones
        reader.usable &= field.usable_exact if is_exact else field.usable_masked(mask)
    reader.usable &= _WITH_METHOD


def _parse_mask(field: Field, text: str, rest: str, names: Names) -> int:
    mask = field.parse_exact(text, names)
    if not mask and not field.is_tun_metadata:
        raise OvsTextError(f"{rest}: values are wildcards here and must not be all-zeros")
    if not field.is_mask_valid(mask):
        raise OvsTextError(f"{text}: invalid mask for field {field.name}")
    return mask


class _Keyword(NamedTuple):
    read: Callable[[_Reader, str], None]
    refusal: str = ""
    commands: tuple[GroupModCommand, ...] = _WITH_TYPE


_KEYWORDS: dict[str, _Keyword] = {
    "command_bucket_id": _Keyword(
        _read_command_bucket_id, "command bucket id is not needed", _OF_BUCKETS
    ),
    "group_id": _Keyword(_read_group_id, commands=tuple(GroupModCommand)),
    "type": _Keyword(_read_type, "type is not needed"),
    "selection_method": _Keyword(_read_selection_method, "selection method is not needed"),
    "selection_method_param": _Keyword(
        _read_selection_method_param, "selection method param is not needed"
    ),
    "fields": _Keyword(_read_fields, "fields are not needed"),
}
"""The keywords before the buckets, and what commands that do not know one say."""


# -- settings of a bucket


def _read_weight(value: str, _: Names) -> int:
    return parse_u16(value, "weight")


def _read_watch_port(value: str, names: Names) -> int:
    port = parse_port(value, names)
    if port is None or (port >= OFPP_MAX and port not in (OFPP_NONE, OFPP_CONTROLLER)):
        raise OvsTextError(f"{value}: invalid watch_port")
    return port


def _read_watch_group(value: str, _: Names) -> int:
    group_id = parse_u32(value)
    if group_id > GROUP_MAX:
        raise OvsTextError(f"invalid watch_group id {group_id}")
    return group_id


def _read_bucket_id(value: str, _: Names) -> int:
    bucket_id = parse_u32(value)
    if bucket_id > BUCKET_MAX:
        raise OvsTextError(f"invalid bucket_id id {bucket_id}")
    return bucket_id


_BUCKET_SETTINGS: dict[str, Callable[[str, Names], int]] = {
    "weight": _read_weight,
    "watch_port": _read_watch_port,
    "watch_group": _read_watch_group,
    "bucket_id": _read_bucket_id,
}

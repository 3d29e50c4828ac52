"""Groups as ``ovs-ofctl`` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.names import NO_NAMES, Names, port_text
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.openflow.messages import (
    BUCKET_ALL,
    BUCKET_FIRST,
    BUCKET_LAST,
    GROUP_ANY,
    Bucket,
    GroupMod,
    GroupModCommand,
    GroupType,
)
from vnet.ovs.openflow.text.actions import actions_text
from vnet.ovs.openflow.version import OpenFlowVersion

_COMMAND_WORDS = {
    GroupModCommand.ADD: "ADD",
    GroupModCommand.MODIFY: "MOD",
    GroupModCommand.ADD_OR_MODIFY: "ADD_OR_MOD",
    GroupModCommand.DELETE: "DEL",
    GroupModCommand.INSERT_BUCKET: "INSERT_BUCKET",
    GroupModCommand.REMOVE_BUCKET: "REMOVE_BUCKET",
}
_OF_BUCKETS = (GroupModCommand.INSERT_BUCKET, GroupModCommand.REMOVE_BUCKET)
_BUCKET_PLACES = {BUCKET_FIRST: "first", BUCKET_LAST: "last", BUCKET_ALL: "all"}


def group_text(
    mod: GroupMod, names: Names = NO_NAMES, version: OpenFlowVersion = OpenFlowVersion.OF15
) -> str:
    """A group as ``dump-groups`` lists it, and as it can be added; ``version`` is that of the
    connection, since some have no bucket numbers.
    """
    return ",".join([_heading(mod, has_type=True), *_buckets(mod, names, version)])


def group_message_text(mod: GroupMod, version: OpenFlowVersion, names: Names = NO_NAMES) -> str:
    """A change of groups as ``parse-group`` prints one that it would send, after the message's
    type: ``ADD group_id=1,type=all,bucket=...``.
    """
    is_of_buckets = mod.command in _OF_BUCKETS
    place = ""
    if is_of_buckets and _has_bucket_ids(version):
        place = f"command_bucket_id:{_bucket_id_text(mod.command_bucket_id)},"
    heading = _heading(mod, has_type=not is_of_buckets)
    text = ",".join([heading, *_buckets(mod, names, version)])
    return f"{_COMMAND_WORDS[mod.command]} {place}{text}"


def _heading(mod: GroupMod, *, has_type: bool) -> str:
    text = f"group_id={mod.group_id}"
    if has_type:
        text += f",type={mod.type.value}"
    if mod.selection_method:
        text += f",selection_method={mod.selection_method}"
        if mod.selection_method_param:
            text += f",selection_method_param={mod.selection_method_param}"
        fields = fields_text(mod.fields)
        if len(mod.fields) == 1:
            text += f",fields={fields}"
        elif mod.fields:
            text += f",fields({fields})"
    return text


def fields_text(fields: Sequence[tuple[str, int]]) -> str:
    """What a hash looks at: names, with their masks unless those are all ones."""
    return ",".join(_field_text(name, mask) for name, mask in fields)


def _field_text(name: str, mask: int) -> str:
    field = FIELDS[name]
    return name if mask == field.ones else f"{name}={field.format(mask)}"


def _buckets(mod: GroupMod, names: Names, version: OpenFlowVersion) -> Iterator[str]:
    for bucket in mod.buckets:
        settings = "".join(f"{setting}," for setting in _settings(bucket, mod.type, names, version))
        yield f"bucket={settings}actions={actions_text(bucket.actions, names)}"


def _settings(
    bucket: Bucket, group_type: GroupType, names: Names, version: OpenFlowVersion
) -> Iterator[str]:
    if _has_bucket_ids(version):
        yield f"bucket_id:{_bucket_id_text(bucket.bucket_id)}"
    if bucket.weight != (1 if group_type is GroupType.SELECT else 0):
        yield f"weight:{bucket.weight}"
    if bucket.watch_port != OFPP_NONE:
        yield f"watch_port:{port_text(bucket.watch_port, names)}"
    if bucket.watch_group != GROUP_ANY:
        yield f"watch_group:{bucket.watch_group}"


def _has_bucket_ids(version: OpenFlowVersion) -> bool:
    return version in (OpenFlowVersion.OF10, OpenFlowVersion.OF15)


def _bucket_id_text(bucket_id: int) -> str:
    return _BUCKET_PLACES.get(bucket_id) or str(bucket_id)

"""Requests of one controller that others are told of (OFPT_REQUESTFORWARD): the message itself."""

from __future__ import annotations

from dataclasses import replace

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import Bucket, GroupMod, GroupModCommand, MeterMod
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.bundle import inner_message
from vnet.ovs.openflow.wire.group.group_mod import encode_group_mod, has_numbered_buckets
from vnet.ovs.openflow.wire.kinds import (
    NXT_GROUP_MOD,
    NXT_REQUESTFORWARD,
    OFPT_GROUP_MOD,
    OFPT_METER_MOD,
    OFPT_REQUESTFORWARD,
    ONFT_REQUESTFORWARD,
)
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.meter import encode_meter_mod
from vnet.ovs.openflow.wire.packing import pack, room_for_entries

Buckets = tuple[Bucket, ...]

_KINDS = (NXT_REQUESTFORWARD, ONFT_REQUESTFORWARD, OFPT_REQUESTFORWARD)
_OF_BUCKETS = (GroupModCommand.INSERT_BUCKET, GroupModCommand.REMOVE_BUCKET)


def decode_request_forward(outer: Message, offset: int) -> Message:
    """The request; the body of the message starts at ``offset``. Raises :class:`OpenFlowError`."""
    return inner_message(outer.raw, offset, outer.version, "OFPBRC_BAD_VERSION")


def encode_request_forward(
    request: GroupMod | MeterMod, xid: int, version: OpenFlowVersion, buckets: Buckets = ()
) -> bytes:
    """The message about a request that had the number ``xid``.

    Before 1.5 there are no commands for single buckets: the group is said to be modified to what
    it came to be, ``buckets``. Empty where that is longer than a message.
    """
    if isinstance(request, MeterMod):
        kind, body = OFPT_METER_MOD, encode_meter_mod(request)
    else:
        if not has_numbered_buckets(version) and request.command in _OF_BUCKETS:
            request = replace(request, command=GroupModCommand.MODIFY, buckets=buckets)
        kind = NXT_GROUP_MOD if version is OpenFlowVersion.OF10 else OFPT_GROUP_MOD
        try:
            body = encode_group_mod(request, version)
        except OpenFlowError:
            return b""
    outer = next(kind for kind in _KINDS if version in kind.numberings)
    inner_bytes = kind.numberings[version].offset + len(body)
    if inner_bytes > room_for_entries(outer, version):
        return b""
    return pack(outer, version, 0, pack(kind, version, xid, body))

"""What is told of flows that are watched, and that telling pauses. See
:mod:`~vnet.ovs.openflow.wire.flow.monitor_request`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowUpdate, FlowUpdateEvent
from vnet.ovs.openflow.ofpacts import (
    ClearActions,
    GotoTable,
    Meter,
    Ofpacts,
    WriteActions,
    WriteMetadata,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import (
    decode_actions,
    decode_instructions,
    encode_actions,
    encode_instructions,
)
from vnet.ovs.openflow.wire.flow.parts import put_nxm, take_nxm
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import (
    NXST_FLOW_MONITOR_REPLY,
    NXT_FLOW_MONITOR_PAUSED,
    NXT_FLOW_MONITOR_RESUMED,
    OFPST_FLOW_MONITOR_REPLY,
    ONFST_FLOW_MONITOR_REPLY,
    ONFT_FLOW_MONITOR_PAUSED,
    ONFT_FLOW_MONITOR_RESUMED,
)
from vnet.ovs.openflow.wire.match import decode_match, encode_oxm, oxm_bytes
from vnet.ovs.openflow.wire.packing import pack, room_for_entries

_INSTRUCTIONS = (Meter, ClearActions, WriteActions, WriteMetadata, GotoTable)

_HEADER = struct.Struct("!HH")
_NX_FULL = struct.Struct("!HHHHHHHBxQ")
_OF14_FULL = struct.Struct("!HHBBHHH4xQ")
_SHORT = struct.Struct("!HHI")
_LOG = "ofp_monitor"
_LENGTH_MASK = 0xFFFF

_NX_EVENTS = {
    0: FlowUpdateEvent.ADDED,
    1: FlowUpdateEvent.REMOVED,
    2: FlowUpdateEvent.MODIFIED,
    3: FlowUpdateEvent.ABBREV,
}
_NX_NUMBERS = {event: number for number, event in _NX_EVENTS.items()} | {FlowUpdateEvent.INITIAL: 0}
_PAUSES = (FlowUpdateEvent.PAUSED, FlowUpdateEvent.RESUMED)


# -- writing


def update_kind(version: OpenFlowVersion) -> Kind:
    """The multipart reply that carries updates."""
    if version <= OpenFlowVersion.OF12:
        return NXST_FLOW_MONITOR_REPLY
    return ONFST_FLOW_MONITOR_REPLY if version == OpenFlowVersion.OF13 else OFPST_FLOW_MONITOR_REPLY


def encode_flow_update(update: FlowUpdate, version: OpenFlowVersion) -> bytes:
    """An entry of :func:`update_kind` (ofputil_append_flow_update); nothing where no message has
    room for it.
    """
    is_openflow14 = version >= OpenFlowVersion.OF14
    if is_openflow14 and update.event in _PAUSES:
        return _SHORT.pack(_SHORT.size, update.event, 0)
    if update.event is FlowUpdateEvent.ABBREV:
        number = update.event if is_openflow14 else _NX_NUMBERS[update.event]
        return _SHORT.pack(_SHORT.size, number, update.xid)
    encode = _encode_openflow14 if is_openflow14 else _encode_nx
    try:
        entry = encode(update, version)
    except OpenFlowError:
        return b""
    return entry if len(entry) <= room_for_entries(update_kind(version), version) else b""


def _encode_nx(update: FlowUpdate, version: OpenFlowVersion) -> bytes:
    if version == OpenFlowVersion.OF13:
        match = encode_oxm(update.match, version)
        n_match_bytes = oxm_bytes(match)
        actions = encode_instructions(update.actions, version)
    else:
        n_match_bytes, match = put_nxm(update.match)
        actions = _encode_list(update.actions, version)
    head = _NX_FULL.pack(
        _NX_FULL.size + len(match) + len(actions) & _LENGTH_MASK,
        _NX_NUMBERS[update.event],
        update.reason,
        update.priority,
        update.idle_timeout_s,
        update.hard_timeout_s,
        n_match_bytes,
        update.table_id,
        update.cookie,
    )
    return head + match + actions


def _encode_list(actions: Ofpacts, version: OpenFlowVersion) -> bytes:
    """Actions as Nicira's updates list them: what OpenFlow 1.1 and 1.2 have instructions for stands
    among them as an instruction, though who reads them takes it for an action.
    """
    if version == OpenFlowVersion.OF10:
        return encode_actions(actions, version)
    parts = []
    for action in actions:
        if not isinstance(action, _INSTRUCTIONS):
            parts.append(encode_actions((action,), version))
        elif not isinstance(action, Meter):
            parts.append(encode_instructions((action,), version))
    return b"".join(parts)


def _encode_openflow14(update: FlowUpdate, version: OpenFlowVersion) -> bytes:
    match = encode_oxm(update.match, version)
    actions = encode_instructions(update.actions, version)
    head = _OF14_FULL.pack(
        _OF14_FULL.size + len(match) + len(actions) & _LENGTH_MASK,
        update.event,
        update.table_id,
        update.reason,
        update.idle_timeout_s,
        update.hard_timeout_s,
        update.priority,
        update.cookie,
    )
    return head + match + actions


def encode_flow_monitor_pause(event: FlowUpdateEvent, version: OpenFlowVersion) -> bytes:
    """The message that telling pauses, or goes on (ofputil_encode_flow_monitor_pause)."""
    is_paused = event is FlowUpdateEvent.PAUSED
    if version >= OpenFlowVersion.OF14:
        body = encode_flow_update(FlowUpdate(event), version)
        return pack(OFPST_FLOW_MONITOR_REPLY, version, 0, body)
    if version == OpenFlowVersion.OF13:
        kind = ONFT_FLOW_MONITOR_PAUSED if is_paused else ONFT_FLOW_MONITOR_RESUMED
    else:
        kind = NXT_FLOW_MONITOR_PAUSED if is_paused else NXT_FLOW_MONITOR_RESUMED
    return pack(kind, version, 0)


# -- reading


def decode_flow_updates(body: bytes, kind: Kind, version: OpenFlowVersion) -> Iterator[FlowUpdate]:
    """The updates in a message of ``kind`` (ofputil_decode_flow_update).

    Raises :class:`OpenFlowError` (OFPBRC_BAD_LEN, NXBRC_FM_BAD_EVENT, ...).
    """
    offset = 0
    while offset < len(body):
        left_bytes = len(body) - offset
        n_bytes, number = _HEADER.unpack_from(body, offset) if left_bytes >= 4 else (0, 0)
        entry = body[offset : offset + n_bytes]
        try:
            if not 0 < n_bytes <= left_bytes or n_bytes % 8:
                raise OpenFlowError("OFPBRC_BAD_LEN")
            yield _decode(entry, number, kind, version)
        except (OpenFlowError, struct.error) as error:
            if isinstance(error, OpenFlowError) and error.name != "OFPBRC_BAD_LEN":
                raise
            text = f"{kind.name} has {left_bytes} leftover bytes at end"
            raise OpenFlowError("OFPBRC_BAD_LEN", warning=(_LOG, text)) from None
        offset += n_bytes


def _decode(entry: bytes, number: int, kind: Kind, version: OpenFlowVersion) -> FlowUpdate:
    is_openflow14 = kind is OFPST_FLOW_MONITOR_REPLY
    event = FlowUpdateEvent(number) if is_openflow14 and number <= 6 else None
    if not is_openflow14:
        event = _NX_EVENTS.get(number)
    if event is None:
        text = f"NXST_FLOW_MONITOR reply has bad event {number}"
        raise OpenFlowError("NXBRC_FM_BAD_EVENT", warning=(_LOG, text))
    if event is FlowUpdateEvent.ABBREV or event in _PAUSES:
        if len(entry) != _SHORT.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        xid = _SHORT.unpack(entry)[2] if event is FlowUpdateEvent.ABBREV else 0
        return FlowUpdate(event, xid)
    if is_openflow14:
        return _decode_openflow14(entry, event, version)
    return _decode_nx(entry, event, kind, version)


def _decode_nx(
    entry: bytes, event: FlowUpdateEvent, kind: Kind, version: OpenFlowVersion
) -> FlowUpdate:
    _, _, reason, priority, idle, hard, n_match_bytes, table_id, cookie = _NX_FULL.unpack_from(
        entry
    )
    if kind is ONFST_FLOW_MONITOR_REPLY:
        match, end = decode_match(entry, _NX_FULL.size, version, openflow_full=True)
        actions = decode_instructions(entry[end:], version, openflow_full=True)
    else:
        match, _, _, end = take_nxm(entry, _NX_FULL.size, n_match_bytes, openflow_full=True)
        actions = decode_actions(entry[end:], version, openflow_full=True)
    return FlowUpdate(event, 0, reason, table_id, priority, idle, hard, cookie, match, actions)


def _decode_openflow14(
    entry: bytes, event: FlowUpdateEvent, version: OpenFlowVersion
) -> FlowUpdate:
    _, _, table_id, reason, idle, hard, priority, cookie = _OF14_FULL.unpack_from(entry)
    match, end = decode_match(entry, _OF14_FULL.size, version, openflow_full=True)
    actions = decode_instructions(entry[end:], version, openflow_full=True)
    return FlowUpdate(event, 0, reason, table_id, priority, idle, hard, cookie, match, actions)

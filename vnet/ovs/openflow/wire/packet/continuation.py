"""What a switch needs to go on with a packet that its controller has had (NXPINT_CONTINUATION).

It is the switch's own business, and comes back as it was sent. Open vSwitch writes it as
properties (NXCPT_*), and shows them.
"""

from __future__ import annotations

from enum import IntEnum
from functools import partial
from typing import Any

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import Continuation
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts, UnrollXlate
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import decode_actions, encode_actions
from vnet.ovs.openflow.wire.parts.properties import (
    Property,
    properties,
    put,
    put_nested,
    put_u32,
    put_u64,
    refuse_unknown,
)


class _Part(IntEnum):
    """NXCPT_*"""

    BRIDGE = 0x8000
    STACK = 0x8001
    MIRRORS = 0x8002
    CONNTRACKED = 0x8003
    TABLE_ID = 0x8004
    COOKIE = 0x8005
    ACTIONS = 0x8006
    ACTION_SET = 0x8007
    ODP_PORT = 0x8008


_MODULE = "ofp_packet"
_UUID_BYTES = 16
_MOST_STACK_BYTES = 128


def encode_continuation(continuation: Continuation, version: OpenFlowVersion) -> bytes:
    """Its properties; none where there is nothing to tell."""
    parts = []
    if any(continuation.bridge):
        parts.append(put(_Part.BRIDGE, continuation.bridge))
    parts += [put(_Part.STACK, value) for value in reversed(continuation.stack)]
    if continuation.mirrors:
        parts.append(put_u32(_Part.MIRRORS, continuation.mirrors))
    if continuation.conntracked:
        parts.append(put(_Part.CONNTRACKED))
    parts += _encode_actions(continuation.actions, version)
    if continuation.action_set:
        parts.append(put_nested(_Part.ACTION_SET, encode_actions(continuation.action_set, version)))
    if continuation.odp_port:
        parts.append(put_u32(_Part.ODP_PORT, continuation.odp_port))
    return b"".join(parts)


def _encode_actions(actions: Ofpacts, version: OpenFlowVersion) -> list[bytes]:
    """A property for all that are of one rule, behind those that say which; at first it is that of
    table 0 and cookie 0."""
    parts: list[bytes] = []
    table_id, cookie = 0, 0
    group: list[Ofpact] = []

    def finish_group() -> None:
        if group:
            parts.append(put_nested(_Part.ACTIONS, encode_actions(tuple(group), version)))
            group.clear()

    for action in actions:
        if not isinstance(action, UnrollXlate):
            group.append(action)
            continue
        finish_group()
        if action.rule_table_id != table_id:
            table_id = action.rule_table_id
            parts.append(put(_Part.TABLE_ID, bytes((table_id,))))
        if action.rule_cookie != cookie:
            cookie = action.rule_cookie
            parts.append(put_u64(_Part.COOKIE, cookie))
    finish_group()
    return parts


def decode_continuation(
    data: bytes,
    version: OpenFlowVersion,
    *,
    is_loose: bool,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> Continuation:
    """The other way round; ``is_loose`` passes over properties that nobody knows, and for actions
    the rest is that of :func:`decode_actions`.

    Raises :class:`OpenFlowError` (OFPBPC_*, OFPBAC_*).
    """
    read_actions = partial(
        decode_actions, version=version, allows_debug=allows_debug, openflow_full=openflow_full
    )
    values: dict[str, Any] = {}
    table_id, cookie = 0, 0
    stack: list[bytes] = []
    actions: list[Ofpact] = []
    for item in properties(data):
        match item.type:
            case _Part.BRIDGE:
                values["bridge"] = _uuid(item)
            case _Part.STACK:
                stack.append(_stack_value(item))
            case _Part.MIRRORS:
                values["mirrors"] = item.u32()
            case _Part.CONNTRACKED:
                values["conntracked"] = True
            case _Part.TABLE_ID:
                table_id = item.u8()
            case _Part.COOKIE:
                cookie = item.u64()
            case _Part.ACTIONS:
                actions.append(UnrollXlate(table_id, cookie))
                actions += read_actions(item.nested)
            case _Part.ACTION_SET:
                values["action_set"] = read_actions(item.nested)
            case _Part.ODP_PORT:
                values["odp_port"] = item.u32()
            case unknown:
                if not is_loose:
                    raise refuse_unknown(unknown, _MODULE, "continuation")
    return Continuation(stack=tuple(reversed(stack)), actions=tuple(actions), **values)


def _uuid(item: Property) -> bytes:
    if len(item.value) != _UUID_BYTES:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    return item.value


def _stack_value(item: Property) -> bytes:
    n_bytes = len(item.value)
    if n_bytes > _MOST_STACK_BYTES:
        text = f"NXCPT_STACK property has bad length {n_bytes}"
        raise OpenFlowError("OFPBPC_BAD_LEN", warning=(_MODULE, text))
    return item.value

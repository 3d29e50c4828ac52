"""What a switch receives when a change of flows is sent to it.

Which protocol is used decides: the earliest that can say all of it, among those allowed. Cookies,
flags and importance get lost on the way where the protocol has no room for them, and OpenFlow 1.0
gives a match without wildcards the highest priority.
"""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.protocols import (
    P_ANY,
    P_OF10_ANY,
    P_OF10_STD_ANY,
    P_OF11_STD,
    P_TID,
    protocols_text,
)
from vnet.ovs.openflow.messages import GROUP_ANY, FlowFlags, FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.text.actions import check_consistency
from vnet.ovs.openflow.text.match_sending import match_as_sent
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire.actions import as_sent

_MODIFY = (FlowModCommand.MODIFY, FlowModCommand.MODIFY_STRICT)
_DELETE = (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT)

_SENT_FLAGS = (
    (FlowFlags.SEND_FLOW_REM, OpenFlowVersion.OF10),
    (FlowFlags.CHECK_OVERLAP, OpenFlowVersion.OF10),
    (FlowFlags.RESET_COUNTS, OpenFlowVersion.OF12),
    (FlowFlags.NO_PKT_COUNTS, OpenFlowVersion.OF13),
    (FlowFlags.NO_BYT_COUNTS, OpenFlowVersion.OF13),
)
"""Since which version each flag can be sent."""


def _masks(*members: Bits) -> int:
    return sum(bits.mask for bits in members)


_OF10_WHOLE = (
    _masks(Flow.dl_src, Flow.dl_dst, Flow.dl_type, Flow.vlan_tci, Flow.nw_proto)
    | _masks(Flow.nw_src, Flow.nw_dst, Flow.tp_src, Flow.tp_dst)
    | 0xFFFF << Flow.in_port.shift
    | 0xFC << Flow.nw_tos.shift
)
"""All that OpenFlow 1.0 can match."""
_EXACT_PRIORITY = 0xFFFF


def protocol_for(usable: int, allowed: int = P_ANY) -> int:
    """The protocol in which to send what ``usable`` protocols can say."""
    both = usable & allowed
    if not both:
        raise OvsTextError(
            f"none of the usable flow formats ({protocols_text(usable)}) is among the "
            f"allowed flow formats ({protocols_text(allowed)})"
        )
    return both & -both


def flow_as_sent(mod: FlowMod, protocol: int, *, openflow_full: bool = False) -> FlowMod:
    """What a switch makes of ``mod``, checked already, sent by ``protocol``, one of those that
    can say it (``vnet.ovs.flow.protocols``). With ``openflow_full`` it knows what Open vSwitch
    lacks.

    Raises :class:`OpenFlowError` where it refuses it.
    """
    version = version_of(protocol)
    is_add = mod.command is FlowModCommand.ADD
    match = match_as_sent(mod.match, protocol)
    table_id = _table_as_sent(mod, protocol)
    actions = as_sent(mod.actions, version, openflow_full=openflow_full)
    if actions != mod.actions or match != mod.match or table_id != mod.table_id:
        actions = check_consistency(actions, match, protocol, table_id=table_id)
    cookie, new_cookie = _cookies_as_sent(mod, protocol)
    return FlowMod(
        mod.command,
        match,
        _priority_as_sent(mod, protocol),
        table_id,
        cookie,
        mod.cookie_mask,
        new_cookie,
        mod.idle_timeout_s,
        mod.hard_timeout_s,
        mod.importance if is_add and version >= OpenFlowVersion.OF14 else 0,
        _flags_as_sent(mod, version),
        mod.out_port,
        mod.out_group if _sends_out_group(mod, version) else GROUP_ANY,
        actions,
        mod.command in _MODIFY and protocol == P_OF11_STD and new_cookie is not None,
    )


def _table_as_sent(mod: FlowMod, protocol: int) -> int:
    """Before OpenFlow 1.1 without its extension no table is said, and after it one always is,
    but for a deletion since 1.2.
    """
    if protocol & P_OF10_ANY:
        return mod.table_id if protocol & P_TID else TABLE_ALL
    if mod.table_id != TABLE_ALL:
        return mod.table_id
    may_be_all = protocol != P_OF11_STD and mod.command in _DELETE
    return TABLE_ALL if may_be_all else 0


def _cookies_as_sent(mod: FlowMod, protocol: int) -> tuple[int, int | None]:
    """The cookie to look for, and the one to give."""
    cookie = mod.cookie & mod.cookie_mask
    is_add = mod.command is FlowModCommand.ADD
    if protocol & P_OF10_ANY:
        return cookie, mod.new_cookie
    sends_new = is_add or (
        protocol == P_OF11_STD and mod.command in _MODIFY and not mod.cookie_mask
    )
    return cookie, mod.new_cookie if sends_new else None


def _priority_as_sent(mod: FlowMod, protocol: int) -> int:
    is_exact = mod.match.mask & _OF10_WHOLE == _OF10_WHOLE
    return _EXACT_PRIORITY if protocol & P_OF10_STD_ANY and is_exact else mod.priority


def _flags_as_sent(mod: FlowMod, version: OpenFlowVersion) -> FlowFlags:
    """Before OpenFlow 1.2 an added flow always starts to count anew."""
    resets = version <= OpenFlowVersion.OF11 and mod.command is FlowModCommand.ADD
    flags = FlowFlags.RESET_COUNTS if resets else FlowFlags.NONE
    if mod.flags:
        for flag, since in _SENT_FLAGS:
            if version >= since:
                flags |= mod.flags & flag
    return flags


def _sends_out_group(mod: FlowMod, version: OpenFlowVersion) -> bool:
    return version >= OpenFlowVersion.OF11 and mod.command in _DELETE

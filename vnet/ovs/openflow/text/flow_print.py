"""Flows as ``ovs-ofctl`` prints them.

There are two forms: flows that are in a switch, as ``dump-flows`` lists them and as they can be
read back, and messages that change flows, as ``parse-flows`` shows what it would send.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import NO_NAMES, Names, port_text, table_text
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.flow.protocols import P_TID
from vnet.ovs.openflow.messages import (
    DEFAULT_PRIORITY,
    FlowFlags,
    FlowMod,
    FlowModCommand,
    FlowStats,
)
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.text.actions import actions_text
from vnet.ovs.openflow.version import OpenFlowVersion, version_of

_COOKIE_KEPT = (1 << 64) - 1
"""In messages, the cookie of a change that lets cookies be."""

_FLAG_WORDS = (
    (FlowFlags.SEND_FLOW_REM, "send_flow_rem"),
    (FlowFlags.CHECK_OVERLAP, "check_overlap"),
    (FlowFlags.RESET_COUNTS, "reset_counts"),
    (FlowFlags.NO_PKT_COUNTS, "no_packet_counts"),
    (FlowFlags.NO_BYT_COUNTS, "no_byte_counts"),
    (FlowFlags.HIDDEN_FIELDS, "allow_hidden_fields"),
    (FlowFlags.NO_READONLY, "no_readonly_table"),
)
_COMMAND_WORDS = {
    FlowModCommand.ADD: "ADD",
    FlowModCommand.MODIFY: "MOD",
    FlowModCommand.MODIFY_STRICT: "MOD_STRICT",
    FlowModCommand.DELETE: "DEL",
    FlowModCommand.DELETE_STRICT: "DEL_STRICT",
}


class FlowStatistics(NamedTuple):
    """What a flow has seen, and for how long it has been there and been idle."""

    duration_ns: int
    n_packets: int
    n_bytes: int
    idle_age_s: int | None = None
    hard_age_s: int | None = None
    """Since it was last modified."""


def duration_text(duration_ns: int) -> str:
    """``1.500s``: whole seconds, milliseconds, or as many decimals as there are."""
    seconds, fraction_ns = divmod(duration_ns, 1_000_000_000)
    if not fraction_ns:
        return f"{seconds}s"
    if fraction_ns % 1_000_000 == 0:
        return f"{seconds}.{fraction_ns // 1_000_000:03}s"
    decimals = f"{fraction_ns:09}".rstrip("0")
    return f"{seconds}.{decimals}s"


def flow_text(
    mod: FlowMod, names: Names = NO_NAMES, statistics: FlowStatistics | None = None
) -> str:
    """A flow as ``dump-flows`` lists it, in the syntax in which flows are added; without
    ``statistics`` as with ``--no-stats``.
    """
    settings = "".join(f"{setting}, " for setting in _settings(mod, names, statistics))
    later_settings = "".join(f"{setting}, " for setting in _later_settings(mod, statistics))
    heading = settings + _flags_text(mod.flags) + later_settings + _shown_match(mod, names)
    return f"{heading}actions={actions_text(mod.actions, names)}"


def flow_stats_text(
    stats: FlowStats, names: Names = NO_NAMES, *, shows_statistics: bool = True
) -> str:
    """What a switch tells of a flow, as :func:`flow_text`."""
    mod = FlowMod(
        FlowModCommand.ADD,
        stats.match,
        stats.priority,
        stats.table_id,
        new_cookie=stats.cookie,
        idle_timeout_s=stats.idle_timeout_s,
        hard_timeout_s=stats.hard_timeout_s,
        importance=stats.importance,
        flags=stats.flags,
        actions=stats.actions,
    )
    seen = FlowStatistics(
        stats.duration_ns, stats.n_packets, stats.n_bytes, stats.idle_age_s, stats.hard_age_s
    )
    return flow_text(mod, names, seen if shows_statistics else None)


def _settings(mod: FlowMod, names: Names, statistics: FlowStatistics | None) -> Iterator[str]:
    """What is listed before the flags."""
    table_id = 0 if mod.table_id == TABLE_ALL else mod.table_id
    shows_table = statistics is not None or table_id or table_id in names.table_names
    if statistics is not None or mod.new_cookie:
        yield f"cookie={mod.new_cookie or 0:#x}"
    if statistics is not None:
        yield f"duration={duration_text(statistics.duration_ns)}"
    if shows_table:
        yield f"table={table_text(table_id, names)}"
    if statistics is not None:
        yield f"n_packets={statistics.n_packets}"
        yield f"n_bytes={statistics.n_bytes}"
    if mod.idle_timeout_s:
        yield f"idle_timeout={mod.idle_timeout_s}"
    if mod.hard_timeout_s:
        yield f"hard_timeout={mod.hard_timeout_s}"


def _later_settings(mod: FlowMod, statistics: FlowStatistics | None) -> Iterator[str]:
    """What is listed after the flags."""
    if mod.importance:
        yield f"importance={mod.importance}"
    if statistics is None:
        return
    if statistics.idle_age_s is not None:
        yield f"idle_age={statistics.idle_age_s}"
    seconds = statistics.duration_ns // 1_000_000_000
    if statistics.hard_age_s is not None and statistics.hard_age_s != seconds:
        yield f"hard_age={statistics.hard_age_s}"


def flow_message_text(mod: FlowMod, protocol: int, names: Names = NO_NAMES) -> str:
    """A change of flows as ``parse-flows`` prints one that it would send by ``protocol``, after
    the message's type: ``ADD table:1 priority=5,ip cookie:0x7 actions=drop``. ``mod`` is what
    arrives.
    """
    words = [_COMMAND_WORDS[mod.command]]
    table_id = mod.table_id if protocol & P_TID else 0
    if table_id or table_id in names.table_names:
        words.append(f"table:{table_text(table_id, names)}")
    heading = " ".join([*words, _shown_match(mod, names)])
    settings = "".join(f"{setting} " for setting in _message_settings(mod, names))
    flags = mod.flags
    if version_of(protocol) <= OpenFlowVersion.OF11:
        # There is no such flag then: to add always resets.
        flags &= ~FlowFlags.RESET_COUNTS
    return f"{heading}{settings}{_flags_text(flags)}actions={actions_text(mod.actions, names)}"


def _message_settings(mod: FlowMod, names: Names) -> Iterator[str]:
    if mod.new_cookie not in (None, 0, _COOKIE_KEPT):
        yield f"cookie:{mod.new_cookie:#x}"
    if mod.cookie_mask:
        yield f"cookie:{mod.cookie:#x}/{mod.cookie_mask:#x}"
    for name, value in (
        ("idle", mod.idle_timeout_s),
        ("hard", mod.hard_timeout_s),
        ("importance", mod.importance),
    ):
        if value:
            yield f"{name}:{value}"
    if mod.out_port != OFPP_NONE:
        yield f"out_port:{port_text(mod.out_port, names)}"


def _shown_match(mod: FlowMod, names: Names) -> str:
    """Priority and match, and a space if there is either."""
    shows_priority = mod.priority != DEFAULT_PRIORITY
    shown = match_text(mod.match, names, mod.priority if shows_priority else None)
    return f"{shown} " if shown else ""


def _flags_text(flags: FlowFlags) -> str:
    return "".join(f"{word} " for flag, word in _FLAG_WORDS if flags & flag) if flags else ""

"""The statistics of a datapath flow in text (``dpif_flow_stats_format``)."""

from __future__ import annotations

from vnet.base.units import NS_PER_MS
from vnet.ovs.dpif.dpif import FlowStats

_TCP_FLAGS = (
    (0x002, "S"),
    (0x001, "F"),
    (0x008, "P"),
    (0x004, "R"),
    (0x020, "U"),
    (0x010, "."),
    (0x040, "E"),
    (0x080, "C"),
    (0x100, "N"),
    (0x200, "[200]"),
    (0x400, "[400]"),
    (0x800, "[800]"),
)


def tcp_flags_text(flags: int) -> str:
    """TCP flags as tcpdump(8) shows them: ``SP.``"""
    if not flags:
        return "none"
    return "".join(text for bit, text in _TCP_FLAGS if flags & bit)


def stats_text(stats: FlowStats, now_ns: int) -> str:
    """``packets:1, bytes:42, used:0.001s, flags:S``; ages count in whole milliseconds."""
    used = "never"
    if stats.used_ns is not None:
        age_ms = now_ns // NS_PER_MS - stats.used_ns // NS_PER_MS
        used = f"{age_ms / 1000:.3f}s"
    shown = f"packets:{stats.n_packets}, bytes:{stats.n_bytes}, used:{used}"
    if stats.tcp_flags:
        shown += f", flags:{tcp_flags_text(stats.tcp_flags)}"
    return shown

"""Which connections are forgotten, as the log of Open vSwitch has it."""

from __future__ import annotations

from vnet.base.ids import ip_text
from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import LogModule
from vnet.tables.conntrack.flush import ConnMatch, TupleMatch


def log_flush(log: LogModule, dpif: Dpif, match: ConnMatch, zone: int | None) -> None:
    """Have a log (``ct_dpif``'s) tell of it, if somebody wants to read that."""
    if log.is_enabled(Level.DBG):
        log.dbg(f"{dpif.kind}@{dpif.name}: ct_flush: {_flushed_text(match, zone)}")


def _flushed_text(match: ConnMatch, zone: int | None) -> str:
    if match == ConnMatch():
        return "<all>" if zone is None else f"zone {zone}"
    original, reply = (_tuple_text(match, tuple_) for tuple_ in (match.original, match.reply))
    return f"zone={zone or 0} '{original},ct_nw_proto={match.protocol}' '{reply}'"


def _tuple_text(match: ConnMatch, tuple_: TupleMatch) -> str:
    ends = "ct_nw" if match.is_v6 is False else "ct_ipv6"
    source, target = (
        "::" if address is None else ip_text(address) for address in (tuple_.source, tuple_.target)
    )
    shown = f"{ends}_src={source},{ends}_dst={target}"
    if match.is_icmp:
        icmp = f"icmp_id={tuple_.icmp_id},icmp_type={tuple_.icmp_type},icmp_code={tuple_.icmp_code}"
        return f"{shown},{icmp}"
    return f"{shown},ct_tp_src={tuple_.source_port},ct_tp_dst={tuple_.target_port}"

"""Flows: to change them, and what they have seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.stats import selection_asked, stats_of
from vnet.ovs.openflow.messages import AggregateStats, FlowMod
from vnet.ovs.openflow.wire.flow import (
    decode_flow_mod,
    decode_flow_stats_request,
    encode_aggregate,
    encode_flow_stats,
)
from vnet.ovs.openflow.wire.kinds import reply_to

if TYPE_CHECKING:
    from vnet.ovs.connmgr.manager import ConnectionManager

_TOO_LONG = (
    "Flow exceeded the maximum flow statistics reply size and was excluded from the response set"
)


def read_mod(request: Request) -> FlowMod:
    """What an OFPT_FLOW_MOD or Nicira's asks for. Raises :class:`OpenFlowError`."""
    ofconn = request.ofconn
    return decode_flow_mod(
        request.body,
        request.kind,
        request.version,
        ofconn.wishes.protocol,
        tun_lengths=request.bridge.tlv_mappings.lengths,
        allows_debug=request.ofconn.manager.backer.allows_debug,
        openflow_full=request.bridge.openflow_full,
        warn=partial(ofconn.manager.warn, "ofp_flow"),
        normalizes=partial(_note_normalized, ofconn.manager),
    )


def _note_normalized(manager: ConnectionManager, said: Match, taken: Match) -> None:
    manager.inform(
        "ofp_match",
        "normalization changed ofp_match, details:",
        f" pre: {match_text(said)}",
        f"post: {match_text(taken)}",
    )


def modify(request: Request) -> Iterable[bytes]:
    """OFPT_FLOW_MOD"""
    ofconn = request.ofconn
    ofconn.need_rights()
    mod = read_mod(request)
    with ofconn.asking(request.message.xid):
        request.bridge.flow_mod(mod)
    ofconn.flow_mods.done(mod.command)
    return NO_ANSWER


def stats(request: Request) -> Iterable[bytes]:
    """OFPST_FLOW and Nicira's"""
    return request.parts(_entries(request))


def _entries(request: Request) -> Iterator[bytes]:
    version, kind = request.version, reply_to(request.kind)
    now_ns = request.bridge.scheduler.now_ns
    # Flows change while the parts go out one by one; what is told is how they are now.
    for told in [stats_of(rule, now_ns) for rule in _selected(request)]:
        entry = encode_flow_stats(told, kind, version)
        if not entry:
            request.ofconn.manager.warn("ofp_flow", _TOO_LONG)
        yield entry


def aggregate(request: Request) -> Iterable[bytes]:
    """OFPST_AGGREGATE and Nicira's"""
    rules = list(_selected(request))
    together = AggregateStats(
        sum(rule.n_packets for rule in rules), sum(rule.n_bytes for rule in rules), len(rules)
    )
    return request.parts([encode_aggregate(together, reply_to(request.kind), request.version)])


def _selected(request: Request) -> Iterable[Rule]:
    bridge = request.bridge
    asked = decode_flow_stats_request(
        request.body,
        request.kind,
        request.version,
        tun_lengths=bridge.tlv_mappings.lengths,
        openflow_full=bridge.openflow_full,
    )
    asked = replace(asked, match=bridge.tlv_mappings.placed(asked.match))
    return bridge.flows(selection_asked(asked))

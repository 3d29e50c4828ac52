"""A translation that was traced, from the flow to the datapath's actions, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_text import flow_text, match_text
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.flow.ports import OFPP_UNSET
from vnet.ovs.ofproto.trace.layout import slow_path_lines, trace_lines
from vnet.ovs.ofproto.xlate.context import XlateOut
from vnet.ovs.ofproto.xlate.report import Trace

XLATE_ERRORS = {
    DropCause.BRIDGE_NOT_FOUND: "Bridge not found",
    DropCause.RECURSION_TOO_DEEP: "Recursion too deep",
    DropCause.TOO_MANY_RESUBMITS: "Too many resubmits",
    DropCause.STACK_TOO_DEEP: "Stack too deep",
    DropCause.NO_RECIRCULATION_CONTEXT: "No recirculation context",
    DropCause.RECIRCULATION_CONFLICT: "Recirculation conflict",
    DropCause.TOO_MANY_MPLS_LABELS: "Too many MPLS labels",
    DropCause.INVALID_TUNNEL_METADATA: "Invalid tunnel metadata",
    DropCause.UNSUPPORTED_PACKET_TYPE: "Unsupported packet type",
    DropCause.CONGESTION_DROP: "Congestion Drop",
    DropCause.FORWARDING_DISABLED: "Forwarding is disabled",
}


def result_lines(
    flow: Flow,
    trace: Trace,
    out: XlateOut,
    names: Names = NO_NAMES,
    odp_names: Mapping[int, str] | None = None,
) -> Iterator[str]:
    """What went in, which way it took, and what came out, as ``ovs-appctl ofproto/trace`` prints
    one pass. ``odp_names`` are those of the datapath's ports."""
    before = flow.copy()
    before.actset_output = OFPP_UNSET
    yield f"Flow: {flow_text(before, names)}"
    yield from trace_lines(trace)
    yield ""
    final = "unchanged" if out.flow == before else flow_text(out.flow, names)
    yield f"Final flow: {final}"
    megaflow = Match(flow.key & out.wc.key, out.wc.key)
    yield f"Megaflow: {match_text(megaflow, names)}"
    yield f"Datapath actions: {actions_text(out.actions, port_names=odp_names)}"
    if out.error is not DropCause.OK:
        yield f"Translation failed ({XLATE_ERRORS[out.error]}), packet is dropped."
        yield ""
    elif out.slow:
        yield from slow_path_lines(out.slow)

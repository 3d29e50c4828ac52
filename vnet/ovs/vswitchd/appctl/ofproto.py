"""``ofproto/...`` and ``bridge/...``: bridges as OpenFlow sees them."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.ofproto.dump.flows import dump_all_flows
from vnet.ovs.ofproto.trace.request import parse_packet_out_request, parse_request
from vnet.ovs.ofproto.trace.tracer import Tracer, TraceRequest
from vnet.ovs.vswitchd.reconcile import Vswitchd


def list_bridges(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``ofproto/list``."""
    names = list(vswitchd.bridges)
    order = hash_table_order(hash_bytes(name.encode(), 0) for name in names)
    return "\n".join(names[position] for position in order)


def dump_flows(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bridge/dump-flows [--offload-stats] bridge``: hidden flows, too."""
    bridge = vswitchd.bridges.get(words[-1])
    if bridge is None:
        raise OvsTextError("Unknown bridge")
    shows_offload = words[0] == "--offload-stats"
    return "\n".join(dump_all_flows(bridge, shows_offload=shows_offload))


def reconnect(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bridge/reconnect [bridge]``: connections to controllers are made anew."""
    if words and words[0] not in vswitchd.bridges:
        raise OvsTextError("Unknown bridge")
    vswitchd.reconnect(words[0] if words else None)
    return ""


def trace(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``ofproto/trace``."""
    return _traced(vswitchd, parse_request(vswitchd.backer, words))


def trace_packet_out(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``ofproto/trace-packet-out``."""
    return _traced(vswitchd, parse_packet_out_request(vswitchd.backer, words))


def _traced(vswitchd: Vswitchd, request: TraceRequest) -> str:
    text = Tracer(vswitchd.backer).trace(request)
    vswitchd.backer.revalidator.settle()
    return text

"""Flows and tables: ``add-flow``, ``dump-flows``, ``dump-tables`` and their like."""

from __future__ import annotations

from pathlib import Path

from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY, P_OF10_NXM_TID
from vnet.ovs.ofproto.dump.flows import dump_aggregate, dump_flows
from vnet.ovs.ofproto.dump.tables import dump_tables
from vnet.ovs.ofproto.rules.selection import Selection, selection_of
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.files import Source, parse_flows
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.vswitchd.ofctl.command import Call, reply


def add(call: Call) -> str:
    """``add-flow``."""
    return _send(call, FlowModCommand.ADD)


def add_file(call: Call) -> str:
    """``add-flows``: lines may begin with a command; all or none."""
    mods = parse_flows(source_of(call), call.names, call.options.allowed)
    return call.send(*mods)


def modify(call: Call) -> str:
    """``mod-flows``."""
    strict = call.options.is_strict
    return _send(call, FlowModCommand.MODIFY_STRICT if strict else FlowModCommand.MODIFY)


def delete(call: Call) -> str:
    """``del-flows``; without FLOW every flow goes."""
    strict = call.options.is_strict
    return _send(call, FlowModCommand.DELETE_STRICT if strict else FlowModCommand.DELETE)


def _send(call: Call, command: FlowModCommand) -> str:
    return call.send(parse_flow(call.word, command, call.names, call.options.allowed))


def source_of(call: Call) -> Source:
    """The file that a command names; ``-`` is what is given in its place."""
    return Source(call.options.stdin) if call.word == "-" else Source.of(Path(call.word))


def dump(call: Call) -> str:
    """``dump-flows``: those that FLOW selects."""
    options = call.options
    allowed = options.allowed
    protocol = P_OF10_NXM_TID if allowed == P_ANY or allowed & P_OF10_ANY else allowed & -allowed
    is_raw = options.shows_statistics and not options.shows_names
    lines = dump_flows(
        call.bridge,
        protocol,
        call.shown_names,
        _selection(call),
        shows_statistics=options.shows_statistics,
        shows_ages=is_raw,
    )
    shown = [f" {line}" for line in lines]
    if not is_raw:
        return "\n".join(shown)
    version = options.version(OpenFlowVersion.OF10)
    if version is OpenFlowVersion.OF10:
        return reply("NXST_FLOW", version, shown, xid=8 if call.word else 4)
    return reply("OFPST_FLOW", version, shown)


def aggregate(call: Call) -> str:
    """``dump-aggregate``: the counters of those flows together."""
    version = call.options.version(OpenFlowVersion.OF10)
    is_first = version is OpenFlowVersion.OF10
    kind, xid = ("NXST_AGGREGATE", 4) if is_first else ("OFPST_AGGREGATE", 2)
    text = dump_aggregate(call.bridge, _selection(call))
    return reply(kind, version, [text], xid=xid, between=" ")


def _selection(call: Call) -> Selection:
    wanted = parse_flow(call.word, FlowModCommand.DELETE, call.names, call.options.allowed)
    return selection_of(wanted, is_strict=False, by_output=True)


def tables(call: Call) -> str:
    """``dump-tables``."""
    version = call.options.version(OpenFlowVersion.OF10)
    listed = dump_tables(call.bridge, version).removeprefix("\n").removesuffix("\n")
    return reply("OFPST_TABLE", version, [listed])

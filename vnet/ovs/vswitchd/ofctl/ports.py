"""Ports and queues: ``show``, ``dump-ports``, ``mod-port`` and their like."""

from __future__ import annotations

from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.ofproto.dump.ports import dump_ports, dump_ports_desc
from vnet.ovs.ofproto.dump.ports import show as show_bridge
from vnet.ovs.ofproto.dump.queues import queue_stats
from vnet.ovs.openflow.text.port import parse_port_mod
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.vswitchd.ofctl.command import Call, port_number, reply


def show(call: Call) -> str:
    """``show``."""
    return "\n".join(show_bridge(call.bridge))


def dump(call: Call) -> str:
    """``dump-ports``: all, or one."""
    version = call.options.version(OpenFlowVersion.OF10)
    number = _chosen(call)
    first, *rest = dump_ports(call.bridge, number, version, call.shown_names)
    return "\n".join([reply("OFPST_PORT", version, [first], between=" "), *rest])


def describe(call: Call) -> str:
    """``dump-ports-desc``."""
    version = call.options.version(OpenFlowVersion.OF10)
    return reply("OFPST_PORT_DESC", version, dump_ports_desc(call.bridge, version))


def queues(call: Call) -> str:
    """``queue-stats``: of all ports, or of one."""
    version = call.options.version(OpenFlowVersion.OF10)
    first, *rest = queue_stats(call.bridge, _chosen(call), names=call.shown_names)
    return "\n".join([reply("OFPST_QUEUE", version, [first], between=" "), *rest])


def modify(call: Call) -> str:
    """``mod-port``."""
    name, setting = call.words
    call.bridge.port_mod(parse_port_mod(port_number(call, name, "couldn't find port"), setting))
    call.settle()
    return ""


def _chosen(call: Call) -> OfpPort:
    return port_number(call, call.word, "unknown port") if call.word else OFPP_NONE

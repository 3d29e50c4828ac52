"""Translating a flow through the bridge of a switch, with whatever wishes a test has."""

from __future__ import annotations

from typing import Any

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.ofproto.trace.layout import trace_lines
from vnet.ovs.ofproto.xlate.context import XlateIn, XlateOut
from vnet.ovs.ofproto.xlate.report import Trace
from vnet.ovs.ofproto.xlate.translate import translate


def translated(switch: Switch, flow: str, **wishes: Any) -> XlateOut:
    """What becomes of ``flow`` (``in_port=1,arp``); ``wishes`` are members of XlateIn."""
    backer = switch.vswitchd.backer
    return translate(XlateIn(switch.bridge(BRIDGE), backer, parse_exact_flow(flow), **wishes))


def actions_of(switch: Switch, flow: str, **wishes: Any) -> str:
    """The datapath actions, as text."""
    return actions_text(translated(switch, flow, **wishes).actions)


def explained(switch: Switch, flow: str, **wishes: Any) -> list[str]:
    """The lines of a trace, without their indentation."""
    trace: Trace = []
    translated(switch, flow, trace=trace, **wishes)
    return [line.strip() for line in trace_lines(trace)]

"""Messages about flows for tests: what there is to say, and how to hear it."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.ovs.flow.match_texts import match_texts
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.protocols import (
    P_OF10_NXM,
    P_OF10_NXM_TID,
    P_OF10_STD,
    P_OF10_STD_TID,
    P_OF11_STD,
    P_OF12_OXM,
    P_OF13_OXM,
    P_OF14_OXM,
    P_OF15_OXM,
)
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand
from vnet.ovs.openflow.text.flow_mod import ReadFlow, read_flow
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.flow import decode_flow_mod
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.recognition import kind_of

PROTOCOLS = (
    P_OF10_STD,
    P_OF10_STD_TID,
    P_OF10_NXM,
    P_OF10_NXM_TID,
    P_OF11_STD,
    P_OF12_OXM,
    P_OF13_OXM,
    P_OF14_OXM,
    P_OF15_OXM,
)

_ADD, _MODIFY, _MODIFY_STRICT, _DELETE, _DELETE_STRICT = FlowModCommand

FLOWS = (
    (_ADD, "actions=drop"),
    (_ADD, "priority=5,tcp,tp_dst=80,actions=output:2"),
    (_ADD, "table=3,cookie=0x17,idle_timeout=5,hard_timeout=7,importance=9,ip,actions=normal"),
    (_ADD, "send_flow_rem,check_overlap,in_port=LOCAL,actions=mod_vlan_vid:5,output:1"),
    (_ADD, "reset_counts,no_packet_counts,no_byte_counts,arp,arp_op=1,actions=flood"),
    (_ADD, "in_port=1,dl_vlan=5,ip,nw_src=10.0.0.0/8,tun_metadata3=5,actions=goto_table:7"),
    (_ADD, "reg0=5,ct_state=+trk+new,ip,actions=ct(commit,table=4),resubmit(,5)"),
    (_MODIFY, "cookie=5/0xff,table=1,arp,actions=flood"),
    (_MODIFY, "cookie=9,udp,actions=drop"),
    (_MODIFY, "udp,actions=drop"),
    (_MODIFY_STRICT, "icmp6,icmp_type=135,priority=100,actions=LOCAL"),
    (_DELETE, ""),
    (_DELETE, "cookie=5/-1,out_port=3"),
    (_DELETE, "out_group=5,table=2"),
    (_DELETE_STRICT, "table=4,priority=7,in_port=LOCAL,dl_vlan=5"),
)
"""Commands and flows, in ``ovs-ofctl``'s words."""


def read_flows() -> list[ReadFlow]:
    """What the client makes of :data:`FLOWS`."""
    return [read_flow(text, command) for command, text in FLOWS]


def matches() -> st.SearchStrategy[Match]:
    """Any match."""
    return match_texts().map(parse_match)


def open_message(raw: bytes) -> tuple[Kind, bytes, OpenFlowVersion]:
    """A message's kind, body and version."""
    message = Message(raw[0], raw[1], int.from_bytes(raw[4:8], "big"), raw)
    kind, offset = kind_of(message)
    return kind, raw[offset:], OpenFlowVersion(raw[0])


def received_flow_mod(raw: bytes, protocol: int) -> FlowMod:
    """What a switch makes of a message. Raises :class:`OpenFlowError`."""
    kind, body, version = open_message(raw)
    return decode_flow_mod(body, kind, version, protocol)

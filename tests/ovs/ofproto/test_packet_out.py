"""Packets that controllers send, and those that wait for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import flow_lines, frame_of, outputs, switch_with
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_LOCAL, OfpPort
from vnet.ovs.ofproto.packet_out import resume
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    FlowMod,
    FlowModCommand,
    PacketOut,
    TlvMap,
    TlvTableCommand,
    TlvTableMod,
)
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.text.actions import parse_actions

TCP = "in_port=1,tcp,tcp_dst=80"
FRAME = frame_of(TCP)


def packet_out(actions: str, *, in_port: OfpPort = OFPP_CONTROLLER) -> PacketOut:
    mask = Flow.in_port.mask | Flow.packet_type.mask
    return PacketOut(FRAME, parse_actions(actions).actions, Match(in_port, mask))


def sent(switch: Switch, actions: str, *, in_port: OfpPort = OFPP_CONTROLLER) -> list[str]:
    """The ports that a controller's packet leaves by."""
    switch.bridge(BRIDGE).packet_out(packet_out(actions, in_port=in_port))
    switch.settle()
    return [name for name, _ in switch.take_sent()]


def test_a_packet_leaves_by_the_ports_that_its_actions_name() -> None:
    assert sent(switch_with(), "output:2,output:3") == ["p2", "p3"]


def test_a_packet_is_not_sent_back_by_the_port_that_it_came_in_by() -> None:
    assert sent(switch_with(), "flood", in_port=OfpPort(1)) == ["p2", "p3", "p4", "br0"]
    assert sent(switch_with(), "in_port", in_port=OfpPort(1)) == ["p1"]


def test_table_has_the_flows_decide_as_if_it_had_come_in_by_the_port() -> None:
    switch = switch_with(["in_port=1,actions=output:2", "in_port=LOCAL,actions=output:3"])
    assert sent(switch, "table", in_port=OfpPort(1)) == ["p2"]
    assert sent(switch, "table", in_port=OFPP_LOCAL) == ["p3"]
    assert sent(switch, "table") == []
    assert [line for line in flow_lines(switch) if "n_packets=1," in line]


def test_normal_learns_where_the_packet_came_from() -> None:
    switch = switch_with(["actions=normal"])
    assert sent(switch, "normal", in_port=OfpPort(1)) == ["p2", "p3", "p4", "br0"]
    assert switch.appctl(["fdb/show", BRIDGE]).splitlines()[1].split()[0] == "1"


def test_the_flows_that_a_packet_teaches_are_there_at_once() -> None:
    switch = switch_with()
    sent(switch, "learn(table=1,tcp_dst=80,eth_type=0x800,ip_proto=6,output:NXM_OF_IN_PORT[])")
    assert any("table=1" in line for line in flow_lines(switch))


def test_what_comes_back_to_the_controller_says_why() -> None:
    switch = switch_with()
    sent(switch, "controller", in_port=OfpPort(3))
    (packet_in,) = switch.packet_ins
    assert packet_in.reason is PacketInReason.PACKET_OUT
    assert (packet_in.frame, match_text(packet_in.pipeline)) == (FRAME, "in_port=3")


def test_a_packet_that_recirculates_goes_on() -> None:
    switch = switch_with(["table=1,tcp,ct_state=+trk,actions=output:2"])
    assert sent(switch, "ct(table=1)", in_port=OfpPort(1)) == ["p2"]


def test_what_names_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(OpenFlowError, match="OFPBAC_BAD_OUT_GROUP"):
        sent(switch_with(), "group:7")


def test_in_a_bundle_a_packet_meets_the_flows_before_it_and_leaves_only_with_all_else() -> None:
    switch = switch_with()
    bridge = switch.bridge(BRIDGE)
    flow = FlowMod(FlowModCommand.ADD, table_id=0, actions=parse_actions("output:4").actions)
    with pytest.raises(OpenFlowError, match="OFPBAC_BAD_OUT_GROUP"):
        bridge.bundle([flow, packet_out("table"), packet_out("group:7")])
    assert (flow_lines(switch), switch.take_sent()) == ([], [])
    bridge.bundle([flow, packet_out("table")])
    switch.settle()
    assert [name for name, _ in switch.take_sent()] == ["p4"]


PAUSE = "in_port=1,actions=set_field:7->reg1,push:reg1,controller(pause,userdata=aa.bb),{}"


def paused(*actions: str) -> Switch:
    switch = switch_with([PAUSE.format(",".join(actions)), "table=1,reg1=7,actions=output:3"])
    assert outputs(switch, "p1", FRAME) == []
    return switch


def test_a_packet_that_waits_goes_on_when_the_controller_says_so() -> None:
    switch = paused("pop:reg2", "output:2", "resubmit(,1)")
    (packet_in,) = switch.packet_ins
    assert packet_in.userdata == b"\xaa\xbb"
    assert match_text(packet_in.pipeline) == "reg1=0x7,in_port=1"
    assert packet_in.continuation is not None
    assert packet_in.continuation.stack == (b"\0\0\0\7",)
    resume(switch.vswitchd.backer, switch.bridge(BRIDGE), packet_in)
    switch.settle()
    assert [name for name, _ in switch.take_sent()] == ["p2", "p3"]


def test_a_packet_that_waits_goes_on_with_the_registers_that_the_controller_sets() -> None:
    switch = paused("resubmit(,1)")
    (packet_in,) = switch.packet_ins
    without = replace(packet_in, pipeline=Match(1, Flow.in_port.mask))
    resume(switch.vswitchd.backer, switch.bridge(BRIDGE), without)
    switch.settle()
    assert switch.take_sent() == []


def test_what_has_nothing_to_do_any_more_ends_without_a_lookup() -> None:
    switch = switch_with(["in_port=1,actions=controller(pause)"])
    outputs(switch, "p1", FRAME)
    switch.ofctl(["add-flow", BRIDGE, "priority=40000,actions=output:4"])
    resume(switch.vswitchd.backer, switch.bridge(BRIDGE), switch.packet_ins[0])
    switch.settle()
    assert switch.take_sent() == []


def test_a_packet_that_goes_on_learns_of_a_full_table_that_it_has_taught_nothing() -> None:
    learn = "learn(table=1,limit=1,result_dst=reg2[0],eth_dst=eth_src,output:in_port)"
    first, second = TCP + ",dl_src=50:54:00:00:00:01", TCP + ",dl_src=50:54:00:00:00:02"
    switch = switch_with(
        [
            f"in_port=1,actions=controller(pause),{learn},resubmit(,2)",
            "table=2,reg2=1,actions=output:2",
            "table=2,reg2=0,actions=output:3",
        ]
    )
    for text in (first, second):
        outputs(switch, "p1", frame_of(text))
    for packet_in in list(switch.packet_ins):
        resume(switch.vswitchd.backer, switch.bridge(BRIDGE), packet_in)
        switch.settle()
    assert [name for name, _ in switch.take_sent()] == ["p2", "p3"]
    (learned,) = (line for line in flow_lines(switch) if "learn" not in line and "table=1" in line)
    assert "dl_dst=50:54:00:00:00:01" in learned


def test_a_packet_whose_bridge_has_gone_stays() -> None:
    switch = paused("output:2")
    (packet_in,) = switch.packet_ins
    continuation = (
        replace(packet_in.continuation, bridge=bytes(16)) if packet_in.continuation else None
    )
    with pytest.raises(OpenFlowError, match="NXR_STALE"):
        resume(
            switch.vswitchd.backer,
            switch.bridge(BRIDGE),
            replace(packet_in, continuation=continuation),
        )


def test_flows_and_controllers_see_the_tunnel_options_that_a_packet_is_sent_with() -> None:
    switch = switch_with()
    bridge = switch.bridge(BRIDGE)
    maps = (TlvMap(0xFFFF, 0, 8, 2), TlvMap(0xFFFF, 1, 4, 3), TlvMap(0xFFFF, 2, 4, 4))
    bridge.tlv_mappings.apply(TlvTableMod(TlvTableCommand.ADD, maps), ())
    switch.ofctl(["add-flow", BRIDGE, "tun_metadata3=0x11,actions=output:2,controller"])
    pipeline = parse_match("in_port=1,tun_metadata2=0x22,tun_metadata3=0x11")
    bridge.packet_out(PacketOut(FRAME, parse_actions("table").actions, pipeline))
    switch.settle()
    assert [name for name, _ in switch.take_sent()] == ["p2"]
    (packet_in,) = switch.packet_ins
    assert match_text(packet_in.pipeline) == "tun_metadata2=0x22,tun_metadata3=0x11,in_port=1"

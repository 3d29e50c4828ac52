"""Every action and instruction, by frames that go through a switch."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import flow_lines, frame_of, run_until_ms, switch_with
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.ofproto.reference import NOT_WRITTEN
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpact
from vnet.ovs.openflow.text.actions.registry import KINDS

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
IP = f"dl_src={A},dl_dst={B},nw_src=10.0.0.9,nw_dst=10.0.0.8,nw_ttl=64"
UDP = f"udp,{IP},udp_src=9,udp_dst=8"
TAGGED = f"{UDP},dl_vlan=9,dl_vlan_pcp=6"
FIN = f"tcp,{IP},tcp_src=9,tcp_dst=8,tcp_flags=fin|ack"
MPLS = f"mpls,dl_src={A},mpls_label=9,mpls_tc=6,mpls_ttl=64,mpls_bos=1"

GROUP = "group_id=1,type=all,bucket=output:2,bucket=output:3"
METER = "meter=1,pktps,burst,band=type=drop,rate=1,burst_size=1"
TO_NSH = "encap(nsh(md_type=1))"
AS_FRAME = f"encap(ethernet),set_field:{B}->eth_dst"


class Case(NamedTuple):
    """Flows, a packet that comes in by port 1, and what leaves: ports, and a match for all."""

    flows: str
    ports: str
    looks: str = ""
    packet: str = UDP


CASES: dict[type[Ofpact], Case] = {
    ofpacts.Output: Case("actions=output:2,3,IN_PORT,LOCAL", "br0 p1 p2 p3"),
    ofpacts.OutputReg: Case("actions=load:3->NXM_NX_REG0[],output:NXM_NX_REG0[]", "p3"),
    ofpacts.OutputTrunc: Case("actions=output(port=2,max_len=60)", "p2"),
    ofpacts.Controller: Case("actions=controller,output:2", "p2"),
    ofpacts.Enqueue: Case("actions=enqueue:2:7", "p2"),
    ofpacts.Group: Case("actions=group:1", "p2 p3"),
    ofpacts.Bundle: Case("actions=bundle(eth_src,0,active_backup,ofport,members:3,2)", "p3"),
    ofpacts.Multipath: Case(
        "actions=multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[]),resubmit(,1)\n"
        "table=1,reg0=0,actions=output:2",
        "p2",
    ),
    # -- fields
    ofpacts.SetField: Case(
        "ip,actions=set_field:10.0.0.1->ip_src,output:2", "p2", "ip,nw_src=10.0.0.1"
    ),
    ofpacts.RegMove: Case(
        "actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],output:2", "p2", f"dl_dst={A}"
    ),
    ofpacts.StackPush: Case("actions=push:eth_src,pop:eth_dst,output:2", "p2", f"dl_dst={A}"),
    ofpacts.StackPop: Case(
        "actions=push:in_port,pop:reg0[0..15],resubmit(,1)\ntable=1,reg0=1,actions=output:2", "p2"
    ),
    ofpacts.CheckPktLarger: Case(
        "actions=check_pkt_larger(60)->reg0[0],resubmit(,1)\ntable=1,reg0=1,actions=output:2", "p2"
    ),
    ofpacts.SetTunnel: Case(
        "actions=set_tunnel:5,resubmit(,1)\ntable=1,tun_id=5,actions=output:2", "p2"
    ),
    # -- headers
    ofpacts.SetVlanVid: Case("actions=mod_vlan_vid:5,output:2", "p2", "dl_vlan=5"),
    ofpacts.SetVlanPcp: Case("actions=mod_vlan_pcp:5,output:2", "p2", "dl_vlan=0,dl_vlan_pcp=5"),
    ofpacts.StripVlan: Case(
        "vlan_tci=0x1000/0x1000,actions=strip_vlan,output:2", "p2", "vlan_tci=0", TAGGED
    ),
    ofpacts.PushVlan: Case(
        "actions=push_vlan:0x8100,mod_vlan_vid:5,output:2", "p2", "dl_vlan=5", TAGGED
    ),
    ofpacts.SetEthSrc: Case(f"actions=mod_dl_src:{B},output:2", "p2", f"dl_src={B}"),
    ofpacts.SetEthDst: Case(f"actions=mod_dl_dst:{A},output:2", "p2", f"dl_dst={A}"),
    ofpacts.SetIpv4Src: Case("ip,actions=mod_nw_src:10.0.0.1,output:2", "p2", "ip,nw_src=10.0.0.1"),
    ofpacts.SetIpv4Dst: Case("ip,actions=mod_nw_dst:10.0.0.1,output:2", "p2", "ip,nw_dst=10.0.0.1"),
    ofpacts.SetIpDscp: Case("ip,actions=mod_nw_tos:184,output:2", "p2", "ip,nw_tos=184"),
    ofpacts.SetIpEcn: Case("ip,actions=mod_nw_ecn:3,output:2", "p2", "ip,nw_ecn=3"),
    ofpacts.SetIpTtl: Case("ip,actions=mod_nw_ttl:5,output:2", "p2", "ip,nw_ttl=5"),
    ofpacts.DecTtl: Case("ip,actions=dec_ttl,output:2", "p2", "ip,nw_ttl=63"),
    ofpacts.SetL4SrcPort: Case("udp,actions=mod_tp_src:5,output:2", "p2", "udp,tp_src=5"),
    ofpacts.SetL4DstPort: Case("udp,actions=mod_tp_dst:5,output:2", "p2", "udp,tp_dst=5"),
    ofpacts.SetMplsLabel: Case(
        "mpls,actions=set_mpls_label:5,output:2", "p2", "mpls,mpls_label=5", MPLS
    ),
    ofpacts.SetMplsTc: Case("mpls,actions=set_mpls_tc:5,output:2", "p2", "mpls,mpls_tc=5", MPLS),
    ofpacts.SetMplsTtl: Case("mpls,actions=set_mpls_ttl:5,output:2", "p2", "mpls,mpls_ttl=5", MPLS),
    ofpacts.DecMplsTtl: Case("mpls,actions=dec_mpls_ttl,output:2", "p2", "mpls,mpls_ttl=63", MPLS),
    ofpacts.PushMpls: Case("ip,actions=push_mpls:0x8847,output:2", "p2", "mpls,mpls_bos=1"),
    ofpacts.PopMpls: Case(
        "ip,actions=push_mpls:0x8847,pop_mpls:0x0800,output:2", "p2", "udp,tp_dst=8"
    ),
    ofpacts.Encap: Case(f"actions={TO_NSH},{AS_FRAME},output:2", "p2", "dl_type=0x894f,nsh_np=3"),
    ofpacts.DecNshTtl: Case(
        f"actions={TO_NSH},dec_nsh_ttl,{AS_FRAME},output:2", "p2", "dl_type=0x894f,nsh_ttl=62"
    ),
    ofpacts.Decap: Case(
        f"actions={TO_NSH},{AS_FRAME},resubmit(,1)\n"
        "table=1,dl_type=0x894f,actions=decap,decap,output:2",
        "p2",
        "udp,tp_dst=8",
    ),
    # -- the way through the tables
    ofpacts.Resubmit: Case("actions=resubmit(,1)\ntable=1,actions=output:2", "p2"),
    ofpacts.GotoTable: Case("actions=goto_table:1\ntable=1,actions=output:2", "p2"),
    ofpacts.Clone: Case(
        "ip,actions=clone(mod_nw_ttl:5,resubmit(,1)),output:2\ntable=1,actions=output:3",
        "p2 p3",
    ),
    ofpacts.Exit: Case("actions=output:2,exit,output:3", "p2"),
    ofpacts.Conjunction: Case(
        "ip,nw_src=10.0.0.9,actions=conjunction(7,1/2)\nudp,tp_dst=8,actions=conjunction(7,2/2)\n"
        "ip,conj_id=7,actions=output:2",
        "p2",
    ),
    ofpacts.Learn: Case(
        "actions=learn(table=1,NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),output:2", "p2"
    ),
    ofpacts.FinTimeout: Case(
        "tcp,idle_timeout=9,actions=fin_timeout(idle_timeout=1),output:2", "p2", "tcp", FIN
    ),
    ofpacts.ClearActions: Case(
        "actions=write_actions(output:3),goto_table:1\n"
        "table=1,actions=clear_actions,write_actions(output:2)",
        "p2",
    ),
    ofpacts.WriteActions: Case(
        "ip,actions=write_actions(output:2,mod_nw_ttl:5)", "p2", "ip,nw_ttl=5"
    ),
    ofpacts.WriteMetadata: Case(
        "actions=write_metadata:5,goto_table:1\ntable=1,metadata=5,actions=output:2", "p2"
    ),
    ofpacts.Meter: Case("actions=meter:1,output:2", "p2"),
    # -- connections
    ofpacts.Ct: Case(
        "ip,actions=ct(commit,nat(src=10.0.0.1),table=1)\ntable=1,actions=output:2",
        "p2",
        "ip,nw_src=10.0.0.1",
    ),
    ofpacts.CtClear: Case(
        "ip,actions=ct(table=1)\ntable=1,ct_state=+trk,actions=ct_clear,resubmit(,2)\n"
        "table=2,ct_state=-trk,actions=output:2",
        "p2",
    ),
    # -- what leaves the frame as it is
    ofpacts.SetQueue: Case("actions=set_queue:1,output:2", "p2"),
    ofpacts.PopQueue: Case("actions=set_queue:1,pop_queue,output:2", "p2"),
    ofpacts.Note: Case("actions=note:00.11,output:2", "p2"),
    ofpacts.Sample: Case("actions=sample(probability=65535,collector_set_id=1),output:2", "p2"),
    ofpacts.DebugRecirc: Case("actions=debug_recirc,output:2", "p2"),
    ofpacts.DebugSlow: Case("actions=debug_slow,output:2", "p2"),
}


def switch_for(case: Case) -> Switch:
    switch = switch_with(groups=[GROUP])
    switch.ofctl(["-OOpenFlow13", "add-meter", BRIDGE, METER])
    for flow in case.flows.splitlines():
        switch.ofctl(["-OOpenFlow15", "add-flow", BRIDGE, flow])
    return switch


def test_every_action_has_a_case() -> None:
    assert {*CASES, ofpacts.DeleteField} == set(KINDS) - NOT_WRITTEN - ofpacts.FULL_ONLY


def test_tunnel_options_are_mapped_before_they_are_deleted() -> None:
    with pytest.raises(OpenFlowError, match="NXFMFC_INVALID_TLV_FIELD"):
        switch_for(Case("actions=delete_field:tun_metadata0,output:2", ""))


@pytest.mark.parametrize("action", CASES, ids=lambda action: action.__name__)
def test_the_frame_leaves_as_the_action_says(action: type[Ofpact]) -> None:
    """The first by a decision, the second by a megaflow; for a meter, not in the same second."""
    case = CASES[action]
    switch, frame, wanted = switch_for(case), frame_of(case.packet), parse_match(case.looks)
    for seconds in (0, 1):
        run_until_ms(switch, seconds * 1_000)
        switch.inject("p1", frame)
        sent = switch.take_sent()
        assert sorted(name for name, _ in sent) == case.ports.split()
        for _, data in sent:
            assert extract(data) & wanted.mask == wanted.value
            assert case.looks or data == frame[: len(data)] or action is ofpacts.Clone


def test_a_truncated_frame_is_short() -> None:
    switch = switch_for(CASES[ofpacts.OutputTrunc])
    switch.inject("p1", frame_of(UDP))
    assert [len(data) for _, data in switch.take_sent()] == [60]


def test_the_controller_gets_the_frame() -> None:
    switch, frame = switch_for(CASES[ofpacts.Controller]), frame_of(UDP)
    switch.inject("p1", frame)
    assert [message.frame for message in switch.packet_ins] == [frame]


def test_a_meter_lets_no_more_pass_than_its_rate() -> None:
    switch, frame = switch_for(CASES[ofpacts.Meter]), frame_of(UDP)
    for _ in range(10):
        switch.inject("p1", frame)
    assert len(switch.take_sent()) == 1
    run_until_ms(switch, 1_000)
    for _ in range(10):
        switch.inject("p1", frame)
    assert len(switch.take_sent()) == 1


def test_a_flow_is_learned() -> None:
    switch = switch_for(CASES[ofpacts.Learn])
    switch.inject("p1", frame_of(UDP))
    assert any(f"dl_src={A} actions=output:1" in line for line in flow_lines(switch))


def test_the_end_of_a_connection_shortens_a_timeout() -> None:
    switch = switch_for(CASES[ofpacts.FinTimeout])
    switch.inject("p1", frame_of(FIN))
    assert "idle_timeout=1," in flow_lines(switch)[0]


def test_a_connection_is_committed() -> None:
    switch = switch_for(CASES[ofpacts.Ct])
    switch.inject("p1", frame_of(UDP))
    assert ["10.0.0.1" in line for line in switch.datapath.ct_dump()] == [True]

"""Whether actions may stand with a match, and what they remember of it."""

from __future__ import annotations

import pytest

from vnet.ovs.flow.match import CATCHALL
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY, P_OF10_STD, P_OF13_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Clone,
    SetField,
    SetL4DstPort,
    SetVlanVid,
    WriteActions,
)
from vnet.ovs.openflow.text.actions import check_actions, check_consistency, parse_instructions

FORGIVEN = [
    ("", "set_vlan_vid:5"),
    ("", "set_vlan_pcp:5"),
    ("", "strip_vlan"),
    ("vlan_tci=0x1000/0x1000", "strip_vlan,strip_vlan"),
    ("", "mod_nw_src:1.2.3.4"),
    ("ipv6", "mod_nw_dst:1.2.3.4"),
    ("arp", "mod_nw_tos:4"),
    ("arp", "mod_nw_ecn:1"),
    ("", "mod_nw_ttl:1"),
    ("", "dec_ttl"),
    ("ip", "mod_tp_src:1"),
    ("icmp", "mod_tp_dst:1"),
    ("tcp,nw_frag=later", "mod_tp_dst:1"),
    ("ip", "set_mpls_label:1"),
    ("ip", "set_mpls_tc:1"),
    ("ip", "set_mpls_ttl:1"),
    ("ip", "dec_mpls_ttl"),
    ("ip", "pop_mpls:0x0800"),
    ("packet_type=(1,0x800)", "push_mpls:0x8847"),
    ("ip", "push_mpls:0x8847,dec_ttl"),
    ("mpls", "pop_mpls:0x0800,dec_mpls_ttl"),
    ("", "fin_timeout(idle_timeout=1)"),
    ("ip", "dec_nsh_ttl"),
    ("", "clone(dec_ttl)"),
    ("ip", "decap,mod_nw_src:1.2.3.4,decap,dec_ttl"),
]
"""Actions that do not go with the match, which only OpenFlow 1.0 forgives."""

CONSISTENT = [
    ("vlan_tci=0x1000/0x1000", "set_vlan_vid:5,set_vlan_pcp:1,strip_vlan"),
    ("", "mod_vlan_vid:5,strip_vlan"),
    ("", "push_vlan:0x8100,push_vlan:0x88a8,set_field:0x1005->vlan_vid"),
    ("", "set_field:0x1005->vlan_tci,set_field:0x1005->vlan_vid,strip_vlan"),
    ("ip", "mod_nw_src:1.2.3.4,dec_ttl,set_field:1.2.3.4->ip_dst"),
    ("ipv6", "dec_ttl,mod_nw_tos:4"),
    ("sctp", "mod_tp_src:1"),
    ("mpls", "set_mpls_label:1,pop_mpls:0x0800,dec_ttl"),
    ("tcp", "fin_timeout()"),
    ("", "encap(nsh),dec_nsh_ttl,decap"),
    ("", "write_actions(dec_ttl)"),
    ("ct_state=+trk+est,ip", "resubmit(,1,ct),ct(commit,nat(src=10.0.0.1))"),
    ("", "learn(eth_type=0x800,ip_dst=10.0.0.1,load:5->reg0)"),
    ("", "bundle(eth_src,0,hrw,ofport,members:ANY,1)"),
    ("", "meter:4294901760"),
]

REFUSED = [
    ("", "output:ANY", "OFPBAC_BAD_OUT_PORT"),
    ("", "output:65280", "OFPBAC_BAD_OUT_PORT"),
    ("", "enqueue:normal:1", "OFPBAC_BAD_OUT_PORT"),
    ("", "output(port=65280,max_len=100)", "OFPBAC_BAD_OUT_PORT"),
    ("", "bundle(eth_src,0,hrw,ofport,members:controller)", "OFPBAC_BAD_OUT_PORT"),
    ("", "bundle(eth_src,0,hrw,ofport,members:65280)", "OFPBAC_BAD_OUT_PORT"),
    ("", "bundle_load(eth_src,0,hrw,ofport,eth_type,members:1)", "OFPBAC_BAD_SET_ARGUMENT"),
    ("", "output:NXM_OF_IP_TOS[]", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "set_field:1.2.3.4->ip_src", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "set_field:0x1005->vlan_vid", "OFPBAC_MATCH_INCONSISTENT"),
    ("ip", "push_mpls:0x8847,set_field:1.2.3.4->ip_src", "OFPBAC_MATCH_INCONSISTENT"),
    ("tcp", "load:1->NXM_OF_UDP_SRC[]", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "move:ip_src->reg0", "OFPBAC_MATCH_INCONSISTENT"),
    ("ip", "move:reg0[0..15]->eth_type", "OFPBAC_BAD_SET_ARGUMENT"),
    ("", "push:ip_src", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "pop:eth_type", "OFPBAC_BAD_SET_ARGUMENT"),
    ("", "multipath(eth_src,0,hrw,2,0,eth_type)", "OFPBAC_BAD_SET_ARGUMENT"),
    ("", "delete_field:reg0", "OFPBAC_BAD_ARGUMENT"),
    ("", "push_vlan:0x8100,push_vlan:0x8100,push_vlan:0x8100", "OFPBAC_BAD_TAG"),
    ("", "resubmit(,1,ct)", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "ct", "OFPBAC_MATCH_INCONSISTENT"),
    ("udp", "ct(commit,alg=ftp)", "OFPBAC_MATCH_INCONSISTENT"),
    ("tcp", "ct(commit,alg=tftp)", "OFPBAC_MATCH_INCONSISTENT"),
    ("ct_state=+trk+inv,ip", "ct(commit)", "OFPBAC_MATCH_INCONSISTENT"),
    ("ip", "ct(commit,nat(src=fe80::1))", "OFPBAC_MATCH_INCONSISTENT"),
    ("ipv6", "ct(commit,nat(src=10.0.0.1))", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "ct(zone=ip_src[0..15])", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "learn(ip_dst=10.0.0.1)", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "learn(reg0=ip_src)", "OFPBAC_MATCH_INCONSISTENT"),
    ("", "learn(load:5->eth_type)", "OFPBAC_BAD_SET_ARGUMENT"),
    ("", "meter:0", "OFPMMFC_INVALID_METER"),
    ("", "meter:4294901761", "OFPMMFC_INVALID_METER"),
    ("", "write_actions(set_field:1.2.3.4->ip_src)", "OFPBAC_MATCH_INCONSISTENT"),
]


@pytest.mark.parametrize(("match", "actions"), FORGIVEN)
def test_what_does_not_go_with_the_match_is_left_to_openflow_10(match: str, actions: str) -> None:
    read = parse_instructions(actions).actions
    assert check_actions(read, parse_match(match)).usable == P_OF10_ANY
    assert check_consistency(read, parse_match(match), P_OF10_STD)
    with pytest.raises(OpenFlowError) as refused:
        check_consistency(read, parse_match(match), P_OF13_OXM)
    assert refused.value.name == "OFPBAC_MATCH_INCONSISTENT"


@pytest.mark.parametrize(("match", "actions"), CONSISTENT)
def test_what_goes_with_the_match_is_allowed_everywhere(match: str, actions: str) -> None:
    checked = check_actions(parse_instructions(actions).actions, parse_match(match))
    assert checked.usable == P_ANY


@pytest.mark.parametrize(("match", "actions", "error"), REFUSED)
def test_what_can_never_be_is_refused_by_name(match: str, actions: str, error: str) -> None:
    with pytest.raises(OpenFlowError) as refused:
        check_actions(parse_instructions(actions).actions, parse_match(match))
    assert refused.value.name == error


@pytest.mark.parametrize(
    ("goto", "table_id", "n_tables", "is_allowed"),
    [
        (1, 0, 255, True),
        (0, 0, 255, False),
        (3, 5, 255, False),
        (9, 0, 9, False),
        (3, 255, 255, True),
    ],
)
def test_goto_table_leads_onwards(
    goto: int, table_id: int, n_tables: int, is_allowed: bool
) -> None:
    actions = parse_instructions(f"goto_table:{goto}").actions
    if is_allowed:
        assert check_actions(actions, CATCHALL, table_id=table_id, n_tables=n_tables)
        return
    with pytest.raises(OpenFlowError, match="OFPBIC_BAD_TABLE_ID"):
        check_actions(actions, CATCHALL, table_id=table_id, n_tables=n_tables)


def test_a_switch_with_few_ports_refuses_the_others() -> None:
    actions = parse_instructions("output:9").actions
    assert check_actions(actions, CATCHALL, max_ports=10)
    with pytest.raises(OpenFlowError, match="OFPBAC_BAD_OUT_PORT"):
        check_actions(actions, CATCHALL, max_ports=9)


def test_actions_remember_what_the_match_knows() -> None:
    read = parse_instructions(
        "mod_vlan_vid:5,set_field:0->vlan_tci,mod_vlan_vid:6,mod_tp_dst:80,"
        "clone(strip_vlan,mod_vlan_vid:7),mod_vlan_vid:8,write_actions(mod_vlan_vid:9)"
    ).actions
    first, clear, second, port, clone, third, written = check_actions(
        read, parse_match("tcp,vlan_tci=0x1005")
    ).actions
    assert first == SetVlanVid(5, push_vlan_if_needed=True, flow_has_vlan=True)
    assert isinstance(clear, SetField)
    assert clear.flow_has_vlan
    assert second == SetVlanVid(6, push_vlan_if_needed=True, flow_has_vlan=False)
    assert port == SetL4DstPort(80, flow_ip_proto=6)
    assert isinstance(clone, Clone)
    assert clone.actions[1] == SetVlanVid(7, push_vlan_if_needed=True, flow_has_vlan=False)
    assert third == SetVlanVid(8, push_vlan_if_needed=True, flow_has_vlan=True)
    assert isinstance(written, WriteActions)
    assert written.actions == (SetVlanVid(9, push_vlan_if_needed=True, flow_has_vlan=True),)


@pytest.mark.parametrize("text", ["output:1", "set_field:5->reg0,output:1", "set_vlan_vid:5"])
def test_flows_that_do_the_same_share_one_list_where_they_know_nothing_of_their_matches(
    text: str,
) -> None:
    actions = parse_instructions(text).actions
    tcp, udp = parse_match("tcp"), parse_match("udp")
    assert check_actions(actions, tcp).actions is check_actions(actions, udp).actions is actions


def test_a_flow_with_a_tag_does_not_share_the_list_of_one_without() -> None:
    actions = parse_instructions("set_vlan_vid:5").actions
    tagged = check_actions(actions, parse_match("dl_vlan=7")).actions
    assert tagged == (SetVlanVid(5, flow_has_vlan=True),)
    assert check_actions(actions, parse_match("tcp")).actions is actions

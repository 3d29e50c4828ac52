"""Datapath actions in text: what is printed is read back."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.dpif.strategies import ACTIONS
from vnet.ovs.dpif.actions import (
    Clone,
    Ct,
    Drop,
    DropCause,
    KeyPart,
    OdpAction,
    OdpActions,
    Output,
    Sample,
    Set,
    Userspace,
)
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort

# As real datapaths have shown them.
LINES = (
    "2",
    "1,2,100",
    "set(eth(src=80:81:81:81:81:81)),1",
    "set(eth(src=80:81:81:81:81:81,dst=82:82:82:82:82:82)),1",
    "set(eth(dst=01:00:00:00:00:00/01:00:00:00:00:00)),1",
    "set(ipv4(src=10.0.0.1,ttl=63)),set(tcp(dst=80)),3",
    "set(ipv4(tos=0x4/0xfc)),3",
    "set(ipv6(label=0x12345,hlimit=254)),set(udp(src=1/0xff)),3",
    "set(arp(sip=10.0.0.1,op=2,tha=82:82:82:82:82:82)),3",
    "set(skb_mark(0x7)),set(skb_priority(0x1)),3",
    "set(mpls(label=100,tc=0,ttl=63,bos=1)),3",
    "set(nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x1234,si=255,c1=0x1,c2=0x2,c3=0x3,c4=0x4)),1",
    "set(nsh(ttl=62)),1",
    "push_vlan(vid=12,pcp=0),pop_vlan",
    "push_vlan(tpid=0x88a8,vid=99,pcp=3),1",
    "push_mpls(label=50,tc=0,ttl=64,bos=1,eth_type=0x8847),pop_mpls(eth_type=0x800)",
    "push_eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),pop_eth",
    "push_nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x0,si=255,c1=0x1,c2=0x0,c3=0x0,c4=0x0),pop_nsh()",
    "push_nsh(flags=0,ttl=63,mdtype=2,np=3,spi=0x0,si=255,md2=0x10000a0412345678),4",
    "tnl_push(tnl_port(4789),header(size=50,type=4,eth(dst=f8:bc:12:44:34:b6,"
    "src=aa:55:aa:55:00:00,dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.92,proto=17,tos=0,ttl=64,"
    "frag=0x4000),udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,vni=0x7b)),out_port(100)),1",
    "clone(tnl_push(tnl_port(3),header(size=62,type=109,eth(dst=f8:bc:12:44:34:b6,"
    "src=aa:55:aa:55:00:00,dl_type=0x86dd),ipv6(src=2001:cafe::88,dst=2001:cafe::92,label=0,"
    "proto=47,tclass=0x0,hlimit=64),gre((flags=0x2000,proto=0x6558),key=0x1c8)),out_port(100)),1)",
    "tnl_push(tnl_port(3),header(size=46,type=3,eth(dst=f8:bc:12:44:34:b6,src=aa:55:aa:55:00:00,"
    "dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.92,proto=47,tos=0x10,ttl=9,frag=0x0),"
    "gre((flags=0x9000,proto=0x6558),csum=0x0,seq=0x0)),out_port(100)),1",
    "tnl_push(tnl_port(6081),header(size=50,type=5,eth(dst=f8:bc:12:44:34:b6,"
    "src=aa:55:aa:55:00:00,dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.92,proto=17,tos=0,ttl=64,"
    "frag=0x4000),udp(src=0,dst=6081,csum=0xffff),geneve(oam,crit,vni=0x7b)),out_port(100)),1",
    "tnl_pop(4789)",
    "recirc(0x2a)",
    "hash(l4(0)),recirc(0x1)",
    "hash(sym_l4(7)),recirc(0x1)",
    "sample(sample=50.0%,actions(2)),sample(sample=0.0%,actions(drop))",
    "clone(ct(commit),2),3",
    "ct,ct_clear",
    "ct(commit,zone=5,mark=0x1/0xffffffff,label=0x100000000000000000/0xff0000000000000000)",
    "ct(force_commit,helper=ftp,timeout=ovs_tp_1_tcp4)",
    "ct(commit,nat(src=10.1.1.240-10.1.1.255:34567-34568,random)),2",
    "ct(commit,nat(dst=[fe80::1]:80,hash))",
    "ct(commit,nat(src=fe80::1-fe80::9,persistent))",
    "ct(commit,nat(dst)),ct(nat)",
    "trunc(100),2,meter(3),2",
    "check_pkt_len(size=1500,gt(userspace(pid=0,slow_path(action))),le(drop))",
    "userspace(pid=0,controller(reason=1,dont_send=0,continuation=0,recirc_id=5,rule_cookie=0,"
    "controller_id=0,max_len=65535))",
    "userspace(pid=0,flow_sample(probability=65535,collector_set_id=1,obs_domain_id=2,"
    "obs_point_id=3,output_port=4,egress),tunnel_out_port=4)",
    "userspace(pid=0,slow_path(cfm,match),actions)",
)


@pytest.mark.parametrize("line", LINES)
def test_lines_read_as_they_print(line: str) -> None:
    assert actions_text(parse_actions(line)) == line


@settings(max_examples=examples(60))
@given(ACTIONS)
def test_actions_read_as_they_print(actions: OdpActions) -> None:
    assert parse_actions(actions_text(actions)) == actions


def test_nothing_is_a_drop() -> None:
    assert actions_text(()) == "drop"
    assert actions_text((Clone(()),)) == "clone(drop)"
    assert actions_text((Drop(DropCause.TOO_MANY_RESUBMITS),)) == "drop"
    assert parse_actions("DROP") == (Drop(DropCause.OK),)
    assert parse_actions("clone(drop)") == (Clone(()),)
    assert parse_actions("") == ()


def test_ports_go_by_their_names_where_they_have_some() -> None:
    actions: OdpActions = (Output(OdpPort(1)), Output(OdpPort(2)))
    assert actions_text(actions, port_names={1: "vif1.0"}) == "vif1.0,2"
    assert parse_actions("vif1.0,2", port_numbers={"vif1.0": 1}) == actions


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("0x10", Output(OdpPort(16))),
        ("ct( zone=7 , commit )", Ct(commit=True, zone=7)),
        ("ct(mark=0x0/0x0)", Ct()),
        ("sample(sample=12.5%,actions(1))", Sample(0x20000000, (Output(OdpPort(1)),))),
        ("userspace(pid=1,slow_path(cfm|lacp))", Userspace(SlowPathCookie(SlowPath(5)), pid=1)),
        (
            "set(tcp(src=7))",
            Set(KeyPart.TCP, 7 << Flow.tp_src.shift, 0xFFFF << Flow.tp_src.shift),
        ),
    ],
)
def test_what_a_user_may_write(text: str, action: OdpAction) -> None:
    assert parse_actions(text) == (action,)


@pytest.mark.parametrize(
    "text",
    [
        *("x", "2x", "2 x", "set(eth(", "set(eth()", "set(foo(1))", "push_vlan(vid=4096,pcp=0)"),
        *("push_vlan(pcp=0,vid=1)", "push_vlan(vid=1)", "ct(commit,force_commit)", "ct(zone)"),
        *("ct(nat(src,dst))", "ct(nat(src=1.1.1.2-1.1.1.1))", "ct(nat(src=1.1.1.1:9-8))"),
        *("ct(nat(src=1.1.1.1,hash,random))", "ct(helper=0123456789abcdef)", "ct(label=-)"),
        *("sample(sample=101%,actions(1))", "sample(sample=1%,actions(1)", "clone(1", "trunc()"),
        *("check_pkt_len(size=1,gt(1))", "userspace(pid=1)", "userspace(pid=1,slow_path(x))"),
        *("push_nsh(mdtype=3)", "push_nsh(md2=0x01)", "pop_nsh", "meter(x)", "hash(l5(0))"),
        "clone(" * 40 + ")" * 40,
    ],
)
def test_what_is_no_action(text: str) -> None:
    with pytest.raises(OvsTextError) as caught:
        parse_actions(text)
    assert caught.value.what == "parsing actions (Invalid argument)"


_SCRAPS = st.sampled_from(
    ("set(", "ct(", "nat(", "clone(", "=", "(", ")", ",", "/", "-", "1", "0x", "eth", "src", "vid")
)


@given(st.lists(_SCRAPS | st.sampled_from(LINES) | st.text(max_size=3), max_size=8).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        actions = parse_actions(text)
    except OvsTextError:
        return
    assert parse_actions(actions_text(actions)) == (actions or (Drop(DropCause.OK),))


_LEFT_OUT = re.compile(r"erspan\(|gtpu\(|options\(|tunnel\(|recirc\(\?\)|^p1")
"""Tunnels of other kinds, and lines that say less than the actions: numbers left open, ports by
name."""


@pytest.mark.oracle
@pytest.mark.skipif("VNET_ORACLE" not in os.environ, reason="VNET_ORACLE is not set")
def test_lines_of_open_vswitchs_own_tests() -> None:
    cases = json.loads(Path(os.environ["VNET_ORACLE"], "ovs-tests/trace-cases.json").read_text())
    outputs = "\n".join(case["actual_trace_output"] or "" for case in cases)
    lines = set(re.findall("^Datapath actions: (.+)$", outputs, re.MULTILINE))
    lines = {line for line in lines if not _LEFT_OUT.search(line)}
    assert len(lines) > 100
    for line in sorted(lines):
        assert actions_text(parse_actions(line)) == line

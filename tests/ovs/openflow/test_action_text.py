"""The text of every action and instruction: what is read, and how it is printed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.ovs.action_strategies import instructions
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OfpPort
from vnet.ovs.openflow.ofpacts import (
    FULL_ONLY,
    Clone,
    Controller,
    Nat,
    Note,
    Ofpacts,
    Output,
    SetField,
    UnrollXlate,
)
from vnet.ovs.openflow.text.actions import actions_text, parse_actions, parse_instructions
from vnet.ovs.openflow.text.actions.registry import KINDS, WORDS

SAME = (
    """
output:1
output:65279
65280
LOCAL
NORMAL
IN_PORT
ANY
UNSET
CONTROLLER:128
controller(reason=invalid_ttl,max_len=100,id=7,userdata=01.02.03,pause,meter_id=5)
controller(id=1)
output:NXM_NX_REG0[0..15]
output:NXM_NX_REG1[]
output(port=2,max_len=100)
enqueue:2:3
enqueue:LOCAL:0
group:5
bundle(eth_src,0,hrw,ofport,members:1,2)
bundle(symmetric_l3l4+udp,7,active_backup,ofport,members:)
bundle_load(nw_dst,1,hrw,ofport,NXM_NX_REG0[0..15],members:1,LOCAL)
multipath(symmetric_l4,50,modulo_n,4,0,NXM_NX_REG0[0..1])
multipath(nw_src,0,iter_hash,1,9,NXM_NX_XXREG0[100..127])
set_field:10.0.0.1->ip_src
set_field:00:11:22:33:44:55->eth_dst
set_field:00:11:22:33:44:55/ff:ff:ff:00:00:00->eth_dst
set_field:10.0.0.0/8->ip_dst
set_field:fe80::1->ipv6_src
set_field:0xff->reg3
set_field:0x5/0xf->metadata
set_field:80->tcp_dst
load:0x5->NXM_NX_REG0[]
load:0->NXM_NX_REG0[3]
load:0x5->NXM_NX_REG0[4..11]
load:0x5->dl_vlan[]
move:NXM_OF_ETH_SRC[]->OXM_OF_PKT_REG0[0..47]
push:NXM_NX_REG2[0..5]
pop:NXM_NX_REG2[0..5]
delete_field:tun_metadata5
check_pkt_larger(1500)->NXM_NX_REG0[7]
mod_vlan_vid:7
set_vlan_vid:7
mod_vlan_pcp:5
set_vlan_pcp:5
strip_vlan
pop_vlan
push_vlan:0x88a8
mod_dl_src:00:11:22:33:44:55
mod_dl_dst:ff:ff:ff:ff:ff:ff
mod_nw_src:10.0.0.1
mod_nw_dst:255.255.255.255
mod_nw_tos:252
mod_nw_ecn:3
mod_nw_ttl:64
mod_tp_src:80
mod_tp_dst:65535
dec_ttl
dec_ttl(0)
dec_ttl(1,2,65535)
set_mpls_label(1048575)
set_mpls_tc(7)
set_mpls_ttl(255)
dec_mpls_ttl
push_mpls:0x8847
pop_mpls:0x0800
encap(ethernet)
encap(mpls)
encap(mpls_mc)
encap(nsh)
encap(nsh(md_type=2,tlv(0x1000,10,0x12345678)))
decap()
decap(packet_type(ns=1,type=0x800))
decap(packet_type(ns=0,type=0))
dec_nsh_ttl
set_tunnel:0x5
set_tunnel64:0x5
set_tunnel64:0x100000000
set_queue:4294967295
pop_queue
fin_timeout(idle_timeout=5,hard_timeout=10)
fin_timeout()
note:00.11.ff
note:
sample(probability=1,collector_set_id=2,obs_domain_id=3,obs_point_id=4,sampling_port=5,egress)
sample(probability=65535,collector_set_id=0,obs_domain_id=0,obs_point_id=0)
exit
ct_clear
debug_recirc
debug_slow
resubmit:5
resubmit(,7)
resubmit(5,7)
resubmit(LOCAL,7,ct)
conjunction(1,2/3)
conjunction(4294967295,64/64),note:01
learn(table=1)
learn(table=2,idle_timeout=1,hard_timeout=2,fin_idle_timeout=3,fin_hard_timeout=4,priority=5,\
send_flow_rem,delete_learned,cookie=0x6,limit=7,result_dst=NXM_NX_REG0[0])
learn(table=1,eth_type=0x800,nw_proto=6,ip_src=10.0.0.1,in_port=LOCAL)
learn(table=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])
learn(table=1,NXM_NX_REG0[0..15]=0x1234,load:0x5->NXM_NX_REG1[],load:NXM_OF_IN_PORT[]->NXM_NX_REG1[16..31])
clone(output:1,clone(drop))
ct()
ct(commit,force,table=4,zone=5,nat(src=10.0.0.1-10.0.0.9:80-90,persistent,random),\
exec(set_field:0x5->ct_mark,load:0x1->NXM_NX_CT_LABEL[0]),alg=ftp)
ct(zone=NXM_NX_REG0[0..15],nat)
ct(commit,nat(dst=10.0.0.1))
ct(commit,nat(src=fe80::1-fe80::9))
ct(commit,nat(dst=[fe80::1]:80,hash),alg=tftp)
ct(commit,nat(src))
ct(commit,exec(set_field:0x1->ct_mark,nat(dst=10.0.0.1)))
meter:5,output:1,clear_actions,write_actions(set_queue:1,output:2),write_metadata:0x5/0xff,goto_table:9
write_actions(drop)
write_metadata:0xffffffffffffffff
drop
""".replace("\\\n", "")
    .strip()
    .splitlines()
)
"""Texts that are printed as they were written."""

REWRITTEN = {
    "": "drop",
    "1,2 3\t4": "output:1,output:2,output:3,output:4",
    "output=1": "output:1",
    "output(1)": "output:1",
    "OUTPUT:1,Normal": "output:1,NORMAL",
    "output:normal": "NORMAL",
    "none": "ANY",
    "4294967294": "LOCAL",
    "65534": "LOCAL",
    "output:controller": "CONTROLLER:65535",
    "controller": "CONTROLLER:65535",
    "controller()": "CONTROLLER:65535",
    "controller:100": "CONTROLLER:100",
    "controller(max_len=100,meter_id=0)": "CONTROLLER:100",
    "controller(reason=NO_MATCH)": "controller(reason=no_match)",
    "controller(userdata=01..02.0304)": "controller(userdata=01.02.03.04)",
    "output_reg:reg0": "output:NXM_NX_REG0[]",
    "output:reg0[0]": "output:NXM_NX_REG0[0]",
    "enqueue(2,3)": "enqueue:2:3",
    "enqueue:2q3": "enqueue:2:3",
    "bundle(ETH_SRC,65537,HRW,OFPORT,slaves:[1,2])": "bundle(eth_src,1,hrw,ofport,members:1,2)",
    "set_field:0x50->tcp_dst": "set_field:80->tcp_dst",
    "set_field:10.0.0.1->nw_src": "set_field:10.0.0.1->ip_src",
    "set_field:*->reg0": "set_field:ANY->reg0",
    "set_field:0xff/0xf0->reg0": "set_field:0xff/0xf0->reg0",
    "set_field:LOCAL->in_port": "set_field:LOCAL->in_port",
    "load:5garbage->reg0": "load:0x5->NXM_NX_REG0[]",
    "load:0xffffffffffffffffff->xxreg0": (
        "load:0xffffffffffffffff->NXM_NX_XXREG0[0..63],load:0xff->NXM_NX_XXREG0[64..127]"
    ),
    "move:reg0->reg1": "move:NXM_NX_REG0[]->NXM_NX_REG1[]",
    "delete_field:NXM_NX_TUN_METADATA5": "delete_field:tun_metadata5",
    "check_pkt_larger(0x10)->reg0[0]": "check_pkt_larger(16)->NXM_NX_REG0[0]",
    "mod_dl_src:0:1:2:3:4:105trailing": "mod_dl_src:00:01:02:03:04:05",
    "set_nw_ttl:5": "mod_nw_ttl:5",
    "dec_ttl(65536,-1,x)": "dec_ttl(0,65535,0)",
    "set_mpls_label:0x10": "set_mpls_label(16)",
    "set_mpls_tc(07)": "set_mpls_tc(7)",
    "push_mpls:1": "push_mpls:0x0001",
    "push_vlan:33024": "push_vlan:0x8100",
    "encap(nsh(tlv(0x1,300,0x00ff0)))": "encap(nsh(tlv(0x0001,44,0xff)))",
    "decap": "decap()",
    "decap()": "decap()",
    "set_tunnel:0x100000000": "set_tunnel64:0x100000000",
    "set_tunnel:-1": "set_tunnel64:0xffffffffffffffff",
    "set_queue:4294967301": "set_queue:5",
    "note:01..2345.67": "note:01.23.45.67",
    "note(01 2345)": "note:01.23.45",
    "sample(probability=1,ingress,egress)": (
        "sample(probability=1,collector_set_id=0,obs_domain_id=0,obs_point_id=0,egress)"
    ),
    "resubmit(5)": "resubmit:5",
    "resubmit:IN_PORT,resubmit(,1)": "",
    "resubmit(in_port,1)": "resubmit(,1)",
    "resubmit(5,,ct)": "resubmit:5",
    "conjunction( 0x10 , 1 / 2 )": "conjunction(16,1/2)",
    "conjunction(010,258/3)": "conjunction(8,2/3)",
    "learn(priority=65541,idle_timeout=x,cookie=12z)": "learn(table=1,priority=5,cookie=0xc)",
    "learn(tcp_dst=0x50,reg0=5,NXM_NX_REG1[]=NXM_NX_REG1[])": (
        "learn(table=1,tcp_dst=80,reg0=0x5,NXM_NX_REG1[])"
    ),
    "learn(reg0[0..3]=reg0[4..7])": "learn(table=1,NXM_NX_REG0[0..3]=NXM_NX_REG0[4..7])",
    "ct": "ct()",
    "ct(table=1,table=2,zone=0,nat())": "ct(table=2,nat)",
    "ct(commit,nat(src=10.0.0.1-10.0.0.1:80-80))": "ct(commit,nat(src=10.0.0.1:80))",
    "ct(commit,nat(src,persistent))": "ct(commit,nat(src))",
    "ct(commit,nat(src=fe80::1,dummy))": "",
    "ct(nat,nat)": "ct(nat,exec(nat))",
    "clone": "clone(drop)",
    "clone(drop)": "clone(drop)",
    "write_metadata:7/-1": "write_metadata:0x7",
    "unroll_xlate": "",
    "output_trunc:1": "",
}
"""Texts that are printed otherwise; an empty one is refused."""


@pytest.mark.parametrize("text", SAME)
def test_canonical_text_is_printed_as_it_was_written(text: str) -> None:
    assert actions_text(parse_instructions(text).actions) == text


@pytest.mark.parametrize(("written", "printed"), REWRITTEN.items())
def test_other_spellings_are_printed_in_one_way(written: str, printed: str) -> None:
    if not printed:
        with pytest.raises(OvsTextError):
            parse_instructions(written)
        return
    actions = parse_instructions(written).actions
    assert actions_text(actions) == printed


def test_every_word_and_every_kind_stands_in_the_tables() -> None:
    texts = [*SAME, *REWRITTEN]
    flat = " ".join(texts).lower()
    assert [word for word in WORDS if word not in flat] == []
    seen = {
        type(action) for text in SAME for action in _flattened(parse_instructions(text).actions)
    }
    assert set(KINDS) - seen == {UnrollXlate, *FULL_ONLY}


def _flattened(actions: Ofpacts) -> Ofpacts:
    found: Ofpacts = ()
    for action in actions:
        found += (action, *_flattened(getattr(action, "actions", ())))
    return found


@settings(max_examples=examples(200))
@given(instructions())
def test_what_is_printed_reads_back_the_same(actions: Ofpacts) -> None:
    assert parse_instructions(actions_text(actions)).actions == actions


def test_ports_and_tables_go_by_the_names_of_a_bridge() -> None:
    names = Names({"eth0": OfpPort(1), "veth-1": OfpPort(2)}, {"acl": 7})
    text = 'output:eth0,"veth-1",resubmit(eth0,acl),ct(table=acl),goto_table:acl'
    actions = parse_instructions(text, names).actions
    printed = 'output:eth0,output:"veth-1",resubmit(eth0,acl),ct(table=acl),goto_table:acl'
    assert actions_text(actions, names) == printed
    assert actions_text(actions[:1]) == "output:1"


def test_an_internal_action_has_a_text_but_cannot_be_written() -> None:
    assert actions_text((UnrollXlate(3, 5),)) == "unroll_xlate(table=3, cookie=5)"


def test_actions_are_held_as_they_are_meant() -> None:
    held = parse_actions("load:0x12->NXM_NX_REG0[4..11],note:01,clone(controller(id=3))").actions
    load, note, clone = held
    assert isinstance(load, SetField)
    assert (load.field.name, load.value, load.mask, load.is_load) == ("reg0", 0x120, 0xFF0, True)
    assert note == Note(b"\x01")
    assert clone == Clone((Controller(controller_id=3),))
    assert parse_actions("controller:5").actions == (Output(OFPP_CONTROLLER, 5),)


def test_nat_to_a_single_address_has_no_last_one() -> None:
    (ct,) = parse_actions("ct(commit,nat(src=10.0.0.1:80))").actions
    address = bytes([10, 0, 0, 1])
    assert getattr(ct, "actions", None) == (Nat(True, address, None, 80),)

"""Random flows in ``ovs-ofctl`` syntax, and what the real ``ovs-ofctl`` says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

needs_ovs = [
    pytest.mark.ovs,
    pytest.mark.skipif(shutil.which("ovs-ofctl") is None, reason="ovs-ofctl is not installed"),
]

ALL_VERSIONS = "-OOpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15"

_MACS = (
    "02:00:00:00:00:01",
    "ff:ff:ff:ff:ff:ff",
    "01:00:5e:00:00:05/01:00:00:00:00:00",
    "02:00:00:00:00:00/ff:ff:ff:ff:ff:00",
)
_IPS = ("10.0.0.1", "10.1.0.0/16", "10.0.0.9/255.0.0.255", "0.0.0.0", "224.0.0.5")
_IP6S = ("fe80::1", "fd00::/16", "::5/::ffff", "2001:db8::10", "ff02::1")
_PORT_NAMES = ("1", "7", "LOCAL", "in_port", "65280", "65533", "0", "controller")
_SUBFIELDS = (
    "NXM_NX_REG0[]",
    "NXM_NX_REG1[4..19]",
    "NXM_OF_ETH_DST[0..15]",
    "reg3[1]",
    "NXM_OF_VLAN_TCI[0..11]",
    "NXM_OF_IP_SRC[]",
    "OXM_OF_METADATA[0..31]",
    "NXM_NX_XXREG0[10..40]",
    "NXM_OF_IN_PORT[]",
    "tun_id[]",
    "NXM_OF_TCP_SRC[]",
    "ip_dst[0..7]",
)


def _numbers(n_bits: int) -> st.SearchStrategy[str]:
    values = st.one_of(
        st.integers(0, (1 << n_bits) - 1), st.sampled_from((0, 1, (1 << n_bits) - 1))
    )
    return st.one_of(values.map(str), values.map(hex))


def _masked(n_bits: int) -> st.SearchStrategy[str]:
    return st.one_of(_numbers(n_bits), st.tuples(_numbers(n_bits), _numbers(n_bits)).map("/".join))


_WORDS: dict[str, st.SearchStrategy[str]] = {
    "mac": st.sampled_from(_MACS),
    "mac1": st.sampled_from(_MACS[:2]),
    "ip": st.sampled_from(_IPS),
    "ip1": st.sampled_from(("10.0.0.1", "192.168.7.7")),
    "ip6": st.sampled_from(_IP6S),
    "ip61": st.sampled_from(("fe80::1", "2001:db8::10")),
    "port": st.sampled_from(_PORT_NAMES),
    "bits": st.sampled_from(_SUBFIELDS),
    "vid": st.integers(0, 4096).map(str),
    "u3": _numbers(3),
    "u8": _numbers(8),
    "u16": _numbers(16),
    "u20": _numbers(20),
    "u32": _numbers(32),
    "u64": _numbers(64),
    "m8": _masked(8),
    "m16": _masked(16),
    "m32": _masked(32),
    "m64": _masked(64),
    "table": st.integers(0, 255).map(str),
    "reg": st.integers(0, 15).map(str),
}
_WORD = re.compile(r"<(\w+)>")


def filled(template: str) -> st.SearchStrategy[str]:
    """``template`` with each ``<word>`` replaced by something of that kind."""
    parts = _WORD.split(template)
    texts = [_WORDS[part] if at % 2 else st.just(part) for at, part in enumerate(parts)]
    return st.tuples(*texts).map("".join)


def _any_of(templates: Sequence[str]) -> st.SearchStrategy[str]:
    return st.one_of([filled(template) for template in templates])


MATCHES = """
in_port=<port>|dl_src=<mac>|eth_dst=<mac>|dl_type=0x1234|dl_type=0x0800|eth|
dl_vlan=<vid>|dl_vlan=0xffff|dl_vlan_pcp=<u3>|vlan_tci=<m16>|vlan_vid=<m16>|vlan_pcp=<u3>|
ip|arp|rarp|icmp|tcp|udp|sctp|ipv6|tcp6|udp6|icmp6|mpls|mplsm|
nw_src=<ip>|ip_dst=<ip>|nw_proto=<u8>|ip_proto=6|nw_tos=<u8>|ip_dscp=<u8>|nw_ecn=<u3>|nw_ttl=<u8>|
nw_frag=no|nw_frag=later|ip_frag=not_later|tp_src=<m16>|tcp_dst=<m16>|udp_src=<m16>|sctp_dst=<m16>|
tcp_flags=+syn-ack|tcp_flags=<m16>|icmp_type=<u8>|icmpv6_type=135,icmpv6_code=0|icmp_code=<u8>|
ipv6_src=<ip6>|ipv6_dst=<ip6>|ipv6_label=<m32>|nd_target=<ip6>|nd_sll=<mac>|nd_tll=<mac>|
arp_spa=<ip>|arp_tpa=<ip>|arp_op=<u8>|arp_sha=<mac>|arp_tha=<mac>|
mpls_label=<u20>|mpls_tc=<u3>|mpls_bos=1|mpls_ttl=<u8>|
reg<reg>=<m32>|xreg3=<m64>|xxreg1=<m64>|metadata=<m64>|tun_id=<m64>|tun_src=<ip>|tun_ipv6_dst=<ip6>|
pkt_mark=<m32>|ct_state=+trk+new-est|ct_state=<m8>|ct_zone=<u16>|ct_mark=<m32>|ct_label=<m64>|
ct_state=+trk+est,ct_nw_src=<ip>|ct_nw_proto=<u8>|ct_tp_dst=<m16>|conj_id=<u32>|actset_output=<port>|
packet_type=(1,0x800)|packet_type=(0,0)|reg1[0..7]=<u8>|NXM_OF_ETH_SRC[40]=1|tun_metadata0=<m32>|
nsh_spi=<m32>|nsh_si=<u8>|dl_type=0x894f,nsh_flags=<u8>|recirc_id=<u8>|dp_hash=<m32>
""".replace("\n", "").split("|")

ACTIONS = """
output:<port>|<port>|normal|NORMAL|flood|all|drop|local|output:<bits>|output(port=<port>,max_len=<u16>)|
controller|controller:<u16>|controller(max_len=<u16>,id=<u8>,reason=no_match)|
controller(userdata=01.02.03,pause)|enqueue:<port>:<u8>|enqueue(<port>,<u8>)|group:<u8>|
mod_vlan_vid:<vid>|mod_vlan_pcp:<u3>|strip_vlan|pop_vlan|push_vlan:0x8100|push_vlan:0x88a8|
set_vlan_vid:<vid>|set_vlan_pcp:<u3>|mod_dl_src:<mac1>|mod_dl_dst:<mac1>|mod_nw_src:<ip1>|mod_nw_dst:<ip1>|
mod_nw_tos:<u8>|mod_nw_ecn:<u3>|mod_nw_ttl:<u8>|mod_tp_src:<u16>|mod_tp_dst:<u16>|dec_ttl|dec_ttl(1,2)|
set_mpls_label:<u20>|set_mpls_tc:<u3>|set_mpls_ttl:<u8>|dec_mpls_ttl|push_mpls:0x8847|pop_mpls:0x0800|
load:<u16>-><bits>|move:<bits>-><bits>|set_field:<m32>->reg<reg>|set_field:<mac>->eth_src|
set_field:<ip1>->ip_src|set_field:<ip61>->ipv6_dst|set_field:<u16>->tcp_dst|set_field:<vid>->vlan_vid|
set_field:<u8>->nw_ttl|set_field:<m64>->metadata|set_field:<u16>->tun_id|set_field:<u3>->vlan_pcp|
set_tunnel:<u32>|set_tunnel64:<u64>|set_queue:<u8>|pop_queue|push:<bits>|pop:<bits>|note:00.11.22|exit|
resubmit:<port>|resubmit(<port>,<table>)|resubmit(,<table>)|resubmit(,<table>,ct)|
fin_timeout(idle_timeout=<u8>,hard_timeout=<u16>)|conjunction(<u32>,1/2)|conjunction(3,<u3>/4)|
multipath(eth_src,50,modulo_n,<u8>,0,<bits>)|multipath(symmetric_l4,1,hrw,8,0,NXM_NX_REG0[0..3])|
bundle(eth_src,0,hrw,ofport,members:1,2)|bundle_load(nw_src,0,active_backup,ofport,reg0[0..15],members:4)|
learn(table=<table>,idle_timeout=<u8>,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])|
learn(priority=<u16>,cookie=<u8>,delete_learned,eth_type=0x800,reg1=reg2,load:5->reg0[0..3])|
ct|ct(commit)|ct(commit,zone=<u16>,table=<table>)|ct(zone=NXM_NX_REG0[0..15])|ct_clear|
ct(commit,exec(set_field:<m32>->ct_mark))|ct(commit,nat(src=<ip1>))|ct(nat)|ct(commit,force,alg=ftp)|
ct(commit,nat(dst=10.0.0.1-10.0.0.9:1-99,random))|clone(<port>,mod_dl_src:<mac1>)|
check_pkt_larger(<u16>)->reg0[1]|sample(probability=<u16>,collector_set_id=<u8>)|
encap(ethernet)|decap|encap(nsh(md_type=1))|decap(packet_type(ns=1,type=0x800))|dec_nsh_ttl|
delete_field:tun_metadata0|meter:<u8>|clear_actions|write_actions(output:<port>)|
write_actions(mod_dl_src:<mac1>,output:1)|write_metadata:<m64>|goto_table:<table>
""".replace("\n", "").split("|")

SETTINGS = """
table=<table>|priority=<u16>|cookie=<u64>|idle_timeout=<u16>|hard_timeout=<u16>|importance=<u16>|
send_flow_rem|check_overlap|reset_counts|no_packet_counts|no_byte_counts|duration=5s|n_packets=7
""".replace("\n", "").split("|")

flow_texts: st.SearchStrategy[str] = st.tuples(
    st.lists(_any_of(SETTINGS), max_size=2),
    st.lists(_any_of(MATCHES), max_size=4),
    st.lists(_any_of(ACTIONS), min_size=1, max_size=3),
).map(lambda parts: ",".join([*parts[0], *parts[1], "actions=" + ",".join(parts[2])]))
"""Flows to add, of which many make no sense."""


GROUP_SETTINGS = """
type=all|type=select|type=indirect|type=ff|type=fast_failover|selection_method=hash|
selection_method=dp_hash|selection_method_param=<u64>|fields=ip_dst|fields(eth_src=<mac1>,nw_src)|
fields(ipv6_src=ffff::,tcp_src=<u16>,reg0=<u32>)|fields=vlan_tci=0x1fff|type=other|group_id=<u32>
""".replace("\n", "").split("|")

BUCKET_SETTINGS = """
weight=<u16>|weight:<u8>|watch_port=<port>|watch_group=<u8>|bucket_id=<u8>|bucket_id:<u32>
""".replace("\n", "").split("|")

_buckets = st.tuples(
    st.lists(_any_of(BUCKET_SETTINGS), max_size=2),
    st.lists(_any_of(ACTIONS), min_size=1, max_size=2),
).map(lambda parts: "bucket=" + ",".join([*parts[0], "actions=" * (len(parts[0]) % 2), *parts[1]]))

group_texts: st.SearchStrategy[str] = st.tuples(
    filled("group_id=<u8>,type="),
    st.sampled_from(("all", "select", "select", "indirect", "ff")),
    st.lists(_any_of(GROUP_SETTINGS), max_size=2),
    st.lists(_buckets, max_size=3),
).map(lambda parts: ",".join([parts[0] + parts[1], *parts[2], *parts[3]]))
"""Groups to add, of which many make no sense."""

Verdict = tuple[str, ...]
"""("error", sentence), ("refused", protocols, name of the error) where the switch would refuse
it, or ("sent", protocols, message).
"""


def real_flow_verdict(text: str) -> Verdict:
    """What ``ovs-ofctl parse-flow`` says."""
    return _verdict("parse-flow", text)


def real_group_verdict(text: str) -> Verdict:
    """What ``ovs-ofctl parse-group`` says."""
    return _verdict("parse-group", text)


def _verdict(command: str, text: str) -> Verdict:
    done = subprocess.run(
        ["ovs-ofctl", ALL_VERSIONS, command, text], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return "error", done.stderr.splitlines()[-1].removeprefix("ovs-ofctl: ")
    usable, _, *message_lines = done.stdout.splitlines()
    message = " ".join(line.strip() for line in message_lines)
    if refused := re.search(r"decode error: (\w+)", message):
        return "refused", usable.partition(": ")[2], refused[1]
    return "sent", usable.partition(": ")[2], message.partition("): ")[2]

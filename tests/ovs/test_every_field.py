"""Every field that a flow may match or write, by frames that go through a switch.

A field that can be written is written, looked at by a later table, and looked for in the frame
that leaves. One that cannot is looked at in two frames of which one has the value.
"""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import frame_of, outputs, switch_with
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.field import Field
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.prerequisites import Prerequisite
from vnet.ovs.ofproto.reference import FIELD_LIMITS
from vnet.ovs.openflow.errors import OpenFlowError

ETHERNET = "dl_src=02:00:00:00:00:0a,dl_dst=02:00:00:00:00:0b"
IP = f"{ETHERNET},nw_src=10.0.0.9,nw_dst=10.0.0.8,nw_ttl=64,nw_tos=64"
IPV6 = f"{ETHERNET},ipv6_src=fd00::9,ipv6_dst=fd00::8,nw_ttl=64"
ND_ASKS = f"icmp6,{IPV6},icmpv6_type=135,icmpv6_code=0,nd_target=fd00::7"
ND_TELLS = f"icmp6,{IPV6},icmpv6_type=136,icmpv6_code=0,nd_target=fd00::7"
NSH_FRAME = bytes.fromhex(
    "02000000000b02000000000a894f0fc60103000007c8" + "00000009" * 4
) + frame_of(f"udp,{IP}")

PACKETS: dict[Prerequisite, str] = {
    Prerequisite.NONE: f"udp,{IP},udp_src=9,udp_dst=8",
    Prerequisite.ETHERNET: f"udp,{IP}",
    Prerequisite.VLAN_VID: f"udp,{IP},dl_vlan=9,dl_vlan_pcp=6",
    Prerequisite.ARP: f"arp,{ETHERNET},arp_op=2,arp_spa=10.0.0.9,arp_tpa=10.0.0.8",
    Prerequisite.IPV4: f"udp,{IP}",
    Prerequisite.IPV6: f"udp6,{IPV6}",
    Prerequisite.IP_ANY: f"udp,{IP}",
    Prerequisite.MPLS: f"mpls,{ETHERNET},mpls_label=9,mpls_tc=6,mpls_ttl=64,mpls_bos=1",
    Prerequisite.TCP: f"tcp,{IP},tcp_src=9,tcp_dst=8",
    Prerequisite.UDP: f"udp,{IP},udp_src=9,udp_dst=8",
    Prerequisite.SCTP: f"sctp,{IP},sctp_src=9,sctp_dst=8",
    Prerequisite.ICMPV4: f"icmp,{IP},icmp_type=8,icmp_code=0",
    Prerequisite.ICMPV6: f"icmp6,{IPV6},icmpv6_type=128,icmpv6_code=0",
    Prerequisite.ND: f"{ND_ASKS},nd_sll=02:00:00:00:00:09",
    Prerequisite.ND_SOLICIT: f"{ND_ASKS},nd_sll=02:00:00:00:00:09",
    Prerequisite.ND_ADVERT: f"{ND_TELLS},nd_tll=02:00:00:00:00:09",
}
"""A packet that meets each, and has other values than those that are written."""

PROTOCOLS = {
    Prerequisite.VLAN_VID: "vlan_tci=0x1000/0x1000,",
    Prerequisite.ARP: "arp,",
    Prerequisite.IPV4: "ip,",
    Prerequisite.IPV6: "ipv6,",
    Prerequisite.IP_ANY: "ip,",
    Prerequisite.NSH: "dl_type=0x894f,",
    Prerequisite.MPLS: "mpls,",
    Prerequisite.TCP: "tcp,",
    Prerequisite.UDP: "udp,",
    Prerequisite.SCTP: "sctp,",
    Prerequisite.ICMPV4: "icmp,",
    Prerequisite.ICMPV6: "icmp6,",
    Prerequisite.ND: "icmp6,icmpv6_type=135,icmpv6_code=0,",
    Prerequisite.ND_SOLICIT: "icmp6,icmpv6_type=135,icmpv6_code=0,",
    Prerequisite.ND_ADVERT: "icmp6,icmpv6_type=136,icmpv6_code=0,",
}
VALUES = {"vlan_tci": 0x1005, "vlan_vid": 0x1005, "in_port": 3, "nw_tos": 4, "nd_options_type": 2}
"""Where 1 would not do."""

NO_MATTER_OF_FLOWS = ("skb_priority", "tun_ttl", "tun_tos")
"""Known to the datapath only: OpenFlow cannot say them."""

NOT_BY_SET_FIELD = ("dl_vlan", "dl_vlan_pcp", "in_port_oxm")
"""The first two have no header and are written by actions of their own; Open vSwitch refuses
the third."""

WRITABLE = [
    field
    for field in FIELDS.values()
    if field.writable and not field.is_tun_metadata and field.name not in NOT_BY_SET_FIELD
]


def prerequisite_of(field: Field) -> Prerequisite:
    # It takes a tag to write a VLAN by this field, and none to look for it.
    return Prerequisite.VLAN_VID if field.name == "vlan_vid" else field.prerequisite


def frame_for(field: Field) -> bytes:
    packet = PACKETS.get(prerequisite_of(field))
    return NSH_FRAME if packet is None else frame_of(packet)


def with_flows(*flows: str) -> Switch:
    switch = switch_with()
    for flow in flows:
        switch.ofctl(["-OOpenFlow15", "add-flow", BRIDGE, flow])
    return switch


def is_in_frames(field: Field) -> bool:
    names = list(FIELDS)
    return names.index(field.name) >= names.index("eth_src") and field.name not in FIELD_LIMITS


@pytest.mark.parametrize("field", WRITABLE, ids=lambda field: field.name)
def test_what_is_written_is_matched_and_leaves(field: Field) -> None:
    value = VALUES.get(field.name, 1)
    needs = PROTOCOLS.get(prerequisite_of(field), "")
    write = f"set_field:{field.format(value)}->{field.name},resubmit(,1)"
    if field.name.startswith("ct_"):
        needs, write = "ip,", f"ct(commit,exec(set_field:1->{field.name}),table=1)"
    switch = with_flows(
        f"table=0,in_port=1,{needs}actions={write}",
        "table=0,priority=0,actions=resubmit(,1)",
        f"table=1,{needs}{field.name}={field.format(value)},actions=output:4",
        "table=1,priority=0,actions=LOCAL",
    )
    frame = frame_for(field)
    for _ in range(2):
        switch.inject("p1", frame)
        ((name, sent),) = switch.take_sent()
        assert name == "p4"
        if is_in_frames(field):
            assert field.get(Flow(extract(sent, 1))) == value
        assert outputs(switch, "p2", frame) == [BRIDGE], "there it is not written"


@pytest.mark.parametrize(("match", "hit", "miss"), [
    ("dl_type=0x88b5", "dl_type=0x88b5", "dl_type=0x88b6"),
    ("dl_vlan=5", "dl_vlan=5", "dl_vlan=6"),
    ("dl_vlan=5,dl_vlan_pcp=3", "dl_vlan=5,dl_vlan_pcp=3", "dl_vlan=5"),
    ("mpls,mpls_bos=1", "mpls,mpls_bos=1", "mpls,mpls_bos=0"),
    ("ip,nw_proto=50", "ip,nw_proto=50", "ip,nw_proto=51"),
    ("ip,nw_frag=first", "udp,nw_frag=first", "udp"),
    ("tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=syn", "tcp,tcp_flags=syn|ack"),
])  # fmt: skip
def test_what_only_frames_say_is_matched(match: str, hit: str, miss: str) -> None:
    switch = with_flows(f"{match},actions=output:2", "priority=0,actions=output:3")
    for _ in range(2):
        assert outputs(switch, "p1", frame_of(hit)) == ["p2"]
        assert outputs(switch, "p1", frame_of(miss)) == ["p3"]


@pytest.mark.parametrize(("field", "flows"), [
    ("in_port_oxm", ["in_port=1,actions=output:2"]),
    ("packet_type", ["packet_type=(0,0),actions=output:2"]),
    ("conj_id", [
        "nw_src=10.0.0.9,ip,actions=conjunction(7,1/2)",
        "nw_dst=10.0.0.8,ip,actions=conjunction(7,2/2)",
        "conj_id=7,ip,actions=output:2",
    ]),
    ("actset_output", [
        "actions=write_actions(output:3),goto_table:1",
        "table=1,actset_output=3,actions=clear_actions,write_actions(output:2)",
    ]),
    ("recirc_id", ["actions=debug_recirc,resubmit(,1)", "table=1,actions=output:2"]),
    ("ct_state", ["ip,actions=ct(table=1)", "table=1,ct_state=+trk+new,actions=output:2"]),
    ("ct_zone", ["ip,actions=ct(zone=5,table=1)", "table=1,ct_zone=5,actions=output:2"]),
])  # fmt: skip
def test_what_the_switch_finds_out_is_matched(field: str, flows: list[str]) -> None:
    switch = with_flows(*flows)
    assert outputs(switch, "p1", frame_of(f"udp,{IP},udp_src=9,udp_dst=8")) == ["p2"], field


@pytest.mark.parametrize("match", [
    "ip,ct_nw_src=10.0.0.9", "ip,ct_nw_dst=10.0.0.8", "ip,ct_nw_proto=17", "udp,ct_tp_src=9",
    "udp,ct_tp_dst=8",
])  # fmt: skip
def test_the_first_direction_of_a_connection_is_matched_in_its_answers(match: str) -> None:
    switch = with_flows(
        "in_port=1,ip,actions=ct(commit)",
        "in_port=2,ip,actions=ct(table=1)",
        f"table=1,ct_state=+trk+est,{match},actions=output:1",
    )
    outputs(switch, "p1", frame_of(f"udp,{IP},udp_src=9,udp_dst=8"))
    answer = "udp,nw_src=10.0.0.8,nw_dst=10.0.0.9,nw_ttl=9,udp_src=8,udp_dst=9"
    assert outputs(switch, "p2", frame_of(answer)) == ["p1"]


@pytest.mark.parametrize("match", ["ct_ipv6_src=fd00::9", "ct_ipv6_dst=fd00::8"])
def test_and_so_it_is_by_ipv6(match: str) -> None:
    switch = with_flows(
        "in_port=1,ipv6,actions=ct(commit)",
        "in_port=2,ipv6,actions=ct(table=1)",
        f"table=1,ipv6,ct_state=+trk+est,{match},actions=output:1",
    )
    outputs(switch, "p1", frame_of(f"udp6,{IPV6},udp_src=9,udp_dst=8"))
    answer = "udp6,ipv6_src=fd00::8,ipv6_dst=fd00::9,nw_ttl=9,udp_src=8,udp_dst=9"
    assert outputs(switch, "p2", frame_of(answer)) == ["p1"]


@pytest.mark.parametrize("field", ["nsh_np=3", "nsh_mdtype=1"])
def test_what_only_service_headers_say_is_matched(field: str) -> None:
    switch = with_flows(f"dl_type=0x894f,{field},actions=output:2")
    assert outputs(switch, "p1", NSH_FRAME) == ["p2"]


def test_the_datapaths_hash_is_read_and_not_matched() -> None:
    group = "group_id=1,type=select,bucket=move:NXM_NX_DP_HASH[]->NXM_NX_REG1[],resubmit(,1)"
    flows = ["table=0,actions=group:1", "table=1,priority=1,reg1=0,actions=output:3"]
    switch = switch_with(groups=[group])
    switch.ofctl(["add-flows", BRIDGE, "-"], [*flows, "table=1,priority=0,actions=output:2"])
    assert outputs(switch, "p1", frame_of(f"udp,{IP},udp_src=9,udp_dst=8")) == ["p2"]
    for field in ("dp_hash=0", "recirc_id=1"):
        with pytest.raises(OpenFlowError, match="OFPBRC_EPERM"):
            with_flows(f"{field},actions=drop")


@pytest.mark.parametrize("name", NO_MATTER_OF_FLOWS)
def test_openflow_has_no_words_for_some(name: str) -> None:
    with pytest.raises(OvsTextError):
        with_flows(f"{name}=1,actions=drop")

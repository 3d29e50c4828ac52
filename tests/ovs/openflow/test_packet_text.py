"""Packets that come and go, as ovs-ofctl reads and prints them (recorded from Open vSwitch 3.1)."""

from __future__ import annotations

import pytest

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.match import Match, MatchBuilder
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import NO_COOKIE, Continuation, PacketIn
from vnet.ovs.openflow.ofpacts import Output, PacketInReason
from vnet.ovs.openflow.text.packet import packet_text
from vnet.ovs.openflow.text.packet_in import packet_in_text
from vnet.ovs.openflow.text.packet_out import packet_out_text, read_packet_out

ARP = bytes.fromhex(
    "ffffffffffff505400000001080600010800060400015054000000010a0000010000000000000a000002"
)
UDP = "50540000000a50540000000908004500001c0000000040117cce0a0000010a00000200350035000800000000"
TAGGED_TCP = (
    "50540000000250540000000181000005080045000028000000004006"
    "66ce0a0000010a00000200010002000000000000000050020000"
    "9bdd0000"
)
ARP_TEXT = (
    "arp,vlan_tci=0x0000,dl_src=50:54:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,arp_spa=10.0.0.1,"
    "arp_tpa=10.0.0.2,arp_op=1,arp_sha=50:54:00:00:00:01,arp_tha=00:00:00:00:00:00"
)
UDP_TEXT = (
    "udp,vlan_tci=0x0000,dl_src=50:54:00:00:00:09,dl_dst=50:54:00:00:00:0a,nw_src=10.0.0.1,"
    "nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=53,tp_dst=53 udp_csum:0"
)
NAMES = Names({"p1": OfpPort(1), "p2": OfpPort(2)})


def pipeline(**fields: int) -> Match:
    builder = MatchBuilder()
    for name, value in fields.items():
        builder.set(FIELDS[name], value)
    return builder.build()


def test_a_packet_is_its_flow_and_its_checksum() -> None:
    assert packet_text(ARP) == ARP_TEXT
    assert packet_text(bytes.fromhex(UDP)) == UDP_TEXT
    assert packet_text(bytes.fromhex(TAGGED_TCP)) == (
        "tcp,dl_vlan=5,dl_vlan_pcp=0,vlan_tci1=0x0000,dl_src=50:54:00:00:00:01,"
        "dl_dst=50:54:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,"
        "nw_frag=no,tp_src=1,tp_dst=2,tcp_flags=syn tcp_csum:9bdd"
    )


def test_a_packet_that_is_cut_short_has_no_checksum() -> None:
    cut = bytes.fromhex(UDP)[:40]
    assert "csum" not in packet_text(cut)
    assert packet_text(b"") == packet_text(bytes(5))


def test_a_packet_in_tells_where_it_was_and_why() -> None:
    message = PacketIn(
        ARP,
        PacketInReason.ACTION,
        cookie=0x12,
        pipeline=pipeline(reg0=5, in_port=1),
        userdata=b"\1\2\3",
    )
    assert packet_in_text(message).splitlines() == [
        "cookie=0x12 total_len=42 reg0=0x5,in_port=1 (via action) data_len=42 (unbuffered)",
        " userdata=01.02.03",
        ARP_TEXT,
    ]
    message = PacketIn(
        ARP[:20],
        PacketInReason.NO_MATCH,
        table_id=3,
        cookie=NO_COOKIE,
        pipeline=pipeline(in_port=1),
        full_len_bytes=42,
        buffer_id=0x111,
    )
    assert packet_in_text(message, NAMES).startswith(
        "table_id=3 total_len=42 in_port=p1 (via no_match) data_len=20 buffer=0x00000111\n"
    )


def test_a_packet_that_waits_tells_how_it_would_go_on() -> None:
    waiting = Continuation(
        bridge=bytes(range(16)),
        stack=(b"\0\1", b"\2\3"),
        mirrors=5,
        conntracked=True,
        actions=(Output(OfpPort(2)),),
        action_set=(Output(OfpPort(1)),),
        odp_port=7,
    )
    message = PacketIn(
        ARP, PacketInReason.ACTION, pipeline=pipeline(in_port=1), continuation=waiting
    )
    assert packet_in_text(message).splitlines()[1:-1] == [
        " continuation.bridge=03020100-0706-0504-0b0a-09080f0e0d0c",
        " continuation.stack=(top) 0x203 0x1 (bottom)",
        " continuation.mirrors=0x5",
        " continuation.conntracked=true",
        " continuation.actions=output:2",
        " continuation.action_set=output:1",
        " continuation.odp_port=7",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"in_port=1,packet={UDP},actions=2", "in_port=1 actions=output:2"),
        (f"packet={UDP} actions=drop", "in_port=CONTROLLER actions=drop"),
        (f"packet={UDP}", "in_port=CONTROLLER actions=drop"),
        (f"in_port=p1 packet={UDP} action=p2,normal", "in_port=1 actions=output:2,NORMAL"),
        (f"in_port=1 in_port=LOCAL packet={UDP}", "in_port=LOCAL actions=drop"),
        (
            f"reg0=5,metadata=0x7,packet={UDP},actions=2",
            "reg0=0x5,metadata=0x7,in_port=CONTROLLER actions=output:2",
        ),
    ],
)
def test_a_packet_out_is_read_and_printed(text: str, shown: str) -> None:
    read = read_packet_out(text, NAMES).packet_out
    assert packet_out_text(read) == f"{shown} data_len=44\n{UDP_TEXT}"
    assert read.frame == bytes.fromhex(UDP)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("actions=2", "must specify packet"),
        (f"in_port=70000,packet={UDP},actions=2", "70000 is not a valid OpenFlow port"),
        (f"in_port=65530,packet={UDP}", "65530 is not a valid OpenFlow port for PACKET_OUT"),
        (f"in_port=,packet={UDP}", "field in_port missing value"),
        (f"ip,packet={UDP},actions=2", "field ip missing value"),
        ("packet=zz,actions=2", "packet: Trailing garbage in packet data"),
        ("packet=505,actions=2", "packet: Trailing garbage in packet data"),
        ("packet=5054,actions=2", "packet: Packet data too short for Ethernet"),
        (f"nw_src=1.2.3.4,packet={UDP}", "nw_src is not a valid pipeline field for PACKET_OUT"),
        (f"tun_ttl=1,packet={UDP}", "tun_ttl is not a valid pipeline field for PACKET_OUT"),
        (f"foo=1,packet={UDP}", "unknown keyword foo"),
        (f"packet_type=1,packet={UDP}", "packet_type(1) can't be interpreted"),
        (f"packet={UDP},actions=goto_table:1", "goto_table instruction not allowed here"),
    ],
)
def test_a_packet_out_is_refused_in_the_words_of_ovs_ofctl(text: str, refusal: str) -> None:
    with pytest.raises(OvsTextError) as refused:
        read_packet_out(text, NAMES)
    assert refused.value.what == refusal

"""Matches in text: read as ``ovs-ofctl`` reads them, printed as it prints them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given

from tests.ovs.flow.match_sending import match_as_sent
from tests.ovs.flow.match_texts import match_texts
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import CATCHALL, Match, MatchBuilder
from vnet.ovs.flow.match_parse import (
    finish_match,
    parse_exact_flow,
    parse_match,
    parse_match_part,
)
from vnet.ovs.flow.match_text import flow_text, match_text
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_ANY, P_NXM_OXM_ANY, P_OF15_OXM
from vnet.ovs.openflow.errors import OpenFlowError

ETHERNET = Flow.packet_type.mask
NAMES = Names(ports={"eth0": OfpPort(1), "to-spine": OfpPort(2)})

PRINTED_FOR_EYES_ONLY = (
    "tun_tos",
    "tun_gbp_flags",
    "tun_gtpu",
    "tun_erspan",
    "tun_metadata",
    "packet_type",
)
"""Fields that OVS prints in a form that it would read differently, or not at all."""


@given(match_texts())
def test_a_match_reads_as_it_prints(text: str) -> None:
    assume(not any(name in text for name in PRINTED_FOR_EYES_ONLY))
    try:
        match = match_as_sent(parse_match(text), P_OF15_OXM)
    except OpenFlowError:
        return
    shown = match_text(match)
    again = match_as_sent(parse_match(shown), P_OF15_OXM)
    assert match_text(again) == shown
    # That only Ethernet packets match is left out of the text where something implied it.
    assert (again.value, again.mask | ETHERNET) == (match.value, match.mask | ETHERNET)


@given(match_texts())
def test_no_bit_is_set_outside_the_mask(text: str) -> None:
    match = parse_match(text)
    assert match.value & ~match.mask == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("eth", ""),
        ("tp_dst=80,tcp", "tcp,tp_dst=80"),
        ("dl_type=0x800,nw_proto=17", "udp"),
        ("dl_type=0x88cc,eth_dst=01:80:c2:00:00:0e", "dl_dst=01:80:c2:00:00:0e,dl_type=0x88cc"),
        ("ipv6,nw_proto=99", "ipv6,nw_proto=99"),
        ("icmp,icmp_type=8,icmp_code=0", "icmp,icmp_type=8,icmp_code=0"),
        ("arp,arp_op=1,nw_src=10.0.0.1", "arp,arp_spa=10.0.0.1,arp_op=1"),
        ("ip,nw_dst=10.1.2.3/8", "ip,nw_dst=10.0.0.0/8"),
        ("ip,nw_tos=0x23,nw_ecn=1", "ip,nw_tos=32,nw_ecn=1"),
        ("ip,ip_dscp=8,ip_frag=not_later", "ip,nw_tos=32,nw_frag=not_later"),
        ("dl_vlan=0xffff", "vlan_tci=0x0000"),
        ("dl_vlan=5,dl_vlan_pcp=3", "dl_vlan=5,dl_vlan_pcp=3"),
        ("vlan_vid=0x1000/0x1000", "vlan_tci=0x1000/0x1000"),
        ("vlan_vid=5", "vlan_tci=0x0005/0x1fff"),
        ("vlan_vid=0x1005", "dl_vlan=5"),
        ("in_port=1", "in_port=eth0"),
        ("in_port=2", 'in_port="to-spine"'),
        ("in_port=LOCAL", "in_port=LOCAL"),
        ("ct_state=+trk+est-new,ip", "ct_state=-new+est+trk,ip"),
        ("ct_state=trk|est", "ct_state=est|trk"),
        ("reg0[4..7]=5", "reg0=0x50/0xf0"),
        ("reg0[0..3]=1,reg0[4..7]=5", "reg0=0x51/0xff"),
        ("xreg1=0x1234567800000000", "reg2=0x12345678,reg3=0"),
        ("metadata=0x1/0xf,conj_id=7", "conj_id=7,metadata=0x1/0xf"),
        ("recirc_id=1,ip", "recirc_id=0x1,eth,ip"),
        ("packet_type=(1,0x800),nw_src=1.2.3.4", "packet_type=(1,0x800),nw_src=1.2.3.4"),
        ("mpls,mpls_label=5,mpls_bos=1", "mpls,mpls_label=5,mpls_bos=1"),
        ("tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=+syn-ack"),
        ("tcp,tp_src=0x400/0xfc00", "tcp,tp_src=0x400/0xfc00"),
        ("icmp6,icmpv6_type=135,nd_target=fe80::1", "icmp6,icmp_type=135,nd_target=fe80::1"),
        ("dl_type=0x894f,nsh_spi=5,nsh_si=3", "dl_type=0x894f,nsh_spi=0x5,nsh_si=3"),
        ("tun_metadata3=0x1200/0xff00,tun_id=5", "tun_id=0x5,tun_metadata3=0x1200/0xff00"),
        ("tun_metadata1", "tun_metadata1"),
        ("actset_output=controller", "actset_output=CONTROLLER"),
        ("ipv6_label=0x12,ipv6", "ipv6,ipv6_label=0x00012"),
    ],
)
def test_a_match_is_read_and_shown(text: str, shown: str) -> None:
    assert match_text(parse_match(text, NAMES), NAMES) == shown


def test_a_priority_comes_first() -> None:
    assert match_text(parse_match("arp"), priority=7) == "priority=7,arp"
    assert match_text(CATCHALL, priority=0) == "priority=0"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("in_port", "", "0/0: invalid or unknown port for in_port"),
        ("reg0[0..3]", "16", "reg0[0..3]: value 0x10 does not fit into 4 bits"),
        ("reg0[0..3]", "x", "reg0[0..3]: cannot parse integer value: x"),
        ("regg[]", "1", "regg[]: unknown field `regg'"),
        ("tun_metadata0", "2", "field tun_metadata0 set multiple times"),
        (
            "tun_metadata1",
            "0x" + "1" * 240,
            "field tun_metadata1 exceeds maximum size for tunnel metadata (used 320, max 256)",
        ),
    ],
)
def test_a_bad_part_of_a_match_is_refused(name: str, value: str, sentence: str) -> None:
    builder = MatchBuilder()
    for number in (0, 2):
        parse_match_part(builder, f"tun_metadata{number}", "0x" + "1" * 200)
        builder.mask.clear(Flow.tun_metadata)
    with pytest.raises(OvsTextError) as refused:
        parse_match_part(builder, name, value)
    assert refused.value.what == sentence


def test_a_name_of_nothing_to_match_is_left_to_the_caller() -> None:
    assert not parse_match_part(MatchBuilder(), "priority", "5")


def test_a_field_without_a_value_may_have_any() -> None:
    assert parse_match("reg0").mask == 0
    assert match_text(parse_match("vlan_tci")) == ""


def test_what_is_asked_for_narrows_the_protocols() -> None:
    builder = MatchBuilder()
    parse_match_part(builder, "tcp6", "")
    assert builder.usable == P_ANY
    finish_match(builder)
    assert builder.usable == P_NXM_OXM_ANY


def test_a_later_value_of_a_field_replaces_an_earlier_one() -> None:
    assert parse_match("ip,nw_src=10.0.0.1,nw_src=10.0.0.2") == parse_match("ip,nw_src=10.0.0.2")
    assert parse_match("ip,nw_src=10.0.0.1,nw_src=*") == parse_match("ip")


def test_a_match_matches_what_it_says() -> None:
    match = parse_match("tcp,nw_dst=10.0.0.0/8,tp_dst=80")
    assert match.matches(parse_exact_flow("tcp,nw_dst=10.9.9.9,tp_dst=80").key)
    assert not match.matches(parse_exact_flow("tcp,nw_dst=11.9.9.9,tp_dst=80").key)
    assert not match.matches(parse_exact_flow("udp,nw_dst=10.9.9.9,udp_dst=80").key)


def test_a_builder_goes_on_from_a_match() -> None:
    match = parse_match("tcp,tun_metadata0=5")
    assert MatchBuilder(match).build() == match


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "in_port=1,arp,arp_spa=10.0.0.1",
            "arp,in_port=eth0,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,"
            "dl_dst=00:00:00:00:00:00,arp_spa=10.0.0.1,arp_tpa=0.0.0.0,arp_op=0,"
            "arp_sha=00:00:00:00:00:00,arp_tha=00:00:00:00:00:00",
        ),
        (
            "tcp,ct_state=trk|est,dl_vlan=3,tcp_dst=80",
            "ct_state=est|trk,ct_nw_src=0.0.0.0,ct_nw_dst=0.0.0.0,tcp,in_port=ANY,dl_vlan=3,"
            "dl_vlan_pcp=0,vlan_tci1=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,"
            "nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no,tp_src=0,"
            "tp_dst=80,tcp_flags=0",
        ),
        (
            "udp,ip_frag=later,reg1=5",
            "udp,reg1=0x5,in_port=ANY,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,"
            "dl_dst=00:00:00:00:00:00,nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_tos=0,nw_ecn=0,nw_ttl=0,"
            "nw_frag=later",
        ),
    ],
)
def test_a_flow_is_shown_whole(text: str, shown: str) -> None:
    assert flow_text(parse_exact_flow(text), NAMES) == shown.replace(
        "ct_nw_src=0.0.0.0,ct_nw_dst=0.0.0.0,", ""
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("tcp,udp", "Ethernet type set multiple times"),
        ("nw_proto=6,ip,tcp", "prerequisites not met for setting nw_proto"),
        ("bad=1", "unknown field bad"),
        ("tp_dst=1", "prerequisites not met for setting tp_dst"),
        ("reg0=1,reg0=2", "field reg0 set multiple times"),
        ("reg0=x", "bad value for reg0 (x: bad syntax for reg0 value)"),
        ("ip,nw_src=10.0.0.0/8", "bad value for nw_src (10.0.0.0/8: wildcards not allowed here)"),
    ],
)
def test_a_bad_flow_is_refused(text: str, what: str) -> None:
    with pytest.raises(OvsTextError) as refused:
        parse_exact_flow(text)
    assert refused.value.what == f"{text}: {what}"


def test_a_match_without_bits_is_shown_as_nothing() -> None:
    assert match_text(Match(0, 0)) == ""

"""What a switch gets to see of a match: what cannot be said is lost, nonsense is refused."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.ovs.flow.match_sending import match_as_sent
from tests.ovs.flow.match_texts import match_texts
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.match_fields import NXM, match_fields
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.protocols import P_OF10_STD, P_OF15_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire.match import decode_nxm
from vnet.ovs.openflow.wire.match.normalize import normalized
from vnet.ovs.openflow.wire.oxm import put_field


@given(match_texts())
def test_what_was_sent_once_is_sent_unchanged(text: str) -> None:
    try:
        seen = match_as_sent(parse_match(text), P_OF15_OXM)
    except OpenFlowError:
        return
    assert match_as_sent(seen, P_OF15_OXM) == seen


@given(match_texts())
def test_openflow10_is_sent_unchanged_the_second_time(text: str) -> None:
    seen = match_as_sent(parse_match(text), P_OF10_STD)
    assert match_text(match_as_sent(seen, P_OF10_STD)) == match_text(seen)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tp_dst=80", ""),
        ("udp,tcp_flags=syn", "udp"),
        ("ip,arp_op=1", "icmp"),
        ("arp,ipv6_src=::1", "arp"),
        ("ip,mpls_label=5", "ip"),
        ("icmp6,nd_target=::1", "icmp6"),
        ("icmp6,icmp_type=135,icmp_code=0,nd_tll=1:2:3:4:5:6", "icmp6,icmp_type=135,icmp_code=0"),
        ("vlan_tci=0x0000/0xe000", ""),
    ],
)
def test_what_cannot_be_said_is_lost(text: str, shown: str) -> None:
    assert match_text(match_as_sent(parse_match(text), P_OF15_OXM)) == shown


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ip,nsh_si=1", "OFPBMC_BAD_PREREQ"),
        ("ip,ipv6_label=5", "OFPBMC_BAD_PREREQ"),
        ("ct_nw_src=10.0.0.1", "OFPBMC_BAD_PREREQ"),
        ("packet_type=(1,0x800),dl_src=1:2:3:4:5:6", "OFPBMC_BAD_PREREQ"),
        ("ipv6,ipv6_label=0xfffffff", "OFPBMC_BAD_VALUE"),
        ("ct_state=+new,arp,ct_nw_src=10.0.0.1", "OFPBAC_MATCH_INCONSISTENT"),
    ],
)
def test_nonsense_is_refused(text: str, error: str) -> None:
    with pytest.raises(OpenFlowError) as refused:
        match_as_sent(parse_match(text), P_OF15_OXM)
    assert refused.value.name == error


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([("nw_ttl", 1, 0xFF)], "OFPBMC_BAD_PREREQ"),
        ([("reg0", 1, 0xFFFFFFFF), ("reg0", 1, 0xFFFFFFFF)], "OFPBMC_DUP_FIELD"),
        ([("reg0", 3, 1)], "OFPBMC_BAD_WILDCARDS"),
        ([("eth_type", 0x800, 0xFF00)], "OFPBMC_BAD_MASK"),
        ([("vlan_vid", 0xFFFF, 0xFFFF)], "OFPBMC_BAD_VALUE"),
        ([("tun_metadata0", 1 << 984, FIELDS["tun_metadata0"].ones)] * 2, "OFPBMC_DUP_FIELD"),
    ],
)
def test_a_switch_refuses_fields_that_make_no_sense(
    said: list[tuple[str, int, int]], error: str
) -> None:
    with pytest.raises(OpenFlowError) as refused:
        decode_nxm(b"".join(put_field(FIELDS[name], value, mask, 0) for name, value, mask in said))
    assert refused.value.name == error


def test_versions_say_the_same_in_other_words() -> None:
    match = parse_match("ip,in_port=LOCAL,dl_vlan=5,dl_vlan_pcp=1,nw_tos=8,reg1=5")
    words = {
        version: [(item.field.name, item.value) for item in match_fields(match, version)]
        for version in (NXM, 4, 6)
    }
    eth_type, dscp = ("eth_type", 0x800), ("ip_dscp", 2)
    vlan = [("vlan_vid", 0x1005), ("vlan_pcp", 1)]
    port = ("in_port_oxm", 0xFFFFFFFE)
    assert words == {
        NXM: [("in_port", 0xFFFE), eth_type, ("vlan_tci", 0x3005), ("nw_tos", 8), ("reg1", 5)],
        4: [port, eth_type, *vlan, dscp, ("reg1", 5)],
        6: [port, eth_type, *vlan, dscp, ("xreg0", 5)],
    }


def test_ethernet_is_said_only_where_nothing_implies_it() -> None:
    assert match_fields(parse_match("ip"))[0].field is FIELDS["eth_type"]
    assert match_fields(parse_match("eth"))[0].field is FIELDS["packet_type"]
    assert match_fields(parse_match("in_port=1"))[0].field is FIELDS["in_port_oxm"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ip,nw_src=10.0.0.0/8,tp_src=5", "ip,nw_src=10.0.0.0/8"),
        ("nw_src=10.0.0.1", ""),
        ("dl_vlan=0xffff,dl_vlan_pcp=3", "dl_vlan=0,dl_vlan_pcp=3"),
        ("tcp,reg0=5,tp_dst=80", "tcp,tp_dst=80"),
    ],
)
def test_openflow10_says_twelve_fields(text: str, shown: str) -> None:
    assert match_text(match_as_sent(parse_match(text), P_OF10_STD)) == shown


def test_normalizing_keeps_what_makes_sense() -> None:
    match = parse_match("icmp6,icmp_type=136,nd_target=::1,nd_tll=1:2:3:4:5:6,nd_sll=1:2:3:4:5:6")
    assert match_text(normalized(match)) == (
        "icmp6,icmp_type=136,nd_target=::1,nd_tll=01:02:03:04:05:06"
    )
    assert normalized(parse_match("arp,nw_ttl=5,reg0=1")) == parse_match("arp,reg0=1")

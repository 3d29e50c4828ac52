"""Datapath flows in text, as ``dpctl/dump-flows`` prints them and ``dpctl/add-flow`` reads them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.dpif.strategies import flows
from tests.ovs.flow.frames import FRAMES
from vnet.ovs.dpif.actions import Output
from vnet.ovs.dpif.dpif import DatapathFlow, FlowStats
from vnet.ovs.dpif.text.flows import (
    dump_line,
    flow_text,
    key_text,
    parse_flow,
    parse_key,
    read_flow,
    ufid_text,
)
from vnet.ovs.dpif.text.miniflow_bits import miniflow_bits_text
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import ODPP_NONE, OdpPort

_HEAD = "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"

# Flows as dumps show them. With "eth(" they may be installed again as they stand.
LINES = (
    _HEAD + "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(frag=no)",
    _HEAD + "eth(dst=01:00:00:00:00:00/01:00:00:00:00:00),eth_type(0x88cc)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x0800),"
    "ipv4(src=10.0.0.1,dst=10.1.2.3/255.0.0.0,proto=6,tos=0x4/0xfc,ttl=64,frag=no),"
    "tcp(src=1,dst=80/0xfff0),tcp_flags(syn)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(proto=6,frag=no),"
    "tcp(dst=80),tcp_flags(+syn-ack)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(proto=17,frag=first),udp(dst=53)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(proto=1,frag=no),icmp(type=8,code=0)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x86dd),"
    "ipv6(src=fe80::1,dst=ff02::/ff00::,label=0x12345,proto=58,tclass=0x5a,hlimit=255,frag=no),"
    "icmpv6(type=135,code=0),nd(target=fe80::9,sll=02:00:00:00:00:07)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x0806),"
    "arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:07)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x8100),vlan(vid=5,pcp=3),"
    "encap(eth_type(0x0800),ipv4(frag=later))",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x88a8),vlan(vid=9),"
    "encap(eth_type(0x8100),vlan(vid=7/0x7,pcp=0/0x4),encap(eth_type(0x1234)))",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x8847),"
    "mpls(label=16/0xfffff,tc=0/0,ttl=64/0x0,bos=1/1)",
    _HEAD + "eth(src=02:00:00:00:00:01),eth_type(0x8847),"
    "mpls(label=16,tc=0,ttl=64,bos=0,label=17,tc=1,ttl=9,bos=1)",
    "ct_state(+est-rel+trk),ct_zone(0x5),ct_mark(0x1/0xff),ct_label(0x10000000000000000),"
    "recirc_id(0x2a),dp_hash(0x7/0xf),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(frag=no)",
    "skb_priority(0x1),skb_mark(0/0x1),ct_tuple4(src=10.0.0.1,dst=10.0.0.2,proto=6,tp_src=1,tp_dst=2),"
    + _HEAD
    + "eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(frag=no)",
    "tunnel(tun_id=0x0,src=10.0.0.1,dst=10.0.0.2,ttl=64,geneve(),flags(-df-csum+key)),"
    + _HEAD
    + "eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(frag=no)",
    "tunnel(tun_id=0x7b,src=10.0.0.1,dst=10.0.0.2,tos=0,ttl=64,tp_dst=4789,flags(-df-csum+key)),"
    + _HEAD
    + "eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(frag=no)",
)


def repeated(text: str, verbose: bool = False) -> str:
    key, mask = parse_flow(text, vlan_limit=2)
    return flow_text(key, mask, verbose=verbose, vlan_limit=2)


@pytest.mark.parametrize("line", [line for line in LINES if "tos=0," not in line])
def test_lines_read_as_they_print(line: str) -> None:
    assert repeated(line) == line


@settings(max_examples=examples(60))
@given(flows())
def test_flows_read_as_they_print(flow: tuple[int, int]) -> None:
    key, mask = flow
    shown = flow_text(key, mask, verbose=True, vlan_limit=2)
    key_again, mask_again = parse_flow(shown, vlan_limit=2)
    assert flow_text(key_again, mask_again, verbose=True, vlan_limit=2) == shown
    assert flow_text(key_again, mask_again, vlan_limit=2) == flow_text(key, mask, vlan_limit=2)


def test_what_is_wildcarded_shows_when_asked_for() -> None:
    assert repeated(LINES[0], verbose=True) == (
        "skb_priority(0/0),skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0),"
        "recirc_id(0),dp_hash(0/0),in_port(1),packet_type(ns=0,id=0),"
        "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),"
        "ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=0/0,tos=0/0,ttl=0/0,frag=no)"
    )


def test_an_ethernet_header_without_a_match_is_not_shown() -> None:
    line = _HEAD + "eth(),eth_type(0x0800),ipv4(frag=no)"
    assert repeated(line) == line.replace("eth(),", "")
    assert repeated(line.replace("packet_type(ns=0,id=0),", "")) == line.replace(
        "packet_type(ns=0,id=0),", ""
    )


def test_ports_go_by_their_names_where_they_have_some() -> None:
    names, numbers = {1: "vif1.0"}, {"vif1.0": 1}
    line = LINES[0].replace("in_port(1)", "in_port(vif1.0)")
    key, mask = parse_flow(line, port_numbers=numbers)
    assert flow_text(key, mask, port_names=names) == line
    with pytest.raises(OvsTextError, match="syntax error"):
        parse_flow(line)


def test_an_inner_tag_beyond_the_limit_is_a_type() -> None:
    key = extract(bytes.fromhex("02000000000202000000000188a8000981000007080045"), 1)
    assert flow_text(key, Flow.dl_type.mask | Flow.vlan_tci.mask) == (
        "in_port(1),eth(),eth_type(0x88a8),vlan(vid=9,pcp=0),encap(eth_type(0x8100))"
    )


def test_a_key_shows_all_it_has() -> None:
    assert key_text(extract(bytes.fromhex("0200000000020200000000011234"), 3)) == (
        "skb_priority(0),skb_mark(0),ct_state(0),ct_zone(0),ct_mark(0),ct_label(0),recirc_id(0),"
        "dp_hash(0),in_port(3),packet_type(ns=0,id=0),"
        "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)"
    )


def test_keys_read_as_they_print() -> None:
    for frame in FRAMES:
        shown = key_text(extract(frame, 1, vlan_limit=2), vlan_limit=2)
        assert key_text(parse_key(shown, vlan_limit=2), vlan_limit=2) == shown


def test_a_packet_to_receive() -> None:
    flow = Flow(
        parse_key(
            "in_port(1),eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x0800),"
            "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=8,dst=9)"
        )
    )
    assert (flow.in_port, flow.packet_type, flow.dl_dst) == (1, 0, 2)
    assert (flow.nw_src, flow.nw_proto, flow.tp_dst) == (0x0A000001, 17, 9)
    assert Flow(parse_key("eth_type(0x0800),ipv4()")).packet_type == 0x10800
    assert Flow(parse_key("eth()")).in_port == ODPP_NONE


def test_a_name_of_a_flow_is_passed_over() -> None:
    ufid = "ufid:8bfbdddd-088a-4055-b185-796ea8207c74"
    assert parse_key(f"{ufid} {LINES[0]}") == parse_key(LINES[0])
    with pytest.raises(OvsTextError, match="syntax error at ufid:x"):
        parse_key("ufid:x eth()")


_IN_ERROR = "; the flow key in error is: "


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("foo", "syntax error at foo"),
        ("in_port(1), eth(src=)", "syntax error at eth(src=)"),
        ("eth(src=1:2:3:4:5:6,dst=x)", "syntax error at eth(src=1:2:3:4:5:6,dst=x)"),
        ("vlan(vid=4096)", "syntax error at vlan(vid=4096)"),
        ("ct_state(+foo)", "syntax error at ct_state(+foo)"),
        ("ipv4(frag=maybe)", "syntax error at ipv4(frag=maybe)"),
        ("encap(eth()", "syntax error at encap(eth()"),
        ("mpls(" + "label=1," * 4 + ")", "syntax error at mpls(" + "label=1," * 4 + ")"),
        ("recirc_id(1/1)", "syntax error at recirc_id(1/1)"),
        (
            "in_port(1),in_port(2)",
            f"duplicate in_port attribute in flow key{_IN_ERROR}in_port(1),in_port(2)",
        ),
        ("eth_type(0x5ff)", f"invalid Ethertype 1535 in flow key{_IN_ERROR}eth_type(0x05ff)"),
        (
            "eth_type(0x806),arp(op=256)",
            f"unsupported ARP opcode 256 in flow key{_IN_ERROR}eth_type(0x0806),"
            "arp(sip=0.0.0.0,tip=0.0.0.0,op=256,sha=00:00:00:00:00:00,tha=00:00:00:00:00:00)",
        ),
        (
            "eth(),eth_type(0x8100),vlan(vid=1,pcp=0,cfi=0),encap()",
            "OVS_KEY_ATTR_VLAN 0x0001 is nonzero but CFI bit is not set"
            f"{_IN_ERROR}eth(src=00:00:00:00:00:00,dst=00:00:00:00:00:00),eth_type(0x8100),"
            "vlan(vid=1,pcp=0,cfi=0),encap()",
        ),
        (
            "eth_type(0x8847),mpls(label=1,bos=1,label=2,bos=1)",
            f"MPLS BOS set in non-innermost label{_IN_ERROR}eth_type(0x8847),"
            "mpls(label=1,tc=0,ttl=0,bos=1,label=2,tc=0,ttl=0,bos=1)",
        ),
        (
            "tunnel(dst=1.2.3.4)",
            f"tunnel options missing TTL{_IN_ERROR}tunnel(dst=1.2.3.4,ttl=0,flags(0))",
        ),
    ],
)
def test_what_is_no_key(text: str, sentence: str) -> None:
    with pytest.raises(OvsTextError) as caught:
        parse_key(text)
    assert caught.value.what == sentence


@pytest.mark.parametrize(
    "text",
    [
        "eth(),eth_type(0x0800),ipv4()",  # no port
        "in_port(1/1),eth(),eth_type(0x0800),ipv4()",
        "in_port(1),eth(),eth_type(0x0800)",  # no addresses
        "in_port(1),eth(),eth_type(0x0800),ipv4(),arp()",
        "in_port(1),eth(),eth_type(0x0800/0xff00),ipv4(src=1.1.1.1)",
        "in_port(1),eth(),eth_type(0x0800),ipv4(proto=6/0xf),tcp(src=1)",
        "in_port(1),eth(),eth_type(0x86dd),ipv6(proto=58),icmpv6(type=135,code=0/0),"
        "nd(target=fe80::1)",
        "in_port(1),eth(),eth_type(0x8847),mpls(label=1,tc=0,ttl=0,bos=0)",
    ],
)
def test_flows_that_no_datapath_installs(text: str) -> None:
    with pytest.raises(OvsTextError) as caught:
        parse_flow(text)
    assert caught.value.what == "updating flow table (Invalid argument)"


def test_a_flow_that_is_no_text_of_one() -> None:
    with pytest.raises(OvsTextError) as caught:
        parse_flow("in_port(1),ipx()")
    assert caught.value.what == "parsing flow key (syntax error at ipx()) (Invalid argument)"


@pytest.mark.parametrize(
    ("member", "n_fitting"), [("dst=1.1.1.1", 8191), ("ipv6_src=::1", 3276), ("tun_id=0x1", 5460)]
)
def test_a_tunnel_that_no_netlink_attribute_has_room_for_is_refused(
    member: str, n_fitting: int
) -> None:
    fitting = f"tunnel({','.join([member] * n_fitting)})"
    assert read_flow(fitting)
    longer = fitting.replace(member, f"{member},{member}", 1)
    with pytest.raises(OvsTextError) as caught:
        read_flow(longer)
    assert (
        caught.value.what == f"parsing flow key (syntax error at {longer}) (Argument list too long)"
    )
    with pytest.raises(OvsTextError, match=r"^parsing actions \(Argument list too long\)$"):
        parse_actions(f"set({longer})")


_SCRAPS = st.sampled_from(
    ("eth(", "encap(", "src=", "vid=", "(", ")", ",", "/", "=", "0x", "1", "::")
)


@given(st.lists(_SCRAPS | st.sampled_from(LINES) | st.text(max_size=3), max_size=6).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_key, parse_flow):
        with suppress(OvsTextError):
            parse(text)


@given(
    st.sampled_from(LINES), st.integers(min_value=0), st.sampled_from("(),=/x0:.-|"), st.booleans()
)
def test_a_mistyped_line_is_read_or_refused(line: str, at: int, typed: str, is_more: bool) -> None:
    at %= len(line)
    with suppress(OvsTextError):
        parse_flow(line[:at] + typed + line[at + (not is_more) :], vlan_limit=2)


def test_frames_without_a_type_match_none() -> None:
    key = extract(bytes.fromhex("0180c200000002000000000100264242030000"), 1)
    assert flow_text(key, Flow.dl_type.mask | Flow.dl_dst.mask) == (
        "in_port(1),eth(dst=01:80:c2:00:00:00),eth_type(0/0xffff)"
    )


def test_a_line_of_a_dump() -> None:
    key, mask = parse_flow(LINES[0])
    flow = DatapathFlow(
        key,
        mask,
        (Output(OdpPort(2)),),
        FlowStats(n_packets=3, n_bytes=126, used_ns=1_000_000, tcp_flags=0x012),
    )
    assert dump_line(flow, 1_501_000_000, port_names={2: "vif2.0"}) == (
        f"{LINES[0]}, packets:3, bytes:126, used:1.500s, flags:S., actions:vif2.0"
    )


def test_a_line_of_a_full_dump_names_the_flow() -> None:
    key, mask = parse_flow(LINES[0])
    line = dump_line(DatapathFlow(key, mask, (), FlowStats()), 0, verbose=True)
    assert line == (
        f"{ufid_text(key, mask)}, {flow_text(key, mask, verbose=True)}, "
        "packets:0, bytes:0, used:never, dp:ovs, actions:drop, "
        f"dp-extra-info:{miniflow_bits_text(key, mask)}"
    )
    assert parse_key(line.split(", packets")[0].replace(", ", " ")) == key
    assert ufid_text(key ^ 1, mask) != ufid_text(key, mask)
    assert ufid_text(key | Flow.nw_ttl.mask, mask) == ufid_text(key, mask)

"""The table of fields is whole and consistent, and every field can be read back as written."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import (
    FIELDS,
    Field,
    Subfield,
    copy_subfield,
    field_by_header,
    field_by_name,
    swap_subfields,
)
from vnet.ovs.flow.flow import ALL_ONES, CFI, Flow
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.flow.protocols import P_ANY, P_NONE, P_NXM_OF11_UP, P_NXM_OXM_ANY

ALL = pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
READ_AS_WRITTEN = [
    field
    for field in FIELDS.values()
    if not field.is_tun_metadata and field.name not in ("nd_options_type", "nsh_spi")
]


def flow_of(text: str) -> Flow:
    return parse_exact_flow(text)


def the(name: str) -> Field:
    field = field_by_name(name)
    assert field is not None
    return field


def test_there_are_183_fields() -> None:
    assert len(FIELDS) == 183


def test_no_two_fields_share_a_name() -> None:
    names = Counter(name for field in FIELDS.values() for name in (field.name, field.alias))
    del names[""]
    assert names.most_common(1)[0][1] == 1


def test_no_two_fields_share_a_header() -> None:
    numbers = Counter((h.header_class, h.number) for f in FIELDS.values() for h in f.headers)
    names = Counter(header.name for field in FIELDS.values() for header in field.headers)
    assert numbers.most_common(1)[0][1] == names.most_common(1)[0][1] == 1


@ALL
def test_a_field_is_found_by_all_its_names(field: Field) -> None:
    assert field_by_name(field.name) is field
    assert not field.alias or field_by_name(field.alias) is field
    assert all(field_by_header(header.name) is field for header in field.headers)


@ALL
def test_a_field_is_no_wider_than_its_bytes(field: Field) -> None:
    assert 0 < field.n_bits <= 8 * field.n_bytes


def test_an_extension_is_preferred_unless_a_version_has_a_standard() -> None:
    assert the("eth_src").nxm_name == "NXM_OF_ETH_SRC"
    newest = the("tcp_flags").header(6)
    assert newest is not None
    assert newest.name == "OXM_OF_TCP_FLAGS"
    assert the("dl_vlan").header() is None
    assert the("dl_vlan").nxm_name == "dl_vlan"


@given(st.sampled_from(READ_AS_WRITTEN), st.data())
def test_a_field_reads_as_it_was_written(field: Field, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, (1 << field.n_bits) - 1).filter(field.is_value_valid))
    flow = Flow()
    field.put(flow, value)
    assert field.get(flow) == (value & 0xFC if field.name == "nw_tos" else value)
    field.put(flow, 0)
    assert field.get(flow) == 0


@ALL
def test_a_mask_that_ignores_nothing_ignores_no_field(field: Field) -> None:
    assert not field.is_wild(Flow(ALL_ONES))
    assert field.is_wild(Flow())


@ALL
def test_what_is_unwildcarded_is_matched(field: Field) -> None:
    wc = Flow()
    field.unwildcard(wc)
    assert field.is_wild(wc) == field.is_tun_metadata


def test_writing_part_of_a_field_leaves_the_rest() -> None:
    flow = Flow()
    the("reg0").put(flow, 0x12345678)
    the("reg0").put_masked(flow, 0xFFFFFFFF, 0x0000FF00)
    assert the("reg0").get(flow) == 0x1234FF78


def test_wide_registers_overlay_narrow_ones() -> None:
    flow = Flow()
    the("xxreg1").put(flow, 0x1111111122222222_3333333344444444)
    assert the("reg4").get(flow) == 0x11111111
    assert the("xreg3").get(flow) == 0x3333333344444444


def test_writing_a_vlan_makes_a_tag() -> None:
    for name, value in (("dl_vlan", 5), ("vlan_pcp", 3), ("vlan_vid", 0x1005)):
        flow = Flow()
        the(name).put(flow, value)
        assert flow.vlan_tci & CFI
        assert flow.vlan_tpid == 0x8100
    the("dl_vlan").put(flow, 0xFFFF)
    assert flow.vlan_tci == 0


def test_reserved_ports_are_numbered_twice() -> None:
    flow = Flow()
    the("in_port").put(flow, 0xFFFE)
    assert the("in_port_oxm").get(flow) == 0xFFFFFFFE
    the("actset_output").put(flow, 0xFFFFFFFD)
    assert flow.actset_output == 0xFFFD


def test_a_tunnel_option_that_is_not_mapped_has_no_place() -> None:
    flow = Flow()
    the("tun_metadata7").put(flow, 1)
    assert flow.key == 0
    assert the("tun_metadata7").get(flow) == 0


@pytest.mark.parametrize(
    ("name", "flow", "looked_at"),
    [
        ("tcp_dst", "tcp", ("nw_proto",)),
        ("icmp_type", "icmp", ("nw_proto",)),
        ("vlan_pcp", "dl_vlan=5", ("packet_type", "vlan_tci")),
        ("ip_src", "ip", ()),
        ("nd_target", "icmp6,icmpv6_type=135", ("nw_proto", "tp_dst", "tp_src")),
        ("ct_nw_src", "ip,ct_state=trk|est", ("ct_state",)),
    ],
)
def test_prerequisites_say_what_they_depend_on(
    name: str, flow: str, looked_at: tuple[str, ...]
) -> None:
    wc = Flow()
    assert the(name).are_prereqs_ok(flow_of(flow), wc)
    for member in looked_at:
        bits = getattr(Flow, member)
        assert wc.key & bits.mask
        wc.clear(bits)
    assert wc.key == 0


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("tcp_dst", "udp"),
        ("tcp_dst", "tcp,ip_frag=later"),
        ("icmp_type", "icmp6"),
        ("icmpv6_type", "icmp"),
        ("nd_sll", "icmp6,icmpv6_type=136"),
        ("nd_target", "icmp6,icmpv6_type=135,icmpv6_code=1"),
        ("eth_src", "packet_type=(1,0x800)"),
        ("ct_nw_src", "ip,ct_state=trk|inv"),
    ],
)
def test_prerequisites_are_not_met(name: str, flow: str) -> None:
    assert not the(name).are_prereqs_ok(flow_of(flow))


def test_a_packet_without_ethernet_has_the_type_that_it_says() -> None:
    assert the("ip_src").are_prereqs_ok(flow_of("packet_type=(1,0x800)"))


@pytest.mark.parametrize(
    ("name", "exact", "cidr", "bitwise"),
    [
        ("in_port", P_ANY, P_NONE, P_NONE),
        ("ip_src", P_ANY, P_ANY, P_NXM_OF11_UP),
        ("eth_src", P_ANY, P_NXM_OF11_UP, P_NXM_OF11_UP),
        ("reg0", P_NXM_OXM_ANY, P_NXM_OXM_ANY, P_NXM_OXM_ANY),
        ("dl_vlan", P_ANY, P_NONE, P_NONE),
        ("skb_priority", P_NONE, P_NONE, P_NONE),
    ],
)
def test_which_protocols_can_say_a_field(name: str, exact: int, cidr: int, bitwise: int) -> None:
    field = the(name)
    assert (field.usable_exact, field.usable_cidr, field.usable_bitwise) == (exact, cidr, bitwise)


@given(st.sampled_from(list(FIELDS.values())), st.data())
def test_a_part_of_a_field_reads_as_it_prints(field: Field, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, field.n_bits - 1))
    last = data.draw(st.integers(first, field.n_bits - 1))
    part = Subfield(field, first, last - first + 1)
    assert Subfield.parse(part.format()) == part


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bad[]", "bad[]: unknown field `bad'"),
        ("reg0[a]", "reg0[a]: syntax error expecting [] or [<bit>] or [<start>..<end>]"),
        ("reg0[5..4]", "reg0[5..4]: starting bit 5 is after ending bit 4"),
        (
            "vlan_vid[12]",
            "vlan_vid[12]: starting bit 12 is not valid because field is only 12 bits wide",
        ),
        ("reg0[-1]", "reg0[-1]: starting bit -1 is not valid because field is only 32 bits wide"),
        (
            "reg0[0..32]",
            "reg0[0..32]: ending bit 32 is not valid because field is only 32 bits wide",
        ),
        ("reg0[]x", "unexpected input following field syntax"),
    ],
)
def test_a_bad_part_of_a_field_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(OvsTextError) as refused:
        Subfield.parse(text)
    assert refused.value.what == sentence


def test_bits_are_copied_and_exchanged() -> None:
    flow = Flow()
    low, high = Subfield.parse("NXM_NX_REG0[0..7]"), Subfield.parse("NXM_NX_REG0[24..31]")
    low.put(flow, 0xAB)
    copy_subfield(low, high, flow)
    assert the("reg0").get(flow) == 0xAB0000AB
    low.put(flow, 0xCD)
    wc = Flow()
    swap_subfields(low, high, flow, wc)
    assert the("reg0").get(flow) == 0xCD0000AB
    assert the("reg0").get(wc) == 0xFF0000FF


def test_bits_are_not_copied_where_a_packet_has_none() -> None:
    flow = flow_of("arp,reg0=7")
    copy_subfield(Subfield.parse("NXM_NX_REG0[0..15]"), Subfield.parse("tcp_dst[]"), flow)
    assert flow == flow_of("arp,reg0=7")

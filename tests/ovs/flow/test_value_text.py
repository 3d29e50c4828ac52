"""Values of fields in text: what is printed is read back, and bad texts get OVS's sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.flow.match_texts import ALL_FIELDS, values
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS, Field


@given(st.sampled_from(ALL_FIELDS), st.data())
def test_a_value_reads_as_it_prints(field: Field, data: st.DataObject) -> None:
    value, mask = field.parse_value(data.draw(values(field)))
    if mask == 0 or field.name in ("ct_state", "packet_type"):
        return  # these print in forms that matches do not use
    shown = field.format(value & mask, mask)
    again, again_mask = field.parse_value(shown)
    assert (again & again_mask, field.format(again, again_mask)) == (value & mask, shown)


@pytest.mark.parametrize(
    ("name", "text", "value", "mask"),
    [
        ("reg0", "0x1f", 0x1F, 0xFFFFFFFF),
        ("reg0", "017", 15, 0xFFFFFFFF),
        ("reg0", "5/0xff", 5, 0xFF),
        ("tun_id", "-1", 2**64 - 1, 2**64 - 1),
        ("xxreg0", "0x" + "f" * 32, 2**128 - 1, 2**128 - 1),
        ("eth_src", "1:2:3:4:5:6", 0x010203040506, 2**48 - 1),
        ("eth_dst", "01:00:00:00:00:00/01:00:00:00:00:00", 1 << 40, 1 << 40),
        ("ip_src", "10.0.0.0/8", 10 << 24, 0xFF000000),
        ("ip_src", "10.0.0.1/255.0.0.255", 10 << 24 | 1, 0xFF0000FF),
        ("ipv6_dst", "::1/64", 1, (2**64 - 1) << 64),
        ("ct_state", "+new-est", 1, 3),
        ("ct_state", "trk|rel", 0x24, 0xFFFFFFFF),
        ("ct_state", "0x1/0x3", 1, 3),
        ("tcp_flags", "+syn-ack", 0x002, 0x012),
        ("tcp_flags", "syn|0x10", 0x012, 0xFFFF),
        ("ip_frag", "first", 1, 0xFF),
        ("ip_frag", "not_later", 0, 0xFE),
        ("in_port", "LOCAL", 0xFFFE, 0xFFFF),
        ("in_port_oxm", "local", 0xFFFFFFFE, 0xFFFFFFFF),
        ("packet_type", "(1,0x800)", 0x10800, 0xFFFFFFFF),
        ("eth_type", "*", 0, 0),
    ],
)
def test_values_are_read(name: str, text: str, value: int, mask: int) -> None:
    assert FIELDS[name].parse_value(text) == (value, mask)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("reg0", "x", "x: bad syntax for reg0 value"),
        ("reg0", "1/x", "1/x: bad syntax for reg0 mask"),
        ("reg0", "0x100000000", "0x100000000: value too large for 4-byte field reg0"),
        ("reg0", "1/0x100000000", "1/0x100000000: mask too large for 4-byte field reg0"),
        ("nw_ttl", "5/0xf", "5/0xf: invalid mask for field nw_ttl"),
        ("eth_src", "1:2:3", "1:2:3: invalid Ethernet address"),
        ("ip_src", "10.0.0", "10.0.0: invalid IP address"),
        (
            "ip_src",
            "10.0.0.1/33",
            "10.0.0.1/33: IPv4 network prefix bits not between 0 and 32, inclusive",
        ),
        ("ipv6_src", ":::", ":::: invalid IPv6 address"),
        (
            "ipv6_src",
            "::/129",
            "::/129: IPv6 network prefix bits not between 0 and 128, inclusive",
        ),
        ("ipv6_src", "::/a", "::/a: Invalid IPv6 mask"),
        ("in_port", "nowhere", "nowhere: invalid or unknown port for in_port"),
        ("in_port_oxm", "nowhere", "nowhere: port value out of range for in_port_oxm"),
        (
            "ip_frag",
            "maybe",
            'maybe: unknown fragment type (valid types are "no", "yes", "first", "later", '
            '"not_later"',
        ),
        ("tcp_flags", "+syn+syn", "syn: Each TCP flag can be specified only once"),
        ("tcp_flags", "+sin", "sin: unknown TCP flag(s)"),
        ("ct_state", "new|old", "new|old: unknown ct_state flag(s)"),
        ("tun_flags", "+df", "df: unknown tunnel flag(s)"),
        ("packet_type", "1,2", "1,2: bad syntax for packet type missing '('"),
        ("packet_type", "(a,2)", "a,2): bad syntax for packet type ns"),
        ("packet_type", "(1;2)", "1;2): bad syntax for packet type missing ','"),
    ],
)
def test_bad_values_are_refused(name: str, text: str, sentence: str) -> None:
    with pytest.raises(OvsTextError) as refused:
        FIELDS[name].parse_value(text)
    assert refused.value.what == sentence


def test_no_mask_may_stand_where_a_value_is_set() -> None:
    assert FIELDS["ip_src"].parse_exact("10.0.0.1") == 10 << 24 | 1
    with pytest.raises(OvsTextError) as refused:
        FIELDS["ip_src"].parse_exact("10.0.0.0/8")
    assert refused.value.what == "10.0.0.0/8: wildcards not allowed here"


@pytest.mark.parametrize(
    ("name", "value", "mask", "text"),
    [
        ("tun_id", 0, None, "0"),
        ("nw_ttl", 64, None, "64"),
        ("reg0", 0x10, 0xF0, "0x10/0xf0"),
        ("reg0", 1, 0, "ANY"),
        ("ipv6_src", 0xFFFF0A000001, None, "::ffff:10.0.0.1"),
        ("tcp_flags", 0x012, None, "syn|ack"),
        ("packet_type", 0, None, "eth"),
        ("in_port", 0xFFFF, None, "ANY"),
    ],
)
def test_values_are_shown(name: str, value: int, mask: int | None, text: str) -> None:
    assert FIELDS[name].format(value, mask) == text

"""Every mistake in a filter is told in one sentence, with its column."""

from __future__ import annotations

import pytest

from vnet.base.errors import VnetError
from vnet.wire.filter import FilterError, compile_filter

MISTAKES = [
    ("tcp and $x", 9, "'$' has no meaning here"),
    ("ip or", 6, "the filter ends too early"),
    ("and ip", 1, "'and' is not expected here"),
    ("ip arp", 4, "'arp' is not expected here"),
    ("(ip or arp", 11, "the filter ends too early"),
    ("ip)", 3, "')' is not expected here"),
    ("10.0.0.1", 1, "'10.0.0.1' stands alone"),
    ("tcp or 10.0.0.1", 8, "nothing qualifies this value"),
    ("(host 10.0.0.1) or 10.0.0.2", 20, "nothing qualifies this value"),
    ("host 1.1.1.1 and (2.2.2.2 or tcp)", 30, "'tcp' is no value"),
    ("host", 5, "the filter ends too early"),
    ("host vm1", 6, "the name 'vm1' is not looked up"),
    ("ether host vm1", 12, "the name 'vm1' is not looked up"),
    ("host 10.0.0.256", 6, "'10.0.0.256' is no IPv4 address"),
    ("host 1:2:3", 6, "'1:2:3' is no address"),
    ("host 1::2::3", 6, "'1::2::3' is no address"),
    ("host 1:2:3:4:5:6:7::8:9", 6, "'1:2:3:4:5:6:7::8:9' is no IPv6 address"),
    ("host 02:00:00:00:00:01", 6, "a MAC address belongs to 'ether'"),
    ("ether host 10.0.0.1", 12, "'ether' has no IPv4 addresses"),
    ("ip6 host 10.0.0.1", 10, "'ip6' has no IPv4 addresses"),
    ("arp host fd00::1", 10, "'arp' has no IPv6 addresses"),
    ("tcp host 10.0.0.1", 10, "'tcp' has no IPv4 addresses"),
    ("host 10.0.0.0/8", 6, "a mask belongs to 'net'"),
    ("host fd00::/64", 6, "a prefix length belongs to 'net'"),
    ("net 10/8", 7, "'/' is not expected here"),
    ("net 10.0.0.1/8", 5, "the network has host bits set"),
    ("net 10.0.0.0/33", 14, "a prefix has no 33 bits"),
    ("net fd00::1/64", 5, "the network has host bits set"),
    ("net fd00::/129", 12, "a prefix has no 129 bits"),
    ("net 10.0.0.0 mask 8", 19, "'8' is not expected here"),
    ("port 65536", 6, "there is no port 65536"),
    ("port 80-90", 6, "'80-90' is no port known here"),
    ("port nonsense", 6, "'nonsense' is no port known here"),
    ("udp port http", 10, "this service is known over tcp alone"),
    ("icmp port 80", 11, "'icmp' has no ports"),
    ("port 10.0.0.1", 6, "an address is no port"),
    ("portrange http", 11, "'http' is no range"),
    ("portrange 1-65536", 11, "there is no port '65536'"),
    ("portrange 1-" + "9" * 4000, 11, f"there is no port '{'9' * 77}...'"),
    ("ip proto tcp", 10, "'tcp' is not expected here"),
    ("ip proto 256", 10, "there is no protocol 256"),
    ("ether proto 0x10000", 13, "there is no protocol 65536"),
    ("proto foo", 7, "'foo' is no protocol known here"),
    ("tcp proto 6", 11, "'tcp proto' has no meaning"),
    ("proto 10.0.0.1", 7, "an address is no protocol"),
    ("ether", 1, "'ether' alone tests nothing"),
    ("arp broadcast", 1, "'arp' has no broadcast"),
    ("ip6 broadcast", 1, "'ip6' has no broadcast"),
    ("vlan 4096", 1, "there is no VLAN 4096"),
    ("vlan (ip)", 7, "'ip' is not expected here"),
    ("less than 5", 6, "'than' is not expected here"),
    ("5", 2, "the filter ends too early"),
    ("len - 14", 9, "the filter ends too early"),
    ("len-14 > 3", 1, "'len-14' stands alone"),
    ("1 + tcp > 3", 9, "'>' is not expected here"),
    ("ip[0:3] = 1", 6, "3 bytes cannot be read"),
    ("ip[0 = 1", 6, "'=' is not expected here"),
    ("ah[0] = 1", 1, "the bytes of 'ah' cannot be read"),
    ("ip[0] / (1 - 1) = 1", 7, "a division by zero"),
    ("ip[0] % 0 = 1", 7, "a division by zero"),
    ("ip[0] << 32 = 1", 7, "a shift by more than 31 bits"),
    ("ip[0] = 08", 9, "'08' has a digit that is not octal"),
    ("ip[0] = 4294967296", 9, "'4294967296' does not fit 32 bits"),
    ("ip[0] = 0x100000000", 9, "'0x100000000' does not fit 32 bits"),
    ("mpls 100", 1, "'mpls' cannot be used here"),
    ("ip or inbound", 7, "'inbound' cannot be used here"),
    ("(" * 41 + "ip", 41, "the filter is nested too deeply"),
    ("!" * 41 + "ip", 41, "the filter is nested too deeply"),
    ("len = " + "- " * 41 + "1", 87, "the filter is nested too deeply"),
    ("len = 0" + "+1" * 101, 208, "the comparison is too long"),
    ("len = " + "1^" * 41 + "1", 88, "the filter is nested too deeply"),
    ("ip or " * 700, 4097, "the filter has 4200 characters"),
]


@pytest.mark.parametrize(
    ("text", "column", "what"), MISTAKES, ids=[text[:40] for text, _, _ in MISTAKES]
)
def test_a_mistake_is_told_with_its_column(text: str, column: int, what: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    assert (caught.value.column, caught.value.what) == (column, what)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "ip proto tcp",
            "column 10: 'tcp' is not expected here ('tcp' is a keyword: write '\\tcp')",
        ),
        ("host vm1", "column 6: the name 'vm1' is not looked up (write its address)"),
        (
            "port 80-90",
            "column 6: '80-90' is no port known here (a range is written 'portrange 80-90')",
        ),
        (
            "byte 5 = 3",
            "column 1: 'byte' cannot be used here (it is an old form: write 'ether[N] = V')",
        ),
        ("brodcast", "column 1: 'brodcast' stands alone (did you mean 'broadcast'?)"),
        ("port domian", "column 6: 'domian' is no port known here (did you mean 'domain'?)"),
        ("proto tpc", "column 7: 'tpc' is no protocol known here (did you mean 'tcp'?)"),
        (
            "udp port http",
            "column 10: this service is known over tcp alone (write 'tcp' or the number)",
        ),
    ],
)
def test_the_message_says_what_to_write_instead(text: str, line: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    assert str(caught.value) == line


def test_a_filter_error_is_a_users_error_and_a_value_error() -> None:
    with pytest.raises(ValueError, match="column 1"):
        compile_filter("&&")
    with pytest.raises(VnetError) as caught:
        compile_filter("foo")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "text", ["(" * 40 + "ip" + ")" * 40, "!" * 40 + "ip", "len > 0" + "+1" * 100]
)
def test_the_limits_themselves_are_allowed(text: str) -> None:
    assert compile_filter(text)(bytes(12) + b"\x08\x00" + bytes(200))

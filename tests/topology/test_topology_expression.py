"""Packet expressions: what is a packet, and what only looks like one."""

from __future__ import annotations

import socket
from importlib import import_module
from ipaddress import ip_address
from typing import Any

import pytest

from vnet.base.errors import VnetError
from vnet.topology.packets.expression import (
    ExpressionError,
    Layer,
    build_packet,
    parse_packet_expression,
)
from vnet.topology.packets.layers import LAYER_NAMES, MODULE_OF, fields_of

MAC = bytes.fromhex("525400000001")
IP4 = bytes([10, 0, 0, 1])
IP6 = bytes.fromhex("20010db8000000000000000000000001")


def built(text: str) -> bytes:
    return bytes(build_packet(text, mac=MAC, ip4=IP4, ip6=IP6))


def test_an_expression_becomes_layers() -> None:
    expression = parse_packet_expression('IP(dst="10.0.0.2", ttl=3)/UDP(dport=9)/("x" * 3)')
    assert expression.parts == (
        Layer("IP", (("dst", "10.0.0.2"), ("ttl", 3))),
        Layer("UDP", (("dport", 9),)),
        "xxx",
    )


@pytest.mark.parametrize(
    "text",
    [
        "Ether()",
        "  Ether()/\n  IP()  ",
        'Raw("x")',
        'Raw(b"\\xff" * 3)/Padding(load="p")',
        "Ether()/(IP()/(UDP()/b'x'))",
        "IP(id=-1)",
        "IP(options=[IPOption_NOP(), IPOption_Router_Alert()])",
        'TCP(flags="SA", options=[("MSS", 1460), ("NOP", None)])',
        'DNS(qd=DNSQR(qname="a.example"))',
        'DHCP(options=[("message-type", "discover"), ("router", "10.0.0.1"), "end"])',
        'DHCP(options=[("param_req_list", [1, 3, 6]), ("hostname", "h")])',
        'ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst="ff02::9", sources=["2001:db8::1"])])',
        'Ether()/(3 * "x")',
        "/".join(["IP()"] * 64),
    ],
)
def test_what_is_a_packet(text: str) -> None:
    parse_packet_expression(text)


HOSTILE = [
    "__import__('os').system('id')",
    "IP().__class__.__mro__",
    "IP().dst",
    "().__class__.__bases__[0]",
    "getattr(IP, 'x')()",
    "(lambda: IP())()",
    "lambda: 1",
    "[IP(ttl=t) for t in range(9)]",
    "IP(dst=[x for x in 'ab'])",
    "{IP() for _ in 'ab'}",
    "(IP() for _ in 'ab')",
    "IP(dst=f'{1}')",
    "IP(ttl=x)",
    "IP(ttl=1 if 1 else 2)",
    "IP(ttl=1 + 1)",
    "IP(ttl=1 << 2)",
    "IP(ttl=2 ** 9 ** 9)",
    "IP(ttl=not 1)",
    "IP(ttl=1 < 2)",
    "IP(ttl=(x := 1))",
    "IP(*[1])",
    "IP(**{'ttl': 1})",
    "IP(b'bytes to dissect')",
    "IP(_pkt=b'')",
    "IP(post_transform=1)",
    "IP(_internal=1)",
    "IP(ttl=1j)",
    "IP(ttl=...)",
    "IP(ttl=1e999)",
    f"IP(id={'9' * 60})",
    "IP()[0]",
    "IP() / 1",
    "IP() / None",
    "IP() / [UDP()]",
    "IP() // UDP()",
    "IP() * 3",
    "'x' / IP()",
    "'x'",
    "1",
    "()",
    "IP",
    "IP().show()",
    "scapy.IP()",
    "await IP()",
    "yield",
    "IP(); IP()",
    "import os",
    "IP())/(IP()",
    "",
    "   ",
    "\0",
    "IP(",
    "\ud800",
    "'x' * -1",
    "IP() / ('x' * 'y')",
    "IP() / ('x' * 1000000000)",
    "IP() / (1000000000 * 'x')",
    "IP() / ('x' * 1000 * 1000 * 1000)",
    "IP() / (b'x' * 65536)",
    "IP() / ('x' * True)",
    "IP() / ([0] * 5)",
    "IP() / ('x' * 60000) / ('y' * 60000)",
    "/".join(["IP()"] * 65),
    "-" * 8_000 + "1",
    "(" * 4_000 + ")" * 4_000,
    "[" * 150 + "]" * 150,
    "IP(options=[" * 100 + "])" * 100,
    "IP()/(" * 100 + "IP()" + ")" * 100,
    "DNS(qd=" * 30 + "DNSQR()" + ")" * 30,
    "IP()" + "/'x'" * 3_000,
    # Values that Scapy would look up, or take for many.
    "IP(dst='example.com')",
    "IP(dst='10.0.0.0/24')",
    "IP(dst='10.0.0.1-9')",
    "IP(dst='10.0.0.*')",
    "IP(dst='10.1')",
    "IP(dst=b'example.com')",
    "IP(dst=('10.0.0.1', '10.0.0.9'))",
    "IP(dst=['10.0.0.1', '10.0.0.2'])",
    "IP(ttl=[1, 2])",
    "IP(ttl=(1, 9))",
    "IPv6(dst='example.com')",
    "IPv6(dst='2001:db8::/64')",
    "IPv6(dst='fe80::1%eth0')",
    "ARP(pdst='10.0.0.0/24')",
    "ARP(hwsrc='host')",
    "ARP(ptype=0x86dd, pdst='fe80::1')",
    "Ether(dst='example.com')",
    "IPv6ExtHdrRouting(addresses=['example.com'])",
    "IPv6ExtHdrRouting(addresses='2001:db8::1')",
    "IPOption_RR(routers=['example.com'])",
    "DHCP(options=[('router', 'example.com')])",
    "DHCP(options=[('router', b'example.com')])",
    "DHCP(options=[('router', ['example.com'])])",
    "DHCP(options=[('no-such-option', 'example.com')])",
    "DHCP(options=[IP()])",
    "DHCP(options='end')",
    "DHCP(options=[(1, 'x')])",
    "DHCP(options=[()])",
    "TCP(options=[IP()])",
    "TCP(options=3)",
    "DNS(qd='a.example')",
    "IP(ttl=UDP())",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_not_a_packet_is_refused_without_scapy(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_packet_expression(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Udp()",
            "'Udp' is not a known layer (did you mean 'UDP'?)",
        ),
        ("UDP(dprt=9)", "UDP has no field 'dprt' (did you mean 'dport'?)"),
        (
            "IP(len(x))",
            "'len(x)' in IP() has no name (write field=value)",
        ),
        (
            "ICMP",
            "'ICMP' is a layer without parentheses "
            "(write ICMP(); a packet begins with Ether(), IP(dst=...) or IPv6(dst=...))",
        ),
        (
            "IP().dst",
            "'IP().dst' is not allowed (layers with literal values, joined by /)",
        ),
        (
            "IP(dst='a.b')",
            "IP.dst wants a literal IPv4 address, not 'a.b' "
            "(names, networks and ranges are not looked up)",
        ),
        ("IP()/('x'*70000)", "the packet is longer than 65535 bytes"),
        (
            "x" * 9000,
            'the expression is longer than 8192 characters (write a long payload as "x" * 1000)',
        ),
        (
            "'x'",
            "a packet begins with a layer "
            "(for example Ether()/IP(dst='10.0.0.2')/UDP(dport=9)/'payload')",
        ),
    ],
)
def test_the_refusal_says_why(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_packet_expression(text)
    assert str(caught.value) == message


# --- building ---


@pytest.fixture(autouse=True)
def no_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an expression says, nobody asks the DNS."""

    look_up = socket.getaddrinfo

    def numbers_only(host: Any, *rest: Any, **more: Any) -> Any:
        ip_address(host)  # Scapy's own modules read literals this way when imported.
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", numbers_only)


def test_an_arp_request_is_completed_from_its_sender() -> None:
    assert built('Ether(dst="ff:ff:ff:ff:ff:ff")/ARP(pdst="10.0.0.2")') == bytes.fromhex(
        "ffffffffffff 525400000001 0806"
        "0001 0800 06 04 0001 525400000001 0a000001 000000000000 0a000002"
    )


def test_a_datagram_is_completed_from_its_sender() -> None:
    data = built('IP(dst="10.0.0.2")/UDP(sport=1, dport=9)/("x"*100)')
    assert len(data) == 128
    assert data[12:20] == IP4 + bytes([10, 0, 0, 2])


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ('Ether()/IP(dst="10.0.0.2")', "ffffffffffff"),
        ('Ether()/IP(dst="224.0.0.9")', "01005e000009"),
        ('Ether()/Dot1Q(vlan=3)/IPv6(dst="ff02::9")', "333300000009"),
        ("Ether()/IPv6()/ICMPv6ND_RS()", "333300000002"),
        ('Ether(dst="52:54:00:00:00:02")/IP()', "525400000002"),
        ("Ether()/Raw('x')", "ffffffffffff"),
    ],
)
def test_an_unset_destination_is_a_group_or_everybody(text: str, destination: str) -> None:
    data = built(text)
    assert data[:6].hex() == destination
    assert data[6:12] == MAC


def test_a_named_source_stays() -> None:
    data = built('Ether(src="52:54:00:00:00:09")/IP(src="10.9.9.9")/ICMP()')
    assert data[6:12].hex() == "525400000009"
    assert data[26:30] == bytes([10, 9, 9, 9])


def test_a_timestamp_is_not_the_clocks() -> None:
    assert built("IP()/ICMP(type=13)")[-12:] == bytes(12)


@pytest.mark.parametrize(
    "text",
    [
        "UDP(dport=99999)",
        "IP(ttl=-1)",
        'UDP(dport="no-such-service")',
        'IP()/IP(proto="no-such-protocol")',
        'ARP(op="no-such-operation")',
        'Raw(load="x")/UDP(len="x")',
    ],
)
def test_a_value_that_does_not_fit_is_an_error_of_ours(text: str) -> None:
    parse_packet_expression(text)
    with pytest.raises(VnetError, match="cannot be built"):
        built(text)


def test_a_packet_longer_than_ip_allows() -> None:
    layers = "/".join(["IPv6()"] * 10)
    with pytest.raises(VnetError, match=r"cannot be built|bytes long"):
        built(f"{layers}/('x' * 65500)")


def _every_field() -> list[tuple[str, Any, str]]:
    """(layer, Scapy field, kind in our table) of every layer that may be named."""
    found = []
    for layer in LAYER_NAMES:
        cls = getattr(import_module(MODULE_OF[layer]), layer)
        fields = {field.name: field for field in cls.fields_desc}
        for name, kind in fields_of(layer).items():
            found.append((layer, fields.get(name), kind))
    return found


def _bare_fields(field: Any) -> list[Any]:
    """The fields inside Emph, ConditionalField, MultipleTypeField and list fields."""
    inner = [getattr(field, "fld", None), getattr(field, "dflt", None)]
    if type(field).__name__ == "FieldListField":
        inner.append(field.field)
    inner += [one for one, _ in getattr(field, "flds", [])]
    nested = [bare for one in inner if one is not None for bare in _bare_fields(one)]
    return nested or [field]


def test_the_table_of_layers_is_scapys() -> None:
    missing = [(layer, kind) for layer, field, kind in _every_field() if field is None]
    assert missing == []


def test_every_field_that_scapy_resolves_must_be_literal() -> None:
    """No field may slip through that Scapy reads as a network or a host name."""
    import_module("scapy.layers.inet6")
    classes = import_module("scapy.fields")
    inet6 = import_module("scapy.layers.inet6")
    resolving = {
        "ip4": (classes.IPField,),
        "ip6": (classes.IP6Field, inet6.IP6Field),
        "mac": (classes.MACField,),
    }
    for layer, field, kind in _every_field():
        for bare in _bare_fields(field):
            for expected, types in resolving.items():
                # The hardware address of BOOTP is text or bytes, read without a look-up.
                if isinstance(bare, types) and (layer, field.name) != ("BOOTP", "chaddr"):
                    assert kind.startswith(("ip", "mac")), f"{layer}.{field.name} is {expected}"
            if type(bare).__name__ == "IP6ListField":
                assert kind == "ip6s", f"{layer}.{field.name}"
            if bare.islist:
                assert kind in ("ip4s", "ip6s", "layers", "list", "dhcp"), (layer, field.name)


@pytest.mark.parametrize("layer", LAYER_NAMES)
def test_every_layer_builds_the_same_bytes_twice(layer: str) -> None:
    assert built(f"{layer}()") == built(f"{layer}()")


def test_every_dhcp_text_option_is_safe() -> None:
    from vnet.topology.packets.layers import DHCP_TEXT_OPTIONS

    dhcp = import_module("scapy.layers.dhcp")
    ip_field = import_module("scapy.fields").IPField
    for name in DHCP_TEXT_OPTIONS:
        _, field = dhcp.DHCPRevOptions.get(name, (0, None))
        assert not isinstance(field, ip_field), name

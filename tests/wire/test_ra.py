"""Router advertisements and solicitations: golden bodies both ways, and Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRouteInfo,
    ICMPv6NDOptSrcLLAddr,
)

from vnet.base.ids import ip_from_text, mac_text
from vnet.wire import ra
from vnet.wire.nd import LinkAddress
from vnet.wire.ra import Prefix, RouteInformation, RouterAdvertisement

U32 = st.integers(0, 0xFFFFFFFF)
IP6 = st.binary(min_size=16, max_size=16)
MAC = st.binary(min_size=6, max_size=6)
PREFIXES = st.builds(Prefix, st.integers(0, 255), st.booleans(), st.booleans(), U32, U32, IP6)
PREFERENCES = st.sampled_from([ra.LOW, ra.MEDIUM, ra.HIGH])


@st.composite
def routes(draw: st.DrawFn) -> RouteInformation:
    """A route whose prefix has as many bytes as its length needs."""
    length = draw(st.integers(0, 128))
    prefix = draw(IP6)[: -(-length // 64) * 8].ljust(16, b"\0")
    return RouteInformation(length, draw(PREFERENCES), draw(U32), prefix)


ADVERTISEMENTS = st.builds(
    RouterAdvertisement,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    U32,
    U32,
    st.lists(PREFIXES, max_size=3).map(tuple),
    st.none() | U32,
    st.none() | MAC,
    st.lists(routes(), max_size=3).map(tuple),
    # What is said of name servers is for programs, and read by none of ours.
    names=st.none(),
)

MAC_1 = bytes.fromhex("00163e000001")
# The body of what dnsmasq sends with `dhcp-range=fd00:1::,ra-only,64,1h` and a lifetime of 300 s.
DNSMASQ = bytes.fromhex(
    "40 00 012c 00000000 00000000"
    "0304 40 c0 00000e10 00000e10 00000000 fd000001000000000000000000000000"
    "0501 0000 000005dc"
    "0101 00163e000001"
)


def test_golden_advertisement() -> None:
    prefix = Prefix(64, True, True, 3600, 3600, ip_from_text("fd00:1::"))
    said = RouterAdvertisement(64, 0, 300, 0, 0, (prefix,), 1500, MAC_1)
    assert ra.emit(said) == DNSMASQ
    assert ra.parse(DNSMASQ) == said


def test_golden_solicitation() -> None:
    with_mac = bytes(4) + bytes.fromhex("0101") + MAC_1
    assert ra.solicitation(MAC_1) == with_mac
    assert ra.parse_solicitation(with_mac) == LinkAddress(MAC_1)
    assert ra.parse_solicitation(ra.solicitation(None)) == LinkAddress(None)
    assert ra.parse_solicitation(with_mac[:-1]) is None


@given(ADVERTISEMENTS)
def test_parse_undoes_emit(said: RouterAdvertisement) -> None:
    assert ra.parse(ra.emit(said)) == said


@given(U32, MAC, IP6, st.integers(0, 128))
def test_scapy_reads_what_we_write(lifetime: int, mac: bytes, prefix: bytes, length: int) -> None:
    route = RouteInformation(length, ra.HIGH, lifetime, prefix)
    said = RouterAdvertisement(
        9,
        ra.MANAGED | ra.LOW,
        30,
        5,
        6,
        (Prefix(length, True, False, 7, 8, prefix),),
        1400,
        mac,
        (route,),
    )
    read = ICMPv6ND_RA(b"\x86\0\0\0" + ra.emit(said))
    assert (read.chlim, read.M, read.O, read.prf, read.routerlifetime) == (9, 1, 0, 3, 30)
    assert (read.reachabletime, read.retranstimer) == (5, 6)
    told = read[ICMPv6NDOptPrefixInfo]
    assert (told.prefixlen, told.L, told.A) == (length, 1, 0)
    assert (told.validlifetime, told.preferredlifetime) == (7, 8)
    assert read[ICMPv6NDOptMTU].mtu == 1400
    assert read[ICMPv6NDOptSrcLLAddr].lladdr == mac_text(mac)
    routed = read[ICMPv6NDOptRouteInfo]
    assert (routed.plen, routed.prf, routed.rtlifetime) == (length, 1, lifetime)
    assert bytes(ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=mac_text(mac)))[4:] == (
        ra.solicitation(mac)
    )


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("0303 40c0" + "00" * 20, id="a prefix without room for it"),
        pytest.param("1801 4000 00000000", id="a route longer than its prefix"),
        pytest.param("1804 0000 00000000" + "00" * 24, id="a route's prefix of 24 bytes"),
        pytest.param("1803 8100 00000000" + "00" * 16, id="a route of 129 bits"),
    ],
)
def test_options_that_make_no_sense_are_left_out(bad: str) -> None:
    read = ra.parse(DNSMASQ[:12] + bytes.fromhex(bad) + DNSMASQ[12:])
    assert read == ra.parse(DNSMASQ)


@pytest.mark.parametrize("tail", [b"\x01", b"\x01\x00" + bytes(6), b"\x01\x02" + bytes(14)])
def test_an_option_cut_off_or_of_a_wrong_length_spoils_the_message(tail: bytes) -> None:
    assert ra.parse(DNSMASQ[:12] + tail) is None
    assert ra.parse_solicitation(bytes(4) + tail) is None


def test_name_servers_stand_as_dnsmasq_writes_them() -> None:
    """Recorded of dnsmasq 2.90 with a search list and a server of its own."""
    recorded = (
        "1f03000000000708036c6162047465737400000000000000"
        "190300000000070820010db800090000089c6dfffe5a6a6c"
    )
    server = bytes.fromhex("20010db800090000089c6dfffe5a6a6c")
    names = ra.NameServers(1800, (server,), ("lab.test",))
    assert ra.emit(ra.RouterAdvertisement(64, 0, 1800, 0, 0, names=names))[12:].hex() == recorded

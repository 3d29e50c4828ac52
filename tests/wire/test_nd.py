"""Neighbour discovery: golden bodies both ways, and Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
)

from vnet.base.ids import ip_from_text, ip_text, link_local_of, mac_text
from vnet.wire import nd
from vnet.wire.nd import Advertisement, Redirect, Solicitation

IP6 = st.binary(min_size=16, max_size=16)
MAC = st.binary(min_size=6, max_size=6)

MAC_1 = bytes.fromhex("00163e000001")
LL_1 = ip_from_text("fe80::216:3eff:fe00:1")
LL_2 = ip_from_text("fe80::216:3eff:fe00:2")
# The bodies, from the fourth byte of ICMPv6 on, of what Scapy builds from
# ICMPv6ND_NS(tgt=LL_2) / ICMPv6NDOptSrcLLAddr(lladdr=MAC_1)
NS = bytes(4) + LL_2 + bytes.fromhex("0101") + MAC_1
# ICMPv6ND_NA(R=0, S=1, O=1, tgt=LL_1) / ICMPv6NDOptDstLLAddr(lladdr=MAC_1)
NA = bytes.fromhex("60000000") + LL_1 + bytes.fromhex("0201") + MAC_1


def test_the_link_local_address_is_the_one_in_the_examples() -> None:
    assert link_local_of(MAC_1) == LL_1


def test_golden_solicitation() -> None:
    assert nd.parse_solicitation(NS) == Solicitation(LL_2, MAC_1, None)
    assert nd.solicitation(LL_2, MAC_1) == NS


def test_golden_solicitation_of_dad_has_no_mac_but_may_have_a_nonce() -> None:
    assert nd.solicitation(LL_2, None) == NS[:20]
    assert nd.parse_solicitation(NS[:20]) == Solicitation(LL_2, None, None)
    with_nonce = NS[:20] + bytes.fromhex("0e01") + b"abcdef"
    assert nd.solicitation(LL_2, None, b"abcdef") == with_nonce
    assert nd.parse_solicitation(with_nonce) == Solicitation(LL_2, None, b"abcdef")


def test_golden_advertisement() -> None:
    flags = nd.SOLICITED | nd.OVERRIDE
    assert nd.parse_advertisement(NA) == Advertisement(flags, LL_1, MAC_1)
    assert nd.advertisement(flags, LL_1, MAC_1) == NA
    assert nd.advertisement(flags, LL_1, None) == NA[:20]


def test_unknown_options_are_skipped() -> None:
    unknown = bytes.fromhex("7f02") + bytes(14)
    assert nd.parse_solicitation(NS[:20] + unknown + NS[20:]) == nd.parse_solicitation(NS)


@pytest.mark.parametrize("tail", [b"\x01", b"\x01\x00" + bytes(6), b"\x01\x02" + bytes(6)])
def test_an_option_cut_off_or_of_no_length_spoils_the_message(tail: bytes) -> None:
    """RFC 4861 section 4.6: such a packet is silently discarded."""
    assert nd.options(tail) is None
    assert nd.parse_solicitation(NS + tail) is None
    assert nd.parse_advertisement(NA + tail) is None


@given(IP6, st.none() | MAC, st.none() | MAC)
def test_parse_undoes_solicitation(target: bytes, mac: bytes | None, nonce: bytes | None) -> None:
    body = nd.solicitation(target, mac, nonce)
    assert nd.parse_solicitation(body) == Solicitation(target, mac, nonce)


@given(st.integers(0, 255), IP6, st.none() | MAC)
def test_parse_undoes_advertisement(flags: int, target: bytes, mac: bytes | None) -> None:
    body = nd.advertisement(flags, target, mac)
    assert nd.parse_advertisement(body) == Advertisement(flags, target, mac)


@given(IP6, IP6, st.none() | MAC, st.binary(max_size=200))
def test_a_redirect_quotes_whole_eights_of_the_packet(
    target: bytes, destination: bytes, mac: bytes | None, packet: bytes
) -> None:
    quoted = packet[: len(packet) // 8 * 8]
    body = nd.redirect(target, destination, mac, packet)
    assert nd.parse_redirect(body) == Redirect(target, destination, mac, quoted)


def test_a_redirect_may_quote_nothing() -> None:
    body = bytes(4) + LL_1 + LL_2
    assert nd.parse_redirect(body) == Redirect(LL_1, LL_2, None, None)
    assert nd.parse_redirect(body[:-1]) is None


@pytest.mark.parametrize("kind", [nd.SOURCE_LINK_ADDRESS, nd.TARGET_LINK_ADDRESS])
def test_a_mac_of_another_length_than_ethernets_spoils_the_message(kind: int) -> None:
    body = bytes(4) + LL_1 + nd.option(kind, bytes(14))
    assert (nd.parse_solicitation(body) is None) == (kind == nd.SOURCE_LINK_ADDRESS)
    assert (nd.parse_advertisement(body) is None) == (kind == nd.TARGET_LINK_ADDRESS)


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 20)), max_size=5))
def test_options_undo_option(shapes: list[tuple[int, int]]) -> None:
    wanted = [(kind, bytes(8 * units + 6)) for kind, units in shapes]
    found = nd.options(b"".join(nd.option(kind, data) for kind, data in wanted))
    assert found is not None
    assert list(found) == wanted


@given(IP6, MAC)
def test_scapy_builds_the_same(target: bytes, mac: bytes) -> None:
    text, mac_as_text = ip_text(target), mac_text(mac)
    source_mac = ICMPv6NDOptSrcLLAddr(lladdr=mac_as_text)
    target_mac = ICMPv6NDOptDstLLAddr(lladdr=mac_as_text)
    assert bytes(ICMPv6ND_NS(tgt=text) / source_mac)[4:] == nd.solicitation(target, mac)
    built = bytes(ICMPv6ND_NA(tgt=text, R=1, S=0, O=1) / target_mac)[4:]
    assert built == nd.advertisement(nd.ROUTER | nd.OVERRIDE, target, mac)

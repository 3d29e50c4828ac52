"""IPv6, its extension headers and its fragments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (
    HBHOptUnknown,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    RouterAlert,
    defragment6,
)

from vnet.base.ids import ip_from_text, ip_text
from vnet.wire import ipv4, ipv6
from vnet.wire.ipv6 import FragmentHeader, Upper

ADDRESS = st.binary(min_size=16, max_size=16)
FIELDS = st.fixed_dictionaries(
    {
        "source": ADDRESS,
        "target": ADDRESS,
        "next_header": st.integers(0, 255),
        "payload": st.binary(max_size=64),
        "hop_limit": st.integers(0, 255),
        "traffic_class": st.integers(0, 255),
        "flow_label": st.integers(0, 0xFFFFF),
    }
)

SOURCE, TARGET = ip_from_text("2001:db8::1"), ip_from_text("2001:db8::2")
# Built by Scapy: IPv6(tc=0xb8, fl=0x12345, hlim=63) / UDP(sport=1, dport=2)
UDP_BYTES = bytes.fromhex("0001 0002 0008 a466")
GOLDEN = bytes.fromhex("6b812345 0008 11 3f") + SOURCE + TARGET + UDP_BYTES


def upper_of(packet: bytes) -> Upper | None:
    header = ipv6.parse(packet)
    assert header is not None
    return ipv6.upper_layer(header)


def test_golden() -> None:
    header = ipv6.parse(GOLDEN)
    assert header == (0xB8, 0x12345, ipv4.UDP, 63, SOURCE, TARGET, UDP_BYTES)
    assert (
        ipv6.emit(
            SOURCE,
            TARGET,
            ipv4.UDP,
            UDP_BYTES,
            hop_limit=63,
            traffic_class=0xB8,
            flow_label=0x12345,
        )
        == GOLDEN
    )


@pytest.mark.parametrize("packet", [b"", GOLDEN[:39], GOLDEN[:-1], b"\x4b" + GOLDEN[1:]])
def test_short_and_foreign_packets_are_none(packet: bytes) -> None:
    assert ipv6.parse(packet) is None


def test_the_hop_by_hop_header_of_mld_is_scapys() -> None:
    scapys = bytes(IPv6ExtHdrHopByHop(nh=58, options=[RouterAlert()]))
    assert ipv6.hop_by_hop(58, ipv6.ROUTER_ALERT_MLD) == scapys


def test_a_chain_is_walked_to_its_end() -> None:
    packet = bytes(
        IPv6(src="2001:db8::1", dst="2001:db8::2")
        / IPv6ExtHdrHopByHop(options=[RouterAlert()])
        / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(optdata=bytes(9))])
        / IPv6ExtHdrRouting(addresses=["2001:db8::3"])
        / UDP(sport=1, dport=2)
    )
    upper = upper_of(packet)
    assert upper is not None
    assert upper.protocol == ipv4.UDP
    assert upper.payload[:4] == UDP_BYTES[:4]
    assert packet[40 + upper.offset :] == upper.payload
    assert packet[40 + upper.next_header_at] == ipv4.UDP
    assert upper.fragment is None


def test_a_chain_that_is_cut_off_is_none() -> None:
    claims_more = bytes((ipv4.UDP, 9)) + bytes(6)
    for payload in (b"", bytes(7), claims_more):
        packet = ipv6.emit(SOURCE, TARGET, ipv6.HOP_BY_HOP, payload)
        assert upper_of(packet) is None
    assert upper_of(ipv6.emit(SOURCE, TARGET, ipv6.FRAGMENT, bytes(7))) is None


def test_golden_fragment_header_is_read() -> None:
    piece = IPv6() / IPv6ExtHdrFragment(nh=17, offset=5, m=1, id=0xCAFE) / b"abcdefgh"
    upper = upper_of(bytes(piece))
    assert upper == (ipv4.UDP, b"abcdefgh", 8, -1, FragmentHeader(ipv4.UDP, 40, True, 0xCAFE))


@given(st.binary(max_size=40), st.sampled_from([b"", b"\xff"]), st.data())
def test_the_group_of_a_packet_is_what_parse_says(
    tail: bytes, first: bytes, data: st.DataObject
) -> None:
    source = data.draw(st.sampled_from([bytes(16), b"\xff" + bytes(15)]))
    target = first + bytes(16 - len(first))
    word = data.draw(st.sampled_from([0x60, 0x45])) << 24
    size = data.draw(st.integers(0, 41))
    header = word.to_bytes(4, "big") + size.to_bytes(2, "big") + b"\x3a\xff" + source + target
    packet = header[: data.draw(st.sampled_from([40, 40, 39]))] + tail
    parsed = ipv6.parse(packet)
    sound = parsed is not None and parsed.source[0] != 0xFF and parsed.target[0] == 0xFF
    expected = parsed.target if parsed is not None and sound else None
    assert ipv6.group_of(bytes(14) + packet, 14) == expected


@given(FIELDS)
def test_parse_undoes_emit(fields: dict[str, object]) -> None:
    header = ipv6.parse(ipv6.emit(**fields))  # type: ignore[arg-type]
    assert header is not None
    assert header._asdict() == fields


@given(FIELDS)
def test_scapy_builds_the_same(fields: dict[str, int]) -> None:
    built = IPv6(
        src=ip_text(fields["source"]),  # type: ignore[arg-type]
        dst=ip_text(fields["target"]),  # type: ignore[arg-type]
        nh=fields["next_header"],
        hlim=fields["hop_limit"],
        tc=fields["traffic_class"],
        fl=fields["flow_label"],
    )
    assert bytes(built / fields["payload"]) == ipv6.emit(**fields)  # type: ignore[arg-type]


@given(FIELDS, st.integers(1, 255))
def test_decrementing_the_hop_limit_equals_rebuilding(fields: dict[str, int], hops: int) -> None:
    before = ipv6.emit(**{**fields, "hop_limit": hops})  # type: ignore[arg-type]
    after = ipv6.emit(**{**fields, "hop_limit": hops - 1})  # type: ignore[arg-type]
    assert ipv6.decrement_hop_limit(before) == after


@given(
    st.binary(min_size=1, max_size=6000),
    st.integers(ipv6.MIN_MTU, 2000),
    st.integers(0, 0xFFFFFFFF),
    st.booleans(),
)
def test_fragments_are_the_packet(
    payload: bytes, mtu_bytes: int, ident: int, with_option: bool
) -> None:
    if with_option:
        chain = ipv6.hop_by_hop(ipv4.UDP, ipv6.ROUTER_ALERT_MLD) + payload
        packet = ipv6.emit(SOURCE, TARGET, ipv6.HOP_BY_HOP, chain)
    else:
        packet = ipv6.emit(SOURCE, TARGET, ipv4.UDP, payload)
    whole = b""
    more = True
    for piece in ipv6.fragment(packet, mtu_bytes, ident):
        assert len(piece) <= mtu_bytes
        upper = upper_of(piece)
        assert upper is not None
        assert upper.fragment is not None
        assert upper.fragment.ident == ident
        assert upper.fragment.offset_bytes == len(whole)
        assert more
        more = upper.fragment.more
        whole += upper.payload
    assert not more
    assert whole == payload


def test_scapy_puts_the_fragments_together_again() -> None:
    packet = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP() / (bytes(range(256)) * 12))
    pieces = [IPv6(piece) for piece in ipv6.fragment(packet, 1280, 99)]
    assert len(pieces) == 3
    assert bytes(defragment6(pieces)) == packet

"""IPv4 fragments: sizes, places, options, and the same pieces as Scapy's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, fragment

from vnet.wire import ipv4
from vnet.wire.ipv4 import Ipv4

SOURCE, TARGET = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
RECORD_ROUTE = b"\x07\x07\x04\x00\x00\x00\x00\x00"  # not copied: bit 7 of the type is clear


def packet_of(payload: bytes, *, options: bytes = b"", flags_offset: int = 0) -> bytes:
    return ipv4.emit(
        SOURCE, TARGET, ipv4.UDP, payload, ident=7, options=options, flags_offset=flags_offset
    )


def pieces_of(packet: bytes, mtu_bytes: int) -> list[Ipv4]:
    """The fragments as parsed, each one checked to be whole and to fit."""
    pieces = []
    for data in ipv4.fragment(packet, mtu_bytes):
        assert len(data) <= mtu_bytes
        header = ipv4.parse(data)
        assert header is not None
        assert header.total_bytes == len(data)
        pieces.append(header)
    return pieces


def reassembled(pieces: list[Ipv4]) -> bytes:
    pieces = sorted(pieces, key=lambda piece: piece.offset_bytes)
    assert not pieces[-1].more_fragments
    whole = b""
    for piece in pieces:
        assert piece.offset_bytes == len(whole)
        whole += piece.payload
    return whole


def test_golden_cut() -> None:
    first, second = pieces_of(packet_of(bytes(range(100))), 84)
    assert (first.flags_offset, first.payload) == (ipv4.MORE_FRAGMENTS, bytes(range(64)))
    assert (second.flags_offset, second.payload) == (64 // 8, bytes(range(64, 100)))


def test_a_packet_that_fits_is_left_as_it_is() -> None:
    packet = packet_of(bytes(64), options=ipv4.ROUTER_ALERT)
    assert list(ipv4.fragment(packet, len(packet))) == [packet]


def test_a_piece_is_cut_again_and_keeps_its_place() -> None:
    middle = packet_of(bytes(64), flags_offset=ipv4.MORE_FRAGMENTS | 10)
    pieces = pieces_of(middle, 68)
    assert [piece.flags_offset for piece in pieces] == [
        ipv4.MORE_FRAGMENTS | 10,
        ipv4.MORE_FRAGMENTS | 16,
    ]


def test_in_later_pieces_no_operations_stand_for_options_that_are_not_copied() -> None:
    options = b"\x01" + RECORD_ROUTE[:7] + ipv4.ROUTER_ALERT
    first, *later = pieces_of(packet_of(bytes(100), options=options), 80)
    assert first.options == options
    assert later
    assert all(piece.options == 8 * b"\x01" + ipv4.ROUTER_ALERT for piece in later)


def test_bytes_behind_the_packet_are_not_cut_into_it() -> None:
    packet = packet_of(bytes(range(100)))
    assert list(ipv4.fragment(packet + b"padding", 84)) == list(ipv4.fragment(packet, 84))


@pytest.mark.parametrize("options", [b"\x94", b"\x94\x01\x00\x00", b"\x94\xff\x00\x00", b"\x00aaa"])
def test_malformed_options_end_the_list_and_stay_as_they_are(options: bytes) -> None:
    pieces = pieces_of(packet_of(bytes(200), options=options), 100)
    assert {piece.options for piece in pieces} == {options.ljust(4, b"\0")}


@given(
    st.binary(min_size=1, max_size=2000), st.integers(ipv4.MIN_MTU, 1500), st.binary(max_size=40)
)
def test_the_pieces_are_the_packet(payload: bytes, mtu_bytes: int, options: bytes) -> None:
    pieces = pieces_of(packet_of(payload, options=options), mtu_bytes)
    assert reassembled(pieces) == payload


@given(st.binary(min_size=1, max_size=2000), st.integers(ipv4.MIN_MTU, 1500))
def test_scapy_cuts_the_same_pieces(payload: bytes, mtu_bytes: int) -> None:
    packet = packet_of(payload)
    if len(packet) <= mtu_bytes:
        return
    # Scapy fills every piece, the last one too, to a multiple of eight at most; ours lets
    # the last fill the MTU. Where that differs only the pieces' ends do.
    room = (mtu_bytes - 20) // 8 * 8
    ours = list(ipv4.fragment(packet, mtu_bytes))
    theirs = [bytes(piece) for piece in fragment(IP(packet), room)]
    if 0 < len(payload) % room <= (mtu_bytes - 20) % 8:
        assert ours[:-1] == theirs[: len(ours) - 1]
        assert len(theirs) == len(ours) + 1
    else:
        assert ours == theirs

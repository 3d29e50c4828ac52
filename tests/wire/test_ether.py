"""Ethernet and its tags: golden bytes both ways, and Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

from vnet.wire import ether, vlan
from vnet.wire.vlan import Tag

MAC = st.binary(min_size=6, max_size=6)
TAG = st.builds(
    Tag,
    st.sampled_from((ether.TYPE_VLAN, ether.TYPE_QINQ)),
    st.integers(0, 7),
    st.booleans(),
    st.integers(0, 4095),
)

DST, SRC = bytes.fromhex("020000000002"), bytes.fromhex("020000000001")
# Built by Scapy: Ether / Dot1AD(vlan=100, prio=5) / Dot1Q(vlan=7, dei=1) / "payload!"
DOUBLE_TAGGED = bytes.fromhex("020000000002020000000001 88a8a064 81001007 0000 7061796c6f616421")
OUTER = Tag(ether.TYPE_QINQ, 5, False, 100)
INNER = Tag(ether.TYPE_VLAN, 0, True, 7)


def test_golden_frame() -> None:
    built = ether.frame(DST, SRC, ether.TYPE_ARP, b"who")
    assert built == bytes.fromhex("020000000002 020000000001 0806") + b"who"
    assert ether.type_of(built) == ether.TYPE_ARP


def test_golden_tags_are_read() -> None:
    assert vlan.parse(DOUBLE_TAGGED) == OUTER
    assert vlan.parse(vlan.pop(DOUBLE_TAGGED)) == INNER
    assert vlan.parse(vlan.pop(vlan.pop(DOUBLE_TAGGED))) is None


def test_golden_tags_are_written() -> None:
    bare = ether.frame(DST, SRC, 0, b"payload!")
    assert vlan.push(vlan.push(bare, INNER), OUTER) == DOUBLE_TAGGED


@pytest.mark.parametrize(
    ("layers", "size"),
    [(Ether(type=0x0800), 100), (Ether() / Dot1Q(), 100), (Ether() / Dot1AD() / Dot1Q(), 104)],
)
def test_one_tag_rides_outside_the_mtu(layers: Ether, size: int) -> None:
    assert ether.payload_bytes(bytes(layers / bytes(100))) == size


@given(MAC, MAC, st.integers(0, 0xFFFF), st.binary(max_size=60))
def test_scapy_reads_the_same_header(dst: bytes, src: bytes, kind: int, payload: bytes) -> None:
    data = ether.frame(dst, src, kind, payload)
    header = Ether(data)
    assert (header.dst, header.src) == (dst.hex(":"), src.hex(":"))
    assert ether.type_of(data) == kind
    assert ether.payload_bytes(data) == len(payload) - (4 if kind in (0x8100, 0x88A8) else 0)


@given(MAC, MAC, TAG, st.integers(0, 0xFFFF), st.binary(max_size=20))
def test_pop_undoes_push(dst: bytes, src: bytes, tag: Tag, kind: int, payload: bytes) -> None:
    bare = ether.frame(dst, src, kind, payload)
    tagged = vlan.push(bare, tag)
    assert vlan.parse(tagged) == tag
    assert vlan.pop(tagged) == bare


@given(TAG)
def test_scapy_builds_the_same_tag(tag: Tag) -> None:
    layer = Dot1Q if tag.tpid == ether.TYPE_VLAN else Dot1AD
    built = bytes(
        Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        / layer(prio=tag.priority, dei=int(tag.drop_eligible), vlan=tag.vid, type=0x0800)
    )
    assert vlan.parse(built) == tag
    assert vlan.push(ether.frame(DST, SRC, 0x0800, b""), tag) == built

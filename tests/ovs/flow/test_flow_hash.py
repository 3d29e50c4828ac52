"""Hashes have the values of Open vSwitch, and depend on what their masks say and on no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.flow import frames
from tests.ovs.flow.frames import FRAMES, ethernet, ipv4, ipv6
from vnet.base.jhash import jhash_bytes
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import ALL_ONES, Flow
from vnet.ovs.flow.flow_hash import (
    HashFields,
    hash_5tuple,
    hash_fields,
    hash_received,
    hash_symmetric_l3l4,
    mask_of_hash_fields,
)
from vnet.ovs.flow.hashing import (
    hash_3words,
    hash_bytes,
    hash_int,
    hash_mac,
    hash_uint64,
)

BASIS = 7

TCP = "02000000000202000000000108004500002800010000400666cd0a0000010a000002" + (
    "1234005000000000000000005002000000000000"
)
UDP = "02000000000202000000000108004500001c00010000401166ce0a0000010a0000021234003500080172"
IPV6 = "02000000000202000000000186dd6000000000140640" + (
    "20010db800000000000000000000000120010db8000000000000000000000002"
    "1234005000000000000000005002000000000000"
)
ARP = "ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002"
TAGGED = "020000000002020000000001810000640800450000140001000040ff66ce0a0000010a000002"
UNKNOWN = "02000000000202000000000188cc0000"

FIELDS = (
    *("eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp"),
    *("nw_src", "nw_dst", "symmetric_l3"),
)
# What multipath(FIELDS,7,modulo_n,65536,...) and hash_threshold put into a register.
MULTIPATH = {
    TCP: (0xECBCC109, 0x3D08EAC6, 0xF50B4C46, 0xF50B4C46, 0xE004C104, 0xE61F0538, 0xC0851075),
    UDP: (0xECBCC109, 0xFDA9C076, 0x3C595EFD, 0x5779808D, 0xE004C104, 0xE61F0538, 0xC0851075),
    IPV6: (0xECBCC109, 0x56970E57, 0x0704D066, 0x0704D066, 0xD7F2AC44, 0xB73983D5, 0xA004DB09),
    ARP: (0xECBCC109, 0x50E33373, 0x31F28657, 0x31F28657, 7, 7, 0xCE5E8F4A),
    TAGGED: (0xECBCC109, 0x75E446BF, 0x96017110, 0x96017110, 0xE004C104, 0xE61F0538, 0xC0851075),
    UNKNOWN: (0xECBCC109, 0x49243118, 0xF9457006, 0xF9457006, 7, 7, 0x9B726C84),
}


@pytest.mark.parametrize("frame", MULTIPATH)
def test_values_of_multipath(frame: str) -> None:
    key = extract(bytes.fromhex(frame), 1)
    hashes = tuple(hash_fields(key, HashFields(name), BASIS) for name in FIELDS)
    assert hashes == MULTIPATH[frame]


def test_lookup3_has_its_published_values() -> None:
    text = b"Four score and seven years ago"
    assert jhash_bytes(b"", 0) == 0xDEADBEEF
    assert jhash_bytes(text, 0) == 0x17770551
    assert jhash_bytes(text, 1) == 0xCD628161
    assert jhash_bytes(text[:24], 0) != jhash_bytes(text[:25], 0)


def test_murmur3_has_its_published_values() -> None:
    assert hash_bytes(b"", 1) == 0x514E28B7
    assert hash_bytes(b"\xff\xff\xff\xff", 0) == 0x76293B50
    assert hash_bytes(b"\x21\x43\x65\x87", 0x5082EDEE) == 0x2362F9DE


def test_shorter_hashes_are_of_the_same_kind() -> None:
    assert hash_int(1, 2) == hash_bytes(bytes((0, 0, 0, 0, 2, 0, 0, 0)), 1)
    assert hash_uint64(1 << 32 | 2, 3) == hash_bytes(bytes((2, 0, 0, 0, 1, 0, 0, 0)), 3)
    assert hash_3words(1, 2, 3) == hash_bytes(bytes((0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0)), 1)
    assert hash_mac(0x020000000001, 5, 6) == hash_uint64(5 << 48 | 0x020000000001, 6)


def turned(key: int) -> int:
    """The flow of the other direction."""
    flow = Flow(key)
    flow.dl_src, flow.dl_dst = flow.dl_dst, flow.dl_src
    flow.nw_src, flow.nw_dst = flow.nw_dst, flow.nw_src
    flow.ipv6_src, flow.ipv6_dst = flow.ipv6_dst, flow.ipv6_src
    if flow.nw_proto in (6, 17, 132):
        flow.tp_src, flow.tp_dst = flow.tp_dst, flow.tp_src
    return flow.key


@pytest.mark.parametrize("fields", [fields for fields in HashFields if "symmetric" in fields.value])
def test_symmetric_hashes_are_the_same_both_ways(fields: HashFields) -> None:
    for frame in FRAMES:
        key = extract(frame, vlan_limit=2)
        assert hash_fields(key, fields, BASIS) == hash_fields(turned(key), fields, BASIS)


@given(st.sampled_from(FRAMES), st.sampled_from(list(HashFields)), st.integers(0, ALL_ONES))
def test_a_hash_depends_on_its_mask_only(frame: bytes, fields: HashFields, noise: int) -> None:
    key = extract(frame, vlan_limit=2)
    if fields.value.startswith("symmetric_l3l4") and Flow.dl_type.of(key) not in (0x0800, 0x86DD):
        return  # Open vSwitch hashes layer 2 then, and leaves it out of the mask
    # These every translation matches.
    fixed = Flow.dl_type.mask | Flow.packet_type.mask | Flow.nw_frag.mask
    mask = mask_of_hash_fields(key, fields) | fixed
    changed = key & mask | noise & ~mask
    assert hash_fields(changed, fields, BASIS) == hash_fields(key, fields, BASIS)


def test_a_received_frame_hashes_by_its_five_tuple() -> None:
    key = extract(bytes.fromhex(TCP))
    assert hash_received(bytes.fromhex(TCP), vlan_limit=1) == hash_5tuple(key, 0) == 0xD757760A
    other = ethernet(0x0800, ipv4(17, frames.UDP))
    assert hash_received(other, vlan_limit=1) == hash_5tuple(extract(other), 0)


def test_behind_extension_headers_the_first_of_them_counts() -> None:
    # The value is the dp_hash that Open vSwitch gave this frame.
    frame = bytes.fromhex(
        "02000000000202000000000186dd6000000000422c4000000000000000000000000000000001"
        "00000000000000000000000000000001060000000000000000010002000000000000000070022000"
        "941e0000020405b401000000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d"
    )
    assert hash_int(hash_received(frame, vlan_limit=2), 0) == 0x1B7E357A


def test_fragments_hash_without_ports() -> None:
    whole, first = (
        extract(ethernet(0x86DD, ipv6(44, frames.fragment_header(6, word) + frames.TCP)))
        for word in (0, 1)
    )
    assert hash_symmetric_l3l4(whole, BASIS) != hash_symmetric_l3l4(first, BASIS)

"""Frames in fields: no byte is left out, whatever the frame is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from vnet.compare.capture import packets
from vnet.compare.dissect import dissect
from vnet.wire import ether, ipv4, udp, vxlan

GOLDEN = Path(__file__).parents[2] / "pcaps" / "golden"
HERE, THERE = b"\x0a\0\0\1", b"\x0a\0\0\2"
MACS = b"\x52\x54\0\0\0\2", b"\x52\x54\0\0\0\1"


def texts(data: bytes) -> dict[str, str]:
    return {one.name: one.text for one in dissect(data)}


@given(st.binary(max_size=120), st.sampled_from([b"", b"\x08\0\x45", b"\x08\6\0\1", b"\x86\xdd`"]))
@settings(max_examples=examples(300), deadline=None)
def test_any_bytes_have_fields(data: bytes, kind: bytes) -> None:
    frame = bytes(12) + kind + data if kind else data
    assert dissect(frame) or not frame


def test_golden_frames_are_understood() -> None:
    left = set()
    for path in sorted(GOLDEN.glob("*/*.pcapng")):
        for packet in packets(path):
            if packet.interface.link_type == 1:
                fields = dissect(packet.data)
                assert not any(one.value == "wrong" for one in fields)
                left |= {one.name for one in fields if one.name == "data"}
    assert not left


def test_a_tunnels_frame_is_cut_as_any_other() -> None:
    inner = ether.frame(
        *MACS, 0x0800, ipv4.emit(HERE, THERE, 17, udp.emit(HERE, THERE, 7, 9, b"x"))
    )
    outer = udp.emit(THERE, HERE, 50_000, vxlan.UDP_PORT, vxlan.emit(42) + inner)
    found = texts(ether.frame(*MACS, 0x0800, ipv4.emit(THERE, HERE, 17, outer, ttl=9)))
    assert (found["ip.ttl"], found["inner.ip.ttl"]) == ("9", "64")
    assert found["vxlan.vni"] == "42"
    assert found["inner.udp.data"] == "78"


@pytest.mark.parametrize("cut", range(43))
def test_what_a_tunnel_carries_may_be_cut_anywhere(cut: int) -> None:
    inner = ether.frame(*MACS, 0x0800, ipv4.emit(HERE, THERE, 17, udp.emit(HERE, THERE, 7, 9, b"")))
    outer = udp.emit(THERE, HERE, 50_000, vxlan.UDP_PORT, vxlan.emit(42) + inner[:cut])
    found = texts(ether.frame(*MACS, 0x0800, ipv4.emit(THERE, HERE, 17, outer)))
    assert found["vxlan.vni"] == "42"
    assert found["udp.srcport"] == "50000"


@pytest.mark.parametrize("cut", range(1, 90))
def test_a_frame_that_is_cut_anywhere_has_all_its_bytes(cut: int) -> None:
    whole = ether.frame(
        *MACS, 0x0800, ipv4.emit(HERE, THERE, 17, udp.emit(HERE, THERE, 53, 9, bytes(48)))
    )
    fields = dissect(whole[:cut], 1, len(whole) - cut)
    shorter = dissect(whole[: cut - 1], 1, len(whole) - cut + 1)
    assert [(one.name, one.key) for one in fields] != [(one.name, one.key) for one in shorter]
    assert not any(one.value == "wrong" for one in fields if one.name == "udp.checksum")

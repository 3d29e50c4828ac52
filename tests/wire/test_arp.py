"""ARP: one golden packet both ways, and Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP

from vnet.base.ids import ip_text, mac_text
from vnet.wire import arp
from vnet.wire.arp import Arp

MAC = st.binary(min_size=6, max_size=6)
IP = st.binary(min_size=4, max_size=4)
PACKET = st.builds(Arp, st.integers(0, 0xFFFF), MAC, IP, MAC, IP)

GOLDEN = bytes.fromhex("0001 0800 06 04 0001 00163e000001 0a000001 000000000000 0a000002")
WHO_HAS = Arp(
    arp.REQUEST, bytes.fromhex("00163e000001"), bytes((10, 0, 0, 1)), bytes(6), bytes((10, 0, 0, 2))
)


def test_golden() -> None:
    assert arp.parse(GOLDEN) == WHO_HAS
    assert arp.emit(WHO_HAS) == GOLDEN
    assert arp.parse(b"\xff" * 14 + GOLDEN, 14) == WHO_HAS


@pytest.mark.parametrize(("at", "field"), [(0, "hardware"), (2, "protocol"), (4, "hl"), (5, "pl")])
def test_other_families_are_not_ours(at: int, field: str) -> None:
    assert arp.parse(GOLDEN[:at] + b"\x99" + GOLDEN[at + 1 :]) is None, field


@given(PACKET, st.binary(max_size=18))
def test_parse_undoes_emit_and_ignores_padding(packet: Arp, padding: bytes) -> None:
    assert arp.parse(arp.emit(packet) + padding) == packet


@given(PACKET)
def test_scapy_builds_the_same(packet: Arp) -> None:
    built = ARP(
        op=packet.operation,
        hwsrc=mac_text(packet.sender_mac),
        psrc=ip_text(packet.sender_ip),
        hwdst=mac_text(packet.target_mac),
        pdst=ip_text(packet.target_ip),
    )
    assert bytes(built) == arp.emit(packet)

"""The headers of tunnels, against Scapy's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.geneve import GENEVE
from scapy.layers.l2 import GRE
from scapy.layers.vxlan import VXLAN

from vnet.wire import geneve, gre, vxlan

VNIS = st.integers(0, 0xFF_FFFF)
WORDS = st.integers(0, 0xFFFF_FFFF)


@given(VNIS)
def test_vxlan(vni: int) -> None:
    header = vxlan.emit(vni)
    assert header == bytes(VXLAN(vni=vni, flags="Instance"))
    assert vxlan.parse(b"before" + header + b"after", 6) == (vxlan.FLAG_VNI, vni, 0)


@given(st.booleans(), st.none() | WORDS, st.none() | WORDS, st.sampled_from([0x6558, 0x0800]))
def test_gre(has_checksum: bool, key: int | None, sequence: int | None, ethertype: int) -> None:
    header = gre.emit(ethertype, has_checksum=has_checksum, key=key, sequence=sequence)
    parts = {"proto": ethertype}
    if has_checksum:
        parts |= {"chksum_present": 1, "chksum": 0}
    if key is not None:
        parts |= {"key_present": 1, "key": key}
    if sequence is not None:
        parts |= {"seqnum_present": 1, "sequence_number": sequence}
    assert header == bytes(GRE(**parts))
    found = gre.parse(b"before" + header + b"after", 6)
    assert found is not None
    assert found[1:] == (ethertype, key, sequence, len(header))
    assert gre.header_bytes(found.flags) == len(header)


@given(VNIS, st.booleans(), st.booleans())
def test_geneve(vni: int, is_oam: bool, is_critical: bool) -> None:
    header = geneve.emit(vni, is_oam=is_oam, is_critical=is_critical)
    assert header == bytes(GENEVE(vni=vni, oam=is_oam, critical=is_critical, proto=0x6558))
    assert geneve.parse(header) == (0, is_oam, is_critical, geneve.TYPE_ETHERNET, vni, 8)


def test_geneve_is_as_long_as_its_options() -> None:
    header = b"\x02" + geneve.emit(5)[1:] + bytes(8)
    found = geneve.parse(header)
    assert found is not None
    assert found.size_bytes == 16
    assert geneve.parse(header[:15]) is None


@pytest.mark.parametrize("flags", [0x0001, 0x0007, 0x0800, 0x4000])
def test_gre_with_what_rfc_2890_lacks_is_none(flags: int) -> None:
    """A version, recursion control, routing."""
    assert gre.parse(flags.to_bytes(2, "big") + bytes(30)) is None


@given(VNIS, st.integers(0, 255))
def test_nvgre_keys(vsid: int, flow_id: int) -> None:
    key = gre.nvgre_key(vsid, flow_id)
    assert gre.vsid_of(key) == vsid
    assert key & 0xFF == flow_id

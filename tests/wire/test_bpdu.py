"""BPDUs: bytes on the wire, and what is read from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vnet.wire import bpdu
from vnet.wire.bpdu import Bpdu, BpduRole, BpduType

_U16 = st.integers(0, 0xFFFF)
_U64 = st.integers(0, 2**64 - 1)

announcements = st.builds(
    Bpdu,
    st.sampled_from((BpduType.CONFIG, BpduType.RAPID)),
    st.integers(0, 255),
    _U64,
    st.integers(0, 2**32 - 1),
    _U64,
    _U16,
    _U16,
    _U16,
    _U16,
    _U16,
    st.integers(0, 255),
)


def test_a_configuration_bpdu_as_the_standard_lays_it_out() -> None:
    said = Bpdu(
        BpduType.CONFIG, 0x81, 0x8000_0000_0000_0111, 2, 0x8000_0000_0000_0222, 0x8001, 256, 5120
    )
    assert bpdu.emit(said).hex(" ") == (
        "00 00 00 00 81 80 00 00 00 00 00 01 11 00 00 00 02 80 00 00 00 00 00 02 22 80 01 "
        "01 00 14 00 00 00 00 00"
    )


def test_a_notice_is_nothing_but_a_header() -> None:
    assert bpdu.emit(bpdu.TOPOLOGY_CHANGE_NOTICE) == b"\0\0\0\x80"


def test_a_frame_counts_its_payload_and_padding_is_no_part_of_it() -> None:
    frame = bpdu.frame(bytes(6), bpdu.emit(bpdu.TOPOLOGY_CHANGE_NOTICE))
    assert frame.hex() == "0180c2000000" + "00" * 6 + "0007" + "424203" + "00000080"
    assert bpdu.payload_of(frame + bytes(39)) == b"\0\0\0\x80"


@given(announcements)
def test_what_is_written_is_read(said: Bpdu) -> None:
    assert bpdu.parse(bpdu.emit(said)) == said


@given(announcements, st.binary(max_size=30))
def test_bytes_behind_a_bpdu_do_not_matter(said: Bpdu, padding: bytes) -> None:
    assert bpdu.parse(bpdu.emit(said) + padding) == said


@given(announcements, st.data())
def test_a_bpdu_cut_short_is_none(said: Bpdu, data: st.DataObject) -> None:
    whole = bpdu.emit(said)
    assert bpdu.parse(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_a_bpdu_or_none(data: bytes) -> None:
    read = bpdu.parse(data)
    assert read is None or read.role in BpduRole
    bpdu.payload_of(data)


def test_other_protocols_and_types_are_none() -> None:
    assert bpdu.parse(b"\0\1\0\0" + bytes(31)) is None
    assert bpdu.parse(b"\0\0\0\x03" + bytes(40)) is None


def test_a_configuration_bpdu_speaks_for_a_designated_port() -> None:
    assert Bpdu(BpduType.CONFIG).role is BpduRole.DESIGNATED
    assert Bpdu(BpduType.RAPID, bpdu.role_flags(BpduRole.ROOT)).role is BpduRole.ROOT

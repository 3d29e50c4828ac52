"""LACPDUs: bytes that real Open vSwitch sent, and what is none of them."""

from __future__ import annotations

import pytest

from vnet.base.ids import mac_from_text
from vnet.wire import lacp
from vnet.wire.lacp import NOBODY, Info, Pdu, State

FIRST = bytes.fromhex(
    "01010114fffeaa55aa5500000001ffff0001bf0000000214" + "00" * 18 + "0310" + "00" * 66
)
"""The first of a bond that has heard nobody."""
ANSWERED = bytes.fromhex(
    "01010114fffeaa55aa5500000001ffff00013f0000000214"
    "0007000000000007000c00050063bf0000000310" + "00" * 66
)

IN_SYNC = (
    State.ACTIVITY
    | State.TIMEOUT
    | State.AGGREGATION
    | State.SYNCHRONIZATION
    | State.COLLECTING
    | State.DISTRIBUTING
)
ACTOR = Info(0xFFFE, mac_from_text("aa:55:aa:55:00:00"), 1, 0xFFFF, 1, IN_SYNC)
PARTNER = Info(7, mac_from_text("00:00:00:00:00:07"), 12, 5, 99, IN_SYNC | State.EXPIRED)


@pytest.mark.parametrize(
    ("payload", "pdu"),
    [
        (FIRST, Pdu(ACTOR._replace(state=IN_SYNC | State.EXPIRED), NOBODY)),
        (ANSWERED, Pdu(ACTOR, PARTNER)),
    ],
)
def test_pdus_are_read_and_written_as_open_vswitch_writes_them(payload: bytes, pdu: Pdu) -> None:
    assert lacp.parse(payload) == pdu
    assert lacp.emit(pdu) == payload
    assert len(payload) == lacp.PDU_BYTES


@pytest.mark.parametrize(("at", "value"), [(0, 2), (2, 2), (3, 19), (22, 1), (23, 21)], ids=str)
def test_what_is_laid_out_otherwise_is_no_pdu(at: int, value: int) -> None:
    changed = bytearray(ANSWERED)
    changed[at] = value
    assert lacp.parse(bytes(changed)) is None


def test_the_version_is_not_looked_at() -> None:
    assert lacp.parse(ANSWERED[:1] + b"\x02" + ANSWERED[2:]) == lacp.parse(ANSWERED)


def test_a_cut_pdu_is_none_and_a_padded_one_is_whole() -> None:
    assert lacp.parse(ANSWERED[:-1]) is None
    assert lacp.parse(ANSWERED + b"\xff") == lacp.parse(ANSWERED)


def test_markers_are_told_from_the_rest() -> None:
    marker = b"\x02" + ANSWERED[1:]
    assert lacp.is_marker(marker)
    assert not lacp.is_marker(marker[:-1])
    assert not lacp.is_marker(ANSWERED)

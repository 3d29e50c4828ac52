"""Errors on the wire; the numbers are those of Open vSwitch's ofp-errors tests."""

from __future__ import annotations

import pytest

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.error_numbers import NUMBERS
from vnet.ovs.openflow.wire.errors import (
    ErrorNumber,
    decode_error,
    error_reply,
    number_of,
    why_untold,
)
from vnet.ovs.openflow.wire.message import Message

OF10, OF11, OF12, OF13 = list(OpenFlowVersion)[:4]


@pytest.mark.parametrize(
    ("version", "name", "numbers"),
    [
        (OF10, "OFPFMFC_OVERLAP", "00030001"),
        (OF13, "OFPFMFC_OVERLAP", "00050003"),
        (OF10, "OFPBRC_IS_SECONDARY", "00010005"),
        (OF13, "OFPBRC_IS_SECONDARY", "0001000a"),
        (OF10, "OFPBMC_BAD_PREREQ", "b0c200000000232000010104"),
        (OF12, "NXBRC_NXM_INVALID", "ffff000200002320"),
        (OF13, "OFPBFC_MSG_FAILED", "ffff09094f4e4600"),
        (OF10, "OFPMMFC_BAD_COMMAND", "b0c200000000232000010209"),
    ],
)
def test_a_refusal_has_the_numbers_of_its_version_and_the_whole_message(
    version: int, name: str, numbers: str
) -> None:
    raw = bytes([version, 14, 0, 80, 0, 0, 0, 9]) + bytes(72)
    reply = error_reply(Message(version, 14, 9, raw), OpenFlowError(name))
    assert reply[:2] == bytes([version, 1])
    assert reply[2:4] == len(reply).to_bytes(2, "big")
    assert reply[8:] == bytes.fromhex(numbers) + raw


@pytest.mark.parametrize("version", OpenFlowVersion)
def test_every_error_that_has_a_number_is_read_back(version: int) -> None:
    for name in NUMBERS:
        number = number_of(name, version)
        if number is None:
            continue
        raw = error_reply(Message(version, 99, 1, b"offender"), OpenFlowError(name))
        received = decode_error(Message(version, 1, 1, raw))
        assert (received.number, received.data) == (number, b"offender")
        assert received.name is not None
        assert number_of(received.name, version) == number


def test_an_error_that_nobody_knows_is_told_by_its_numbers() -> None:
    raw = bytes.fromhex("0401000c000000010063000c")
    assert decode_error(Message(4, 1, 1, raw)) == (None, ErrorNumber(0, 99, 12), b"")


def test_the_longest_message_is_quoted_as_far_as_there_is_room() -> None:
    message = Message(1, 99, 1, bytes(65535))
    assert len(error_reply(message, OpenFlowError("OFPBRC_BAD_TYPE"))) == 65535


@pytest.mark.parametrize(
    ("name", "version", "text"),
    [
        ("OFPBRC_BAD_TYPE", OF10, ""),
        ("OFPMMFC_BAD_COMMAND", OF10, "cannot encode OFPMMFC_BAD_COMMAND for OpenFlow 1.0"),
        ("OFPTFFC_BAD_FEATURES", OF13, "cannot encode OFPTFFC_BAD_FEATURES for OpenFlow 1.3"),
        ("OFPBRC_BAD_VERSION", 9, "cannot encode error for unknown OpenFlow version 0x09"),
    ],
)
def test_a_log_says_of_errors_that_a_version_does_not_know(
    name: str, version: int, text: str
) -> None:
    assert why_untold(name, version) == text

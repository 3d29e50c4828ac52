"""What a switch says first on an OpenFlow connection; answers are recorded from ovs-vswitchd."""

from __future__ import annotations

import pytest

from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection import SwitchConnection
from vnet.ovs.openflow.wire.message import ProtocolError

ALL = tuple(OpenFlowVersion)


def conversation(said: str, versions: tuple[int, ...] = ALL) -> tuple[str, str]:
    """What comes back behind the greeting, and why the connection ends, if it does."""
    connection = SwitchConnection(versions, xid=0x10)
    connection.start()
    heard, answers = bytes.fromhex(said), ""
    try:
        for byte in heard:  # Messages may come in any pieces.
            answers += connection.take(bytes((byte,))).hex()
    except ProtocolError as error:
        return answers + error.answer.hex(), error.text
    return answers, ""


def test_the_greeting_names_the_highest_version_and_those_where_some_are_missing() -> None:
    assert SwitchConnection(ALL, xid=0x10).start().hex() == "0600000800000010"
    assert SwitchConnection((4,), xid=1).start().hex() == "04000010000000010001000800000010"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("0100000800000001", ""),
        ("06000008000000010602000c00000002aabbccdd", "0603000c00000002aabbccdd"),
        ("04000008000000010602000c00000002aabbccdd", "0603000c00000002aabbccdd"),
        ("04000008000000010603000c00000002aabbccdd", ""),
        ("070000100000000100010008ffffff7e", ""),
        (
            "04000008000000010463000c00000002aabbccdd",
            "0401001800000002000100010463000c00000002aabbccdd",
        ),
        ("04000008000000010614000800000002", "0601001400000002000100000614000800000002"),
        (
            "0400000800000001040000080000000104010010000000030000000000000000",
            "04010014000000010001000104000008000000010401001c0000000300010001"
            "04010010000000030000000000000000",
        ),
    ],
)
def test_echoes_are_answered_and_the_rest_is_refused(said: str, answer: str) -> None:
    assert conversation(said) == (answer, "")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("0400000700000001", "received too-short ofp_header (7 bytes)"),
        ("0405000800000001", "received message while expecting hello: type 5"),
        ("0000000800000001", "received message while expecting hello: type 0"),
    ],
)
def test_who_speaks_something_else_is_cut_off(said: str, text: str) -> None:
    assert conversation(said) == ("", text)


def test_who_has_no_version_in_common_is_told_which_there_are() -> None:
    answer, text = conversation("07000010000000010001000800000080")
    told = "We support version 0x06 and earlier, you support version 0x07, no common versions."
    assert answer == "0101005e0000000000000000" + told.encode().hex()
    assert text == (
        "version negotiation failed (we support version 0x06 and earlier, "
        "peer supports version 0x07)"
    )
    assert conversation("0100000800000001", (4,))[0].startswith("0101")


def test_later_messages_can_be_answered_by_others() -> None:
    connection = SwitchConnection(ALL, 1, {5: lambda message: message.body[::-1]})
    connection.start()
    assert connection.take(bytes.fromhex("04000008000000010405000a00000002aabb")) == b"\xbb\xaa"

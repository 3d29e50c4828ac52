"""What a switch says first on an OpenFlow connection; answers are recorded from ovs-vswitchd."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ovs.connmgr.managers import manager
from vnet.base.units import NS_PER_MS
from vnet.ovs.connmgr.ofconn import Ofconn
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.message import ProtocolError
from vnet.sim.scheduler import Scheduler

ALL = tuple(OpenFlowVersion)


def conversation(said: str, versions: tuple[int, ...] = ALL) -> tuple[str, str]:
    """What comes back behind the greeting, and why the connection ends, if it does."""
    answers: list[bytes] = []
    connection = connected(answers.append, versions)
    error = ""
    try:
        for byte in bytes.fromhex(said):  # Messages may come in any pieces.
            connection.take(bytes((byte,)))
            while connection.run():
                pass
    except ProtocolError as ended:
        error = ended.text
    return b"".join(answers).hex(), error


def connected(send: Callable[[bytes], None], versions: tuple[int, ...] = ALL) -> Ofconn:
    return manager(Scheduler()).connect(send, name="c", is_primary=False, versions=versions)


def greeting(versions: tuple[int, ...]) -> str:
    said: list[bytes] = []
    connected(said.append, versions).start()
    return b"".join(said).hex()


def test_the_greeting_names_the_highest_version_and_those_where_some_are_missing() -> None:
    assert greeting(ALL) == "0600000800000001"
    assert greeting((4,)) == "04000010000000010001000800000010"


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


def test_who_does_not_read_is_not_asked_for_more() -> None:
    answers: list[bytes] = []
    unread = 0
    connection = manager(Scheduler()).connect(
        answers.append, name="c", is_primary=False, versions=ALL, backlog=lambda: unread
    )
    connection.take(bytes.fromhex("0400000800000001" + "0402000800000002" * 70))
    assert connection.run(), "others have their turn"
    assert len(answers) == 50
    unread = 2 << 20
    assert not connection.run()
    assert len(answers) == 50
    unread = 0
    assert not connection.run()
    assert len(answers) == 70


def test_requests_whose_last_parts_do_not_come_do_not_grow_without_end() -> None:
    """16 MiB of parts may wait."""
    answers: list[bytes] = []
    connection = connected(answers.append)
    connection.take(bytes.fromhex("0400000800000001"))
    answers.clear()
    part = bytes.fromhex("000c000100000000") + bytes(65000)
    head = bytes.fromhex("0412") + (8 + len(part)).to_bytes(2, "big")
    for xid in range(260):
        connection.take(head + xid.to_bytes(4, "big") + part)
        connection.run()
    assert {answer[8:12].hex() for answer in answers} == {"0001000d"}
    assert len(answers) == 260 - (16 << 20) // 65016, "OFPBRC_MULTIPART_BUFFER_OVERFLOW"


def test_a_request_is_given_up_a_second_after_the_last_part_that_came() -> None:
    answers: list[bytes] = []
    scheduler = Scheduler()
    connection = manager(scheduler).connect(
        answers.append, name="c", is_primary=False, versions=ALL
    )
    connection.take(bytes.fromhex("0400000800000001"))
    answers.clear()

    def part(xid: int) -> None:
        connection.take(bytes.fromhex(f"04120018{xid:08x}000c000100000000") + bytes(8))
        connection.run()

    for n_ms, xid in ((0, 7), (500, 8), (800, 7)):
        scheduler.run(n_ms * NS_PER_MS)
        part(xid)
    given_up = [(1499, []), (1500, [8]), (1799, [8]), (1800, [8, 7])]
    for n_ms, xids in given_up:
        scheduler.run(n_ms * NS_PER_MS)
        assert [int.from_bytes(answer[4:8], "big") for answer in answers] == xids
    assert {answer[8:16].hex() for answer in answers} == {"ffff0a504f4e4600"}

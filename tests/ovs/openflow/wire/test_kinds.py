"""Which kind of message bytes are, and what is said of those that are none."""

from __future__ import annotations

import pytest

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import KINDS
from vnet.ovs.openflow.wire.message import Message, MessageReader
from vnet.ovs.openflow.wire.packing import has_more, pack, pack_multipart
from vnet.ovs.openflow.wire.recognition import kind_of

IN_VERSIONS = [
    (kind, version) for kind in KINDS for version in range(1, 7) if version in kind.numberings
]


def read(raw: bytes) -> Message:
    reader = MessageReader()
    reader.take(raw)
    message = reader.next()
    assert message is not None
    return message


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_packed_is_recognised_in_every_length_that_it_may_have(kind: Kind) -> None:
    for version, form in kind.numberings.items():
        for n_bytes in {form.least_bytes, form.least_bytes + 3 * form.step_bytes}:
            message = read(pack(kind, version, 0x1234, bytes(n_bytes)))
            assert (message.version, message.xid) == (version, 0x1234)
            found, offset = kind_of(message)
            assert (found, version) == (kind, version)
            assert (message.raw[offset:], version) == (bytes(n_bytes), version)


def test_no_two_kinds_look_the_same() -> None:
    forms = {(version, *kind.numberings[version][:2]) for kind, version in IN_VERSIONS}
    assert len(forms) == len(IN_VERSIONS)


@pytest.mark.parametrize(
    ("raw", "error", "log"),
    [
        ("0463000800000001", "OFPBRC_BAD_TYPE", "unknown OpenFlow message (version 4, type 99)"),
        ("0404000c0000000100002320", "OFPBRC_BAD_LEN", ""),
        (
            "040400100000000100ab232000000000",
            "OFPBRC_BAD_VENDOR",
            "OpenFlow message has unknown vendor 0xab2320",
        ),
        (
            "04040010000000010000000000000000",
            "OFPBRC_BAD_VENDOR",
            "OpenFlow message has unknown vendor 0",
        ),
        (
            "040400100000000100002320000003e8",
            "OFPBRC_BAD_SUBTYPE",
            "unknown OpenFlow message (version 4, type 4, vendor 0x2320, subtype 1000)",
        ),
        ("041200080000000100000000", "OFPBRC_BAD_LEN", ""),
        (
            "041200100000000100630000deadbeef",
            "OFPBRC_BAD_STAT",
            "unknown OpenFlow message (version 4, type 18, stat 99)",
        ),
        (
            "0412001800000001ffff0000deadbeef00002320000003e8",
            "OFPBRC_BAD_SUBTYPE",
            "unknown OpenFlow message "
            "(version 4, type 18, stat 65535, vendor 0x2320, subtype 1000)",
        ),
        (
            "0110001400000001ffff00004f4e460000000000",
            "OFPBRC_BAD_VENDOR",
            "OpenFlow message has unknown vendor 0x4f4e4600",
        ),
        (
            "0405000900000001ff",
            "OFPBRC_BAD_LEN",
            "received OFPT_FEATURES_REQUEST with incorrect length 9 (expected length 8)",
        ),
        (
            "010e001000000001ffffffffffffffff",
            "OFPBRC_BAD_LEN",
            "received OFPT_FLOW_MOD with incorrect length 16 "
            "(must be exactly 72 bytes or longer by an integer multiple of 8 bytes)",
        ),
        (
            "0101000800000001",
            "OFPBRC_BAD_LEN",
            "received OFPT_ERROR with incorrect length 8 (expected length at least 12 bytes)",
        ),
    ],
)
def test_what_is_no_message_is_refused_as_open_vswitch_does(raw: str, error: str, log: str) -> None:
    data = bytes.fromhex(raw)
    with pytest.raises(OpenFlowError) as caught:
        kind_of(Message(data[0], data[1], 1, data))
    assert caught.value.name == error
    assert caught.value.warning == (("ofp_msgs", log) if log else None)


@pytest.mark.parametrize("version", [1, 4])
def test_long_answers_go_in_parts_between_entries(version: int) -> None:
    entries = [bytes([number % 256]) * 1000 for number in range(200)]
    parts = [read(raw) for raw in pack_multipart(kinds.OFPST_FLOW_REPLY, version, 7, iter(entries))]
    assert [has_more(part) for part in parts] == [True, True, True, False]
    assert all(kind_of(part)[0] is kinds.OFPST_FLOW_REPLY for part in parts)
    offset = kind_of(parts[0])[1]
    assert b"".join(part.raw[offset:] for part in parts) == b"".join(entries)
    assert {len(part.raw) for part in parts[:-1]} == {65000 + offset}


def test_an_answer_without_entries_is_one_empty_part() -> None:
    parts = pack_multipart(kinds.OFPST_PORT_DESC_REPLY, 4, 7, [])
    assert [part.hex() for part in parts] == ["0413001000000007000d000000000000"]

"""Packet-ins, packet-outs and resumed packets on the wire, as Open vSwitch 3.1 has them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from tests.ovs.openflow.wire.test_codecs import message_of
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match, MatchBuilder
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_LOCAL, OFPP_NONE, OfpPort
from vnet.ovs.flow.protocols import P_OF10_STD, P_OF13_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    IN_PORT_MASK,
    NO_COOKIE,
    Continuation,
    PacketIn,
    PacketInFormat,
    PacketOut,
)
from vnet.ovs.openflow.ofpacts import Output, PacketInReason, SetField, UnrollXlate
from vnet.ovs.openflow.text.actions import parse_actions
from vnet.ovs.openflow.text.packet_in import packet_in_text
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.packet.packet_in import decode_packet_in, encode_packet_in
from vnet.ovs.openflow.wire.packet.packet_in2 import decode_resume, encode_resume
from vnet.ovs.openflow.wire.packet.packet_out import (
    check_packet_out,
    decode_packet_out,
    encode_packet_out,
)
from vnet.ovs.openflow.wire.recognition import kind_of

FRAME = bytes.fromhex(
    "505400000006505400000005080045000028bd12000040063c6ac0a80001c0a80002"
    "272f00007850cc5b57af421e5002020026e80000"
)
NXT2 = PacketInFormat.NXT_PACKET_IN2
ALL = tuple(product(PacketInFormat, OpenFlowVersion))


def pipeline(**fields: int) -> Match:
    builder = MatchBuilder()
    for name, value in fields.items():
        builder.set(FIELDS[name], value)
    return builder.build()


BARE = PacketIn(FRAME, PacketInReason.ACTION, pipeline=pipeline(in_port=3))
RICH = PacketIn(
    FRAME,
    PacketInReason.ACTION,
    table_id=7,
    cookie=0x9,
    pipeline=pipeline(reg0=1, reg4=5, tun_id=6, metadata=0x5A5A, in_port=1),
)


WAITING = replace(
    RICH,
    userdata=b"\1\2\3",
    continuation=Continuation(
        bridge=bytes(range(16)),
        stack=(b"\0\0\0\7", b"\x99"),
        mirrors=3,
        conntracked=True,
        actions=(
            UnrollXlate(2, 9),
            *parse_actions("output:2,output:3").actions,
            UnrollXlate(2, NO_COOKIE),
            *parse_actions("dec_ttl").actions,
        ),
        action_set=parse_actions("output:4").actions,
        odp_port=5,
    ),
)
TRACKED = replace(
    BARE,
    pipeline=pipeline(
        in_port=1,
        eth_type=0x800,
        ct_state=0x21,
        ct_zone=5,
        ct_mark=7,
        ct_nw_src=1,
        ct_nw_proto=6,
    ),
    reason=PacketInReason.INVALID_TTL,
)
KEPT = replace(
    BARE,
    pipeline=pipeline(in_port=OFPP_LOCAL),
    reason=PacketInReason.GROUP,
    buffer_id=5,
    full_len_bytes=100,
)
PACKET_INS = (BARE, RICH, WAITING, TRACKED, KEPT)
RECORDED = (Path(__file__).parent / "packet_ins.txt").read_text().split("\n\n")


def received(packet_in: PacketIn, form: PacketInFormat, version: OpenFlowVersion) -> PacketIn:
    """What a controller makes of what a switch sends it."""
    message = message_of(encode_packet_in(packet_in, form, version))
    kind, offset = kind_of(message)
    return decode_packet_in(kind, message.raw[offset:], version)


def test_packet_ins_are_what_ovs_ofctl_understands() -> None:
    """``packet_ins.txt`` has each message as it was encoded, and what ``ovs-ofctl ofp-print`` of
    Open vSwitch 3.1 printed then."""
    messages = [
        encode_packet_in(packet_in, form, version)
        for packet_in in PACKET_INS
        for form, version in ALL
    ]
    assert [entry.partition("\n")[0] for entry in RECORDED] == [raw.hex() for raw in messages]


@pytest.mark.parametrize("entry", RECORDED, ids=range(len(RECORDED)))
def test_a_packet_in_is_printed_as_ovs_ofctl_prints_it(entry: str) -> None:
    text, _, printed = entry.partition("\n")
    message = message_of(bytes.fromhex(text))
    kind, offset = kind_of(message)
    version = OpenFlowVersion(message.version)
    packet_in = decode_packet_in(kind, message.raw[offset:], version)
    assert packet_in_text(packet_in) == printed.rstrip("\n").partition("): ")[2]


@pytest.mark.parametrize(
    ("reason", "by_version"),
    [
        (PacketInReason.NO_MATCH, [0, 0, 0, 0, 0, 0]),
        (PacketInReason.ACTION, [1, 1, 1, 1, 1, 1]),
        (PacketInReason.INVALID_TTL, [2, 2, 2, 2, 2, 2]),
        (PacketInReason.ACTION_SET, [1, 1, 1, 1, 3, 3]),
        (PacketInReason.GROUP, [1, 1, 1, 1, 4, 4]),
        (PacketInReason.PACKET_OUT, [1, 1, 1, 1, 5, 5]),
        (PacketInReason.EXPLICIT_MISS, [1, 1, 1, 0, 0, 0]),
        (PacketInReason.IMPLICIT_MISS, [0, 0, 0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("form", PacketInFormat)
def test_a_version_that_lacks_a_reason_has_another_word(
    form: PacketInFormat, reason: PacketInReason, by_version: list[int]
) -> None:
    packet_in = replace(BARE, reason=reason)
    told = [received(packet_in, form, version).reason for version in OpenFlowVersion]
    assert told == by_version


@pytest.mark.parametrize("form", PacketInFormat)
@pytest.mark.parametrize("version", OpenFlowVersion)
def test_a_frame_that_is_too_large_for_a_message_is_cut(
    form: PacketInFormat, version: OpenFlowVersion
) -> None:
    packet_in = received(replace(RICH, frame=bytes(65535), userdata=bytes(99)), form, version)
    assert 65000 < len(packet_in.frame) < 65535
    assert packet_in.full_len_bytes == 65535


def test_a_packet_that_goes_on_says_all_but_the_userdata() -> None:
    for version in OpenFlowVersion:
        body = encode_resume(WAITING, version)
        assert decode_resume(body, version) == replace(
            received(WAITING, NXT2, version), userdata=b""
        )


def test_a_packet_that_goes_on_without_a_continuation_has_an_empty_one() -> None:
    body = encode_resume(BARE, OpenFlowVersion.OF10)
    assert decode_resume(body, OpenFlowVersion.OF10).continuation == Continuation()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "OFPBRC_BAD_LEN"),
        ("0000000400000000", "OFPBRC_BAD_LEN"),
        ("00000005aa0000000001000800000000", None),
        ("00000006aaaa00000001000800000001", "OFPBRC_BAD_LEN"),
        ("00000005aa0000000003000400000000", "OFPBPC_BAD_LEN"),
        ("00000005aa0000000009000400000000", "OFPBPC_BAD_TYPE"),
        ("00000005aa000000ffff000c00000000000000000000", "OFPBPC_BAD_LEN"),
        ("00000005aa0000000008001080090004" + "00000000" * 2, "OFPBPC_BAD_LEN"),
        ("00000005aa00000000080010000000008009000400000000", "OFPBPC_BAD_TYPE"),
        ("00000005aa0000000006000880000208", "OFPBMC_BAD_LEN"),
    ],
)
def test_what_is_wrong_with_a_packet_that_is_to_go_on(body: str, error: str | None) -> None:
    if error is None:
        decode_resume(bytes.fromhex(body), OpenFlowVersion.OF13)
        return
    with pytest.raises(OpenFlowError, match=error):
        decode_resume(bytes.fromhex(body), OpenFlowVersion.OF13)


# -- packet-outs

OUT = PacketOut(FRAME, (Output(OfpPort(3)),), pipeline(in_port=1))
ETHERNET = Flow.packet_type.mask


@pytest.mark.parametrize("version", OpenFlowVersion)
@pytest.mark.parametrize("in_port", [OfpPort(1), OFPP_LOCAL, OFPP_CONTROLLER, OFPP_NONE])
def test_a_packet_out_arrives_as_it_was_sent(version: OpenFlowVersion, in_port: OfpPort) -> None:
    sent = replace(OUT, pipeline=pipeline(in_port=in_port))
    arrived = decode_packet_out(encode_packet_out(sent, version), version)
    assert (arrived.in_port, arrived.frame, arrived.actions) == (in_port, FRAME, OUT.actions)
    told = 0 if version is OpenFlowVersion.OF15 else ETHERNET
    assert arrived.pipeline.mask == IN_PORT_MASK | told


def test_since_openflow_1_5_a_packet_out_may_tell_more_of_the_packet() -> None:
    sent = replace(OUT, pipeline=pipeline(in_port=1, metadata=5, reg3=7))
    version = OpenFlowVersion.OF15
    assert decode_packet_out(encode_packet_out(sent, version), version) == sent


@pytest.mark.parametrize(
    ("version", "body", "error"),
    [
        (1, "ffffffffff000000", "OFPBRC_BAD_PORT"),
        (1, "fffffffffff80000", "OFPBRC_BAD_PORT"),
        (1, "ffffffff00010008", "OFPBRC_BAD_LEN"),
        (1, "ffffffff0001000400000004", "OFPBRC_BAD_LEN"),
        (4, "ffffffff0000ff000000000000000000", "OFPBAC_BAD_OUT_PORT"),
        (4, "fffffffffffffff80000000000000000", "OFPBRC_BAD_PORT"),
        (6, "ffffffff000000000001000400000000", "OFPBRC_BAD_PORT"),
        (6, "ffffffff000000000001000c800000040000000100000000", None),
        (6, "ffffffff000000000001000a80000a020800000000000000", "OFPBRC_PIPELINE"),
    ],
)
def test_packet_outs_are_refused_or_taken_as_open_vswitch_does(
    version: int, body: str, error: str | None
) -> None:
    if error is None:
        decode_packet_out(bytes.fromhex(body), OpenFlowVersion(version))
        return
    with pytest.raises(OpenFlowError, match=error):
        decode_packet_out(bytes.fromhex(body), OpenFlowVersion(version))


def test_a_packet_out_of_a_kept_packet_is_refused_as_none_is_kept() -> None:
    for version in OpenFlowVersion:
        body = encode_packet_out(replace(OUT, buffer_id=7), version)
        arrived = decode_packet_out(body, version)
        assert (arrived.frame, arrived.buffer_id) == (b"", 7)
        with pytest.raises(OpenFlowError, match="OFPBRC_BUFFER_UNKNOWN"):
            check_packet_out(arrived, P_OF13_OXM)


def test_what_is_done_with_a_packet_must_go_with_it() -> None:
    udp_port = SetField(FIELDS["udp_src"], 53, FIELDS["udp_src"].ones)
    with pytest.raises(OpenFlowError, match="OFPBAC_MATCH_INCONSISTENT"):
        check_packet_out(replace(OUT, actions=(udp_port,)), P_OF13_OXM)
    tcp_port = SetField(FIELDS["tcp_src"], 53, FIELDS["tcp_src"].ones)
    assert check_packet_out(replace(OUT, actions=(tcp_port,)), P_OF10_STD).frame == FRAME

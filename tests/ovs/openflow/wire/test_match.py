"""Matches on the wire: what arrives is what the text of a match says it should be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.ovs.flow.match_texts import match_texts
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.protocols import (
    P_OF10_NXM,
    P_OF10_STD,
    P_OF11_STD,
    P_OF12_OXM,
    P_OF13_OXM,
    P_OF14_OXM,
    P_OF15_OXM,
)
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire.match import (
    Reading,
    decode_field_list,
    decode_match,
    decode_nxm,
    encode_field_list,
    encode_match,
    encode_nxm,
)
from vnet.ovs.openflow.wire.match.normalize import normalized
from vnet.ovs.openflow.wire.match.reading import Decoded, read_fields
from vnet.ovs.openflow.wire.oxm import take_field

_OF10, _OF11, _, _OF13, _, _OF15 = OpenFlowVersion
_OXM = (P_OF12_OXM, P_OF13_OXM, P_OF14_OXM, P_OF15_OXM)


def _received(match: Match, protocol: int) -> Match:
    """What a match becomes that is sent by a protocol. Raises :class:`OpenFlowError`."""
    version = version_of(protocol)
    if protocol == P_OF10_NXM:
        return decode_nxm(encode_nxm(match))[0]
    data = encode_match(match, version)
    received, end = decode_match(b"??" + data, 2, version)
    assert end == 2 + len(data)
    return normalized(received) if protocol == P_OF10_STD else received


@pytest.mark.parametrize("protocol", [P_OF10_STD, P_OF10_NXM, P_OF11_STD, *_OXM])
@given(text=match_texts())
@example(text="tun_metadata0=0x12,tun_metadata3=0/0xff")
@example(text="dl_vlan=5,dl_vlan_pcp=3")
@example(text="vlan_tci=0x1000/0x1000")
@example(text="in_port=LOCAL,ip,nw_tos=252")
@example(text="packet_type=(1,0x800)")
@example(text="icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::1,nd_sll=1:2:3:4:5:6")
def test_what_was_read_is_written_and_read_alike(text: str, protocol: int) -> None:
    try:
        received = _received(parse_match(text), protocol)
    except OpenFlowError:
        return
    # What OpenFlow 1.0 leaves out may still have implied Ethernet, which no text shows.
    assert match_text(_received(received, protocol)) == match_text(received)


@pytest.mark.parametrize("text", ["icmp6,icmp_type=135", "tcp6,tp_dst=80", "ipv6"])
def test_openflow11_says_of_ipv6_only_that(text: str) -> None:
    assert _received(parse_match(text), P_OF11_STD) == parse_match("ipv6")


def _outcome(read: Callable[[bytes, Reading], Decoded], data: bytes) -> Decoded | str:
    try:
        return read(data, Reading(may_have_cookie=True))
    except OpenFlowError as error:
        return error.name


@given(match_texts(), match_texts(), st.sampled_from([0, *OpenFlowVersion]), st.data())
def test_lists_of_a_kind_are_read_as_one_alone_would_be(
    text: str, other: str, version: int, data: st.DataObject
) -> None:
    """Whatever became of others before: pieces of matches, one byte of them changed."""
    fields = bytearray(
        encode_field_list(parse_match(text), version)
        + encode_field_list(parse_match(other), version)
    )
    assert _outcome(decode_field_list, bytes(fields)) == _outcome(read_fields, bytes(fields))
    if fields:
        at = data.draw(st.integers(0, len(fields) - 1))
        fields[at] ^= data.draw(st.integers(1, 255))
        assert _outcome(decode_field_list, bytes(fields)) == _outcome(read_fields, bytes(fields))


@given(st.binary(max_size=200), st.sampled_from([*OpenFlowVersion]))
def test_any_bytes_are_a_match_or_an_error(data: bytes, version: OpenFlowVersion) -> None:
    framed = b"\0\1" + (len(data) + 4).to_bytes(2, "big") + data + bytes(-(len(data) + 4) % 8)
    for take in (
        lambda: decode_match(data, 0, version),
        lambda: decode_match(framed, 0, version),
        lambda: decode_match(framed, 0, version, is_loose=True),
        lambda: decode_nxm(data),
    ):
        with suppress(OpenFlowError):
            take()


def test_a_cookie_stands_among_the_fields() -> None:
    match = parse_match("tcp")
    for cookie, mask in ((5, 0xFF), (7, (1 << 64) - 1), (0, 0)):
        assert decode_nxm(encode_nxm(match, cookie, mask)) == (match, cookie, mask)
    with pytest.raises(OpenFlowError, match="OFPBMC_BAD_FIELD"):
        decode_nxm(encode_nxm(match, 5, 0xFF), may_have_cookie=False)
    with pytest.raises(OpenFlowError, match="OFPBMC_DUP_FIELD"):
        decode_nxm(encode_nxm(CATCHALL, 5, 0xFF) * 2)


_IN_PORT, _IP = "00000002 0005", "00000602 0800"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ("00000002", "OFPBMC_BAD_LEN"),
        ("0000", "OFPBMC_BAD_LEN"),
        ("ffff0003 00002320", "OFPBMC_BAD_LEN"),
        ("ffff0008", "OFPBMC_BAD_LEN"),
        ("00007f02 0000", "OFPBMC_BAD_FIELD"),
        ("00000003 000000", "OFPBMC_BAD_FIELD"),
        ("00000e04 0a000001", "OFPBMC_BAD_PREREQ"),
        (_IP + _IP, "OFPBMC_DUP_FIELD"),
        ("00000704 0800 ff00", "OFPBMC_BAD_MASK"),
        ("00010108 0000000f 00000007", "OFPBMC_BAD_WILDCARDS"),
        (_IP + "00000a01 03", "OFPBMC_BAD_VALUE"),
        ("80000004 ffff0000", "OFPBMC_BAD_VALUE"),
    ],
)
def test_lists_of_fields_are_refused_with_open_vswitchs_errors(fields: str, error: str) -> None:
    with pytest.raises(OpenFlowError, match=error):
        decode_nxm(bytes.fromhex(fields.replace(" ", "")))


def test_a_loose_reader_passes_over_what_it_does_not_know() -> None:
    fields = bytes.fromhex("00007f02 0000 00000e04 0a000001 00000002 0005".replace(" ", ""))
    assert decode_nxm(fields, is_loose=True)[0] == parse_match("in_port=5,ip_src=10.0.0.1")


def test_tunnel_options_must_be_mapped_in_a_switch() -> None:
    fields = encode_nxm(parse_match("tun_metadata3=5"))
    with pytest.raises(OpenFlowError, match="NXFMFC_INVALID_TLV_FIELD"):
        decode_nxm(fields, tun_lengths={1: 4})


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("tun_metadata3=0x12", "00015604 00000012"),
        ("tun_metadata3=0x12/0xff", "00015708 00000012 000000ff"),
        ("tun_metadata3=0x123456789a/0xffffffffff", "00015604 12345678"),
        ("tun_metadata3=0/0", "00015708 00000000 00000000"),
    ],
)
def test_mapped_options_have_their_length(text: str, sent: str) -> None:
    match, _, _ = decode_nxm(encode_nxm(parse_match(text)), tun_lengths={3: 4})
    assert encode_nxm(match).hex() == sent.replace(" ", "")
    assert decode_nxm(encode_nxm(match), tun_lengths={3: 4})[0] == match


def test_what_could_be_read_off_the_packet_is_no_field_of_the_pipeline() -> None:
    decode_match(encode_match(parse_match("in_port=1,reg3=5"), _OF15), 0, _OF15)
    data = encode_match(parse_match("in_port=1,ip"), _OF15)
    with pytest.raises(OpenFlowError, match="OFPBRC_PIPELINE_FIELDS_ONLY"):
        decode_match(data, 0, _OF15, is_pipeline_only=True)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("", "OFPBMC_BAD_LEN"),
        ("0001 0003", "OFPBMC_BAD_LEN"),
        ("0002 0004 00000000", "OFPBMC_BAD_TYPE"),
        ("0806 0000 00000000", "OFPBMC_BAD_TYPE"),
        ("0001 0010 00000000", "OFPBMC_BAD_LEN"),
        ("0000 0058", "OFPBMC_BAD_LEN"),
    ],
)
def test_matches_whose_lengths_do_not_fit_are_refused(data: str, error: str) -> None:
    with pytest.raises(OpenFlowError, match=error):
        decode_match(bytes.fromhex(data.replace(" ", "")), 0, _OF13)


def test_openflow11_takes_a_list_of_fields_too() -> None:
    match = parse_match("tcp,tp_dst=80")
    assert decode_match(encode_match(match, _OF13), 0, _OF11)[0] == match
    assert decode_match(encode_match(match, _OF11), 0, _OF13)[0] == match


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        (
            "00010108 0000000f 00000007",
            "Rejecting NXM/OXM entry 0:1:0:1:8 with 1-bits in value for bits wildcarded by the "
            "mask.",
        ),
        (
            "ffff0b06 005ad650 01 00",
            "Rejecting NXM/OXM entry 0x5ad650:65535:5:1:6 with 1-bits in value for bits "
            "wildcarded by the mask.",
        ),
        (
            "ffff0003 00002320",
            "OXM header 0x2320:65535:0:0:3 has invalid length 3 (minimum is 8)",
        ),
    ],
)
def test_the_log_says_why_a_match_is_refused(fields: str, warning: str) -> None:
    with pytest.raises(OpenFlowError) as refused:
        decode_nxm(bytes.fromhex(fields.replace(" ", "")))
    assert refused.value.warning == ("nx_match", warning)


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("8000ff04 00000000", "OFPBAC_BAD_SET_LEN"),
        ("80000008 0000000000000000", "OFPBAC_BAD_SET_LEN"),
        ("80000000", "OFPBAC_BAD_SET_TYPE"),
        ("00015080 " + "00" * 128, "OFPBAC_BAD_SET_LEN"),
        ("0001507f " + "00" * 127, None),
    ],
)
def test_unknown_fields_cannot_be_set(field: str, error: str | None) -> None:
    data = bytes.fromhex(field.replace(" ", ""))
    if error is None:
        assert take_field(data, 0, len(data), is_action=True)[3] == len(data)
        return
    with pytest.raises(OpenFlowError, match=error):
        take_field(data, 0, len(data), is_action=True)

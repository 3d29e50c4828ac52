"""The IPv4 header: golden bytes both ways, Linux's refusals, Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, IPOption_Router_Alert

from vnet.base.ids import ip_text
from vnet.wire import ipv4
from vnet.wire.checksum import checksum

ADDRESS = st.binary(min_size=4, max_size=4)
BYTE = st.integers(0, 255)
WORD = st.integers(0, 0xFFFF)
OPTIONS = st.integers(0, 10).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
FIELDS = st.fixed_dictionaries(
    {
        "source": ADDRESS,
        "target": ADDRESS,
        "protocol": BYTE,
        "payload": st.binary(max_size=64),
        "ttl": BYTE,
        "tos": BYTE,
        "ident": WORD,
        "flags_offset": WORD,
        "options": OPTIONS,
    }
)

# The header that RFC-minded textbooks check their sums on: UDP, DF, 115 bytes.
GOLDEN = bytes.fromhex("4500 0073 0000 4000 40 11 b861 c0a80001 c0a800c7") + bytes(95)
# Built by Scapy: IP(ttl=1, proto=2, id=1, options=[IPOption_Router_Alert()]) / "abcdefgh"
ALERT = bytes.fromhex("4600 0020 0001 0000 01 02 3ac0 0a000001 e0000016 94040000") + b"abcdefgh"


def test_golden_header_is_read() -> None:
    header = ipv4.parse(GOLDEN)
    assert header is not None
    assert header.total_bytes == 115
    assert header.protocol == ipv4.UDP
    assert (ip_text(header.source), ip_text(header.target)) == ("192.168.0.1", "192.168.0.199")
    assert header.dont_fragment
    assert not header.is_fragment
    assert header.payload == bytes(95)


def test_golden_header_is_written() -> None:
    source, target = bytes((192, 168, 0, 1)), bytes((192, 168, 0, 199))
    built = ipv4.emit(source, target, ipv4.UDP, bytes(95), flags_offset=ipv4.DONT_FRAGMENT)
    assert built == GOLDEN


def test_golden_options_both_ways() -> None:
    header = ipv4.parse(ALERT)
    assert header is not None
    assert header.options == ipv4.ROUTER_ALERT == bytes(IPOption_Router_Alert())
    assert header.payload == b"abcdefgh"
    assert (
        ipv4.emit(
            header.source,
            header.target,
            ipv4.IGMP,
            b"abcdefgh",
            ttl=1,
            ident=1,
            options=header.options,
        )
        == ALERT
    )


def test_padding_of_the_frame_is_no_payload() -> None:
    header = ipv4.parse(ALERT + bytes(14))
    assert header is not None
    assert header.payload == b"abcdefgh"


def test_options_are_padded_to_whole_words() -> None:
    header = ipv4.parse(ipv4.emit(bytes(4), bytes(4), 0, b"", options=b"\x01"))
    assert header is not None
    assert header.options == b"\x01\0\0\0"


def mended(header: bytes) -> bytes:
    """``header`` with a right checksum, so that only the fault meant is at fault."""
    header = header[:10] + b"\0\0" + header[12:]
    return header[:10] + checksum(header[:20]).to_bytes(2, "big") + header[12:]


@pytest.mark.parametrize(
    ("packet", "fault"),
    [
        (b"", "nothing"),
        (GOLDEN[:19], "short"),
        (mended(b"\x55" + GOLDEN[1:]), "version 5"),
        (mended(b"\x44" + GOLDEN[1:]), "header of 16 bytes"),
        (ALERT[:22], "options cut off"),
        (GOLDEN[:-1], "payload cut off"),
        (mended(GOLDEN[:2] + b"\x00\x13" + GOLDEN[4:]), "total length below the header's"),
        (GOLDEN[:10] + b"\xb8\x62" + GOLDEN[12:], "checksum"),
    ],
)
def test_what_linux_calls_a_header_error_is_none(packet: bytes, fault: str) -> None:
    assert ipv4.parse(packet) is None, fault


@given(FIELDS)
def test_parse_undoes_emit(fields: dict[str, object]) -> None:
    header = ipv4.parse(ipv4.emit(**fields))  # type: ignore[arg-type]
    assert header is not None
    read = header._asdict()
    assert read.pop("total_bytes") == 20 + len(header.options) + len(header.payload)
    assert read == fields


@given(FIELDS.filter(lambda fields: not fields["options"]))
def test_scapy_builds_and_reads_the_same(fields: dict[str, int]) -> None:
    ours = ipv4.emit(**fields)  # type: ignore[arg-type]
    flags_offset = fields["flags_offset"]
    built = IP(
        src=ip_text(fields["source"]),  # type: ignore[arg-type]
        dst=ip_text(fields["target"]),  # type: ignore[arg-type]
        proto=fields["protocol"],
        ttl=fields["ttl"],
        tos=fields["tos"],
        id=fields["ident"],
        flags=flags_offset >> 13,
        frag=flags_offset & ipv4.OFFSET_MASK,
    )
    assert bytes(built / fields["payload"]) == ours
    # Only the header: what Scapy makes of a payload of noise is its own affair.
    read = IP(ours[: ipv4.HEADER_BYTES])
    given_checksum = read.chksum
    del read.chksum
    assert IP(bytes(read)).chksum == given_checksum


@given(FIELDS, st.integers(1, 255))
def test_decrementing_the_ttl_equals_rebuilding(fields: dict[str, int], ttl: int) -> None:
    before = ipv4.emit(**{**fields, "ttl": ttl})  # type: ignore[arg-type]
    after = ipv4.emit(**{**fields, "ttl": ttl - 1})  # type: ignore[arg-type]
    assert ipv4.decrement_ttl(before) == after

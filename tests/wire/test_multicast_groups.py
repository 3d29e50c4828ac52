"""IGMP and MLD: golden messages both ways, and Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6MLDMultAddrRec, ICMPv6MLQuery, ICMPv6MLQuery2, ICMPv6MLReport2

from vnet.base.ids import ip_from_text, ip_text
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.wire import igmp, mld
from vnet.wire.checksum import checksum
from vnet.wire.igmp import Record


def records_of(ip_bytes: int) -> st.SearchStrategy[tuple[Record, ...]]:
    ip = st.binary(min_size=ip_bytes, max_size=ip_bytes)
    sources = st.lists(ip, max_size=4).map(tuple)
    record = st.builds(Record, st.integers(0, 255), ip, sources)
    return st.lists(record, max_size=5).map(tuple)


GROUP = ip_from_text("239.1.2.3")
SOURCE = ip_from_text("10.0.0.9")
# Built by Scapy: IGMPv3_MR with a CHANGE_TO_EXCLUDE and a MODE_IS_INCLUDE record.
REPORT = bytes.fromhex("2200 ece8 0000 0002  0400 0000 ef010203  0100 0001 ef010204 0a000009")
RECORDS = (
    Record(igmp.CHANGE_TO_EXCLUDE, GROUP),
    Record(igmp.MODE_IS_INCLUDE, ip_from_text("239.1.2.4"), (SOURCE,)),
)
# IGMPv3_MQ(mrcode=20, gaddr="239.1.2.3", srcaddrs=["10.0.0.9"]), IGMP(type=0x16, ...)
QUERY_V3 = bytes.fromhex("1114 f3dc ef010203 0000 0001 0a000009")
REPORT_V2 = bytes.fromhex("1600 f8fa ef010203")

GROUP6 = ip_from_text("ff02::1:ff00:1")
# The bodies of ICMPv6MLReport2 with one record, and of ICMPv6MLQuery2(mrd=10000).
REPORT6 = bytes.fromhex("0000 0001 0400 0000") + GROUP6
QUERY6 = bytes.fromhex("2710 0000") + bytes(16) + bytes(4)


def summed(message: bytes) -> bytes:
    """An IGMP message with its checksum put in."""
    return message[:2] + checksum(message).to_bytes(2, "big") + message[4:]


def test_golden_igmp_reports() -> None:
    assert igmp.parse_report(REPORT) == RECORDS
    assert igmp.report_v3(RECORDS) == REPORT
    assert igmp.message_v2(igmp.REPORT_V2, GROUP) == REPORT_V2
    assert igmp.parse_report(REPORT_V2) is None


def test_golden_igmp_queries() -> None:
    assert igmp.parse_query(QUERY_V3) == (3, 2 * NS_PER_S, GROUP, (SOURCE,))
    assert igmp.parse_query(summed(b"\x11\x0a\0\0" + GROUP)) == (2, NS_PER_S, GROUP, ())
    assert igmp.parse_query(summed(b"\x11\0\0\0" + bytes(4))) == (1, 10 * NS_PER_S, bytes(4), ())


def test_golden_mld() -> None:
    records = (Record(igmp.CHANGE_TO_EXCLUDE, GROUP6),)
    assert mld.parse_report(REPORT6) == records
    assert mld.report_v2(records) == REPORT6
    assert mld.parse_query(QUERY6) == (2, 10 * NS_PER_S, bytes(16), ())
    assert mld.parse_query(bytes.fromhex("03e80000") + GROUP6) == (1, NS_PER_S, GROUP6, ())
    assert mld.message_v1(GROUP6) == bytes(4) + GROUP6


@pytest.mark.parametrize("size", [9, 10, 11])
def test_a_query_of_no_version_is_ignored(size: int) -> None:
    """RFC 3376 section 7.1 and RFC 3810 section 8.1 know no lengths in between."""
    padded = summed((b"\x11\x0a\0\0" + GROUP).ljust(size, b"\0"))
    assert igmp.parse_query(padded) is None
    assert mld.parse_query(bytes(20 + size - 8)) is None


def test_a_sum_that_is_wrong_is_none() -> None:
    assert igmp.parse_query(QUERY_V3[:-1] + b"\0") is None
    assert igmp.parse_report(REPORT[:-1] + b"\0") is None


def test_sources_that_are_missing_spoil_the_message() -> None:
    assert igmp.parse_query(summed(QUERY_V3[:2] + b"\0\0" + QUERY_V3[4:-4])) is None
    assert igmp.parse_report(summed(REPORT[:2] + b"\0\0" + REPORT[4:-4])) is None
    assert mld.parse_query(QUERY6[:-1] + b"\x01") is None
    assert mld.parse_report(REPORT6[:-1]) is None


def test_auxiliary_data_is_skipped() -> None:
    record = igmp.emit_records(RECORDS[:1])
    with_data = record[:1] + b"\x02" + record[2:] + bytes(8)
    twice = with_data + igmp.emit_records(RECORDS[1:])
    assert igmp.parse_records(twice, 0, 2, 4) == RECORDS


@pytest.mark.parametrize(
    ("code", "value"), [(0, 0), (127, 127), (0x80, 128), (0x8A, 208), (0xFF, 31744)]
)
def test_codes_of_igmp_are_tiny_floats(code: int, value: int) -> None:
    """RFC 3376 section 4.1.1: (mant | 0x10) << (exp + 3)."""
    assert igmp.float_code(code) == value


@pytest.mark.parametrize(
    ("code", "value_ms"), [(0x7FFF, 0x7FFF), (0x8000, 0x8000), (0xFFFF, 0x1FFF << 10)]
)
def test_codes_of_mld_are_floats(code: int, value_ms: int) -> None:
    """RFC 3810 section 5.1.3: (mant | 0x1000) << (exp + 3)."""
    query = mld.parse_query(code.to_bytes(2, "big") + bytes(22))
    assert query is not None
    assert query.max_response_ns == value_ms * NS_PER_MS


@given(records_of(4))
def test_igmp_parse_undoes_report(records: tuple[Record, ...]) -> None:
    assert igmp.parse_report(igmp.report_v3(records)) == records


@given(records_of(16))
def test_mld_parse_undoes_report(records: tuple[Record, ...]) -> None:
    assert mld.parse_report(mld.report_v2(records)) == records


@given(records_of(16))
def test_scapy_builds_the_same_mld_report(records: tuple[Record, ...]) -> None:
    layers = [
        ICMPv6MLDMultAddrRec(
            rtype=record.type,
            dst=ip_text(record.group),
            sources=[ip_text(source) for source in record.sources],
        )
        for record in records
    ]
    built = bytes(ICMPv6MLReport2(records=layers, cksum=0))
    assert built[4:] == mld.report_v2(records)


def test_scapys_queries_are_read() -> None:
    body = bytes(ICMPv6MLQuery2(mrd=1000, mladdr="ff02::1:ff00:1", sources=["2001:db8::1"]))[4:]
    assert mld.parse_query(body) == (2, NS_PER_S, GROUP6, (ip_from_text("2001:db8::1"),))
    assert mld.parse_query(bytes(ICMPv6MLQuery(mrd=7))[4:]) == (1, 7 * NS_PER_MS, bytes(16), ())

"""IGMP versions 1, 2 (RFC 2236) and 3 (RFC 3376).

query    | 0x11 | max resp | checksum | group 4 | (v3) S QRV | QQIC | sources 2 | ...
report   | 0x22 | 0        | checksum | 0 2     | records 2 | record ...
record   | type | aux len  | sources 2 | group 4 | sources ...
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.wire.checksum import checksum

PROTOCOL = 2

QUERY = 0x11
REPORT_V1 = 0x12
REPORT_V2 = 0x16
LEAVE = 0x17
REPORT_V3 = 0x22


class Record(NamedTuple):
    """A group record, shared by IGMPv3 and MLDv2 (RFC 3376 section 4.2.12, RFC 3810 5.2.12)."""

    type: int
    group: bytes
    sources: tuple[bytes, ...] = ()


MODE_IS_INCLUDE = 1
MODE_IS_EXCLUDE = 2
CHANGE_TO_INCLUDE = 3
CHANGE_TO_EXCLUDE = 4
ALLOW_NEW_SOURCES = 5
BLOCK_OLD_SOURCES = 6


class Query(NamedTuple):
    """A membership query. ``version`` is told by length and code (RFC 3376 section 7.1)."""

    version: int
    max_response_ns: int
    group: bytes
    sources: tuple[bytes, ...]


def parse_query(message: bytes) -> Query | None:
    """A query with a correct checksum, or None."""
    if len(message) < 8 or message[0] != QUERY or checksum(message) != 0:
        return None
    code, group = message[1], message[4:8]
    if len(message) < 12:
        if len(message) != 8:  # of no version, so to be ignored (RFC 3376 section 7.1)
            return None
        version = 1 if code == 0 else 2
        return Query(version, (code or 100) * 100_000_000, group, ())
    count = message[10] << 8 | message[11]
    if len(message) < 12 + 4 * count:
        return None
    sources = tuple(message[12 + 4 * i : 16 + 4 * i] for i in range(count))
    return Query(3, float_code(code) * 100_000_000, group, sources)


def float_code(code: int) -> int:
    """A max-response or interval code of 128 and more is a tiny float (section 4.1.1)."""
    return code if code < 128 else (code & 0x0F | 0x10) << ((code >> 4 & 7) + 3)


def parse_report(message: bytes) -> tuple[Record, ...] | None:
    """The records of a version 3 report with a correct checksum, or None."""
    if len(message) < 8 or message[0] != REPORT_V3 or checksum(message) != 0:
        return None
    return parse_records(message, 8, message[6] << 8 | message[7], 4)


def parse_records(data: bytes, at: int, count: int, ip_bytes: int) -> tuple[Record, ...] | None:
    """``count`` group records from offset ``at``, with addresses of 4 or 16 bytes."""
    records = []
    for _ in range(count):
        end_of_group = at + 4 + ip_bytes
        if end_of_group > len(data):
            return None
        sources = data[at + 2] << 8 | data[at + 3]
        end = end_of_group + sources * ip_bytes + data[at + 1] * 4
        if end > len(data):
            return None
        places = range(end_of_group, end_of_group + sources * ip_bytes, ip_bytes)
        records.append(
            Record(
                data[at],
                data[at + 4 : end_of_group],
                tuple(data[place : place + ip_bytes] for place in places),
            )
        )
        at = end
    return tuple(records)


def emit_records(records: tuple[Record, ...]) -> bytes:
    """Group records without auxiliary data."""
    return b"".join(
        bytes((record.type, 0))
        + len(record.sources).to_bytes(2, "big")
        + record.group
        + b"".join(record.sources)
        for record in records
    )


def report_v3(records: tuple[Record, ...]) -> bytes:
    """A version 3 report."""
    return _with_checksum(
        bytes((REPORT_V3, 0, 0, 0, 0, 0)) + len(records).to_bytes(2, "big") + emit_records(records)
    )


def message_v2(kind: int, group: bytes) -> bytes:
    """A version 1 or 2 report, or a leave."""
    return _with_checksum(bytes((kind, 0, 0, 0)) + group)


def _with_checksum(data: bytes) -> bytes:
    return data[:2] + checksum(data).to_bytes(2, "big") + data[4:]

"""MLD versions 1 (RFC 2710) and 2 (RFC 3810): bodies behind the ICMPv6 checksum.

query   | max resp 2 | 0 2 | group 16 | (v2) S QRV | QQIC | sources 2 | ...
report  | 0 2 | records 2 | record ...        (version 2, type 143)
report  | 0 2 | 0 2 | group 16                (version 1, types 131 and 132)
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.wire.igmp import Record, emit_records, parse_records

ALL_MLDV2_ROUTERS = b"\xff\x02" + bytes(13) + b"\x16"
ALL_ROUTERS = b"\xff\x02" + bytes(13) + b"\x02"
ALL_SNOOPERS = b"\xff\x02" + bytes(13) + b"\x6a"


class Query(NamedTuple):
    version: int
    max_response_ns: int
    group: bytes
    sources: tuple[bytes, ...]


def parse_query(body: bytes) -> Query | None:
    """The body of a query; told apart by its length (RFC 3810 section 8.1)."""
    if len(body) < 20:
        return None
    code = body[0] << 8 | body[1]
    if len(body) < 24:
        if len(body) != 20:
            return None
        return Query(1, code * 1_000_000, body[4:20], ())
    count = body[22] << 8 | body[23]
    if len(body) < 24 + 16 * count:
        return None
    if code >= 0x8000:
        code = (code & 0x0FFF | 0x1000) << ((code >> 12 & 7) + 3)
    sources = tuple(body[24 + 16 * i : 40 + 16 * i] for i in range(count))
    return Query(2, code * 1_000_000, body[4:20], sources)


class Querier(NamedTuple):
    """What a version 2 query says of its querier (RFC 3810 sections 5.1.8, 5.1.9); 0: nothing."""

    robustness: int
    interval_s: int


def parse_querier(body: bytes) -> Querier | None:
    """The querier's variables; None in a query of version 1, or a malformed one."""
    if len(body) < 24:
        return None
    code = body[21]
    if code >= 0x80:
        code = (code & 0x0F | 0x10) << ((code >> 4 & 7) + 3)
    return Querier(body[20] & 0x07, code)


def parse_report_v1(body: bytes) -> bytes | None:
    """The group of a version 1 report, or None."""
    return body[4:20] if len(body) >= 20 else None


def parse_report(body: bytes) -> tuple[Record, ...] | None:
    """The records of a version 2 report, or None."""
    if len(body) < 4:
        return None
    return parse_records(body, 4, body[2] << 8 | body[3], 16)


def report_v2(records: tuple[Record, ...]) -> bytes:
    """The body of a version 2 report."""
    return b"\0\0" + len(records).to_bytes(2, "big") + emit_records(records)


def message_v1(group: bytes) -> bytes:
    """The body of a version 1 report or done."""
    return bytes(4) + group

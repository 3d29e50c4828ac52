"""The inside of IGMP and MLD messages, as the kernel's snooping takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vnet.linux.bridge.multicast.reading import IPV4, Reading
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.wire.igmp import (
    BLOCK_OLD_SOURCES,
    CHANGE_TO_INCLUDE,
    MODE_IS_INCLUDE,
    Record,
    float_code,
)

_TENTH_NS = 100_000_000
_MS_NS = 1_000_000
_RECORDS_AT = 8
_RECORD_BYTES = 4
_V1_RESPONSE_NS = 10_000_000_000
_SUPPRESS = 0x08

_RECORD_TYPES = range(MODE_IS_INCLUDE, BLOCK_OLD_SOURCES + 1)


class CutShortError(Exception):
    """A report says that there is more of it than there is."""


class Asked(NamedTuple):
    """A query: about all groups where ``group`` is None, or about one.

    ``asks_sources``: about some of its sources, which is not the bridge's concern; ``suppresses``:
    routers shall not shorten their timers for it.
    """

    group: bytes | None
    response_ns: int
    asks_sources: bool = False
    suppresses: bool = False


def records(reading: Reading) -> Iterator[Record]:
    """The records of a report one by one; :class:`CutShortError` where one is not whole.

    As the kernel does, auxiliary data is not stepped over, and a record of unknown type is.
    """
    data = reading.message
    ip_bytes = 4 if reading.family == IPV4 else 16
    at = _RECORDS_AT
    for _ in range(data[6] << 8 | data[7]):
        sources_at = at + _RECORD_BYTES + ip_bytes
        if sources_at > len(data):
            raise CutShortError
        n_sources = data[at + 2] << 8 | data[at + 3]
        end = sources_at + n_sources * ip_bytes
        if end > len(data):
            raise CutShortError
        if data[at] in _RECORD_TYPES:
            places = range(sources_at, end, ip_bytes)
            sources = tuple(data[place : place + ip_bytes] for place in places)
            yield Record(data[at], data[at + _RECORD_BYTES : sources_at], sources)
        at = end


def is_leave(record: Record) -> bool:
    """To include no source is to want no more of the group."""
    return not record.sources and record.type in (MODE_IS_INCLUDE, CHANGE_TO_INCLUDE)


def group_of(reading: Reading) -> bytes:
    """The group that a report or leave of an old version names."""
    return reading.message[4:8] if reading.family == IPV4 else reading.message[8:24]


def query(reading: Reading) -> Asked:
    """What a query asks."""
    return _igmp_query(reading.message) if reading.family == IPV4 else _mld_query(reading.message)


def _igmp_query(message: bytes) -> Asked:
    group = message[4:8]
    code = message[1]
    if len(message) == 8:
        if not code:
            return Asked(None, _V1_RESPONSE_NS)
        return Asked(group if any(group) else None, code * _TENTH_NS)
    response_ns = float_code(code) * _TENTH_NS or JIFFY_NS
    return Asked(
        group if any(group) else None,
        response_ns,
        asks_sources=any(message[10:12]),
        suppresses=bool(message[8] & _SUPPRESS),
    )


def _mld_query(message: bytes) -> Asked:
    group = message[8:24]
    code = message[4] << 8 | message[5]
    if len(message) == 24:
        # Without a time to answer in, the kernel takes it for no question at all.
        asked = group if any(group) else None
        return Asked(asked, code * _MS_NS, asks_sources=not code)
    if code >= 0x8000:
        code = (code & 0x0FFF | 0x1000) << ((code >> 12 & 7) + 3)
    return Asked(
        group if any(group) else None,
        max(code * _MS_NS, JIFFY_NS),
        asks_sources=any(message[26:28]),
        suppresses=bool(message[24] & _SUPPRESS),
    )

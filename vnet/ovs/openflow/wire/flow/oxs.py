"""Counters as OpenFlow 1.5 writes them: a list of statistics, of which any may be missing.

Source: OpenFlow 1.5.1, section 7.2.4.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import UNKNOWN_COUNT

_HEADER = struct.Struct("!HH")
_ENTRY_HEADER = struct.Struct("!I")
_ENTRY64 = struct.Struct("!IQ")
_ENTRY32 = struct.Struct("!II")
_ENTRY_TIME = struct.Struct("!III")
_EXPERIMENTER_CLASS = 0xFFFF
_VENDOR_BYTES = 4

_BASIC = 0x8002 << 16
_DURATION = _BASIC | 0 << 9 | 8
_IDLE_TIME = _BASIC | 1 << 9 | 8
_FLOW_COUNT = _BASIC | 3 << 9 | 4
_PACKET_COUNT = _BASIC | 4 << 9 | 8
_BYTE_COUNT = _BASIC | 5 << 9 | 8


class Counters(NamedTuple):
    """What is told; None, or UNKNOWN_COUNT of packets and bytes, for what is not."""

    duration_ns: int | None = None
    idle_age_s: int | None = None
    n_packets: int = UNKNOWN_COUNT
    n_bytes: int = UNKNOWN_COUNT
    n_flows: int | None = None


def encode_counters(counters: Counters) -> bytes:
    """The list with its header and padding (oxs_put_stats)."""
    parts = []
    if counters.duration_ns is not None:
        parts.append(_ENTRY_TIME.pack(_DURATION, *divmod(counters.duration_ns, NS_PER_S)))
    if counters.idle_age_s is not None:
        parts.append(_ENTRY_TIME.pack(_IDLE_TIME, counters.idle_age_s, 0))
    if counters.n_packets != UNKNOWN_COUNT:
        parts.append(_ENTRY64.pack(_PACKET_COUNT, counters.n_packets))
    if counters.n_bytes != UNKNOWN_COUNT:
        parts.append(_ENTRY64.pack(_BYTE_COUNT, counters.n_bytes))
    if counters.n_flows is not None:
        parts.append(_ENTRY32.pack(_FLOW_COUNT, counters.n_flows))
    data = b"".join(parts)
    n_bytes = _HEADER.size + len(data)
    return _HEADER.pack(0, n_bytes) + data + bytes(-n_bytes % 8)


def decode_counters(data: bytes, offset: int) -> tuple[Counters, int]:
    """The list at an offset, and where it ends (oxs_pull_stat). Unknown entries are passed over.

    Raises :class:`OpenFlowError` (OFPBMC_BAD_LEN).
    """
    if offset + _HEADER.size > len(data):
        raise OpenFlowError("OFPBMC_BAD_LEN")
    _, n_bytes = _HEADER.unpack_from(data, offset)
    end = offset + n_bytes + -n_bytes % 8
    if n_bytes < _HEADER.size or end > len(data):
        raise OpenFlowError("OFPBMC_BAD_LEN")
    counters = Counters()
    at, entries_end = offset + _HEADER.size, offset + n_bytes
    while at < entries_end:
        header, start, following = _entry(data, at, entries_end)
        counters = _with(counters, header, data[start:following])
        at = following
    return counters, end


def _entry(data: bytes, offset: int, end: int) -> tuple[int, int, int]:
    """A header, where what it announces starts, and where that ends."""
    if offset + _ENTRY_HEADER.size > end:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    header: int = _ENTRY_HEADER.unpack_from(data, offset)[0]
    following = offset + _ENTRY_HEADER.size + (header & 0xFF)
    start = offset + _ENTRY_HEADER.size
    if header >> 16 == _EXPERIMENTER_CLASS:
        start += _VENDOR_BYTES
    if start > min(end, following) or following > end:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    return header, start, following


def _with(counters: Counters, header: int, value: bytes) -> Counters:
    number = int.from_bytes(value, "big")
    seconds, rest = number >> 32, number & 0xFFFFFFFF
    if header == _DURATION:
        return counters._replace(duration_ns=seconds * NS_PER_S + rest)
    if header == _IDLE_TIME:
        return counters._replace(idle_age_s=seconds)
    if header == _PACKET_COUNT:
        return counters._replace(n_packets=number)
    if header == _BYTE_COUNT:
        return counters._replace(n_bytes=number)
    if header == _FLOW_COUNT:
        return counters._replace(n_flows=number)
    return counters

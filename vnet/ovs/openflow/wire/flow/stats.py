"""Statistics of flows: an entry for each, or one for all together.

Sources: OpenFlow 1.0, section 5.3.5; 1.1, A.3.6.2; 1.5.1, 7.3.5.2; ``nicira-ext.h`` of Open
vSwitch 3.1 for ``struct nx_flow_stats``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import AggregateStats, FlowFlags, FlowStats
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import decode_instructions, encode_instructions
from vnet.ovs.openflow.wire.flow.flags import decode_flags, encode_flags
from vnet.ovs.openflow.wire.flow.oxs import Counters, decode_counters, encode_counters
from vnet.ovs.openflow.wire.flow.parts import known_or_zero, put_nxm, take_nxm
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import NXST_FLOW_REPLY, OFPST_AGGREGATE_REPLY
from vnet.ovs.openflow.wire.match import decode_match, encode_match, encode_oxm
from vnet.ovs.openflow.wire.match.openflow10 import OPENFLOW10_BYTES
from vnet.ovs.openflow.wire.packing import room_for_entries

_HEAD10 = struct.Struct("!HBx")
_TAIL10 = struct.Struct("!IIHHH6xQQQ")
_NX = struct.Struct("!HBxIIHHHHHHQQQ")
_OF11 = struct.Struct("!HBxIIHHHHH2xQQQ")
_OF15 = struct.Struct("!H2xBxHHHHHQ")
_AGGREGATE = struct.Struct("!QQI4x")

_LENGTH_MASK = 0xFFFF
_MAX_AGE_NX = 0xFFFF
"""Nicira's ages are written plus one, 0 for none."""


# -- writing


def encode_flow_stats(stats: FlowStats, kind: Kind, version: OpenFlowVersion) -> bytes:
    """An entry of ``kind``, a reply (ofputil_append_flow_stats_reply); nothing where no message
    has room for it, as actions may be longer in one version than in another.
    """
    try:
        entry = _encode(stats, kind, version)
    except OpenFlowError:
        return b""
    return entry if len(entry) <= room_for_entries(kind, version) else b""


def _encode(stats: FlowStats, kind: Kind, version: OpenFlowVersion) -> bytes:
    if kind is NXST_FLOW_REPLY:
        return _encode_nx(stats)
    if version == OpenFlowVersion.OF10:
        return _encode_openflow10(stats)
    if version == OpenFlowVersion.OF15:
        return _encode_openflow15(stats)
    return _encode_openflow11(stats, version)


def _encode_nx(stats: FlowStats) -> bytes:
    n_match_bytes, match = put_nxm(stats.match)
    actions = encode_instructions(stats.actions, OpenFlowVersion.OF10)
    seconds, rest_ns = divmod(stats.duration_ns, NS_PER_S)
    head = _NX.pack(
        _NX.size + len(match) + len(actions) & _LENGTH_MASK,
        stats.table_id,
        seconds,
        rest_ns,
        stats.priority,
        stats.idle_timeout_s,
        stats.hard_timeout_s,
        n_match_bytes,
        _age(stats.idle_age_s),
        _age(stats.hard_age_s),
        stats.cookie,
        stats.n_packets,
        stats.n_bytes,
    )
    return head + match + actions


def _age(age_s: int | None) -> int:
    return 0 if age_s is None else min(age_s + 1, _MAX_AGE_NX)


def _encode_openflow10(stats: FlowStats) -> bytes:
    match = encode_match(stats.match, OpenFlowVersion.OF10)
    actions = encode_instructions(stats.actions, OpenFlowVersion.OF10)
    n_bytes = _HEAD10.size + len(match) + _TAIL10.size + len(actions)
    seconds, rest_ns = divmod(stats.duration_ns, NS_PER_S)
    tail = _TAIL10.pack(
        seconds,
        rest_ns,
        stats.priority,
        stats.idle_timeout_s,
        stats.hard_timeout_s,
        stats.cookie,
        known_or_zero(stats.n_packets),
        known_or_zero(stats.n_bytes),
    )
    return _HEAD10.pack(n_bytes & _LENGTH_MASK, stats.table_id) + match + tail + actions


def _encode_openflow11(stats: FlowStats, version: OpenFlowVersion) -> bytes:
    """Flags are told since OpenFlow 1.3, importance since 1.4; the match is OXM even in 1.1."""
    match = encode_oxm(stats.match, version)
    actions = encode_instructions(stats.actions, version)
    seconds, rest_ns = divmod(stats.duration_ns, NS_PER_S)
    head = _OF11.pack(
        _OF11.size + len(match) + len(actions) & _LENGTH_MASK,
        stats.table_id,
        seconds,
        rest_ns,
        stats.priority,
        stats.idle_timeout_s,
        stats.hard_timeout_s,
        encode_flags(stats.flags, version) if version >= OpenFlowVersion.OF13 else 0,
        stats.importance if version >= OpenFlowVersion.OF14 else 0,
        stats.cookie,
        known_or_zero(stats.n_packets),
        known_or_zero(stats.n_bytes),
    )
    return head + match + actions


def _encode_openflow15(stats: FlowStats) -> bytes:
    version = OpenFlowVersion.OF15
    match = encode_oxm(stats.match, version)
    counters = encode_counters(
        Counters(stats.duration_ns, stats.idle_age_s, stats.n_packets, stats.n_bytes)
    )
    actions = encode_instructions(stats.actions, version)
    head = _OF15.pack(
        _OF15.size + len(match) + len(counters) + len(actions) & _LENGTH_MASK,
        stats.table_id,
        stats.priority,
        stats.idle_timeout_s,
        stats.hard_timeout_s,
        encode_flags(stats.flags, version),
        stats.importance,
        stats.cookie,
    )
    return head + match + counters + actions


# -- reading


class _Read(NamedTuple):
    """An entry, but for its actions, which begin at ``actions_at``."""

    n_bytes: int
    stats: FlowStats
    actions_at: int


def decode_flow_stats(body: bytes, kind: Kind, version: OpenFlowVersion) -> Iterator[FlowStats]:
    """The entries of ``kind``, a reply (ofputil_decode_flow_stats_reply).

    Raises :class:`OpenFlowError`.
    """
    offset = 0
    while offset < len(body):
        try:
            read = _read(body, offset, kind, version)
        except struct.error:
            raise OpenFlowError("OFPBRC_BAD_LEN") from None
        end = offset + read.n_bytes
        if not read.actions_at <= end <= len(body):
            raise OpenFlowError("OFPBRC_BAD_LEN")
        actions = decode_instructions(body[read.actions_at : end], version, openflow_full=True)
        yield read.stats._replace(actions=actions)
        offset = end


def _read(body: bytes, offset: int, kind: Kind, version: OpenFlowVersion) -> _Read:
    if kind is NXST_FLOW_REPLY:
        return _read_nx(body, offset)
    if version is OpenFlowVersion.OF10:
        return _read_openflow10(body, offset)
    if version is OpenFlowVersion.OF15:
        return _read_openflow15(body, offset)
    return _read_openflow11(body, offset, version)


def _read_nx(body: bytes, offset: int) -> _Read:
    (
        n_bytes,
        table_id,
        seconds,
        rest_ns,
        priority,
        idle_timeout_s,
        hard_timeout_s,
        n_match_bytes,
        idle_age,
        hard_age,
        cookie,
        n_packets,
        n_flow_bytes,
    ) = _NX.unpack_from(body, offset)
    match, _, _, end = take_nxm(body, offset + _NX.size, n_match_bytes, openflow_full=True)
    stats = FlowStats(
        table_id,
        priority,
        match,
        cookie,
        seconds * NS_PER_S + rest_ns,
        idle_timeout_s,
        hard_timeout_s,
        n_packets,
        n_flow_bytes,
        (),
        idle_age_s=idle_age - 1 if idle_age else None,
        hard_age_s=hard_age - 1 if hard_age else None,
    )
    return _Read(n_bytes, stats, end)


def _read_openflow10(body: bytes, offset: int) -> _Read:
    n_bytes, table_id = _HEAD10.unpack_from(body, offset)
    match_at = offset + _HEAD10.size
    seconds, rest_ns, priority, idle_timeout_s, hard_timeout_s, cookie, n_packets, n_flow_bytes = (
        _TAIL10.unpack_from(body, match_at + OPENFLOW10_BYTES)
    )
    match, end = decode_match(body, match_at, OpenFlowVersion.OF10)
    stats = FlowStats(
        table_id,
        priority,
        match,
        cookie,
        seconds * NS_PER_S + rest_ns,
        idle_timeout_s,
        hard_timeout_s,
        n_packets,
        n_flow_bytes,
        (),
    )
    return _Read(n_bytes, stats, end + _TAIL10.size)


def _read_openflow11(body: bytes, offset: int, version: OpenFlowVersion) -> _Read:
    (
        n_bytes,
        table_id,
        seconds,
        rest_ns,
        priority,
        idle_timeout_s,
        hard_timeout_s,
        flags,
        importance,
        cookie,
        n_packets,
        n_flow_bytes,
    ) = _OF11.unpack_from(body, offset)
    match, end = decode_match(body, offset + _OF11.size, version, openflow_full=True)
    has_flags = version >= OpenFlowVersion.OF13
    stats = FlowStats(
        table_id,
        priority,
        match,
        cookie,
        seconds * NS_PER_S + rest_ns,
        idle_timeout_s,
        hard_timeout_s,
        n_packets,
        n_flow_bytes,
        (),
        decode_flags(flags, version) if has_flags else FlowFlags.NONE,
        importance if version >= OpenFlowVersion.OF14 else 0,
    )
    return _Read(n_bytes, stats, end)


def _read_openflow15(body: bytes, offset: int) -> _Read:
    n_bytes, table_id, priority, idle_timeout_s, hard_timeout_s, flags, importance, cookie = (
        _OF15.unpack_from(body, offset)
    )
    match, end = decode_match(body, offset + _OF15.size, OpenFlowVersion.OF15, openflow_full=True)
    known_flags = decode_flags(flags, OpenFlowVersion.OF15)
    counters, end = decode_counters(body, end)
    stats = FlowStats(
        table_id,
        priority,
        match,
        cookie,
        counters.duration_ns or 0,
        idle_timeout_s,
        hard_timeout_s,
        counters.n_packets,
        counters.n_bytes,
        (),
        known_flags,
        importance,
        counters.idle_age_s,
    )
    return _Read(n_bytes, stats, end)


# -- all together


def encode_aggregate(stats: AggregateStats, kind: Kind, version: OpenFlowVersion) -> bytes:
    """The body of ``kind``, a reply (ofputil_encode_aggregate_stats_reply)."""
    if version == OpenFlowVersion.OF15:
        return encode_counters(
            Counters(n_packets=stats.n_packets, n_bytes=stats.n_bytes, n_flows=stats.n_flows)
        )
    n_packets, n_bytes = stats.n_packets, stats.n_bytes
    if kind is OFPST_AGGREGATE_REPLY and version == OpenFlowVersion.OF10:
        n_packets, n_bytes = known_or_zero(n_packets), known_or_zero(n_bytes)
    return _AGGREGATE.pack(n_packets, n_bytes, stats.n_flows)


def decode_aggregate(body: bytes, version: OpenFlowVersion) -> AggregateStats:
    """What a reply says of several flows. Raises :class:`OpenFlowError` (OFPBMC_BAD_LEN)."""
    if version == OpenFlowVersion.OF15:
        counters, _ = decode_counters(body, 0)
        n_flows = 0xFFFFFFFF if counters.n_flows is None else counters.n_flows
        return AggregateStats(counters.n_packets, counters.n_bytes, n_flows)
    return AggregateStats(*_AGGREGATE.unpack_from(body))

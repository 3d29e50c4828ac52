"""A flow is gone: ``OFPT_FLOW_REMOVED`` in each version, and Nicira's for OpenFlow 1.0."""

from __future__ import annotations

import struct

from vnet.base.units import NS_PER_S
from vnet.ovs.flow.protocols import P_OF10_ANY, P_OF10_STD_ANY
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowRemoved, RemovedReason
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire.flow.oxs import Counters, decode_counters, encode_counters
from vnet.ovs.openflow.wire.flow.parts import known_or_zero, put_nxm, take_nxm
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import NXT_FLOW_REMOVED, OFPT_FLOW_REMOVED
from vnet.ovs.openflow.wire.match import decode_match, encode_match
from vnet.ovs.openflow.wire.packing import pack

_OF10 = struct.Struct("!QHBxIIH2xQQ")
_NX = struct.Struct("!QHBBIIHHQQ")
_OF11 = struct.Struct("!QHBBIIHHQQ")
_OF15 = struct.Struct("!BBHHHQ")


def encode_flow_removed(removed: FlowRemoved, protocol: int) -> bytes:
    """The message that tells of it by a protocol (ofputil_encode_flow_removed)."""
    version = version_of(protocol)
    reason = removed.reason
    if reason == RemovedReason.METER_DELETE and version < OpenFlowVersion.OF14:
        reason = RemovedReason.DELETE
    if version is OpenFlowVersion.OF15:
        return pack(OFPT_FLOW_REMOVED, version, 0, _encode_openflow15(removed, reason))
    duration = divmod(removed.duration_ns, NS_PER_S)
    about = (removed.cookie, removed.priority, reason)
    if not protocol & P_OF10_ANY:
        head = _OF11.pack(
            *about,
            removed.table_id,
            *duration,
            removed.idle_timeout_s,
            removed.hard_timeout_s,
            removed.n_packets,
            removed.n_bytes,
        )
        return pack(OFPT_FLOW_REMOVED, version, 0, head + encode_match(removed.match, version))
    if protocol & P_OF10_STD_ANY:
        tail = _OF10.pack(
            *about,
            *duration,
            removed.idle_timeout_s,
            known_or_zero(removed.n_packets),
            known_or_zero(removed.n_bytes),
        )
        return pack(OFPT_FLOW_REMOVED, version, 0, encode_match(removed.match, version) + tail)
    n_match_bytes, match = put_nxm(removed.match)
    head = _NX.pack(
        *about,
        removed.table_id + 1 & 0xFF,
        *duration,
        removed.idle_timeout_s,
        n_match_bytes,
        removed.n_packets,
        removed.n_bytes,
    )
    return pack(NXT_FLOW_REMOVED, version, 0, head + match)


def _encode_openflow15(removed: FlowRemoved, reason: int) -> bytes:
    head = _OF15.pack(
        removed.table_id,
        reason,
        removed.priority,
        removed.idle_timeout_s,
        removed.hard_timeout_s,
        removed.cookie,
    )
    counters = Counters(removed.duration_ns, None, removed.n_packets, removed.n_bytes)
    match = encode_match(removed.match, OpenFlowVersion.OF15)
    return head + match + encode_counters(counters)


def decode_flow_removed(body: bytes, kind: Kind, version: OpenFlowVersion) -> FlowRemoved:
    """What a message says (ofputil_decode_flow_removed). Raises :class:`OpenFlowError`."""
    if kind is NXT_FLOW_REMOVED:
        return _decode_nx(body)
    if version is OpenFlowVersion.OF10:
        return _decode_openflow10(body)
    if version is OpenFlowVersion.OF15:
        return _decode_openflow15(body)
    cookie, priority, reason, table_id, seconds, rest_ns, idle, hard, n_packets, n_bytes = (
        _OF11.unpack_from(body)
    )
    match, _ = decode_match(body, _OF11.size, version, openflow_full=True)
    duration_ns = seconds * NS_PER_S + rest_ns
    return FlowRemoved(
        match, priority, reason, cookie, table_id, duration_ns, idle, hard, n_packets, n_bytes
    )


def _decode_openflow10(body: bytes) -> FlowRemoved:
    match, end = decode_match(body, 0, OpenFlowVersion.OF10)
    cookie, priority, reason, seconds, rest_ns, idle, n_packets, n_bytes = _OF10.unpack_from(
        body, end
    )
    duration_ns = seconds * NS_PER_S + rest_ns
    return FlowRemoved(
        match, priority, reason, cookie, TABLE_ALL, duration_ns, idle, 0, n_packets, n_bytes
    )


def _decode_nx(body: bytes) -> FlowRemoved:
    cookie, priority, reason, table, seconds, rest_ns, idle, n_match_bytes, n_packets, n_bytes = (
        _NX.unpack_from(body)
    )
    match, _, _, end = take_nxm(body, _NX.size, n_match_bytes, openflow_full=True)
    if end != len(body):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    table_id = table - 1 if table else TABLE_ALL
    duration_ns = seconds * NS_PER_S + rest_ns
    return FlowRemoved(
        match, priority, reason, cookie, table_id, duration_ns, idle, 0, n_packets, n_bytes
    )


def _decode_openflow15(body: bytes) -> FlowRemoved:
    table_id, reason, priority, idle, hard, cookie = _OF15.unpack_from(body)
    match, end = decode_match(body, _OF15.size, OpenFlowVersion.OF15, openflow_full=True)
    counters, _ = decode_counters(body, end)
    return FlowRemoved(
        match,
        priority,
        reason,
        cookie,
        table_id,
        counters.duration_ns or 0,
        idle,
        hard,
        counters.n_packets,
        counters.n_bytes,
    )

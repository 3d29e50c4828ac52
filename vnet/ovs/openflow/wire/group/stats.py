"""Which groups are asked about, what they have seen, and what groups there may be."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    GROUP_ALL,
    GroupCapabilities,
    GroupFeatures,
    GroupLimits,
    GroupStats,
    GroupType,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.group.group_mod import has_numbered_buckets
from vnet.ovs.openflow.wire.kinds import NXST_GROUP_REPLY, OFPST_GROUP_REPLY
from vnet.ovs.openflow.wire.packing import room_for_entries
from vnet.ovs.openflow.wire.parts.counters import duration, duration_ns
from vnet.ovs.openflow.wire.parts.feature_bits import action_bits, actions_of

_REQUEST = struct.Struct("!I4x")
_STATS11 = struct.Struct("!H2xII4xQQ")
_DURATION = struct.Struct("!II")
_BUCKET = struct.Struct("!QQ")
_FEATURES = struct.Struct("!II4I4I")

_WITHOUT_DURATION = (OpenFlowVersion.OF11, OpenFlowVersion.OF12)


def encode_group_request(group_id: int) -> bytes:
    """The body of a request for what groups have seen, and of some for descriptions."""
    return _REQUEST.pack(group_id)


def decode_group_request(body: bytes) -> int:
    """The other way round."""
    return int(_REQUEST.unpack(body)[0])


def encode_group_desc_request(group_id: int, version: OpenFlowVersion) -> bytes:
    """The body of a request for descriptions; in 1.1 to 1.4 those are of all groups."""
    return encode_group_request(group_id) if has_numbered_buckets(version) else b""


def decode_group_desc_request(body: bytes, version: OpenFlowVersion) -> int:
    """The other way round."""
    return decode_group_request(body) if has_numbered_buckets(version) else GROUP_ALL


def encode_group_stats(stats: GroupStats, version: OpenFlowVersion) -> bytes:
    """An entry of the reply; nothing where no message has room for it."""
    buckets = b"".join(_BUCKET.pack(*seen) for seen in stats.buckets)
    age = b"" if version in _WITHOUT_DURATION else _DURATION.pack(*duration(stats.duration_ns))
    n_bytes = _STATS11.size + len(age) + len(buckets)
    kind = NXST_GROUP_REPLY if version is OpenFlowVersion.OF10 else OFPST_GROUP_REPLY
    if n_bytes > room_for_entries(kind, version):
        return b""
    head = _STATS11.pack(n_bytes, stats.group_id, stats.ref_count, stats.n_packets, stats.n_bytes)
    return head + age + buckets


def decode_group_stats(body: bytes, version: OpenFlowVersion) -> tuple[GroupStats, ...]:
    """All entries of a reply. Raises :class:`OpenFlowError`."""
    with_age = version not in _WITHOUT_DURATION
    head_bytes = _STATS11.size + _DURATION.size * with_age
    entries, offset = [], 0
    while offset < len(body):
        room_bytes = len(body) - offset
        if room_bytes < head_bytes:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        n_bytes, group_id, ref_count, n_packets, n_octets = _STATS11.unpack_from(body, offset)
        if not head_bytes <= n_bytes <= room_bytes or (n_bytes - head_bytes) % _BUCKET.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        age_ns = None
        if with_age:
            age_ns = duration_ns(*_DURATION.unpack_from(body, offset + _STATS11.size))
        buckets = tuple(_BUCKET.iter_unpack(body[offset + head_bytes : offset + n_bytes]))
        entries.append(GroupStats(group_id, ref_count, n_packets, n_octets, age_ns, buckets))
        offset += n_bytes
    return tuple(entries)


def encode_group_features(features: GroupFeatures, version: OpenFlowVersion) -> bytes:
    """The body of the reply."""
    limits = [features.types.get(kind) for kind in GroupType]
    types = sum(1 << number for number, limit in enumerate(limits) if limit is not None)
    return _FEATURES.pack(
        *(types, features.capabilities),
        *(0 if limit is None else limit.max_groups for limit in limits),
        *(0 if limit is None else action_bits(limit.actions, version) for limit in limits),
    )


def decode_group_features(body: bytes, version: OpenFlowVersion) -> GroupFeatures:
    """The other way round."""
    types, capabilities, *numbers = _FEATURES.unpack(body)
    limits = {
        kind: GroupLimits(numbers[number], actions_of(numbers[4 + number], version))
        for number, kind in enumerate(GroupType)
        if types >> number & 1
    }
    return GroupFeatures(limits, GroupCapabilities(capabilities))

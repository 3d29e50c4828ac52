"""Buckets of groups. In 1.5, and in Nicira's messages for 1.0, they have numbers and properties."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import BUCKET_MAX, GROUP_ANY, Bucket, GroupType
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import decode_actions, encode_actions
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11
from vnet.ovs.openflow.wire.parts.properties import (
    Property,
    properties,
    put_u16,
    put_u32,
    refuse_unknown,
)

_BUCKET11 = struct.Struct("!HHII4x")
_BUCKET15 = struct.Struct("!HHI")

_WEIGHT, _WATCH_PORT, _WATCH_GROUP = range(3)
_MOST_BYTES = 0xFFFF


def encode_buckets11(buckets: Iterable[Bucket], version: OpenFlowVersion) -> bytes:
    """Buckets in 1.1 to 1.4, which know them by their order alone. Raises
    :class:`OpenFlowError`, as :func:`encode_buckets15` does, for actions that cannot be said.
    """
    return b"".join(_encode11(bucket, version) for bucket in buckets)


def _encode11(bucket: Bucket, version: OpenFlowVersion) -> bytes:
    actions = encode_actions(bucket.actions, version)
    watch_port = port_to_of11(bucket.watch_port)
    n_bytes = _checked(_BUCKET11.size + len(actions))
    return _BUCKET11.pack(n_bytes, bucket.weight, watch_port, bucket.watch_group) + actions


def encode_buckets15(
    buckets: tuple[Bucket, ...], group_type: GroupType, version: OpenFlowVersion
) -> bytes:
    """Buckets in 1.5 and, by Nicira, 1.0. Those without a number get one."""
    return b"".join(
        _encode15(bucket, number, group_type, version)
        for bucket, number in zip(buckets, _numbers(buckets), strict=True)
    )


def _numbers(buckets: tuple[Bucket, ...]) -> list[int]:
    """A number for each: those without get the lowest that neither they nor one that stands behind
    the first of them has."""
    numbers: list[int] = []
    taken: set[int] | None = None
    free = 0
    for at, bucket in enumerate(buckets):
        number = bucket.bucket_id
        if number > BUCKET_MAX:
            if taken is None:
                taken = {other.bucket_id for other in buckets[at + 1 :]}
            while free in taken:
                free += 1
            number, free = free, free + 1
        numbers.append(number)
    return numbers


def _encode15(
    bucket: Bucket, number: int, group_type: GroupType, version: OpenFlowVersion
) -> bytes:
    actions = encode_actions(bucket.actions, version)
    props = b""
    if group_type is GroupType.SELECT or bucket.weight:
        props += put_u16(_WEIGHT, bucket.weight)
    if bucket.watch_port != OFPP_NONE:
        props += put_u32(_WATCH_PORT, port_to_of11(bucket.watch_port))
    if bucket.watch_group != GROUP_ANY:
        props += put_u32(_WATCH_GROUP, bucket.watch_group)
    n_bytes = _checked(_BUCKET15.size + len(actions) + len(props))
    return _BUCKET15.pack(n_bytes, len(actions), number) + actions + props


def _checked(n_bytes: int) -> int:
    """Actions may be longer in one version than in another, and too long."""
    if n_bytes > _MOST_BYTES:
        raise OpenFlowError("OFPBAC_BAD_LEN")
    return n_bytes


def decode_buckets11(
    data: bytes,
    version: OpenFlowVersion,
    *,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> tuple[Bucket, ...]:
    """Buckets in 1.1 to 1.4, which are counted. Raises :class:`OpenFlowError`."""
    buckets: list[Bucket] = []
    offset = 0
    while offset < len(data):
        end = _bucket_end(data, offset, _BUCKET11)
        _, weight, watch_port, watch_group = _BUCKET11.unpack_from(data, offset)
        actions = decode_actions(
            data[offset + _BUCKET11.size : end],
            version,
            allows_debug=allows_debug,
            openflow_full=openflow_full,
        )
        buckets.append(Bucket(len(buckets), actions, weight, _watched(watch_port), watch_group))
        offset = end
    return tuple(buckets)


def decode_buckets15(
    data: bytes,
    is_select: bool,
    version: OpenFlowVersion,
    *,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> tuple[Bucket, ...]:
    """Buckets in 1.5 and, by Nicira, 1.0. Raises :class:`OpenFlowError`."""
    buckets: list[Bucket] = []
    offset = 0
    while offset < len(data):
        end = _bucket_end(data, offset, _BUCKET15)
        n_bytes, actions_bytes, number = _BUCKET15.unpack_from(data, offset)
        start = offset + _BUCKET15.size
        room_bytes = n_bytes - _BUCKET15.size
        if actions_bytes > room_bytes:
            raise _bad_bucket(
                f"OpenFlow message bucket actions length {actions_bytes} exceeds remaining "
                f"bucket data size {room_bytes}"
            )
        actions_end = start + actions_bytes
        actions = decode_actions(
            data[start:actions_end],
            version,
            allows_debug=allows_debug,
            openflow_full=openflow_full,
        )
        told = {_WEIGHT: int(is_select), _WATCH_PORT: port_to_of11(OFPP_NONE)}
        told |= dict(map(_setting, properties(data[actions_end:end])))
        watch_port = _watched(told[_WATCH_PORT])
        if number > BUCKET_MAX:
            raise _bad_bucket(f"bucket id ({number}) is out of range")
        watch_group = told.get(_WATCH_GROUP, GROUP_ANY)
        buckets.append(Bucket(number, actions, told[_WEIGHT], watch_port, watch_group))
        offset = end
    if len({bucket.bucket_id for bucket in buckets}) < len(buckets):
        raise _bad_bucket("Duplicate bucket id")
    return tuple(buckets)


def _setting(one: Property) -> tuple[int, int]:
    if one.type == _WEIGHT:
        return one.type, one.u16()
    if one.type in (_WATCH_PORT, _WATCH_GROUP):
        return one.type, one.u32()
    raise refuse_unknown(one.type, "ofp_group", "group bucket")


def _bucket_end(data: bytes, offset: int, layout: struct.Struct) -> int:
    room_bytes = len(data) - offset
    if room_bytes < layout.size:
        raise _bad_bucket(f"buckets end with {room_bytes} leftover bytes")
    n_bytes = layout.unpack_from(data, offset)[0]
    if n_bytes < layout.size:
        raise _bad_bucket(f"OpenFlow message bucket length {n_bytes} is not valid")
    if n_bytes > room_bytes:
        raise _bad_bucket(
            f"OpenFlow message bucket length {n_bytes} exceeds remaining buckets data size "
            f"{room_bytes}"
        )
    return offset + int(n_bytes)


def _watched(number: int) -> OfpPort:
    try:
        return port_from_of11(number)
    except OpenFlowError as error:
        raise OpenFlowError("OFPGMFC_BAD_WATCH", warning=error.warning) from None


def _bad_bucket(text: str) -> OpenFlowError:
    return OpenFlowError("OFPGMFC_BAD_BUCKET", warning=("ofp_group", text))

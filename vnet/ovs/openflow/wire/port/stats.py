"""What ports count (OFPST_PORT). From 1.4 on a part of that is in properties, and Intel's say what
RFC 2819 counts and what else a driver does."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import PortCounters, RmonCounters
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.parts.counters import counter, counter_of, duration, duration_ns
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11
from vnet.ovs.openflow.wire.parts.properties import Property, experimenter_type, properties, put

_OF10, _, _, _OF13, _OF14, _ = OpenFlowVersion

_STATS10 = struct.Struct("!H6x12Q")
_STATS11 = struct.Struct("!I4x12Q")
_DURATION = struct.Struct("!II")
_STATS14 = struct.Struct("!H2xIII8Q")
_ETHERNET_STATS = struct.Struct("!4x4Q")
_RMON_STATS = struct.Struct("!4x21Q")
_CUSTOM_STATS = struct.Struct("!2xH")
_VALUE = struct.Struct("!Q")

_ETHERNET = 0
_INTEL_VENDOR = 0x0000AA01
_RMON = experimenter_type(_INTEL_VENDOR, 1)
_CUSTOM = experimenter_type(_INTEL_VENDOR, 2)

_COMMON = tuple(
    f"{way}_{what}" for what in ("packets", "bytes", "dropped", "errors") for way in ("rx", "tx")
)
_DETAILS = ("rx_frame_errors", "rx_over_errors", "rx_crc_errors", "collisions")
_RMON_NAMES = tuple(field.name for field in fields(RmonCounters))
_MOST_NAME_BYTES = 63
"""What Open vSwitch keeps of a counter's name."""


def encode_port_stats(stats: PortCounters, version: OpenFlowVersion) -> bytes:
    """An entry of the reply."""
    common = [counter(getattr(stats, name)) for name in _COMMON]
    details = [counter(getattr(stats, name)) for name in _DETAILS]
    if version is _OF10:
        return _STATS10.pack(stats.port, *common, *details)
    number = port_to_of11(stats.port)
    if version < _OF14:
        body = _STATS11.pack(number, *common, *details)
        return body + _DURATION.pack(*duration(stats.duration_ns)) if version is _OF13 else body
    rmon = (counter(getattr(stats.rmon, name)) for name in _RMON_NAMES)
    props = put(_ETHERNET, _ETHERNET_STATS.pack(*details)) + put(_RMON, _RMON_STATS.pack(*rmon))
    if stats.custom:
        props += put(_CUSTOM, _encode_custom(stats.custom))
    n_bytes = _STATS14.size + len(props)
    return _STATS14.pack(n_bytes, number, *duration(stats.duration_ns), *common) + props


def decode_port_stats(body: bytes, version: OpenFlowVersion) -> tuple[PortCounters, ...]:
    """All entries of a reply. Raises :class:`OpenFlowError`."""
    entries, offset = [], 0
    while offset < len(body):
        if version >= _OF14:
            entry, offset = _decode14(body, offset)
        else:
            entry, offset = _decode(body, offset, version)
        entries.append(entry)
    return tuple(entries)


def _decode(body: bytes, offset: int, version: OpenFlowVersion) -> tuple[PortCounters, int]:
    layout = _STATS10 if version is _OF10 else _STATS11
    with_duration = version is _OF13
    end = offset + layout.size + _DURATION.size * with_duration
    if end > len(body):
        text = f"OFPST_PORT reply has {len(body) - offset} leftover bytes at end"
        raise OpenFlowError("OFPBRC_BAD_LEN", warning=("ofp_port", text))
    number, *numbers = layout.unpack_from(body, offset)
    port = OfpPort(number) if version is _OF10 else port_from_of11(number)
    age_ns = None
    if with_duration:
        age_ns = duration_ns(*_DURATION.unpack_from(body, offset + layout.size))
    return PortCounters(port, duration_ns=age_ns, **_named(_COMMON + _DETAILS, numbers)), end


def _decode14(body: bytes, offset: int) -> tuple[PortCounters, int]:
    if len(body) - offset < _STATS14.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    n_bytes, number, seconds, nanoseconds, *common = _STATS14.unpack_from(body, offset)
    end = offset + n_bytes
    if n_bytes < _STATS14.size or end > len(body):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    port = port_from_of11(number)
    named = _named(_COMMON, common)
    rmon = RmonCounters()
    custom: tuple[tuple[str, int], ...] = ()
    for one in properties(body[offset + _STATS14.size : end]):
        if one.type == _ETHERNET:
            named |= _named(_DETAILS, _numbers(_ETHERNET_STATS, one))
        elif one.type == _RMON:
            rmon = RmonCounters(**_named(_RMON_NAMES, _numbers(_RMON_STATS, one)))
        elif one.type == _CUSTOM:
            custom = _decode_custom(one.value)
    age_ns = duration_ns(seconds, nanoseconds)
    return PortCounters(port, duration_ns=age_ns, rmon=rmon, custom=custom, **named), end


def _numbers(layout: struct.Struct, one: Property) -> Sequence[int]:
    if len(one.value) != layout.size:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    return layout.unpack(one.value)


def _named(names: Iterable[str], numbers: Iterable[int]) -> dict[str, Any]:
    return {name: counter_of(number) for name, number in zip(names, numbers, strict=True)}


def _encode_custom(custom: tuple[tuple[str, int], ...]) -> bytes:
    data = bytearray(_CUSTOM_STATS.pack(len(custom)))
    for name, value in custom:
        text = name.encode("utf-8", "surrogateescape")[:_MOST_NAME_BYTES]
        data += bytes([len(text)]) + text + _VALUE.pack(value)
    return bytes(data)


def _decode_custom(value: bytes) -> tuple[tuple[str, int], ...]:
    if len(value) < _CUSTOM_STATS.size:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    custom, at = [], _CUSTOM_STATS.size
    for _ in range(_CUSTOM_STATS.unpack_from(value)[0]):
        name_end = at + 1 + (value[at] if at < len(value) else 0)
        if name_end + _VALUE.size > len(value):
            raise OpenFlowError("OFPBPC_BAD_LEN")
        name = value[at + 1 : min(name_end, at + 1 + _MOST_NAME_BYTES)].partition(b"\0")[0]
        (number,) = _VALUE.unpack_from(value, name_end)
        custom.append((name.decode("utf-8", "surrogateescape"), number))
        at = name_end + _VALUE.size
    return tuple(custom)

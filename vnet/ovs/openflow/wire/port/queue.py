"""Queues: how they are set up (OFPT_QUEUE_GET_CONFIG, from 1.4 on OFPST_QUEUE_DESC), and what they
have sent (OFPST_QUEUE)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from vnet.ovs.flow.ports import OFPP_ALL, OFPP_MAX, OFPP_NONE, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import QueueConfig, QueueRequest, QueueStats
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.parts.counters import counter, counter_of, duration, duration_ns
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11
from vnet.ovs.openflow.wire.parts.properties import properties, put_u16

_OF10, _OF11, _OF12, _OF13, _OF14, _ = OpenFlowVersion

_PORT10 = struct.Struct("!H2x")
_PORT11 = struct.Struct("!I4x")
_REPLY10 = struct.Struct("!H6x")
_REPLY11 = struct.Struct("!I4x")
_REQUEST10 = struct.Struct("!H2xI")
_REQUEST11 = struct.Struct("!II")
_QUEUE10 = struct.Struct("!IH2x")
_QUEUE12 = struct.Struct("!IIH6x")
_RATE10 = struct.Struct("!HH4xH6x")
_RATE_HEADER = struct.Struct("!HH4x")
_DESC = struct.Struct("!IIH6x")
_STATS10 = struct.Struct("!H2xI3Q")
_STATS11 = struct.Struct("!II3Q")
_DURATION = struct.Struct("!II")
_STATS14 = struct.Struct("!H6x")

_MIN_RATE, _MAX_RATE = 1, 2
_UNKNOWN_RATE = 0xFFFF


# -- how they are set up


def encode_queue_config_request(request: QueueRequest, version: OpenFlowVersion) -> bytes:
    """The body of a request; up to 1.3 it is about all queues of a port."""
    if version is _OF10:
        return _PORT10.pack(request.port)
    if version < _OF14:
        return _PORT11.pack(port_to_of11(request.port))
    return _REQUEST11.pack(port_to_of11(request.port), request.queue)


def decode_queue_config_request(body: bytes, version: OpenFlowVersion) -> QueueRequest:
    """The other way round. Raises :class:`OpenFlowError`; 1.0 cannot ask about all ports."""
    if version >= _OF14:
        number, queue = _REQUEST11.unpack(body)
        return QueueRequest(port_from_of11(number), queue)
    if version is _OF10:
        port = OfpPort(_PORT10.unpack(body)[0])
    else:
        port = port_from_of11(_PORT11.unpack(body)[0])
        if port == OFPP_NONE:
            return QueueRequest(port)
    if port >= OFPP_MAX:
        raise OpenFlowError("OFPQOFC_BAD_PORT")
    return QueueRequest(port)


def encode_queue_configs(
    port: OfpPort, configs: Iterable[QueueConfig], version: OpenFlowVersion
) -> bytes:
    """The body of an OFPT_QUEUE_GET_CONFIG_REPLY about ``port`` (up to 1.3)."""
    head = _REPLY10.pack(port) if version is _OF10 else _REPLY11.pack(port_to_of11(port))
    return head + b"".join(_encode_config(config, version) for config in configs)


def _encode_config(config: QueueConfig, version: OpenFlowVersion) -> bytes:
    rates = b"".join(
        _RATE10.pack(kind, _RATE10.size, rate)
        for kind, rate in ((_MIN_RATE, config.min_rate), (_MAX_RATE, config.max_rate))
        if rate is not None
    )
    if version < _OF12:
        return _QUEUE10.pack(config.queue, _QUEUE10.size + len(rates)) + rates
    n_bytes = _QUEUE12.size + len(rates)
    return _QUEUE12.pack(config.queue, port_to_of11(config.port), n_bytes) + rates


def decode_queue_configs(
    body: bytes, version: OpenFlowVersion
) -> tuple[OfpPort, tuple[QueueConfig, ...]]:
    """The other way round. Raises :class:`OpenFlowError`. What 1.2 and 1.3 say of each queue's port
    is passed over, as in Open vSwitch."""
    if version is _OF10:
        port, offset = OfpPort(_REPLY10.unpack_from(body)[0]), _REPLY10.size
    else:
        port, offset = port_from_of11(_REPLY11.unpack_from(body)[0]), _REPLY11.size
    layout = _QUEUE10 if version < _OF12 else _QUEUE12
    configs = []
    while offset < len(body):
        if len(body) - offset < layout.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        queue, *_, n_bytes = layout.unpack_from(body, offset)
        if not layout.size <= n_bytes <= len(body) - offset or n_bytes % 8:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        rates = _decode_rates(body[offset + layout.size : offset + n_bytes])
        configs.append(QueueConfig(port, queue, rates.get(_MIN_RATE), rates.get(_MAX_RATE)))
        offset += n_bytes
    return port, tuple(configs)


def _decode_rates(data: bytes) -> dict[int, int]:
    """These are no properties as others are: everything is a multiple of eight bytes."""
    rates, offset = {}, 0
    while offset < len(data):
        kind, n_bytes = _RATE_HEADER.unpack_from(data, offset)
        if not _RATE_HEADER.size <= n_bytes <= len(data) - offset or n_bytes % 8:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        if kind in (_MIN_RATE, _MAX_RATE):
            if n_bytes != _RATE10.size:
                raise OpenFlowError("OFPBRC_BAD_LEN")
            rates[kind] = _RATE10.unpack_from(data, offset)[2]
        offset += n_bytes
    return {kind: rate for kind, rate in rates.items() if rate != _UNKNOWN_RATE}


def encode_queue_desc(config: QueueConfig) -> bytes:
    """An entry of an OFPST_QUEUE_DESC reply (1.4+)."""
    rates = b"".join(
        put_u16(kind, rate)
        for kind, rate in ((_MIN_RATE, config.min_rate), (_MAX_RATE, config.max_rate))
        if rate is not None
    )
    n_bytes = _DESC.size + len(rates)
    return _DESC.pack(port_to_of11(config.port), config.queue, n_bytes) + rates


def decode_queue_descs(body: bytes) -> tuple[QueueConfig, ...]:
    """All entries of a reply. Raises :class:`OpenFlowError`."""
    configs, offset = [], 0
    while offset < len(body):
        if len(body) - offset < _DESC.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        number, queue, n_bytes = _DESC.unpack_from(body, offset)
        port = port_from_of11(number)
        if not _DESC.size <= n_bytes <= len(body) - offset or n_bytes % 8:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        rates = {
            one.type: one.u16()
            for one in properties(body[offset + _DESC.size : offset + n_bytes])
            if one.type in (_MIN_RATE, _MAX_RATE)
        }
        known = {kind: rate for kind, rate in rates.items() if rate != _UNKNOWN_RATE}
        configs.append(QueueConfig(port, queue, known.get(_MIN_RATE), known.get(_MAX_RATE)))
        offset += n_bytes
    return tuple(configs)


# -- what they have sent


def encode_queue_stats_request(request: QueueRequest, version: OpenFlowVersion) -> bytes:
    """The body of an OFPST_QUEUE request; 1.0 says ALL for every port."""
    if version is _OF10:
        port = OFPP_ALL if request.port == OFPP_NONE else request.port
        return _REQUEST10.pack(port, request.queue)
    return _REQUEST11.pack(port_to_of11(request.port), request.queue)


def decode_queue_stats_request(body: bytes, version: OpenFlowVersion) -> QueueRequest:
    """The other way round. Raises :class:`OpenFlowError`."""
    if version is _OF10:
        number, queue = _REQUEST10.unpack(body)
        return QueueRequest(OFPP_NONE if number == OFPP_ALL else OfpPort(number), queue)
    number, queue = _REQUEST11.unpack(body)
    return QueueRequest(port_from_of11(number), queue)


def encode_queue_stats(stats: QueueStats, version: OpenFlowVersion) -> bytes:
    """An entry of the reply."""
    counters = (
        stats.queue,
        *map(counter, (stats.tx_bytes, stats.tx_packets, stats.tx_errors)),
    )
    if version is _OF10:
        return _STATS10.pack(stats.port, *counters)
    entry = _STATS11.pack(port_to_of11(stats.port), *counters)
    if version < _OF13:
        return entry
    entry += _DURATION.pack(*duration(stats.duration_ns))
    return entry if version is _OF13 else _STATS14.pack(_STATS14.size + len(entry)) + entry


def decode_queue_stats(body: bytes, version: OpenFlowVersion) -> tuple[QueueStats, ...]:
    """All entries of a reply. Raises :class:`OpenFlowError`."""
    layout = _STATS10 if version is _OF10 else _STATS11
    with_duration = version >= _OF13
    entry_bytes = layout.size + _DURATION.size * with_duration
    entries, offset = [], 0
    while offset < len(body):
        start, end = offset, offset + entry_bytes
        if version >= _OF14:
            start, end = offset + _STATS14.size, _end14(body, offset, entry_bytes)
        if end > len(body):
            text = f"OFPST_QUEUE reply has {len(body) - offset} leftover bytes at end"
            raise OpenFlowError("OFPBRC_BAD_LEN", warning=("ofp_queue", text))
        number, queue, *counters = layout.unpack_from(body, start)
        port = OfpPort(number) if version is _OF10 else port_from_of11(number)
        age_ns = None
        if with_duration:
            age_ns = duration_ns(*_DURATION.unpack_from(body, start + layout.size))
        tx_bytes, tx_packets, tx_errors = map(counter_of, counters)
        entries.append(QueueStats(port, queue, tx_bytes, tx_packets, tx_errors, age_ns))
        offset = end
    return tuple(entries)


def _end14(body: bytes, offset: int, entry_bytes: int) -> int:
    """Properties may follow; none are known."""
    if len(body) - offset < _STATS14.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    (n_bytes,) = _STATS14.unpack_from(body, offset)
    if not _STATS14.size + entry_bytes <= n_bytes <= len(body) - offset:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return offset + int(n_bytes)

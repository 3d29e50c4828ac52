"""Meters (1.3+)."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    MeterBand,
    MeterBandType,
    MeterConfig,
    MeterFeatures,
    MeterFlags,
    MeterMod,
    MeterModCommand,
    MeterStats,
)
from vnet.ovs.openflow.wire.parts.counters import duration, duration_ns

_MOD = struct.Struct("!HHI")
_REQUEST = struct.Struct("!I4x")
_BAND = struct.Struct("!HHIIB3x")
_CONFIG = struct.Struct("!HHI")
_STATS = struct.Struct("!IH6xIQQII")
_BAND_STATS = struct.Struct("!QQ")
_FEATURES = struct.Struct("!IIIBB2x")

_COMMANDS = tuple(MeterModCommand)
_BAND_TYPES = {1: MeterBandType.DROP, 2: MeterBandType.DSCP_REMARK}
_BAND_NUMBERS = {kind: number for number, kind in _BAND_TYPES.items()}
_RATES = MeterFlags.KBPS | MeterFlags.PKTPS


def encode_meter_mod(mod: MeterMod) -> bytes:
    """The body of an OFPT_METER_MOD."""
    flags = 0 if mod.command is MeterModCommand.DELETE else mod.flags
    return _MOD.pack(_COMMANDS.index(mod.command), flags, mod.meter_id) + _encode_bands(mod.bands)


def decode_meter_mod(body: bytes) -> MeterMod:
    """The other way round. Raises :class:`OpenFlowError`; to delete takes nothing but a number."""
    command, flags, meter_id = _MOD.unpack_from(body)
    if command >= len(_COMMANDS):
        raise OpenFlowError("OFPMMFC_BAD_COMMAND")
    if _COMMANDS[command] is MeterModCommand.DELETE:
        return MeterMod(MeterModCommand.DELETE, meter_id)
    if flags & _RATES == _RATES:
        raise OpenFlowError("OFPMMFC_BAD_FLAGS")
    bands = _decode_bands(body[_MOD.size :])
    return MeterMod(_COMMANDS[command], meter_id, MeterFlags(flags), bands)


def encode_meter_request(meter_id: int) -> bytes:
    """The body of an OFPST_METER or OFPST_METER_CONFIG request."""
    return _REQUEST.pack(meter_id)


def decode_meter_request(body: bytes) -> int:
    """The other way round."""
    return int(_REQUEST.unpack(body)[0])


def encode_meter_config(config: MeterConfig) -> bytes:
    """An entry of an OFPST_METER_CONFIG reply."""
    bands = _encode_bands(config.bands)
    return _CONFIG.pack(_CONFIG.size + len(bands), config.flags, config.meter_id) + bands


def decode_meter_configs(body: bytes) -> tuple[MeterConfig, ...]:
    """All entries of a reply. Raises :class:`OpenFlowError`."""
    configs, offset = [], 0
    while offset < len(body):
        _need(body, offset, _CONFIG.size, "OFPMP_METER_CONFIG")
        n_bytes, flags, meter_id = _CONFIG.unpack_from(body, offset)
        end = _end(body, offset, n_bytes, _CONFIG.size)
        bands = _decode_bands(body[offset + _CONFIG.size : end])
        configs.append(MeterConfig(meter_id, MeterFlags(flags), bands))
        offset = end
    return tuple(configs)


def encode_meter_stats(stats: MeterStats) -> bytes:
    """An entry of an OFPST_METER reply."""
    bands = b"".join(_BAND_STATS.pack(*counted) for counted in stats.bands)
    return (
        _STATS.pack(
            *(stats.meter_id, _STATS.size + len(bands), stats.n_flows),
            *(stats.n_packets, stats.n_bytes, *duration(stats.duration_ns)),
        )
        + bands
    )


def decode_meter_stats(body: bytes) -> tuple[MeterStats, ...]:
    """All entries of a reply. Raises :class:`OpenFlowError`."""
    entries, offset = [], 0
    while offset < len(body):
        _need(body, offset, _STATS.size, "OFPMP_METER")
        meter_id, n_bytes, n_flows, n_packets, n_octets, *age = _STATS.unpack_from(body, offset)
        end = _end(body, offset, n_bytes, _STATS.size)
        if (n_bytes - _STATS.size) % _BAND_STATS.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        bands = tuple(_BAND_STATS.iter_unpack(body[offset + _STATS.size : end]))
        age_ns = duration_ns(*age) or 0
        entries.append(MeterStats(meter_id, n_flows, n_packets, n_octets, age_ns, bands))
        offset = end
    return tuple(entries)


def encode_meter_features(features: MeterFeatures) -> bytes:
    """The body of an OFPST_METER_FEATURES reply."""
    types = sum(1 << _BAND_NUMBERS[kind] for kind in features.band_types)
    return _FEATURES.pack(
        *(features.max_meters, types, features.capabilities),
        *(features.max_bands, features.max_color),
    )


def decode_meter_features(body: bytes) -> MeterFeatures:
    """The other way round."""
    max_meters, types, capabilities, max_bands, max_color = _FEATURES.unpack(body)
    band_types = frozenset(kind for bit, kind in _BAND_TYPES.items() if types >> bit & 1)
    return MeterFeatures(max_meters, band_types, MeterFlags(capabilities), max_bands, max_color)


def _encode_bands(bands: tuple[MeterBand, ...]) -> bytes:
    return b"".join(
        _BAND.pack(
            *(_BAND_NUMBERS[band.type], _BAND.size, band.rate, band.burst_size, band.prec_level)
        )
        for band in bands
    )


def _decode_bands(data: bytes) -> tuple[MeterBand, ...]:
    """All kinds of bands have the same length."""
    bands = []
    for offset in range(0, len(data) - _BAND.size + 1, _BAND.size):
        kind, n_bytes, rate, burst_size, prec_level = _BAND.unpack_from(data, offset)
        if n_bytes != _BAND.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        if kind not in _BAND_TYPES:
            raise OpenFlowError("OFPMMFC_BAD_BAND")
        band_type = _BAND_TYPES[kind]
        remarks = band_type is MeterBandType.DSCP_REMARK
        bands.append(MeterBand(band_type, rate, burst_size, prec_level if remarks else 0))
    if len(data) % _BAND.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return tuple(bands)


def _need(body: bytes, offset: int, n_bytes: int, name: str) -> None:
    room_bytes = len(body) - offset
    if room_bytes < n_bytes:
        text = f"{name} reply has {room_bytes} leftover bytes at end"
        raise OpenFlowError("OFPBRC_BAD_LEN", warning=("ofp_meter", text))


def _end(body: bytes, offset: int, n_bytes: int, least_bytes: int) -> int:
    if not least_bytes <= n_bytes <= len(body) - offset:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return offset + n_bytes

"""Meters: what they are made of, and how they are changed."""

from __future__ import annotations

from enum import Enum, IntFlag

from vnet.base.record import record


class MeterFlags(IntFlag):
    """OFPMF13_*"""

    NONE = 0
    KBPS = 1
    PKTPS = 2
    BURST = 4
    STATS = 8


class MeterBandType(Enum):
    """OFPMBT13_*; the value is its text."""

    DROP = "drop"
    DSCP_REMARK = "dscp_remark"


@record(frozen=True, slots=True)
class MeterBand:
    """One band: ``rate`` in kbit/s or packets/s as the flags say, ``burst_size`` likewise."""

    type: MeterBandType
    rate: int
    burst_size: int = 0
    prec_level: int = 0


class MeterModCommand(Enum):
    """OFPMC13_*"""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"


METER_ALL = 0xFFFFFFFF
METER_CONTROLLER = 0xFFFFFFFE
METER_SLOWPATH = 0xFFFFFFFD


@record(frozen=True, slots=True)
class MeterMod:
    """Add, change or delete meters."""

    command: MeterModCommand
    meter_id: int
    flags: MeterFlags = MeterFlags.NONE
    bands: tuple[MeterBand, ...] = ()


@record(frozen=True, slots=True)
class MeterConfig:
    """How a meter is set up (OFPST_METER_CONFIG)."""

    meter_id: int
    flags: MeterFlags
    bands: tuple[MeterBand, ...] = ()


@record(frozen=True, slots=True)
class MeterStats:
    """What a meter has counted (OFPST_METER). ``bands`` has packets and bytes over the rate of
    each band; ``n_flows`` are those that go with it."""

    meter_id: int
    n_flows: int
    n_packets: int
    n_bytes: int
    duration_ns: int
    bands: tuple[tuple[int, int], ...] = ()


@record(frozen=True, slots=True)
class MeterFeatures:
    """What meters there may be (OFPST_METER_FEATURES)."""

    max_meters: int
    band_types: frozenset[MeterBandType]
    capabilities: MeterFlags
    max_bands: int
    max_color: int = 0

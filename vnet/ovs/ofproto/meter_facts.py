"""What a bridge tells of its meters, in Open vSwitch's order."""

from __future__ import annotations

from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.meter import MAX_BANDS, MeterEntry, band_types
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    METER_ALL,
    MeterConfig,
    MeterFeatures,
    MeterFlags,
    MeterStats,
)

_MAX_METERS = 1 << 18
_CAPABILITIES = MeterFlags.KBPS | MeterFlags.PKTPS | MeterFlags.BURST | MeterFlags.STATS


def meter_features(bridge: Ofproto) -> MeterFeatures:
    """What meters there may be."""
    types = frozenset(band_types(bridge.openflow_full))
    return MeterFeatures(_MAX_METERS, types, _CAPABILITIES, MAX_BANDS)


def meter_configs(bridge: Ofproto, meter_id: int = METER_ALL) -> list[MeterConfig]:
    """How meters are set up, or one of them. Raises OFPMMFC_UNKNOWN_METER."""
    return [
        MeterConfig(entry.meter_id, entry.flags, entry.bands) for entry in _chosen(bridge, meter_id)
    ]


def meter_stats(bridge: Ofproto, meter_id: int = METER_ALL) -> list[MeterStats]:
    """What meters have counted, or one of them. Raises OFPMMFC_UNKNOWN_METER."""
    return [_stats(bridge, entry) for entry in _chosen(bridge, meter_id)]


def _stats(bridge: Ofproto, entry: MeterEntry) -> MeterStats:
    counted = bridge.meter_pool.stats(entry)
    return MeterStats(
        entry.meter_id,
        len(entry.rules),
        counted.n_packets,
        counted.n_bytes,
        elapsed_ns(entry.created_ns, bridge.scheduler.now_ns),
        tuple((band.n_packets, band.n_bytes) for band in counted.bands),
    )


def _chosen(bridge: Ofproto, meter_id: int) -> list[MeterEntry]:
    if meter_id == METER_ALL:
        return [bridge.meters[number] for number in bridge.meter_order]
    if meter_id not in bridge.meters:
        raise OpenFlowError("OFPMMFC_UNKNOWN_METER")
    return [bridge.meters[meter_id]]

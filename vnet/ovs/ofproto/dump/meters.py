"""Meters as ``ovs-ofctl dump-meters`` and its like list them, in Open vSwitch's order."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.ofproto.meter_facts import meter_configs, meter_features, meter_stats
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import METER_ALL, MeterBandType
from vnet.ovs.openflow.text.flow_print import duration_text
from vnet.ovs.openflow.text.meter import meter_id_text, meter_text


def dump_meter_features(bridge: Ofproto) -> Iterator[str]:
    """What meters there may be (``ovs-ofctl meter-features``)."""
    features = meter_features(bridge)
    types = " ".join(kind.value for kind in MeterBandType if kind in features.band_types)
    yield f"max_meter:{features.max_meters} max_bands:{features.max_bands} max_color:0"
    yield f"band_types: {types}"
    yield "capabilities: kbps pktps burst stats"


def dump_meters(bridge: Ofproto, meter_id: int = METER_ALL) -> Iterator[str]:
    """The configuration of all meters, or of one: a few lines each and an empty one between."""
    for number, config in enumerate(meter_configs(bridge, meter_id)):
        if number:
            yield ""
        yield meter_text(config.meter_id, config.flags, config.bands)


def dump_meter_stats(bridge: Ofproto, meter_id: int = METER_ALL) -> Iterator[str]:
    """What each meter has counted, or one, and what was over the rate of each of its bands: a few
    lines each and an empty one between.
    """
    for position, stats in enumerate(meter_stats(bridge, meter_id)):
        if position:
            yield ""
        yield (
            f"{meter_id_text(stats.meter_id, ':')} flow_count:{stats.n_flows} "
            f"packet_in_count:{stats.n_packets} byte_in_count:{stats.n_bytes} "
            f"duration:{duration_text(stats.duration_ns)} bands:"
        )
        for number, (n_packets, n_bytes) in enumerate(stats.bands):
            yield f"{number}: packet_count:{n_packets} byte_count:{n_bytes}"

"""Meters as ``ovs-ofctl dump-meters`` and its like list them, in Open vSwitch's order."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.meter import MAX_BANDS, MeterEntry, band_types
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import METER_ALL
from vnet.ovs.openflow.text.flow_print import duration_text
from vnet.ovs.openflow.text.meter import meter_id_text, meter_text

_MAX_METER = 1 << 18


def dump_meter_features(bridge: Ofproto) -> Iterator[str]:
    """What meters there may be (``ovs-ofctl meter-features``)."""
    types = " ".join(band_type.value for band_type in band_types(bridge.openflow_full))
    yield f"max_meter:{_MAX_METER} max_bands:{MAX_BANDS} max_color:0"
    yield f"band_types: {types}"
    yield "capabilities: kbps pktps burst stats"


def dump_meters(bridge: Ofproto, meter_id: int = METER_ALL) -> Iterator[str]:
    """The configuration of all meters, or of one: a few lines each and an empty one between."""
    for number, entry in enumerate(_chosen(bridge, meter_id)):
        if number:
            yield ""
        yield meter_text(entry.meter_id, entry.flags, entry.bands)


def dump_meter_stats(bridge: Ofproto, meter_id: int = METER_ALL) -> Iterator[str]:
    """What each meter has counted, or one, and what was over the rate of each of its bands: a few
    lines each and an empty one between.
    """
    now_ns = bridge.scheduler.now_ns
    for position, entry in enumerate(_chosen(bridge, meter_id)):
        if position:
            yield ""
        stats = bridge.meter_pool.stats(entry)
        yield (
            f"{meter_id_text(entry.meter_id, ':')} flow_count:{len(entry.rules)} "
            f"packet_in_count:{stats.n_packets} byte_in_count:{stats.n_bytes} "
            f"duration:{duration_text(elapsed_ns(entry.created_ns, now_ns))} bands:"
        )
        for number, band in enumerate(stats.bands):
            yield f"{number}: packet_count:{band.n_packets} byte_count:{band.n_bytes}"


def _chosen(bridge: Ofproto, meter_id: int) -> list[MeterEntry]:
    order = bridge.meter_order if meter_id == METER_ALL else [meter_id]
    return [bridge.meters[number] for number in order]

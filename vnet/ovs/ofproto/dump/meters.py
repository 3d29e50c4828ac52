"""Meters as ``ovs-ofctl dump-meters`` and ``meter-stats`` list them, in Open vSwitch's order."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_int
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.meter import MeterEntry
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.text.flow_print import duration_text
from vnet.ovs.openflow.text.meter import meter_id_text, meter_text


def dump_meters(bridge: Ofproto) -> Iterator[str]:
    """The configuration of all meters, a few lines each."""
    for entry in _hashed(bridge):
        yield meter_text(entry.meter_id, entry.flags, entry.bands)


def dump_meter_stats(bridge: Ofproto) -> Iterator[str]:
    """What each meter has counted, and what each of its bands dropped: a few lines each."""
    now_ns = bridge.scheduler.now_ns
    for entry in _hashed(bridge):
        stats = bridge.meter_pool.stats(entry)
        yield (
            f"{meter_id_text(entry.meter_id, ':')} flow_count:{len(entry.rules)} "
            f"packet_in_count:{stats.n_packets} byte_in_count:{stats.n_bytes} "
            f"duration:{duration_text(elapsed_ns(entry.created_ns, now_ns))} bands:"
        )
        for number, band in enumerate(stats.bands):
            yield f"{number}: packet_count:{band.n_packets} byte_count:{band.n_bytes}"


def _hashed(bridge: Ofproto) -> list[MeterEntry]:
    """In the order of a hash table."""
    entries = list(bridge.meters.values())
    order = hash_table_order(hash_int(entry.meter_id, 0) for entry in entries)
    return [entries[position] for position in order]

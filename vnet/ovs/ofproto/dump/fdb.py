"""Learned stations as ``ovs-appctl fdb/show`` and ``fdb/stats-show`` list them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.names import port_text
from vnet.ovs.ofproto.ofproto import Ofproto


def dump_fdb(bridge: Ofproto) -> Iterator[str]:
    """A heading, and a line for each station, the least recently heard first."""
    bridge.before_reading_stats()
    now_ns = bridge.scheduler.now_ns
    yield " port  VLAN  MAC                Age"
    for entry in bridge.switching.mac_table:
        port = port_text(entry.port.ports[0].number)
        mac = entry.mac.to_bytes(6, "big").hex(":")
        age = "static" if entry.is_static else f"{entry.age_s(now_ns):3}"
        yield f"{port:>5}  {entry.vlan:4}  {mac}  {age}"


def dump_fdb_stats(bridge: Ofproto) -> Iterator[str]:
    """How full the table is, and what became of its entries."""
    bridge.before_reading_stats()
    table = bridge.switching.mac_table
    yield f'Statistics for bridge "{bridge.name}":'
    yield f"  Current/maximum MAC entries in the table: {len(table)}/{table.max_entries}"
    yield f"  Current static MAC entries in the table : {table.n_static}"
    yield f"  Total number of learned MAC entries     : {table.total_learned}"
    yield f"  Total number of expired MAC entries     : {table.total_expired}"
    yield f"  Total number of evicted MAC entries     : {table.total_evicted}"
    yield f"  Total number of port moved MAC entries  : {table.total_moved}"

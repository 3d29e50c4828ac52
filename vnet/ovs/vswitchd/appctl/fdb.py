"""``fdb/...``: the stations that bridges have learned."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vnet.ovs.flow.address_text import scan_mac
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import port_text
from vnet.ovs.ofproto.dump.fdb import dump_fdb, dump_fdb_stats
from vnet.ovs.vswitchd.appctl.command import bridge_named, bridges_named
from vnet.ovs.vswitchd.reconcile import Vswitchd

_NUMBER = re.compile(r"\s*([-+]?[0-9]+)")
_UINT16_ONES = 0xFFFF


def show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/show bridge``."""
    return "\n".join(dump_fdb(bridge_named(vswitchd, words[0])))


def stats_show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/stats-show bridge``."""
    return "\n".join(dump_fdb_stats(bridge_named(vswitchd, words[0])))


def flush(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/flush [bridge]``."""
    for bridge in bridges_named(vswitchd, words):
        bridge.before_reading_stats()
        bridge.switching.mac_table.flush()
    vswitchd.backer.revalidator.settle()
    return "table successfully flushed"


def add(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/add bridge port vlan mac``: a station that neither ages nor moves."""
    bridge = bridge_named(vswitchd, words[0])
    name = words[1]
    mac, vlan = _mac(words[3]), _vlan(words[2])
    port = bridge.port_by_name(name)
    if port is None:
        raise OvsTextError("software error, odp port is present but no ofp port")
    now_ns = bridge.scheduler.now_ns
    table = bridge.switching.mac_table
    bundle = bridge.switching.bundle_of(port.number)
    entry = table.lookup(mac, vlan, now_ns)
    overridden = ""
    if entry is not None and (entry.port.name != name or not entry.is_static):
        kind = "static" if entry.is_static else "dynamic"
        number = port_text(entry.port.ports[0].number)
        overridden = f"Overriding already existing {kind} entry on {number}"
    if bundle is None or vlan in table.flood_vlans:
        raise OvsTextError("could not add static mac entry")
    table.add_static(mac, vlan, bundle, now_ns)
    vswitchd.backer.revalidator.settle()
    return overridden


def delete(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/del bridge vlan mac``."""
    table = bridge_named(vswitchd, words[0]).switching.mac_table
    if not table.remove_static(_mac(words[2]), _vlan(words[1])):
        raise OvsTextError("could not find static mac entry")
    vswitchd.backer.revalidator.settle()
    return ""


def clear_stats(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``fdb/stats-clear [bridge]``."""
    for bridge in bridges_named(vswitchd, words):
        bridge.before_reading_stats()
        bridge.switching.mac_table.clear_totals()
    return "statistics successfully cleared"


def _mac(text: str) -> int:
    scanned = scan_mac(text, 0)
    if scanned is None or scanned[1] != len(text):
        raise OvsTextError("bad MAC address")
    return scanned[0]


def _vlan(text: str) -> int:
    found = _NUMBER.match(text)
    return int(found[1]) & _UINT16_ONES if found else 0

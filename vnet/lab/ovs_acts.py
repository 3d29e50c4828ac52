"""What a scenario does to a bridge of Open vSwitch, and what it reads there.

A change that the bridge refuses raises its :class:`~vnet.base.errors.VnetError`, and nothing has
changed then, but that meters are changed one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from vnet.lab.network import Network
from vnet.lab.ovs_commands import BridgeCommands
from vnet.ovs.flow.names import Names
from vnet.ovs.ofproto.names import names_of
from vnet.ovs.ofproto.rules.selection import selection_of
from vnet.ovs.openflow.messages import (
    FlowMod,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    MeterMod,
    MeterModCommand,
)
from vnet.ovs.openflow.text.files import Source, parse_flows, parse_groups
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.topology.scenario.ovs_steps import (
    BondStep,
    Changes,
    FlowsStep,
    GroupsStep,
    MegaflowsStep,
    MetersStep,
    OvsStep,
    TablesStep,
)

_MEGAFLOW_STATS = re.compile("packets:([0-9]+), bytes:([0-9]+)")


def ovs_act(network: Network, step: OvsStep) -> dict[str, Any]:
    """Do a step, and return what it reports."""
    commands = network.switch(step.node, step.bridge).commands
    assert commands is not None, f"validation let {step.switch} through"
    if isinstance(step, FlowsStep):
        _send(commands, flow_mods(step.changes, names_of(commands.bridge)))
        return _flows(commands, step)
    if isinstance(step, GroupsStep):
        _send(commands, group_mods(step.changes, names_of(commands.bridge)))
        return _groups(commands, step)
    if isinstance(step, MetersStep):
        _send(commands, meter_mods(step.changes))
        return _meters(commands, step)
    if isinstance(step, TablesStep):
        return _tables(commands, step)
    if isinstance(step, BondStep):
        return _bond(commands, step)
    assert isinstance(step, MegaflowsStep), step
    return _megaflows(commands, step)


# -- changes


def flow_mods(changes: Changes, names: Names) -> list[FlowMod]:
    """What a bridge is sent for changes of flows."""
    delete, modify = FlowModCommand.DELETE, FlowModCommand.MODIFY
    if changes.is_strict:
        delete, modify = FlowModCommand.DELETE_STRICT, FlowModCommand.MODIFY_STRICT
    return [
        *(parse_flow(text, delete, names) for text in changes.delete),
        *(parse_flow(text, modify, names) for text in changes.modify),
        *parse_flows(Source("\n".join(changes.add)), names),
    ]


def group_mods(changes: Changes, names: Names) -> list[GroupMod]:
    """What a bridge is sent for changes of groups."""
    return [
        *(parse_group(text, GroupModCommand.DELETE, names) for text in changes.delete),
        *(parse_group(text, GroupModCommand.MODIFY, names) for text in changes.modify),
        *parse_groups(Source("\n".join(changes.add)), names),
    ]


def meter_mods(changes: Changes) -> list[MeterMod]:
    """What a bridge is sent for changes of meters."""
    return [
        *(parse_meter(text, MeterModCommand.DELETE) for text in changes.delete),
        *(parse_meter(text, MeterModCommand.MODIFY) for text in changes.modify),
        *(parse_meter(text, MeterModCommand.ADD) for text in changes.add),
    ]


def _send(commands: BridgeCommands, mods: Iterable[FlowMod | GroupMod | MeterMod]) -> None:
    commands.machine.send(commands.name, mods)


# -- counters


def _flows(commands: BridgeCommands, step: FlowsStep) -> dict[str, Any]:
    bridge = commands.bridge
    wanted = parse_flow(step.match, FlowModCommand.DELETE, names_of(bridge))
    rules = list(bridge.flows(selection_of(wanted, is_strict=False, by_output=True)))
    return {
        "flows": len(rules),
        "n_packets": sum(rule.n_packets for rule in rules),
        "n_bytes": sum(rule.n_bytes for rule in rules),
    }


_EntryT = TypeVar("_EntryT")


def _chosen(entries: dict[int, _EntryT], number: int | None) -> list[_EntryT]:
    return [entry for key, entry in entries.items() if number in (None, key)]


def _groups(commands: BridgeCommands, step: GroupsStep) -> dict[str, Any]:
    commands.bridge.before_reading_stats()
    groups = _chosen(commands.bridge.groups, step.group)
    found = {
        "groups": len(groups),
        "packet_count": sum(group.n_packets for group in groups),
        "byte_count": sum(group.n_bytes for group in groups),
    }
    if step.group is not None:
        buckets = [seen for group in groups for seen in group.bucket_stats]
        found |= _parts("bucket", buckets)
    return found


def _meters(commands: BridgeCommands, step: MetersStep) -> dict[str, Any]:
    bridge = commands.bridge
    meters = _chosen(bridge.meters, step.meter)
    stats = [bridge.meter_pool.stats(meter) for meter in meters]
    found = {
        "meters": len(meters),
        "flow_count": sum(len(meter.rules) for meter in meters),
        "packet_in_count": sum(seen.n_packets for seen in stats),
        "byte_in_count": sum(seen.n_bytes for seen in stats),
    }
    if step.meter is not None:
        found |= _parts("band", [band for seen in stats for band in seen.bands])
    return found


def _parts(kind: str, counted: Iterable[Any]) -> dict[str, int]:
    """The counters of the buckets of a group, or of the bands of a meter."""
    found = {}
    for number, seen in enumerate(counted):
        found[f"{kind}{number}:packet_count"] = seen.n_packets
        found[f"{kind}{number}:byte_count"] = seen.n_bytes
    return found


def _tables(commands: BridgeCommands, step: TablesStep) -> dict[str, Any]:
    commands.bridge.before_reading_stats()
    tables = [table for table in commands.bridge.tables if not table.is_internal]
    if step.table is not None:
        tables = [tables[step.table]]
    return {
        "active": sum(len(table) for table in tables),
        "lookup": sum(table.n_lookups for table in tables),
        "matched": sum(table.n_matched for table in tables),
    }


def _bond(commands: BridgeCommands, step: BondStep) -> dict[str, Any]:
    bond = commands.bridge.switching.bundles[step.port].bond
    assert bond is not None, f"validation let {step.port} through"
    members = list(bond.members.values())
    return {
        "links": len(members),
        "enabled": sum(member.enabled for member in members),
        "active": "none" if bond.active is None else bond.active.name,
        "lacp": bond.negotiation.value,
    }


def _megaflows(commands: BridgeCommands, step: MegaflowsStep) -> dict[str, Any]:
    lines = [line for line in commands.dump_megaflows(names=True) if step.matching in line]
    stats = [found for line in lines for found in _MEGAFLOW_STATS.findall(line)]
    return {
        "megaflows": len(lines),
        "packets": sum(int(packets) for packets, _ in stats),
        "bytes": sum(int(n_bytes) for _, n_bytes in stats),
    }

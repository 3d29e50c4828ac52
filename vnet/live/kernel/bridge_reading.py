"""A Linux bridge of the lab, as the kernel is told of it: what differs from a fresh one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.options import BRIDGE_OPTIONS
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.settings import PORT_FLAGS
from vnet.live.kernel.plan import BridgePlan, PortPlan
from vnet.sim.scheduler import Scheduler

VETH_COST = 2
"""What the way over a veth costs in the spanning tree: it says 10 Gbit/s."""

_FRESH_PRIORITY = 32
_FRESH_ROUTER = 1
_UNTOLD = frozenset(("mcast_hash_elasticity",))
"""Options that do nothing, whatever they are set to."""


def bridge_plan(bridge: Bridge) -> BridgePlan:
    """How a bridge differs from one that ``ip link add type bridge`` has just made."""
    fresh = Bridge(Scheduler(), "fresh")
    options = {
        name: int(option.get(bridge))
        for name, option in BRIDGE_OPTIONS.items()
        if name not in _UNTOLD and option.get(bridge) != option.get(fresh)
    }
    own = bridge.addresses.by_user or not bridge.ports
    return BridgePlan(bridge.device.name, options, bridge.device.mac if own else None)


def port_plans(bridge: Bridge) -> Iterable[PortPlan]:
    """Its ports, in the order in which they joined."""
    filters = bridge.vlan_filter.is_on
    for port in bridge.ports:
        vlans = _vlans(port) if filters else {}
        yield PortPlan(bridge.device.name, port.device.name, _settings(port), vlans)
    if filters:
        yield PortPlan(bridge.device.name, bridge.device.name, {}, _vlans(bridge.own_port))


def _settings(port: BridgePort) -> dict[str, int]:
    fresh = BridgePort(port.bridge, port.device, port.number)
    settings = {
        name: int(getattr(port, attribute))
        for name, attribute in PORT_FLAGS.items()
        if getattr(port, attribute) != getattr(fresh, attribute)
    }
    if port.bridge.tree.is_on or port.tree.has_own_cost:
        # The lab's cards are as fast as the file says, a veth is not.
        settings |= {"cost": port.tree.path_cost} if port.tree.path_cost != VETH_COST else {}
    if port.tree.priority != _FRESH_PRIORITY:
        settings["priority"] = port.tree.priority
    if port.multicast_router != _FRESH_ROUTER:
        settings["mcast_router"] = port.multicast_router
    if port.group_fwd_mask:
        settings["group_fwd_mask"] = port.group_fwd_mask
    return settings


def _vlans(port: BridgePort) -> Mapping[int, tuple[bool, bool]]:
    return {
        vid: (port.vlans.pvid == vid, member.untagged) for vid, member in port.vlans.members.items()
    }

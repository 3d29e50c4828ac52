"""The settings of a port by the names that bridge(8) gives them."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.l2.stp.port import StpState
from vnet.linux.bridge.multicast.settings import ROUTER_DISABLED, ROUTER_TEMPORARY
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.tree_port import MOST_PORT_PRIORITY

PORT_FLAGS = {
    "hairpin": "hairpin",
    "guard": "bpdu_guard",
    "root_block": "root_block",
    "fastleave": "fast_leave",
    "learning": "learning",
    "flood": "unicast_flood",
    "mcast_flood": "multicast_flood",
    "bcast_flood": "broadcast_flood",
    "mcast_to_unicast": "multicast_to_unicast",
    "neigh_suppress": "neigh_suppress",
    "isolated": "isolated",
    "locked": "locked",
}
"""What is on or off, and the attribute of :class:`BridgePort` that has it."""

_MOST_COST = 65_535


def set_port_flag(port: BridgePort, name: str, on: bool) -> None:
    """``bridge link set dev PORT NAME on|off``."""
    setattr(port, PORT_FLAGS[name], on)
    port.bridge.port_flags_changed(port)


def set_port_cost(port: BridgePort, cost: int) -> None:
    """``cost``: what the way by the port costs in the spanning tree, 1 to 65535."""
    if not 1 <= cost <= _MOST_COST:
        raise UsageError("RTNETLINK answers: Numerical result out of range", f"1 to {_MOST_COST}")
    port.bridge.tree.set_path_cost(port.tree, cost)


def set_port_priority(port: BridgePort, priority: int) -> None:
    """``priority``: the port's in the spanning tree, 0 to 63."""
    if not 0 <= priority <= MOST_PORT_PRIORITY:
        raise UsageError(
            "RTNETLINK answers: Numerical result out of range", f"0 to {MOST_PORT_PRIORITY}"
        )
    port.bridge.tree.set_port_priority(port.tree, priority)


def set_port_router(port: BridgePort, kind: int) -> None:
    """``mcast_router``: 0 never, 1 where one is heard, 2 always, 3 for a time."""
    if not ROUTER_DISABLED <= kind <= ROUTER_TEMPORARY:
        raise UsageError("RTNETLINK answers: Invalid argument", "0 to 3")
    port.bridge.multicast.set_port_router(port, kind)


def set_port_state(port: BridgePort, state: StpState) -> None:
    """``state``: for a port whose bridge speaks no STP, and that has a carrier."""
    if port.bridge.tree.is_on:
        raise UsageError(
            "RTNETLINK answers: Device or resource busy", "the spanning tree has the states"
        )
    if not port.operational:
        raise UsageError("RTNETLINK answers: Network is down", f"set {port.device.name} up")
    port.bridge.tree.set_port_state(port.tree, state)

"""Port Role Selection: what each port of a bridge is for (802.1D-2004, 17.28)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.l2.rstp.machine import State
from vnet.l2.rstp.port import InfoIs, RstpPort, RstpRole
from vnet.l2.rstp.vector import Comparison

if TYPE_CHECKING:
    from vnet.l2.rstp.bridge import Rstp

MAC_MASK = (1 << 48) - 1
PORT_NUMBER_MASK = 0xFF


def update_roles(bridge: Rstp) -> None:
    """updtRolesTree() (17.21.25): the root, the way to it, and what follows for each port."""
    old_number = bridge.root_port_id & PORT_NUMBER_MASK
    if old_number:
        bridge.old_root_port = bridge.port(old_number)
    new_root = _choose_root(bridge)
    new_number = bridge.root_port_id & PORT_NUMBER_MASK
    if new_number:
        bridge.new_root_port = bridge.port(new_number)
    was_alternate = new_root is not None and new_root.role is RstpRole.ALTERNATE
    if was_alternate and old_number and new_number and new_number != old_number:
        bridge.root_has_moved = True
    for port in bridge.ports:
        port.designated_priority = bridge.root_priority._replace(
            bridge_id=bridge.id, port_id=port.id, bridge_port_id=0
        )
        port.designated_times = bridge.root_times._replace(hello_time=bridge.times.hello_time)
    for port in bridge.ports:
        _choose_role(bridge, port, is_root=port is new_root)


def _choose_root(bridge: Rstp) -> RstpPort | None:
    """Set the best way to the root; the port that it begins at, or None on the root itself."""
    best, root_port = bridge.priority_vector, None
    bridge.root_times = bridge.times
    for port in bridge.ports:
        if port.info_is is not InfoIs.RECEIVED:
            continue
        known = port.port_priority
        if known.bridge_id & MAC_MASK == bridge.id & MAC_MASK:
            continue
        way = known._replace(
            root_path_cost=known.root_path_cost + port.path_cost, bridge_port_id=port.id
        )
        if way.compare(best) is Comparison.BETTER:
            best, root_port = way, port
            times = port.port_times
            bridge.root_times = times._replace(message_age=times.message_age + 1)
    bridge.root_priority = best
    bridge.root_port_id = best.bridge_port_id
    return root_port


def _choose_role(bridge: Rstp, port: RstpPort, *, is_root: bool) -> None:
    match port.info_is:
        case InfoIs.DISABLED:
            port.selected_role = RstpRole.DISABLED
        case InfoIs.AGED:
            port.updt_info = True
            port.selected_role = RstpRole.DESIGNATED
        case InfoIs.MINE:
            port.selected_role = RstpRole.DESIGNATED
            says_so = port.port_priority.compare(port.designated_priority) is Comparison.SAME
            if not says_so or port.designated_times != bridge.root_times:
                port.updt_info = True
        case InfoIs.RECEIVED:
            port.selected_role = _role_beside_others(bridge, port, is_root=is_root)
            port.updt_info = port.selected_role is RstpRole.DESIGNATED


def _role_beside_others(bridge: Rstp, port: RstpPort, *, is_root: bool) -> RstpRole:
    """The role of a port behind which somebody else has spoken."""
    if is_root:
        return RstpRole.ROOT
    if port.designated_priority.compare(port.port_priority):
        return RstpRole.DESIGNATED
    is_own = port.port_priority.bridge_id == bridge.id
    return RstpRole.BACKUP if is_own else RstpRole.ALTERNATE


# -- the machine


def _init_bridge(bridge: Rstp) -> None:
    for port in bridge.ports:
        port.selected_role = RstpRole.DISABLED


def _select(bridge: Rstp) -> None:
    for port in bridge.ports:
        port.reselect = False
    update_roles(bridge)
    for port in bridge.ports:
        port.selected = True


def _leave_selection(bridge: Rstp) -> State[Rstp] | None:
    return ROLE_SELECTION if any(port.reselect for port in bridge.ports) else None


INIT_BRIDGE: State[Rstp] = State("INIT_BRIDGE", _init_bridge, lambda _bridge: ROLE_SELECTION)
ROLE_SELECTION: State[Rstp] = State("ROLE_SELECTION", _select, _leave_selection)

"""Port Role Transitions: how a port takes on the role that was selected for it (17.29).

A port that may not forward yet waits for a forward delay, or until nobody minds: a root port until
no other port was a root port lately, a designated one until its neighbour has agreed to its
proposal, for which that neighbour blocks whatever it has not agreed on with others (sync).
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.l2.rstp.machine import State
from vnet.l2.rstp.port import RstpPort, RstpRole

PortState = State[RstpPort]


def _new_role(port: RstpPort, present: RstpRole) -> PortState | None:
    """Where a port goes for which another role than the present one is selected."""
    is_settled = port.selected and not port.updt_info
    if not is_settled or port.selected_role in (port.role, present):
        return None
    return _FIRST_STATE[port.selected_role]


def _back_to(
    role: RstpRole, state: Callable[[], PortState]
) -> Callable[[RstpPort], PortState | None]:
    """The way out of a box that only does something: back to the state of the role."""
    return lambda port: _new_role(port, role) or state()


def _others_are_at_rest(port: RstpPort) -> bool:
    """Whether no other port was a root port lately (reRooted, 17.20.10)."""
    return all(other.rr_while == 0 for other in port.others)


def _all_synced(port: RstpPort) -> bool:
    """Whether nothing that any port does could close a loop (allSynced, 17.20.3)."""
    return all(
        other.selected
        and other.role is other.selected_role
        and (other.role is RstpRole.ROOT or other.synced)
        for other in port.bridge.ports
    )


def _set_sync_tree(port: RstpPort) -> None:
    for other in port.bridge.ports:
        other.sync = True


# -- disabled ports


def _init_port(port: RstpPort) -> None:
    port.role = RstpRole.DISABLED
    port.learn = port.forward = port.synced = False
    port.sync = port.re_root = True
    port.rr_while = port.designated_times.forward_delay
    port.fd_while = port.designated_times.max_age
    port.rb_while = 0


def _stop(port: RstpPort) -> None:
    port.role = port.selected_role
    port.learn = port.forward = False


def _has_stopped(port: RstpPort) -> bool:
    return port.selected and not port.updt_info and not port.learning and not port.forwarding


def _disabled(port: RstpPort) -> None:
    port.fd_while = port.designated_times.max_age
    port.synced = True
    port.rr_while = 0
    port.sync = port.re_root = False


def _leave_disable(port: RstpPort) -> PortState | None:
    new = _new_role(port, RstpRole.DISABLED)
    return new or (DISABLED_PORT if _has_stopped(port) else None)


def _leave_disabled(port: RstpPort) -> PortState | None:
    new = _new_role(port, RstpRole.DISABLED)
    if new is not None or not port.selected or port.updt_info:
        return new
    has_run = port.fd_while != port.designated_times.max_age
    return DISABLED_PORT if has_run or port.sync or port.re_root or not port.synced else None


INIT_PORT: PortState = State("INIT_PORT", _init_port, lambda _port: DISABLE_PORT)
DISABLE_PORT: PortState = State("DISABLE_PORT", _stop, _leave_disable)
DISABLED_PORT: PortState = State("DISABLED_PORT", _disabled, _leave_disabled)


# -- the root port


def _root_port(port: RstpPort) -> None:
    port.role = RstpRole.ROOT
    port.rr_while = port.designated_times.forward_delay


def _root_proposed(port: RstpPort) -> None:
    _set_sync_tree(port)
    port.proposed = False


def _root_agreed(port: RstpPort) -> None:
    if _new_role(port, RstpRole.ROOT) is None:
        port.proposed = port.sync = False
        port.agree = port.new_info = True


def _reroot(port: RstpPort) -> None:
    if _new_role(port, RstpRole.ROOT) is None:
        for other in port.bridge.ports:
            other.re_root = True


def _root_learn(port: RstpPort) -> None:
    port.fd_while = port.forward_delay
    port.learn = True


def _root_forward(port: RstpPort) -> None:
    port.fd_while = 0
    port.forward = True


def _rerooted(port: RstpPort) -> None:
    port.re_root = False


def _leave_root(port: RstpPort) -> PortState | None:
    new = _new_role(port, RstpRole.ROOT)
    if new is not None or not port.selected or port.updt_info:
        return new
    if port.rr_while != port.designated_times.forward_delay:
        return ROOT_PORT
    if port.re_root and port.forward:
        return REROOTED
    if not port.forward and _root_may_advance(port):
        return ROOT_FORWARD if port.learn else ROOT_LEARN
    if port.proposed and not port.agree:
        return ROOT_PROPOSED
    if (port.proposed and port.agree) or (not port.agree and _all_synced(port)):
        return ROOT_AGREED
    return REROOT if not port.forward and not port.re_root else None


def _root_may_advance(port: RstpPort) -> bool:
    if port.fd_while == 0:
        return True
    return port.bridge.rstp_version and port.rb_while == 0 and _others_are_at_rest(port)


_to_root = _back_to(RstpRole.ROOT, lambda: ROOT_PORT)

ROOT_PORT: PortState = State("ROOT_PORT", _root_port, _leave_root)
ROOT_PROPOSED: PortState = State("ROOT_PROPOSED", _root_proposed, _to_root)
ROOT_AGREED: PortState = State("ROOT_AGREED", _root_agreed, _to_root)
REROOT: PortState = State("REROOT", _reroot, _to_root)
ROOT_LEARN: PortState = State("ROOT_LEARN", _root_learn, _to_root)
ROOT_FORWARD: PortState = State("ROOT_FORWARD", _root_forward, _to_root)
REROOTED: PortState = State("REROOTED", _rerooted, _to_root)


# -- designated ports


def _designated_port(port: RstpPort) -> None:
    port.role = RstpRole.DESIGNATED


def _designated_retired(port: RstpPort) -> None:
    port.re_root = False


def _designated_synced(port: RstpPort) -> None:
    port.rr_while = 0
    port.synced = True
    port.sync = False


def _designated_propose(port: RstpPort) -> None:
    port.proposing = True
    port.edge_delay_while = port.edge_delay
    port.new_info = True


def _designated_forward(port: RstpPort) -> None:
    port.forward = True
    port.fd_while = 0
    port.agreed = port.send_rstp


def _designated_learn(port: RstpPort) -> None:
    port.learn = True
    port.fd_while = port.forward_delay


def _designated_discard(port: RstpPort) -> None:
    port.learn = port.forward = port.disputed = False
    port.fd_while = port.forward_delay


def _leave_designated(port: RstpPort) -> PortState | None:
    new = _new_role(port, RstpRole.DESIGNATED)
    if new is not None or not port.selected or port.updt_info:
        return new
    if _designated_must_discard(port):
        return DESIGNATED_DISCARD
    if not port.forward and _designated_may_advance(port):
        return DESIGNATED_FORWARD if port.learn else DESIGNATED_LEARN
    if not port.forward and not port.agreed and not port.proposing and not port.oper_edge:
        return DESIGNATED_PROPOSE
    if _designated_is_in_sync(port):
        return DESIGNATED_SYNCED
    return DESIGNATED_RETIRED if port.rr_while == 0 and port.re_root else None


def _designated_must_discard(port: RstpPort) -> bool:
    has_reason = (
        (port.sync and not port.synced) or (port.re_root and port.rr_while != 0) or port.disputed
    )
    return has_reason and not port.oper_edge and (port.learn or port.forward)


def _designated_may_advance(port: RstpPort) -> bool:
    nobody_minds = port.fd_while == 0 or port.agreed or port.oper_edge
    return nobody_minds and (port.rr_while == 0 or not port.re_root) and not port.sync


def _designated_is_in_sync(port: RstpPort) -> bool:
    """Whether ``synced`` is to be set, or ``sync``, which it answers, to be taken back."""
    if port.synced:
        return port.sync
    return port.agreed or port.oper_edge or not (port.learning or port.forwarding)


_to_designated = _back_to(RstpRole.DESIGNATED, lambda: DESIGNATED_PORT)

DESIGNATED_PORT: PortState = State("DESIGNATED_PORT", _designated_port, _leave_designated)
DESIGNATED_RETIRED: PortState = State("DESIGNATED_RETIRED", _designated_retired, _to_designated)
DESIGNATED_SYNCED: PortState = State("DESIGNATED_SYNCED", _designated_synced, _to_designated)
DESIGNATED_PROPOSE: PortState = State("DESIGNATED_PROPOSE", _designated_propose, _to_designated)
DESIGNATED_FORWARD: PortState = State("DESIGNATED_FORWARD", _designated_forward, _to_designated)
DESIGNATED_LEARN: PortState = State("DESIGNATED_LEARN", _designated_learn, _to_designated)
DESIGNATED_DISCARD: PortState = State("DESIGNATED_DISCARD", _designated_discard, _to_designated)


# -- alternate and backup ports


def _alternate_port(port: RstpPort) -> None:
    port.fd_while = port.designated_times.forward_delay
    port.synced = True
    port.rr_while = 0
    port.sync = port.re_root = False


def _alternate_agreed(port: RstpPort) -> None:
    port.proposed = False
    port.agree = port.new_info = True


def _alternate_proposed(port: RstpPort) -> None:
    _set_sync_tree(port)
    port.proposed = False


def _backup_port(port: RstpPort) -> None:
    port.rb_while = 2 * port.designated_times.hello_time


def _leave_block(port: RstpPort) -> PortState | None:
    new = _new_role(port, RstpRole.ALTERNATE)
    return new or (ALTERNATE_PORT if _has_stopped(port) else None)


def _leave_alternate(port: RstpPort) -> PortState | None:
    new = _new_role(port, RstpRole.ALTERNATE)
    if new is not None or not port.selected or port.updt_info:
        return new
    if port.role is RstpRole.BACKUP and port.rb_while != 2 * port.designated_times.hello_time:
        return BACKUP_PORT
    # Open vSwitch sets fdWhile to one delay and asks for the other here: between bridges that
    # speak the rapid protocol, an alternate port comes no further than this.
    if port.fd_while != port.forward_delay or port.sync or port.re_root or not port.synced:
        return ALTERNATE_PORT
    if port.proposed and not port.agree:
        return ALTERNATE_PROPOSED
    if (port.proposed and port.agree) or (not port.agree and _all_synced(port)):
        return ALTERNATE_AGREED
    return None


_to_alternate = _back_to(RstpRole.ALTERNATE, lambda: ALTERNATE_PORT)

BLOCK_PORT: PortState = State("BLOCK_PORT", _stop, _leave_block)
ALTERNATE_PORT: PortState = State("ALTERNATE_PORT", _alternate_port, _leave_alternate)
ALTERNATE_AGREED: PortState = State("ALTERNATE_AGREED", _alternate_agreed, _to_alternate)
ALTERNATE_PROPOSED: PortState = State("ALTERNATE_PROPOSED", _alternate_proposed, _to_alternate)
BACKUP_PORT: PortState = State("BACKUP_PORT", _backup_port, _to_alternate)


_FIRST_STATE: dict[RstpRole, PortState] = {
    RstpRole.ROOT: ROOT_PORT,
    RstpRole.DESIGNATED: DESIGNATED_PORT,
    RstpRole.ALTERNATE: BLOCK_PORT,
    RstpRole.BACKUP: BLOCK_PORT,
    RstpRole.DISABLED: DISABLE_PORT,
}

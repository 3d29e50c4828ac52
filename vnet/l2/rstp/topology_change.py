"""Topology Change: stations may be elsewhere once a port forwards that did not (17.31)."""

from __future__ import annotations

from vnet.l2.rstp.machine import State
from vnet.l2.rstp.port import RstpPort, RstpRole

PortState = State[RstpPort]


def _new_tc_while(port: RstpPort) -> None:
    """Begin to tell the neighbour, unless that is under way (17.21.7)."""
    if port.tc_while:
        return
    bridge = port.bridge
    if port.send_rstp:
        port.tc_while = bridge.times.hello_time + 1
        port.new_info = True
    else:
        port.tc_while = bridge.times.max_age + bridge.times.forward_delay


def _set_tc_prop_tree(port: RstpPort) -> None:
    for other in port.others:
        other.tc_prop = True


def _inactive(port: RstpPort) -> None:
    port.fdb_flush = True
    port.tc_while = 0
    port.tc_ack = False


def _learning(port: RstpPort) -> None:
    port.rcvd_tc = port.rcvd_tcn = port.rcvd_tc_ack = port.tc_prop = False


def _detected(port: RstpPort) -> None:
    _new_tc_while(port)
    _set_tc_prop_tree(port)
    port.new_info = True


def _acknowledged(port: RstpPort) -> None:
    port.tc_while = 0
    port.rcvd_tc_ack = False


def _propagating(port: RstpPort) -> None:
    _new_tc_while(port)
    port.fdb_flush = True
    port.tc_prop = False


def _notified_tc(port: RstpPort) -> None:
    port.rcvd_tcn = port.rcvd_tc = False
    if port.role is RstpRole.DESIGNATED:
        port.tc_ack = True
    _set_tc_prop_tree(port)


def _is_on_tree(port: RstpPort) -> bool:
    return port.role in (RstpRole.ROOT, RstpRole.DESIGNATED)


def _leave_inactive(port: RstpPort) -> PortState | None:
    return LEARNING if port.learn and not port.fdb_flush else None


def _leave_learning(port: RstpPort) -> PortState | None:
    has_heard = port.rcvd_tc or port.rcvd_tcn or port.rcvd_tc_ack or port.tc_prop
    if has_heard:
        return LEARNING
    if _is_on_tree(port):
        return DETECTED if port.forward and not port.oper_edge else None
    return None if port.learn or port.learning else INACTIVE


def _leave_active(port: RstpPort) -> PortState | None:
    if not _is_on_tree(port) or port.oper_edge:
        return LEARNING
    if port.rcvd_tcn:
        return NOTIFIED_TCN
    if port.rcvd_tc:
        return NOTIFIED_TC
    if port.tc_prop:
        return PROPAGATING
    return ACKNOWLEDGED if port.rcvd_tc_ack else None


INACTIVE: PortState = State("INACTIVE", _inactive, _leave_inactive)
LEARNING: PortState = State("LEARNING", _learning, _leave_learning)
DETECTED: PortState = State("DETECTED", _detected, lambda port: _leave_active(port) or ACTIVE)
ACTIVE: PortState = State("ACTIVE", None, _leave_active)
ACKNOWLEDGED: PortState = State("ACKNOWLEDGED", _acknowledged, lambda _port: ACTIVE)
PROPAGATING: PortState = State("PROPAGATING", _propagating, lambda _port: ACTIVE)
NOTIFIED_TC: PortState = State("NOTIFIED_TC", _notified_tc, lambda _port: ACTIVE)
NOTIFIED_TCN: PortState = State("NOTIFIED_TCN", _new_tc_while, lambda _port: NOTIFIED_TC)

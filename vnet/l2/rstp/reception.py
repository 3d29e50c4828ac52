"""Port Receive, Port Protocol Migration and Bridge Detection (802.1D-2004, 17.23 to 17.25)."""

from __future__ import annotations

from vnet.l2.rstp.machine import State
from vnet.l2.rstp.port import RstpPort
from vnet.wire.bpdu import BpduType

PortState = State[RstpPort]


# -- Port Receive: a BPDU comes in, and waits for Port Information to see to it


def _discard(port: RstpPort) -> None:
    port.rcvd_bpdu = port.rcvd_rstp = port.rcvd_stp = port.rcvd_msg = False
    port.edge_delay_while = port.bridge.migrate_time


def _receive(port: RstpPort) -> None:
    port.rcvd_rstp = port.received.type is BpduType.RAPID
    port.rcvd_stp = not port.rcvd_rstp
    port.oper_edge = port.rcvd_bpdu = False
    port.rcvd_msg = True
    port.edge_delay_while = port.bridge.migrate_time


def _must_discard(port: RstpPort) -> bool:
    is_stirred = port.rcvd_bpdu or port.edge_delay_while != port.bridge.migrate_time
    return is_stirred and not port.port_enabled


def _leave_discard(port: RstpPort) -> PortState | None:
    if _must_discard(port):
        return DISCARD
    return RECEIVE if port.rcvd_bpdu and port.port_enabled else None


def _leave_receive(port: RstpPort) -> PortState | None:
    if _must_discard(port):
        return DISCARD
    return RECEIVE if port.rcvd_bpdu and port.port_enabled and not port.rcvd_msg else None


DISCARD: PortState = State("DISCARD", _discard, _leave_discard)
RECEIVE: PortState = State("RECEIVE", _receive, _leave_receive)


# -- Port Protocol Migration: whether to speak the rapid protocol, or to whom knows but the old one


def _check_rstp(port: RstpPort) -> None:
    port.mcheck = False
    port.send_rstp = port.bridge.rstp_version
    port.mdelay_while = port.bridge.migrate_time


def _select_stp(port: RstpPort) -> None:
    port.send_rstp = False
    port.mdelay_while = port.bridge.migrate_time


def _sense(port: RstpPort) -> None:
    port.rcvd_rstp = port.rcvd_stp = False


def _leave_checking_rstp(port: RstpPort) -> PortState | None:
    if port.mdelay_while == 0:
        return SENSING
    is_running = port.mdelay_while != port.bridge.migrate_time
    return CHECKING_RSTP if is_running and not port.port_enabled else None


def _leave_selecting_stp(port: RstpPort) -> PortState | None:
    return SENSING if port.mdelay_while == 0 or not port.port_enabled or port.mcheck else None


def _leave_sensing(port: RstpPort) -> PortState | None:
    hears_rstp_again = port.bridge.rstp_version and not port.send_rstp and port.rcvd_rstp
    if not port.port_enabled or port.mcheck or hears_rstp_again:
        return CHECKING_RSTP
    return SELECTING_STP if port.send_rstp and port.rcvd_stp else None


CHECKING_RSTP: PortState = State("CHECKING_RSTP", _check_rstp, _leave_checking_rstp)
SELECTING_STP: PortState = State("SELECTING_STP", _select_stp, _leave_selecting_stp)
SENSING: PortState = State("SENSING", _sense, _leave_sensing)


# -- Bridge Detection: whether only stations are behind the port, which then need not be waited for


def _be_edge(port: RstpPort) -> None:
    port.oper_edge = True


def _be_no_edge(port: RstpPort) -> None:
    port.oper_edge = False


def _leave_edge(port: RstpPort) -> PortState | None:
    is_down = not port.port_enabled and not port.admin_edge
    return NOT_EDGE if is_down or not port.oper_edge else None


def _leave_not_edge(port: RstpPort) -> PortState | None:
    hears_nobody = port.edge_delay_while == 0 and port.send_rstp and port.proposing
    is_set_so = not port.port_enabled and port.admin_edge
    return EDGE if is_set_so or (port.auto_edge and hears_nobody) else None


EDGE: PortState = State("EDGE", _be_edge, _leave_edge)
NOT_EDGE: PortState = State("NOT_EDGE", _be_no_edge, _leave_not_edge)


def first_detection(port: RstpPort) -> PortState:
    """Where Bridge Detection begins."""
    return EDGE if port.admin_edge else NOT_EDGE

"""Port Transmit: what BPDUs are sent, and how many of them a second (802.1D-2004, 17.26)."""

from __future__ import annotations

from vnet.l2.rstp.machine import State
from vnet.l2.rstp.port import RstpPort, RstpRole
from vnet.wire.bpdu import (
    TOPOLOGY_CHANGE_NOTICE,
    Bpdu,
    BpduFlags,
    BpduRole,
    BpduType,
    role_flags,
)

PortState = State[RstpPort]

RAPID_VERSION = 2
_UNITS_PER_SECOND = 256

_ROLES = {
    RstpRole.ROOT: BpduRole.ROOT,
    RstpRole.DESIGNATED: BpduRole.DESIGNATED,
    RstpRole.ALTERNATE: BpduRole.ALTERNATE_OR_BACKUP,
    RstpRole.BACKUP: BpduRole.ALTERNATE_OR_BACKUP,
    RstpRole.DISABLED: BpduRole.UNKNOWN,
}


def _announcement(port: RstpPort, kind: BpduType, flags: int, version: int) -> Bpdu:
    """What the port has to offer, as a BPDU."""
    vector, times = port.designated_priority, port.designated_times
    return Bpdu(
        kind,
        flags,
        vector.root_id,
        vector.root_path_cost,
        vector.bridge_id,
        vector.port_id,
        times.message_age * _UNITS_PER_SECOND,
        times.max_age * _UNITS_PER_SECOND,
        times.hello_time * _UNITS_PER_SECOND,
        times.forward_delay * _UNITS_PER_SECOND,
        version,
    )


def _send(port: RstpPort, bpdu: Bpdu) -> None:
    port.new_info = False
    port.bridge.send(port, bpdu)
    port.tx_count += 1


def _transmit_config(port: RstpPort) -> None:
    flags = BpduFlags.TOPOLOGY_CHANGE * (port.tc_while != 0)
    flags |= BpduFlags.TOPOLOGY_CHANGE_ACK * port.tc_ack
    _send(port, _announcement(port, BpduType.CONFIG, flags, 0))
    port.tc_ack = False


def _transmit_tcn(port: RstpPort) -> None:
    _send(port, TOPOLOGY_CHANGE_NOTICE)


def _transmit_rstp(port: RstpPort) -> None:
    flags = role_flags(_ROLES[port.role])
    flags |= BpduFlags.AGREEMENT * port.agree
    flags |= BpduFlags.PROPOSAL * port.proposing
    flags |= BpduFlags.TOPOLOGY_CHANGE * (port.tc_while != 0)
    flags |= BpduFlags.LEARNING * port.learning
    flags |= BpduFlags.FORWARDING * port.forwarding
    _send(port, _announcement(port, BpduType.RAPID, flags, RAPID_VERSION))
    port.tc_ack = False


def _transmit_init(port: RstpPort) -> None:
    port.new_info = True
    port.tx_count = 0


def _transmit_periodic(port: RstpPort) -> None:
    """A hello is due, by those who say it."""
    is_designated = port.role is RstpRole.DESIGNATED
    port.new_info |= is_designated or (port.role is RstpRole.ROOT and port.tc_while != 0)


def _idle(port: RstpPort) -> None:
    port.hello_when = port.bridge.times.hello_time


def _leave_idle(port: RstpPort) -> PortState | None:
    if port.role is RstpRole.DISABLED or not port.selected or port.updt_info:
        return None
    if port.hello_when == 0:
        return TRANSMIT_PERIODIC
    if not port.new_info or port.tx_count >= port.bridge.transmit_hold_count:
        return None
    if port.send_rstp:
        return TRANSMIT_RSTP
    if port.role is RstpRole.ROOT:
        return TRANSMIT_TCN
    return TRANSMIT_CONFIG if port.role is RstpRole.DESIGNATED else None


def _to_idle(_port: RstpPort) -> PortState:
    return IDLE


TRANSMIT_INIT: PortState = State("TRANSMIT_INIT", _transmit_init, _to_idle)
TRANSMIT_PERIODIC: PortState = State("TRANSMIT_PERIODIC", _transmit_periodic, _to_idle)
TRANSMIT_CONFIG: PortState = State("TRANSMIT_CONFIG", _transmit_config, _to_idle)
TRANSMIT_TCN: PortState = State("TRANSMIT_TCN", _transmit_tcn, _to_idle)
TRANSMIT_RSTP: PortState = State("TRANSMIT_RSTP", _transmit_rstp, _to_idle)
IDLE: PortState = State("IDLE", _idle, _leave_idle)

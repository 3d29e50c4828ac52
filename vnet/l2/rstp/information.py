"""Port Information: what is known of the LAN behind a port, and who said so (17.27)."""

from __future__ import annotations

from vnet.l2.rstp.machine import State, nothing
from vnet.l2.rstp.port import InfoIs, RcvdInfo, RstpPort
from vnet.l2.rstp.vector import Comparison, Times, Vector
from vnet.wire.bpdu import Bpdu, BpduFlags, BpduRole, BpduType, role_flags

PortState = State[RstpPort]

_UNITS_PER_SECOND = 256
_DESIGNATED = role_flags(BpduRole.DESIGNATED)


def times_of(bpdu: Bpdu) -> Times:
    """What a BPDU says of times, in whole seconds."""
    return Times(
        bpdu.message_age // _UNITS_PER_SECOND,
        bpdu.max_age // _UNITS_PER_SECOND,
        bpdu.hello_time // _UNITS_PER_SECOND,
        bpdu.forward_delay // _UNITS_PER_SECOND,
    )


# -- procedures of 17.21


def _rcv_info(port: RstpPort) -> RcvdInfo:
    """Judge the BPDU that came (17.21.8); a notice of the old protocol is none of its business."""
    bpdu = port.received
    port.msg_priority = Vector(bpdu.root_id, bpdu.root_path_cost, bpdu.bridge_id, bpdu.port_id)
    port.msg_times = times_of(bpdu)
    if bpdu.type is BpduType.TOPOLOGY_CHANGE_NOTICE:
        port.rcvd_tcn = True
        return RcvdInfo.OTHER
    comparison = port.msg_priority.compare(port.port_priority)
    if bpdu.role is BpduRole.DESIGNATED:
        if comparison is Comparison.WORSE:
            return RcvdInfo.INFERIOR_DESIGNATED
        if comparison is Comparison.SAME and port.msg_times == port.port_times:
            return RcvdInfo.REPEATED_DESIGNATED
        return RcvdInfo.SUPERIOR_DESIGNATED
    if bpdu.role is not BpduRole.UNKNOWN and comparison is not Comparison.BETTER:
        return RcvdInfo.INFERIOR_ROOT_ALTERNATE
    return RcvdInfo.OTHER


def _record_agreement(port: RstpPort) -> None:
    can_agree = port.bridge.rstp_version and port.oper_point_to_point_mac
    port.agreed = can_agree and port.received.has(BpduFlags.AGREEMENT)
    if port.agreed:
        port.proposing = False


def _record_dispute(port: RstpPort) -> None:
    """Another bridge believes itself designated here, and forwards already (802.1Q-2008)."""
    if port.received.has(BpduFlags.LEARNING):
        port.disputed = True
        port.agreed = False


def _record_proposal(port: RstpPort) -> None:
    flags = port.received.flags
    if flags & _DESIGNATED == _DESIGNATED and flags & BpduFlags.PROPOSAL:
        port.proposed = True


def _set_tc_flags(port: RstpPort) -> None:
    bpdu = port.received
    if bpdu.type is BpduType.TOPOLOGY_CHANGE_NOTICE:
        port.rcvd_tcn = True
        return
    port.rcvd_tc |= bpdu.has(BpduFlags.TOPOLOGY_CHANGE)
    port.rcvd_tc_ack |= bpdu.has(BpduFlags.TOPOLOGY_CHANGE_ACK)


def _update_rcvd_info_while(port: RstpPort) -> None:
    """What is known holds for three hellos, unless it is too old already (17.21.23)."""
    times = port.port_times
    port.rcvd_info_while = 3 * times.hello_time if times.message_age < times.max_age else 0


# -- states


def _disabled(port: RstpPort) -> None:
    port.rcvd_msg = False
    port.proposing = port.proposed = port.agree = port.agreed = False
    port.rcvd_info_while = 0
    port.info_is = InfoIs.DISABLED
    port.have_roles_chosen()


def _aged(port: RstpPort) -> None:
    port.info_is = InfoIs.AGED
    port.have_roles_chosen()


def _update(port: RstpPort) -> None:
    port.proposing = port.proposed = False
    is_no_worse = port.info_is is InfoIs.MINE and bool(
        port.designated_priority.compare(port.port_priority)
    )
    port.agreed = port.agreed and is_no_worse
    port.synced = port.synced and port.agreed
    port.port_priority = port.designated_priority
    port.port_times = port.designated_times
    port.updt_info = False
    port.info_is = InfoIs.MINE
    port.new_info = True


def _receive(port: RstpPort) -> None:
    port.rcvd_info = _rcv_info(port)
    is_superior = port.rcvd_info is RcvdInfo.SUPERIOR_DESIGNATED
    if port.port_enabled and is_superior and port.received.has(BpduFlags.LEARNING):
        # Whoever says so forwards: nothing that others have agreed to holds (802.1Q-2008).
        for other in port.others:
            other.agreed = False


def _superior_designated(port: RstpPort) -> None:
    port.agreed = port.proposing = False
    _record_proposal(port)
    _set_tc_flags(port)
    is_no_worse = port.info_is is InfoIs.RECEIVED and bool(
        port.msg_priority.compare(port.port_priority)
    )
    port.agree = port.agree and is_no_worse
    _record_agreement(port)
    port.synced = port.synced and port.agreed
    port.port_priority = port.msg_priority
    port.port_times = port.msg_times._replace(hello_time=port.msg_times.hello_time or 1)
    _update_rcvd_info_while(port)
    port.info_is = InfoIs.RECEIVED
    port.have_roles_chosen()
    port.rcvd_msg = False


def _repeated_designated(port: RstpPort) -> None:
    _record_proposal(port)
    _set_tc_flags(port)
    _record_agreement(port)
    _update_rcvd_info_while(port)
    port.rcvd_msg = False


def _inferior_designated(port: RstpPort) -> None:
    _record_dispute(port)
    port.rcvd_msg = False


def _not_designated(port: RstpPort) -> None:
    _record_agreement(port)
    _set_tc_flags(port)
    port.rcvd_msg = False


def _other(port: RstpPort) -> None:
    port.rcvd_msg = False


# -- ways out


def _is_cut_off(port: RstpPort) -> bool:
    return not port.port_enabled and port.info_is is not InfoIs.DISABLED


def _leave_disabled(port: RstpPort) -> PortState | None:
    if port.port_enabled:
        return AGED
    return DISABLED if port.rcvd_msg else None


def _leave_aged(port: RstpPort) -> PortState | None:
    if _is_cut_off(port):
        return DISABLED
    return UPDATE if port.selected and port.updt_info else None


def _leave_current(port: RstpPort) -> PortState | None:
    if _is_cut_off(port):
        return DISABLED
    if port.rcvd_msg and not port.updt_info:
        return RECEIVE
    if port.updt_info:
        return UPDATE if port.selected else None
    has_aged = port.info_is is InfoIs.RECEIVED and port.rcvd_info_while == 0
    return AGED if has_aged and not port.rcvd_msg else None


def _leave_receive(port: RstpPort) -> PortState | None:
    return DISABLED if _is_cut_off(port) else _FOR_INFO[port.rcvd_info]


def _to_current(port: RstpPort) -> PortState | None:
    return DISABLED if _is_cut_off(port) else CURRENT


DISABLED: PortState = State("DISABLED", _disabled, _leave_disabled)
AGED: PortState = State("AGED", _aged, _leave_aged)
UPDATE: PortState = State("UPDATE", _update, _to_current)
CURRENT: PortState = State("CURRENT", nothing, _leave_current)
RECEIVE: PortState = State("RECEIVE", _receive, _leave_receive)
_FOR_INFO: dict[RcvdInfo, PortState] = {
    RcvdInfo.SUPERIOR_DESIGNATED: State("SUPERIOR_DESIGNATED", _superior_designated, _to_current),
    RcvdInfo.REPEATED_DESIGNATED: State("REPEATED_DESIGNATED", _repeated_designated, _to_current),
    RcvdInfo.INFERIOR_DESIGNATED: State("INFERIOR_DESIGNATED", _inferior_designated, _to_current),
    RcvdInfo.INFERIOR_ROOT_ALTERNATE: State("NOT_DESIGNATED", _not_designated, _to_current),
    RcvdInfo.OTHER: State("OTHER", _other, _to_current),
}

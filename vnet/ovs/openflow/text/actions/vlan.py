"""Actions on VLAN tags (ovs-actions(7), "set_vlan_vid", "push_vlan" and so on).

OpenFlow 1.0's set a tag and push it where none is; OpenFlow 1.1's only change one.
"""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import CFI, Flow
from vnet.ovs.flow.protocols import P_OF11_UP
from vnet.ovs.flow.tokens import parse_u8, parse_u16
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Ofpact,
    PushVlan,
    SetVlanPcp,
    SetVlanVid,
    StripVlan,
)
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Parse, Reader
from vnet.wire import ether

_ETHERTYPES = (ether.TYPE_VLAN, ether.TYPE_QINQ)
_GREATEST_VID = 0xFFF
_GREATEST_PCP = 7


def _vid_parser(*, push_vlan_if_needed: bool) -> Parse:
    def parse(value: str, _reader: Reader) -> Ofpact:
        vid = parse_u16(value, "VLAN VID")
        if vid > _GREATEST_VID:
            raise OvsTextError(f"{value}: not a valid VLAN VID")
        return SetVlanVid(vid, push_vlan_if_needed)

    return parse


def _pcp_parser(*, push_vlan_if_needed: bool) -> Parse:
    def parse(value: str, _reader: Reader) -> Ofpact:
        pcp = parse_u8(value, "VLAN PCP")
        if pcp > _GREATEST_PCP:
            raise OvsTextError(f"{value}: not a valid VLAN PCP")
        return SetVlanPcp(pcp, push_vlan_if_needed)

    return parse


def _prefix(action: SetVlanVid | SetVlanPcp) -> str:
    return "mod" if action.push_vlan_if_needed else "set"


def _check_vid(action: SetVlanVid, checker: Checker) -> SetVlanVid:
    has_vlan = _demand_tag(action, checker)
    if action.flow_has_vlan is has_vlan:
        return action
    return SetVlanVid(action.vid, action.push_vlan_if_needed, has_vlan)


def _check_pcp(action: SetVlanPcp, checker: Checker) -> SetVlanPcp:
    has_vlan = _demand_tag(action, checker)
    if action.flow_has_vlan is has_vlan:
        return action
    return SetVlanPcp(action.pcp, action.push_vlan_if_needed, has_vlan)


def _demand_tag(action: SetVlanVid | SetVlanPcp, checker: Checker) -> bool:
    """Whether there is a tag; afterwards there is one."""
    has_tag = bool(checker.flow.vlan_tci & CFI)
    if not has_tag and not action.push_vlan_if_needed:
        checker.inconsistent()
    checker.flow.vlan_tci |= CFI
    return has_tag


def _check_strip(action: StripVlan, checker: Checker) -> StripVlan:
    flow = checker.flow
    if not flow.vlan_tci & CFI:
        checker.inconsistent()
        return action
    inner = flow.vlan1_tci & CFI
    flow.vlan_tci, flow.vlan_tpid = (flow.vlan1_tci, flow.vlan1_tpid) if inner else (0, 0)
    if inner:
        flow.clear(Flow.vlan1_tci)
        flow.clear(Flow.vlan1_tpid)
    return action


def _parse_push(value: str, reader: Reader) -> PushVlan:
    reader.usable &= P_OF11_UP
    ethertype = parse_u16(value, "ethertype")
    if ethertype not in _ETHERTYPES:
        raise OvsTextError(f"{value}: not a valid VLAN ethertype")
    return PushVlan(ethertype)


def _check_push(action: PushVlan, checker: Checker) -> PushVlan:
    flow = checker.flow
    if flow.vlan1_tci & CFI:
        raise OpenFlowError("OFPBAC_BAD_TAG")
    flow.vlan1_tci, flow.vlan1_tpid = flow.vlan_tci, flow.vlan_tpid
    flow.vlan_tci, flow.vlan_tpid = CFI, 0
    return action


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        SetVlanVid,
        "set_vlan_vid",
        {
            "set_vlan_vid": _vid_parser(push_vlan_if_needed=False),
            "mod_vlan_vid": _vid_parser(push_vlan_if_needed=True),
        },
        lambda action, _printer: f"{_prefix(action)}_vlan_vid:{action.vid}",
        _check_vid,
    ),
    ActionKind(
        SetVlanPcp,
        "set_vlan_pcp",
        {
            "set_vlan_pcp": _pcp_parser(push_vlan_if_needed=False),
            "mod_vlan_pcp": _pcp_parser(push_vlan_if_needed=True),
        },
        lambda action, _printer: f"{_prefix(action)}_vlan_pcp:{action.pcp}",
        _check_pcp,
    ),
    ActionKind(
        StripVlan,
        "strip_vlan",
        {
            "strip_vlan": lambda _value, _reader: StripVlan(),
            "pop_vlan": lambda _value, _reader: StripVlan(is_pop=True),
        },
        lambda action, _printer: "pop_vlan" if action.is_pop else "strip_vlan",
        _check_strip,
    ),
    ActionKind(
        PushVlan,
        "push_vlan",
        {"push_vlan": _parse_push},
        lambda action, _printer: f"push_vlan:{action.ethertype:#x}",
        _check_push,
    ),
)

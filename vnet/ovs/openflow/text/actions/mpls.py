"""Actions on MPLS labels (ovs-actions(7), "push_mpls", "set_mpls_label" and so on)."""

from __future__ import annotations

from typing import TypeVar

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.prerequisites import dl_type_of
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST, PT_ETHERNET
from vnet.ovs.flow.tokens import parse_u8, parse_u16, parse_u32
from vnet.ovs.openflow.ofpacts import (
    DecMplsTtl,
    Ofpact,
    PopMpls,
    PushMpls,
    SetMplsLabel,
    SetMplsTc,
    SetMplsTtl,
)
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Reader

_AnyT = TypeVar("_AnyT", bound=Ofpact)

_ETHERTYPES = (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST)
_GREATEST_LABEL = 0xFFFFF
_GREATEST_TC = 7


def _check_mpls(action: _AnyT, checker: Checker) -> _AnyT:
    if dl_type_of(checker.flow) not in _ETHERTYPES:
        checker.inconsistent()
    return action


def _parse_label(value: str, _reader: Reader) -> SetMplsLabel:
    if not value:
        raise OvsTextError("set_mpls_label: expected label.")
    label = parse_u32(value)
    if label > _GREATEST_LABEL:
        raise OvsTextError(f"{value}: not a valid MPLS label")
    return SetMplsLabel(label)


def _parse_tc(value: str, _reader: Reader) -> SetMplsTc:
    if not value:
        raise OvsTextError("set_mpls_tc: expected tc.")
    tc = parse_u8(value, "MPLS TC")
    if tc > _GREATEST_TC:
        raise OvsTextError(f"{value}: not a valid MPLS TC")
    return SetMplsTc(tc)


def _parse_ttl(value: str, _reader: Reader) -> SetMplsTtl:
    if not value:
        raise OvsTextError("set_mpls_ttl: expected ttl.")
    return SetMplsTtl(parse_u8(value, "MPLS TTL"))


def _check_push(action: PushMpls, checker: Checker) -> PushMpls:
    flow = checker.flow
    if flow.packet_type != PT_ETHERNET:
        checker.inconsistent()
    flow.dl_type = action.ethertype
    # What lies under a label is opaque.
    flow.nw_proto = 0
    return action


def _check_pop(action: PopMpls, checker: Checker) -> PopMpls:
    flow = checker.flow
    if flow.packet_type != PT_ETHERNET or dl_type_of(flow) not in _ETHERTYPES:
        checker.inconsistent()
    flow.dl_type = action.ethertype
    return action


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        SetMplsLabel,
        "set_mpls_label",
        {"set_mpls_label": _parse_label},
        lambda action, _printer: f"set_mpls_label({action.label})",
        _check_mpls,
    ),
    ActionKind(
        SetMplsTc,
        "set_mpls_tc",
        {"set_mpls_tc": _parse_tc},
        lambda action, _printer: f"set_mpls_tc({action.tc})",
        _check_mpls,
    ),
    ActionKind(
        SetMplsTtl,
        "set_mpls_ttl",
        {"set_mpls_ttl": _parse_ttl},
        lambda action, _printer: f"set_mpls_ttl({action.ttl})",
        _check_mpls,
    ),
    ActionKind(
        DecMplsTtl,
        "dec_mpls_ttl",
        {"dec_mpls_ttl": lambda _value, _reader: DecMplsTtl()},
        lambda _action, _printer: "dec_mpls_ttl",
        _check_mpls,
    ),
    ActionKind(
        PushMpls,
        "push_mpls",
        {"push_mpls": lambda value, _reader: PushMpls(parse_u16(value, "push_mpls"))},
        lambda action, _printer: f"push_mpls:0x{action.ethertype:04x}",
        _check_push,
    ),
    ActionKind(
        PopMpls,
        "pop_mpls",
        {"pop_mpls": lambda value, _reader: PopMpls(parse_u16(value, "pop_mpls"))},
        lambda action, _printer: f"pop_mpls:0x{action.ethertype:04x}",
        _check_pop,
    ),
)

"""Actions of OpenFlow that Open vSwitch lacks, for bridges that speak it whole.

Their words are our own: ``ovs-ofctl`` has none for them. Source: OpenFlow 1.3.5, section 5.12.
"""

from __future__ import annotations

from typing import TypeVar

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.prerequisites import dl_type_of, is_ip
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_PBB,
    PT_ETHERNET,
)
from vnet.ovs.flow.protocols import P_OF11_UP, P_OF13_UP
from vnet.ovs.flow.tokens import parse_u16
from vnet.ovs.openflow.ofpacts import CopyTtlIn, CopyTtlOut, Ofpact, PopPbb, PushPbb
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Parse, Reader

_MPLS = (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST)
_TAGS = Flow.vlan_tci.mask | Flow.vlan_tpid.mask | Flow.vlan1_tci.mask | Flow.vlan1_tpid.mask
_CopyT = TypeVar("_CopyT", CopyTtlIn, CopyTtlOut)


def _word(action: Ofpact, usable: int) -> Parse:
    """A word for an action that has no arguments, and the protocols that can say it."""

    def parse(_value: str, reader: Reader) -> Ofpact:
        reader.usable &= usable
        return action

    return parse


def _parse_push(value: str, reader: Reader) -> PushPbb:
    reader.usable &= P_OF13_UP
    ethertype = parse_u16(value, "push_pbb")
    if ethertype != ETH_TYPE_PBB:
        raise OvsTextError(f"{value}: not a valid PBB ethertype")
    return PushPbb(ethertype)


def _check_push(action: PushPbb, checker: Checker) -> PushPbb:
    flow = checker.flow
    if flow.packet_type != PT_ETHERNET:
        checker.inconsistent()
    flow.key &= ~_TAGS
    flow.dl_type = action.ethertype
    # What lies under the tag is opaque.
    flow.nw_proto = 0
    return action


def _check_pop(action: PopPbb, checker: Checker) -> PopPbb:
    flow = checker.flow
    if dl_type_of(flow) != ETH_TYPE_PBB:
        checker.inconsistent()
    # Nobody knows what comes to light.
    flow.key &= ~_TAGS
    flow.dl_type = 0
    return action


def _check_copy(action: _CopyT, checker: Checker) -> _CopyT:
    if not is_ip(checker.flow) and dl_type_of(checker.flow) not in _MPLS:
        checker.inconsistent()
    return action


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        PushPbb,
        "push_pbb",
        {"push_pbb": _parse_push},
        lambda action, _printer: f"push_pbb:0x{action.ethertype:04x}",
        _check_push,
    ),
    ActionKind(
        PopPbb,
        "pop_pbb",
        {"pop_pbb": _word(PopPbb(), P_OF13_UP)},
        lambda _action, _printer: "pop_pbb",
        _check_pop,
    ),
    ActionKind(
        CopyTtlOut,
        "copy_ttl_out",
        {"copy_ttl_out": _word(CopyTtlOut(), P_OF11_UP)},
        lambda _action, _printer: "copy_ttl_out",
        _check_copy,
    ),
    ActionKind(
        CopyTtlIn,
        "copy_ttl_in",
        {"copy_ttl_in": _word(CopyTtlIn(), P_OF11_UP)},
        lambda _action, _printer: "copy_ttl_in",
        _check_copy,
    ),
)

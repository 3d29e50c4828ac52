"""What OpenFlow 1.0 and 1.1 say where ``set_field`` would do."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.flow import CFI
from vnet.ovs.openflow.ofpacts import (
    Ofpacts,
    PushVlan,
    SetEthDst,
    SetEthSrc,
    SetField,
    SetIpDscp,
    SetIpEcn,
    SetIpv4Dst,
    SetIpv4Src,
    SetL4DstPort,
    SetL4SrcPort,
    SetVlanPcp,
    SetVlanVid,
    StripVlan,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.wire import ether

_VID_BITS = 0xFFF
_PCP_SHIFT = 13
_DSCP_SHIFT = 2

_OF10 = OpenFlowVersion.OF10


def older_actions(action: SetField, version: OpenFlowVersion) -> Ofpacts:
    """The actions of OpenFlow 1.0 or 1.1 for ``action``, none if they know none for its field.

    As Open vSwitch does, they write the whole field, whatever the mask.
    """
    translate = _OF_FIELD.get(action.field.name)
    return () if translate is None else translate(action, version)


def _vlan_tci(action: SetField, version: OpenFlowVersion) -> Ofpacts:
    is_of10 = version is _OF10
    if not action.value & CFI:
        return (StripVlan(is_pop=not is_of10),)
    tag = () if is_of10 or action.flow_has_vlan else (PushVlan(ether.TYPE_VLAN),)
    return (
        *tag,
        SetVlanVid(action.value & _VID_BITS, push_vlan_if_needed=is_of10),
        SetVlanPcp(action.value >> _PCP_SHIFT, push_vlan_if_needed=is_of10),
    )


def _vlan_vid(action: SetField, version: OpenFlowVersion) -> Ofpacts:
    return (SetVlanVid(action.value & _VID_BITS, push_vlan_if_needed=version is _OF10),)


def _vlan_pcp(action: SetField, version: OpenFlowVersion) -> Ofpacts:
    return (SetVlanPcp(action.value, push_vlan_if_needed=version is _OF10),)


def _ecn(action: SetField, version: OpenFlowVersion) -> Ofpacts:
    if version is _OF10:
        whole = (1 << action.field.n_bits) - 1
        return (SetField(action.field, action.value, whole, is_load=True),)
    return (SetIpEcn(action.value),)


_OF_FIELD: dict[str, Callable[[SetField, OpenFlowVersion], Ofpacts]] = {
    "vlan_tci": _vlan_tci,
    "vlan_vid": _vlan_vid,
    "vlan_pcp": _vlan_pcp,
    "eth_src": lambda action, _version: (SetEthSrc(action.value),),
    "eth_dst": lambda action, _version: (SetEthDst(action.value),),
    "ip_src": lambda action, _version: (SetIpv4Src(action.value),),
    "ip_dst": lambda action, _version: (SetIpv4Dst(action.value),),
    "nw_tos": lambda action, _version: (SetIpDscp(action.value),),
    "ip_dscp": lambda action, _version: (SetIpDscp(action.value << _DSCP_SHIFT),),
    "nw_ecn": _ecn,
    "tcp_src": lambda action, _version: (SetL4SrcPort(action.value),),
    "udp_src": lambda action, _version: (SetL4SrcPort(action.value),),
    "tcp_dst": lambda action, _version: (SetL4DstPort(action.value),),
    "udp_dst": lambda action, _version: (SetL4DstPort(action.value),),
}

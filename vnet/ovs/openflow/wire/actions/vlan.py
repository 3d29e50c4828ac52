"""Actions on VLAN tags. OpenFlow 1.0's set a tag and push it where none is; 1.1's only change
one, and from 1.2 on ``set_field`` does.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.flow import CFI
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import PushVlan, SetVlanPcp, SetVlanVid, StripVlan
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.fields import set_whole_field
from vnet.ovs.openflow.wire.actions.form import (
    OF10,
    OF11,
    OF12,
    Family,
    bare_form,
    number_form,
    standard,
)
from vnet.wire import ether

_ETHERTYPES = (ether.TYPE_VLAN, ether.TYPE_QINQ)
_GREATEST_VID = 0xFFF
_GREATEST_PCP = 7


def _at_most(number: int, greatest: int) -> int:
    if number > greatest:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return number


def _vid(*, push_vlan_if_needed: bool) -> Callable[[int], SetVlanVid]:
    return lambda vid: SetVlanVid(_at_most(vid, _GREATEST_VID), push_vlan_if_needed)


def _pcp(*, push_vlan_if_needed: bool) -> Callable[[int], SetVlanPcp]:
    return lambda pcp: SetVlanPcp(_at_most(pcp, _GREATEST_PCP), push_vlan_if_needed)


def _push(ethertype: int) -> PushVlan:
    if ethertype not in _ETHERTYPES:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return PushVlan(ethertype)


_VID10 = number_form(
    "OFPAT_SET_VLAN_VID", standard(1, OF10, OF10), 2, _vid(push_vlan_if_needed=True)
)
_PCP10 = number_form(
    "OFPAT_SET_VLAN_PCP", standard(2, OF10, OF10), 1, _pcp(push_vlan_if_needed=True)
)
_VID = number_form("OFPAT_SET_VLAN_VID", standard(1, OF11), 2, _vid(push_vlan_if_needed=False))
_PCP = number_form("OFPAT_SET_VLAN_PCP", standard(2, OF11), 1, _pcp(push_vlan_if_needed=False))
_STRIP = bare_form("OFPAT_STRIP_VLAN", standard(3, OF10, OF10), StripVlan())
_POP = bare_form("OFPAT_POP_VLAN", standard(18, OF11), StripVlan(is_pop=True))
_PUSH = number_form("OFPAT_PUSH_VLAN", standard(17, OF11), 2, _push)


def _encode_vid(action: SetVlanVid, version: OpenFlowVersion) -> bytes:
    if version is OF10:
        return _VID10.encode(version, action.vid.to_bytes(2, "big"))
    tag = _missing_tag(action, version)
    if version < OF12:
        return tag + _VID.encode(version, action.vid.to_bytes(2, "big"))
    return tag + set_whole_field("vlan_vid", action.vid | CFI, version)


def _encode_pcp(action: SetVlanPcp, version: OpenFlowVersion) -> bytes:
    if version is OF10:
        return _PCP10.encode(version, action.pcp.to_bytes(1, "big"))
    tag = _missing_tag(action, version)
    if version < OF12:
        return tag + _PCP.encode(version, action.pcp.to_bytes(1, "big"))
    return tag + set_whole_field("vlan_pcp", action.pcp, version)


def _missing_tag(action: SetVlanVid | SetVlanPcp, version: OpenFlowVersion) -> bytes:
    """What pushes the tag that OpenFlow 1.0 would."""
    if action.push_vlan_if_needed and not action.flow_has_vlan:
        return _encode_push(PushVlan(ether.TYPE_VLAN), version)
    return b""


def _encode_push(action: PushVlan, version: OpenFlowVersion) -> bytes:
    if version is OF10:
        return b""  # OpenFlow 1.0 pushes when it sets the VLAN that follows.
    return _PUSH.encode(version, action.ethertype.to_bytes(2, "big"))


def _encode_strip(_action: StripVlan, version: OpenFlowVersion) -> bytes:
    return (_STRIP if version is OF10 else _POP).encode(version)


FAMILY = Family(
    (_VID10, _PCP10, _VID, _PCP, _STRIP, _POP, _PUSH),
    {
        SetVlanVid: _encode_vid,
        SetVlanPcp: _encode_pcp,
        PushVlan: _encode_push,
        StripVlan: _encode_strip,
    },
)

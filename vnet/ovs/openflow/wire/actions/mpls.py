"""Actions on MPLS labels."""

from __future__ import annotations

from vnet.ovs.flow.protocol_numbers import ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    DecMplsTtl,
    PopMpls,
    PushMpls,
    SetMplsLabel,
    SetMplsTc,
    SetMplsTtl,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import (
    OF10,
    OF11,
    Family,
    Number,
    bare_form,
    nicira,
    number_form,
    standard,
)
from vnet.ovs.openflow.wire.actions.header import set_field_since_of12

_ETHERTYPES = (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST)


def _both(subtype: int, kind: int) -> dict[OpenFlowVersion, Number]:
    """An extension of OpenFlow 1.0 that became a standard in 1.1."""
    return nicira(subtype, OF10, OF10) | standard(kind, OF11)


def _push(ethertype: int) -> PushMpls:
    if ethertype not in _ETHERTYPES:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return PushMpls(ethertype)


_LABEL = number_form("OFPAT_SET_MPLS_LABEL", _both(30, 13), 4, SetMplsLabel)
_TC = number_form("OFPAT_SET_MPLS_TC", _both(31, 14), 1, SetMplsTc)
_TTL = number_form("OFPAT_SET_MPLS_TTL", _both(25, 15), 1, SetMplsTtl)
_DEC_TTL = bare_form("OFPAT_DEC_MPLS_TTL", _both(26, 16), DecMplsTtl())
_PUSH = number_form("OFPAT_PUSH_MPLS", _both(23, 19), 2, _push)
_POP = number_form("OFPAT_POP_MPLS", _both(24, 20), 2, PopMpls)


def _encode_ttl(action: SetMplsTtl, version: OpenFlowVersion) -> bytes:
    return _TTL.encode(version, action.ttl.to_bytes(1, "big"))


def _encode_push(action: PushMpls, version: OpenFlowVersion) -> bytes:
    return _PUSH.encode(version, action.ethertype.to_bytes(2, "big"))


def _encode_pop(action: PopMpls, version: OpenFlowVersion) -> bytes:
    return _POP.encode(version, action.ethertype.to_bytes(2, "big"))


FAMILY = Family(
    (_LABEL, _TC, _TTL, _DEC_TTL, _PUSH, _POP),
    {
        SetMplsLabel: set_field_since_of12(_LABEL, 4, lambda action: action.label, "mpls_label"),
        SetMplsTc: set_field_since_of12(_TC, 1, lambda action: action.tc, "mpls_tc"),
        SetMplsTtl: _encode_ttl,
        DecMplsTtl: lambda _action, version: _DEC_TTL.encode(version),
        PushMpls: _encode_push,
        PopMpls: _encode_pop,
    },
)

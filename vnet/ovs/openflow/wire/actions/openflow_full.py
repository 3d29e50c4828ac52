"""Actions of OpenFlow that Open vSwitch lacks: who does not speak it whole knows none of them."""

from __future__ import annotations

from vnet.ovs.flow.protocol_numbers import ETH_TYPE_PBB
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import CopyTtlIn, CopyTtlOut, PopPbb, PushPbb
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import (
    OF11,
    OF13,
    Family,
    Form,
    bare_form,
    number_form,
    standard,
)

_ETHERTYPE_BYTES = 2


def _push(ethertype: int) -> PushPbb:
    if ethertype != ETH_TYPE_PBB:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return PushPbb(ethertype)


_COPY_OUT = bare_form("OFPAT_COPY_TTL_OUT", standard(11, OF11), CopyTtlOut())
_COPY_IN = bare_form("OFPAT_COPY_TTL_IN", standard(12, OF11), CopyTtlIn())
_PUSH = number_form("OFPAT_PUSH_PBB", standard(26, OF13), _ETHERTYPE_BYTES, _push)
_POP = bare_form("OFPAT_POP_PBB", standard(27, OF13), PopPbb())


def _encode(form: Form, version: OpenFlowVersion, body: bytes = b"") -> bytes:
    """The action; nothing in versions without it, where its number means another one."""
    return form.encode(version, body) if version in form.numbers else b""


FAMILY = Family(
    (_COPY_OUT, _COPY_IN, _PUSH, _POP),
    {
        CopyTtlOut: lambda _action, version: _encode(_COPY_OUT, version),
        CopyTtlIn: lambda _action, version: _encode(_COPY_IN, version),
        PushPbb: lambda push, version: _encode(
            _PUSH, version, push.ethertype.to_bytes(_ETHERTYPE_BYTES, "big")
        ),
        PopPbb: lambda _action, version: _encode(_POP, version),
    },
)

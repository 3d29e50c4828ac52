"""Bundles: requests that are carried out together, or none of them (section 6.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from vnet.ovs.connmgr.bundles import Bundle
from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.connmgr.requests import flows, groups, packets, ports
from vnet.ovs.ofproto.requests import Request as Mod
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    BundleControl,
    BundleFlags,
    BundleType,
    FlowMod,
)
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.bundle import (
    decode_bundle_add,
    decode_bundle_control,
    encode_bundle_control,
)
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.recognition import kind_of

_READERS: Mapping[Kind, Callable[[Request], Mod]] = MappingProxyType(
    {
        kinds.OFPT_PORT_MOD: ports.read_mod,
        kinds.OFPT_FLOW_MOD: flows.read_mod,
        kinds.NXT_FLOW_MOD: flows.read_mod,
        kinds.OFPT_GROUP_MOD: groups.read_mod,
        kinds.NXT_GROUP_MOD: groups.read_mod,
        kinds.OFPT_PACKET_OUT: packets.read_packet_out,
    }
)
_ANSWERS = {
    BundleType.OPEN_REQUEST: BundleType.OPEN_REPLY,
    BundleType.CLOSE_REQUEST: BundleType.CLOSE_REPLY,
    BundleType.COMMIT_REQUEST: BundleType.COMMIT_REPLY,
    BundleType.DISCARD_REQUEST: BundleType.DISCARD_REPLY,
}


def control(request: Request) -> Iterable[bytes]:
    """OFPT_BUNDLE_CONTROL"""
    ofconn, bundles = request.ofconn, request.ofconn.bundles
    ofconn.need_rights()
    wanted = decode_bundle_control(request.body)
    match wanted.type:
        case BundleType.OPEN_REQUEST:
            bundles.open(wanted.bundle_id, wanted.flags, request.message)
        case BundleType.CLOSE_REQUEST:
            bundles.close_one(wanted.bundle_id, wanted.flags)
        case BundleType.COMMIT_REQUEST:
            _commit(request, bundles.take(wanted.bundle_id, wanted.flags))
        case BundleType.DISCARD_REQUEST:
            bundles.discard(wanted.bundle_id)
        case _:
            raise OpenFlowError("OFPBFC_BAD_TYPE")
    answer = BundleControl(wanted.bundle_id, _ANSWERS[BundleType(wanted.type)])
    return request.reply(request.kind, encode_bundle_control(answer))


def add(request: Request) -> Iterable[bytes]:
    """OFPT_BUNDLE_ADD_MESSAGE"""
    ofconn = request.ofconn
    ofconn.need_rights()
    added = decode_bundle_add(request.message, request.offset)
    kind, offset = kind_of(added.message)
    inner = Request(ofconn, added.message, kind, offset, (added.message,))
    mod = _READERS[kind](inner)
    if isinstance(mod, FlowMod):
        request.bridge.check_flow_mod(mod)
    ofconn.bundles.add(added.bundle_id, added.flags, mod, request.message)
    return NO_ANSWER


def _commit(request: Request, bundle: Bundle) -> None:
    """Carry it out. The request that cannot be is refused by itself, and then all of it."""
    ofconn = request.ofconn
    mods = [mod for mod, _ in bundle.requests]
    try:
        with ofconn.asking(*(message.xid for _, message in bundle.requests)):
            request.bridge.bundle(mods, is_atomic=BundleFlags.ATOMIC in bundle.flags)
    except OpenFlowError as error:
        ofconn.refuse(bundle.requests[error.position][1], error)
        raise OpenFlowError("OFPBFC_MSG_FAILED") from None
    for mod in mods:
        if isinstance(mod, FlowMod):
            ofconn.flow_mods.done(mod.command)

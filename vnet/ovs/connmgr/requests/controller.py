"""What a controller is to the bridge, and how it wants to be told things."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.flow.protocols import (
    P_OF10_ANY,
    P_OF10_NXM,
    P_OF10_NXM_ANY,
    P_OF10_NXM_TID,
    P_OF10_STD,
    P_OF10_STD_TID,
    P_TID,
)
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import ControllerRole, RoleRequest
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.async_config import (
    decode_async_masks,
    decode_async_properties,
    encode_async_masks,
    encode_async_properties,
)
from vnet.ovs.openflow.wire.connection.role import decode_role, encode_role
from vnet.ovs.openflow.wire.kinds import (
    NXT_ROLE_REPLY,
    NXT_ROLE_REQUEST,
    NXT_SET_ASYNC_CONFIG2,
    OFPT_GET_ASYNC_REPLY,
    OFPT_ROLE_REPLY,
    OFPT_SET_ASYNC,
)
from vnet.ovs.openflow.wire.nicira.settings import (
    decode_controller_id,
    decode_flow_format,
    decode_flow_mod_table_id,
    decode_packet_in_format,
)

_DIALECTS10 = {
    (False, False): P_OF10_STD,
    (False, True): P_OF10_STD_TID,
    (True, False): P_OF10_NXM,
    (True, True): P_OF10_NXM_TID,
}
"""Of OpenFlow 1.0: whether flows are told of in Nicira's messages, and flow mods name tables."""


def role(request: Request) -> Iterable[bytes]:
    """OFPT_ROLE_REQUEST and Nicira's."""
    ofconn, manager = request.ofconn, request.ofconn.manager
    wanted = decode_role(request.body, request.kind)
    if wanted.role is not ControllerRole.NOCHANGE:
        is_claim = wanted.role is not ControllerRole.EQUAL and wanted.generation_id is not None
        if is_claim and not manager.take_generation(wanted.generation_id or 0):
            raise OpenFlowError("OFPRRFC_STALE")
        manager.set_role(ofconn, wanted.role)
    kind = NXT_ROLE_REPLY if request.kind is NXT_ROLE_REQUEST else OFPT_ROLE_REPLY
    has = RoleRequest(ofconn.role, manager.generation_id)
    return request.reply(kind, encode_role(has, kind))


def set_async(request: Request) -> Iterable[bytes]:
    """OFPT_SET_ASYNC and Nicira's."""
    wishes, version = request.ofconn.wishes, request.version
    has_properties = request.kind is NXT_SET_ASYNC_CONFIG2 or (
        request.kind is OFPT_SET_ASYNC and version >= OpenFlowVersion.OF14
    )
    if has_properties:
        wanted = decode_async_properties(request.body, version, wishes.async_config)
    else:
        wanted = decode_async_masks(request.body, version)
    wishes.set_async(wanted)
    wishes.ask_unasked()
    request.ofconn.manager.wishes_changed()
    return NO_ANSWER


def get_async(request: Request) -> Iterable[bytes]:
    """OFPT_GET_ASYNC_REQUEST"""
    config, version = request.ofconn.wishes.async_config, request.version
    encode = encode_async_properties if version >= OpenFlowVersion.OF14 else encode_async_masks
    return request.reply(OFPT_GET_ASYNC_REPLY, encode(config, version))


def set_controller_id(request: Request) -> Iterable[bytes]:
    """NXT_SET_CONTROLLER_ID"""
    request.ofconn.wishes.controller_id = decode_controller_id(request.body)
    request.ofconn.manager.wishes_changed()
    return NO_ANSWER


def set_packet_in_format(request: Request) -> Iterable[bytes]:
    """NXT_SET_PACKET_IN_FORMAT"""
    request.ofconn.wishes.packet_in_format = decode_packet_in_format(request.body)
    return NO_ANSWER


def set_flow_format(request: Request) -> Iterable[bytes]:
    """NXT_SET_FLOW_FORMAT"""
    wishes = request.ofconn.wishes
    is_nxm = decode_flow_format(request.body)
    wishes.protocol = _DIALECTS10[is_nxm, bool(wishes.protocol & P_TID)]
    return NO_ANSWER


def set_table_ids(request: Request) -> Iterable[bytes]:
    """NXT_FLOW_MOD_TABLE_ID; later versions than 1.0 name tables in any case."""
    wishes = request.ofconn.wishes
    if wishes.protocol & P_OF10_ANY:
        is_nxm = bool(wishes.protocol & P_OF10_NXM_ANY)
        wishes.protocol = _DIALECTS10[is_nxm, decode_flow_mod_table_id(request.body)]
    return NO_ANSWER


def nothing(_request: Request) -> Iterable[bytes]:
    """What needs no answer, and changes nothing."""
    return NO_ANSWER

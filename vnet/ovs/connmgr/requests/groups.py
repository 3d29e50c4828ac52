"""Groups: to change them, what they are, and what they have seen."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.ofproto.group_facts import chosen_groups, group_features, group_stats
from vnet.ovs.openflow.messages import GroupMod
from vnet.ovs.openflow.wire.group.group_mod import decode_group_mod, encode_group_desc
from vnet.ovs.openflow.wire.group.stats import (
    decode_group_desc_request,
    decode_group_request,
    encode_group_features,
    encode_group_stats,
)


def read_mod(request: Request) -> GroupMod:
    """What an OFPT_GROUP_MOD or Nicira's asks for. Raises :class:`OpenFlowError`."""
    return decode_group_mod(
        request.body,
        request.version,
        allows_debug=request.ofconn.manager.backer.allows_debug,
        openflow_full=request.bridge.openflow_full,
    )


def modify(request: Request) -> Iterable[bytes]:
    """OFPT_GROUP_MOD and Nicira's"""
    request.ofconn.need_rights()
    mod = read_mod(request)
    with request.ofconn.asking(request.message.xid):
        request.bridge.group_mod(mod)
    return NO_ANSWER


def stats(request: Request) -> Iterable[bytes]:
    """OFPST_GROUP and Nicira's"""
    found = group_stats(request.bridge, decode_group_request(request.body))
    return request.parts(encode_group_stats(one, request.version) for one in found)


def descriptions(request: Request) -> Iterable[bytes]:
    """OFPST_GROUP_DESC and Nicira's"""
    group_id = decode_group_desc_request(request.body, request.version)
    found = [entry.as_mod() for entry in chosen_groups(request.bridge, group_id)]
    return request.parts(encode_group_desc(one, request.version) for one in found)


def features(request: Request) -> Iterable[bytes]:
    """OFPST_GROUP_FEATURES and Nicira's"""
    return request.parts([encode_group_features(group_features(request.bridge), request.version)])

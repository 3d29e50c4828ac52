"""Of which flows statistics are asked: one by one (``OFPST_FLOW``) or all together
(``OFPST_AGGREGATE``), and Nicira's for OpenFlow 1.0. Both look the same.
"""

from __future__ import annotations

import struct

from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_OF10_ANY, P_OF10_STD_ANY
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowStatsRequest
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire.flow.parts import put_nxm, take_nxm
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import (
    NXST_AGGREGATE_REQUEST,
    NXST_FLOW_REQUEST,
    OFPST_AGGREGATE_REQUEST,
    OFPST_FLOW_REQUEST,
)
from vnet.ovs.openflow.wire.match import decode_match, encode_match
from vnet.ovs.openflow.wire.oxm import TunLengths
from vnet.ovs.openflow.wire.packing import pack
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11

_OF10 = struct.Struct("!BxH")
_NX = struct.Struct("!HHB3x")
_OF11 = struct.Struct("!B3xII4xQQ")


def decode_flow_stats_request(
    body: bytes,
    kind: Kind,
    version: OpenFlowVersion,
    *,
    tun_lengths: TunLengths | None = None,
    openflow_full: bool = False,
) -> FlowStatsRequest:
    """What a request asks for (ofputil_decode_flow_stats_request).

    Raises :class:`OpenFlowError` (OFPBMC_*, OFPBAC_BAD_OUT_PORT, OFPBRC_BAD_LEN).
    """
    if kind in (NXST_FLOW_REQUEST, NXST_AGGREGATE_REQUEST):
        out_port, n_bytes, table_id = _NX.unpack_from(body)
        match, cookie, cookie_mask, end = take_nxm(
            body,
            _NX.size,
            n_bytes,
            may_have_cookie=True,
            tun_lengths=tun_lengths,
            openflow_full=openflow_full,
        )
        if end != len(body):
            raise OpenFlowError("OFPBRC_BAD_LEN")
        return FlowStatsRequest(match, table_id, cookie, cookie_mask, OfpPort(out_port))
    if version is OpenFlowVersion.OF10:
        match, end = decode_match(body, 0, version)
        table_id, out_port = _OF10.unpack_from(body, end)
        return FlowStatsRequest(match, table_id, out_port=OfpPort(out_port))
    table_id, out_port, out_group, cookie, cookie_mask = _OF11.unpack_from(body)
    port = port_from_of11(out_port)
    match, _ = decode_match(
        body, _OF11.size, version, tun_lengths=tun_lengths, openflow_full=openflow_full
    )
    return FlowStatsRequest(match, table_id, cookie, cookie_mask, port, out_group)


def encode_flow_stats_request(
    request: FlowStatsRequest, protocol: int, xid: int, *, is_aggregate: bool = False
) -> bytes:
    """The message that asks by a protocol (ofputil_encode_flow_stats_request)."""
    version = version_of(protocol)
    if not protocol & P_OF10_ANY:
        body = _OF11.pack(
            request.table_id,
            port_to_of11(request.out_port),
            request.out_group,
            request.cookie,
            request.cookie_mask,
        ) + encode_match(request.match, version)
    elif protocol & P_OF10_STD_ANY:
        selection = _OF10.pack(request.table_id, request.out_port)
        body = encode_match(request.match, version) + selection
    else:
        n_bytes, match = put_nxm(request.match, request.cookie, request.cookie_mask)
        kind = NXST_AGGREGATE_REQUEST if is_aggregate else NXST_FLOW_REQUEST
        head = _NX.pack(request.out_port, n_bytes, request.table_id)
        return pack(kind, version, xid, head + match)
    kind = OFPST_AGGREGATE_REQUEST if is_aggregate else OFPST_FLOW_REQUEST
    return pack(kind, version, xid, body)

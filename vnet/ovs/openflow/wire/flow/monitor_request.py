"""Asking to watch flows.

Nicira's is for OpenFlow 1.0 to 1.2, the ONF's extension for 1.3, and later versions have it
themselves. Sources: ``nicira-ext.h`` and ``openflow-1.3.h`` of Open vSwitch 3.1; OpenFlow 1.4,
section 7.3.5.17.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    FlowMonitorCommand,
    FlowMonitorFlags,
    FlowMonitorRequest,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.flow.parts import put_nxm, take_nxm
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import (
    NXST_FLOW_MONITOR_REQUEST,
    NXT_FLOW_MONITOR_CANCEL,
    OFPST_FLOW_MONITOR_REQUEST,
    ONFST_FLOW_MONITOR_REQUEST,
    ONFT_FLOW_MONITOR_CANCEL,
)
from vnet.ovs.openflow.wire.match import decode_match, encode_oxm, oxm_bytes
from vnet.ovs.openflow.wire.packing import pack
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11

_NX = struct.Struct("!IHHHB5s")
_ONF = struct.Struct("!IHHIB3s")
_OF14 = struct.Struct("!IIIHBB")
_CANCEL = struct.Struct("!I")

_EVENTS = int(FlowMonitorFlags.ADD | FlowMonitorFlags.REMOVED | FlowMonitorFlags.MODIFY)
_ALIKE = _EVENTS | int(FlowMonitorFlags.INITIAL | FlowMonitorFlags.INSTRUCTIONS)
"""The flags that have the same bits in all versions."""
_NX_OWN = 32
"""What Open vSwitch takes for ONLY_OWN in Nicira's and the ONF's requests."""
_LOG = "ofp_monitor"


def decode_flow_monitor_requests(
    body: bytes, kind: Kind, version: OpenFlowVersion, *, openflow_full: bool = False
) -> Iterator[FlowMonitorRequest]:
    """The requests in a message of ``kind`` (ofputil_decode_flow_monitor_request).

    Raises :class:`OpenFlowError` (OFPMOFC_BAD_FLAGS, NXBRC_MUST_BE_ZERO, OFPBRC_BAD_LEN, ...).
    """
    offset = 0
    while offset < len(body):
        if len(body) - offset < _NX.size:
            text = f"{kind.name} has {len(body) - offset} leftover bytes at end"
            raise OpenFlowError("OFPBRC_BAD_LEN", warning=(_LOG, text))
        if kind is NXST_FLOW_MONITOR_REQUEST:
            request, offset = _decode_nx(body, offset, openflow_full)
        elif kind is ONFST_FLOW_MONITOR_REQUEST:
            request, offset = _decode_onf(body, offset, openflow_full)
        else:
            request, offset = _decode_openflow14(body, offset, version, openflow_full)
        yield request


def _decode_nx(body: bytes, offset: int, openflow_full: bool) -> tuple[FlowMonitorRequest, int]:
    monitor_id, bits, out_port, n_bytes, table_id, zeros = _NX.unpack_from(body, offset)
    flags = _decode_nx_flags(bits, zeros, "NXST_FLOW_MONITOR")
    match, _, _, end = take_nxm(body, offset + _NX.size, n_bytes, openflow_full=openflow_full)
    add = FlowMonitorCommand.ADD
    return FlowMonitorRequest(monitor_id, add, flags, match, table_id, OfpPort(out_port)), end


def _decode_onf(body: bytes, offset: int, openflow_full: bool) -> tuple[FlowMonitorRequest, int]:
    monitor_id, bits, _, out_port, table_id, zeros = _ONF.unpack_from(body, offset)
    flags = _decode_nx_flags(bits, zeros, "ONFST_FLOW_MONITOR")
    port = port_from_of11(out_port)
    match, end = decode_match(
        body, offset + _ONF.size, OpenFlowVersion.OF13, openflow_full=openflow_full
    )
    add = FlowMonitorCommand.ADD
    return FlowMonitorRequest(monitor_id, add, flags, match, table_id, port), end


def _decode_nx_flags(bits: int, zeros: bytes, name: str) -> FlowMonitorFlags:
    if not bits & _EVENTS or bits & ~(_ALIKE | _NX_OWN):
        raise _bad_flags(name, bits)
    if any(zeros):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    own = FlowMonitorFlags.ONLY_OWN if bits & _NX_OWN else FlowMonitorFlags.NONE
    return FlowMonitorFlags(bits & _ALIKE) | own


def _decode_openflow14(
    body: bytes, offset: int, version: OpenFlowVersion, openflow_full: bool
) -> tuple[FlowMonitorRequest, int]:
    monitor_id, out_port, out_group, bits, table_id, number = _OF14.unpack_from(body, offset)
    offset += _OF14.size
    if number == FlowMonitorCommand.DELETE:
        _, end = decode_match(body, offset, version, openflow_full=openflow_full)
        return FlowMonitorRequest(monitor_id, FlowMonitorCommand.DELETE), end
    if not bits & _EVENTS or bits & ~(_ALIKE | int(FlowMonitorFlags.ONLY_OWN)):
        raise _bad_flags("OFPST_FLOW_MONITOR", bits)
    port = port_from_of11(out_port)
    match, end = decode_match(body, offset, version, openflow_full=openflow_full)
    flags = FlowMonitorFlags(bits)
    request = FlowMonitorRequest(monitor_id, number, flags, match, table_id, port, out_group)
    return request, end


def _bad_flags(name: str, bits: int) -> OpenFlowError:
    return OpenFlowError("OFPMOFC_BAD_FLAGS", warning=(_LOG, f"{name} has bad flags {bits:#x}"))


def encode_flow_monitor_request(
    request: FlowMonitorRequest, version: OpenFlowVersion, xid: int
) -> bytes:
    """The message that asks for it (ofputil_append_flow_monitor_request)."""
    if version <= OpenFlowVersion.OF12:
        n_bytes, match = put_nxm(request.match)
        bits, port = _encode_nx_flags(request.flags), request.out_port
        head = _NX.pack(request.monitor_id, bits, port, n_bytes, request.table_id, bytes(5))
        return pack(NXST_FLOW_MONITOR_REQUEST, version, xid, head + match)
    match, port_number = encode_oxm(request.match, version), port_to_of11(request.out_port)
    if version is OpenFlowVersion.OF13:
        bits = _encode_nx_flags(request.flags)
        n_bytes = oxm_bytes(match)
        table_id = request.table_id
        head = _ONF.pack(request.monitor_id, bits, n_bytes, port_number, table_id, bytes(3))
        return pack(ONFST_FLOW_MONITOR_REQUEST, version, xid, head + match)
    head = _OF14.pack(
        request.monitor_id,
        port_number,
        request.out_group,
        request.flags,
        request.table_id,
        request.command,
    )
    return pack(OFPST_FLOW_MONITOR_REQUEST, version, xid, head + match)


def _encode_nx_flags(flags: FlowMonitorFlags) -> int:
    return int(flags) & _ALIKE | (_NX_OWN if flags & FlowMonitorFlags.ONLY_OWN else 0)


def decode_flow_monitor_cancel(body: bytes) -> int:
    """The number of the monitor that is to end, by OpenFlow 1.0 to 1.3."""
    monitor_id: int = _CANCEL.unpack_from(body)[0]
    return monitor_id


def encode_flow_monitor_cancel(monitor_id: int, version: OpenFlowVersion, xid: int) -> bytes:
    """The message that ends a monitor (ofputil_encode_flow_monitor_cancel).

    As Open vSwitch does, by OpenFlow 1.4 and 1.5 a request without a match, which switches refuse.
    """
    if version <= OpenFlowVersion.OF12:
        return pack(NXT_FLOW_MONITOR_CANCEL, version, xid, _CANCEL.pack(monitor_id))
    if version is OpenFlowVersion.OF13:
        return pack(ONFT_FLOW_MONITOR_CANCEL, version, xid, _CANCEL.pack(monitor_id))
    head = _OF14.pack(monitor_id, 0, 0, 0, 0, FlowMonitorCommand.DELETE)
    return pack(OFPST_FLOW_MONITOR_REQUEST, version, xid, head)

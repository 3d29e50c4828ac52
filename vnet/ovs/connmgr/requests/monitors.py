"""Flows that are watched."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.ofproto.rules.table import N_TABLES
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMonitorRequest
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.wire.flow import (
    decode_flow_monitor_cancel,
    decode_flow_monitor_requests,
    encode_flow_update,
)
from vnet.ovs.openflow.wire.message import Message


def watch(request: Request) -> Iterable[bytes]:
    """OFPST_FLOW_MONITOR and the ONF's and Nicira's: monitors begin, change and end.

    Where one cannot, those that had just begun are no more.
    """
    ofconn, version = request.ofconn, request.version
    new: list[FlowMonitorRequest] = []
    for message in request.messages:
        try:
            _change(request, message, new)
        except OpenFlowError as error:
            ofconn.monitors.forget(new)
            ofconn.manager.monitors_changed()
            ofconn.refuse(message, error)
            return NO_ANSWER
    ofconn.manager.monitors_changed()
    updates = ofconn.monitors.first_updates(new, request.bridge.flows)
    # At once, though it may be long: what becomes of those flows later is told behind it.
    return list(request.parts(encode_flow_update(update, version) for update in updates))


def _change(request: Request, message: Message, new: list[FlowMonitorRequest]) -> None:
    body = message.raw[request.offset :]
    for wanted in decode_flow_monitor_requests(
        body, request.kind, request.version, openflow_full=request.bridge.openflow_full
    ):
        if wanted.table_id != TABLE_ALL and wanted.table_id >= N_TABLES:
            raise OpenFlowError("OFPBRC_BAD_TABLE_ID")
        monitor = request.ofconn.monitors.change(wanted)
        if monitor is not None:
            new.append(monitor)


def cancel(request: Request) -> Iterable[bytes]:
    """NXT_FLOW_MONITOR_CANCEL and the ONF's"""
    request.ofconn.monitors.end(decode_flow_monitor_cancel(request.body))
    request.ofconn.manager.monitors_changed()
    return NO_ANSWER

"""Who answers what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from vnet.ovs.connmgr.request import NO_ANSWER, Handler, Request
from vnet.ovs.connmgr.requests import (
    bundles,
    controller,
    flows,
    groups,
    meters,
    monitors,
    packets,
    ports,
    queues,
    sampling,
    switch,
    tables,
    tracking,
)
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.kind import Kind, multipart_types
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.recognition import is_multipart_request, kind_by_numbers, kind_of

if TYPE_CHECKING:
    from vnet.ovs.connmgr.ofconn import Ofconn

HANDLERS: Mapping[Kind, Handler] = MappingProxyType(
    {
        kinds.OFPT_ECHO_REQUEST: switch.echo,
        kinds.OFPT_ECHO_REPLY: controller.nothing,
        kinds.OFPT_BARRIER_REQUEST: switch.barrier,
        kinds.OFPT_FEATURES_REQUEST: switch.features,
        kinds.OFPT_GET_CONFIG_REQUEST: switch.get_config,
        kinds.OFPT_SET_CONFIG: switch.set_config,
        kinds.OFPST_DESC_REQUEST: switch.description,
        kinds.OFPT_PACKET_OUT: packets.send,
        kinds.NXT_RESUME: packets.resume,
        kinds.OFPT_PORT_MOD: ports.modify,
        kinds.OFPST_PORT_REQUEST: ports.stats,
        kinds.OFPST_PORT_DESC_REQUEST: ports.descriptions,
        kinds.OFPT_ROLE_REQUEST: controller.role,
        kinds.NXT_ROLE_REQUEST: controller.role,
        kinds.OFPT_SET_ASYNC: controller.set_async,
        kinds.NXT_SET_ASYNC_CONFIG: controller.set_async,
        kinds.NXT_SET_ASYNC_CONFIG2: controller.set_async,
        kinds.OFPT_GET_ASYNC_REQUEST: controller.get_async,
        kinds.NXT_SET_CONTROLLER_ID: controller.set_controller_id,
        kinds.NXT_SET_PACKET_IN_FORMAT: controller.set_packet_in_format,
        kinds.NXT_SET_FLOW_FORMAT: controller.set_flow_format,
        kinds.NXT_FLOW_MOD_TABLE_ID: controller.set_table_ids,
        kinds.NXT_FLOW_AGE: controller.nothing,
        kinds.NXT_CT_FLUSH_ZONE: tracking.flush_zone,
        kinds.NXT_CT_FLUSH: tracking.flush,
        kinds.NXT_TLV_TABLE_MOD: tracking.modify_options,
        kinds.NXT_TLV_TABLE_REQUEST: tracking.options,
        kinds.OFPT_FLOW_MOD: flows.modify,
        kinds.NXT_FLOW_MOD: flows.modify,
        kinds.OFPST_FLOW_MONITOR_REQUEST: monitors.watch,
        kinds.ONFST_FLOW_MONITOR_REQUEST: monitors.watch,
        kinds.NXST_FLOW_MONITOR_REQUEST: monitors.watch,
        kinds.ONFT_FLOW_MONITOR_CANCEL: monitors.cancel,
        kinds.NXT_FLOW_MONITOR_CANCEL: monitors.cancel,
        kinds.OFPT_BUNDLE_CONTROL: bundles.control,
        kinds.ONFT_BUNDLE_CONTROL: bundles.control,
        kinds.OFPT_BUNDLE_ADD_MESSAGE: bundles.add,
        kinds.ONFT_BUNDLE_ADD_MESSAGE: bundles.add,
        kinds.OFPT_METER_MOD: meters.modify,
        kinds.OFPST_METER_FEATURES_REQUEST: meters.features,
        kinds.OFPST_METER_CONFIG_REQUEST: meters.configs,
        kinds.OFPST_METER_REQUEST: meters.stats,
        kinds.OFPST_QUEUE_REQUEST: queues.stats,
        kinds.OFPT_QUEUE_GET_CONFIG_REQUEST: queues.configs,
        kinds.OFPST_QUEUE_DESC_REQUEST: queues.descriptions,
        kinds.NXST_IPFIX_BRIDGE_REQUEST: sampling.of_bridge,
        kinds.NXST_IPFIX_FLOW_REQUEST: sampling.of_flows,
        kinds.OFPST_FLOW_REQUEST: flows.stats,
        kinds.NXST_FLOW_REQUEST: flows.stats,
        kinds.OFPST_AGGREGATE_REQUEST: flows.aggregate,
        kinds.NXST_AGGREGATE_REQUEST: flows.aggregate,
        kinds.OFPT_TABLE_MOD: tables.modify,
        kinds.OFPST_TABLE_REQUEST: tables.stats,
        kinds.OFPST_TABLE_DESC_REQUEST: tables.descriptions,
        kinds.OFPST_TABLE_FEATURES_REQUEST: tables.features,
        kinds.OFPT_GROUP_MOD: groups.modify,
        kinds.NXT_GROUP_MOD: groups.modify,
        kinds.OFPST_GROUP_REQUEST: groups.stats,
        kinds.NXST_GROUP_REQUEST: groups.stats,
        kinds.OFPST_GROUP_DESC_REQUEST: groups.descriptions,
        kinds.NXST_GROUP_DESC_REQUEST: groups.descriptions,
        kinds.OFPST_GROUP_FEATURES_REQUEST: groups.features,
        kinds.NXST_GROUP_FEATURES_REQUEST: groups.features,
    }
)


_MULTIPART_TYPES = frozenset(multipart_types(version)[0] for version in OpenFlowVersion)
"""Of some version; in others the numbers are those of other messages."""

_IN_SEVERAL_PARTS = (
    kinds.OFPST_TABLE_FEATURES_REQUEST,
    kinds.OFPST_FLOW_MONITOR_REQUEST,
    kinds.ONFST_FLOW_MONITOR_REQUEST,
    kinds.NXST_FLOW_MONITOR_REQUEST,
)


def answers_to(ofconn: Ofconn, message: Message) -> Iterable[bytes]:
    """Do what a message asks for. Raises :class:`OpenFlowError` where it is refused."""
    if message.type in _MULTIPART_TYPES and is_multipart_request(message):
        return _multipart_answers_to(ofconn, message)
    kind, offset = kind_of(message)
    return _handler_of(kind)(Request(ofconn, message, kind, offset, (message,)))


def _multipart_answers_to(ofconn: Ofconn, message: Message) -> Iterable[bytes]:
    messages = ofconn.assembler.take(message)
    if not messages:
        return NO_ANSWER
    first = messages[0]
    kind = kind_by_numbers(first)
    handler = _handler_of(kind)
    if len(messages) > 1 and kind not in _IN_SEVERAL_PARTS:
        ofconn.refuse(first, OpenFlowError("OFPBRC_BAD_STAT"))
        return NO_ANSWER
    offset = kind.numberings[first.version].offset
    return handler(Request(ofconn, first, kind, offset, messages))


def _handler_of(kind: Kind) -> Handler:
    handler = HANDLERS.get(kind)
    if handler is None:
        is_request = kind.name.endswith(" request")
        raise OpenFlowError("OFPBRC_BAD_STAT" if is_request else "OFPBRC_BAD_TYPE")
    return handler

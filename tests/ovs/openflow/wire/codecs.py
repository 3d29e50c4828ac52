"""How each kind of message is read and written, for tests that do both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from vnet.ovs.flow.protocols import P_OF10_NXM_TID, P_OF10_STD_TID
from vnet.ovs.openflow.version import OpenFlowVersion, protocol_of
from vnet.ovs.openflow.wire import flow, kinds, meter, switch
from vnet.ovs.openflow.wire.connection import async_config, bundle, role
from vnet.ovs.openflow.wire.group import group_mod
from vnet.ovs.openflow.wire.group import stats as group_stats
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.nicira import ct_flush, ipfix, settings, tlv_table
from vnet.ovs.openflow.wire.port import description as port_desc
from vnet.ovs.openflow.wire.port import queue, request
from vnet.ovs.openflow.wire.port import stats as port_stats
from vnet.ovs.openflow.wire.table import features as table_features
from vnet.ovs.openflow.wire.table import stats as table_stats
from vnet.ovs.openflow.wire.table import table_mod

Decode = Callable[[bytes, OpenFlowVersion], Any]
Encode = Callable[[Any, OpenFlowVersion], bytes]


class Codec(NamedTuple):
    """From the body of a message to what it says, and back."""

    decode: Decode
    encode: Encode


def _entries(decode: Decode, encode: Encode) -> Codec:
    def encode_all(values: Iterable[Any], version: OpenFlowVersion) -> bytes:
        return b"".join(encode(value, version) for value in values)

    return Codec(decode, encode_all)


def _same_in_all(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Codec:
    return Codec(lambda body, _: decode(body), lambda value, _: encode(value))


def _entries_of_all(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Codec:
    return _entries(lambda body, _: decode(body), lambda value, _: encode(value))


def _of_role(kind: Kind) -> Codec:
    return Codec(
        lambda body, _: role.decode_role(body, kind), lambda value, _: role.encode_role(value, kind)
    )


def _async(body: bytes, version: OpenFlowVersion) -> Any:
    if version is OpenFlowVersion.OF13:
        return async_config.decode_async_masks(body, version)
    return async_config.decode_async_properties(body, version)


def _encode_async(value: Any, version: OpenFlowVersion) -> bytes:
    if version is OpenFlowVersion.OF13:
        return async_config.encode_async_masks(value, version)
    return async_config.encode_async_properties(value, version)


_BUNDLE_CONTROL = _same_in_all(bundle.decode_bundle_control, bundle.encode_bundle_control)
_ROLE_STATUS = _same_in_all(role.decode_role_status, role.encode_role_status)
_IPFIX = _entries_of_all(ipfix.decode_ipfix_stats, ipfix.encode_ipfix_stats)
_METER_REQUEST = _same_in_all(meter.decode_meter_request, meter.encode_meter_request)
_QUEUE_CONFIG_REQUEST = Codec(queue.decode_queue_config_request, queue.encode_queue_config_request)

_TABLE_FEATURES = _entries(
    table_features.decode_table_features, table_features.encode_table_features
)

_GROUP_MOD = Codec(group_mod.decode_group_mod, group_mod.encode_group_mod)


def _flow_mod(kind: Kind) -> Codec:
    def protocol_for(version: OpenFlowVersion) -> int:
        if version > OpenFlowVersion.OF10:
            return protocol_of(version)
        return P_OF10_NXM_TID if kind is kinds.NXT_FLOW_MOD else P_OF10_STD_TID

    return Codec(
        lambda body, version: flow.decode_flow_mod(body, kind, version, protocol_for(version)),
        lambda mod, version: flow.flow_mod_body(mod, protocol_for(version)),
    )


def _flow_stats(kind: Kind) -> Codec:
    return _entries(
        lambda body, version: list(flow.decode_flow_stats(body, kind, version)),
        lambda stats, version: flow.encode_flow_stats(stats, kind, version),
    )


def _aggregate(kind: Kind) -> Codec:
    return Codec(
        flow.decode_aggregate, lambda stats, version: flow.encode_aggregate(stats, kind, version)
    )


def _flow_updates(kind: Kind) -> Codec:
    return _entries(
        lambda body, version: list(flow.decode_flow_updates(body, kind, version)),
        flow.encode_flow_update,
    )


_FLOW_CODECS = {
    kinds.OFPT_FLOW_MOD: _flow_mod(kinds.OFPT_FLOW_MOD),
    kinds.OFPST_FLOW_REPLY: _flow_stats(kinds.OFPST_FLOW_REPLY),
    kinds.NXST_FLOW_REPLY: _flow_stats(kinds.NXST_FLOW_REPLY),
    kinds.OFPST_AGGREGATE_REPLY: _aggregate(kinds.OFPST_AGGREGATE_REPLY),
    kinds.NXST_AGGREGATE_REPLY: _aggregate(kinds.NXST_AGGREGATE_REPLY),
    kinds.OFPST_FLOW_MONITOR_REPLY: _flow_updates(kinds.OFPST_FLOW_MONITOR_REPLY),
    kinds.ONFST_FLOW_MONITOR_REPLY: _flow_updates(kinds.ONFST_FLOW_MONITOR_REPLY),
    kinds.NXST_FLOW_MONITOR_REPLY: _flow_updates(kinds.NXST_FLOW_MONITOR_REPLY),
}

CODECS: dict[Kind, Codec] = {
    **_FLOW_CODECS,
    kinds.OFPT_FEATURES_REPLY: Codec(switch.decode_features, switch.encode_features),
    kinds.OFPT_SET_CONFIG: Codec(switch.decode_config, switch.encode_config),
    kinds.OFPT_GET_CONFIG_REPLY: Codec(switch.decode_config, switch.encode_config),
    kinds.OFPST_DESC_REPLY: _same_in_all(switch.decode_description, switch.encode_description),
    kinds.OFPST_PORT_DESC_REPLY: _entries(port_desc.decode_ports, port_desc.encode_port),
    kinds.OFPT_PORT_STATUS: Codec(port_desc.decode_port_status, port_desc.encode_port_status),
    kinds.OFPT_PORT_MOD: Codec(port_desc.decode_port_mod, port_desc.encode_port_mod),
    kinds.OFPST_PORT_REQUEST: Codec(request.decode_port_request, request.encode_port_request),
    kinds.OFPST_PORT_REPLY: _entries(port_stats.decode_port_stats, port_stats.encode_port_stats),
    **{
        kind: _of_role(kind)
        for kind in (
            *(kinds.OFPT_ROLE_REQUEST, kinds.OFPT_ROLE_REPLY),
            *(kinds.NXT_ROLE_REQUEST, kinds.NXT_ROLE_REPLY),
        )
    },
    kinds.OFPT_ROLE_STATUS: _ROLE_STATUS,
    kinds.ONFT_ROLE_STATUS: _ROLE_STATUS,
    kinds.OFPT_SET_ASYNC: Codec(_async, _encode_async),
    kinds.OFPT_GET_ASYNC_REPLY: Codec(_async, _encode_async),
    kinds.NXT_SET_ASYNC_CONFIG: Codec(
        async_config.decode_async_masks, async_config.encode_async_masks
    ),
    kinds.NXT_SET_ASYNC_CONFIG2: Codec(
        async_config.decode_async_properties, async_config.encode_async_properties
    ),
    kinds.OFPT_BUNDLE_CONTROL: _BUNDLE_CONTROL,
    kinds.ONFT_BUNDLE_CONTROL: _BUNDLE_CONTROL,
    kinds.NXT_SET_FLOW_FORMAT: _same_in_all(
        settings.decode_flow_format, settings.encode_flow_format
    ),
    kinds.NXT_FLOW_MOD_TABLE_ID: _same_in_all(
        settings.decode_flow_mod_table_id, settings.encode_flow_mod_table_id
    ),
    kinds.NXT_SET_PACKET_IN_FORMAT: _same_in_all(
        settings.decode_packet_in_format, settings.encode_packet_in_format
    ),
    kinds.NXT_SET_CONTROLLER_ID: _same_in_all(
        settings.decode_controller_id, settings.encode_controller_id
    ),
    kinds.NXT_CT_FLUSH_ZONE: _same_in_all(ct_flush.decode_zone, ct_flush.encode_zone),
    kinds.NXT_CT_FLUSH: _same_in_all(ct_flush.decode_ct_flush, ct_flush.encode_ct_flush),
    kinds.NXT_TLV_TABLE_MOD: _same_in_all(
        tlv_table.decode_tlv_table_mod, tlv_table.encode_tlv_table_mod
    ),
    kinds.NXT_TLV_TABLE_REPLY: _same_in_all(tlv_table.decode_tlv_table, tlv_table.encode_tlv_table),
    kinds.NXST_IPFIX_BRIDGE_REPLY: _IPFIX,
    kinds.NXST_IPFIX_FLOW_REPLY: _IPFIX,
    kinds.OFPT_TABLE_MOD: Codec(table_mod.decode_table_mod, table_mod.encode_table_mod),
    kinds.OFPT_TABLE_STATUS: Codec(table_mod.decode_table_status, table_mod.encode_table_status),
    kinds.OFPST_TABLE_DESC_REPLY: _entries(
        table_mod.decode_table_descs, table_mod.encode_table_desc
    ),
    kinds.OFPST_TABLE_FEATURES_REPLY: _TABLE_FEATURES,
    kinds.OFPST_TABLE_FEATURES_REQUEST: _TABLE_FEATURES,
    kinds.OFPST_TABLE_REPLY: _entries(
        table_stats.decode_table_stats,
        lambda entry, version: table_stats.encode_table_stats(entry[0], entry[1], version),
    ),
    kinds.OFPT_METER_MOD: _same_in_all(meter.decode_meter_mod, meter.encode_meter_mod),
    kinds.OFPST_METER_REQUEST: _METER_REQUEST,
    kinds.OFPST_METER_CONFIG_REQUEST: _METER_REQUEST,
    kinds.OFPST_METER_REPLY: _entries_of_all(meter.decode_meter_stats, meter.encode_meter_stats),
    kinds.OFPST_METER_CONFIG_REPLY: _entries_of_all(
        meter.decode_meter_configs, meter.encode_meter_config
    ),
    kinds.OFPST_METER_FEATURES_REPLY: _same_in_all(
        meter.decode_meter_features, meter.encode_meter_features
    ),
    kinds.OFPT_QUEUE_GET_CONFIG_REQUEST: _QUEUE_CONFIG_REQUEST,
    kinds.OFPST_QUEUE_DESC_REQUEST: _QUEUE_CONFIG_REQUEST,
    kinds.OFPT_QUEUE_GET_CONFIG_REPLY: Codec(
        queue.decode_queue_configs,
        lambda told, version: queue.encode_queue_configs(told[0], told[1], version),
    ),
    kinds.OFPST_QUEUE_DESC_REPLY: _entries_of_all(
        queue.decode_queue_descs, queue.encode_queue_desc
    ),
    kinds.OFPST_QUEUE_REQUEST: Codec(
        queue.decode_queue_stats_request, queue.encode_queue_stats_request
    ),
    kinds.OFPST_QUEUE_REPLY: _entries(queue.decode_queue_stats, queue.encode_queue_stats),
    kinds.OFPT_GROUP_MOD: _GROUP_MOD,
    kinds.NXT_GROUP_MOD: _GROUP_MOD,
    **{
        kind: _same_in_all(group_stats.decode_group_request, group_stats.encode_group_request)
        for kind in (kinds.OFPST_GROUP_REQUEST, kinds.NXST_GROUP_REQUEST)
    },
    **{
        kind: Codec(group_stats.decode_group_desc_request, group_stats.encode_group_desc_request)
        for kind in (kinds.OFPST_GROUP_DESC_REQUEST, kinds.NXST_GROUP_DESC_REQUEST)
    },
    **{
        kind: _entries(group_mod.decode_group_descs, group_mod.encode_group_desc)
        for kind in (kinds.OFPST_GROUP_DESC_REPLY, kinds.NXST_GROUP_DESC_REPLY)
    },
    **{
        kind: _entries(group_stats.decode_group_stats, group_stats.encode_group_stats)
        for kind in (kinds.OFPST_GROUP_REPLY, kinds.NXST_GROUP_REPLY)
    },
    **{
        kind: Codec(group_stats.decode_group_features, group_stats.encode_group_features)
        for kind in (kinds.OFPST_GROUP_FEATURES_REPLY, kinds.NXST_GROUP_FEATURES_REPLY)
    },
}

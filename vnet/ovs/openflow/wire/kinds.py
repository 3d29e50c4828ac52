"""Every kind of message (ofp-msgs.h of Open vSwitch has the same).

Those of multipart replies have the name of their request: ``OFPST_FLOW_REPLY`` answers
``OFPST_FLOW_REQUEST``.
"""

from __future__ import annotations

from vnet.ovs.openflow.wire.kind import ALL, Form, Kind

OFPT_HELLO = Kind("OFPT_HELLO", Form(ALL, 0, 0, 1))
OFPT_ERROR = Kind("OFPT_ERROR", Form(ALL, 1, 4, 1))
OFPT_ECHO_REQUEST = Kind("OFPT_ECHO_REQUEST", Form(ALL, 2, 0, 1))
OFPT_ECHO_REPLY = Kind("OFPT_ECHO_REPLY", Form(ALL, 3, 0, 1))
OFPT_FEATURES_REQUEST = Kind("OFPT_FEATURES_REQUEST", Form("1.0+", 5))
OFPT_FEATURES_REPLY = Kind(
    "OFPT_FEATURES_REPLY", Form("1.0", 6, 24, 48), Form("1.1-1.2", 6, 24, 64), Form("1.3+", 6, 24)
)
OFPT_GET_CONFIG_REQUEST = Kind("OFPT_GET_CONFIG_REQUEST", Form("1.0+", 7))
OFPT_GET_CONFIG_REPLY = Kind("OFPT_GET_CONFIG_REPLY", Form("1.0+", 8, 4))
OFPT_SET_CONFIG = Kind("OFPT_SET_CONFIG", Form("1.0+", 9, 4))
OFPT_PACKET_IN = Kind(
    "OFPT_PACKET_IN",
    Form("1.0", 10, 10, 1),
    Form("1.1", 10, 16, 1),
    Form("1.2", 10, 8, 1),
    Form("1.3+", 10, 16, 1),
)
NXT_PACKET_IN = Kind("NXT_PACKET_IN", Form("1.0+", 17, 24, 1))
NXT_PACKET_IN2 = Kind("NXT_PACKET_IN2", Form("1.0+", 30, 0, 8))
OFPT_FLOW_REMOVED = Kind(
    "OFPT_FLOW_REMOVED", Form("1.0", 11, 80), Form("1.1-1.4", 11, 40, 8), Form("1.5", 11, 16, 8)
)
NXT_FLOW_REMOVED = Kind("NXT_FLOW_REMOVED", Form("1.0+", 14, 40, 8))
OFPT_PORT_STATUS = Kind(
    "OFPT_PORT_STATUS", Form("1.0", 12, 56), Form("1.1-1.3", 12, 72), Form("1.4+", 12, 48, 8)
)
OFPT_PACKET_OUT = Kind(
    "OFPT_PACKET_OUT", Form("1.0", 13, 8, 1), Form("1.1-1.4", 13, 16, 1), Form("1.5", 13, 8, 1)
)
OFPT_FLOW_MOD = Kind("OFPT_FLOW_MOD", Form("1.0", 14, 64, 8), Form("1.1+", 14, 40, 8))
NXT_FLOW_MOD = Kind("NXT_FLOW_MOD", Form("1.0+", 13, 32, 8))
NXT_GROUP_MOD = Kind("NXT_GROUP_MOD", Form("1.0", 31, 16, 8))
OFPT_GROUP_MOD = Kind("OFPT_GROUP_MOD", Form("1.1-1.4", 15, 8, 8), Form("1.5", 15, 16, 8))
OFPT_PORT_MOD = Kind(
    "OFPT_PORT_MOD", Form("1.0", 15, 24), Form("1.1-1.3", 16, 32), Form("1.4+", 16, 24, 8)
)
OFPT_TABLE_MOD = Kind("OFPT_TABLE_MOD", Form("1.1-1.3", 17, 8), Form("1.4+", 17, 8, 8))
OFPT_BARRIER_REQUEST = Kind("OFPT_BARRIER_REQUEST", Form("1.0", 18), Form("1.1+", 20))
OFPT_BARRIER_REPLY = Kind("OFPT_BARRIER_REPLY", Form("1.0", 19), Form("1.1+", 21))
OFPT_QUEUE_GET_CONFIG_REQUEST = Kind(
    "OFPT_QUEUE_GET_CONFIG_REQUEST", Form("1.0", 20, 4), Form("1.1-1.3", 22, 8)
)
OFPT_QUEUE_GET_CONFIG_REPLY = Kind(
    "OFPT_QUEUE_GET_CONFIG_REPLY", Form("1.0", 21, 8, 8), Form("1.1-1.3", 23, 8, 8)
)
OFPT_ROLE_REQUEST = Kind("OFPT_ROLE_REQUEST", Form("1.2+", 24, 16))
NXT_ROLE_REQUEST = Kind("NXT_ROLE_REQUEST", Form("1.0+", 10, 4))
OFPT_ROLE_REPLY = Kind("OFPT_ROLE_REPLY", Form("1.2+", 25, 16))
NXT_ROLE_REPLY = Kind("NXT_ROLE_REPLY", Form("1.0+", 11, 4))
OFPT_GET_ASYNC_REQUEST = Kind("OFPT_GET_ASYNC_REQUEST", Form("1.3+", 26))
OFPT_GET_ASYNC_REPLY = Kind("OFPT_GET_ASYNC_REPLY", Form("1.3", 27, 24), Form("1.4+", 27, 0, 8))
OFPT_SET_ASYNC = Kind("OFPT_SET_ASYNC", Form("1.3", 28, 24), Form("1.4+", 28, 0, 8))
NXT_SET_ASYNC_CONFIG = Kind("NXT_SET_ASYNC_CONFIG", Form("1.0+", 19, 24))
NXT_SET_ASYNC_CONFIG2 = Kind("NXT_SET_ASYNC_CONFIG2", Form("1.0-1.3", 27, 0, 8))
OFPT_METER_MOD = Kind("OFPT_METER_MOD", Form("1.3+", 29, 8, 8))
ONFT_ROLE_STATUS = Kind("ONFT_ROLE_STATUS", Form("1.3", 1911, 16, 8))
OFPT_ROLE_STATUS = Kind("OFPT_ROLE_STATUS", Form("1.4+", 30, 16, 8))
OFPT_TABLE_STATUS = Kind("OFPT_TABLE_STATUS", Form("1.4+", 31, 8, 8))
NXT_REQUESTFORWARD = Kind("NXT_REQUESTFORWARD", Form("1.0-1.2", 132, 8, 8))
ONFT_REQUESTFORWARD = Kind("ONFT_REQUESTFORWARD", Form("1.3", 2350, 8, 8))
OFPT_REQUESTFORWARD = Kind("OFPT_REQUESTFORWARD", Form("1.4+", 32, 8, 8))
OFPT_BUNDLE_CONTROL = Kind("OFPT_BUNDLE_CONTROL", Form("1.4+", 33, 8, 8))
ONFT_BUNDLE_CONTROL = Kind("ONFT_BUNDLE_CONTROL", Form("1.3", 2300, 8, 8))
OFPT_BUNDLE_ADD_MESSAGE = Kind("OFPT_BUNDLE_ADD_MESSAGE", Form("1.4+", 34, 8, 1))
ONFT_BUNDLE_ADD_MESSAGE = Kind("ONFT_BUNDLE_ADD_MESSAGE", Form("1.3", 2301, 8, 1))
OFPST_DESC_REQUEST = Kind("OFPST_DESC request", Form("1.0+", 0))
OFPST_DESC_REPLY = Kind("OFPST_DESC reply", Form("1.0+", 0, 1056))
OFPST_FLOW_REQUEST = Kind("OFPST_FLOW request", Form("1.0", 1, 44), Form("1.1+", 1, 32, 8))
NXST_FLOW_REQUEST = Kind("NXST_FLOW request", Form("1.0", 0, 8, 8))
OFPST_FLOW_REPLY = Kind("OFPST_FLOW reply", Form("1.0+", 1, 0, 1))
NXST_FLOW_REPLY = Kind("NXST_FLOW reply", Form("1.0", 0, 0, 1))
OFPST_AGGREGATE_REQUEST = Kind(
    "OFPST_AGGREGATE request", Form("1.0", 2, 44), Form("1.1+", 2, 32, 8)
)
NXST_AGGREGATE_REQUEST = Kind("NXST_AGGREGATE request", Form("1.0", 1, 8, 8))
OFPST_AGGREGATE_REPLY = Kind("OFPST_AGGREGATE reply", Form("1.0-1.4", 2, 24), Form("1.5", 2, 0, 1))
NXST_AGGREGATE_REPLY = Kind("NXST_AGGREGATE reply", Form("1.0", 1, 24))
OFPST_TABLE_REQUEST = Kind("OFPST_TABLE request", Form("1.0+", 3))
OFPST_TABLE_REPLY = Kind(
    "OFPST_TABLE reply",
    Form("1.0", 3, 0, 64),
    Form("1.1", 3, 0, 88),
    Form("1.2", 3, 0, 128),
    Form("1.3+", 3, 0, 24),
)
OFPST_PORT_REQUEST = Kind("OFPST_PORT request", Form("1.0+", 4, 8))
OFPST_PORT_REPLY = Kind(
    "OFPST_PORT reply", Form("1.0-1.2", 4, 0, 104), Form("1.3", 4, 0, 112), Form("1.4+", 4, 0, 8)
)
OFPST_QUEUE_REQUEST = Kind("OFPST_QUEUE request", Form("1.0+", 5, 8))
OFPST_QUEUE_REPLY = Kind(
    "OFPST_QUEUE reply", Form("1.0-1.2", 5, 0, 32), Form("1.3", 5, 0, 40), Form("1.4+", 5, 0, 8)
)
NXST_GROUP_REQUEST = Kind("NXST_GROUP request", Form("1.0", 7, 8))
OFPST_GROUP_REQUEST = Kind("OFPST_GROUP request", Form("1.1+", 6, 8))
NXST_GROUP_REPLY = Kind("NXST_GROUP reply", Form("1.0", 7, 0, 8))
OFPST_GROUP_REPLY = Kind("OFPST_GROUP reply", Form("1.1+", 6, 0, 8))
NXST_GROUP_DESC_REQUEST = Kind("NXST_GROUP_DESC request", Form("1.0", 8, 8))
OFPST_GROUP_DESC_REQUEST = Kind("OFPST_GROUP_DESC request", Form("1.1-1.4", 7), Form("1.5", 7, 8))
NXST_GROUP_DESC_REPLY = Kind("NXST_GROUP_DESC reply", Form("1.0", 8, 0, 8))
OFPST_GROUP_DESC_REPLY = Kind("OFPST_GROUP_DESC reply", Form("1.1+", 7, 0, 8))
NXST_GROUP_FEATURES_REQUEST = Kind("NXST_GROUP_FEATURES request", Form("1.0-1.1", 9))
OFPST_GROUP_FEATURES_REQUEST = Kind("OFPST_GROUP_FEATURES request", Form("1.2+", 8))
NXST_GROUP_FEATURES_REPLY = Kind("NXST_GROUP_FEATURES reply", Form("1.0-1.1", 9, 40))
OFPST_GROUP_FEATURES_REPLY = Kind("OFPST_GROUP_FEATURES reply", Form("1.2+", 8, 40))
OFPST_METER_REQUEST = Kind("OFPST_METER request", Form("1.3+", 9, 8))
OFPST_METER_REPLY = Kind("OFPST_METER reply", Form("1.3+", 9, 0, 8))
OFPST_METER_CONFIG_REQUEST = Kind("OFPST_METER_CONFIG request", Form("1.3+", 10, 8))
OFPST_METER_CONFIG_REPLY = Kind("OFPST_METER_CONFIG reply", Form("1.3+", 10, 0, 8))
OFPST_METER_FEATURES_REQUEST = Kind("OFPST_METER_FEATURES request", Form("1.3+", 11))
OFPST_METER_FEATURES_REPLY = Kind("OFPST_METER_FEATURES reply", Form("1.3+", 11, 16))
OFPST_TABLE_FEATURES_REQUEST = Kind("OFPST_TABLE_FEATURES request", Form("1.3+", 12, 0, 8))
OFPST_TABLE_FEATURES_REPLY = Kind("OFPST_TABLE_FEATURES reply", Form("1.3+", 12, 64, 8))
OFPST_TABLE_DESC_REQUEST = Kind("OFPST_TABLE_DESC request", Form("1.4+", 14))
OFPST_TABLE_DESC_REPLY = Kind("OFPST_TABLE_DESC reply", Form("1.4+", 14, 8, 8))
OFPST_PORT_DESC_REQUEST = Kind("OFPST_PORT_DESC request", Form("1.0-1.4", 13), Form("1.5", 13, 8))
OFPST_PORT_DESC_REPLY = Kind(
    "OFPST_PORT_DESC reply",
    Form("1.0", 13, 0, 48),
    Form("1.1-1.3", 13, 0, 64),
    Form("1.4+", 13, 0, 8),
)
OFPST_QUEUE_DESC_REQUEST = Kind("OFPST_QUEUE_DESC request", Form("1.4+", 15, 8))
OFPST_QUEUE_DESC_REPLY = Kind("OFPST_QUEUE_DESC reply", Form("1.4+", 15, 0, 8))
OFPST_FLOW_MONITOR_REQUEST = Kind("OFPST_FLOW_MONITOR request", Form("1.4+", 16, 0, 8))
ONFST_FLOW_MONITOR_REQUEST = Kind("ONFST_FLOW_MONITOR request", Form("1.3", 1870, 0, 8))
NXST_FLOW_MONITOR_REQUEST = Kind("NXST_FLOW_MONITOR request", Form("1.0-1.2", 2, 0, 8))
OFPST_FLOW_MONITOR_REPLY = Kind("OFPST_FLOW_MONITOR reply", Form("1.4+", 16, 0, 8))
ONFST_FLOW_MONITOR_REPLY = Kind("ONFST_FLOW_MONITOR reply", Form("1.3", 1870, 0, 8))
NXST_FLOW_MONITOR_REPLY = Kind("NXST_FLOW_MONITOR reply", Form("1.0-1.2", 2, 0, 8))
ONFT_FLOW_MONITOR_CANCEL = Kind("ONFT_FLOW_MONITOR_CANCEL", Form("1.3", 1870, 4))
NXT_FLOW_MONITOR_CANCEL = Kind("NXT_FLOW_MONITOR_CANCEL", Form("1.0-1.2", 21, 4))
ONFT_FLOW_MONITOR_PAUSED = Kind("ONFT_FLOW_MONITOR_PAUSED", Form("1.3", 1871))
NXT_FLOW_MONITOR_PAUSED = Kind("NXT_FLOW_MONITOR_PAUSED", Form("1.0-1.2", 22))
ONFT_FLOW_MONITOR_RESUMED = Kind("ONFT_FLOW_MONITOR_RESUMED", Form("1.3", 1872))
NXT_FLOW_MONITOR_RESUMED = Kind("NXT_FLOW_MONITOR_RESUMED", Form("1.0-1.2", 23))
NXT_SET_FLOW_FORMAT = Kind("NXT_SET_FLOW_FORMAT", Form("1.0", 12, 4))
NXT_FLOW_MOD_TABLE_ID = Kind("NXT_FLOW_MOD_TABLE_ID", Form("1.0+", 15, 8))
NXT_SET_PACKET_IN_FORMAT = Kind("NXT_SET_PACKET_IN_FORMAT", Form("1.0+", 16, 4))
NXT_FLOW_AGE = Kind("NXT_FLOW_AGE", Form("1.0+", 18))
NXT_SET_CONTROLLER_ID = Kind("NXT_SET_CONTROLLER_ID", Form("1.0+", 20, 8))
NXT_TLV_TABLE_MOD = Kind("NXT_TLV_TABLE_MOD", Form("1.0+", 24, 8, 8))
NXT_TLV_TABLE_REQUEST = Kind("NXT_TLV_TABLE_REQUEST", Form("1.0+", 25))
NXT_TLV_TABLE_REPLY = Kind("NXT_TLV_TABLE_REPLY", Form("1.0+", 26, 16, 8))
NXT_RESUME = Kind("NXT_RESUME", Form("1.0+", 28, 0, 8))
NXT_CT_FLUSH_ZONE = Kind("NXT_CT_FLUSH_ZONE", Form("1.0+", 29, 8))
NXT_CT_FLUSH = Kind("NXT_CT_FLUSH", Form("1.0+", 32, 8, 8))
NXST_IPFIX_BRIDGE_REQUEST = Kind("NXST_IPFIX_BRIDGE request", Form("1.0+", 3))
NXST_IPFIX_BRIDGE_REPLY = Kind("NXST_IPFIX_BRIDGE reply", Form("1.0+", 3, 88))
NXST_IPFIX_FLOW_REQUEST = Kind("NXST_IPFIX_FLOW request", Form("1.0+", 4))
NXST_IPFIX_FLOW_REPLY = Kind("NXST_IPFIX_FLOW reply", Form("1.0+", 4, 0, 88))

KINDS: tuple[Kind, ...] = tuple(value for value in globals().values() if isinstance(value, Kind))

_REPLIES = {
    kind: next(reply for reply in KINDS if reply.name == kind.name.replace("request", "reply"))
    for kind in KINDS
    if kind.name.endswith(" request")
}


def reply_to(request: Kind) -> Kind:
    """What answers a multipart request."""
    return _REPLIES[request]

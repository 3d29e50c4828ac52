"""Messages about flows: to change them, to ask for them, to watch them, and that they are gone."""

from __future__ import annotations

from vnet.ovs.openflow.wire.flow.flow_mod import (
    decode_flow_mod,
    encode_flow_mod,
    flow_mod_body,
    flow_mod_kind,
)
from vnet.ovs.openflow.wire.flow.monitor_request import (
    decode_flow_monitor_cancel,
    decode_flow_monitor_requests,
    encode_flow_monitor_cancel,
    encode_flow_monitor_request,
)
from vnet.ovs.openflow.wire.flow.monitor_update import (
    decode_flow_updates,
    encode_flow_monitor_pause,
    encode_flow_update,
    update_kind,
)
from vnet.ovs.openflow.wire.flow.removed import decode_flow_removed, encode_flow_removed
from vnet.ovs.openflow.wire.flow.stats import (
    decode_aggregate,
    decode_flow_stats,
    encode_aggregate,
    encode_flow_stats,
)
from vnet.ovs.openflow.wire.flow.stats_request import (
    decode_flow_stats_request,
    encode_flow_stats_request,
)

__all__ = [
    "decode_aggregate",
    "decode_flow_mod",
    "decode_flow_monitor_cancel",
    "decode_flow_monitor_requests",
    "decode_flow_removed",
    "decode_flow_stats",
    "decode_flow_stats_request",
    "decode_flow_updates",
    "encode_aggregate",
    "encode_flow_mod",
    "encode_flow_monitor_cancel",
    "encode_flow_monitor_pause",
    "encode_flow_monitor_request",
    "encode_flow_removed",
    "encode_flow_stats",
    "encode_flow_stats_request",
    "encode_flow_update",
    "flow_mod_body",
    "flow_mod_kind",
    "update_kind",
]

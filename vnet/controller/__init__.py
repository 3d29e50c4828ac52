"""Controllers of OpenFlow bridges, written as apps: plain functions that are told of events.

    from vnet.controller import PacketIn, SwitchConnected, on

    @on(SwitchConnected)
    def begin(event: SwitchConnected) -> None:
        event.switch.flow_mod("priority=0, actions=CONTROLLER")

    @on(PacketIn)
    def flood(event: PacketIn) -> None:
        event.send_on("FLOOD")

``vnet shell FILE`` runs an app by ``controller BR APP.py``, Python by
``lab.switch("br0").controller("app.py")``. Apps react and never wait: what comes next is
another event.
"""

from __future__ import annotations

from vnet.controller.app import on
from vnet.controller.events import (
    BarrierReply,
    ErrorReply,
    FlowRemoved,
    FlowStatsReply,
    GroupStatsReply,
    MeterStatsReply,
    PacketIn,
    PortStatsReply,
    PortStatus,
    SwitchConnected,
    SwitchGone,
)
from vnet.controller.switch import Switch
from vnet.controller.texts import actions, match

__all__ = [
    "BarrierReply",
    "ErrorReply",
    "FlowRemoved",
    "FlowStatsReply",
    "GroupStatsReply",
    "MeterStatsReply",
    "PacketIn",
    "PortStatsReply",
    "PortStatus",
    "Switch",
    "SwitchConnected",
    "SwitchGone",
    "actions",
    "match",
    "on",
]

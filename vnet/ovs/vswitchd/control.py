"""Who says what flows a bridge has: nobody, so that it is a learning switch, or controllers."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.ports import OFPP_NORMAL
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import (
    GROUP_ALL,
    METER_ALL,
    FlowMod,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    MeterMod,
    MeterModCommand,
)
from vnet.ovs.openflow.ofpacts import Output
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.config import BridgeConfig
from vnet.ovs.vswitchd.fail_open import FailOpen
from vnet.ovs.vswitchd.in_band import InBand


class BridgeControl:
    """One bridge's, from its making on."""

    def __init__(self, config: BridgeConfig, backer: Backer, ofproto: Ofproto, vlog: Vlog) -> None:
        self.fail_open = FailOpen(backer.scheduler, ofproto, vlog.module("fail_open"))
        self.in_band = InBand(backer, ofproto, vlog.module("in_band"))
        self._ofproto = ofproto
        self._has_controllers = config.has_controllers
        self._attached: dict[str, Callable[[], None]] = {}
        self._is_secure = config.is_secure
        self.fail_open.configure(config.controller, is_standalone=not config.is_secure)
        self._set_default_flow()

    def configure(self, config: BridgeConfig) -> None:
        """Who gets controllers begins with nothing, and so does who has lost them."""
        was_controlled = self._is_controlled
        is_other_mode = config.is_secure != self._is_secure
        self._has_controllers, self._is_secure = config.has_controllers, config.is_secure
        self.fail_open.configure(config.controller, is_standalone=not config.is_secure)
        if self._is_controlled != was_controlled or (is_other_mode and not was_controlled):
            self._begin_anew()

    def attach(self, controller: str, bridge_gone: Callable[[], None]) -> None:
        """Somebody in this process is a controller from now on, as those are that the
        configuration names. ``bridge_gone`` is called when the bridge goes."""
        was_controlled = self._is_controlled
        self._attached[controller] = bridge_gone
        self.fail_open.attached(controller)
        if not was_controlled:
            self._begin_anew()

    def detach(self, controller: str) -> None:
        """Somebody who was attached is a controller no more."""
        del self._attached[controller]
        self.fail_open.detached(controller)
        if not self._is_controlled:
            self._begin_anew()

    @property
    def _is_controlled(self) -> bool:
        return self._has_controllers or bool(self._attached)

    def _begin_anew(self) -> None:
        self._ofproto.flow_mod(FlowMod(FlowModCommand.DELETE))
        self._ofproto.group_mod(GroupMod(GroupModCommand.DELETE, GROUP_ALL))
        self._ofproto.meter_mod(MeterMod(MeterModCommand.DELETE, METER_ALL))
        self._set_default_flow()

    def close(self) -> None:
        """The bridge goes."""
        for bridge_gone in list(self._attached.values()):
            bridge_gone()
        self.fail_open.close()
        self.in_band.close()

    def _set_default_flow(self) -> None:
        if not self._is_secure and not self._is_controlled:
            normal = (Output(OFPP_NORMAL),)
            mod = FlowMod(FlowModCommand.ADD, priority=0, table_id=0, actions=normal)
            self._ofproto.flow_mod(mod)

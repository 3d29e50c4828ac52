"""What a bridge does whose controllers are away (``fail_mode`` standalone).

It goes on as a learning switch when each controller has had the time to be silent, to be asked
and not to answer, and to be reached again: three of its probe intervals. Whether a controller that
is connected admits the bridge shows in what it says: greetings and questions do not count. One
that is there and does not is shown a frame now and then, as if no flow had been for it: learning
switches answer by a flow or a packet.
"""

from __future__ import annotations

from collections.abc import Iterable

from vnet.base.ids import MAC_BROADCAST
from vnet.base.units import NS_PER_S
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OFPP_LOCAL, OFPP_NORMAL
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import IN_PORT_MASK, FlowMod, FlowModCommand, PacketIn
from vnet.ovs.openflow.ofpacts import Output, PacketInReason
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import LogModule
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.sim.scheduler import Scheduler, Timer
from vnet.wire import arp, ether

PRIORITY = 0xF0F0F0
"""Above that of all flows there can be otherwise."""

_N_PROBES = 3
_REMINDER_S = 60
_CALL_NS = 2 * NS_PER_S

_ETH_TYPE_RARP = 0x8035
_REQUEST_REVERSE = 3
_NO_ADDRESS = bytes(4)
_NICIRA_DRAWN = bytes((0x00, 0x23, 0x20))
"""Addresses that Open vSwitch draws begin so, and then with a 1-bit."""


class FailOpen:
    """One bridge's; it knows of its controllers what :meth:`admitted` and :meth:`dropped` say."""

    def __init__(self, scheduler: Scheduler, ofproto: Ofproto, log: LogModule) -> None:
        self._scheduler = scheduler
        self._ofproto = ofproto
        self._log = log
        self._trigger_s = 0
        self._is_standalone = False
        self._admitted_ns: dict[str, int] = {}
        self._admitting: set[str] = set()
        self._attached: set[str] = set()
        self._reached: set[str] = set()
        self._timer = Timer(scheduler, self._look)
        self._calls = Timer(scheduler, self._call)
        self._told_s = 0
        """After how long it was last told of; 0: not in this state."""

    def configure(self, controllers: Iterable[ControllerConfig], *, is_standalone: bool) -> None:
        """The primary controllers of the bridge, and whether it may do without them."""
        primary = [controller for controller in controllers if controller.is_primary]
        probes = [controller.probe_interval_s for controller in primary]
        self._trigger_s = _N_PROBES * max(probes, default=0)
        now_ns = self._scheduler.now_ns
        self._admitted_ns = {
            controller.target: self._admitted_ns.get(controller.target, now_ns)
            for controller in primary
            if controller.is_active
        }
        self._admitting &= self._admitted_ns.keys()
        self._reached &= self._admitted_ns.keys()
        self._is_standalone = is_standalone and bool(primary)
        self._look()

    def reached(self, target: str) -> None:
        """A controller is there, be it that it admits the bridge or not."""
        if target in self._admitted_ns:
            self._reached.add(target)
            self._look()

    def admitted(self, target: str) -> None:
        """A controller treats the bridge as one of its own."""
        if target in self._admitted_ns:
            self._admitted_ns[target] = self._scheduler.now_ns
            self._admitting.add(target)
            self._look()

    def dropped(self, target: str) -> None:
        """The connection to a controller is no more."""
        self._reached.discard(target)
        if target in self._admitting:
            self._admitting.discard(target)
            self._admitted_ns[target] = self._scheduler.now_ns
            self._look()

    def attached(self, controller: str) -> None:
        """Somebody who is no target is there, and admits the bridge."""
        self._attached.add(controller)
        self._look()

    def detached(self, controller: str) -> None:
        """Somebody who was attached is there no more."""
        self._attached.discard(controller)
        self._admitted_ns = dict.fromkeys(self._admitted_ns, self._scheduler.now_ns)
        self._look()

    def close(self) -> None:
        """The bridge goes."""
        self._timer.cancel()
        self._calls.cancel()

    def _look(self) -> None:
        """Is it time to do something?"""
        self._timer.cancel()
        is_admitted = bool(self._admitting or self._attached)
        if not self._is_standalone or is_admitted or not self._admitted_ns:
            self._recover()
            return
        away_ns = self._scheduler.now_ns - max(self._admitted_ns.values())
        away_s = away_ns // NS_PER_S
        if not self._told_s and away_s >= max(self._trigger_s, 1):
            self._enter(away_s)
        elif self._told_s and away_s > self._told_s + _REMINDER_S:
            self._told_s = away_s
            self._log.info(
                f"Still in fail-open mode after {away_s} seconds disconnected from controller"
            )
        if not self._told_s or not self._reached:
            self._calls.cancel()
        elif self._calls.due_ns is None:
            self._calls.arm(_CALL_NS)
        if not self._told_s:
            self._timer.arm(max(self._trigger_s, 1) * NS_PER_S - away_ns)
        elif self._log.is_enabled(Level.INFO):  # Where nobody listens, time may stand still.
            self._timer.arm((self._told_s + _REMINDER_S + 1) * NS_PER_S - away_ns)

    def _enter(self, away_s: int) -> None:
        self._log.warn(
            "Could not connect to controller (or switch failed controller's post-connection "
            f"admission control policy) for {away_s} seconds, failing open"
        )
        self._told_s = away_s
        self._ofproto.flow_mod(FlowMod(FlowModCommand.DELETE))
        normal = (Output(OFPP_NORMAL),)
        mod = FlowMod(FlowModCommand.ADD, priority=PRIORITY, table_id=0, actions=normal)
        self._ofproto.flow_mod(mod)

    def _call(self) -> None:
        """Show whoever is there that this is a switch: a packet-in of a frame that nobody sent."""
        mac = _NICIRA_DRAWN + bytes((self._ofproto.uuid[0] | 0x80,)) + self._ofproto.uuid[1:3]
        request = arp.Arp(_REQUEST_REVERSE, mac, _NO_ADDRESS, mac, _NO_ADDRESS)
        frame = ether.frame(MAC_BROADCAST, mac, _ETH_TYPE_RARP, arp.emit(request))
        pipeline = Match(OFPP_LOCAL, IN_PORT_MASK)
        self._ofproto.packet_in_sink(PacketIn(frame, PacketInReason.NO_MATCH, pipeline=pipeline))
        self._calls.arm(_CALL_NS)

    def _recover(self) -> None:
        self._calls.cancel()
        if self._told_s:
            self._told_s = 0
            self._log.warn("No longer in fail-open mode")
            mod = FlowMod(FlowModCommand.DELETE_STRICT, priority=PRIORITY, table_id=0)
            self._ofproto.flow_mod(mod)

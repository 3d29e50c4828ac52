"""The userspace datapath (dpif-netdev): what ofproto may ask of it.

It forwards and never decides. A frame that matches no installed flow goes up to whoever has
set the upcall handler, who answers by :meth:`Datapath.flow_put` and :meth:`Datapath.execute`.
How frames go through is in :mod:`vnet.ovs.datapath.pipeline`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from vnet.base.chance import Chance
from vnet.base.deep_calls import deep_calls
from vnet.base.drops import DropReason
from vnet.netdev.device import NO_HANDLER, TOO_SHORT, NetDevice
from vnet.ovs.datapath.cache import CACHE_LIMIT, ExactMatchCache
from vnet.ovs.datapath.compile import compiled, nests
from vnet.ovs.datapath.lookups import LookupCounts
from vnet.ovs.datapath.megaflow import Megaflow
from vnet.ovs.datapath.meter import Meter
from vnet.ovs.datapath.packet import METADATA_MASK, Packet
from vnet.ovs.datapath.pipeline import Pipeline
from vnet.ovs.datapath.program import Program, run
from vnet.ovs.datapath.reasons import n_drops
from vnet.ovs.datapath.tracking import connection_of
from vnet.ovs.datapath.tunnels.device import TunnelDevice
from vnet.ovs.datapath.tunnels.pop import POPS
from vnet.ovs.datapath.upcalls import UPCALL_QUEUE_LIMIT, UpcallQueue
from vnet.ovs.dpif.actions import OdpActions
from vnet.ovs.dpif.dpif import (
    DatapathFlow,
    DatapathFullError,
    DatapathPort,
    DatapathStats,
    FlowStats,
    UdpPortRange,
    UpcallHandler,
)
from vnet.ovs.dpif.meters import MeterConfig, MeterStats
from vnet.ovs.dpif.requests import Command, Request, RequestWatcher
from vnet.ovs.flow.extract import DEFAULT_VLAN_LIMIT
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import ODPP_LOCAL, OdpPort
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.conntrack.counters import FRAGMENT_PURGED
from vnet.tables.conntrack.ovs_policy import ovs_policy
from vnet.tables.conntrack.packet import CtPacket
from vnet.tables.conntrack.text import dump_text
from vnet.tables.conntrack.tracker import ConnTracker
from vnet.wire.ether import HEADER_BYTES

FLOW_LIMIT = 200_000
"""``other_config:flow-limit`` of ovs-vswitchd.conf.db(5)."""


class Datapath:
    """A datapath, with the methods of :class:`~vnet.ovs.dpif.dpif.Dpif`.

    ``owner`` is the node that it is part of; its ``kind`` is what its name says (``ovs-dummy``),
    unless it is given. A ``cache_limit`` of 0 goes without the exact-match
    cache. ``chance`` settles samples, and what connection tracking leaves open.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        chance: Chance | None = None,
        *,
        kind: str | None = None,
        owner: str = "",
        flow_limit: int = FLOW_LIMIT,
        cache_limit: int = CACHE_LIMIT,
        upcall_limit: int = UPCALL_QUEUE_LIMIT,
        vlan_limit: int = DEFAULT_VLAN_LIMIT,
    ) -> None:
        self.scheduler = scheduler
        self.name = name
        self._kind = kind
        self.owner = owner
        self.flow_limit = flow_limit
        label = f"{owner}:{name}" if owner else name
        chance = chance or Chance(0)
        self._conntrack_chance = chance.stream(f"{label} conntrack")
        self.tracker = self._new_tracker()
        self._pipeline = Pipeline(
            scheduler,
            label,
            ExactMatchCache(cache_limit),
            UpcallQueue(upcall_limit),
            self.tracker,
            chance.stream(f"{label} sample"),
            vlan_limit,
        )
        self._table = self._pipeline.table
        self._lowest_free = ODPP_LOCAL + 1
        self._lookups = LookupCounts(self._pipeline)
        self._compiled: tuple[int, OdpActions, Program] = (0, (), ())

    @property
    def kind(self) -> str:
        """Its type: ``netdev`` or ``dummy``."""
        return self._kind or self.name.removeprefix("ovs-")

    @property
    def drops(self) -> dict[DropReason, int]:
        """How many frames died in no device's hands, and why."""
        return self._pipeline.drops

    def _new_tracker(self) -> ConnTracker:
        policy = ovs_policy(self._conntrack_chance)
        return ConnTracker(policy, self.scheduler.now_ns, self._given_up)

    def restart(self) -> None:
        """Forget what was looked up and tracked, as one that is made anew."""
        self.tracker.give_up()
        self.tracker = self._pipeline.tracker = self._new_tracker()
        self.clear_stats()

    def n_drops(self, event: str) -> int:
        """How many frames died of what ``coverage/show`` calls so."""
        return n_drops(event, self._pipeline.drops, self._pipeline.port_drops)

    def _given_up(self, tracked: CtPacket) -> None:
        self._pipeline.lose(tracked.bearer, FRAGMENT_PURGED)

    @property
    def vlan_limit(self) -> int:
        """How many VLAN tags are told apart."""
        return self._pipeline.vlan_limit

    def set_vlan_limit(self, vlan_limit: int) -> None:
        """How many tags are told apart; flows that were made otherwise go."""
        if vlan_limit != self._pipeline.vlan_limit:
            self.tell(Command.DP_SET, f"vlan_limit={vlan_limit}")
            self.flow_flush()
            self._pipeline.vlan_limit = vlan_limit

    # -- who watches

    def watch(self, watcher: RequestWatcher) -> None:
        """Tell somebody of every request from now on, before it is carried out."""
        self._pipeline.watchers = (*self._pipeline.watchers, watcher)

    def unwatch(self, watcher: RequestWatcher) -> None:
        """Tell them no more."""
        left = (each for each in self._pipeline.watchers if each != watcher)
        self._pipeline.watchers = tuple(left)

    def tell(self, command: Command, detail: str = "", **attributes: Any) -> None:
        """Tell who watches of a request."""
        for watcher in self._pipeline.watchers:
            watcher(Request(self.scheduler.now_ns, command, detail=detail, **attributes))

    # -- ports

    def port_add(self, device: NetDevice, kind: str, number: OdpPort | None = None) -> OdpPort:
        """Forward what ``device`` receives, from now on.

        Where no number is given it is the lowest free one but 0, which is the datapath's own.
        Raises ``ValueError`` where it is taken.
        """
        pipeline = self._pipeline
        if number is None:
            while pipeline.vport(OdpPort(self._lowest_free)).device is not None:
                self._lowest_free += 1
            number = OdpPort(self._lowest_free)
        vport = pipeline.vport(number)
        if vport.device is not None:
            raise ValueError(f"datapath {self.name} has a port {number} already")
        if self._pipeline.watchers:
            self._tell_of_port(Command.VPORT_NEW, number, device.name, f" ({kind})")
        vport.device, vport.kind = device, kind
        device.rx_handler = vport.receiver = pipeline.receiver(vport, device)
        return number

    def _tell_of_port(self, command: Command, number: OdpPort, name: str, kind: str = "") -> None:
        """A datapath comes with its first port, and goes with its last."""
        n_others = sum(port.number != number for port in self.ports())
        if command is Command.VPORT_NEW and not n_others:
            self.tell(Command.DP_NEW, f"{self.kind}@{self.name}")
        self.tell(command, f"port {number}: {name}{kind}", number=number, name=name)
        if command is Command.VPORT_DEL and not n_others:
            self.tell(Command.DP_DEL, f"{self.kind}@{self.name}")

    def tunnel_add(self, name: str, kind: str, number: OdpPort | None = None) -> OdpPort:
        """A port for the tunnels of a kind. Raises ``ValueError`` for a kind that nobody knows."""
        if kind not in POPS:
            raise ValueError(f"a datapath has no tunnels of kind {kind}")
        device = TunnelDevice(self.scheduler, name, POPS[kind], self._pipeline.lose_at, self.owner)
        return self.port_add(device, kind, number)

    def tunnel_devices(self) -> Iterator[TunnelDevice]:
        """The devices behind the ports for tunnels."""
        for _, vport in sorted(self._pipeline.vports.items()):
            if isinstance(vport.device, TunnelDevice):
                yield vport.device

    @property
    def udp_ports(self) -> UdpPortRange:
        """Which UDP source ports tunnels have."""
        return self._pipeline.udp_ports

    def set_udp_ports(self, ports: UdpPortRange) -> None:
        """Have tunnels use others, from the next frame on."""
        self._pipeline.udp_ports = ports

    def port_del(self, number: OdpPort) -> None:
        """Let go of a port. Unless somebody else has its device already, nobody has."""
        vport = self._pipeline.vports.get(number)
        if vport is None or vport.device is None:
            raise KeyError(number)
        if self._pipeline.watchers:
            self._tell_of_port(Command.VPORT_DEL, number, vport.device.name)
        if vport.device.rx_handler is vport.receiver:
            vport.device.rx_handler = partial(vport.device.drop, reason=NO_HANDLER)
        self._pipeline.cache.forget_port(number)
        vport.device = vport.receiver = None
        if number > ODPP_LOCAL:
            self._lowest_free = min(self._lowest_free, number)

    def has_port(self, number: OdpPort) -> bool:
        """Whether a number is in use."""
        vport = self._pipeline.vports.get(number)
        return vport is not None and vport.device is not None

    def ports(self) -> Iterator[DatapathPort]:
        """All ports by number."""
        for number, vport in sorted(self._pipeline.vports.items()):
            if vport.device is not None:
                yield DatapathPort(number, vport.device.name, vport.kind, vport.device)

    # -- upcalls, and what comes back

    def set_upcall_handler(self, handler: UpcallHandler) -> None:
        """Who decides about frames; at most one."""
        self._pipeline.handler = handler

    def execute(self, frame: Frame, key: int, actions: OdpActions, *, mru_bytes: int = 0) -> None:
        """Carry actions out on a frame whose flow is ``key``."""
        if self._pipeline.watchers:
            self.tell(Command.PACKET_EXECUTE, frame=frame.data, actions=actions)
        deciding = self._pipeline.deciding
        if deciding is not None and deciding.data is frame.data:
            packet = deciding.copy()
            packet.meta = frame.meta
        else:
            packet = Packet(frame.data, frame.meta, 0, self._pipeline.vlan_limit)
            packet.connection = connection_of(key)
        packet.metadata = key & METADATA_MASK
        packet.mru_bytes = mru_bytes
        if len(packet.data) < HEADER_BYTES:
            return self._pipeline.lose(packet, TOO_SHORT)
        return run(self._compile(key, actions), packet)

    def drop(self, frame: Frame, number: OdpPort, reason: DropReason) -> None:
        """Count a frame that came up and ends there, for the port that it came in by."""
        self._pipeline.lose_frame(frame, number, reason)

    def _compile(self, key: int, actions: OdpActions) -> Program:
        """Compile actions. The last program is kept: who installs a flow executes it next."""
        last_key, last_actions, program = self._compiled
        if last_actions is not actions or last_key != key:
            program = compiled(self._pipeline, key, actions)
            self._compiled = key, actions, program
        return program

    # -- flows

    def flow_put(
        self, key: int, mask: int, actions: OdpActions, *, ufid: str | None = None
    ) -> None:
        """Install a flow, or change the actions of the one with this key and mask.

        Raises ``ValueError`` for actions that no datapath can carry out and for flows of several
        ports, and :class:`DatapathFullError` where the table has no room.
        """
        if Flow.in_port.of(mask) != Flow.in_port.ones:
            raise ValueError("a datapath flow must match its in_port exactly")
        if nests(actions):
            with deep_calls():
                self._flow_put(key, mask, actions, ufid)
        else:
            self._flow_put(key, mask, actions, ufid)

    def _flow_put(self, key: int, mask: int, actions: OdpActions, ufid: str | None) -> None:
        program = self._compile(key, actions)
        flow = self._table.get(key, mask)
        if self._pipeline.watchers:
            command = Command.FLOW_NEW if flow is None else Command.FLOW_SET
            self.tell(command, key=key, mask=mask, actions=actions, name=ufid or "")
        if flow is not None:
            self._pipeline.cache.forget_flow(flow)
            flow.act(actions, program, self._pipeline)
        elif len(self._table) >= self.flow_limit:
            raise DatapathFullError(f"datapath {self.name} has {self.flow_limit} flows")
        else:
            flow = Megaflow(key, mask)
            flow.ufid = ufid
            flow.act(actions, program, self._pipeline)
            self._table.insert(flow)

    def _flow(self, key: int, mask: int) -> Megaflow:
        flow = self._table.get(key, mask)
        if flow is None:
            raise KeyError((key, mask))
        return flow

    def flow_del(self, key: int, mask: int) -> FlowStats:
        """Remove a flow and return what it had seen."""
        flow = self._flow(key, mask)
        if self._pipeline.watchers:
            self.tell(Command.FLOW_DEL, key=flow.key, mask=mask)
        self._remove(flow)
        return flow.stats()

    def _remove(self, flow: Megaflow) -> None:
        self._lookups.removed(flow)
        self._pipeline.cache.forget_flow(flow)
        self._table.remove(flow)

    def flow_get(self, key: int, mask: int) -> DatapathFlow:
        """One flow."""
        return self._flow(key, mask).shown()

    def flows(self) -> Iterator[DatapathFlow]:
        """All flows, in the order of their installation."""
        return (flow.shown() for flow in self._table)

    def flow_flush(self) -> None:
        """Remove every flow."""
        if self._pipeline.watchers:
            self.tell(Command.FLOW_DEL, "all flows")
        for flow in self._table:
            self._remove(flow)

    def stats(self) -> DatapathStats:
        """Counters of the whole datapath."""
        return self._lookups.stats()

    def clear_stats(self) -> None:
        """Count anew what was looked up."""
        self._lookups.clear()

    # -- connections

    def ct_dump(self, zone: int | None = None) -> Iterable[str]:
        """Connections as ``dpctl/dump-conntrack`` prints them."""
        return dump_text(self.tracker, self.scheduler.now_ns, zone)

    def ct_flush(self, zone: int | None = None) -> None:
        """Forget connections."""
        self.tell(Command.CT_DELETE, "" if zone is None else f"zone={zone}")
        self.tracker.flush(zone)

    # -- meters

    def meter_set(self, meter_id: int, config: MeterConfig) -> None:
        """Create a meter, or begin one anew."""
        self.tell(Command.METER_SET, f"meter:{meter_id}", number=meter_id)
        self._pipeline.meters[meter_id] = Meter(config, self.scheduler.now_ns)

    def meter_get(self, meter_id: int) -> MeterStats:
        """What a meter has counted."""
        return self._pipeline.meters[meter_id].stats()

    def meter_del(self, meter_id: int) -> None:
        """Remove a meter; flows that name it let everything pass."""
        self.tell(Command.METER_DEL, f"meter:{meter_id}", number=meter_id)
        del self._pipeline.meters[meter_id]

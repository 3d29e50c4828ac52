"""The userspace datapath: ports, flow table, upcalls (dpif-netdev, ovs-vswitchd(8)).

It forwards and never decides. A frame that matches no installed flow goes up to whoever has
set the upcall handler, who answers by :meth:`Datapath.flow_put` and :meth:`Datapath.execute`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.drops import DropReason
from vnet.netdev.device import TOO_SHORT, NetDevice
from vnet.ovs.datapath.compile import compile_actions
from vnet.ovs.datapath.megaflow import Megaflow, MegaflowTable
from vnet.ovs.datapath.packet import METADATA_MASK, Packet
from vnet.ovs.datapath.program import Program, run
from vnet.ovs.datapath.reasons import NO_UPCALL_HANDLER, UPCALL_QUEUE_FULL
from vnet.ovs.datapath.upcalls import UPCALL_QUEUE_LIMIT, UpcallQueue, Waiting
from vnet.ovs.datapath.vport import Vport
from vnet.ovs.dpif.actions import Cookie, OdpActions
from vnet.ovs.dpif.dpif import (
    DatapathFlow,
    DatapathFullError,
    DatapathPort,
    DatapathStats,
    FlowStats,
    Upcall,
    UpcallHandler,
)
from vnet.ovs.flow.extract import DEFAULT_VLAN_LIMIT, extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire.ether import HEADER_BYTES

FLOW_LIMIT = 200_000
"""other_config:flow-limit of ovs-vswitchd.conf.db(5)."""


class Datapath:
    """A datapath. ``drops`` counts the frames that died in no device's hands."""

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        *,
        owner: str = "",
        flow_limit: int = FLOW_LIMIT,
        upcall_limit: int = UPCALL_QUEUE_LIMIT,
        vlan_limit: int = DEFAULT_VLAN_LIMIT,
    ) -> None:
        self.scheduler = scheduler
        self.name = name
        self.owner = owner
        self.flow_limit = flow_limit
        self.vlan_limit = vlan_limit
        self.drops: dict[DropReason, int] = {}
        self._vports: dict[OdpPort, Vport] = {}
        self._table = MegaflowTable()
        self._queue = UpcallQueue(upcall_limit)
        self._handler: UpcallHandler | None = None
        self._n_missed = 0
        self._n_hit_by_deleted = 0

    @property
    def label(self) -> str:
        """``node:datapath``, as the trace names it."""
        return f"{self.owner}:{self.name}" if self.owner else self.name

    # -- ports

    def port_add(self, device: NetDevice, kind: str, number: OdpPort | None = None) -> OdpPort:
        """Forward what ``device`` receives. Raises ``ValueError`` where the number is taken."""
        if number is None:
            taken = {vport.number for vport in self._vports.values() if vport.device is not None}
            number = OdpPort(next(n for n in range(len(taken) + 1) if n not in taken))
        vport = self.vport(number)
        if vport.device is not None:
            raise ValueError(f"datapath {self.name} has a port {number} already")
        vport.device, vport.kind = device, kind
        in_port = number

        def receive(frame: Frame) -> None:
            self._receive(frame, device, in_port)

        device.rx_handler = receive
        return number

    def port_del(self, number: OdpPort) -> None:
        """Let go of a port; the caller gives its device another rx handler."""
        vport = self._vports[number]
        if vport.device is None:
            raise KeyError(number)
        vport.device = None

    def ports(self) -> Iterator[DatapathPort]:
        """All ports by number."""
        for number, vport in sorted(self._vports.items()):
            if vport.device is not None:
                yield DatapathPort(number, vport.device.name, vport.kind)

    def vport(self, number: OdpPort) -> Vport:
        """The place of a port number, whether or not there is such a port now."""
        vport = self._vports.get(number)
        if vport is None:
            vport = self._vports[number] = Vport(self, number)
        return vport

    # -- frames

    def _receive(self, frame: Frame, device: NetDevice, in_port: OdpPort) -> None:
        if len(frame.data) < HEADER_BYTES:
            return device.drop(frame, TOO_SHORT)
        return self._process(Packet(frame.data, frame.meta, in_port))

    def recirculate(self, packet: Packet) -> None:
        """Look a packet up again, with the metadata it has now."""
        self._process(packet.copy())

    def _key(self, packet: Packet) -> int:
        bits = extract(packet.data, packet_type=packet.packet_type, vlan_limit=self.vlan_limit)
        return bits | packet.metadata

    def _process(self, packet: Packet) -> None:
        key = self._key(packet)
        flow = self._table.lookup(key)
        if flow is None:
            return self._ask(Waiting(packet, key, None))
        return self._hit(flow, packet, key)

    def _hit(self, flow: Megaflow, packet: Packet, key: int) -> None:
        flow.n_packets += 1
        flow.n_bytes += len(packet.data)
        flow.used_ns = self.scheduler.now_ns
        flow.tcp_flags |= Flow.tcp_flags.of(key)
        self._note(packet, "megaflow hit")
        run(flow.program, packet)

    def _note(self, packet: Packet, event: str) -> None:
        if packet.meta is not None:
            packet.meta = packet.meta.add(self.scheduler.now_ns, self.label, event, packet.data)

    def drop(self, packet: Packet, reason: DropReason) -> None:
        """Count and name the loss of a packet at the port it came in by."""
        vport = self._vports.get(OdpPort(Flow.in_port.of(packet.metadata)))
        frame = Frame(packet.data, packet.meta)
        if vport is not None and vport.device is not None:
            return vport.device.drop(frame, reason)
        return self.mourn(frame, reason)

    def mourn(self, frame: Frame, reason: DropReason) -> None:
        """Count and name the loss of a frame that belongs to no port."""
        self.drops[reason] = self.drops.get(reason, 0) + 1
        if frame.meta is not None:
            frame.meta.add(self.scheduler.now_ns, self.label, "dropped", frame.data, reason)

    # -- upcalls

    def set_upcall_handler(self, handler: UpcallHandler) -> None:
        """Who decides about frames; at most one."""
        self._handler = handler

    def upcall(self, packet: Packet, cookie: Cookie) -> None:
        """Hand a copy of a packet to userspace, for an action of its flow."""
        frame = packet.sent()
        copy = Packet(frame.data, frame.meta, packet.metadata, packet.depth, packet.mru_bytes)
        self._ask(Waiting(copy, self._key(copy), cookie))

    def _ask(self, waiting: Waiting) -> None:
        if self._handler is None:
            return self.drop(waiting.packet, NO_UPCALL_HANDLER)
        if not self._queue.put(waiting):
            return self.drop(waiting.packet, UPCALL_QUEUE_FULL)
        if len(self._queue) == 1:
            self.scheduler.after(0, self._drain)
        return None

    def _drain(self) -> None:
        # What is decided here may lead to more upcalls; they take their turn at the end.
        while self._queue:
            self._decide(self._queue.take())

    def _decide(self, waiting: Waiting) -> None:
        packet, key, cookie = waiting
        if cookie is None:
            flow = self._table.lookup(key)
            if flow is not None:
                return self._hit(flow, packet, key)
            self._n_missed += 1
        self._note(packet, "upcall" if cookie is None else "upcall by an action")
        assert self._handler is not None
        self._handler(Upcall(Frame(packet.data, packet.meta), key, cookie, packet.mru_bytes))
        return None

    def execute(self, frame: Frame, key: int, actions: OdpActions, *, mru_bytes: int = 0) -> None:
        """Carry actions out on a frame whose flow is ``key``."""
        packet = Packet(frame.data, frame.meta, key & METADATA_MASK, 0, mru_bytes)
        run(self._compile(actions), packet)

    # -- flows

    def _compile(self, actions: OdpActions) -> Program:
        return compile_actions(self, actions)

    def flow_put(self, key: int, mask: int, actions: OdpActions) -> None:
        """Install a flow, or change the actions of the one with this key and mask."""
        flow = self._table.get(key, mask)
        if flow is not None:
            flow.actions, flow.program = actions, self._compile(actions)
        elif len(self._table) >= self.flow_limit:
            raise DatapathFullError(f"datapath {self.name} has {self.flow_limit} flows")
        else:
            self._table.insert(Megaflow(key, mask, actions, self._compile(actions)))

    def _flow(self, key: int, mask: int) -> Megaflow:
        flow = self._table.get(key, mask)
        if flow is None:
            raise KeyError((key, mask))
        return flow

    def flow_del(self, key: int, mask: int) -> FlowStats:
        """Remove a flow and return what it had seen."""
        flow = self._flow(key, mask)
        self._n_hit_by_deleted += flow.n_packets
        self._table.remove(flow)
        return flow.stats()

    def flow_get(self, key: int, mask: int) -> DatapathFlow:
        """One flow."""
        return self._flow(key, mask).shown()

    def flows(self) -> Iterator[DatapathFlow]:
        """All flows, in the order of their installation."""
        return (flow.shown() for flow in self._table)

    def flow_flush(self) -> None:
        """Remove every flow."""
        for flow in self._table:
            self.flow_del(flow.key, flow.mask)

    def stats(self) -> DatapathStats:
        """Counters of the whole datapath."""
        n_hit = self._n_hit_by_deleted + sum(flow.n_packets for flow in self._table)
        return DatapathStats(
            n_hit, self._n_missed, self._queue.n_lost, len(self._table), self._table.n_masks
        )

"""The neighbour caches of an interface: the table's decisions put into frames.

:class:`NeighborCache` drives a :class:`~vnet.tables.neigh.NeighborTable` with the lab's clock;
ARP (:mod:`~vnet.linux.netns.arp_cache`) and ND (:mod:`~vnet.linux.netns.nd_cache`) differ only in
how a solicitation looks and in what a failure is reported as.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from vnet.base.chance import Stream
from vnet.base.drops import DropReason
from vnet.base.ids import MAC_ZERO
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.linux.netns import drops
from vnet.linux.netns.sysctl.neighbor import QUEUED_PACKET_BYTES, NeighborConf
from vnet.linux.timer_wheel import expiry_ns
from vnet.sim.frame import Frame, Meta
from vnet.sim.scheduler import Scheduler
from vnet.tables.neigh import (
    VALID,
    Action,
    Neighbor,
    NeighborParameters,
    NeighborTable,
    Nud,
)
from vnet.tables.neigh_limits import NeighborFamily, NeighborThresholds
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

_SWEEP_INTERVAL_NS = NeighborParameters().base_reachable_ns // 2


@lru_cache
def parameters_of(conf: NeighborConf) -> NeighborParameters:
    """A device's settings as its table takes them; equal ones are one instance."""
    return NeighborParameters(
        base_reachable_ns=conf.base_reachable_time_ms * NS_PER_MS,
        retrans_ns=conf.retrans_time_ms * NS_PER_MS,
        delay_first_probe_ns=conf.delay_first_probe_time * NS_PER_S,
        gc_stale_ns=conf.gc_stale_time * NS_PER_S,
        multicast_solicit=conf.mcast_solicit,
        unicast_solicit=conf.ucast_solicit,
        queue_packets=conf.unres_qlen_bytes // QUEUED_PACKET_BYTES,
    )


@lru_cache
def thresholds_of(conf: NeighborConf) -> NeighborThresholds:
    """The limits of a family, by neigh.default."""
    return NeighborThresholds(conf.gc_thresh1, conf.gc_thresh2, conf.gc_thresh3)


class PendingPacket(NamedTuple):
    """An IP packet that waits for its next hop's MAC.

    ``received_by`` is where it came in, if it is another's. ``deliver`` takes the MAC where the
    packet is not sent by the interface itself.
    """

    packet: bytes
    meta: Meta | None
    received_by: Interface | None = None
    deliver: Callable[[bytes], None] | None = None


class Neighbors(NeighborFamily[PendingPacket]):
    """All that a namespace knows of one address family, swept while there are many."""

    __slots__ = ("_scheduler", "_sweep_set")

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._sweep_set = False

    def sweep_later(self) -> None:
        """Sweep at the next of the moments that come every half base_reachable_time.

        The kernel's clock for it always runs; with few neighbours it does nothing.
        """
        if self.is_crowded and not self._sweep_set:
            self._sweep_set = True
            number = self._scheduler.now_ns // _SWEEP_INTERVAL_NS
            self._scheduler.at((number + 1) * _SWEEP_INTERVAL_NS, self._sweep)

    def _sweep(self) -> None:
        self._sweep_set = False
        self.sweep(self._scheduler.now_ns)
        self.sweep_later()


class NeighborCache(ABC):
    """Resolves next hops on one interface and sends to them."""

    ether_type = TYPE_IPV4
    protocol = "ipv4"

    __slots__ = ("conf", "family", "interface", "table")

    def __init__(self, interface: Interface, family: Neighbors, conf: NeighborConf) -> None:
        self.interface = interface
        self.conf = conf
        self.family = family
        self.table: NeighborTable[PendingPacket] = NeighborTable(
            parameters_of(conf), self._reachable_chance, family.members
        )
        self.table.on_forgotten = self._tell_gone

    def configure(self, conf: NeighborConf) -> None:
        """The settings of neigh.DEVICE are these now."""
        if conf is not self.conf:
            self.conf = conf
            self.table.configure(parameters_of(conf))

    def _reachable_chance(self) -> Stream:
        namespace, device = self.interface.namespace, self.interface.device
        return namespace.chance.stream(
            f"{namespace.name}:{device.name} {self.protocol} reachable time"
        )

    def send(
        self,
        packet: bytes,
        next_hop: bytes,
        meta: Meta | None,
        received_by: Interface | None = None,
        deliver: Callable[[bytes], None] | None = None,
    ) -> None:
        """Send an IP packet to ``next_hop``, now or when its MAC is known.

        With ``deliver`` the packet goes its own way, once that is told the MAC.
        """
        device = self.interface.device
        scheduler = device.scheduler
        before = self.table.get(next_hop)
        if before is None and not self._admit(next_hop):
            return self._drop(PendingPacket(packet, meta), drops.NEIGHBOR_TABLE_FULL)
        due_before = None if before is None else before.due_ns
        neighbor, action = self.table.use(next_hop, scheduler.now_ns)
        if neighbor.state in VALID:
            assert neighbor.mac is not None
            if deliver is not None:
                deliver(neighbor.mac)
            else:
                data = ether_frame(neighbor.mac, device.mac, self.ether_type, packet)
                device.transmit(Frame(data, meta))
        else:
            if meta is None and device.recorder is not None:
                meta = device.follow("waits for the next hop's MAC", self._unaddressed(packet))
            waiting = PendingPacket(packet, meta, received_by, deliver)
            squeezed = self.table.enqueue(neighbor, waiting)
            if squeezed is not None:
                self._drop(squeezed, drops.NEIGHBOR_QUEUE_FULL)
        if action is not Action.NOTHING:
            self._act(neighbor, action, meta)
        if neighbor.due_ns != due_before:
            self._arm(neighbor)
        if before is None:
            self.family.sweep_later()
        return None

    def probe(self, ip: bytes) -> None:
        """Find out who has ``ip``, with nothing to send to it yet."""
        if not self._admit(ip):
            return
        scheduler = self.interface.device.scheduler
        before = self.table.get(ip)
        due_before = None if before is None else before.due_ns
        neighbor, action = self.table.use(ip, scheduler.now_ns)
        if action is not Action.NOTHING:
            self._act(neighbor, action, None)
        if neighbor.due_ns != due_before:
            self._arm(neighbor)

    def heard(
        self,
        ip: bytes,
        mac: bytes,
        *,
        solicited: bool,
        override: bool = True,
        weak: bool = False,
        create: bool = True,
        router: bool | None = None,
        by_hand: bool = False,
    ) -> bool:
        """The neighbour told its MAC. Without ``create`` a stranger is ignored.

        False says that there is no room for another neighbour.
        """
        now_ns = self.interface.device.scheduler.now_ns
        if not create and self.table.get(ip) is None:
            return True
        if not self._admit(ip):
            return False
        before = self.table.ensure(ip, now_ns).due_ns
        pending = self.table.update(
            ip,
            mac,
            now_ns,
            solicited=solicited,
            override=override,
            weak=weak,
            router=router,
            by_hand=by_hand,
        )
        neighbor = self.table.ensure(ip, now_ns)
        if neighbor.due_ns is not None and neighbor.due_ns != before:
            self._arm(neighbor)
        self.interface.namespace.neighbor_changed(self.interface, neighbor)
        self.family.sweep_later()
        for packet, meta, received_by, deliver in pending:
            self.send(packet, ip, meta, received_by, deliver)
        return True

    def set(self, ip: bytes, mac: bytes, state: Nud) -> None:
        """The administrator says who has ``ip``, for ever or until somebody doubts it."""
        now_ns = self.interface.device.scheduler.now_ns
        if state is not Nud.PERMANENT:
            self.heard(ip, mac, solicited=state is Nud.REACHABLE, by_hand=True)
            return
        pending = self.table.set_permanent(ip, mac, now_ns)
        self.interface.namespace.neighbor_changed(self.interface, self.table.ensure(ip, now_ns))
        for packet, meta, received_by, deliver in pending:
            self.send(packet, ip, meta, received_by, deliver)

    def forget(self, ip: bytes) -> None:
        """The administrator takes an entry away, and drops what waited for it."""
        neighbor = self.table.remove(ip)
        if neighbor is not None:
            neighbor.due_ns = None
            for waiting in neighbor.pending:
                self._drop(waiting, drops.NO_NEIGHBOR)
            self._tell_gone(neighbor)

    def flush(self, *, keep_permanent: bool = False) -> None:
        """Forget everyone, and drop what waited for them.

        When the interface is set down that is all of them; when it only loses its carrier,
        the administrator's entries stay.
        """
        for neighbor in self.table.clear(keep_permanent=keep_permanent):
            neighbor.due_ns = None
            for waiting in neighbor.pending:
                self._drop(waiting, drops.NO_NEIGHBOR)
            self._tell_gone(neighbor)

    def _admit(self, ip: bytes) -> bool:
        """Make room for ``ip``, if need be at the cost of others; False if there is none."""
        if self.table.get(ip) is not None:
            return True
        return self.family.make_room(self.interface.device.scheduler.now_ns)

    def _tell_gone(self, neighbor: Neighbor[PendingPacket]) -> None:
        self.interface.namespace.neighbor_changed(self.interface, neighbor, deleted=True)

    def _arm(self, neighbor: Neighbor[PendingPacket]) -> None:
        if neighbor.due_ns is not None:
            scheduler = self.interface.device.scheduler
            delay_ns = max(0, neighbor.due_ns - scheduler.now_ns)
            neighbor.due_ns = expiry_ns(scheduler.now_ns, delay_ns)
            self._set_alarm(neighbor, neighbor.due_ns)

    def _set_alarm(self, neighbor: Neighbor[PendingPacket], due_ns: int) -> None:
        # A timer that is put off keeps its event, which then sets the next: or else every
        # answer that somebody sends, asked or not, would leave one more in the queue.
        if neighbor.alarm_ns is None or due_ns < neighbor.alarm_ns:
            neighbor.alarm_ns = due_ns
            self.interface.device.scheduler.at(due_ns, self._tick, neighbor, due_ns)

    def _tick(self, neighbor: Neighbor[PendingPacket], alarm_ns: int) -> None:
        if neighbor.alarm_ns != alarm_ns or self.table.get(neighbor.ip) is not neighbor:
            return None
        neighbor.alarm_ns = None
        due_ns = neighbor.due_ns
        if due_ns is None:
            return None
        if due_ns > alarm_ns:
            return self._set_alarm(neighbor, due_ns)
        was = neighbor.state
        action = self.table.on_timer(neighbor, due_ns)
        if action is not Action.NOTHING:
            self._act(neighbor, action, None)
        self._arm(neighbor)
        if neighbor.state is not was:
            self.interface.namespace.neighbor_changed(self.interface, neighbor)
            if neighbor.state is Nud.FAILED:
                self.gave_up(neighbor)
        return None

    def _act(self, neighbor: Neighbor[PendingPacket], action: Action, meta: Meta | None) -> None:
        if action is Action.FAIL:
            pending, neighbor.pending = neighbor.pending, []
            for waiting in pending:
                self._drop(waiting, drops.NO_NEIGHBOR)
                self.report_unreachable(waiting)
            return
        cause = neighbor.pending[0].meta if neighbor.pending and meta is None else meta
        source = self._source_of(neighbor)
        if source is not None:
            mac = neighbor.mac if action is Action.SOLICIT_UNICAST else None
            self.solicit(neighbor.ip, source, mac, cause)

    def _source_of(self, neighbor: Neighbor[PendingPacket]) -> bytes | None:
        """Ask as the sender of the packet that waits, if it is ours; else as ourselves."""
        if neighbor.pending:
            # The kernel looks at the last of those that wait.
            source = self.source_in(neighbor.pending[-1].packet)
            if self.interface.namespace.owns(source) and self.may_ask_as(source, neighbor.ip):
                return source
        return self.own_source(neighbor.ip)

    def _drop(self, waiting: PendingPacket, reason: DropReason) -> None:
        data = self._unaddressed(waiting.packet)
        self.interface.device.drop(Frame(data, waiting.meta), reason)

    def _unaddressed(self, packet: bytes) -> bytes:
        """The frame that a packet will become, as long as nobody knows whom it goes to."""
        return ether_frame(MAC_ZERO, self.interface.device.mac, self.ether_type, packet)

    # -- what ARP and ND do differently

    @staticmethod
    @abstractmethod
    def source_in(packet: bytes) -> bytes:
        """The source address of a waiting packet."""

    def may_ask_as(self, _source: bytes, _ip: bytes) -> bool:
        """Whether we may ask for an address as ``source``, which has a packet for it."""
        return True

    @abstractmethod
    def gave_up(self, neighbor: Neighbor[PendingPacket]) -> None:
        """A neighbour did not answer."""

    @abstractmethod
    def own_source(self, ip: bytes) -> bytes | None:
        """Whom to ask as who has ``ip``, if nothing of ours waits for the answer."""

    @abstractmethod
    def solicit(self, ip: bytes, source: bytes, mac: bytes | None, meta: Meta | None) -> None:
        """Ask who has ``ip``: everyone, or only ``mac``."""

    @abstractmethod
    def report_unreachable(self, waiting: PendingPacket) -> None:
        """Tell the sender of a packet that its next hop did not answer."""

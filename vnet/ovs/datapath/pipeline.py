"""The way of a frame: exact-match cache, megaflow table, upcall (dp_netdev_input__).

A hit in the cache costs one unpacking of the frame, one dictionary probe, the flow's statistics,
the edits and the ports. All else takes the turn-off, through extraction and the megaflow table.
What no flow matches waits for one event, later in the same instant, in which userspace decides
about everything that waits. Whoever's flow was installed in the meantime is not asked about, so
a burst of one new flow costs one decision.
"""

from __future__ import annotations

from struct import error as StructError  # noqa: N812 (it is a class)

from vnet.base.chance import Stream
from vnet.base.drops import DropReason
from vnet.netdev.device import TOO_SHORT, NetDevice, RxHandler
from vnet.ovs.datapath.cache import ExactMatchCache, Hit, Hits
from vnet.ovs.datapath.edit.checksums import TCP
from vnet.ovs.datapath.edit.layout import PLAIN_IPV4, Layout
from vnet.ovs.datapath.megaflow import Megaflow, MegaflowTable
from vnet.ovs.datapath.meter import Meter
from vnet.ovs.datapath.packet import IN_PORT, Packet
from vnet.ovs.datapath.program import run
from vnet.ovs.datapath.reasons import (
    NO_UPCALL_HANDLER,
    RECIRCULATED_TOO_SHORT,
    UPCALL_QUEUE_FULL,
)
from vnet.ovs.datapath.road import Road
from vnet.ovs.datapath.shapes import PLAIN, TCP_WORD, least_bytes, short_key
from vnet.ovs.datapath.tracking import connection_bits, track
from vnet.ovs.datapath.upcalls import UpcallQueue, Waiting
from vnet.ovs.datapath.vport import Vport
from vnet.ovs.dpif.actions import Cookie
from vnet.ovs.dpif.dpif import Upcall, UpcallHandler
from vnet.ovs.flow.extract import extract, layers
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.tracker import ConnTracker
from vnet.wire.ether import HEADER_BYTES

_TCP_FLAGS = Flow.tcp_flags

_PLAIN_START = b"\x08\x00\x45"
"""EtherType IPv4, and a header without options."""
_IPV4_HEADER_BYTES = 20


class Pipeline:
    """What all ports of a datapath share: the engine that its programs run in.

    ``label`` is its place in traces. ``drops`` counts the frames that died in no device's hands;
    ``n_missed`` the frames that userspace was asked about because no flow matched. ``deciding``
    is the packet that userspace is being asked about.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        label: str,
        cache: ExactMatchCache,
        queue: UpcallQueue,
        tracker: ConnTracker,
        chance: Stream,
        vlan_limit: int,
    ) -> None:
        self.scheduler = scheduler
        self.label = label
        self.cache = cache
        self.queue = queue
        self.tracker = tracker
        self.chance = chance
        self.vlan_limit = vlan_limit
        self.table = MegaflowTable()
        self.vports: dict[OdpPort, Vport] = {}
        self.meters: dict[int, Meter] = {}
        self.handler: UpcallHandler | None = None
        self.deciding: Packet | None = None
        self.drops: dict[DropReason, int] = {}
        self.n_missed = 0

    def vport(self, number: OdpPort) -> Vport:
        """The place of a port number, whether or not there is such a port now."""
        vport = self.vports.get(number)
        if vport is None:
            vport = self.vports[number] = Vport(self, number)
        return vport

    # -- frames from ports

    def receiver(self, vport: Vport, device: NetDevice) -> RxHandler:
        """The rx handler of a port."""
        scheduler, turn_off = self.scheduler, self._turn_off
        in_port, hits = vport.number, vport.hits
        unpack, find, tcp_word = PLAIN.unpack_from, hits.get, TCP_WORD

        def receive(frame: Frame) -> None:
            data = frame.data
            n_bytes = len(data)
            try:
                head, total_bytes, middle, protocol, tail = unpack(data)
            except StructError:
                return turn_off(frame, device, in_port, hits)
            last = data[tcp_word] if protocol == TCP else protocol
            hit = find((head, middle, tail, last))
            if hit is None or total_bytes + HEADER_BYTES != n_bytes:
                return turn_off(frame, device, in_port, hits)
            flow, shortest, tcp_flags, edits, sends = hit
            if n_bytes < shortest:
                return turn_off(frame, device, in_port, hits)
            flow.n_packets += 1
            flow.n_bytes += n_bytes
            flow.used_ns = scheduler.now_ns
            if tcp_flags:
                flow.tcp_flags |= tcp_flags
            if frame.meta is not None:
                frame = frame.seen(scheduler.now_ns, self.label, "megaflow hit")
            if edits:
                for edit in edits:
                    data = edit(data, 0)
                frame = Frame(data, frame.meta)
            for send in sends:
                send(frame)
            return None

        return receive

    def _turn_off(self, frame: Frame, device: NetDevice, in_port: OdpPort, hits: Hits) -> None:
        data = frame.data
        if len(data) < HEADER_BYTES:
            return device.drop(frame, TOO_SHORT)
        short = None
        if self.cache.limit:
            short = short_key(data, self.vlan_limit)
            hit = None if short is None else hits.get(short)
            if hit is not None:
                return self._take(frame, hit)
        key = extract(data, in_port, vlan_limit=self.vlan_limit)
        flow = self.table.lookup(key)
        if flow is None:
            packet = Packet(data, frame.meta, in_port, self.vlan_limit)
            return self._ask(Waiting(packet, key, None))
        hit = self._hit_of(flow, data, key, in_port)
        if short is not None and self.cache.has_room():
            self.cache.add(hits, short, hit)
        return self._take(frame, hit)

    def _hit_of(self, flow: Megaflow, data: bytes, key: int, in_port: OdpPort) -> Hit:
        """What the cache would say of a frame that matched a flow."""
        layout = self._layout_of(data) if flow.needs_layout else PLAIN_IPV4
        road = None if layout is None else flow.road(self, layout)
        if road is None:
            road = self._winding_road(flow, in_port)
        return flow, least_bytes(data), _TCP_FLAGS.of(key), road.edits, road.sends

    def _layout_of(self, data: bytes) -> Layout | None:
        """The layout of an Ethernet frame; None where there is padding behind an IP packet."""
        if data[12:15] == _PLAIN_START:
            n_bytes = len(data) - HEADER_BYTES
            if n_bytes >= _IPV4_HEADER_BYTES and int.from_bytes(data[16:18], "big") == n_bytes:
                return PLAIN_IPV4
        l2_5, l3, l4, end = layers(data, vlan_limit=self.vlan_limit)
        return Layout(l2_5, l3, l4) if end == len(data) else None

    def _winding_road(self, flow: Megaflow, in_port: OdpPort) -> Road:
        """The road of a flow that takes a program."""

        def follow(frame: Frame) -> None:
            run(flow.program, Packet(frame.data, frame.meta, in_port, self.vlan_limit))

        return Road((), (follow,))

    def _take(self, frame: Frame, hit: Hit) -> None:
        """Send a frame along; what the receiver does by itself for a plain one."""
        flow, _shortest, tcp_flags, edits, sends = hit
        data = frame.data
        self._credit(flow, len(data), tcp_flags)
        if frame.meta is not None:
            frame = frame.seen(self.scheduler.now_ns, self.label, "megaflow hit")
        if edits:
            for edit in edits:
                data = edit(data, 0)
            frame = Frame(data, frame.meta)
        for send in sends:
            send(frame)

    def _credit(self, flow: Megaflow, n_bytes: int, tcp_flags: int) -> None:
        flow.n_packets += 1
        flow.n_bytes += n_bytes
        flow.used_ns = self.scheduler.now_ns
        flow.tcp_flags |= tcp_flags

    # -- packets that come again

    def recirculate(self, packet: Packet) -> None:
        """Look a packet up again, with the metadata it has now."""
        packet.replace_layers(None)
        if len(packet.data) < HEADER_BYTES:
            return self.lose(packet, RECIRCULATED_TOO_SHORT)
        key = self._key_of(packet)
        flow = self.table.lookup(key)
        if flow is None:
            return self._ask(Waiting(packet, key, None))
        return self._follow(flow, packet, key)

    def _key_of(self, packet: Packet) -> int:
        bits = extract(packet.data, packet_type=packet.packet_type, vlan_limit=self.vlan_limit)
        if packet.connection is not None:
            bits |= connection_bits(packet.connection, bits)
        return bits | packet.metadata

    def _follow(self, flow: Megaflow, packet: Packet, key: int) -> None:
        self._credit(flow, len(packet.data), _TCP_FLAGS.of(key))
        self._note(packet, "megaflow hit")
        run(flow.program, packet)

    def _note(self, packet: Packet, event: str) -> None:
        if packet.meta is not None:
            now_ns = self.scheduler.now_ns
            packet.meta = packet.meta.add(now_ns, self.label, event, packet.data)

    def track(self, packet: Packet, action: CtAction, key: int) -> list[Packet]:
        """Send a packet through the connection tracker; what comes out."""
        return track(self.tracker, packet, action, key, self.scheduler.now_ns)

    def meter_passes(self, meter_id: int, n_bytes: int) -> bool:
        """What a meter says to a packet; one that does not exist lets everything pass."""
        meter = self.meters.get(meter_id)
        return meter is None or meter.lets_pass(n_bytes, self.scheduler.now_ns)

    # -- upcalls

    def upcall(self, packet: Packet, cookie: Cookie) -> None:
        """Hand a packet to userspace, for an action of its flow."""
        self._ask(Waiting(packet, self._key_of(packet), cookie))

    def _ask(self, waiting: Waiting) -> None:
        if self.handler is None:
            return self.lose(waiting.packet, NO_UPCALL_HANDLER)
        if not self.queue.put(waiting):
            return self.lose(waiting.packet, UPCALL_QUEUE_FULL)
        if len(self.queue) == 1:
            self.scheduler.after(0, self._drain)
        return None

    def _drain(self) -> None:
        # What is decided here may lead to more upcalls; they take their turn at the end.
        try:
            while self.queue:
                self._decide(*self.queue.take())
        finally:
            if self.queue:  # the handler raised; the rest can be decided later
                self.scheduler.after(0, self._drain)

    def _decide(self, packet: Packet, key: int, cookie: Cookie | None) -> None:
        if cookie is None:
            flow = self.table.lookup(key)
            if flow is not None:
                return self._follow(flow, packet, key)
            self.n_missed += 1
        self._note(packet, "upcall" if cookie is None else "upcall by an action")
        assert self.handler is not None
        self.deciding = packet
        try:
            frame = Frame(packet.data, packet.meta)
            self.handler(Upcall(frame, key, cookie, packet.mru_bytes))
        finally:
            self.deciding = None
        return None

    # -- losses

    def lose(self, packet: Packet, reason: DropReason) -> None:
        """Count and name the loss of a packet, at the port that it came in by."""
        self.lose_frame(
            Frame(packet.data, packet.meta), OdpPort(IN_PORT.of(packet.metadata)), reason
        )

    def lose_frame(self, frame: Frame, in_port: OdpPort, reason: DropReason) -> None:
        """Count and name the loss of a frame that came in by ``in_port``, if there is such."""
        vport = self.vports.get(in_port)
        if vport is not None and vport.device is not None:
            return vport.device.drop(frame, reason)
        return self.mourn(frame, reason)

    def mourn(self, frame: Frame, reason: DropReason) -> None:
        """Count and name the loss of a frame that belongs to no port."""
        self.drops[reason] = self.drops.get(reason, 0) + 1
        if frame.meta is not None:
            frame.meta.add(self.scheduler.now_ns, self.label, "dropped", frame.data, reason)

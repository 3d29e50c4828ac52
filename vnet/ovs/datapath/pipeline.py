"""The way of a frame: exact-match cache, megaflow table, upcall (dp_netdev_input__).

A hit in the cache costs one unpacking of the frame, one dictionary probe, the flow's statistics,
the edits and the ports. All else takes the turn-off, through extraction and the megaflow table.
What no flow matches waits for one event, later in the same instant, in which userspace decides
about everything that waits. Whoever's flow was installed in the meantime is not asked about, so
a burst of one new flow costs one decision.
"""

from __future__ import annotations

from functools import lru_cache, partial
from struct import error as StructError  # noqa: N812 (it is a class)

from vnet.base.chance import Stream
from vnet.base.drops import DropReason
from vnet.netdev.device import TOO_SHORT, NetDevice, RxHandler
from vnet.ovs.datapath.cache import ExactMatchCache, Hit
from vnet.ovs.datapath.edit.checksums import TCP, UDP
from vnet.ovs.datapath.edit.layout import Layout
from vnet.ovs.datapath.megaflow import Megaflow, MegaflowTable
from vnet.ovs.datapath.meter import Meter
from vnet.ovs.datapath.metering import metered_road
from vnet.ovs.datapath.packet import IN_PORT, PACKET_TYPE, Packet
from vnet.ovs.datapath.program import run
from vnet.ovs.datapath.reasons import (
    NO_SUCH_TUNNEL,
    NO_UPCALL_HANDLER,
    RECIRCULATED_TOO_SHORT,
    UPCALL_QUEUE_FULL,
)
from vnet.ovs.datapath.road import Reach, Road, straight_road
from vnet.ovs.datapath.shapes import (
    PLAIN,
    PLAIN_TCP_WORD,
    plain_protocol,
    plain_tcp_bytes,
    short_key,
)
from vnet.ovs.datapath.tracking import connection_bits, track
from vnet.ovs.datapath.tunnels.device import TunnelDevice
from vnet.ovs.datapath.tunnels.push import FlowHashes, source_port
from vnet.ovs.datapath.upcalls import UpcallQueue, Waiting
from vnet.ovs.datapath.vport import Vport
from vnet.ovs.dpif.actions import OdpActions
from vnet.ovs.dpif.cookies import Cookie
from vnet.ovs.dpif.dpif import DEFAULT_UDP_PORTS, Upcall, UpcallHandler
from vnet.ovs.dpif.meters import MeterBandConfig
from vnet.ovs.dpif.requests import Command, Request, RequestWatcher
from vnet.ovs.flow.extract import extract, extract_ethernet, layers
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame, Meta
from vnet.sim.scheduler import Scheduler
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.tracker import ConnTracker
from vnet.wire.ether import HEADER_BYTES

_MOST_ROADS = 4_096
"""How many roads are kept for flows to come that do the same."""

_NETWORK = Reach.NETWORK
_LEAST_WITH_TCP_FLAGS = 1 << Flow.tcp_flags.shift

AGAIN_MASK = Flow.recirc_id.mask | Flow.tun_dst.mask | Flow.tun_ipv6_dst.mask
"""Bits of the flows of packets that had been looked up before: they recirculate, or come out of a
tunnel."""

_TYPE_HIGH_BYTE = 0x08
"""Where a frame has this behind its addresses, as those of IPv4 and ARP do, there is neither a tag
nor an LLC header, and the network header follows at once."""


class Pipeline:
    """What all ports of a datapath share: the engine that its programs run in.

    ``label`` is its place in traces. ``drops`` counts the frames that died in no device's hands,
    ``port_drops`` those that the datapath gave up, and the devices of ports count too;
    ``n_missed`` the frames that userspace was asked about because no flow matched, of which
    ``n_missed_again`` had been looked up before. ``deciding`` is the packet that userspace is being
    asked about; ``watchers`` are told of all that is said between the two.
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
        self.port_drops: dict[DropReason, int] = {}
        self.n_missed = 0
        self.n_missed_again = 0
        self.watchers: tuple[RequestWatcher, ...] = ()
        self.udp_ports = DEFAULT_UDP_PORTS
        self._hashes = FlowHashes()
        self._roads = lru_cache(_MOST_ROADS)(partial(straight_road, self))

    def vport(self, number: OdpPort) -> Vport:
        """The place of a port number, whether or not there is such a port now."""
        vport = self.vports.get(number)
        if vport is None:
            vport = self.vports[number] = Vport(self, number)
        return vport

    def road(self, actions: OdpActions, layout: Layout, is_tagged: bool) -> Road | None:
        """The straight road of some actions, if there is one. Flows that do the same share one."""
        return self._roads(actions, layout, is_tagged)

    def winding_road(self, flow: Megaflow, layout: Layout | None) -> Road:
        """The road of a flow for frames that take its program, or nearly all of it."""
        in_port, vlan_limit = flow.in_port, self.vlan_limit
        metered = None if layout is None else metered_road(self, flow, layout, vlan_limit)
        if metered is not None:
            return metered

        def follow(frame: Frame) -> None:
            run(flow.program, Packet(frame.data, frame.meta, in_port, vlan_limit))

        return Road((), (follow,))

    # -- frames from ports

    def receiver(self, vport: Vport, device: NetDevice) -> RxHandler:
        """The rx handler of a port: the hot path."""
        take, turn_off, tcp_word = self._take, self._turn_off, PLAIN_TCP_WORD
        unpack, find, find_hit = PLAIN.unpack_from, vport.plain_flows.get, vport.hits.get

        def receive(frame: Frame) -> None:
            data = frame.data
            try:
                head, total_bytes, middle, protocol, tail = unpack(data)
            except StructError:
                return turn_off(vport, device, frame)
            if total_bytes + HEADER_BYTES == len(data):
                if protocol == UDP:
                    flow = find((head, middle, tail))
                    if flow is not None:
                        return take(frame, data, flow, flow.plain_road)
                elif protocol == TCP:
                    hit = find_hit((head, middle, tail, data[tcp_word]))
                    if hit is not None and hit.shortest <= len(data):
                        hit.flow.tcp_flags |= hit.tcp_flags
                        return take(frame, data, hit.flow, hit.road)
            return turn_off(vport, device, frame)

        return receive if self.cache.limit else partial(self._search, vport, device)

    def _take(self, frame: Frame, data: bytes, flow: Megaflow, road: Road) -> None:
        """Send a frame down a road of its flow."""
        flow.n_packets += 1
        flow.n_bytes += len(data)
        flow.used_ns = self.scheduler.now_ns
        if frame.meta is not None:
            frame = frame.seen(self.scheduler.now_ns, self.label, "megaflow hit")
        edits, sends = road
        if edits:
            for edit in edits:
                data = edit(data, 0)
            frame = Frame(data, frame.meta)
        for send in sends:
            send(frame)

    def _turn_off(self, vport: Vport, device: NetDevice, frame: Frame) -> None:
        """A frame that is not plain, or not in the cache."""
        data = frame.data
        if plain_protocol(data) is None:
            short = short_key(data, self.vlan_limit)
            hit = None if short is None else vport.hits.get(short)
            if hit is not None:
                hit.flow.tcp_flags |= hit.tcp_flags
                return self._take(frame, data, hit.flow, hit.road)
        return self._search(vport, device, frame)

    def _search(self, vport: Vport, device: NetDevice, frame: Frame) -> None:
        """Look a frame up in the megaflow table."""
        data = frame.data
        if len(data) < HEADER_BYTES:
            return device.drop(frame, TOO_SHORT)
        key = extract_ethernet(data, vport.number, self.vlan_limit)
        flow = self.table.lookup(key)
        if flow is None:
            packet = Packet(data, frame.meta, vport.number, self.vlan_limit)
            return self._ask(Waiting(packet, key, None))
        # The bits above TCP's flags are those of rarer headers; most keys end below.
        if key >= _LEAST_WITH_TCP_FLAGS:
            flow.tcp_flags |= Flow.tcp_flags.of(key)
        reach = flow.reach
        if not reach or (reach == _NETWORK and data[12] == _TYPE_HIGH_BYTE):
            road = flow.plain_road
        else:
            road = self._road_of(flow, data)
        if self.cache.limit and self.cache.has_room():
            self._remember(vport, data, Hit(flow, Flow.tcp_flags.of(key), road))
        return self._take(frame, data, flow, road)

    def _remember(self, vport: Vport, data: bytes, hit: Hit) -> None:
        """Cache the hit of a frame, if that is of a clean shape."""
        short = short_key(data, self.vlan_limit)
        if short is None:
            return
        protocol = plain_protocol(data)
        if protocol == UDP:
            self.cache.add(vport.plain_flows, short, hit.flow, hit.flow)
        else:
            hit.shortest = plain_tcp_bytes(data) if protocol == TCP else 0
            self.cache.add(vport.hits, short, hit.flow, hit)

    def _road_of(self, flow: Megaflow, data: bytes) -> Road:
        """The road of a frame that matched a flow. It is not straight where there is padding
        behind the IP packet, for edits would have to know how much."""
        l2_5, l3, l4, end = layers(data, vlan_limit=self.vlan_limit)
        layout = Layout(l2_5, l3, l4) if end == len(data) else None
        road = None if layout is None else flow.road(self, layout)
        return road or self.winding_road(flow, layout)

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
        flow.n_packets += 1
        flow.n_bytes += len(packet.data)
        flow.used_ns = self.scheduler.now_ns
        flow.tcp_flags |= Flow.tcp_flags.of(key)
        self._note(packet, "megaflow hit")
        run(flow.program, packet)

    def _note(self, packet: Packet, event: str) -> None:
        if packet.meta is not None:
            packet.meta = self.note(packet.meta, event, packet.data)

    def note(self, meta: Meta | None, event: str, data: bytes) -> Meta | None:
        """Add to the trace of a packet, if it has one."""
        return None if meta is None else meta.add(self.scheduler.now_ns, self.label, event, data)

    def track(self, packet: Packet, action: CtAction, key: int) -> list[Packet]:
        """Send a packet through the connection tracker; what comes out."""
        return track(self.tracker, packet, action, key, self.scheduler.now_ns)

    def exceeded_band(self, meter_id: int, n_bytes: int) -> MeterBandConfig | None:
        """Which band of a meter a packet is too much for. One that does not exist has none."""
        meter = self.meters.get(meter_id)
        return None if meter is None else meter.exceeded_band(n_bytes, self.scheduler.now_ns)

    # -- tunnels

    def udp_source_port(self, original: bytes) -> int:
        """The outer source port of a packet that goes through a tunnel, by what came in."""
        return source_port(self._hashes.of(original, self.vlan_limit), self.udp_ports)

    def decapsulate(self, frame: Frame, tunnel: Vport, depth: int = 0) -> None:
        """Take a tunnel's headers off, and look up what is inside. What cannot be taken off dies
        in the hands of the tunnel's port."""
        device = tunnel.device
        if not isinstance(device, TunnelDevice):
            return self.mourn(frame, NO_SUCH_TUNNEL)
        inner = device.pop(frame.data)
        if isinstance(inner, DropReason):
            return device.drop(frame, inner)
        data, metadata = inner
        metadata |= tunnel.number
        meta = self.note(frame.meta, "tunnel pop", data)
        if len(data) < HEADER_BYTES:
            return device.drop(Frame(data, meta), RECIRCULATED_TOO_SHORT)
        device.rx_packets += 1
        device.rx_bytes += len(data)
        short = short_key(data, self.vlan_limit)
        hit = None if short is None else tunnel.hits.get((metadata, *short))
        if hit is not None:
            hit.flow.tcp_flags |= hit.tcp_flags
            return self._take(Frame(data, meta), data, hit.flow, hit.road)
        return self._enter(Frame(data, meta), tunnel, metadata, depth + 1)

    def _enter(self, frame: Frame, tunnel: Vport, metadata: int, depth: int) -> None:
        """Look up what came out of a tunnel in the megaflow table."""
        data, packet_type = frame.data, PACKET_TYPE.of(metadata)
        key = extract(data, packet_type=packet_type, vlan_limit=self.vlan_limit) | metadata
        flow = self.table.lookup(key)
        if flow is not None and flow.is_straight and not packet_type:
            reach = flow.reach
            if not reach or (reach == _NETWORK and data[12] == _TYPE_HIGH_BYTE):
                hit = Hit(flow, Flow.tcp_flags.of(key), flow.plain_road)
                flow.tcp_flags |= hit.tcp_flags
                short = short_key(data, self.vlan_limit)
                if short is not None and self.cache.limit and self.cache.has_room():
                    self.cache.add(tunnel.hits, (metadata, *short), flow, hit)
                return self._take(frame, data, flow, flow.plain_road)
        packet = Packet(data, frame.meta, metadata, self.vlan_limit)
        packet.depth = depth
        if flow is None:
            return self._ask(Waiting(packet, key, None))
        return self._follow(flow, packet, key)

    # -- upcalls

    def upcall(self, packet: Packet, cookie: Cookie, *, ends_here: bool) -> None:
        """Hand a packet to userspace, for an action of its flow."""
        self._ask(Waiting(packet, self._key_of(packet), cookie, ends_here))

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

    def _decide(self, packet: Packet, key: int, cookie: Cookie | None, ends_here: bool) -> None:
        if cookie is None:
            flow = self.table.lookup(key)
            if flow is not None:
                return self._follow(flow, packet, key)
            self.n_missed += 1
            if key & AGAIN_MASK:
                self.n_missed_again += 1
        if self.watchers:
            self._tell_of_upcall(packet.data, key, cookie)
        self._note(packet, "upcall" if cookie is None else "upcall by an action")
        assert self.handler is not None
        self.deciding = packet
        try:
            frame = Frame(packet.data, packet.meta)
            self.handler(Upcall(frame, key, cookie, packet.mru_bytes, ends_here))
        finally:
            self.deciding = None
        return None

    def _tell_of_upcall(self, data: bytes, key: int, cookie: Cookie | None) -> None:
        command = Command.PACKET_MISS if cookie is None else Command.PACKET_ACTION
        request = Request(self.scheduler.now_ns, command, key, frame=data)
        for watcher in self.watchers:
            watcher(request)

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
            return self.lose_at(vport.device, frame, reason)
        return self.mourn(frame, reason)

    def lose_at(self, device: NetDevice, frame: Frame, reason: DropReason) -> None:
        """Count and name the loss of a frame that a port's device has in its hands."""
        self.port_drops[reason] = self.port_drops.get(reason, 0) + 1
        device.drop(frame, reason)

    def mourn(self, frame: Frame, reason: DropReason) -> None:
        """Count and name the loss of a frame that belongs to no port."""
        self.drops[reason] = self.drops.get(reason, 0) + 1
        if frame.meta is not None:
            frame.meta.add(self.scheduler.now_ns, self.label, "dropped", frame.data, reason)

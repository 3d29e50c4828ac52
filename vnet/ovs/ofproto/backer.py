"""The bridges that share one datapath, and what they share besides it.

Ports of all bridges are ports of the one datapath; here is the map between the two kinds of
number. Patch ports are no ports of the datapath: translation walks through them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from vnet.base.drops import DropReason
from vnet.l2.lacp.aggregation import Aggregation
from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OFPP_NONE, OdpPort, OfpPort
from vnet.ovs.ofproto.bond.bonding import Bonding
from vnet.ovs.ofproto.bond.log import BondLog
from vnet.ovs.ofproto.features import Features
from vnet.ovs.ofproto.meter import MeterPool
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.packet_out import prepare_packet_out
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.ports.own_frames import send_own_frame, send_to_tables
from vnet.ovs.ofproto.revalidator import Revalidator
from vnet.ovs.ofproto.spanning_tree.log import TreeLog
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.tunnel.ports import came_by_tunnel
from vnet.ovs.ofproto.tunnel.underlay import Underlay
from vnet.ovs.ofproto.upcall import UpcallHandler
from vnet.ovs.ofproto.upcall_note import UpcallWatcher
from vnet.ovs.ofproto.xlate.log import XlateLog
from vnet.ovs.ofproto.xlate.recirc import RecircTable
from vnet.ovs.openflow.messages import PacketIn
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.sim.scheduler import Scheduler, Timer


class Backer:
    """One datapath and its bridges.

    ``packet_in_sink``, if there is one, gets what bridges send to controllers in place of those;
    what nobody gets is counted by ``n_packet_ins_lost``. ``owner`` is the node that all of
    it is part of, for the traces of frames.
    """

    def __init__(self, scheduler: Scheduler, dpif: Dpif, vlog: Vlog = SILENT) -> None:
        self.scheduler = scheduler
        self.dpif = dpif
        self.owner = ""
        self.bridges: dict[str, Ofproto] = {}
        self.has_had_bridge = False
        """Whether there is any bridge, or has been."""
        self.bonding: dict[str, Bonding] = {}
        """The bonds of each bridge, by its name."""
        self.bond_log, self.tree_log = BondLog(vlog), TreeLog(vlog)
        self.xlate_log = XlateLog(vlog)
        self.aggregations: list[Aggregation[OfPort]] = []
        self.recirc = RecircTable()
        self.meter_pool = MeterPool(dpif)
        self.packet_in_sink: Callable[[Ofproto, PacketIn], DropReason | None] | None = None
        self.n_packet_ins_lost = 0
        self.events: Counter[str] = Counter()
        """How often things have happened, by the names of ``coverage/show``."""
        self.upcall_watchers: list[UpcallWatcher] = []
        """Who is told of every miss, once it is decided."""
        self.features = Features()
        self.uses_megaflows = True
        """Whether a flow may be of several kinds of packets."""
        self.allows_debug = True
        """Whether controllers may ask for actions that are for tests."""
        self.uses_ufids = True
        """Whether flows are asked for by their names alone, which only the log shows."""
        self.n_own_frames = 0
        """Frames that have arrived: a protocol of the switch itself was their destination."""
        self.revalidator = Revalidator(self)
        self.underlay = Underlay(scheduler, self.bridges, self.revalidator.touch)
        self._ports: dict[OdpPort, tuple[Ofproto, OfPort]] = {}
        self._ageing: dict[str, Timer] = {}
        dpif.set_upcall_handler(UpcallHandler(self).handle)

    # -- bridges and their ports

    def add_bridge(self, bridge: Ofproto) -> None:
        """From now on frames that come in by the bridge's ports are its business."""
        self.bridges[bridge.name] = bridge
        self.has_had_bridge = True
        bridge.on_change = self.revalidator.touch
        bridge.prepare_packet_out = partial(prepare_packet_out, self, bridge)
        bridge.before_reading_stats = self.revalidator.push_stats
        bridge.switching.mac_table.on_change = partial(self._station_changed, bridge)
        bridge.switching.mac_table.events = self.events
        self._ageing[bridge.name] = Timer(self.scheduler, self.age, bridge)
        self.bonding[bridge.name] = Bonding(bridge, self)

    def remove_bridge(self, bridge: Ofproto) -> None:
        """Forget a bridge; its ports must have been taken off the datapath, which goes with the
        last one."""
        self.forget_stations(bridge, bridge.switching.bundles.values())
        self.bonding.pop(bridge.name).close()
        del self.bridges[bridge.name]
        for meter in bridge.meters.values():
            self.meter_pool.remove(meter.datapath_id)
        self._ageing.pop(bridge.name).cancel()
        self.underlay.neighbors.flush(bridge.name)
        self.revalidator.touch()
        if not self.bridges:
            self.dpif.restart()

    def forget_stations(self, bridge: Ofproto, gone: Iterable[Bundle]) -> None:
        """Ports of a bridge go: its stations there are not where other bridges, behind patch
        ports, have learned that they are."""
        table = bridge.switching.mac_table
        stations = [station for bundle in gone for station in table.stations_on(bundle)]
        for other in self.bridges.values() if stations else ():
            if other is not bridge:
                for mac, vlan in stations:
                    other.switching.mac_table.forget(mac, vlan)

    def label_of(self, bridge: Ofproto) -> str:
        """A bridge's place in a trace: ``h1:br0``, or ``sw1`` for a node that is one bridge."""
        whole = self.owner in ("", bridge.name)
        return bridge.name if whole else f"{self.owner}:{bridge.name}"

    def map_port(self, bridge: Ofproto, port: OfPort) -> None:
        """``port``, which has an ``odp_port`` now, is a port of the datapath."""
        assert port.odp_port is not None
        self._ports[port.odp_port] = bridge, port
        self.revalidator.touch()

    def unmap_port(self, odp_port: OdpPort) -> None:
        """A port has left the datapath. Nobody is behind it any more."""
        _, port = self._ports.pop(odp_port)
        self.underlay.neighbors.flush(port.name)
        self.revalidator.touch()

    def port_at(self, odp_port: OdpPort) -> tuple[Ofproto, OfPort] | None:
        """Whose port a datapath port is."""
        return self._ports.get(odp_port)

    def patch_peer(self, port: OfPort) -> tuple[Ofproto, OfPort] | None:
        """The other end of a patch port. Both ends must name each other, and their bridges be of
        the same type."""
        if port.peer:
            for bridge in self.bridges.values():
                other = bridge.port_by_name(port.peer)
                if other is not None and other.peer == port.name:
                    is_near = self._type_at(port) == bridge.datapath_type
                    return (bridge, other) if is_near else None
        return None

    def _type_at(self, port: OfPort) -> str | None:
        """The type of the bridge that a port is of."""
        for bridge in self.bridges.values():
            if bridge.port_by_name(port.name) is port:
                return bridge.datapath_type
        return None

    def ingress(self, key: int) -> tuple[Ofproto, OfpPort] | None:
        """The bridge that a datapath flow came in by, and its OpenFlow port there.

        A packet that recirculates came in where it first did, which patch ports may have hidden
        from the datapath; its frozen state remembers.
        """
        recirc_id = Flow.recirc_id.of(key)
        if recirc_id:
            state = self.recirc.find(recirc_id)
            if state is None:
                return None
            if state.origin is not None:
                return state.origin[0], OfpPort(state.origin[1])
            return state.bridge, OFPP_NONE
        if came_by_tunnel(key):
            found = self.underlay.tunnels.receive(key)
        else:
            found = self._ports.get(OdpPort(Flow.in_port.of(key)))
        return None if found is None else (found[0], found[1].number)

    # -- what happens by itself

    def packet_in(self, bridge: Ofproto, message: PacketIn) -> DropReason | None:
        """A bridge has something for its controllers. Returns why none of them got it, or None."""
        sink = self.packet_in_sink
        lost = bridge.packet_in_sink(message) if sink is None else sink(bridge, message)
        self.n_packet_ins_lost += lost is not None
        return lost

    def send(self, bridge: Ofproto, port: OfPort, frame: bytes) -> None:
        """Send a frame of the switch's own."""
        send_own_frame(self, bridge, port, frame)

    def send_to_tables(
        self, bridge: Ofproto, port: OfPort, frame: bytes, *, depth: int, resubmits: int
    ) -> None:
        """Have a bridge handle a frame of the switch's own, as if it had come in by a port."""
        send_to_tables(self, bridge, port, frame, depth=depth, resubmits=resubmits)

    def checkpoint(self) -> None:
        """All that datapath flows have counted has just been handed on."""
        for bonding in self.bonding.values():
            bonding.checkpoint()

    def features_changed(self) -> None:
        """Translations may make use of more or less of the datapath: none that there is counts."""
        self.underlay.is_native = bool(self.features["tnl_push_pop"])
        self.revalidator.purge()

    def _station_changed(self, bridge: Ofproto, mac: int, vlan: int) -> None:
        self.revalidator.touch_station((bridge.name, mac, vlan))
        ageing = self._ageing[bridge.name]
        if ageing.due_ns is None:
            ageing.arm(bridge.switching.mac_table.ageing_ns)

    def age(self, bridge: Ofproto) -> None:
        """Forget the stations of a bridge whose time is up, and come back for the next."""
        # Stations stay young by what datapath flows have seen of them.
        self.revalidator.push_stats()
        due_ns = bridge.switching.mac_table.expire(self.scheduler.now_ns)
        if due_ns is not None:
            self._ageing[bridge.name].arm(due_ns - self.scheduler.now_ns)

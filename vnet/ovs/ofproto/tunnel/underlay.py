"""The underlay as a datapath's tunnels know it: ways, neighbours, and where they listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress, Mac
from vnet.netdev.route_source import NoRoutes, RouteSource
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.ofproto.tunnel.listening import Endpoint, Listener, Listening
from vnet.ovs.ofproto.tunnel.neighbors import NeighborCache
from vnet.ovs.ofproto.tunnel.ports import TunnelPorts
from vnet.ovs.ofproto.tunnel.router import Router
from vnet.sim.scheduler import Scheduler

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto
    from vnet.ovs.ofproto.ports.ofport import OfPort


class Underlay:
    """What the bridges of one datapath share about tunnels.

    ``is_native`` is whether the datapath puts headers on and takes them off itself; where it does
    not, it is told the tunnel as metadata, as a kernel is.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        bridges: Mapping[str, Ofproto],
        changed: Callable[[], None],
    ) -> None:
        self.tunnels = TunnelPorts()
        self.neighbors = NeighborCache(scheduler, changed)
        self.router = Router(NoRoutes())
        self.is_native = True
        self._bridges = bridges
        self._changed = changed
        self._listening = Listening()

    def set_host(self, host: RouteSource) -> None:
        """Who is asked for routes, addresses and neighbours. Routes of users go."""
        host.changed = self._changed
        self.router = Router(host)
        self._changed()

    # -- the way out

    def port_of(self, device: str) -> tuple[Ofproto, OfPort] | None:
        """The port that a device is, first of all the own one of a bridge of its name."""
        own = self._bridges.get(device)
        for bridge in (*([own] if own is not None else []), *self._bridges.values()):
            port = bridge.port_by_name(device)
            if port is not None:
                return bridge, port
        return None

    def neighbor(self, bridge: str, device: str, ip: IpAddress) -> Mac | None:
        """Who has an address: as tunnels have heard, or else as the host knows."""
        mac = self.neighbors.lookup(bridge, ip)
        if mac is None:
            mac = self.router.host.neighbor(device, ip)
            if mac is not None:
                self.neighbors.learn(bridge, ip, mac)
        return mac

    # -- the way in

    def has_address(self, port: OfPort) -> bool:
        """Whether packets can be for the host that leave by a port."""
        return bool(self.router.host.addresses(port.name))

    def listener(self, flow: Flow, wc: Flow) -> OdpPort | None:
        """The tunnel port that waits for a packet which leaves for the host."""
        self._update()
        return self._listening.lookup(flow, wc)

    def listening(self) -> Listening:
        """Where tunnels listen now."""
        self._update()
        return self._listening

    def listeners(self) -> dict[Listener, int]:
        """The datapath's ports for tunnels, and how many tunnels share each."""
        found: dict[Listener, int] = {}
        for port in self.tunnels.ports():
            assert port.tunnel is not None
            assert port.odp_port is not None
            listener = Listener(port.odp_port, port.tunnel.datapath_name, port.tunnel.udp_port)
            found[listener] = found.get(listener, 0) + 1
        return found

    def _update(self) -> None:
        self._listening.update(self.listeners(), self._endpoints())

    def _endpoints(self) -> Iterator[Endpoint]:
        for device in self.router.devices():
            found = self.port_of(device)
            if found is not None:
                for address in self.router.host.addresses(device):
                    yield Endpoint(found[1].mac, address.ip)

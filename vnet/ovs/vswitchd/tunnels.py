"""Tunnels' ports of running bridges, and the datapath's ports that they share.

All tunnels of a kind and UDP port have one port of the datapath: it comes with the first tunnel
that needs it and goes with the last.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.tunnel.config import TunnelConfig
from vnet.ovs.vswitchd.vxlan_ports import VxlanPorts

ChooseNumber = Callable[[str], OdpPort | None]
"""The number that the datapath's port of some name shall have; None: the lowest free one."""


class DatapathTunnels:
    """The tunnels of one datapath."""

    def __init__(self, backer: Backer) -> None:
        self._backer = backer
        self._shared: dict[str, OdpPort] = {}
        self._n_tunnels: dict[OdpPort, int] = {}
        self.vxlan_ports = VxlanPorts()

    def attach(self, bridge: Ofproto, port: OfPort, choose: ChooseNumber) -> OfPort | None:
        """Make a port the tunnel that it is set up as. Where another has the same settings, that
        one is returned: then it takes no packets and sends none, and :meth:`detach` is what is left
        to do."""
        assert port.tunnel is not None
        port.odp_port = self._take(port.tunnel, choose)
        return self._join(bridge, port)

    def _join(self, bridge: Ofproto, port: OfPort) -> OfPort | None:
        tunnels = self._backer.underlay.tunnels
        rival = tunnels.rival(port)
        if rival is None:
            tunnels.add(bridge, port)
        return rival

    def detach(self, port: OfPort) -> None:
        """A tunnel goes."""
        assert port.odp_port is not None
        self._backer.underlay.tunnels.remove(port)
        self._backer.underlay.neighbors.flush(port.name)
        self._give_back(port.odp_port)
        self.vxlan_ports.give_back(port.name)
        port.odp_port = None

    def configure(
        self, bridge: Ofproto, port: OfPort, config: TunnelConfig, choose: ChooseNumber
    ) -> None:
        """Set a tunnel up otherwise, or try again where another had the same settings."""
        if port.tunnel == config and self._backer.underlay.tunnels.has(port):
            return
        assert port.odp_port is not None
        former = port.odp_port
        self._backer.underlay.tunnels.remove(port)
        port.tunnel = config
        # The new one first: a port of the datapath that stays goes on counting.
        port.odp_port = self._take(config, choose)
        self._give_back(former)
        self._join(bridge, port)

    def _take(self, config: TunnelConfig, choose: ChooseNumber) -> OdpPort:
        name = config.datapath_name
        number = self._shared.get(name)
        if number is None:
            number = self._backer.dpif.tunnel_add(name, config.kind, choose(name))
            self._shared[name] = number
        self._n_tunnels[number] = self._n_tunnels.get(number, 0) + 1
        return number

    def _give_back(self, number: OdpPort) -> None:
        self._n_tunnels[number] -= 1
        if not self._n_tunnels[number]:
            del self._n_tunnels[number]
            self._shared = {name: other for name, other in self._shared.items() if other != number}
            self._backer.dpif.port_del(number)

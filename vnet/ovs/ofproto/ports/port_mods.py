"""Carrying out requests that change ports (ovs-ofctl(8), ``mod-port``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.switching import Switching
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import PortConfig, PortMod


class PortMods:
    """Carries out port modifications. ``has_tree()``: whether a spanning tree has a say in what is
    flooded; ``changed`` is told of ports that have become different."""

    def __init__(
        self,
        ports: Mapping[OfpPort, OfPort],
        switching: Switching,
        has_tree: Callable[[], bool],
        changed: Callable[[OfPort], None],
    ) -> None:
        self._ports = ports
        self._switching = switching
        self._has_tree = has_tree
        self._changed = changed

    def check(self, mod: PortMod) -> OfPort:
        """The port that is meant. Raises ``OFPPMFC_BAD_PORT`` or ``OFPPMFC_BAD_HW_ADDR``."""
        port = self._ports.get(mod.port)
        if port is None:
            raise OpenFlowError("OFPPMFC_BAD_PORT")
        if mod.mac not in (None, port.mac):
            raise OpenFlowError("OFPPMFC_BAD_HW_ADDR")
        return port

    def apply(self, mod: PortMod) -> None:
        """Change what an administrator sets on a port. Raises as :meth:`check`."""
        port = self.check(mod)
        could_flood = PortConfig.NO_FLOOD not in port.config
        if port.configure(mod.config, mod.mask):
            if could_flood != (PortConfig.NO_FLOOD not in port.config):
                self._judge_floods(port)
            self._changed(port)
            port.set_device()

    def _judge_floods(self, port: OfPort) -> None:
        """Ask the spanning tree anew whether floods leave by a port and those bonded with it."""
        bundle = self._switching.bundle_of(port.number)
        for member in [port] if bundle is None else bundle.ports:
            member.floods = not self._has_tree() or member.tree.forwards_in_tree

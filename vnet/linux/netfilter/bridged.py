"""Bridged packets at the hooks (net/bridge/br_netfilter_hooks.c), where there are rules.

At the hooks they come by the bridge, and leave by it; its ports are what ``-m physdev`` looks at.
A packet whose destination was translated is routed: if it stays on the bridge it is for another
station there, with the sender's MAC still on it; else it becomes the machine's own to forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.linux.bridge.port import BridgePort
from vnet.linux.netfilter.carried import CarryingFrame
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netns.routing.arrival import Fate
from vnet.netdev.device import RxHandler
from vnet.sim.frame import Frame
from vnet.tables.neigh import Nud
from vnet.tables.policy import Flow
from vnet.wire import ipv4
from vnet.wire.ether import TYPE_IPV4

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace
    from vnet.linux.netns.routing.destination import Destination

_CONNECTED = frozenset((Nud.REACHABLE, Nud.PERMANENT))
"""A neighbour in these states is written to without any thought."""


class BridgedHooks:
    """The hooks of IP as one machine's bridges see them."""

    __slots__ = ("_namespace", "_netfilter")

    def __init__(self, namespace: Namespace, netfilter: Netfilter) -> None:
        self._namespace = namespace
        self._netfilter = netfilter

    # -- coming in

    def comes_in(
        self, port: BridgePort, kind: int, frame: Frame, at: int, behind: RxHandler
    ) -> Frame | None:
        """A packet came in by a port; it begins ``at`` a byte, and has no padding."""
        family = 4 if kind == TYPE_IPV4 else 6
        if family not in self._netfilter.families:
            return frame
        data = frame.data[at:]
        shown = NfPacket(self._netfilter, data, family, Hook.PREROUTING, frame=frame)
        shown.entered, shown.meta = port.bridge.device, frame.meta
        shown.bridge_entered = port.device
        target = shown.target
        if not shown.meets(Hook.PREROUTING):
            return None
        if shown.target != target:
            return self._divert(port, frame, at, shown, behind)
        return CarryingFrame(frame.data[:at] + shown.data, frame.meta, shown)

    def _divert(
        self, port: BridgePort, frame: Frame, at: int, shown: NfPacket, behind: RxHandler
    ) -> Frame | None:
        interface = self._namespace.interfaces[port.bridge.device.name]
        way = self._way4(interface, shown) if shown.family == 4 else self._way6(interface, shown)
        rest = frame.data[6:at] + shown.data
        if isinstance(way, DropReason):
            port.device.drop(frame, way)
            return None
        if way is None or not way.leads_somewhere or way.is_ours or way.out is not interface:
            # The machine itself knows, or can tell the sender that it does not.
            return CarryingFrame(interface.device.mac + rest, frame.meta, shown)

        def send_on(mac: bytes) -> None:
            behind(CarryingFrame(mac + rest, frame.meta, shown))

        cache = interface.cache_of(shown.target)
        next_hop = way.gateway or shown.target
        neighbor = cache.table.get(next_hop)
        if neighbor is not None and neighbor.state in _CONNECTED and neighbor.mac is not None:
            return CarryingFrame(neighbor.mac + rest, frame.meta, shown)
        cache.send(shown.data, next_hop, frame.meta, deliver=send_on)
        return None

    def _way4(self, interface: Interface, shown: NfPacket) -> Destination | DropReason | None:
        header = ipv4.parse(shown.data, verify=False)
        assert header is not None
        arrival = self._namespace.ipv4.arrivals.of(interface, header, shown.mark)
        if arrival.fate is Fate.FORWARD:
            return arrival.way
        if arrival.is_martian:
            return arrival.reason
        found = self._namespace.routing4.lookup(Flow(shown.target, mark=shown.mark))
        if arrival.fate is not Fate.REFUSED:
            return found
        # What stays on the bridge needs no forwarding.
        stays = found is not None and found.leads_somewhere and found.out is interface
        return found if stays and not interface.conf4.forwarding else None

    def _way6(self, interface: Interface, shown: NfPacket) -> Destination | None:
        flow = Flow(shown.target, shown.source, interface.device.name, mark=shown.mark)
        return self._namespace.routing6.lookup(flow)

    # -- going out

    def goes_out(
        self, port: BridgePort, kind: int, frame: Frame, at: int, came_by: BridgePort
    ) -> NfPacket | None:
        """A packet leaves by a port; None where it does not, or nobody looks."""
        shown = NfPacket(
            self._netfilter,
            frame.data[at:],
            4 if kind == TYPE_IPV4 else 6,
            Hook.FORWARD,
            frame=frame,
            meta=frame.meta,
        )
        if isinstance(frame, CarryingFrame):
            shown.take_over(frame.shown)
        shown.entered = shown.leaves = port.bridge.device
        shown.bridge_entered, shown.bridge_leaves = came_by.device, port.device
        if not shown.meets(Hook.FORWARD):
            return None
        shown.entered = None
        return shown if shown.meets(Hook.POSTROUTING) else None

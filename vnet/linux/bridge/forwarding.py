"""Where a bridge sends a frame: to all, to some, to the host, or for the host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vnet.base.ids import MAC_BROADCAST
from vnet.linux.bridge.multicast.snooping import MULTICAST_UNWANTED
from vnet.linux.bridge.port import NO_PORT, BridgePort
from vnet.linux.bridge.state import PortState
from vnet.linux.bridge.vlan import HOST_NOT_IN_VLAN, VLAN_NOT_FORWARDING, Passage
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge


class Forwarding:
    """The sending half of a bridge, off the road of known stations.

    Of a bridge that filters VLANs a frame has its passage; None is a frame without, or one that
    nobody has let in yet.
    """

    __slots__ = ("_bridge",)

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def relay_group(self, port: BridgePort | None, frame: Frame, passage: Passage | None) -> None:
        """A multicast frame, which may be for some ports only."""
        bridge = self._bridge
        if not bridge.multicast.is_on:
            return self.flood_multicast(port, frame, passage)
        if passage is None and bridge.vlan_filter.is_on:
            passage = bridge.vlan_filter.admit(bridge.own_port if port is None else port, frame)
            if passage is None:
                return None
        return bridge.multicast.relay(port, frame, passage)

    def flood_multicast(
        self, port: BridgePort | None, frame: Frame, passage: Passage | None
    ) -> None:
        """Send to everybody who is not spared unknown groups."""
        up = port is not None
        return self.flood(port, frame, BridgePort.MULTICAST, up=up, passage=passage)

    def flood(
        self,
        port: BridgePort | None,
        frame: Frame,
        flag: str,
        *,
        up: bool = False,
        passage: Passage | None = None,
    ) -> None:
        """Send to every other forwarding port whose ``flag`` is set.

        ``up`` also hands a copy to the host, if there is one. ``port`` None means the bridge
        itself sends; its broadcast and multicast obey no flag. Of a bridge that filters
        ``passage`` says in which VLAN; None where the frame has yet to be let in. The order is the
        kernel's: the ports, newest first, and then the host.
        """
        bridge = self._bridge
        source = bridge.own_port if port is None else port
        if passage is None and bridge.vlan_filter.is_on:
            passage = bridge.vlan_filter.admit(source, frame)
            if passage is None:
                return None
        if passage is not None and not passage.may_leave:
            return source.device.drop(frame, VLAN_NOT_FORWARDING)
        if port is not None:
            bridge.storms.flooded(frame.data, port, bridge.scheduler.now_ns)
        obeys = port is not None or flag == BridgePort.UNKNOWN_UNICAST
        outs = [out for out in reversed(bridge.ports) if not obeys or getattr(out, flag)]
        if bridge.suppression is not None and bridge.suppression.consider(port, frame, passage):
            outs = [out for out in outs if not out.neigh_suppress]
        reached = self._send_to(outs, source, frame, passage)
        if up and bridge.has_host:
            return self.deliver_up(frame, passage)
        if not reached:
            source.device.drop(frame, NO_PORT)
        return None

    def flood_to(
        self,
        outs: Iterable[BridgePort],
        port: BridgePort | None,
        frame: Frame,
        passage: Passage | None,
        *,
        up: bool = False,
        may_miss: bool = False,
    ) -> None:
        """Send a multicast frame to the ports ``outs``, as :meth:`flood` does to all.

        ``may_miss``: if it reaches nobody it is no loss.
        """
        bridge = self._bridge
        source = bridge.own_port if port is None else port
        if passage is not None and not passage.may_leave:
            return source.device.drop(frame, VLAN_NOT_FORWARDING)
        if bridge.suppression is not None:
            bridge.suppression.consider(port, frame, passage)
        reached = self._send_to(outs, source, frame, passage)
        if up and bridge.has_host:
            return self.deliver_up(frame, passage)
        if not reached and not may_miss:
            source.device.drop(frame, MULTICAST_UNWANTED)
        return None

    def _send_to(
        self,
        outs: Iterable[BridgePort],
        source: BridgePort,
        frame: Frame,
        passage: Passage | None,
    ) -> bool:
        """Send by each port that forwards, and may from ``source``; whether there was one."""
        reached = False
        came_by = None if source is self._bridge.own_port else source
        for out in outs:
            if out.state is not PortState.FORWARDING:
                continue
            if out is source and not out.hairpin:
                continue
            if source.isolated and out.isolated:
                continue
            leaving = frame if passage is None else passage.leaving(out.vlans)
            if leaving is not None:
                reached = True
                out.send(leaving, came_by)
        return reached

    def deliver_up(
        self, frame: Frame, passage: Passage | None = None, port: BridgePort | None = None
    ) -> None:
        """Pass a frame to the host through the bridge's own device.

        ``port`` is where a unicast frame came in.
        """
        bridge = self._bridge
        device = bridge.device
        if passage is not None:
            leaving = passage.leaving(bridge.own_port.vlans)
            if leaving is None:
                return device.drop(frame, HOST_NOT_IN_VLAN)
            frame = leaving
        if not device.admin_up:
            return None
        return device.receive(frame) if port is None else device.receive_at(port, frame)

    # -- frames from the host

    def send_own(self, frame: Frame) -> None:
        """The host sends out of the bridge device."""
        bridge = self._bridge
        target = frame.data[0:6]
        passage: Passage | None = None
        vid = 0
        if bridge.vlan_filter.is_on:
            passage = bridge.vlan_filter.admit(bridge.own_port, frame)
            if passage is None:
                return None
            if not passage.may_leave:
                return bridge.device.drop(frame, VLAN_NOT_FORWARDING)
            vid = passage.vid
        if target[0] & 1:
            if target == MAC_BROADCAST:
                return self.flood(None, frame, BridgePort.BROADCAST, passage=passage)
            return self.relay_group(None, frame, passage)
        entry = bridge.fdb.get(target, vid)
        if entry is None:
            return self.flood(None, frame, BridgePort.UNKNOWN_UNICAST, passage=passage)
        entry.used_ns = bridge.scheduler.now_ns
        # A port's own address leads out by that port; one of the bridge alone leads nowhere.
        out = entry.port
        leaving = frame if passage is None else passage.leaving(out.vlans)
        if out is bridge.own_port or leaving is None:
            return bridge.device.drop(frame, NO_PORT)
        return out.send(leaving, None)

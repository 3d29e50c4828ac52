"""VLAN filtering of a Linux bridge: its settings, and the road of a frame through it.

Facts that are easy to get wrong, all as the kernel does them: a tag of another protocol than the
bridge's (802.1ad on an 802.1Q bridge, and the other way round) is payload, so the frame counts as
untagged; VID 0 is no VLAN but a priority, which the frame keeps; a port lets in a tagged
frame of a VLAN that it sends untagged; the bridge itself is a port like the others, without whose
membership the host hears nothing.

Until filtering is first turned on a bridge has the addresses of its ports once; from then on also
in each of their VLANs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.linux.bridge.port import SAME_PORT, BridgePort
from vnet.linux.bridge.state import PortState
from vnet.linux.bridge.vlan import (
    LARGEST_VID,
    NO_PVID,
    NO_WAY_OUT,
    NOT_IN_VLAN,
    VLAN_NOT_FORWARDING,
    Passage,
    Vlan,
    VlanCounters,
    VlanGroup,
    tagged,
    untagged,
)
from vnet.netdev.device import TRUNCATED_TAG, RxHandler
from vnet.sim.frame import Frame
from vnet.wire.ether import HEADER_BYTES, TYPE_QINQ, TYPE_VLAN
from vnet.wire.vlan import LEAST_TAGGED_BYTES, is_truncated, is_whole

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge

PROTOCOLS = (TYPE_VLAN, TYPE_QINQ)

_PROVIDER_GROUPS = 0xB801
"""Reserved addresses that a provider bridge (802.1ad) lets through: those of its customers."""
_PROVIDER_BRIDGE_GROUP = 0x08


class VlanFilter:
    """The VLAN settings of one bridge.

    ``is_on`` is ``vlan_filtering``, ``protocol`` the tag protocol, ``default_pvid`` what a new port
    gets as its PVID (0: nothing). ``counts`` is ``vlan_stats_enabled``, and ``counts_per_port``
    ``vlan_stats_per_port``: without it a VLAN is counted once for all ports. ``tpid`` is the
    protocol as it stands in a frame.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.is_on = False
        self.was_on = False
        self.protocol = TYPE_VLAN
        self.default_pvid = 1
        self.counts = False
        self.counts_per_port = False
        self.tpid = TYPE_VLAN.to_bytes(2, "big")
        self._counters: dict[int, VlanCounters] = {}
        self._join(bridge.own_port.vlans, 1, pvid=True, untagged=True)

    # -- settings

    def set_filtering(self, on: bool) -> None:
        """``ip link set BRIDGE type bridge vlan_filtering 1``."""
        if on == self.is_on:
            return
        self.is_on = on
        bridge = self._bridge
        if not self.was_on:
            self.was_on = True
            for port in (*bridge.ports, bridge.own_port):
                for vid in port.vlans.members:
                    bridge.addresses.own(port.device.mac, port, vid)
        for port in bridge.ports:
            port.device.rx_handler = bridge.ingress(port)
        bridge.storms.forget()

    def set_protocol(self, protocol: int) -> None:
        """``vlan_protocol``: 802.1Q (0x8100) or 802.1ad (0x88A8)."""
        if protocol not in PROTOCOLS:
            raise UsageError("Error: Unknown vlan protocol.", "802.1Q or 802.1ad")
        self.protocol = protocol
        self.tpid = protocol.to_bytes(2, "big")

    def set_default_pvid(self, vid: int) -> None:
        """``vlan_default_pvid``; 0 means none. Ports still at the old one get the new one."""
        if not 0 <= vid <= LARGEST_VID:
            raise UsageError("RTNETLINK answers: Invalid argument", "a PVID is 1 to 4094, or 0")
        old = self.default_pvid
        if vid == old:
            return
        for port in (self._bridge.own_port, *self._bridge.ports):
            group = port.vlans
            at_default = group.pvid == old and (not old or group.members[old].untagged)
            if not at_default or vid in group.members:
                continue
            if vid:
                self.add(port, vid, pvid=True, untagged=True)
            if old:
                self.delete(port, old)
        self.default_pvid = vid

    @property
    def forwarded_groups(self) -> int:
        """The reserved addresses that cross the bridge by the VLAN protocol alone, as a mask."""
        if not self.is_on or self.protocol == TYPE_VLAN:
            return 0
        return _PROVIDER_GROUPS & ~(1 << _PROVIDER_BRIDGE_GROUP)

    # -- membership

    def port_joined(self, port: BridgePort) -> None:
        """A fresh port is in the default VLAN."""
        if self.default_pvid:
            self.add(port, self.default_pvid, pvid=True, untagged=True)

    def add(
        self, port: BridgePort, vid: int, *, pvid: bool = False, untagged: bool = False
    ) -> None:
        """``bridge vlan add dev PORT vid VID [pvid] [untagged]``.

        Of a VLAN that the port is in already the flags are set, or cleared where not given.
        """
        if not 1 <= vid <= LARGEST_VID:
            raise UsageError("Error: bridge: Vlan id is invalid.", f"1 to {LARGEST_VID}")
        fresh = vid not in port.vlans.members
        self._join(port.vlans, vid, pvid=pvid, untagged=untagged)
        if fresh and self.was_on:
            self._bridge.addresses.own(port.device.mac, port, vid)

    def _join(self, group: VlanGroup, vid: int, *, pvid: bool, untagged: bool) -> None:
        vlan = group.members.get(vid)
        if vlan is None:
            counters = VlanCounters()
            if not self.counts_per_port:
                counters = self._counters.setdefault(vid, counters)
            vlan = group.members[vid] = Vlan(vid, counters)
        vlan.untagged = untagged
        if pvid:
            group.pvid = vid
        elif group.pvid == vid:
            group.pvid = 0

    def delete(self, port: BridgePort, vid: int) -> None:
        """``bridge vlan del dev PORT vid VID``: what the port learned in it is forgotten."""
        group, bridge = port.vlans, self._bridge
        if vid not in group.members:
            raise UsageError("RTNETLINK answers: No such file or directory")
        del group.members[vid]
        if group.pvid == vid:
            group.pvid = 0
        bridge.addresses.disown(port.device.mac, port, vid)
        bridge.fdb.flush_port(port, vid=vid)

    def set_state(self, port: BridgePort, vid: int, state: PortState) -> None:
        """``bridge vlan set dev PORT vid VID state STATE``."""
        if vid not in port.vlans.members:
            raise UsageError("RTNETLINK answers: No such file or directory")
        port.vlans.members[vid].set_state(state)

    # -- frames

    def ingress(self, port: BridgePort) -> RxHandler:
        """What gets the frames of a port's device while the bridge filters."""
        return _Ingress(self._bridge, self, port).handle

    def admit(self, port: BridgePort, frame: Frame) -> Passage | None:
        """Let a frame in, or drop it and return None."""
        data = frame.data
        has_tag = data[12:14] == self.tpid
        tci = data[14] << 8 | data[15] if has_tag and len(data) >= LEAST_TAGGED_BYTES else 0
        group = port.vlans
        vid = tci & 0x0FFF
        if not vid:
            vid = group.pvid
            tci |= vid
        vlan = group.members.get(vid)
        if vlan is None or not vlan.learns or is_truncated(data):
            port.device.drop(frame, _reason_against(data, vid, vlan))
            return None
        if self.counts:
            vlan.counters.rx_packets += 1
            vlan.counters.rx_bytes += len(data) - HEADER_BYTES - (4 if has_tag else 0)
        return Passage(frame, vlan, tci, self.tpid, has_tag=has_tag, counts=self.counts)

    def learnable_vid(self, port: BridgePort, frame: Frame) -> int | None:
        """The VLAN in which a station may be learned from a frame that goes no further, or None
        (br_should_learn() of Linux)."""
        data = frame.data
        vid = 0
        if data[12:14] == self.tpid and len(data) >= LEAST_TAGGED_BYTES:
            vid = (data[14] << 8 | data[15]) & 0x0FFF
        vlan = port.vlans.members.get(vid or port.vlans.pvid)
        if vlan is None or not vlan.learns:
            return None
        return vlan.vid


def _reason_against(data: bytes, vid: int, vlan: Vlan | None) -> DropReason:
    if is_truncated(data):
        return TRUNCATED_TAG
    if vlan is not None:
        return VLAN_NOT_FORWARDING
    return NOT_IN_VLAN if vid else NO_PVID


class _Ingress:
    """Where frames of one port come in while the bridge filters.

    The road of a frame from a known station to a known station is all in :meth:`handle`, as that
    of a bridge without VLANs is in :meth:`BridgePort.handle`; on it, no :class:`Passage` is made.
    """

    __slots__ = ("_bridge", "_filter", "_port")

    def __init__(self, bridge: Bridge, vlan_filter: VlanFilter, port: BridgePort) -> None:
        self._bridge = bridge
        self._filter = vlan_filter
        self._port = port

    def handle(self, frame: Frame) -> None:
        """As :meth:`BridgePort.handle`, in the frame's VLAN."""
        bridge, port, data = self._bridge, self._port, frame.data
        if port.state is not PortState.FORWARDING or (
            len(data) < LEAST_TAGGED_BYTES and not is_whole(data)
        ):
            return bridge.handle_not_forwarding(port, frame)
        if data[0] & 1:
            return bridge.handle_group(port, frame)
        vlan_filter, group = self._filter, port.vlans
        has_tag = data[12:14] == vlan_filter.tpid
        own_vid = (data[14] << 8 | data[15]) & 0x0FFF if has_tag else 0
        vlan = group.members.get(own_vid or group.pvid)
        if vlan is None or not vlan.forwards or vlan_filter.counts:
            return self._handle_slowly(frame)
        now_ns = bridge.scheduler.now_ns
        entries, key = bridge.fdb.entries, vlan.key
        entry = entries.get(data[6:12] + key)
        if entry is not None and entry.port is port and entry.is_dynamic and port.learning:
            entry.updated_ns = now_ns
        elif not bridge.accept_source(port, frame, vlan.vid):
            return None
        entry = entries.get(data[0:6] + key)
        if entry is None or entry.is_local:
            return self._relay(frame)
        entry.used_ns = now_ns
        out = entry.port
        there = out.vlans.members.get(vlan.vid)
        if there is None or not there.forwards or (out is port and not port.hairpin):
            return self._relay(frame)
        if there.untagged:
            leaving = frame.with_data(untagged(data)) if has_tag else frame
        elif own_vid:
            leaving = frame
        elif has_tag:
            return self._relay(frame)
        else:
            leaving = frame.with_data(tagged(data, vlan_filter.tpid + key))
        return out.send(leaving, port)

    def _handle_slowly(self, frame: Frame) -> None:
        """A frame that may not come in, or only be learned from, or that is counted."""
        passage = self._filter.admit(self._port, frame)
        if passage is None or not self._bridge.accept_source(self._port, frame, passage.vid):
            return None
        if not passage.may_leave:
            return self._port.device.drop(frame, VLAN_NOT_FORWARDING)
        return self._relay(frame, passage)

    def _relay(self, frame: Frame, passage: Passage | None = None) -> None:
        """Find the target of a frame that was let in and learned from, wherever it may be."""
        bridge, port = self._bridge, self._port
        passage = passage or self._filter.admit(port, frame)
        assert passage is not None, "it has been let in"
        entry = bridge.fdb.get(frame.data[0:6], passage.vid)
        if entry is None:
            return bridge.flood(port, frame, port.UNKNOWN_UNICAST, passage=passage)
        entry.used_ns = bridge.scheduler.now_ns
        if entry.is_local:
            return bridge.deliver_up(frame, passage, port)
        out = entry.port
        if out is port and not port.hairpin:
            return port.device.drop(frame, SAME_PORT)
        leaving = passage.leaving(out.vlans)
        if leaving is None:
            return port.device.drop(frame, NO_WAY_OUT)
        return out.send(leaving, port)

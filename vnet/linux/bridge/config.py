"""How a Linux bridge and its ports are to be set up, and the commands that would do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.multicast.config import MulticastConfig
from vnet.linux.bridge.options import BRIDGE_OPTIONS, option_words
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.settings import (
    set_port_cost,
    set_port_flag,
    set_port_priority,
    set_port_router,
)
from vnet.linux.bridge.tree_settings import TreeConfig
from vnet.wire.ether import TYPE_VLAN


@dataclass(frozen=True, slots=True)
class PortConfig:
    """One port, or the bridge itself as the host's port.

    ``pvid`` None leaves it in the bridge's default VLAN, 0 takes it out of that. The PVID leaves
    untagged unless it is among ``tagged``. ``flags`` go by the names of bridge(8).
    """

    pvid: int | None = None
    tagged: tuple[int, ...] = ()
    untagged: tuple[int, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)
    cost: int | None = None
    priority: int | None = None
    group_fwd_mask: int = 0
    mcast_router: int | None = None

    def vlans(self, default_pvid: int) -> Mapping[int, tuple[bool, bool]]:
        """The VLANs of the port: whether each is its PVID, and leaves it untagged."""
        pvid = default_pvid if self.pvid is None else self.pvid
        wanted = {
            vid: (vid == pvid, vid in self.untagged) for vid in (*self.tagged, *self.untagged)
        }
        if pvid:
            wanted[pvid] = (True, pvid not in self.tagged)
        return wanted

    def apply(self, port: BridgePort) -> list[str]:
        """Set a port up that has just joined; returns the commands that do so."""
        return [*self._apply_vlans(port), *self._apply_flags(port)]

    def _apply_vlans(self, port: BridgePort) -> Iterator[str]:
        vlan_filter, where = port.bridge.vlan_filter, f"dev {port.device.name}"
        own = " self" if port is port.bridge.own_port else ""
        wanted = self.vlans(vlan_filter.default_pvid)
        for vid in [vid for vid in port.vlans.members if vid not in wanted]:
            vlan_filter.delete(port, vid)
            yield f"bridge vlan del {where} vid {vid}{own}"
        for vid, (pvid, untagged) in wanted.items():
            there = port.vlans.members.get(vid)
            if there is not None and (port.vlans.pvid == vid, there.untagged) == (pvid, untagged):
                continue
            vlan_filter.add(port, vid, pvid=pvid, untagged=untagged)
            flags = " pvid" * pvid + " untagged" * untagged
            yield f"bridge vlan add {where} vid {vid}{flags}{own}"

    def _apply_flags(self, port: BridgePort) -> Iterator[str]:
        words = []
        for name, on in self.flags.items():
            set_port_flag(port, name, on)
            words.append(f"{name} {'on' if on else 'off'}")
        if self.cost is not None:
            set_port_cost(port, self.cost)
            words.append(f"cost {self.cost}")
        if self.priority is not None:
            set_port_priority(port, self.priority)
            words.append(f"priority {self.priority}")
        if self.mcast_router is not None:
            set_port_router(port, self.mcast_router)
            words.append(f"mcast_router {self.mcast_router}")
        if words:
            yield f"bridge link set dev {port.device.name} {' '.join(words)}"
        if self.group_fwd_mask:
            port.set_group_fwd_mask(self.group_fwd_mask)
            name = port.device.name
            yield f"ip link set {name} type bridge_slave group_fwd_mask {self.group_fwd_mask:#x}"


@dataclass(frozen=True, slots=True)
class LinuxBridgeConfig:
    """A bridge, with settings of those ports that have any, by device; its own by its name."""

    vlan_filtering: bool = False
    vlan_protocol: int = TYPE_VLAN
    default_pvid: int = 1
    vlan_stats: bool = False
    group_fwd_mask: int = 0
    ports: Mapping[str, PortConfig] = field(default_factory=dict)
    tree: TreeConfig = field(default_factory=TreeConfig)
    multicast: MulticastConfig = field(default_factory=MulticastConfig)

    def apply(self, bridge: Bridge) -> list[str]:
        """Set a bridge up that has no ports yet; returns the commands that do so."""
        options = [
            *self._options(bridge),
            *self.tree.options(bridge),
            *self.multicast.options(),
        ]
        for option, value in options:
            BRIDGE_OPTIONS[option].set(bridge, value)
        words = option_words(options)
        name = bridge.device.name
        done = [f"ip link set {name} type bridge {' '.join(words)}"] if words else []
        return done + self.apply_to_port(bridge.own_port)

    def _options(self, bridge: Bridge) -> Iterator[tuple[str, int]]:
        vlan_filter = bridge.vlan_filter
        if self.default_pvid != vlan_filter.default_pvid:
            yield "vlan_default_pvid", self.default_pvid
        if self.vlan_protocol != vlan_filter.protocol:
            yield "vlan_protocol", self.vlan_protocol
        if self.vlan_filtering:
            yield "vlan_filtering", 1
        if self.vlan_stats:
            yield "vlan_stats_enabled", 1
        if self.group_fwd_mask:
            yield "group_fwd_mask", self.group_fwd_mask

    def apply_to_port(self, port: BridgePort) -> list[str]:
        """Set a port up that has just joined, if the file says anything of it."""
        config = self.ports.get(port.device.name)
        return [] if config is None else config.apply(port)


PLAIN_BRIDGE = LinuxBridgeConfig()
"""As a bridge is when nobody has set anything."""

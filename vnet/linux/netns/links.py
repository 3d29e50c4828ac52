"""The devices of a namespace: ``ip link``.

Whatever is done to a device is done here, which keeps the device, its bridge and the stack in
step. A device has one master, and a bridge takes its MAC and MTU from its ports.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vnet.base.errors import UsageError
from vnet.base.ids import Mac, is_link_local_ip6
from vnet.base.text import quote
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.netfilter import BridgeNetfilter, Calls
from vnet.linux.netns import vlan_devices
from vnet.linux.netns.bridge_neighbors import BridgeNeighbors
from vnet.linux.netns.changes import LinkChange
from vnet.linux.netns.errors import INVALID_ARGUMENT
from vnet.linux.netns.igmp import ALL_SNOOPERS, any_address
from vnet.linux.netns.interface import Interface
from vnet.netdev.device import NetDevice
from vnet.netdev.device_name import MOST_NAME_BYTES, is_device_name
from vnet.netdev.vlan_device import VlanDevice
from vnet.wire import mld

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace


class QuerySource:
    """Where a snooping bridge asks from: its own addresses, or others of the host."""

    __slots__ = ("_interface",)

    def __init__(self, interface: Interface) -> None:
        self._interface = interface

    def query_source(self, family: int) -> bytes | None:
        """An address of the host; for MLD a link-local one of the bridge, and no other."""
        if family == 6:
            own = (a.ip for a in self._interface.addresses if len(a.ip) == 16 and a.usable)
            return next((ip for ip in own if is_link_local_ip6(ip)), None)
        return any_address(self._interface)

    def join_snoopers(self, joins: bool) -> None:
        """As RFC 4286 section 4 has it; over IPv6 not before there is a link."""
        interface = self._interface
        if not joins:
            interface.igmp.leave(ALL_SNOOPERS)
            interface.mld.leave(mld.ALL_SNOOPERS)
            return
        interface.igmp.join(ALL_SNOOPERS)
        if interface.addrconf is not None and interface.ready:
            interface.mld.join(mld.ALL_SNOOPERS)


class Links:
    """A namespace's devices by name, and which bridge each is a port of."""

    __slots__ = (
        "_masters",
        "_namespace",
        "_next_ifindex",
        "bridges",
        "interfaces",
        "netfilter",
    )

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.interfaces: dict[str, Interface] = {}
        self.bridges: dict[str, Bridge] = {}
        self.netfilter: BridgeNetfilter | None = None
        """Once br_netfilter is loaded."""
        self._masters: dict[str, Bridge] = {}
        self._next_ifindex = 1

    # -- devices

    def add_device(self, device: NetDevice, *, ipv6: bool = False) -> Interface:
        """Bring a device into the namespace. With ``ipv6`` the stack speaks IPv6 on it."""
        namespace = self._namespace
        if device.name in self.interfaces:
            raise UsageError(f"{namespace.name} has a device named {device.name} already")
        device.owner = namespace.name
        device.ifindex = self._next_ifindex
        self._next_ifindex += 1
        namespace.sysctls.device_added(device.name, device.mtu_bytes)
        interface = Interface(namespace, device, ipv6)
        self.interfaces[device.name] = interface
        device.rx_handler = interface.handle
        device.state_changed = interface.link
        self.changed(interface)
        return interface

    def add_bridge(
        self, name: str, *, mac: Mac | None = None, ipv6: bool = False, **settings: Any
    ) -> Bridge:
        """``ip link add NAME type bridge``."""
        check_device_name(name)
        bridge = Bridge(
            self._namespace.scheduler, name, mac=mac, log=self._namespace.log, **settings
        )
        interface = self.add_device(bridge.device, ipv6=ipv6)
        interface.igmp.join(ALL_SNOOPERS)
        bridge.multicast.host = QuerySource(interface)
        self.bridges[name] = bridge
        bridge.neighbors = BridgeNeighbors(self._namespace, bridge)
        bridge.set_netfilter(self.netfilter)
        return bridge

    def load_br_netfilter(self) -> BridgeNetfilter:
        """``modprobe br_netfilter``: from now on the settings below net.bridge mean something."""
        if self.netfilter is None:
            self.netfilter = BridgeNetfilter()
            self.hook_bridges()
            self.settings_changed()
            for bridge in self.bridges.values():
                bridge.set_netfilter(self.netfilter)
        return self.netfilter

    def hook_bridges(self) -> None:
        """Show bridged packets to the machine's netfilter, once there are both."""
        rules = self._namespace.netfilter
        if self.netfilter is not None and rules is not None:
            # Machines without rules do without all that looks at packets for them.
            from vnet.linux.netfilter.bridged import BridgedHooks

            self.netfilter.hooks = BridgedHooks(self._namespace, rules)

    def settings_changed(self) -> None:
        """Some setting of the machine was changed."""
        if self.netfilter is not None:
            knobs = self._namespace.sysctls.bridge
            self.netfilter.calls = Calls(
                ipv4=bool(knobs.bridge_nf_call_iptables),
                ipv6=bool(knobs.bridge_nf_call_ip6tables),
                arp=bool(knobs.bridge_nf_call_arptables),
                vlan_tagged=bool(knobs.bridge_nf_filter_vlan_tagged),
            )

    def remove_device(self, name: str) -> None:
        """``ip link del NAME``: its addresses, its routes and its place in a bridge go with it.

        What were ports of a bridge that goes are devices like others again.
        """
        interface = self.interface(name)
        if name in self.bridges:
            for port in reversed(self.bridges[name].ports):
                self.release(port.device.name)
            del self.bridges[name]
        for vlan in vlan_devices.vlans_on(interface.device):
            self.remove_device(vlan.name)
        self.set_down(name)
        if name in self._masters:
            self.release(name)
        self._namespace.addresses.device_removed(interface)
        interface.igmp.forget_timers()
        interface.mld.forget_timers()
        del self.interfaces[name]
        self._namespace.sysctls.device_removed(name)
        device = interface.device
        vlan_devices.taken_away(device)
        change = LinkChange(device, interface.arp, interface.multicast, None, deleted=True)
        self._namespace.tell(change)

    def interface(self, name: str) -> Interface:
        """The interface by name. Raises :class:`UsageError` as ip(8) would complain."""
        try:
            return self.interfaces[name]
        except KeyError:
            known = ", ".join(self.interfaces)
            what = f'{self._namespace.name}: device "{name}" does not exist'
            raise UsageError(what, f"it has {known}") from None

    def rename(self, name: str, new: str) -> None:
        """``ip link set NAME name NEW``, also while it is up; nothing else changes."""
        interface = self.interface(name)
        node = self._namespace.name
        check_device_name(new)
        if new in self.interfaces:
            raise UsageError(f"{node} has a device named {new} already")
        interface.device.name = new
        self._namespace.sysctls.device_renamed(name, new)
        for by_name in (self.interfaces, self._masters, self.bridges):
            _rekey(by_name, name, new)
        self._namespace.arp.proxy.device_renamed(name, new)
        self.changed(interface)

    # -- settings

    def set_mac(self, name: str, mac: Mac) -> None:
        """``ip link set NAME address MAC``."""
        interface = self.interface(name)
        old = interface.device.mac
        if name in self.bridges:
            self.bridges[name].addresses.set_mac(mac)
        interface.device.mac = mac
        if isinstance(interface.device, VlanDevice):
            interface.device.inherits_mac = False
        bridge = self._masters.get(name)
        port = bridge.port_of(interface.device) if bridge else None
        if bridge and port:
            with self._telling_of(bridge):
                bridge.addresses.port_mac_changed(port, old)
        self.changed(interface)

    def set_mtu(self, name: str, mtu_bytes: int) -> None:
        """``ip link set NAME mtu N``."""
        interface = self.interface(name)
        vlan_devices.check_mtu(interface.device, mtu_bytes)
        interface.device.mtu_bytes = mtu_bytes
        self._namespace.sysctls.mtu_changed(name, mtu_bytes)
        if bridge := self._masters.get(name):
            with self._telling_of(bridge):
                bridge.device.mtu_bytes = min(port.device.mtu_bytes for port in bridge.ports)
        self.changed(interface)

    def set_flags(
        self, name: str, *, arp: bool | None = None, multicast: bool | None = None
    ) -> None:
        """``ip link set NAME arp on|off multicast on|off``."""
        interface = self.interface(name)
        interface.arp = interface.arp if arp is None else arp
        interface.multicast = interface.multicast if multicast is None else multicast
        self.changed(interface)

    # -- up and down

    def set_up(self, name: str) -> None:
        """``ip link set NAME up``: the routes of its addresses come with it."""
        interface = self.interface(name)
        if interface.device.admin_up:
            return
        vlan_devices.check_lower_is_up(interface.device)
        interface.device.set_admin(True)
        interface.link.device_opened()
        interface.igmp.report_all()
        self._namespace.addresses.device_up(interface)
        if interface.conf4.arp_notify:
            self._namespace.arp.announce(interface)
        for vlan in vlan_devices.vlans_on(interface.device):
            self.set_up(vlan.name)

    def set_down(self, name: str) -> None:
        """``ip link set NAME down``: its routes and IPv6 addresses go with it."""
        interface = self.interface(name)
        if not interface.device.admin_up:
            return
        for vlan in vlan_devices.vlans_on(interface.device):
            self.set_down(vlan.name)
        interface.device.set_admin(False)
        self._namespace.routes.device_down(interface, 4)
        self.forget_ipv6(interface)
        interface.arp_cache.flush()

    def forget_ipv6(self, interface: Interface) -> None:
        """IPv6 is over on an interface: its routes, addresses and neighbours go."""
        self._namespace.routes.device_down(interface, 6)
        self._namespace.addresses.forget_ipv6(interface)
        interface.nd_cache.flush()

    # -- masters

    def enslave(self, name: str, bridge_name: str) -> None:
        """``ip link set NAME master BRIDGE``. A device has one master."""
        interface = self.interface(name)
        if interface.device.rx_handler != interface.handle:
            raise UsageError(
                f"device {name} is already a member of a bridge; "
                f"can't add it to bridge {bridge_name}."
            )
        if bridge_name not in self.bridges:
            known = ", ".join(self.bridges) or "none"
            what = f"{self._namespace.name}: {bridge_name} is not a bridge"
            raise UsageError(what, f"bridges here: {known}")
        bridge = self.bridges[bridge_name]
        self._check_can_be_port(interface, bridge)
        self._masters[name] = bridge
        with self._telling_of(bridge):
            bridge.add_port(interface.device)
        self.changed(interface)

    def _check_can_be_port(self, interface: Interface, bridge: Bridge) -> None:
        device = interface.device
        if device.name in self.bridges:
            raise UsageError("Error: Can not enslave a bridge to a bridge.")
        if interface is self._namespace.loopback:
            raise UsageError("RTNETLINK answers: Invalid argument", "lo is no port of a bridge")
        while isinstance(device, VlanDevice):
            device = device.lower
            if device is bridge.device:
                raise UsageError(
                    "RTNETLINK answers: Device or resource busy",
                    f"{interface.device.name} stands on {device.name}",
                )

    def release(self, name: str) -> None:
        """``ip link set NAME nomaster``."""
        interface = self.interface(name)
        bridge = self._masters.pop(name, None)
        if bridge is None:
            raise UsageError(f"{self._namespace.name}: device {name} is not a bridge port")
        with self._telling_of(bridge):
            bridge.remove_port(interface.device)
        interface.device.rx_handler = interface.handle
        self.changed(interface)

    def master_of(self, name: str) -> Bridge | None:
        """The bridge that a device is a port of, or None."""
        return self._masters.get(name)

    def has_mac(self, mac: bytes) -> bool:
        """Whether frames from ``mac`` are of this machine, and do not only cross its bridges."""
        return any(interface.device.mac == mac for interface in self.interfaces.values())

    # -- telling

    def changed(self, interface: Interface) -> None:
        """Something about a device changed: routes may lead elsewhere, what stands on it follows,
        and who listens is told."""
        vlan_devices.follow(self._namespace, interface.device)
        self._namespace.forget_decisions()
        if self._namespace.listeners:
            master = self._masters.get(interface.device.name)
            self._namespace.tell(
                LinkChange(
                    interface.device,
                    interface.arp,
                    interface.multicast,
                    master.device if master else None,
                )
            )

    @contextmanager
    def _telling_of(self, bridge: Bridge) -> Iterator[None]:
        """Around what is done to a port: the bridge may take another MAC or MTU from it."""
        device = bridge.device
        before = device.mac, device.mtu_bytes
        yield
        if (device.mac, device.mtu_bytes) != before:
            self.changed(self.interfaces[device.name])


def check_device_name(name: str) -> None:
    """Raises :class:`UsageError` where the kernel would not call a device so."""
    if not is_device_name(name):
        hint = f"{quote(name)}: up to {MOST_NAME_BYTES} bytes without '/', ':', '%' and spaces"
        raise UsageError(INVALID_ARGUMENT, hint)


def _rekey(by_name: dict[str, Any], name: str, new: str) -> None:
    """Give an entry another key in its old place; nothing where there is none."""
    if name in by_name:
        entries = [(new if key == name else key, value) for key, value in by_name.items()]
        by_name.clear()
        by_name.update(entries)

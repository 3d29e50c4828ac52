"""A host's devices as its Open vSwitch sees them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.hypervisor.host_routes import HostRoutes
from vnet.hypervisor.openvswitch import default_mac
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.netdev.route_source import RouteSource
from vnet.ovs.datapath.internal import Internal, InternalPort, internal_pair
from vnet.ovs.vswitchd.config import BridgeConfig, InterfaceConfig


class HostDevices:
    """Devices of a namespace become ports, and bridges get a device in it: a
    :class:`~vnet.hypervisor.openvswitch.SwitchDevices`.

    ``ipv6`` has the bridges whose own device speaks IPv6.
    """

    def __init__(self, namespace: Namespace) -> None:
        self.ipv6: set[str] = set()
        self._namespace = namespace
        self._internal: dict[str, Internal] = {}

    def internal_port(self, bridge: str) -> NetDevice:
        """The far end of a bridge's own device, which is in no namespace."""
        return self._internal[bridge].port

    def internal_ports(self) -> Iterator[NetDevice]:
        """All far ends."""
        return (pair.port for pair in self._internal.values())

    def open(self, bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice | None:
        """The device behind a port."""
        namespace, name = self._namespace, interface.name
        if interface.type == "internal":
            mac = bridge.hwaddr or default_mac(namespace.chance, namespace.name, bridge.name)
            pair = internal_pair(namespace.scheduler, name, mac, owner=namespace.name)
            self._internal[name] = pair
            namespace.add_device(pair.device, ipv6=name in self.ipv6)
            return pair.port
        found = namespace.interfaces.get(name)
        return None if found is None else found.device

    def close(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """A device goes back to the IP stack; one that was made for the bridge is no more."""
        name = interface.name
        if isinstance(device, InternalPort):
            self._namespace.remove_device(name)
            del self._internal[name]
        else:
            device.rx_handler = self._namespace.interface(name).handle

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """Set the mtu that was asked for, as ``ip link`` would."""
        if interface.mtu_request is not None and device.mtu_bytes != interface.mtu_request:
            self._namespace.set_mtu(interface.name, interface.mtu_request)

    def route_source(self) -> RouteSource:
        """The namespace, as tunnels ask it."""
        return HostRoutes(self._namespace)

    def check_free(self, device: str) -> None:
        """Raise if a device is not there, or somebody else gets its frames."""
        interface = self._namespace.interface(device)
        if interface.device.rx_handler != interface.handle:
            raise UsageError(
                f"could not add network device {device} to ofproto (Device or resource busy)"
            )

    def configure_local(self, bridge: str, mac: Mac, mtu_bytes: int) -> None:
        """Give both ends of a bridge's own device this address and mtu."""
        pair = self._internal[bridge]
        if pair.device.mac != mac:
            self._namespace.set_mac(bridge, mac)
            pair.port.mac = mac
        if pair.device.mtu_bytes != mtu_bytes:
            self._namespace.set_mtu(bridge, mtu_bytes)
            pair.port.mtu_bytes = mtu_bytes

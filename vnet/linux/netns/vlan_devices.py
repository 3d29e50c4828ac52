"""VLAN devices of a namespace: made, found, and kept in step with what they stand on.

As the kernel has it (net/8021q): a VLAN device goes up and down with the device below, even if
somebody had set it otherwise; it has the MAC of that device until it is given one; its MTU
shrinks with that device's and does not grow back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.netdev.device import NetDevice
from vnet.netdev.vlan_device import VlanDevice, VlanDevices
from vnet.wire.ether import TYPE_VLAN

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_LARGEST_VID = 4094


def add_vlan_device(
    namespace: Namespace,
    link: str,
    name: str,
    vid: int,
    *,
    protocol: int = TYPE_VLAN,
    mac: Mac | None = None,
    mtu_bytes: int | None = None,
    ipv6: bool = False,
) -> Interface:
    """``ip link add link LINK name NAME type vlan [protocol P] id VID``."""
    lower = namespace.interface(link).device
    if not 0 <= vid <= _LARGEST_VID:
        raise UsageError("Error: 8021q: Invalid VLAN id.", f"0 to {_LARGEST_VID}")
    if any((each.protocol, each.vid) == (protocol, vid) for each in vlans_on(lower)):
        raise UsageError("Error: 8021q: VLAN device already exists.")
    if mtu_bytes is not None and mtu_bytes > lower.mtu_bytes:
        raise UsageError(
            "RTNETLINK answers: Invalid argument", f"the mtu of {link} is {lower.mtu_bytes}"
        )
    device = VlanDevice(lower, name, vid, protocol=protocol, mac=mac)
    device.mtu_bytes = mtu_bytes or lower.mtu_bytes
    interface = namespace.add_device(device, ipv6=ipv6)
    if lower.vlan_devices is None:
        lower.vlan_devices = VlanDevices()
    lower.vlan_devices.add(device)
    return interface


def vlans_on(lower: NetDevice) -> Iterator[VlanDevice]:
    """The VLAN devices that stand on a device."""
    devices = lower.vlan_devices
    return iter(()) if devices is None else iter(tuple(devices.by_tag.values()))


def taken_away(device: NetDevice) -> None:
    """A device has left its namespace; if it was a VLAN of another, that gets its frames back."""
    if isinstance(device, VlanDevice) and device.lower.vlan_devices is not None:
        device.lower.vlan_devices.remove(device)
        if not device.lower.vlan_devices.by_tag:
            device.lower.vlan_devices = None


def check_mtu(device: NetDevice, mtu_bytes: int) -> None:
    """Raise where a VLAN device would be given a larger MTU than what it stands on."""
    if isinstance(device, VlanDevice) and mtu_bytes > device.lower.mtu_bytes:
        raise UsageError(
            "RTNETLINK answers: Numerical result out of range",
            f"the mtu of {device.lower.name} is {device.lower.mtu_bytes}",
        )


def check_lower_is_up(device: NetDevice) -> None:
    """Raise where a VLAN device would be set up whose lower device is down."""
    if isinstance(device, VlanDevice) and not device.lower.admin_up:
        raise UsageError("RTNETLINK answers: Network is down", f"set {device.lower.name} up first")


def follow(namespace: Namespace, lower: NetDevice) -> None:
    """Something about a device changed: what stands on it takes over MAC, MTU and carrier."""
    for device in vlans_on(lower):
        if device.inherits_mac and device.mac != lower.mac:
            namespace.set_mac(device.name, lower.mac)
            device.inherits_mac = True
        if device.mtu_bytes > lower.mtu_bytes:
            namespace.set_mtu(device.name, lower.mtu_bytes)
        device.set_carrier(lower.carrier)

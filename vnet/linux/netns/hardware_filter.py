"""The addresses that a device lets in besides its own: a NIC's filter, as ``bridge fdb`` lists it.

Devices here let everything in, so that the filter keeps no frame away. It is what the stack and the
user have asked for: groups that are listened to, and addresses set by hand (``... self``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import multicast_mac_of
from vnet.linux.netns import igmp
from vnet.linux.netns.mld import ALL_NODES
from vnet.linux.netns.vlan_devices import vlans_on
from vnet.wire import mld

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface


class HardwareFilter:
    """Of one interface. ``set_by_hand`` are the user's, oldest first."""

    __slots__ = ("_interface", "set_by_hand")

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self.set_by_hand: list[bytes] = []

    def add(self, mac: bytes, *, replace: bool) -> None:
        """``bridge fdb add MAC dev DEV self``; with ``replace`` it may be there already."""
        if mac in self.addresses():
            if not replace:
                raise UsageError("RTNETLINK answers: File exists", "it is let in already")
            return
        self.set_by_hand.append(mac)

    def delete(self, mac: bytes) -> None:
        """``bridge fdb del MAC dev DEV self``, of what was set by hand."""
        if mac not in self.set_by_hand:
            raise UsageError("RTNETLINK answers: No such file or directory")
        self.set_by_hand.remove(mac)

    def addresses(self) -> list[bytes]:
        """All of them: stations first, then groups, those of the stack before the user's."""
        above = [address for vlan in self._vlans() for address in vlan.hardware_filter.addresses()]
        stations = [
            mac for mac in (*self.set_by_hand, *self._vlan_macs(), *above) if not is_group(mac)
        ]
        groups = [bytes(multicast_mac_of(group)) for group in self._groups()]
        groups += [mac for mac in (*above, *self.set_by_hand) if is_group(mac)]
        return list(dict.fromkeys([*stations, *groups]))

    def _vlans(self) -> list[Interface]:
        """The VLAN devices above, which have the device below let in what they want."""
        interface = self._interface
        return [
            interface.namespace.interface(vlan.name)
            for vlan in vlans_on(interface.device)
            if vlan.admin_up
        ]

    def _vlan_macs(self) -> list[bytes]:
        macs = [bytes(vlan.device.mac) for vlan in self._vlans()]
        return [mac for mac in macs if mac != self._interface.device.mac]

    def _groups(self) -> list[bytes]:
        """The groups of the stack, about in the order in which the kernel comes to them."""
        interface, device = self._interface, self._interface.device
        speaks_ipv6 = interface.addrconf is not None and not interface.conf6.disable_ipv6
        first = [ALL_NODES] if speaks_ipv6 else []
        if not device.admin_up:
            return [] if device.has_queue else first
        four = [group.ip for group in reversed(interface.igmp.groups)]
        six = [group.ip for group in reversed(interface.mld.groups)] if speaks_ipv6 else []
        snoopers = (igmp.ALL_SNOOPERS, mld.ALL_SNOOPERS)
        joined = [group for group in snoopers if group in (*four, *six)]
        return [*first, *joined, igmp.ALL_HOSTS, *six, *four]


def is_group(mac: bytes) -> bool:
    """Whether a MAC is that of a group."""
    return bool(mac[0] & 1)

"""The IP stack's side of a device: its addresses, its neighbours, and the first switch.

:meth:`Interface.handle` is the rx handler of a device that is nobody's bridge port. It
looks at the destination MAC and the EtherType and hands the frame to ARP, IPv4 or IPv6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.ids import IPV4_BROADCAST, IpAddress, is_link_local_ip6, link_local_of, network_of
from vnet.linux.netns import drops
from vnet.linux.netns.addrconf import Addrconf
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.arp_cache import ArpCache
from vnet.linux.netns.hardware_filter import HardwareFilter
from vnet.linux.netns.igmp import IgmpHost
from vnet.linux.netns.linkstate import LinkState
from vnet.linux.netns.mld import MldHost
from vnet.linux.netns.nd_cache import NdCache
from vnet.linux.netns.neighbor import NeighborCache
from vnet.linux.netns.source_address import choose_source
from vnet.netdev.device import TOO_SHORT, TRUNCATED_TAG, NetDevice
from vnet.sim.frame import Frame
from vnet.wire import vlan
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace
    from vnet.linux.netns.routing.arrival import Arrival
    from vnet.linux.netns.routing.road import Roads

_ARP = b"\x08\x06"
_IPV4 = b"\x08\x00"
_IPV6 = b"\x86\xdd"
_LEAST_ETHER_TYPE = b"\x06\x00"
"""Below are lengths, of frames of IEEE 802.2."""


class Interface:
    """A device as the IP stack of its namespace sees it.

    ``arp`` and ``multicast`` are the IFF_NOARP (inverted) and IFF_MULTICAST flags.
    ``arrivals`` are the decisions made for IPv4 packets that came in here, by their source and
    target, and ``roads`` the short ways of those that are forwarded.
    ``conf4`` and ``conf6`` are what net.ipv4.conf and net.ipv6.conf come to here.
    ``ipv6`` None there means the interface does not speak IPv6.
    """

    __slots__ = (
        "_by_type",
        "addrconf",
        "addresses",
        "arp",
        "arp_cache",
        "arrivals",
        "conf4",
        "conf6",
        "device",
        "hardware_filter",
        "igmp",
        "link",
        "mld",
        "multicast",
        "namespace",
        "nd_cache",
        "ready",
        "roads",
        "tap",
    )

    def __init__(self, namespace: Namespace, device: NetDevice, ipv6: bool) -> None:
        self.namespace = namespace
        self.device = device
        self.addresses: list[InterfaceAddress] = []
        self.arp = True
        self.multicast = True
        self.ready = False
        """Up with a carrier, and known to the stack to be so."""
        sysctls, name = namespace.sysctls, device.name
        self.conf4 = sysctls.ipv4_conf.in_force(name)
        self.conf6 = sysctls.ipv6_conf.in_force(name)
        self.arrivals: dict[bytes, Arrival] = {}
        self.roads: dict[bytes, Roads] = {}
        self.link = LinkState(self)
        self.arp_cache = ArpCache(self, namespace.neighbors4, sysctls.ipv4_neighbors.own[name])
        self.nd_cache = NdCache(self, namespace.neighbors6, sysctls.ipv6_neighbors.own[name])
        self.igmp = IgmpHost(self)
        self.mld = MldHost(self)
        self.hardware_filter = HardwareFilter(self)
        self.addrconf: Addrconf | None = Addrconf(self) if ipv6 else None
        self.tap: Callable[[Frame], bool] | None = None
        """A program that listens past the IP stack (a packet socket): True for what it takes."""
        self._by_type: dict[bytes, Callable[[Interface, Frame], None]] = {
            _ARP: namespace.arp.receive,
            _IPV4: namespace.ipv4.receive,
            _IPV6: namespace.ipv6.receive,
        }

    def settings_changed(self) -> None:
        """Some setting of the namespace changed, perhaps one of this device's."""
        sysctls, name = self.namespace.sysctls, self.device.name
        self.conf4 = sysctls.ipv4_conf.in_force(name)
        before, self.conf6 = self.conf6, sysctls.ipv6_conf.in_force(name)
        self.arp_cache.configure(sysctls.ipv4_neighbors.own[name])
        self.nd_cache.configure(sysctls.ipv6_neighbors.own[name])
        if self.addrconf is not None and self.conf6 is not before:
            self.addrconf.settings_changed(before)

    # -- frames

    def handle(self, frame: Frame) -> None:
        """A frame came in by the device."""
        if self.tap is not None and self.tap(frame):
            return None
        data = frame.data
        device = self.device
        if len(data) < vlan.LEAST_TAGGED_BYTES and not vlan.is_whole(data):
            return device.drop(frame, TOO_SHORT if len(data) < HEADER_BYTES else TRUNCATED_TAG)
        if not data[0] & 1 and data[0:6] != device.mac and not device.is_for_host(data[0:6]):
            return device.drop(frame, drops.OTHER_HOST)
        kind = data[12:14]
        while kind in vlan.TPIDS:
            tag = vlan.parse(frame.data)
            if tag is None or tag.vid != 0:
                return self.device.drop(frame, drops.NO_VLAN_DEVICE)
            # A priority tag says nothing about VLANs: the frame counts as untagged, or as one
            # of the VLAN of the tag within.
            frame = Frame(vlan.pop(frame.data), frame.meta)
            if self.device.vlan_devices is not None and self.device.vlan_devices.take(frame):
                return None
            kind = frame.data[12:14]
        receive = self._by_type.get(kind)
        if receive is None:
            is_llc = kind < _LEAST_ETHER_TYPE
            unheard = drops.NO_LLC_LISTENER if is_llc else drops.UNKNOWN_ETHER_TYPE
            return self.device.drop(frame, unheard)
        if kind == _IPV6 and (reason := self._reason_against_ipv6(frame)) is not None:
            return self.device.drop(frame, reason)
        return receive(self, frame)

    def _reason_against_ipv6(self, frame: Frame) -> DropReason | None:
        if self.conf6.disable_ipv6:
            return drops.IPV6_DISABLED
        if self.addrconf is None and self is not self.namespace.loopback:
            # Nobody joined anything here, so a group's packets are the card's to turn away.
            return drops.NOT_A_MEMBER if frame.data[0] & 1 else drops.IPV6_DISABLED
        return None

    # -- addresses

    def find(self, ip: bytes) -> InterfaceAddress | None:
        """The entry for ``ip`` on this interface, or None."""
        return next((address for address in self.addresses if address.ip == ip), None)

    def is_broadcast(self, ip: bytes) -> bool:
        """Whether ``ip`` is everyone's address, or everyone's on a network of this interface."""
        if ip == IPV4_BROADCAST:
            return True
        # A plain loop, three times as fast: asked twice of every IPv4 packet that comes in.
        for address in self.addresses:  # noqa: SIM110
            if address.broadcast == ip:
                return True
        return False

    def shares_network(self, one: bytes, other: bytes) -> bool:
        """Whether two addresses are in one network of this interface (inet_addr_onlink())."""
        return any(
            network_of(one, address.prefix_length)
            == network_of(other, address.prefix_length)
            == address.network
            for address in self.addresses
            if len(address.ip) == len(one) and not address.is_secondary
        )

    def cache_of(self, ip: bytes) -> NeighborCache:
        """Where neighbours of the address family of ``ip`` are known."""
        return self.nd_cache if len(ip) == 16 else self.arp_cache

    @property
    def link_local(self) -> IpAddress | None:
        """The link-local address, once it has been checked."""
        found = (a.ip for a in self.addresses if is_link_local_ip6(a.ip) and a.usable)
        return next(found, None)

    def source_for(self, target: bytes) -> IpAddress | None:
        """The address to send from: for IPv4 one in the target's own subnet, else the first."""
        if len(target) == 16:
            return choose_source(self, target)
        usable = [a for a in self.addresses if len(a.ip) == 4]
        for address in usable:
            if network_of(target, address.prefix_length) == address.network:
                return address.ip
        return usable[0].ip if usable else None

    @property
    def interface_id(self) -> bytes:
        """The last eight bytes of addresses that are made here (RFC 4291, appendix A)."""
        return link_local_of(self.device.mac)[8:]

    def notify_peers(self) -> None:
        """Tell the network where our addresses are now (NETDEV_NOTIFY_PEERS)."""
        self.namespace.arp.announce(self)
        self.namespace.nd.announce_all(self)

    def __repr__(self) -> str:
        return f"Interface({self.device.label})"

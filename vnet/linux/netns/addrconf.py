"""IPv6 autoconfiguration of an interface (net/ipv6/addrconf.c; RFC 4862).

When the link comes up the interface takes a link-local address, joins the groups that go
with it, checks each address for duplicates, and then asks for a router.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import (
    IPV6_ANY,
    is_link_local_ip6,
    link_local_of,
    network_of,
    solicited_node_of,
)
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.dad import DuplicateDetection
from vnet.linux.netns.router_discovery import RouterDiscovery
from vnet.linux.netns.router_solicitation import RouterSolicitation
from vnet.wire import mld

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.sysctl.ipv6 import Ipv6Conf

"""ff02::6a, all snoopers: a bridge joins it to hear other multicast routers (RFC 4286)."""

_ROUTER_GROUPS = tuple(bytes((0xFF, scope)) + mld.ALL_ROUTERS[2:] for scope in (0x02, 0x01, 0x05))
"""Those of the link, of the interface and of the site, in the order of joining."""

_EUI64, _NO_LINK_LOCAL = 0, 1
"""Values of addr_gen_mode."""

_LONGEST_ANYCAST_PREFIX = 126
_LINK_LOCAL_DECIDES = 2
"""accept_dad: without its link-local address an interface speaks no IPv6."""


class Addrconf:
    """The IPv6 life of one interface.

    ``anycasts`` are the subnet-router addresses that a router answers to (RFC 4291 section
    2.6.1), with how many of its addresses are in each subnet.
    """

    __slots__ = ("_chance", "_solicitation", "anycasts", "dad", "interface", "routers")

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.anycasts: dict[bytes, int] = {}
        self.routers = RouterDiscovery(interface)
        self.dad = DuplicateDetection(interface, self.chance, self._won, self._lost)
        self._solicitation = RouterSolicitation(interface, self.chance)
        self._chance: Stream | None = None

    def chance(self) -> Stream:
        """Random delays and nonces; made when first needed."""
        if self._chance is None:
            namespace = self.interface.namespace
            name = f"{namespace.name}:{self.interface.device.name} addrconf"
            self._chance = namespace.chance.stream(name)
        return self._chance

    # -- the link

    def link_changed(self, ready: bool) -> None:
        """The interface got, or lost, a link.

        A lost carrier alone stops nothing: probes go unheard, and the addresses stay.
        """
        mld_host = self.interface.mld
        if not ready:
            if not self.interface.device.admin_up:
                self._stop()
                mld_host.forget_timers()
            return
        disabled = self.interface.conf6.disable_ipv6
        if disabled or not self.interface.multicast:
            # Without multicast there is no neighbour discovery, and no IPv6.
            return
        if self.interface.find(link_local_of(self.interface.device.mac)) is not None:
            # Only the carrier had gone: the addresses stayed, the switches may have forgotten.
            mld_host.report_all()
        else:
            self._begin()
        for address in self.interface.addresses:
            if address.tentative and not self.dad.runs_for(address):
                # It was added while there was no link to check it on.
                self._check(address)

    def _stop(self) -> None:
        self._solicitation.stop()
        self.dad.stop_all()
        self.routers.forget()

    def _begin(self) -> None:
        """The first link since the interface was set up: join what every node joins."""
        interface = self.interface
        bridge = interface.namespace.bridges.get(interface.device.name)
        snoops = bridge is not None and bridge.multicast.is_on
        if snoops and not interface.mld.is_member(mld.ALL_SNOOPERS):
            interface.mld.join(mld.ALL_SNOOPERS)
        if interface.conf6.forwarding and not interface.mld.is_member(mld.ALL_ROUTERS):
            interface.mld.join(mld.ALL_ROUTERS)
        if interface.conf6.addr_gen_mode == _EUI64:
            ip = link_local_of(interface.device.mac)
            interface.namespace.learn_address(interface, InterfaceAddress(ip, 64))

    # -- settings

    def settings_changed(self, before: Ipv6Conf) -> None:
        """The interface's settings are others than ``before``."""
        conf = self.interface.conf6
        if conf.disable_ipv6 != before.disable_ipv6:
            self._disabled(bool(conf.disable_ipv6))
        if conf.forwarding != before.forwarding:
            self._forwards(bool(conf.forwarding))

    def _disabled(self, disabled: bool) -> None:
        if disabled:
            self._stop()
            self.interface.namespace.forget_ipv6(self.interface)
            self.interface.mld.forget_timers()
        elif self.interface.ready:
            self.link_changed(ready=True)

    def _forwards(self, forwards: bool) -> None:
        """The interface became a router's, or ceased to be (RFC 4861 section 6.2)."""
        membership = self.interface.mld
        for group in _ROUTER_GROUPS:
            if forwards:
                membership.join(group)
            else:
                membership.leave(group)
        for address in self.interface.addresses:
            if len(address.ip) == 16 and address.usable:
                self._count_anycast(address, 1 if forwards else -1)
        if forwards and not self.routers.listens:
            self.routers.forget_default_routes()

    # -- addresses

    def address_added(self, address: InterfaceAddress) -> None:
        """A new address: join its solicited-node group and check it."""
        if not address.from_router:
            self.routers.keep_network(address)
        if self.interface.ready and not self.interface.conf6.disable_ipv6:
            self._check(address)
        else:
            address.tentative = True

    def address_removed(self, address: InterfaceAddress) -> None:
        """An address went: leave its groups, stop checking."""
        self.dad.stop(address)
        self.interface.mld.leave(solicited_node_of(address.ip))
        if self.interface.conf6.forwarding and address.usable:
            self._count_anycast(address, -1)

    def _check(self, address: InterfaceAddress) -> None:
        self.interface.mld.join(solicited_node_of(address.ip))
        self.dad.start(address)

    def _won(self, address: InterfaceAddress) -> None:
        interface = self.interface
        interface.namespace.address_changed(interface, address)
        if interface.conf6.forwarding:
            self._count_anycast(address, 1)
        if is_link_local_ip6(address.ip):
            interface.mld.link_local_won()
        if interface.conf6.ndisc_notify:
            interface.namespace.nd.announce(interface, address)
        if is_link_local_ip6(address.ip):
            self._solicitation.start(address.ip)

    def _lost(self, address: InterfaceAddress) -> None:
        """Somebody else has the address. One that came from a router is given up."""
        interface = self.interface
        if address.from_router:
            return interface.namespace.delete_address(interface.device.name, address.ip)
        interface.namespace.address_changed(interface, address)
        decides = interface.conf6.accept_dad >= _LINK_LOCAL_DECIDES
        if decides and address.ip == link_local_of(interface.device.mac):
            sysctls = interface.namespace.sysctls
            sysctls.ipv6_conf.set_own(interface.device.name, "disable_ipv6", 1)
            sysctls.changed()
        return None

    def _count_anycast(self, address: InterfaceAddress, number: int) -> None:
        """One address more, or less, in a subnet whose router this is."""
        subnet = network_of(address.ip, address.prefix_length)
        if address.prefix_length > _LONGEST_ANYCAST_PREFIX or subnet == IPV6_ANY:
            return
        count = _counted(self.anycasts, subnet, number)
        _counted(self.interface.namespace.ipv6.anycasts, subnet, number)
        group = solicited_node_of(subnet)
        if number > 0 and count == 1:
            self.interface.mld.join(group)
        elif number < 0 and count == 0:
            self.interface.mld.leave(group)

    def router_heard(self) -> None:
        """A router advertised itself: no more asking."""
        self._solicitation.stop()


def _counted(subnets: dict[bytes, int], subnet: bytes, number: int) -> int:
    """Count a subnet up or down; one that is left with nothing goes."""
    count = subnets[subnet] = subnets.get(subnet, 0) + number
    if count <= 0:
        del subnets[subnet]
    return count

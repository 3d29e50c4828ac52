"""IPv6 autoconfiguration of an interface (net/ipv6/addrconf.c; RFC 4862).

When the link comes up the interface takes a link-local address, joins the groups that go
with it, checks each address for duplicates, and then asks for a router, again and again at
growing intervals, for as long as none answers (RFC 7559).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import (
    IPV6_ANY,
    IpAddress,
    is_link_local_ip6,
    link_local_of,
    multicast_mac_of,
    solicited_node_of,
)
from vnet.linux.netns.router_discovery import RouterDiscovery
from vnet.linux.timer_wheel import KernelTimer
from vnet.sim.frame import Frame
from vnet.wire import icmpv6, ipv6, mld, nd, ra
from vnet.wire.ether import TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface

_NS_PER_S = 1_000_000_000
_RETRANS_NS = 1_000_000_000
_BRIDGE_SNOOPERS = b"\xff\x02" + bytes(13) + b"\x6a"
"""ff02::6a, all snoopers: a bridge joins it to hear other multicast routers (RFC 4286)."""


class DadProbe:
    """Duplicate detection of one address: probes left, the nonce of the last, its alarm."""

    __slots__ = ("nonce", "probes_left", "timer")

    def __init__(self, probes_left: int, timer: KernelTimer) -> None:
        self.probes_left = probes_left
        self.nonce = b""
        self.timer = timer


class Addrconf:
    """The IPv6 life of one interface."""

    __slots__ = (
        "_chance",
        "_probes",
        "_solicit_interval_ns",
        "_solicit_timer",
        "_solicited",
        "interface",
        "routers",
    )

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.routers = RouterDiscovery(interface)
        self._probes: dict[bytes, DadProbe] = {}
        self._solicit_timer = KernelTimer(interface.device.scheduler, self._solicit_again)
        self._solicit_interval_ns = 0
        self._solicited = 0
        self._chance: Stream | None = None

    @property
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
                self._solicit_timer.cancel()
                for probe in self._probes.values():
                    probe.timer.cancel()
                self._probes.clear()
                self.routers.forget()
                mld_host.forget_timers()
            return
        disabled = self.interface.conf6.disable_ipv6
        if disabled or not self.interface.multicast:
            # Without multicast there is no neighbour discovery, and no IPv6.
            return
        if self.interface.find(self._link_local()) is not None:
            # Only the carrier had gone: the addresses stayed, the switches may have forgotten.
            mld_host.report_all()
        else:
            self._begin()
        for address in self.interface.addresses:
            if address.tentative and address.ip not in self._probes:
                # It was added while there was no link to check it on.
                self._start_dad(address)

    def _begin(self) -> None:
        """The first link since the interface was set up: join what every node joins."""
        interface, namespace = self.interface, self.interface.namespace
        if interface.device.kind == "bridge" and not interface.mld.is_member(_BRIDGE_SNOOPERS):
            interface.mld.join(_BRIDGE_SNOOPERS)
        if interface.conf6.forwarding:
            interface.mld.join(mld.ALL_ROUTERS)
        namespace.add_address(interface.device.name, self._link_local(), 64)

    def _link_local(self) -> IpAddress:
        return link_local_of(self.interface.device.mac)

    # -- addresses

    def address_added(self, address: InterfaceAddress) -> None:
        """A new address: join its solicited-node group and check it."""
        if not address.from_router:
            self.routers.keep_network(address)
        disabled = self.interface.conf6.disable_ipv6
        if self.interface.ready and not disabled:
            self._start_dad(address)
        else:
            address.tentative = True

    def address_removed(self, address: InterfaceAddress) -> None:
        """An address went: leave its group, stop checking."""
        probe = self._probes.pop(address.ip, None)
        if probe is not None:
            probe.timer.cancel()
        self.interface.mld.leave(solicited_node_of(address.ip))

    def _start_dad(self, address: InterfaceAddress) -> None:
        self.interface.mld.join(solicited_node_of(address.ip))
        conf = self.interface.conf6
        probes = conf.dad_transmits
        if probes == 0:
            self._won(address)
            return
        address.tentative, address.duplicate = True, False
        timer = KernelTimer(self.interface.device.scheduler, self._probe, address)
        self._probes[address.ip] = DadProbe(probes, timer)
        most_s = max(conf.router_solicitation_delay, 1)
        timer.arm(self.chance.randrange(most_s * _NS_PER_S))

    def _probe(self, address: InterfaceAddress) -> None:
        probe = self._probes[address.ip]
        if probe.probes_left == 0:
            del self._probes[address.ip]
            self._won(address)
            return
        probe.probes_left -= 1
        # The nonce tells our own probe, looped back by the network, from a rival's (RFC 7527).
        probe.nonce = self.chance.randbytes(6)
        group = solicited_node_of(address.ip)
        body = nd.solicitation(address.ip, None, probe.nonce)
        self._send(IPV6_ANY, group, icmpv6.NEIGHBOR_SOLICITATION, body)
        probe.timer.arm(_RETRANS_NS)

    def _won(self, address: InterfaceAddress) -> None:
        address.tentative = False
        self.interface.namespace.address_changed(self.interface, address)
        if is_link_local_ip6(address.ip):
            self.interface.mld.link_local_won()
            self._start_soliciting(address.ip)

    def rival_heard(self, address: InterfaceAddress, nonce: bytes | None = None) -> bool:
        """Somebody else uses, or also checks, a tentative address; False if it was us."""
        probe = self._probes.get(address.ip)
        if probe is not None and nonce is not None and nonce == probe.nonce:
            return False
        if probe is not None:
            probe.timer.cancel()
            del self._probes[address.ip]
        address.tentative, address.duplicate = False, True
        self.interface.namespace.address_changed(self.interface, address)
        return True

    # -- router solicitation

    def _start_soliciting(self, source: bytes) -> None:
        conf = self.interface.conf6
        if conf.forwarding:
            return
        if conf.router_solicitations == 0:
            return
        first_ns = conf.router_solicitation_interval * _NS_PER_S
        self._solicit_interval_ns = self._spread(first_ns, 900_000)
        self._solicited = 1
        self._solicit_router(source)
        self._solicit_timer.arm(self._solicit_interval_ns)

    def _solicit_again(self) -> None:
        source = self.interface.find(self._link_local())
        if source is None or not source.usable:
            return
        conf = self.interface.conf6
        most = conf.router_solicitations
        if 0 <= most <= self._solicited:
            return
        self._solicit_router(source.ip)
        self._solicited += 1
        limit_ns = conf.router_solicitation_max_interval * _NS_PER_S
        self._solicit_interval_ns = self._spread(self._solicit_interval_ns, 1_900_000)
        if self._solicit_interval_ns > limit_ns:
            self._solicit_interval_ns = self._spread(limit_ns, 900_000)
        self._solicit_timer.arm(self._solicit_interval_ns)

    def router_heard(self) -> None:
        """A router advertised itself: no more asking."""
        self._solicit_timer.cancel()

    def _spread(self, interval_ns: int, least_ppm: int) -> int:
        """``interval_ns`` times a random factor of 0.2 width (RFC 3315 section 14)."""
        return interval_ns * (least_ppm + self.chance.randrange(200_001)) // 1_000_000

    def _solicit_router(self, source: bytes) -> None:
        body = ra.solicitation(self.interface.device.mac)
        self._send(source, mld.ALL_ROUTERS, icmpv6.ROUTER_SOLICITATION, body)

    def _send(self, source: bytes, target: bytes, kind: int, body: bytes) -> None:
        message = icmpv6.emit(source, target, icmpv6.Icmpv6(kind, 0, body))
        packet = ipv6.emit(source, target, icmpv6.PROTOCOL, message, hop_limit=nd.HOP_LIMIT)
        device = self.interface.device
        data = ether_frame(multicast_mac_of(target), device.mac, TYPE_IPV6, packet)
        device.transmit(Frame(data))

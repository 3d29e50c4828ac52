"""A namespace's routing decisions for one address family, and the caches before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netns.routing.destination import Destination
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Fib, Nexthop, Route, RouteType
from vnet.tables.multipath import choose, flow_hash
from vnet.tables.policy import TABLE_MAIN, Flow, Policy

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

_MOST_CACHED = 4096
"""A cache that has grown so large is emptied: it was a scan, or much has passed."""


class Routing:
    """Which way packets go. What changes a decision calls :meth:`forget`."""

    __slots__ = (
        "_by_flow",
        "_by_hand",
        "_by_target",
        "_demanding",
        "_is_settled",
        "_namespace",
        "_secret",
        "has_decided",
        "policy",
        "targets_decide",
    )

    def __init__(self, namespace: Namespace, ip_bytes: int) -> None:
        self._namespace = namespace
        self._secret = f"{namespace.chance.seed}/{namespace.name}".encode()[:32]
        self.policy: Policy[NetDevice] = Policy(ip_bytes)
        self._by_target: dict[bytes, Destination | None] = {}
        self._by_flow: dict[Flow, Destination | None] = {}
        self._is_settled = True
        """Whether the last decision holds until something is said to have changed."""
        self._by_hand = 0
        self._demanding = 0
        """How many routes ask for more than a packet's target."""
        self.has_decided = False
        """Whether anything is in the caches."""
        self.targets_decide = True
        """Whether nothing but a packet's target matters: no rules, TOS or equal-cost paths."""

    @property
    def main(self) -> Fib[NetDevice]:
        """The table that ``ip route`` shows."""
        return self.policy.table(TABLE_MAIN)

    # -- asking

    def to(self, target: bytes) -> Destination | None:
        """Where a packet of our own to ``target`` goes, before it has a source; None: nowhere."""
        try:
            return self._by_target[target]
        except KeyError:
            found = self._decide(Flow(target))
            if self._is_settled:
                _make_room(self._by_target)
                self._by_target[target] = found
            return found

    def lookup(self, flow: Flow) -> Destination | None:
        """Where a packet goes; None if no route is known at all."""
        if self.targets_decide and flow.oif is None:
            return self.to(flow.target)
        try:
            return self._by_flow[flow]
        except KeyError:
            found = self._decide(flow)
            if self._is_settled:
                _make_room(self._by_flow)
                self._by_flow[flow] = found
            return found

    def link_of(self, gateway: bytes, device: NetDevice | None = None) -> NetDevice | None:
        """The device, or whether it is ``device``, that a next hop is on the link of.

        It need have no carrier, whatever ignore_routes_with_linkdown says of packets.
        """

        def leads_there(route: Route[NetDevice], _flow: Flow) -> bool:
            return any(
                hop.device.admin_up and device in (None, hop.device) for hop in route.nexthops
            )

        oif = None if device is None else device.name
        route = self.policy.lookup(Flow(gateway, oif=oif), leads_there)
        if route is None or route.gateway is not None:
            return None
        return route.device if device is None else device

    # -- changing

    def add(self, route: Route[NetDevice], *, first: bool = False) -> None:
        """Put a route into its table."""
        self.policy.table(route.table).add(route, first=first)
        self._count(route, 1)

    def remove(self, route: Route[NetDevice]) -> bool:
        """Take an equal route out of its table; False if there was none."""
        if not self.policy.table(route.table).remove(route):
            return False
        self._count(route, -1)
        return True

    def replace(self, old: Route[NetDevice], new: Route[NetDevice]) -> None:
        """Put one route in another's place."""
        self.policy.table(old.table).replace(old, new)
        self._count(old, -1)
        self._count(new, 1)

    @property
    def has_local_routes_by_hand(self) -> bool:
        """Whether more is ours than our addresses say."""
        return self._by_hand > 0

    def is_local(self, ip: bytes) -> bool:
        """Whether a route says that packets to ``ip`` are ours."""
        found = self.to(ip)
        return found is not None and found.type is RouteType.LOCAL

    def _count(self, route: Route[NetDevice], number: int) -> None:
        if route.type is RouteType.LOCAL and route.protocol != "kernel":
            self._by_hand += number
        if route.tos or len(route.nexthops) > 1:
            self._demanding += number
        self.forget()

    def forget(self) -> None:
        """Routes, rules, links or settings changed: nothing decided so far need hold."""
        self.targets_decide = not self._demanding and not self.policy.has_own_rules
        if not self.has_decided:
            return
        self.has_decided = False
        self._by_target.clear()
        self._by_flow.clear()
        for interface in self._namespace.interfaces.values():
            interface.arrivals.clear()
            interface.roads.clear()

    # -- deciding

    def _decide(self, flow: Flow) -> Destination | None:
        self.has_decided = True
        route = self._best(flow)
        if route is None:
            return None
        hops = self._usable_hops(route, flow)
        if not hops:
            return Destination(route, None, None)
        hop = hops[0]
        if len(hops) > 1 and flow.oif is None:
            hop = choose(hops, flow_hash(flow, by_ports=self._hashes_ports, secret=self._secret))
        return Destination(route, self._namespace.interfaces[hop.device.name], hop.gateway)

    def _best(self, flow: Flow) -> Route[NetDevice] | None:
        """The route for a flow. Hosts of IPv6 pass over routers that do not answer, if they can."""
        self._is_settled = True
        everywhere = self._namespace.sysctls.ipv6_conf.everywhere
        if self._is_ipv6 and not everywhere.forwarding:
            route = self.policy.lookup(flow, self._is_reachable)
            if route is not None:
                return route
        return self.policy.lookup(flow, self._is_usable)

    def _is_reachable(self, route: Route[NetDevice], flow: Flow) -> bool:
        if not self._is_usable(route, flow):
            return False
        for hop in self._usable_hops(route, flow):
            interface = self._namespace.interfaces[hop.device.name]
            if hop.gateway is None or interface.nd_cache.is_reachable(hop.gateway):
                return True
            # It may answer again at any time, so this is asked anew for each packet.
            self._is_settled = False
        return not route.nexthops

    def _is_usable(self, route: Route[NetDevice], flow: Flow) -> bool:
        if route.tos and route.tos != flow.tos:
            return False
        return not route.nexthops or bool(self._usable_hops(route, flow))

    def _usable_hops(self, route: Route[NetDevice], flow: Flow) -> list[Nexthop[NetDevice]]:
        return [
            hop
            for hop in route.nexthops
            if (flow.oif is None or flow.oif == hop.device.name)
            and (route.type is RouteType.LOCAL or self.is_alive(hop.device))
        ]

    def is_alive(self, device: NetDevice) -> bool:
        """A device that is down leads nowhere; one without a carrier does, unless told not to."""
        if device.carrier or not device.admin_up:
            return device.admin_up
        interface = self._namespace.interfaces[device.name]
        conf = interface.conf6 if self._is_ipv6 else interface.conf4
        return not conf.ignore_routes_with_linkdown

    @property
    def _is_ipv6(self) -> bool:
        return self is self._namespace.routing6

    @property
    def _hashes_ports(self) -> bool:
        sysctls = self._namespace.sysctls
        knobs = sysctls.ipv6 if self._is_ipv6 else sysctls.ipv4
        return knobs.fib_multipath_hash_policy == 1


def _make_room(cache: dict[bytes, Destination | None] | dict[Flow, Destination | None]) -> None:
    if len(cache) >= _MOST_CACHED:
        cache.clear()

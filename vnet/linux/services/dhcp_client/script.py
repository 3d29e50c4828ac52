"""What a lease does to a machine: the part of dhclient-script(8), as Debian has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_ANY, IpAddress
from vnet.linux.netns.errors import RtnetlinkError
from vnet.linux.services.dhcp_client.client import Reason
from vnet.linux.services.dhcp_client.lease import ClientLease
from vnet.tables.fib import Route
from vnet.wire import dhcp_options
from vnet.wire.ra import FOREVER_S

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

_LEAST_MTU = 577
"""Smaller ones are not believed."""
_SHORT_OF_EVER_S = 0x7FFF_FFFF


class LeaseScript:
    """Puts the leases of one interface into effect, and takes them back."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self._namespace = interface.namespace

    def run(self, reason: Reason, old: ClientLease | None, new: ClientLease | None) -> None:
        """One call of the script."""
        if reason is Reason.PREINIT:
            self._namespace.set_up(self._name)
        elif new is not None:
            if old is not None and old.ip != new.ip:
                self._flush()
            self._lend(new)
            is_fresh = old is None or old.ip != new.ip
            if is_fresh or reason in (Reason.BOUND, Reason.REBOOT, Reason.TIMEOUT):
                self._set_up(new)
            self._write_resolv_conf(new)
        elif old is not None:
            self._flush()

    @property
    def _name(self) -> str:
        return self._interface.device.name

    def _lend(self, lease: ClientLease) -> None:
        lifetime_s = lease.length_s if lease.length_s < _SHORT_OF_EVER_S else FOREVER_S
        broadcast = next(iter(lease.addresses(dhcp_options.BROADCAST)), None)
        self._namespace.addresses.lend(
            self._name, lease.ip, lease.prefix_length, lifetime_s, broadcast
        )

    def _flush(self) -> None:
        """``ip -4 addr flush``: all of them, whoever added them."""
        addresses = self._namespace.addresses
        while any(len(a.ip) == 4 for a in self._interface.addresses):
            first = next(a for a in self._interface.addresses if len(a.ip) == 4)
            addresses.delete(self._name, first.ip)

    def _set_up(self, lease: ClientLease) -> None:
        """The device's MTU, and the ways out."""
        mtu = lease.number(dhcp_options.MTU)
        if mtu is not None and mtu >= _LEAST_MTU:
            self._namespace.set_mtu(self._name, mtu)
        if lease.routes:
            for route in lease.routes:
                gateway = None if route.gateway == IPV4_ANY else IpAddress(route.gateway)
                self._add_route(IpAddress(route.network), route.prefix_length, gateway)
            return
        has_many = len(lease.routers) > 1
        for number, router in enumerate(lease.routers, 1):
            if lease.prefix_length == 32:
                self._add_route(router, 32, None)
            self._add_route(IPV4_ANY, 0, router, metric=number if has_many else None)

    def _add_route(
        self, network: IpAddress, length: int, gateway: IpAddress | None, metric: int | None = None
    ) -> None:
        """``ip -4 route add``; a route that is there already, or cannot be, is passed over."""
        routes = self._namespace.routes
        try:
            hop = routes.nexthop(self._name, gateway)
            route = Route(network, length, (hop,), protocol="boot")
            routes.add(routes.complete(route, metric))
        except RtnetlinkError:
            return

    def _write_resolv_conf(self, lease: ClientLease) -> None:
        """``/etc/resolv.conf``, if the server says anything of names."""
        if not (lease.name_servers or lease.domain or lease.search):
            return
        domains: Iterable[str] = lease.search
        if lease.domain and lease.domain not in lease.search:
            domains = (lease.domain, *lease.search)
        conf = self._namespace.resolv_conf
        servers = lease.name_servers or conf.servers
        self._namespace.resolv_conf = replace(conf, servers=servers, search=tuple(domains))

"""Which address a client is offered."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeAlias

from vnet.base.ids import IpAddress, ip_text
from vnet.linux.services.dhcp_server.checks import AddressChecks
from vnet.linux.services.dhcp_server.choice import first_place, hash_of, places_from
from vnet.linux.services.dhcp_server.known import reservation_at
from vnet.linux.services.dhcp_server.leases import LeaseTable
from vnet.linux.services.dhcp_server.pools import Pool, is_taken_by_server, pool_of
from vnet.linux.services.dhcp_server.request import Request
from vnet.linux.services.dhcp_server.settings import DhcpServing, Reservation

_DECLINED_FOR_S = 600

Choice: TypeAlias = Generator[IpAddress, bool, IpAddress | None]
"""Yields addresses to be asked for, is sent whether they answer, and returns the one to offer;
None if there is none."""


class Offers:
    """Chooses addresses; remembers what clients have said of them."""

    def __init__(
        self,
        serving: DhcpServing,
        leases: LeaseTable,
        now_s: Callable[[], int],
        log: Callable[[str], None],
    ) -> None:
        self._serving = serving
        self._leases = leases
        self._now_s = now_s
        self._log = log
        self._checks = AddressChecks(enabled=serving.checks)
        self._declined: dict[Reservation, int] = {}

    def address_for(self, request: Request, wish: bytes | None) -> Choice:
        """The reserved address, or the client's last one, the wanted one, or any."""
        reserved = self._usable_reservation(request)
        if reserved is not None:
            return reserved
        lease, pools = request.lease, request.pools
        if lease is not None and pool_of(pools, lease.ip) and not self.is_reserved(lease.ip):
            return lease.ip
        if wish is not None:
            ip = IpAddress(wish[:4])
            is_ours = pool_of(pools, ip) and not self._leases.at(ip) and not self.is_reserved(ip)
            if is_ours and (yield from self._checks.is_free(ip, 0, self._now_s())) is not None:
                return ip
        if not request.hardware:
            return None
        return (yield from self.any_address(pools, request.hardware))

    def declined(self, request: Request, ip: bytes) -> None:
        """A client found that somebody has ``ip``."""
        if request.reservation is not None and request.reserved_ip == ip:
            self._log(f"disabling DHCP static address {ip_text(ip)} for 10m")
            self._declined[request.reservation] = self._now_s()
            return
        for pool in request.pools:
            pool.epoch += 1

    def was_declined(self, reservation: Reservation) -> bool:
        """Whether its client did not want the address, a short time ago."""
        when_s = self._declined.get(reservation)
        return when_s is not None and self._now_s() - when_s < _DECLINED_FOR_S

    def is_reserved(self, ip: bytes) -> bool:
        return reservation_at(self._serving.reservations, ip) is not None

    def _usable_reservation(self, request: Request) -> IpAddress | None:
        reservation, ip = request.reservation, request.reserved_ip
        if reservation is None or ip is None:
            return None
        holder = self._leases.at(ip)
        why = ""
        if holder is not None and holder is not request.lease and holder.hwaddr != reservation.mac:
            why = f"it is leased to {holder.hwaddr.hex(':')}"
        elif is_taken_by_server(request.pools, ip):
            why = "it is in use by the server or relay"
        elif self.was_declined(reservation):
            why = "it was previously declined"
        if why:
            self._log(f"not using configured address {ip_text(ip)} because {why}")
            return None
        return ip

    def any_address(self, pools: Sequence[Pool], hardware: bytes) -> Choice:
        """The first free address from where the client's hash points to."""
        hashed, in_a_row = hash_of(hardware), self._serving.sequential
        for pool in pools:
            first = first_place(pool, hashed)
            if in_a_row:
                first = IpAddress(self._leases.last_in(pool.span.start, pool.span.end))
            for ip in places_from(pool, first):
                if is_taken_by_server(pools, ip) or self._leases.at(ip) or self.is_reserved(ip):
                    continue
                if in_a_row and pool.epoch:
                    pool.epoch -= 1
                    continue
                found_for = yield from self._checks.is_free(ip, hashed, self._now_s())
                if found_for is None:
                    pool.epoch += not in_a_row
                elif not in_a_row or found_for == hashed:
                    return ip
        return None

"""Which reservation is a client's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vnet.linux.services.dhcp_server.pools import Pool
from vnet.linux.services.dhcp_server.settings import Reservation


def reservation_at(reservations: Iterable[Reservation], ip: bytes) -> Reservation | None:
    """The reservation of an address."""
    return next((each for each in reservations if each.ip == ip), None)


def reservation_of(
    reservations: Sequence[Reservation],
    pools: Sequence[Pool],
    hwaddr: bytes,
    client_id: bytes | None,
) -> Reservation | None:
    """What is known of a client: by its identifier, or else by its MAC.

    An identifier in text may come with a byte of zero before it, as dhcpcd sends it. A reservation
    with an address is good in the network of that address only.
    """
    here = [each for each in reservations if _fits(each, pools)]
    if client_id is not None:
        spelt = (client_id, client_id[1:]) if client_id[:1] == b"\0" else (client_id,)
        for each in here:
            if each.client_id is not None and each.client_id in spelt:
                return each
    return next((each for each in here if each.mac is not None and each.mac == hwaddr), None)


def reservation_named(
    reservations: Sequence[Reservation], pools: Sequence[Pool], name: str
) -> Reservation | None:
    """That of whoever has this name; those who have more to show do not get it by name alone."""
    named = (each for each in reservations if each.name.lower() == name.lower())
    found = next((each for each in named if _fits(each, pools)), None)
    if found is None or found.mac is not None or found.client_id is not None:
        return None
    return found


def _fits(reservation: Reservation, pools: Sequence[Pool]) -> bool:
    ip = reservation.ip
    return ip is None or any(pool.shares_network(ip) for pool in pools)

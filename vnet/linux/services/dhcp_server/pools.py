"""The ranges that a request may be served from, completed by what the interface knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vnet.base.ids import IpAddress, network_of
from vnet.linux.services.dhcp_server.settings import DhcpRange


@dataclass(slots=True)
class Pool:
    """A range in its network: ``local`` is the server there, ``router`` the way out, empty if
    nobody knows one.

    ``epoch`` grows with every address that turns out to be in use: the choice moves on.
    """

    span: DhcpRange
    prefix_length: int
    lease_s: int
    local: bytes
    router: bytes
    broadcast: bytes
    epoch: int = 0

    @property
    def netmask(self) -> bytes:
        return network_of(b"\xff\xff\xff\xff", self.prefix_length)

    def shares_network(self, ip: bytes) -> bool:
        """Whether ``ip`` is in the network of the range."""
        return network_of(ip, self.prefix_length) == network_of(self.span.start, self.prefix_length)


def pool_of(pools: Sequence[Pool], ip: bytes) -> Pool | None:
    """The pool that may lease ``ip``: it is in the range, and not the server's own."""
    if pools and ip == pools[0].router:
        return None
    return next((pool for pool in pools if ip in pool.span), None)


def home_of(pools: Sequence[Pool], ip: bytes) -> Pool | None:
    """The pool that ``ip`` belongs to, be it only by its network, as that of a reservation."""
    pool = pool_of(pools, ip)
    return pool or next((each for each in pools if each.shares_network(ip)), None)


def broadcast_of(ip: bytes, prefix_length: int) -> IpAddress:
    """The address of everybody in the network of ``ip``."""
    number = int.from_bytes(ip, "big") | (1 << (32 - prefix_length)) - 1
    return IpAddress(number.to_bytes(4, "big"))


def is_taken_by_server(pools: Iterable[Pool], ip: bytes) -> bool:
    """Whether the server, or the relay, has ``ip``."""
    return any(ip == pool.router for pool in pools)

"""What a DHCP server is told about the network that it serves (dnsmasq's dhcp-... settings)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vnet.base.ids import IpAddress, Mac

FOREVER_S = 0xFFFF_FFFF
"""A lease time without end."""
DEFAULT_LEASE_S = 3_600
LEAST_LEASE_S = 120
DEFAULT_MOST_LEASES = 1_000


@dataclass(frozen=True, slots=True)
class DhcpRange:
    """Addresses from ``start`` to ``end``, both included, to be leased to anybody.

    ``prefix_length`` is that of their network where it is none of the server's own: a relay's.
    ``lease_s`` None is the server's.
    """

    start: IpAddress
    end: IpAddress
    prefix_length: int | None = None
    lease_s: int | None = None

    def __contains__(self, ip: bytes) -> bool:
        return self.start <= ip <= self.end

    def __len__(self) -> int:
        return int.from_bytes(self.end, "big") - int.from_bytes(self.start, "big") + 1


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a client is given that is known by its MAC, its identifier, or only its name.

    Without an ``ip`` it takes one of the range, with the rest of what is said here.
    """

    mac: Mac | None = None
    client_id: bytes | None = None
    ip: IpAddress | None = None
    name: str = ""
    lease_s: int | None = None
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class DhcpOption:
    """An option for the clients that ask for it, or, ``forced``, for all.

    Without a value it stands for an option that is not to be sent. In a list of addresses
    0.0.0.0 is the server's own.
    """

    code: int
    value: bytes
    is_addresses: bool = False
    is_text: bool = False
    forced: bool = False


@dataclass(frozen=True, slots=True)
class DhcpServing:
    """How one network is served.

    ``authoritative``: no other server is here, so clients with leases that are not known are told
    so at once. ``overload``: options that find no room may go where file and server name would
    stand. ``checks``: an address is pinged before it is offered. ``serves_names``: the same daemon
    answers DNS, and clients are sent to it.
    """

    ranges: tuple[DhcpRange, ...]
    lease_s: int = DEFAULT_LEASE_S
    reservations: tuple[Reservation, ...] = ()
    options: tuple[DhcpOption, ...] = ()
    domain: str = ""
    authoritative: bool = False
    most_leases: int = DEFAULT_MOST_LEASES
    overload: bool = True
    checks: bool = True
    sequential: bool = False
    rapid_commit: bool = False
    serves_names: bool = True


def default_ranges(address: bytes, prefix_length: int) -> tuple[DhcpRange, ...]:
    """All hosts of a network but ``address`` itself, as ranges around it.

    192.168.122.1/24 gives 192.168.122.2 to .254. In a network of one or two addresses there
    is nobody to serve, or only those who are there.
    """
    host_bits = 32 - prefix_length
    if host_bits < 2:
        return ()
    own = int.from_bytes(address, "big")
    first = (own >> host_bits << host_bits) + 1
    last = first + (1 << host_bits) - 3
    return tuple(_spans(first, own, last))


def _spans(first: int, own: int, last: int) -> Iterator[DhcpRange]:
    for low, high in ((first, own - 1), (own + 1, last)):
        if low <= high:
            yield DhcpRange(IpAddress(low.to_bytes(4, "big")), IpAddress(high.to_bytes(4, "big")))

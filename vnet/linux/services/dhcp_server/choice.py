"""Which free address a stranger is given (dnsmasq's way).

A hash of the client's MAC says where in the range to look first, so that a client that comes back
is likely to find its old address; from there the next free one is taken. Or, ``sequential``, the
one behind the largest that is leased.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import IpAddress
from vnet.linux.services.dhcp_server.pools import Pool

_MASK = 0xFFFF_FFFF
_CLASS_C = 0xC0


def hash_of(hwaddr: bytes) -> int:
    """The hash of SDBM, in 32 bits; never 0."""
    value = 0
    for byte in hwaddr:
        value = byte + (value << 6) + (value << 16) - value & _MASK
    return value or 1


def first_place(pool: Pool, hashed: int) -> IpAddress:
    """Where in the pool a client with this hash is looked after first."""
    start = int.from_bytes(pool.span.start, "big")
    offset = (hashed + pool.epoch & _MASK) % len(pool.span)
    return IpAddress((start + offset).to_bytes(4, "big"))


def places_from(pool: Pool, first: bytes) -> Iterator[IpAddress]:
    """Every address of the pool, once round from ``first``."""
    start, end = int.from_bytes(pool.span.start, "big"), int.from_bytes(pool.span.end, "big")
    begin = number = int.from_bytes(first, "big")
    while True:
        ip = IpAddress(number.to_bytes(4, "big"))
        if not is_odd(ip):
            yield ip
        number = start if number == end else number + 1
        if number == begin:
            return


def is_odd(ip: bytes) -> bool:
    """Whether some clients would not take it: .0 and .255 of what once was class C."""
    return ip[0] >> 5 == _CLASS_C >> 5 and ip[3] in (0, 0xFF)

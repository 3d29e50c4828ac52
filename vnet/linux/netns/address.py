"""An address on an interface, with its lifetimes and what is known of it."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.base.ids import IpAddress, network_of
from vnet.wire.ra import FOREVER_S

_NS_PER_S = 1_000_000_000


def _until_ns(lifetime_s: int, now_ns: int) -> int | None:
    return None if lifetime_s == FOREVER_S else now_ns + lifetime_s * _NS_PER_S


def _left_s(until_ns: int | None, now_ns: int) -> int:
    return FOREVER_S if until_ns is None else max(0, -((now_ns - until_ns) // _NS_PER_S))


class InterfaceAddress:
    """An address on an interface.

    ``broadcast`` is the directed broadcast address; there is none for IPv6, nor for /31 and /32
    (RFC 3021). ``tentative`` while duplicate address detection runs, ``duplicate`` once it
    failed; both stay False for IPv4, which Linux does not check. ``primary_ip`` is the address
    that came first in an IPv4 network on the interface: the others are secondary.

    With ``has_said_broadcast`` the broadcast address was given, and is shown.

    ``valid_until_ns`` and ``preferred_until_ns`` None stand for ever. When it is no longer
    preferred an address is ``deprecated``: used, but not for what is new. ``from_router`` is one
    that was made of a prefix which a router advertised (RFC 4862 section 5.5.3).
    """

    __slots__ = (
        "broadcast",
        "deprecated",
        "duplicate",
        "from_router",
        "has_said_broadcast",
        "ip",
        "network",
        "preferred_until_ns",
        "prefix_length",
        "primary_ip",
        "tentative",
        "valid_until_ns",
    )

    def __init__(self, ip: IpAddress, prefix_length: int) -> None:
        self.ip = ip
        self.prefix_length = prefix_length
        self.network = network_of(ip, prefix_length)
        self.primary_ip = ip
        # Every packet that comes in is held against it, so it is worked out once.
        self.broadcast: IpAddress | None = None
        if len(ip) == 4 and prefix_length < 31:
            host_bits = (1 << (32 - prefix_length)) - 1
            number = int.from_bytes(ip, "big") | host_bits
            self.broadcast = IpAddress(number.to_bytes(4, "big"))
        self.has_said_broadcast = False
        self.tentative = False
        self.duplicate = False
        self.deprecated = False
        self.from_router = False
        self.valid_until_ns: int | None = None
        self.preferred_until_ns: int | None = None

    @property
    def usable(self) -> bool:
        return not self.tentative and not self.duplicate

    @property
    def is_secondary(self) -> bool:
        return self.primary_ip != self.ip

    def join(self, others: Iterable[InterfaceAddress]) -> None:
        """Become a secondary address, if another of the interface's came first."""
        for other in others:
            if self._shares_network(other) and not other.is_secondary:
                self.primary_ip = other.ip

    def seconds_in(self, addresses: Iterable[InterfaceAddress]) -> list[InterfaceAddress]:
        """Those that are secondary to this one."""
        return [a for a in addresses if a is not self and a.primary_ip == self.ip]

    def _shares_network(self, other: InterfaceAddress) -> bool:
        return (self.network, self.prefix_length) == (other.network, other.prefix_length)

    def set_lifetimes(self, valid_s: int, preferred_s: int, now_ns: int) -> None:
        """Count both lifetimes from now on; :data:`~vnet.wire.ra.FOREVER_S` has no end."""
        self.valid_until_ns = _until_ns(valid_s, now_ns)
        self.preferred_until_ns = _until_ns(preferred_s, now_ns)
        self.deprecated = preferred_s == 0

    def lifetimes_s(self, now_ns: int) -> tuple[int, int]:
        """How long the address is still valid and preferred, in whole seconds begun."""
        return _left_s(self.valid_until_ns, now_ns), _left_s(self.preferred_until_ns, now_ns)

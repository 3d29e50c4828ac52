"""What a router's daemon advertises on an interface (RFC 4861 section 6.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.ids import IpAddress
from vnet.wire import ra

LEAST_INTERVAL_S, MOST_INTERVAL_S = 4, 1_800
MOST_LIFETIME_S = 9_000


@dataclass(frozen=True, slots=True)
class RouterAdvertising:
    """What is said on one interface, and how often.

    ``lifetime_s`` None is three intervals, and 0 says that this is no default router. A prefix's
    lifetimes are bounded by those of the address that it comes from. ``mtu_bytes`` None is that
    of the device. ``name_servers`` None is the router itself, where it serves names here.
    """

    interval_s: int = 600
    lifetime_s: int | None = None
    preference: int = ra.MEDIUM
    managed: bool = False
    other_configuration: bool = False
    autonomous: bool = True
    valid_s: int = 86_400
    preferred_s: int = 86_400
    mtu_bytes: int | None = None
    name_servers: tuple[IpAddress, ...] | None = None
    search: tuple[str, ...] = ()

    @property
    def router_lifetime_s(self) -> int:
        """The lifetime that is advertised: never below the interval, or 0."""
        if self.lifetime_s is None:
            return min(3 * self.interval_s, MOST_LIFETIME_S)
        if self.lifetime_s == 0:
            return 0
        return min(max(self.lifetime_s, self.interval_s), MOST_LIFETIME_S)

"""How multicast is to be set up on a bridge, and the words of ip-link(8) that would do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vnet.linux.bridge.multicast.settings import ROUTER_LEARNED
from vnet.linux.timer_wheel import JIFFY_NS

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge

INTERVALS = (*("last_member", "membership", "querier", "query", "query_response", "startup_query"),)
"""What lasts so and so long; ip-link(8) has ``mcast_`` before it and ``_interval`` behind."""

_NUMBERS = ("igmp_version", "mld_version", "hash_max", "last_member_count", "startup_query_count")
_LEAST_QUERY_NS = 1_000_000_000
_CENTISECOND_NS = 10_000_000


@dataclass(frozen=True, slots=True)
class MulticastConfig:
    """What differs from the kernel's defaults. ``intervals_ns`` go by the names of INTERVALS."""

    snooping: bool = True
    querier: bool = False
    query_use_ifaddr: bool = False
    igmp_version: int = 2
    mld_version: int = 1
    hash_max: int = 4096
    router: int = ROUTER_LEARNED
    last_member_count: int = 2
    startup_query_count: int = 2
    intervals_ns: Mapping[str, int] = field(default_factory=dict)

    def apply(self, bridge: Bridge) -> list[str]:
        """Set a bridge up; returns what stands behind ``ip link set BRIDGE type bridge``."""
        return [f"mcast_{name} {value}" for name, value in self._set(bridge)]

    def _set(self, bridge: Bridge) -> Iterator[tuple[str, int]]:
        multicast = bridge.multicast
        settings = multicast.settings
        for name, time_ns in self.intervals_ns.items():
            kept_ns = time_ns // JIFFY_NS * JIFFY_NS
            if name in ("query", "startup_query"):
                kept_ns = max(kept_ns, _LEAST_QUERY_NS)
            setattr(settings, f"{name}_interval_ns", kept_ns)
            yield f"{name}_interval", time_ns // _CENTISECOND_NS
        for name in _NUMBERS:
            value = getattr(self, name)
            if value != getattr(settings, name):
                setattr(settings, name, value)
                yield name, value
        if self.query_use_ifaddr:
            settings.query_use_ifaddr = True
            yield "query_use_ifaddr", 1
        if self.router != multicast.router:
            multicast.router = self.router
            yield "router", self.router
        if self.querier:
            multicast.set_querier(True)
            yield "querier", 1
        if not self.snooping:
            multicast.set_on(False)
            yield "snooping", 0

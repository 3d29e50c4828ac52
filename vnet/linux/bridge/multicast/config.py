"""What can be set of multicast on a bridge, by the names of ip-link(8) without their ``mcast_``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.linux.bridge.multicast.settings import ROUTER_LEARNED, ROUTER_PERMANENT
from vnet.linux.timer_wheel import JIFFY_NS

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge

INTERVALS = (*("last_member", "membership", "querier", "query", "query_response", "startup_query"),)
"""What lasts so and so long; ip-link(8) has ``_interval`` behind, and counts hundredths."""

_VERSIONS = {"igmp_version": (2, 3), "mld_version": (1, 2)}
_NUMBERS = ("hash_max", "last_member_count", "startup_query_count")

OPTIONS = (
    "router",
    "snooping",
    "query_use_ifaddr",
    "querier",
    *_NUMBERS,
    *(f"{name}_interval" for name in INTERVALS),
    *_VERSIONS,
)
"""All that :func:`set_multicast` knows, in the order in which the kernel sets several."""

_BOUNDED = ("query", "startup_query")
_LEAST_QUERY_NS = 1_000_000_000
CENTISECOND_NS = 10_000_000


def set_multicast(bridge: Bridge, name: str, value: int) -> None:
    """``ip link set BRIDGE type bridge mcast_NAME VALUE``; intervals in hundredths of a second."""
    multicast, settings = bridge.multicast, bridge.multicast.settings
    if name == "querier":
        multicast.set_querier(bool(value))
    elif name == "snooping":
        multicast.set_on(bool(value))
    elif name == "query_use_ifaddr":
        settings.query_use_ifaddr = bool(value)
    elif name == "router":
        _check(value, range(ROUTER_PERMANENT + 1))
        multicast.router = value
    elif name in _VERSIONS:
        _check(value, _VERSIONS[name])
        setattr(settings, name, value)
    elif name in _NUMBERS:
        setattr(settings, name, value)
    else:
        _set_interval(bridge, name.removesuffix("_interval"), value)


def get_multicast(bridge: Bridge, name: str) -> int:
    """What :func:`set_multicast` has set."""
    multicast, settings = bridge.multicast, bridge.multicast.settings
    if name == "snooping":
        return multicast.is_on
    if name == "router":
        return multicast.router
    if name.endswith("_interval"):
        time_ns: int = getattr(settings, f"{name}_ns")
        return time_ns // CENTISECOND_NS
    value: int = getattr(settings, name)
    return value


def _check(value: int, allowed: range | tuple[int, ...]) -> None:
    if value not in allowed:
        hint = f"{min(allowed)} to {max(allowed)}"
        raise UsageError("RTNETLINK answers: Invalid argument", hint)


def _set_interval(bridge: Bridge, name: str, hundredths: int) -> None:
    time_ns = hundredths * CENTISECOND_NS // JIFFY_NS * JIFFY_NS
    if name in _BOUNDED and time_ns < _LEAST_QUERY_NS:
        what = name.replace("_", " ")
        bridge.say(
            f"trying to set multicast {what} interval below minimum, setting to 100 (1000ms)"
        )
        time_ns = _LEAST_QUERY_NS
    setattr(bridge.multicast.settings, f"{name}_interval_ns", time_ns)


@dataclass(frozen=True, slots=True)
class MulticastConfig:
    """How a bridge is to be set up. ``intervals_ns`` go by the names of INTERVALS."""

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

    def options(self) -> Iterator[tuple[str, int]]:
        """What differs from the kernel's defaults; who asks is told after how."""
        for name, time_ns in self.intervals_ns.items():
            yield f"mcast_{name}_interval", time_ns // CENTISECOND_NS
        usual = MulticastConfig()
        for name in (*_VERSIONS, *_NUMBERS, "router", "query_use_ifaddr", "querier", "snooping"):
            value = getattr(self, name)
            if value != getattr(usual, name):
                yield f"mcast_{name}", int(value)

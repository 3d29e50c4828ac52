"""The neighbours that tunnels have heard of (lib/tnl-neigh-cache.c of Open vSwitch).

A switch learns them from ARP and Neighbor Discovery that passes through it, and from what comes
out of tunnels; it asks for those that it misses, and forgets who is not used for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vnet.base.ids import IpAddress, Mac
from vnet.base.units import NS_PER_S
from vnet.sim.scheduler import Scheduler, Timer

DEFAULT_AGEING_S = 15 * 60
MAX_AGEING_S = 3600


class Neighbor(NamedTuple):
    """Who has an address at a bridge, as a listing shows it."""

    bridge: str
    ip: IpAddress
    mac: Mac


class _Entry:
    __slots__ = ("expires_ns", "mac")

    def __init__(self, mac: Mac, expires_ns: int) -> None:
        self.mac = mac
        self.expires_ns = expires_ns


class NeighborCache:
    """Of all bridges of a datapath. ``changed`` is called when an answer may be another one."""

    def __init__(self, scheduler: Scheduler, changed: Callable[[], None]) -> None:
        self.ageing_s = DEFAULT_AGEING_S
        self._scheduler = scheduler
        self._changed = changed
        self._entries: dict[tuple[str, IpAddress], _Entry] = {}
        self._timer = Timer(scheduler, self._expire)

    def __iter__(self) -> Iterator[Neighbor]:
        return (Neighbor(bridge, ip, e.mac) for (bridge, ip), e in self._entries.items())

    @property
    def _fresh_ns(self) -> int:
        return self._scheduler.now_ns + self.ageing_s * NS_PER_S

    def lookup(self, bridge: str, ip: IpAddress) -> Mac | None:
        """Who has an address; being asked for keeps an entry young."""
        entry = self._entries.get((bridge, ip))
        if entry is None or entry.expires_ns <= self._scheduler.now_ns:
            return None
        entry.expires_ns = self._fresh_ns
        return entry.mac

    def learn(self, bridge: str, ip: IpAddress, mac: Mac) -> None:
        """Somebody said, or showed, who has an address."""
        if self.lookup(bridge, ip) == mac:
            return
        self._entries[bridge, ip] = _Entry(mac, self._fresh_ns)
        self._arm()
        self._changed()

    def flush(self, bridge: str | None = None) -> None:
        """Forget everybody, or those at one bridge."""
        doomed = [key for key in self._entries if bridge in (None, key[0])]
        for key in doomed:
            del self._entries[key]
        if doomed:
            self._changed()

    def set_ageing(self, ageing_s: int) -> None:
        """How long an entry lasts without use; those that would last longer are cut short."""
        self.ageing_s = ageing_s
        for entry in self._entries.values():
            entry.expires_ns = min(entry.expires_ns, self._fresh_ns)
        self._arm()

    def _expire(self) -> None:
        now_ns = self._scheduler.now_ns
        old = [key for key, entry in self._entries.items() if entry.expires_ns <= now_ns]
        for key in old:
            del self._entries[key]
        self._arm()
        if old:
            self._changed()

    def _arm(self) -> None:
        self._timer.cancel()
        if self._entries:
            first_ns = min(entry.expires_ns for entry in self._entries.values())
            self._timer.arm(max(first_ns - self._scheduler.now_ns, 0))

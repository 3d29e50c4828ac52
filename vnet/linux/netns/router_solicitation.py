"""Asking for routers, at growing intervals for as long as none answers (RFC 4861, RFC 7559)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.linux.netns.nd_send import send_nd
from vnet.linux.timer_wheel import KernelTimer
from vnet.wire import icmpv6, mld, ra

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.interface import Interface

_NS_PER_S = 1_000_000_000


class RouterSolicitation:
    """The asking on one interface. ``chance`` spreads its intervals."""

    __slots__ = ("_asked", "_chance", "_interface", "_interval_ns", "_timer")

    def __init__(self, interface: Interface, chance: Callable[[], Stream]) -> None:
        self._interface = interface
        self._chance = chance
        self._timer = KernelTimer(interface.device.scheduler, self._ask_again)
        self._interval_ns = 0
        self._asked = 0

    def start(self, source: bytes) -> None:
        """The link-local address ``source`` is ours: ask, unless nobody would listen."""
        addrconf, conf = self._interface.addrconf, self._interface.conf6
        if addrconf is None or not addrconf.routers.listens or conf.router_solicitations == 0:
            return
        self._interval_ns = self._spread(conf.router_solicitation_interval * _NS_PER_S, 900_000)
        self._asked = 1
        self._ask(source)
        self._timer.arm(self._interval_ns)

    def stop(self) -> None:
        """A router was heard, or the interface set down."""
        self._timer.cancel()

    def _ask_again(self) -> None:
        conf, source = self._interface.conf6, self._interface.link_local
        if source is None or 0 <= conf.router_solicitations <= self._asked:
            return
        self._ask(source)
        self._asked += 1
        limit_ns = conf.router_solicitation_max_interval * _NS_PER_S
        self._interval_ns = self._spread(self._interval_ns, 1_900_000)
        if self._interval_ns > limit_ns:
            self._interval_ns = self._spread(limit_ns, 900_000)
        self._timer.arm(self._interval_ns)

    def _spread(self, interval_ns: int, least_ppm: int) -> int:
        """``interval_ns`` times a random factor of 0.2 width (RFC 3315 section 14)."""
        return interval_ns * (least_ppm + self._chance().randrange(200_001)) // 1_000_000

    def _ask(self, source: bytes) -> None:
        body = ra.solicitation(self._interface.device.mac)
        message = icmpv6.Icmpv6(icmpv6.ROUTER_SOLICITATION, 0, body)
        send_nd(self._interface, source, mld.ALL_ROUTERS, message)

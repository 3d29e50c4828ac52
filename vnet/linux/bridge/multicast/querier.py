"""Who asks for reports on a bridge, in one family: others, the bridge itself, and by which ports
multicast routers are reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.linux.bridge.multicast.settings import (
    ROUTER_DISABLED,
    ROUTER_PERMANENT,
    MulticastSettings,
)
from vnet.linux.bridge.state import PortState
from vnet.linux.timer_wheel import JIFFY_NS, KernelTimer

if TYPE_CHECKING:
    from vnet.linux.bridge.port import BridgePort
    from vnet.sim.scheduler import Scheduler

SendQuery = Callable[["BridgePort | None"], bool]
"""Sends a general query out of a port, or to the host (None); False where it cannot."""

_SILENT = (PortState.DISABLED, PortState.BLOCKING)


class OwnQuery:
    """When the bridge asks next, by one port or the host; ``n_sent`` counts the first queries."""

    __slots__ = ("n_sent", "timer")

    def __init__(self, timer: KernelTimer) -> None:
        self.timer = timer
        self.n_sent = 0

    def begin(self) -> None:
        """Ask at once, and again soon."""
        self.n_sent = 0
        self.timer.arm(0)


class Querier:
    """Queries of IGMP, or of MLD. ``address`` is the elected querier's, ``port`` where it is; None
    is the bridge itself."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: MulticastSettings,
        ports: list[BridgePort],
        send: SendQuery,
    ) -> None:
        self._scheduler = scheduler
        self._settings = settings
        self._ports = ports
        self._send = send
        self.address = b""
        self.port: BridgePort | None = None
        self.other = KernelTimer(scheduler, self.start)
        """Runs while another querier is heard."""
        self.host_router = KernelTimer(scheduler, _nothing)
        """Runs while the host behaves as a multicast router."""
        self.has_address = True
        """Whether the bridge had an address to ask from when it last wanted to."""
        self.is_snooping = True
        self._trusted_ns = -1
        self._own: dict[BridgePort | None, OwnQuery] = {}
        self._routers: dict[BridgePort, KernelTimer] = {}

    # -- asking

    def start(self) -> None:
        """Ask everywhere from now on, as when nobody else does any more."""
        if not self.is_snooping or not self._settings.querier:
            return
        self._query_of(None).begin()
        for port in reversed(self._ports):
            if port.state not in _SILENT:
                self._query_of(port).begin()

    def turned_on(self) -> None:
        """The bridge is to ask: reports are waited for before anything is held back."""
        if not self.other.is_running:
            delay_ns = self._settings.query_response_interval_ns
            self._trusted_ns = self._scheduler.now_ns + delay_ns
        self.start()

    def enable_port(self, port: BridgePort) -> None:
        """A port takes part, or its state was considered anew."""
        if self.is_snooping and self._settings.querier:
            self._query_of(port).begin()
        if port.multicast_router == ROUTER_PERMANENT:
            self.add_router(port)

    def disable_port(self, port: BridgePort) -> None:
        """A port takes part no more."""
        self.remove_router(port)
        own = self._own.pop(port, None)
        if own is not None:
            own.timer.cancel()

    def stop(self) -> None:
        """The bridge is down."""
        self.other.cancel()
        self.host_router.cancel()
        own = self._own.get(None)
        if own is not None:
            own.timer.cancel()

    def ask_again_in(self, port: BridgePort | None, delay_ns: int) -> None:
        """The next general query by a port is due in ``delay_ns``."""
        self._query_of(port).timer.arm(delay_ns)

    def _query_of(self, port: BridgePort | None) -> OwnQuery:
        own = self._own.get(port)
        if own is None:
            timer = KernelTimer(self._scheduler, self._due, port)
            own = self._own[port] = OwnQuery(timer)
        return own

    def _due(self, port: BridgePort | None) -> None:
        if port is not None and port.state in _SILENT:
            return
        settings, own = self._settings, self._own[port]
        own.n_sent = min(own.n_sent + 1, settings.startup_query_count)
        if not self.is_snooping or not settings.querier or self.other.is_running:
            return
        if port is None and self.port is not None:
            self.port, self.address = None, b""
        self.has_address = self._send(port)
        starts = own.n_sent < settings.startup_query_count
        interval_ns = settings.startup_query_interval_ns if starts else settings.query_interval_ns
        own.timer.arm(interval_ns)

    # -- others

    @property
    def exists(self) -> bool:
        """Whether reports can be relied on: somebody asks, and there was time to answer."""
        asks = self._settings.querier and self.has_address
        now_ns = self._scheduler.now_ns
        is_trusted = now_ns // JIFFY_NS > self._trusted_ns // JIFFY_NS
        return is_trusted and (asks or self.other.is_running)

    def heard(self, port: BridgePort | None, address: bytes, response_ns: int) -> None:
        """Somebody asks about all groups; None: the host. The lowest address wins."""
        own = self._own.get(None)
        is_contested = self.other.is_running or (own is not None and own.timer.is_running)
        knows_one = any(self.address) or len(address) == 16
        if is_contested and knows_one and address > (self.address or bytes(16)):
            return
        self.port, self.address = port, address
        if not self.other.is_running:
            self._trusted_ns = self._scheduler.now_ns + response_ns
        self.other.arm(self._settings.querier_interval_ns)
        self.mark_router(port)

    # -- routers

    def mark_router(self, port: BridgePort | None) -> None:
        """There is a multicast router behind a port; None: the host is one."""
        interval_ns = self._settings.querier_interval_ns
        if port is None:
            self.host_router.arm(interval_ns)
        elif port.multicast_router not in (ROUTER_DISABLED, ROUTER_PERMANENT):
            self.add_router(port)
            self._routers[port].arm(interval_ns)

    def add_router(self, port: BridgePort) -> None:
        """A port gets what routers get."""
        if port not in self._routers:
            self._routers[port] = KernelTimer(self._scheduler, self._router_expired, port)

    def remove_router(self, port: BridgePort) -> None:
        """A port gets it no longer."""
        timer = self._routers.pop(port, None)
        if timer is not None:
            timer.cancel()

    def routers(self) -> list[BridgePort]:
        """The ports that lead to multicast routers, by number."""
        return sorted(self._routers, key=lambda port: port.number)

    def router_left_ns(self, port: BridgePort) -> int:
        """How long a port still counts as a router's."""
        timer = self._routers.get(port)
        return 0 if timer is None else timer.left_ns

    def _router_expired(self, port: BridgePort) -> None:
        if port.multicast_router not in (ROUTER_DISABLED, ROUTER_PERMANENT):
            del self._routers[port]


def _nothing() -> None:
    return None

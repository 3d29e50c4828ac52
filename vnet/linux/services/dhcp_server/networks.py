"""Which network a request is about: that of the interface, of a relay, or of its own address."""

from __future__ import annotations

from vnet.base.ids import network_of
from vnet.linux.services.dhcp_server.pools import Pool, broadcast_of
from vnet.linux.services.dhcp_server.request import LocalNetwork, Request
from vnet.linux.services.dhcp_server.settings import DhcpServing


class Networks:
    """The pools of a server, each completed when a request is seen that it may serve."""

    def __init__(self, serving: DhcpServing) -> None:
        self._pools = [
            Pool(
                span,
                span.prefix_length or 0,
                serving.lease_s if span.lease_s is None else span.lease_s,
                local=b"",
                router=b"",
                broadcast=b"",
            )
            for span in serving.ranges
        ]

    def pools_for(self, request: Request) -> list[Pool]:
        """The pools that may serve a request, in order; none if it comes from elsewhere."""
        message, near = request.message, self._near(request)
        chosen = request.subnet or message.giaddr
        if any(chosen):
            return self._about(request, chosen)
        if any(message.ciaddr) and not any(p.shares_network(message.ciaddr) for p in near):
            # A client that got its lease through a relay renews it without one.
            return self._about(request, message.ciaddr) or near
        return near

    def _near(self, request: Request) -> list[Pool]:
        """Those of the interface: first those of the address that was added last."""
        found: list[Pool] = []
        for network in request.arrival.networks:
            here = [pool for pool in self._pools if _is_in(pool, network)]
            for pool in here:
                if not pool.span.prefix_length:
                    pool.prefix_length = network.prefix_length
                pool.local = pool.router = network.ip
                shared = network.broadcast is not None and pool.shares_network(network.broadcast)
                computed = broadcast_of(pool.span.start, pool.prefix_length)
                pool.broadcast = network.broadcast if shared and network.broadcast else computed
            found = here + [pool for pool in found if pool not in here]
        return found

    def _about(self, request: Request, ip: bytes) -> list[Pool]:
        """Those whose network ``ip`` is of; what the interface does not know is filled in."""
        found = [pool for pool in self._pools if pool.prefix_length and pool.shares_network(ip)]
        for pool in found:
            pool.local = pool.local or request.arrival.networks[0].ip
            if not pool.router and any(request.message.giaddr):
                pool.router = request.message.giaddr
            pool.broadcast = pool.broadcast or broadcast_of(pool.span.start, pool.prefix_length)
        return found


def _is_in(pool: Pool, network: LocalNetwork) -> bool:
    length = pool.span.prefix_length or network.prefix_length
    home = network_of(network.ip, length)
    return home == network_of(pool.span.start, length) == network_of(pool.span.end, length)

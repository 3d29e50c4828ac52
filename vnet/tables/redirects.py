"""Better first hops that routers told us of, one for each destination (RFC 4861 section 8).

What nobody uses for a minute is forgotten (net.ipv6.route.gc_timeout), since the router's
reasons may no longer hold.
"""

from __future__ import annotations

IDLE_NS = 60_000_000_000
MOST_DESTINATIONS = 1024


class RedirectCache:
    """The next hops of single destinations, where they are not what the routes say.

    A next hop is kept together with the route's gateway that told of it: where the route has
    another one by now, what was told no longer counts.
    """

    __slots__ = ("_hops",)

    def __init__(self) -> None:
        self._hops: dict[bytes, tuple[bytes, bytes, int]] = {}

    def learn(self, destination: bytes, next_hop: bytes, told_by: bytes, now_ns: int) -> None:
        """``told_by`` says that ``next_hop``, perhaps ``destination`` itself, is the way."""
        self._hops.pop(destination, None)
        if len(self._hops) >= MOST_DESTINATIONS:
            # The oldest goes: a dictionary keeps the order in which they were learned.
            del self._hops[next(iter(self._hops))]
        self._hops[destination] = (next_hop, told_by, now_ns)

    def next_hop(self, destination: bytes, gateway: bytes, now_ns: int) -> bytes:
        """Where a packet for ``destination`` goes, given the gateway of its route."""
        if not self._hops:
            return gateway
        found = self._hops.get(destination)
        if found is None:
            return gateway
        next_hop, told_by, used_ns = found
        if told_by != gateway or now_ns >= used_ns + IDLE_NS:
            del self._hops[destination]
            return gateway
        self._hops[destination] = (next_hop, told_by, now_ns)
        return next_hop

    def forget_router(self, next_hop: bytes) -> None:
        """``next_hop`` is no router any more."""
        self._hops = {to: hop for to, hop in self._hops.items() if hop[0] != next_hop}

    def __len__(self) -> int:
        return len(self._hops)

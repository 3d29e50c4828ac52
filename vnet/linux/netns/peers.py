"""What a machine remembers of others: how often they may be written to (net/ipv4/inetpeer.c).

One store of tokens serves every kind of message to an address, and so one kind can use up what
another would have had.
"""

from __future__ import annotations

from vnet.linux.timer_wheel import JIFFY_NS

_BURST = 6
_NEW_NS = 60_000_000_000
"""A stranger has had so much time to collect tokens."""

_LEAST_SWEPT = 1024
_MOST_PEERS = 65_536 + 128
"""inet_peer_threshold, for a machine with 512 MB or more."""

ERROR_COST_NS = 1_000_000_000
ERROR_BURST_NS = 5 * ERROR_COST_NS
"""net.ipv4.route.error_cost and error_burst."""


class Peer:
    """An address's tokens, in nanoseconds, and how many redirects it has had."""

    __slots__ = ("last_ns", "redirects", "tokens_ns")

    def __init__(self, now_ns: int) -> None:
        self.tokens_ns = 0
        self.last_ns = now_ns - _NEW_NS
        self.redirects = 0

    def take(self, cost_ns: int, most_ns: int, now_ns: int) -> bool:
        """Take a token if there is one; there are never more than ``most_ns``."""
        self.tokens_ns = min(most_ns, self.tokens_ns + now_ns - self.last_ns)
        self.last_ns = now_ns
        if self.tokens_ns < cost_ns:
            return False
        self.tokens_ns -= cost_ns
        return True


class Peers:
    """The peers of one address family.

    Whoever has been silent for long is indistinguishable from a stranger, and is forgotten
    whenever the table has doubled. There is room for as many as the kernel remembers; when it is
    full, the older half goes.
    """

    __slots__ = ("_peers", "_sweep_at")

    def __init__(self) -> None:
        self._peers: dict[bytes, Peer] = {}
        self._sweep_at = _LEAST_SWEPT

    def of(self, ip: bytes, now_ns: int) -> Peer:
        """What is known of ``ip``."""
        peer = self._peers.get(ip)
        if peer is None:
            if len(self._peers) >= self._sweep_at:
                self._sweep(now_ns)
            peer = self._peers[ip] = Peer(now_ns)
        return peer

    def allow(self, ip: bytes, now_ns: int, interval_ns: int) -> bool:
        """Whether one more error may go to ``ip``: six at once, then one per interval.

        Without an interval always; but six times nothing is all that the peer then keeps, from
        one tick of the clock to the next.
        """
        peer = self.of(ip, now_ns)
        if not interval_ns and now_ns // JIFFY_NS == peer.last_ns // JIFFY_NS:
            return True
        return peer.take(interval_ns, _BURST * interval_ns, now_ns)

    def _sweep(self, now_ns: int) -> None:
        self._peers = {
            ip: peer for ip, peer in self._peers.items() if now_ns - peer.last_ns < _NEW_NS
        }
        while len(self._peers) > _MOST_PEERS // 2:
            del self._peers[next(iter(self._peers))]
        self._sweep_at = max(2 * len(self._peers), _LEAST_SWEPT)

"""What is known of the paths' mtu (RFC 1191, RFC 8201).

A router that could not forward a packet says what it could have forwarded. That holds for ten
minutes (net.ipv4.route.mtu_expires); then the path is tried with full packets again, since
routes change.
"""

from __future__ import annotations

LIFETIME_NS = 600_000_000_000
MOST_PATHS = 1024


class PathMtuCache:
    """The mtu of paths to single addresses, as far as it is below the first link's.

    ``least_bytes`` is what nobody is believed to go below: 552 bytes for IPv4
    (net.ipv4.route.min_pmtu), 1280 for IPv6.
    """

    __slots__ = ("_paths", "least_bytes")

    def __init__(self, least_bytes: int) -> None:
        self.least_bytes = least_bytes
        self._paths: dict[bytes, tuple[int, int]] = {}

    def learn(self, target: bytes, mtu_bytes: int, now_ns: int) -> bool:
        """A router says that packets to ``target`` may have ``mtu_bytes``; False if no news."""
        known = self.lookup(target, now_ns)
        mtu_bytes = max(mtu_bytes, self.least_bytes)
        if known is not None and known <= mtu_bytes:
            return False
        self._paths.pop(target, None)
        if len(self._paths) >= MOST_PATHS:
            # The oldest goes: a dictionary keeps the order in which paths were learned.
            del self._paths[next(iter(self._paths))]
        self._paths[target] = (mtu_bytes, now_ns + LIFETIME_NS)
        return True

    def lookup(self, target: bytes, now_ns: int) -> int | None:
        """What is known of the path to ``target`` at ``now_ns``, or None."""
        found = self._paths.get(target)
        if found is None:
            return None
        if found[1] <= now_ns:
            del self._paths[target]
            return None
        return found[0]

    def limit(self, target: bytes, first_link_bytes: int, now_ns: int) -> int:
        """The largest packet for ``target``: by the first link, and by what routers have said."""
        learned = self.lookup(target, now_ns)
        return first_link_bytes if learned is None else min(first_link_bytes, learned)

    def __len__(self) -> int:
        return len(self._paths)

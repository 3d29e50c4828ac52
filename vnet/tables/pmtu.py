"""What others have said of the paths to single addresses (RFC 1191, RFC 8201, RFC 792 redirects).

A router that could not forward a packet says what it could have forwarded; one that sent it back
the way it came names a better first hop. Either holds for some minutes; then the path is tried
as if nothing had been said, since routes change.
"""

from __future__ import annotations

from typing import NamedTuple

LIFETIME_NS = 600_000_000_000
"""net.ipv4.route.mtu_expires, and IPv6's twin."""

REDIRECT_LIFETIME_NS = 300_000_000_000
"""net.ipv4.route.gc_timeout."""

MOST_PATHS = 1024


class Path(NamedTuple):
    """What is known of one path until ``expires_ns``.

    ``is_locked``: the mtu said was too small to believe, so packets are cut on the way after all.
    """

    expires_ns: int
    mtu_bytes: int | None = None
    is_locked: bool = False
    gateway: bytes | None = None


class PathMtuCache:
    """Paths to single addresses, as far as they differ from what the routes say.

    ``least_bytes`` is what nobody is believed to go below: 552 bytes for IPv4
    (net.ipv4.route.min_pmtu), 1280 for IPv6.
    """

    __slots__ = ("_paths", "least_bytes", "lifetime_ns")

    def __init__(self, least_bytes: int) -> None:
        self.least_bytes = least_bytes
        self.lifetime_ns = LIFETIME_NS
        self._paths: dict[bytes, Path] = {}

    def learn(self, target: bytes, mtu_bytes: int, now_ns: int) -> bool:
        """A router says that packets to ``target`` may have ``mtu_bytes``; False if no news."""
        path = self.path(target, now_ns)
        known = None if path is None else path.mtu_bytes
        is_locked = mtu_bytes < self.least_bytes
        mtu_bytes = max(mtu_bytes, self.least_bytes)
        if known is not None and known <= mtu_bytes:
            return False
        gateway = None if path is None else path.gateway
        self._keep(target, Path(now_ns + self.lifetime_ns, mtu_bytes, is_locked, gateway))
        return True

    def redirect(self, target: bytes, gateway: bytes, now_ns: int) -> None:
        """Another first hop is better for ``target``."""
        path = self.path(target, now_ns) or Path(0)
        expires_ns = now_ns + REDIRECT_LIFETIME_NS
        self._keep(target, path._replace(gateway=gateway, expires_ns=expires_ns))

    def path(self, target: bytes, now_ns: int) -> Path | None:
        """What is known of the path to ``target`` at ``now_ns``, or None."""
        found = self._paths.get(target)
        if found is not None and found.expires_ns <= now_ns:
            del self._paths[target]
            return None
        return found

    def lookup(self, target: bytes, now_ns: int) -> int | None:
        """The mtu of the path to ``target`` at ``now_ns``, or None."""
        found = self.path(target, now_ns)
        return None if found is None else found.mtu_bytes

    def limit(self, target: bytes, first_link_bytes: int, now_ns: int) -> int:
        """The largest packet for ``target``: by the first link, and by what routers have said."""
        learned = self.lookup(target, now_ns)
        return first_link_bytes if learned is None else min(first_link_bytes, learned)

    def forget(self) -> None:
        """Routes changed: whatever was said of the ways before need not hold."""
        self._paths.clear()

    def __len__(self) -> int:
        return len(self._paths)

    def _keep(self, target: bytes, path: Path) -> None:
        self._paths.pop(target, None)
        if len(self._paths) >= MOST_PATHS:
            # The oldest goes: a dictionary keeps the order in which paths were learned.
            del self._paths[next(iter(self._paths))]
        self._paths[target] = path

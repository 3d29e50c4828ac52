"""All that the tracker remembers, and what bounds it."""

from __future__ import annotations

from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.expectations import Expectations
from vnet.tables.conntrack.limits import ZoneLimits
from vnet.tables.conntrack.policy import L4Protocol, Policy
from vnet.tables.conntrack.table import ConnTable
from vnet.tables.conntrack.timeouts import TimeoutPolicies


class ConnStore:
    """Connections, limits, timeouts and announcements, under one policy.

    ``protocols`` is the policy's, by number.

    Expired connections cease to be found at once, but count, and hold what they are translated
    to, until the sweep. Sweeps are due at fixed intervals from ``now_ms`` on; it makes no
    difference whether one runs when it is due or just before the next thing is asked for.
    """

    __slots__ = (
        "_next_sweep_ms",
        "counters",
        "expectations",
        "limits",
        "max_conns",
        "policy",
        "protocols",
        "table",
        "timeouts",
    )

    def __init__(self, policy: Policy, now_ms: int) -> None:
        self.policy = policy
        self.counters = policy.counters
        self.max_conns = policy.max_conns
        self.table = ConnTable()
        self.limits = ZoneLimits()
        self.timeouts = TimeoutPolicies()
        self.expectations = Expectations(policy.max_conns)
        self.protocols: list[L4Protocol] = [
            policy.protocols.get(number, policy.other) for number in range(256)
        ]
        self._next_sweep_ms = now_ms + policy.sweep_interval_ms

    def sweep(self, now_ms: int) -> None:
        """Remove what had expired when the last sweep before now was due."""
        if now_ms < self._next_sweep_ms:
            return
        interval_ms = self.policy.sweep_interval_ms
        due_ms = now_ms - (now_ms - self._next_sweep_ms) % interval_ms
        for conn in self.table.expired(due_ms):
            self.forget(conn)
        self._next_sweep_ms = due_ms + interval_ms

    def has_room(self, zone: int) -> bool:
        """Whether one more connection may be made in ``zone``; if not, counts why."""
        limit = self.limits.find(zone)
        if limit is not None and limit.count >= limit.limit:
            self.counters.zone_full += 1
            return False
        if len(self.table) >= self.max_conns:
            self.counters.full += 1
            return False
        return True

    def remember(self, conn: Conn, zone: int) -> None:
        """Take a connection in."""
        self.table.add(conn)
        conn.limit = self.limits.find(zone)
        if conn.limit is not None:
            conn.limit.count += 1

    def forget(self, conn: Conn) -> None:
        """Remove a connection, and what it announced."""
        self.table.remove(conn)
        if conn.limit is not None:
            conn.limit.count -= 1
        if conn.helper is not None and conn.helper.name:
            self.expectations.forget(conn.key)

"""What a system decides its own way: states, times and translated names.

The tracker asks a policy and knows none. Open vSwitch's is in ``ovs_policy``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Protocol

from vnet.base.record import record
from vnet.tables.conntrack.action import NatRange
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.counters import CtCounters
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.timeouts import Durations


class Update(Enum):
    """What a packet is to its connection."""

    VALID = auto()  # of an established one
    VALID_NEW = auto()  # of one that has not been answered
    INVALID = auto()
    REOPENED = auto()  # the first of another one with the same key


class L4Protocol(Protocol):
    """The states of a transport protocol. ``start`` and ``update`` set ``conn.expires_ms``."""

    def may_start(self, headers: Headers) -> bool:
        """Whether a packet may be a connection's first."""

    def start(self, conn: Conn, headers: Headers, now_ms: int, durations: Durations) -> None:
        """Give a new connection its state."""

    def update(
        self, conn: Conn, headers: Headers, is_reply: bool, now_ms: int, durations: Durations
    ) -> Update:
        """A packet of the connection came by."""


class NatChooser(Protocol):
    """Picks what a connection is translated to."""

    def choose(
        self, key: bytes, reply_key: bytes, choice: NatRange, is_taken: Callable[[bytes], bool]
    ) -> bytes | None:
        """The reply key after translation, such that ``is_taken`` is False; None if there is none.

        ``reply_key`` is the one before translation.
        """


@record(frozen=True, slots=True)
class Policy:
    """``protocols`` by IP protocol number, ``other`` for all others.

    ``counters`` is where the tracker and the protocols count what they refuse.
    Expired connections are removed, and cease to count, every ``sweep_interval_ms``.
    """

    protocols: Mapping[int, L4Protocol]
    other: L4Protocol
    nat: NatChooser
    counters: CtCounters
    max_conns: int
    sweep_interval_ms: int

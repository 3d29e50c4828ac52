"""The connection tracker, from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from vnet.base.units import NS_PER_MS
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.fragments import BATCH_PACKETS, Fragments
from vnet.tables.conntrack.headers import locate
from vnet.tables.conntrack.key import zone_of
from vnet.tables.conntrack.packet import CtPacket
from vnet.tables.conntrack.passage import pass_through
from vnet.tables.conntrack.policy import Policy
from vnet.tables.conntrack.store import ConnStore


class ConnTracker:
    """Every connection of every zone.

    Time is an argument, counted in milliseconds, and never goes back; sweeps are due from
    ``now_ns`` on. ``on_lost`` is told of fragments that were kept and are given up. Limits,
    timeouts and counters are those of ``store``.
    """

    __slots__ = ("fragments", "store")

    def __init__(
        self,
        policy: Policy,
        now_ns: int = 0,
        on_lost: Callable[[CtPacket], None] | None = None,
    ) -> None:
        self.store = ConnStore(policy, now_ns // NS_PER_MS)
        self.fragments = Fragments(now_ns // NS_PER_MS, on_lost)

    def execute(self, packet: CtPacket, action: CtAction, now_ns: int) -> Sequence[CtPacket]:
        """Track a packet, changing it in place. Returns the packets that go on.

        That is the packet itself, or nothing where it is a fragment whose others are missing,
        or all fragments of a packet that is now whole; behind them, fragments whose others
        never came (``state`` INVALID without TRACKED).
        """
        now_ms = now_ns // NS_PER_MS
        store, fragments = self.store, self.fragments
        store.sweep(now_ms)
        headers = locate(packet.data, packet.l3, packet.ethertype)
        if (headers is None or not headers.is_fragment) and not fragments.held:
            pass_through(store, packet, headers, action, now_ms)
            return (packet,)
        return self.execute_batch((packet,), action, now_ns)

    def execute_batch(
        self, packets: Iterable[CtPacket], action: CtAction, now_ns: int
    ) -> list[CtPacket]:
        """As :meth:`execute`, of packets that go the same way at once.

        The difference is in fragments: those of one packet that was never whole go along with
        each batch, at the end, and no more than 32 packets go on together.
        """
        now_ms = now_ns // NS_PER_MS
        store, fragments = self.store, self.fragments
        store.sweep(now_ms)
        onward: list[CtPacket] = []
        for packet in packets:
            headers = locate(packet.data, packet.l3, packet.ethertype)
            if headers is None or not fragments.hold(packet, headers, action.zone, now_ms):
                pass_through(store, packet, headers, action, now_ms)
                onward.append(packet)
        for whole in fragments.take_wholes():
            pass_through(store, whole.packet, whole.headers, action, now_ms)
            whole.share()
        onward += fragments.take_complete(BATCH_PACKETS - len(onward), now_ms)
        onward += fragments.take_expired(BATCH_PACKETS - len(onward), now_ms)
        return onward

    def conns(self, now_ns: int, zone: int | None = None) -> Iterator[Conn]:
        """Connections that have not expired."""
        now_ms = now_ns // NS_PER_MS
        for conn in self.store.table:
            if now_ms < conn.expires_ms and (zone is None or zone_of(conn.key) == zone):
                yield conn

    def count(self, now_ns: int) -> int:
        """How many connections there are, expired ones among them that were not yet swept."""
        self.store.sweep(now_ns // NS_PER_MS)
        return len(self.store.table)

    def flush(self, zone: int | None = None) -> None:
        """Forget connections: all, or a zone's."""
        table = self.store.table
        for conn in list(table) if zone is None else table.in_zone(zone):
            self.store.forget(conn)

    def give_up(self) -> None:
        """End: fragments that wait are lost."""
        self.fragments.give_up()

    def flush_key(self, key: bytes, now_ns: int) -> bool:
        """Forget the connection with this key before translation; False if there is none."""
        conn = self.store.table.find(key, now_ns // NS_PER_MS)
        if conn is None or conn.is_found_by_translation(key):
            return False
        self.store.forget(conn)
        return True

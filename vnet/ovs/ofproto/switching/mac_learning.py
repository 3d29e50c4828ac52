"""Where stations live: the MAC learning table behind the NORMAL action.

Maps a MAC address and a VLAN to a port. Entries age, static ones excepted. The table has a
greatest size, and when it is full the port with the most entries loses its least recently
used one: a station that floods the table with invented addresses pushes out its own.

A gratuitous ARP announces that a virtual machine has moved. Over a bond its reflection may come
back by another member and would undo the move, so an entry that learned from one is locked for
five seconds against others that come in by bonds (Open vSwitch's "Bonding" design document).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from vnet.base.units import NS_PER_S
from vnet.ovs.ofproto.rules.usage_heap import UsageHeap

PortT = TypeVar("PortT")

DEFAULT_AGEING_S = 300
DEFAULT_MAX_ENTRIES = 8192
GRATUITOUS_ARP_LOCK_NS = 5 * NS_PER_S

_AGEING_RANGE_S = (15, 3600)
_SIZE_RANGE = (10, 1_000_000)

_MULTICAST_BIT = 1 << 40


class MacEntry(Generic[PortT]):
    """A station. ``updated_ns`` is the whole second in which it was last heard; a static one
    never ages.
    """

    __slots__ = ("is_static", "locked_until_ns", "mac", "port", "updated_ns", "vlan")

    def __init__(self, mac: int, vlan: int, port: PortT) -> None:
        self.mac = mac
        self.vlan = vlan
        self.port = port
        self.is_static = False
        self.updated_ns = 0
        self.locked_until_ns = 0

    def age_s(self, now_ns: int) -> int:
        """How many seconds have begun since the station was heard."""
        return (now_ns - self.updated_ns) // NS_PER_S


class MacLearning(Generic[PortT]):
    """The table of one bridge, the least recently used entry first.

    ``on_change`` is called with the MAC and the VLAN of each station that is new, has moved or
    is gone: frames to it go another way from now on. ``events`` are counted for good, by the names
    of ``coverage/show``; the totals begin anew when they are cleared.
    """

    def __init__(self) -> None:
        self.ageing_ns = DEFAULT_AGEING_S * NS_PER_S
        self.max_entries = DEFAULT_MAX_ENTRIES
        self.flood_vlans: frozenset[int] = frozenset()
        self.on_change: Callable[[int, int], None] = _nothing
        self.events: Counter[str] = Counter()
        self.total_learned = 0
        self.total_expired = 0
        self.total_evicted = 0
        self.total_moved = 0
        # Dictionaries keep the order of insertion: whoever is used goes to the end.
        self._entries: dict[tuple[int, int], MacEntry[PortT]] = {}
        self._by_port: dict[PortT, dict[tuple[int, int], MacEntry[PortT]]] = {}
        self._fullest: UsageHeap[PortT] = UsageHeap()

    def configure(self, *, ageing_s: int, max_entries: int, flood_vlans: frozenset[int]) -> None:
        """Change the limits, kept to the ranges that Open vSwitch keeps to.

        ``flood_vlans`` are those in which nothing is learned.
        """
        self.ageing_ns = min(max(ageing_s, _AGEING_RANGE_S[0]), _AGEING_RANGE_S[1]) * NS_PER_S
        self.max_entries = min(max(max_entries, _SIZE_RANGE[0]), _SIZE_RANGE[1])
        if flood_vlans != self.flood_vlans:
            self.flood_vlans = flood_vlans
            self.flush()

    def lookup(self, mac: int, vlan: int, now_ns: int) -> MacEntry[PortT] | None:
        """The entry that counts at ``now_ns``, or None. Nothing is found in a flooded VLAN."""
        entry = self._entries.get((mac, vlan))
        if entry is None or vlan in self.flood_vlans or self._has_aged(entry, now_ns):
            return None
        return entry

    def may_learn(self, mac: int, vlan: int) -> bool:
        """Whether a station may be learned at all: no group address, no flooded VLAN."""
        return not mac & _MULTICAST_BIT and vlan not in self.flood_vlans

    def learn(
        self,
        mac: int,
        vlan: int,
        port: PortT,
        now_ns: int,
        *,
        is_gratuitous_arp: bool = False,
        is_bond: bool = False,
    ) -> bool:
        """A frame from ``mac`` came in by ``port``. True if the station is new or has moved.

        Who is heard again in the same second, by the same port, keeps its place in the order.
        """
        if not self.may_learn(mac, vlan):
            return False
        entry = self._entries.get((mac, vlan))
        if entry is not None and self._has_aged(entry, now_ns):
            self._expire(entry)
            entry = None
        if entry is None:
            self.total_learned += 1
            self.events["mac_learning_learned"] += 1
            entry = self._insert(mac, vlan, port, now_ns)
            if is_gratuitous_arp and not is_bond:
                entry.locked_until_ns = now_ns + GRATUITOUS_ARP_LOCK_NS
            return True
        if entry.is_static:
            self.events["mac_learning_static_none_move"] += entry.port != port
            return False
        is_reflection = is_gratuitous_arp and is_bond and now_ns < entry.locked_until_ns
        is_announcement = is_gratuitous_arp and not is_bond
        if not entry.age_s(now_ns) and (
            is_reflection or (entry.port == port and not is_announcement)
        ):
            return False
        self._touch(entry, now_ns)
        if is_announcement:
            entry.locked_until_ns = now_ns + GRATUITOUS_ARP_LOCK_NS
        if is_reflection or entry.port == port:
            return False
        self.total_moved += 1
        self.events["mac_learning_moved"] += 1
        self._move(entry, port)
        return True

    def add_static(self, mac: int, vlan: int, port: PortT, now_ns: int) -> None:
        """Set an entry that neither ages nor moves (``fdb/add``)."""
        entry = self._entries.get((mac, vlan))
        if entry is None:
            entry = self._insert(mac, vlan, port, now_ns)
        else:
            self._touch(entry, now_ns)
            if entry.port != port:
                self._move(entry, port)
        entry.is_static = True

    def remove_static(self, mac: int, vlan: int) -> bool:
        """Remove a static entry (``fdb/del``). False where there is none."""
        entry = self._entries.get((mac, vlan))
        if entry is None or not entry.is_static:
            return False
        self._remove(entry)
        return True

    def clear_totals(self) -> None:
        """Count anew what became of entries (``fdb/stats-clear``)."""
        self.total_learned = self.total_expired = self.total_evicted = self.total_moved = 0

    def flush(self) -> None:
        """Forget every station but the static ones (``fdb/flush``)."""
        for entry in [entry for entry in self if not entry.is_static]:
            self._remove(entry)

    def forget(self, mac: int, vlan: int) -> None:
        """Forget a station, if it is known, and were it a static one."""
        entry = self._entries.get((mac, vlan))
        if entry is not None:
            self._remove(entry)

    def stations_on(self, port: PortT) -> tuple[tuple[int, int], ...]:
        """Address and VLAN of every station on ``port``."""
        return tuple(self._by_port.get(port, ()))

    def flush_port(self, port: PortT) -> None:
        """Forget every station on ``port``, static ones too."""
        for entry in list(self._by_port.get(port, {}).values()):
            self._remove(entry)

    def move_port(self, port: PortT, to: PortT) -> None:
        """Every station on ``port`` is behind another one from now on."""
        for entry in list(self._by_port.get(port, {}).values()):
            self._move(entry, to)

    def expire(self, now_ns: int) -> int | None:
        """Forget what has aged; return when the next entry will, or None."""
        for entry in list(self):
            if entry.is_static:
                continue
            if len(self._entries) <= self.max_entries and not self._has_aged(entry, now_ns):
                return entry.updated_ns + self.ageing_ns
            self._expire(entry)
        return None

    @property
    def n_static(self) -> int:
        """How many entries are static."""
        return sum(entry.is_static for entry in self)

    def __iter__(self) -> Iterator[MacEntry[PortT]]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def _has_aged(self, entry: MacEntry[PortT], now_ns: int) -> bool:
        return not entry.is_static and now_ns - entry.updated_ns >= self.ageing_ns

    def _insert(self, mac: int, vlan: int, port: PortT, now_ns: int) -> MacEntry[PortT]:
        if len(self._entries) >= self.max_entries:
            self._evict_fairly()
        entry = self._entries[mac, vlan] = MacEntry(mac, vlan, port)
        entry.updated_ns = _second_of(now_ns)
        self._join_port(entry)
        self.on_change(mac, vlan)
        return entry

    def _touch(self, entry: MacEntry[PortT], now_ns: int) -> None:
        key = entry.mac, entry.vlan
        entry.updated_ns = _second_of(now_ns)
        for order in (self._entries, self._by_port[entry.port]):
            order[key] = order.pop(key)

    def _move(self, entry: MacEntry[PortT], port: PortT) -> None:
        self._leave_port(entry)
        entry.port = port
        self._join_port(entry)
        self.on_change(entry.mac, entry.vlan)

    def _evict_fairly(self) -> None:
        fullest = self._by_port[self._fullest.top()]
        self.total_evicted += 1
        self.events["mac_learning_evicted"] += 1
        self._remove(next(iter(fullest.values())))

    def _expire(self, entry: MacEntry[PortT]) -> None:
        self.total_expired += 1
        self.events["mac_learning_expired"] += 1
        self._remove(entry)

    def _remove(self, entry: MacEntry[PortT]) -> None:
        del self._entries[entry.mac, entry.vlan]
        self._leave_port(entry)
        self.on_change(entry.mac, entry.vlan)

    def _join_port(self, entry: MacEntry[PortT]) -> None:
        self._by_port.setdefault(entry.port, {})[entry.mac, entry.vlan] = entry
        self._fullest.add(entry.port)

    def _leave_port(self, entry: MacEntry[PortT]) -> None:
        self._fullest.remove(entry.port)
        stations = self._by_port[entry.port]
        del stations[entry.mac, entry.vlan]
        if not stations:
            del self._by_port[entry.port]


def _nothing(_mac: int, _vlan: int) -> None:
    return None


def _second_of(now_ns: int) -> int:
    return now_ns - now_ns % NS_PER_S

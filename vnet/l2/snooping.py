"""What ports listen to what multicast group, and where multicast routers are (RFC 4541).

The table of one bridge, per VLAN. Members and routers age; when the table is full, the group that
nobody has joined for longest makes room. Times are whole seconds of the bridge's clock, as Open
vSwitch counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from vnet.base.units import NS_PER_S

PortT = TypeVar("PortT")

DEFAULT_AGEING_S = 300
DEFAULT_MAX_GROUPS = 2048
ROUTER_AGEING_S = 180
"""How long a port is one with a multicast router behind it after the last query."""

_AGEING_RANGE_S = (15, 3600)
_SIZE_RANGE = (10, 1_000_000)

GroupKey = tuple[bytes, int]
"""A group's address, 16 bytes, and a VLAN."""


class Group(Generic[PortT]):
    """A group in a VLAN; ``members`` says until what second each port belongs to it, who joined
    last at the end.
    """

    __slots__ = ("address", "members", "vlan")

    def __init__(self, address: bytes, vlan: int) -> None:
        self.address = address
        self.vlan = vlan
        self.members: dict[PortT, int] = {}


class Snooping(Generic[PortT]):
    """The table of one bridge. Iteration gives the groups, who was joined last at the end.

    ``on_change`` is called when traffic may have to go another way. ``flood_unregistered`` is
    whether traffic to groups that nobody has joined goes everywhere, or to routers only.
    """

    def __init__(self) -> None:
        self.ageing_s = DEFAULT_AGEING_S
        self.max_groups = DEFAULT_MAX_GROUPS
        self.flood_unregistered = True
        self.on_change: Callable[[], None] = _nothing
        self.flood_ports: dict[PortT, None] = {}
        """Ports that get every group's traffic, and that nothing is learned of."""
        self.report_ports: dict[PortT, None] = {}
        """Ports that get every report, as routers do."""
        # Dictionaries keep the order of insertion: whoever is used goes to the end.
        self._groups: dict[GroupKey, Group[PortT]] = {}
        self._routers: dict[tuple[int, PortT], int] = {}

    def __iter__(self) -> Iterator[Group[PortT]]:
        return iter(self._groups.values())

    def __len__(self) -> int:
        return len(self._groups)

    # -- settings

    def configure(self, *, ageing_s: int, max_groups: int, flood_unregistered: bool) -> None:
        """Change the limits, kept to the ranges that Open vSwitch keeps to.

        Another ageing counts for members that are there already, too.
        """
        ageing_s = min(max(ageing_s, _AGEING_RANGE_S[0]), _AGEING_RANGE_S[1])
        for group in self:
            for port in group.members:
                group.members[port] += ageing_s - self.ageing_s
        self.ageing_s = ageing_s
        self.max_groups = min(max(max_groups, _SIZE_RANGE[0]), _SIZE_RANGE[1])
        if flood_unregistered != self.flood_unregistered:
            self.flood_unregistered = flood_unregistered
            self.on_change()

    def set_flood(self, port: PortT, *, traffic: bool, reports: bool) -> None:
        """Whether a port gets all traffic of groups, and all reports."""
        self._set(self.flood_ports, port, traffic)
        self._set(self.report_ports, port, reports)

    def _set(self, ports: dict[PortT, None], port: PortT, is_wanted: bool) -> None:
        if is_wanted and port not in ports:
            ports[port] = None
            self.on_change()
        elif not is_wanted and port in ports:
            del ports[port]
            self.on_change()

    # -- what is heard

    def join(self, address: bytes, vlan: int, port: PortT, now_ns: int) -> bool:
        """Somebody behind a port wants a group; True if the group is new.

        A port that gets the traffic anyway becomes no member, or it would get it twice.
        """
        if self.is_router(vlan, port) or port in self.flood_ports:
            return False
        key = address, vlan
        group = self._groups.pop(key, None)
        is_new = group is None
        if group is None:
            if len(self._groups) >= self.max_groups:
                del self._groups[next(iter(self._groups))]
            group = Group(address, vlan)
        self._groups[key] = group
        was_member = group.members.pop(port, None) is not None
        group.members[port] = now_ns // NS_PER_S + self.ageing_s
        if is_new or not was_member:
            self.on_change()
        return is_new

    def leave(self, address: bytes, vlan: int, port: PortT) -> bool:
        """Nobody behind a port wants a group any more; True if the port was a member.

        Behind a port that gets all reports there may be others: it stays until it ages.
        """
        group = self._groups.get((address, vlan))
        if port in self.report_ports or group is None or port not in group.members:
            return False
        del group.members[port]
        self.on_change()
        return True

    def add_router(self, vlan: int, port: PortT, now_ns: int) -> bool:
        """A multicast router asked from behind a port; True if it is new."""
        if port in self.flood_ports:
            return False
        is_new = self._routers.pop((vlan, port), None) is None
        self._routers[vlan, port] = now_ns // NS_PER_S + ROUTER_AGEING_S
        if is_new:
            self.on_change()
        return is_new

    # -- looking up

    def lookup(self, address: bytes, vlan: int) -> Group[PortT] | None:
        """The group, if it is known; it may have lost its members already."""
        return self._groups.get((address, vlan))

    def is_router(self, vlan: int, port: PortT) -> bool:
        """Whether there is a multicast router behind a port."""
        return (vlan, port) in self._routers

    def routers(self) -> Iterator[tuple[int, PortT, int]]:
        """VLAN, port and the second until which it counts, who asked last at the end."""
        for (vlan, port), until_s in self._routers.items():
            yield vlan, port, until_s

    def member_age_s(self, until_s: int, now_ns: int) -> int:
        """Whole seconds since a member joined."""
        return self.ageing_s - (until_s - now_ns // NS_PER_S)

    # -- forgetting

    def flush(self) -> None:
        """Forget groups and routers (``mdb/flush``)."""
        if self._groups or self._routers:
            self._groups.clear()
            self._routers.clear()
            self.on_change()

    def flush_port(self, port: PortT) -> None:
        """Forget what was heard by a port."""
        for key, group in list(self._groups.items()):
            if group.members.pop(port, None) is not None:
                self.on_change()
                if not group.members:
                    del self._groups[key]
        for router in [router for router in self._routers if router[1] is port]:
            del self._routers[router]
            self.on_change()

    def forget_port(self, port: PortT) -> None:
        """A port is gone for good."""
        self.flush_port(port)
        self.set_flood(port, traffic=False, reports=False)

    def expire(self, now_ns: int) -> int | None:
        """Forget what has aged; return when there is something to forget next, or None.

        Only the group that was joined longest ago is looked at, and the next once it is gone: a
        member of a group that others have joined since stays as long as they do, and so does a
        group that has lost its last member.
        """
        now_s = now_ns // NS_PER_S
        while self._groups:
            key, group = next(iter(self._groups.items()))
            if len(self._groups) > self.max_groups:
                del self._groups[key]
            elif not self._prune(key, group, now_s):
                break
            self.on_change()
        for router, until_s in list(self._routers.items()):
            if until_s > now_s:
                break
            del self._routers[router]
            self.on_change()
        return self._next_due_ns()

    def _prune(self, key: GroupKey, group: Group[PortT], now_s: int) -> bool:
        """Forget a group's members that have aged, and the group if none is left."""
        aged = [port for port, until_s in group.members.items() if until_s <= now_s]
        for port in aged:
            del group.members[port]
        if not group.members:
            del self._groups[key]
        return bool(aged) or not group.members

    def _next_due_ns(self) -> int | None:
        due_s = list(self._routers.values())[:1]
        if self._groups:
            oldest = next(iter(self._groups.values()))
            due_s += list(oldest.members.values())[:1]
        return min(due_s) * NS_PER_S if due_s else None


def _nothing() -> None:
    return None

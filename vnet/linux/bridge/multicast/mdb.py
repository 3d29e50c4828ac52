"""The multicast database of a bridge: who listens to what (``bridge mdb``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from vnet.linux.timer_wheel import KernelTimer

if TYPE_CHECKING:
    from vnet.linux.bridge.multicast.sources import SourceFilter
    from vnet.linux.bridge.port import BridgePort
    from vnet.sim.scheduler import Scheduler

ANY_MEMBER = b"\xff" * 6


class GroupKey(NamedTuple):
    """A group in a VLAN (0: the bridge knows none): its IP address, or a MAC; with ``source``, only
    what that one sends."""

    address: bytes
    vid: int = 0
    source: bytes = b""


class Source:
    """A sender that somebody behind a port has named. It is wanted while its timer runs."""

    __slots__ = ("address", "is_installed", "queries_due", "timer")

    def __init__(self, address: bytes, timer: KernelTimer) -> None:
        self.address = address
        self.timer = timer
        self.is_installed = False
        """Whether it has an entry of its own."""
        self.queries_due = 0


class Member:
    """A port in a group. ``mac`` is who listens there, which counts where the port sends each of
    them a copy of its own (mcast_to_unicast).

    A permanent one does not age. ``by_user``: it was set, not learned. ``excludes``: it wants all
    sources, those left out that have their own entry. In the entry of one source ``is_implied``
    says that the port wants all of the group, ``is_blocked`` that it does not want this one.
    """

    __slots__ = (
        *("by_user", "excludes", "is_blocked", "is_implied", "is_permanent", "mac", "port"),
        *("queries_due", "requery", "sources", "timer"),
    )

    requery: KernelTimer
    """When it is asked once more whether somebody listens."""

    def __init__(self, port: BridgePort, mac: bytes, timer: KernelTimer, *, excludes: bool) -> None:
        self.port = port
        self.mac = mac
        self.timer = timer
        self.excludes = excludes
        self.is_permanent = False
        self.by_user = False
        self.is_blocked = self.is_implied = False
        self.sources: dict[bytes, Source] = {}
        self.queries_due = 0

    def is_of(self, port: BridgePort, mac: bytes) -> bool:
        """Whether it is the member that a report from ``mac`` by ``port`` speaks of."""
        return self.port is port and (not port.multicast_to_unicast or self.mac == mac)


class Group:
    """A group: its members by port number, and whether the host listens."""

    __slots__ = ("host_joined", "key", "members", "timer")

    def __init__(self, key: GroupKey, timer: KernelTimer) -> None:
        self.key = key
        self.timer = timer
        """When the host's membership ends, or the group does for want of members."""
        self.host_joined = False
        self.members: list[Member] = []

    def member(self, port: BridgePort, mac: bytes) -> Member | None:
        """The member that a report from ``mac`` by ``port`` speaks of, if there is one."""
        return next((member for member in self.members if member.is_of(port, mac)), None)


class MulticastDatabase:
    """The groups of one bridge, oldest first."""

    __slots__ = ("_groups", "_scheduler", "is_up", "sources")

    sources: SourceFilter

    def __init__(self, scheduler: Scheduler, is_up: Callable[[], bool]) -> None:
        self._scheduler = scheduler
        self._groups: dict[GroupKey, Group] = {}
        self.is_up = is_up
        """Whether time passes for the groups: not while the bridge is down."""

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def __len__(self) -> int:
        return len(self._groups)

    def get(self, key: GroupKey) -> Group | None:
        """The group, if it is known."""
        return self._groups.get(key)

    def add(self, key: GroupKey) -> Group:
        """A group that is not known yet."""
        timer = KernelTimer(self._scheduler, self._group_expired, key)
        group = self._groups[key] = Group(key, timer)
        return group

    def add_member(self, group: Group, port: BridgePort, mac: bytes, *, excludes: bool) -> Member:
        """A port that is no member yet; members stand in the order of ports' numbers."""
        timer = KernelTimer(self._scheduler, self._member_expired, group, port, mac)
        member = Member(port, mac, timer, excludes=excludes)
        member.requery = KernelTimer(self._scheduler, self.sources.ask_again, group, member)
        at = sum(1 for other in group.members if other.port.number < port.number)
        group.members.insert(at, member)
        return member

    def remove_member(self, group: Group, member: Member) -> None:
        """A port wants no more of a group; one that nobody wants is gone in a moment."""
        member.timer.cancel()
        self.sources.forget(group, member)
        group.members.remove(member)
        if not group.members and not group.host_joined and self.is_up():
            group.timer.arm(0)

    def remove_port(self, port: BridgePort, *, permanent: bool) -> None:
        """Forget who listens behind a port; those set by hand for good with ``permanent``."""
        for group in list(self):
            for member in [m for m in group.members if m.port is port]:
                if permanent or not member.is_permanent:
                    self.remove_member(group, member)

    def _group_expired(self, key: GroupKey) -> None:
        group = self._groups[key]
        if not self.is_up():
            return
        group.host_joined = False
        if not group.members:
            del self._groups[key]

    def _member_expired(self, group: Group, port: BridgePort, mac: bytes) -> None:
        member = next(m for m in group.members if m.port is port and m.mac == mac)
        if self.is_up() and not member.is_permanent:
            self.sources.member_expired(group, member)

"""What a snooping bridge makes of messages: members, queriers, routers, and questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason, drop_reason
from vnet.linux.bridge.multicast import messages
from vnet.linux.bridge.multicast.mdb import Group, GroupKey, Member, MulticastDatabase
from vnet.linux.bridge.multicast.querier import Querier
from vnet.linux.bridge.multicast.reading import (
    ALL_NODES,
    IPV4,
    IPV6,
    Kind,
    Reading,
    is_local_ipv4,
)
from vnet.linux.bridge.multicast.settings import KNOWS_SOURCES, MulticastSettings
from vnet.linux.bridge.multicast.sources import SourceFilter

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort
    from vnet.wire.igmp import Record

MULTICAST_MALFORMED = drop_reason(
    "bridge-multicast-malformed",
    cause="a bridge that snoops finds fault with a multicast frame's IP header, IGMP or MLD",
    cure="mend the sender: header, checksum and length must be right, and a general query must "
    "go to all hosts",
)
MDB_FULL = drop_reason(
    "bridge-mdb-full",
    cause="a report named one group more than the bridge remembers (mcast_hash_max)",
    cure="raise mcast_hash_max and turn mcast_snooping on again, which turned itself off",
)

_FAMILIES = (IPV4, IPV6)


class MulticastListener(ABC):
    """The database of one bridge, its queriers, and how they follow what is heard."""

    def __init__(self, bridge: Bridge) -> None:
        self.settings = MulticastSettings()
        self.database = MulticastDatabase(bridge.scheduler, lambda: bridge.device.admin_up)
        self.database.sources = SourceFilter(bridge.scheduler, self.settings, self.database, self)
        self.queriers = {
            family: Querier(
                bridge.scheduler, self.settings, bridge.ports, partial(self.ask_all, family)
            )
            for family in _FAMILIES
        }

    @abstractmethod
    def snoop(self, on: bool) -> None:
        """Listen in, or no more."""

    @abstractmethod
    def send_query(
        self,
        family: int,
        port: BridgePort | None,
        group: bytes | None,
        *,
        target: bytes | None = None,
        sources: tuple[bytes, ...] = (),
        suppresses: bool = False,
    ) -> bool:
        """Ask by a port, or the host; False without an address to ask from."""

    # -- what is heard

    def listen(
        self, port: BridgePort | None, reading: Reading, mac: bytes, vid: int
    ) -> DropReason | None:
        """Take note of a message; the reason why its frame goes nowhere, if it does not."""
        match reading.kind:
            case Kind.TRAFFIC:
                return None
            case Kind.MALFORMED:
                return MULTICAST_MALFORMED
            case Kind.ROUTER:
                self.queriers[reading.family].mark_router(port)
                return None
            case Kind.QUERY:
                self._hear_query(port, reading, vid)
                return None
            case Kind.LEAVE:
                key = GroupKey(messages.group_of(reading), vid)
                self._leave(reading.family, key, port, mac)
                return None
            case Kind.REPORT:
                key = GroupKey(messages.group_of(reading), vid)
                return self._join(reading.family, key, port, mac)
        return self._hear_records(port, reading, mac, vid)

    def _hear_records(
        self, port: BridgePort | None, reading: Reading, mac: bytes, vid: int
    ) -> DropReason | None:
        try:
            for record in messages.records(reading):
                key = GroupKey(record.group, vid)
                knows_sources = self.settings.version(reading.family) == KNOWS_SOURCES
                if port is not None and knows_sources:
                    reason = self._hear_sources(reading.family, key, port, mac, record)
                elif messages.is_leave(record):
                    self._leave(reading.family, key, port, mac)
                    reason = None
                else:
                    reason = self._join(reading.family, key, port, mac)
                if reason is not None:
                    return reason
        except messages.CutShortError:
            return MULTICAST_MALFORMED
        return None

    def _join(
        self, family: int, key: GroupKey, port: BridgePort | None, mac: bytes
    ) -> DropReason | None:
        if _is_flooded_always(family, key.address):
            return None
        group = self.group(key)
        if group is None:
            return MDB_FULL
        interval_ns = self.settings.membership_interval_ns
        if port is None:
            group.host_joined = True
            group.timer.arm(interval_ns)
            return None
        member = group.member(port, mac)
        if member is None:
            member = self.database.add_member(group, port, mac, excludes=True)
        if not member.is_permanent:
            member.timer.arm(interval_ns)
        return None

    def _hear_sources(
        self, family: int, key: GroupKey, port: BridgePort, mac: bytes, record: Record
    ) -> DropReason | None:
        """A record of a version that knows sources, while the bridge speaks it, too."""
        if _is_flooded_always(family, key.address):
            return None
        is_leave = messages.is_leave(record)
        group = self.database.get(key) if is_leave else self.group(key)
        if group is None:
            return None if is_leave else MDB_FULL
        member = group.member(port, mac)
        if member is None and not is_leave:
            member = self.database.add_member(group, port, mac, excludes=False)
        if member is not None and not member.is_permanent:
            self.database.sources.hear(group, member, record)
        return None

    def group(self, key: GroupKey) -> Group | None:
        """A group, new if it must be; None where there is no room, which ends all snooping."""
        group = self.database.get(key)
        if group is not None:
            return group
        if len(self.database) >= self.settings.hash_max:
            self.snoop(False)
            return None
        return self.database.add(key)

    def _leave(self, family: int, key: GroupKey, port: BridgePort | None, mac: bytes) -> None:
        group = self.database.get(key)
        if group is None or _is_flooded_always(family, key.address):
            return
        if port is not None and port.fast_leave:
            member = group.member(port, mac)
            if member is not None and not member.is_permanent:
                self.database.remove_member(group, member)
            return
        querier, settings = self.queriers[family], self.settings
        if querier.other.is_running:
            return
        last_ns = settings.last_member_time_ns
        if settings.querier:
            self.send_query(family, port, key.address)
            querier.ask_again_in(port, last_ns)
        if port is None:
            if group.host_joined:
                group.timer.advance(last_ns)
            return
        member = group.member(port, mac) or next((m for m in group.members if m.port is port), None)
        if member is not None:
            member.timer.advance(last_ns)

    def _hear_query(self, port: BridgePort | None, reading: Reading, vid: int) -> None:
        asked, family = messages.query(reading), reading.family
        if asked.asks_sources:
            return
        if asked.group is None:
            self.queriers[family].heard(port, reading.source, asked.response_ns)
            return
        if asked.suppresses and self.settings.version(family) == KNOWS_SOURCES:
            return
        group = self.database.get(GroupKey(asked.group, vid))
        if group is None:
            return
        left_ns = asked.response_ns * self.settings.last_member_count
        if group.host_joined:
            group.timer.advance(left_ns)
        for member in group.members:
            if member.timer.is_running or member.excludes:
                member.timer.advance(left_ns)

    # -- what is asked

    def ask_all(self, family: int, port: BridgePort | None) -> bool:
        """Ask about all groups by a port, or the host; False where it cannot."""
        return self.send_query(family, port, None)

    def may_ask(self, group: Group) -> bool:
        """Whether the bridge is the querier of the group's family."""
        return self.settings.querier and not self.queriers[family_of(group)].other.is_running

    def ask(
        self, group: Group, member: Member, sources: tuple[bytes, ...], *, suppresses: bool
    ) -> None:
        """Ask a member about its group, or about some of the sources."""
        self.send_query(
            family_of(group),
            member.port,
            group.key.address,
            target=group.key.address,
            sources=sources,
            suppresses=suppresses,
        )

    def new_group(self, like: Group, source: bytes) -> Group | None:
        """The entry of one source of a group; None where there is no room."""
        return self.group(like.key._replace(source=source))


def family_of(group: Group) -> int:
    """IPv4 or IPv6, of a group that has one."""
    return IPV4 if len(group.key.address) == 4 else IPV6


def _is_flooded_always(family: int, group: bytes) -> bool:
    return is_local_ipv4(group) if family == IPV4 else group == ALL_NODES

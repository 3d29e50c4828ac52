"""What sources a port wants of a group: the router's side of IGMPv3 and MLDv2 (RFC 3376 section 6).

A member of a group includes sources, or excludes them. A source whose timer runs is wanted; where
others are excluded, one whose timer does not run is not. Each source that anybody has named has an
entry of its own in the database, (S,G), by which its frames are sent: with the ports that want it
and, so that nobody misses it, those that want all of the group.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from vnet.linux.bridge.multicast.mdb import Group, Member, MulticastDatabase, Source
from vnet.linux.timer_wheel import KernelTimer
from vnet.wire import igmp

if TYPE_CHECKING:
    from vnet.linux.bridge.multicast.settings import MulticastSettings
    from vnet.sim.scheduler import Scheduler

_MOST_SOURCES = 32
"""How many sources of a group are remembered for a port (PG_SRC_ENT_LIMIT)."""


class Asker(Protocol):
    """Who asks by a port whether somebody still listens."""

    def may_ask(self, group: Group) -> bool:
        """Whether the bridge is the querier of the group's family."""

    def ask(
        self, group: Group, member: Member, sources: tuple[bytes, ...], *, suppresses: bool
    ) -> None:
        """Ask about a group, or about some of its sources."""

    def new_group(self, like: Group, source: bytes) -> Group | None:
        """The entry of one source of a group; None where there is no room."""


class SourceFilter:
    """The sources of all members of one bridge's groups."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: MulticastSettings,
        database: MulticastDatabase,
        asker: Asker,
    ) -> None:
        self._scheduler = scheduler
        self._settings = settings
        self._database = database
        self._asker = asker

    # -- reports

    def hear(self, group: Group, member: Member, record: igmp.Record) -> None:
        """A record about a group, from a port that is a member of it."""
        match record.type:
            case igmp.MODE_IS_EXCLUDE:
                self._exclude(group, member, record.sources, asks=False)
            case igmp.CHANGE_TO_EXCLUDE:
                self._exclude(group, member, record.sources, asks=True)
            case igmp.CHANGE_TO_INCLUDE:
                self._include(group, member, record.sources)
            case igmp.BLOCK_OLD_SOURCES:
                self._block(group, member, record.sources)
            case _:
                self._allow(group, member, record.sources)

    def _allow(self, group: Group, member: Member, addresses: Iterable[bytes]) -> None:
        for address in addresses:
            source = self._source(group, member, address)
            if source is not None:
                self._want(group, member, source, self._settings.membership_interval_ns)

    def _exclude(
        self, group: Group, member: Member, addresses: tuple[bytes, ...], *, asks: bool
    ) -> None:
        """Everything but these sources is wanted; others that were named no longer matter."""
        named = set(addresses)
        asked = []
        fresh_ns = member.timer.left_ns if asks else self._settings.membership_interval_ns
        for address in addresses:
            is_new = address not in member.sources
            source = self._source(group, member, address)
            if source is None:
                continue
            if member.excludes and is_new:
                self._want(group, member, source, fresh_ns)
            elif not member.excludes:
                self._forward(group, member, source)
            if source.timer.is_running and (member.excludes or not is_new):
                asked.append(source)
        for source in [s for a, s in member.sources.items() if a not in named]:
            self._drop(group, member, source)
        if asks and asked:
            self._ask_about(group, member, asked)
        if not member.excludes:
            member.excludes = True
            self._mode_changed(group, member)
        member.timer.arm(self._settings.membership_interval_ns)

    def _include(self, group: Group, member: Member, addresses: tuple[bytes, ...]) -> None:
        """Only these sources are wanted; whoever wants others has to say so."""
        asked = [
            source
            for address, source in member.sources.items()
            if address not in addresses and (not member.excludes or source.timer.is_running)
        ]
        self._allow(group, member, addresses)
        if asked:
            self._ask_about(group, member, asked)
        if member.excludes:
            self._ask_group(group, member)

    def _block(self, group: Group, member: Member, addresses: tuple[bytes, ...]) -> None:
        """Somebody wants no more of these sources."""
        asked = []
        for address in addresses:
            known = member.sources.get(address)
            if known is None and member.excludes:
                known = self._source(group, member, address)
                if known is not None:
                    self._want(group, member, known, member.timer.left_ns)
            if known is not None and known.timer.is_running:
                asked.append(known)
        if asked:
            self._ask_about(group, member, asked)
        if not member.excludes and not member.sources:
            self._database.remove_member(group, member)

    # -- sources and their entries

    def _source(self, group: Group, member: Member, address: bytes) -> Source | None:
        source = member.sources.get(address)
        if source is not None:
            return source
        if len(member.sources) >= _MOST_SOURCES or not _can_be_source(address):
            return None
        source = Source(address, KernelTimer(self._scheduler, _nothing))
        source.timer = KernelTimer(self._scheduler, self._source_expired, group, member, source)
        member.sources[address] = source
        return source

    def _want(self, group: Group, member: Member, source: Source, for_ns: int) -> None:
        source.timer.arm(for_ns)
        self._forward(group, member, source)

    def _forward(self, group: Group, member: Member, source: Source) -> None:
        """Give a source its entry, and block it there for this port or not."""
        if not source.is_installed:
            self._install(group, member, source)
        entry = self._entry(group, source)
        own = None if entry is None else entry.member(member.port, member.mac)
        if own is not None and not own.is_permanent:
            own.is_blocked = not source.timer.is_running

    def _entry(self, group: Group, source: Source) -> Group | None:
        return self._database.get(group.key._replace(source=source.address))

    def _install(self, group: Group, member: Member, source: Source) -> None:
        entry = self._asker.new_group(group, source.address)
        if entry is None:
            return
        source.is_installed = True
        own = entry.member(member.port, member.mac)
        if own is None:
            own = self._database.add_member(entry, member.port, member.mac, excludes=False)
        own.is_implied = False
        if own.by_user and own.is_permanent:
            return
        own.timer.cancel()
        entry.host_joined |= group.host_joined
        for other in group.members:
            if other is not member and other.excludes:
                self._imply(entry, other)

    def _imply(self, entry: Group, member: Member) -> None:
        """A port that wants all of the group wants this source, too."""
        if all(known.port is not member.port for known in entry.members):
            implied = self._database.add_member(entry, member.port, member.mac, excludes=False)
            implied.is_implied = True

    def _drop(self, group: Group, member: Member, source: Source) -> None:
        """A source no longer matters to a port."""
        source.timer.cancel()
        del member.sources[source.address]
        entry = self._entry(group, source)
        own = None if entry is None else entry.member(member.port, member.mac)
        if entry is not None and own is not None and not (own.by_user and own.is_permanent):
            self._remove_from_entry(entry, own)

    def _remove_from_entry(self, entry: Group, member: Member) -> None:
        self._database.remove_member(entry, member)
        left = [known for known in entry.members if not known.is_permanent]
        if all(known.is_implied for known in left):
            entry.host_joined = False
            for known in left:
                self._database.remove_member(entry, known)

    def _mode_changed(self, group: Group, member: Member) -> None:
        """A port has begun, or ceased, to want all of a group: it is in the others' entries, or
        not."""
        for other in group.members:
            if other is member:
                continue
            for source in other.sources.values():
                entry = self._entry(group, source) if source.is_installed else None
                if entry is None:
                    continue
                if member.excludes:
                    self._imply(entry, member)
                    continue
                own = entry.member(member.port, member.mac)
                if own is not None and own.is_implied:
                    self._remove_from_entry(entry, own)

    def forget(self, group: Group, member: Member) -> None:
        """A port is no member any more."""
        member.requery.cancel()
        if group.key.source:
            return
        for source in list(member.sources.values()):
            self._drop(group, member, source)
        if member.excludes:
            member.excludes = False
            self._mode_changed(group, member)

    # -- time

    def member_expired(self, group: Group, member: Member) -> None:
        """Nobody has said for long that all of the group is wanted."""
        was_excluding = member.excludes
        member.excludes = False
        for source in [s for s in member.sources.values() if not s.timer.is_running]:
            self._drop(group, member, source)
        if not member.sources:
            self._database.remove_member(group, member)
        elif was_excluding:
            self._mode_changed(group, member)

    def _source_expired(self, group: Group, member: Member, source: Source) -> None:
        if not self._database.is_up():
            return
        if member.requery.due_ns == self._scheduler.now_ns:
            # Of timers that end in one tick the kernel takes first what was armed last.
            member.requery.cancel()
            self.ask_again(group, member)
        if member.excludes:
            self._forward(group, member, source)
            return
        self._drop(group, member, source)
        if not member.sources:
            self._database.remove_member(group, member)

    # -- questions

    def _ask_about(self, group: Group, member: Member, sources: list[Source]) -> None:
        """Give sources up soon, and ask before."""
        settings = self._settings
        asks = self._asker.may_ask(group)
        for source in sources:
            if not source.timer.is_running or source.timer.left_ns > settings.last_member_time_ns:
                if asks:
                    source.queries_due = settings.last_member_count
                self._want(group, member, source, settings.last_member_time_ns)
        if asks:
            member.requery.advance(settings.last_member_interval_ns)

    def _ask_group(self, group: Group, member: Member) -> None:
        settings = self._settings
        if self._asker.may_ask(group):
            member.queries_due = settings.last_member_count - 1
            self._asker.ask(group, member, (), suppresses=False)
            member.requery.advance(settings.last_member_interval_ns)
        member.timer.advance(settings.last_member_time_ns)

    def ask_again(self, group: Group, member: Member) -> None:
        """The time between two questions about a group's last members is over."""
        if not self._database.is_up() or not self._asker.may_ask(group):
            return
        if member.queries_due:
            member.queries_due -= 1
            self._asker.ask(group, member, (), suppresses=True)
        due = [source for source in reversed(member.sources.values()) if source.queries_due]
        for source in due:
            source.queries_due -= 1
        if due:
            addresses = tuple(source.address for source in due)
            self._asker.ask(group, member, addresses, suppresses=False)
        if member.queries_due or any(source.queries_due for source in due):
            member.requery.arm(self._settings.last_member_interval_ns)


def _can_be_source(address: bytes) -> bool:
    """No machine has an address of network 0, or a group's."""
    if len(address) == 4:
        return address[0] != 0 and address[0] >> 4 != 0xE
    return any(address) and address[0] != 0xFF


def _nothing() -> None:
    return None

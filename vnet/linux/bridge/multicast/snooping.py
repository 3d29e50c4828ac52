"""A Linux bridge that listens in to IGMP and MLD, and what becomes of a multicast frame there.

Until somebody asks for reports, groups are flooded: what nobody was asked about may be wanted. From
then on a frame goes to the members of its group, and to multicast routers; one whose group
nobody knows goes to routers alone. 224.0.0.x and ff02::1 are flooded in any case.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from vnet.base.drops import DropReason, drop_reason
from vnet.linux.bridge.multicast import messages
from vnet.linux.bridge.multicast.mdb import (
    ANY_MEMBER,
    Group,
    GroupKey,
    Member,
    MulticastDatabase,
)
from vnet.linux.bridge.multicast.querier import Querier
from vnet.linux.bridge.multicast.queries import query_frame
from vnet.linux.bridge.multicast.reading import (
    ALL_NODES,
    IPV4,
    IPV6,
    LAYER2,
    Kind,
    Reading,
    is_local_ipv4,
    read,
)
from vnet.linux.bridge.multicast.settings import (
    ROUTER_DISABLED,
    ROUTER_LEARNED,
    ROUTER_PERMANENT,
    ROUTER_TEMPORARY,
    MulticastSettings,
)
from vnet.linux.bridge.state import PortState
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort
    from vnet.linux.bridge.vlan import Passage

MULTICAST_MALFORMED = drop_reason(
    "bridge-multicast-malformed",
    cause="a bridge that snoops finds fault with a multicast frame's IP header, IGMP or MLD",
    cure="mend the sender: header, checksum and length must be right, and a general query must "
    "go to all hosts",
)
MULTICAST_UNWANTED = drop_reason(
    "bridge-multicast-unwanted",
    cause="the bridge asks who listens to what (multicast snooping), and nobody wants this group",
    cure="have the receiver join the group, or turn snooping off (mcast_snooping 0)",
    routine=True,
)
MDB_FULL = drop_reason(
    "bridge-mdb-full",
    cause="a report named one group more than the bridge remembers (mcast_hash_max)",
    cure="raise mcast_hash_max and turn mcast_snooping on again, which turned itself off",
)

_ANY_4 = bytes(4)
_FAMILIES = (IPV4, IPV6)


class HostAddresses(Protocol):
    """The IP stack behind the bridge, which may lend the bridge an address to ask from."""

    def query_source(self, family: int) -> bytes | None:
        """An address of the host for queries on this bridge, or None."""


class MulticastSnooping:
    """Groups, queriers and routers of one bridge; ``is_on`` is ``mcast_snooping``.

    ``router`` says whether the host counts as a multicast router (``mcast_router``).
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.is_on = True
        self.router = ROUTER_LEARNED
        self.host: HostAddresses | None = None
        self.settings = MulticastSettings()
        self.database = MulticastDatabase(bridge.scheduler, lambda: bridge.device.admin_up)
        self.queriers = {
            family: Querier(
                bridge.scheduler,
                self.settings,
                bridge.ports,
                partial(self._send_general_query, family),
            )
            for family in _FAMILIES
        }

    # -- settings

    def set_on(self, on: bool) -> None:
        """``mcast_snooping``. Turned off, all is forgotten but what the user and the host want."""
        if on == self.is_on:
            return
        self._snoop(on)
        for port in reversed(self._bridge.ports):
            if not on:
                self.disable_port(port)
            elif port.state is not PortState.DISABLED:
                self.enable_port(port)
        if on and self._bridge.device.admin_up:
            self.open()

    def _snoop(self, on: bool) -> None:
        self.is_on = on
        for querier in self.queriers.values():
            querier.is_snooping = on

    def set_querier(self, on: bool) -> None:
        """``mcast_querier``."""
        if on != self.settings.querier:
            self.settings.querier = on
            if on:
                for querier in self.queriers.values():
                    querier.turned_on()

    def set_port_router(self, port: BridgePort, kind: int) -> None:
        """A port's ``mcast_router``, 0 to 3."""
        was, port.multicast_router = port.multicast_router, kind
        for querier in self.queriers.values():
            if kind == ROUTER_TEMPORARY:
                querier.mark_router(port)
            elif kind == was:
                continue
            elif kind == ROUTER_PERMANENT:
                querier.remove_router(port)
                querier.add_router(port)
            else:
                querier.remove_router(port)

    # -- the bridge and its ports

    def open(self) -> None:
        """The bridge was set up."""
        for querier in self.queriers.values():
            querier.start()

    def close(self) -> None:
        """The bridge was set down."""
        for querier in self.queriers.values():
            querier.stop()

    def enable_port(self, port: BridgePort) -> None:
        """The spanning tree has considered a port's state, and it is not blocked."""
        if self.is_on and self._bridge.device.admin_up:
            for querier in self.queriers.values():
                querier.enable_port(port)

    def disable_port(self, port: BridgePort) -> None:
        """A port is disabled: who listened there is forgotten."""
        self.database.remove_port(port, permanent=False)
        for querier in self.queriers.values():
            querier.disable_port(port)

    def forget_port(self, port: BridgePort) -> None:
        """A port has left the bridge."""
        self.database.remove_port(port, permanent=True)

    # -- frames

    def relay(self, port: BridgePort | None, frame: Frame, passage: Passage | None = None) -> None:
        """A frame to a group came in by ``port``; None: the host sends it.

        ``passage``: the VLAN that it was let into, where the bridge filters.
        """
        bridge = self._bridge
        reading = read(frame.data)
        vid = 0 if passage is None else passage.vid
        reason = self._listen(port, reading, frame.data[6:12], vid)
        if reason is not None:
            return (bridge.device if port is None else port.device).drop(frame, reason)
        group = None if reading.is_control else self._lookup(reading, vid)
        if (group is not None or reading.for_routers) and self._is_trusted(reading.family, group):
            return self._send_to_wanting(group, port, frame, reading.family, passage)
        return bridge.flood_multicast(port, frame, passage)

    def _is_trusted(self, family: int, group: Group | None) -> bool:
        if family == LAYER2:
            return group is not None
        return self.queriers[family].exists

    def _lookup(self, reading: Reading, vid: int) -> Group | None:
        key = GroupKey(reading.target, vid)
        if reading.family != LAYER2 and self.settings.version(reading.family) == 3:
            group = self.database.get(key._replace(source=reading.source))
            if group is not None:
                return group
        return self.database.get(key)

    def _send_to_wanting(
        self,
        group: Group | None,
        port: BridgePort | None,
        frame: Frame,
        family: int,
        passage: Passage | None,
    ) -> None:
        """Send to members and routers, each port once."""
        is_router = self._host_is_router(family)
        up = port is not None and ((group is not None and group.host_joined) or is_router)
        routers = self.queriers[family].routers() if family != LAYER2 else []
        members = [] if group is None else group.members
        targets: dict[BridgePort, list[Member]] = {router: [] for router in routers}
        for member in members:
            if member.port not in routers:
                targets.setdefault(member.port, []).append(member)
        bridge = self._bridge
        plain = [out for out, known in targets.items() if not _gets_copies(out, known)]
        copies = [(out, known) for out, known in targets.items() if _gets_copies(out, known)]
        for out, known in copies:
            for member in known:
                if out is port and member.mac == frame.data[6:12]:
                    continue
                copy = Frame(member.mac + frame.data[6:], frame.meta)
                bridge.flood_to((out,), port, copy, passage, may_miss=True)
        plain.sort(key=lambda out: out.number)
        bridge.flood_to(plain, port, frame, passage, up=up, may_miss=bool(copies))

    def _host_is_router(self, family: int) -> bool:
        if self.router == ROUTER_PERMANENT:
            return True
        if self.router == ROUTER_DISABLED or family == LAYER2:
            return False
        return self.queriers[family].host_router.is_running

    # -- what is heard

    def _listen(
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
                if messages.is_leave(record):
                    self._leave(reading.family, key, port, mac)
                elif reason := self._join(reading.family, key, port, mac):
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

    def group(self, key: GroupKey) -> Group | None:
        """A group, new if it must be; None where there is no room, which ends all snooping."""
        group = self.database.get(key)
        if group is not None:
            return group
        if len(self.database) >= self.settings.hash_max:
            self._snoop(False)
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
            self._send_query(family, port, key.address)
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
        if asked.suppresses and self.settings.version(family) == 3:
            return
        group = self.database.get(GroupKey(asked.group, vid))
        if group is None:
            return
        left_ns = asked.response_ns * self.settings.last_member_count
        if group.host_joined:
            group.timer.advance(left_ns)
        for member in group.members:
            member.timer.advance(left_ns)

    # -- what is asked

    def _send_general_query(self, family: int, port: BridgePort | None) -> bool:
        return self._send_query(family, port, None)

    def _send_query(self, family: int, port: BridgePort | None, group: bytes | None) -> bool:
        """Ask by a port, or the host; False without an address to ask from."""
        device = self._bridge.device
        source = self._query_source(family)
        if source is None:
            return False
        data = query_frame(family, self.settings, device.mac, source, group)
        if port is not None:
            port.device.transmit(Frame(data, port.device.follow("made", data)))
        else:
            self.queriers[family].address = source
            if self._bridge.has_host and device.admin_up:
                device.receive(Frame(data, device.follow("made", data)))
        return True

    def _query_source(self, family: int) -> bytes | None:
        if family == IPV4 and not self.settings.query_use_ifaddr:
            return _ANY_4
        source = None if self.host is None else self.host.query_source(family)
        return _ANY_4 if source is None and family == IPV4 else source


def _gets_copies(port: BridgePort, members: list[Member]) -> bool:
    return port.multicast_to_unicast and any(member.mac != ANY_MEMBER for member in members)


def _is_flooded_always(family: int, group: bytes) -> bool:
    return is_local_ipv4(group) if family == IPV4 else group == ALL_NODES

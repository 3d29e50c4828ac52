"""A Linux bridge that listens in to IGMP and MLD, and what becomes of a multicast frame there.

Until somebody asks for reports, groups are flooded: what nobody was asked about may be wanted. From
then on a frame goes to the members of its group, and to multicast routers; one whose group
nobody knows goes to routers alone. 224.0.0.x and ff02::1 are flooded in any case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vnet.base.drops import drop_reason
from vnet.linux.bridge.multicast.listener import MulticastListener
from vnet.linux.bridge.multicast.mdb import (
    ANY_MEMBER,
    Group,
    GroupKey,
    Member,
)
from vnet.linux.bridge.multicast.queries import query_frame
from vnet.linux.bridge.multicast.reading import (
    IPV4,
    IPV6,
    LAYER2,
    Reading,
    read,
)
from vnet.linux.bridge.multicast.settings import (
    KNOWS_SOURCES,
    ROUTER_DISABLED,
    ROUTER_LEARNED,
    ROUTER_PERMANENT,
    ROUTER_TEMPORARY,
)
from vnet.linux.bridge.state import PortState
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort
    from vnet.linux.bridge.vlan import Passage

MULTICAST_UNWANTED = drop_reason(
    "bridge-multicast-unwanted",
    cause="the bridge asks who listens to what (multicast snooping), and nobody wants this group",
    cure="have the receiver join the group, or turn snooping off (mcast_snooping 0)",
    routine=True,
)
_ANY_4 = bytes(4)
_FAMILIES = (IPV4, IPV6)


class HostAddresses(Protocol):
    """The IP stack behind the bridge, which may lend the bridge an address to ask from."""

    def query_source(self, family: int) -> bytes | None:
        """An address of the host for queries on this bridge, or None."""

    def join_snoopers(self, joins: bool) -> None:
        """Listen to what snooping switches say to each other (RFC 4286), or no more."""


class MulticastSnooping(MulticastListener):
    """Groups, queriers and routers of one bridge; ``is_on`` is ``mcast_snooping``.

    ``router`` says whether the host counts as a multicast router (``mcast_router``).
    """

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self.is_on = True
        self.router = ROUTER_LEARNED
        self.host: HostAddresses | None = None

    # -- settings

    def set_on(self, on: bool) -> None:
        """``mcast_snooping``. Turned off, all is forgotten but what the user and the host want."""
        if on == self.is_on:
            return
        self.snoop(on)
        for port in reversed(self._bridge.ports):
            if not on:
                self.disable_port(port)
            elif port.state is not PortState.DISABLED:
                self.enable_port(port)
        if on and self._bridge.device.admin_up:
            self.open()
        if self.host is not None:
            self.host.join_snoopers(on)

    def snoop(self, on: bool) -> None:
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
        reason = self.listen(port, reading, frame.data[6:12], vid)
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
        knows_sources = (
            reading.family != LAYER2 and self.settings.version(reading.family) == KNOWS_SOURCES
        )
        if knows_sources:
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
        members = [] if group is None else self._wanting(group, family)
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
                copy = frame.with_data(member.mac + frame.data[6:])
                bridge.flood_to((out,), port, copy, passage, may_miss=True)
        plain.sort(key=lambda out: out.number)
        bridge.flood_to(plain, port, frame, passage, up=up, may_miss=bool(copies))

    def _wanting(self, group: Group, family: int) -> list[Member]:
        """The members that frames of an entry go to."""
        if family == LAYER2 or self.settings.version(family) < KNOWS_SOURCES:
            return group.members
        if group.key.source:
            return [member for member in group.members if not member.is_blocked]
        return [member for member in group.members if member.excludes]

    def _host_is_router(self, family: int) -> bool:
        if self.router == ROUTER_PERMANENT:
            return True
        if self.router == ROUTER_DISABLED or family == LAYER2:
            return False
        return self.queriers[family].host_router.is_running

    # -- what is asked

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
        device = self._bridge.device
        source = self._query_source(family)
        if source is None:
            return False
        data = query_frame(
            family,
            self.settings,
            device.mac,
            source,
            group,
            target=target,
            sources=sources,
            suppresses=suppresses,
        )
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

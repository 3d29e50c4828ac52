"""The short way of forwarded IPv4 packets of a known connection, translated or not.

The first packet of a flow that takes the long way leaves a trail: what it was counted by. If
nothing that looked at it asked for more than its flow has in common, the packets behind it are
changed, counted and sent in one go. What differs from packet to packet is still looked at: whether
it is whole, may live on and fits, and what it is to its connection. Whatever fails here takes the
long way, which knows why; so does what is followed, for that way tells of what it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vnet.linux.netfilter.packet import TCP, UDP, NfPacket
from vnet.linux.netns.routing.road import END, IN_USE, PLAIN
from vnet.sim.frame import Frame
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.datagrams import note_datagram
from vnet.tables.conntrack.linux.segment import Segment
from vnet.tables.conntrack.linux.tcp_seen import TcpTracked
from vnet.tables.conntrack.linux.tcp_states import ESTABLISHED
from vnet.tables.conntrack.linux.tracking import PacketState
from vnet.wire.ether import HEADER_BYTES
from vnet.wire.tcp import ACK, PSH

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.neighbor import PendingPacket
    from vnet.linux.netns.way import Way
    from vnet.tables.conntrack.linux.tracker import Tracker
    from vnet.tables.neigh import Neighbor

_MOST_FLOWS = 4096
_PORTS_END = END + 4
_CHECK_AT = {TCP: END + 16, UDP: END + 6}
_ORDINARY = (ACK, ACK | PSH)
"""Flags of segments that open and close nothing."""


class Counting(Protocol):
    """A rule, or a chain's policy."""

    packet_count: int
    byte_count: int


class TrackedRoads:
    """The roads of all flows between two addresses, by protocol and ports."""

    __slots__ = ("_flows",)

    def __init__(self) -> None:
        self._flows: dict[bytes, TrackedRoad] = {}

    def carry(self, frame: Frame) -> bool:
        """Send a packet on; False if it must take the long way."""
        road = self._flows.get(frame.data[23:24] + frame.data[END:_PORTS_END])
        return road is not None and road.carry(frame)

    def add(self, frame: Frame, road: TrackedRoad) -> None:
        """The packets behind this one take this road."""
        if len(self._flows) >= _MOST_FLOWS:
            self._flows.clear()
        self._flows[frame.data[23:24] + frame.data[END:_PORTS_END]] = road


class TrackedRoad:
    """One flow: one direction of a connection that was answered."""

    __slots__ = (
        "_add",
        "_check_add",
        "_check_at",
        "_conn",
        "_counted",
        "_device",
        "_ends",
        "_is_reply",
        "_mtu_bytes",
        "_neighbors",
        "_next_hop",
        "_protocol",
        "_scheduler",
        "_source",
        "_tracker",
    )

    def __init__(self, tracker: Tracker, shown: NfPacket, way: Way, before: bytes) -> None:
        assert shown.track is not None
        assert shown.track.conn is not None
        self._tracker = tracker
        self._conn = shown.track.conn
        self._is_reply = shown.track.is_reply
        self._counted = tuple(shown.trail or ())
        self._device = way.out.device
        self._scheduler = way.out.device.scheduler
        self._mtu_bytes = way.mtu_bytes
        self._neighbors = way.out.arp_cache.table
        self._next_hop = way.next_hop
        self._source = way.out.device.mac + b"\x08\x00"
        self._protocol = before[9]
        self._ends = shown.data[12:24]
        # In ones' complement what is taken from the words is given to the sum (RFC 1624).
        self._add = _difference(before[12:20], shown.data[12:20]) + 0x100
        self._check_at = _CHECK_AT[self._protocol]
        self._check_add = _difference(before[12:24], shown.data[12:24])

    def carry(self, frame: Frame) -> bool:
        """Send a packet on; False if it must take the long way."""
        data = frame.data
        size = len(data) - HEADER_BYTES
        if (
            frame.meta is not None
            or data[14] != PLAIN
            or data[22] < 2
            or size > self._mtu_bytes
            or size != data[16] << 8 | data[17]
            or data[20] & 0x3F
            or data[21]
            or data[0] & 1
            or int.from_bytes(data[HEADER_BYTES:END], "big") % 0xFFFF
        ):
            return False
        neighbor: Neighbor[PendingPacket] | None = self._neighbors.get(self._next_hop)
        if neighbor is None or neighbor.state not in IN_USE or neighbor.mac is None:
            return False
        if not self._is_ordinary(data):
            return False
        neighbor.used_ns = self._scheduler.now_ns
        for counting in self._counted:
            counting.packet_count += 1
            counting.byte_count += size
        check = ((data[24] << 8 | data[25]) + self._add) % 0xFFFF
        word = (data[22] - 1) << 24 | data[23] << 16 | check
        at = self._check_at
        sent = (
            neighbor.mac
            + self._source
            + data[14:22]
            + word.to_bytes(4, "big")
            + self._ends
            + data[_PORTS_END:at]
            + self._check(data[at] << 8 | data[at + 1])
            + data[at + 2 :]
        )
        self._device.transmit(Frame(sent))
        return True

    def _is_ordinary(self, data: bytes) -> bool:
        """Whether a packet is one more of its connection, which then takes note of it."""
        conn, now_ns, settings = self._conn, self._scheduler.now_ns, self._tracker.settings
        if conn.status & status.DYING or conn.expires_ns <= now_ns:
            return False
        length = len(data) - END
        if self._protocol == UDP:
            if length < 8 or not 8 <= data[38] << 8 | data[39] <= length:
                return False
            has_check = data[40] or data[41]
        elif length < 20 or data[END + 13] not in _ORDINARY:
            return False
        else:
            has_check = True
        if has_check and settings.checks_checksums:
            # Addresses and segment stand together: one number, with what else is summed.
            number = int.from_bytes(data[26:], "big") << (length & 1) * 8
            if (number + self._protocol + length) % 0xFFFF:
                return False
        if self._protocol == UDP and conn.counted is None:
            note_datagram(conn, settings, now_ns)
            return True
        segment = Segment(data[HEADER_BYTES:], 4, self._protocol, END - HEADER_BYTES)
        return self._tracker.follow(conn, segment, self._is_reply, now_ns)

    def _check(self, check: int) -> bytes:
        """The transport's checksum after the change. UDP's 0 says that there is none."""
        if self._protocol == UDP:
            check = ((check + self._check_add) % 0xFFFF or 0xFFFF) if check else 0
        else:
            check = (check + self._check_add) % 0xFFFF
        return check.to_bytes(2, "big")


def _difference(before: bytes, after: bytes) -> int:
    """What a checksum gains when some words of what it covers become others."""
    return (int.from_bytes(before, "big") - int.from_bytes(after, "big")) % 0xFFFF


def pave(interface: Interface, shown: NfPacket, way: Way) -> None:
    """A packet of ``interface`` has left on its way: let those behind it take a road."""
    frame, track, netfilter = shown.frame, shown.track, shown.netfilter
    if frame is None or track is None or track.conn is None or not _is_settled(shown):
        return
    data = frame.data
    roads = interface.roads.get(data[26:34])
    if not isinstance(roads, TrackedRoads):
        roads = interface.roads[data[26:34]] = TrackedRoads()
    roads.add(frame, TrackedRoad(netfilter.conntrack, shown, way, data[HEADER_BYTES:]))


def _is_settled(shown: NfPacket) -> bool:
    """Whether all that was decided about a packet holds for the others of its flow."""
    track, frame = shown.track, shown.frame
    assert track is not None
    assert frame is not None
    conn, protocol = track.conn, shown.protocol
    if shown.trail is None or conn is None or track.state is not PacketState.ESTABLISHED:
        return False
    if frame.data[14] != PLAIN or shown.pieces is not None or shown.mark or conn.helper:
        return False
    if shown.bridge_entered is not None or not shown.netfilter.is_roadworthy:
        return False
    if protocol == TCP:
        tracked = conn.l4
        return isinstance(tracked, TcpTracked) and tracked.state == ESTABLISHED
    return protocol == UDP

"""A packet as those see it that look at it on the hooks.

Its bytes may be replaced (``packet.data = ...``); what is read of its headers is read when it is
asked for, and again after a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vnet.base.drops import DropReason
from vnet.linux.netfilter.pieces import Pieces
from vnet.sim.frame import Meta
from vnet.tables.conntrack.linux.tracking import PacketState, Tracking
from vnet.wire import ipv4, ipv6

if TYPE_CHECKING:
    from vnet.linux.netfilter.hooks import Hook
    from vnet.linux.netfilter.netfilter import Netfilter
    from vnet.linux.netfilter.road import Counting
    from vnet.netdev.device import NetDevice
    from vnet.sim.frame import Frame
    from vnet.tables.conntrack.linux.tracking import Template

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_PORTED = frozenset((TCP, UDP, 33, 132, 136))
"""Protocols that begin with two ports: those, DCCP, SCTP and UDP-Lite."""


class Layout(NamedTuple):
    """Where things are: the transport header of ``protocol`` begins ``at`` a byte.

    ``protocol`` is None where IPv6's chain of headers is cut off. A later fragment has no
    transport header.
    """

    protocol: int | None
    at: int
    is_later_fragment: bool


class NfPacket:
    """A packet at a hook.

    ``data`` is the IP packet (no Ethernet header, no padding), ``family`` 4 or 6. ``entered`` is
    the device it came by (None of our own), ``leaves`` the one it leaves by (None before that is
    known). Of a bridged packet both are the bridge's, and ``bridge_entered`` and
    ``bridge_leaves`` its ports. ``mark`` is the packet's mark (fwmark). ``track`` is what
    connection tracking says of it: None where it has not looked (``-m conntrack`` then calls it
    INVALID). ``template`` is what ``-j CT`` asks of tracking before it looks. ``frame`` is what
    brought the packet (None of our own), ``meta`` its trace. ``next_hop`` is known once the packet
    has a way, ``dropped`` once it is lost. ``pieces`` is set of one that came in fragments.
    ``trail`` is who has counted it, as long as nobody has asked for more than its flow has in
    common; None where nobody wants to know.
    """

    __slots__ = (
        "_data",
        "_layout",
        "bridge_entered",
        "bridge_leaves",
        "dropped",
        "entered",
        "family",
        "frame",
        "hook",
        "leaves",
        "mark",
        "meta",
        "netfilter",
        "next_hop",
        "pieces",
        "template",
        "track",
        "trail",
    )

    def __init__(
        self,
        netfilter: Netfilter,
        data: bytes,
        family: int,
        hook: Hook,
        *,
        entered: NetDevice | None = None,
        leaves: NetDevice | None = None,
        frame: Frame | None = None,
        meta: Meta | None = None,
        mark: int = 0,
    ) -> None:
        self.netfilter = netfilter
        self._data = data
        self._layout: Layout | None = None
        self.family = family
        self.hook = hook
        self.entered = entered
        self.leaves = leaves
        self.bridge_entered: NetDevice | None = None
        self.bridge_leaves: NetDevice | None = None
        self.frame = frame
        self.meta = meta
        self.mark = mark
        self.dropped: DropReason | None = None
        self.next_hop: bytes | None = None
        self.pieces: Pieces | None = None
        self.track: Tracking | None = None
        self.trail: list[Counting] | None = None
        self.template: Template | None = None

    @property
    def data(self) -> bytes:
        """The packet, header and all."""
        return self._data

    @data.setter
    def data(self, data: bytes) -> None:
        self._data = data
        self._layout = None

    def take_over(self, other: NfPacket) -> None:
        """What is known of a packet goes with it to the next place of the same machine.

        Of what belongs to no connection nothing is: it may be of one in another zone.
        """
        if other.netfilter is self.netfilter:
            is_known = other.track is not None and other.track.state is not PacketState.INVALID
            self.track = other.track if is_known else None
            self.mark, self.pieces = other.mark, other.pieces

    def answer(self, other: NfPacket) -> None:
        """This is our own answer to a packet, an error or a reset.

        It goes the other way of the same connection, even if that never comes into being.
        """
        track = other.track
        if track is not None and track.conn is not None:
            self.track = Tracking(track.conn, PacketState.RELATED, not track.is_reply)

    def meets(self, hook: Hook) -> bool:
        """Show the packet at a hook; False where it ends there, and is counted."""
        return self.netfilter.run(hook, self)

    @property
    def layout(self) -> Layout:
        """Where the headers are."""
        found = self._layout
        if found is None:
            found = self._layout = (_layout4 if self.family == 4 else _layout6)(self._data)
        return found

    @property
    def protocol(self) -> int | None:
        """The transport protocol's number; None where IPv6's headers are cut off."""
        return self.layout.protocol

    @property
    def source(self) -> bytes:
        return self._data[12:16] if self.family == 4 else self._data[8:24]

    @property
    def target(self) -> bytes:
        return self._data[16:20] if self.family == 4 else self._data[24:40]

    @property
    def is_later_fragment(self) -> bool:
        """A fragment, but not the first: there is no transport header to look at."""
        return self.layout.is_later_fragment

    @property
    def transport(self) -> bytes:
        """From the transport header on; nothing of a later fragment."""
        layout = self.layout
        return b"" if layout.is_later_fragment else self._data[layout.at :]

    @property
    def source_port(self) -> int | None:
        """Of TCP, UDP and other protocols with ports; None where there is none."""
        return self._port(0)

    @property
    def target_port(self) -> int | None:
        return self._port(2)

    @property
    def tcp_flags(self) -> int | None:
        """FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128; None where it is no TCP."""
        return self._byte(13) if self.protocol == TCP else None

    @property
    def icmp_type(self) -> int | None:
        return self._byte(0) if self.protocol in (ICMP, ICMPV6) else None

    @property
    def icmp_code(self) -> int | None:
        return self._byte(1) if self.protocol in (ICMP, ICMPV6) else None

    def _port(self, offset: int) -> int | None:
        protocol, at, is_later = self.layout
        data, at = self._data, at + offset
        if protocol not in _PORTED or is_later or len(data) < at + 2:
            return None
        return data[at] << 8 | data[at + 1]

    def _byte(self, offset: int) -> int | None:
        _, at, is_later = self.layout
        at += offset
        return None if is_later or len(self._data) <= at else self._data[at]


def _layout4(data: bytes) -> Layout:
    is_later = bool((data[6] << 8 | data[7]) & ipv4.OFFSET_MASK)
    return Layout(data[9], (data[0] & 0x0F) * 4, is_later)


def _layout6(data: bytes) -> Layout:
    reached = ipv6.skip_headers(data[6], data[ipv6.HEADER_BYTES :])
    if reached is None:
        return Layout(None, len(data), False)
    is_later = bool(reached.offset_more & ~7)
    return Layout(reached.protocol, ipv6.HEADER_BYTES + reached.at, is_later)

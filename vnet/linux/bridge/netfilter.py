"""br_netfilter: bridged IP packets are shown to the hooks of IP (net/bridge/br_netfilter_hooks.c).

A packet is judged when it comes in, before its sender is learned, and again at each port by which
it leaves. Without a single rule that changes frames already: a malformed or cut-off IP header is a
loss; padding behind the packet is taken off; an IPv4 packet too large for the port it leaves by is
cut into fragments, unless it forbids that. Without br_netfilter all of it passes as it is.

What will have rules goes in by :class:`IpHooks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from vnet.base.drops import drop_reason
from vnet.linux.bridge.port import PORT_MTU, BridgePort
from vnet.linux.bridge.state import PortState
from vnet.linux.netfilter.pieces import Pieces, cut_again
from vnet.netdev.device import RxHandler
from vnet.sim.frame import Frame
from vnet.wire import ipv4, ipv6
from vnet.wire.ether import HEADER_BYTES, RESERVED_PREFIX, TYPE_ARP, TYPE_IPV4, TYPE_IPV6
from vnet.wire.vlan import TPIDS, is_whole

MALFORMED_PACKET = drop_reason(
    "bridge-nf-malformed",
    cause="br_netfilter found the IP or ARP header of a bridged frame cut off or wrong",
    cure="mend the sender, or do without br_netfilter, which lets such frames through",
)

_TAG_BYTES = 4
_LEAST_ARP_BYTES = 8
_HOP_BY_HOP = 0
_PAD1 = 0x00
_JUMBO = 0xC2


class Shown(Protocol):
    """A packet that was looked at: its bytes now, and how it was cut when it came."""

    @property
    def data(self) -> bytes:
        """The IP packet."""

    @property
    def pieces(self) -> Pieces | None:
        """None of what came whole."""


class IpHooks(Protocol):
    """Who looks at packets, if anybody does."""

    def comes_in(
        self, port: BridgePort, kind: int, frame: Frame, at: int, behind: RxHandler
    ) -> Frame | None:
        """A packet came in (PREROUTING): the frame as it goes on ``behind``, or None.

        ``kind`` is its EtherType; it begins ``at`` a byte of the frame and has no padding. A frame
        that must wait for an answer goes on later.
        """

    def goes_out(
        self, port: BridgePort, kind: int, frame: Frame, at: int, came_by: BridgePort
    ) -> Shown | None:
        """A packet leaves by a port (FORWARD, POSTROUTING); None where it does not."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The switches of net.bridge: what is shown to the hooks."""

    ipv4: bool = True
    ipv6: bool = True
    arp: bool = True
    vlan_tagged: bool = False

    def shows(self, kind: int) -> bool:
        """Whether IP packets of an EtherType are looked at as they come in."""
        return {TYPE_IPV4: self.ipv4, TYPE_IPV6: self.ipv6}.get(kind, False)


class BridgeNetfilter:
    """One machine's br_netfilter, for all of its bridges."""

    def __init__(self) -> None:
        self.calls = Calls()
        self.hooks: IpHooks | None = None
        self._entered: tuple[BridgePort, int] | None = None
        """By which port the packet came in that is being forwarded right now, and its type."""

    def ingress(self, port: BridgePort, behind: RxHandler) -> RxHandler:
        """What gets a port's frames; those that pass go on to ``behind``."""
        return _Ingress(self, port, behind).handle

    def send(self, port: BridgePort, frame: Frame, came_by: BridgePort | None) -> None:
        """A frame leaves by a port, to which it may go."""
        if came_by is None or self._entered is None or came_by is not self._entered[0]:
            return self._pass(port, frame)
        kind, at = self._entered[1], packet_offset(frame.data)
        # It is judged again, and may have lost the options that its header promises.
        if _packet_bytes(kind, frame.data[at:]) is None:
            return port.device.drop(frame, MALFORMED_PACKET)
        if self.hooks is None or kind == TYPE_ARP:
            return self._fit(port, kind, frame, at, None)
        shown = self.hooks.goes_out(port, kind, frame, at, came_by)
        if shown is None:
            return None
        frame = Frame(frame.data[:at] + shown.data, frame.meta)
        return self._fit(port, kind, frame, at, shown.pieces)

    def _fit(
        self, port: BridgePort, kind: int, frame: Frame, at: int, pieces: Pieces | None
    ) -> None:
        """Send a frame, in pieces if its packet is too large, or was put together here."""
        most_bytes = port.device.mtu_bytes
        if pieces is not None:
            most_bytes = min(most_bytes, pieces.most_bytes)
        if kind == TYPE_IPV4 and len(frame.data) - at > most_bytes:
            return self._cut(port, frame, at, pieces)
        return self._pass(port, frame)

    @staticmethod
    def _pass(port: BridgePort, frame: Frame) -> None:
        if not port.takes(frame):
            return port.device.drop(frame, PORT_MTU)
        return port.device.transmit(frame)

    @staticmethod
    def _cut(port: BridgePort, frame: Frame, at: int, pieces: Pieces | None) -> None:
        device, head, packet = port.device, frame.data[:at], frame.data[at:]
        # Pieces are made for the bridge, which takes what the smallest of its ports does.
        mtu_bytes = port.bridge.device.mtu_bytes
        if pieces is not None:
            cut = cut_again(packet, pieces, mtu_bytes)
        elif packet[6] & ipv4.DONT_FRAGMENT >> 8 or mtu_bytes < ipv4.HEADER_BYTES + 8:
            return device.drop(frame, PORT_MTU)
        else:
            cut = ipv4.fragment(packet, mtu_bytes)
        for piece in cut:
            BridgeNetfilter._pass(port, Frame(head + piece, frame.meta))
        return None

    def judged(self, port: BridgePort, frame: Frame, behind: RxHandler) -> Frame | None:
        """A frame that came in: as it goes on, or None where it was dropped."""
        data = frame.data
        at = packet_offset(data)
        kind = data[at - 2] << 8 | data[at - 1]
        if at > HEADER_BYTES and not self.calls.vlan_tagged:
            return frame
        own_calls = port.bridge.nf_calls
        if kind == TYPE_ARP and (self.calls.arp or own_calls.arp):
            self._entered = port, kind
        if not (self.calls.shows(kind) or own_calls.shows(kind)):
            return frame
        size = _packet_bytes(kind, data[at:])
        if size is None:
            port.device.drop(frame, MALFORMED_PACKET)
            return None
        if at + size != len(data):
            frame = Frame(data[: at + size], frame.meta)
        self._entered = port, kind
        if self.hooks is None:
            return frame
        return self.hooks.comes_in(port, kind, frame, at, self._later(port, kind, behind))

    def _later(self, port: BridgePort, kind: int, behind: RxHandler) -> RxHandler:
        """How a frame goes on that had to wait."""

        def go_on(frame: Frame) -> None:
            with self.passage():
                self._entered = port, kind
                behind(frame)

        return go_on

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Around the way of a frame through a bridge; another bridge's may lie within."""
        before, self._entered = self._entered, None
        try:
            yield
        finally:
            self._entered = before


class _Ingress:
    __slots__ = ("_behind", "_netfilter", "_port")

    def __init__(self, netfilter: BridgeNetfilter, port: BridgePort, behind: RxHandler) -> None:
        self._netfilter = netfilter
        self._port = port
        self._behind = behind

    def handle(self, frame: Frame) -> None:
        """A frame came in by the port's device."""
        port, data = self._port, frame.data
        stays = data[0:5] == RESERVED_PREFIX and len(data) > 5 and data[5] < 0x10
        is_open = port.state in (PortState.FORWARDING, PortState.LEARNING)
        if stays or not is_open or not is_whole(data):
            return self._behind(frame)
        with self._netfilter.passage():
            judged = self._netfilter.judged(port, frame, self._behind)
            if judged is not None:
                self._behind(judged)
        return None


def packet_offset(data: bytes) -> int:
    """Where the packet begins in a frame, behind one VLAN tag if there is one."""
    return HEADER_BYTES + _TAG_BYTES if data[12:14] in TPIDS else HEADER_BYTES


def _packet_bytes(kind: int, packet: bytes) -> int | None:
    """How long a packet is, padding left out, or None where its header is wrong."""
    if kind == TYPE_IPV4:
        header = ipv4.parse(packet)
        return None if header is None else header.total_bytes
    if kind == TYPE_IPV6:
        return _ipv6_bytes(packet)
    return None if len(packet) < _LEAST_ARP_BYTES else len(packet)


def _ipv6_bytes(packet: bytes) -> int | None:
    """How long an IPv6 packet is, or None where its header is wrong (br_validate_ipv6())."""
    if len(packet) < ipv6.HEADER_BYTES or packet[0] >> 4 != 6:
        return None
    payload_bytes: int | None = packet[4] << 8 | packet[5]
    if packet[6] == _HOP_BY_HOP:
        payload_bytes = _hop_by_hop_bytes(packet)
    if payload_bytes is None or ipv6.HEADER_BYTES + payload_bytes > len(packet):
        return None
    return ipv6.HEADER_BYTES + payload_bytes


def _hop_by_hop_bytes(packet: bytes) -> int | None:
    """The payload's length of a packet with hop-by-hop options, which a jumbogram has there
    (RFC 2675); None where the options are malformed."""
    said_bytes = payload_bytes = packet[4] << 8 | packet[5]
    at = ipv6.HEADER_BYTES
    end = at + 8 + packet[at + 1] * 8 if len(packet) >= at + 8 else len(packet) + 1
    if end > len(packet):
        return None
    at += 2
    while at < end:
        if packet[at] == _PAD1:
            at += 1
            continue
        size = packet[at + 1] + 2 if at + 1 < end else end
        if at + size > end:
            return None
        if packet[at] == _JUMBO:
            payload_bytes = int.from_bytes(packet[at + 2 : at + 6], "big")
            is_jumbo = payload_bytes > 0xFFFF and not said_bytes
            if size != 6 or at & 3 != 2 or not is_jumbo:
                return None
        at += size
    return payload_bytes

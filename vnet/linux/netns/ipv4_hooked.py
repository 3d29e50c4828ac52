"""IPv4 output where netfilter looks on: OUTPUT, another way if that calls for one, POSTROUTING."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vnet.base.drops import DropReason
from vnet.base.ids import MAC_ZERO
from vnet.linux.netfilter.carried import CarryingFrame
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.pieces import cut_again
from vnet.linux.netns import drops
from vnet.sim.frame import Meta
from vnet.wire import ipv4
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netfilter.netfilter import Netfilter
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.ipv4_output import Ipv4Output


class Way(NamedTuple):
    """Where a packet leaves, to which next hop, and how much of it fits into one piece."""

    out: Interface
    next_hop: bytes
    mtu_bytes: int


def send_own(
    stack: Ipv4Output,
    netfilter: Netfilter,
    way: Way,
    packet: bytes,
    meta: Meta | None,
    about: NfPacket | None = None,
) -> None:
    """Send a packet of our own that has been routed; ``about`` is what it answers, if not ours."""
    shown = NfPacket(netfilter, packet, 4, Hook.OUTPUT, leaves=way.out.device, meta=meta)
    shown.next_hop = way.next_hop
    if about is not None:
        shown.answer(about)
    before = _what_routes(shown)
    if not shown.meets(Hook.OUTPUT):
        return _tell_sender(stack, shown)
    if _what_routes(shown) != before:
        another = stack.way_of(shown.data, shown.mark)
        if isinstance(another, DropReason):
            return stack.lose(shown.data, meta, another)
        way = another
    return send_on(stack, way, shown)


def send_on(stack: Ipv4Output, way: Way, shown: NfPacket) -> None:
    """Let a packet leave, our own or another's."""
    shown.leaves, shown.next_hop = way.out.device, way.next_hop
    if not shown.meets(Hook.POSTROUTING):
        return _tell_sender(stack, shown)
    packet, meta = shown.data, shown.meta
    if way.out is way.out.namespace.loopback:
        data = ether_frame(MAC_ZERO, way.out.device.mac, TYPE_IPV4, packet)
        return way.out.device.transmit(CarryingFrame(data, meta, shown))
    if len(packet) <= way.mtu_bytes and (shown.pieces is None or not shown.pieces.most_bytes):
        return stack.to_neighbor(way.out, packet, way.next_hop, meta)
    if shown.pieces is not None:
        cut = cut_again(packet, shown.pieces, way.mtu_bytes)
    elif packet[6] & ipv4.DONT_FRAGMENT >> 8:
        return stack.lose(packet, meta, drops.FRAGMENTATION_NEEDED, way.out)
    else:
        cut = ipv4.fragment(packet, way.mtu_bytes)
    for piece in cut:
        stack.to_neighbor(way.out, piece, way.next_hop, meta)
    return None


def _what_routes(shown: NfPacket) -> tuple[bytes, int, int]:
    """What a packet's way depends on: both addresses, type of service, mark."""
    return shown.data[12:20], shown.data[1], shown.mark


def _tell_sender(stack: Ipv4Output, shown: NfPacket) -> None:
    """Netfilter dropped a packet: if it is our own its socket is told (EPERM)."""
    if shown.entered is None and shown.dropped is not None:
        stack.refused(shown.data, shown.dropped)

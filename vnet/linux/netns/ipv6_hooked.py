"""IPv6 output where netfilter looks on: OUTPUT, another way if that calls for one, POSTROUTING."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.ids import MAC_ZERO
from vnet.linux.netfilter.carried import CarryingFrame
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netns.ipv4_hooked import Way
from vnet.sim.frame import Meta
from vnet.wire.ether import TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netfilter.netfilter import Netfilter
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.ipv6 import Ipv6Stack


def send_own(
    stack: Ipv6Stack,
    netfilter: Netfilter,
    way: Way,
    packet: bytes,
    meta: Meta | None,
    about: NfPacket | None = None,
) -> None:
    """Send a packet of our own that has been routed; ``about`` is what it answers, if not ours."""
    shown = NfPacket(netfilter, packet, 6, Hook.OUTPUT, leaves=way.out.device, meta=meta)
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


def send_on(
    stack: Ipv6Stack, way: Way, shown: NfPacket, received_by: Interface | None = None
) -> None:
    """Let a packet leave, our own or another's that was ``received_by``."""
    shown.leaves, shown.next_hop = way.out.device, way.next_hop
    if not shown.meets(Hook.POSTROUTING):
        return _tell_sender(stack, shown)
    if way.out is way.out.namespace.loopback:
        data = ether_frame(MAC_ZERO, way.out.device.mac, TYPE_IPV6, shown.data)
        return way.out.device.transmit(CarryingFrame(data, shown.meta, shown))
    return stack.leave(way, shown.data, shown.meta, received_by, shown.pieces)


def _what_routes(shown: NfPacket) -> tuple[bytes, bytes, int]:
    """What a packet's way depends on: both addresses, class and label, hop limit, mark."""
    return shown.data[7:40], shown.data[:4], shown.mark


def _tell_sender(stack: Ipv6Stack, shown: NfPacket) -> None:
    if shown.entered is None and shown.dropped is not None:
        stack.refused(shown.data, shown.dropped)

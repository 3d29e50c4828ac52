"""Output where netfilter looks on: OUTPUT, another way if that calls for one, POSTROUTING."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from vnet.base.drops import DropReason
from vnet.linux.netfilter.carried import CarryingFrame
from vnet.linux.netfilter.framing import framed
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.sim.frame import Meta

if TYPE_CHECKING:
    from vnet.linux.netfilter.netfilter import Netfilter
    from vnet.linux.netfilter.pieces import Pieces
    from vnet.linux.netns.way import Way


class IpStack(Protocol):
    """A namespace's IPv4 or IPv6, as far as packets that leave need it."""

    family: ClassVar[int]

    def way_of(self, packet: bytes, mark: int = 0) -> Way | DropReason:
        """The way of a packet of ours that was changed, or marked."""

    def leave(self, way: Way, packet: bytes, meta: Meta | None, *, pieces: Pieces | None) -> None:
        """Send a packet on its way, in pieces where it must be or has been."""

    def lose(self, packet: bytes, meta: Meta | None, reason: DropReason) -> None:
        """A packet of our own cannot leave."""

    def refused(self, packet: bytes, reason: DropReason) -> None:
        """The same where the packet is counted already."""


def send_own(
    stack: IpStack,
    netfilter: Netfilter,
    way: Way,
    packet: bytes,
    meta: Meta | None,
    about: NfPacket | None = None,
) -> None:
    """Send a packet of our own that has been routed; ``about`` is what it answers, if not ours."""
    out = way.out.device
    shown = NfPacket(netfilter, packet, stack.family, Hook.OUTPUT, leaves=out, meta=meta)
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
    if leaves(stack, way, shown):
        stack.leave(way, shown.data, shown.meta, pieces=shown.pieces)
    return None


def leaves(stack: IpStack, way: Way, shown: NfPacket) -> bool:
    """Whether a packet, our own or another's, is to be sent on its way: not if it ends here, and
    not if the loopback has it already."""
    device = shown.leaves = way.out.device
    shown.next_hop = way.next_hop
    if not shown.meets(Hook.POSTROUTING):
        _tell_sender(stack, shown)
        return False
    if way.out is way.out.namespace.loopback:
        device.transmit(CarryingFrame(framed(device, shown).data, shown.meta, shown))
        return False
    return True


def _what_routes(shown: NfPacket) -> tuple[bytes, bytes, int]:
    """What a packet's way depends on: addresses, type of service, mark; of IPv6 the label and the
    hop limit, too."""
    data = shown.data
    if shown.family == 4:
        return data[12:20], data[1:2], shown.mark
    return data[7:40], data[:4], shown.mark


def _tell_sender(stack: IpStack, shown: NfPacket) -> None:
    """Netfilter dropped a packet: if it is our own its socket is told (EPERM)."""
    if shown.entered is None and shown.dropped is not None:
        stack.refused(shown.data, shown.dropped)

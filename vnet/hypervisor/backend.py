"""A vNIC and its back end: two ends of one virtual cable.

The front end is the guest's card, the back end the device that appears in the host: a Xen
``vif<domid>.<n>`` behind netback, a ``vnet<k>`` tap behind vhost. Between them a frame is
the same bytes, so both are ends of a pair; what differs is how the host names them.
"""

from __future__ import annotations

from vnet.base.ids import Mac
from vnet.netdev.pair import PairDevice

BACKEND_MAC = Mac(b"\xfe\xff\xff\xff\xff\xff")
"""What Xen gives back ends: numerically the highest unicast address, so that a bridge never
takes it for its own while it has any other port."""


def tap_mac(guest_mac: bytes) -> Mac:
    """What libvirt gives a tap: the guest's MAC behind 0xfe, for the same reason."""
    return Mac(b"\xfe" + guest_mac[1:])


class FrontEnd(PairDevice):
    """The guest's end: ``eth0`` of a virtual machine. Neither netfront nor virtio tells a speed."""

    kind = "vnic"

    __slots__ = ()

    @property
    def speed_mbps(self) -> int | None:
        return None


class BackEnd(PairDevice):
    """The host's end: a tap, which says 10 Gbit/s."""

    kind = "vif"

    __slots__ = ()


class XenBackEnd(BackEnd):
    """Of Xen's netback, which tells no speed: a bridge takes it for a slow one."""

    __slots__ = ()

    @property
    def speed_mbps(self) -> int | None:
        return None


def unplug(front: FrontEnd) -> BackEnd:
    """Take a running guest's card from its back end, which is returned for its host to remove.

    The card keeps its carrier, as in a live migration: :func:`plug_in` follows at once.
    """
    old = front.peer
    assert isinstance(old, BackEnd), f"{front.label} has no back end"
    old.peer, front.peer = old, front
    return old


def plug_in(front: FrontEnd, back: BackEnd) -> None:
    """Join a card without a back end to a fresh one; the card's own carrier stays as it is."""
    front.peer, back.peer = back, front
    back.carrier = front.admin_up and back.admin_up

"""A vNIC and its back end: two ends of one virtual cable.

The front end is the guest's card, the back end the device that appears in the host: a Xen
``vif<domid>.<n>`` behind netback, a ``vnet<k>`` tap behind vhost. Between them a frame is
the same bytes, so both are ends of a pair; what differs is how the host names them.
"""

from __future__ import annotations

from vnet.base.ids import Mac
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.scheduler import Scheduler

BACKEND_MAC = Mac(b"\xfe\xff\xff\xff\xff\xff")
"""What Xen gives back ends: numerically the highest unicast address, so that a bridge never
takes it for its own while it has any other port."""


def tap_mac(guest_mac: bytes) -> Mac:
    """What libvirt gives a tap: the guest's MAC behind 0xfe, for the same reason."""
    return Mac(b"\xfe" + guest_mac[1:])


class FrontEnd(PairDevice):
    """The guest's end: ``eth0`` of a virtual machine."""

    kind = "vnic"

    __slots__ = ()


class BackEnd(PairDevice):
    """The host's end."""

    kind = "vif"

    __slots__ = ()


def connect(
    scheduler: Scheduler,
    front_name: str,
    back_name: str,
    mac: Mac,
    mtu_bytes: int,
    back_mac: Mac = BACKEND_MAC,
) -> tuple[FrontEnd, BackEnd]:
    """Make a vNIC and its back end, both down."""
    front = FrontEnd(scheduler, front_name, mac, mtu_bytes)
    back = BackEnd(scheduler, back_name, back_mac, mtu_bytes)
    pair_up(front, back)
    return front, back

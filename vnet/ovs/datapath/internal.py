"""Internal ports: what a datapath and the host's IP stack have between them (``br0``).

The host's end is a device of its namespace, as ``ip link`` shows it; the other end is a port of
the datapath. What the host sends comes in at the port, and what the port sends the host receives.
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.base.ids import Mac
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.scheduler import Scheduler


class InternalDevice(PairDevice):
    """The host's end. It has a carrier as long as the datapath has the port."""

    kind = "openvswitch"

    __slots__ = ()


class InternalPort(PairDevice):
    """The datapath's end, which is up whether or not the host's is."""

    kind = "internal"

    __slots__ = ()


class Internal(NamedTuple):
    """Both ends."""

    device: InternalDevice
    port: InternalPort


def internal_pair(
    scheduler: Scheduler, name: str, mac: Mac, mtu_bytes: int = 1500, owner: str = ""
) -> Internal:
    """Both ends of an internal port, under one name. The host's is down, as a new device is."""
    device = InternalDevice(scheduler, name, mac, mtu_bytes, owner)
    port = InternalPort(scheduler, name, mac, mtu_bytes, owner)
    pair_up(device, port)
    port.set_admin(True)
    return Internal(device, port)

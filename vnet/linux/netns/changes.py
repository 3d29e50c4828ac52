"""What changed in a namespace's configuration: the facts behind rtnetlink messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from vnet.linux.netns.address import InterfaceAddress
from vnet.netdev.device import NetDevice
from vnet.tables.fib import RouteEntry
from vnet.tables.neigh import Neighbor


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A device appeared, went, or changed its name, state, MAC, MTU, flags or master."""

    device: NetDevice
    arp: bool
    multicast: bool
    master: NetDevice | None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class AddressChange:
    device: NetDevice
    address: InterfaceAddress
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class RouteChange:
    route: RouteEntry[NetDevice]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class NeighborChange:
    """``neighbor`` is the live entry; encode it at once."""

    device: NetDevice
    neighbor: Neighbor[object]
    deleted: bool = False


Change: TypeAlias = LinkChange | AddressChange | RouteChange | NeighborChange

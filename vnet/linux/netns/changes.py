"""What changed in a namespace's configuration: the facts behind rtnetlink messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from vnet.linux.netns.address import InterfaceAddress
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Route
from vnet.tables.neigh import Neighbor
from vnet.tables.policy import Rule


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
    """``told`` says whether rtnetlink tells of it: the kernel lets some routes go in silence."""

    route: Route[NetDevice]
    deleted: bool = False
    told: bool = True


@dataclass(frozen=True, slots=True)
class RuleChange:
    """``family`` is 4 or 6."""

    family: int
    rule: Rule
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class NeighborChange:
    """``neighbor`` is the live entry; encode it at once."""

    device: NetDevice
    neighbor: Neighbor[object]
    deleted: bool = False


Change: TypeAlias = LinkChange | AddressChange | RouteChange | RuleChange | NeighborChange

"""Who knows the way: what a tunnel asks the host that it ends at.

A switch makes the outer headers of a tunnel itself. Where they lead, from which address and over
which neighbour, is for the host's IP stack to say, which this protocol keeps at arm's length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from vnet.base.ids import IpAddress, Mac


class HostRoute(NamedTuple):
    """A route to ``network``. ``gateway`` None means that the target is on the wire; ``is_local``
    that it is an address of the host's own."""

    network: IpAddress
    prefix_length: int
    gateway: IpAddress | None
    device: str
    is_local: bool = False


class HostAddress(NamedTuple):
    """An address of a device, and the network that it is in."""

    ip: IpAddress
    prefix_length: int


class RouteSource(Protocol):
    """A host's routes, addresses and neighbours, by the names of its devices."""

    changed: Callable[[], None]
    """Called when routes or addresses may have changed; set by whoever depends on them."""

    def route(self, target: IpAddress) -> HostRoute | None:
        """The best route to an address, the host's own addresses included."""

    def routes(self) -> Iterable[HostRoute]:
        """All of them."""

    def addresses(self, device: str) -> Sequence[HostAddress]:
        """The addresses of a device; none of one that the host does not have."""

    def neighbor(self, device: str, target: IpAddress) -> Mac | None:
        """What the host knows itself of who has an address on a device's wire."""


def source_address(source: RouteSource, device: str, target: IpAddress) -> IpAddress | None:
    """The address of a device in the smallest of its networks that holds ``target``."""
    best: HostAddress | None = None
    for address in source.addresses(device):
        if not _holds(address, target):
            continue
        if best is None or address.prefix_length > best.prefix_length:
            best = address
    return None if best is None else best.ip


def _holds(address: HostAddress, target: IpAddress) -> bool:
    if len(address.ip) != len(target):
        return False
    differ = int.from_bytes(address.ip, "big") ^ int.from_bytes(target, "big")
    return differ >> len(target) * 8 - address.prefix_length == 0


def _nothing() -> None:
    return None


class NoRoutes:
    """A host that knows no way anywhere: the :class:`RouteSource` of a switch without one."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] = _nothing

    def route(self, _target: IpAddress) -> HostRoute | None:
        """None."""
        return None

    def routes(self) -> Iterable[HostRoute]:
        """None."""
        return ()

    def addresses(self, _device: str) -> Sequence[HostAddress]:
        """None."""
        return ()

    def neighbor(self, _device: str, _target: IpAddress) -> Mac | None:
        """Nobody."""
        return None

"""What was read of a machine, as plain values: the names are iproute2's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOOPBACK = 772
ETHERNET = 1
"""Kinds of hardware (linux/if_arp.h)."""

TABLE_MAIN, TABLE_LOCAL = 254, 255


@dataclass(frozen=True)
class Link:
    """A device. ``data`` and ``port`` are what its kind and its bridge say, by names of netlink.

    ``link`` is the device it stands on, or the other end of a veth; that is in another namespace
    if ``link_is_elsewhere``. ``vlans`` are (first, last, is pvid, is untagged) of a bridge's port.
    """

    index: int
    name: str
    kind: str = ""
    mac: str = ""
    mtu_bytes: int = 1500
    hardware: int = ETHERNET
    master: int = 0
    link: int = 0
    link_is_elsewhere: bool = False
    is_up: bool = True
    has_carrier: bool = True
    data: Mapping[str, Any] = field(default_factory=dict)
    port: Mapping[str, Any] = field(default_factory=dict)
    vlans: tuple[tuple[int, int, bool, bool], ...] = ()


@dataclass(frozen=True)
class DeviceAddress:
    """An address of a device; ``is_by_itself`` if a router's advertisement made it, say."""

    index: int
    ip: str
    prefix_length: int
    peer: str = ""
    label: str = ""
    is_link_local: bool = False
    is_by_itself: bool = False
    is_leased: bool = False

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.ip


@dataclass(frozen=True)
class Hop:
    """One way of a route."""

    index: int
    gateway: str
    weight: int = 1
    onlink: bool = False


@dataclass(frozen=True)
class Route:
    """A route. ``made_by`` and ``kind`` are the numbers of rtnetlink(7)."""

    family: int
    target: str
    table: int
    kind: int
    made_by: int
    hops: tuple[Hop, ...] = ()
    metric: int = 0
    source: str = ""
    tos: int = 0
    mtu_bytes: int = 0
    has_more: tuple[str, ...] = ()
    """What else the route has, by names of ip-route(8)."""


@dataclass(frozen=True)
class Rule:
    """A rule of policy routing. ``action`` is the number of linux/fib_rules.h."""

    family: int
    priority: int
    action: int
    table: int
    source: str = ""
    target: str = ""
    iif: str = ""
    oif: str = ""
    mark: int = 0
    mask: int = 0
    tos: int = 0
    goto: int = 0
    suppressed_length: int | None = None
    is_not: bool = False
    has_more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Neighbor:
    """A neighbour, or where ``ip`` is empty a station of a bridge behind the port ``index``."""

    index: int
    mac: str
    ip: str = ""
    is_permanent: bool = False


@dataclass(frozen=True)
class Machine:
    """A network namespace. ``settings`` gives a kernel setting's text by its name with slashes."""

    name: str
    links: tuple[Link, ...]
    addresses: tuple[DeviceAddress, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    neighbors: tuple[Neighbor, ...] = ()
    stations: tuple[Neighbor, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    netfilter: Mapping[str, str] = field(default_factory=dict)
    """Rules in iptables-save's words, by ``iptables`` and ``ip6tables``."""

    def link(self, index: int) -> Link | None:
        return next((link for link in self.links if link.index == index), None)

    def ports_of(self, bridge: Link) -> list[Link]:
        return [link for link in self.links if link.master == bridge.index]

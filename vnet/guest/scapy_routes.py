"""Scapy's questions about routes and neighbours, answered by the guest.

A packet that leaves its source open asks the routing table as soon as anybody looks at it: an
automaton that logs what it sends, an answering machine that prints its reply. While Scapy runs
on a vNIC, the one to ask is the guest behind it; otherwise Scapy asks as it always does.
"""

from __future__ import annotations

import functools
from typing import Any

from scapy.layers.l2 import Neighbor
from scapy.route import Route
from scapy.route6 import Route6

from vnet.base.ids import IPV4_ANY, IPV6_ANY, MAC_BROADCAST, ip_from_text, ip_text, mac_text
from vnet.guest.complete import source_for, target_mac
from vnet.guest.scapy_time import current_clock
from vnet.linux.netns.interface import Interface


def _guest_interface() -> Interface | None:
    return getattr(current_clock(), "interface", None)


def _wrap_route(original: Any, unspecified: bytes) -> Any:
    @functools.wraps(original)
    def route(self: Any, dst: Any = None, dev: Any = None, *args: Any, **kwargs: Any) -> Any:
        interface = _guest_interface()
        if interface is None:
            return original(self, dst, dev, *args, **kwargs)
        try:
            target: bytes = ip_from_text(str(dst).partition("%")[0])
        except ValueError:
            target = unspecified  # a set of addresses, or none
        route = interface.namespace.route_to(target)
        gateway = unspecified if route is None else route.gateway or unspecified
        return (
            getattr(current_clock(), "iface", dev),
            source_for(interface, target),
            ip_text(gateway),
        )

    return route


def _wrap_resolve(original: Any) -> Any:
    @functools.wraps(original)
    def resolve(self: Any, l2inst: Any, l3inst: Any) -> Any:
        interface = _guest_interface()
        if interface is None:
            return original(self, l2inst, l3inst)
        return mac_text(target_mac(l2inst, interface) or MAC_BROADCAST)

    return resolve


def install() -> None:
    """Wrap the classes of Scapy's tables."""
    Route.route = _wrap_route(Route.route, IPV4_ANY)
    Route6.route = _wrap_route(Route6.route, IPV6_ANY)
    Neighbor.resolve = _wrap_resolve(Neighbor.resolve)

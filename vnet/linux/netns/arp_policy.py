"""Whom ARP answers, believes and asks as: arp_ignore, arp_filter, arp_accept and arp_announce.

Documentation/networking/ip-sysctl.rst has what the values mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import network_of
from vnet.tables.policy import Flow

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

_ON_INTERFACE, _ON_INTERFACE_AND_NEAR, _NOT_OF_HOST_SCOPE, _NEVER = 1, 2, 3, 8
_NEAR_ONLY = 2


def answers(interface: Interface, asker: bytes, ip: bytes) -> bool:
    """Whether a request for our address ``ip`` that came in by ``interface`` is answered."""
    ignore = interface.conf4.arp_ignore
    if ignore == _NEVER:
        return False
    if ignore in (_ON_INTERFACE, _ON_INTERFACE_AND_NEAR) and interface.find(ip) is None:
        return False
    if ignore == _ON_INTERFACE_AND_NEAR and not interface.shares_network(asker, ip):
        return False
    if ignore == _NOT_OF_HOST_SCOPE and interface.namespace.owner_of(ip) is None:
        return False
    return not interface.conf4.arp_filter or _leads_back(interface, asker, ip)


def _leads_back(interface: Interface, asker: bytes, ip: bytes) -> bool:
    found = interface.namespace.routing4.lookup(Flow(asker, ip))
    return found is not None and found.leads_somewhere and found.out is interface


def accepts_stranger(interface: Interface, sender: bytes) -> bool:
    """Whether somebody that nobody asked about becomes a neighbour."""
    accept = interface.conf4.arp_accept
    if accept != _NEAR_ONLY:
        return bool(accept)
    return any(
        network_of(sender, address.prefix_length) == address.network
        for address in interface.addresses
        if len(address.ip) == 4
    )


def may_ask_as(interface: Interface, source: bytes, ip: bytes) -> bool:
    """Whether a request for ``ip`` may name ``source``, who has a packet for it."""
    announce = interface.conf4.arp_announce
    if announce == 0:
        return True
    return announce == 1 and interface.shares_network(ip, source)

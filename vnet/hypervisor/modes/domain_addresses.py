"""The numbers of Xen's domains, and the addresses that vif-nat makes of them."""

from __future__ import annotations

from vnet.base.ids import IpAddress

MOST_DOMID = 32_751
"""Xen keeps the numbers from 32752 on for itself (DOMID_FIRST_RESERVED)."""

NAT_PREFIX_LENGTH = 16
"""Of what a guest believes to be its network."""

_AHEAD = 127
"""By how much the router's last octet is larger than its guest's."""


def address_of_domain(domid: int, vif: int) -> IpAddress:
    """The guest's address at its card ``vif``, counted from 0."""
    return IpAddress(bytes((10, domid // 256, domid % 256, vif + 1)))


def router_address(guest: bytes) -> IpAddress:
    """The address of the back end, which is the guest's gateway."""
    return IpAddress(guest[:3] + bytes((guest[3] + _AHEAD,)))


def has_router(guest: bytes) -> bool:
    """Whether there can be one: only for IPv4, and not behind just any last octet."""
    return len(guest) == 4 and guest[3] + _AHEAD <= 255

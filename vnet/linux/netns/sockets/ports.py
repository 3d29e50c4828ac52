"""The ports that programs get which do not ask for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace


def ephemeral_ports(namespace: Namespace) -> range:
    """By net.ipv4.ip_local_port_range, for IPv6 as well."""
    first, last = namespace.sysctls.ipv4.ip_local_port_range
    return range(first, last + 1)

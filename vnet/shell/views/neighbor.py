"""``ip neigh``: who is known at which MAC, and how surely."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vnet.base.ids import ip_text, mac_text
from vnet.linux.netns.namespace import Namespace
from vnet.tables.neigh import VALID, Neighbor, Nud


def neighbors_text(
    namespace: Namespace, *, family: int | None = None, device: str | None = None
) -> str:
    """IPv4 before IPv6, by device and then by age; with ``device``, without its name.

    The kernel lists a hash table, so its order means nothing. Entries that were never asked
    for (NUD_NONE) are not shown.
    """
    if device is not None:
        namespace.interface(device)
    interfaces = sorted(namespace.interfaces.values(), key=lambda i: i.device.ifindex)
    lines = []
    for version in (4, 6):
        for interface in interfaces:
            name = interface.device.name
            if family not in (None, version) or device not in (None, name):
                continue
            cache = interface.arp_cache if version == 4 else interface.nd_cache
            where = f"dev {name} " if device is None else ""
            lines += _lines(cache.table, where)
    return "\n".join(lines)


def proxied_text(namespace: Namespace) -> str:
    """``ip neigh show proxy``: the addresses that are answered for on single devices."""
    entries = sorted(namespace.arp.proxy.entries)
    lines = [f"{ip_text(ip)} dev {device} proxy " for device, ip in entries]
    for interface in namespace.interfaces.values():
        name = interface.device.name
        lines += [f"{ip_text(ip)} dev {name} proxy " for ip in interface.nd_cache.proxied]
    return "\n".join(lines)


def _lines(neighbors: Iterable[Neighbor[Any]], where: str) -> list[str]:
    lines = []
    for neighbor in neighbors:
        if neighbor.state is Nud.NONE:
            continue
        known = neighbor.mac is not None and neighbor.state in VALID
        mac = f"lladdr {mac_text(neighbor.mac)} " if known and neighbor.mac else ""
        router = "router " if neighbor.is_router else ""
        state = neighbor.state.value.upper()
        lines.append(f"{ip_text(neighbor.ip)} {where}{mac}{router}{state} ")
    return lines

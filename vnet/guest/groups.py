"""The multicast groups that a machine's programs are in (ip(7), IP_ADD_MEMBERSHIP; ipv6(7))."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_from_text, ip_text, is_multicast_ip
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.netns.namespace import Namespace


class Memberships:
    """Joins and leaves groups, as a socket of a program would; each but once on a device."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._joined: list[tuple[Interface, bytes]] = []

    def join(self, group: bytes, device: str | None = None) -> Interface:
        """Have packets to ``group`` accepted, and tell switches and routers of it.

        ``device`` None is the one that the route to the group leads over, or else the first with
        an address, which a program would have to name to the kernel. Returns the interface;
        raises :class:`UsageError` where the kernel refuses.
        """
        out = self._interface_for(group, device)
        if (out, group) in self._joined:
            raise UsageError(f"{self._name(out)} is in {ip_text(group)} already")
        if len(group) == 16 and out.addrconf is None:
            raise UsageError(f"{self._name(out)} has no IPv6")
        _members(out, group).join(group)
        self._joined.append((out, group))
        return out

    def leave(self, group: bytes, device: str | None = None) -> Interface:
        """Want ``group`` no more. Raises :class:`UsageError` where nothing joined it."""
        found = [
            out
            for out, joined in self._joined
            if joined == group and device in (None, out.device.name)
        ]
        if not found:
            where = self._namespace.name if device is None else f"{self._namespace.name}:{device}"
            groups = self.all(device)
            hint = f"it is in {' '.join(groups)}" if groups else "it joined none"
            raise UsageError(f"{where} is not in {ip_text(group)}", hint)
        self._joined.remove((found[0], group))
        _members(found[0], group).leave(group)
        return found[0]

    def all(self, device: str | None = None) -> list[str]:
        """The groups that were joined, on ``device`` or on any, each once."""
        joined = [ip for out, ip in self._joined if device in (None, out.device.name)]
        return list(dict.fromkeys(ip_text(ip) for ip in joined))

    def __contains__(self, group: bytes) -> bool:
        return any(joined == group for _, joined in self._joined)

    def _interface_for(self, group: bytes, device: str | None) -> Interface:
        if device is not None:
            return self._namespace.interface(device)
        route = self._namespace.route_to(group)
        if route is not None:
            return route.out
        for interface in self._namespace.interfaces.values():
            if interface is self._namespace.loopback:
                continue
            if any(len(address.ip) == len(group) for address in interface.addresses):
                return interface
        version = 6 if len(group) == 16 else 4
        what = f"{self._namespace.name} has no device with an address of IPv{version}"
        raise UsageError(what, "say which device: vm1:eth0")

    def _name(self, interface: Interface) -> str:
        return f"{self._namespace.name}:{interface.device.name}"


def group_from_text(text: str) -> IpAddress:
    """Parse a group's address. Raises :class:`UsageError`."""
    try:
        group = ip_from_text(text)
    except ValueError:
        raise UsageError(f"{text!r} is no IP address") from None
    if not is_multicast_ip(group):
        raise UsageError(f"{text} is no multicast group", "those are 224.0.0.0/4 and ff00::/8")
    return group


def _members(interface: Interface, group: bytes) -> GroupMembership:
    return interface.mld if len(group) == 16 else interface.igmp

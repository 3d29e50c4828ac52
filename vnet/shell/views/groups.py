"""``ip maddress``: the multicast groups that each device listens to."""

from __future__ import annotations

from collections import Counter

from vnet.base.ids import ip_from_text, ip_text, mac_text, multicast_mac_of
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.netns.namespace import Namespace

_ALL_HOSTS = ip_from_text("224.0.0.1")
_ALL_SNOOPERS = ip_from_text("224.0.0.106")
_ALL_NODES = [ip_from_text("ff02::1"), ip_from_text("ff01::1")]
_LINK_SCOPE = 2


def groups_text(
    namespace: Namespace, *, family: int | None = None, device: str | None = None
) -> str:
    """By device, the newest group first; without a ``family`` also the MACs that are listened to,
    the oldest first. A device that is not there has no groups."""
    lines = []
    for interface in sorted(namespace.interfaces.values(), key=lambda i: i.device.ifindex):
        if device in (None, interface.device.name):
            lines.append(f"{interface.device.ifindex}:\t{interface.device.name}")
            lines += _lines(interface, family)
    return "\n".join(lines)


def _lines(interface: Interface, family: int | None) -> list[str]:
    is_up, loops = interface.device.admin_up, interface is interface.namespace.loopback
    four = _groups(interface.igmp)
    six = _groups(interface.mld)
    if is_up:
        # A bridge that snoops has joined the snoopers before.
        older = four.pop(_ALL_SNOOPERS, None)
        four[_ALL_HOSTS] = 1
        four.update({} if older is None else {_ALL_SNOOPERS: older})
    if loops or interface.addrconf is not None:
        six.update(dict.fromkeys(_ALL_NODES, 1))
    macs: Counter[bytes] = Counter()
    if family is None and not loops:
        heard = [ip for ip in six if ip[1] & 0x0F >= _LINK_SCOPE]
        macs.update(multicast_mac_of(ip) for ip in (*reversed(heard), *reversed(four)))
    lines = [f"\tlink  {mac_text(mac)}{_users(users)}" for mac, users in macs.items()]
    if family in (None, 4):
        lines += [f"\tinet  {ip_text(ip)}{_users(users)}" for ip, users in four.items()]
    if family in (None, 6):
        lines += [f"\tinet6 {ip_text(ip)}{_users(users)}" for ip, users in six.items()]
    return lines


def _groups(membership: GroupMembership) -> dict[bytes, int]:
    return {group.ip: group.users for group in membership.groups}


def _users(number: int) -> str:
    return f" users {number}" if number > 1 else ""

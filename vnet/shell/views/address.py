"""``ip addr``: the addresses of each device, in the order in which the kernel keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.base.ids import ip_text, is_link_local_ip6
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.interface import Interface
from vnet.shell.views.link import brief_start, hardware_line, headline
from vnet.wire.ra import FOREVER_S


def addresses_text(
    interfaces: Iterable[Interface], *, family: int | None = None, one_device: bool = False
) -> str:
    """``ip addr``, ``ip -4 addr`` (``family`` 4) or ``ip -6 addr`` (6).

    Of one family only devices that have an address of it are listed, without their MAC;
    for ``-6`` without a device the kernel is asked for less, so the first line is shorter.
    """
    lines: list[str] = []
    for interface in interfaces:
        addresses = kept_order(interface, family)
        if family is not None and not addresses:
            continue
        lines.append(headline(interface, mode=False, plain=family == 6 and not one_device))
        if family is None:
            lines.append(hardware_line(interface.device))
        for address in addresses:
            lines += [_address_line(interface, address), _lifetime_line(interface, address)]
    return "\n".join(lines)


def brief_addresses_text(interfaces: Iterable[Interface], *, family: int | None = None) -> str:
    """``ip -br addr``."""
    lines = []
    for interface in interfaces:
        addresses = kept_order(interface, family)
        if family is None or addresses:
            listed = "".join(f"{ip_text(a.ip)}/{a.prefix_length} " for a in addresses)
            lines.append(brief_start(interface.device) + listed)
    return "\n".join(lines)


def kept_order(interface: Interface, family: int | None) -> list[InterfaceAddress]:
    """IPv4 first, in the order of adding but for secondaries, which go last; then IPv6, by
    scope with link-local last, and the newest first within a scope."""
    four = [a for a in interface.addresses if len(a.ip) == 4]
    four.sort(key=lambda address: is_secondary(interface, address))
    six = [a for a in reversed(interface.addresses) if len(a.ip) == 16]
    six.sort(key=lambda address: is_link_local_ip6(address.ip))
    return {4: four, 6: six, None: four + six}[family]


def is_secondary(interface: Interface, address: InterfaceAddress) -> bool:
    """Whether an older IPv4 address of the same subnet is there (IFA_F_SECONDARY)."""
    for other in interface.addresses:
        if other is address:
            return False
        if len(other.ip) == 4 and (other.network, other.prefix_length) == (
            address.network,
            address.prefix_length,
        ):
            return True
    return False


def _address_line(interface: Interface, address: InterfaceAddress) -> str:
    name = interface.device.name
    text = f"{ip_text(address.ip)}/{address.prefix_length}"
    host = interface is interface.namespace.loopback
    if len(address.ip) == 4:
        if address.has_said_broadcast and address.broadcast is not None:
            text += f" brd {ip_text(address.broadcast)}"
        flags = "secondary " if is_secondary(interface, address) else ""
        flags += "dynamic " if address.valid_until_ns is not None else ""
        return f"    inet {text} scope {'host' if host else 'global'} {flags}{name}"
    scope = "host" if host else "link" if is_link_local_ip6(address.ip) else "global"
    return f"    inet6 {text} scope {scope} {_flags(address)}"


def _flags(address: InterfaceAddress) -> str:
    """What is special about an IPv6 address, in the order of ip-address(8)'s table."""
    flags = {
        "dadfailed": address.duplicate,
        "deprecated": address.deprecated,
        "tentative": address.tentative or address.duplicate,
        "dynamic": address.from_router or address.valid_until_ns is not None,
        "mngtmpaddr": address.from_router,
    }
    return "".join(f"{word} " for word, is_set in flags.items() if is_set)


def _lifetime_line(interface: Interface, address: InterfaceAddress) -> str:
    valid_s, preferred_s = address.lifetimes_s(interface.namespace.scheduler.now_ns)
    return f"       valid_lft {_lifetime(valid_s)} preferred_lft {_lifetime(preferred_s)}"


def _lifetime(seconds: int) -> str:
    return "forever" if seconds == FOREVER_S else f"{seconds}sec"

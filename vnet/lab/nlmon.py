"""rtnetlink on the wire: a host's configuration changes as nlmon(4) would show them.

Each change of a namespace becomes the message that the kernel would multicast to rtnetlink
listeners, encoded by pyroute2, behind the cooked header of LINKTYPE_NETLINK. Wireshark
dissects them beside the frames they explain.
"""

from __future__ import annotations

import struct
from typing import Any

from vnet.base.errors import VnetError
from vnet.base.ids import ip_text, is_link_local_ip6, mac_text
from vnet.lab.capture import CapturePoint
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.changes import (
    AddressChange,
    Change,
    LinkChange,
    NeighborChange,
    RouteChange,
    RuleChange,
)
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.tables.fib import Nexthop, RouteMetrics, RouteScope
from vnet.tables.neigh import Nud
from vnet.tables.policy import RuleAction
from vnet.wire.pcapng import LINK_NETLINK

_COOKED = struct.Struct("!HHH8xH")
_PACKET_OUTGOING = 4
_ARPHRD_NETLINK = 824
_NETLINK_ROUTE = 0

_AF_INET, _AF_INET6, _AF_BRIDGE_UNSPEC = 2, 10, 0
_ARPHRD_ETHER, _ARPHRD_LOOPBACK = 1, 772

_IFF_UP, _IFF_BROADCAST, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x2, 0x8, 0x40
_IFF_NOARP, _IFF_MULTICAST, _IFF_LOWER_UP = 0x80, 0x1000, 0x10000

_IFA_F_PERMANENT, _IFA_F_TENTATIVE, _IFA_F_DADFAILED = 0x80, 0x40, 0x08
_IFA_F_DEPRECATED, _IFA_F_MANAGETEMPADDR = 0x20, 0x100
_NTF_ROUTER = 0x80
_NS_PER_TICK = 10_000_000
"""Netlink counts lifetimes of routes in hundredths of a second (USER_HZ)."""

_NUD_BITS = {
    Nud.NONE: 0x00,
    Nud.INCOMPLETE: 0x01,
    Nud.REACHABLE: 0x02,
    Nud.STALE: 0x04,
    Nud.DELAY: 0x08,
    Nud.PROBE: 0x10,
    Nud.FAILED: 0x20,
    Nud.PERMANENT: 0x80,
}
_PROTOCOLS = {"unspec": 0, "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "ra": 9}
_PREFERENCES = {"medium": 0, "high": 1, "low": 3}
_TABLE_COMPAT, _MOST_IN_A_BYTE = 252, 255
_RTNH_F_DEAD, _RTNH_F_ONLINK, _RTNH_F_LINKDOWN = 0x01, 0x04, 0x10
_FIB_RULE_INVERT = 0x2


class NetlinkWatch:
    """A namespace's listener that writes to a capture point."""

    def __init__(self, namespace: Namespace, point: CapturePoint) -> None:
        self._namespace = namespace
        self._point = point
        self._messages = _pyroute2()

    def __call__(self, change: Change) -> None:
        if isinstance(change, RouteChange) and not change.told:
            return
        kind, message = self._message(change)
        header = message["header"]
        header["type"] = kind
        header["flags"] = 0
        header["pid"] = 0
        header["sequence_number"] = 0
        message.encode()
        cooked = _COOKED.pack(_PACKET_OUTGOING, _ARPHRD_NETLINK, 0, _NETLINK_ROUTE)
        self._point.capture(self._namespace.scheduler.now_ns, cooked + bytes(message.data), None)

    def _message(self, change: Change) -> tuple[int, Any]:
        if isinstance(change, LinkChange):
            return (17 if change.deleted else 16), self._link(change)
        if isinstance(change, AddressChange):
            return (21 if change.deleted else 20), self._address(change)
        if isinstance(change, RouteChange):
            return (25 if change.deleted else 24), self._route(change)
        if isinstance(change, RuleChange):
            return (33 if change.deleted else 32), self._rule(change)
        return (29 if change.deleted else 28), self._neighbor(change)

    def _link(self, change: LinkChange) -> Any:
        device = change.device
        loopback = device.kind == "loopback"
        flags = _IFF_LOOPBACK if loopback else _IFF_BROADCAST
        flags |= _IFF_UP if device.admin_up else 0
        flags |= _IFF_RUNNING | _IFF_LOWER_UP if device.running else 0
        flags |= 0 if change.arp else _IFF_NOARP
        flags |= _IFF_MULTICAST if change.multicast and not loopback else 0
        message = self._messages["link"]()
        message["family"] = _AF_BRIDGE_UNSPEC
        message["ifi_type"] = _ARPHRD_LOOPBACK if loopback else _ARPHRD_ETHER
        message["index"] = device.ifindex
        message["flags"] = flags
        message["change"] = 0xFFFFFFFF
        message["attrs"] = [
            ("IFLA_IFNAME", device.name),
            ("IFLA_MTU", device.mtu_bytes),
            ("IFLA_OPERSTATE", "UP" if device.running else "DOWN"),
            ("IFLA_CARRIER", int(device.carrier)),
            ("IFLA_ADDRESS", mac_text(device.mac)),
        ]
        if change.master is not None:
            message["attrs"].append(("IFLA_MASTER", change.master.ifindex))
        return message

    def _address(self, change: AddressChange) -> Any:
        address = change.address
        ipv6 = len(address.ip) == 16
        flags = _address_flags(address)
        link_local = is_link_local_ip6(address.ip) and ipv6
        message = self._messages["address"]()
        message["family"] = _AF_INET6 if ipv6 else _AF_INET
        message["prefixlen"] = address.prefix_length
        message["flags"] = flags & _MOST_IN_A_BYTE
        message["scope"] = (RouteScope.LINK if link_local else RouteScope.GLOBAL).value
        message["index"] = change.device.ifindex
        message["attrs"] = [("IFA_ADDRESS", ip_text(address.ip))]
        if not ipv6:
            message["attrs"].append(("IFA_LOCAL", ip_text(address.ip)))
            message["attrs"].append(("IFA_LABEL", change.device.name))
        if flags > _MOST_IN_A_BYTE:
            message["attrs"].append(("IFA_FLAGS", flags))
        return message

    def _route(self, change: RouteChange) -> Any:
        route = change.route
        message = self._messages["route"]()
        ipv6 = len(route.network) == 16
        message["family"] = _AF_INET6 if ipv6 else _AF_INET
        message["dst_len"] = route.prefix_length
        message["tos"] = route.tos
        message["table"] = route.table if route.table <= _MOST_IN_A_BYTE else _TABLE_COMPAT
        message["proto"] = _PROTOCOLS[route.protocol]
        message["scope"] = route.scope.value
        message["type"] = route.type.value
        attributes: list[tuple[str, Any]] = [("RTA_TABLE", route.table)]
        if route.prefix_length:
            attributes.append(("RTA_DST", ip_text(route.network)))
        if route.metric or ipv6:
            attributes.append(("RTA_PRIORITY", route.metric))
        if metrics := _metrics(route.metrics):
            attributes.append(("RTA_METRICS", {"attrs": metrics}))
        if route.source is not None:
            attributes.append(("RTA_PREFSRC", ip_text(route.source)))
        if len(route.nexthops) > 1:
            attributes.append(("RTA_MULTIPATH", [_hop(hop) for hop in route.nexthops]))
        elif route.nexthops:
            hop = route.nexthops[0]
            message["flags"] = _hop_flags(hop)
            attributes += _gateway(hop)
            attributes.append(("RTA_OIF", hop.device.ifindex))
        if route.expires_ns is not None:
            left = (route.expires_ns - self._namespace.scheduler.now_ns) // _NS_PER_TICK
            attributes.append(("RTA_CACHEINFO", {"rta_expires": left}))
        if ipv6:
            attributes.append(("RTA_PREF", _PREFERENCES[route.preference]))
        message["attrs"] = attributes
        return message

    def _rule(self, change: RuleChange) -> Any:
        rule = change.rule
        message = self._messages["rule"]()
        message["family"] = _AF_INET6 if change.family == 6 else _AF_INET
        message["tos"] = rule.tos
        message["table"] = rule.table if rule.table <= _MOST_IN_A_BYTE else _TABLE_COMPAT
        message["action"] = rule.action.value
        message["flags"] = _FIB_RULE_INVERT if rule.inverted else 0
        attributes: list[tuple[str, Any]] = [("FRA_TABLE", rule.table)]
        attributes.append(("FRA_PRIORITY", rule.priority))
        attributes.append(("FRA_PROTOCOL", _PROTOCOLS[rule.origin]))
        for name, device in (("FRA_IIFNAME", rule.iif), ("FRA_OIFNAME", rule.oif)):
            if device is not None:
                attributes.append((name, device))
        if rule.mark or rule.mark_mask:
            attributes.append(("FRA_FWMARK", rule.mark))
            attributes.append(("FRA_FWMASK", rule.mark_mask))
        if rule.action is RuleAction.GOTO:
            attributes.append(("FRA_GOTO", rule.goto))
        for end, prefix in (("dst", rule.target), ("src", rule.source)):
            if prefix is not None:
                message[f"{end}_len"] = prefix.prefix_length
                attributes.append((f"FRA_{end.upper()}", ip_text(prefix.network)))
        message["attrs"] = attributes
        return message

    def _neighbor(self, change: NeighborChange) -> Any:
        neighbor = change.neighbor
        message = self._messages["neighbor"]()
        message["family"] = _AF_INET6 if len(neighbor.ip) == 16 else _AF_INET
        message["ifindex"] = change.device.ifindex
        message["state"] = _NUD_BITS[neighbor.state]
        message["flags"] = _NTF_ROUTER if neighbor.is_router else 0
        message["attrs"] = [("NDA_DST", ip_text(neighbor.ip))]
        if neighbor.mac is not None:
            message["attrs"].append(("NDA_LLADDR", mac_text(neighbor.mac)))
        return message


def _address_flags(address: InterfaceAddress) -> int:
    flags = 0 if address.from_router else _IFA_F_PERMANENT
    flags |= _IFA_F_TENTATIVE if address.tentative else 0
    flags |= _IFA_F_TENTATIVE | _IFA_F_DADFAILED if address.duplicate else 0
    flags |= _IFA_F_DEPRECATED if address.deprecated else 0
    return flags | (_IFA_F_MANAGETEMPADDR if address.from_router else 0)


def _metrics(metrics: RouteMetrics) -> list[tuple[str, int]]:
    named = (
        ("RTAX_LOCK", 1 << 2 if metrics.mtu_is_locked else 0),
        ("RTAX_MTU", metrics.mtu_bytes),
        ("RTAX_WINDOW", metrics.window_bytes),
        ("RTAX_ADVMSS", metrics.advmss_bytes),
        ("RTAX_HOPLIMIT", metrics.hop_limit),
        ("RTAX_INITCWND", metrics.initcwnd),
    )
    return [(name, value) for name, value in named if value]


def _hop(hop: Nexthop[NetDevice]) -> dict[str, Any]:
    return {
        "oif": hop.device.ifindex,
        "hops": hop.weight - 1,
        "flags": _hop_flags(hop),
        "attrs": _gateway(hop),
    }


def _gateway(hop: Nexthop[NetDevice]) -> list[tuple[str, Any]]:
    return [] if hop.gateway is None else [("RTA_GATEWAY", ip_text(hop.gateway))]


def _hop_flags(hop: Nexthop[NetDevice]) -> int:
    flags = 0 if hop.device.admin_up else _RTNH_F_DEAD
    flags |= 0 if hop.device.running else _RTNH_F_LINKDOWN
    return flags | (_RTNH_F_ONLINK if hop.onlink else 0)


def watch_netlink(namespace: Namespace, point: CapturePoint) -> None:
    """Write every change of ``namespace`` from now on to ``point``."""
    namespace.listeners.append(NetlinkWatch(namespace, point))


def describe(host: str) -> tuple[str, str, None, int]:
    """Name, description, MAC and link type of a host's netlink capture point."""
    return f"{host}:nlmon", f"rtnetlink messages of {host}", None, LINK_NETLINK


def _pyroute2() -> dict[str, Any]:
    try:
        from pyroute2.netlink.rtnl.fibmsg import fibmsg
        from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
        from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
        from pyroute2.netlink.rtnl.ndmsg import ndmsg
        from pyroute2.netlink.rtnl.rtmsg import rtmsg
    except ImportError:
        raise VnetError(
            "a capture of nlmon needs pyroute2, which is not installed",
            "pip install pyroute2, or leave the nlmon point out",
        ) from None
    return {
        "link": ifinfmsg,
        "address": ifaddrmsg,
        "route": rtmsg,
        "rule": fibmsg,
        "neighbor": ndmsg,
    }

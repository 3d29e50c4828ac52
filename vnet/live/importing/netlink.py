"""Reads a machine's network by rtnetlink(7), for which nobody needs to be root.

Another namespace can only be entered by root.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vnet.base.errors import UsageError
from vnet.live.importing.machine import (
    DeviceAddress,
    Hop,
    Link,
    Machine,
    Neighbor,
    Route,
    Rule,
)
from vnet.live.importing.netfilter import read_netfilter

_UP, _LOWER_UP = 1, 1 << 16
_ADDRESS_TEMPORARY, _ADDRESS_PERMANENT, _ADDRESS_MANAGED = 0x01, 0x80, 0x100
_PROTO_KERNEL_LINK_LOCAL, _PROTO_KERNEL_RA = 3, 2
_SCOPE_LINK = 253
_FOREVER = 0xFFFF_FFFF
_ONLINK = 4
_INVERT = 2
_PERMANENT, _KNOWN = 0x80, 0x02 | 0x04 | 0x08 | 0x10 | 0x80
_BY_ITSELF = 0x02
"""NTF_SELF: the entry is the device's own, and not the bridge's."""
_PVID, _UNTAGGED, _RANGE_BEGIN, _RANGE_END = 2, 4, 8, 16
_SETTINGS = Path("/proc/sys/net")


def read_machine(netns: str | None = None) -> Machine:
    """This machine, or its namespace ``netns``.

    Raises ``UsageError`` where that cannot be read: off Linux, or a namespace that is not there,
    or is not for this user.
    """
    if sys.platform != "linux":
        raise UsageError("import-host reads a Linux machine, and this is none")
    from pyroute2 import IPRoute

    with _inside(netns), IPRoute() as ip:
        families = (socket.AF_INET, socket.AF_INET6)
        return Machine(
            name=netns or socket.gethostname(),
            links=tuple(_links(ip)),
            addresses=tuple(_address(one) for one in ip.get_addr()),
            routes=tuple(
                _route(one) for family in families for one in ip.get_routes(family=family)
            ),
            rules=tuple(_rule(one) for family in families for one in ip.get_rules(family=family)),
            neighbors=tuple(_neighbors(ip, families)),
            stations=tuple(_stations(ip)),
            settings=_settings(),
            netfilter=read_netfilter(),
        )


@contextmanager
def _inside(netns: str | None) -> Iterator[None]:
    if netns is None:
        yield
        return
    from pyroute2 import netns as namespaces

    if netns not in namespaces.listnetns():
        raise UsageError(f"there is no network namespace {netns}", "ip netns lists them")
    try:
        namespaces.pushns(netns)
    except OSError as error:
        raise UsageError(
            f"cannot enter the namespace {netns}: {error.strerror}", "only root can"
        ) from None
    try:
        yield
    finally:
        namespaces.popns()


def _attributes(message: Any) -> dict[str, Any]:
    """Attributes by name; those that occur once, as all of these do."""
    return dict(message["attrs"])


def _links(ip: Any) -> Iterator[Link]:
    vlans = {one["index"]: tuple(_vlans(one)) for one in ip.get_vlans()}
    for message in ip.get_links():
        found = _attributes(message)
        info = _attributes(found["IFLA_LINKINFO"]) if found.get("IFLA_LINKINFO") else {}
        yield Link(
            index=message["index"],
            name=found["IFLA_IFNAME"],
            kind=info.get("IFLA_INFO_KIND", ""),
            mac=found.get("IFLA_ADDRESS", ""),
            mtu_bytes=found.get("IFLA_MTU", 0),
            hardware=message["ifi_type"],
            master=found.get("IFLA_MASTER", 0),
            link=found.get("IFLA_LINK", 0),
            link_is_elsewhere="IFLA_LINK_NETNSID" in found,
            is_up=bool(message["flags"] & _UP),
            has_carrier=bool(message["flags"] & _LOWER_UP),
            data=_plain(info.get("IFLA_INFO_DATA")),
            port=_plain(info.get("IFLA_INFO_SLAVE_DATA")),
            vlans=vlans.get(message["index"], ()),
        )


def _plain(nested: Any) -> Mapping[str, Any]:
    """Nested attributes, if there are any; what the library has no name for is passed over."""
    if not isinstance(nested, Mapping) or "attrs" not in nested:
        return {}
    return {name: value for name, value in nested["attrs"] if name != "UNKNOWN"}


def _vlans(message: Any) -> Iterator[tuple[int, int, bool, bool]]:
    """A port's VLANs; a range comes as its two ends."""
    first = 0
    nested = _attributes(message).get("IFLA_AF_SPEC")
    for name, value in nested["attrs"] if nested else ():
        if name != "IFLA_BRIDGE_VLAN_INFO":
            continue
        flags, vid = value["flags"], value["vid"]
        if flags & _RANGE_BEGIN:
            first = vid
        else:
            begin = first if flags & _RANGE_END else vid
            yield begin, vid, bool(flags & _PVID), bool(flags & _UNTAGGED)


def _address(message: Any) -> DeviceAddress:
    found = _attributes(message)
    flags = found.get("IFA_FLAGS", message["flags"])
    ip = found.get("IFA_LOCAL", found["IFA_ADDRESS"])
    is_ipv6 = message["family"] == socket.AF_INET6
    lifetime = found.get("IFA_CACHEINFO", {}).get("ifa_valid", _FOREVER)
    by_kernel = found.get("IFA_PROTO") in (_PROTO_KERNEL_LINK_LOCAL, _PROTO_KERNEL_RA)
    is_link_local = is_ipv6 and message["scope"] == _SCOPE_LINK
    temporary = is_ipv6 and bool(flags & (_ADDRESS_TEMPORARY | _ADDRESS_MANAGED))
    return DeviceAddress(
        index=message["index"],
        ip=ip,
        prefix_length=message["prefixlen"],
        peer=found["IFA_ADDRESS"] if found["IFA_ADDRESS"] != ip else "",
        label=found.get("IFA_LABEL", ""),
        is_link_local=is_link_local,
        is_by_itself=temporary or (by_kernel and is_ipv6),
        is_leased=lifetime != _FOREVER and not flags & _ADDRESS_PERMANENT,
    )


_MORE_OF_ROUTES = {
    "RTA_ENCAP": "encap",
    "RTA_VIA": "via inet6",
    "RTA_NH_ID": "nhid",
    "RTA_FLOW": "realm",
    "RTA_PREF": "pref",
}
_USUAL_PREFERENCE = 0


def _route(message: Any) -> Route:
    found = _attributes(message)
    family = message["family"]
    anywhere = "0.0.0.0" if family == socket.AF_INET else "::"
    metrics = _attributes(found["RTA_METRICS"]) if found.get("RTA_METRICS") else {}
    more = [word for name, word in _MORE_OF_ROUTES.items() if found.get(name)]
    more += [name.removeprefix("RTAX_").lower() for name in metrics if name != "RTAX_MTU"]
    return Route(
        family=family,
        target=f"{found.get('RTA_DST', anywhere)}/{message['dst_len']}",
        table=found.get("RTA_TABLE", message["table"]),
        kind=message["type"],
        made_by=message["proto"],
        hops=tuple(_hops(message, found)),
        metric=found.get("RTA_PRIORITY", 0),
        source=found.get("RTA_PREFSRC", ""),
        tos=message["tos"],
        mtu_bytes=metrics.get("RTAX_MTU", 0),
        has_more=tuple(more),
    )


def _hops(message: Any, found: Mapping[str, Any]) -> Iterator[Hop]:
    for way in found.get("RTA_MULTIPATH", ()):
        gateway = _attributes(way).get("RTA_GATEWAY", "") if way.get("attrs") else ""
        yield Hop(way["oif"], gateway, way["hops"] + 1, bool(way["flags"] & _ONLINK))
    if "RTA_MULTIPATH" not in found and "RTA_OIF" in found:
        gateway = found.get("RTA_GATEWAY", "")
        yield Hop(found["RTA_OIF"], gateway, 1, bool(message["flags"] & _ONLINK))


_MORE_OF_RULES = {
    "FRA_SUPPRESS_IFGROUP": "suppress_ifgroup",
    "FRA_UID_RANGE": "uidrange",
    "FRA_IP_PROTO": "ipproto",
    "FRA_SPORT_RANGE": "sport",
    "FRA_DPORT_RANGE": "dport",
    "FRA_L3MDEV": "l3mdev",
    "FRA_TUN_ID": "tun_id",
}
_NO_GROUP = 0xFFFF_FFFF


def _rule(message: Any) -> Rule:
    found = _attributes(message)
    suppressed = found.get("FRA_SUPPRESS_PREFIXLEN", _NO_GROUP)
    more = [
        word for name, word in _MORE_OF_RULES.items() if found.get(name) not in (None, 0, _NO_GROUP)
    ]
    return Rule(
        family=message["family"],
        priority=found.get("FRA_PRIORITY", 0),
        action=message["action"],
        table=found.get("FRA_TABLE", message["table"]),
        source=f"{found['FRA_SRC']}/{message['src_len']}" if "FRA_SRC" in found else "",
        target=f"{found['FRA_DST']}/{message['dst_len']}" if "FRA_DST" in found else "",
        iif=found.get("FRA_IIFNAME", ""),
        oif=found.get("FRA_OIFNAME", ""),
        mark=found.get("FRA_FWMARK", 0),
        mask=found.get("FRA_FWMASK", 0),
        tos=message["tos"],
        goto=found.get("FRA_GOTO", 0),
        suppressed_length=None if suppressed == _NO_GROUP else suppressed,
        is_not=bool(message["flags"] & _INVERT),
        has_more=tuple(more),
    )


def _neighbors(ip: Any, families: tuple[int, int]) -> Iterator[Neighbor]:
    for family in families:
        for message in ip.get_neighbours(family=family):
            found = _attributes(message)
            if message["state"] & _KNOWN and "NDA_LLADDR" in found:
                yield Neighbor(
                    message["ifindex"],
                    found["NDA_LLADDR"],
                    found["NDA_DST"],
                    bool(message["state"] & _PERMANENT),
                )


def _stations(ip: Any) -> Iterator[Neighbor]:
    """What bridges know, but for their own addresses and the groups their devices listen to."""
    for message in ip.get_neighbours(family=socket.AF_BRIDGE):
        found = _attributes(message)
        if "NDA_LLADDR" in found and not message["flags"] & _BY_ITSELF:
            is_permanent = bool(message["state"] & _PERMANENT)
            yield Neighbor(message["ifindex"], found["NDA_LLADDR"], "", is_permanent)


def _settings() -> dict[str, str]:
    """Every setting of the network that may be read, by its path below /proc/sys."""
    found = {}
    for path in sorted(_SETTINGS.rglob("*")):
        if path.is_file():
            try:
                found[path.relative_to(_SETTINGS.parent).as_posix()] = path.read_text().strip()
            except OSError:  # Some may only be written, or read by root.
                continue
    return found

"""Bridges and their ports in the words of a topology; only what is not as usual is said."""

from __future__ import annotations

from typing import Any

from vnet.live.importing.cards import Entry, addresses
from vnet.live.importing.devices import Plan
from vnet.live.importing.machine import Link, Machine

_USER_HZ = 100
"""Times of bridges come in hundredths of a second."""

_NO_STP, _STP_OF_A_PROGRAM = 0, 2
_GROUP_ADDRESS = "01:80:c2:00:00:00"

_MULTICAST_TIMES = {
    "last_member_interval": ("IFLA_BR_MCAST_LAST_MEMBER_INTVL", 100),
    "membership_interval": ("IFLA_BR_MCAST_MEMBERSHIP_INTVL", 26_000),
    "querier_interval": ("IFLA_BR_MCAST_QUERIER_INTVL", 25_500),
    "query_interval": ("IFLA_BR_MCAST_QUERY_INTVL", 12_500),
    "query_response_interval": ("IFLA_BR_MCAST_QUERY_RESPONSE_INTVL", 1_000),
}
_MULTICAST_NUMBERS = {
    "igmp_version": ("IFLA_BR_MCAST_IGMP_VERSION", 2),
    "mld_version": ("IFLA_BR_MCAST_MLD_VERSION", 1),
    "hash_max": ("IFLA_BR_MCAST_HASH_MAX", 4096),
    "router": ("IFLA_BR_MCAST_ROUTER", 1),
    "last_member_count": ("IFLA_BR_MCAST_LAST_MEMBER_CNT", 2),
    "startup_query_count": ("IFLA_BR_MCAST_STARTUP_QUERY_CNT", 2),
}
_MULTICAST_FLAGS = {
    "querier": "IFLA_BR_MCAST_QUERIER",
    "query_use_ifaddr": "IFLA_BR_MCAST_QUERY_USE_IFADDR",
}
_STARTUP_QUERY = ("IFLA_BR_MCAST_STARTUP_QUERY_INTVL", (3_124, 3_125))
"""A quarter of the usual query interval; which of both depends on the kernel's own clock."""

_PORT_FLAGS = {
    "hairpin": ("IFLA_BRPORT_MODE", 0),
    "isolated": ("IFLA_BRPORT_ISOLATED", 0),
    "learning": ("IFLA_BRPORT_LEARNING", 1),
    "flood": ("IFLA_BRPORT_UNICAST_FLOOD", 1),
    "mcast_flood": ("IFLA_BRPORT_MCAST_FLOOD", 1),
    "bcast_flood": ("IFLA_BRPORT_BCAST_FLOOD", 1),
    "neigh_suppress": ("IFLA_BRPORT_NEIGH_SUPPRESS", 0),
    "locked": ("IFLA_BRPORT_LOCKED", 0),
    "guard": ("IFLA_BRPORT_GUARD", 0),
    "root_block": ("IFLA_BRPORT_PROTECT", 0),
    "fastleave": ("IFLA_BRPORT_FAST_LEAVE", 0),
    "mcast_to_unicast": ("IFLA_BRPORT_MCAST_TO_UCAST", 0),
}
_PORT_NUMBERS = {
    "priority": ("IFLA_BRPORT_PRIORITY", 32),
    "mcast_router": ("IFLA_BRPORT_MULTICAST_ROUTER", 1),
    "group_fwd_mask": ("IFLA_BRPORT_GROUP_FWD_MASK", 0),
}
_COST, _COSTS_OF_SPEEDS = "IFLA_BRPORT_COST", (2, 4, 19, 100)
_LOST_OF_PORTS = {
    "IFLA_BRPORT_PROXYARP": "proxy_arp",
    "IFLA_BRPORT_PROXYARP_WIFI": "proxy_arp_wifi",
    "IFLA_BRPORT_VLAN_TUNNEL": "vlan_tunnel",
    "IFLA_BRPORT_MAB": "mab",
}
_LOST_OF_BRIDGES = {
    "IFLA_BR_NF_CALL_IPTABLES": "nf_call_iptables",
    "IFLA_BR_NF_CALL_IP6TABLES": "nf_call_ip6tables",
    "IFLA_BR_NF_CALL_ARPTABLES": "nf_call_arptables",
}


def bridge(machine: Machine, made: Plan, link: Link, notes: list[str]) -> Entry:
    """What stands below a bridge's name."""
    uplink = made.uplinks.get(link.index)
    entry: Entry = {"uplink": "none" if uplink is None else made.name(uplink.index)}
    entry |= addresses(machine, link, notes)
    entry |= _tree(link, notes) | _vlan_filter(link) | _multicast(link)
    mask = link.data.get("IFLA_BR_GROUP_FWD_MASK", 0)
    if mask:
        entry["group_fwd_mask"] = f"{mask:#x}"
    ports = _ports(machine, made, link, notes)
    if ports:
        entry["ports"] = ports
    _note_lost(machine, link, notes)
    return entry


def _tree(link: Link, notes: list[str]) -> Entry:
    """The spanning tree, and how long stations are remembered."""
    data = link.data
    entry: Entry = {}
    if data.get("IFLA_BR_AGEING_TIME", 30_000) != 30_000:
        entry["ageing"] = _time(data["IFLA_BR_AGEING_TIME"])
    stp = data.get("IFLA_BR_STP_STATE", _NO_STP)
    if stp == _STP_OF_A_PROGRAM:
        notes.append(f"a program runs the spanning tree of {link.name}; in the lab none does")
    speaks = stp not in (_NO_STP, _STP_OF_A_PROGRAM)
    if speaks:
        entry["stp"] = True
    if data.get("IFLA_BR_PRIORITY", 32_768) != 32_768:
        entry["priority"] = data["IFLA_BR_PRIORITY"]
    # A lab's hosts have no delay until they speak the protocol, as hypervisors' scripts set it.
    times = (
        ("forward_delay", "IFLA_BR_FORWARD_DELAY", 1_500 if speaks else 0),
        ("hello_time", "IFLA_BR_HELLO_TIME", 200),
        ("max_age", "IFLA_BR_MAX_AGE", 2_000),
    )
    for key, name, usual in times:
        if data.get(name, usual) != usual:
            entry[key] = _time(data[name])
    return entry


def _vlan_filter(link: Link) -> Entry:
    data = link.data
    if not data.get("IFLA_BR_VLAN_FILTERING"):
        return {}
    entry: Entry = {"vlan_filtering": True}
    if data.get("IFLA_BR_VLAN_PROTOCOL") == 0x88A8:
        entry["vlan_protocol"] = "802.1ad"
    pvid = data.get("IFLA_BR_VLAN_DEFAULT_PVID", 1)
    if pvid != 1:
        entry["default_pvid"] = pvid or "none"
    if data.get("IFLA_BR_VLAN_STATS_ENABLED"):
        entry["vlan_stats"] = True
    return entry


def _multicast(link: Link) -> Entry:
    data = link.data
    entry: Entry = {}
    if data.get("IFLA_BR_MCAST_SNOOPING", 1) == 0:
        entry["mcast_snooping"] = False
    asked: Entry = {key: True for key, name in _MULTICAST_FLAGS.items() if data.get(name)}
    asked |= _unusual(data, _MULTICAST_NUMBERS)
    for key, (name, usual) in _MULTICAST_TIMES.items():
        if data.get(name, usual) != usual:
            asked[key] = _time(data[name])
    name, usual_ones = _STARTUP_QUERY
    if data.get(name, usual_ones[0]) not in usual_ones:
        asked["startup_query_interval"] = _time(data[name])
    if asked:
        entry["multicast"] = asked
    return entry


def _ports(machine: Machine, made: Plan, link: Link, notes: list[str]) -> Entry:
    """Settings of ports by their names in the lab; the bridge's own are its host's."""
    entries: Entry = {}
    for port in (link, *machine.ports_of(link)):
        name = made.name(port.index)
        if name is None:
            continue
        entry = _port(port)
        if link.data.get("IFLA_BR_VLAN_FILTERING"):
            entry |= _memberships(port, link.data.get("IFLA_BR_VLAN_DEFAULT_PVID", 1))
        if entry:
            entries[name] = entry
        for attribute, word in _LOST_OF_PORTS.items():
            if port.port.get(attribute):
                notes.append(f"{word} of the port {port.name} is on, which a topology cannot say")
    return entries


def _port(port: Link) -> Entry:
    data = port.port
    entry: Entry = {
        key: bool(data[name])
        for key, (name, usual) in _PORT_FLAGS.items()
        if bool(data.get(name, usual)) != bool(usual)
    }
    if data.get(_COST, 2) not in _COSTS_OF_SPEEDS:
        entry["cost"] = data[_COST]
    return entry | _unusual(data, _PORT_NUMBERS)


def _memberships(port: Link, usual_pvid: int) -> Entry:
    """``pvid``, ``tagged`` and ``untagged``; nothing for a port of the usual VLAN alone."""
    pvid, tagged, untagged = 0, [], []
    for first, last, is_pvid, is_untagged in port.vlans:
        if is_pvid:
            pvid = first
        if is_untagged and not is_pvid:
            untagged.append(_range(first, last))
        elif not is_untagged:
            tagged.append(_range(first, last))
    if pvid == usual_pvid and not tagged and not untagged:
        return {}
    entry: Entry = {"pvid": pvid or "none"}
    if tagged:
        entry["tagged"] = ",".join(tagged)
    if untagged:
        entry["untagged"] = ",".join(untagged)
    return entry


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _unusual(data: Any, names: dict[str, tuple[str, int]]) -> Entry:
    return {
        key: data[name] for key, (name, usual) in names.items() if data.get(name, usual) != usual
    }


def _time(hundredths: int) -> str:
    """As a topology has it: ``15s``, ``250ms``."""
    whole, rest = divmod(hundredths, _USER_HZ)
    return f"{hundredths * 10}ms" if rest else f"{whole}s"


def _note_lost(machine: Machine, link: Link, notes: list[str]) -> None:
    data = link.data
    if data.get("IFLA_BR_GROUP_ADDR", _GROUP_ADDRESS) != _GROUP_ADDRESS:
        address = data["IFLA_BR_GROUP_ADDR"]
        notes.append(f"{link.name} has the group address {address}, which a topology cannot say")
    for attribute, word in _LOST_OF_BRIDGES.items():
        if data.get(attribute):
            notes.append(
                f"{word} of {link.name} is on, which a topology says with br_netfilter only"
            )
    ports = machine.ports_of(link)
    if ports and link.mac != min(port.mac for port in ports):
        notes.append(f"the MAC address {link.mac} of {link.name} was set by hand; its ports decide")
    if ports and link.mtu_bytes != min(port.mtu_bytes for port in ports):
        notes.append(f"the mtu {link.mtu_bytes} of {link.name} was set by hand; its ports decide")
    own = {one.mac for one in machine.links}
    indices = {port.index: port.name for port in ports}
    for station in machine.stations:
        if station.is_permanent and station.index in indices and station.mac not in own:
            place = indices[station.index]
            notes.append(f"the station {station.mac} was put behind {place} by hand; it is learnt")

"""Cards, VLANs and guests in the words of a topology."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from typing import Any

from vnet.base.ids import ip_text, link_local_of, mac_from_text
from vnet.base.text import one_of
from vnet.live.importing.devices import Guest, Plan
from vnet.live.importing.machine import LOOPBACK, DeviceAddress, Link, Machine

_USUAL_MTU_BYTES = 1500
_VLAN_PROTOCOLS = {0x8100: "802.1Q", 0x88A8: "802.1ad"}
_OWN_ADDRESSES = (("127.0.0.1", 8), ("::1", 128))
_BACK_END_FIRST, _GUEST_FIRST = "fe:", "52:"
_BACK_END_OF_XEN = "fe:ff:ff:ff:ff:ff"
"""libvirt gives a tap device its guest's address but for the first byte."""

Entry = dict[str, Any]


def card(machine: Machine, link: Link, notes: list[str]) -> Entry:
    """What stands below a card's name."""
    entry: Entry = {**addresses(machine, link, notes), "mac": link.mac}
    if link.mtu_bytes != _USUAL_MTU_BYTES:
        entry["mtu"] = link.mtu_bytes
    if link.kind in ("bond", "team", "macvlan", "ipvlan"):
        notes.append(f"{link.name} is a {link.kind}, and becomes a card")
    return entry


def vlan(machine: Machine, made: Plan, link: Link, notes: list[str]) -> Entry:
    """What stands below the name of a VLAN of a device."""
    below = machine.link(link.link)
    assert below is not None
    vid = link.data.get("IFLA_VLAN_ID", 0)
    protocol = _VLAN_PROTOCOLS.get(link.data.get("IFLA_VLAN_PROTOCOL", 0x8100), "802.1Q")
    entry: Entry = {}
    if link.name != f"{below.name}.{vid}":
        entry |= {"link": made.name(below.index), "id": vid}
    if protocol != "802.1Q":
        entry["protocol"] = protocol
    entry |= addresses(machine, link, notes)
    if link.mac != below.mac:
        entry["mac"] = link.mac
    if link.mtu_bytes != below.mtu_bytes:
        entry["mtu"] = link.mtu_bytes
    return entry


def addresses(machine: Machine, link: Link, notes: list[str]) -> Entry:
    """``ip``, and ``ipv6`` where there is no address that would tell it."""
    found = [one for one in machine.addresses if one.index == link.index]
    entry: Entry = {}
    said = [f"{one.ip}/{one.prefix_length}" for one in found if _is_carried(link, one, notes)]
    if said:
        entry["ip"] = said[0] if len(said) == 1 else said
    if any(one.is_link_local for one in found) and not any(":" in text for text in said):
        if link.kind == "bridge":
            notes.append(f"{link.name} has IPv6 only if it is given an address of it")
        elif not link.master:
            entry["ipv6"] = True
    return entry


def _is_carried(link: Link, one: DeviceAddress, notes: list[str]) -> bool:
    text = f"{one.ip}/{one.prefix_length} of {link.name}"
    if one.is_link_local and link.master:
        return False
    if one.is_link_local:
        if ip_address(one.ip).packed != link_local_of(mac_from_text(link.mac)):
            made_of_mac = ip_text(link_local_of(mac_from_text(link.mac)))
            notes.append(f"{text} is not made of its MAC address, so it will be {made_of_mac}")
        return False
    if one.is_by_itself:
        notes.append(f"{text} was made from a router's advertisement, and is left to that")
        return False
    if one.peer:
        notes.append(f"{text} has the peer {one.peer}, which a topology cannot say")
        return False
    if one.label not in ("", link.name):
        notes.append(f"{text} has the label {one.label}, which a topology cannot say")
    if one.is_leased:
        notes.append(f"{text} is leased, and stays for good in the lab")
    return True


def note_lost_addresses(machine: Machine, made: Plan, notes: list[str]) -> None:
    """Addresses of devices that have none in a lab: of ports, of back ends, of the loopback."""
    speaking = {link.index for link in (*made.cards, *made.bridges, *made.vlans)}
    speaking -= {link.index for link in made.uplinks.values()}
    for one in machine.addresses:
        link = machine.link(one.index)
        if link is None or link.index in speaking or one.is_link_local:
            continue
        if link.hardware == LOOPBACK and (one.ip, one.prefix_length) in _OWN_ADDRESSES:
            continue
        notes.append(f"{one.ip}/{one.prefix_length} of {link.name} is not carried over")
    silent = [link.name for link in machine.links if link.master and _has_link_local(machine, link)]
    if silent:
        notes.append(f"the ports {one_of(silent)} have IPv6 of their own; a lab's ports have not")


def _has_link_local(machine: Machine, link: Link) -> bool:
    return any(one.is_link_local for one in machine.addresses if one.index == link.index)


def guest(machine: Machine, guest: Guest, host: str, notes: list[str]) -> Entry:
    """A virtual machine, with what the bridges and neighbour tables know of it."""
    return {"host": host, "vnics": [_vnic(machine, link, notes) for link in guest.back_ends]}


def _vnic(machine: Machine, link: Link, notes: list[str]) -> Entry:
    bridge = machine.link(link.master)
    assert bridge is not None
    entry: Entry = {"switch": bridge.name}
    heard = [
        one.mac for one in machine.stations if one.index == link.index and not one.is_permanent
    ]
    if len(heard) == 1:
        entry["mac"] = heard[0]
    elif link.mac.startswith(_BACK_END_FIRST) and link.mac != _BACK_END_OF_XEN:
        entry["mac"] = _GUEST_FIRST + link.mac[3:]
    if sum(1 for one in machine.links if one.mac == link.mac) > 1 and not heard:
        entry.pop("mac", None)
    if link.mac not in (_BACK_END_OF_XEN, _BACK_END_FIRST + entry.get("mac", "")[3:]):
        notes.append(
            f"the back end {link.name} has the MAC address {link.mac}; the lab derives one"
        )
    if len(heard) > 1:
        notes.append(f"behind {link.name} there are {len(heard)} stations, which become one guest")
    known = _known_addresses(machine, bridge, entry.get("mac", ""))
    if known:
        entry["ip"] = known[0] if len(known) == 1 else known
    if link.mtu_bytes != _USUAL_MTU_BYTES:
        entry["mtu"] = link.mtu_bytes
    return entry


def _known_addresses(machine: Machine, bridge: Link, mac: str) -> list[str]:
    """A guest's addresses, as far as the host is in their networks and has spoken to it."""
    own = [
        ip_interface(f"{one.ip}/{one.prefix_length}")
        for one in machine.addresses
        if one.index == bridge.index and not one.is_link_local
    ]
    return [
        f"{one.ip}/{network.network.prefixlen}"
        for one in machine.neighbors
        if one.index == bridge.index and mac and one.mac == mac
        for network in own
        if ip_address(one.ip) in network.network
    ]

"""Which device of a machine becomes what in a lab.

A card is what frames leave the machine by. On a bridge, a tap device or the near end of a veth is
a guest's back end, unless it is called as cards are; guests become virtual machines, whose back
ends a lab names itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vnet.live.importing.machine import ETHERNET, LOOPBACK, Link, Machine
from vnet.topology.schema.values import RefusedError, parse_interface_name

_CARD_NAMES = re.compile(r"(eth|en[opsxi]?|em|peth|bond|team|wl|ib|uplink)[0-9]|p[0-9]+p[0-9]")
_XEN_BACK_END = re.compile(r"vif([0-9]+)\.([0-9]+)")
_NUMBERED = re.compile(r"(.*?)([0-9]*)")

_GUEST_KINDS = ("tun", "veth", "macvtap")
_CARD_KINDS = ("", "veth", "bond", "team", "dummy", "macvlan", "ipvlan", "virt_wifi", "netdevsim")


@dataclass
class Guest:
    """What hangs on bridges by these back ends; one machine, as far as can be told."""

    name: str
    back_ends: list[Link]


@dataclass
class Plan:
    """Devices by what they become. ``names`` has those that are called otherwise in the lab."""

    cards: list[Link] = field(default_factory=list)
    bridges: list[Link] = field(default_factory=list)
    vlans: list[Link] = field(default_factory=list)
    guests: list[Guest] = field(default_factory=list)
    pairs: list[tuple[Link, Link]] = field(default_factory=list)
    cables: list[tuple[Link, Link]] = field(default_factory=list)
    """Cards that are joined to each other, both on this machine."""
    uplinks: dict[int, Link] = field(default_factory=dict)
    """The card behind a bridge, by the bridge's index."""
    names: dict[int, str] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    """Devices that the lab does not have, and why."""
    is_xen: bool = False

    def name(self, index: int) -> str | None:
        """What a device is called in the lab; None if it is not there."""
        return self.names.get(index)


def plan(machine: Machine) -> Plan:
    """Decide for each device of a machine."""
    made = Plan()
    for link in machine.links:
        _place(machine, made, link)
    _choose_uplinks(made)
    _name_guests(made)
    for link in (
        *made.cards,
        *made.bridges,
        *made.vlans,
        *(end for pair in made.pairs for end in pair),
    ):
        made.names[link.index] = link.name
    for link in machine.links:
        if link.hardware == LOOPBACK:
            made.names[link.index] = link.name
    _lose_badly_named(made)
    return made


def _place(machine: Machine, made: Plan, link: Link) -> None:
    master = machine.link(link.master)
    on_bridge = master is not None and master.kind == "bridge"
    if link.hardware == LOOPBACK:
        return
    if link.kind == "bridge":
        made.bridges.append(link)
    elif link.kind == "vlan" and machine.link(link.link) is not None:
        made.vlans.append(link)
    elif _has_peer_here(machine, link):
        _place_pair(machine, made, link)
    elif on_bridge and _is_back_end(link):
        made.guests.append(Guest("", [link]))
    elif master is not None and not on_bridge:
        made.lost[link.index] = (
            f"it belongs to {master.name}, and a lab's machines have no {master.kind}"
        )
    elif link.kind in _CARD_KINDS and link.hardware == ETHERNET:
        made.cards.append(link)
    else:
        made.lost[link.index] = (
            f"a lab's machines have no device of the kind {link.kind or link.hardware}"
        )


def _is_back_end(link: Link) -> bool:
    """Xen's have no kind that netlink would tell."""
    if _XEN_BACK_END.fullmatch(link.name):
        return True
    return link.kind in _GUEST_KINDS and not _CARD_NAMES.match(link.name)


def _has_peer_here(machine: Machine, link: Link) -> bool:
    peer = machine.link(link.link)
    if link.kind != "veth" or link.link_is_elsewhere or peer is None:
        return False
    return peer.link == link.index and peer.kind == "veth"


def _place_pair(machine: Machine, made: Plan, link: Link) -> None:
    """Both ends of a veth at once, when the first of them comes."""
    peer = machine.link(link.link)
    assert peer is not None
    if peer.index < link.index:
        return
    masters = [machine.link(end.master) for end in (link, peer)]
    if all(master is not None and master.kind == "bridge" for master in masters):
        made.pairs.append((link, peer))
    else:
        made.cards += link, peer
        made.cables.append((link, peer))


def _choose_uplinks(made: Plan) -> None:
    """A bridge of a lab has one card, or a VLAN of one; those beyond the first are lost."""
    for bridge in made.bridges:
        candidates = [link for link in (*made.cards, *made.vlans) if link.master == bridge.index]
        candidates.sort(key=lambda link: (bool(link.kind), link.index))
        for number, link in enumerate(candidates):
            if number == 0:
                made.uplinks[bridge.index] = link
                continue
            first = candidates[0].name
            made.lost[link.index] = f"a bridge of a lab has one card, and {bridge.name} has {first}"
    _drop_lost(made)


def _drop_lost(made: Plan) -> None:
    def kept(link: Link) -> bool:
        return link.index not in made.lost

    made.cards = [link for link in made.cards if kept(link)]
    made.vlans = [link for link in made.vlans if kept(link)]
    made.bridges = [link for link in made.bridges if kept(link)]
    made.cables = [pair for pair in made.cables if kept(pair[0]) and kept(pair[1])]
    lost_below = [link for link in made.vlans if link.link in made.lost]
    for link in lost_below:
        made.lost[link.index] = "the device it stands on is not carried over"
    if lost_below:
        _drop_lost(made)


def _name_guests(made: Plan) -> None:
    """Guests as machines: Xen's by their domains, others each by its back end."""
    back_ends = [guest.back_ends[0] for guest in made.guests]
    made.is_xen = bool(back_ends) and all(_XEN_BACK_END.fullmatch(link.name) for link in back_ends)
    if made.is_xen:
        by_domain: dict[str, list[Link]] = {}
        for link in sorted(back_ends, key=_xen_numbers):
            by_domain.setdefault(link.name.partition(".")[0], []).append(link)
        made.guests = [Guest("", links) for links in by_domain.values()]
    else:
        made.guests.sort(key=lambda guest: _natural(guest.back_ends[0]))
    for number, guest in enumerate(made.guests):
        guest.name = f"vm{number + 1}"
        for position, link in enumerate(guest.back_ends):
            made.names[link.index] = (
                f"vif{number + 1}.{position}" if made.is_xen else f"vnet{number}"
            )


def _xen_numbers(link: Link) -> tuple[int, int]:
    match = _XEN_BACK_END.fullmatch(link.name)
    assert match is not None
    return int(match[1]), int(match[2])


def _natural(link: Link) -> tuple[str, int, int]:
    match = _NUMBERED.fullmatch(link.name)
    assert match is not None
    return match[1], int(match[2] or -1), link.index


def _lose_badly_named(made: Plan) -> None:
    """The kernel takes names that a topology does not."""
    for link in (*made.cards, *made.vlans, *made.bridges):
        try:
            parse_interface_name(link.name)
        except RefusedError as refused:
            made.lost[link.index] = str(refused)
            made.names.pop(link.index, None)
    _drop_lost(made)

"""Bonds of a file: what belongs together in them, and which devices they take.

The links of a bond join their bridge together, at the place of the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from vnet.base.text import did_you_mean, quote
from vnet.ovs.vswitchd.config import BridgePortConfig, InterfaceConfig
from vnet.topology.model import Host
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.bond import BondLinkFile
from vnet.topology.schema.port import OvsPortFile

MIN_LINKS = 2

_OF_BONDS = ("bond_mode", "bond_updelay", "bond_downdelay")
_OF_DEVICES = {"type": "its links are devices", "ofport": "each of its links may have one"}
"""Keys of a port that say of one device what cannot be said of several."""

Rows = Mapping[str, BridgePortConfig]


def check_bond_keys(file: OvsPortFile, path: Path, report: Report) -> bool:
    """Whether the keys of a port make a bond, or none; what they contradict is reported."""
    faults = report.faults
    if file.bond is None:
        for key in _OF_BONDS:
            if key in file.model_fields_set:
                hint = "write which devices it bonds, as in bond: [eth0, eth1]"
                report.add((*path, key), f"{key} is for bonds", hint, at_key=True)
        return report.faults == faults
    if len(set(file.bond)) < max(MIN_LINKS, len(file.bond)):
        report.add((*path, "bond"), "a bond has two devices at least, each once", at_key=True)
    for key, hint in _OF_DEVICES.items():
        if key in file.model_fields_set:
            report.add((*path, key), f"a bond has no {key}", hint, at_key=True)
    return report.faults == faults


def bond_interfaces(file: OvsPortFile) -> tuple[InterfaceConfig, ...]:
    """The links of a bond."""
    given = file.bond if isinstance(file.bond, dict) else dict.fromkeys(file.bond or ())
    links = {name: link or BondLinkFile() for name, link in given.items()}
    return tuple(
        InterfaceConfig(
            name,
            ofport_request=link.ofport,
            ingress_policing_rate=file.ingress_policing_rate,
            ingress_policing_burst=file.ingress_policing_burst,
            other_config=link.other_config,
        )
        for name, link in links.items()
    )


def bonds_of(rows: Rows) -> dict[str, BridgePortConfig]:
    """The bond that each link belongs to, by the link's name."""
    bonds = (row for row in rows.values() if len(row.interfaces) >= MIN_LINKS)
    return {interface.name: bond for bond in bonds for interface in bond.interfaces}


def in_order(devices: Iterable[str], rows: Rows) -> list[str]:
    """Devices in the order in which they become ports."""
    bonds = bonds_of(rows)
    there = list(dict.fromkeys(devices))
    order: dict[str, None] = {}
    for device in there:
        together = (
            [interface.name for interface in bonds[device].interfaces]
            if device in bonds
            else [device]
        )
        order |= dict.fromkeys(name for name in together if name in there)
    return list(order)


def bond_faults(
    bond: BridgePortConfig, devices: Iterable[str], where: str
) -> Iterator[tuple[int, str, str]]:
    """What is wrong with the links of a bond, whose bridge has ``devices``: the link's place, the
    fault, and a hint."""
    there = list(devices)
    for index, interface in enumerate(bond.interfaces):
        if interface.name not in there:
            hint = did_you_mean(interface.name, there, "it has") or "it has none"
            yield index, f"{where} has no port {quote(interface.name)}", hint


def shared_links(bond: BridgePortConfig, rows: Rows) -> Iterator[tuple[int, str, str]]:
    """Which of its links one of the bonds before it has, told as :func:`bond_faults` tells."""
    owners: dict[str, str] = {}
    for row in rows.values():
        if len(row.interfaces) >= MIN_LINKS:
            for interface in row.interfaces:
                owners.setdefault(interface.name, row.name)
    for index, interface in enumerate(bond.interfaces):
        owner = owners[interface.name]
        if owner != bond.name:
            yield index, f"{quote(interface.name)} is already a link of {owner}", "not of two bonds"


def card_faults(
    bond: BridgePortConfig, host: Host, switch: str, devices: Collection[str]
) -> Iterator[tuple[int, str, str]]:
    """What speaks against ``devices`` of a host, which are ports of one of its switches, as the
    links of a bond there."""
    taken = {
        device: other.name
        for other in host.switches.values()
        if other.name != switch
        for device in (other.uplink, *(() if other.ovs is None else bonds_of(other.ovs.ports)))
        if device is not None
    }
    uplink = host.switches[switch].uplink
    for index, interface in enumerate(bond.interfaces):
        card = host.nics.get(interface.name)
        if card is None:
            if interface.name in devices:
                what = f"{quote(interface.name)} is the card of a guest"
                yield index, what, "a bond joins cards of the host"
            continue
        if card.name in taken:
            yield index, f"card {quote(card.name)} is a port of {taken[card.name]}", "not of two"
        elif card.addresses and card.name != uplink:
            hint = "write them at the card that is the uplink"
            yield index, f"card {quote(card.name)} is a link of a bond, and has addresses", hint

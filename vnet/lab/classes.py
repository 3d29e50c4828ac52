"""Machines that are alike: those of one template, in the same place.

What one of them can reach, the others should reach too; so a check of a large lab asks one
or two of each class instead of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vnet.base.ids import ip_text, network_of
from vnet.lab.network import Network
from vnet.topology import model


@dataclass(frozen=True, slots=True)
class MachineClass:
    """``name`` says the template and the place: ``vm*@h1``; a machine of no template is alone."""

    name: str
    machines: tuple[str, ...]

    @property
    def ends(self) -> tuple[str, ...]:
        """The first and the last of them, or the only one."""
        return self.machines[:1] if len(self.machines) == 1 else self.machines[:: len(self) - 1]

    def __len__(self) -> int:
        return len(self.machines)


def machine_classes(network: Network, names: Sequence[str]) -> list[MachineClass]:
    """The classes among the machines ``names``, in the order of their first members.

    Alike are instances of one template whose cards are in the same networks and plug into
    the same switches: of one host for VMs, on the wire for hosts and routers. A VM is where it
    has moved to.
    """
    topology = network.topology
    neighbours = _neighbours(topology)
    members: dict[tuple[object, ...], list[str]] = {}
    for name in names:
        template = topology.templates.get(name)
        if template is None:
            members[(name,)] = [name]
        else:
            key = (f"{template}*", *_place(network, name, neighbours))
            members.setdefault(key, []).append(name)
    named: Counter[str] = Counter()
    classes = []
    for like, machines in members.items():
        label = "@".join(str(part) for part in like[:2] if part)
        named[label] += 1
        # The same template in the same place, and yet in other networks.
        number = f"/{named[label]}" if named[label] > 1 else ""
        classes.append(MachineClass(f"{label}{number}", tuple(machines)))
    return classes


def _place(
    network: Network, name: str, neighbours: dict[str, str]
) -> tuple[str, tuple[object, ...]]:
    """Where a machine is, in a word, and all that must agree for another to be like it."""
    topology = network.topology
    vm = topology.vms.get(name)
    if vm is not None:
        plugs = [network.plug_of(vnic) for vnic in network.vms[name].vnics]
        host = plugs[0][0] if plugs else vm.host
        return host, tuple(
            (*plug, _networks(vnic)) for plug, vnic in zip(plugs, vm.vnics, strict=True)
        )
    machine = topology.hosts.get(name) or topology.routers[name]
    cards = [(neighbours.get(f"{name}:{nic.name}", ""), nic) for nic in machine.nics.values()]
    places = dict.fromkeys(place for place, _ in cards if place)
    return ",".join(places), tuple((place, _networks(nic)) for place, nic in cards)


def _networks(nic: model.Nic) -> tuple[str, ...]:
    return tuple(
        f"{ip_text(network_of(address.ip, address.prefix_length))}/{address.prefix_length}"
        for address in nic.addresses
    )


def _neighbours(topology: model.Topology) -> dict[str, str]:
    """The node at the other end of each link, by device."""
    found = {}
    for link in topology.links:
        one, other = link.ends
        found[str(one)], found[str(other)] = other.node, one.node
    return found

"""Do the names in a step lead anywhere: to machines, switches, stations, and to what they fit."""

from __future__ import annotations

from itertools import chain
from typing import Any, Literal

from vnet.base.ids import Mac, ip_from_text
from vnet.base.text import did_you_mean, one_of, quote
from vnet.topology.checks.validate import Directory
from vnet.topology.expansion.expand import addresses_of, nics_of
from vnet.topology.model import Host, HostSwitch, Vm, WireSwitch
from vnet.topology.reading.report import Path, Report


class StepNames:
    """Looks up what steps name. What is not there, or not of the right kind, is reported."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.report: Report = directory.report

    def machine(self, name: str, path: Path) -> bool:
        """Whether ``name`` is a machine with an IP stack."""
        if not self.directory.has_node(name, path):
            return False
        if isinstance(self.directory.nodes.find(name), WireSwitch):
            what = f"{quote(name)} is a switch"
            self.report.add(path, what, "steps are made by hosts, VMs and routers")
            return False
        return True

    def resolves(self, name: str) -> bool:
        """Whether a machine asks a DNS server for names, or will be told of one to ask."""
        node = self.directory.nodes.find(name)
        if node is None or isinstance(node, WireSwitch):
            return False
        cards = chain(nics_of(node), node.vlans)
        return bool(node.resolver.servers) or any(card.dhcp_client for card in cards)

    def target(
        self, text: str, path: Path, only_ipv4: bool = False, asker: str | None = None
    ) -> bool:
        """Whether ``text`` is an address, a machine that has one, or a name for ``asker`` to
        resolve."""
        try:
            addresses = [bytes(ip_from_text(text))]
        except ValueError:
            if asker is not None and self._may_be_resolved(text, asker):
                return True
            if not self.machine(text, path):
                return False
            node = self.directory.nodes.find(text)
            assert node is not None
            assert not isinstance(node, WireSwitch)
            addresses = [address.ip for address in addresses_of(node)]
            if any(nic.dhcp_client for nic in nics_of(node)):
                return True  # The address shows when the step begins.
            if not addresses:
                self.report.add(path, f"{text} has no IP address", "write an address instead")
                return False
        if only_ipv4 and all(len(address) == 16 for address in addresses):
            self.report.add(path, f"{text} has no IPv4 address", "ARP is for IPv4 only")
            return False
        return True

    def _may_be_resolved(self, text: str, asker: str) -> bool:
        unknown = self.directory.nodes.find(text) is None and not self.directory.cut.excuses(text)
        return unknown and self.resolves(asker)

    def pair(self, given: Any, path: Path, only_ipv4: bool = False) -> bool:
        source = self.machine(given.from_, (*path, "from"))
        asker = None if only_ipv4 or not source else given.from_
        return self.target(given.to, (*path, "to"), only_ipv4, asker) and source

    def switch(self, given: Any, path: Path) -> HostSwitch | WireSwitch | None:
        """The switch that a step names, None where there is none."""
        name, bridge = given
        hosts = self.directory.nodes.hosts.values()
        owners = [host.name for host in hosts if bridge is None and name in host.switches]
        if owners and self.directory.nodes.find(name) is None:
            hint = f"write {one_of(f'{owner}:{name}' for owner in owners)}"
            self.report.add(path, f"there is no node {quote(name)}", hint)
            return None
        if not self.directory.has_node(name, path):
            return None
        node = self.directory.nodes.find(name)
        if isinstance(node, Host) and bridge is not None:
            if bridge in node.switches:
                return node.switches[bridge]
            hint = did_you_mean(bridge, list(node.switches), "it has") or "it has none"
            self.report.add(path, f"{name} has no switch {quote(bridge)}", hint)
            return None
        if isinstance(node, WireSwitch) and bridge is None:
            return node
        what = f"{quote(name if bridge is None else f'{name}:{bridge}')} is no switch"
        self.report.add(path, what, "write sw1, or h1:br0 for a switch in a host")
        return None

    def station(self, given: Any, path: Path) -> Mac | Literal[False] | None:
        """The MAC that a file names, by itself or by its card; False when it leads nowhere."""
        if given is None or isinstance(given, bytes):
            return None if given is None else Mac(given)
        name, card = given
        if not self.machine(name, path):
            return False
        node = self.directory.nodes.find(name)
        assert node is not None
        assert not isinstance(node, WireSwitch)
        macs = {nic.name: nic.mac for nic in nics_of(node)}
        if macs and card is None:
            return next(iter(macs.values()))
        if card in macs:
            return macs[card]
        what = f"{name} has no card" if card is None else f"{name} has no card {quote(card)}"
        self.report.add(path, what, did_you_mean(card or "", list(macs), "it has"))
        return False

    def can_plug(self, vm: Vm, host: Host, switch: str | None, path: Path) -> bool:
        """Whether the cards of ``vm`` find their switch on ``host``."""
        there = list(host.switches)
        if switch is not None:
            if switch in there:
                return True
            what = f"host {quote(host.name)} has no switch {quote(switch)}"
            hint = did_you_mean(switch, there, "it has") or "it has none"
            self.report.add((*path, "switch"), what, hint)
            return False
        if len(there) == 1 or host.vif_mode is not None:
            return True
        if all(vnic.switch in there for vnic in vm.vnics):
            return True
        what = f"the step does not say which switch of {host.name} {vm.name} plugs into"
        self.report.add(path, what, f"it has: {one_of(there)}" if there else "it has none")
        return False

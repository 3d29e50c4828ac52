"""From the file's spelling to machines: defaults, templates, references between nodes.

A template (``count: 100``) is checked once, as a template: does the last address still
lie in the network, does every name fit. The instances are then stamped out as plain
values, which is what keeps ten thousand of them quick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from vnet.base.text import did_you_mean, one_of, quote
from vnet.topology.expansion.bridges import bridge_of, check_reserved, veths_of
from vnet.topology.expansion.cards import NO_MAC, check_card, counted, explicit_macs
from vnet.topology.expansion.dhcp import served
from vnet.topology.expansion.dns import dns_on_card, resolver_of
from vnet.topology.expansion.host_modes import netdev_of, scripts_of, settle
from vnet.topology.expansion.host_switches import host_switches
from vnet.topology.expansion.roster import MAX_DEVICES_AND_ADDRESSES, Roster
from vnet.topology.expansion.routes import routes_of
from vnet.topology.expansion.rules import rules_of
from vnet.topology.expansion.sysctls import sysctls_of
from vnet.topology.expansion.templates import STAR, Templates, Wiring, dealt
from vnet.topology.expansion.virtual_networks import check_subnets
from vnet.topology.expansion.vlan_devices import vlan_devices_of
from vnet.topology.macs import OUI, PHYSICAL, MacChooser
from vnet.topology.model import (
    NO_FIREWALL,
    Address,
    Firewall,
    Host,
    HostSwitch,
    Hypervisor,
    Nic,
    Route,
    Router,
    VlanDevice,
    Vm,
    Vnic,
    WireSwitch,
)
from vnet.topology.reading.explain import Cut
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.ra import advertising_of, check_ra
from vnet.topology.schema.topology import (
    HostFile,
    MachineFile,
    NicFile,
    RouterFile,
    RouterNicFile,
    TopologyFile,
    VmFile,
    VnicFile,
    WireSwitchFile,
)


class Nodes:
    """The machines of a lab, and where in the file each was written."""

    def __init__(self, templates: Templates, origin: dict[str, Path]) -> None:
        self.hosts: dict[str, Host] = {}
        self.vms: dict[str, Vm] = {}
        self.switches: dict[str, WireSwitch] = {}
        self.routers: dict[str, Router] = {}
        self.origin = origin
        self.templates = templates
        self.wiring: Wiring

    def find(self, name: str) -> Host | Vm | WireSwitch | Router | None:
        return (
            self.hosts.get(name)
            or self.vms.get(name)
            or self.routers.get(name)
            or self.switches.get(name)
        )

    def names(self) -> list[str]:
        return list(chain(self.hosts, self.vms, self.routers, self.switches))


def addresses_of(node: Host | Vm | Router) -> Iterator[Address]:
    """All addresses of a machine that are known, in the order of its cards, its VLANs, and a
    host's bridges."""
    for nic in chain(nics_of(node), node.vlans):
        yield from nic.addresses
    if isinstance(node, Host):
        for switch in node.switches.values():
            yield from switch.addresses


def nics_of(node: Host | Vm | Router) -> Iterable[Nic]:
    """The cards of a machine, in order."""
    return node.vnics if isinstance(node, Vm) else node.nics.values()


def expand(file: TopologyFile, report: Report, cut: Cut) -> Nodes:
    """Make all nodes of ``file``; what is wrong with them goes to ``report``."""
    return _Expander(file, report, cut).run()


class _Expander:
    def __init__(self, file: TopologyFile, report: Report, cut: Cut) -> None:
        self.file = file
        self.report = report
        self.cut = cut
        self.roster = Roster(report, cut)
        self.nodes = Nodes(Templates(file, report, cut), self.roster.origin)
        self.macs = MacChooser(file.seed, islice(explicit_macs(file), MAX_DEVICES_AND_ADDRESSES))
        self.domids: dict[str, int] = {}
        self.dealt_to: dict[str, list[Host]] = {}

    def run(self) -> Nodes:
        for name, host in (self.file.hosts or {}).items():
            self.host(name, host or HostFile())
        for name, vm in (self.file.vms or {}).items():
            self.vm(name, vm)
        for name, router in (self.file.routers or {}).items():
            self.router(name, router or RouterFile())
        self.nodes.wiring = Wiring(self.file, self.nodes.templates, self.report, self.cut)
        linked = self.nodes.wiring.ports()
        for name, switch in (self.file.switches or {}).items():
            self.wire_switch(name, switch or WireSwitchFile(), linked)
        return self.nodes

    def sound(self, path: Path, count: int | None, faults: int) -> bool:
        """Whether instances can be made of the entry, which was judged since ``faults``.

        A plain machine with a fault is made none the less, so that others find its name.
        """
        if count is None or self.report.faults == faults:
            return True
        self.cut.nodes.add(str(path[1]))
        return False

    # --- hosts, routers, switches on the wire ---

    def host(self, name: str, file: HostFile) -> None:
        path: Path = ("hosts", name)
        size = _size(file.nics.values()) + len(file.switches) + _size(file.vlans.values())
        size += 2 * len(file.veths)
        instances = self.roster.sign_on(path, file.count, size)
        if not instances:
            return
        faults = self.report.faults
        hypervisor = Hypervisor(file.hypervisor)
        scripts = scripts_of(path, file, self.report)
        nics = self.nics(path, file.nics, file.count)
        netdev = netdev_of(path, scripts.vif_mode, nics, self.report)
        vlans = self.vlans(path, file, [*nics, *file.switches])
        switches = host_switches(name, path, file, scripts.network_mode, self.report)
        cards = [*nics.values(), *vlans]
        check_subnets(path, switches, cards, self.report)
        veths = veths_of(path, file, self.report)
        bridges = [Nic(key, NO_MAC, s.addresses) for key, s in switches.items() if s.addresses]
        routes = self.routes(path, file, [*cards, *bridges])
        rules = rules_of(path, file.rules, self.report)
        sysctls = sysctls_of(path, file, None, self.report)
        resolver = resolver_of(path, file.dns, self.report)
        firewall = self.firewall(path, file)
        if self.sound(path, file.count, faults):
            for offset, host in instances:
                own = self.instance_nics(host, nics, offset)
                own_vlans = self.instance_vlans(vlans, offset)
                self.nodes.hosts[host] = Host(
                    host,
                    hypervisor,
                    scripts.bridge_style,
                    own,
                    self.instance_switches(host, switches),
                    routes,
                    sysctls,
                    own_vlans,
                    rules,
                    veths,
                    file.br_netfilter,
                    scripts.vif_mode,
                    netdev,
                    resolver=resolver,
                    firewall=firewall,
                )

    def routes(
        self, path: Path, file: HostFile | RouterFile, cards: Sequence[Nic]
    ) -> tuple[Route, ...]:
        return routes_of(path, file, cards, self.report, file.count or 1)

    def vlans(
        self, path: Path, file: HostFile | RouterFile | VmFile, devices: Collection[str]
    ) -> tuple[VlanDevice, ...]:
        return vlan_devices_of(path, file.vlans, devices, file.count or 1, self.report)

    @staticmethod
    def instance_vlans(vlans: Iterable[VlanDevice], offset: int) -> tuple[VlanDevice, ...]:
        return tuple(counted(vlan, offset, lambda _name: NO_MAC) for vlan in vlans)

    def instance_switches(
        self, host: str, switches: Mapping[str, HostSwitch]
    ) -> dict[str, HostSwitch]:
        """Those of one host: each bridge of libvirt's has a MAC of its own."""
        own = dict(switches)
        for key, switch in switches.items():
            if switch.network is not None:
                mac = self.macs.choose(OUI[Hypervisor.KVM], host, key)
                own[key] = replace(switch, network=replace(switch.network, mac=mac))
        return own

    def wire_switch(self, name: str, file: WireSwitchFile, linked: Mapping[str, list[str]]) -> None:
        path: Path = ("switches", name)
        number = file.ports if isinstance(file.ports, int) else 0
        settings = file.ports if isinstance(file.ports, dict) else None
        instances = self.roster.sign_on(path, file.count, number)
        faults = self.report.faults
        ovs, linux = bridge_of(name, path, file, settings, self.report)
        if not self.sound(path, file.count, faults):
            return
        numbered = tuple(f"p{index}" for index in range(1, number + 1))
        for _, switch in instances:
            ports = numbered or tuple(linked.get(switch, ()))
            own = ovs and replace(ovs, config=replace(ovs.config, name=switch))
            self.nodes.switches[switch] = WireSwitch(switch, ports, file.ageing, own, linux)

    def router(self, name: str, file: RouterFile) -> None:
        path: Path = ("routers", name)
        size = _size(file.nics.values()) + _size(file.vlans.values())
        instances = self.roster.sign_on(path, file.count, size)
        if not instances:
            return
        faults = self.report.faults
        nics = self.nics(path, file.nics, file.count)
        vlans = self.vlans(path, file, nics)
        cards = [*nics.values(), *vlans]
        routes = self.routes(path, file, cards)
        rules = rules_of(path, file.rules, self.report)
        sysctls = sysctls_of(path, file, [card.name for card in cards], self.report)
        resolver = resolver_of(path, file.dns, self.report)
        firewall = self.firewall(path, file)
        if self.sound(path, file.count, faults):
            for offset, router in instances:
                own = self.instance_nics(router, nics, offset)
                own_vlans = self.instance_vlans(vlans, offset)
                made = Router(
                    *(router, own, routes, sysctls, own_vlans, rules),
                    resolver=resolver,
                    firewall=firewall,
                )
                self.nodes.routers[router] = made

    def firewall(self, path: Path, file: MachineFile) -> Firewall:
        """The rules of an entry's machines."""
        if file.iptables is None and file.ip6tables is None:
            return NO_FIREWALL
        # Files without rules do without all that they are made of.
        from vnet.topology.expansion.firewall import firewall_of

        return firewall_of(path, file, self.report)

    def nics(
        self, path: Path, files: Mapping[str, NicFile | None], count: int | None
    ) -> dict[str, Nic]:
        """The cards of an entry's first instance, judged for all of them."""
        nics: dict[str, Nic] = {}
        for name, given in files.items():
            file = given or NicFile()
            here = (*path, "nics", name)
            check_reserved(here, name, self.report)
            check_card(here, file, count or 1, self.report)
            advertised = None
            if isinstance(file, RouterNicFile) and file.ra is not None:
                check_ra(here, file, self.report)
                advertised = advertising_of(file.ra)
            card = Nic(
                name,
                file.mac or NO_MAC,
                tuple(file.addresses),
                file.mtu,
                file.ipv6,
                tuple(file.tc),
                ra=advertised,
                dhcp_client=file.asks_dhcp,
                dns=dns_on_card(here, file, self.report),
            )
            card = served(here, file, card, count or 1, self.report)
            nics[name] = card
        return nics

    def instance_nics(self, node: str, nics: Mapping[str, Nic], offset: int) -> dict[str, Nic]:
        choose = partial(self.macs.choose, PHYSICAL, node)
        return {name: counted(nic, offset, choose) for name, nic in nics.items()}

    # --- virtual machines ---

    def vm(self, name: str, file: VmFile) -> None:
        path: Path = ("vms", name)
        size = _size(file.vnics) + _size(file.vlans.values())
        instances = self.roster.sign_on(path, file.count, size)
        if not instances:
            return
        faults = self.report.faults
        hosts = self.hosts_of(path, file)
        if hosts is None:
            self.cut.nodes.add(name)
            return
        vnics = self.vnics(path, file, hosts[0])
        vlans = self.vlans(path, file, [vnic.name for vnic in vnics])
        cards = [*vnics, *vlans]
        routes = routes_of(path, file, cards, self.report, file.count or 1)
        rules = rules_of(path, file.rules, self.report)
        sysctls = sysctls_of(path, file, [card.name for card in cards], self.report)
        resolver = resolver_of(path, file.dns, self.report)
        firewall = self.firewall(path, file)
        if self.report.faults > faults:
            self.cut.nodes.add(name)
            return
        oui = OUI[hosts[0].hypervisor]
        for offset, vm in instances:
            host = dealt(offset, file.count or 1, hosts).name
            choose = partial(self.macs.choose, oui, vm)
            own = tuple(counted(vnic, offset, choose) for vnic in vnics)
            domid = self.domids[host] = self.domids.get(host, 0) + 1
            own_vlans = self.instance_vlans(vlans, offset)
            made = Vm(
                *(vm, host, domid, own, routes, sysctls, own_vlans, rules),
                resolver=resolver,
                firewall=firewall,
            )
            self.nodes.vms[vm] = settle(self.nodes.hosts[host], domid, made)

    def hosts_of(self, path: Path, file: VmFile) -> list[Host] | None:
        """The host of a machine, or those a template's machines are dealt out to."""
        here = (*path, "host")
        names = self.nodes.templates.names(file.host, here, "hosts")
        if names is None:
            return None
        if file.host not in self.dealt_to:
            there = (self.nodes.hosts.get(name) for name in names)
            self.dealt_to[file.host] = [host for host in there if host is not None]
        hosts = self.dealt_to[file.host]
        if len(hosts) < len(names):
            if not self.cut.excuses(file.host.removesuffix(STAR)):
                what = f"there is no host {quote(file.host)}"
                templates = self.nodes.templates
                hint = templates.hint(file.host, "hosts")
                hint = hint or templates.instances_hint(file.host.rstrip("0123456789"))
                known = self.report.keys("hosts")
                self.report.add(here, what, hint or did_you_mean(file.host, known, "there are"))
            return None
        if file.host.endswith(STAR) and file.count is None:
            what = f"{quote(file.host)} deals out many machines, and this is one"
            self.report.add(here, what, "write a count, or name one host")
            return None
        return hosts

    def vnics(self, path: Path, file: VmFile, host: Host) -> list[Vnic]:
        """The cards of an entry's first instance, judged for all of them."""
        vnics = []
        for index, vnic in enumerate(file.vnics):
            here = (*path, "vnics", index)
            check_card(here, vnic, file.count or 1, self.report)
            switch = self.plug(here, host, vnic)
            mac = vnic.mac or NO_MAC
            ip = tuple(vnic.addresses)
            tc = tuple(vnic.tc)
            card = Vnic(f"eth{index}", mac, ip, vnic.mtu, vnic.ipv6, tc, switch)
            serves = dns_on_card(here, vnic, self.report)
            home = host.switches.get(switch)
            leases = home is not None and home.leases_to_guests and not card.ips
            asks = vnic.asks_dhcp or leases
            card = replace(card, dhcp_client=asks, dns=serves)
            vnics.append(served(here, vnic, card, file.count or 1, self.report))
        return vnics

    def plug(self, path: Path, host: Host, vnic: VnicFile) -> str:
        """The switch a vNIC goes into."""
        there = list(host.switches)
        if vnic.switch in host.switches:
            return vnic.switch or ""
        if vnic.switch is None and host.vif_mode is not None:
            return ""
        if host.name in self.cut.nodes or not (there or vnic.switch):
            if host.name not in self.cut.nodes:
                self.report.add(path, f"host {quote(host.name)} has no switch to plug into")
            return ""
        if vnic.switch is not None:
            what = f"host {quote(host.name)} has no switch {quote(vnic.switch)}"
            self.report.add((*path, "switch"), what, did_you_mean(vnic.switch, there, "it has"))
            return ""
        if len(there) > 1:
            what = "the vnic does not say which switch it plugs into"
            self.report.add(path, what, f"{host.name} has: {one_of(there)}")
        return there[0]


def _size(cards: Iterable[NicFile | None]) -> int:
    """How many cards and addresses there are in ``cards``."""
    return sum(1 if card is None else 1 + len(card.ip) for card in cards)

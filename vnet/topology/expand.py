"""From the file's spelling to machines: defaults, templates, references between nodes.

A template (``count: 100``) is checked once, as a template: does the last address still
lie in the network, does every name fit. The instances are then stamped out as plain
values, which is what keeps ten thousand of them quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

from vnet.base.ids import IpAddress, Mac, ip_text, mac_text
from vnet.base.text import did_you_mean, one_of, quote
from vnet.topology.devices import RESERVED_NAMES
from vnet.topology.explain import Cut
from vnet.topology.fields import RefusedError, check_host_part
from vnet.topology.macs import OUI, PHYSICAL, MacChooser
from vnet.topology.model import (
    Address,
    BridgeStyle,
    Host,
    HostSwitch,
    Hypervisor,
    Nic,
    Route,
    Router,
    Vm,
    Vnic,
    WireSwitch,
)
from vnet.topology.report import Path, Report
from vnet.topology.routes import routes_of, same_network
from vnet.topology.schema import (
    MAX_COUNT,
    HostFile,
    HostSwitchFile,
    NicFile,
    RouterFile,
    TopologyFile,
    VmFile,
    VnicFile,
    WireSwitchFile,
)

BUILT_MODES = ("bridge",)
BUILT_SWITCHES = ("linux",)

MAX_CARDS_AND_ADDRESSES = 1_000_000
_MIN_MTU_IPV6 = 1280  # RFC 8200 section 5
_MAX_NAME = 63


class Nodes:
    """The machines of a lab, and where in the file each was written."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.vms: dict[str, Vm] = {}
        self.switches: dict[str, WireSwitch] = {}
        self.routers: dict[str, Router] = {}
        self.origin: dict[str, Path] = {}

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
    """All addresses of a machine, in the order of its cards."""
    for nic in nics_of(node):
        yield from nic.addresses


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
        self.nodes = Nodes()
        self.macs = MacChooser(file.seed, islice(_explicit_macs(file), MAX_CARDS_AND_ADDRESSES))
        self.domids: dict[str, int] = {}
        self.size = 0

    def run(self) -> Nodes:
        for name, host in (self.file.hosts or {}).items():
            if self.claim(name, ("hosts", name)):
                self.nodes.hosts[name] = self.host(name, host or HostFile())
        for name, vm in (self.file.vms or {}).items():
            self.vm(name, vm)
        for name, router in (self.file.routers or {}).items():
            if self.claim(name, ("routers", name)):
                self.nodes.routers[name] = self.router(name, router or RouterFile())
        for name, switch in (self.file.switches or {}).items():
            if self.claim(name, ("switches", name)):
                self.nodes.switches[name] = self.wire_switch(name, switch or WireSwitchFile())
        return self.nodes

    def claim(self, name: str, path: Path) -> bool:
        """Register a node's name; False if it is taken."""
        if name.count(".") == 3 and name.replace(".", "").isdigit():
            self.report.add(path, f"{quote(name)} is an IP address, not a name", at_key=True)
        first = self.nodes.origin.setdefault(name, path)
        if first == path:
            return True
        line = self.report.root.place(first, at_key=True)[0]
        where = f"{first[0]} has it in line {line}"
        self.report.add(path, f"the name {quote(name)} is used twice", where, at_key=True)
        return False

    # --- hosts, routers, switches on the wire ---

    def host(self, name: str, file: HostFile) -> Host:
        path: Path = ("hosts", name)
        hypervisor = Hypervisor(file.hypervisor)
        if file.mode not in BUILT_MODES:
            what = f"host mode {quote(file.mode)} is not supported"
            self.report.add((*path, "mode"), what, f"supported: {one_of(BUILT_MODES)}")
        xen = hypervisor is Hypervisor.XEN
        style = BridgeStyle(file.style or ("network-bridge" if xen else "enslaved"))
        if style is BridgeStyle.NETWORK_BRIDGE and not xen:
            what = f"style 'network-bridge' is Xen's, not {file.hypervisor}'s"
            self.report.add((*path, "style"), what, "write style: enslaved")
        nics = self.nics(name, path, file.nics)
        return Host(
            name,
            hypervisor,
            style,
            nics,
            self.host_switches(name, path, file),
            routes_of(path, file, list(nics.values()), self.report),
            dict(file.sysctls),
        )

    def host_switches(self, name: str, path: Path, file: HostFile) -> dict[str, HostSwitch]:
        switches = {key: value or HostSwitchFile() for key, value in file.switches.items()}
        claimed: dict[str, str] = {}
        for key, switch in switches.items():
            here = (*path, "switches", key)
            self.reserved(here, key)
            self.switch_type(here, switch)
            if key in file.nics:
                self.report.add(here, f"{quote(key)} is a card of {name} too", at_key=True)
            if switch.uplink in (None, "none"):
                continue
            uplink = str(switch.uplink)
            if uplink not in file.nics:
                hint = did_you_mean(uplink, list(file.nics), f"{name} has")
                what = f"{name} has no card {quote(uplink)}"
                self.report.add((*here, "uplink"), what, hint or f"{name} has no cards")
            elif uplink in claimed:
                what = f"card {quote(uplink)} is already the uplink of {claimed[uplink]}"
                self.report.add((*here, "uplink"), what, "a card has one switch")
            claimed.setdefault(uplink, key)
        free = iter([nic for nic in file.nics if nic not in claimed])
        built: dict[str, HostSwitch] = {}
        for key, switch in switches.items():
            # An uplink of null means none, as 'none' does; only silence gets a card.
            said = "uplink" in switch.model_fields_set
            chosen = switch.uplink if said else next(free, None)
            built[key] = HostSwitch(key, chosen if chosen in file.nics else None, switch.ageing)
            if not said:
                free = iter([])
        return built

    def switch_type(self, path: Path, file: HostSwitchFile | WireSwitchFile) -> None:
        if file.type not in BUILT_SWITCHES:
            what = f"switch type {quote(file.type)} is not supported"
            self.report.add((*path, "type"), what, f"supported: {one_of(BUILT_SWITCHES)}")

    def reserved(self, path: Path, name: str) -> None:
        if name in RESERVED_NAMES:
            self.report.add(path, f"the name {quote(name)} is reserved", at_key=True)

    def wire_switch(self, name: str, file: WireSwitchFile) -> WireSwitch:
        self.switch_type(("switches", name), file)
        if file.ports is not None:
            ports = [f"p{number}" for number in range(1, file.ports + 1)]
        else:
            ends = chain.from_iterable(link.ends for link in self.file.links or ())
            ports = list(dict.fromkeys(end.device for end in ends if end.node == name))
        return WireSwitch(name, tuple(ports), file.ageing)

    def router(self, name: str, file: RouterFile) -> Router:
        path: Path = ("routers", name)
        nics = self.nics(name, path, file.nics)
        routes = routes_of(path, file, list(nics.values()), self.report)
        return Router(name, nics, routes, dict(file.sysctls))

    def nics(self, node: str, path: Path, files: Mapping[str, NicFile | None]) -> dict[str, Nic]:
        nics: dict[str, Nic] = {}
        for name, given in files.items():
            file = given or NicFile()
            self.reserved((*path, "nics", name), name)
            self.card((*path, "nics", name), file)
            mac = file.mac or self.macs.choose(PHYSICAL, node, name)
            nics[name] = Nic(name, mac, tuple(file.ip), file.mtu, file.ipv6)
        return nics

    def card(self, path: Path, file: NicFile) -> None:
        """What a card's own keys say must fit together."""
        seen = set()
        for index, address in enumerate(file.ip):
            if address.ip in seen:
                place = (*path, "ip", index)
                self.report.add(place, f"the card has {ip_text(address.ip)} twice")
            seen.add(address.ip)
            if len(address.ip) == 16 and file.ipv6 is False:
                what = "an IPv6 address on a card with `ipv6: false`"
                self.report.add((*path, "ipv6"), what, "leave one of the two out")
        has_ipv6 = file.ipv6 or any(len(address.ip) == 16 for address in file.ip)
        if has_ipv6 and file.ipv6 is not False and file.mtu < _MIN_MTU_IPV6:
            hint = f"IPv6 needs {_MIN_MTU_IPV6}"
            self.report.add((*path, "mtu"), f"mtu {file.mtu} is too small for IPv6", hint)

    # --- virtual machines ---

    def vm(self, name: str, file: VmFile) -> None:
        path: Path = ("vms", name)
        count = file.count or 1
        last = f"{name}{count}" if file.count else name
        self.size += count * sum(1 + len(vnic.ip) for vnic in file.vnics)
        if len(self.nodes.vms) + count > MAX_COUNT:
            self.report.add(path, f"more than {MAX_COUNT} virtual machines", at_key=True)
            self.cut.nodes.add(name)
        elif self.size > MAX_CARDS_AND_ADDRESSES:
            what = f"more than {MAX_CARDS_AND_ADDRESSES} cards and addresses"
            self.report.add(path, what, at_key=True)
            self.cut.nodes.add(name)
        elif len(last) > _MAX_NAME:
            hint = f"names have up to {_MAX_NAME} characters"
            self.report.add(path, f"the name {quote(last)} is too long", hint, at_key=True)
            self.cut.nodes.add(name)
        else:
            template = self.template(path, file, count)
            if template is None:
                self.cut.nodes.add(name)
            else:
                self.stamp(name, path, file, template)

    def template(
        self, path: Path, file: VmFile, count: int
    ) -> tuple[tuple[Vnic, ...], tuple[Route, ...]] | None:
        """The first instance, judged for all of them; None if the host is not there."""
        host = self.nodes.hosts.get(file.host)
        if host is None:
            if not self.cut.excuses(file.host):
                what = f"there is no host {quote(file.host)}"
                hint = did_you_mean(file.host, self.report.keys("hosts"), "there are")
                self.report.add((*path, "host"), what, hint)
            return None
        before = len(self.report.problems)
        vnics = []
        for index, vnic in enumerate(file.vnics):
            here = (*path, "vnics", index)
            self.card(here, vnic)
            self.room(here, vnic, count)
            switch = self.plug(here, host, vnic)
            mac = vnic.mac or Mac(bytes(6))
            ip = tuple(vnic.ip)
            vnics.append(Vnic(f"eth{index}", mac, ip, vnic.mtu, vnic.ipv6, switch))
        routes = routes_of(path, file, vnics, self.report)
        return None if len(self.report.problems) > before else (tuple(vnics), routes)

    def plug(self, path: Path, host: Host, vnic: VnicFile) -> str:
        """The switch a vNIC goes into."""
        there = list(host.switches)
        if vnic.switch in host.switches:
            return vnic.switch or ""
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

    def room(self, path: Path, vnic: VnicFile, count: int) -> None:
        """Check that ``count`` addresses in a row stay where the first one is."""
        for index, address in enumerate(vnic.ip):
            last = int.from_bytes(address.ip, "big") + count - 1
            packed = last.to_bytes(len(address.ip) + 1, "big")[1:]
            fits = last >> (len(address.ip) * 8) == 0 and same_network(address, packed)
            if fits:
                try:
                    check_host_part(Address(IpAddress(packed), address.prefix_length), "")
                except RefusedError:
                    fits = False
            if not fits:
                first = f"{ip_text(address.ip)}/{address.prefix_length}"
                what = f"{count} addresses from {quote(first)} do not fit in its network"
                self.report.add((*path, "ip", index), what, "choose a shorter prefix length")
        if vnic.mac is not None and int.from_bytes(vnic.mac[3:], "big") + count > 1 << 24:
            what = f"{count} MAC addresses from {quote(mac_text(vnic.mac))} run over"
            self.report.add((*path, "mac"), what, "the last three bytes count up")

    def stamp(
        self,
        name: str,
        path: Path,
        file: VmFile,
        template: tuple[tuple[Vnic, ...], tuple[Route, ...]],
    ) -> None:
        """Make the instances of a template, or the one machine of a plain entry."""
        vnics, routes = template
        oui = OUI[self.nodes.hosts[file.host].hypervisor]
        sysctls = dict(file.sysctls)
        for offset in range(file.count or 1):
            vm = f"{name}{offset + 1}" if file.count else name
            if not self.claim(vm, path):
                continue
            own = tuple(self.instance(vm, vnic, offset, oui) for vnic in vnics)
            domid = self.domids[file.host] = self.domids.get(file.host, 0) + 1
            self.nodes.vms[vm] = Vm(vm, file.host, domid, own, routes, sysctls)

    def instance(self, vm: str, vnic: Vnic, offset: int, oui: bytes) -> Vnic:
        mac = (
            Mac(_plus(vnic.mac, offset)) if any(vnic.mac) else self.macs.choose(oui, vm, vnic.name)
        )
        addresses = vnic.addresses
        if offset:
            addresses = tuple(
                Address(IpAddress(_plus(a.ip, offset)), a.prefix_length) for a in addresses
            )
        return Vnic(vnic.name, mac, addresses, vnic.mtu_bytes, vnic.ipv6, vnic.switch)


def _plus(value: bytes, offset: int) -> bytes:
    return (int.from_bytes(value, "big") + offset).to_bytes(len(value), "big")


def _explicit_macs(file: TopologyFile) -> Iterator[Mac]:
    """Every address that the file itself gives away, so that no default takes it."""
    machines = chain((file.hosts or {}).values(), (file.routers or {}).values())
    for machine in machines:
        for nic in (machine.nics if machine else {}).values():
            if nic is not None and nic.mac is not None:
                yield nic.mac
    for vm in (file.vms or {}).values():
        for vnic in vm.vnics:
            if vnic.mac is not None:
                for offset in range(vm.count or 1):
                    yield Mac(_plus(vnic.mac, offset))

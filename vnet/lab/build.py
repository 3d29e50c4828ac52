"""From a topology to running devices: the only place that wires things together.

The order is that of a data centre being switched on: switches, routers, cables, and then each
host with its start-up scripts and its virtual machines, in the order of their domain numbers.
All of it happens at virtual time 0, before any event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

from vnet.base.chance import Chance
from vnet.base.ids import MAC_ZERO
from vnet.guest.machine import Guest, Machine
from vnet.guest.vnic import Vnic
from vnet.hypervisor.backend import FrontEnd
from vnet.hypervisor.modes.bridge import BridgeMode
from vnet.lab.dhcp import start_dhcp
from vnet.lab.domains import Domains
from vnet.lab.firewall import restore_firewall
from vnet.lab.host_scripts import start_scripts
from vnet.lab.machine_routes import add_addresses, add_routes, add_rules, address_commands
from vnet.lab.names import start_names
from vnet.lab.network import Network
from vnet.lab.wire_switch import build_wire_switch
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.vlan_devices import add_vlan_device
from vnet.linux.services.router_advertiser import RouterAdvertiser
from vnet.netdev.nic import Nic
from vnet.sim.link import Link
from vnet.sim.scheduler import Scheduler
from vnet.topology import model
from vnet.topology.devices import network_bridge_names

if TYPE_CHECKING:
    from vnet.lab.ovs_host import OvsHost


class Builder:
    """Builds one network; its namespaces exist, empty, before :meth:`build` fills them."""

    def __init__(self, topology: model.Topology, scheduler: Scheduler, chance: Chance) -> None:
        self._topology = topology
        self._scheduler = scheduler
        self._chance = chance
        self._plugs: dict[str, Nic] = {}
        self._vms_on: dict[str, list[model.Vm]] = {host: [] for host in topology.hosts}
        for vm in topology.vms.values():
            self._vms_on[vm.host].append(vm)
        self.network = Network(scheduler, topology, chance)
        self.namespaces: dict[str, Namespace] = {
            name: Namespace(scheduler, name, chance, epoch_ns=topology.epoch_ns)
            for name in (*topology.hosts, *topology.routers, *topology.vms)
        }

    def build(self) -> Network:
        """Switch everything on."""
        for switch in self._topology.switches.values():
            self._build_switch(switch)
        for router in self._topology.routers.values():
            self._build_router(router)
        for host in self._topology.hosts.values():
            self._set_sysctls(self.namespaces[host.name], host.sysctls)
            restore_firewall(self.namespaces[host.name], host.firewall)
            self._make_nics(self.namespaces[host.name], host.nics)
        for link in self._topology.links:
            self._lay_link(link)
        for host in self._topology.hosts.values():
            self._boot_host(host)
        start_dhcp(self.network)
        self.network.dns_servers = start_names(self._topology, self.namespaces)
        return self.network

    # -- nodes on the wire

    def _build_switch(self, switch: model.WireSwitch) -> None:
        mods = self._topology.openflow.get(switch.name, ())
        built = build_wire_switch(self._scheduler, self._chance, switch, mods)
        self.network.switches[switch.name] = built
        for name, nic in built.ports.items():
            self._plugs[f"{switch.name}:{name}"] = nic

    def _build_router(self, router: model.Router) -> None:
        namespace = self.namespaces[router.name]
        namespace.sysctls["net.ipv4.ip_forward"] = 1
        namespace.sysctls["net.ipv6.conf.all.forwarding"] = 1
        self._set_sysctls(namespace, router.sysctls)
        restore_firewall(namespace, router.firewall)
        self._make_nics(namespace, router.nics)
        for nic in router.nics.values():
            namespace.set_up(nic.name)
            self._give_addresses(namespace, nic)
        self._make_vlans(namespace, router.vlans)
        add_routes(namespace, router.routes)
        add_rules(namespace, router.rules)
        for nic in router.nics.values():
            if nic.ra is not None:
                RouterAdvertiser(namespace.interface(nic.name), nic.ra)
        self.network.routers[router.name] = Machine(namespace, self._topology.epoch_ns)

    def _lay_link(self, link: model.Link) -> None:
        built = Link(
            self._scheduler,
            (str(link.ends[0]), str(link.ends[1])),
            latency_ns=link.latency_ns,
            bandwidth_bps=link.bandwidth_bps,
            queue_frames=link.queue_frames,
            mtu_bytes=link.mtu_bytes,
            up=link.up,
            impairments=link.impairments,
            chance=self._chance,
        )
        for end in built.ends:
            self._plugs[end.name].plug(end)
        built.on_plug = self.network.forget_floods
        self.network.links.append(built)

    # -- hosts and their guests

    def _boot_host(self, host: model.Host) -> None:
        namespace = self.namespaces[host.name]
        if host.br_netfilter:
            namespace.links.load_br_netfilter()
        for nic in host.nics.values():
            namespace.set_up(nic.name)
            self._give_addresses(namespace, nic)
        self._make_vlans(namespace, host.vlans)
        scripts = start_scripts(namespace, host)
        mode = scripts.bridges
        ovs = self._openvswitch(host, mode)
        for switch in host.switches.values():
            if switch.network is not None:
                scripts.networks.start(switch.network, switch.linux, switch.ageing_ns, switch.dhcp)
            else:
                self._start_bridge(mode, host, switch, ovs)
        self._make_vlans(namespace, host.vlans)
        for veth in host.veths:
            mode.join_by_veth(*veth.ends)
        add_routes(namespace, host.routes)
        add_rules(namespace, host.rules)
        self.network.hosts[host.name] = Machine(namespace, self._topology.epoch_ns)
        domains = self.network.domains[host.name] = Domains(host, scripts)
        with nullcontext() if ovs is None else ovs.machine.together():
            for vm in self._vms_on[host.name]:
                self._start_domain(domains, vm)
        if ovs is not None:
            self.network.ovs_switches[host.name] = ovs.switches
            ovs.send(self._topology.openflow)
        self.network.script_steps += mode.log.steps
        mode.log.is_booting = False

    def _openvswitch(self, host: model.Host, mode: BridgeMode) -> OvsHost | None:
        if all(switch.ovs is None for switch in host.switches.values()):
            return None
        # Labs without Open vSwitch do without all that it is made of.
        from vnet.lab.ovs_host import OvsHost

        return OvsHost(self.namespaces[host.name], mode)

    def _start_bridge(
        self, mode: BridgeMode, host: model.Host, switch: model.HostSwitch, ovs: OvsHost | None
    ) -> None:
        classic = host.bridge_style is model.BridgeStyle.NETWORK_BRIDGE and switch.ovs is None
        cards: dict[str, model.Nic] = {**host.nics, **{vlan.name: vlan for vlan in host.vlans}}
        uplink = None if switch.uplink is None else cards[switch.uplink]
        ipv6 = not classic and uplink is not None and uplink.speaks_ipv6
        ipv6 = ipv6 or switch.speaks_ipv6
        if ovs is not None and switch.ovs is not None:
            ovs.start_bridge(switch.ovs, ipv6=ipv6)
        else:
            script = "network-bridge" if classic else "ifup"
            mode.create_bridge(
                switch.name,
                script,
                ageing_ns=switch.ageing_ns,
                silent=classic,
                ipv6=ipv6,
                config=switch.linux,
            )
        if uplink is None:
            mode.standalone(switch.name)
        elif classic:
            names = network_bridge_names(host, uplink.name)
            mode.network_bridge(
                switch.name, uplink.name, names.temporary, names.backend, names.physical
            )
        else:
            mode.enslave(switch.name, uplink.name)
        add_addresses(self.namespaces[host.name], switch.name, switch.addresses)
        mode.did(*address_commands(switch.name, switch.addresses))
        for card in switch.bonded_cards:
            if mode.bridge_of(card) is None:
                mode.join(switch.name, card)

    def _start_domain(self, domains: Domains, vm: model.Vm) -> None:
        namespace = self.namespaces[vm.name]
        self._set_sysctls(namespace, vm.sysctls)
        restore_firewall(namespace, vm.firewall)
        names = domains.names(vm.name, len(vm.vnics))
        vnics = []
        for vnic, name in zip(vm.vnics, names, strict=True):
            front = FrontEnd(self._scheduler, vnic.name, vnic.mac, vnic.mtu_bytes)
            interface = namespace.add_device(front, ipv6=vnic.speaks_ipv6)
            domains.plug(front, name, vnic.switch, addresses=vnic.ips)
            namespace.set_up(vnic.name)
            self._give_addresses(namespace, vnic)
            vnics.append(Vnic(interface, self._topology.epoch_ns))
        self._make_vlans(namespace, vm.vlans)
        add_routes(namespace, vm.routes)
        add_rules(namespace, vm.rules)
        self.network.vms[vm.name] = Guest(namespace, self._topology.epoch_ns, vnics)

    # -- what they share

    def _make_nics(self, namespace: Namespace, nics: Mapping[str, model.Nic]) -> None:
        for nic in nics.values():
            device = Nic(self._scheduler, nic.name, nic.mac, nic.mtu_bytes)
            namespace.add_device(device, ipv6=nic.speaks_ipv6)
            self._plugs[f"{namespace.name}:{nic.name}"] = device

    def _make_vlans(self, namespace: Namespace, vlans: Iterable[model.VlanDevice]) -> None:
        """Those that are not there yet, and whose lower device is."""
        for vlan in vlans:
            if vlan.link in namespace.interfaces and vlan.name not in namespace.interfaces:
                add_vlan_device(
                    namespace,
                    vlan.link,
                    vlan.name,
                    vlan.vid,
                    protocol=vlan.protocol,
                    mac=None if vlan.mac == MAC_ZERO else vlan.mac,
                    mtu_bytes=vlan.mtu_bytes or None,
                    ipv6=vlan.speaks_ipv6,
                )
                namespace.set_up(vlan.name)
                self._give_addresses(namespace, vlan)

    @staticmethod
    def _give_addresses(namespace: Namespace, nic: model.Nic) -> None:
        add_addresses(namespace, nic.name, nic.addresses)
        if nic.tc:
            device = namespace.interfaces[nic.name].device
            # Labs whose queues are as they come do without the language of tc.
            from vnet.linux.tc.command import Tc, words_about

            tool = Tc(namespace.traffic_control, {nic.name: device})
            for command in nic.tc:
                tool.run(words_about(nic.name, command))

    @staticmethod
    def _set_sysctls(namespace: Namespace, sysctls: Mapping[str, str]) -> None:
        for key, value in sysctls.items():
            namespace.sysctls.set_when_there(key, value)

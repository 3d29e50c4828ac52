"""Makes the running bridges match the wanted configuration.

:meth:`Vswitchd.reconcile` is the only way in: whoever wants something else of a bridge, its
ports or its mirrors hands over another :class:`SwitchConfig`, and what differs is changed. Flows
are not configuration: OpenFlow sets them, on ``bridges[name]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from vnet.base.ids import MAC_ZERO, Mac
from vnet.base.units import NS_PER_MS
from vnet.netdev.device import NetDevice
from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.flow.flow import N_VLANS
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.flow.ports import OFPP_LOCAL, OFPP_NORMAL, OdpPort
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.bond.settings import AggregateSettings
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.revalidator import RevalidatorLimits
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import Output
from vnet.ovs.vswitchd import bundles, qos
from vnet.ovs.vswitchd.bonds import aggregate_settings
from vnet.ovs.vswitchd.changes import RunningInterface, interfaces_to_drop, wanted_interfaces
from vnet.ovs.vswitchd.config import TUNNEL_TYPES, BridgeConfig, InterfaceConfig, SwitchConfig
from vnet.ovs.vswitchd.numbers import OfpNumbers, dummy_number
from vnet.ovs.vswitchd.policing import Policing
from vnet.ovs.vswitchd.protocols import configure_snooping, configure_spanning_tree
from vnet.ovs.vswitchd.sampling import sampling_of
from vnet.ovs.vswitchd.tables import table_settings
from vnet.ovs.vswitchd.tunnels import DatapathTunnels
from vnet.sim.scheduler import Scheduler


class Devices(Protocol):
    """Where the devices behind interfaces come from: a lab's hosts, or a test."""

    def open(self, bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice | None:
        """The device of an interface, made where its type asks for that; None: there is none."""

    def close(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """The switch has let go of a device."""


class Vswitchd:
    """The switches of one host, on one datapath."""

    def __init__(self, scheduler: Scheduler, dpif: Dpif, devices: Devices) -> None:
        self.config = SwitchConfig()
        self.backer = Backer(scheduler, dpif)
        self._tunnels = DatapathTunnels(self.backer)
        self._scheduler = scheduler
        self._devices = devices
        self._running: dict[str, _Bridge] = {}
        self.ports_ready: Callable[[BridgeConfig], None] = _nothing
        """Called when a bridge has its ports, and before it speaks to its neighbours, for whoever
        gives local ports their addresses."""

    @property
    def bridges(self) -> Mapping[str, Ofproto]:
        """The OpenFlow switches by name."""
        return self.backer.bridges

    @property
    def errors(self) -> Mapping[str, str]:
        """What is wrong with interfaces that therefore have no port, by name."""
        return self._tunnels.errors

    def reconcile(self, config: SwitchConfig, *, in_order: bool = False) -> None:
        """Change what runs into what ``config`` says. In force before the next frame.

        Ports that come together get their numbers in no order that anybody could foresee; with
        ``in_order`` they get them as if they had come one by one.
        """
        self._tunnels.errors.clear()
        wanted = {bridge.name: bridge for bridge in config.bridges}
        for name in [name for name in self._running if name not in wanted]:
            self._running.pop(name).remove()
        # Names may move from one bridge to another, so all go before any comes.
        for name, bridge in self._running.items():
            bridge.drop_ports(wanted[name])
        for name, bridge_config in wanted.items():
            if name not in self._running:
                self._running[name] = _Bridge(
                    bridge_config, self._scheduler, self.backer, self._devices, self._tunnels
                )
        for name, bridge in self._running.items():
            bridge.configure(wanted[name], in_order=in_order)
            bridge.ofproto.sampling = sampling_of(wanted[name], config.collector_sets)
            self.ports_ready(wanted[name])
            bridge.configure_spanning_tree()
        self._configure_datapath(config)
        self.config = config
        self.backer.revalidator.touch()
        self.backer.revalidator.settle()

    def _configure_datapath(self, config: SwitchConfig) -> None:
        revalidator = self.backer.revalidator
        revalidator.limits = RevalidatorLimits(
            flow_limit=config.flow_limit,
            max_idle_ns=config.max_idle_ms * NS_PER_MS,
            max_revalidator_ns=config.max_revalidator_ms * NS_PER_MS,
        )
        vlan_limit = config.vlan_limit if 0 < config.vlan_limit < N_VLANS else N_VLANS
        if vlan_limit != self.backer.dpif.vlan_limit:
            revalidator.purge()
            self.backer.dpif.set_vlan_limit(vlan_limit)


class _Bridge:
    """A running bridge and what it was last configured with."""

    def __init__(
        self,
        config: BridgeConfig,
        scheduler: Scheduler,
        backer: Backer,
        devices: Devices,
        tunnels: DatapathTunnels,
    ) -> None:
        self._config = config
        self._scheduler = scheduler
        self._backer = backer
        self._devices = devices
        self._tunnels = tunnels
        self._numbers = OfpNumbers()
        self._interfaces: dict[str, _Interface] = {}
        self.ofproto = Ofproto(config.name, scheduler, backer.meter_pool)
        backer.add_bridge(self.ofproto)
        self._set_default_flow(config)

    def remove(self) -> None:
        """The bridge goes, with all its ports."""
        for name in list(self._interfaces):
            self._drop(name)
        self._backer.remove_bridge(self.ofproto)

    def drop_ports(self, config: BridgeConfig) -> None:
        """Let go of the interfaces that are no longer wanted, or wanted otherwise."""
        running = {name: interface.running for name, interface in self._interfaces.items()}
        for name in interfaces_to_drop(running, wanted_interfaces(config)):
            self._drop(name)

    def configure(self, config: BridgeConfig, *, in_order: bool) -> None:
        """Take up what is new, and set what has changed."""
        was, self._config = self._config, config
        if was.is_secure != config.is_secure:
            self.ofproto.flow_mod(FlowMod(FlowModCommand.DELETE))
            self._set_default_flow(config)
        for name, interface in wanted_interfaces(config, in_order=in_order).items():
            if name not in self._interfaces:
                self._add(interface)
            else:
                self._interfaces[name].configure(interface)
                self._configure_tunnel(self._interfaces[name])
        self.ofproto.openflow_full = config.openflow_full
        self._configure_switching()
        for table in self.ofproto.tables[:-1]:
            settings = table_settings(config.flow_tables.get(table.table_id))
            self.ofproto.configure_table(table.table_id, settings)

    def _set_default_flow(self, config: BridgeConfig) -> None:
        if not config.is_secure:
            mod = FlowMod(
                FlowModCommand.ADD, priority=0, table_id=0, actions=(Output(OFPP_NORMAL),)
            )
            self.ofproto.flow_mod(mod)

    # -- ports

    def _add(self, interface: InterfaceConfig) -> None:
        device = None
        if interface.type in TUNNEL_TYPES:
            if interface.is_tunnel:
                self._add_tunnel(interface)
            return
        if not interface.is_patch:
            device = self._devices.open(self._config, interface)
            if device is None:
                return
        now_ns = self._scheduler.now_ns
        is_local = interface.name == self._config.name
        port = OfPort(
            OFPP_LOCAL
            if is_local
            else self._numbers.take(interface.name, interface.ofport_request, now_ns),
            interface.name,
            device,
            odp_port=None if device is None else self._attach(device, interface),
            peer=interface.peer if interface.is_patch else None,
            mac=_drawn_mac(self._config.name, interface.name),
            created_ns=now_ns,
        )
        running = _Interface(interface, port, self.ofproto, self._scheduler)
        self._interfaces[interface.name] = running
        self.ofproto.add_port(port)
        if port.odp_port is not None:
            self._backer.map_port(self.ofproto, port)
        running.configure(interface)

    def _add_tunnel(self, interface: InterfaceConfig) -> None:
        name, now_ns = interface.name, self._scheduler.now_ns
        number = self._numbers.take(name, interface.ofport_request, now_ns)
        mac = _drawn_mac(self._config.name, name)
        port = OfPort(number, name, tunnel=interface.tunnel, mac=mac, created_ns=now_ns)
        if not self._tunnels.attach(self.ofproto, port, self._datapath_number):
            self._tunnels.refuse(port)
            self._numbers.give_back(number, now_ns)
            return
        self._interfaces[name] = _Interface(interface, port, self.ofproto, self._scheduler)
        self.ofproto.add_port(port)

    def _configure_tunnel(self, running: _Interface) -> None:
        if running.config.is_tunnel:
            self._tunnels.configure(
                self.ofproto, running.port, running.config.tunnel, self._datapath_number
            )

    def _attach(self, device: NetDevice, interface: InterfaceConfig) -> OdpPort:
        kind = interface.type or "system"
        if kind == "internal" and self._config.datapath_type == "dummy":
            kind = "dummy-internal"
        return self._backer.dpif.port_add(device, kind, self._datapath_number(interface.name))

    def _datapath_number(self, name: str) -> OdpPort | None:
        """The number that a dummy datapath gives a port of some name."""
        if self._config.datapath_type != "dummy":
            return None
        return dummy_number(name, {port.number for port in self._backer.dpif.ports()})

    def _drop(self, name: str) -> None:
        running = self._interfaces.pop(name)
        running.unlimit()
        port = running.port
        self.ofproto.remove_port(port.number)
        if name != self._config.name:
            self._numbers.give_back(port.number, self._scheduler.now_ns)
        if port.tunnel is not None:
            self._tunnels.detach(port)
        elif port.odp_port is not None:
            self._backer.unmap_port(port.odp_port)
            self._backer.dpif.port_del(port.odp_port)
        if port.device is not None:
            running.unwatch()
            self._devices.close(port.device, running.config)

    # -- the learning switch

    def _configure_switching(self) -> None:
        config, switching = self._config, self.ofproto.switching
        switching.forward_bpdu = config.forward_bpdu
        switching.mac_table.configure(
            ageing_s=config.mac_aging_time_s,
            max_entries=config.mac_table_size,
            flood_vlans=frozenset(config.flood_vlans),
        )
        self._backer.age(self.ofproto)
        self._configure_bundles()
        switching.set_mirrors(bundles.mirrors(config.mirrors, switching.bundles))
        configure_snooping(self.ofproto, config)

    def configure_spanning_tree(self) -> None:
        """Have the bridge speak what it is to speak, by the address that it has now."""
        configure_spanning_tree(self.ofproto, self._config, self._backer)

    def _configure_bundles(self) -> None:
        """Set up the ports of the learning switch, and those among them that are bonds."""
        current: list[Bundle] = []
        aggregates: dict[Bundle, AggregateSettings] = {}
        local = self._interfaces.get(self._config.name)
        own_mac = MAC_ZERO if local is None else local.port.mac
        for port in self._config.all_ports:
            names = (interface.name for interface in port.interfaces)
            ports = {n: self._interfaces[n].port for n in names if n in self._interfaces}
            for member in ports.values():
                member.queue_dscp = qos.dscp_of(port.qos)
                qos.configure(member, port.qos, self._scheduler)
            if ports:
                bundle = self._bundle(bundles.configured(port, list(ports.values())))
                current.append(bundle)
                aggregate = aggregate_settings(port, ports, own_mac)
                if aggregate is not None:
                    aggregates[bundle] = aggregate
        self.ofproto.switching.set_bundles(current)
        self._backer.bonding[self._config.name].configure(aggregates)

    def _bundle(self, wanted: Bundle) -> Bundle:
        switching = self.ofproto.switching
        bundle = switching.bundles.get(wanted.name)
        if bundle is None:
            return wanted
        if bundles.update(bundle, wanted):
            switching.flush_bundle(bundle)
        return bundle


class _Interface:
    """A running interface: its port, and the watch on its link."""

    def __init__(
        self, config: InterfaceConfig, port: OfPort, bridge: Ofproto, scheduler: Scheduler
    ) -> None:
        self.config = config
        self.port = port
        self._bridge = bridge
        self._policing = None if port.device is None else Policing(scheduler, port.device)
        self._others_hook: Callable[[], None] | None = None
        if port.device is not None:
            self._others_hook = port.device.state_changed
            port.device.state_changed = self._state_changed

    @property
    def running(self) -> RunningInterface:
        """What it is now."""
        return RunningInterface(self.config.type, self.port.number)

    def configure(self, config: InterfaceConfig) -> None:
        """Set what can be set on a running device."""
        self.config = config
        if config.is_patch:
            self.port.peer = config.peer
        if config.admin_state is not None and self.port.device is not None:
            self.port.device.set_admin(config.admin_state == "up")
        if self._policing is not None:
            self._policing.configure(config)

    def unlimit(self) -> None:
        """Take away what limits how fast frames come in and leave."""
        qos.remove(self.port)
        if self._policing is not None:
            self._policing.remove()

    def unwatch(self) -> None:
        """Give the device's hook back to whoever had it before."""
        if self.port.device is not None and self._others_hook is not None:
            self.port.device.state_changed = self._others_hook

    def _state_changed(self) -> None:
        if self._others_hook is not None:
            self._others_hook()
        self._bridge.link_changed(self.port.number)


def _drawn_mac(bridge: str, port: str) -> Mac:
    """The address of a port without a device, which it sends BPDUs from; Open vSwitch draws one."""
    label = f"{bridge} {port}".encode()
    drawn = hash_bytes(label, 0) << 32 | hash_bytes(label, 1)
    return Mac(b"\x02" + (drawn & (1 << 40) - 1).to_bytes(5, "big"))


def _nothing(_config: BridgeConfig) -> None:
    return None

"""A bridge as it runs, and how it becomes what its configuration says."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

from vnet.netdev.device import NetDevice
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.ports import OFPP_LOCAL, OdpPort
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.changes import (
    RunningInterface,
    as_it_runs,
    interfaces_to_drop,
    wanted_interfaces,
)
from vnet.ovs.vswitchd.complaints import Complaints
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, InterfaceConfig
from vnet.ovs.vswitchd.control import BridgeControl
from vnet.ovs.vswitchd.devices import Devices
from vnet.ovs.vswitchd.identity import (
    describe,
    drawn_mac,
    least_mtu_bytes,
    lent_mac,
    own_mac,
    wanted_mac,
)
from vnet.ovs.vswitchd.interface import Interface
from vnet.ovs.vswitchd.learning_switch import LearningSwitch
from vnet.ovs.vswitchd.numbers import OfpNumbers, dummy_number
from vnet.ovs.vswitchd.protocols import configure_spanning_tree
from vnet.ovs.vswitchd.tables import table_settings
from vnet.ovs.vswitchd.tunnels import DatapathTunnels
from vnet.sim.scheduler import Scheduler


class Surroundings(NamedTuple):
    """What all bridges of a daemon share. ``errors`` has what is wrong with interfaces that
    therefore have no port, by name; ``status_changed`` is called when there is news to tell."""

    scheduler: Scheduler
    backer: Backer
    devices: Devices
    tunnels: DatapathTunnels
    errors: dict[str, str]
    vlog: Vlog
    complaints: Complaints
    status_changed: Callable[[], None]
    dummy_datapaths: Container[str] = ("dummy",)


class Bridge:
    """A running bridge, and what it was last configured with."""

    def __init__(self, config: BridgeConfig, around: Surroundings) -> None:
        self.config = self._was = config
        self.interfaces: dict[str, Interface] = {}
        self.news: set[str] = set()
        """The interfaces that there is something to say of, for whoever does; taken out then."""
        self.patches: set[str] = set()
        """The interfaces that are patch ports."""
        self._ports: dict[str, BridgePortConfig] = {}
        self._changed: set[str] = set()
        self._missing: set[str] = set()
        self._tunnels: dict[str, None] = {}
        self._around = around
        self._scheduler, self._backer = around.scheduler, around.backer
        self._log = around.vlog.module("bridge")
        self._complaints = around.complaints
        self._numbers = OfpNumbers()
        self.ofproto = Ofproto(config.name, around.scheduler, around.backer.meter_pool, around.vlog)
        self.ofproto.datapath_type = self.datapath_type
        self.ofproto.port_changed.append(self._port_changed)
        self._backer.add_bridge(self.ofproto)
        self._learning = LearningSwitch(self.ofproto, self._backer, self._complaints)
        self.connmgr = ConnectionManager(self.ofproto, self._backer, around.vlog)
        self.control = BridgeControl(config, self._backer, self.ofproto, around.vlog)

    @property
    def datapath_type(self) -> str:
        """What it asks for."""
        return type_of(self.config)

    def remove(self) -> None:
        """The bridge goes, with all its ports."""
        for name in list(self.interfaces):
            self.drop(name)
        self.control.close()
        self._backer.remove_bridge(self.ofproto)

    def is_as(self, config: BridgeConfig) -> bool:
        """Whether the bridge is what a configuration says, and nothing is left to be tried."""
        return config is self.config and not self._missing

    def drop_ports(self, config: BridgeConfig) -> None:
        """Let go of the interfaces that are no longer wanted, or wanted otherwise."""
        ports = {port.name: port for port in config.all_ports}
        known = self._ports
        self._changed = {name for name, port in ports.items() if known.get(name) is not port}
        self._ports = ports
        if known.keys() <= ports.keys() and self._changed.isdisjoint(known):
            return
        running = {
            name: RunningInterface(interface.config.type, interface.port.number)
            for name, interface in self.interfaces.items()
        }
        wanted = wanted_interfaces(config)
        for name in interfaces_to_drop(running, wanted):
            self.drop(name)
            if name not in wanted:
                self._numbers.forget(name)
        for name, interface in list(self.interfaces.items()):
            if not self._can_configure(interface, wanted[name]):
                self.drop(name)

    def _can_configure(self, interface: Interface, wanted: InterfaceConfig) -> bool:
        """Whether a running device takes new options; if not, it goes, and its next try is told."""
        if wanted is interface.config or wanted.options == interface.config.options:
            return True
        try:
            self._complaints.check(wanted)
        except OvsTextError:
            return False
        return True

    def configure_ports(self, config: BridgeConfig, *, in_order: bool) -> None:
        """Take up the ports that are new, and set those that have changed."""
        self.config, self._was = config, self.config
        self.control.configure(config)
        for name, wanted in self._interfaces_to_set(in_order).items():
            running = self.interfaces.get(name)
            if running is None:
                self._try_to_add(wanted)
            else:
                self._configure_interface(running, wanted)
        for name in self._tunnels:
            running = self.interfaces[name]
            self._around.tunnels.configure(
                self.ofproto, running.port, running.config.tunnel, self._datapath_number
            )

    def _interfaces_to_set(self, in_order: bool) -> Mapping[str, InterfaceConfig]:
        """The interfaces of ports that have changed, and those that there ought to be, in the order
        in which they are numbered."""
        missing, self._missing = self._missing, set()
        if missing:
            self._changed |= {
                port.name
                for port in self.config.all_ports
                if not missing.isdisjoint(interface.name for interface in port.interfaces)
            }
        ports = [port for port in self.config.all_ports if port.name in self._changed]
        found = [interface for port in ports for interface in port.interfaces]
        if len(found) == 1:
            return {found[0].name: as_it_runs(self.config, found[0])}
        names = {interface.name for interface in found}
        wanted = wanted_interfaces(self.config, in_order=in_order) if found else {}
        return {name: wanted[name] for name in wanted if name in names}

    def _port_changed(self, _port: OfPort) -> None:
        self._around.status_changed()

    # -- ports

    def _try_to_add(self, interface: InterfaceConfig) -> None:
        name = interface.name
        self.news.add(name)
        try:
            running = self._open(interface)
        except OvsTextError as error:
            self._around.errors[name] = str(error)
            self._missing.add(name)
            return
        self.interfaces[name] = running
        if interface.is_patch:
            self.patches.add(name)
        elif interface.is_tunnel:
            self._tunnels[name] = None
        port = running.port
        self.ofproto.add_port(port)
        if port.tunnel is None:
            if port.odp_port is not None:
                self._backer.map_port(self.ofproto, port)
            self._configure_interface(running, interface)
        self._log.info(f"bridge {self.config.name}: added interface {name} on port {port.number}")

    def _open(self, interface: InterfaceConfig) -> Interface:
        """An interface's port. Raises :class:`OvsTextError` where there can be none."""
        self._complaints.check(interface)
        if interface.is_tunnel:
            port = self._open_tunnel(interface)
        elif interface.is_patch:
            port = self._port(interface, None)
        else:
            device = self._open_device(interface)
            port = self._port(interface, device)
            port.odp_port = self._attach(device, interface)
        return Interface(
            interface, port, self.ofproto, self._scheduler, self._around.status_changed
        )

    def _open_device(self, interface: InterfaceConfig) -> NetDevice:
        try:
            device = self._around.devices.open(self.config, interface)
        except OSError as error:
            raise self._complaints.no_device(interface, error.strerror or "") from error
        if device is None:
            raise self._complaints.no_device(interface, "No such device")
        return device

    def _port(self, interface: InterfaceConfig, device: NetDevice | None) -> OfPort:
        name, now_ns, number = interface.name, self._scheduler.now_ns, OFPP_LOCAL
        if name != self.config.name:
            number = self._numbers.take(name, interface.ofport_request, now_ns)
        return OfPort(
            number,
            name,
            device,
            peer=interface.peer if interface.is_patch else None,
            tunnel=interface.tunnel if interface.is_tunnel else None,
            mac=drawn_mac(self.config.name, name),
            created_ns=now_ns,
        )

    def _open_tunnel(self, interface: InterfaceConfig) -> OfPort:
        port = self._port(interface, None)
        rival = self._around.tunnels.attach(self.ofproto, port, self._datapath_number)
        if rival is not None:
            refusal = self._complaints.rival(self.config.name, port, rival)
            self._around.tunnels.detach(port)
            self._numbers.refuse(port.name, port.number, self._scheduler.now_ns)
            raise refusal
        return port

    def _configure_interface(self, running: Interface, wanted: InterfaceConfig) -> None:
        port = running.port
        running.configure(wanted)
        self.news.add(wanted.name)
        if port.device is not None:
            mtu_bytes = port.device.mtu_bytes
            self._around.devices.configure(port.device, wanted)
            if port.device.mtu_bytes != mtu_bytes:
                running.tell()

    def _attach(self, device: NetDevice, interface: InterfaceConfig) -> OdpPort:
        kind = interface.type or "system"
        if kind == "internal" and self._is_in_dummy:
            kind = "dummy-internal"
        return self._backer.dpif.port_add(device, kind, self._datapath_number(interface.name))

    @property
    def _is_in_dummy(self) -> bool:
        return self.datapath_type in self._around.dummy_datapaths

    def _datapath_number(self, name: str) -> OdpPort | None:
        """The number that a dummy datapath gives a port of some name."""
        if not self._is_in_dummy:
            return None
        return dummy_number(name, self._backer.dpif.has_port)

    def drop(self, name: str) -> None:
        """Let go of an interface."""
        running = self.interfaces.pop(name)
        self._missing.add(name)
        self.patches.discard(name)
        self._tunnels.pop(name, None)
        running.unlimit()
        port = running.port
        self._log.info(f"bridge {self.config.name}: deleted interface {name} on port {port.number}")
        self.ofproto.remove_port(port.number)
        if name != self.config.name:
            self._numbers.give_back(port.number, self._scheduler.now_ns)
        if port.tunnel is not None:
            self._around.tunnels.detach(port)
        elif port.odp_port is not None:
            self._backer.unmap_port(port.odp_port)
            self._backer.dpif.port_del(port.odp_port)
        if port.device is not None:
            running.unwatch()
            self._around.devices.close(port.device, running.config)

    # -- what it is, and what it does

    def take_identity(self) -> None:
        """Give the local port its address, and the bridge its datapath id.

        Internal ports carry no more than the others do, unless their mtu is set.
        """
        config, log = self.config, self._log
        mac = wanted_mac(config, log) or lent_mac(config, self.interfaces)
        mac = mac or own_mac(config.identity, config.name)
        mtu_bytes = least_mtu_bytes(self.interfaces)
        for interface in self.interfaces.values():
            if interface.is_internal:
                is_local = interface.port.number == OFPP_LOCAL
                own = self._complaints.wanted_mac(interface.config, is_local=is_local)
                interface.adapt(
                    mac if is_local else own,
                    None if interface.config.mtu_request else mtu_bytes,
                )
        datapath_id = config.datapath_id or int.from_bytes(mac, "big")
        if datapath_id != self.ofproto.datapath_id:
            log.info(f"bridge {config.name}: using datapath ID {datapath_id:016x}")
            self.ofproto.datapath_id = datapath_id

    def configure_switching(self) -> None:
        """Set all else, by the address that the bridge has now."""
        config, was = self.config, self._was
        describe(self.ofproto, config)
        self._learning.configure(was, config, self._changed, self.interfaces)
        # All others have the settings of a new table; the last is the switch's own.
        for table_id in sorted(was.flow_tables.keys() | config.flow_tables.keys()):
            if table_id < len(self.ofproto.tables) - 1:
                settings = table_settings(config.flow_tables.get(table_id))
                self.ofproto.configure_table(table_id, settings)
        configure_spanning_tree(self.ofproto, config, self._backer, self._log)


def type_of(config: BridgeConfig) -> str:
    """The type of datapath that a bridge asks for; nothing means the kernel's."""
    return config.datapath_type or "system"

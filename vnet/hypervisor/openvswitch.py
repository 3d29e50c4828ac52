"""Open vSwitch in a machine: its database, its daemon, its datapath, and who sets them up.

Whoever builds a lab says what ovs-vsctl(8) would be told. That becomes a transaction on the
machine's database, and the daemon makes what runs match it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from vnet.base.chance import Chance
from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.hypervisor.switch_rows import SwitchRows
from vnet.netdev.device import NetDevice
from vnet.netdev.nic import Nic
from vnet.netdev.route_source import RouteSource
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.datapath.reasons import DROP_CAUSES
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, InterfaceConfig
from vnet.ovs.vswitchd.daemon import Daemon
from vnet.ovs.vswitchd.devices import Devices
from vnet.ovs.vswitchd.setting_text import qos_commands, settings_text
from vnet.ovs.vswitchd.tunnel_options import SUPPORTED_TYPES
from vnet.sim.scheduler import Scheduler

if TYPE_CHECKING:
    from vnet.ovs.vsctl.run import Outcome

DATAPATH_NAME = "ovs-netdev"

DEFAULT_MTU_BYTES = 1500

_LOCALLY_ADMINISTERED = 0x02
_GROUP = 0x01


class SwitchDevices(Devices, Protocol):
    """Where the devices of a machine's bridges come from."""

    def check_free(self, device: str) -> None:
        """Raise :class:`UsageError` if ``device`` cannot become a port."""

    def route_source(self) -> RouteSource:
        """Who knows the way for tunnels."""

    def configure_local(self, bridge: str, mac: Mac, mtu_bytes: int) -> None:
        """What the local port of ``bridge`` has to be like from now on."""


def default_mac(chance: Chance, owner: str, bridge: str) -> Mac:
    """The address of a bridge that no port lends one."""
    drawn = chance.stream(f"{owner}:{bridge} mac").randbytes(6)
    return Mac(bytes((drawn[0] & ~_GROUP | _LOCALLY_ADMINISTERED,)) + drawn[1:])


class OpenVSwitch:
    """All bridges of one machine, with :class:`~vnet.hypervisor.bridging.Bridging`'s methods.

    Every change is in force when the call returns, but for those made inside :meth:`together`.
    """

    def __init__(
        self, scheduler: Scheduler, owner: str, devices: SwitchDevices, chance: Chance
    ) -> None:
        self.owner = owner
        self.datapath = Datapath(scheduler, DATAPATH_NAME, chance, owner=owner)
        drawn = chance.stream(f"{owner} database")
        self.database = Database(
            open_vswitch_schema(), new_uuid=lambda: Uuid.from_bytes(drawn.randbytes(16))
        )
        self.view = LocalView(self.database)
        self._has_tunnels = False
        # Before the daemon hears of a tunnel, it must have somebody to ask for the way.
        self.view.on_commit(self._find_tunnels)
        self.daemon = Daemon(scheduler, self.datapath, devices, self.view, in_order=True)
        self.vswitchd = self.daemon.vswitchd
        self.vswitchd.ports_ready = self._follow_ports
        self.vswitchd.backer.owner = owner
        self._devices = devices
        self._chance = chance
        self._settings: dict[str, Mapping[str, BridgePortConfig]] = {}
        self._rows = SwitchRows(self.view, lambda: self.vswitchd.config)
        self._is_waiting = False

    @property
    def datapath_label(self) -> str:
        """What reports and traces call the datapath."""
        return f"{self.owner}:{DATAPATH_NAME}"

    def lost_copies(self) -> Iterator[tuple[str, Mapping[DropReason, int]]]:
        """What was to leave by ports that led nowhere, by the ports' labels."""
        for bridge in self.vswitchd.bridges.values():
            bridge.before_reading_stats()
            for port in bridge.ports.values():
                if port.lost:
                    label = f"{self.owner}:{port.name}"
                    yield label, {DROP_CAUSES[cause]: n for cause, n in port.lost.items()}

    def bridge(self, name: str) -> Ofproto:
        """A bridge as OpenFlow sees it. Raises :class:`UsageError` where it was deleted."""
        bridge = self.vswitchd.bridges.get(name)
        if bridge is None:
            raise UsageError(f"{self.owner}: no bridge named {name}")
        return bridge

    # -- what ovs-vsctl(8) is told

    def vsctl(self, words: Sequence[str]) -> Outcome:
        """A command line of ``ovs-vsctl``, without the program's name. What is printed of
        statistics is as of now. Raises as :func:`~vnet.ovs.vsctl.run.run_vsctl` does."""
        # Labs in which nobody asks do without all its commands.
        from vnet.ovs.vsctl.run import run_vsctl

        self.daemon.refresh()
        return run_vsctl(self.view, words, log_directory="/var/log/openvswitch")

    def add_bridge(self, config: BridgeConfig, settings: Mapping[str, BridgePortConfig]) -> str:
        """``ovs-vsctl add-br``. ``config`` has the ports that no device is behind; ``settings``
        are those of the ports that will come, by device, where they need any."""
        name = config.name
        self._settings[name] = settings
        fresh = BridgePortConfig(name, (InterfaceConfig(name, type="internal"),))
        self._rows.add_bridge(replace(config, ports=(settings.get(name, fresh), *config.ports)))
        self._apply()
        commands = [f"ovs-vsctl add-br {name}"]
        arguments = settings_text(config)
        if arguments:
            commands.append(f"set bridge {name} {arguments}")
        commands += [_add_port_text(name, port) for port in config.ports]
        if config.controller:
            targets = " ".join(controller.target for controller in config.controller)
            commands.append(f"set-controller {name} {targets}")
        return " -- ".join(commands)

    def add_port(self, bridge: str, device: str, settings: BridgePortConfig | None = None) -> str:
        """``ovs-vsctl add-port``; with the first link of a bond all of them come, ``add-bond``."""
        master = self.bridge_of(device)
        if master is not None:
            raise UsageError(
                f"cannot create a port named {device} because a port named {device} already "
                f"exists on bridge {master}"
            )
        self._devices.check_free(device)
        fresh = BridgePortConfig(device, (InterfaceConfig(device),))
        port = _row_of(device, self._settings.get(bridge, {}).values()) or fresh
        if settings is not None:
            moved = replace(settings.interfaces[0], name=device, ofport_request=None)
            port = replace(settings, name=device, interfaces=(moved,))
        self._rows.add_port(bridge, port)
        self._apply()
        return f"ovs-vsctl {_add_port_text(bridge, port)}"

    def remove_port(self, bridge: str, device: str) -> str:
        """``ovs-vsctl del-port``, or ``del-bond-iface`` where others of a bond stay."""
        found = self._rows.port_of(device)
        assert found is not None, f"{device} is no port of {bridge}"
        port = found[1]
        is_bond = len(port.interfaces) > 1
        self._rows.remove_port(bridge, port, device)
        self._apply()
        command = f"del-bond-iface {port.name}" if is_bond else f"del-port {bridge}"
        return f"ovs-vsctl {command} {device}"

    def bridge_of(self, device: str) -> str | None:
        """The bridge that ``device`` is a port of, if it is one of these."""
        found = self._rows.port_of(device)
        return None if found is None else found[0]

    def settings_of(self, device: str) -> BridgePortConfig | None:
        """How the port ``device`` is set up; its number is its bridge's business."""
        found = self._rows.port_of(device)
        return None if found is None else found[1]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Apply all changes made inside at the end, in one transaction.

        A thousand ports that come one after the other would have the daemon look a thousand
        times at up to a thousand ports.
        """
        self._is_waiting = True
        try:
            yield
        finally:
            self._is_waiting = False
        self._apply()

    # -- what ovs-ofctl(8) is told

    def send(self, bridge: str, mods: Iterable[MeterMod | GroupMod | FlowMod]) -> None:
        """Have a bridge carry out requests before the next frame: meters one by one, since there
        are no bundles of them, then groups and flows, all or none.

        Raises the :class:`~vnet.ovs.openflow.errors.OpenFlowError` of the first refused.
        """
        switch = self.bridge(bridge)
        bundled = []
        for mod in mods:
            if isinstance(mod, MeterMod):
                switch.meter_mod(mod)
            else:
                bundled.append(mod)
        switch.bundle(bundled)
        self.vswitchd.backer.revalidator.settle()

    # -- consequences

    def _apply(self) -> None:
        if self._is_waiting:
            return
        for interface in self._rows.commit():
            error = self.vswitchd.errors.get(interface)
            if error is not None:
                raise UsageError(error)

    def _find_tunnels(self, commit: Commit) -> None:
        """Hosts without tunnels are not listened to."""
        changes = commit.changes.get("Interface", {}).values()
        types = {change.new.columns["type"][0] for change in changes if change.new is not None}
        if not self._has_tunnels and not types.isdisjoint(SUPPORTED_TYPES):
            self._has_tunnels = True
            self.vswitchd.backer.underlay.set_host(self._devices.route_source())

    def _follow_ports(self, config: BridgeConfig) -> None:
        """A bridge has the lowest address of its ports and the lowest mtu
        (ovs-vswitchd.conf.db(5), other_config:hwaddr; ofproto's min_mtu)."""
        bridge = self.bridge(config.name)
        ports = [port.device for port in bridge.ports.values() if port.name != config.name]
        devices = [device for device in ports if device is not None]
        lent = [device.mac for device in devices if _lends_address(device)]
        mac = config.hwaddr or min(lent, default=default_mac(self._chance, self.owner, config.name))
        mtu_bytes = min((device.mtu_bytes for device in devices), default=DEFAULT_MTU_BYTES)
        bridge.datapath_id = config.datapath_id or int.from_bytes(mac, "big")
        self._devices.configure_local(config.name, Mac(mac), mtu_bytes)


def _row_of(device: str, rows: Iterable[BridgePortConfig]) -> BridgePortConfig | None:
    """The port that a device is behind."""
    return next((row for row in rows if any(i.name == device for i in row.interfaces)), None)


def _add_port_text(bridge: str, port: BridgePortConfig) -> str:
    """What ovs-vsctl(8) is told to add ``port``, and to set it up."""
    names = [interface.name for interface in port.interfaces]
    verb = ["add-bond", bridge, port.name, *names]
    if len(names) == 1:
        verb = ["add-port", bridge, port.name]
    requests = {interface.name: settings_text(interface) for interface in port.interfaces}
    return " -- ".join(
        (
            " ".join(filter(None, (*verb, settings_text(port)))),
            *(f"set interface {name} {text}" for name, text in requests.items() if text),
            *qos_commands(port),
        )
    )


def _lends_address(device: NetDevice) -> bool:
    """Those with a maker's address do. Physical cards of a lab have none, but stand for such."""
    return isinstance(device, Nic) or not device.mac[0] & _LOCALLY_ADMINISTERED

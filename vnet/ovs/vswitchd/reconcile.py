"""Makes the running bridges match the wanted configuration.

:meth:`Vswitchd.reconcile` is the only way in: whoever wants something else of a bridge, its
ports or its mirrors hands over another :class:`SwitchConfig`, and what differs is changed. Flows
are not configuration: OpenFlow sets them, on ``bridges[name]``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from vnet.base.units import NS_PER_MS
from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.flow.flow import N_VLANS
from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.revalidator import RevalidatorLimits
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.ovs.vswitchd.bridge import Bridge, Surroundings, type_of
from vnet.ovs.vswitchd.choices import Choices
from vnet.ovs.vswitchd.complaints import Complaints
from vnet.ovs.vswitchd.config import BridgeConfig, SwitchConfig
from vnet.ovs.vswitchd.controller_status import NOT_CONNECTED, ControllerStatus
from vnet.ovs.vswitchd.datapath_abilities import tell_abilities
from vnet.ovs.vswitchd.datapath_log import DatapathLog
from vnet.ovs.vswitchd.devices import Devices
from vnet.ovs.vswitchd.sampling import sampling_of
from vnet.ovs.vswitchd.tunnels import DatapathTunnels
from vnet.sim.scheduler import Scheduler

__all__ = ["Devices", "Vswitchd"]


class Vswitchd:
    """The switches of one host, on one datapath."""

    def __init__(
        self, scheduler: Scheduler, dpif: Dpif, devices: Devices, vlog: Vlog = SILENT
    ) -> None:
        self.config = SwitchConfig()
        self.backer = Backer(scheduler, dpif, vlog)
        self.vlog = vlog
        self.datapath_log: DatapathLog | None = None
        """What its daemon's log says of its datapath, where there is a log."""
        if vlog is not SILENT:
            self.datapath_log = DatapathLog(dpif, vlog)
            self.backer.revalidator.on_dump = self.datapath_log.dumped
        self.choices = Choices()
        self.devices = devices
        self.other_datapaths: dict[str, Dpif] = {}
        """Datapaths without bridges, by name."""
        self.running: dict[str, Bridge] = {}
        self.dummy_datapaths = {"dummy"}
        """The types of datapaths that number ports, and name those that they make, as dummies."""
        self.errors: dict[str, str] = {}
        """What is wrong with interfaces that therefore have no port, by name."""
        tunnels = DatapathTunnels(self.backer)
        self._around = Surroundings(
            scheduler,
            self.backer,
            devices,
            tunnels,
            self.errors,
            vlog,
            Complaints(vlog, tunnels.vxlan_ports),
            self._tell,
            self.dummy_datapaths,
        )
        self.status_changed: Callable[[], None] = _nothing
        """Called when something that is told of interfaces has changed by itself."""
        self.datapath_types: Container[str] = ("dummy", "netdev", "system")
        """The types that bridges may ask for; all have the one datapath that there is."""
        self.ports_ready: Callable[[BridgeConfig], None] | None = None
        """Called when a bridge has its ports, and before it speaks to its neighbours, by whoever
        gives local ports their addresses in another way than Open vSwitch does."""
        self.reconnect: Callable[[str | None], None] = lambda _bridge: None
        """Called when a bridge, or None for all of them, shall connect to its controllers anew."""
        self.controller_status: Callable[[str, str], ControllerStatus] = lambda _bridge, _target: (
            NOT_CONNECTED
        )
        """How a controller of a bridge stands, by the names of both, as far as one goes there."""

    @property
    def bridges(self) -> Mapping[str, Ofproto]:
        """The OpenFlow switches by name."""
        return self.backer.bridges

    def reconcile(self, config: SwitchConfig, *, in_order: bool = False) -> None:
        """Change what runs into what ``config`` says. In force before the next frame.

        Ports that come together get their numbers in no order that anybody could foresee; with
        ``in_order`` they get them as if they had come one by one.
        """
        self.errors.clear()
        self._name_datapath(config)
        wanted = {bridge.name: bridge for bridge in config.bridges if self._is_possible(bridge)}
        for name, bridge in list(self.running.items()):
            if name not in wanted or type_of(wanted[name]) != bridge.datapath_type:
                self.running.pop(name).remove()
        is_new = not self.running
        # Names may move from one bridge to another, so all go before any comes.
        changed = [name for name, bridge in self.running.items() if not bridge.is_as(wanted[name])]
        for name in changed:
            self.running[name].drop_ports(wanted[name])
        for name, bridge_config in wanted.items():
            if name not in self.running:
                bridge = self.running[name] = Bridge(bridge_config, self._around)
                bridge.drop_ports(bridge_config)
                changed.append(name)
        if is_new and self.running and self.vlog is not SILENT:
            tell_abilities(self.vlog, f"{self.backer.dpif.kind}@{self.backer.dpif.name}")
        ordered = changed if in_order else _in_table_order(changed)
        for name in ordered:
            self.running[name].configure_ports(wanted[name], in_order=in_order)
        for name in ordered:
            bridge = self.running[name]
            if self.ports_ready is None:
                bridge.take_identity()
            else:
                self.ports_ready(wanted[name])
            bridge.configure_switching()
        managers = config.in_band_managers
        for name, bridge in self.running.items():
            has_host = bridge.datapath_type not in self.dummy_datapaths
            bridge.control.in_band.configure(wanted[name], managers, has_host=has_host)
            bridge.ofproto.sampling = sampling_of(wanted[name], config.collector_sets)
            bridge.connmgr.set_bundle_patience(config.bundle_patience_ns)
        self._configure_datapath(config)
        self.config = config
        self.backer.revalidator.touch()
        self.backer.revalidator.settle()

    def _is_possible(self, bridge: BridgeConfig) -> bool:
        """Whether there can be such a bridge. Its name may be part of a file's: whoever writes the
        database is not to reach other folders by it."""
        complaints = self._around.complaints
        if set(bridge.name) & {"/", "\\"}:
            complaints.invalid_bridge(bridge.name)
        elif type_of(bridge) not in self.datapath_types:
            complaints.no_datapath(bridge.name, type_of(bridge))
        else:
            return True
        return False

    def _name_datapath(self, config: SwitchConfig) -> None:
        """There is one datapath, which goes by the type that its bridges have."""
        dpif, kinds = self.backer.dpif, {bridge.datapath_type for bridge in config.bridges}
        if dpif.name == "ovs-netdev" and "dummy" in kinds:
            dpif.name = "ovs-dummy"
        elif dpif.name == "ovs-dummy" and "netdev" in kinds and "dummy" not in kinds:
            dpif.name = "ovs-netdev"

    def _tell(self) -> None:
        self.status_changed()

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


def _in_table_order(names: Sequence[str]) -> list[str]:
    """Bridges as Open vSwitch goes through them: in the order of a hash table of their names."""
    order = hash_table_order(hash_bytes(name.encode(), 0) for name in names)
    return [names[position] for position in order]


def _nothing() -> None:
    return None

"""The wanted state of a switch: bridges, ports, interfaces, mirrors, and their settings.

One frozen class for each table of ovs-vswitchd.conf.db(5) (those of collectors are in
:mod:`~vnet.ovs.vswitchd.collector_config`, what is spoken with in ``controller_config`` and
``remote_config``), its members named as that manual has them. A row that a column refers to stands
in place of the reference, except that mirrors name their ports. What values a column takes the
schema of the database says; what the manual says about missing or unusable ones is in the
properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field

from vnet.base.ids import Mac, mac_from_text
from vnet.base.record import record
from vnet.base.units import NS_PER_S
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.switching.vlan_mode import PriorityTags, VlanMode
from vnet.ovs.ofproto.tunnel.config import TunnelConfig
from vnet.ovs.vswitchd.collector_config import (
    CollectorSetConfig,
    IpfixConfig,
    NetflowConfig,
    SflowConfig,
)
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.remote_address import IPV4_LOOPBACK, RemoteAddress, remote_address
from vnet.ovs.vswitchd.remote_config import ManagerConfig, SslConfig
from vnet.ovs.vswitchd.row import Row, setting_number, setting_truth
from vnet.ovs.vswitchd.tunnel_options import SUPPORTED_TYPES, read_tunnel

_U32_MAX = 0xFFFFFFFF
_OVSDB_PORT = 6640
_QUEUE_SIZE = 100
_BUNDLE_IDLE_TIMEOUT_S = 10
_MOST_QUEUE_SIZE = 512
_DATAPATH_ID = re.compile(r"[0-9a-fA-F]{16}|0[xX][0-9a-fA-F]{1,16}")

TUNNEL_TYPES = frozenset(
    {"vxlan", "gre", "ip6gre", "geneve", "erspan", "ip6erspan", "gtpu", "stt", "lisp", "bareudp"}
)
INTERFACE_TYPES = TUNNEL_TYPES | {"", "system", "internal", "tap", "dummy", "dummy-pmd", "patch"}


@record(frozen=True, slots=True)
class InterfaceConfig(Row):
    """Interface table: one network device of a port."""

    name: str
    type: str = ""
    ofport_request: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    mac: str | None = None
    mtu_request: int | None = None
    ingress_policing_rate: int = 0
    ingress_policing_burst: int = 0
    ingress_policing_kpkts_rate: int = 0
    ingress_policing_kpkts_burst: int = 0
    lldp: Mapping[str, str] = field(default_factory=dict)
    bfd: Mapping[str, str] = field(default_factory=dict)
    other_config: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)
    has_stand_in: bool = False
    """Not a column: whether a dummy is there instead of what there would be by its type."""

    def check(self) -> None:
        """Raise what is wrong with it that the database allows."""
        if self.type not in INTERFACE_TYPES:
            raise OvsTextError(
                f"could not open network device {self.name} "
                "(Address family not supported by protocol)"
            )
        if self.is_patch:
            self._check_patch()
        if self.is_tunnel:
            read_tunnel(self.name, self.type, self.options)

    @property
    def is_tunnel(self) -> bool:
        """Whether it is a tunnel of a kind that can be made."""
        return self.type in SUPPORTED_TYPES and not self.has_stand_in

    @property
    def tunnel(self) -> TunnelConfig:
        """How its tunnel is set up."""
        return read_tunnel(self.name, self.type, self.options).config

    @property
    def is_patch(self) -> bool:
        return self.type == "patch"

    @property
    def peer(self) -> str:
        """The patch port at the other end."""
        return self.options["peer"]

    def _check_patch(self) -> None:
        if "peer" not in self.options:
            raise OvsTextError(f"{self.name}: patch type requires valid 'peer' argument")
        if len(self.options) > 1:
            raise OvsTextError(f"{self.name}: patch type takes only a 'peer' argument")
        if self.peer == self.name:
            raise OvsTextError(f"{self.name}: patch peer must not be self")


@record(frozen=True, slots=True)
class QueueConfig(Row):
    """Queue table: one queue of a QoS."""

    dscp: int | None = None
    other_config: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)


@record(frozen=True, slots=True)
class QosConfig(Row):
    """QoS table: how a port shapes what it sends."""

    type: str = ""
    queues: Mapping[int, QueueConfig] = field(default_factory=dict)
    other_config: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)


_PRIORITY_TAGS = {
    "if-nonzero": PriorityTags.IF_NONZERO,
    "true": PriorityTags.IF_NONZERO,
    "always": PriorityTags.ALWAYS,
}


@record(frozen=True, slots=True)
class BridgePortConfig(Row):
    """Port table: one interface, or several that make a bond."""

    name: str
    interfaces: tuple[InterfaceConfig, ...] = ()
    vlan_mode: str | None = None
    tag: int | None = None
    trunks: tuple[int, ...] = ()
    cvlans: tuple[int, ...] = ()
    protected: bool = False
    qos: QosConfig | None = None
    mac: str | None = None
    bond_mode: str | None = None
    bond_updelay: int = 0
    bond_downdelay: int = 0
    bond_active_slave: str | None = None
    bond_fake_iface: bool = False
    lacp: str | None = None
    fake_bridge: bool = False
    other_config: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def effective_vlan_mode(self) -> VlanMode:
        """Without ``vlan_mode``, a port with a tag is an access port and any other a trunk."""
        if self.vlan_mode is not None:
            return VlanMode(self.vlan_mode)
        return VlanMode.TRUNK if self.tag is None else VlanMode.ACCESS

    @property
    def qinq_ethertype(self) -> int:
        """The EtherType of the outer tag on a dot1q-tunnel port."""
        return 0x8100 if self.other_config.get("qinq-ethtype") == "802.1q" else 0x88A8

    @property
    def priority_tags(self) -> PriorityTags:
        return _PRIORITY_TAGS.get(self.other_config.get("priority-tags", ""), PriorityTags.NEVER)


@record(frozen=True, slots=True)
class MirrorConfig(Row):
    """Mirror table. Ports are named; those that the bridge does not have are passed over."""

    name: str = ""
    select_all: bool = False
    select_src_port: tuple[str, ...] = ()
    select_dst_port: tuple[str, ...] = ()
    select_vlan: tuple[int, ...] = ()
    output_port: str | None = None
    output_vlan: int | None = None
    snaplen: int | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)


@record(frozen=True, slots=True)
class FlowTableConfig(Row):
    """Flow_Table table: name, limit, and prefix lookup of one OpenFlow table."""

    name: str | None = None
    flow_limit: int | None = None
    overflow_policy: str | None = None
    groups: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    external_ids: Mapping[str, str] = field(default_factory=dict)


@record(frozen=True, slots=True)
class BridgeConfig(Row):
    """Bridge table. A bridge has a local port of its own name, listed among ``ports`` or not."""

    name: str
    datapath_type: str = ""
    fail_mode: str | None = None
    protocols: tuple[str, ...] = ()
    ports: tuple[BridgePortConfig, ...] = ()
    controller: tuple[ControllerConfig, ...] = ()
    mirrors: tuple[MirrorConfig, ...] = ()
    flow_tables: Mapping[int, FlowTableConfig] = field(default_factory=dict)
    sflow: SflowConfig | None = None
    netflow: NetflowConfig | None = None
    ipfix: IpfixConfig | None = None
    flood_vlans: tuple[int, ...] = ()
    stp_enable: bool = False
    rstp_enable: bool = False
    mcast_snooping_enable: bool = False
    other_config: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_ports(self) -> tuple[BridgePortConfig, ...]:
        """The ports, the local one first where the configuration does not list it."""
        if any(port.name == self.name for port in self.ports):
            return self.ports
        local = InterfaceConfig(self.name, type="internal")
        return (BridgePortConfig(self.name, (local,)), *self.ports)

    def interfaces(self) -> Iterator[InterfaceConfig]:
        """Those of all ports."""
        for port in self.all_ports:
            yield from port.interfaces

    @property
    def is_secure(self) -> bool:
        """Whether a bridge without controller starts without flows, and not with NORMAL."""
        return self.fail_mode == "secure"

    @property
    def has_controllers(self) -> bool:
        """Whether its flows are the business of somebody else."""
        return any(controller.is_primary for controller in self.controller)

    @property
    def datapath_id(self) -> int | None:
        """``other_config:datapath-id``, if there is one: not 0, and 16 hexadecimal digits, or up to
        that many behind ``0x``."""
        text = self.other_config.get("datapath-id", "")
        return (int(text, 16) or None) if _DATAPATH_ID.fullmatch(text) else None

    @property
    def controller_queue_size(self) -> int:
        """``other_config:controller-queue-size``, how many packet-ins may wait for a controller
        whose row does not say so."""
        size = setting_number(self.other_config, "controller-queue-size", _QUEUE_SIZE)
        return size if 1 <= size <= _MOST_QUEUE_SIZE else _QUEUE_SIZE

    @property
    def description(self) -> str:
        """``other_config:dp-desc``, what it says of itself by OpenFlow."""
        return self.other_config.get("dp-desc", "None")

    @property
    def serial_number(self) -> str:
        """``other_config:dp-sn``, likewise."""
        return self.other_config.get("dp-sn", "None")

    @property
    def hwaddr(self) -> Mac | None:
        """``other_config:hwaddr``, the address of the local port, if there is one."""
        try:
            return mac_from_text(self.other_config.get("hwaddr", ""))
        except ValueError:
            return None

    @property
    def mac_aging_time_s(self) -> int:
        return setting_number(self.other_config, "mac-aging-time", 0) or 300

    @property
    def mac_table_size(self) -> int:
        return setting_number(self.other_config, "mac-table-size", 0) or 8192

    @property
    def mcast_aging_time_s(self) -> int:
        return setting_number(self.other_config, "mcast-snooping-aging-time", 0) & _U32_MAX or 300

    @property
    def mcast_table_size(self) -> int:
        return setting_number(self.other_config, "mcast-snooping-table-size", 0) & _U32_MAX or 2048

    @property
    def mcast_disable_flood_unregistered(self) -> bool:
        return setting_truth(self.other_config, "mcast-snooping-disable-flood-unregistered", False)

    @property
    def openflow_full(self) -> bool:
        """``other_config:openflow-full``, which Open vSwitch does not know: more of OpenFlow."""
        return setting_truth(self.other_config, "openflow-full", False)

    @property
    def has_in_band(self) -> bool:
        """Unless ``other_config:disable-in-band``, flows keep the way to controllers open."""
        return not setting_truth(self.other_config, "disable-in-band", False)

    @property
    def in_band_queue(self) -> int:
        """``other_config:in-band-queue``, the queue that those flows use; none if negative."""
        return setting_number(self.other_config, "in-band-queue", -1)

    @property
    def forward_bpdu(self) -> bool:
        return setting_truth(self.other_config, "forward-bpdu", False)


@record(frozen=True, slots=True)
class SwitchConfig(Row):
    """Open_vSwitch table: all there is. Names of bridges, of ports, of interfaces are unique."""

    bridges: tuple[BridgeConfig, ...] = ()
    manager_options: tuple[ManagerConfig, ...] = ()
    ssl: SslConfig | None = None
    collector_sets: tuple[CollectorSetConfig, ...] = ()
    other_config: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)

    def interfaces(self) -> Iterator[InterfaceConfig]:
        """Those of all bridges."""
        for bridge in self.bridges:
            yield from bridge.interfaces()

    def bridge(self, name: str) -> BridgeConfig | None:
        """A bridge by its name."""
        return next((bridge for bridge in self.bridges if bridge.name == name), None)

    @property
    def in_band_managers(self) -> tuple[RemoteAddress, ...]:
        """Where managers of the database are that bridges may have to be crossed to."""
        managers = (m for m in self.manager_options if m.connection_mode != "out-of-band")
        found = (remote_address(manager.target, _OVSDB_PORT) for manager in managers)
        return tuple(address for address in found if address and address.ip != IPV4_LOOPBACK)

    @property
    def bundle_patience_ns(self) -> int:
        """``other_config:bundle-idle-timeout``: after how long OpenFlow's bundles are given up
        that nobody adds to."""
        seconds = setting_number(self.other_config, "bundle-idle-timeout", 0)
        return (max(seconds, 0) or _BUNDLE_IDLE_TIMEOUT_S) * NS_PER_S

    @property
    def vlan_limit(self) -> int:
        """How many VLAN tags of a frame flows can see; 0 means as many as the datapath can."""
        return setting_number(self.other_config, "vlan-limit", 1)

    @property
    def flow_limit(self) -> int:
        """How many flows the datapath may hold."""
        return setting_number(self.other_config, "flow-limit", 200_000)

    @property
    def max_idle_ms(self) -> int:
        """How long the datapath keeps a flow that nothing uses."""
        return setting_number(self.other_config, "max-idle", 10_000)

    @property
    def statistics_interval_ms(self) -> int:
        """How long between two accounts of what has passed."""
        return max(setting_number(self.other_config, "stats-update-interval", 5000), 5000)

    @property
    def max_revalidator_ms(self) -> int:
        """How long between two looks at all flows of the datapath at most."""
        return setting_number(self.other_config, "max-revalidator", 500)


TABLES: Mapping[str, type[Row]] = {
    "Open_vSwitch": SwitchConfig,
    "Bridge": BridgeConfig,
    "Port": BridgePortConfig,
    "Interface": InterfaceConfig,
    "Controller": ControllerConfig,
    "Manager": ManagerConfig,
    "SSL": SslConfig,
    "Mirror": MirrorConfig,
    "Flow_Table": FlowTableConfig,
    "QoS": QosConfig,
    "Queue": QueueConfig,
    "sFlow": SflowConfig,
    "NetFlow": NetflowConfig,
    "IPFIX": IpfixConfig,
    "Flow_Sample_Collector_Set": CollectorSetConfig,
}
"""The tables, by the names that the database gives them."""

"""What a topology file means once it is read, checked and expanded.

Frozen values in the units the lab works in: nanoseconds, bits per second, packed
addresses. Templates (``count``) are already expanded, defaults filled in and every
reference resolved to a name that exists, so that ``lab/build`` can wire devices
together without asking questions. The spelling of the file is ``schema.py``'s
business; nothing here knows of YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress, Mac
from vnet.hypervisor.modes.virtual_network import VirtualNetwork
from vnet.linux.bridge.config import PLAIN_BRIDGE, LinuxBridgeConfig
from vnet.linux.resolv_conf import NO_RESOLVER, ResolvConf
from vnet.linux.services.advertising import RouterAdvertising
from vnet.linux.services.dhcp_server.settings import DhcpServing
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.sim.netem import UNIMPAIRED, Impairments
from vnet.tables.fib import RouteType
from vnet.tables.policy import TABLE_MAIN, Rule

if TYPE_CHECKING:
    from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod
    from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig
    from vnet.topology.steps import Step


class Hypervisor(Enum):
    """Who hosts the guests: decides default MACs and how back ends are named."""

    XEN = "xen"
    KVM = "kvm"
    VMWARE = "vmware"
    HYPERV = "hyperv"


class BridgeStyle(Enum):
    """How a host in bridge mode puts its physical NIC behind a bridge."""

    NETWORK_BRIDGE = "network-bridge"
    """Xen's classic script: eth0 becomes peth0, and a new eth0 joins through vif0.0."""
    ENSLAVED = "enslaved"
    """Today's way: the NIC itself becomes a bridge port and the bridge holds its addresses."""


class Dynamic(Enum):
    """How a card gets an address that the file does not know."""

    DHCP = "dhcp"


class VifMode(Enum):
    """Xen's modes that put each guest on a back end of its own, on no bridge."""

    ROUTE = "route"
    NAT = "nat"


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its prefix: 10.0.0.1/24 keeps its host bits."""

    ip: IpAddress
    prefix_length: int


@dataclass(frozen=True, slots=True)
class Nexthop:
    """One way of a route; without a ``device`` it is the one that the gateway is reached by."""

    gateway: IpAddress | None
    device: str | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Route:
    """A static route. ``network`` has no host bits; the default route has length 0.

    Several ``nexthops`` are equal-cost paths; there are none where packets go nowhere. ``metric``
    and ``source`` None leave them to the kernel.
    """

    network: IpAddress
    prefix_length: int
    nexthops: tuple[Nexthop, ...]
    type: RouteType = RouteType.UNICAST
    metric: int | None = None
    table: int = TABLE_MAIN
    source: IpAddress | None = None
    tos: int = 0
    mtu_bytes: int = 0
    onlink: bool = False


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule of one address family, 4 or 6; without a priority it goes before all others."""

    family: int
    rule: Rule
    has_priority: bool


@dataclass(frozen=True, slots=True)
class Nic:
    """A network card, physical or virtual, and the addresses its owner gives it.

    ``ipv6`` is None where the file does not say; the owner then speaks IPv6 on it
    only if it has an IPv6 address there.
    """

    name: str
    mac: Mac
    addresses: tuple[Address, ...] = ()
    mtu_bytes: int = 1500
    ipv6: bool | None = None
    tc: tuple[str, ...] = ()
    """Commands of tc(8), the device left out."""
    ra: RouterAdvertising | None = field(default=None, kw_only=True)
    """What a router advertises here, if anything."""
    dhcp: DhcpServing | None = field(default=None, kw_only=True)
    """What the DHCP server here leases, if there is one."""
    dns: DnsServing | None = field(default=None, kw_only=True)
    """What the DNS server here is told, if there is one."""
    dhcp_client: bool = field(default=False, kw_only=True)
    """Whether its owner asks for an address here by DHCP."""
    dhcp_relay: tuple[IpAddress, ...] = field(default=(), kw_only=True)
    """The DHCP servers that requests from here are passed on to."""

    @property
    def speaks_ipv6(self) -> bool:
        if self.ipv6 is not None:
            return self.ipv6
        return any(len(address.ip) == 16 for address in self.addresses)


@dataclass(frozen=True, slots=True)
class Vnic(Nic):
    """A virtual machine's card: ``eth<index>`` inside, plugged into ``switch`` on the host."""

    switch: str = ""

    @property
    def ips(self) -> tuple[IpAddress, ...]:
        """Its IPv4 addresses."""
        return tuple(address.ip for address in self.addresses if len(address.ip) == 4)


@dataclass(frozen=True, slots=True)
class VlanDevice(Nic):
    """VLAN ``vid`` of the device ``link``. A MAC of zeros and an MTU of 0 are that device's."""

    link: str = ""
    vid: int = 0
    protocol: int = 0x8100


@dataclass(frozen=True, slots=True)
class Veth:
    """Two devices back to back, each a port of a switch: ``(device, switch)``."""

    ends: tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OvsBridge:
    """What a bridge of Open vSwitch is set up with.

    ``config`` has the ports that the bridge makes by itself; all others come, and ``ports`` are
    settings by device, of those that have any. It ``has_flows`` where the file gives it some that
    do more than forward as any switch does.
    """

    config: BridgeConfig
    ports: Mapping[str, BridgePortConfig]
    has_flows: bool = False


@dataclass(frozen=True, slots=True)
class HostSwitch:
    """A bridge inside a host. ``uplink`` names the host NIC behind it, if any.

    ``ovs`` None makes it a Linux bridge, set up as ``linux`` says. ``addresses`` are the host's
    own on it, where ``dhcp`` says what a DHCP server leases and ``dns`` what names are served. Of
    a ``network`` libvirt is in charge.
    """

    name: str
    uplink: str | None = None
    ageing_ns: int = 300_000_000_000
    ovs: OvsBridge | None = None
    linux: LinuxBridgeConfig = PLAIN_BRIDGE
    addresses: tuple[Address, ...] = ()
    dhcp: DhcpServing | None = None
    network: VirtualNetwork | None = None
    dns: DnsServing | None = None

    @property
    def speaks_ipv6(self) -> bool:
        return any(len(address.ip) == 16 for address in self.addresses)

    @property
    def leases_to_guests(self) -> bool:
        """Whether guests without an address ask for one: where libvirt runs a server."""
        return self.network is not None and self.dhcp is not None

    @property
    def bonded_cards(self) -> list[str]:
        """The links of its bonds, the uplink among them where that is one."""
        ports = () if self.ovs is None else self.ovs.ports.values()
        bonds = (port for port in ports if len(port.interfaces) > 1)
        return [interface.name for bond in bonds for interface in bond.interfaces]


@dataclass(frozen=True, slots=True)
class Firewall:
    """Rules of iptables and ip6tables, as iptables-restore reads them; empty: none."""

    ipv4: str = ""
    ipv6: str = ""


NO_FIREWALL = Firewall()


@dataclass(frozen=True, slots=True)
class Host:
    """A hypervisor: its physical cards and its switches by name; its guests name it themselves.

    Guests that plug into no switch hang on their back ends alone, by the scripts of the
    ``vif_mode``, if it has one. They reach the outside by the card ``netdev``.
    """

    name: str
    hypervisor: Hypervisor
    bridge_style: BridgeStyle
    nics: Mapping[str, Nic]
    switches: Mapping[str, HostSwitch]
    routes: tuple[Route, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    vlans: tuple[VlanDevice, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    veths: tuple[Veth, ...] = ()
    br_netfilter: bool = False
    vif_mode: VifMode | None = None
    netdev: str | None = None
    resolver: ResolvConf = field(default=NO_RESOLVER, kw_only=True)
    firewall: Firewall = field(default=NO_FIREWALL, kw_only=True)


@dataclass(frozen=True, slots=True)
class Vm:
    """A virtual machine; ``domid`` counts from 1 on its host, in file order."""

    name: str
    host: str
    domid: int
    vnics: tuple[Vnic, ...]
    routes: tuple[Route, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    vlans: tuple[VlanDevice, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    resolver: ResolvConf = field(default=NO_RESOLVER, kw_only=True)
    firewall: Firewall = field(default=NO_FIREWALL, kw_only=True)


@dataclass(frozen=True, slots=True)
class WireSwitch:
    """A switch between hosts; its ports are named by the links that end there.

    ``ovs`` None makes it a Linux bridge, set up as ``linux`` says.
    """

    name: str
    ports: tuple[str, ...]
    ageing_ns: int = 300_000_000_000
    ovs: OvsBridge | None = None
    linux: LinuxBridgeConfig = PLAIN_BRIDGE


@dataclass(frozen=True, slots=True)
class Router:
    """A machine that forwards between its NICs."""

    name: str
    nics: Mapping[str, Nic]
    routes: tuple[Route, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    vlans: tuple[VlanDevice, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    resolver: ResolvConf = field(default=NO_RESOLVER, kw_only=True)
    firewall: Firewall = field(default=NO_FIREWALL, kw_only=True)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A device on a node, written ``node:device`` in the file."""

    node: str
    device: str

    def __str__(self) -> str:
        return f"{self.node}:{self.device}"


@dataclass(frozen=True, slots=True)
class Link:
    """A full-duplex cable. ``bandwidth_bps`` None means frames take no time to serialise."""

    ends: tuple[Endpoint, Endpoint]
    latency_ns: int = 0
    bandwidth_bps: int | None = None
    queue_frames: int = 1000
    mtu_bytes: int | None = None
    up: bool = True
    impairments: Impairments = UNIMPAIRED

    @property
    def name(self) -> str:
        return f"{self.ends[0]}--{self.ends[1]}"


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole lab as its file wants it: everything is there, named, checked and expanded.

    ``file`` is where it was read; ``scenario`` holds the steps in the order of the file.
    """

    name: str
    seed: int
    epoch_ns: int
    hosts: Mapping[str, Host]
    vms: Mapping[str, Vm]
    switches: Mapping[str, WireSwitch]
    routers: Mapping[str, Router]
    links: tuple[Link, ...]
    captures: tuple[Endpoint, ...]
    scenario: tuple[Step, ...]
    file: str
    templates: Mapping[str, str] = field(default_factory=dict)
    """For each node that a ``count`` made: the name of the entry that made it."""
    openflow: Mapping[str, tuple[MeterMod | GroupMod | FlowMod, ...]] = field(default_factory=dict)
    """What each bridge of Open vSwitch is sent at the start, by its name in the lab (``h1:br0``,
    ``sw1``)."""

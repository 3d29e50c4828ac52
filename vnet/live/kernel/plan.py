"""What is to be made on the kernel: plain values, read from a lab that has just been built.

Names are those of the lab. A device is spoken of as :class:`~vnet.topology.model.Endpoint`, the
node and what the device is called there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from vnet.base.ids import IpAddress, Mac
from vnet.linux.services.advertising import RouterAdvertising
from vnet.linux.services.dhcp_server.settings import DhcpServing
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.netdev.device import NetDevice
from vnet.sim.netem import UNIMPAIRED, Impairments
from vnet.tables.fib import Route
from vnet.tables.policy import Rule
from vnet.topology.model import Address, Endpoint


class Kind(Enum):
    """What a device is made as; the values are the kernel's words."""

    LOOPBACK = "loopback"
    VETH = "veth"
    BRIDGE = "bridge"
    VLAN = "vlan"
    VXLAN = "vxlan"


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A device, once everything is up. ``ipv6``: whether its owner speaks IPv6 there."""

    name: str
    kind: Kind
    mac: Mac
    mtu_bytes: int
    up: bool = True
    arp: bool = True
    multicast: bool = True
    ipv6: bool = False
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class BridgePlan:
    """How a bridge is set up: ``options`` as ip-link(8) has them, those that differ from a fresh
    bridge's. ``mac`` None leaves the bridge the lowest of its ports'."""

    name: str
    options: Mapping[str, int]
    mac: Mac | None = None


@dataclass(frozen=True, slots=True)
class PortPlan:
    """A port. ``settings`` are flags and numbers by the names of bridge(8); ``vlans`` what each
    VLAN is to it, ``(pvid, untagged)``, and empty where the bridge does not filter."""

    bridge: str
    device: str
    settings: Mapping[str, int] = field(default_factory=dict)
    vlans: Mapping[int, tuple[bool, bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VlanPlan:
    """VLAN ``vid`` of the device ``lower``, as the device ``name``."""

    name: str
    lower: str
    vid: int
    protocol: int


@dataclass(frozen=True, slots=True)
class VxlanPlan:
    """A VXLAN device. What has no known station goes to each of ``remotes``."""

    name: str
    bridge: str
    vni: int
    udp_port: int
    remotes: tuple[IpAddress, ...]
    local: IpAddress | None
    ttl: int
    tos: int
    dont_fragment: bool
    has_checksum: bool


@dataclass(frozen=True, slots=True)
class ServedPlan:
    """A device where DHCP or DNS is served; its ``address`` is the server's.

    ``names`` are the machines that DNS knows there. A device ``is_apart`` whose daemon serves
    nothing else: that of a virtual network.
    """

    device: str
    address: Address
    dhcp: DhcpServing | None = None
    dns: DnsServing | None = None
    names: Mapping[str, Sequence[IpAddress]] = field(default_factory=dict)
    is_apart: bool = False


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """A device from which DHCP requests are passed on to ``servers``; ``address`` is its own."""

    device: str
    address: Address
    servers: tuple[IpAddress, ...]


@dataclass(frozen=True, slots=True)
class AdvertisingPlan:
    """A device where its machine says that it is a router for ``networks``."""

    device: str
    mtu_bytes: int
    networks: tuple[Address, ...]
    settings: RouterAdvertising


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One namespace. ``devices`` in the order in which they get their numbers.

    ``sysctls`` has every setting that the lab knows, by name. ``iptables`` are texts for
    iptables-restore(8) by address family, 4 and 6.
    """

    name: str
    devices: tuple[DevicePlan, ...]
    bridges: tuple[BridgePlan, ...] = ()
    ports: tuple[PortPlan, ...] = ()
    vlans: tuple[VlanPlan, ...] = ()
    vxlans: tuple[VxlanPlan, ...] = ()
    routes: tuple[Route[NetDevice], ...] = ()
    rules: tuple[tuple[int, Rule], ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    tc: tuple[tuple[str, ...], ...] = ()
    """Commands of tc(8), in words."""
    iptables: Mapping[int, str] = field(default_factory=dict)
    br_netfilter: bool = False
    served: tuple[ServedPlan, ...] = ()
    relays: tuple[RelayPlan, ...] = ()
    advertising: tuple[AdvertisingPlan, ...] = ()
    asking: tuple[str, ...] = ()
    """The devices that get their addresses by DHCP."""

    def device(self, name: str) -> DevicePlan:
        """A device by its name."""
        return next(device for device in self.devices if device.name == name)


@dataclass(frozen=True, slots=True)
class PairPlan:
    """Two devices back to back: a guest's card and its back end, or a veth pair of the host."""

    ends: tuple[Endpoint, Endpoint]


@dataclass(frozen=True, slots=True)
class CablePlan:
    """A cable between two cards, with what it does to frames."""

    ends: tuple[Endpoint, Endpoint]
    latency_ns: int = 0
    bandwidth_bps: int | None = None
    queue_frames: int = 1000
    impairments: Impairments = UNIMPAIRED
    mtu_bytes: int | None = None
    up: bool = True
    has_far_ends: bool = False
    """Whether it is more than a veth: it can be pulled, takes less than its cards, or shapes what
    comes from a card that has queues of its own."""

    @property
    def name(self) -> str:
        return f"{self.ends[0]}--{self.ends[1]}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole lab. ``impossible`` says what of the file no kernel of this kind can do."""

    lab: str
    nodes: tuple[NodePlan, ...]
    pairs: tuple[PairPlan, ...]
    cables: tuple[CablePlan, ...]
    loose: tuple[Endpoint, ...] = ()
    """Cards without a cable."""
    impossible: tuple[str, ...] = ()

    def node(self, name: str) -> NodePlan:
        """A node by its name."""
        return next(node for node in self.nodes if node.name == name)

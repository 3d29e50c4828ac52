"""The spelling of a topology file: which keys there are, where, and of what type.

These pydantic models mirror the YAML key by key. They judge each value by itself and
turn it into the lab's units; whether names lead anywhere is asked later, in
:mod:`~vnet.topology.expansion.expand` and :mod:`~vnet.topology.checks.validate`. The JSON
Schema that gives editors completion and hover texts is made from the same models, so the
descriptions below are the reference manual of the file format.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from vnet.topology.model import Address, Dynamic
from vnet.topology.schema.dhcp import DhcpOrTrue, Relays
from vnet.topology.schema.dns import DnsOrTrue, ResolverOrServers
from vnet.topology.schema.fields import (
    Addresses,
    CardAddresses,
    Epoch,
    Gateways,
    InterfaceName,
    MacText,
    Mtu,
    Name,
    StarredDevice,
    StarredName,
    SysctlName,
    SysctlValue,
    TcCommands,
    Version,
)
from vnet.topology.schema.firewall import FirewallRules
from vnet.topology.schema.parts import Part
from vnet.topology.schema.port import CountOrPorts, Ports
from vnet.topology.schema.ra import RaOrTrue
from vnet.topology.schema.route import RouteFile, RuleFile
from vnet.topology.schema.step import StepFile
from vnet.topology.schema.switch import SwitchFile
from vnet.topology.schema.wire import WireFile

MAX_COUNT = 100_000
MAX_VNICS = 64

_S = 1_000_000_000

HostMode = Literal["bridge", "route", "nat", "isolated", "open"]
HypervisorName = Literal["xen", "kvm", "vmware", "hyperv"]
StyleName = Literal["network-bridge", "enslaved", "libvirt", "xen"]

VethFile = Annotated[dict[InterfaceName, Name], Field(min_length=2, max_length=2)]

NodeCount = Annotated[int, Field(ge=1, le=MAX_COUNT)]


def _count(name: str, more: str) -> Any:
    """The field that makes an entry a template."""
    description = f"Make this many: {name} becomes {name}1, {name}2, ... and {more}. "
    description += f"Elsewhere '{name}*' stands for all of them."
    return Field(default=None, description=description)


class NicFile(Part):
    """A network card and the addresses its owner gives it."""

    ip: CardAddresses = Field(
        default=[],
        description="Address with prefix length, or a list of them, IPv4 and IPv6 alike; 'dhcp' "
        "is asked for when the machine starts.",
    )
    mac: MacText | None = Field(
        default=None,
        description="MAC address; left out, one is derived from the seed and the name.",
    )
    mtu: Mtu = Field(default=1500, description="Largest IP packet in bytes.")
    ipv6: bool | None = Field(
        default=None, description="Speak IPv6 here; left out, only if there is an IPv6 address."
    )
    tc: TcCommands = Field(
        default=[],
        description="How frames queue here on their way out, and what is policed on its way in: "
        "a command of tc(8), the device left out, or a list of them.",
        examples=[
            "qdisc add root netem delay 10ms loss 1%",
            [
                "qdisc add root handle 1: tbf rate 10mbit burst 10kb latency 50ms",
                "qdisc add parent 1:1 handle 10: prio",
            ],
        ],
    )
    dns: DnsOrTrue = Field(
        default=None,
        description="Run a DNS server here: 'true', or what it knows besides the names of the lab.",
        examples=[{"domain": "lab.test", "upstream": "10.0.0.53"}],
    )
    dhcp: DhcpOrTrue = Field(
        default=None,
        description="Run a DHCP server here: 'true', or what it leases.",
        examples=[{"range": "10.0.0.100-10.0.0.199", "lease": "1h"}],
    )
    dhcp_relay: Relays = Field(
        default=[],
        description="Pass DHCP requests that come in here on to a server, or to each of a list.",
    )

    @property
    def addresses(self) -> list[Address]:
        """Those that the file knows."""
        return [each for each in self.ip if isinstance(each, Address)]

    @property
    def asks_dhcp(self) -> bool:
        return Dynamic.DHCP in self.ip


class VnicFile(NicFile):
    """A card of a virtual machine; the first is eth0 inside, the next eth1."""

    switch: Name | None = Field(
        default=None,
        description="The switch on the host it plugs into; left out, the host's only one.",
    )


class VlanFile(NicFile):
    """A VLAN of a device, as a device of its own (``ip link add ... type vlan``)."""

    link: Name | None = Field(
        default=None,
        description="The device it stands on: a card, a bridge, another VLAN that is written "
        "before. Left out, what stands before the last dot of the name: eth0 of 'eth0.10'.",
    )
    id: Annotated[int, Field(ge=1, le=4094)] | None = Field(
        default=None,
        description="The VLAN; left out, what stands behind the last dot: 10 of 'eth0.10'.",
    )
    protocol: Literal["802.1Q", "802.1ad"] = Field(
        default="802.1Q", description="The protocol of its tags."
    )
    mac: MacText | None = Field(
        default=None, description="MAC address; left out, that of the device it stands on."
    )
    mtu: Mtu = Field(
        default=1500,
        description="Largest IP packet in bytes; left out, as large as the device it stands on "
        "takes.",
    )


class MachineFile(Part):
    """What hosts, virtual machines and routers have in common."""

    gateway: Gateways = Field(
        default=[], description="Default gateway, or a list of one IPv4 and one IPv6 gateway."
    )
    routes: list[RouteFile] = Field(default=[], description="Static routes.")
    rules: list[RuleFile] = Field(
        default=[],
        description="Rules of policy routing.",
        examples=[[{"from": "10.0.1.0/24", "table": 100}]],
    )
    vlans: dict[InterfaceName, VlanFile | None] = Field(
        default={},
        description="VLANs of its devices, as devices of their own.",
        examples=[{"eth0.10": {"ip": "10.0.10.1/24"}}],
    )
    dns: ResolverOrServers = Field(
        default=None,
        description="Whom programs here ask for names: a DNS server, a list of them, or a map with "
        "more of what resolv.conf has.",
        examples=["192.168.122.1", {"servers": ["192.168.122.1"], "search": ["lab.test"]}],
    )
    iptables: FirewallRules = Field(
        default=None,
        description="Rules for packets of IPv4: a text as iptables-save prints it, or tables.",
        examples=[
            "*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n",
            {"filter": {"INPUT": {"policy": "DROP", "rules": ["-i lo -j ACCEPT"]}}},
        ],
    )
    ip6tables: FirewallRules = Field(default=None, description="The same of IPv6.")
    sysctls: dict[SysctlName, SysctlValue] = Field(
        default={},
        description="Kernel settings by name.",
        examples=[{"net.ipv4.ip_forward": 1}],
    )


class HostSwitchFile(SwitchFile):
    """A switch inside a host, which virtual machines plug into."""

    mode: HostMode | None = Field(
        default=None,
        description="'bridge' joins its guests to a card of the host. Any other makes it a "
        "virtual network of libvirt's, without a card: 'nat' and 'route' forward what leaves it, "
        "'isolated' refuses that, 'open' leaves it to the host's own rules. Left out, it is the "
        "host's mode, or 'bridge' where that is one of Xen's own.",
    )
    uplink: Name | None = Field(
        default=None,
        description="The host's card behind the switch, a VLAN of one, or 'none'. Left out, the "
        "first switch takes the first card that no other switch claims.",
    )
    ip: Addresses = Field(
        default=[],
        description="The host's own addresses on the bridge, as on a card. A virtual network has "
        "one, of IPv4: 192.168.122.1/24 if left out.",
    )
    dhcp: DhcpOrTrue = Field(
        default=None,
        description="Run a DHCP server on the bridge: 'true', or what it leases.",
        examples=[{"range": "192.168.122.2-192.168.122.254", "lease": "1h"}],
    )
    dns: DnsOrTrue = Field(
        default=None,
        description="Run a DNS server on the bridge: 'true', or what it knows besides the names of "
        "the lab.",
        examples=[{"domain": "lab.test", "upstream": "10.0.0.53"}],
    )
    ports: Ports = Field(
        default={},
        description="Settings of ports by device, as in 'vnet0: {pvid: 10}' for type 'linux' and "
        "'vnet0: {tag: 10}' for type 'ovs'; for that also ports that the bridge makes, as in "
        "'patch0: {type: patch, options: {peer: patch1}}'.",
    )


class HostFile(MachineFile):
    """A hypervisor: physical cards, switches, and the virtual machines that name it.

    With 'count' a template for many.
    """

    count: NodeCount | None = _count("h", "addresses and MACs of its cards count up by one")
    hypervisor: HypervisorName = Field(
        default="kvm", description="Decides default MACs and how back ends are named."
    )
    mode: HostMode = Field(
        default="bridge",
        description="How guests reach the outside, but for those whose switch says otherwise: as "
        "neighbours of the host ('bridge'), over it ('route'), behind its address ('nat'), by its "
        "rules ('open') or not at all ('isolated').",
    )
    style: StyleName | None = Field(
        default=None,
        description="Whose scripts do it. For mode 'bridge': 'network-bridge' is Xen's classic "
        "script (its default), 'enslaved' makes the card itself a port (everybody else's). For "
        "'route' and 'nat': 'xen' gives each guest a back end of its own (Xen's default), "
        "'libvirt' a bridge without a card (KVM's).",
    )
    nics: dict[InterfaceName, NicFile | None] = Field(
        default={}, description="Physical cards by name."
    )
    switches: dict[InterfaceName, HostSwitchFile | None] = Field(
        default={}, description="Switches by name."
    )
    br_netfilter: bool = Field(
        default=False,
        description="Load br_netfilter: IP packets that cross a Linux bridge are shown to the "
        "hooks of IP, as the sysctls below net.bridge say.",
    )
    veths: list[VethFile] = Field(
        default=[],
        description="Pairs of devices that are joined back to back, each with the switch that it "
        "is a port of. They join switches of any kinds.",
        examples=[[{"qvb1": "qbr1", "qvo1": "br-int"}]],
    )


class VmFile(MachineFile):
    """A virtual machine, or with 'count' a template for many."""

    host: StarredName = Field(
        ...,
        description="The host it runs on. 'h*' deals the machines of a template out to all hosts "
        "of template h, evenly and in order: the first fill h1.",
    )
    count: NodeCount | None = _count("vm", "addresses and MACs of its cards count up by one")
    vnics: Annotated[list[VnicFile], Field(max_length=MAX_VNICS)] = Field(
        default=[], description="Its cards, in order."
    )


class WireSwitchFile(SwitchFile):
    """A switch between hosts, or with 'count' a template for many."""

    count: NodeCount | None = _count("tor", "each has ports of its own")
    ports: CountOrPorts | None = Field(
        default=None,
        description="Number of ports p1..pN; left out, links may end at any port name. It may also "
        "be a map with settings of ports, as in 'p1: {pvid: 10}', or for type 'ovs' "
        "'p1: {tag: 10}'.",
    )


class RouterNicFile(NicFile):
    """A card of a router."""

    ra: RaOrTrue = Field(
        default=None,
        description="Advertise this router and its IPv6 networks here, so that hosts configure "
        "themselves: 'true', or how.",
        examples=[{"interval": "10s", "lifetime": "5min"}],
    )


class RouterFile(MachineFile):
    """A machine that forwards between its cards, or with 'count' a template for many."""

    count: NodeCount | None = _count("r", "addresses and MACs of its cards count up by one")
    nics: dict[InterfaceName, RouterNicFile | None] = Field(
        default={}, description="Its cards by name."
    )


class LinkFile(WireFile):
    """A full-duplex cable between two devices, or with stars one for each machine of a template."""

    ends: Annotated[list[StarredDevice], Field(min_length=2, max_length=2)] = Field(
        ...,
        description="The two devices it joins: cards of hosts and routers, ports of switches. "
        "'h*:eth0' is that card of every machine of template h; there are as many links as the "
        "larger starred template has machines, dealt out evenly and in order at the other end. "
        "A star behind a device, 'tor*:p*', counts 1, 2, ... on each node.",
        examples=[["h1:eth0", "h2:eth0"], ["h*:eth0", "tor*:p*"]],
    )
    up: bool = Field(default=True, description="Whether the cable is plugged in at the start.")


class TopologyFile(Part):
    """A network lab: machines, the cables between them, and what shall happen."""

    version: Version = Field(..., description="Version of the file format: 1.")
    name: Name | None = Field(default=None, description="Name of the lab; left out, the file's.")
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        default=1, description="All chance in the lab grows from this number."
    )
    epoch: Epoch = Field(
        default=1_735_689_600 * _S,
        description="Wall-clock time at which virtual time begins: ISO 8601 or Unix seconds.",
        json_schema_extra={"default": "2025-01-01T00:00:00Z"},
    )
    hosts: dict[Name, HostFile | None] | None = Field(
        default=None, description="Hypervisors by name."
    )
    vms: dict[Name, VmFile] | None = Field(
        default=None, description="Virtual machines, or templates for many, by name."
    )
    switches: dict[Name, WireSwitchFile | None] | None = Field(
        default=None, description="Plain switches between the hosts, by name."
    )
    routers: dict[Name, RouterFile | None] | None = Field(
        default=None, description="Routers by name."
    )
    links: list[LinkFile] | None = Field(default=None, description="The cables.")
    captures: list[StarredDevice] | None = Field(
        default=None,
        description="Devices whose frames are recorded; 'HOST:nlmon' records its rtnetlink. "
        "'h*:eth0' is that card of every machine of template h, 'h1:vnet*' all numbered vnets.",
        examples=[["vm1:eth0", "h1:eth0"], ["h*:eth0"]],
    )
    scenario: list[StepFile] | None = Field(default=None, description="What happens, step by step.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a topology file, as editors want it."""
    schema = TopologyFile.model_json_schema(by_alias=True, mode="validation")
    _forget_null_defaults(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "vnet topology",
    }


def schema_text() -> str:
    """The JSON Schema as ``topologies/vnet.schema.json`` holds it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _forget_null_defaults(schema: Any) -> None:
    """Drop ``default: null``: the key is left out, it is not written as null."""
    if isinstance(schema, dict):
        if "default" in schema and schema["default"] is None:
            del schema["default"]
        for value in schema.values():
            _forget_null_defaults(value)
    elif isinstance(schema, list):
        for value in schema:
            _forget_null_defaults(value)

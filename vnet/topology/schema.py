"""The spelling of a topology file: which keys there are, where, and of what type.

These pydantic models mirror the YAML key by key. They judge each value by itself and
turn it into the lab's units; whether names lead anywhere is asked later, in
:mod:`~vnet.topology.expand` and :mod:`~vnet.topology.validate`. The JSON Schema that
gives editors completion and hover texts is made from the same models, so the
descriptions below are the reference manual of the file format.

The models are built on first use (``defer_build``), to keep the import cheap.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from vnet.topology.expression import ExpressionError, parse_packet_expression
from vnet.topology.fields import (
    Addresses,
    DeviceName,
    Duration,
    Epoch,
    Expected,
    Gateways,
    IpText,
    MacText,
    Mtu,
    Name,
    Network,
    Rate,
    Refusal,
    Source,
    SysctlName,
    SysctlValue,
    Target,
)

MAX_COUNT = 100_000
MAX_PORTS = 4_096
MAX_VNICS = 64
MAX_PACKETS = 1_000_000

_S = 1_000_000_000

HostMode = Literal["bridge", "route", "nat", "isolated", "open"]
HypervisorName = Literal["xen", "kvm", "vmware", "hyperv"]
StyleName = Literal["network-bridge", "enslaved"]
SwitchType = Literal["linux", "ovs"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def _packet(value: object) -> object:
    if not isinstance(value, str):
        raise Refusal("wants a packet expression", 'for example Ether()/ARP(pdst="10.0.0.2")')
    try:
        parse_packet_expression(value)
    except ExpressionError as error:
        raise Refusal(error.what, error.hint) from None
    return value


PacketText = Annotated[
    str,
    BeforeValidator(_packet),
    WithJsonSchema({"type": "string", "examples": ['Ether()/ARP(pdst="10.0.0.2")']}),
]
PacketCount = Annotated[int, Field(ge=1, le=MAX_PACKETS)]


class NicFile(_Part):
    """A network card and the addresses its owner gives it."""

    ip: Addresses = Field(
        [], description="Address with prefix length, or a list of them, IPv4 and IPv6 alike."
    )
    mac: MacText | None = Field(
        None, description="MAC address; left out, one is derived from the seed and the name."
    )
    mtu: Mtu = Field(1500, description="Largest IP packet in bytes.")
    ipv6: bool | None = Field(
        None, description="Speak IPv6 here; left out, only if there is an IPv6 address."
    )


class VnicFile(NicFile):
    """A card of a virtual machine; the first is eth0 inside, the next eth1."""

    switch: Name | None = Field(
        None, description="The switch on the host it plugs into; left out, the host's only one."
    )


class RouteFile(_Part):
    """A static route."""

    to: Network = Field(..., description="Destination network, or 'default'.")
    via: IpText = Field(..., description="The gateway's address, on a network of this machine.")


class _Machine(_Part):
    gateway: Gateways = Field(
        [], description="Default gateway, or a list of one IPv4 and one IPv6 gateway."
    )
    routes: list[RouteFile] = Field([], description="Static routes.")
    sysctls: dict[SysctlName, SysctlValue] = Field(
        {},
        description="Kernel settings by name.",
        examples=[{"net.ipv4.conf.all.arp_ignore": 1}],
    )


class HostSwitchFile(_Part):
    """A switch inside a host, which virtual machines plug into."""

    type: SwitchType = Field("linux", description="What kind of switch; 'linux' is a bridge.")
    uplink: Name | None = Field(
        None,
        description="The host's card behind the switch, or 'none'. Left out, the first switch "
        "takes the first card that no other switch claims.",
    )
    ageing: Duration = Field(300 * _S, description="How long a learnt MAC is remembered.")


class HostFile(_Machine):
    """A hypervisor: physical cards, switches, and the virtual machines that name it."""

    hypervisor: HypervisorName = Field(
        "kvm", description="Decides default MACs and how back ends are named."
    )
    mode: HostMode = Field("bridge", description="How guests reach the outside.")
    style: StyleName | None = Field(
        None,
        description="How a card gets behind a bridge: 'network-bridge' is Xen's classic script "
        "(its default), 'enslaved' makes the card itself a port (everybody else's).",
    )
    nics: dict[Name, NicFile | None] = Field({}, description="Physical cards by name.")
    switches: dict[Name, HostSwitchFile | None] = Field({}, description="Switches by name.")


class VmFile(_Machine):
    """A virtual machine, or with 'count' a template for many."""

    host: Name = Field(..., description="The host it runs on.")
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = Field(
        None,
        description="Make this many: vm becomes vm1, vm2, ... and addresses count up by one.",
    )
    vnics: Annotated[list[VnicFile], Field(max_length=MAX_VNICS)] = Field(
        [], description="Its cards, in order."
    )


class WireSwitchFile(_Part):
    """A plain learning switch between hosts."""

    type: SwitchType = Field("linux", description="What kind of switch.")
    ports: Annotated[int, Field(ge=1, le=MAX_PORTS)] | None = Field(
        None, description="Number of ports p1..pN; left out, links may end at any port name."
    )
    ageing: Duration = Field(300 * _S, description="How long a learnt MAC is remembered.")


class RouterFile(_Machine):
    """A machine that forwards between its cards."""

    nics: dict[Name, NicFile | None] = Field({}, description="Its cards by name.")


class LinkFile(_Part):
    """A full-duplex cable between two devices."""

    ends: Annotated[list[DeviceName], Field(min_length=2, max_length=2)] = Field(
        ...,
        description="The two devices it joins: cards of hosts and routers, ports of switches.",
        examples=[["h1:eth0", "h2:eth0"]],
    )
    latency: Duration = Field(0, description="Time a frame is on its way.")
    bandwidth: Rate | None = Field(None, description="Bits per second; left out, no limit.")
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1000, description="Frames that may wait at each end."
    )
    mtu: Mtu | None = Field(None, description="Larger packets are lost; left out, none are.")
    up: bool = Field(True, description="Whether the cable is plugged in at the start.")


class PingFile(_Part):
    """Echo requests, one after the other."""

    from_: Name = Field(..., alias="from", description="VM, host or router that pings.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    count: PacketCount = Field(4, description="Number of requests.")
    interval: Duration = Field(_S, description="Time from one request to the next.")
    size: Annotated[int, Field(ge=0, le=65_507)] = Field(56, description="Bytes of payload.")
    ttl: Annotated[int, Field(ge=1, le=255)] | None = Field(
        None, description="Time to live, or hop limit."
    )
    df: bool | None = Field(None, description="Set, or clear, the don't-fragment flag.")
    timeout: Duration = Field(_S, description="How long to wait for each answer.")


class ArpingFile(_Part):
    """ARP requests by hand."""

    from_: Name = Field(..., alias="from", description="VM, host or router that asks.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IPv4 address.")
    count: PacketCount = Field(1, description="Number of requests.")
    interval: Duration = Field(_S, description="Time from one request to the next.")
    mode: Literal["request", "announce", "duplicate"] = Field(
        "request",
        description="Ask who has the address, announce one's own (arping -U), or look for a "
        "second owner (arping -D).",
    )


class UdpFile(_Part):
    """Datagrams to an echo server on the target, which the step starts."""

    from_: Name = Field(..., alias="from", description="VM, host or router that sends.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(7, description="Destination port.")
    count: PacketCount = Field(1, description="Number of datagrams.")
    interval: Duration = Field(_S, description="Time from one datagram to the next.")
    size: Annotated[int, Field(ge=0, le=65_507)] = Field(64, description="Bytes of payload.")
    echo: bool = Field(True, description="Whether the target sends them back.")
    timeout: Duration = Field(_S, description="How long to wait for each answer.")


class SendFile(_Part):
    """A packet written as a Scapy expression; it is parsed, never evaluated."""

    from_: Source = Field(..., alias="from", description="VM, or one of its cards: vm1:eth0.")
    packet: PacketText = Field(..., description="Scapy layers with literal values, joined by /.")
    count: PacketCount = Field(1, description="Number of times.")
    interval: Duration = Field(_S, description="Time from one to the next.")


class LinkStepFile(_Part):
    """Plugs a cable in or pulls it."""

    end: DeviceName = Field(..., description="One end of the link.")
    state: Literal["up", "down"] = Field(..., description="What the link becomes.")


VERBS = ("ping", "arping", "udp", "send", "link", "wait")


class StepFile(_Part):
    """One step of the scenario: exactly one verb, when, and what is expected of it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [verb]} for verb in VERBS]})

    at: Duration | None = Field(
        None, description="Time since the start; left out, when the step before has ended."
    )
    ping: PingFile | None = Field(None, description="Ping from one machine to another.")
    arping: ArpingFile | None = Field(None, description="Ask by ARP.")
    udp: UdpFile | None = Field(None, description="Send UDP datagrams and count the echoes.")
    send: SendFile | None = Field(None, description="Put a packet of your own on the wire.")
    link: LinkStepFile | None = Field(None, description="Plug a cable in or pull it.")
    wait: Duration | None = Field(None, description="Let time pass.")
    expect: dict[str, Expected] = Field(
        {},
        description="What the step must report: a value, or a comparison such as '>= 2'.",
        examples=[{"received": 3, "lost": "< 1"}],
    )


class TopologyFile(_Part):
    """A network lab: machines, the cables between them, and what shall happen."""

    version: Literal[1] = Field(..., description="Version of the file format: 1.")
    name: Name | None = Field(None, description="Name of the lab; left out, the file's.")
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        1, description="All chance in the lab grows from this number."
    )
    epoch: Epoch = Field(
        1_735_689_600 * _S,
        description="Wall-clock time at which virtual time begins: ISO 8601 or Unix seconds.",
    )
    hosts: dict[Name, HostFile | None] | None = Field(None, description="Hypervisors by name.")
    vms: dict[Name, VmFile] | None = Field(
        None, description="Virtual machines, or templates for many, by name."
    )
    switches: dict[Name, WireSwitchFile | None] | None = Field(
        None, description="Plain switches between the hosts, by name."
    )
    routers: dict[Name, RouterFile | None] | None = Field(None, description="Routers by name.")
    links: list[LinkFile] | None = Field(None, description="The cables.")
    captures: list[DeviceName] | None = Field(
        None,
        description="Devices whose frames are recorded; 'HOST:nlmon' records its rtnetlink.",
        examples=[["vm1:eth0", "h1:eth0"]],
    )
    scenario: list[StepFile] | None = Field(None, description="What happens, step by step.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a topology file, as editors want it."""
    schema = TopologyFile.model_json_schema(by_alias=True, mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "vnet topology",
    }

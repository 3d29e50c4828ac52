"""The spelling of a topology file: which keys there are, where, and of what type.

These pydantic models mirror the YAML key by key. They judge each value by itself and
turn it into the lab's units; whether names lead anywhere is asked later, in
:mod:`~vnet.topology.expand` and :mod:`~vnet.topology.validate`. The JSON Schema that
gives editors completion and hover texts is made from the same models, so the
descriptions below are the reference manual of the file format.

The models are built on first use (``defer_build``), to keep the import cheap.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from vnet.base.units import duration_text
from vnet.topology.expression import ExpressionError, Layer, parse_packet_expression
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
    RefusedError,
    Source,
    SysctlName,
    SysctlValue,
    Target,
    Version,
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
        raise RefusedError("wants a packet expression", 'for example Ether()/ARP(pdst="10.0.0.2")')
    try:
        expression = parse_packet_expression(value)
    except ExpressionError as error:
        raise RefusedError(error.what, error.hint) from None
    first = expression.parts[0]
    if not isinstance(first, Layer) or first.name not in _SENDABLE:
        what = f"{getattr(first, 'name', 'text')} cannot be put on a wire by itself"
        raise RefusedError(what, "begin with Ether(), IP() or IPv6()")
    return value


_SENDABLE = ("Ether", "Dot3", "IP", "IPv6")
"""What a card can send as it is, or its kernel can route."""


PacketText = Annotated[
    str,
    BeforeValidator(_packet),
    WithJsonSchema({"type": "string", "examples": ['Ether()/ARP(pdst="10.0.0.2")']}),
]
PacketCount = Annotated[int, Field(ge=1, le=MAX_PACKETS)]


def _duration(default_ns: int, description: str) -> Any:
    """A field whose default the JSON Schema shows as a file would spell it."""
    shown: dict[str, Any] = {"default": duration_text(default_ns)}
    return Field(default=default_ns, description=description, json_schema_extra=shown)


class NicFile(_Part):
    """A network card and the addresses its owner gives it."""

    ip: Addresses = Field(
        default=[],
        description="Address with prefix length, or a list of them, IPv4 and IPv6 alike.",
    )
    mac: MacText | None = Field(
        default=None,
        description="MAC address; left out, one is derived from the seed and the name.",
    )
    mtu: Mtu = Field(default=1500, description="Largest IP packet in bytes.")
    ipv6: bool | None = Field(
        default=None, description="Speak IPv6 here; left out, only if there is an IPv6 address."
    )


class VnicFile(NicFile):
    """A card of a virtual machine; the first is eth0 inside, the next eth1."""

    switch: Name | None = Field(
        default=None,
        description="The switch on the host it plugs into; left out, the host's only one.",
    )


class RouteFile(_Part):
    """A static route."""

    to: Network = Field(..., description="Destination network, or 'default'.")
    via: IpText = Field(..., description="The gateway's address, on a network of this machine.")


class MachineFile(_Part):
    """What hosts, virtual machines and routers have in common."""

    gateway: Gateways = Field(
        default=[], description="Default gateway, or a list of one IPv4 and one IPv6 gateway."
    )
    routes: list[RouteFile] = Field(default=[], description="Static routes.")
    sysctls: dict[SysctlName, SysctlValue] = Field(
        default={},
        description="Kernel settings by name.",
        examples=[{"net.ipv4.ip_forward": 1}],
    )


class HostSwitchFile(_Part):
    """A switch inside a host, which virtual machines plug into."""

    type: SwitchType = Field(
        default="linux", description="What kind of switch; 'linux' is a bridge."
    )
    uplink: Name | None = Field(
        default=None,
        description="The host's card behind the switch, or 'none'. Left out, the first switch "
        "takes the first card that no other switch claims.",
    )
    ageing: Duration = _duration(300 * _S, "How long a learnt MAC is remembered.")


class HostFile(MachineFile):
    """A hypervisor: physical cards, switches, and the virtual machines that name it."""

    hypervisor: HypervisorName = Field(
        default="kvm", description="Decides default MACs and how back ends are named."
    )
    mode: HostMode = Field(default="bridge", description="How guests reach the outside.")
    style: StyleName | None = Field(
        default=None,
        description="How a card gets behind a bridge: 'network-bridge' is Xen's classic script "
        "(its default), 'enslaved' makes the card itself a port (everybody else's).",
    )
    nics: dict[Name, NicFile | None] = Field(default={}, description="Physical cards by name.")
    switches: dict[Name, HostSwitchFile | None] = Field(default={}, description="Switches by name.")


class VmFile(MachineFile):
    """A virtual machine, or with 'count' a template for many."""

    host: Name = Field(..., description="The host it runs on.")
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = Field(
        default=None,
        description="Make this many: vm becomes vm1, vm2, ... and addresses count up by one.",
    )
    vnics: Annotated[list[VnicFile], Field(max_length=MAX_VNICS)] = Field(
        default=[], description="Its cards, in order."
    )


class WireSwitchFile(_Part):
    """A plain learning switch between hosts."""

    type: SwitchType = Field(default="linux", description="What kind of switch.")
    ports: Annotated[int, Field(ge=1, le=MAX_PORTS)] | None = Field(
        default=None,
        description="Number of ports p1..pN; left out, links may end at any port name.",
    )
    ageing: Duration = _duration(300 * _S, "How long a learnt MAC is remembered.")


class RouterFile(MachineFile):
    """A machine that forwards between its cards."""

    nics: dict[Name, NicFile | None] = Field(default={}, description="Its cards by name.")


class LinkFile(_Part):
    """A full-duplex cable between two devices."""

    ends: Annotated[list[DeviceName], Field(min_length=2, max_length=2)] = Field(
        ...,
        description="The two devices it joins: cards of hosts and routers, ports of switches.",
        examples=[["h1:eth0", "h2:eth0"]],
    )
    latency: Duration = _duration(0, "Time a frame is on its way.")
    bandwidth: Rate | None = Field(default=None, description="Bits per second; left out, no limit.")
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1000, description="Frames that may wait at each end."
    )
    mtu: Mtu | None = Field(
        default=None, description="Larger packets are lost; left out, none are."
    )
    up: bool = Field(default=True, description="Whether the cable is plugged in at the start.")


class PingFile(_Part):
    """Echo requests, one after the other."""

    from_: Name = Field(..., alias="from", description="VM, host or router that pings.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    count: PacketCount = Field(default=4, description="Number of requests.")
    interval: Duration = _duration(_S, "Time from one request to the next.")
    size: Annotated[int, Field(ge=0, le=65_507)] = Field(
        default=56, description="Bytes of payload."
    )
    ttl: Annotated[int, Field(ge=1, le=255)] | None = Field(
        default=None, description="Time to live, or hop limit."
    )
    df: bool | None = Field(default=None, description="Set, or clear, the don't-fragment flag.")
    timeout: Duration = _duration(
        10 * _S, "How long to wait after the last request while nothing has come back."
    )


class ArpingFile(_Part):
    """ARP requests by hand."""

    from_: Name = Field(..., alias="from", description="VM, host or router that asks.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IPv4 address.")
    count: PacketCount = Field(default=1, description="Number of requests.")
    interval: Duration = _duration(_S, "Time from one request to the next.")
    mode: Literal["request", "announce", "duplicate"] = Field(
        default="request",
        description="Ask who has the address, announce one's own (arping -U), or look for a "
        "second owner (arping -D).",
    )


class UdpFile(_Part):
    """Datagrams to an echo server on the target, which the step starts."""

    from_: Name = Field(..., alias="from", description="VM, host or router that sends.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=7, description="Destination port.")
    count: PacketCount = Field(default=1, description="Number of datagrams.")
    interval: Duration = _duration(_S, "Time from one datagram to the next.")
    size: Annotated[int, Field(ge=0, le=65_507)] = Field(
        default=64, description="Bytes of payload."
    )
    echo: bool = Field(default=True, description="Whether the target sends them back.")
    timeout: Duration = _duration(_S, "How long to wait for echoes after the last datagram.")


class SendFile(_Part):
    """A packet written as a Scapy expression; it is parsed, never evaluated."""

    from_: Source = Field(..., alias="from", description="VM, or one of its cards: vm1:eth0.")
    packet: PacketText = Field(..., description="Scapy layers with literal values, joined by /.")
    count: PacketCount = Field(default=1, description="Number of times.")
    interval: Duration = _duration(_S, "Time from one to the next.")


class LinkStepFile(_Part):
    """Plugs a cable in or pulls it."""

    end: DeviceName = Field(..., description="One end of the link.")
    state: Literal["up", "down"] = Field(..., description="What the link becomes.")


VERBS = ("ping", "arping", "udp", "send", "link", "wait")


class StepFile(_Part):
    """One step of the scenario: exactly one verb, when, and what is expected of it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [verb]} for verb in VERBS]})

    at: Duration | None = Field(
        default=None, description="Time since the start; left out, when the step before has ended."
    )
    ping: PingFile | None = Field(default=None, description="Ping from one machine to another.")
    arping: ArpingFile | None = Field(default=None, description="Ask by ARP.")
    udp: UdpFile | None = Field(
        default=None, description="Send UDP datagrams and count the echoes."
    )
    send: SendFile | None = Field(default=None, description="Put a packet of your own on the wire.")
    link: LinkStepFile | None = Field(default=None, description="Plug a cable in or pull it.")
    wait: Duration | None = Field(default=None, description="Let time pass.")
    expect: dict[str, Expected] = Field(
        default={},
        description="What the step must report: a value, or a comparison such as '>= 2'.",
        examples=[{"received": 3, "lost": "< 1"}],
    )


class TopologyFile(_Part):
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
    captures: list[DeviceName] | None = Field(
        default=None,
        description="Devices whose frames are recorded; 'HOST:nlmon' records its rtnetlink.",
        examples=[["vm1:eth0", "h1:eth0"]],
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

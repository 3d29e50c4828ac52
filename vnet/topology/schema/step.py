"""The spelling of a scenario: which steps there are, and the keys of each.

As in :mod:`~vnet.topology.schema.topology`, each value is judged by itself here and its
description is the manual; whether names lead anywhere is asked in
:mod:`~vnet.topology.scenario.scenario`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from vnet.topology.schema.admin_step import IptablesFile, SysctlFile
from vnet.topology.schema.dhcp_step import DhcpStepFile
from vnet.topology.schema.fields import (
    DeviceName,
    Duration,
    Expected,
    Name,
    Source,
    Station,
)
from vnet.topology.schema.group_step import MembershipFile
from vnet.topology.schema.name_step import DnsLookupFile
from vnet.topology.schema.netfilter_step import ConntrackFile, RulesFile
from vnet.topology.schema.ovs_step import (
    BondFile,
    FlowsFile,
    GroupsFile,
    MegaflowsFile,
    MetersFile,
    TablesFile,
)
from vnet.topology.schema.parts import Part, duration_field
from vnet.topology.schema.stream_step import HttpFile, IperfFile, TcpFile
from vnet.topology.schema.traffic_step import (
    ArpingFile,
    PingAllFile,
    PingFile,
    SendFile,
    TracepathFile,
    TracerouteFile,
    UdpFile,
)
from vnet.topology.schema.values import RefusedError
from vnet.topology.schema.wire import WireFile

MAX_ROUNDS = 1_000_000
FOREVER = "forever"
MAX_PARALLEL = 1_000

_S = 1_000_000_000


def _without_defaults(schema: dict[str, Any]) -> None:
    """In a step, a key that is left out changes nothing."""
    for value in schema["properties"].values():
        value.pop("default", None)


class LinkStepFile(WireFile):
    """Plugs a cable in or pulls it, or changes what it does; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    end: DeviceName = Field(..., description="One end of the link.")
    to: DeviceName | None = Field(
        default=None,
        description="Pulls the other end and plugs it in there: a free card, or port of a switch.",
    )
    state: Literal["up", "down"] | None = Field(
        default=None, description="Plugged in, or unplugged."
    )


class MoveFile(Part):
    """A virtual machine goes to another switch and keeps its MACs and addresses."""

    vm: Name = Field(..., description="The virtual machine that moves.")
    to: Name = Field(..., description="The host it goes to; its own for another switch there.")
    switch: Name | None = Field(
        default=None,
        description="The switch its cards plug into; left out, the one of the same name there, "
        "or the only one.",
    )
    announce: bool = Field(
        default=True,
        description="Whether its kernel tells the network at once, by gratuitous ARP and "
        "unsolicited neighbour advertisements, as after a live migration.",
    )


class FdbFile(Part):
    """Looks at what a switch has learned."""

    switch: Source = Field(..., description="A switch on the wire, or one of a host: h1:br0.")
    mac: Station | None = Field(
        default=None, description="A MAC address, or whose: vm1 (its first card) or vm1:eth0."
    )


class TcFile(Part):
    """Changes how frames queue at a device, and reads the counters of a qdisc of it."""

    device: DeviceName = Field(..., description="The device, as captures name it.")
    command: str | None = Field(
        default=None,
        description="A command of tc(8), the device left out; none only reads.",
        examples=["qdisc replace root netem delay 10ms loss 1%", "qdisc del root"],
    )
    handle: str | None = Field(
        default=None, description="Whose counters to report; left out, those of the root."
    )


class CountersFile(Part):
    """Reads the counters of a device, those of the wire behind it included."""

    device: DeviceName = Field(..., description="The device, as captures name it.")


def _or_forever(value: object) -> object:
    if value is None:
        raise RefusedError(f"wants a whole number or {FOREVER}, not nothing")
    return None if value == FOREVER else value


_Rounds = Annotated[
    Annotated[int, Field(ge=1, le=MAX_ROUNDS)] | None,
    BeforeValidator(_or_forever),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_ROUNDS}, {"const": FOREVER}]}
    ),
]


class RepeatFile(Part):
    """The same steps several times over."""

    count: _Rounds = Field(
        ...,
        description="Number of rounds, or 'forever': until the lab ends. What follows begins at "
        "once then, and the scenario is over when all else is.",
    )
    interval: Duration = duration_field(0, "Time from the end of one round to the next.")
    steps: Annotated[list[StepFile], Field(min_length=1)] = Field(
        ..., description="The steps of a round."
    )


OVS_VERBS = ("flows", "groups", "meters", "tables", "megaflows", "bond")
"""Steps for bridges of Open vSwitch."""
VERBS = (
    *(
        "ping",
        "arping",
        "udp",
        "tcp",
        "iperf3",
        "http",
        "dns",
        "dhcp",
        "traceroute",
        "tracepath",
        "pingall",
        "send",
        "join",
        "leave",
    ),
    *("link", "move", "wait", "fdb", "counters", "tc", "iptables", "sysctl", "rules", "conntrack"),
    *("repeat", "parallel"),
    *OVS_VERBS,
)
_ONE_VERB: list[Any] = [{"required": [verb]} for verb in VERBS]


class StepFile(Part):
    """One step of the scenario: one verb, when, and what is expected of it.

    Without a verb it only judges, counting frames from the start of the run.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [*_ONE_VERB, {"required": ["expect"], "not": {"anyOf": _ONE_VERB}}]
        }
    )

    at: Duration | None = Field(
        default=None, description="Time since the start; left out, when the step before has ended."
    )
    ping: PingFile | None = Field(default=None, description="Ping from one machine to another.")
    arping: ArpingFile | None = Field(default=None, description="Ask by ARP.")
    udp: UdpFile | None = Field(
        default=None, description="Send UDP datagrams and count the echoes."
    )
    tcp: TcpFile | None = Field(
        default=None, description="Send bytes over a TCP connection and have them back."
    )
    iperf3: IperfFile | None = Field(
        default=None, description="Measure what a TCP connection brings in bulk."
    )
    http: HttpFile | None = Field(default=None, description="Get a file by HTTP.")
    dns: DnsLookupFile | None = Field(default=None, description="Ask a DNS server for a name.")
    dhcp: DhcpStepFile | None = Field(
        default=None, description="Get an address by DHCP, renew it, or give it back."
    )
    traceroute: TracerouteFile | None = Field(
        default=None, description="Trace the way to a machine, hop by hop."
    )
    tracepath: TracepathFile | None = Field(
        default=None, description="Trace the way to a machine, and find its path MTU."
    )
    pingall: PingAllFile | None = Field(default=None, description="Ping among many machines.")
    send: SendFile | None = Field(default=None, description="Put a packet of your own on the wire.")
    join: MembershipFile | None = Field(default=None, description="Join a multicast group.")
    leave: MembershipFile | None = Field(default=None, description="Leave a multicast group.")
    link: LinkStepFile | None = Field(default=None, description="Change a cable, or pull it.")
    move: MoveFile | None = Field(default=None, description="Move a VM to another switch.")
    wait: Duration | None = Field(default=None, description="Let time pass.")
    fdb: FdbFile | None = Field(default=None, description="Look at what a switch has learned.")
    counters: CountersFile | None = Field(default=None, description="Read a device's counters.")
    tc: TcFile | None = Field(default=None, description="Change or read the queues of a device.")
    rules: RulesFile | None = Field(default=None, description="Read what rules have counted.")
    conntrack: ConntrackFile | None = Field(
        default=None, description="Look at the connections that a machine keeps track of."
    )
    flows: FlowsFile | None = Field(
        default=None, description="Change flows of Open vSwitch, or read their counters."
    )
    groups: GroupsFile | None = Field(
        default=None, description="Change groups of Open vSwitch, or read their counters."
    )
    meters: MetersFile | None = Field(
        default=None, description="Change meters of Open vSwitch, or read their counters."
    )
    tables: TablesFile | None = Field(
        default=None, description="Read what tables of flows have counted."
    )
    megaflows: MegaflowsFile | None = Field(
        default=None, description="Look at the flows in the datapath of Open vSwitch."
    )
    bond: BondFile | None = Field(
        default=None, description="Look at a bond of Open vSwitch: its links, and its partner."
    )
    iptables: IptablesFile | None = Field(
        default=None, description="Change a machine's rules, as iptables(8) does."
    )
    sysctl: SysctlFile | None = Field(default=None, description="Change a machine's settings.")
    repeat: RepeatFile | None = Field(default=None, description="Do steps several times over.")
    parallel: Annotated[list[StepFile], Field(min_length=1, max_length=MAX_PARALLEL)] | None = (
        Field(default=None, description="Do steps at the same time; ends when all have ended.")
    )
    expect: dict[str, Expected] = Field(
        default={},
        description="What the step must report: a value, or a comparison such as '>= 2'. "
        "'frames matching FILTER on DEVICE' counts what passed a device during the step; FILTER "
        "is tcpdump's, see pcap-filter(7).",
        examples=[{"received": 3, "lost": "< 1", "frames matching icmp on vm1:eth0": 6}],
    )


def every_step(steps: Iterable[StepFile]) -> Iterator[StepFile]:
    """Every step, each followed by those inside it."""
    for step in steps:
        yield step
        inner = step.repeat.steps if step.repeat is not None else step.parallel
        yield from every_step(inner or ())

"""The keys of switches, in hosts and on the wire; most are for ``type: ovs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from vnet.topology.schema.bridge import FlowTableFile, MirrorFile, TableNumber
from vnet.topology.schema.fields import Duration, Name
from vnet.topology.schema.linux import Mask, MulticastFile, Pvid
from vnet.topology.schema.ovs_values import (
    PROTOCOL,
    SETTINGS,
    VLANS,
    column_reader,
    read_controllers,
)
from vnet.topology.schema.parts import Part, duration_field
from vnet.topology.schema.values import RefusedError, kind_of

_S = 1_000_000_000

SwitchType = Literal["linux", "ovs"]

_FailMode = Annotated[
    str | None,
    PlainValidator(column_reader("Bridge", "fail_mode")),
    WithJsonSchema({"enum": ["standalone", "secure"]}),
]
_Controllers = Annotated[
    tuple[str, ...],
    PlainValidator(read_controllers),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
_Protocols = Annotated[
    tuple[str, ...],
    PlainValidator(column_reader("Bridge", "protocols")),
    WithJsonSchema({"anyOf": [PROTOCOL, {"type": "array", "items": PROTOCOL}]}),
]
_FloodVlans = Annotated[
    tuple[int, ...],
    PlainValidator(column_reader("Bridge", "flood_vlans")),
    WithJsonSchema(VLANS),
]
_Stp = Annotated[
    bool,
    PlainValidator(column_reader("Bridge", "stp_enable")),
    WithJsonSchema({"type": "boolean"}),
]
_Rstp = Annotated[
    bool,
    PlainValidator(column_reader("Bridge", "rstp_enable")),
    WithJsonSchema({"type": "boolean"}),
]
_McastSnooping = Annotated[
    bool,
    PlainValidator(column_reader("Bridge", "mcast_snooping_enable")),
    WithJsonSchema({"type": "boolean"}),
]
_BridgeConfig = Annotated[
    Mapping[str, str],
    PlainValidator(column_reader("Bridge", "other_config")),
    WithJsonSchema(SETTINGS),
]


class TextFile(Part):
    """Lines in a file of their own."""

    file: str = Field(..., description="Its path, as seen from the topology's.")


def _program(value: object) -> object:
    """A map is judged as one, so that a fault in it is found at its own place."""
    if isinstance(value, dict):
        return TextFile.model_validate(value)
    if isinstance(value, str | list):
        return value
    raise RefusedError(
        f"wants lines of text, not {kind_of(value)}", "a list of texts, a block, or {file: PATH}"
    )


_Entry = Annotated[Any, WithJsonSchema({"type": "string"})]
Program = Annotated[TextFile | list[_Entry] | str, BeforeValidator(_program)]
"""Flows, groups or meters: a list with one each, or a text with one a line, maybe in a file."""


class SwitchFile(Part):
    """What can be said of every switch, but for its ports; most of it is for one type alone."""

    type: SwitchType = Field(
        default="linux",
        description="What kind of switch; 'linux' is a bridge, 'ovs' one of Open vSwitch.",
    )
    ageing: Duration = duration_field(
        300 * _S,
        "How long a learnt MAC is remembered; for type 'ovs' 15s to 3600s, in whole seconds.",
    )
    vlan_filtering: bool = Field(
        default=False,
        description="Only for type 'linux': look at VLAN tags, and keep VLANs apart. Which port is "
        "in which, 'ports' say; all are in the default_pvid.",
    )
    vlan_protocol: Literal["802.1Q", "802.1ad"] = Field(
        default="802.1Q",
        description="Only for type 'linux' with vlan_filtering: which tags name VLANs; those of "
        "the other protocol are payload.",
    )
    default_pvid: Pvid = Field(
        default=1,
        description="Only for type 'linux' with vlan_filtering: the VLAN that ports are in, "
        "untagged, of which nothing else is said; 'none' for none.",
    )
    vlan_stats: bool = Field(
        default=False,
        description="Only for type 'linux' with vlan_filtering: count what passes in each VLAN.",
    )
    group_fwd_mask: Mask = Field(
        default=0,
        description="Only for type 'linux': which of 01:80:C2:00:00:03 to 0F are forwarded, as a "
        "mask: bit N for 0N. '0x4000' lets LLDP through.",
    )
    priority: Annotated[int, Field(ge=0, le=0xFFFF)] | None = Field(
        default=None,
        description="Only for type 'linux': its priority in the spanning tree; 32768 if left out, "
        "and the lowest makes the root.",
    )
    forward_delay: Duration | None = Field(
        default=None,
        description="Only for type 'linux': how long ports listen and learn, 15s by default; with "
        "STP 2s to 30s.",
    )
    hello_time: Duration | None = Field(
        default=None,
        description="Only for type 'linux': how often the root says hello; 2s, and 1s to 10s.",
    )
    max_age: Duration | None = Field(
        default=None,
        description="Only for type 'linux': how long a silent root is believed in; 20s, and 6s to "
        "40s.",
    )
    multicast: MulticastFile | None = Field(
        default=None,
        description="Only for type 'linux': who asks for members of groups, and how often.",
        examples=[{"querier": True}],
    )
    fail_mode: _FailMode = Field(
        default=None,
        description="Only for type 'ovs': 'standalone' (default) begins with a flow of lowest "
        "priority that forwards as any switch does, 'secure' without flows.",
    )
    controller: _Controllers = Field(
        default=(),
        description="Only for type 'ovs': who says what flows it has, as ovs-vsctl set-controller "
        "takes it; one, or a list. With `vnet up` the switch goes there (tcp:, ssl:, unix:) or "
        "waits there (ptcp:, pssl:, punix:); with `vnet run` nobody answers.",
        examples=["tcp:127.0.0.1:6653"],
    )
    protocols: _Protocols = Field(
        default=(),
        description="Only for type 'ovs': the versions of OpenFlow that it speaks; all if left "
        "out.",
        examples=[["OpenFlow13"]],
    )
    meters: Program = Field(
        default=[],
        description="Only for type 'ovs': meters as ovs-ofctl takes them; a list, a text with one "
        "a line, or a file. They are there before groups and flows.",
        examples=[["meter=1 kbps band=type=drop rate=1000"]],
    )
    groups: Program = Field(
        default=[],
        description="Only for type 'ovs': groups as ovs-ofctl takes them; a list, a text with one "
        "a line, or a file. They are there before the flows.",
        examples=[["group_id=1,type=select,bucket=output:1,bucket=output:2"]],
    )
    flows: Program = Field(
        default=[],
        description="Only for type 'ovs': flows as ovs-ofctl takes them; a list, a text with one "
        "a line, or a file. Ports may be called by their names.",
        examples=[["priority=10,tcp,tp_dst=23,actions=drop"], {"file": "flows.txt"}],
    )
    mirrors: dict[Name, MirrorFile | None] = Field(
        default={},
        description="Only for type 'ovs': mirrors by name.",
        examples=[{"m0": {"select_all": True, "output_port": "vnet2"}}],
    )
    flow_tables: dict[TableNumber, FlowTableFile | None] = Field(
        default={}, description="Only for type 'ovs': settings of tables of flows, by number."
    )
    flood_vlans: _FloodVlans = Field(
        default=(), description="Only for type 'ovs': VLANs in which no MAC is learnt."
    )
    stp: _Stp = Field(
        default=False,
        description="Speak the spanning tree protocol with neighbours, so that links may close "
        "loops.",
    )
    rstp: _Rstp = Field(
        default=False,
        description="Only for type 'ovs': speak the rapid spanning tree protocol, which blocks "
        "and unblocks within seconds.",
    )
    mcast_snooping: _McastSnooping = Field(
        default=False,
        description="Send multicast where somebody listens to it, as IGMP and MLD tell. With "
        "type 'linux' that is the default, and begins when somebody asks who listens.",
    )
    other_config: _BridgeConfig = Field(
        default={},
        description="Only for type 'ovs': settings of the bridge by name.",
        examples=[{"mac-table-size": 1024}],
    )


LINUX_KEYS = (
    *("vlan_filtering", "vlan_protocol", "default_pvid", "vlan_stats", "group_fwd_mask"),
    *("priority", "forward_delay", "hello_time", "max_age", "multicast"),
)

OVS_KEYS = (
    *("fail_mode", "meters", "groups", "flows", "mirrors", "flow_tables", "flood_vlans"),
    *("rstp", "other_config", "controller", "protocols"),
)

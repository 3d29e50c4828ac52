"""The keys of switches, in hosts and on the wire; most are for ``type: ovs``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, TypeAdapter, WithJsonSchema

from vnet.topology.fields import Duration, Name
from vnet.topology.ovs_values import column_reader
from vnet.topology.parts import Part, duration_field
from vnet.topology.values import RefusedError, kind_of

MAX_PORTS = 4_096

_S = 1_000_000_000

SwitchType = Literal["linux", "ovs"]

_VLAN: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 4095}
_VLANS = WithJsonSchema(
    {
        "anyOf": [_VLAN, {"type": "array", "items": _VLAN}, {"type": "string"}],
        "examples": [[10, 20], "10,20-29"],
    }
)
_SETTINGS = WithJsonSchema(
    {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}}
)
_VLAN_MODES = ["access", "dot1q-tunnel", "native-tagged", "native-untagged", "trunk"]

_Tag = Annotated[int | None, PlainValidator(column_reader("Port", "tag")), WithJsonSchema(_VLAN)]
_Trunks = Annotated[tuple[int, ...], PlainValidator(column_reader("Port", "trunks")), _VLANS]
_Cvlans = Annotated[tuple[int, ...], PlainValidator(column_reader("Port", "cvlans")), _VLANS]
_VlanMode = Annotated[
    str | None,
    PlainValidator(column_reader("Port", "vlan_mode")),
    WithJsonSchema({"enum": _VLAN_MODES}),
]
_Protected = Annotated[
    bool, PlainValidator(column_reader("Port", "protected")), WithJsonSchema({"type": "boolean"})
]
_PortConfig = Annotated[
    Mapping[str, str], PlainValidator(column_reader("Port", "other_config")), _SETTINGS
]
_Ofport = Annotated[
    int | None,
    PlainValidator(column_reader("Interface", "ofport_request")),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65_279}),
]
_FailMode = Annotated[
    str | None,
    PlainValidator(column_reader("Bridge", "fail_mode")),
    WithJsonSchema({"enum": ["standalone", "secure"]}),
]
_BridgeConfig = Annotated[
    Mapping[str, str], PlainValidator(column_reader("Bridge", "other_config")), _SETTINGS
]


class OvsPortFile(Part):
    """A port of Open vSwitch: columns of the tables Port and Interface of its database."""

    tag: _Tag = Field(default=None, description="The VLAN that untagged frames belong to.")
    trunks: _Trunks = Field(
        default=(), description="The VLANs that may pass, tagged; left out, every one."
    )
    cvlans: _Cvlans = Field(
        default=(), description="Of a dot1q-tunnel, the inner VLANs that may pass."
    )
    vlan_mode: _VlanMode = Field(
        default=None,
        description="How VLANs are carried; left out, 'access' with a tag, else 'trunk'.",
    )
    protected: _Protected = Field(
        default=False, description="Whether it may not talk to other protected ports."
    )
    ofport: _Ofport = Field(
        default=None, description="Its number in flows; left out, numbers go up from 1."
    )
    other_config: _PortConfig = Field(
        default={},
        description="Settings by name.",
        examples=[{"priority-tags": "always"}],
    )


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
"""Flows or groups: a list with one each, a text with one a line, or a file with such a text."""

_PortCount = Annotated[int, Field(ge=1, le=MAX_PORTS)]
_PortMap = dict[Name, OvsPortFile | None]


@cache
def _port_adapters() -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    strict = Annotated[_PortCount, Field(strict=True)]
    return TypeAdapter(_PortMap), TypeAdapter(strict)


def _ports(value: object) -> object:
    """A map or a number, each judged as what it is."""
    of_map, of_number = _port_adapters()
    return (of_map if isinstance(value, dict) else of_number).validate_python(value)


CountOrPorts = Annotated[_PortMap | _PortCount, BeforeValidator(_ports)]
"""How many ports a switch on the wire has, or settings of those that links end at."""


class SwitchFile(Part):
    """What can be said of every switch; with type 'linux' no more than type and ageing."""

    type: SwitchType = Field(
        default="linux",
        description="What kind of switch; 'linux' is a bridge, 'ovs' one of Open vSwitch.",
    )
    ageing: Duration = duration_field(
        300 * _S,
        "How long a learnt MAC is remembered; for type 'ovs' 15s to 3600s, in whole seconds.",
    )
    fail_mode: _FailMode = Field(
        default=None,
        description="Only for type 'ovs': 'standalone' (default) begins with a flow of lowest "
        "priority that forwards as any switch does, 'secure' without flows.",
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
    other_config: _BridgeConfig = Field(
        default={},
        description="Only for type 'ovs': settings of the bridge by name.",
        examples=[{"mac-table-size": 1024}],
    )


OVS_KEYS = ("fail_mode", "groups", "flows", "other_config")

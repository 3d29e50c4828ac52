"""The keys of what hangs on a bridge of Open vSwitch: rows of the tables Mirror and Flow_Table."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from vnet.topology.schema.fields import NAME_SPELLING, Name, listed, one_or_list
from vnet.topology.schema.ovs_values import VLAN, VLANS, column_reader
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import parse_table_number

_PortNames = Annotated[list[Name], BeforeValidator(listed), one_or_list(NAME_SPELLING)]
_Truth = WithJsonSchema({"type": "boolean"})
_SelectAll = Annotated[bool, PlainValidator(column_reader("Mirror", "select_all")), _Truth]
_SelectVlan = Annotated[
    tuple[int, ...],
    PlainValidator(column_reader("Mirror", "select_vlan")),
    WithJsonSchema(VLANS),
]
_OutputVlan = Annotated[
    int | None,
    PlainValidator(column_reader("Mirror", "output_vlan")),
    WithJsonSchema(VLAN | {"minimum": 1}),
]
_Snaplen = Annotated[
    int | None,
    PlainValidator(column_reader("Mirror", "snaplen")),
    WithJsonSchema({"type": "integer", "minimum": 14, "maximum": 65_535}),
]


class MirrorFile(Part):
    """A mirror: which frames of a bridge are copied, and where to."""

    select_all: _SelectAll = Field(default=False, description="Frames of all ports.")
    select_src_port: _PortNames = Field(
        default=[], description="Frames that come in by these ports."
    )
    select_dst_port: _PortNames = Field(
        default=[], description="Frames that go out by these ports."
    )
    select_vlan: _SelectVlan = Field(
        default=(), description="Of those, only frames of these VLANs; left out, of any."
    )
    output_port: Name | None = Field(
        default=None, description="The port that copies go to; nothing else does."
    )
    output_vlan: _OutputVlan = Field(
        default=None, description="The VLAN that copies are flooded in, instead of a port."
    )
    snaplen: _Snaplen = Field(
        default=None, description="How many bytes of a frame are copied; left out, all."
    )


TableNumber = Annotated[
    int, PlainValidator(parse_table_number), WithJsonSchema({"type": "string", "examples": ["0"]})
]
_TableName = Annotated[
    str | None,
    PlainValidator(column_reader("Flow_Table", "name")),
    WithJsonSchema({"type": "string"}),
]
_FlowLimit = Annotated[
    int | None,
    PlainValidator(column_reader("Flow_Table", "flow_limit")),
    WithJsonSchema({"type": "integer", "minimum": 0}),
]
_Overflow = Annotated[
    str | None,
    PlainValidator(column_reader("Flow_Table", "overflow_policy")),
    WithJsonSchema({"enum": ["evict", "refuse"]}),
]
_TEXTS = one_or_list({"type": "string"})
_Groups = Annotated[tuple[str, ...], PlainValidator(column_reader("Flow_Table", "groups")), _TEXTS]
_Prefixes = Annotated[
    tuple[str, ...], PlainValidator(column_reader("Flow_Table", "prefixes")), _TEXTS
]


class FlowTableFile(Part):
    """How one table of flows is set up."""

    name: _TableName = Field(default=None, description="What it is called.")
    flow_limit: _FlowLimit = Field(
        default=None, description="How many flows it may hold; left out, any number."
    )
    overflow_policy: _Overflow = Field(
        default=None,
        description="Whether a flow too many is refused (default), or makes another go.",
    )
    groups: _Groups = Field(
        default=(), description="Fields by which flows are grouped when one of them has to go."
    )
    prefixes: _Prefixes = Field(
        default=(),
        description="Up to three fields by whose prefixes it finds flows, or 'none'.",
    )

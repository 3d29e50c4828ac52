"""The keys of bonds of Open vSwitch: columns of the table Port, and settings of each link."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, TypeAdapter, WithJsonSchema

from vnet.topology.schema.fields import Name
from vnet.topology.schema.ovs_values import SETTINGS, column_reader
from vnet.topology.schema.parts import Part

_OFPORT = {"type": "integer", "minimum": 1, "maximum": 65_279}


class BondLinkFile(Part):
    """A link of a bond: columns of the table Interface."""

    ofport: Annotated[
        int | None,
        PlainValidator(column_reader("Interface", "ofport_request")),
        WithJsonSchema(_OFPORT),
    ] = Field(default=None, description="Its number in flows; left out, numbers go up from 1.")
    other_config: Annotated[
        Mapping[str, str],
        PlainValidator(column_reader("Interface", "other_config")),
        WithJsonSchema(SETTINGS),
    ] = Field(
        default={},
        description="Settings by name.",
        examples=[{"lacp-port-priority": 1, "lacp-aggregation-key": 7}],
    )


_LinkMap = dict[Name, BondLinkFile | None]
_LinkNames = list[Name]


@cache
def _adapters() -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    return TypeAdapter(_LinkMap), TypeAdapter(_LinkNames)


def _links(value: object) -> object:
    """A map or a list, each judged as what it is."""
    of_map, of_list = _adapters()
    return (of_map if isinstance(value, dict) else of_list).validate_python(value)


BondLinks = Annotated[_LinkMap | _LinkNames, BeforeValidator(_links)]
"""The devices of a bond, with settings or without."""

BondMode = Annotated[
    str | None,
    PlainValidator(column_reader("Port", "bond_mode")),
    WithJsonSchema({"enum": ["active-backup", "balance-slb", "balance-tcp"]}),
]
BondDelay = Annotated[
    int,
    PlainValidator(column_reader("Port", "bond_updelay")),
    WithJsonSchema({"type": "integer"}),
]
Lacp = Annotated[
    str | None,
    PlainValidator(column_reader("Port", "lacp")),
    WithJsonSchema({"enum": ["active", "passive", "off"]}),
]

"""The keys of ports of Open vSwitch: columns of the tables Port and Interface of its database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
)

from vnet.topology.schema.bond import BondDelay, BondLinks, BondMode, Lacp
from vnet.topology.schema.fields import Name
from vnet.topology.schema.linux import LinuxPortFile
from vnet.topology.schema.ovs_values import SETTINGS, VLAN, VLANS, column_reader
from vnet.topology.schema.parts import Part
from vnet.topology.schema.qos import QosFile

MAX_PORTS = 4_096

_VLAN_MODES = ["access", "dot1q-tunnel", "native-tagged", "native-untagged", "trunk"]

_Tag = Annotated[int | None, PlainValidator(column_reader("Port", "tag")), WithJsonSchema(VLAN)]
_Trunks = Annotated[
    tuple[int, ...], PlainValidator(column_reader("Port", "trunks")), WithJsonSchema(VLANS)
]
_Cvlans = Annotated[
    tuple[int, ...], PlainValidator(column_reader("Port", "cvlans")), WithJsonSchema(VLANS)
]
_VlanMode = Annotated[
    str | None,
    PlainValidator(column_reader("Port", "vlan_mode")),
    WithJsonSchema({"enum": _VLAN_MODES}),
]
_Protected = Annotated[
    bool, PlainValidator(column_reader("Port", "protected")), WithJsonSchema({"type": "boolean"})
]
_PortConfig = Annotated[
    Mapping[str, str],
    PlainValidator(column_reader("Port", "other_config")),
    WithJsonSchema(SETTINGS),
]
_Ofport = Annotated[
    int | None,
    PlainValidator(column_reader("Interface", "ofport_request")),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65_279}),
]
_Amount = Annotated[
    int,
    PlainValidator(column_reader("Interface", "ingress_policing_rate")),
    WithJsonSchema({"type": "integer", "minimum": 0}),
]
_Options = Annotated[
    Mapping[str, str],
    PlainValidator(column_reader("Interface", "options")),
    WithJsonSchema(SETTINGS),
]
PortType = Literal["patch", "vxlan", "gre", "geneve", "ip6gre"]
"""Kinds of ports that a bridge makes by itself, for no device of its machine is behind them."""


class OvsPortFile(Part):
    """A port of Open vSwitch: columns of the tables Port and Interface of its database."""

    type: PortType | None = Field(
        default=None,
        description="Left out, the port is a device of the machine. 'patch' makes a port that "
        "leads to one of another bridge of the host, which options name as 'peer'. 'vxlan', 'gre', "
        "'ip6gre' and 'geneve' make a tunnel to the host that options name as 'remote_ip'.",
    )
    options: _Options = Field(
        default={},
        description="What a port with a type leads to.",
        examples=[{"peer": "patch1"}, {"remote_ip": "192.0.2.2", "key": "flow"}],
    )
    bond: BondLinks | None = Field(
        default=None,
        description="The devices that the port bonds: cards of the host, ports of a switch on the "
        "wire. A list, or a map with settings of each.",
        examples=[["eth0", "eth1"], {"p1": {"ofport": 5}, "p2": {}}],
    )
    bond_mode: BondMode = Field(
        default=None,
        description="Of a bond: 'active-backup' (default) uses one link at a time, 'balance-slb' "
        "spreads stations, 'balance-tcp' connections, and needs LACP for it.",
    )
    bond_updelay: BondDelay = Field(
        default=0, description="Of a bond: how long a link must be up to be used, in ms."
    )
    bond_downdelay: BondDelay = Field(
        default=0, description="Of a bond: how long a link must be down to be given up, in ms."
    )
    lacp: Lacp = Field(
        default=None,
        description="Negotiate with the neighbour which links belong together: 'active' begins, "
        "'passive' answers.",
    )
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
    qos: QosFile | None = Field(
        default=None, description="Queues for what leaves by the port, and their rates."
    )
    ingress_policing_rate: _Amount = Field(
        default=0, description="The most that may come in by the port, in kbit/s; 0 for any."
    )
    ingress_policing_burst: _Amount = Field(
        default=0, description="How much more may come at once, in kbit; 0 means 8000."
    )
    other_config: _PortConfig = Field(
        default={},
        description="Settings by name.",
        examples=[{"priority-tags": "always"}],
    )


_PortCount = Annotated[int, Field(ge=1, le=MAX_PORTS)]
PortFile = LinuxPortFile | OvsPortFile
_PortMap = dict[Name, PortFile | None]


@cache
def _port_adapters() -> dict[object, TypeAdapter[Any]]:
    strict = Annotated[_PortCount, Field(strict=True)]
    return {
        "linux": TypeAdapter(dict[Name, LinuxPortFile | None]),
        "ovs": TypeAdapter(dict[Name, OvsPortFile | None]),
        int: TypeAdapter(strict),
    }


def _ports_by_type(value: object, info: ValidationInfo) -> object:
    """A map of ports, judged as the type of the switch wants them; unread where that is unknown."""
    kind = info.data.get("type")
    return {} if kind is None else _port_adapters()[kind].validate_python(value)


def _ports(value: object, info: ValidationInfo) -> object:
    """A map or a number, each judged as what it is."""
    if isinstance(value, dict):
        return _ports_by_type(value, info)
    return _port_adapters()[int].validate_python(value)


Ports = Annotated[_PortMap, BeforeValidator(_ports_by_type)]
"""Settings of ports by device, of the kind that the ``type`` of the switch has."""

CountOrPorts = Annotated[_PortMap | _PortCount, BeforeValidator(_ports)]
"""How many ports a switch on the wire has, or settings of those that links end at."""

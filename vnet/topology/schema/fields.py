"""The types of single values in a topology file: how each is read, and how it is spelt.

:mod:`~vnet.topology.schema.values` reads them; the JSON Schema of their *spelling* is for editors.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from vnet.base.ids import IpAddress, Mac
from vnet.netdev.device_name import MOST_NAME_BYTES
from vnet.topology.model import Address, Dynamic, Endpoint
from vnet.topology.schema.values import (
    NAME_PATTERN,
    parse_address,
    parse_card_address,
    parse_duration,
    parse_endpoint,
    parse_epoch,
    parse_expected,
    parse_interface_name,
    parse_ip,
    parse_mac,
    parse_name,
    parse_network,
    parse_rate,
    parse_server,
    parse_share_value,
    parse_source,
    parse_starred_endpoint,
    parse_starred_name,
    parse_station,
    parse_sysctl,
    parse_sysctl_name,
    parse_target,
    parse_tc,
    parse_version,
)


def listed(value: object) -> object:
    """A list as it is, anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def _spelling(kind: str | list[str], *examples: object, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, "examples": list(examples), **more})


def one_or_list(item: dict[str, Any]) -> WithJsonSchema:
    """How a value is spelt that :func:`listed` reads."""
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


NAME_SPELLING: dict[str, Any] = {"type": "string", "pattern": f"^{NAME_PATTERN}$"}
_ADDRESS_SCHEMA = {"type": "string", "examples": ["10.0.0.1/24", "2001:db8::1/64"]}
_IP_SCHEMA = {"type": "string", "examples": ["10.0.0.254", "2001:db8::fe"]}

Version = Annotated[int, PlainValidator(parse_version), WithJsonSchema({"const": 1})]
Name = Annotated[str, PlainValidator(parse_name), WithJsonSchema(NAME_SPELLING)]
InterfaceName = Annotated[
    str,
    PlainValidator(parse_interface_name),
    WithJsonSchema({**NAME_SPELLING, "maxLength": MOST_NAME_BYTES}),
]
SysctlName = Annotated[str, PlainValidator(parse_sysctl_name), WithJsonSchema({"type": "string"})]
SysctlValue = Annotated[
    str, PlainValidator(parse_sysctl), _spelling(["string", "integer", "boolean"], 1)
]
# A rate or duration is text with a unit; only zero may go without.
Duration = Annotated[
    int, PlainValidator(parse_duration), _spelling(["string", "integer"], "1ms", "2.5s", 0)
]
Rate = Annotated[int, PlainValidator(parse_rate), _spelling("string", "1gbit", "100mbit")]
SHARE_SPELLING = _spelling(["string", "integer"], "1%", "0.5%", 0)
Share = Annotated[float, PlainValidator(parse_share_value), SHARE_SPELLING]
MacText = Annotated[
    Mac,
    PlainValidator(parse_mac),
    _spelling("string", "52:54:00:12:34:56", pattern="^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$"),
]
IpText = Annotated[IpAddress, PlainValidator(parse_ip), WithJsonSchema(_IP_SCHEMA)]
AddressText = Annotated[Address, PlainValidator(parse_address)]
Addresses = Annotated[
    list[AddressText],
    Field(max_length=256),
    BeforeValidator(listed),
    one_or_list(_ADDRESS_SCHEMA),
]
_CARD_ADDRESS_SCHEMA = {"type": "string", "examples": ["10.0.0.1/24", "dhcp", "2001:db8::1/64"]}
CardAddresses = Annotated[
    list[Annotated[Address | Dynamic, PlainValidator(parse_card_address)]],
    Field(max_length=256),
    BeforeValidator(listed),
    one_or_list(_CARD_ADDRESS_SCHEMA),
]
_TC_SCHEMA = {"type": "string", "examples": ["qdisc add root tbf rate 1mbit burst 10kb limit 15kb"]}
TcCommands = Annotated[
    list[Annotated[str, BeforeValidator(parse_tc)]],
    BeforeValidator(listed),
    one_or_list(_TC_SCHEMA),
]
Gateways = Annotated[list[IpText], BeforeValidator(listed), one_or_list(_IP_SCHEMA)]
Network = Annotated[
    tuple[IpAddress, int] | None,
    PlainValidator(parse_network),
    _spelling("string", "10.0.0.0/8", "default"),
]
DeviceName = Annotated[
    Endpoint,
    PlainValidator(parse_endpoint),
    _spelling("string", "h1:eth0", pattern=f"^{NAME_PATTERN}:{NAME_PATTERN}$"),
]
StarredName = Annotated[
    str,
    PlainValidator(parse_starred_name),
    _spelling("string", "h1", "h*", pattern=rf"^{NAME_PATTERN}\*?$"),
]
StarredDevice = Annotated[
    Endpoint,
    PlainValidator(parse_starred_endpoint),
    _spelling(
        "string", "h1:eth0", "h*:eth0", "tor*:p*", pattern=rf"^{NAME_PATTERN}\*?:{NAME_PATTERN}\*?$"
    ),
]
Source = Annotated[
    tuple[str, str | None], PlainValidator(parse_source), _spelling("string", "vm1", "vm1:eth0")
]
Station = Annotated[
    Mac | tuple[str, str | None],
    PlainValidator(parse_station),
    _spelling("string", "52:54:00:12:34:56", "vm1", "vm1:eth0"),
]
Target = Annotated[
    str, PlainValidator(parse_target), _spelling("string", "vm2", "10.0.0.2", "2001:db8::2")
]
Server = Annotated[
    tuple[str, int | None], PlainValidator(parse_server), _spelling("string", "web", "web:80")
]
Epoch = Annotated[
    int, PlainValidator(parse_epoch), _spelling(["string", "integer"], "2025-01-01T00:00:00Z")
]
Expected = Annotated[
    int | float | str | bool,
    PlainValidator(parse_expected),
    _spelling(["string", "integer", "number", "boolean"], 3, ">= 2", "< 10"),
]
Mtu = Annotated[int, Field(ge=68, le=65_535)]

"""The keys of ``routes`` and ``rules`` of a machine, as ip-route(8) and ip-rule(8) have them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from vnet.tables.policy import TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN
from vnet.topology.schema.fields import Gateways, IpText, Mtu, Name, Network
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError

_MOST_32_BITS = 0xFFFF_FFFF
_TABLES = {"default": TABLE_DEFAULT, "main": TABLE_MAIN, "local": TABLE_LOCAL}
_MARK = re.compile(r"(0x[0-9a-f]{1,8}|[0-9]{1,10})(/(0x[0-9a-f]{1,8}|[0-9]{1,10}))?", re.ASCII)


def _table(value: object) -> int:
    """A table by its number, or by the name that every machine has for it."""
    if isinstance(value, str) and value in _TABLES:
        return _TABLES[value]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST_32_BITS:
        raise RefusedError("wants a table", "a number from 1, or main, local, default")
    return value


def _mark(value: object) -> tuple[int, int]:
    """A mark and its mask, ``16`` or ``0x10/0xff``."""
    text = str(value).lower()
    if isinstance(value, bool) or not _MARK.fullmatch(text):
        raise RefusedError("wants a mark", "for example 16 or 0x10/0xff")
    mark, _, mask = text.partition("/")
    return int(mark, 0), int(mask, 0) if mask else _MOST_32_BITS


Table = Annotated[
    int,
    PlainValidator(_table),
    WithJsonSchema({"type": ["integer", "string"], "examples": [100, "main"]}),
]
Mark = Annotated[
    tuple[int, int],
    PlainValidator(_mark),
    WithJsonSchema({"type": ["integer", "string"], "examples": [16, "0x10/0xff"]}),
]
Number32 = Annotated[int, Field(ge=0, le=_MOST_32_BITS)]
Tos = Annotated[int, Field(ge=0, le=255)]
RouteKind = Literal["unicast", "local", "blackhole", "unreachable", "prohibit", "throw"]


class NexthopFile(Part):
    """One of several ways of a route."""

    via: IpText | None = Field(default=None, description="The gateway's address.")
    dev: Name | None = Field(
        default=None, description="The device; left out, the one the gateway is reached by."
    )
    weight: int = Field(default=1, ge=1, le=256, description="Its share of the flows.")


class RouteFile(Part):
    """A static route."""

    to: Network = Field(..., description="Destination network, or 'default'.")
    via: Gateways = Field(
        default=[],
        description="The gateway's address, on a network of this machine; or a list of several, "
        "among which each flow is given one by a hash.",
        examples=["10.0.0.254", ["10.0.0.254", "10.0.1.254"]],
    )
    nexthops: list[NexthopFile] = Field(
        default=[], description="Instead of 'via': several ways, each with its weight."
    )
    dev: Name | None = Field(default=None, description="The device, where no gateway tells it.")
    type: RouteKind = Field(
        default="unicast",
        description="What becomes of the packets: sent on, ours, lost, refused, or looked up by "
        "the next rule.",
    )
    metric: Number32 | None = Field(
        default=None, description="The lower of two to the same network is taken."
    )
    table: Table = Field(default=TABLE_MAIN, description="The routing table: number or name.")
    src: IpText | None = Field(
        default=None, description="The address that our own packets leave from."
    )
    tos: Tos = Field(default=0, description="Only packets with this type of service take it.")
    mtu: Mtu | None = Field(default=None, description="What fits through the path.")
    onlink: bool = Field(
        default=False, description="The gateway is on the link, whatever its address."
    )


class RuleFile(Part):
    """A rule of policy routing: which packets are looked up where."""

    priority: Number32 | None = Field(
        default=None, description="Rules are asked in this order; left out, before all others."
    )
    family: Literal[4, 6] | None = Field(
        default=None, description="IPv4 or IPv6, where neither 'from' nor 'to' tells it."
    )
    not_: bool = Field(default=False, alias="not", description="All packets but these.")
    from_: Network = Field(default=None, alias="from", description="Their source network.")
    to: Network = Field(default=None, description="Their destination network.")
    iif: Name | None = Field(
        default=None, description="The device they came in by; 'lo': our own packets."
    )
    oif: Name | None = Field(default=None, description="The device they are bound to leave by.")
    fwmark: Mark | None = Field(default=None, description="Their mark, and which bits of it.")
    tos: Tos = Field(default=0, description="Their type of service.")
    table: Table | None = Field(default=None, description="The table to look them up in.")
    action: Literal["blackhole", "unreachable", "prohibit", "nop"] | None = Field(
        default=None, description="Instead of a table: lose or refuse them, or do nothing."
    )
    goto: Number32 | None = Field(
        default=None, description="Instead of a table: go on at the rule of this priority."
    )
    suppress_prefixlength: int | None = Field(
        default=None, ge=0, le=128, description="Pass over what is found by no longer prefix."
    )

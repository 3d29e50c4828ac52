"""The spelling of steps about multicast groups."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from vnet.base.ids import IpAddress, ip_from_text, is_multicast_ip
from vnet.base.text import quote
from vnet.topology.schema.fields import Source
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError


def _parse_group(value: object) -> IpAddress:
    try:
        group = ip_from_text(str(value))
    except ValueError:
        raise RefusedError(f"{quote(str(value))} is not an IP address") from None
    if not is_multicast_ip(group):
        what = f"{quote(str(value))} is no multicast group"
        raise RefusedError(what, "those are 224.0.0.0/4 and ff00::/8")
    return group


_Group = Annotated[
    IpAddress,
    PlainValidator(_parse_group),
    WithJsonSchema({"type": "string", "examples": ["239.1.1.1", "ff05::1:3"]}),
]


class MembershipFile(Part):
    """Which machine, and which group."""

    machine: Source = Field(..., description="VM, host or router, or one of its devices: vm1:eth0.")
    group: _Group = Field(..., description="The group's IPv4 or IPv6 address.")

"""The spelling of steps that change a machine's settings and rules."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator

from vnet.topology.schema.fields import Name, SysctlName, SysctlValue, listed, one_or_list
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError, kind_of


def _command(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RefusedError(
            f"wants a command of iptables, not {kind_of(value)}", "-t nat -A POSTROUTING ..."
        )
    return value


class IptablesFile(Part):
    """Commands of iptables(8) on a machine, the program's name left out."""

    machine: Name = Field(..., description="VM, host or router.")
    commands: Annotated[
        list[Annotated[str, PlainValidator(_command)]],
        Field(min_length=1),
        BeforeValidator(listed),
        one_or_list({"type": "string", "examples": ["-t nat -A POSTROUTING -j MASQUERADE"]}),
    ] = Field(..., description="A command, or a list of them, carried out in order.")
    ipv6: bool = Field(default=False, description="Commands of ip6tables(8).")


class SysctlFile(Part):
    """Settings of a machine's kernel, while it runs."""

    machine: Name = Field(..., description="VM, host or router.")
    set: dict[SysctlName, SysctlValue] = Field(
        ...,
        min_length=1,
        description="Values by name.",
        examples=[{"net.ipv4.ip_forward": 0}],
    )
